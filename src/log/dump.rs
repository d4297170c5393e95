//! Every leaf with what explains it, in the form of `docs/log-format.md`: for inspectors, who check the whole of it elsewhere.

use std::io::Write;

use diesel::prelude::*;
use serde_json::{Value, json};

use super::model::{Batch, size};
use super::{Log, opened, queries};
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_leaf, audit_personal};
use crate::kernel::encoding::hex;
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Failure, Reader, Result};

/// Which parts of the entries are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Part `p` alone.
    Public,
    /// All parts that are there.
    All,
}

/// Batches that are read together.
const BATCHES: i64 = 64;

/// Writes the dump of the tree as it is now; returns how many entries it has.
///
/// # Errors
/// The database's or the writer's.
pub fn write(log: &Log, reader: &Reader, parts: Parts, out: &mut impl Write) -> Result<u64> {
    let failed = |error: std::io::Error| Error::Failed(Failure::Storage(error.to_string()));
    let size_now = reader.read_blocking(queries::head)?.size;
    let head = json!({ "v": 1, "kind": "dump", "origin": log.settings().origin, "size": size_now });
    writeln!(out, "{head}").map_err(failed)?;
    let (mut at, mut entries) = (0, 0);
    while at < size_now {
        let batches = reader.read_blocking(move |conn| {
            let batches = queries::batches_from(conn, at, BATCHES)?;
            batches.into_iter().map(|batch| Ok((rows(conn, &batch)?, batch))).collect::<Result<Vec<_>>>()
        })?;
        if batches.is_empty() {
            return Err(Error::damaged(format!("no batch of the log begins at {at} leaves")));
        }
        for (rows, batch) in batches.into_iter().filter(|(_, batch)| batch.size_after <= size_now) {
            writeln!(out, "{}", batch_line(&batch, rows.len())).map_err(failed)?;
            for row in &rows {
                writeln!(out, "{}", line(row, parts)).map_err(failed)?;
                entries += 1;
            }
            at = batch.size_after;
        }
    }
    Ok(entries)
}

/// An entry, its personal part where it is there, and its leaf.
type Row = (EntryRow, Option<(Vec<u8>, String)>, i64);

fn rows(conn: &mut Conn, batch: &Batch) -> Result<Vec<Row>> {
    Ok(audit_leaf::table
        .inner_join(audit_entry::table.on(audit_entry::entry_id.eq(audit_leaf::entry_id)))
        .left_join(audit_personal::table.on(audit_personal::entry_id.eq(audit_leaf::entry_id)))
        .filter(audit_leaf::leaf_index.ge(batch.size_before))
        .filter(audit_leaf::leaf_index.lt(batch.size_after))
        .order(audit_leaf::leaf_index.asc())
        .select((
            EntryRow::as_select(),
            (audit_personal::s_i, audit_personal::part_i).nullable(),
            audit_leaf::leaf_index,
        ))
        .load(conn)?)
}

fn batch_line(batch: &Batch, real: usize) -> Value {
    let (from, to) = (size(batch.size_before), size(batch.size_after));
    let pads = (to - from).saturating_sub(real as u64);
    if batch.pad_key.is_empty() {
        // Recovered: nobody here can say what its other leaves are.
        return json!({ "from": from, "to": to, "pads": pads, "unknown": true });
    }
    json!({ "from": from, "to": to, "pads": pads, "pad_key": hex(&batch.pad_key) })
}

fn line((entry, personal, index): &Row, parts: Parts) -> Value {
    let all = parts == Parts::All;
    let personal = personal.as_ref().filter(|_| all).map(|(salt, text)| (&salt[..], text.as_str()));
    opened::line(entry, size(*index), all, personal)
}
