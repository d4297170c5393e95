//! Every write of erasures.
#![expect(clippy::disallowed_methods, reason = "the one table from which parts of the record go, and sent messages")]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::model::ErasureRow;
use crate::db::Conn;
use crate::db::schema::{audit_personal, outbox};
use crate::ledger::WriteConn;

crate::subject!(ErasureRow, erasures);

/// Takes away the personal parts of entries. SQLite writes zeros where they were.
pub(super) fn erase(conn: &mut WriteConn<'_>, ids: &[String]) -> QueryResult<usize> {
    let conn = conn.get();
    zeros(conn, "ON")?;
    let done = diesel::delete(audit_personal::table.filter(audit_personal::entry_id.eq_any(ids))).execute(conn);
    zeros(conn, "FAST")?;
    done
}

/// Empties messages that were sent; that they were sent stays, so that none is sent again.
pub(super) fn empty_mails(conn: &mut WriteConn<'_>, ids: &[String]) -> QueryResult<usize> {
    let conn = conn.get();
    zeros(conn, "ON")?;
    let done = diesel::update(outbox::table.filter(outbox::id.eq_any(ids)))
        .set((outbox::recipient.eq(""), outbox::subject.eq(""), outbox::body.eq("")))
        .execute(conn);
    zeros(conn, "FAST")?;
    done
}

/// Whether SQLite overwrites what is deleted: always, or where it costs nothing.
fn zeros(conn: &mut Conn, how: &str) -> QueryResult<()> {
    match conn {
        Conn::Pg(_) => Ok(()),
        Conn::Sqlite(conn) => conn.batch_execute(&format!("PRAGMA secure_delete = {how}")),
    }
}
