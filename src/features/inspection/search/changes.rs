//! Every write of the search table.
#![expect(
    clippy::disallowed_methods,
    reason = "inserting what another table selects, and sets of rows, have no typed form"
)]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;

use crate::db::{Conn, dialect};
use crate::ledger::WriteConn;
use crate::limits;

/// Whoever fills the table holds the lock of this number.
const LOCK: i64 = 0x5EA2_C4ED;

/// The columns, in the table and in the entries.
const COLUMNS: &str = "entry_id, at_ms, kind, lot_id, project_id, org_id, actor_id, sealed";

/// Moves a batch of entries from the queue to the table, and says how many. Fewer than [`limits::SEARCH_BATCH`] are all that
/// were committed before.
///
/// The statements are planned anew each time: a plan that was made for a small table reads all of a large one.
pub(super) fn move_batch(conn: &mut WriteConn<'_>) -> QueryResult<usize> {
    dialect::one_at_a_time(conn.get(), LOCK)?;
    let most = limits::SEARCH_BATCH;
    match conn.get() {
        // One statement sees one state of the queue: what is committed meanwhile is left to the next.
        Conn::Pg(conn) => sql_query(format!(
            "WITH batch AS MATERIALIZED (SELECT entry_id FROM audit_unsearched LIMIT {most}), \
             moved AS (INSERT INTO audit_search ({COLUMNS}) SELECT {COLUMNS} FROM audit_entry \
             WHERE entry_id IN (SELECT entry_id FROM batch) ON CONFLICT DO NOTHING) \
             DELETE FROM audit_unsearched WHERE entry_id IN (SELECT entry_id FROM batch)"
        ))
        .execute(conn),
        // The one writer: both statements see the same queue.
        Conn::Sqlite(conn) => {
            let batch = format!("(SELECT entry_id FROM audit_unsearched ORDER BY entry_id LIMIT {most})");
            sql_query(format!(
                "INSERT INTO audit_search ({COLUMNS}) SELECT {COLUMNS} FROM audit_entry WHERE entry_id IN {batch} \
                 ON CONFLICT DO NOTHING"
            ))
            .execute(conn)?;
            sql_query(format!("DELETE FROM audit_unsearched WHERE entry_id IN {batch}")).execute(conn)
        }
    }
}

/// Makes the table again from the entries, and says how many there are.
pub(super) fn rebuild(conn: &mut WriteConn<'_>) -> QueryResult<usize> {
    dialect::one_at_a_time(conn.get(), LOCK)?;
    let conn = conn.get();
    conn.batch_execute("DELETE FROM audit_search")?;
    let filled = crate::on!(conn, c => {
        sql_query(format!("INSERT INTO audit_search ({COLUMNS}) SELECT {COLUMNS} FROM audit_entry")).execute(c)
    })?;
    // Not all of the queue: what was committed meanwhile is in the queue, and not in the table.
    conn.batch_execute("DELETE FROM audit_unsearched WHERE entry_id IN (SELECT entry_id FROM audit_search)")?;
    Ok(filled)
}
