//! From rows of the search table to entries of the record.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_search, audit_unsearched};
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Result};

/// A row of the search table, as far as it decides whether its entry is shown.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_search)]
pub struct Found {
    /// The entry.
    pub entry_id: String,
    /// When, epoch milliseconds.
    pub at_ms: i64,
    /// What.
    pub kind: String,
    /// The lot it belongs to.
    pub lot_id: Option<String>,
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

/// The entries that were found, in that order.
///
/// # Errors
/// Damage where the table does not say what the entries say; the database's.
pub fn entries(conn: &mut Conn, found: Vec<Found>) -> Result<Vec<EntryRow>> {
    let ids: Vec<&String> = found.iter().map(|one| &one.entry_id).collect();
    let rows: Vec<EntryRow> =
        audit_entry::table.filter(audit_entry::entry_id.eq_any(ids)).select(EntryRow::as_select()).load(conn)?;
    let mut rows: HashMap<String, EntryRow> = rows.into_iter().map(|row| (row.entry_id.clone(), row)).collect();
    let entry = |one: Found| match rows.remove(&one.entry_id) {
        Some(row)
            if row.at_ms == one.at_ms
                && row.kind == one.kind
                && row.lot_id == one.lot_id
                && row.sealed == one.sealed =>
        {
            Ok(row)
        }
        _ => Err(Error::damaged(format!(
            "entry {}: audit_search says something else of it; `sealbid admin search rebuild` makes the table again",
            one.entry_id
        ))),
    };
    found.into_iter().map(entry).collect()
}
