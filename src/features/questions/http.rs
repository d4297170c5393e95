//! Routes of questions and objections.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{NewAnswer, NewQuestion, Question};
use super::ops;
use super::queries::{self, Viewer};
use crate::app::App;
use crate::features::accounts::ops::check_text;
use crate::features::lots::http::LotPath;
use crate::features::lots::model::Lot;
use crate::features::lots::queries as lots;
use crate::http::cursor;
use crate::http::extract::{Body, Caller, IdempotencyKey, MaybeCaller, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::kernel::role::Role;
use crate::ledger::Error;
use crate::limits;
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(ask_question).service(list_questions).service(answer_question);
}

/// A question's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct QuestionPath {
    /// The question.
    pub question: String,
}

/// Asks a question about the documents of a lot, or objects to them.
///
/// For bidders. Questions are taken until the deadline. An objection that is raised in time stops the procedure until its
/// answer; one that is raised too late is recorded as `inadmissible` with the rule that says so. Who asked is never shown.
#[utoipa::path(tag = "lots", operation_id = "ask_question", request_body = NewQuestion, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = Question, description = "On record; an objection may be inadmissible."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Your own lot."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such public lot."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Not any more, not confirmed, or too many.")))]
#[post("/v1/lots/{lot}/questions")]
pub async fn ask_question(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NewQuestion>,
) -> Result<HttpResponse, Error> {
    let (new, lot_id) = (body.value, path.into_inner().lot);
    check_text("text", &new.text, limits::TEXT_LEN)?;
    let (context, org, keys) = (caller.context(body.received_at), caller.org_id.clone(), app.keys.clone());
    let list = format!("/v1/lots/{lot_id}/questions");
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| ops::ask(tx, &keys, &org, &lot_id, &new))
        .await?;
    Ok(reply::created(&answer, &list))
}

/// Lists the questions of a lot, oldest first.
///
/// Everybody sees what is answered. The initiator also sees what is not, and an asker its own; nobody sees who asked.
#[utoipa::path(tag = "public", operation_id = "list_questions", params(LotPath, PageQuery),
    responses((status = 200, body = Page<Question>, description = "A page.")))]
#[get("/v1/lots/{lot}/questions")]
pub async fn list_questions(
    app: web::Data<App>,
    caller: MaybeCaller,
    path: web::Path<LotPath>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let (lot_id, size, caller) = (path.into_inner().lot, query.size()?, caller.0);
    let after =
        query.after.as_deref().map(|text| cursor::open(&app.keys, "questions", text)).transpose()?.map(|(_, id)| id);
    let own = caller.as_ref().map(|caller| caller.org_id.to_string());
    let rows = app
        .reader
        .read(move |conn| {
            let lot = lots::lot(conn, &lot_id)?;
            let viewer = viewer(&lot, caller.as_ref()).ok_or_else(refusals::not_found)?;
            queries::of_lot(conn, &lot_id, &viewer, after.as_deref(), size)
        })
        .await?;
    let next = cursor::next(&app.keys, "questions", rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items =
        rows.iter().map(|row| ops::view(row, own.as_ref() == Some(&row.org_id))).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// As whom a caller looks; none for a lot that it may not see.
fn viewer(lot: &Lot, caller: Option<&Caller>) -> Option<Viewer> {
    match caller {
        Some(caller) if caller.has(Role::Initiator) && caller.org_id == lot.initiator => Some(Viewer::Initiator),
        _ if !lots::is_public(lot.state) => None,
        Some(caller) => Some(Viewer::Org(caller.org_id.to_string())),
        None => Some(Viewer::Public),
    }
}

/// Answers a question, for everybody.
///
/// For the initiator. The answer is published with the question and sent to all who fetched the documents. What changes
/// the documents is published as a clarification instead. The answer to the last open objection lets the procedure go on;
/// if the deadline passed meanwhile, release the hold with a new one.
#[utoipa::path(tag = "lots", operation_id = "answer_question", request_body = NewAnswer, params(QuestionPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = Question, description = "Answered."), (status = 404, body = Problem, content_type = "application/problem+json", description = "None on a lot of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Nothing to answer.")))]
#[post("/v1/questions/{question}/actions/answer")]
pub async fn answer_question(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<QuestionPath>,
    key: IdempotencyKey,
    body: Body<NewAnswer>,
) -> Result<HttpResponse, Error> {
    let (text, id) = (body.value.answer, path.into_inner().question);
    check_text("answer", &text, limits::TEXT_LEN)?;
    let (context, org, keys) = (caller.context(body.received_at), caller.org_id.clone(), app.keys.clone());
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| ops::answer(tx, &keys, &org, &id, &text))
        .await?;
    Ok(reply::done(&answer))
}
