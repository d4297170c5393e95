//! Pages of the record as an inspector asks for them, each look on record before it is answered: the first page and the
//! last among a million entries.

use diesel::prelude::*;

use super::ground::Ground;
use super::load::{self, Requests};
use super::measure::Figures;
use super::{BenchError, Result, Run};
use crate::db::schema::audit_entry;
use crate::demo::cast::MATTER;
use crate::features::inspection::model::{EntryFilter, LOOKED};
use crate::http::cursor::{self, Place};
use crate::kernel::id;
use crate::ledger::Record;

/// Entries of the record.
const ENTRIES: usize = 1_000_000;
/// Entries that one use case writes.
const TOGETHER: usize = 1_000;
/// Entries of a page.
const PAGE: i64 = 50;
/// Inspectors' connections.
const CONNECTIONS: usize = 16;
/// Pages of a volley.
const PAGES: usize = 2_000;

/// Reads the first page and the last of the record on each database, in turn.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for backend in &run.databases {
        let ground = Ground::lay(backend.fresh()?, 1, 1)?;
        fill(&ground, run.many(ENTRIES))?;
        let last = last_page(&ground)?;
        for (what, after) in [("first", None), ("last", Some(last.as_str()))] {
            let mut volley = turn(&ground, run.many(PAGES), after)?;
            figures.add_volley(&format!("record.{what}_page.{}", backend.name), &mut volley);
        }
        ground.clear();
    }
    Ok(figures)
}

/// Puts entries on record, a thousand in an instant, as a busy centre does over years.
fn fill(ground: &Ground, count: usize) -> Result<()> {
    let lot = ground.lots[0].id.clone();
    for _ in 0..count.div_ceil(TOGETHER) {
        ground.platform.tick();
        let lot = lot.clone();
        let many = move |tx: &mut crate::ledger::Tx<'_>| {
            (0..TOGETHER).try_for_each(|_| {
                let record = Record::new("document.fetched").lot(lot.clone()).public("name", "road.txt");
                tx.note(&id::random("ftc"), record).map(drop)
            })
        };
        ground.platform.commit("benchmark", many).map_err(BenchError::of)?;
    }
    Ok(())
}

/// The cursor before the oldest entries that fill a page.
fn last_page(ground: &Ground) -> Result<String> {
    let app = ground.app();
    let place: Place = app
        .reader
        .read_blocking(|conn| {
            Ok(audit_entry::table
                .filter(audit_entry::kind.ne(LOOKED))
                .order((audit_entry::at_ms.asc(), audit_entry::entry_id.asc()))
                .select((audit_entry::at_ms, audit_entry::entry_id))
                .offset(PAGE)
                .first(conn)?)
        })
        .map_err(BenchError::of)?;
    cursor::seal(&app.keys, &EntryFilter::default().list(), &place).map_err(BenchError::of)
}

/// Asks for one page over and over.
fn turn(ground: &Ground, count: usize, after: Option<&str>) -> Result<super::measure::Volley> {
    // Filling the record took time, also by its clock: whoever asks now has a new token.
    ground.cast.inspector.get::<serde_json::Value>("/v1/me").map_err(BenchError::of)?;
    let token = ground.cast.inspector.access_token().ok_or_else(|| BenchError("the inspector has signed in".into()))?;
    let after = after.map_or_else(String::new, |cursor| format!("&after={cursor}"));
    let path = format!("/v1/inspection/entries?matter={MATTER}&limit={PAGE}{after}");
    let bytes = vec![load::request("GET", &path, Some(&token), &[], b""); count];
    load::fire(ground.address()?, CONNECTIONS, Requests { bytes, expected: 200 })
}
