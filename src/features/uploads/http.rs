//! Routes of uploads.

use actix_web::{HttpResponse, get, post, put, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::content_digest::ContentDigest;
use super::model::{NewUpload, OPEN, Upload, UploadRow};
use super::{ops, storage};
use crate::app::App;
use crate::faults::Point;
use crate::features::lots::http::LotPath;
use crate::features::restoration;
use crate::http::extract::{Body, Caller, IdempotencyKey, read_body};
use crate::http::problem::Problem;
use crate::http::reply;
use crate::kernel::digest::sha256;
use crate::ledger::{Answer, Error};
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create_upload).service(put_chunk).service(get_upload).service(complete_upload);
}

/// An upload's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UploadPath {
    /// The upload.
    pub upload: String,
}

/// A chunk of an upload in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ChunkPath {
    /// The upload.
    pub upload: String,
    /// The chunk, counted from 0.
    pub n: u32,
}

/// Announces an upload to a lot.
///
/// Bidders upload the sealed parts of a bid from the notice until the deadline; the initiator uploads documents before the
/// bidding closes, and the sealed reserve price before the deadline. Then send the chunks, complete the upload, and attach
/// it: by the bid's header, or as a document. Quotas count bytes, so repeating a chunk costs nothing.
#[utoipa::path(tag = "bids", operation_id = "create_upload", request_body = NewUpload, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = Upload, description = "Send the chunks."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Another role's purpose."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No lot that you may see."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Not now, not confirmed, or beyond the quota."), (status = 422, body = Problem, content_type = "application/problem+json", description = "The size is out of bounds."), (status = 503, body = Problem, content_type = "application/problem+json", description = "No room.")))]
#[post("/v1/lots/{lot}/uploads")]
pub async fn create_upload(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NewUpload>,
) -> Result<HttpResponse, Error> {
    let (new, lot_id, actor) = (body.value, path.into_inner().lot, caller.actor());
    ops::check(&new)?;
    let context = caller.context(body.received_at);
    let answer: Answer<Upload> = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| ops::create(tx, &actor, &lot_id, &new))
        .await?;
    let id = answer.value.id.to_string();
    if !answer.replayed {
        app.faults.reach(Point::UploadRow);
        let row = storage::own(&app, &caller.org_id, &id).await?;
        storage::prepare(&app, row).await?;
    }
    Ok(reply::created(&answer, &format!("/v1/uploads/{id}")))
}

/// Refuses chunks of an upload that takes no more: one that is complete, unless it was damaged since.
async fn check_takes(app: &App, row: &UploadRow) -> Result<(), Error> {
    if row.state == OPEN { Ok(()) } else { restoration::storage::check_wanted(app, row).await.map(drop) }
}

/// Sends a chunk.
///
/// In any order, and again as often as needed. The body has `chunk_bytes` bytes, in the last chunk what is left, and
/// `Content-Digest` (RFC 9530) lets damage on the way be noticed. Of a complete upload only what its `needs_restoration`
/// asks for is taken, and only exactly as it was sent before.
#[utoipa::path(tag = "bids", operation_id = "put_chunk", params(ChunkPath, ("Content-Digest" = String, Header, description = "sha-256=:base64:")), request_body(content = Vec<u8>, content_type = "application/octet-stream"), security(("bearer" = [])),
    responses((status = 204, description = "Stored."), (status = 400, body = Problem, content_type = "application/problem+json", description = "The digest is missing or does not fit."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "The upload is complete, or its leaf hashes are needed first."), (status = 413, body = Problem, content_type = "application/problem+json", description = "Longer than the chunk."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No such chunk, of another length, or other bytes than before."), (status = 503, body = Problem, content_type = "application/problem+json", description = "No room.")))]
#[put("/v1/uploads/{upload}/chunks/{n}")]
pub async fn put_chunk(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<ChunkPath>,
    digest: ContentDigest,
    payload: web::Payload,
) -> Result<HttpResponse, Error> {
    let ChunkPath { upload, n } = path.into_inner();
    let row = storage::own(&app, &caller.org_id, &upload).await?;
    check_takes(&app, &row).await?;
    let expected =
        row.chunk_len(n).ok_or_else(|| refusals::body_invalid(&format!("chunk: 0 to {}", row.chunks() - 1)))?;
    let bytes = read_body(payload.into_inner(), expected).await?;
    if bytes.len() != expected {
        return Err(refusals::body_invalid(&format!("chunk {n} has {expected} bytes, not {}", bytes.len())).into());
    }
    // A slow body may have outlived the upload's completion, after which its bytes stand.
    let row = storage::own(&app, &caller.org_id, &upload).await?;
    if row.state == OPEN {
        storage::receive(&app, row, n, bytes, digest.0).await?;
    } else {
        let context = caller.context(app.clock.now());
        restoration::storage::receive(&app, context, row, n, bytes, digest.0).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Shows an upload and what it still lacks.
#[utoipa::path(tag = "bids", operation_id = "get_upload", params(UploadPath), security(("bearer" = [])),
    responses((status = 200, body = Upload, description = "The upload, with its missing chunks."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload of yours.")))]
#[get("/v1/uploads/{upload}")]
pub async fn get_upload(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<UploadPath>,
) -> Result<HttpResponse, Error> {
    let row = storage::own(&app, &caller.org_id, &path.into_inner().upload).await?;
    let missing = storage::missing(&app, &row).await?;
    let asked = row.clone();
    let wanted = app.reader.read(move |conn| restoration::queries::wanted(conn, &asked)).await?;
    Ok(HttpResponse::Ok().json(Upload { needs_restoration: wanted.map(Into::into), ..ops::view(&row, missing)? }))
}

/// Completes an upload.
///
/// Its bytes are then safely on disk and are those declared, by size and root. Repeating it is fine. What is refused for
/// missing chunks may be repeated once they are sent.
#[utoipa::path(tag = "bids", operation_id = "complete_upload", params(UploadPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = Upload, description = "Complete."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Chunks are missing; the detail names them."), (status = 422, body = Problem, content_type = "application/problem+json", description = "The chunks are not those declared.")))]
#[post("/v1/uploads/{upload}/actions/complete")]
pub async fn complete_upload(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<UploadPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().upload;
    let row = storage::own(&app, &caller.org_id, &id).await?;
    if row.state == OPEN {
        storage::settle(&app, row).await?;
        app.faults.reach(Point::UploadSynced);
    }
    let hash = sha256(format!("complete {id}").as_bytes());
    let (context, org) = (caller.context(caller.meta.started_at), caller.org_id.clone());
    let answer = app.ledger.commit_once(context, key.of(&caller, hash), move |tx| ops::complete(tx, &org, &id)).await?;
    Ok(reply::done(&answer))
}
