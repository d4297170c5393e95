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

/// Marks an open upload complete.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn complete(conn: &mut WriteConn<'_>, id: &str) -> QueryResult<()> {
    diesel::update(uploads::table.find(id).filter(uploads::state.eq(OPEN)))
        .set(uploads::state.eq(COMPLETE))
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

/// Removes the row of a doomed upload.
#[expect(clippy::disallowed_methods, reason = "uploads are working state beside the record")]
pub fn forget(conn: &mut WriteConn<'_>, id: &str) -> QueryResult<()> {
    diesel::delete(uploads::table.find(id).filter(uploads::state.eq(DOOMED))).execute(conn.get()).map(drop)
}
