//! Every read of documents.

use diesel::prelude::*;

use super::model::DocumentRow;
use crate::db::Conn;
use crate::db::schema::{documents, followers};
use crate::ledger::Result;

/// A document.
///
/// # Errors
/// The database's.
pub fn document(conn: &mut Conn, id: &str) -> Result<Option<DocumentRow>> {
    Ok(documents::table.find(id).select(DocumentRow::as_select()).first(conn).optional()?)
}

/// The documents of a lot in the order in which they were attached, after `after`.
///
/// # Errors
/// The database's.
pub fn of_lot(conn: &mut Conn, lot_id: &str, after: Option<&str>, limit: i64) -> Result<Vec<DocumentRow>> {
    let mut query = documents::table
        .filter(documents::lot_id.eq(lot_id.to_owned()))
        .select(DocumentRow::as_select())
        .order(documents::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(documents::id.gt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// How many documents a lot has.
///
/// # Errors
/// The database's.
pub fn count(conn: &mut Conn, lot_id: &str) -> Result<i64> {
    Ok(documents::table.filter(documents::lot_id.eq(lot_id)).count().get_result(conn)?)
}

/// Whether an organisation has fetched documents of a lot. Secret before the opening.
///
/// # Errors
/// The database's.
pub fn has_fetched(conn: &mut Conn, lot_id: &str, org_id: &str) -> Result<bool> {
    let found: i64 = followers::table
        .filter(followers::lot_id.eq(lot_id))
        .filter(followers::org_id.eq(org_id))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}
