//! Routes of looks before the opening.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{self, BreakGlassView, NewBreakGlass, SealedEntryView};
use super::{ops, queries};
use crate::app::App;
use crate::features::inspection::search::ops as search;
use crate::http::cursor;
use crate::http::extract::{Body, Caller, IdempotencyKey, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::ledger::Error;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(ask_break_glass)
        .service(list_break_glasses)
        .service(agree_break_glass)
        .service(withdraw_break_glass)
        .service(list_sealed_entries);
}

/// A look's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BreakGlassPath {
    /// The look before the opening.
    pub break_glass: String,
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassReason {
    /// Why.
    pub reason: String,
}

/// Asks to see before the opening that a lot's sealed entries exist.
///
/// For inspectors with a mandate for the lot in the matter. Another inspector of the same body has 24 hours to agree. On
/// record, not sealed: everybody who may read the record of the lot learns of it.
#[utoipa::path(tag = "inspection", operation_id = "ask_break_glass", request_body = NewBreakGlass, params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = BreakGlassView, description = "Asked for."), (status = 400, body = Problem, content_type = "application/problem+json", description = "No matter number."), (status = 403, body = Problem, content_type = "application/problem+json", description = "No mandate in force for the lot, or software."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Nothing of the lot is sealed any more."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[post("/v1/inspection/break-glasses")]
pub async fn ask_break_glass(
    app: web::Data<App>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewBreakGlass>,
) -> Result<HttpResponse, Error> {
    let (user, org, new) = (caller.person()?.clone(), caller.org_id.clone(), body.value);
    let context = caller.context(body.received_at);
    let work = move |tx: &mut crate::ledger::Tx<'_>| ops::ask(tx, &user, &org, &new);
    let answer = app.ledger.commit_once(context, key.of(&caller, body.hash), work).await?;
    Ok(reply::created(&answer, "/v1/inspection/break-glasses"))
}

/// Lists looks before the opening of the caller's body, newest first.
#[utoipa::path(tag = "inspection", operation_id = "list_break_glasses", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<BreakGlassView>, description = "A page."), (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor is not ours."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/break-glasses")]
pub async fn list_break_glasses(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let size = query.size()?;
    let list = "break-glasses";
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, list, text)).transpose()?.map(|(_, id)| id);
    let org = caller.org_id.to_string();
    let rows = app.reader.read(move |conn| queries::page(conn, &org, after.as_deref(), size)).await?;
    let next = cursor::next(&app.keys, list, rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(model::view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// Agrees, as the second person, to a look before the opening.
///
/// For another inspector of the same body with a mandate for the lot in the same matter. From now on, for two hours and
/// never past the opening, the one who asked may look.
#[utoipa::path(tag = "inspection", operation_id = "agree_break_glass", request_body = BreakGlassReason, params(BreakGlassPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = BreakGlassView, description = "Open."), (status = 403, body = Problem, content_type = "application/problem+json", description = "No mandate in force for the lot, or software."), (status = 404, body = Problem, content_type = "application/problem+json", description = "None of the caller's body."), (status = 409, body = Problem, content_type = "application/problem+json", description = "One's own, agreed to or withdrawn already, too late, or the lot is opened."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No reason.")))]
#[post("/v1/inspection/break-glasses/{break_glass}/actions/agree")]
pub async fn agree_break_glass(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<BreakGlassPath>,
    key: IdempotencyKey,
    body: Body<BreakGlassReason>,
) -> Result<HttpResponse, Error> {
    let (user, org, reason) = (caller.person()?.clone(), caller.org_id.clone(), body.value.reason);
    let (id, context) = (path.into_inner().break_glass, caller.context(body.received_at));
    let work = move |tx: &mut crate::ledger::Tx<'_>| ops::agree(tx, &user, &org, &id, &reason);
    let answer = app.ledger.commit_once(context, key.of(&caller, body.hash), work).await?;
    Ok(reply::done(&answer))
}

/// Withdraws a look before the opening.
///
/// For every inspector of the same body, before somebody agrees and after.
#[utoipa::path(tag = "inspection", operation_id = "withdraw_break_glass", request_body = BreakGlassReason, params(BreakGlassPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = BreakGlassView, description = "Withdrawn."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Software."), (status = 404, body = Problem, content_type = "application/problem+json", description = "None of the caller's body."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Withdrawn already."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No reason.")))]
#[post("/v1/inspection/break-glasses/{break_glass}/actions/withdraw")]
pub async fn withdraw_break_glass(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<BreakGlassPath>,
    key: IdempotencyKey,
    body: Body<BreakGlassReason>,
) -> Result<HttpResponse, Error> {
    caller.person()?;
    let (org, id, reason) = (caller.org_id.clone(), path.into_inner().break_glass, body.value.reason);
    let context = caller.context(body.received_at);
    let work = move |tx: &mut crate::ledger::Tx<'_>| ops::withdraw(tx, &org, &id, &reason);
    let answer = app.ledger.commit_once(context, key.of(&caller, body.hash), work).await?;
    Ok(reply::done(&answer))
}

/// Shows a lot's sealed entries as far as two persons may let somebody see them, newest first.
///
/// For the inspector who asked, once another has agreed, while it is open: kind, instant and part p; no organisation, no
/// user, no part c. The look is on record, once for all of its pages, before the first is shown.
#[utoipa::path(tag = "inspection", operation_id = "list_sealed_entries", params(BreakGlassPath, PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<SealedEntryView>, description = "A page."), (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor is not ours."), (status = 403, body = Problem, content_type = "application/problem+json", description = "The mandate has ended, or software."), (status = 404, body = Problem, content_type = "application/problem+json", description = "Not asked for by the caller."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Not agreed to, withdrawn, over, or the lot is opened."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/break-glasses/{break_glass}/entries")]
pub async fn list_sealed_entries(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<BreakGlassPath>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let (user, org, id) = (caller.person()?.clone(), caller.org_id.clone(), path.into_inner().break_glass);
    let size = query.size()?;
    let list = format!("sealed entries {id}");
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, &list, text)).transpose()?;
    if after.is_none() {
        let (user, org, id) = (user.clone(), org.clone(), id.clone());
        let context = caller.context(caller.meta.started_at);
        app.ledger.commit(context, move |tx| ops::look(tx, &user, &org, &id)).await?;
    }
    search::catch_up(&app).await?;
    let now = app.clock.now();
    let rows = app
        .reader
        .read(move |conn| {
            let row = queries::in_force(conn, &id, org.as_str(), user.as_str(), now)?;
            queries::sealed_entries(conn, &row.lot_id, after, size)
        })
        .await?;
    let last = rows.last().map(|row| (row.at_ms, row.entry_id.clone()));
    let next = cursor::next(&app.keys, &list, rows.len(), size, last)?;
    let items = rows.iter().map(model::sealed_view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}
