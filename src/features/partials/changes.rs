//! Every write of snapshots and partial decryptions.

use diesel::prelude::*;

use super::model::{PartialListRow, PartialRow, SnapshotRow};
use crate::db::Conn;
use crate::db::schema::partials;
use crate::ledger::WriteConn;

crate::subject!(SnapshotRow, snapshots, stateless);
crate::subject!(PartialListRow, partial_lists, stateless);

/// Rows of one statement: below the number of parameters that either database takes.
const ROWS_AT_ONCE: usize = 100;

/// Stores the shares of a list.
#[expect(clippy::disallowed_methods, reason = "shares are a part of their list, which is on record")]
pub fn store(conn: &mut WriteConn<'_>, rows: &[PartialRow]) -> QueryResult<()> {
    match conn.get() {
        // Several rows at once would begin a transaction of their own here, inside the one that is running.
        Conn::Sqlite(conn) => {
            rows.iter().try_for_each(|row| diesel::insert_into(partials::table).values(row).execute(conn).map(drop))
        }
        Conn::Pg(conn) => rows
            .chunks(ROWS_AT_ONCE)
            .try_for_each(|rows| diesel::insert_into(partials::table).values(rows).execute(conn).map(drop)),
    }
}
