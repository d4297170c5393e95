//! Routes of messages.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{MailView, STATES, view};
use super::{ops, queries};
use crate::app::App;
use crate::http::cursor;
use crate::http::extract::{Caller, IdempotencyKey, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::kernel::digest::sha256;
use crate::ledger::Error;
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_mails).service(retry_mail);
}

/// `?state=`.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MailQuery {
    /// `waiting`, `sent`, `withheld` or `failed`.
    pub state: Option<String>,
    /// At most this many, 1 to 100.
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<String>,
}

/// A message's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MailPath {
    /// The message.
    pub mail: String,
}

/// Lists messages, newest first.
///
/// For administrators, to see what waits and what could not be sent. Texts are never shown. A message about sealed facts
/// is listed once its lot is opened, without its recipient.
#[utoipa::path(tag = "operation", operation_id = "list_mails", params(MailQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<MailView>, description = "A page."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No such state.")))]
#[get("/v1/mails")]
pub async fn list_mails(
    app: web::Data<App>,
    _caller: Caller,
    query: web::Query<MailQuery>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    if query.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        return Err(refusals::body_invalid(&format!("state: one of {}", STATES.join(", "))).into());
    }
    let size = PageQuery { limit: query.limit, after: None }.size()?;
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, "mails", text)).transpose()?;
    let rows = app.reader.read(move |conn| queries::newest(conn, query.state.as_deref(), after, size)).await?;
    let last = rows.last().map(|row| (row.created_at, row.id.clone()));
    let next = cursor::next(&app.keys, "mails", rows.len(), size, last)?;
    Ok(HttpResponse::Ok().json(Page { items: rows.iter().map(view).collect(), next }))
}

/// Lets a failed message be tried again.
///
/// For administrators, once the reason is mended: a mail server that was down, an address that was corrected there.
#[utoipa::path(tag = "operation", operation_id = "retry_mail", params(MailPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = MailView, description = "It waits again."), (status = 409, body = Problem, content_type = "application/problem+json", description = "It has not failed.")))]
#[post("/v1/mails/{mail}/actions/retry")]
pub async fn retry_mail(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<MailPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().mail;
    let hash = sha256(format!("retry {id}").as_bytes());
    let context = caller.context(caller.meta.started_at);
    let answer = app.ledger.commit_once(context, key.of(&caller, hash), move |tx| ops::retry(tx, &id)).await?;
    Ok(reply::done(&answer))
}
