//! Routes of bids.

mod own;
mod reserve;
mod submit;

use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::ops::Done;
use super::view::Signer;
use crate::app::App;
use crate::http::{problem, reply};
use crate::ledger::{Answer, Error};

/// A bid's id in a path.
#[derive(Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BidPath {
    /// The bid.
    pub bid: String,
}

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(submit::submit_bid)
        .service(submit::check_bid)
        .service(own::get_my_bid)
        .service(own::withdraw_bid)
        .service(own::get_payload)
        .service(own::get_receipt)
        .service(own::get_receipt_proof)
        .service(reserve::put_reserve);
}

/// Answers an act: its signed receipt, or the refusal with the signed one.
fn answer(app: &App, answer: &Answer<Done>, made: bool) -> Result<HttpResponse, Error> {
    let signer = Signer::of(app);
    match &answer.value {
        Done::Accepted(recorded) => {
            let act = signer.act(recorded)?;
            let mut response = if made { HttpResponse::Created() } else { HttpResponse::Ok() };
            if let (Some(lot), true) = (&act.lot_id, made) {
                response.insert_header(("Location", format!("/v1/lots/{lot}/bids/mine")));
            }
            Ok(reply::with_replay(&mut response, answer.replayed).json(act))
        }
        Done::Refused { recorded, refusal } => {
            let act =
                serde_json::to_value(signer.act(recorded)?).map_err(|error| Error::internal(error.to_string()))?;
            let mut response = problem::response(refusal.refusal()?, Some(act));
            if answer.replayed {
                response.headers_mut().insert(REPLAYED, actix_web::http::header::HeaderValue::from_static("true"));
            }
            Ok(response)
        }
    }
}

const REPLAYED: actix_web::http::header::HeaderName =
    actix_web::http::header::HeaderName::from_static("idempotency-replayed");
