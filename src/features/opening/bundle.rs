//! The public bundle of an opening: everything with which anybody checks it, without this platform.
//!
//! A file of JSON lines, in the form of `docs/opening-format.md`: what the bids were sealed to and how that key came about, what
//! was answered and by whom, every share with its proof, every outcome, and of every price that was read out the signed envelope
//! with its sealed payload, so that the price itself follows from the shares. Invariant: nothing of it was secret before it is
//! shown: no documents, no reserve price that is not public, and of what did not open no more than that.

use std::collections::HashSet;
use std::io::Read;

use actix_web::web::{Bytes, Data};
use futures_util::stream::{self, Stream};
use serde_json::{Value, json};

use super::model::{Opening, UnsealingBody, UnsealingRow, parse};
use super::record::is_reserve_public;
use crate::app::App;
use crate::blobs::DiskBlobs;
use crate::db::Conn;
use crate::features::accounts;
use crate::features::ceremonies;
use crate::features::key_sets;
use crate::features::key_sets::groups;
use crate::features::lots::model::Lot;
use crate::features::partials;
use crate::features::public_log::disclosure;
use crate::kernel::encoding::base64url;
use crate::keys::Keys;
use crate::ledger::{Error, Result};
use crate::limits;
use crate::log::Log;
use crate::rules::ceremony::CeremonyState;
use crate::rules::envelopes::Round;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::jws::Jws;
use crate::seal::snapshot::Line;
use crate::seal::unsealing::Outcome;

/// The version that the first line names.
pub const VERSION: &str = "sealbid-opening/1";
/// The media type.
pub const NDJSON: &str = "application/x-ndjson";

struct Walk {
    app: Data<App>,
    lot: Lot,
    round: Round,
    place: Place,
    lines: u64,
}

enum Place {
    Head,
    /// After this outcome.
    Page(String),
    End,
    Done,
}

/// The bundle of an opening that was read out, in pieces.
pub fn stream(app: Data<App>, lot: Lot, round: Round) -> impl Stream<Item = std::result::Result<Bytes, Error>> {
    let walk = Walk { app, lot, round, place: Place::Head, lines: 0 };
    stream::try_unfold(walk, |mut walk| async move {
        let piece = walk.step().await?;
        Ok(piece.map(|piece| (Bytes::from(piece), walk)))
    })
}

impl Walk {
    async fn step(&mut self) -> Result<Option<String>> {
        let (lot, round, app) = (self.lot.clone(), self.round, self.app.clone());
        let lines = match std::mem::replace(&mut self.place, Place::Done) {
            Place::Head => {
                self.place = Place::Page(String::new());
                let (keys, log) = (app.keys.clone(), app.log.clone());
                app.reader.read(move |conn| head(conn, &keys, &log, (&lot, round))).await?
            }
            Place::Page(after) => {
                let blobs = app.blobs.clone();
                let (lines, last) = app.reader.read(move |conn| page(conn, &blobs, (&lot, round), &after)).await?;
                self.place = last.map_or(Place::End, Place::Page);
                lines
            }
            Place::End => vec![json!({ "type": "end", "lines": self.lines + 1 })],
            Place::Done => return Ok(None),
        };
        self.lines += lines.len() as u64;
        Ok(Some(lines.iter().map(|line| format!("{line}\n")).collect()))
    }
}

/// Keys and what was given, before the envelopes.
fn head(conn: &mut Conn, keys: &Keys, log: &Log, (lot, round): (&Lot, Round)) -> Result<Vec<Value>> {
    let (id, damaged) = (&lot.row.id, |what: String| Error::damaged(format!("bundle of {}: {what}", lot.row.id)));
    let json_of = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| damaged(error.to_string()));
    let promise = keys.promise.verifying_key();
    let key_sets = key_sets::queries::of_lot(conn, id)?;
    let rounds = lot.body.terms.shared_rounds();
    let platform =
        json!({ "kid": promise.key_id(), "alg": promise.algorithm().name(), "public_key": promise.to_base64url() });
    let mut lines = vec![json!({
        "type": VERSION,
        "lot": id,
        "tender": lot.row.project_id,
        "group": round.group(id),
        "mode": lot.body.terms.key_mode,
        "escrow": rounds.contains(&Round::Escrow).then(|| Round::Escrow.group(id)),
        "opens_at": lot.body.schedule.opens_at,
        "platform": platform,
    })];
    let ceremonies = ceremonies::queries::of_lot(conn, id)?;
    if let Some(active) = ceremonies.iter().find(|ceremony| ceremony.state == CeremonyState::Active) {
        let view = ceremonies::ops::view(conn, active)?;
        lines.push(json!({
            "type": "ceremony",
            "draft": view.draft,
            "tenderer": view.tenderer,
            "members": view.members,
            "messages": view.messages,
        }));
    }
    // What was sealed to another round's key set is in that round's bundle; keys in escrow open in the lot's only one.
    let here: Vec<i64> =
        rounds.into_iter().filter(|of| [round, Round::Escrow].contains(of)).map(Round::number).collect();
    let mut kids = HashSet::new();
    for row in key_sets.into_iter().filter(|row| here.contains(&row.round)) {
        lines.push(json!({ "type": "key_set", "key_set": json_of(&row.body)? }));
        kids.insert(row.kid);
    }
    for (kid, own) in partials::queries::own_keys(conn, lot, round)? {
        let key_set = json_of(&own)?;
        let signer = signer(conn, &key_set)?;
        kids.insert(kid);
        lines.push(json!({ "type": "own_key", "key_set": key_set, "signer": signer }));
    }
    for row in partials::queries::snapshots_of(conn, id)?.iter().filter(|row| kids.contains(&row.kid)) {
        let entry = partials::ops::entry_of(conn, row)?;
        let proof = disclosure::receipt(conn, log, &entry)?;
        lines.push(json!({ "type": "snapshot", "snapshot": json_of(&row.body)?, "proof": proof }));
    }
    for row in partials::queries::lists(conn, id)?.iter().filter(|row| kids.contains(&row.kid)) {
        let list = json_of(&row.body)?;
        // What was made with a key out of escrow is signed by the platform.
        let signer = match &row.escrow {
            Some(_) => platform.clone(),
            None => signer(conn, &list)?,
        };
        lines.push(json!({ "type": "partials", "partials": list, "signer": signer, "escrow": row.escrow }));
    }
    Ok(lines)
}

/// The key that signed an object.
fn signer(conn: &mut Conn, signed: &Value) -> Result<Value> {
    let damaged = || Error::damaged("a signed object of a bundle");
    let (_, kid) = Jws::named(signed).map_err(|_| damaged())?;
    let row = accounts::queries::signing_key(conn, &kid.to_string())?.ok_or_else(damaged)?;
    Ok(json!({ "kid": row.kid, "alg": row.alg, "public_key": row.public_key }))
}

/// Envelopes after an outcome, and where the next page begins.
fn page(
    conn: &mut Conn,
    blobs: &DiskBlobs,
    (lot, round): (&Lot, Round),
    after: &str,
) -> Result<(Vec<Value>, Option<String>)> {
    let parts = groups::names(lot.body.terms.envelopes, &[round, Round::Escrow]);
    let rows = super::queries::outcomes_after(conn, (&lot.row.id, &parts), after, limits::EXPORT_PAGE)?;
    let whole = rows.len() as i64 == limits::EXPORT_PAGE;
    let last = rows.last().filter(|_| whole).map(|(row, ..)| row.id.clone());
    let lines = rows.iter().map(|(row, header, upload)| envelope(conn, blobs, lot, row, header, upload));
    Ok((lines.collect::<Result<_>>()?, last))
}

fn envelope(
    conn: &mut Conn,
    blobs: &DiskBlobs,
    lot: &Lot,
    row: &UnsealingRow,
    header: &str,
    upload: &str,
) -> Result<Value> {
    let damaged = |what: &str| Error::damaged(format!("envelope {}: {what}", row.envelope_id));
    let body: UnsealingBody = parse(&row.id, &row.body)?;
    let signed = SignedEnvelope::parse(header.as_bytes()).map_err(|error| damaged(error.reason()))?;
    let slots = &signed.header().slots;
    let mut kids: Vec<_> = slots.iter().map(|slot| slot.kid).collect();
    kids.dedup();
    let lines = kids.iter().flat_map(|kid| Line::of(&signed, *kid).into_iter().map(move |line| (*kid, line)));
    let read = |(kid, line): (crate::seal::ids::KeyId, Line)| {
        let mut value: Value = serde_json::from_str(&line.to_json()).map_err(|_| damaged("line"))?;
        value["kid"] = kid.to_string().into();
        Ok(value)
    };
    let mut value = json!({
        "type": "envelope",
        "envelope": row.envelope_id,
        "bid": row.bid_id,
        "part": row.part,
        "lines": lines.map(read).collect::<Result<Vec<_>>>()?,
        "outcome": row.state,
        "reason": body.failed.as_ref().map(|failed| &failed.reason),
        "shares": body.shares,
    });
    let public = signed.ctx().part == Part::Price || (signed.ctx().part == Part::Reserve && is_reserve_public(lot));
    if public && row.state == Outcome::Opened.name() {
        let jws: Value = serde_json::from_str(header).map_err(|_| damaged("header"))?;
        value["price"] = json!(body.price);
        value["signer"] = signer(conn, &jws)?;
        value["header"] = jws;
        value["payload"] = base64url(&payload(blobs, upload, signed.ctx().ciphertext_len())?).into();
    }
    Ok(value)
}

fn payload(blobs: &DiskBlobs, upload: &str, len: u64) -> Result<Vec<u8>> {
    let failed = |error: String| Error::Failed(crate::ledger::Failure::Storage(format!("payload {upload}: {error}")));
    let file = blobs.reader(upload).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    Ok(bytes)
}

/// Whether a session's bundle is everybody's to see.
pub fn is_public(session: &Opening) -> bool {
    session.body.read_out_at.is_some() && session.state == crate::rules::opening::SessionState::Closed
}
