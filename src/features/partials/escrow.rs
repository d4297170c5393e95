//! Keys in escrow: whose is asked for, and the shares that are made with one.
//!
//! Promise: custodians are asked once for a lot, after the bidders' minutes, and only for bids in the box that their bidders did not
//! decrypt; from then on no bidder's share is taken, so that what is asked stays what it was. A key out of escrow gives the shares
//! that its bidder would have given, in a list that the platform signs and that names the envelope the key came from.

use std::collections::HashSet;

use super::model::SnapshotRow;
use super::ops;
use super::queries;
use crate::db::Conn;
use crate::features::key_sets;
use crate::features::key_sets::model::KeySetRow;
use crate::features::lots;
use crate::features::lots::model::Lot;
use crate::features::opening::model::OpeningBody;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result, Tx};
use crate::rules::envelopes::Round;
use crate::rules::opening::OpeningPermit;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::partials::SignedPartials;
use crate::seal::snapshot;

/// The snapshot of a lot's keys in escrow, once the custodians are asked for some.
///
/// # Errors
/// The database's.
pub fn asked(conn: &mut Conn, lot_id: &str) -> Result<Option<SnapshotRow>> {
    match key_sets::queries::of_round(conn, lot_id, Round::Escrow)? {
        Some(row) => queries::snapshot(conn, &row.kid),
        None => Ok(None),
    }
}

/// Whether it is time to ask for keys in escrow: the bidders' minutes are over, and nobody has given missing shares up.
pub fn is_due(lot: &Lot, session: &OpeningBody, now: Timestamp) -> bool {
    let over = session.decryption_ends_at(&lot.body.terms).is_some_and(|ends| ends <= now);
    over && session.given_up.is_none() && lot.body.terms.shared_rounds().contains(&Round::Escrow)
}

/// Whether a snapshot of keys in escrow stands: it is time to ask, and it names those that are missing at this very moment.
pub(super) fn stands(tx: &mut Tx<'_>, lot: &Lot, session: &OpeningBody, drawn: &SnapshotRow) -> Result<bool> {
    let kid = drawn.kid.parse().map_err(|_| Error::damaged(format!("snapshot of {}: kid", lot.row.id)))?;
    let lines = ops::lines(tx.conn(), &lot.row.id, kid)?;
    Ok(is_due(lot, session, tx.now()) && snapshot::root(&lines).to_string() == drawn.root)
}

/// Of the headers of a box those of the keys in escrow that are asked for.
pub(super) fn wanted(conn: &mut Conn, lot_id: &str, headers: Vec<SignedEnvelope>) -> Result<Vec<SignedEnvelope>> {
    Ok(undecrypted(headers, &queries::given_by_holders(conn, lot_id)?))
}

/// The escrows of bids of which something lacks its bidder's share.
fn undecrypted(headers: Vec<SignedEnvelope>, given: &HashSet<String>) -> Vec<SignedEnvelope> {
    let lacking =
        |header: &&SignedEnvelope| header.ctx().part != Part::Escrow && !given.contains(&header.id().to_string());
    let silent: HashSet<String> =
        headers.iter().filter(lacking).map(|header| header.ctx().bidder.as_str().to_owned()).collect();
    let is_asked =
        |header: &SignedEnvelope| header.ctx().part == Part::Escrow && silent.contains(header.ctx().bidder.as_str());
    headers.into_iter().filter(is_asked).collect()
}

/// The ids of the envelopes with keys in escrow that custodians are asked for.
///
/// # Errors
/// The database's, or damage.
pub fn envelopes(conn: &mut Conn, lot_id: &str) -> Result<HashSet<String>> {
    let headers = queries::headers(conn, lot_id)?;
    Ok(wanted(conn, lot_id, headers)?.iter().map(|header| header.id().to_string()).collect())
}

/// Whether a key set is that of a lot's keys in escrow.
pub(super) fn is_escrow(row: &KeySetRow) -> bool {
    row.round == Round::Escrow.number()
}

/// Stores the shares that were made with the key out of the envelope `escrow`.
///
/// # Errors
/// The rules' refusal when the lot is not being opened any more.
pub fn receive(tx: &mut Tx<'_>, lot_id: &str, list: &SignedPartials, escrow: &str) -> Result<()> {
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    OpeningPermit::grant(lot.state)?;
    ops::put(tx, &lot, list, Some(escrow), true)
}
