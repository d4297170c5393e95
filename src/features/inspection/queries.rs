//! Every read of the record for inspectors. What is sealed is left out by the database, before any limit.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{EntryFilter, LOOKED};
use crate::db::Conn;
use crate::db::schema::{audit_entry, lots};
use crate::ledger::Result;
use crate::ledger::audit::EntryRow;

/// Entries that fit `filter`, newest first, after (at_ms, entry_id).
///
/// # Errors
/// The database's.
pub fn entries(
    conn: &mut Conn,
    filter: &EntryFilter,
    after: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<EntryRow>> {
    let released =
        lots::table.filter(lots::id.nullable().eq(audit_entry::lot_id)).filter(lots::unsealed_at.is_not_null());
    let mut query = audit_entry::table
        .select(EntryRow::as_select())
        .filter(audit_entry::sealed.eq(false).or(exists(released)))
        .order((audit_entry::at_ms.desc(), audit_entry::entry_id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(lot) = &filter.lot {
        query = query.filter(audit_entry::lot_id.eq(lot.clone()));
    }
    if let Some(project) = &filter.project {
        query = query.filter(audit_entry::project_id.eq(project.clone()));
    }
    if let Some(org) = &filter.org {
        query = query.filter(audit_entry::org_id.eq(org.clone()));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(audit_entry::actor_id.eq(actor.clone()));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(audit_entry::kind.eq(kind.clone()));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_entry::at_ms.ge(from.millis()));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_entry::at_ms.lt(to.millis()));
    }
    if !filter.include_looks && filter.kind.as_deref() != Some(LOOKED) {
        query = query.filter(audit_entry::kind.ne(LOOKED));
    }
    if let Some((at, id)) = after {
        query = query.filter(audit_entry::at_ms.lt(at).or(audit_entry::at_ms.eq(at).and(audit_entry::entry_id.lt(id))));
    }
    Ok(query.load(conn)?)
}

/// One entry, unless it is sealed still.
///
/// # Errors
/// The database's.
pub fn entry(conn: &mut Conn, id: &str) -> Result<Option<EntryRow>> {
    let released =
        lots::table.filter(lots::id.nullable().eq(audit_entry::lot_id)).filter(lots::unsealed_at.is_not_null());
    Ok(audit_entry::table
        .find(id)
        .filter(audit_entry::sealed.eq(false).or(exists(released)))
        .select(EntryRow::as_select())
        .first(conn)
        .optional()?)
}
