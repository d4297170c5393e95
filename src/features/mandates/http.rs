//! Routes of mandates.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{self, MandateView, NewMandate};
use super::{ops, queries};
use crate::app::App;
use crate::http::cursor;
use crate::http::extract::{Body, Caller, IdempotencyKey, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::kernel::role::Role;
use crate::ledger::Error;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(grant_mandate).service(list_mandates).service(end_mandate);
}

/// A mandate's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MandatePath {
    /// The mandate.
    pub mandate: String,
}

/// Why a mandate ends before its time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MandateEnd {
    /// Why.
    pub reason: String,
}

/// Grants an inspector a mandate.
///
/// For administrators, never for themselves. Without a mandate in force whose matter number it names, an inspector sees no
/// entry of the record. A mandate for `lots` shows entries of these lots alone; one for `all` shows also what belongs to
/// no lot.
#[utoipa::path(tag = "inspection", operation_id = "grant_mandate", request_body = NewMandate, params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = MandateView, description = "Granted."), (status = 400, body = Problem, content_type = "application/problem+json", description = "No matter number."), (status = 409, body = Problem, content_type = "application/problem+json", description = "To oneself, or too many in one matter."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[post("/v1/inspection/mandates")]
pub async fn grant_mandate(
    app: web::Data<App>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewMandate>,
) -> Result<HttpResponse, Error> {
    let new = body.value;
    let context = caller.context(body.received_at);
    let answer = app.ledger.commit_once(context, key.of(&caller, body.hash), move |tx| ops::grant(tx, &new)).await?;
    Ok(reply::created(&answer, "/v1/inspection/mandates"))
}

/// Lists mandates, newest first.
///
/// Administrators see all of them, inspectors their own.
#[utoipa::path(tag = "inspection", operation_id = "list_mandates", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<MandateView>, description = "A page."), (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor is not ours."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/mandates")]
pub async fn list_mandates(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let size = query.size()?;
    let after =
        query.after.as_deref().map(|text| cursor::open(&app.keys, "mandates", text)).transpose()?.map(|(_, id)| id);
    let user = (!caller.has(Role::Admin)).then(|| caller.user_id.to_string());
    let rows = app.reader.read(move |conn| queries::page(conn, user.as_deref(), after.as_deref(), size)).await?;
    let next = cursor::next(&app.keys, "mandates", rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(model::view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// Ends a mandate before its time.
#[utoipa::path(tag = "inspection", operation_id = "end_mandate", request_body = MandateEnd, params(MandatePath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = MandateView, description = "Ended."), (status = 404, body = Problem, content_type = "application/problem+json", description = "None."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Ended already."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No reason.")))]
#[post("/v1/inspection/mandates/{mandate}/actions/end")]
pub async fn end_mandate(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<MandatePath>,
    key: IdempotencyKey,
    body: Body<MandateEnd>,
) -> Result<HttpResponse, Error> {
    let (id, reason) = (path.into_inner().mandate, body.value.reason);
    let context = caller.context(body.received_at);
    let answer =
        app.ledger.commit_once(context, key.of(&caller, body.hash), move |tx| ops::end(tx, &id, &reason)).await?;
    Ok(reply::done(&answer))
}
