//! Opening groups: which parts of a bid open together, and therefore under one key set (rule ENG-40).
//!
//! Promise: every part belongs to exactly one round, and what opens in different rounds has different groups and keys.

use crate::features::lots::model::Lot;
use crate::rules::envelopes::{Envelopes, Round};
use crate::seal::envelope::Part;

/// The parts that open in a round.
pub const fn parts(envelopes: Envelopes, round: Round) -> &'static [Part] {
    match (envelopes, round) {
        (Envelopes::One, Round::First) => &[Part::Price, Part::Documents, Part::Reserve],
        (Envelopes::One, Round::Second) => &[],
        (Envelopes::Two, Round::First) => &[Part::Documents],
        (Envelopes::Two, Round::Second) => &[Part::Price, Part::Reserve],
    }
}

/// The round in which a part opens.
pub const fn round_of(envelopes: Envelopes, part: Part) -> Round {
    match part {
        Part::Price | Part::Reserve => envelopes.price_round(),
        Part::Documents => Round::First,
    }
}

/// The names of the parts that the lot's present round opens.
pub fn opening_now(lot: &Lot) -> Vec<&'static str> {
    names(lot.body.terms.envelopes, &[lot.body.round])
}

/// The names of the parts that open in these rounds.
pub fn names(envelopes: Envelopes, rounds: &[Round]) -> Vec<&'static str> {
    rounds.iter().flat_map(|round| parts(envelopes, *round)).map(|part| part.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_opens_in_exactly_one_round() {
        for envelopes in Envelopes::ALL.iter().copied() {
            for part in [Part::Price, Part::Documents, Part::Reserve] {
                let rounds: Vec<Round> =
                    Round::ALL.iter().copied().filter(|round| parts(envelopes, *round).contains(&part)).collect();
                assert_eq!(rounds, [round_of(envelopes, part)], "{envelopes:?} {part:?}");
                assert!(envelopes.rounds().contains(&rounds[0]));
            }
        }
    }

    #[test]
    fn what_opens_at_different_times_has_different_groups() {
        let lot = crate::kernel::id::LotId::ordered(crate::kernel::time::Timestamp::from_millis(0)).into_string();
        let groups = [Round::First.group(&lot), Round::Second.group(&lot)];
        assert_ne!(groups[0], groups[1]);
        assert!(groups.iter().all(|group| crate::seal::ids::Ident::parse(group, "group").is_ok()));
    }
}
