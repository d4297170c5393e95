//! The route by which lost leaf hashes come back; chunks come back by the route by which they came.

use actix_web::{HttpResponse, put, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{queries, storage};
use crate::app::App;
use crate::features::uploads;
use crate::features::uploads::http::UploadPath;
use crate::features::uploads::model::{COMPLETE, Upload};
use crate::http::extract::{Caller, read_body};
use crate::http::problem::Problem;
use crate::kernel::digest::DIGEST_LEN;
use crate::ledger::Error;
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(put_leaves);
}

/// Sends the leaf hashes of a damaged upload again.
///
/// Only where `needs_restoration` of the upload asks for them. The body is the RFC 9162 leaf hash of every chunk in order,
/// 32 bytes each; it is taken if its root is the one that was declared. The answer names the chunks that are needed then.
/// Repeating it is fine while anything is asked for.
#[utoipa::path(tag = "bids", operation_id = "put_leaves", params(UploadPath), request_body(content = Vec<u8>, content_type = "application/octet-stream"), security(("bearer" = [])),
    responses((status = 200, body = Upload, description = "Taken; the upload, with what it still needs."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Nothing of it is asked for."), (status = 413, body = Problem, content_type = "application/problem+json", description = "More hashes than chunks."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not the hashes under the declared root."), (status = 503, body = Problem, content_type = "application/problem+json", description = "No room.")))]
#[put("/v1/uploads/{upload}/leaves")]
pub async fn put_leaves(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<UploadPath>,
    payload: web::Payload,
) -> Result<HttpResponse, Error> {
    let row = uploads::storage::own(&app, &caller.org_id, &path.into_inner().upload).await?;
    if row.state != COMPLETE {
        return Err(refusals::state_forbids(
            "上传尚未完成,请直接上传分块。",
            "The upload is not complete yet: send its chunks.",
        )
        .into());
    }
    storage::check_wanted(&app, &row).await?;
    let expected = usize::try_from(row.chunks()).unwrap_or(usize::MAX).saturating_mul(DIGEST_LEN);
    let bytes = read_body(payload.into_inner(), expected).await?;
    if bytes.len() != expected {
        return Err(refusals::body_invalid(&format!("leaves: {expected} bytes, not {}", bytes.len())).into());
    }
    storage::receive_leaves(&app, caller.context(app.clock.now()), row.clone(), bytes).await?;
    let asked = row.clone();
    let wanted = app.reader.read(move |conn| queries::wanted(conn, &asked)).await?;
    let upload = Upload { needs_restoration: wanted.map(Into::into), ..uploads::ops::view(&row, Vec::new())? };
    Ok(HttpResponse::Ok().json(upload))
}
