//! Pages of the record as an inspector asks for them, each look on record before it is answered: by time, by one key and by
//! two, the first page and one far in, among a million entries or as many as are asked for.

mod fill;

use diesel::prelude::*;
use serde_json::Value;

use super::ground::Ground;
use super::load::{self, Requests};
use super::measure::{Figures, Volley};
use super::{BenchError, Result, Run};
use crate::db::schema::audit_search;
use crate::demo::cast::MATTER;
use crate::features::inspection::model::EntryFilter;
use crate::features::inspection::search::names;
use crate::http::cursor::{self, Place};

/// Entries of the record unless another number is asked for.
const ENTRIES: usize = 1_000_000;
/// Entries of a page.
const PAGE: i64 = 50;
/// Inspectors who look at the same time, each asking for the next page as soon as it has one: a province has a few.
const CONNECTIONS: usize = 4;
/// Pages of a volley.
const PAGES: usize = 2_000;
/// The kinds of entries: the usual one and the rare one.
const KINDS: [&str; 2] = ["document.fetched", "question.asked"];

/// What is asked for, and its name.
fn searches(lots: &[String]) -> Vec<(&'static str, EntryFilter)> {
    let (lot, kind) = (lots.first().cloned(), Some(KINDS[1].to_owned()));
    vec![
        ("time", EntryFilter::default()),
        ("lot", EntryFilter { lot: lot.clone(), ..EntryFilter::default() }),
        ("kind", EntryFilter { kind: kind.clone(), ..EntryFilter::default() }),
        ("lot_kind", EntryFilter { lot, kind, ..EntryFilter::default() }),
    ]
}

/// Reads the first page and one far in of each search on each database, in turn.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for backend in &run.databases {
        let ground = Ground::lay(backend.fresh()?, 1, 1)?;
        let lots = fill::fill(&ground, run.entries.unwrap_or_else(|| run.many(ENTRIES)))?;
        for (name, filter) in searches(&lots) {
            let far = far_in(&ground, &filter)?;
            for (what, after) in [("first", None), ("far", Some(far.as_str()))] {
                let mut volley = turn(&ground, run.many(PAGES), &filter, after)?;
                figures.add_volley(&format!("record.{name}.{what}_page.{}", backend.name), &mut volley);
            }
        }
        ground.clear();
    }
    Ok(figures)
}

/// The cursor of a search before the oldest entries that fill a page.
fn far_in(ground: &Ground, filter: &EntryFilter) -> Result<String> {
    let app = ground.app();
    let (lot, kind) = (filter.lot.clone(), filter.kind.clone());
    let place: Place = app
        .reader
        .read_blocking(|conn| {
            let kinds = names::numbers(conn, &KINDS)?;
            let mut query = audit_search::table
                .filter(audit_search::kind.eq_any(kinds))
                .order((audit_search::at_ms.asc(), audit_search::n.asc()))
                .select((audit_search::at_ms, audit_search::entry_id))
                .offset(PAGE)
                .into_boxed();
            if let Some(lot) = lot {
                query = query.filter(audit_search::lot.eq(names::number(conn, &lot)?));
            }
            if let Some(kind) = kind {
                query = query.filter(audit_search::kind.nullable().eq(names::number(conn, &kind)?));
            }
            Ok(query.first(conn)?)
        })
        .map_err(BenchError::of)?;
    cursor::seal(&app.keys, &filter.list(), &place).map_err(BenchError::of)
}

/// Asks for one page over and over.
fn turn(ground: &Ground, count: usize, filter: &EntryFilter, after: Option<&str>) -> Result<Volley> {
    // Filling the record took time, also by its clock: whoever asks now has a new token.
    ground.cast.inspector.get::<Value>("/v1/me").map_err(BenchError::of)?;
    let token = ground.cast.inspector.access_token().ok_or_else(|| BenchError("the inspector has signed in".into()))?;
    let mut path = format!("/v1/inspection/entries?matter={MATTER}&limit={PAGE}");
    for (name, value) in [("lot", filter.lot.as_deref()), ("kind", filter.kind.as_deref()), ("after", after)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={value}"));
        }
    }
    let bytes = vec![load::request("GET", &path, Some(&token), &[], b""); count];
    load::fire(ground.address()?, CONNECTIONS, Requests { bytes, expected: 200 })
}
