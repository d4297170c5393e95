//! Whether the server lives and is ready, what time it has, and the keys by which its signatures are checked.

use actix_web::{HttpResponse, get, web};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::Problem;
use crate::app::App;
use crate::db::schema::meta;
use crate::kernel::time::Timestamp;
use crate::ledger::Error;
use crate::tlog::note;

/// The state of the server.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
}

/// The platform's time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Now {
    /// UTC, to the millisecond.
    pub now: Timestamp,
    /// The same instant in China.
    pub now_local: String,
}

/// The key by which receipts, refusals and key sets are checked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PlatformKey {
    /// Key id, as JWS headers name it.
    pub kid: String,
    /// `EdDSA`.
    pub alg: String,
    /// The public key, base64url.
    pub public_key: String,
    /// The same as a verifier key of signed notes.
    pub verifier: String,
}

/// Says that the process lives.
///
/// For a supervisor that restarts processes: looks at nothing else.
#[utoipa::path(tag = "operation", operation_id = "get_live", responses((status = 200, body = Health, description = "It lives.")))]
#[get("/health/live")]
pub async fn get_live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok".into() })
}

/// Says whether the server can do its work.
///
/// For a load balancer: 503 while the database does not answer.
#[utoipa::path(tag = "operation", operation_id = "get_ready",
    responses((status = 200, body = Health, description = "Ready."), (status = 503, body = Problem, description = "Not ready.", content_type = "application/problem+json")))]
#[get("/health/ready")]
pub async fn get_ready(app: web::Data<App>) -> Result<HttpResponse, Error> {
    app.reader.read(|conn| Ok(meta::table.count().get_result::<i64>(conn)?)).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok".into() }))
}

/// Tells the platform's time.
///
/// Deadlines are measured by this clock: a bid is in time when its last byte is in before the deadline.
#[utoipa::path(tag = "public", operation_id = "get_time", responses((status = 200, body = Now, description = "The time.")))]
#[get("/v1/time")]
pub async fn get_time(app: web::Data<App>) -> HttpResponse {
    let now = app.clock.now();
    HttpResponse::Ok().json(Now { now, now_local: now.local() })
}

/// The public keys of access tokens, as a JWK set.
#[utoipa::path(tag = "public", operation_id = "get_jwks", responses((status = 200, body = Object, description = "A JWK set.")))]
#[get("/.well-known/jwks.json")]
pub async fn get_jwks(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(app.tokens.jwks())
}

/// The key by which receipts, refusals and key sets are checked.
///
/// Keep it from a source that you trust: a receipt proves nothing against a key that came with it.
#[utoipa::path(tag = "public", operation_id = "get_platform_key", responses((status = 200, body = PlatformKey, description = "The key.")))]
#[get("/v1/platform-key")]
pub async fn get_platform_key(app: web::Data<App>) -> HttpResponse {
    let key = app.keys.promise.verifying_key();
    HttpResponse::Ok().json(PlatformKey {
        kid: key.key_id().to_string(),
        alg: key.algorithm().name().to_owned(),
        public_key: key.to_base64url(),
        verifier: note::verifier_key(&format!("{}/promise", app.origin()), &key.to_bytes()),
    })
}
