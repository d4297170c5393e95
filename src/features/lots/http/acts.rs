//! The acts of a lot's machine, each with its own body.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::LotPath;
use crate::app::App;
use crate::features::accounts::ops::check_text;
use crate::features::lots::model::Schedule;
use crate::features::lots::ops::{self, Act};
use crate::features::lots::view::{LotView, view};
use crate::http::extract::{Body, Caller, IdempotencyKey};
use crate::http::problem::Problem;
use crate::http::reply;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::time::Timestamp;
use crate::ledger::Error;
use crate::limits;
use crate::refusals;
use crate::rules::facts::Request;
use crate::rules::hold::HoldKind;
use crate::rules::machine::Event;

/// Everything that is to be mended, at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deficiencies {
    /// One line each; the complete list.
    pub deficiencies: Vec<String>,
}

/// A clarification or addendum.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Clarification {
    /// What is clarified or changed, one point a line.
    pub lines: Vec<String>,
    /// It may affect how bids are prepared.
    pub affects_bid: bool,
    /// The new deadline, where it moves.
    #[serde(default)]
    pub new_deadline_at: Option<Timestamp>,
    /// The new opening, where it moves.
    #[serde(default)]
    pub new_opens_at: Option<Timestamp>,
}

/// A later deadline.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The new deadline.
    pub new_deadline_at: Timestamp,
    /// The new opening; moves with the deadline where nothing is said.
    #[serde(default)]
    pub new_opens_at: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// Changed content of a disclosure, which starts its period anew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    /// What changes, one point a line.
    pub lines: Vec<String>,
    /// The new deadline.
    pub new_deadline_at: Timestamp,
    /// The new opening; moves with the deadline where nothing is said.
    #[serde(default)]
    pub new_opens_at: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// A hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// Which kind.
    pub kind: HoldKind,
    /// Why.
    pub reason: String,
}

/// The release of a hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Releasing {
    /// Which kind.
    pub kind: HoldKind,
    /// Why.
    pub reason: String,
    /// The new deadline: needed when the old one passed under the hold.
    #[serde(default)]
    pub new_deadline_at: Option<Timestamp>,
    /// The new opening; moves with the deadline where nothing is said.
    #[serde(default)]
    pub new_opens_at: Option<Timestamp>,
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Why.
    pub reason: String,
}

/// Performs an act and answers with the lot; for every route of an act, here and in other features.
///
/// # Errors
/// The rules' refusal.
pub async fn perform(
    app: &App,
    caller: Caller,
    lot: String,
    key: IdempotencyKey,
    received_at: Timestamp,
    hash: Digest,
    act: Act,
) -> Result<HttpResponse, Error> {
    check_lines(&act.lines)?;
    if let Some(reason) = &act.request.reason {
        check_text("reason", reason, limits::TEXT_LEN)?;
    }
    let (context, actor, keys) = (caller.context(received_at), caller.actor(), app.keys.clone());
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, hash), move |tx| Ok(view(&ops::act(tx, &keys, &lot, &actor, &act)?)))
        .await?;
    Ok(reply::done(&answer))
}

fn check_lines(lines: &[String]) -> Result<(), Error> {
    if lines.len() > limits::LINES {
        return Err(refusals::body_invalid(&format!("at most {} lines", limits::LINES)).into());
    }
    lines.iter().try_for_each(|line| check_text("lines", line, limits::TEXT_LEN))
}

async fn bare(
    app: &App,
    caller: Caller,
    lot: String,
    key: IdempotencyKey,
    event: Event,
) -> Result<HttpResponse, Error> {
    let hash = sha256(format!("{} {lot}", event.name()).as_bytes());
    let received_at = caller.meta.started_at;
    perform(app, caller, lot, key, received_at, hash, Act::of(Request::of(event))).await
}

/// Submits a draft to the centre for registration.
#[utoipa::path(tag = "lots", operation_id = "submit_lot", params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Submitted.")))]
#[post("/v1/lots/{lot}/actions/submit")]
pub async fn submit_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    bare(&app, caller, path.into_inner().lot, key, Event::Submit).await
}

/// Registers a submitted lot.
///
/// For the centre, which checks that the papers are complete; it does not judge prices.
#[utoipa::path(tag = "lots", operation_id = "accept_lot", params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Registered.")))]
#[post("/v1/lots/{lot}/actions/accept")]
pub async fn accept_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    bare(&app, caller, path.into_inner().lot, key, Event::Accept).await
}

/// Returns a submitted lot with the complete list of what is to be mended.
#[utoipa::path(tag = "lots", operation_id = "return_lot", request_body = Deficiencies, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Returned.")))]
#[post("/v1/lots/{lot}/actions/return")]
pub async fn return_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Deficiencies>,
) -> Result<HttpResponse, Error> {
    let lines = body.value.deficiencies;
    let request =
        Request { deficiencies: u32::try_from(lines.len()).unwrap_or(u32::MAX), ..Request::of(Event::Return) };
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, Act { lines, ..Act::of(request) })
        .await
}

/// Publishes the notice: from now on the lot is public and bids are accepted.
///
/// Makes the lot's key set and checks every period of the edition, such as 20 days from the issue of documents.
#[utoipa::path(tag = "lots", operation_id = "publish_lot", request_body = Schedule, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Published.")))]
#[post("/v1/lots/{lot}/actions/publish")]
pub async fn publish_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Schedule>,
) -> Result<HttpResponse, Error> {
    if body.value.deadline_at.is_none() {
        return Err(refusals::body_invalid("deadline_at").into());
    }
    let act = Act { schedule: Some(body.value), ..Act::of(Request::of(Event::Publish)) };
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, act).await
}

/// Publishes a clarification or addendum; the documents get a new revision.
///
/// Bids in the box stay valid; their owners are told and may confirm them against the new revision.
#[utoipa::path(tag = "lots", operation_id = "clarify_lot", request_body = Clarification, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Published.")))]
#[post("/v1/lots/{lot}/actions/clarify")]
pub async fn clarify_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Clarification>,
) -> Result<HttpResponse, Error> {
    let said = body.value;
    if said.lines.is_empty() {
        return Err(refusals::body_invalid("lines: at least one").into());
    }
    let request = Request {
        affects_bid: said.affects_bid,
        new_deadline_at: said.new_deadline_at,
        new_opens_at: said.new_opens_at,
        ..Request::of(Event::Clarify)
    };
    perform(
        &app,
        caller,
        path.into_inner().lot,
        key,
        body.received_at,
        body.hash,
        Act { lines: said.lines, ..Act::of(request) },
    )
    .await
}

/// Moves the deadline later; bids in the box stay sealed and valid.
#[utoipa::path(tag = "lots", operation_id = "extend_lot", request_body = Extension, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Moved.")))]
#[post("/v1/lots/{lot}/actions/extend")]
pub async fn extend_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Extension>,
) -> Result<HttpResponse, Error> {
    let said = body.value;
    let request = Request {
        new_deadline_at: Some(said.new_deadline_at),
        new_opens_at: said.new_opens_at,
        reason: Some(said.reason),
        ..Request::of(Event::Extend)
    };
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, Act::of(request)).await
}

/// Changes disclosed content, which starts the disclosure period anew.
#[utoipa::path(tag = "lots", operation_id = "amend_lot", request_body = Amendment, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Changed."), (status = 409, body = Problem, content_type = "application/problem+json", description = "The state, or the edition, forbids it.")))]
#[post("/v1/lots/{lot}/actions/amend")]
pub async fn amend_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Amendment>,
) -> Result<HttpResponse, Error> {
    let said = body.value;
    let request = Request {
        new_deadline_at: Some(said.new_deadline_at),
        new_opens_at: said.new_opens_at,
        reason: Some(said.reason),
        affects_bid: true,
        ..Request::of(Event::Amend)
    };
    perform(
        &app,
        caller,
        path.into_inner().lot,
        key,
        body.received_at,
        body.hash,
        Act { lines: said.lines, ..Act::of(request) },
    )
    .await
}

/// Puts a lot on hold: bids are still accepted, nothing closes, opens or is awarded.
///
/// An inspector orders it on a complaint; the initiator or the centre for an incident.
#[utoipa::path(tag = "lots", operation_id = "hold_lot", request_body = Holding, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Held.")))]
#[post("/v1/lots/{lot}/actions/hold")]
pub async fn hold_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Holding>,
) -> Result<HttpResponse, Error> {
    let request =
        Request { hold: Some(body.value.kind), reason: Some(body.value.reason), ..Request::of(Event::PlaceHold) };
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, Act::of(request)).await
}

/// Releases a hold; with a new deadline where the old one passed under it.
#[utoipa::path(tag = "lots", operation_id = "release_lot", request_body = Releasing, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Released.")))]
#[post("/v1/lots/{lot}/actions/release")]
pub async fn release_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Releasing>,
) -> Result<HttpResponse, Error> {
    let said = body.value;
    let request = Request {
        hold: Some(said.kind),
        reason: Some(said.reason),
        new_deadline_at: said.new_deadline_at,
        new_opens_at: said.new_opens_at,
        ..Request::of(Event::ReleaseHold)
    };
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, Act::of(request)).await
}

/// Stops a lot for good; what was not opened stays closed.
#[utoipa::path(tag = "lots", operation_id = "terminate_lot", request_body = Why, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Stopped.")))]
#[post("/v1/lots/{lot}/actions/terminate")]
pub async fn terminate_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Why>,
) -> Result<HttpResponse, Error> {
    let request = Request { reason: Some(body.value.reason), ..Request::of(Event::Terminate) };
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, Act::of(request)).await
}

/// Makes a new draft lot out of one that ended without a result, linked to it.
#[utoipa::path(tag = "lots", operation_id = "retender_lot", params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "The old lot; the new one is among your drafts.")))]
#[post("/v1/lots/{lot}/actions/retender")]
pub async fn retender_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    bare(&app, caller, path.into_inner().lot, key, Event::Retender).await
}
