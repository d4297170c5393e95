//! Routes of key sets.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{ACTIVE, KeySetView};
use super::{groups, queries};
use crate::app::App;
use crate::features::lots;
use crate::features::lots::http::LotPath;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::ledger::Error;
use crate::refusals;
use crate::rules::envelopes::Round;
use crate::rules::facts::KeyMode;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_key_set);
}

/// Which round of openings is meant.
#[derive(Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoundQuery {
    /// `first` (default); `second` where bids have two envelopes; `escrow` where bidders deposit their own keys.
    #[serde(default)]
    round: Option<Round>,
}

impl RoundQuery {
    /// The round that is meant.
    pub fn round(self) -> Round {
        self.round.unwrap_or(Round::First)
    }
}

/// Shows what bids of a lot are sealed to.
///
/// Where bids have two envelopes there is one for each round, and one more where bidders deposit their keys; `parts` says which
/// parts of a bid are sealed to this one. Check the signature with the platform key, and that project, lot and opening are those
/// of the notice.
#[utoipa::path(tag = "bids", operation_id = "get_key_set", params(LotPath, RoundQuery),
    responses((status = 200, body = KeySetView, description = "The key set."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot, or not published yet.")))]
#[get("/v1/lots/{lot}/key-set")]
pub async fn get_key_set(
    app: web::Data<App>,
    path: web::Path<LotPath>,
    query: web::Query<RoundQuery>,
) -> Result<HttpResponse, Error> {
    let (lot_id, round) = (path.into_inner().lot, query.round());
    let (terms, row) = app
        .reader
        .read(move |conn| {
            let lot = lots::queries::lot(conn, &lot_id)?;
            let row = queries::of_round(conn, &lot_id, round)?;
            let mode = lot.body.terms.key_mode;
            let shown = lots::queries::is_public(lot.state) && (row.is_some() || mode == KeyMode::Bidder);
            let terms = &lot.body.terms;
            let has_round = terms.envelopes.rounds().contains(&round) || terms.shared_rounds().contains(&round);
            if shown && has_round { Ok((lot.body.terms, row)) } else { Err(refusals::not_found().into()) }
        })
        .await?;
    let body = row.as_ref().map(|row| serde_json::from_str(&row.body)).transpose();
    let view = KeySetView {
        kid: row.as_ref().map(|row| row.kid.clone()),
        state: row.as_ref().map_or_else(|| ACTIVE.into(), |row| row.state.clone()),
        key_set: body.map_err(|error| Error::damaged(error.to_string()))?,
        mode: terms.key_mode,
        escrow: terms.escrow,
        decryption_minutes: terms.decryption_minutes,
        protects: terms.key_mode.protects(terms.escrow).into(),
        envelopes: terms.envelopes,
        round,
        parts: groups::names(terms.envelopes, &[round]).into_iter().map(str::to_owned).collect(),
    };
    Ok(reply::versioned(&view, row.map_or(1, |row| row.version)))
}
