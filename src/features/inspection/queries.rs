//! Every read of the record for inspectors. What is sealed, or outside the mandate, is left out by the database, before
//! any limit.

use std::cmp::Reverse;

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::model::{EntryFilter, LOOKED};
use super::search::queries::{self as search, Found};
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_search, lots};
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
    let places = places(conn, filter, scope, released_by, after.as_ref(), limit)?;
    search::entries(conn, places)
}

fn places(
    conn: &mut Conn,
    filter: &EntryFilter,
    scope: &Scope,
    released_by: Timestamp,
    after: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<Found>> {
    let mut page = |filter: &EntryFilter| page(conn, filter, released_by, after, limit);
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
) -> Result<Vec<Found>> {
    let released = lots::table
        .filter(lots::id.nullable().eq(audit_search::lot_id))
        .filter(lots::unsealed_at.le(released_by.millis()));
    let mut query = audit_search::table
        .select(Found::as_select())
        .filter(audit_search::sealed.eq(false).or(exists(released)))
        .order((audit_search::at_ms.desc(), audit_search::entry_id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(lot) = &filter.lot {
        query = query.filter(audit_search::lot_id.eq(lot.clone()));
    }
    if let Some(project) = &filter.project {
        query = query.filter(audit_search::project_id.eq(project.clone()));
    }
    if let Some(org) = &filter.org {
        query = query.filter(audit_search::org_id.eq(org.clone()));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(audit_search::actor_id.eq(actor.clone()));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(audit_search::kind.eq(kind.clone()));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_search::at_ms.ge(from.millis()));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_search::at_ms.lt(to.millis()));
    }
    if !filter.include_looks && filter.kind.as_deref() != Some(LOOKED) {
        // Spelled out, so that the database sees that its indexes without looks serve this.
        query = query.filter(sql::<Bool>("kind <> 'inspection.looked'"));
    }
    if let Some(place) = after.cloned() {
        query = crate::beyond!(query, audit_search::at_ms, audit_search::entry_id, place, older);
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use diesel::connection::InstrumentationEvent;

    use super::*;
    use crate::db::migrate;

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }

    /// The plan of the page that a filter asks for.
    #[expect(clippy::disallowed_methods, reason = "a plan has no typed form")]
    fn plan(filter: &EntryFilter, after: bool) -> String {
        let mut sqlite = SqliteConnection::establish(":memory:").expect("opened");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = asked.clone();
        sqlite.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                heard.lock().expect("one thread").push(query.to_string());
            }
        });
        let mut conn = Conn::Sqlite(sqlite);
        migrate::migrate(&mut conn).expect("migrated");
        asked.lock().expect("one thread").clear();
        let after = after.then(|| (7, "ent-1".to_owned()));
        page(&mut conn, filter, Timestamp::from_millis(0), after.as_ref(), 50).expect("read");
        let text = asked.lock().expect("one thread").first().cloned().expect("a query");
        let text = text.split(" -- binds").next().expect("a text").to_owned();
        let Conn::Sqlite(conn) = &mut conn else { panic!("it is SQLite") };
        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}")).load(conn).expect("planned");
        steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_page_begins_in_its_index_and_sorts_nothing() {
        let (x, none) = (|| Some("x".to_owned()), EntryFilter::default);
        let filters = [
            (none(), "audit_search_time", ""),
            (EntryFilter { lot: x(), ..none() }, "audit_search_lot", "lot_id=?"),
            (EntryFilter { project: x(), ..none() }, "audit_search_project", "project_id=?"),
            (EntryFilter { org: x(), ..none() }, "audit_search_org", "org_id=?"),
            (EntryFilter { actor: x(), ..none() }, "audit_search_actor", "actor_id=?"),
            (EntryFilter { kind: x(), ..none() }, "audit_search_kind", "kind=?"),
            (EntryFilter { lot: x(), kind: x(), ..none() }, "audit_search_lot_kind", "lot_id=? AND kind=?"),
        ];
        for (filter, index, keys) in filters {
            for after in [false, true] {
                let plan = plan(&filter, after);
                assert!(plan.contains(&format!("COVERING INDEX {index}")), "{filter:?}: {plan}");
                let range = match (keys, after) {
                    ("", false) => String::new(),
                    ("", true) => "(at_ms<?)".to_owned(),
                    (keys, false) => format!("({keys})"),
                    (keys, true) => format!("({keys} AND at_ms<?)"),
                };
                assert!(plan.contains(&range), "{filter:?}: {plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
            }
        }
    }
}
