//! Routes of key sets.

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::KeySetView;
use super::queries;
use crate::app::App;
use crate::features::lots::http::LotPath;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::kernel::text::Bilingual;
use crate::ledger::Error;
use crate::refusals;

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
    let row = app.reader.read(move |conn| queries::of_lot(conn, &lot_id)).await?.ok_or_else(refusals::not_found)?;
    let view = KeySetView {
        kid: row.kid.clone(),
        state: row.state.clone(),
        key_set: serde_json::from_str(&row.body).map_err(|error| Error::damaged(error.to_string()))?,
        mode: "platform".into(),
        protects: Bilingual::new(
            "平台密钥:可防数据库及其备份泄露,不能防平台运营方。",
            "Platform key: protects against leaks of the database and its backups, not against the operator of the platform.",
        ),
    };
    Ok(reply::versioned(&view, row.version))
}
