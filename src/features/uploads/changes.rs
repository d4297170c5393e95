//! Every write of uploads: working state beside the record.

use diesel::prelude::*;

use super::model::{COMPLETE, DOOMED, OPEN, UploadRow};
use crate::db::schema::uploads;
use crate::kernel::time::Timestamp;
use crate::ledger::WriteConn;

/// Inserts a new upload.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn insert(conn: &mut WriteConn<'_>, row: &UploadRow) -> QueryResult<()> {
    diesel::insert_into(uploads::table).values(row).execute(conn.get()).map(drop)
}

/// Marks an open upload complete; its bytes were just looked at, and are read again later.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn complete(conn: &mut WriteConn<'_>, id: &str, read_again: Timestamp) -> QueryResult<()> {
    diesel::update(uploads::table.find(id).filter(uploads::state.eq(OPEN)))
        .set((uploads::state.eq(COMPLETE), uploads::read_due_at.eq(read_again.millis())))
        .execute(conn.get())
        .map(drop)
}

/// Says what uses an upload from now on.
#[expect(clippy::disallowed_methods, reason = "whatever uses an upload is on record itself, in the same commit")]
pub fn attach(conn: &mut WriteConn<'_>, id: &str, attached_to: &str) -> QueryResult<()> {
    let attach = diesel::update(uploads::table.find(id)).set(uploads::attached_to.eq(attached_to));
    crate::kept!(conn.get(), Attach, attach).map(drop)
}

/// Names the statement that attaches an upload.
enum Attach {}

/// Keeps an upload longer.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn keep_until(conn: &mut WriteConn<'_>, id: &str, expires: Timestamp) -> QueryResult<()> {
    diesel::update(uploads::table.find(id)).set(uploads::expires_at.eq(expires.millis())).execute(conn.get()).map(drop)
}

/// Marks an upload that nothing uses as doomed.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn doom(conn: &mut WriteConn<'_>, id: &str) -> QueryResult<()> {
    diesel::update(uploads::table.find(id).filter(uploads::attached_to.is_null()))
        .set(uploads::state.eq(DOOMED))
        .execute(conn.get())
        .map(drop)
}

/// Marks a sealed upload that will never be opened as doomed, although a bid names it.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn doom_sealed(conn: &mut WriteConn<'_>, id: &str) -> QueryResult<()> {
    diesel::update(uploads::table.find(id)).set(uploads::state.eq(DOOMED)).execute(conn.get()).map(drop)
}

/// Says when an upload's bytes are read again; false where that is not the instant that was `seen`.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn read_again_at(conn: &mut WriteConn<'_>, id: &str, seen: Option<i64>, next: i64) -> QueryResult<bool> {
    let conn = conn.get();
    let row = uploads::table.filter(uploads::id.eq(id));
    let new = uploads::read_due_at.eq(next);
    let changed = match seen {
        Some(seen) => diesel::update(row.filter(uploads::read_due_at.eq(seen))).set(new).execute(conn)?,
        None => diesel::update(row).set(new).execute(conn)?,
    };
    Ok(changed == 1)
}

/// Removes the row of a doomed upload.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn forget(conn: &mut WriteConn<'_>, id: &str) -> QueryResult<()> {
    diesel::delete(uploads::table.find(id).filter(uploads::state.eq(DOOMED))).execute(conn.get()).map(drop)
}
