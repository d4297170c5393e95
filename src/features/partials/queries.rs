//! Every read of snapshots and partial decryptions.

use std::collections::HashSet;

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;

use super::model::{PartialListRow, PartialRow, SnapshotRow};
use crate::db::Conn;
use crate::db::schema::{bid_envelopes, bidder_keys, bids, partial_lists, partials, snapshots, unsealings};
use crate::features::bids::model::OwnKeyRow;
use crate::features::key_sets::groups;
use crate::features::lots::model::Lot;
use crate::ledger::{Error, Result};
use crate::rules::bid::BidState;
use crate::rules::envelopes::Round;
use crate::seal::envelope::SignedEnvelope;
use crate::seal::keyset::{KeySet, SignedKeySet};

/// Ids asked for in one query: below the number of parameters that either database takes.
const IDS_AT_ONCE: usize = 500;

/// The snapshot of a key set.
///
/// # Errors
/// The database's.
pub fn snapshot(conn: &mut Conn, kid: &str) -> Result<Option<SnapshotRow>> {
    Ok(snapshots::table.filter(snapshots::kid.eq(kid)).select(SnapshotRow::as_select()).first(conn).optional()?)
}

/// The snapshots of a lot.
///
/// # Errors
/// The database's.
pub fn snapshots_of(conn: &mut Conn, lot_id: &str) -> Result<Vec<SnapshotRow>> {
    Ok(snapshots::table
        .filter(snapshots::lot_id.eq(lot_id))
        .order(snapshots::id.asc())
        .select(SnapshotRow::as_select())
        .load(conn)?)
}

/// The headers of a lot's box, in the order of their ids: from the closing on, and the same ever after.
///
/// # Errors
/// The database's, or damage.
pub fn headers(conn: &mut Conn, lot_id: &str) -> Result<Vec<SignedEnvelope>> {
    let tried = unsealings::table.filter(unsealings::envelope_id.eq(bid_envelopes::envelope_id));
    let lies = bids::table
        .filter(bids::id.eq(bid_envelopes::owner_id))
        .filter(bids::sealed_version.eq(bid_envelopes::owner_version))
        .filter(bids::state.eq_any(BidState::IN_BOX.map(BidState::name)));
    let texts: Vec<String> = bid_envelopes::table
        .filter(bid_envelopes::lot_id.eq(lot_id))
        .filter(exists(tried).or(exists(lies)))
        .order(bid_envelopes::envelope_id.asc())
        .select(bid_envelopes::header)
        .load(conn)?;
    texts.iter().map(|text| header(text)).collect()
}

/// Headers of a lot's box, by their ids.
///
/// # Errors
/// The database's, or damage.
pub fn headers_by_id(conn: &mut Conn, lot_id: &str, ids: &[String]) -> Result<Vec<SignedEnvelope>> {
    let mut found = Vec::new();
    for ids in ids.chunks(IDS_AT_ONCE) {
        let texts: Vec<String> =
            bid_envelopes::table
                .inner_join(bids::table.on(
                    bids::id.eq(bid_envelopes::owner_id).and(bids::sealed_version.eq(bid_envelopes::owner_version)),
                ))
                .filter(bids::lot_id.eq(lot_id))
                .filter(bids::state.eq_any(BidState::IN_BOX.map(BidState::name)))
                .filter(bid_envelopes::envelope_id.eq_any(ids.to_vec()))
                .select(bid_envelopes::header)
                .load(conn)?;
        for text in texts {
            found.push(header(&text)?);
        }
    }
    Ok(found)
}

fn header(text: &str) -> Result<SignedEnvelope> {
    SignedEnvelope::parse(text.as_bytes()).map_err(|error| Error::damaged(format!("a header: {}", error.reason())))
}

/// The list with this digest.
///
/// # Errors
/// The database's.
pub fn list(conn: &mut Conn, digest: &str) -> Result<Option<PartialListRow>> {
    Ok(partial_lists::table
        .filter(partial_lists::digest.eq(digest))
        .select(PartialListRow::as_select())
        .first(conn)
        .optional()?)
}

/// Every list of a lot, in the order in which they came.
///
/// # Errors
/// The database's.
pub fn lists(conn: &mut Conn, lot_id: &str) -> Result<Vec<PartialListRow>> {
    Ok(partial_lists::table
        .filter(partial_lists::lot_id.eq(lot_id))
        .order(partial_lists::id.asc())
        .select(PartialListRow::as_select())
        .load(conn)?)
}

/// The shares that were given for an envelope, by slot and member.
///
/// # Errors
/// The database's.
pub fn shares(conn: &mut Conn, envelope_id: &str) -> Result<Vec<PartialRow>> {
    Ok(partials::table
        .filter(partials::envelope_id.eq(envelope_id))
        .order((partials::slot.asc(), partials::member.asc()))
        .select(PartialRow::as_select())
        .load(conn)?)
}

/// Which of these envelopes a member has given a share for, in a slot.
///
/// # Errors
/// The database's.
pub fn given(conn: &mut Conn, kid: &str, member: u8, ids: &[String]) -> Result<Vec<(String, i64)>> {
    let mut found = Vec::new();
    for ids in ids.chunks(IDS_AT_ONCE) {
        let rows: Vec<(String, i64)> = partials::table
            .inner_join(partial_lists::table.on(partial_lists::id.eq(partials::owner_id)))
            .filter(partial_lists::kid.eq(kid))
            .filter(partials::member.eq(i64::from(member)))
            .filter(partials::envelope_id.eq_any(ids.to_vec()))
            .select((partials::envelope_id, partials::slot))
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The envelopes of a lot for which somebody gave a share of a key that it holds; shares made with a key out of escrow aside.
///
/// # Errors
/// The database's.
pub fn given_by_holders(conn: &mut Conn, lot_id: &str) -> Result<HashSet<String>> {
    let given: Vec<String> = partials::table
        .inner_join(partial_lists::table.on(partial_lists::id.eq(partials::owner_id)))
        .filter(partial_lists::lot_id.eq(lot_id))
        .filter(partial_lists::escrow.is_null())
        .select(partials::envelope_id)
        .load(conn)?;
    Ok(given.into_iter().collect())
}

/// How many shares each member of each key set has given for a lot.
///
/// # Errors
/// The database's.
pub fn received(conn: &mut Conn, lot_id: &str) -> Result<Vec<(String, i64, i64)>> {
    Ok(partials::table
        .inner_join(partial_lists::table.on(partial_lists::id.eq(partials::owner_id)))
        .filter(partial_lists::lot_id.eq(lot_id))
        .group_by((partial_lists::kid, partial_lists::member))
        .order((partial_lists::kid.asc(), partial_lists::member.asc()))
        .select((partial_lists::kid, partial_lists::member, count_star()))
        .load(conn)?)
}

/// A bidder's own key sets of a version of a bid, by their rounds.
///
/// # Errors
/// The database's, or damage.
pub fn own_keys_of_bid(conn: &mut Conn, bid_id: &str, version: i64) -> Result<Vec<KeySet>> {
    let rows: Vec<OwnKeyRow> = bidder_keys::table
        .filter(bidder_keys::owner_id.eq(bid_id))
        .filter(bidder_keys::owner_version.eq(version))
        .order(bidder_keys::round.asc())
        .select(OwnKeyRow::as_select())
        .load(conn)?;
    rows.iter().map(read_own).collect()
}

/// The headers of a version of a bid, in the order of their ids.
///
/// # Errors
/// The database's, or damage.
pub fn headers_of_bid(conn: &mut Conn, bid_id: &str, version: i64) -> Result<Vec<SignedEnvelope>> {
    let texts: Vec<String> = bid_envelopes::table
        .filter(bid_envelopes::owner_id.eq(bid_id))
        .filter(bid_envelopes::owner_version.eq(version))
        .order(bid_envelopes::envelope_id.asc())
        .select(bid_envelopes::header)
        .load(conn)?;
    texts.iter().map(|text| header(text)).collect()
}

/// A bidder's own key set that lies in a lot's box.
#[derive(Clone, Debug)]
pub struct OwnKey {
    /// The key set.
    pub key_set: KeySet,
    /// Whose it is.
    pub org_id: String,
    /// The bid.
    pub bid_id: String,
    /// The version of the bid.
    pub version: i64,
}

/// A bidder's own key set that opens something in a round of a lot: of a bid in the box, or of one whose envelopes of this round
/// were tried already.
///
/// # Errors
/// The database's, or damage.
pub fn own_key_by_kid(conn: &mut Conn, lot: &Lot, kid: &str) -> Result<Option<OwnKey>> {
    let tried = unsealings::table
        .filter(unsealings::bid_id.eq(bids::id))
        .filter(unsealings::part.eq_any(groups::opening_now(lot)));
    let found: Option<(OwnKeyRow, String)> = bidder_keys::table
        .inner_join(
            bids::table.on(bids::id.eq(bidder_keys::owner_id).and(bids::sealed_version.eq(bidder_keys::owner_version))),
        )
        .filter(bids::lot_id.eq(&lot.row.id))
        .filter(bidder_keys::kid.eq(kid))
        .filter(bidder_keys::round.eq(lot.body.round.number()))
        .filter(bids::state.eq_any(BidState::IN_BOX.map(BidState::name)).or(exists(tried)))
        .select((OwnKeyRow::as_select(), bids::org_id))
        .first(conn)
        .optional()?;
    let read = |(row, org_id): (OwnKeyRow, String)| {
        let key_set = read_own(&row)?;
        Ok(OwnKey { key_set, org_id, bid_id: row.owner_id, version: row.owner_version })
    };
    found.map(read).transpose()
}

/// The key sets, each with its id, of bidders whose envelopes of a round were tried, in the order of the bids.
///
/// # Errors
/// The database's.
pub fn own_keys(conn: &mut Conn, lot: &Lot, round: Round) -> Result<Vec<(String, String)>> {
    let tried = bid_envelopes::table
        .inner_join(unsealings::table.on(unsealings::envelope_id.eq(bid_envelopes::envelope_id)))
        .filter(unsealings::lot_id.eq(&lot.row.id))
        .filter(unsealings::part.eq_any(groups::names(lot.body.terms.envelopes, &[round])))
        .filter(bid_envelopes::owner_id.eq(bidder_keys::owner_id))
        .filter(bid_envelopes::owner_version.eq(bidder_keys::owner_version));
    Ok(bidder_keys::table
        .filter(bidder_keys::round.eq(round.number()))
        .filter(exists(tried))
        .order((bidder_keys::owner_id.asc(), bidder_keys::owner_version.asc()))
        .select((bidder_keys::kid, bidder_keys::body))
        .load(conn)?)
}

fn read_own(row: &OwnKeyRow) -> Result<KeySet> {
    let damaged = |what: &str| Error::damaged(format!("key set {} of {}: {what}", row.kid, row.owner_id));
    SignedKeySet::parse(row.body.as_bytes())
        .map(|signed| signed.key_set().clone())
        .map_err(|error| damaged(error.reason()))
}
