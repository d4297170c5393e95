//! Every read of looks before the opening, and what they show.

use diesel::prelude::*;

use super::model::{BreakGlassRow, OPEN};
use crate::db::Conn;
use crate::db::schema::{audit_search, break_glasses, lots};
use crate::features::inspection::search::names;
use crate::features::inspection::search::queries::{Found, entries, place};
use crate::features::mandates::model::Matter;
use crate::features::mandates::queries as mandates;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::ledger::audit::EntryRow;
use crate::refusals;

/// A look of a body of inspectors.
///
/// # Errors
/// 404; the database's.
pub fn of_body(conn: &mut Conn, id: &str, org_id: &str) -> Result<BreakGlassRow> {
    let found = break_glasses::table
        .find(id)
        .filter(break_glasses::org_id.eq(org_id))
        .select(BreakGlassRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| refusals::not_found().into())
}

/// The looks of a body of inspectors, newest first, after `after`.
///
/// # Errors
/// The database's.
pub fn page(conn: &mut Conn, org_id: &str, after: Option<&str>, limit: i64) -> Result<Vec<BreakGlassRow>> {
    let mut query = break_glasses::table
        .filter(break_glasses::org_id.eq(org_id.to_owned()))
        .select(BreakGlassRow::as_select())
        .order(break_glasses::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(break_glasses::id.lt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// Whether a lot's sealed entries are hidden still.
///
/// # Errors
/// The database's.
pub fn is_sealed(conn: &mut Conn, lot_id: &str) -> Result<bool> {
    let unsealed: Option<Option<i64>> = lots::table.find(lot_id).select(lots::unsealed_at).first(conn).optional()?;
    Ok(unsealed == Some(None))
}

/// Refuses whoever has no mandate for a lot in a matter at this moment.
///
/// # Errors
/// 403 `mandate-missing`; the database's.
pub fn check_mandate(conn: &mut Conn, user_id: &str, matter: &Matter, lot_id: &str, now: Timestamp) -> Result<()> {
    let covered = mandates::scope(conn, user_id, matter, now)?.covers(Some(lot_id));
    if covered { Ok(()) } else { Err(refusals::mandate_missing().into()) }
}

/// A look that its asker may make at this moment.
///
/// # Errors
/// 404 where it is not the caller's; 409 where it is not open; 403 where the mandate has ended; the database's.
pub fn in_force(conn: &mut Conn, id: &str, org_id: &str, user_id: &str, now: Timestamp) -> Result<BreakGlassRow> {
    let row = of_body(conn, id, org_id)?;
    if row.user_id != user_id {
        return Err(refusals::not_found().into());
    }
    if row.state != OPEN || now.millis() >= row.until_at || !is_sealed(conn, &row.lot_id)? {
        return Err(refusals::break_glass_not_open().into());
    }
    check_mandate(conn, user_id, &Matter::read(Some(&row.matter))?, &row.lot_id, now)?;
    Ok(row)
}

/// Sealed entries of a lot, newest first, after (at_ms, entry_id).
///
/// # Errors
/// The database's.
pub fn sealed_entries(
    conn: &mut Conn,
    lot_id: &str,
    after: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<EntryRow>> {
    let Some(lot) = names::number(conn, lot_id)? else { return Ok(Vec::new()) };
    let after = place(conn, after.as_ref())?;
    let mut query = audit_search::table
        .filter(audit_search::lot.eq(lot))
        .filter(audit_search::sealed.eq(true))
        .select(Found::as_select())
        .order((audit_search::at_ms.desc(), audit_search::n.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(place) = after {
        query = crate::beyond!(query, audit_search::at_ms, audit_search::n, place, older);
    }
    let found = query.load(conn)?;
    entries(conn, found)
}
