//! Whether the server lives and is ready, what time it has, and the keys by which its signatures are checked.

use actix_web::{HttpResponse, get, web};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::Problem;
use crate::app::App;
use crate::db::schema::meta;
use crate::features::lots::queries as lots;
use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::Timestamp;
use crate::ledger::Error;
use crate::refusals;

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
    /// The lot's deadline in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_at: Option<Timestamp>,
    /// The deadline in China.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_at_local: Option<String>,
    /// Milliseconds until the deadline; none are left from 0 down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<i64>,
    /// When a bid is in time, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Bilingual>,
}

/// When a bid is in time.
const BOUNDARY: Phrase = Phrase::new(
    "投标头的最后一个字节在截止时刻之前到达平台(以平台时钟为准)即为按时;恰在截止时刻到达即为逾期。文件可提前上传,提交投标头才是投标。",
    "A bid is in time when the last byte of its header reaches the platform before the deadline, by the platform's clock; at the deadline itself it is late. Files may be uploaded before; the header is the bid.",
);

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
/// For a load balancer: 503 while the database does not answer, while the server's clock differs too much from the one
/// that all servers share, and while it stops; the problem says which. Bids are refused then before their body is read.
#[utoipa::path(tag = "operation", operation_id = "get_ready",
    responses((status = 200, body = Health, description = "Ready."), (status = 503, body = Problem, description = "Not ready.", content_type = "application/problem+json")))]
#[get("/health/ready")]
pub async fn get_ready(app: web::Data<App>) -> Result<HttpResponse, Error> {
    app.instance.ready().map_err(refusals::not_ready)?;
    app.reader.read(|conn| Ok(meta::table.count().get_result::<i64>(conn)?)).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok".into() }))
}

/// A lot, for its deadline.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimeQuery {
    /// A public lot.
    pub lot: Option<String>,
}

/// Tells the platform's time, and for a lot how long it is until its deadline.
///
/// Deadlines are measured by this clock: a bid is in time when its last byte is in before the deadline. The deadline told
/// here is the one in force at this moment, after every extension.
#[utoipa::path(tag = "public", operation_id = "get_time", params(TimeQuery),
    responses((status = 200, body = Now, description = "The time."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No public lot."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No such parameter.")))]
#[get("/v1/time")]
pub async fn get_time(app: web::Data<App>, query: web::Query<TimeQuery>) -> Result<HttpResponse, Error> {
    let deadline_at = match query.into_inner().lot {
        None => None,
        Some(id) => Some(app.reader.read(move |conn| lots::public_deadline(conn, &id)).await?),
    };
    // Asked after the database, so that what is left is never more than it is.
    let now = app.clock.now();
    Ok(HttpResponse::Ok().json(Now {
        now,
        now_local: now.local(),
        deadline_at,
        deadline_at_local: deadline_at.map(Timestamp::local),
        remaining_ms: deadline_at.map(|deadline| deadline.millis() - now.millis()),
        rule: deadline_at.map(|_| BOUNDARY.into()),
    }))
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
        verifier: app.promise_verifier(),
    })
}
