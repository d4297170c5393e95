//! Routes of projects.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{NewProject, Project};
use super::{ops, queries};
use crate::app::App;
use crate::http::cursor;
use crate::http::extract::{Body, Caller, IdempotencyKey, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::kernel::role::Role;
use crate::ledger::Error;
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(register_project).service(list_projects).service(get_project);
}

/// A project's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProjectPath {
    /// The project.
    pub project: String,
}

/// The organisation whose projects a caller sees; none for those who see all.
fn only_of(caller: &Caller) -> Option<String> {
    (!caller.has(Role::Centre) && !caller.has(Role::Inspector)).then(|| caller.org_id.to_string())
}

/// Registers a project.
///
/// For initiators of a confirmed organisation. Lots are registered under it.
#[utoipa::path(tag = "lots", operation_id = "register_project", request_body = NewProject, params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = Project, description = "Registered."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Your organisation is not confirmed, or the code is taken.")))]
#[post("/v1/projects")]
pub async fn register_project(
    app: web::Data<App>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewProject>,
) -> Result<HttpResponse, Error> {
    let new = body.value;
    ops::check(&new)?;
    let (context, org) = (caller.context(body.received_at), caller.org_id.clone());
    let answer =
        app.ledger.commit_once(context, key.of(&caller, body.hash), move |tx| ops::register(tx, &org, &new)).await?;
    let location = format!("/v1/projects/{}", answer.value.id);
    Ok(reply::created(&answer, &location))
}

/// Lists projects, oldest first.
///
/// Initiators see their own; the centre and inspectors see all.
#[utoipa::path(tag = "lots", operation_id = "list_projects", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<Project>, description = "A page.")))]
#[get("/v1/projects")]
pub async fn list_projects(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let (size, org) = (query.size()?, only_of(&caller));
    let after =
        query.after.as_deref().map(|text| cursor::open(&app.keys, "projects", text)).transpose()?.map(|(_, id)| id);
    let rows = app.reader.read(move |conn| queries::projects(conn, org.as_deref(), after.as_deref(), size)).await?;
    let next = cursor::next(&app.keys, "projects", rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(ops::view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// Shows a project.
#[utoipa::path(tag = "lots", operation_id = "get_project", params(ProjectPath), security(("bearer" = [])),
    responses((status = 200, body = Project, description = "The project.")))]
#[get("/v1/projects/{project}")]
pub async fn get_project(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<ProjectPath>,
) -> Result<HttpResponse, Error> {
    let (id, only) = (path.into_inner().project, only_of(&caller));
    let row = app.reader.read(move |conn| queries::project(conn, &id)).await?;
    let row = row.filter(|row| only.is_none_or(|org| row.org_id == org)).ok_or_else(refusals::not_found)?;
    Ok(reply::versioned(&ops::view(&row)?, row.version))
}
