//! The two calls of a witness.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::{AddError, Witness};
use crate::kernel::digest::Digest;

/// The type of an answer that is a size.
const SIZE_TYPE: &str = "text/x.tlog.size";
/// The type of every other answer.
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/add-checkpoint", web::post().to(add_checkpoint))
        .route("/checkpoint/{origin}", web::get().to(latest));
}

async fn add_checkpoint(witness: web::Data<Witness>, body: web::Bytes) -> HttpResponse {
    // Writing down what was seen waits for a disk.
    let judged = web::block(move || match std::str::from_utf8(&body) {
        Ok(text) => witness.add(text),
        Err(_) => Err(super::judge::Refusal::Malformed.into()),
    });
    let refused = |status: u16| HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST));
    match judged.await {
        Ok(Ok(line)) => HttpResponse::Ok().content_type(TEXT_TYPE).body(line),
        Ok(Err(AddError::Refused(super::judge::Refusal::Conflict(size)))) => {
            refused(409).content_type(SIZE_TYPE).body(format!("{size}\n"))
        }
        Ok(Err(AddError::Refused(refusal))) => {
            refused(refusal.status()).content_type(TEXT_TYPE).body(format!("{refusal}\n"))
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "nothing was cosigned");
            refused(500)
                .content_type(TEXT_TYPE)
                .body("the state of this witness cannot be relied on; nothing was cosigned\n")
        }
        Err(_) => refused(503).content_type(TEXT_TYPE).body("busy; ask again\n"),
    }
}

async fn latest(witness: web::Data<Witness>, origin: web::Path<String>) -> HttpResponse {
    match origin.parse::<Digest>().ok().and_then(|origin| witness.latest(&origin)) {
        Some(note) => {
            HttpResponse::Ok().content_type(TEXT_TYPE).insert_header(("Cache-Control", "no-store")).body(note)
        }
        None => HttpResponse::NotFound().content_type(TEXT_TYPE).body("nothing was cosigned for this origin\n"),
    }
}
