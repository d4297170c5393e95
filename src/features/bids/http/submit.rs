//! Submitting a bid, and asking what submitting it would be answered.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer;
use crate::app::App;
use crate::db::Conn;
use crate::features::accounts::signing_keys::active_keys;
use crate::features::bids::judge::{self, Verdict};
use crate::features::bids::ops::{self, Done};
use crate::features::bids::queries;
use crate::features::bids::signed::Signed;
use crate::features::bids::submission::{Sort, Submission};
use crate::features::bids::view::ActView;
use crate::features::key_sets;
use crate::features::key_sets::model::Seals;
use crate::features::lots::http::LotPath;
use crate::features::lots::queries as lots;
use crate::features::uploads;
use crate::http::extract::{Body, Caller, IdempotencyKey};
use crate::http::problem::Problem;
use crate::kernel::id::OrgId;
use crate::ledger::{Error, Reader};
use crate::refusals;

/// A bid: signed headers over payloads that were uploaded before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBid {
    /// One envelope of part `price` and, where there are documents, one of part `documents`: each a flattened JWS of typ
    /// `sealbid-envelope+jws`. Where the lot has an escrow also one of part `escrow`, sealed to the key set of `round=escrow`: its
    /// payload is a ustar archive of `manifest.json` and `key.bin`, the 32 bytes of the private key of `key_set`.
    #[schema(value_type = Vec<Object>)]
    pub envelopes: Vec<Signed>,
    /// Where the lot's key mode is `bidder` or `dual`: a one-time key set of kind `bidder` for this lot, a JWS of typ
    /// `sealbid-keyset+jws` by the key that signs the envelopes. Keep its private key: without it the bid does not open.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub key_set: Option<Signed>,
    /// The same for the second envelope, where bids have two: another key, for the group of `round=second`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub second_key_set: Option<Signed>,
    /// Send the receipt by mail as well. A mail about a bid tells whoever reads it that there is one.
    #[serde(default)]
    pub notify: bool,
}

impl NewBid {
    fn own_keys(&self) -> Vec<&Signed> {
        self.key_set.iter().chain(&self.second_key_set).collect()
    }
}

/// A submission would be accepted now.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// Always true; otherwise the answer is the problem.
    pub ok: bool,
}

/// What came in one request.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    /// The signed headers.
    pub envelopes: &'a [Signed],
    /// The bidder's own key sets.
    pub own_keys: &'a [&'a Signed],
    /// The bidder wants a mail.
    pub notify: bool,
}

/// Reads headers and checks everything about them that is no rule's business, off the threads that answer requests.
///
/// What fails here is forgiven where it is on record already: it was in order when it came, and its key may have been
/// revoked since.
pub(super) async fn prepare(
    app: &Data<App>,
    reader: &Reader,
    org: &OrgId,
    sort: Sort,
    lot_id: &str,
    sent: Sent<'_>,
) -> Result<Submission, Error> {
    let submission = Submission::read(sort, lot_id, sent.envelopes, sent.own_keys, sent.notify)?;
    let (work_app, reader, org) = (app.clone(), reader.clone(), org.clone());
    app.blocking(move || match check(&work_app, &reader, &org, sort, &submission) {
        Ok(()) => Ok(submission),
        Err(error) => {
            let (ids, org) = (submission.envelope_ids(), org);
            let known = reader.read_blocking(|conn| queries::recorded(conn, &org, &ids))?;
            if known.is_some() { Ok(submission) } else { Err(error) }
        }
    })
    .await
}

fn check(app: &App, reader: &Reader, org: &OrgId, sort: Sort, submission: &Submission) -> Result<(), Error> {
    if sort == Sort::Reserve {
        let lot = reader.ask_blocking(|conn| lots::lot(conn, &submission.lot_id))?;
        if lot.initiator != *org {
            return Err(refusals::not_found().into());
        }
    }
    let seals = seals(app, reader, &submission.lot_id)?;
    submission.check_place(&seals, org)?;
    let kids: Vec<String> = submission.envelopes.iter().map(|envelope| envelope.signing_key_id().to_string()).collect();
    let keys = reader.ask_blocking(|conn| active_keys(conn, org, &kids))?;
    Ok(submission.check_seals(&keys, &seals)?)
}

/// What bids of a lot are sealed to. A lot has a key set from its notice on, and is public from then on.
fn seals(app: &App, reader: &Reader, lot_id: &str) -> Result<Arc<Seals>, Error> {
    if let Some(known) = app.key_sets.get(&lot_id.to_owned()) {
        return Ok(known);
    }
    let seals = reader.ask_blocking(|conn| {
        let lot = lots::lot(conn, lot_id)?;
        key_sets::queries::seals(conn, &lot)
    })?;
    let seals = Arc::new(seals);
    app.key_sets.put(lot_id.to_owned(), seals.clone());
    Ok(seals)
}

/// Names the missing chunks where an upload is not complete: the disk knows them, the database does not.
pub(super) async fn name_missing(app: &App, org: &OrgId, submission: &Submission, error: Error) -> Error {
    if !matches!(&error, Error::Refused(refusal) if refusal.code == "upload-incomplete") {
        return error;
    }
    let (reader, org_text, submission) = (app.reader.clone(), org.to_string(), submission.clone());
    let found = app.blocking(move || reader.read_blocking(|conn| uploads_of(conn, &org_text, &submission))).await;
    for id in found.unwrap_or_default() {
        if let Err(named) = uploads::storage::ready(app, org, &id).await {
            return named;
        }
    }
    error
}

fn uploads_of(conn: &mut Conn, org: &str, submission: &Submission) -> Result<Vec<String>, Error> {
    let mut ids = Vec::new();
    for envelope in &submission.envelopes {
        let (size, root) =
            (i64::try_from(envelope.ctx().ciphertext_len()).unwrap_or(0), envelope.ctx().root.to_string());
        let rows = uploads::queries::by_root(conn, org, &submission.lot_id, size, &root)?;
        if rows.iter().all(|row| row.state != uploads::model::COMPLETE) {
            ids.extend(rows.into_iter().map(|row| row.id));
        }
    }
    Ok(ids)
}

/// Submits, replaces or confirms a bid.
///
/// For bidders whose organisation the centre has confirmed, from the start of bidding until strictly before the deadline;
/// what counts is the instant at which the last byte of this request is in, by the platform's clock. The first header
/// submits; a later one with a higher `rev` replaces it; one over the same payloads under a newer revision of the
/// documents confirms it. Upload and complete the payloads before. The answer is a signed receipt. A header that is on
/// record already is answered with its own receipt, also under a new key and after the deadline. A header in order that
/// a rule refuses (ENG-14, EB-02, LD-02, LD-13, PF-10, PF-11) is put on record, and the problem carries a signed refusal
/// in `refusal`.
#[utoipa::path(tag = "bids", operation_id = "submit_bid", request_body = NewBid, params(LotPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = ActView, description = "In the box, with the signed receipt."),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot, or no such upload of yours."),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "A rule refuses it (with a signed refusal), the revision is stale, or an upload is not complete."),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The headers are not in order."),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Enough refusals are on record, or your organisation sends too many at the same moment."),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "No place in the queue, or the server's clock is off; the body was not read. The same request again.")))]
#[post("/v1/lots/{lot}/bids")]
pub async fn submit_bid(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    key: IdempotencyKey,
    body: Body<NewBid>,
) -> Result<HttpResponse, Error> {
    let (new, reader) = (body.value, &app.header_reader);
    let own_keys = new.own_keys();
    let sent = Sent { envelopes: &new.envelopes, own_keys: &own_keys, notify: new.notify };
    let submission = prepare(&app, reader, &caller.org_id, Sort::Bid, &path.lot, sent).await?;
    let (context, actor, org) =
        (caller.context(body.received_at).for_bids(body.pass.clone()), caller.actor(), caller.org_id.clone());
    let sent = submission.clone();
    let done = app
        .ledger
        .commit_once_if(context, key.of(&caller, body.hash), Done::is_final, move |tx| {
            ops::submit(tx, &actor, &org, &sent)
        })
        .await;
    match done {
        Ok(done) => answer(&app, &done, true),
        Err(error) => Err(name_missing(&app, &caller.org_id, &submission, error).await),
    }
}

/// Says what submitting a bid would be answered now.
///
/// For bidders. Runs every check of a submission, with the same headers, and puts nothing on record; the answer is that
/// it would be accepted, or the same problem without the signed refusal.
#[utoipa::path(tag = "bids", operation_id = "check_bid", request_body = NewBid, params(LotPath), security(("bearer" = [])),
    responses((status = 200, body = Checked, description = "It would be accepted."),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot, or no such upload of yours."),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "A rule would refuse it, the revision is stale, or an upload is not complete."),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The headers are not in order.")))]
#[post("/v1/lots/{lot}/bids/check")]
pub async fn check_bid(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    body: Body<NewBid>,
) -> Result<HttpResponse, Error> {
    let new = &body.value;
    let own_keys = new.own_keys();
    let sent = Sent { envelopes: &new.envelopes, own_keys: &own_keys, notify: false };
    let submission = prepare(&app, &app.reader, &caller.org_id, Sort::Bid, &path.lot, sent).await?;
    let (actor, org, sent, received_at) = (caller.actor(), caller.org_id.clone(), submission.clone(), body.received_at);
    let verdict = app.reader.read(move |conn| judge::judge(conn, &actor, &org, received_at, &sent)).await;
    match verdict {
        Ok(Verdict::Known(_) | Verdict::Admitted(_)) => Ok(HttpResponse::Ok().json(Checked { ok: true })),
        Ok(Verdict::Refused(_, _, refusal)) => Err((*refusal).into()),
        Err(error) => Err(name_missing(&app, &caller.org_id, &submission, error).await),
    }
}
