//! Every read of mandates.

use diesel::prelude::*;

use super::model::{self, ACTIVE, MandateRow, Matter, Scope};
use crate::db::Conn;
use crate::db::schema::mandates;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;

/// What a user may see in a matter at this moment.
///
/// # Errors
/// The database's.
pub fn scope(conn: &mut Conn, user_id: &str, matter: &Matter, now: Timestamp) -> Result<Scope> {
    let rows: Vec<MandateRow> = mandates::table
        .filter(mandates::user_id.eq(user_id))
        .filter(mandates::matter.eq(matter.as_str()))
        .filter(mandates::state.eq(ACTIVE))
        .filter(mandates::from_at.le(now.millis()))
        .filter(mandates::until_at.gt(now.millis()))
        .select(MandateRow::as_select())
        .load(conn)?;
    Ok(Scope::of(rows.iter().map(model::body).collect::<Result<Vec<_>>>()?))
}

/// How many mandates of a user in a matter are or will be in force.
///
/// # Errors
/// The database's.
pub fn count(conn: &mut Conn, user_id: &str, matter: &Matter, now: Timestamp) -> Result<i64> {
    Ok(mandates::table
        .filter(mandates::user_id.eq(user_id))
        .filter(mandates::matter.eq(matter.as_str()))
        .filter(mandates::state.eq(ACTIVE))
        .filter(mandates::until_at.gt(now.millis()))
        .count()
        .get_result(conn)?)
}

/// A mandate.
///
/// # Errors
/// The database's.
pub fn mandate(conn: &mut Conn, id: &str) -> Result<Option<MandateRow>> {
    Ok(mandates::table.find(id).select(MandateRow::as_select()).first(conn).optional()?)
}

/// Mandates, newest first: all of them, or one user's.
///
/// # Errors
/// The database's.
pub fn page(conn: &mut Conn, user_id: Option<&str>, after: Option<&str>, limit: i64) -> Result<Vec<MandateRow>> {
    let mut query =
        mandates::table.select(MandateRow::as_select()).order(mandates::id.desc()).limit(limit).into_boxed();
    if let Some(user) = user_id {
        query = query.filter(mandates::user_id.eq(user.to_owned()));
    }
    if let Some(after) = after {
        query = query.filter(mandates::id.lt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}
