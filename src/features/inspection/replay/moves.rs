//! Lots moved only along rows of their edition's table.

use super::entry::PublicPart;
use crate::kernel::id::LotId;
use crate::rules::editions::{self, Edition};
use crate::rules::machine::{Event, State};
use crate::rules::table::{self, By};

/// The kinds that make or edit a draft; everything else in a lot's stream is an act of its machine.
const REGISTERED: &str = "lot.registered";
const EDITED: &str = "lot.edited";

/// Whether a stream is that of a lot.
pub(super) fn is_lot(stream: &str) -> bool {
    LotId::parse(stream).is_ok()
}

/// The edition that the first entry of a lot names; it is the lot's for life.
pub(super) fn edition(part: &PublicPart) -> Option<&'static Edition> {
    if part.kind == REGISTERED { editions::edition(part.data.get("edition")?.as_str()?) } else { None }
}

/// What is wrong with a lot's move, if anything.
pub(super) fn check(edition: Option<&'static Edition>, part: &PublicPart) -> Option<String> {
    let Some(edition) = edition else { return Some("the lot's edition is not known".to_owned()) };
    let draft = Some(State::Draft.name());
    match part.kind.as_str() {
        REGISTERED => {
            (part.from.is_some() || part.to.as_deref() != draft).then(|| "a lot begins as a draft".to_owned())
        }
        EDITED => {
            (part.from.as_deref() != draft || part.to.as_deref() != draft).then(|| "only a draft is edited".to_owned())
        }
        _ if is_allowed(edition, part) => None,
        _ => Some(format!(
            "no row of {} lets {} take a lot by {} from {} to {}",
            edition.id,
            part.role,
            part.data.get("event").unwrap_or_default(),
            part.from.as_deref().unwrap_or("nothing"),
            part.to.as_deref().unwrap_or("nothing"),
        )),
    }
}

fn is_allowed(edition: &'static Edition, part: &PublicPart) -> bool {
    let state = |name: &Option<String>| name.as_deref().and_then(State::parse);
    let event = part.data.get("event").and_then(|name| name.as_str()).and_then(Event::parse);
    let (Some(event), Some(from), Some(to)) = (event, state(&part.from), state(&part.to)) else { return false };
    let role = By::parse(&part.role);
    edition.table.iter().any(|row| {
        // What the platform does as a consequence stands in the commit, and under the role, of whoever caused it: the
        // hold that an objection places is on record as the objector's.
        let by = row.by.contains(&By::System) || role.is_some_and(|role| row.by.contains(&role));
        row.event == event && row.from.contains(&from) && table::target(row, from) == to && by
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::editions::CONSTRUCTION_2026;

    fn part(event: &str, role: &str, from: &str, to: &str) -> PublicPart {
        let data = json!({ "event": event }).as_object().expect("an object").clone();
        PublicPart {
            data,
            role: role.into(),
            kind: "lot.moved".into(),
            from: Some(from.into()),
            to: Some(to.into()),
            ..PublicPart::default()
        }
    }

    #[test]
    fn a_lot_moves_only_along_the_rows_of_its_edition_and_by_those_they_name() {
        let fine = |event, role, from, to| check(Some(&CONSTRUCTION_2026), &part(event, role, from, to)).is_none();
        assert!(fine("submit", "initiator", "draft", "registering"));
        assert!(fine("close_bidding", "system", "noticed", "closed"));
        assert!(fine("extend", "initiator", "noticed", "noticed"));
        assert!(!fine("submit", "initiator", "draft", "noticed"), "another state");
        assert!(!fine("submit", "initiator", "noticed", "registering"), "from another state");
        assert!(!fine("award", "centre", "awardable", "awarded"), "by another party");
        assert!(!fine("open_early", "system", "noticed", "opening"), "no such event");
        assert!(check(None, &part("submit", "initiator", "draft", "registering")).is_some(), "no edition");
    }
}
