//! Routes of notices.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::Notice;
use super::queries;
use crate::app::App;
use crate::features::lots::http::LotPath;
use crate::features::lots::queries as lots;
use crate::http::cursor;
use crate::http::extract::PageQuery;
use crate::http::problem::Problem;
use crate::http::reply::Page;
use crate::ledger::Error;
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_lot_notices).service(list_notices);
}

/// `?kind=`.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NoticeQuery {
    /// Only of this kind, such as `invitation`, `candidates` or `result`.
    pub kind: Option<String>,
    /// At most this many, 1 to 100.
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<String>,
}

/// Lists the notices of a lot, oldest first.
#[utoipa::path(tag = "public", operation_id = "list_lot_notices", params(LotPath),
    responses((status = 200, body = Page<Notice>, description = "All of them."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such public lot.")))]
#[get("/v1/lots/{lot}/notices")]
pub async fn list_lot_notices(app: web::Data<App>, path: web::Path<LotPath>) -> Result<HttpResponse, Error> {
    let lot_id = path.into_inner().lot;
    let id = lot_id.clone();
    let items = app.reader.ask(move |conn| queries::of_lot(conn, &id)).await?;
    // What was published is public by itself; the lot is only asked for where there is nothing.
    if items.is_empty() && !lots::is_public(app.reader.ask(move |conn| lots::lot(conn, &lot_id)).await?.state) {
        return Err(refusals::not_found().into());
    }
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// Lists the notices of all lots, newest first.
#[utoipa::path(tag = "public", operation_id = "list_notices", params(NoticeQuery),
    responses((status = 200, body = Page<Notice>, description = "A page.")))]
#[get("/v1/notices")]
pub async fn list_notices(app: web::Data<App>, query: web::Query<NoticeQuery>) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let size = PageQuery { limit: query.limit, after: None }.size()?;
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, "notices", text)).transpose()?;
    let items = app.reader.read(move |conn| queries::newest(conn, query.kind.as_deref(), after, size)).await?;
    let last = items.last().map(|notice| (notice.published_at.millis(), notice.id.to_string()));
    let next = cursor::next(&app.keys, "notices", items.len(), size, last)?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}
