//! Every read of uploads. Ownership is part of the question: another organisation's upload is not found.

use diesel::prelude::*;

use super::model::{COMPLETE, DOOMED, UploadRow};
use crate::db::Conn;
use crate::db::schema::uploads;
use crate::ledger::Result;

/// An organisation's upload, unless it is doomed.
///
/// # Errors
/// The database's.
pub fn own(conn: &mut Conn, org_id: &str, id: &str) -> Result<Option<UploadRow>> {
    Ok(uploads::table
        .find(id)
        .filter(uploads::org_id.eq(org_id))
        .filter(uploads::state.ne(DOOMED))
        .select(UploadRow::as_select())
        .first(conn)
        .optional()?)
}

/// An organisation's uploads to a lot that were declared with this size and root, unless they are doomed.
///
/// # Errors
/// The database's.
pub fn by_root(conn: &mut Conn, org_id: &str, lot_id: &str, size_bytes: i64, root: &str) -> Result<Vec<UploadRow>> {
    Ok(crate::on!(conn, c => uploads::table
        .filter(uploads::org_id.eq(org_id))
        .filter(uploads::lot_id.eq(lot_id))
        .filter(uploads::size_bytes.eq(size_bytes))
        .filter(uploads::root.eq(root))
        .filter(uploads::state.ne(DOOMED))
        .order(uploads::created_at.asc())
        .select(UploadRow::as_select())
        .load(c))?)
}

/// What something on record uses.
///
/// # Errors
/// The database's.
pub fn attached(conn: &mut Conn, id: &str) -> Result<Option<UploadRow>> {
    Ok(uploads::table
        .find(id)
        .filter(uploads::attached_to.is_not_null())
        .select(UploadRow::as_select())
        .first(conn)
        .optional()?)
}

/// What counts against an organisation's quota when it uploads to a lot: all its uploads to that lot, and those to others
/// that nothing uses yet.
///
/// # Errors
/// The database's.
pub fn counted(conn: &mut Conn, org_id: &str, lot_id: &str) -> Result<Vec<UploadRow>> {
    Ok(uploads::table
        .filter(uploads::org_id.eq(org_id))
        .filter(uploads::lot_id.eq(lot_id).or(uploads::attached_to.is_null()))
        .select(UploadRow::as_select())
        .load(conn)?)
}

/// Uploads whose time is over and that nothing uses, longest over first.
///
/// # Errors
/// The database's.
pub fn expired(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<UploadRow>> {
    Ok(uploads::table
        .filter(uploads::state.ne(DOOMED))
        .filter(uploads::expires_at.le(now))
        .filter(uploads::attached_to.is_null())
        .order(uploads::expires_at.asc())
        .limit(limit)
        .select(UploadRow::as_select())
        .load(conn)?)
}

/// Uploads whose bytes are to be removed.
///
/// # Errors
/// The database's.
pub fn doomed(conn: &mut Conn, limit: i64) -> Result<Vec<String>> {
    Ok(uploads::table
        .filter(uploads::state.eq(DOOMED))
        .order(uploads::expires_at.asc())
        .limit(limit)
        .select(uploads::id)
        .load(conn)?)
}

/// Uploads whose bytes are all there, by id from `after` on: what a backup holds.
///
/// # Errors
/// The database's.
pub fn whole(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<UploadRow>> {
    Ok(uploads::table
        .filter(uploads::state.eq(COMPLETE).or(uploads::attached_to.is_not_null()))
        .filter(uploads::id.gt(after))
        .order(uploads::id.asc())
        .limit(limit)
        .select(UploadRow::as_select())
        .load(conn)?)
}

/// Complete uploads whose bytes are due to be read again, longest due first, each with the instant at which it was due.
///
/// # Errors
/// The database's.
pub fn read_due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<(UploadRow, i64)>> {
    Ok(uploads::table
        .filter(uploads::state.eq(COMPLETE))
        .filter(uploads::read_due_at.le(now))
        .order((uploads::read_due_at.asc(), uploads::id.asc()))
        .limit(limit)
        .select((UploadRow::as_select(), uploads::read_due_at))
        .load(conn)?)
}

/// Those of `ids` that have a row.
///
/// # Errors
/// The database's.
pub fn known(conn: &mut Conn, ids: &[String]) -> Result<Vec<String>> {
    Ok(uploads::table.filter(uploads::id.eq_any(ids.to_vec())).select(uploads::id).load(conn)?)
}
