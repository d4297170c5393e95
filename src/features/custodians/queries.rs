//! Every read of custodians.

use diesel::prelude::*;

use super::model::CustodianRow;
use crate::db::Conn;
use crate::db::schema::custodians;
use crate::ledger::Result;

/// The custodian that a person is.
///
/// # Errors
/// The database's.
pub fn of_user(conn: &mut Conn, user_id: &str) -> Result<Option<CustodianRow>> {
    Ok(custodians::table
        .filter(custodians::user_id.eq(user_id))
        .select(CustodianRow::as_select())
        .first(conn)
        .optional()?)
}

/// A custodian.
///
/// # Errors
/// The database's.
pub fn custodian(conn: &mut Conn, id: &str) -> Result<Option<CustodianRow>> {
    Ok(custodians::table.find(id).select(CustodianRow::as_select()).first(conn).optional()?)
}

/// A page of custodians, in the order of their registration.
///
/// # Errors
/// The database's.
pub fn page(conn: &mut Conn, after: Option<&str>, size: i64) -> Result<Vec<CustodianRow>> {
    Ok(custodians::table
        .filter(custodians::id.gt(after.unwrap_or_default()))
        .order(custodians::id.asc())
        .limit(size)
        .select(CustodianRow::as_select())
        .load(conn)?)
}
