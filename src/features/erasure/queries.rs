//! Every read of erasures, and what they may take away.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{ErasureRow, STANDING};
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_name, audit_personal, audit_search, erasures, lots, outbox};
use crate::features::inspection::search::names;
use crate::ledger::Result;
use crate::ledger::audit::EntryRow;
use crate::limits;
use crate::rules::machine::State;

/// The states of lots that are settled.
fn settled() -> [&'static str; 3] {
    State::SETTLED.map(State::name)
}

/// Whether a lot is settled.
///
/// # Errors
/// The database's.
pub fn is_settled(conn: &mut Conn, lot_id: &str) -> Result<bool> {
    let lot = lots::table.find(lot_id).filter(lots::state.eq_any(settled()));
    Ok(diesel::select(exists(lot)).get_result(conn)?)
}

/// Whether some lot that was registered before an instant is not settled.
///
/// # Errors
/// The database's.
pub fn is_any_open(conn: &mut Conn, before_at: i64) -> Result<bool> {
    let open = lots::table.filter(lots::created_at.lt(before_at)).filter(lots::state.ne_all(settled()));
    Ok(diesel::select(exists(open)).get_result(conn)?)
}

/// Entries with a personal part of what a user did, or of what was done about the user's account, that are no evidence any
/// more; up to a batch.
///
/// # Errors
/// The database's.
pub fn erasable(conn: &mut Conn, user_id: &str, before_at: i64) -> Result<Vec<String>> {
    let lot = lots::table
        .inner_join(audit_name::table.on(audit_name::name.eq(lots::id)))
        .filter(audit_name::n.nullable().eq(audit_search::lot))
        .filter(lots::state.eq_any(settled()));
    let user = names::number(conn, user_id)?;
    let mut ids: Vec<String> = audit_search::table
        .inner_join(audit_personal::table.on(audit_personal::entry_id.eq(audit_search::entry_id)))
        .filter(audit_search::actor.eq(user))
        .filter(audit_search::at_ms.lt(before_at))
        .filter(audit_search::lot.is_null().or(exists(lot)))
        .limit(limits::ERASURE_BATCH)
        .select(audit_search::entry_id)
        .load(conn)?;
    let account: Vec<String> = audit_entry::table
        .inner_join(audit_personal::table.on(audit_personal::entry_id.eq(audit_entry::entry_id)))
        .filter(audit_entry::stream.eq(user_id))
        .filter(audit_entry::at_ms.lt(before_at))
        .limit(limits::ERASURE_BATCH)
        .select(audit_entry::entry_id)
        .load(conn)?;
    ids.extend(account);
    Ok(ids)
}

/// Messages that were sent to an address, about nothing that is evidence still; up to a batch.
///
/// # Errors
/// The database's.
pub fn sent_mails(conn: &mut Conn, address: &str, before_at: i64) -> Result<Vec<String>> {
    let lot = lots::table.filter(lots::id.nullable().eq(outbox::lot_id)).filter(lots::state.eq_any(settled()));
    Ok(outbox::table
        .filter(outbox::recipient.eq(address))
        .filter(outbox::sent_at.is_not_null())
        .filter(outbox::created_at.lt(before_at))
        .filter(outbox::lot_id.is_null().or(exists(lot)))
        .limit(limits::ERASURE_BATCH)
        .select(outbox::id)
        .load(conn)?)
}

/// An entry, unless it is sealed still.
///
/// # Errors
/// The database's.
pub fn visible_entry(conn: &mut Conn, id: &str) -> Result<Option<EntryRow>> {
    let released =
        lots::table.filter(lots::id.nullable().eq(audit_entry::lot_id)).filter(lots::unsealed_at.is_not_null());
    Ok(audit_entry::table
        .filter(audit_entry::entry_id.eq(id))
        .filter(audit_entry::sealed.eq(false).or(exists(released)))
        .select(EntryRow::as_select())
        .first(conn)
        .optional()?)
}

/// Whether an entry has its personal part.
///
/// # Errors
/// The database's.
pub fn has_personal(conn: &mut Conn, entry_id: &str) -> Result<bool> {
    Ok(diesel::select(exists(audit_personal::table.find(entry_id))).get_result(conn)?)
}

/// An erasure.
///
/// # Errors
/// The database's.
pub fn erasure(conn: &mut Conn, id: &str) -> Result<Option<ErasureRow>> {
    Ok(erasures::table.find(id).select(ErasureRow::as_select()).first(conn).optional()?)
}

/// Erasures that stand, after one.
///
/// # Errors
/// The database's.
pub fn standing(conn: &mut Conn, after: &str) -> Result<Vec<String>> {
    Ok(erasures::table
        .filter(erasures::state.eq(STANDING))
        .filter(erasures::id.gt(after))
        .order(erasures::id.asc())
        .limit(limits::ERASURES_PER_ROUND)
        .select(erasures::id)
        .load(conn)?)
}

/// Whether anything was ever erased.
///
/// # Errors
/// The database's.
pub fn is_any(conn: &mut Conn) -> Result<bool> {
    Ok(diesel::select(exists(erasures::table.select(erasures::id))).get_result(conn)?)
}

/// Erasures, newest first.
///
/// # Errors
/// The database's.
pub fn page(conn: &mut Conn, after: Option<&str>, limit: i64) -> Result<Vec<ErasureRow>> {
    let mut query =
        erasures::table.select(ErasureRow::as_select()).order(erasures::id.desc()).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(erasures::id.lt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}
