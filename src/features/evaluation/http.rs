//! Routes of the evaluation and of what follows from it.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::ops::{self, NewAward, NewJudgement, check_report};
use super::view::{EvaluatedBid, EvaluationView, evaluation};
use crate::app::App;
use crate::features::accounts::ops::check_text;
use crate::features::lots;
use crate::features::lots::http::{LotPath, perform};
use crate::features::lots::model::Lot;
use crate::features::lots::ops::Act;
use crate::features::lots::view::{LotView, view};
use crate::features::opening::record::is_reserve_public;
use crate::features::opening::reserve;
use crate::http::extract::{Body, Caller, IdempotencyKey, MaybeCaller};
use crate::http::problem::Problem;
use crate::http::reply;
use crate::kernel::role::{Actor, Role};
use crate::keys::Keys;
use crate::ledger::{Error, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::editions::PriceBound;
use crate::rules::facts::{FailureCause, Request};
use crate::rules::machine::{Event, State};

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(evaluate_bid)
        .service(get_evaluation)
        .service(open_prices)
        .service(complete_evaluation)
        .service(publish_candidates)
        .service(award_lot)
        .service(publish_result)
        .service(declare_unsuccessful);
}

/// A bid's id in a path.
#[derive(Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JudgedPath {
    /// The bid.
    pub bid: String,
}

/// A text to file or to publish.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// One point a line; may be empty.
    #[serde(default)]
    pub lines: Vec<String>,
}

/// Why a lot ends without a result.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoResult {
    /// The cause, which must fit the evaluation.
    pub cause: FailureCause,
    /// Why, in words.
    pub reason: String,
}

/// Judges an opened bid.
///
/// For the lot's initiator, from the opening until the report is filed; judging again replaces the judgement, and every
/// version stays on record. Whether a price is above the ceiling, below the reserve or below the asking price is computed
/// and cannot be judged.
#[utoipa::path(tag = "evaluation", operation_id = "evaluate_bid", request_body = NewJudgement, params(JudgedPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = EvaluatedBid, description = "Judged; with its place in the ranking so far."), (status = 404, body = Problem, content_type = "application/problem+json", description = "Not a bid on an opened lot of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "The report is filed, or the bid was not opened."), (status = 422, body = Problem, content_type = "application/problem+json", description = "A code, a reason or an evaluated price is missing or wrong.")))]
#[post("/v1/bids/{bid}/actions/evaluate")]
pub async fn evaluate_bid(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<JudgedPath>,
    key: IdempotencyKey,
    body: Body<NewJudgement>,
) -> Result<HttpResponse, Error> {
    let (bid, new, org) = (path.into_inner().bid, body.value, caller.org_id.clone());
    let context = caller.context(body.received_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| ops::evaluate(tx, &org, &bid, &new))
        .await?;
    Ok(reply::done(&answer))
}

/// Whether everybody may see the evaluation: from the publication of the candidates, or from the award.
fn is_published(state: State) -> bool {
    matches!(state, State::Publicity | State::Awardable | State::Awarded | State::Published | State::Concluded)
}

fn may_see(lot: &Lot, caller: Option<&Caller>) -> bool {
    let opened = lot.row.unsealed_for.as_deref() == Some("all");
    let official = caller.is_some_and(|caller| {
        caller.org_id == lot.initiator || caller.has(Role::Centre) || caller.has(Role::Inspector)
    });
    opened && (is_published(lot.state) || official)
}

/// Shows the evaluation of a lot: judgements, ranking, rejected bids, report, objections.
///
/// For the initiator, the centre and inspectors from the opening on; for everybody once the candidates or the award are
/// published. The initiator and inspectors see the reserve price of a land lot before there is a deal; each such look is on
/// record first.
#[utoipa::path(tag = "evaluation", operation_id = "get_evaluation", params(LotPath),
    responses((status = 200, body = EvaluationView, description = "The evaluation.")))]
#[get("/v1/lots/{lot}/evaluation")]
pub async fn get_evaluation(
    app: web::Data<App>,
    caller: MaybeCaller,
    path: web::Path<LotPath>,
) -> Result<HttpResponse, Error> {
    let (id, caller) = (path.into_inner().lot, caller.0);
    let asks = caller.as_ref().map(|caller| caller.context(caller.meta.started_at));
    let (lot, view) = app
        .reader
        .read(move |conn| {
            let lot = lots::queries::lot(conn, &id)?;
            let caller = caller.as_ref();
            if !may_see(&lot, caller) {
                return Err(refusals::not_found().into());
            }
            let knows = caller.is_some_and(|caller| caller.org_id == lot.initiator || caller.has(Role::Inspector));
            let view = evaluation(conn, &lot, knows || is_reserve_public(&lot))?;
            Ok((lot, view))
        })
        .await?;
    if view.bound == PriceBound::SealedReserve && view.limit.is_some() {
        reserve::note_look(&app.ledger, asks, &lot, "GET /v1/lots/{lot}/evaluation").await?;
    }
    Ok(HttpResponse::Ok().json(view))
}

/// Opens the prices of the bids that passed the first of two envelopes (ENG-40).
///
/// For the initiator, when every bid is judged by its first envelope and at least one is responsive. Who passed and who did not is
/// published, the second round of the opening begins at once, and prices of the others stay sealed for good.
#[utoipa::path(tag = "evaluation", operation_id = "open_prices", request_body = Lines, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "The second round has begun."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 409, body = Problem, content_type = "application/problem+json", description = "There is no second envelope, a bid is not judged, none passed, a hold is in force, or the state forbids it."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Too many lines.")))]
#[post("/v1/lots/{lot}/actions/open-prices")]
pub async fn open_prices(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Lines>,
) -> Result<HttpResponse, Error> {
    judged(app, caller, path, key, body, ops::open_prices).await
}

/// Files the evaluation report and completes the evaluation.
///
/// For the initiator, when every opened bid is judged and at least one is responsive. The ranking is computed and kept
/// with the report.
#[utoipa::path(tag = "evaluation", operation_id = "complete_evaluation", request_body = Lines, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Filed."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 409, body = Problem, content_type = "application/problem+json", description = "A bid is not judged, none is responsive, a hold is in force, or the state forbids it."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Too many lines.")))]
#[post("/v1/lots/{lot}/actions/complete-evaluation")]
pub async fn complete_evaluation(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Lines>,
) -> Result<HttpResponse, Error> {
    judged(app, caller, path, key, body, ops::complete).await
}

/// What concludes a judgement: lines in words, and a lot that moves on.
type Concludes = fn(&mut Tx<'_>, &Keys, &str, &Actor, &[String]) -> Result<Lot, Error>;

async fn judged(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Lines>,
    concludes: Concludes,
) -> Result<HttpResponse, Error> {
    let (lot, lines, keys, actor) = (path.into_inner().lot, body.value.lines, app.keys.clone(), caller.actor());
    let context = caller.context(body.received_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| {
            Ok(view(&concludes(tx, &keys, &lot, &actor, &lines)?))
        })
        .await?;
    Ok(reply::done(&answer))
}

/// Publishes the candidates: the first three of the ranking with their prices.
///
/// For the initiator of a lot whose edition has a publicity of candidates, within three days of the report. Its days begin.
#[utoipa::path(tag = "evaluation", operation_id = "publish_candidates", request_body = Lines, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Published."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 409, body = Problem, content_type = "application/problem+json", description = "No report, a hold is in force, or the state or the edition forbids it.")))]
#[post("/v1/lots/{lot}/actions/publish-candidates")]
pub async fn publish_candidates(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Lines>,
) -> Result<HttpResponse, Error> {
    check_report(&body.value.lines)?;
    let act = Act { lines: body.value.lines, ..Act::of(Request::of(Event::PublishCandidates)) };
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, act).await
}

/// Awards a lot.
///
/// For the initiator, to the first of the ranking, or to a later one for a listed cause. The price follows from the rules:
/// the price that was offered, or for a single offer the higher of offer and asking price.
#[utoipa::path(tag = "evaluation", operation_id = "award_lot", request_body = NewAward, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Awarded; every bidder is told."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 409, body = Problem, content_type = "application/problem+json", description = "The publicity runs, an objection is open, the reserve is not reached, or the state forbids it."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not in the ranking, or not its first without a listed cause.")))]
#[post("/v1/lots/{lot}/actions/award")]
pub async fn award_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NewAward>,
) -> Result<HttpResponse, Error> {
    let (lot, new, keys, actor) = (path.into_inner().lot, body.value, app.keys.clone(), caller.actor());
    if let Some(reason) = &new.reason {
        check_text("reason", reason, limits::TEXT_LEN)?;
    }
    let context = caller.context(body.received_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| {
            Ok(view(&ops::award(tx, &keys, &lot, &actor, &new)?))
        })
        .await?;
    Ok(reply::done(&answer))
}

/// Publishes the result: the awardee and the price.
///
/// For the initiator, after the award.
#[utoipa::path(tag = "evaluation", operation_id = "publish_result", request_body = Lines, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Published."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot.")))]
#[post("/v1/lots/{lot}/actions/publish-result")]
pub async fn publish_result(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<Lines>,
) -> Result<HttpResponse, Error> {
    check_report(&body.value.lines)?;
    let act = Act { lines: body.value.lines, ..Act::of(Request::of(Event::PublishResult)) };
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, act).await
}

/// Ends an opened lot without a result.
///
/// For the initiator, for a cause of the edition that fits the evaluation, such as every offer being below the reserve
/// price. Every bid must be judged first.
#[utoipa::path(tag = "evaluation", operation_id = "declare_unsuccessful", request_body = NoResult, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Ended; every bidder is told."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not your lot."), (status = 409, body = Problem, content_type = "application/problem+json", description = "A hold is in force, or the state forbids it."), (status = 422, body = Problem, content_type = "application/problem+json", description = "The cause does not fit.")))]
#[post("/v1/lots/{lot}/actions/declare-unsuccessful")]
pub async fn declare_unsuccessful(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NoResult>,
) -> Result<HttpResponse, Error> {
    let NoResult { cause, reason } = body.value;
    let act = Act::of(Request { cause: Some(cause), reason: Some(reason), ..Request::of(Event::DeclareUnsuccessful) });
    perform(&app, caller, path.into_inner().lot, key, body.received_at, body.hash, act).await
}
