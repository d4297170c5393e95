//! Routes of the opening session, its record, and objections.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::Opening;
use super::objections::{self, ObjectionView};
use super::record::{self, OpeningRecord};
use super::view::{OpeningView, SessionView, failed_bids, session_view};
use super::{bundle, html, ops, queries, reserve};
use crate::app::App;
use crate::db::Conn;
use crate::faults::Point;
use crate::features::accounts::ops::check_text;
use crate::features::key_sets::http::RoundQuery;
use crate::features::lots;
use crate::features::lots::http::LotPath;
use crate::features::lots::model::Lot;
use crate::http::accept::first_of;
use crate::http::extract::{Body, Caller, IdempotencyKey, MaybeCaller};
use crate::http::problem::Problem;
use crate::http::reply;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::role::Role;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::opening::{SessionState, UndecryptedCause};

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_opening)
        .service(give_up_shares)
        .service(attribute_failure)
        .service(read_out)
        .service(object_to_opening)
        .service(object_to_result)
        .service(answer_objection)
        .service(confirm_opening)
        .service(close_opening)
        .service(get_opening_record)
        .service(get_opening_bundle);
}

/// An objection's id in a path.
#[derive(Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ObjectionPath {
    /// The objection.
    pub objection: String,
}

/// Through whose fault a bid could not be opened.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributionRequest {
    /// The bid, as `failures` names it.
    pub bid_id: String,
    /// Whose fault: the bidder's makes the bid revoked, everybody else's withdrawn.
    pub cause: UndecryptedCause,
    /// Why.
    pub reason: String,
}

/// Why missing shares of keys will not come.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivingUp {
    /// Why.
    pub reason: String,
}

/// An objection.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewObjection {
    /// What is objected to.
    pub text: String,
}

/// An answer to an objection.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectionAnswer {
    /// The answer.
    pub answer: String,
}

/// A lot that everybody may see, with its session.
fn public_session(conn: &mut Conn, lot_id: &str) -> Result<(Lot, Option<Opening>), Error> {
    let lot = lots::queries::lot(conn, lot_id)?;
    if !lots::queries::is_public(lot.state) {
        return Err(refusals::not_found().into());
    }
    Ok((lot, queries::of_lot(conn, lot_id)?))
}

fn is_initiator(lot: &Lot, caller: Option<&Caller>) -> bool {
    caller.is_some_and(|caller| caller.org_id == lot.initiator && caller.has(Role::Initiator))
}

fn has_role(caller: Option<&Caller>, role: Role) -> bool {
    caller.is_some_and(|caller| caller.has(role))
}

/// The centre runs the session and never sees the reserve price before everybody does.
fn sees_reserve(lot: &Lot, caller: Option<&Caller>) -> bool {
    record::is_reserve_public(lot) || is_initiator(lot, caller) || has_role(caller, Role::Inspector)
}

/// Shows the opening session of a lot.
///
/// Everybody sees where it stands and, from the read-out on, the whole box. Before the read-out nobody sees an outcome;
/// the initiator and the centre see which bids failed, so that a cause can be named. The initiator and inspectors see the
/// reserve price of a land lot before there is a deal; each such look is on record first.
#[utoipa::path(tag = "opening", operation_id = "get_opening", params(LotPath),
    responses((status = 200, body = OpeningView, description = "The session; `not_begun` when there is none yet."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such public lot.")))]
#[get("/v1/lots/{lot}/opening")]
pub async fn get_opening(
    app: web::Data<App>,
    caller: MaybeCaller,
    path: web::Path<LotPath>,
) -> Result<HttpResponse, Error> {
    let (id, caller) = (path.into_inner().lot, caller.0);
    let asks = caller.as_ref().map(|caller| caller.context(caller.meta.started_at));
    let (lot, view) = app
        .reader
        .read(move |conn| {
            let (lot, session) = public_session(conn, &id)?;
            let caller = caller.as_ref();
            let presides = is_initiator(&lot, caller) || has_role(caller, Role::Centre);
            let reading = session.as_ref().is_some_and(|session| session.state == SessionState::Reading);
            let failures = if reading && presides { failed_bids(conn, &lot)? } else { Vec::new() };
            let record = match queries::read_out(conn, &lot.row.id)? {
                Some(session) => Some(record::build(conn, &lot, &session, sees_reserve(&lot, caller))?),
                None => None,
            };
            let session = session_view(&lot, session.as_ref());
            Ok((lot, OpeningView { session, failures, record }))
        })
        .await?;
    if view.record.as_ref().is_some_and(|record| record.reserve.is_some()) {
        reserve::note_look(&app.ledger, asks, &lot, "GET /v1/lots/{lot}/opening").await?;
    }
    Ok(HttpResponse::Ok().json(view))
}

/// Runs an act of a session for a caller, once.
async fn act<F>(
    app: &App,
    caller: Caller,
    key: IdempotencyKey,
    received_at: Timestamp,
    hash: Digest,
    mut work: F,
) -> Result<HttpResponse, Error>
where
    F: FnMut(&mut Tx<'_>, &Caller) -> Result<SessionView, Error> + Send + 'static,
{
    let (context, idempotency) = (caller.context(received_at), key.of(&caller, hash));
    let answer = app.ledger.commit_once(context, idempotency, move |tx| work(tx, &caller)).await?;
    Ok(reply::done(&answer))
}

fn bare_hash(what: &str, lot: &str) -> Digest {
    sha256(format!("opening {what} {lot}").as_bytes())
}

/// States that shares of keys which are missing will not come.
///
/// For the centre, while bids wait for custodians or bidders: when more custodians are gone than may be absent, or a bidder says
/// that its key is lost. Every bid that still waits is then tried with what was given; those that do not open are attributed to
/// their cause and follow EB-05.
#[utoipa::path(tag = "opening", operation_id = "give_up_shares", request_body = GivingUp, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = SessionView, description = "On record."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such session."), (status = 409, body = Problem, content_type = "application/problem+json", description = "No bid waits for a share."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No reason.")))]
#[post("/v1/lots/{lot}/opening/actions/give-up-shares")]
pub async fn give_up_shares(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<GivingUp>,
) -> Result<HttpResponse, Error> {
    let (lot, said) = (path.into_inner().lot, body.value);
    check_text("reason", &said.reason, limits::TEXT_LEN)?;
    act(&app, caller, key, body.received_at, body.hash, move |tx, caller| {
        ops::give_up_shares(tx, &lot, &caller.actor(), &said.reason)
    })
    .await
}

/// Names through whose fault a bid could not be opened.
///
/// For the initiator, who presides, between unsealing and read-out. Through the bidder's fault the bid counts as revoked,
/// through anybody else's as withdrawn, with a claim for direct loss. It may be said again until the read-out.
#[utoipa::path(tag = "opening", operation_id = "attribute_failure", request_body = AttributionRequest, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = SessionView, description = "Named."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such session."), (status = 409, body = Problem, content_type = "application/problem+json", description = "That bid opened, or the session's state forbids it."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No reason.")))]
#[post("/v1/lots/{lot}/opening/actions/attribute")]
pub async fn attribute_failure(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<AttributionRequest>,
) -> Result<HttpResponse, Error> {
    let (lot, said) = (path.into_inner().lot, body.value);
    check_text("reason", &said.reason, limits::TEXT_LEN)?;
    act(&app, caller, key, body.received_at, body.hash, move |tx, caller| {
        ops::attribute(tx, &lot, &caller.actor(), &said.bid_id, said.cause, &said.reason)
    })
    .await
}

/// Reads the box out: every bid and then the reserve price, in one transition.
///
/// For the initiator or the centre, once every envelope was tried and every failure has its cause.
#[utoipa::path(tag = "opening", operation_id = "read_out", params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = SessionView, description = "Read out; the box is in `GET /v1/lots/{lot}/opening`."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such session."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Something is still missing.")))]
#[post("/v1/lots/{lot}/opening/actions/read-out")]
pub async fn read_out(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    let lot = path.into_inner().lot;
    let (at, hash) = (caller.meta.started_at, bare_hash("read-out", &lot));
    act(&app, caller, key, at, hash, move |tx, caller| ops::read_out(tx, &lot, &caller.actor())).await
}

/// Confirms the record of the opening.
///
/// For the initiator, when every objection is answered.
#[utoipa::path(tag = "opening", operation_id = "confirm_opening", params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = SessionView, description = "Confirmed."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such session."), (status = 409, body = Problem, content_type = "application/problem+json", description = "An objection has no answer, or the state forbids it.")))]
#[post("/v1/lots/{lot}/opening/actions/confirm")]
pub async fn confirm_opening(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    let lot = path.into_inner().lot;
    let (at, hash) = (caller.meta.started_at, bare_hash("confirm", &lot));
    act(&app, caller, key, at, hash, move |tx, caller| ops::confirm(tx, &lot, &caller.actor())).await
}

/// Closes the session: the lot is opened, its record public.
///
/// For the initiator or the centre, when the record is confirmed and every objection answered.
#[utoipa::path(tag = "opening", operation_id = "close_opening", params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = SessionView, description = "Closed."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such session."), (status = 409, body = Problem, content_type = "application/problem+json", description = "An objection has no answer, a hold is in force, or the state forbids it.")))]
#[post("/v1/lots/{lot}/opening/actions/close")]
pub async fn close_opening(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    let (lot, keys) = (path.into_inner().lot, app.keys.clone());
    let (at, hash) = (caller.meta.started_at, bare_hash("close", &lot));
    let faults = app.faults.clone();
    let work = move |tx: &mut Tx<'_>, caller: &Caller| {
        let closed = ops::close(tx, &keys, &lot, &caller.actor())?;
        faults.reach(Point::SessionClosing);
        Ok(closed)
    };
    let answer = act(&app, caller, key, at, hash, work).await?;
    app.faults.reach(Point::SessionClosed);
    Ok(answer)
}

/// Objects to the opening, in its session.
///
/// For bidders with a bid in the box, between read-out and close. The session does not close before the answer.
#[utoipa::path(tag = "opening", operation_id = "object_to_opening", request_body = NewObjection, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = ObjectionView, description = "Raised."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such session."), (status = 409, body = Problem, content_type = "application/problem+json", description = "No bid in the box, or the session's state forbids it."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No text.")))]
#[post("/v1/lots/{lot}/opening/objections")]
pub async fn object_to_opening(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NewObjection>,
) -> Result<HttpResponse, Error> {
    let (lot, words) = (path.into_inner().lot, body.value.text);
    let location = format!("/v1/lots/{lot}/opening");
    let (context, idempotency) = (caller.context(body.received_at), key.of(&caller, body.hash));
    let answer = app
        .ledger
        .commit_once(context, idempotency, move |tx| {
            objections::raise_in_session(tx, &lot, &caller.actor(), &caller.org_id, &words)
        })
        .await?;
    Ok(reply::created(&answer, &location))
}

/// Objects to the candidates or the result.
///
/// For bidders with a bid in the box, in the window of the edition. Where the edition says so the lot goes on hold until
/// the answer. One that comes too early or too late is on record as `inadmissible`.
#[utoipa::path(tag = "evaluation", operation_id = "object_to_result", request_body = NewObjection, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = ObjectionView, description = "On record."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such public lot."), (status = 409, body = Problem, content_type = "application/problem+json", description = "No bid in the box, or nothing to object to yet."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No text.")))]
#[post("/v1/lots/{lot}/objections")]
pub async fn object_to_result(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NewObjection>,
) -> Result<HttpResponse, Error> {
    let (lot, words, keys) = (path.into_inner().lot, body.value.text, app.keys.clone());
    let location = format!("/v1/lots/{lot}/evaluation");
    let (context, idempotency) = (caller.context(body.received_at), key.of(&caller, body.hash));
    let answer = app
        .ledger
        .commit_once(context, idempotency, move |tx| {
            objections::raise_to_result(tx, &keys, &lot, &caller.org_id, &words)
        })
        .await?;
    Ok(reply::created(&answer, &location))
}

/// Answers an objection to the opening or to the result.
///
/// For the initiator. The last answer to objections to the result ends the hold in the same commit.
#[utoipa::path(tag = "opening", operation_id = "answer_objection", request_body = ObjectionAnswer, params(ObjectionPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = ObjectionView, description = "Answered."), (status = 404, body = Problem, content_type = "application/problem+json", description = "None to a lot of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "It has its answer, or the session's state forbids it."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No text.")))]
#[post("/v1/objections/{objection}/actions/answer")]
pub async fn answer_objection(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<ObjectionPath>,
    key: IdempotencyKey,
    body: Body<ObjectionAnswer>,
) -> Result<HttpResponse, Error> {
    let (id, words, keys) = (path.into_inner().objection, body.value.answer, app.keys.clone());
    let (context, idempotency) = (caller.context(body.received_at), key.of(&caller, body.hash));
    let answer = app
        .ledger
        .commit_once(context, idempotency, move |tx| objections::answer(tx, &keys, &id, &caller.actor(), &words))
        .await?;
    Ok(reply::done(&answer))
}

/// Shows the record of an opening, as JSON or as a page to print.
///
/// For the parties and the centre from the read-out on, for everybody once the session is closed. With
/// `Accept: text/html` it is a page in Chinese and English. The initiator and inspectors see the reserve price of a land
/// lot before there is a deal; each such look is on record first.
#[utoipa::path(tag = "opening", operation_id = "get_opening_record", params(LotPath),
    responses((status = 200, description = "The record.", content((OpeningRecord = "application/json"), (String = "text/html"))), (status = 404, body = Problem, content_type = "application/problem+json", description = "No record that you may see.")))]
#[get("/v1/lots/{lot}/opening-record")]
pub async fn get_opening_record(
    app: web::Data<App>,
    req: HttpRequest,
    caller: MaybeCaller,
    path: web::Path<LotPath>,
) -> Result<HttpResponse, Error> {
    let (id, caller) = (path.into_inner().lot, caller.0);
    let asks = caller.as_ref().map(|caller| caller.context(caller.meta.started_at));
    let (lot, record) = app
        .reader
        .read(move |conn| {
            let (lot, _) = public_session(conn, &id)?;
            let caller = caller.as_ref();
            // A record of an earlier round stays public while a later one is under way.
            let shown = match is_party(conn, &lot, caller)? {
                true => queries::read_out(conn, &id)?,
                false => queries::closed(conn, &id)?,
            };
            let session = shown.ok_or_else(refusals::not_found)?;
            let record = record::build(conn, &lot, &session, sees_reserve(&lot, caller))?;
            Ok((lot, record))
        })
        .await?;
    if record.reserve.is_some() {
        reserve::note_look(&app.ledger, asks, &lot, "GET /v1/lots/{lot}/opening-record").await?;
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((header::VARY, "Accept"));
    if !wants_html(req.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default()) {
        return Ok(response.json(record));
    }
    response.insert_header((header::CONTENT_SECURITY_POLICY, html::CONTENT_SECURITY_POLICY));
    Ok(response.content_type("text/html; charset=utf-8").body(html::page(&record)))
}

fn is_party(conn: &mut Conn, lot: &Lot, caller: Option<&Caller>) -> Result<bool, Error> {
    let Some(caller) = caller else { return Ok(false) };
    let official = caller.has(Role::Centre) || caller.has(Role::Inspector) || caller.org_id == lot.initiator;
    Ok(official || queries::has_bid(conn, &lot.row.id, caller.org_id.as_str())?)
}

/// Whether an `Accept` header asks for a page before it asks for JSON.
pub fn wants_html(accept: &str) -> bool {
    first_of(accept, &["text/html", "application/json", "*/*"]) == Some("text/html")
}

/// Fetches everything with which anybody checks an opening offline.
///
/// Once the session is closed. JSON lines: the key set and its ceremony, what was answered, every share with its proof, every
/// outcome, and of every price that was read out the signed envelope with its payload. `sealbid verify opening` reads it;
/// `docs/opening-format.md` is enough to write another reader. A file without its last line is incomplete.
#[utoipa::path(tag = "opening", operation_id = "get_opening_bundle", params(LotPath, RoundQuery),
    responses((status = 200, body = String, content_type = "application/x-ndjson", description = "The bundle."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot, or its opening is not closed yet.")))]
#[get("/v1/lots/{lot}/opening-bundle")]
pub async fn get_opening_bundle(
    app: web::Data<App>,
    path: web::Path<LotPath>,
    query: web::Query<RoundQuery>,
) -> Result<HttpResponse, Error> {
    let (id, round) = (path.into_inner().lot, query.round());
    let lot = app
        .reader
        .read(move |conn| {
            let (lot, _) = public_session(conn, &id)?;
            let session = queries::of_round(conn, &id, round)?;
            if session.as_ref().is_none_or(|session| !bundle::is_public(session)) {
                return Err(refusals::not_found().into());
            }
            Ok(lot)
        })
        .await?;
    let name = format!("attachment; filename=\"opening-{}.ndjson\"", round.group(&lot.row.id));
    Ok(HttpResponse::Ok()
        .content_type(bundle::NDJSON)
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(bundle::stream(app, lot, round)))
}

#[cfg(test)]
mod tests {
    use super::wants_html;

    #[test]
    fn a_browser_gets_a_page_and_a_program_gets_json() {
        assert!(wants_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wants_html("text/html;q=0.9"));
        for accept in ["", "*/*", "application/json", "application/json, text/html"] {
            assert!(!wants_html(accept), "{accept}");
        }
    }
}
