//! Routes of ceremonies.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{Abandonment, BackupsView, CeremonyView, NewCeremony, NewMessage};
use super::{ops, queries};
use crate::app::App;
use crate::faults::Point;
use crate::features::lots::http::LotPath;
use crate::http::extract::{Body, Caller, IdempotencyKey};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::ledger::{Error, Tx};
use crate::limits;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(begin_ceremony)
        .service(list_ceremonies)
        .service(list_my_ceremonies)
        .service(get_ceremony)
        .service(speak_in_ceremony)
        .service(get_my_backups)
        .service(abandon_ceremony);
}

/// A ceremony's id in a path.
#[derive(Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CeremonyPath {
    /// The ceremony.
    pub ceremony: String,
}

/// Begins a ceremony in which custodians make the key of a lot.
///
/// For the lot's initiator, before the notice, where the lot's `key_mode` needs custodians. The draft names the members as they
/// are registered (`GET /v1/custodians`), how many of them open, and the moment before which they do not. No institution may
/// have so many seats that it could open alone or prevent the opening.
#[utoipa::path(tag = "custodians", operation_id = "begin_ceremony", request_body = NewCeremony, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = CeremonyView, description = "Begun; its members commit."), (status = 404, body = Problem, content_type = "application/problem+json", description = "Not a lot of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "The lot is published, needs no custodians, or has a ceremony."), (status = 422, body = Problem, content_type = "application/problem+json", description = "The draft is not in order.")))]
#[post("/v1/lots/{lot}/ceremonies")]
pub async fn begin_ceremony(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NewCeremony>,
) -> Result<HttpResponse, Error> {
    let (actor, org, lot, draft) = (caller.actor(), caller.org_id.clone(), path.into_inner().lot, body.value.draft);
    let work = move |tx: &mut Tx<'_>| ops::begin(tx, &actor, &org, &lot, &draft);
    let answer = app.ledger.commit_once(caller.context(body.received_at), key.of(&caller, body.hash), work).await?;
    Ok(reply::created(&answer, &format!("/v1/ceremonies/{}", answer.value.id)))
}

/// Lists the ceremonies of a lot, newest first.
///
/// Everything of a ceremony is public, so that everybody can check where a key comes from.
#[utoipa::path(tag = "custodians", operation_id = "list_ceremonies", params(LotPath),
    responses((status = 200, body = Page<CeremonyView>, description = "All of them.")))]
#[get("/v1/lots/{lot}/ceremonies")]
pub async fn list_ceremonies(app: web::Data<App>, path: web::Path<LotPath>) -> Result<HttpResponse, Error> {
    let lot = path.into_inner().lot;
    let items = app
        .reader
        .read(move |conn| {
            let ceremonies = queries::of_lot(conn, &lot)?;
            ceremonies.iter().map(|ceremony| ops::view(conn, ceremony)).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// Lists the ceremonies that are being held or have a key and name the caller, newest first.
#[utoipa::path(tag = "custodians", operation_id = "list_my_ceremonies", security(("bearer" = [])),
    responses((status = 200, body = Page<CeremonyView>, description = "The newest hundred.")))]
#[get("/v1/ceremonies/mine")]
pub async fn list_my_ceremonies(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Error> {
    let user = caller.person()?.clone();
    let items = app
        .reader
        .read(move |conn| {
            let ceremonies = queries::of_user(conn, user.as_str(), limits::CEREMONIES_LISTED)?;
            ceremonies.iter().map(|ceremony| ops::view(conn, ceremony)).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// Shows a ceremony, with every message.
#[utoipa::path(tag = "custodians", operation_id = "get_ceremony", params(CeremonyPath),
    responses((status = 200, body = CeremonyView, description = "The ceremony."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such ceremony.")))]
#[get("/v1/ceremonies/{ceremony}")]
pub async fn get_ceremony(app: web::Data<App>, path: web::Path<CeremonyPath>) -> Result<HttpResponse, Error> {
    let id = path.into_inner().ceremony;
    let view = app
        .reader
        .read(move |conn| {
            let ceremony = queries::ceremony(conn, &id)?;
            ops::view(conn, &ceremony)
        })
        .await?;
    Ok(reply::versioned(&view, view.version))
}

/// Takes a member's message: a commitment, round 1, round 2, its acceptance, a complaint, or its rehearsal.
///
/// For the custodian that the message names, as `sealbid custodian` sends it; the typ of the signed object says which step it
/// belongs to. The same message again is answered as the first time; another one for the same step is refused. With the
/// acceptance come the member's shares, sealed to its own long-term key. A complaint ends the ceremony and names who is at fault.
#[utoipa::path(tag = "custodians", operation_id = "speak_in_ceremony", request_body = NewMessage, params(CeremonyPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = CeremonyView, description = "Taken; how the ceremony stands now."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Not that member, or software."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such ceremony."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Not this step, another message was sent before, or the time has run out."), (status = 422, body = Problem, content_type = "application/problem+json", description = "The message is not right; the problem says what.")))]
#[post("/v1/ceremonies/{ceremony}/messages")]
pub async fn speak_in_ceremony(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<CeremonyPath>,
    key: IdempotencyKey,
    body: Body<NewMessage>,
) -> Result<HttpResponse, Error> {
    let (actor, user, id, new) = (caller.actor(), caller.person()?.clone(), path.into_inner().ceremony, body.value);
    let keys = app.keys.clone();
    let faults = app.faults.clone();
    let work = move |tx: &mut Tx<'_>| {
        let heard = ops::speak(tx, &keys, &actor, &user, &id, &new)?;
        faults.reach(Point::CeremonyHeard);
        Ok(heard)
    };
    let answer = app.ledger.commit_once(caller.context(body.received_at), key.of(&caller, body.hash), work).await?;
    app.faults.reach(Point::CeremonyStored);
    Ok(reply::done(&answer))
}

/// Fetches the caller's own shares, sealed to its own long-term key.
///
/// For a member whose file is lost and whose long-term key is not.
#[utoipa::path(tag = "custodians", operation_id = "get_my_backups", params(CeremonyPath), security(("bearer" = [])),
    responses((status = 200, body = BackupsView, description = "The sealed shares."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Software."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such ceremony, not a member, or not accepted.")))]
#[get("/v1/ceremonies/{ceremony}/backups/mine")]
pub async fn get_my_backups(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<CeremonyPath>,
) -> Result<HttpResponse, Error> {
    let (user, id) = (caller.person()?.clone(), path.into_inner().ceremony);
    let view = app.reader.read(move |conn| ops::backups(conn, &user, &id)).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Gives a ceremony up that has no key yet.
#[utoipa::path(tag = "custodians", operation_id = "abandon_ceremony", request_body = Abandonment, params(CeremonyPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = CeremonyView, description = "Given up."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such ceremony."), (status = 409, body = Problem, content_type = "application/problem+json", description = "It has ended, or has a key."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No reason.")))]
#[post("/v1/ceremonies/{ceremony}/actions/abandon")]
pub async fn abandon_ceremony(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<CeremonyPath>,
    key: IdempotencyKey,
    body: Body<Abandonment>,
) -> Result<HttpResponse, Error> {
    let (actor, id, reason) = (caller.actor(), path.into_inner().ceremony, body.value.reason);
    let work = move |tx: &mut Tx<'_>| ops::abandon(tx, &actor, &id, &reason);
    let answer = app.ledger.commit_once(caller.context(body.received_at), key.of(&caller, body.hash), work).await?;
    Ok(reply::done(&answer))
}
