//! Routes of snapshots and partial decryptions.

use std::sync::Arc;

use actix_web::{HttpResponse, get, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{GivenLine, GivenView, NewPartials, PartialsReceived, SnapshotRow, SnapshotView};
use super::ops::{self, Giver};
use super::queries;
use crate::app::App;
use crate::db::Conn;
use crate::faults::Point;
use crate::features::key_sets;
use crate::features::lots::http::LotPath;
use crate::features::lots::queries as lots;
use crate::features::opening;
use crate::features::public_log::disclosure;
use crate::http::extract::{Body, Caller};
use crate::http::problem::Problem;
use crate::http::reply::Page;
use crate::kernel::id::LotId;
use crate::ledger::{Error, Result};
use crate::refusals;
use crate::rules::envelopes::Round;
use crate::rules::facts::KeyMode;
use crate::seal::ids::KeyId;
use crate::seal::partials::SignedPartials;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_snapshots).service(give_partials).service(list_partials);
}

/// Shows what the custodians of a lot answer to, from the beginning of the opening on.
///
/// Fixed once, signed, and in the public log before any share is used. Of each envelope there is its id, its ephemeral key and
/// digests: nothing of a bid's contents, and not whose it is.
#[utoipa::path(tag = "custodians", operation_id = "list_snapshots", params(LotPath),
    responses((status = 200, body = Page<SnapshotView>, description = "One for each key set; none before the opening."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot.")))]
#[get("/v1/lots/{lot}/snapshots")]
pub async fn list_snapshots(app: web::Data<App>, path: web::Path<LotPath>) -> std::result::Result<HttpResponse, Error> {
    let (lot_id, known) = (path.into_inner().lot, app.clone());
    let items = app
        .reader
        .read(move |conn| {
            let lot = lots::lot(conn, &lot_id)?;
            if !lots::is_public(lot.state) {
                return Err(refusals::not_found().into());
            }
            let rows = queries::snapshots_of(conn, &lot_id)?;
            rows.iter().map(|row| view(conn, &known, row)).collect::<Result<Vec<_>>>()
        })
        .await?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// A snapshot with its lines, which are put together once.
fn view(conn: &mut Conn, app: &App, row: &SnapshotRow) -> Result<SnapshotView> {
    let damaged = |what: String| Error::damaged(format!("snapshot {}: {what}", row.id));
    let lines = match app.snapshots.get(&row.id) {
        Some(known) => known,
        None => {
            let kid = KeyId::parse(&row.kid, "kid").map_err(|error| damaged(error.reason().into()))?;
            let lines = Arc::new(ops::lines(conn, &row.lot_id, kid)?);
            app.snapshots.put(row.id.clone(), lines.clone());
            lines
        }
    };
    let entry = ops::entry_of(conn, row)?;
    let read = |line: &crate::seal::snapshot::Line| {
        serde_json::from_str(&line.to_json()).map_err(|error| damaged(error.to_string()))
    };
    Ok(SnapshotView {
        id: row.id.clone(),
        lot_id: LotId::parse(&row.lot_id).map_err(|error| damaged(error.to_string()))?,
        kid: row.kid.clone(),
        snapshot: serde_json::from_str(&row.body).map_err(|error| damaged(error.to_string()))?,
        lines: lines.iter().map(read).collect::<Result<_>>()?,
        proof: disclosure::receipt(conn, &app.log, &entry)?,
    })
}

/// Gives partial decryptions of a lot that is being opened.
///
/// For custodians of the lot's key set, and for bidders whose own key is needed (key modes `bidder` and `dual`), for whom the
/// minutes count that the notice gives, in each round of openings anew, and whose key of another round, or of a bid that this
/// round does not open, is not found; once custodians are asked for keys in escrow, no bidder's share is taken. The list is
/// signed with the member's key, names the root of what it answers (`GET /v1/lots/{lot}/snapshots`; for a bidder the root over its
/// own lines), and every share has its proof. Shares that were given before are not taken twice. A list that bears its signature and is wrong goes on record with its member.
#[utoipa::path(tag = "custodians", operation_id = "give_partials", request_body = NewPartials, params(LotPath), security(("bearer" = [])),
    responses((status = 200, body = PartialsReceived, description = "Taken; what this member has given so far."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Software, for a custodian."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot, or not a member of that key set."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Not being opened, the snapshot is not in the public log yet, or the bidders' time is over."), (status = 422, body = Problem, content_type = "application/problem+json", description = "The list or a share is not right; the problem says which.")))]
#[post("/v1/lots/{lot}/partials")]
pub async fn give_partials(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    body: Body<NewPartials>,
) -> std::result::Result<HttpResponse, Error> {
    let lot_id = path.into_inner().lot;
    let giver = Giver { principal: caller.id(), org: caller.org_id.clone() };
    let list = SignedPartials::parse(body.value.partials.as_bytes())
        .map_err(|error| refusals::partials_invalid(error.reason()))?;
    let list = Arc::new(list);
    let (lot, asked) = (lot_id.clone(), list.clone());
    let awaited = Arc::new(app.reader.read(move |conn| ops::awaited(conn, &giver, &lot, &asked)).await?);
    let (against, asked) = (awaited.clone(), list.clone());
    let verdict = app.blocking(move || Ok(ops::verify(&against, &asked))).await?;
    let context = caller.context(body.received_at);
    if let Err(reason) = verdict {
        if list.verify(&awaited.key).is_ok() {
            let why = reason.clone();
            app.ledger.commit_beside(context, move |tx| ops::refused(tx, &lot_id, &list, &why)).await?;
        }
        return Err(refusals::partials_invalid(&reason).into());
    }
    app.faults.reach(Point::SharesChecked);
    let received = app.ledger.commit_beside(context, move |tx| ops::receive(tx, &lot_id, &awaited, &list)).await?;
    app.faults.reach(Point::SharesStored);
    Ok(HttpResponse::Ok().json(received))
}

/// Shows who has given how many shares of a lot that is being opened; of bidders nothing before the read-out.
#[utoipa::path(tag = "custodians", operation_id = "list_partials", params(LotPath),
    responses((status = 200, body = GivenView, description = "Who has given what."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot.")))]
#[get("/v1/lots/{lot}/partials")]
pub async fn list_partials(app: web::Data<App>, path: web::Path<LotPath>) -> std::result::Result<HttpResponse, Error> {
    let lot_id = path.into_inner().lot;
    let view = app
        .reader
        .read(move |conn| {
            let lot = lots::lot(conn, &lot_id)?;
            if !lots::is_public(lot.state) {
                return Err(refusals::not_found().into());
            }
            let terms = &lot.body.terms;
            // Where each bidder holds its own key, custodians are asked for keys in escrow alone.
            let asked = if terms.key_mode == KeyMode::Bidder { Round::Escrow } else { lot.body.round };
            let set = key_sets::queries::of_round(conn, &lot_id, asked)?;
            let k = set.as_ref().map(key_sets::queries::parsed).transpose()?.map(|set| set.k);
            let snapshot = match &set {
                Some(set) => queries::snapshot(conn, &set.kid)?,
                None => None,
            };
            let session = opening::queries::of_lot(conn, &lot_id)?;
            let read_out = session.as_ref().is_some_and(|session| session.body.read_out_at.is_some());
            // A bidder's own shares tell who bid: not before the read-out.
            let shown = |kid: &str| read_out || set.as_ref().is_some_and(|set| set.kid == kid);
            let received = queries::received(conn, &lot_id)?;
            let line = |(kid, member, received): &(String, i64, i64)| GivenLine {
                kid: kid.clone(),
                member: u8::try_from(*member).unwrap_or_default(),
                received: u64::try_from(*received).unwrap_or_default(),
            };
            Ok(GivenView {
                items: received.iter().filter(|(kid, ..)| shown(kid)).map(line).collect(),
                k: k.filter(|_| terms.needs_custodians()),
                count: snapshot.as_ref().map(ops::signed_count).transpose()?,
                given_up: session.and_then(|session| session.body.given_up),
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}
