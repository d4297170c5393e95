//! Routes of custodians.

use actix_web::{HttpResponse, get, put, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{self, CustodianView, NewCustodian};
use super::{ops, queries};
use crate::app::App;
use crate::http::cursor;
use crate::http::extract::{Body, Caller, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::ledger::Error;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(put_custodian).service(list_custodians);
}

/// Registers the caller as a custodian, with its keys.
///
/// For persons with the role `custodian`; the same keys may be sent again. The signing key is registered before (`POST /v1/signing-keys`). `pok` proves knowledge
/// of the private half of `kem`, as `sealbid custodian init` makes it. Ceremonies that are being held keep the keys they began with.
#[utoipa::path(tag = "custodians", operation_id = "put_custodian", request_body = NewCustodian, security(("bearer" = [])),
    responses((status = 200, body = CustodianView, description = "Registered."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Software."), (status = 422, body = Problem, content_type = "application/problem+json", description = "A key is not the caller's, or its proof does not hold.")))]
#[put("/v1/custodians/me")]
pub async fn put_custodian(
    app: web::Data<App>,
    caller: Caller,
    body: Body<NewCustodian>,
) -> Result<HttpResponse, Error> {
    let (user, org, new) = (caller.person()?.clone(), caller.org_id.clone(), body.value);
    // The same keys again put nothing on record.
    let work = move |tx: &mut crate::ledger::Tx<'_>| ops::register(tx, &user, &org, &new);
    let view = app.ledger.commit_beside(caller.context(body.received_at), work).await?;
    Ok(reply::versioned(&view, view.version))
}

/// Lists custodians.
///
/// An initiator names them in the draft of a ceremony.
#[utoipa::path(tag = "custodians", operation_id = "list_custodians", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<CustodianView>, description = "A page."), (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor is not ours."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/custodians")]
pub async fn list_custodians(app: web::Data<App>, query: web::Query<PageQuery>) -> Result<HttpResponse, Error> {
    let (size, list) = (query.size()?, "custodians");
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, list, text)).transpose()?.map(|(_, id)| id);
    let rows = app.reader.read(move |conn| queries::page(conn, after.as_deref(), size)).await?;
    let next = cursor::next(&app.keys, list, rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(model::view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}
