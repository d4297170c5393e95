//! Every read of the record for inspectors. What is sealed, or outside the mandate, is left out by the database, before
//! any limit.

use std::cmp::Reverse;

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::model::{EntryFilter, LOOKED};
use super::search::names;
use super::search::queries::{self as search, Found};
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_name, audit_search, lots};
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
    rows.sort_by_key(|row| Reverse((row.at_ms, row.n)));
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
    let Some(asked) = Asked::of(conn, filter)? else { return Ok(Vec::new()) };
    let after = search::place(conn, after)?;
    let released = lots::table
        .inner_join(audit_name::table.on(audit_name::name.eq(lots::id)))
        .filter(audit_name::n.nullable().eq(audit_search::lot))
        .filter(lots::unsealed_at.le(released_by.millis()));
    let mut query = audit_search::table
        .select(Found::as_select())
        .filter(audit_search::sealed.eq(false).or(exists(released)))
        .order((audit_search::at_ms.desc(), audit_search::n.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(lot) = asked.lot {
        query = query.filter(audit_search::lot.eq(lot));
    }
    if let Some(project) = asked.project {
        query = query.filter(audit_search::project.eq(project));
    }
    if let Some(org) = asked.org {
        query = query.filter(audit_search::org.eq(org));
    }
    if let Some(actor) = asked.actor {
        query = query.filter(audit_search::actor.eq(actor));
    }
    if let Some(kind) = asked.kind {
        query = query.filter(audit_search::kind.eq(kind));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_search::at_ms.ge(from.millis()));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_search::at_ms.lt(to.millis()));
    }
    if let Some(looked) = asked.left_out {
        // Spelled out, so that the database knows how much it leaves out.
        query = query.filter(sql::<Bool>(&format!("kind <> {looked}")));
    }
    if let Some(place) = after {
        query = crate::beyond!(query, audit_search::at_ms, audit_search::n, place, older);
    }
    Ok(query.load(conn)?)
}

/// The words of a filter as numbers.
#[derive(Default)]
struct Asked {
    lot: Option<i32>,
    project: Option<i32>,
    org: Option<i32>,
    actor: Option<i32>,
    kind: Option<i32>,
    /// The kind that is left out.
    left_out: Option<i32>,
}

impl Asked {
    /// None where the filter has a word that no entry has: nothing fits it.
    fn of(conn: &mut Conn, filter: &EntryFilter) -> Result<Option<Self>> {
        let mut asked = Self::default();
        let words = [
            (&filter.lot, &mut asked.lot),
            (&filter.project, &mut asked.project),
            (&filter.org, &mut asked.org),
            (&filter.actor, &mut asked.actor),
            (&filter.kind, &mut asked.kind),
        ];
        for (word, number) in words {
            let Some(word) = word else { continue };
            *number = names::number(conn, word)?;
            if number.is_none() {
                return Ok(None);
            }
        }
        if !filter.include_looks && filter.kind.as_deref() != Some(LOOKED) {
            asked.left_out = names::number(conn, LOOKED)?;
        }
        Ok(Some(asked))
    }
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

    use diesel::connection::{InstrumentationEvent, SimpleConnection};

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
        conn.batch_execute(&format!(
            "INSERT INTO audit_name VALUES (1, 'x'), (2, '{LOOKED}'); \
             INSERT INTO audit_search VALUES (1, 'ent-1', 7, 1, 1, 1, 1, 1, 0)"
        ))
        .expect("words and an entry");
        asked.lock().expect("one thread").clear();
        let after = after.then(|| (7, "ent-1".to_owned()));
        let found = page(&mut conn, filter, Timestamp::from_millis(0), after.as_ref(), 50).expect("read");
        assert_eq!(found.len(), usize::from(after.is_none()));
        let text = asked.lock().expect("one thread").last().cloned().expect("a query");
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
            (EntryFilter { lot: x(), ..none() }, "audit_search_lot", "lot=?"),
            (EntryFilter { project: x(), ..none() }, "audit_search_project", "project=?"),
            (EntryFilter { org: x(), ..none() }, "audit_search_org", "org=?"),
            (EntryFilter { actor: x(), ..none() }, "audit_search_actor", "actor=?"),
            (EntryFilter { kind: x(), ..none() }, "audit_search_kind", "kind=?"),
            (EntryFilter { lot: x(), kind: x(), ..none() }, "audit_search_lot_kind", "lot=? AND kind=?"),
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
