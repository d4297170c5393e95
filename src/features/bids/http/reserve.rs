//! The initiator's sealed reserve price.

use actix_web::{HttpResponse, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::submit::{Sent, name_missing, prepare};
use crate::app::App;
use crate::features::bids::reserve;
use crate::features::bids::signed::Signed;
use crate::features::bids::submission::Sort;
use crate::features::bids::view::{ActView, Signer};
use crate::features::lots::http::LotPath;
use crate::http::extract::{Body, Caller};
use crate::http::problem::Problem;
use crate::ledger::Error;

/// A sealed reserve price.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReserve {
    /// One envelope of part `reserve`: a flattened JWS of typ `sealbid-envelope+jws`.
    #[schema(value_type = Object)]
    pub envelope: Signed,
    /// Where the lot's key mode is `bidder` or `dual`: the initiator's own one-time key set for the round in which prices open,
    /// as in a bid.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub key_set: Option<Signed>,
}

/// Seals the reserve price of a lot, or replaces the one that lies in the box.
///
/// For the lot's initiator, where the notice announces a reserve price, from the notice until strictly before the
/// deadline. It is sealed like a bid, to the same key set; upload and complete its payload before (purpose `reserve`).
/// Nobody else learns that it came. An envelope that is on record already is answered with its own receipt.
#[utoipa::path(tag = "bids", operation_id = "put_reserve", request_body = NewReserve, params(LotPath), security(("bearer" = [])),
    responses((status = 200, body = ActView, description = "In the box, with the signed receipt."),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such published lot of yours, or no such upload."),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Not announced, not in time, stale, or an upload is not complete."),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The header is not in order."),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Your organisation sends too many at the same moment."),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "No place in the queue, or the server's clock is off; the body was not read. The same request again.")))]
#[put("/v1/lots/{lot}/reserve")]
pub async fn put_reserve(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    body: Body<NewReserve>,
) -> Result<HttpResponse, Error> {
    let NewReserve { envelope, key_set } = body.value;
    let (texts, reader) = ([envelope], &app.header_reader);
    let own_keys: Vec<&Signed> = key_set.iter().collect();
    let sent = Sent { envelopes: &texts, own_keys: &own_keys, notify: false };
    let submission = prepare(&app, reader, &caller.org_id, Sort::Reserve, &path.lot, sent).await?;
    let (context, org, sent) =
        (caller.context(body.received_at).for_bids(body.pass.clone()), caller.org_id.clone(), submission.clone());
    // A repeated envelope puts nothing new on record, so this is not a commit that must.
    match app.ledger.commit_beside(context, move |tx| reserve::put(tx, &org, &sent)).await {
        Ok(recorded) => Ok(HttpResponse::Ok().json(Signer::of(&app).act(&recorded)?)),
        Err(error) => Err(name_missing(&app, &caller.org_id, &submission, error).await),
    }
}
