//! Every read of the record for inspectors. What is sealed, or outside the mandate, is left out by the database, before
//! any limit.

use std::cmp::Reverse;

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::model::{EntryFilter, LOOKED};
use crate::db::Conn;
use crate::db::schema::{audit_entry, lots};
use crate::features::mandates::model::Scope;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::ledger::audit::EntryRow;

/// Entries that fit `filter` within `scope`, newest first, after (at_ms, entry_id); sealed ones of lots that were released by
/// `released_by`.
///
/// # Errors
/// The database's.
pub fn entries(
    conn: &mut Conn,
    filter: &EntryFilter,
    scope: &Scope,
    released_by: Timestamp,
    after: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<EntryRow>> {
    let mut page = |filter: &EntryFilter| page(conn, filter, released_by, after.as_ref(), limit);
    let lots = match (scope, &filter.lot) {
        (Scope::Everything, _) => return page(filter),
        (_, Some(lot)) if scope.covers(Some(lot)) => return page(filter),
        (Scope::Nothing, _) | (_, Some(_)) => return Ok(Vec::new()),
        (Scope::Lots(lots), None) => lots,
    };
    // Lot by lot along the index, a page each: no sort grows with a lot's record.
    let mut rows = Vec::new();
    for lot in lots {
        let of_lot = EntryFilter { lot: Some(lot.clone()), ..filter.clone() };
        rows.extend(page(&of_lot)?);
    }
    rows.sort_by_cached_key(|row| Reverse((row.at_ms, row.entry_id.clone())));
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

fn page(
    conn: &mut Conn,
    filter: &EntryFilter,
    released_by: Timestamp,
    after: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<EntryRow>> {
    let released = lots::table
        .filter(lots::id.nullable().eq(audit_entry::lot_id))
        .filter(lots::unsealed_at.le(released_by.millis()));
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
        // Spelled out, so that the database sees that its indexes without looks serve this.
        query = query.filter(sql::<Bool>("kind <> 'inspection.looked'"));
    }
    if let Some(place) = after.cloned() {
        query = crate::beyond!(query, audit_entry::at_ms, audit_entry::entry_id, place, older);
    }
    Ok(query.load(conn)?)
}

/// One entry within `scope`, unless it is sealed still.
///
/// # Errors
/// The database's.
pub fn entry(conn: &mut Conn, id: &str, scope: &Scope) -> Result<Option<EntryRow>> {
    let released =
        lots::table.filter(lots::id.nullable().eq(audit_entry::lot_id)).filter(lots::unsealed_at.is_not_null());
    let mut query = audit_entry::table
        .filter(audit_entry::entry_id.eq(id.to_owned()))
        .filter(audit_entry::sealed.eq(false).or(exists(released)))
        .select(EntryRow::as_select())
        .into_boxed();
    match scope {
        Scope::Nothing => return Ok(None),
        Scope::Lots(lots) => query = query.filter(audit_entry::lot_id.eq_any(lots.iter().cloned().map(Some))),
        Scope::Everything => {}
    }
    Ok(query.first(conn).optional()?)
}
