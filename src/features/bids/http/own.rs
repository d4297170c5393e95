//! What a bidder does with its own bid: looks at it, takes it back, fetches its ciphertext and its receipts.

use actix_web::body::SizedStream;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BidPath, answer};
use crate::app::App;
use crate::db::Conn;
use crate::features::accounts::signing_keys::active_keys;
use crate::features::bids::model::{Bid, Recorded, RefusalBody};
use crate::features::bids::ops::{self, Done};
use crate::features::bids::signed::Signed;
use crate::features::bids::view::{ActView, DamagedPart, MyBid, RefusalView, Signer, parts};
use crate::features::bids::{queries, refusals as own_refusals};
use crate::features::lots::http::LotPath;
use crate::features::lots::model::Lot;
use crate::features::lots::queries as lots;
use crate::features::public_log::disclosure;
use crate::features::restoration;
use crate::features::uploads;
use crate::features::uploads::model::DOOMED;
use crate::http::extract::{Body, Caller, IdempotencyKey};
use crate::http::problem::Problem;
use crate::kernel::id::OrgId;
use crate::kernel::time::Timestamp;
use crate::ledger::Error;
use crate::limits;
use crate::refusals;
use crate::rules::bid::BidState;
use crate::rules::machine::State;
use crate::seal::withdrawal::SignedWithdrawal;

/// A withdrawal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWithdrawal {
    /// A flattened JWS of typ `sealbid-withdrawal+jws` over {bid, bidder, created}.
    #[schema(value_type = Object)]
    pub withdrawal: Signed,
}

/// A part of a bid in a path.
#[derive(Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PayloadPath {
    /// The bid.
    pub bid: String,
    /// `price`, `documents` or `escrow`.
    pub part: String,
}

/// An entry in a path.
#[derive(Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EntryPath {
    /// The entry.
    pub entry: String,
}

/// An organisation's bid on a lot, as read in one view of the database.
struct Mine {
    lot: Lot,
    bid: Option<Bid>,
    history: Vec<Recorded>,
    refused: Vec<(RefusalBody, Recorded)>,
    damaged: Vec<DamagedPart>,
}

fn mine(conn: &mut Conn, lot_id: &str, org: &OrgId) -> Result<Mine, Error> {
    let lot = lots::lot(conn, lot_id)?;
    let bid = queries::own_bid(conn, lot_id, org)?;
    let history = match &bid {
        Some(bid) => queries::history(conn, &bid.row.id)?,
        None => Vec::new(),
    };
    let mut refused = Vec::new();
    for row in queries::refusals_of(conn, lot_id, org)? {
        let body =
            serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("refusal {}: {error}", row.id)))?;
        refused.push((body, queries::version_entry(conn, &row.id, row.version)?));
    }
    if bid.is_none() && refused.is_empty() {
        return Err(refusals::not_found().into());
    }
    let damaged = damaged(conn, bid.as_ref())?;
    Ok(Mine { lot, bid, history, refused, damaged })
}

/// The parts in force of which the platform's copy was damaged.
fn damaged(conn: &mut Conn, bid: Option<&Bid>) -> Result<Vec<DamagedPart>, Error> {
    let mut damaged = Vec::new();
    for part in bid.iter().flat_map(|bid| &bid.body.parts) {
        let Some(upload) = uploads::queries::attached(conn, &part.upload_id)? else { continue };
        if let Some(damage) = restoration::queries::wanted(conn, &upload)? {
            damaged.push(DamagedPart {
                part: part.part.clone(),
                upload_id: part.upload_id.clone(),
                leaves: damage.leaves_lost,
                chunks: damage.chunks,
            });
        }
    }
    Ok(damaged)
}

/// Shows your organisation's own bid on a lot.
///
/// For bidders: every version with its receipt, signed again, what was refused, and whether the documents changed since
/// (then the bid stays valid, and a new header over the same payload confirms it). `needs_restoration` names what the
/// platform asks for again because its copy was damaged.
#[utoipa::path(tag = "bids", operation_id = "get_my_bid", params(LotPath), security(("bearer" = [])),
    responses((status = 200, body = MyBid, description = "Your bid."), (status = 404, body = Problem, content_type = "application/problem+json", description = "You have none, and none was refused.")))]
#[get("/v1/lots/{lot}/bids/mine")]
pub async fn get_my_bid(app: web::Data<App>, caller: Caller, path: web::Path<LotPath>) -> Result<HttpResponse, Error> {
    let (lot_id, org) = (path.into_inner().lot, caller.org_id.clone());
    let Mine { lot, bid, history, refused, damaged } = app.reader.read(move |conn| mine(conn, &lot_id, &org)).await?;
    let signer = Signer::of(&app);
    let current = lot.body.document_revision;
    let outdated = |bid: &Bid| {
        bid.state == BidState::Submitted && current.is_some_and(|current| current != bid.body.document_revision)
    };
    let body = bid.as_ref().map(|bid| &bid.body);
    let row = bid.as_ref().map(|bid| &bid.row);
    Ok(HttpResponse::Ok().json(MyBid {
        lot_id: lot.row.id.clone(),
        bid_id: row.map(|row| row.id.clone()),
        version: row.map(|row| row.version),
        state: row.map(|row| row.state.clone()),
        rev: row.map(|row| row.rev),
        received_at: row.map(|row| Timestamp::from_millis(row.received_at)),
        document_revision: body.map(|body| body.document_revision),
        current_document_revision: current,
        needs_confirmation: lot.state == State::Noticed && bid.as_ref().is_some_and(outdated),
        parts: bid.as_ref().map(parts).unwrap_or_default(),
        needs_restoration: damaged,
        versions: history.iter().map(|recorded| signer.act(recorded)).collect::<Result<_, _>>()?,
        refusals: refused
            .into_iter()
            .map(|(body, recorded)| Ok(RefusalView { refusal: body.refusal, act: signer.act(&recorded)? }))
            .collect::<Result<_, Error>>()?,
    }))
}

/// Takes a bid back.
///
/// For the bidder, strictly before the deadline, where the edition or the notice allows it (LD-13). The statement is
/// signed; the answer is a signed receipt. A statement that is on record already is answered with its own receipt and
/// does not act again. One that a rule refuses is put on record, and the problem carries a signed refusal in `refusal`.
#[utoipa::path(tag = "bids", operation_id = "withdraw_bid", request_body = NewWithdrawal, params(BidPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = ActView, description = "Withdrawn, with the signed receipt."),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such bid of yours."),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "A rule refuses it, with a signed refusal."),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The statement is not in order."),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Enough refusals are on record, or your organisation sends too many at the same moment."),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "No place in the queue, or the server's clock is off; the body was not read. The same request again.")))]
#[post("/v1/bids/{bid}/actions/withdraw")]
pub async fn withdraw_bid(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<BidPath>,
    key: IdempotencyKey,
    body: Body<NewWithdrawal>,
) -> Result<HttpResponse, Error> {
    let bid_id = path.into_inner().bid;
    let statement = check_statement(&app, &caller.org_id, &bid_id, &body.value.withdrawal).await?;
    let (context, actor, org) =
        (caller.context(body.received_at).for_bids(body.pass.clone()), caller.actor(), caller.org_id.clone());
    let done = app
        .ledger
        .commit_once_if(context, key.of(&caller, body.hash), Done::is_final, move |tx| {
            ops::withdraw(tx, &actor, &org, &bid_id, &statement)
        })
        .await?;
    answer(&app, &done, false)
}

/// Checks that a statement is about this bid of this organisation and signed with one of its active keys. One that is on
/// record was checked when it came.
async fn check_statement(app: &App, org: &OrgId, bid_id: &str, text: &Signed) -> Result<SignedWithdrawal, Error> {
    let statement = SignedWithdrawal::parse(text.as_bytes())
        .map_err(|error| own_refusals::malformed("withdrawal-malformed", &error))?;
    let (reader, org, bid_id) = (app.header_reader.clone(), org.clone(), bid_id.to_owned());
    app.blocking(move || {
        let (known, key) = reader.read_blocking(|conn| {
            let bid = queries::own(conn, &bid_id, &org)?.ok_or_else(refusals::not_found)?;
            let known = ops::withdrawn_before(conn, &bid, &statement)?.is_some();
            Ok((known, active_keys(conn, &org, &[statement.signing_key_id().to_string()])?.pop().flatten()))
        })?;
        if known {
            return Ok(statement);
        }
        let said = statement.content();
        if said.bid.as_str() != bid_id || said.bidder.as_str() != org.as_str() {
            return Err(own_refusals::withdrawal_not_yours().into());
        }
        let key = key.ok_or_else(own_refusals::key_not_active)?;
        statement
            .verify_signature(&key)
            .map_err(|_| own_refusals::signature_invalid("withdrawal-signature-invalid"))?;
        Ok(statement)
    })
    .await
}

/// Downloads the ciphertext of a part of your own bid.
///
/// For the bidder, at any time: the part in force, exactly as it was uploaded. Each download is on record first, under
/// seal, and 60 an hour are served.
#[utoipa::path(tag = "bids", operation_id = "get_payload", params(PayloadPath), security(("bearer" = [])),
    responses((status = 200, description = "The ciphertext.", body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such bid of yours, or no such part."), (status = 410, body = Problem, content_type = "application/problem+json", description = "A second envelope that stayed sealed, destroyed after the opening."), (status = 429, body = Problem, content_type = "application/problem+json", description = "Downloaded often enough for this hour.")))]
#[get("/v1/bids/{bid}/payloads/{part}")]
pub async fn get_payload(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<PayloadPath>,
) -> Result<HttpResponse, Error> {
    let (PayloadPath { bid, part }, org) = (path.into_inner(), caller.org_id.clone());
    {
        let (bid, part, org) = (bid.clone(), part.clone(), org.clone());
        let context = caller.context(caller.meta.started_at);
        app.ledger.commit(context, move |tx| ops::read_payload(tx, &org, &bid, &part)).await?;
    }
    let upload = app
        .reader
        .read(move |conn| {
            let bid = queries::own(conn, &bid, &org)?.ok_or_else(refusals::not_found)?;
            let part = bid.body.parts.iter().find(|one| one.part == part).ok_or_else(refusals::not_found)?;
            let upload = uploads::queries::attached(conn, &part.upload_id)?.filter(|upload| upload.state != DOOMED);
            upload.ok_or_else(|| refusals::payload_destroyed().into())
        })
        .await?;
    let (size, root) = (upload.size(), upload.root.clone());
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/octet-stream"))
        .insert_header((header::ETAG, format!("\"{root}\"")))
        // Ciphertext does not get smaller, and its length is what the header says.
        .insert_header((header::CONTENT_ENCODING, ContentEncoding::Identity.as_str()))
        .body(SizedStream::new(size, uploads::storage::stream(app, upload))))
}

/// Shows the receipt of an act of your own organisation.
///
/// For bidders, and for initiators who sealed a reserve price: the receipt of a bid, a withdrawal, a refusal or a reserve
/// price, signed again with the same bytes.
#[utoipa::path(tag = "bids", operation_id = "get_receipt", params(EntryPath), security(("bearer" = [])),
    responses((status = 200, body = ActView, description = "The act and its receipt."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such entry of yours.")))]
#[get("/v1/receipts/{entry}")]
pub async fn get_receipt(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<EntryPath>,
) -> Result<HttpResponse, Error> {
    let (entry, org) = (path.into_inner().entry, caller.org_id.clone());
    let recorded =
        app.reader.read(move |conn| queries::own_entry(conn, &org, &entry)).await?.ok_or_else(refusals::not_found)?;
    Ok(HttpResponse::Ok().json(Signer::of(&app).act(&recorded)?))
}

/// Fetches the proof that an act of your own organisation is in the public log.
///
/// A file of C2SP tlog-proof with the opening of the entry in its `extra` line: with the log's key or policy it proves the act
/// without this platform. 202 until the next checkpoint covers the entry.
#[utoipa::path(tag = "bids", operation_id = "get_receipt_proof", params(EntryPath), security(("bearer" = [])),
    responses((status = 200, body = String, content_type = "text/plain", description = "The proof."), (status = 202, body = Covering, description = "Not covered yet; ask again after `Retry-After` seconds."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such entry of yours.")))]
#[get("/v1/receipts/{entry}/proof")]
pub async fn get_receipt_proof(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<EntryPath>,
) -> Result<HttpResponse, Error> {
    let (entry, org, public_log) = (path.into_inner().entry, caller.org_id.clone(), app.log.clone());
    let proof = app
        .reader
        .read(move |conn| {
            let own = queries::own_entry(conn, &org, &entry)?.ok_or_else(refusals::not_found)?;
            disclosure::receipt(conn, &public_log, &own.entry_id)
        })
        .await?;
    Ok(match proof {
        Some(proof) => HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"receipt.tlog-proof\""))
            .body(proof),
        None => {
            let seconds = app.log.settings().tick_ms.div_ceil(1000).clamp(1, limits::RECEIPT_RETRY_SECONDS);
            HttpResponse::Accepted()
                .insert_header((header::RETRY_AFTER, seconds))
                .json(Covering { covered: false, retry_after_seconds: seconds })
        }
    })
}

/// An entry that no checkpoint covers yet.
#[derive(Serialize, ToSchema)]
pub struct Covering {
    /// Always false.
    pub covered: bool,
    /// When to ask again.
    pub retry_after_seconds: u64,
}
