//! The search table against the entries: each is there once or still queued, and says what the entry says.

use std::collections::{HashMap, HashSet};

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::super::search::names::Names;
use super::ReplayReport;
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_search, audit_unsearched};
use crate::ledger::Result;
use crate::ledger::audit::EntryRow;
use crate::limits;

/// A row of the table.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_search)]
struct Searched {
    entry_id: String,
    at_ms: i64,
    kind: i32,
    lot: Option<i32>,
    project: Option<i32>,
    org: Option<i32>,
    actor: Option<i32>,
    sealed: bool,
}

impl Searched {
    fn numbers(&self) -> impl Iterator<Item = i32> {
        [Some(self.kind), self.lot, self.project, self.org, self.actor].into_iter().flatten()
    }

    fn says(&self, row: &EntryRow, names: &Names) -> bool {
        self.at_ms == row.at_ms
            && self.sealed == row.sealed
            && names.is(Some(self.kind), Some(&row.kind))
            && names.is(self.lot, row.lot_id.as_deref())
            && names.is(self.project, row.project_id.as_deref())
            && names.is(self.org, row.org_id.as_deref())
            && names.is(self.actor, row.actor_id.as_deref())
    }
}

/// Compares a page of entries with the table.
pub(super) fn compare(conn: &mut Conn, report: &mut ReplayReport, page: &[EntryRow]) -> Result<()> {
    let ids = || page.iter().map(|row| &row.entry_id);
    let rows: Vec<Searched> =
        audit_search::table.filter(audit_search::entry_id.eq_any(ids())).select(Searched::as_select()).load(conn)?;
    let names = Names::load(conn, rows.iter().flat_map(Searched::numbers))?;
    let found: HashMap<String, Searched> = rows.into_iter().map(|row| (row.entry_id.clone(), row)).collect();
    let missing = || page.iter().filter(|row| !found.contains_key(&row.entry_id));
    let queued: HashSet<String> = if missing().next().is_none() {
        HashSet::new()
    } else {
        let missing = missing().map(|row| &row.entry_id);
        let queued = audit_unsearched::table
            .filter(audit_unsearched::entry_id.eq_any(missing))
            .select(audit_unsearched::entry_id);
        queued.load::<String>(conn)?.into_iter().collect()
    };
    for row in page {
        let wrong = match found.get(&row.entry_id) {
            Some(searched) if searched.says(row, &names) => continue,
            Some(_) => "audit_search does not say what the entry says",
            None if queued.contains(&row.entry_id) => continue,
            None => "audit_search lacks the entry, and it is not queued",
        };
        report.add(Some(&row.entry_id), &row.stream, wrong);
    }
    Ok(())
}

/// Names rows of the table and of its queue that belong to no entry.
pub(super) fn without_entries(conn: &mut Conn, report: &mut ReplayReport) -> Result<()> {
    macro_rules! without {
        ($table:ident) => {{
            let entries = audit_entry::table.filter(audit_entry::entry_id.eq($table::entry_id));
            let ids: Vec<String> = $table::table
                .filter(not(exists(entries)))
                .order($table::entry_id.asc())
                .limit(limits::REPLAY_PAGE)
                .select($table::entry_id)
                .load(conn)?;
            for id in ids {
                report.add(Some(&id), "", concat!("a row of ", stringify!($table), " without its entry"));
            }
        }};
    }
    without!(audit_search);
    without!(audit_unsearched);
    Ok(())
}
