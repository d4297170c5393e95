//! What everybody may read of a lot once it was opened: the public part of each of its entries, with what proves it.
//!
//! The file is written first, then the entry `lot.disclosed` that names its digest, then the proof of that entry: a crash in
//! between is made good by the next round. The form is that of `docs/log-format.md`.

use diesel::prelude::*;
use serde_json::json;

use super::changes;
use crate::app::App;
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_leaf, audit_search, disclosures_due, lots};
use crate::features::bids::fixed::FIXED;
use crate::features::inspection::search;
use crate::kernel::digest::sha256;
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;
use crate::log::{Log, model, opened, queries as log};

/// The stream of the entry that says what was disclosed.
fn stream(lot: &str) -> String {
    format!("disclosed-{lot}")
}

/// Notes that a lot is to be disclosed, in the commit that opens it to everybody.
///
/// # Errors
/// The database's.
pub fn order(tx: &mut Tx<'_>, lot: &str) -> Result<()> {
    tx.beside(|conn| changes::order(conn, lot))
}

/// Discloses what is due; returns for how many lots something was done.
///
/// # Errors
/// The database's or the disk's; what is left is taken up by the next round.
pub async fn round(app: &App) -> Result<u32> {
    let due: Vec<(String, Option<String>)> = app
        .reader
        .read(|conn| {
            Ok(disclosures_due::table
                .order(disclosures_due::lot_id.asc())
                .limit(limits::DISCLOSED_AT_ONCE)
                .load(conn)?)
        })
        .await?;
    let mut done = 0;
    for (lot, entry) in due {
        done += u32::from(match entry {
            None => disclose(app, &lot).await?,
            Some(entry) => prove(app, &lot, &entry).await?,
        });
    }
    Ok(done)
}

/// Writes the file and puts its digest on record, once all entries of the lot are under the published checkpoint.
async fn disclose(app: &App, lot: &str) -> Result<bool> {
    // Every entry of the lot that is committed by now is found.
    search::ops::catch_up(app).await?;
    let (id, origin) = (lot.to_owned(), app.log.settings().origin.clone());
    let Some(text) = app.reader.read(move |conn| file(conn, &origin, &id)).await? else { return Ok(false) };
    let digest = sha256(text.as_bytes());
    write(app, format!("disclosures/{lot}.ndjson"), text).await?;
    let lot = lot.to_owned();
    app.ledger
        .commit(app.system("disclosure"), move |tx| {
            let record = Record::new("lot.disclosed").lot(lot.clone()).public("sha256", digest);
            let entry = tx
                .note_in(&stream(&lot), limits::DISCLOSURES, record)?
                .ok_or_else(|| Error::internal("a lot was disclosed too often"))?;
            tx.beside(|conn| changes::disclosed(conn, &lot, &entry.entry_id))
        })
        .await?;
    Ok(true)
}

/// Writes the proof that the file was disclosed.
async fn prove(app: &App, lot: &str, entry: &str) -> Result<bool> {
    let (public_log, id) = (app.log.clone(), entry.to_owned());
    let proof = app.reader.read(move |conn| receipt(conn, &public_log, &id)).await?;
    let Some(proof) = proof else { return Ok(false) };
    write(app, format!("disclosures/{lot}.tlog-proof"), proof).await?;
    let lot = lot.to_owned();
    let done = move |tx: &mut Tx<'_>| tx.beside(|conn| changes::proven(conn, &lot));
    app.ledger.commit_beside(app.system("disclosure"), done).await?;
    Ok(true)
}

async fn write(app: &App, name: String, text: String) -> Result<()> {
    let public_log = app.log.clone();
    app.blocking(move || Ok(public_log.directory().write(&name, text.as_bytes())?)).await
}

/// The receipt of an entry as a file (C2SP tlog-proof), once it is under the published checkpoint.
///
/// # Errors
/// The database's, or when a tile cannot be read; damage when there is no such entry.
pub fn receipt(conn: &mut Conn, public_log: &Log, entry_id: &str) -> Result<Option<String>> {
    let Some(index) = log::leaf_index(conn, entry_id)? else { return Ok(None) };
    let row: EntryRow = audit_entry::table.find(entry_id).select(EntryRow::as_select()).first(conn)?;
    let opening = row.opening()?;
    let head = log::head(conn)?;
    let proof = public_log.proof(&head, index, Some(opening.to_extra().into_bytes()))?;
    Ok(proof.map(|proof| proof.to_text()))
}

/// The file: every entry of the lot that the published checkpoint covers; none while one from before the opening is not covered.
fn file(conn: &mut Conn, origin: &str, lot: &str) -> Result<Option<String>> {
    let opened_at: Option<i64> = lots::table.find(lot).select(lots::unsealed_at).first(conn)?;
    let published = model::size(log::head(conn)?.published_size);
    let number = search::names::number(conn, lot)?;
    let rows: Vec<(EntryRow, Option<i64>)> = audit_search::table
        .inner_join(audit_entry::table.on(audit_entry::entry_id.eq(audit_search::entry_id)))
        .left_join(audit_leaf::table.on(audit_leaf::entry_id.eq(audit_entry::entry_id)))
        .filter(audit_search::lot.eq(number))
        .filter(audit_entry::stream.ne(stream(lot)))
        .select((EntryRow::as_select(), audit_leaf::leaf_index.nullable()))
        .load(conn)?;
    let mut lines = Vec::with_capacity(rows.len());
    for (row, index) in rows {
        match index.map(model::size).filter(|index| *index < published) {
            None if opened_at.is_none_or(|at| row.at_ms <= at) => return Ok(None),
            // What comes later must not keep everybody waiting for what was before.
            None => {}
            // How many bids there were is no secret any more, and part of what everybody may check.
            Some(index) => lines.push((index, opened::line(&row, index, row.kind == FIXED, None))),
        }
    }
    lines.sort_unstable_by_key(|(index, _)| *index);
    let head = json!({ "v": 1, "kind": "disclosure", "origin": origin, "lot": lot, "entries": lines.len() });
    let lines = lines.into_iter().map(|(_, line)| line);
    Ok(Some(std::iter::once(head).chain(lines).map(|line| format!("{line}\n")).collect()))
}
