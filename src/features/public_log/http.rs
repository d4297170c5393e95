//! Routes of the public log (C2SP tlog-tiles).

use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::http::problem::Problem;
use crate::ledger::Error;
use crate::log::directory::{CHECKPOINT, DirectoryError};
use crate::refusals;
use crate::tlog::tiles::Tile;

/// What never changes once it is there.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Plain text.
const TEXT: &str = "text/plain; charset=utf-8";
/// Bytes.
const BYTES: &str = "application/octet-stream";
/// Lines of JSON.
const LINES: &str = "application/x-ndjson";

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_checkpoint).service(get_tile).service(get_keys).service(get_policy).service(get_disclosure);
}

/// Shows the head of the public log.
///
/// A signed checkpoint (C2SP tlog-checkpoint) with the cosignatures of its witnesses. A new one comes with every tick, whether
/// or not anything happened.
#[utoipa::path(tag = "log", operation_id = "get_checkpoint",
    responses((status = 200, body = String, content_type = "text/plain", description = "The checkpoint."), (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing is published yet.")))]
#[get("/audit/main/checkpoint")]
pub async fn get_checkpoint(app: web::Data<App>) -> Result<HttpResponse, Error> {
    let age = format!("public, max-age={}", (app.log.settings().tick_ms / 1000).max(1));
    file(&app, CHECKPOINT.into(), TEXT, &age).await
}

/// The path of a tile.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TilePath {
    /// `<level>/<number>[.p/<width>]` or `entries/<number>[.p/<width>]`, numbers in groups of three digits.
    pub tile: String,
}

/// Shows a tile of the public log, or a bundle of its entries.
///
/// As C2SP tlog-tiles has them. Each entry is 33 bytes: a version and a commitment, which tells nothing by itself.
#[utoipa::path(tag = "log", operation_id = "get_tile", params(TilePath),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "The tile."), (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tile.")))]
#[get("/audit/main/tile/{tile:.*}")]
pub async fn get_tile(app: web::Data<App>, path: web::Path<TilePath>) -> Result<HttpResponse, Error> {
    let tile = Tile::parse(&format!("tile/{}", path.tile)).ok_or_else(refusals::not_found)?;
    let log = app.log.clone();
    let bytes = app
        .blocking(move || match log.directory().tile(&tile) {
            Ok(bytes) => Ok(bytes),
            Err(DirectoryError::Missing(_)) => Err(refusals::not_found().into()),
            Err(error) => Err(error.into()),
        })
        .await?;
    Ok(answer(bytes, BYTES, FOREVER))
}

/// Shows the keys that sign, and have signed, checkpoints and promises.
///
/// A note that every key in use signs. Compare it with what you were given: keys prove nothing that come with what they prove.
#[utoipa::path(tag = "log", operation_id = "get_log_keys",
    responses((status = 200, body = String, content_type = "text/plain", description = "The keys."), (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing is published yet.")))]
#[get("/audit/main/keys")]
pub async fn get_keys(app: web::Data<App>) -> Result<HttpResponse, Error> {
    file(&app, "keys".into(), TEXT, "public, max-age=300").await
}

/// Shows what a checkpoint must carry before this platform publishes it.
///
/// A policy (C2SP tlog-policy) with the log's key, its witnesses and the quorum; tick and padding stand in its comments.
#[utoipa::path(tag = "log", operation_id = "get_log_policy",
    responses((status = 200, body = String, content_type = "text/plain", description = "The policy."), (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing is published yet.")))]
#[get("/audit/main/policy")]
pub async fn get_policy(app: web::Data<App>) -> Result<HttpResponse, Error> {
    file(&app, "policy".into(), TEXT, "public, max-age=300").await
}

/// The path of a disclosure.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DisclosurePath {
    /// `<lot>.ndjson`, or `<lot>.tlog-proof` for the proof that this file was made at that time; after a second round of the opening `<lot>-2.ndjson`
    /// and `<lot>-2.tlog-proof` as well.
    pub file: String,
}

/// Shows the published part of every entry of a lot, after its opening.
///
/// One line an entry, each of which can be checked against the log; the set of bids, as it was fixed before any key was used, is
/// among them.
#[utoipa::path(tag = "log", operation_id = "get_disclosure", params(DisclosurePath),
    responses((status = 200, body = String, content_type = "application/x-ndjson", description = "The entries."), (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing is disclosed of this lot.")))]
#[get("/audit/main/disclosures/{file}")]
pub async fn get_disclosure(app: web::Data<App>, path: web::Path<DisclosurePath>) -> Result<HttpResponse, Error> {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let kind = match path.file.rsplit_once('.') {
        Some((lot, "ndjson")) if plain(lot) => LINES,
        Some((lot, "tlog-proof")) if plain(lot) => TEXT,
        _ => return Err(refusals::not_found().into()),
    };
    file(&app, format!("disclosures/{}", path.file), kind, "public, max-age=300").await
}

async fn file(app: &web::Data<App>, name: String, kind: &str, cache: &str) -> Result<HttpResponse, Error> {
    let log = app.log.clone();
    let read = move || Ok(log.directory().read(&name)?);
    let bytes = app.blocking(read).await?.ok_or_else(refusals::not_found)?;
    Ok(answer(bytes, kind, cache))
}

fn answer(bytes: Vec<u8>, kind: &str, cache: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::CACHE_CONTROL, cache))
        // Hashes do not get smaller, and lengths that differ by chance would be one thing more to look at.
        .insert_header((header::CONTENT_ENCODING, ContentEncoding::Identity.as_str()))
        .body(bytes)
}
