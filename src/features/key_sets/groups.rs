//! Opening groups: which parts of a bid open together, and therefore under one key set (rule ENG-40).
//!
//! Promise: every part belongs to exactly one round, and what opens in different rounds has different groups and keys.

use crate::features::lots::model::Lot;
use crate::rules::envelopes::{Envelopes, Round};
use crate::seal::envelope::Part;

/// The names of the parts that the lot's present round opens.
pub fn opening_now(lot: &Lot) -> Vec<&'static str> {
    names(lot.body.terms.envelopes, &[lot.body.round])
}

/// The round that a part opens in.
pub fn round_of(envelopes: Envelopes, part: Part) -> Round {
    match part {
        Part::Escrow => Round::Escrow,
        Part::Price | Part::Documents | Part::Reserve => envelopes.round_of(part.is_priced()),
    }
}

/// The names of the parts that open in these rounds.
pub fn names(envelopes: Envelopes, rounds: &[Round]) -> Vec<&'static str> {
    let opens = |part: &Part| rounds.contains(&round_of(envelopes, *part));
    Part::ALL.into_iter().filter(opens).map(Part::name).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn of_two_envelopes_what_states_an_amount_opens_in_the_second_round() {
        assert_eq!(names(Envelopes::One, &[Round::First]), ["price", "documents", "reserve"]);
        assert!(names(Envelopes::One, &[Round::Second]).is_empty());
        assert_eq!(names(Envelopes::Two, &[Round::First]), ["documents"]);
        assert_eq!(names(Envelopes::Two, &[Round::Second]), ["price", "reserve"]);
        assert_eq!(names(Envelopes::One, &[Round::Escrow]), ["escrow"]);
        assert_eq!(names(Envelopes::Two, Round::ALL), Part::ALL.map(Part::name));
    }

    #[test]
    fn what_opens_at_different_times_has_different_groups() {
        let lot = crate::kernel::id::LotId::ordered(crate::kernel::time::Timestamp::from_millis(0)).into_string();
        let groups: BTreeSet<String> = Round::ALL.iter().map(|round| round.group(&lot)).collect();
        assert_eq!(groups.len(), Round::ALL.len());
        assert!(groups.iter().all(|group| crate::seal::ids::Ident::parse(group, "group").is_ok()));
    }
}
