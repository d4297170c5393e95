//! A lot as it stood at an instant, rebuilt from the record alone.
//!
//! The entries of a lot keep its row in their restricted part; a bid's row follows from its entries and its signed
//! envelopes. Either is compared with the digest that its entry committed to: what is shown is what was written then, not
//! what a table says today. Bids are shown once the lot's sealed entries are released.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::leaves::{EntryLeaf, Leaves};
use super::report::facts::instant;
use super::search::names;
use super::search::queries::{self as search, Found};
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_search, bids, lots};
use crate::features::bids::model::{BID, BidBody, BidRow, RESERVE, SealedPart};
use crate::features::bids::queries::envelopes;
use crate::kernel::digest::Digest;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::{EntryRow, row_digest};
use crate::ledger::{Error, Result};
use crate::limits;
use crate::refusals;
use crate::seal::envelope::SignedEnvelope;

/// A lot as it stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LotAt {
    /// The lot.
    pub lot_id: String,
    /// The instant that was asked for.
    pub at: Timestamp,
    /// The same instant in China.
    pub at_local: String,
    /// The version in force then.
    pub version: i64,
    /// The entry of that version.
    pub entry_id: String,
    /// What led to it.
    pub kind: String,
    /// When that was recorded.
    pub recorded_at: Timestamp,
    /// The state.
    pub state: Option<String>,
    /// The deadline in force.
    pub deadline_at: Option<Timestamp>,
    /// The same instant in China.
    pub deadline_at_local: Option<String>,
    /// The opening was planned for.
    pub opens_at: Option<Timestamp>,
    /// Holds in force, with their reasons.
    #[schema(value_type = Vec<Object>)]
    pub holds: Value,
    /// The revision of the documents.
    pub document_revision: Option<String>,
    /// The whole row as it was written; null where its entry is older than rows on record.
    #[schema(value_type = Option<Object>)]
    pub row: Value,
    /// Whether the row is the one that the entry committed to; null where that cannot be told (yet).
    pub verified: Option<bool>,
    /// What of the row is withheld until the opening.
    pub withheld: Vec<String>,
    /// The documents attached by then.
    pub documents: Vec<DocumentAt>,
    /// Whether bids are shown: they are sealed until the opening.
    pub bids_released: bool,
    /// Bids and the reserve price as they stood, by id.
    pub bids: Vec<BidAt>,
    /// What to pass as `after` for more bids; null at the end.
    pub next: Option<String>,
    /// Every entry that this answer is rebuilt from, and its leaf in the public log, by which it can be checked outside.
    pub rebuilt_from: Vec<EntryLeaf>,
    /// Leaves under the published checkpoint that covers those with an index; 0 where nothing is published yet.
    pub log_size: u64,
}

/// A document that was attached by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentAt {
    /// The document.
    pub document_id: String,
    /// The entry that says so.
    pub entry_id: String,
    /// When it was attached.
    pub attached_at: Timestamp,
    /// Its digest, hex.
    pub sha256: String,
}

/// A bid as it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BidAt {
    /// The bid.
    pub bid_id: String,
    /// `bid` or `reserve`.
    pub kind: String,
    /// The bidder; the initiator for the reserve price.
    pub org_id: String,
    /// The version in force then.
    pub version: i64,
    /// The entry of that version.
    pub entry_id: String,
    /// The state.
    pub state: String,
    /// The revision that its header names.
    pub rev: i64,
    /// When its contents were received.
    pub received_at: Timestamp,
    /// The same instant in China.
    pub received_at_local: String,
    /// The revision of the documents that it names.
    #[schema(value_type = String)]
    pub document_revision: Digest,
    /// Its envelopes.
    #[schema(value_type = Vec<String>)]
    pub envelope_ids: Vec<Digest>,
    /// Whether the row rebuilt from the record is the one that the entry committed to.
    pub verified: bool,
}

fn parsed(row: &EntryRow, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::damaged(format!("entry {}: {error}", row.entry_id)))
}

/// The lot at an instant, with a page of its bids after the bid `after`.
///
/// # Errors
/// 404 where there was no such lot yet; the database's.
pub fn lot_at(conn: &mut Conn, lot_id: &str, at: Timestamp, after: &str, limit: i64) -> Result<LotAt> {
    let entry: EntryRow = audit_entry::table
        .filter(audit_entry::stream.eq(lot_id))
        .filter(audit_entry::lot_id.eq(lot_id))
        .filter(audit_entry::at_ms.le(at.millis()))
        .order(audit_entry::rev.desc())
        .select(EntryRow::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(refusals::not_found)?;
    let (public, restricted) = (parsed(&entry, &entry.part_p)?, parsed(&entry, &entry.part_c)?);
    let row = restricted["data"]["row"].clone();
    let withheld: Vec<String> = serde_json::from_value(restricted["data"]["withheld"].clone()).unwrap_or_default();
    let body: Value = row["body"].as_str().map(|text| parsed(&entry, text)).transpose()?.unwrap_or_default();
    let deadline = instant(&body["schedule"]["deadline_at"]).or_else(|| instant(&public["data"]["deadline_at"]));
    let released: Option<Option<i64>> = lots::table.find(lot_id).select(lots::unsealed_at).first(conn).optional()?;
    let bids_released = released.flatten().is_some();
    let mut used = vec![entry.entry_id.clone()];
    let verified = is_committed(conn, &entry, &public, &row, !withheld.is_empty(), &mut used)?;
    let documents = documents_at(conn, lot_id, at)?;
    used.extend(documents.iter().map(|document| document.entry_id.clone()));
    let bids = if bids_released { bids_at(conn, lot_id, at, after, limit, &mut used)? } else { (Vec::new(), None) };
    let leaves = Leaves::load(conn, &used)?;
    Ok(LotAt {
        lot_id: lot_id.to_owned(),
        at,
        at_local: at.local(),
        version: entry.rev,
        entry_id: entry.entry_id.clone(),
        kind: entry.kind.clone(),
        recorded_at: Timestamp::from_millis(entry.at_ms),
        state: public["to"].as_str().map(str::to_owned),
        deadline_at: deadline,
        deadline_at_local: deadline.map(Timestamp::local),
        opens_at: instant(&body["schedule"]["opens_at"]).or_else(|| instant(&public["data"]["opens_at"])),
        holds: if body["holds"].is_array() { body["holds"].clone() } else { Value::Array(Vec::new()) },
        document_revision: body["document_revision"].as_str().map(str::to_owned),
        verified,
        row,
        withheld,
        documents,
        bids_released,
        bids: bids.0,
        next: bids.1,
        log_size: leaves.size(),
        rebuilt_from: used
            .into_iter()
            .map(|entry_id| EntryLeaf { leaf_index: leaves.of(&entry_id), entry_id })
            .collect(),
    })
}

/// Whether a row is the one that its entry committed to. A count that was withheld stands in the row of the next entry.
fn is_committed(
    conn: &mut Conn,
    entry: &EntryRow,
    public: &Value,
    row: &Value,
    withheld: bool,
    used: &mut Vec<String>,
) -> Result<Option<bool>> {
    if row.is_null() {
        return Ok(None);
    }
    let mut whole = row.clone();
    if withheld {
        let next: Option<EntryRow> = audit_entry::table
            .filter(audit_entry::stream.eq(&entry.stream))
            .filter(audit_entry::rev.eq(entry.rev + 1))
            .select(EntryRow::as_select())
            .first(conn)
            .optional()?;
        let Some(next) = next else { return Ok(None) };
        used.push(next.entry_id.clone());
        let later = parsed(&next, &next.part_c)?;
        let body = |row: &Value| {
            row["body"]
                .as_str()
                .and_then(|text| serde_json::from_str::<crate::features::lots::model::LotBody>(text).ok())
        };
        let (Some(mut here), Some(there)) = (body(row), body(&later["data"]["row"])) else { return Ok(None) };
        here.received_bids = there.received_bids;
        whole["body"] = serde_json::to_string(&here).map_err(|error| Error::internal(error.to_string()))?.into();
    }
    Ok(Some(public["object"].as_str() == Some(row_digest(&whole)?.as_str())))
}

fn documents_at(conn: &mut Conn, lot_id: &str, at: Timestamp) -> Result<Vec<DocumentAt>> {
    let (lot, kind) = (names::number(conn, lot_id)?, names::number(conn, "document.attached")?);
    let (Some(lot), Some(kind)) = (lot, kind) else { return Ok(Vec::new()) };
    let places: Vec<Found> = audit_search::table
        .filter(audit_search::lot.eq(lot))
        .filter(audit_search::kind.eq(kind))
        .filter(audit_search::at_ms.le(at.millis()))
        .order((audit_search::at_ms.asc(), audit_search::n.asc()))
        .limit(limits::DOCUMENTS_PER_LOT)
        .select(Found::as_select())
        .load(conn)?;
    let rows = search::entries(conn, places)?;
    let document = |row: EntryRow| {
        let public = parsed(&row, &row.part_p)?;
        Ok(DocumentAt {
            sha256: public["data"]["sha256"].as_str().unwrap_or_default().to_owned(),
            attached_at: Timestamp::from_millis(row.at_ms),
            document_id: row.stream,
            entry_id: row.entry_id,
        })
    };
    rows.into_iter().map(document).collect()
}

fn bids_at(
    conn: &mut Conn,
    lot_id: &str,
    at: Timestamp,
    after: &str,
    limit: i64,
    used: &mut Vec<String>,
) -> Result<(Vec<BidAt>, Option<String>)> {
    let ids: Vec<String> = bids::table
        .filter(bids::lot_id.eq(lot_id))
        .filter(bids::id.gt(after))
        .order(bids::id.asc())
        .limit(limit)
        .select(bids::id)
        .load(conn)?;
    let next = ids.last().filter(|_| i64::try_from(ids.len()).is_ok_and(|found| found >= limit)).cloned();
    let mut found = Vec::new();
    for id in ids {
        found.extend(bid_at(conn, &id, at, used)?);
    }
    Ok((found, next))
}

/// A bid at an instant; none where it was not there yet.
fn bid_at(conn: &mut Conn, bid_id: &str, at: Timestamp, used: &mut Vec<String>) -> Result<Option<BidAt>> {
    let history: Vec<EntryRow> = audit_entry::table
        .filter(audit_entry::stream.eq(bid_id))
        .filter(audit_entry::at_ms.le(at.millis()))
        .order(audit_entry::rev.asc())
        .select(EntryRow::as_select())
        .load(conn)?;
    let Some(last) = history.last() else { return Ok(None) };
    used.extend(history.iter().map(|entry| entry.entry_id.clone()));
    let object = parsed(last, &last.part_p)?["object"].clone();
    let mut row: Option<BidRow> = None;
    for entry in &history {
        row = Some(step(conn, row, entry)?);
    }
    let row = row.ok_or_else(|| Error::damaged(format!("bid {bid_id}: no versions")))?;
    let body: BidBody =
        serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("bid {bid_id}: {error}")))?;
    let received_at = Timestamp::from_millis(row.received_at);
    Ok(Some(BidAt {
        verified: object.as_str() == Some(row_digest(&row)?.as_str()),
        bid_id: row.id,
        kind: row.kind,
        org_id: row.org_id,
        version: row.version,
        entry_id: last.entry_id.clone(),
        state: row.state,
        rev: row.rev,
        received_at,
        received_at_local: received_at.local(),
        document_revision: body.document_revision,
        envelope_ids: body.parts.iter().map(|part| part.envelope_id).collect(),
    }))
}

/// The next version of a bid, as its entry and its envelopes tell it.
fn step(conn: &mut Conn, before: Option<BidRow>, entry: &EntryRow) -> Result<BidRow> {
    let damaged = |what: &str| Error::damaged(format!("entry {}: {what}", entry.entry_id));
    let public = parsed(entry, &entry.part_p)?;
    let data = &public["data"];
    let state = public["to"].as_str().ok_or_else(|| damaged("no state"))?.to_owned();
    let written = |body: &BidBody| serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()));
    if data["envelope_ids"].is_null() {
        let before = before.ok_or_else(|| damaged("a bid without a beginning"))?;
        let mut body: BidBody = serde_json::from_str(&before.body).map_err(|_| damaged("no body"))?;
        if let Some(statement) = parsed(entry, &entry.part_c)?["data"]["withdrawal"].as_str() {
            body.withdrawal = Some(statement.to_owned());
        }
        return Ok(BidRow { version: entry.rev, state, body: written(&body)?, ..before });
    }
    let received = instant(&data["received_at"]).ok_or_else(|| damaged("no time"))?.millis();
    let since = match &before {
        Some(before) if entry.kind == "bid.confirmed" => before.received_at,
        _ => received,
    };
    let named: Vec<Digest> =
        serde_json::from_value(data["envelope_ids"].clone()).map_err(|_| damaged("no envelopes"))?;
    let mut parts: HashMap<String, SealedPart> = HashMap::new();
    for stored in envelopes(conn, &entry.stream, entry.rev)? {
        let envelope = SignedEnvelope::parse(stored.header.as_bytes()).map_err(|error| damaged(error.reason()))?;
        parts.insert(stored.envelope_id, SealedPart::of(&envelope, &stored.upload_id));
    }
    let body = BidBody {
        document_revision: serde_json::from_value(data["document_revision"].clone())
            .map_err(|_| damaged("no revision"))?,
        sealed_version: entry.rev,
        parts: named.iter().filter_map(|id| parts.remove(&id.to_string())).collect(),
        withdrawal: None,
    };
    Ok(BidRow {
        id: entry.stream.clone(),
        version: entry.rev,
        state,
        kind: if entry.kind.starts_with("reserve.") { RESERVE } else { BID }.to_owned(),
        lot_id: entry.lot_id.clone().unwrap_or_default(),
        org_id: entry.org_id.clone().unwrap_or_default(),
        rev: data["rev"].as_i64().ok_or_else(|| damaged("no rev"))?,
        received_at: since,
        body: written(&body)?,
    })
}
