//! Reading lots: lists, one lot, what may be done with it, what happened and what is due.

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LotPath;
use crate::app::App;
use crate::features::calendar;
use crate::features::lots::model::Lot;
use crate::features::lots::queries::{self, Filter, Unpublished};
use crate::features::lots::view::{LotView, view};
use crate::features::lots::{facts, timeline};
use crate::http::cursor;
use crate::http::extract::{Caller, MaybeCaller, PageQuery};
use crate::http::reply::{self, Page};
use crate::kernel::role::Role;
use crate::ledger::Error;
use crate::refusals;
use crate::rules::machine::{self, Explanation, State};

/// `?state=&category=&project=`.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LotQuery {
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this category.
    pub category: Option<String>,
    /// Only of this project.
    pub project: Option<String>,
    /// At most this many, 1 to 100.
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<String>,
}

/// What may be done with a lot.
#[derive(Serialize, ToSchema)]
pub struct Actions {
    /// Every act of the lot's rules: allowed now, or refused, by which rule, and what would make it possible.
    pub items: Vec<Explanation>,
}

/// What happened to a lot and what is due.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// Public acts, oldest first.
    pub happened: Vec<timeline::Happened>,
    /// What is due, soonest first.
    pub due: Vec<timeline::DueItem>,
}

/// Whether a caller may see a lot.
pub fn may_see(lot: &Lot, caller: Option<&Caller>) -> bool {
    queries::is_public(lot.state)
        || caller.is_some_and(|caller| {
            caller.org_id == lot.initiator
                || (lot.state != State::Draft && (caller.has(Role::Centre) || caller.has(Role::Inspector)))
        })
}

/// Lists lots, newest first.
///
/// Everybody sees lots from their notice on; initiators also see their own before it.
#[utoipa::path(tag = "public", operation_id = "list_lots", params(LotQuery),
    responses((status = 200, body = Page<LotView>, description = "A page.")))]
#[get("/v1/lots")]
pub async fn list_lots(
    app: web::Data<App>,
    caller: MaybeCaller,
    query: web::Query<LotQuery>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let size = PageQuery { limit: query.limit, after: None }.size()?;
    let unpublished = match &caller.0 {
        Some(caller) if caller.has(Role::Initiator) => Unpublished::Own(caller.org_id.to_string()),
        _ => Unpublished::None,
    };
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, "lots", text)).transpose()?;
    let filter = Filter { state: query.state, category: query.category, project_id: query.project, unpublished, after };
    let lots = app.reader.read(move |conn| queries::lots(conn, &filter, size)).await?;
    let last = lots.last().map(|lot| (lot.row.created_at, lot.row.id.clone()));
    let next = cursor::next(&app.keys, "lots", lots.len(), size, last)?;
    Ok(HttpResponse::Ok().json(Page { items: lots.iter().map(view).collect(), next }))
}

/// Shows a lot.
#[utoipa::path(tag = "public", operation_id = "get_lot", params(LotPath),
    responses((status = 200, body = LotView, description = "The lot.")))]
#[get("/v1/lots/{lot}")]
pub async fn get_lot(
    app: web::Data<App>,
    caller: MaybeCaller,
    path: web::Path<LotPath>,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().lot;
    let lot = app.reader.ask(move |conn| queries::lot(conn, &id)).await?;
    if !may_see(&lot, caller.0.as_ref()) {
        return Err(refusals::not_found().into());
    }
    Ok(reply::versioned(&view(&lot), lot.row.version))
}

/// Explains what the caller may do with a lot now, and why not.
///
/// The same text appears in the refusal when it is tried. Conditions over sealed facts are named, never evaluated, before
/// the closing.
#[utoipa::path(tag = "lots", operation_id = "list_actions", params(LotPath), security(("bearer" = [])),
    responses((status = 200, body = Actions, description = "Every act.")))]
#[get("/v1/lots/{lot}/actions")]
pub async fn list_actions(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().lot;
    let now = app.clock.now();
    let items = app
        .reader
        .read(move |conn| {
            let lot = queries::lot(conn, &id)?;
            if !may_see(&lot, Some(&caller)) {
                return Err(refusals::not_found().into());
            }
            let actor = caller.actor();
            let facts = facts::load(conn, &lot, &actor)?;
            let calendar = calendar::queries::load(conn)?;
            Ok(machine::explain(lot.edition, &facts, &actor, now, &calendar))
        })
        .await?;
    Ok(HttpResponse::Ok().json(Actions { items }))
}

/// Shows what happened to a lot in public and what is due.
#[utoipa::path(tag = "public", operation_id = "get_timeline", params(LotPath),
    responses((status = 200, body = Timeline, description = "The timeline.")))]
#[get("/v1/lots/{lot}/timeline")]
pub async fn get_timeline(
    app: web::Data<App>,
    caller: MaybeCaller,
    path: web::Path<LotPath>,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().lot;
    let found = app
        .reader
        .read(move |conn| {
            let lot = queries::lot(conn, &id)?;
            if !may_see(&lot, caller.0.as_ref()) {
                return Err(refusals::not_found().into());
            }
            Ok(Timeline { happened: timeline::happened(conn, &lot)?, due: timeline::due(conn, &lot)? })
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Lists lots that wait for the centre, oldest first.
#[utoipa::path(tag = "lots", operation_id = "list_reviews", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<LotView>, description = "A page.")))]
#[get("/v1/reviews")]
pub async fn list_reviews(
    app: web::Data<App>,
    _caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let size = query.size()?;
    let after =
        query.after.as_deref().map(|text| cursor::open(&app.keys, "reviews", text)).transpose()?.map(|(_, id)| id);
    let lots = app.reader.read(move |conn| queries::reviews(conn, after.as_deref(), size)).await?;
    let next = cursor::next(&app.keys, "reviews", lots.len(), size, lots.last().map(|lot| (0, lot.row.id.clone())))?;
    Ok(HttpResponse::Ok().json(Page { items: lots.iter().map(view).collect(), next }))
}
