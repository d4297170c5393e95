//! What everybody may read of a lot once it was opened: the public part of each of its entries, with what proves it.
//!
//! First comes the entry `lot.disclosed`, with the size of the log up to which entries are shown and the digest of what they are then;
//! once it is covered, the file is made from these and written with the proof. So whoever writes it writes the same, a crash in between is
//! made good by the next round, and no file that is published ever changes. The form is that of `docs/log-format.md`.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::changes;
use crate::app::App;
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_leaf, audit_search, disclosures_due, lots};
use crate::features::bids::fixed::FIXED;
use crate::features::inspection::search;
use crate::kernel::digest::{Digest, sha256};
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

/// The name of the files of a lot's disclosure: its first has the lot's, a later one a number behind that.
fn name(lot: &str, nth: i64) -> String {
    if nth == 1 { lot.to_owned() } else { format!("{lot}-{nth}") }
}

/// Puts on record what is disclosed, once all entries of the lot are under the published checkpoint.
async fn disclose(app: &App, lot: &str) -> Result<bool> {
    // Every entry of the lot that is committed by now is found.
    search::ops::catch_up(app).await?;
    let (id, origin) = (lot.to_owned(), app.log.settings().origin.clone());
    let ready = app.reader.read(move |conn| {
        let size = log::head(conn)?.published_size;
        let text = if is_covered(conn, &id, size)? { Some(file(conn, &origin, &id, size)?) } else { None };
        Ok(text.map(|text| (size, sha256(text.as_bytes()))))
    });
    let Some((size, digest)) = ready.await? else { return Ok(false) };
    let lot = lot.to_owned();
    app.ledger
        .commit(app.system("disclosure"), move |tx| {
            // Another server may have been faster.
            let due = disclosures_due::table.find(&lot).select(disclosures_due::entry_id);
            if due.first(tx.conn()).optional()? != Some(None::<String>) {
                return Ok(());
            }
            let record = Record::new("lot.disclosed").lot(lot.clone()).public("sha256", digest).public("size", size);
            let entry = tx
                .note_in(&stream(&lot), limits::DISCLOSURES, record)?
                .ok_or_else(|| Error::internal("a lot was disclosed too often"))?;
            tx.beside(|conn| changes::disclosed(conn, &lot, &entry.entry_id))
        })
        .await?;
    Ok(true)
}

/// What an entry `lot.disclosed` says in its part `p`.
#[derive(Deserialize)]
struct Disclosed {
    rev: i64,
    data: DisclosedData,
}

#[derive(Deserialize)]
struct DisclosedData {
    sha256: Digest,
    size: i64,
}

/// Writes the file and the proof that it was disclosed, once that entry is under the published checkpoint.
async fn prove(app: &App, lot: &str, entry: &str) -> Result<bool> {
    let (public_log, id, of) = (app.log.clone(), entry.to_owned(), lot.to_owned());
    let made = app.reader.read(move |conn| {
        let Some(proof) = receipt(conn, &public_log, &id)? else { return Ok(None) };
        let row: EntryRow = audit_entry::table.find(&id).select(EntryRow::as_select()).first(conn)?;
        let said: Disclosed = serde_json::from_str(&row.part_p)
            .map_err(|error| Error::damaged(format!("{id}: it does not say what was disclosed: {error}")))?;
        let text = file(conn, &public_log.settings().origin, &of, said.data.size)?;
        if sha256(text.as_bytes()) != said.data.sha256 {
            return Err(Error::damaged(format!("{of}: its entries are not those that {id} disclosed")));
        }
        Ok(Some((name(&of, said.rev), text, proof)))
    });
    let Some((name, text, proof)) = made.await? else { return Ok(false) };
    write(app, format!("disclosures/{name}.ndjson"), text).await?;
    write(app, format!("disclosures/{name}.tlog-proof"), proof).await?;
    let (lot, entry) = (lot.to_owned(), entry.to_owned());
    let done = move |tx: &mut Tx<'_>| tx.beside(|conn| changes::proven(conn, &lot, &entry));
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

/// The entries of a lot, each with its leaf where it has one.
fn entries(conn: &mut Conn, lot: &str) -> Result<Vec<(EntryRow, Option<u64>)>> {
    let number = search::names::number(conn, lot)?;
    let rows: Vec<(EntryRow, Option<i64>)> = audit_search::table
        .inner_join(audit_entry::table.on(audit_entry::entry_id.eq(audit_search::entry_id)))
        .left_join(audit_leaf::table.on(audit_leaf::entry_id.eq(audit_entry::entry_id)))
        .filter(audit_search::lot.eq(number))
        .filter(audit_entry::stream.ne(stream(lot)))
        .select((EntryRow::as_select(), audit_leaf::leaf_index.nullable()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(row, index)| (row, index.map(model::size))).collect())
}

/// Whether a log of `size` leaves covers every entry of the lot up to its opening. What comes later must not keep everybody waiting for
/// what was before.
fn is_covered(conn: &mut Conn, lot: &str, size: i64) -> Result<bool> {
    let opened_at: Option<i64> = lots::table.find(lot).select(lots::unsealed_at).first(conn)?;
    let size = model::size(size);
    let waits = |row: &EntryRow| opened_at.is_none_or(|at| row.at_ms <= at);
    Ok(entries(conn, lot)?.iter().all(|(row, index)| index.is_some_and(|index| index < size) || !waits(row)))
}

/// The file: every entry of the lot that a log of `size` leaves covers.
fn file(conn: &mut Conn, origin: &str, lot: &str, size: i64) -> Result<String> {
    let size = model::size(size);
    let covered = |(row, index): (EntryRow, Option<u64>)| Some((index.filter(|index| *index < size)?, row));
    let mut rows: Vec<(u64, EntryRow)> = entries(conn, lot)?.into_iter().filter_map(covered).collect();
    rows.sort_unstable_by_key(|(index, _)| *index);
    // How many bids there were is no secret any more, and part of what everybody may check.
    let lines = rows.iter().map(|(index, row)| opened::line(row, *index, row.kind == FIXED, None));
    let head = json!({ "v": 1, "kind": "disclosure", "origin": origin, "lot": lot, "entries": rows.len() });
    Ok(std::iter::once(head).chain(lines).map(|line| format!("{line}\n")).collect())
}
