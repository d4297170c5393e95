//! Routes of erasure.

use actix_web::{HttpResponse, get, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{self, ErasureView, NewErasure};
use super::{ops, purge, queries};
use crate::app::App;
use crate::features::inspection::search::ops as search;
use crate::http::cursor;
use crate::http::extract::{Body, Caller, IdempotencyKey, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::ledger::Error;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(erase_personal).service(list_erasures);
}

/// Erases the personal parts of a user's entries, or of one entry.
///
/// For administrators. Name, address and program in the part i of entries go; its digest stays, so that everything else of the
/// record still proves. What belongs to a lot that is not settled is evidence and goes when the lot is settled, without
/// being asked again. On record as `personal.erased`; the person is named in the restricted part alone. Copies in backups
/// are not reached.
#[utoipa::path(tag = "accounts", operation_id = "erase_personal", request_body = NewErasure, params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = ErasureView, description = "Erased, and standing for what is evidence still."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Software."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such entry, or sealed still."), (status = 409, body = Problem, content_type = "application/problem+json", description = "The entry's lot is not settled."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[post("/v1/erasures")]
pub async fn erase_personal(
    app: web::Data<App>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewErasure>,
) -> Result<HttpResponse, Error> {
    caller.person()?;
    let new = body.value;
    search::catch_up(&app).await?;
    let context = caller.context(body.received_at);
    let answer = app.ledger.commit_once(context, key.of(&caller, body.hash), move |tx| ops::erase(tx, &new)).await?;
    if let Err(error) = purge::empty_log(&app).await {
        tracing::warn!(error = %error, "the write-ahead log could not be emptied; the sweeper tries again");
    }
    Ok(reply::created(&answer, "/v1/erasures"))
}

/// Lists erasures, newest first.
#[utoipa::path(tag = "accounts", operation_id = "list_erasures", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<ErasureView>, description = "A page."), (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor is not ours."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/erasures")]
pub async fn list_erasures(
    app: web::Data<App>,
    _caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let size = query.size()?;
    let list = "erasures";
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, list, text)).transpose()?.map(|(_, id)| id);
    let rows = app.reader.read(move |conn| queries::page(conn, after.as_deref(), size)).await?;
    let next = cursor::next(&app.keys, list, rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(model::view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}
