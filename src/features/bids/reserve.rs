//! The initiator's reserve price: sealed like a bid, to the same key set, into the same box. Nobody but the initiator
//! learns that it came; the lot's row does not change.

use super::model::{RESERVE, Recorded};
use super::ops::{Put, put_in_box};
use super::submission::Submission;
use super::{judge, queries, refusals};
use crate::features::lots::model::Lot;
use crate::features::lots::queries as lots;
use crate::features::uploads::model::Purpose;
use crate::kernel::id::OrgId;
use crate::kernel::time::Timestamp;
use crate::ledger::{Record, Result, Tx};
use crate::refusals as common;
use crate::rules::bid::BidState;
use crate::rules::facts::ReserveTerm;
use crate::rules::machine::State;
use crate::rules::refusal::{Obstacle, Refusal};

/// Checks that a lot takes a reserve price at `received_at`: announced, published, and strictly before the deadline.
///
/// # Errors
/// 409: `reserve-not-announced`, `reserve-not-possible`.
pub fn check_welcome(lot: &Lot, received_at: Timestamp) -> std::result::Result<(), Refusal> {
    let conflict = |refusal: Refusal| Refusal { obstacle: Obstacle::State, ..refusal };
    if lot.body.terms.reserve != ReserveTerm::Announced {
        return Err(conflict(refusals::reserve_not_announced()));
    }
    if lot.state != State::Noticed || lot.deadline_at().is_none_or(|deadline| received_at >= deadline) {
        return Err(conflict(refusals::reserve_not_possible()));
    }
    Ok(())
}

/// Puts the reserve price into the box, in place of the one that lies there. One that is on record already is answered
/// with its own receipt.
///
/// # Errors
/// 404 for somebody else's lot; those of [`check_welcome`]; `bid-rev-stale`, `enc-reused`, and those of the upload.
pub fn put(tx: &mut Tx<'_>, org: &OrgId, sub: &Submission) -> Result<Recorded> {
    let seen = queries::seen(tx.conn(), &sub.envelope_ids(), &sub.encs())?;
    if let Some(recorded) = seen.recorded(tx.conn(), org, &sub.envelope_ids())? {
        return Ok(recorded);
    }
    let lot = lots::lot(tx.conn(), &sub.lot_id)?;
    if lot.initiator != *org {
        return Err(common::not_found().into());
    }
    let received_at = tx.context().received_at;
    check_welcome(&lot, received_at)?;
    let before = queries::own_reserve(tx.conn(), &lot.row.id, org)?;
    judge::check_versions(&seen, before.as_ref(), sub)?;
    let uploads = judge::find_uploads(tx.conn(), &lot.row.id, org, Purpose::Reserve, before.as_ref(), &sub.envelopes)?;
    let record = Record::new("reserve.sealed")
        .sealed()
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .org(org.as_str());
    let put = Put { kind: RESERVE, state: BidState::Submitted, since: received_at, record };
    let (_, entry) = put_in_box(tx, &lot, org, before.as_ref(), sub, &uploads, put)?;
    Ok(Recorded::from(&entry))
}
