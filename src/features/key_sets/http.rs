//! Routes of key sets.

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{ACTIVE, KeySetView};
use super::queries;
use crate::app::App;
use crate::features::lots;
use crate::features::lots::http::LotPath;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::ledger::Error;
use crate::refusals;
use crate::rules::facts::KeyMode;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_key_set);
}

/// Shows what bids of a lot are sealed to.
///
/// Check the signature with the platform key, and that project, lot and opening are those of the notice.
#[utoipa::path(tag = "bids", operation_id = "get_key_set", params(LotPath),
    responses((status = 200, body = KeySetView, description = "The key set."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot, or not published yet.")))]
#[get("/v1/lots/{lot}/key-set")]
pub async fn get_key_set(app: web::Data<App>, path: web::Path<LotPath>) -> Result<HttpResponse, Error> {
    let lot_id = path.into_inner().lot;
    let (mode, row) = app
        .reader
        .read(move |conn| {
            let lot = lots::queries::lot(conn, &lot_id)?;
            let row = queries::of_lot(conn, &lot_id)?;
            let mode = lot.body.terms.key_mode;
            let shown = lots::queries::is_public(lot.state) && (row.is_some() || mode == KeyMode::Bidder);
            if shown { Ok((mode, row)) } else { Err(refusals::not_found().into()) }
        })
        .await?;
    let body = row.as_ref().map(|row| serde_json::from_str(&row.body)).transpose();
    let view = KeySetView {
        kid: row.as_ref().map(|row| row.kid.clone()),
        state: row.as_ref().map_or_else(|| ACTIVE.into(), |row| row.state.clone()),
        key_set: body.map_err(|error| Error::damaged(error.to_string()))?,
        mode,
        protects: mode.protects().into(),
    };
    Ok(reply::versioned(&view, row.map_or(1, |row| row.version)))
}
