//! Registering and editing a lot.

use actix_web::{HttpResponse, post, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::LotPath;
use crate::app::App;
use crate::features::lots::model::LotTerms;
use crate::features::lots::ops;
use crate::features::lots::view::{LotView, view};
use crate::features::projects;
use crate::http::extract::{Body, Caller, IdempotencyKey, IfMatch};
use crate::http::problem::Problem;
use crate::http::reply;
use crate::kernel::id::ProjectId;
use crate::ledger::Error;
use crate::rules::editions::Category;

/// A new lot.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLot {
    /// Its project, one of your own.
    pub project_id: ProjectId,
    /// What is traded: decides the edition of the rules.
    pub category: Category,
    /// Title.
    pub title: String,
    /// What you state about it.
    pub terms: LotTerms,
}

/// What a draft states, anew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LotEdit {
    /// Title.
    pub title: String,
    /// What you state about it.
    pub terms: LotTerms,
}

/// Registers a lot as a draft.
///
/// For the initiator. The lot keeps the edition of the rules that is in force today. Attach the documents, then submit it
/// to the centre.
#[utoipa::path(tag = "lots", operation_id = "register_lot", request_body = NewLot, params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = LotView, description = "Registered."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such project of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Your organisation is not confirmed.")))]
#[post("/v1/lots")]
pub async fn register_lot(
    app: web::Data<App>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewLot>,
) -> Result<HttpResponse, Error> {
    let new = body.value;
    ops::check_terms(&new.title, &new.terms)?;
    let (context, org) = (caller.context(body.received_at), caller.org_id.clone());
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| {
            projects::ops::require_confirmed(tx.conn(), &org)?;
            Ok(view(&ops::register(tx, &org, new.project_id.as_str(), new.category, &new.title, &new.terms)?))
        })
        .await?;
    let location = format!("/v1/lots/{}", answer.value.id);
    Ok(reply::created(&answer, &location))
}

/// Replaces what a draft states.
#[utoipa::path(tag = "lots", operation_id = "edit_lot", request_body = LotEdit, params(LotPath, ("If-Match" = String, Header, description = "The ETag that you saw.")), security(("bearer" = [])),
    responses((status = 200, body = LotView, description = "Edited."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "No draft any more.")))]
#[put("/v1/lots/{lot}")]
pub async fn edit_lot(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    seen: IfMatch,
    body: Body<LotEdit>,
) -> Result<HttpResponse, Error> {
    let LotEdit { title, terms } = body.value;
    ops::check_terms(&title, &terms)?;
    let (context, org, id) = (caller.context(body.received_at), caller.org_id.clone(), path.into_inner().lot);
    let lot = app.ledger.commit(context, move |tx| ops::edit(tx, &org, &id, seen.0, &title, &terms)).await?;
    Ok(reply::versioned(&view(&lot), lot.row.version))
}
