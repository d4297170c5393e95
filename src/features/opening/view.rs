//! A session as the API shows it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Opening, UnsealingBody, parse};
use super::queries;
use super::record::OpeningRecord;
use crate::db::Conn;
use crate::features::bids::model::RESERVE;
use crate::features::key_sets::groups;
use crate::features::lots::model::Lot;
use crate::kernel::id::LotId;
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::rules::envelopes::Round;
use crate::rules::machine::State;
use crate::rules::opening::{SessionState, UndecryptedCause};
use crate::seal::envelope::Part;

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Its round: `second` only where prices open in a round of their own.
    pub round: Round,
    /// The lot.
    pub lot_id: LotId,
    /// Where the lot stands.
    pub lot_state: State,
    /// Where the session stands.
    pub state: SessionState,
    /// The same for people.
    pub state_title: Bilingual,
    /// Bids were accepted before.
    pub deadline_at: Option<Timestamp>,
    /// The same in China.
    pub deadline_at_local: Option<String>,
    /// The opening was announced for.
    pub opens_at: Option<Timestamp>,
    /// The same in China.
    pub opens_at_local: Option<String>,
    /// It began.
    pub begun_at: Option<Timestamp>,
    /// Every envelope had been tried.
    pub unsealed_at: Option<Timestamp>,
    /// The box was read out.
    pub read_out_at: Option<Timestamp>,
    /// The same in China.
    pub read_out_at_local: Option<String>,
    /// The record was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// It closed.
    pub closed_at: Option<Timestamp>,
}

/// A bid that could not be opened and whose cause a person has to name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedBid {
    /// The bid, or the reserve price.
    pub bid_id: String,
    /// `bid` or `reserve`.
    pub kind: String,
    /// Whose it is.
    pub bidder_name: String,
    /// Its ciphertext was damaged in the platform's storage: that is not attributed to the bidder.
    pub damaged_in_storage: bool,
    /// Why its key in escrow did not open it, as a stable reason; where it lay there and custodians were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escrow: Option<String>,
    /// The cause, once it was named.
    pub cause: Option<UndecryptedCause>,
    /// Why.
    pub reason: Option<String>,
}

/// A session with what the caller may know of its box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpeningView {
    /// Where it stands.
    pub session: SessionView,
    /// For the initiator and the centre, between unsealing and read-out: the bids that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailedBid>,
    /// From the read-out on: the whole box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<OpeningRecord>,
}

/// A session, or that there is none yet.
pub fn session_view(lot: &Lot, session: Option<&Opening>) -> SessionView {
    let state = session.map_or(SessionState::NotBegun, |session| session.state);
    let body = session.map(|session| session.body.clone()).unwrap_or_default();
    let schedule = &lot.body.schedule;
    let opens_at = schedule.opens_at.or(schedule.deadline_at);
    SessionView {
        round: session.map_or(lot.body.round, |session| session.round),
        lot_id: lot.id.clone(),
        lot_state: lot.state,
        state,
        state_title: state.title().into(),
        deadline_at: schedule.deadline_at,
        deadline_at_local: schedule.deadline_at.map(Timestamp::local),
        opens_at,
        opens_at_local: opens_at.map(Timestamp::local),
        begun_at: body.begun_at,
        unsealed_at: body.unsealed_at,
        read_out_at: body.read_out_at,
        read_out_at_local: body.read_out_at.map(Timestamp::local),
        confirmed_at: body.confirmed_at,
        closed_at: body.closed_at,
    }
}

/// The bids that failed: names and causes, nothing else.
///
/// # Errors
/// The database's.
pub fn failed_bids(conn: &mut Conn, lot: &Lot) -> Result<Vec<FailedBid>> {
    let failures = queries::failures(conn, &lot.row.id, &groups::opening_now(lot))?;
    let in_escrow = queries::failures(conn, &lot.row.id, &[Part::Escrow.name()])?;
    let boxed = queries::boxed(conn, &lot.row.id)?;
    let failed: Vec<_> = boxed.into_iter().filter(|bid| failures.iter().any(|row| row.bid_id == bid.id)).collect();
    let orgs: Vec<String> = failed.iter().map(|bid| bid.org_id.clone()).collect();
    let names = queries::names(conn, &orgs)?;
    let mut items = Vec::with_capacity(failed.len());
    for bid in failed {
        let (mut attribution, mut in_storage) = (None, false);
        for row in failures.iter().filter(|row| row.bid_id == bid.id) {
            let body: UnsealingBody = parse(&row.id, &row.body)?;
            in_storage |= body.is_damaged_in_storage();
            attribution = attribution.or(body.attribution);
        }
        let escrow = match in_escrow.iter().find(|row| row.bid_id == bid.id) {
            Some(row) => parse::<UnsealingBody>(&row.id, &row.body)?.failed.map(|failed| failed.reason),
            None => None,
        };
        let kind = if bid.kind == RESERVE { "reserve" } else { "bid" };
        items.push(FailedBid {
            bidder_name: names.get(&bid.org_id).map(|named| named.name.clone()).unwrap_or_default(),
            bid_id: bid.id,
            kind: kind.into(),
            damaged_in_storage: in_storage,
            escrow,
            cause: attribution.as_ref().map(|said| said.cause),
            reason: attribution.map(|said| said.reason),
        });
    }
    items.sort_by(|left, right| left.bid_id.cmp(&right.bid_id));
    Ok(items)
}
