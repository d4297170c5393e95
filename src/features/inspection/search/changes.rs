//! Every write of the search table and of its words.
#![expect(
    clippy::disallowed_methods,
    reason = "inserting what another table selects, and sets of rows, have no typed form"
)]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Text};

use crate::db::schema::{audit_entry, audit_unsearched};
use crate::db::{Conn, dialect};
use crate::ledger::WriteConn;
use crate::limits;

/// Whoever fills the table holds the lock of this number.
const LOCK: i64 = 0x5EA2_C4ED;
/// No filling gives an entry a larger number: a row that has one was written by hand, and soon there would be none left for
/// whatever comes after it.
const LARGEST: i64 = i64::MAX / 2;

/// Moves a batch of entries from the queue to the table, and says how many. Fewer than [`limits::SEARCH_BATCH`] are all that
/// were committed before.
pub(super) fn move_batch(conn: &mut WriteConn<'_>) -> QueryResult<usize> {
    dialect::one_at_a_time(conn.get(), LOCK)?;
    let queue = audit_unsearched::table.select(audit_unsearched::entry_id);
    let batch: Vec<String> = queue.limit(limits::SEARCH_BATCH).load(conn.get())?;
    add(conn.get(), &batch)?;
    of_batch(conn.get(), &batch, |batch| format!("DELETE FROM audit_unsearched WHERE entry_id IN {batch}"))
}

/// Makes the table and its words again from the entries, and says how many entries there are. An entry keeps its number: whoever
/// is in the middle of a list goes on where he was. Only one beyond [`LARGEST`] is not kept.
pub(super) fn rebuild(conn: &mut WriteConn<'_>) -> QueryResult<usize> {
    dialect::one_at_a_time(conn.get(), LOCK)?;
    let conn = conn.get();
    conn.batch_execute(&format!(
        "DELETE FROM audit_name; DELETE FROM audit_search WHERE n > {LARGEST} \
         OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE audit_entry.entry_id = audit_search.entry_id)"
    ))?;
    let (mut filled, mut last) = (0, String::new());
    loop {
        let ids = audit_entry::table.select(audit_entry::entry_id).order(audit_entry::entry_id.asc());
        let batch: Vec<String> = ids.filter(audit_entry::entry_id.gt(&last)).limit(limits::SEARCH_BATCH).load(conn)?;
        let Some(end) = batch.last() else { break };
        filled += add(conn, &batch)?;
        last.clone_from(end);
    }
    // Not all of the queue: what was committed meanwhile is in the queue, and perhaps not in the table.
    conn.batch_execute("DELETE FROM audit_unsearched WHERE entry_id IN (SELECT entry_id FROM audit_search)")?;
    Ok(filled)
}

/// Brings in a batch of entries: first the words that nobody had yet, then the rows; says how many rows.
fn add(conn: &mut Conn, batch: &[String]) -> QueryResult<usize> {
    of_batch(conn, batch, |batch| {
        format!(
            "WITH batch AS MATERIALIZED \
             (SELECT kind, lot_id, project_id, org_id, actor_id FROM audit_entry WHERE entry_id IN {batch}) \
             INSERT INTO audit_name (n, name) \
             SELECT (SELECT coalesce(max(n), 0) FROM audit_name) + row_number() OVER (ORDER BY name), name \
             FROM (SELECT kind AS name FROM batch UNION SELECT lot_id FROM batch UNION SELECT project_id FROM batch \
             UNION SELECT org_id FROM batch UNION SELECT actor_id FROM batch) AS found WHERE name IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM audit_name AS known WHERE known.name = found.name)"
        )
    })?;
    of_batch(conn, batch, |batch| {
        format!(
            "INSERT INTO audit_search (n, entry_id, at_ms, kind, lot, project, org, actor, sealed) \
             SELECT (SELECT coalesce(max(n), 0) FROM audit_search) + row_number() OVER (ORDER BY e.at_ms, e.entry_id), \
             e.entry_id, e.at_ms, kind.n, lot.n, project.n, org.n, actor.n, e.sealed FROM audit_entry AS e \
             JOIN audit_name AS kind ON kind.name = e.kind \
             LEFT JOIN audit_name AS lot ON lot.name = e.lot_id \
             LEFT JOIN audit_name AS project ON project.name = e.project_id \
             LEFT JOIN audit_name AS org ON org.name = e.org_id \
             LEFT JOIN audit_name AS actor ON actor.name = e.actor_id \
             WHERE e.entry_id IN {batch} ON CONFLICT (entry_id) DO UPDATE SET at_ms = excluded.at_ms, kind = excluded.kind, \
             lot = excluded.lot, project = excluded.project, org = excluded.org, actor = excluded.actor, \
             sealed = excluded.sealed"
        )
    })
}

/// Runs the statement that `sql` makes with a batch of ids as its one value; the statement is planned anew each time: a plan
/// that was made for a small table reads all of a large one.
fn of_batch(conn: &mut Conn, batch: &[String], sql: impl Fn(&str) -> String) -> QueryResult<usize> {
    match conn {
        Conn::Pg(conn) => sql_query(sql("(SELECT unnest($1))")).bind::<Array<Text>, _>(batch).execute(conn),
        Conn::Sqlite(conn) => {
            let batch = serde_json::json!(batch).to_string();
            sql_query(sql("(SELECT value FROM json_each(?1))")).bind::<Text, _>(batch).execute(conn)
        }
    }
}
