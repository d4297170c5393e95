//! What the rules are told about an opening session.

use std::collections::BTreeSet;

use super::model::{Opening, UnsealingBody, parse};
use super::queries;
use crate::db::Conn;
use crate::features::key_sets::groups;
use crate::features::lots::model::Lot;
use crate::kernel::role::Actor;
use crate::ledger::Result;
use crate::rules::facts::KeyMode;
use crate::rules::objection::ObjectionKind;
use crate::rules::opening::{SessionFacts, SessionState};

/// Everything the guards of a session may ask about.
///
/// # Errors
/// The database's.
pub fn load(
    conn: &mut Conn,
    lot: &Lot,
    session: Option<&Opening>,
    actor: &Actor,
    reason_given: bool,
) -> Result<SessionFacts> {
    let (id, parts) = (&lot.row.id, groups::opening_now(lot));
    let mut unattributed = BTreeSet::new();
    for row in queries::failures(conn, id, &parts)? {
        let body: UnsealingBody = parse(&row.id, &row.body)?;
        if body.attribution.is_none() {
            unattributed.insert(row.bid_id);
        }
    }
    let has_bid_in_box = match actor.org_id() {
        Some(org) => queries::has_bid(conn, id, org.as_str())?,
        None => false,
    };
    Ok(SessionFacts {
        state: session.map_or(SessionState::NotBegun, |session| session.state),
        lot_state: lot.state,
        initiator: lot.initiator.clone(),
        outcomes_missing: queries::missing(conn, id, &parts)?,
        failures_unattributed: u32::try_from(unattributed.len()).unwrap_or(u32::MAX),
        objections_unanswered: queries::unanswered(conn, id, ObjectionKind::Opening)?,
        shares_awaited: lot.body.terms.key_mode != KeyMode::Platform
            && session.is_some_and(|session| session.body.given_up.is_none()),
        reason_given,
        has_bid_in_box,
    })
}
