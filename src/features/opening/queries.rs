//! Every read of opening sessions, of what lies in the box, and of objections.

use std::collections::HashMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::model::{OPEN, ObjectionRow, Opening, OpeningRow, UnsealingRow};
use crate::db::Conn;
use crate::db::schema::{bid_envelopes, bids, damages, objections, openings, organisations, partials, unsealings};
use crate::features::bids::model::{BID, RESERVE};
use crate::kernel::org_identifier::OrgIdentifier;
use crate::ledger::{Error, Result};
use crate::rules::bid::BidState;
use crate::rules::envelopes::Round;
use crate::rules::objection::ObjectionKind;
use crate::rules::opening::SessionState;
use crate::seal::envelope::Part;
use crate::seal::unsealing::Outcome;

/// Ids asked for in one query: below the number of parameters that either database takes.
const IDS_AT_ONCE: usize = 500;

/// The session of a lot's present round.
///
/// # Errors
/// The database's.
pub fn of_lot(conn: &mut Conn, lot_id: &str) -> Result<Option<Opening>> {
    Ok(sessions(conn, lot_id)?.pop())
}

/// The latest session of a lot whose box was read out.
///
/// # Errors
/// The database's.
pub fn read_out(conn: &mut Conn, lot_id: &str) -> Result<Option<Opening>> {
    Ok(sessions(conn, lot_id)?.into_iter().rfind(|session| session.body.read_out_at.is_some()))
}

/// The latest session of a lot that was closed.
///
/// # Errors
/// The database's.
pub fn closed(conn: &mut Conn, lot_id: &str) -> Result<Option<Opening>> {
    Ok(sessions(conn, lot_id)?.into_iter().rfind(|session| session.state == SessionState::Closed))
}

/// The session of one round.
///
/// # Errors
/// The database's.
pub fn of_round(conn: &mut Conn, lot_id: &str, round: Round) -> Result<Option<Opening>> {
    Ok(sessions(conn, lot_id)?.into_iter().find(|session| session.round == round))
}

fn sessions(conn: &mut Conn, lot_id: &str) -> Result<Vec<Opening>> {
    let of_lot = openings::table.filter(openings::lot_id.eq(lot_id));
    let rows: Vec<OpeningRow> = of_lot.order(openings::round.asc()).select(OpeningRow::as_select()).load(conn)?;
    rows.into_iter().map(Opening::read).collect()
}

/// Lots whose boxes are being unsealed, longest begun first.
///
/// # Errors
/// The database's.
pub fn unsealing_lots(conn: &mut Conn, limit: i64) -> Result<Vec<String>> {
    Ok(openings::table
        .filter(openings::state.eq(SessionState::Unsealing.name()))
        .order(openings::id.asc())
        .limit(limit)
        .select(openings::lot_id)
        .load(conn)?)
}

/// An envelope of the box.
#[derive(Clone, Debug, Queryable)]
pub struct Sealed {
    /// Its id.
    pub envelope_id: String,
    /// Its bid, or the reserve price.
    pub bid_id: String,
    /// Its part.
    pub part: String,
    /// Under which id the payload lies.
    pub upload_id: String,
    /// The signed header.
    pub header: String,
    /// The version of the bid that it came with.
    pub bid_version: i64,
}

/// Shares without which an envelope is not opened: of a slot so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The slot.
    pub slot: i64,
    /// How many members.
    pub k: i64,
    /// They may still be made with a key in escrow, and are waited for no longer than until that has failed.
    pub in_escrow: bool,
}

/// Envelopes of a lot's box without a stored outcome, after the envelope `after`, for which the wanted shares were given; those
/// whose payload is known to be damaged in storage only where they are not waited for any more.
///
/// # Errors
/// The database's.
pub fn pending(
    conn: &mut Conn,
    (lot_id, parts): (&str, &[&str]),
    after: &str,
    damaged_too: bool,
    wanted: &[Wanted],
    limit: i64,
) -> Result<Vec<Sealed>> {
    let of_slot = |at: usize| wanted.get(at).map_or((-1, 0, false), |wanted| (wanted.slot, wanted.k, wanted.in_escrow));
    let given = |slot: i64| {
        partials::table
            .filter(partials::envelope_id.eq(bid_envelopes::envelope_id))
            .filter(partials::slot.eq(slot))
            .count()
            .single_value()
    };
    let ((first, first_k, in_escrow), (second, second_k, _)) = (of_slot(0), of_slot(1));
    // A reserve price has no key in escrow.
    let failed = unsealings::table
        .filter(unsealings::bid_id.eq(bid_envelopes::owner_id))
        .filter(unsealings::part.eq(Part::Escrow.name()))
        .filter(unsealings::state.ne(Outcome::Opened.name()));
    let lost = in_escrow.into_sql::<diesel::sql_types::Bool>().and(bids::kind.eq(RESERVE).or(exists(failed)));
    let ready = given(first).ge(first_k).and(given(second).ge(second_k)).assume_not_null().or(lost);
    let tried = unsealings::table.filter(unsealings::envelope_id.eq(bid_envelopes::envelope_id));
    let damaged = damages::table.filter(damages::upload_id.eq(bid_envelopes::upload_id));
    let waits = not(exists(damaged)).or(damaged_too.into_sql::<diesel::sql_types::Bool>());
    Ok(bid_envelopes::table
        .inner_join(
            bids::table
                .on(bids::id.eq(bid_envelopes::owner_id).and(bids::sealed_version.eq(bid_envelopes::owner_version))),
        )
        .filter(bids::lot_id.eq(lot_id))
        .filter(bids::state.eq_any(BidState::IN_BOX.map(BidState::name)))
        .filter(bid_envelopes::part.eq_any(parts))
        .filter(bid_envelopes::envelope_id.gt(after))
        .filter(not(exists(tried)))
        .filter(waits)
        .filter(ready)
        .order(bid_envelopes::envelope_id.asc())
        .limit(limit)
        .select((
            bid_envelopes::envelope_id,
            bid_envelopes::owner_id,
            bid_envelopes::part,
            bid_envelopes::upload_id,
            bid_envelopes::header,
            bid_envelopes::owner_version,
        ))
        .load(conn)?)
}

/// How many envelopes of a lot's box have no stored outcome.
///
/// # Errors
/// The database's.
pub fn missing(conn: &mut Conn, lot_id: &str, parts: &[&str]) -> Result<u32> {
    let tried = unsealings::table.filter(unsealings::envelope_id.eq(bid_envelopes::envelope_id));
    let count: i64 = bid_envelopes::table
        .inner_join(
            bids::table
                .on(bids::id.eq(bid_envelopes::owner_id).and(bids::sealed_version.eq(bid_envelopes::owner_version))),
        )
        .filter(bids::lot_id.eq(lot_id))
        .filter(bids::state.eq_any(BidState::IN_BOX.map(BidState::name)))
        .filter(bid_envelopes::part.eq_any(parts))
        .filter(not(exists(tried)))
        .count()
        .get_result(conn)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Whether an envelope has its outcome.
///
/// # Errors
/// The database's.
pub fn is_tried(conn: &mut Conn, envelope_id: &str) -> Result<bool> {
    let count: i64 = unsealings::table.filter(unsealings::envelope_id.eq(envelope_id)).count().get_result(conn)?;
    Ok(count > 0)
}

/// Whether the opening has decided about the payload that lies under an upload.
///
/// # Errors
/// The database's.
pub fn is_decided(conn: &mut Conn, upload_id: &str) -> Result<bool> {
    let count: i64 = bid_envelopes::table
        .inner_join(unsealings::table.on(unsealings::envelope_id.eq(bid_envelopes::envelope_id)))
        .filter(bid_envelopes::upload_id.eq(upload_id))
        .count()
        .get_result(conn)?;
    Ok(count > 0)
}

/// The outcomes of a lot, part by part.
///
/// # Errors
/// The database's.
pub fn outcomes(conn: &mut Conn, lot_id: &str, parts: &[&str]) -> Result<Vec<UnsealingRow>> {
    Ok(unsealings::table
        .filter(unsealings::lot_id.eq(lot_id))
        .filter(unsealings::part.eq_any(parts))
        .order(unsealings::id.asc())
        .select(UnsealingRow::as_select())
        .load(conn)?)
}

/// A page of the outcomes of a lot after the outcome `after`, each with the envelope's header and the upload of its payload.
///
/// # Errors
/// The database's.
pub fn outcomes_after(
    conn: &mut Conn,
    (lot_id, parts): (&str, &[&str]),
    after: &str,
    size: i64,
) -> Result<Vec<(UnsealingRow, String, String)>> {
    Ok(unsealings::table
        .inner_join(bid_envelopes::table.on(bid_envelopes::envelope_id.eq(unsealings::envelope_id)))
        .filter(unsealings::lot_id.eq(lot_id))
        .filter(unsealings::part.eq_any(parts))
        .filter(unsealings::id.gt(after))
        .order(unsealings::id.asc())
        .limit(size)
        .select((UnsealingRow::as_select(), bid_envelopes::header, bid_envelopes::upload_id))
        .load(conn)?)
}

/// The outcomes of one part of a lot, such as `price`.
///
/// # Errors
/// The database's.
pub fn outcomes_of_part(conn: &mut Conn, lot_id: &str, part: &str) -> Result<Vec<UnsealingRow>> {
    Ok(unsealings::table
        .filter(unsealings::lot_id.eq(lot_id))
        .filter(unsealings::part.eq(part))
        .order(unsealings::id.asc())
        .select(UnsealingRow::as_select())
        .load(conn)?)
}

/// The outcomes of a lot that are failures.
///
/// # Errors
/// The database's.
pub fn failures(conn: &mut Conn, lot_id: &str, parts: &[&str]) -> Result<Vec<UnsealingRow>> {
    Ok(unsealings::table
        .filter(unsealings::lot_id.eq(lot_id))
        .filter(unsealings::part.eq_any(parts))
        .filter(unsealings::state.ne(Outcome::Opened.name()))
        .order(unsealings::id.asc())
        .select(UnsealingRow::as_select())
        .load(conn)?)
}

/// What lies, or lay, in the box.
#[derive(Clone, Debug, Queryable)]
pub struct Boxed {
    /// The bid, or the reserve price.
    pub id: String,
    /// `bid` or `reserve`.
    pub kind: String,
    /// A state of the bid's machine.
    pub state: String,
    /// Whose it is.
    pub org_id: String,
    /// When the version that counts was received, epoch milliseconds.
    pub received_at: i64,
}

/// All bids of a lot and its reserve price, withdrawn ones too, in the order of receipt. Secret before the read-out.
///
/// # Errors
/// The database's.
pub fn boxed(conn: &mut Conn, lot_id: &str) -> Result<Vec<Boxed>> {
    Ok(bids::table
        .filter(bids::lot_id.eq(lot_id))
        .order((bids::received_at.asc(), bids::id.asc()))
        .select((bids::id, bids::kind, bids::state, bids::org_id, bids::received_at))
        .load(conn)?)
}

/// Whether an organisation's bid was in the box when it was closed.
///
/// # Errors
/// The database's.
pub fn has_bid(conn: &mut Conn, lot_id: &str, org_id: &str) -> Result<bool> {
    let count: i64 = bids::table
        .filter(bids::lot_id.eq(lot_id))
        .filter(bids::kind.eq(BID))
        .filter(bids::org_id.eq(org_id))
        .filter(bids::state.ne(BidState::Withdrawn.name()))
        .count()
        .get_result(conn)?;
    Ok(count > 0)
}

/// An organisation as records name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its identifier.
    pub identifier: OrgIdentifier,
}

/// Names and identifiers of organisations, by id.
///
/// # Errors
/// The database's.
pub fn names(conn: &mut Conn, orgs: &[String]) -> Result<HashMap<String, Named>> {
    let mut found = HashMap::new();
    for ids in orgs.chunks(IDS_AT_ONCE) {
        let rows: Vec<(String, String, String, String)> = organisations::table
            .filter(organisations::id.eq_any(ids.to_vec()))
            .select((organisations::id, organisations::name, organisations::scheme, organisations::identifier))
            .load(conn)?;
        for (id, name, scheme, identifier) in rows {
            let identifier = OrgIdentifier::new(&scheme, &identifier)
                .map_err(|error| Error::damaged(format!("organisation {id}: {error}")))?;
            found.insert(id, Named { name, identifier });
        }
    }
    Ok(found)
}

/// An objection.
///
/// # Errors
/// The database's.
pub fn objection(conn: &mut Conn, id: &str) -> Result<Option<ObjectionRow>> {
    Ok(objections::table.find(id).select(ObjectionRow::as_select()).first(conn).optional()?)
}

/// The objections of a lot of one kind, oldest first.
///
/// # Errors
/// The database's.
pub fn objections(conn: &mut Conn, lot_id: &str, kind: ObjectionKind) -> Result<Vec<ObjectionRow>> {
    Ok(objections::table
        .filter(objections::lot_id.eq(lot_id))
        .filter(objections::kind.eq(kind.name()))
        .order(objections::id.asc())
        .select(ObjectionRow::as_select())
        .load(conn)?)
}

/// How many objections of a lot of one kind wait for their answer.
///
/// # Errors
/// The database's.
pub fn unanswered(conn: &mut Conn, lot_id: &str, kind: ObjectionKind) -> Result<u32> {
    let count: i64 = objections::table
        .filter(objections::lot_id.eq(lot_id))
        .filter(objections::kind.eq(kind.name()))
        .filter(objections::state.eq(OPEN))
        .count()
        .get_result(conn)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How many objections an organisation has raised against a lot.
///
/// # Errors
/// The database's.
pub fn raised_by(conn: &mut Conn, lot_id: &str, org_id: &str) -> Result<i64> {
    Ok(objections::table
        .filter(objections::lot_id.eq(lot_id))
        .filter(objections::org_id.eq(org_id))
        .count()
        .get_result(conn)?)
}
