//! The route of a lot as it stood at an instant.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use serde_json::json;

use super::{look, read};
use crate::app::App;
use crate::features::inspection::at::{LotAt, lot_at};
use crate::features::lots::http::LotPath;
use crate::features::mandates::model::Matter;
use crate::http::cursor;
use crate::http::extract::{Caller, PageQuery};
use crate::http::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::ledger::Error;
use crate::refusals;

/// Which instant.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AtQuery {
    /// The number of the case file for which this look is made, 1 to 64 characters; on record with the look.
    #[param(required = true)]
    pub matter: Option<String>,
    /// The instant; now where nothing is said.
    pub at: Option<Timestamp>,
    /// At most this many bids, 1 to 100; 50 unless said.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// The `next` of the previous page of bids.
    pub after: Option<String>,
}

/// Shows a lot as it stood at an instant.
///
/// For inspectors with a mandate for the lot. Rebuilt from the record: state, holds, deadline, documents and their
/// revision, and, once the sealed entries are released, bids. `verified` says whether what is shown is what its entry
/// committed to at the time. `rebuilt_from` names every entry that was used with its leaf in the public log. The look is on record.
#[utoipa::path(tag = "inspection", operation_id = "get_lot_at", params(LotPath, AtQuery), security(("bearer" = [])),
    responses((status = 200, body = LotAt, description = "The lot as it stood."), (status = 400, body = Problem, content_type = "application/problem+json", description = "No matter number, or a cursor that is not ours."), (status = 403, body = Problem, content_type = "application/problem+json", description = "No mandate in force."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot at that instant, or outside the mandate."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/lots/{lot}")]
pub async fn get_lot_at(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    query: web::Query<AtQuery>,
) -> Result<HttpResponse, Error> {
    let (lot, query) = (path.into_inner().lot, query.into_inner());
    let matter = Matter::read(query.matter.as_deref())?;
    super::check_lengths(&[Some(&lot)])?;
    let size = PageQuery { limit: query.limit, after: None }.size()?;
    let list = format!("bids of {lot}");
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, &list, text)).transpose()?;
    let question = json!({ "lot": lot, "at": query.at, "after": after.as_ref().map(|(_, id)| id) });
    let now = look(&app, &caller, &matter, question).await?.1.at;
    let (at, after) = (query.at.unwrap_or(now), after.map(|(_, id)| id).unwrap_or_default());
    let mut found = read(&app, &caller, matter, move |conn, scope| {
        if !scope.covers(Some(&lot)) {
            return Err(refusals::not_found().into());
        }
        lot_at(conn, &lot, at, &after, size)
    })
    .await?;
    found.next = found.next.map(|id| cursor::seal(&app.keys, &list, &(0, id))).transpose()?;
    Ok(HttpResponse::Ok().json(found))
}
