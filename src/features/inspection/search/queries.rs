//! From rows of the search table to entries of the record.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;

use super::names::Names;
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_search, audit_unsearched};
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Result};

/// A row of the search table, as far as it decides whether its entry is shown; its words are numbers ([`super::names`]).
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_search)]
pub struct Found {
    /// The row: of two entries of one instant, the later has the larger number.
    pub n: i64,
    /// When, epoch milliseconds.
    pub at_ms: i64,
    /// What.
    pub kind: i32,
    /// The lot it belongs to.
    pub lot: Option<i32>,
    /// Hidden until the lot's boxes are open.
    pub sealed: bool,
}

/// Whether entries wait to come into the table.
///
/// # Errors
/// The database's.
pub fn is_behind(conn: &mut Conn) -> Result<bool> {
    Ok(diesel::select(exists(audit_unsearched::table.select(audit_unsearched::entry_id))).get_result(conn)?)
}

/// The place of an entry among the rows, (at_ms, n): where a list goes on.
///
/// # Errors
/// Damage where the table lacks the entry; the database's.
pub fn place(conn: &mut Conn, after: Option<&(i64, String)>) -> Result<Option<(i64, i64)>> {
    let Some((at_ms, entry_id)) = after else { return Ok(None) };
    let row = audit_search::table.filter(audit_search::entry_id.eq(entry_id)).select(audit_search::n);
    let n: Option<i64> = row.first(conn).optional()?;
    n.map(|n| Some((*at_ms, n))).ok_or_else(|| differs(entry_id))
}

/// The entries that were found, in that order.
///
/// # Errors
/// Damage where the table does not say what the entries say; the database's.
pub fn entries(conn: &mut Conn, found: Vec<Found>) -> Result<Vec<EntryRow>> {
    let rows: Vec<(i64, EntryRow)> = audit_search::table
        .inner_join(audit_entry::table.on(audit_entry::entry_id.eq(audit_search::entry_id)))
        .filter(audit_search::n.eq_any(found.iter().map(|one| one.n)))
        .select((audit_search::n, EntryRow::as_select()))
        .load(conn)?;
    let mut rows: HashMap<i64, EntryRow> = rows.into_iter().collect();
    let names = Names::load(conn, found.iter().flat_map(|one| [Some(one.kind), one.lot]).flatten())?;
    let entry = |one: Found| {
        let row = rows.remove(&one.n).ok_or_else(|| differs(&format!("of row {}", one.n)))?;
        let same = row.at_ms == one.at_ms
            && row.sealed == one.sealed
            && names.is(Some(one.kind), Some(&row.kind))
            && names.is(one.lot, row.lot_id.as_deref());
        if same { Ok(row) } else { Err(differs(&row.entry_id)) }
    };
    found.into_iter().map(entry).collect()
}

fn differs(entry: &str) -> Error {
    Error::damaged(format!(
        "entry {entry}: audit_search says something else of it; `sealbid admin search rebuild` makes the table again"
    ))
}
