//! Every read of bids. Ownership is part of the question: another organisation's bid is not found.

use diesel::prelude::*;

use super::model::{BID, Bid, BidRow, BoxedBid, EnvelopeRow, RESERVE, Recorded, RefusalRow};
use crate::db::Conn;
use crate::db::schema::{audit_entry, bid_envelopes, bids, lots, organisations, refusals};
use crate::features::accounts::model::CONFIRMED;
use crate::features::lots::model::{Lot, LotRow};
use crate::kernel::digest::Digest;
use crate::kernel::id::OrgId;
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Result};
use crate::limits;
use crate::refusals::not_found;
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

/// An envelope on record that has an id or an ephemeral key of those that were asked for.
type SeenRow = (String, i64, String, String, String);

/// What is on record of the envelopes of a submission.
#[derive(Debug)]
pub struct Seen(Vec<SeenRow>);

/// Looks for envelopes with these ids, or with one of these ephemeral keys, in whatever lot.
///
/// # Errors
/// The database's.
pub fn seen(conn: &mut Conn, envelope_ids: &[Digest], encs: &[String]) -> Result<Seen> {
    use bid_envelopes::{enc, envelope_id, org_id, owner_id, owner_version};
    if envelope_ids.is_empty() && encs.is_empty() {
        return Ok(Seen(Vec::new()));
    }
    // Each value by itself, and not a list: SQLite prepares a statement with a list anew each time.
    let mut query = bid_envelopes::table.select((owner_id, owner_version, envelope_id, org_id, enc)).into_boxed();
    for id in envelope_ids {
        query = query.or_filter(envelope_id.eq(id.to_string()));
    }
    for one in encs {
        query = query.or_filter(enc.eq(one));
    }
    Ok(Seen(query.load(conn)?))
}

impl Seen {
    /// The entry of the version with which exactly these envelopes of an organisation came, if they did.
    ///
    /// # Errors
    /// The database's.
    pub fn recorded(&self, conn: &mut Conn, org: &OrgId, envelope_ids: &[Digest]) -> Result<Option<Recorded>> {
        let ids: Vec<String> = envelope_ids.iter().map(Digest::to_string).collect();
        let mut found = self.0.iter().filter(|(_, _, id, owner, _)| ids.contains(id) && owner == org.as_str());
        let Some((owner, version, ..)) = found.next() else { return Ok(None) };
        let others: Vec<_> = found.collect();
        let together =
            others.len() + 1 == ids.len() && others.iter().all(|other| (&other.0, other.1) == (owner, *version));
        if !together || envelopes(conn, owner, *version)?.len() != ids.len() {
            return Ok(None);
        }
        version_entry(conn, owner, *version).map(Some)
    }

    /// Whether one of these ephemeral keys was ever used.
    pub fn has_enc(&self, encs: &[String]) -> bool {
        self.0.iter().any(|(.., enc)| encs.contains(enc))
    }
}

/// The entry of the version with which exactly these envelopes of an organisation came, if they did.
///
/// # Errors
/// The database's.
pub fn recorded(conn: &mut Conn, org: &OrgId, envelope_ids: &[Digest]) -> Result<Option<Recorded>> {
    seen(conn, envelope_ids, &[])?.recorded(conn, org, envelope_ids)
}

/// What a submission is judged by.
pub struct Ground {
    /// The lot.
    pub lot: Lot,
    /// The organisation's bid as it stands.
    pub before: Option<Bid>,
    /// The centre has confirmed the organisation.
    pub confirmed: bool,
}

/// Lot, own bid and standing of the organisation, in one question.
///
/// # Errors
/// 404 when there is no such lot.
pub fn ground(conn: &mut Conn, lot_id: &str, org: &OrgId) -> Result<Ground> {
    let own = bids::lot_id.eq(lots::id).and(bids::org_id.eq(org.to_string())).and(bids::kind.eq(BID));
    let found: Option<(LotRow, Option<BidRow>, Option<String>)> = crate::on!(conn, c => lots::table
        .left_join(bids::table.on(own))
        .left_join(organisations::table.on(organisations::id.eq(org.to_string())))
        .filter(lots::id.eq(lot_id.to_owned()))
        .select((LotRow::as_select(), Option::<BidRow>::as_select(), organisations::state.nullable()))
        .first(c)
        .optional())?;
    let (lot, bid, state) = found.ok_or_else(not_found)?;
    Ok(Ground {
        lot: Lot::read(lot)?,
        before: bid.map(Bid::read).transpose()?,
        confirmed: state.as_deref() == Some(CONFIRMED),
    })
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
