//! Every read of messages. That there is a sealed message tells that somebody bid or fetched documents: to a person it
//! does not exist before its lot is opened, and the database leaves it out before any limit.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{MailRow, WAITING};
use crate::db::Conn;
use crate::db::schema::{lots, outbox};
use crate::ledger::Result;

/// The lots whose box is open to everybody.
const OPENED: &str = "all";

/// A message, unless it is sealed still.
///
/// # Errors
/// The database's.
pub fn mail(conn: &mut Conn, id: &str) -> Result<Option<MailRow>> {
    let opened = lots::table.filter(lots::id.nullable().eq(outbox::lot_id)).filter(lots::unsealed_for.eq(OPENED));
    let shown = outbox::table.find(id).filter(outbox::sealed.eq(false).or(exists(opened)));
    Ok(shown.select(MailRow::as_select()).first(conn).optional()?)
}

/// Whether there is, or was, a message about this.
///
/// # Errors
/// The database's.
pub fn is_stored(conn: &mut Conn, dedup: &str) -> Result<bool> {
    let count: i64 = outbox::table.filter(outbox::dedup.eq(dedup)).count().get_result(conn)?;
    Ok(count > 0)
}

/// The messages that are due at `now`, epoch milliseconds, and that no server is sending; oldest first.
///
/// # Errors
/// The database's.
pub fn due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<MailRow>> {
    Ok(outbox::table
        .filter(outbox::state.eq(WAITING))
        .filter(outbox::next_at.le(now))
        .filter(outbox::lease_until.le(now))
        .order((outbox::next_at.asc(), outbox::id.asc()))
        .limit(limit)
        .select(MailRow::as_select())
        .load(conn)?)
}

/// Messages in a state, newest first, after (created_at, id); without those that are sealed still.
///
/// # Errors
/// The database's.
pub fn newest(conn: &mut Conn, state: Option<&str>, after: Option<(i64, String)>, limit: i64) -> Result<Vec<MailRow>> {
    let opened = lots::table.filter(lots::id.nullable().eq(outbox::lot_id)).filter(lots::unsealed_for.eq(OPENED));
    let mut query = outbox::table
        .select(MailRow::as_select())
        .filter(outbox::sealed.eq(false).or(exists(opened)))
        .order((outbox::created_at.desc(), outbox::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(outbox::state.eq(state.to_owned()));
    }
    if let Some(place) = after {
        query = crate::beyond!(query, outbox::created_at, outbox::id, place, older);
    }
    Ok(query.load(conn)?)
}

/// Whether a message that is no secret was given up and waits for a person. Never tells of sealed ones.
///
/// # Errors
/// The database's.
pub fn given_up(conn: &mut Conn) -> Result<bool> {
    let failed = outbox::table.filter(outbox::state.eq("failed")).filter(outbox::sealed.eq(false));
    Ok(diesel::select(diesel::dsl::exists(failed)).get_result(conn)?)
}
