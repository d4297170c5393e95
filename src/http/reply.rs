//! Answers in one form: 201 or 200 with JSON, `ETag` for what can change, a mark for what was answered before.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::ledger::Answer;

/// A page of a list.
#[derive(Clone, Debug, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to pass as `after` for the next page; null at the end.
    pub next: Option<String>,
}

/// 201 with what was made; `location` is its address.
pub fn created<T: Serialize>(answer: &Answer<T>, location: &str) -> HttpResponse {
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, location.to_owned()));
    with_replay(&mut response, answer.replayed).json(&answer.value)
}

/// 200 with the result of an act.
pub fn done<T: Serialize>(answer: &Answer<T>) -> HttpResponse {
    with_replay(&mut HttpResponse::Ok(), answer.replayed).json(&answer.value)
}

/// 200 with something that changes, under its version.
pub fn versioned<T: Serialize>(value: &T, version: i64) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, etag(version))).json(value)
}

/// The `ETag` of a version.
pub fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

/// Marks an answer that was given before.
pub fn with_replay(response: &mut HttpResponseBuilder, replayed: bool) -> &mut HttpResponseBuilder {
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    response
}
