//! Every read of bids. Ownership is part of the question: another organisation's bid is not found.

use diesel::prelude::*;

use super::model::{BID, Bid, BidRow, BoxedBid, EnvelopeRow, RESERVE, Recorded, RefusalRow};
use crate::db::Conn;
use crate::db::schema::{audit_entry, bid_envelopes, bids, refusals};
use crate::kernel::digest::Digest;
use crate::kernel::id::OrgId;
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Result};
use crate::limits;
use crate::rules::bid::BidState;

/// The kinds of entries for which their organisation gets a receipt.
pub const RECEIPTS: &[&str] =
    &["bid.submitted", "bid.replaced", "bid.confirmed", "bid.withdrawn", "bid.refused", "reserve.sealed"];

fn of_kind(conn: &mut Conn, lot_id: &str, org: &OrgId, kind: &str) -> Result<Option<Bid>> {
    let row: Option<BidRow> = bids::table
        .filter(bids::lot_id.eq(lot_id))
        .filter(bids::org_id.eq(org.as_str()))
        .filter(bids::kind.eq(kind))
        .select(BidRow::as_select())
        .first(conn)
        .optional()?;
    row.map(Bid::read).transpose()
}

/// An organisation's bid on a lot.
///
/// # Errors
/// The database's.
pub fn own_bid(conn: &mut Conn, lot_id: &str, org: &OrgId) -> Result<Option<Bid>> {
    of_kind(conn, lot_id, org, BID)
}

/// The reserve price that an initiator sealed for a lot.
///
/// # Errors
/// The database's.
pub fn own_reserve(conn: &mut Conn, lot_id: &str, org: &OrgId) -> Result<Option<Bid>> {
    of_kind(conn, lot_id, org, RESERVE)
}

/// An organisation's bid by its id.
///
/// # Errors
/// The database's.
pub fn own(conn: &mut Conn, bid_id: &str, org: &OrgId) -> Result<Option<Bid>> {
    Ok(bid(conn, bid_id)?.filter(|bid| bid.org == *org && bid.row.kind == BID))
}

/// A bid of anybody: for what happens after the opening.
///
/// # Errors
/// The database's.
pub fn bid(conn: &mut Conn, bid_id: &str) -> Result<Option<Bid>> {
    let row: Option<BidRow> = bids::table.find(bid_id).select(BidRow::as_select()).first(conn).optional()?;
    row.map(Bid::read).transpose()
}

/// The entry of the version with which exactly these envelopes of an organisation came, if they did.
///
/// # Errors
/// The database's.
pub fn recorded(conn: &mut Conn, org: &OrgId, envelope_ids: &[Digest]) -> Result<Option<Recorded>> {
    let ids: Vec<String> = envelope_ids.iter().map(Digest::to_string).collect();
    let found: Vec<(String, i64)> = bid_envelopes::table
        .filter(bid_envelopes::envelope_id.eq_any(&ids))
        .filter(bid_envelopes::org_id.eq(org.as_str()))
        .select((bid_envelopes::owner_id, bid_envelopes::owner_version))
        .load(conn)?;
    let Some((owner, version)) = found.first().cloned() else { return Ok(None) };
    let together = found.len() == ids.len() && found.iter().all(|one| *one == (owner.clone(), version));
    if !together || envelopes(conn, &owner, version)?.len() != ids.len() {
        return Ok(None);
    }
    version_entry(conn, &owner, version).map(Some)
}

/// The entry that explains a version of a subject.
///
/// # Errors
/// The database's; damage when there is none.
pub fn version_entry(conn: &mut Conn, stream: &str, version: i64) -> Result<Recorded> {
    let row: Option<EntryRow> = audit_entry::table
        .filter(audit_entry::stream.eq(stream))
        .filter(audit_entry::rev.eq(version))
        .select(EntryRow::as_select())
        .first(conn)
        .optional()?;
    row.ok_or_else(|| Error::damaged(format!("{stream} has no entry for version {version}")))?.try_into()
}

/// The entries of a bid, oldest first.
///
/// # Errors
/// The database's.
pub fn history(conn: &mut Conn, bid_id: &str) -> Result<Vec<Recorded>> {
    let rows: Vec<EntryRow> = audit_entry::table
        .filter(audit_entry::stream.eq(bid_id))
        .order(audit_entry::rev.asc())
        .select(EntryRow::as_select())
        .load(conn)?;
    rows.into_iter().map(Recorded::try_from).collect()
}

/// An entry for which an organisation gets a receipt.
///
/// # Errors
/// The database's.
pub fn own_entry(conn: &mut Conn, org: &OrgId, entry_id: &str) -> Result<Option<Recorded>> {
    let row: Option<EntryRow> = audit_entry::table
        .find(entry_id)
        .filter(audit_entry::org_id.eq(org.as_str()))
        .filter(audit_entry::kind.eq_any(RECEIPTS))
        .select(EntryRow::as_select())
        .first(conn)
        .optional()?;
    row.map(Recorded::try_from).transpose()
}

/// Whether one of these ephemeral keys was ever used, in whatever lot.
///
/// # Errors
/// The database's.
pub fn is_enc_known(conn: &mut Conn, encs: &[String]) -> Result<bool> {
    let found: i64 = bid_envelopes::table.filter(bid_envelopes::enc.eq_any(encs)).count().get_result(conn)?;
    Ok(found > 0)
}

/// The envelopes that came with a version of a bid, the price first.
///
/// # Errors
/// The database's.
pub fn envelopes(conn: &mut Conn, bid_id: &str, version: i64) -> Result<Vec<EnvelopeRow>> {
    Ok(bid_envelopes::table
        .filter(bid_envelopes::owner_id.eq(bid_id))
        .filter(bid_envelopes::owner_version.eq(version))
        .order(bid_envelopes::part.desc())
        .select(EnvelopeRow::as_select())
        .load(conn)?)
}

/// What was refused to an organisation on a lot, oldest first.
///
/// # Errors
/// The database's.
pub fn refusals_of(conn: &mut Conn, lot_id: &str, org: &OrgId) -> Result<Vec<RefusalRow>> {
    Ok(refusals::table
        .filter(refusals::org_id.eq(org.as_str()))
        .filter(refusals::lot_id.eq(lot_id))
        .order((refusals::received_at.asc(), refusals::id.asc()))
        .limit(limits::REFUSALS_PER_LOT)
        .select(RefusalRow::as_select())
        .load(conn)?)
}

/// The refusal of an act, if it was refused before.
///
/// # Errors
/// The database's.
pub fn refusal(conn: &mut Conn, org: &OrgId, header: &Digest) -> Result<Option<RefusalRow>> {
    Ok(refusals::table
        .filter(refusals::header_sha256.eq(header.to_string()))
        .filter(refusals::org_id.eq(org.as_str()))
        .select(RefusalRow::as_select())
        .first(conn)
        .optional()?)
}

/// How many acts of an organisation on a lot were refused.
///
/// # Errors
/// The database's.
pub fn count_refusals(conn: &mut Conn, lot_id: &str, org: &OrgId) -> Result<i64> {
    Ok(refusals::table
        .filter(refusals::org_id.eq(org.as_str()))
        .filter(refusals::lot_id.eq(lot_id))
        .count()
        .get_result(conn)?)
}

/// What lies in the box of a lot, or lay in it when it was opened: bids and the reserve price, each with the envelopes in
/// force, in an order that tells nothing. Sealed before the opening.
///
/// # Errors
/// The database's.
pub fn box_of(conn: &mut Conn, lot_id: &str) -> Result<Vec<BoxedBid>> {
    let rows: Vec<BidRow> = bids::table
        .filter(bids::lot_id.eq(lot_id))
        .filter(bids::state.ne(BidState::Withdrawn.name()))
        .order(bids::id.asc())
        .select(BidRow::as_select())
        .load(conn)?;
    rows.into_iter()
        .map(|row| {
            let bid = Bid::read(row)?;
            let envelopes = envelopes(conn, &bid.row.id, bid.body.sealed_version)?;
            Ok(BoxedBid { bid, envelopes })
        })
        .collect()
}

/// The bids on a lot that were withdrawn before the deadline. Sealed before the opening.
///
/// # Errors
/// The database's.
pub fn withdrawn(conn: &mut Conn, lot_id: &str) -> Result<Vec<Bid>> {
    let rows: Vec<BidRow> = bids::table
        .filter(bids::lot_id.eq(lot_id))
        .filter(bids::state.eq(BidState::Withdrawn.name()))
        .order(bids::id.asc())
        .select(BidRow::as_select())
        .load(conn)?;
    rows.into_iter().map(Bid::read).collect()
}
