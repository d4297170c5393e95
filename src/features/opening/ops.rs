//! Use cases of the opening session. What may happen when, and who may do it, is decided by `rules::opening`.

use super::facts;
use super::model::{
    Attribution, By, GivenUp, Opening, OpeningBody, OpeningRow, UnsealingBody, UnsealingRow, parse, text,
};
use super::queries::{self, Sealed};
use super::view::{SessionView, session_view};
use crate::features::bids;
use crate::features::bids::model::RESERVE;
use crate::features::key_sets::groups;
use crate::features::lots;
use crate::features::lots::model::Lot;
use crate::features::lots::ops::Act;
use crate::kernel::id::{OpeningId, OrgId, UnsealingId};
use crate::kernel::principal::PrincipalId;
use crate::kernel::role::Actor;
use crate::keys::Keys;
use crate::ledger::{Error, Record, Result, Tx};
use crate::refusals;
use crate::rules::bid::{BidEvent, BidState};
use crate::rules::facts::Request;
use crate::rules::machine::Event;
use crate::rules::opening::{OpeningPermit, SessionEvent, SessionState, UndecryptedCause, step_session};
use crate::seal::envelope::Part;
use crate::seal::unsealing::Outcome;

/// Begins the session of a lot whose opening begins, in the same commit.
///
/// # Errors
/// The database's.
pub fn begin(tx: &mut Tx<'_>, lot: &Lot) -> Result<()> {
    let facts = facts::load(tx.conn(), lot, None, &Actor::System, false)?;
    let state = step_session(&facts, SessionEvent::Begin, &Actor::System)?;
    let body = OpeningBody { begun_at: Some(tx.now()), ..OpeningBody::default() };
    let row = OpeningRow {
        id: OpeningId::ordered(tx.now()).into_string(),
        version: 0,
        state: state.name().into(),
        lot_id: lot.row.id.clone(),
        round: lot.body.round.number(),
        body: text(&body)?,
    };
    tx.insert(row, record("opening.begun", lot).public("round", lot.body.round))?;
    Ok(())
}

fn record(kind: &'static str, lot: &Lot) -> Record {
    Record::new(kind).lot(lot.row.id.clone()).project(lot.row.project_id.clone())
}

/// Whoever acts, for the session's own record.
fn by(tx: &Tx<'_>) -> Option<By> {
    let context = tx.context();
    let user_id = PrincipalId::parse(context.actor_id.as_deref()?).ok()?;
    Some(By { user_id, org_id: OrgId::parse(context.org_id.as_deref()?).ok()? })
}

/// Asks the rules whether `event` may happen now, and gives the session with the state that follows.
pub(super) fn step(
    tx: &mut Tx<'_>,
    lot_id: &str,
    event: SessionEvent,
    actor: &Actor,
    reason: Option<&str>,
) -> Result<(Lot, Opening, SessionState)> {
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    if !lots::queries::is_public(lot.state) {
        return Err(refusals::not_found().into());
    }
    let session = queries::of_lot(tx.conn(), lot_id)?;
    let reason_given = reason.is_some_and(|reason| !reason.trim().is_empty());
    let facts = facts::load(tx.conn(), &lot, session.as_ref(), actor, reason_given)?;
    let next = step_session(&facts, event, actor)?;
    Ok((lot, session.ok_or_else(refusals::not_found)?, next))
}

/// Writes the session in its new state.
fn write(tx: &mut Tx<'_>, lot: &Lot, before: &OpeningRow, session: &Opening, record: Record) -> Result<SessionView> {
    let (row, _) = tx.update(before, session.to_row()?, record)?;
    Ok(session_view(lot, Some(&Opening::read(row)?)))
}

/// Stores how the opening of an envelope ended, unless somebody was first. Returns whether it was stored. A sealed fact
/// until the read-out.
///
/// # Errors
/// The rules' refusal when the lot is not being opened any more.
pub fn store(tx: &mut Tx<'_>, lot_id: &str, sealed: &Sealed, outcome: Outcome, body: &UnsealingBody) -> Result<bool> {
    if queries::is_tried(tx.conn(), &sealed.envelope_id)? {
        return Ok(false);
    }
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    OpeningPermit::grant(lot.state)?;
    let row = UnsealingRow {
        id: UnsealingId::ordered(tx.now()).into_string(),
        version: 0,
        state: outcome.name().into(),
        lot_id: lot.row.id.clone(),
        bid_id: sealed.bid_id.clone(),
        envelope_id: sealed.envelope_id.clone(),
        part: sealed.part.clone(),
        body: text(body)?,
    };
    let record = record("envelope.unsealed", &lot)
        .sealed()
        .public("envelope_id", &row.envelope_id)
        .public("part", &row.part)
        .public("shares", kids(body))
        .restricted("bid", &row.bid_id)
        .restricted("reason", body.failed.as_ref().map(|failed| &failed.reason));
    tx.insert(row, record)?;
    Ok(true)
}

/// Whose shares opened an envelope: key set, slot, member.
fn kids(body: &UnsealingBody) -> Vec<(&str, u8, u8)> {
    body.shares.iter().map(|share| (share.kid.as_str(), share.slot, share.member)).collect()
}

/// Ends the unsealing once every envelope has its outcome. Returns whether it did.
///
/// # Errors
/// The rules' refusal while one is missing.
pub fn finish_unsealing(tx: &mut Tx<'_>, lot_id: &str) -> Result<bool> {
    if queries::of_lot(tx.conn(), lot_id)?.is_none_or(|session| session.state != SessionState::Unsealing) {
        return Ok(false);
    }
    let (lot, mut session, next) = step(tx, lot_id, SessionEvent::FinishUnsealing, &Actor::System, None)?;
    let before = session.row.clone();
    session.state = next;
    session.body.unsealed_at = Some(tx.now());
    write(tx, &lot, &before, &session, record("opening.unsealed", &lot))?;
    Ok(true)
}

/// States that shares of keys which are missing will not come.
///
/// # Errors
/// The rules' refusal.
pub fn give_up_shares(tx: &mut Tx<'_>, lot_id: &str, actor: &Actor, reason: &str) -> Result<SessionView> {
    let (lot, mut session, next) = step(tx, lot_id, SessionEvent::GiveUpShares, actor, Some(reason))?;
    let before = session.row.clone();
    session.state = next;
    session.body.given_up = Some(GivenUp { at: tx.now(), reason: reason.to_owned() });
    write(tx, &lot, &before, &session, record("opening.shares_given_up", &lot).restricted("reason", reason))
}

/// Says through whose fault a bid could not be opened; may be said again until the read-out.
///
/// # Errors
/// 404 for a bid that is not in this box; 409 for one that opened, and for blaming the bidder for damage in the platform's
/// storage; the rules' refusal.
pub fn attribute(
    tx: &mut Tx<'_>,
    lot_id: &str,
    actor: &Actor,
    bid_id: &str,
    cause: UndecryptedCause,
    reason: &str,
) -> Result<SessionView> {
    let (lot, session, _) = step(tx, lot_id, SessionEvent::Attribute, actor, Some(reason))?;
    let failures: Vec<UnsealingRow> = queries::failures(tx.conn(), lot_id, &groups::opening_now(&lot))?
        .into_iter()
        .filter(|row| row.bid_id == bid_id)
        .collect();
    if failures.is_empty() {
        return Err(refusals::nothing_to_attribute().into());
    }
    let mut parsed = Vec::with_capacity(failures.len());
    for row in failures {
        let body: UnsealingBody = parse(&row.id, &row.body)?;
        if cause == UndecryptedCause::Bidder && body.is_damaged_in_storage() {
            return Err(refusals::damage_not_the_bidders().into());
        }
        parsed.push((row, body));
    }
    for (row, mut body) in parsed {
        body.attribution = Some(Attribution { cause, reason: reason.to_owned(), at: tx.now() });
        let new = UnsealingRow { body: text(&body)?, ..row.clone() };
        let record = record("envelope.failure_attributed", &lot)
            .sealed()
            .public("envelope_id", &row.envelope_id)
            .public("cause", cause)
            .restricted("bid", bid_id)
            .restricted("reason", reason);
        tx.update(&row, new, record)?;
    }
    Ok(session_view(&lot, Some(&session)))
}

/// Reads the whole box out in one transition: every bid, then the reserve price.
///
/// # Errors
/// The rules' refusal.
pub fn read_out(tx: &mut Tx<'_>, lot_id: &str, actor: &Actor) -> Result<SessionView> {
    let (lot, mut session, next) = step(tx, lot_id, SessionEvent::ReadOut, actor, None)?;
    let before = session.row.clone();
    session.state = next;
    session.body.read_out_at = Some(tx.now());
    session.body.read_out_by = by(tx);
    let view = write(tx, &lot, &before, &session, record("opening.read_out", &lot))?;
    let parts = groups::opening_now(&lot);
    let failures = queries::failures(tx.conn(), lot_id, &parts)?;
    let mut boxed = queries::boxed(tx.conn(), lot_id)?;
    let opens_reserve = parts.contains(&Part::Reserve.name());
    boxed.retain(|bid| BidState::IN_BOX.iter().any(|state| bid.state == state.name()));
    boxed.retain(|bid| bid.kind != RESERVE || opens_reserve);
    boxed.sort_by_key(|bid| bid.kind == RESERVE);
    for boxed in boxed {
        let bid = bids::queries::bid(tx.conn(), &boxed.id)?.ok_or_else(refusals::not_found)?;
        bids::ops::after_opening(tx, &lot, &bid, consequence(&failures, &boxed.id)?)?;
    }
    Ok(view)
}

/// What becomes of a bid: opened when each of its envelopes did, else what follows from the cause of the first failure.
fn consequence(failures: &[UnsealingRow], bid_id: &str) -> Result<BidEvent> {
    let Some(failure) = failures.iter().find(|row| row.bid_id == bid_id) else { return Ok(BidEvent::Open) };
    let body: UnsealingBody = parse(&failure.id, &failure.body)?;
    let attribution = body.attribution.ok_or_else(|| Error::internal(format!("{} is not attributed", failure.id)))?;
    Ok(attribution.cause.consequence())
}

/// Confirms the record of the session.
///
/// # Errors
/// The rules' refusal.
pub fn confirm(tx: &mut Tx<'_>, lot_id: &str, actor: &Actor) -> Result<SessionView> {
    let (lot, mut session, next) = step(tx, lot_id, SessionEvent::Confirm, actor, None)?;
    let before = session.row.clone();
    session.state = next;
    session.body.confirmed_at = Some(tx.now());
    session.body.confirmed_by = by(tx);
    write(tx, &lot, &before, &session, record("opening.confirmed", &lot))
}

/// Closes the session and finishes the lot's opening, in the same commit.
///
/// # Errors
/// The rules' refusal, of the session or of the lot.
pub fn close(tx: &mut Tx<'_>, keys: &Keys, lot_id: &str, actor: &Actor) -> Result<SessionView> {
    let (lot, mut session, next) = step(tx, lot_id, SessionEvent::Close, actor, None)?;
    let before = session.row.clone();
    session.state = next;
    session.body.closed_at = Some(tx.now());
    session.body.closed_by = by(tx);
    write(tx, &lot, &before, &session, record("opening.closed", &lot))?;
    let lot = lots::ops::act(tx, keys, lot_id, actor, &Act::of(Request::of(Event::FinishOpening)))?;
    Ok(session_view(&lot, queries::of_lot(tx.conn(), lot_id)?.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::opening::model::Failed;
    use crate::kernel::digest::sha256;
    use crate::kernel::time::Timestamp;

    fn failure(bid_id: &str, cause: Option<UndecryptedCause>) -> UnsealingRow {
        let at = Timestamp::from_millis(0);
        let body = UnsealingBody {
            rev: 1,
            document_revision: sha256(b""),
            shares: Vec::new(),
            price: None,
            validity_days: None,
            note: None,
            file_count: 0,
            files: Vec::new(),
            failed: Some(Failed { reason: "no_payload".into(), detail: String::new() }),
            attribution: cause.map(|cause| Attribution { cause, reason: "x".into(), at }),
        };
        UnsealingRow {
            id: UnsealingId::ordered(at).into_string(),
            version: 1,
            state: Outcome::MissingPayload.name().into(),
            lot_id: "lot".into(),
            bid_id: bid_id.into(),
            envelope_id: "e".into(),
            part: "documents".into(),
            body: text(&body).expect("plain data"),
        }
    }

    #[test]
    fn a_bid_whose_parts_all_opened_is_opened() {
        let failures = [failure("other", Some(UndecryptedCause::Bidder))];
        assert_eq!(consequence(&failures, "bid").ok(), Some(BidEvent::Open));
    }

    #[test]
    fn one_failed_part_decides_over_the_bid_by_its_cause() {
        let event = |cause| consequence(&[failure("bid", Some(cause))], "bid").ok();
        assert_eq!(event(UndecryptedCause::Bidder), Some(BidEvent::DeemRevoked));
        assert_eq!(event(UndecryptedCause::Platform), Some(BidEvent::DeemWithdrawn));
    }

    #[test]
    fn a_failure_without_a_cause_is_never_read_out() {
        assert!(consequence(&[failure("bid", None)], "bid").is_err());
    }
}
