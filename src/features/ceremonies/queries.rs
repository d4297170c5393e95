//! Every read of ceremonies.

use diesel::prelude::*;

use super::model::{BackupRow, Ceremony, CeremonyRow, MessageRow};
use crate::db::Conn;
use crate::db::schema::{ceremonies, ceremony_messages, share_backups};
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::refusals;
use crate::rules::ceremony::{CeremonyState, RUNNING};

/// A ceremony.
///
/// # Errors
/// 404.
pub fn ceremony(conn: &mut Conn, id: &str) -> Result<Ceremony> {
    let row: Option<CeremonyRow> =
        ceremonies::table.find(id).select(CeremonyRow::as_select()).first(conn).optional()?;
    Ceremony::read(row.ok_or_else(refusals::not_found)?)
}

/// The ceremonies of a lot, newest first.
///
/// # Errors
/// The database's.
pub fn of_lot(conn: &mut Conn, lot_id: &str) -> Result<Vec<Ceremony>> {
    let rows: Vec<CeremonyRow> = ceremonies::table
        .filter(ceremonies::lot_id.eq(lot_id))
        .order(ceremonies::id.desc())
        .select(CeremonyRow::as_select())
        .load(conn)?;
    rows.into_iter().map(Ceremony::read).collect()
}

/// Ceremonies that are being held or have a key and that name a person, newest first.
///
/// # Errors
/// The database's.
pub fn of_user(conn: &mut Conn, user: &str, limit: i64) -> Result<Vec<Ceremony>> {
    let mut states: Vec<&str> = RUNNING.iter().map(|state| state.name()).collect();
    states.push(CeremonyState::Active.name());
    // A user's id has one form and stands in the body as a JSON string and nowhere else.
    let rows: Vec<CeremonyRow> = ceremonies::table
        .filter(ceremonies::state.eq_any(states))
        .filter(ceremonies::body.like(format!("%\"user\":\"{user}\"%")))
        .order(ceremonies::id.desc())
        .limit(limit)
        .select(CeremonyRow::as_select())
        .load(conn)?;
    rows.into_iter().map(Ceremony::read).collect()
}

/// Ceremonies whose time has run out.
///
/// # Errors
/// The database's.
pub fn overdue(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<String>> {
    let states: Vec<&str> = RUNNING.iter().map(|state| state.name()).collect();
    Ok(ceremonies::table
        .filter(ceremonies::state.eq_any(states))
        .filter(ceremonies::expires_at.le(now.millis()))
        .order(ceremonies::id.asc())
        .limit(limit)
        .select(ceremonies::id)
        .load(conn)?)
}

/// The messages of a ceremony, by step and member.
///
/// # Errors
/// The database's.
pub fn messages(conn: &mut Conn, id: &str) -> Result<Vec<MessageRow>> {
    Ok(ceremony_messages::table
        .filter(ceremony_messages::owner_id.eq(id))
        .order((ceremony_messages::step.asc(), ceremony_messages::member.asc()))
        .select(MessageRow::as_select())
        .load(conn)?)
}

/// A member's sealed shares.
///
/// # Errors
/// The database's.
pub fn backup(conn: &mut Conn, id: &str, member: u8) -> Result<Option<BackupRow>> {
    Ok(share_backups::table.find((id, i64::from(member))).select(BackupRow::as_select()).first(conn).optional()?)
}
