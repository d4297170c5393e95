//! A record of many entries: some put there as every entry is, and the rest as their copies, which only databases that are
//! measured have: they are on no stream and in no log.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::super::ground::Ground;
use super::super::{BenchError, Result};
use super::KINDS;
use crate::db::Conn;
use crate::db::schema::audit_search;
use crate::features::inspection::search::ops as search;
use crate::kernel::id;
use crate::ledger::{Error, Failure, Record, Tx};

/// Entries that one use case writes.
const TOGETHER: usize = 1_000;
/// Entries that are put on record one by one, at most; as many are copied at a time, while others wait for the writer.
const NOTED: usize = 20_000;
/// Lots that the entries are about, in turn; half of all entries are about the first.
const LOTS: usize = 20;
/// Two entries in so many are of the rare kind.
const RARE: usize = 20;

/// Fills a record with so many entries, a thousand in an instant, as a busy centre does over years; returns the lots.
pub fn fill(ground: &Ground, count: usize) -> Result<Vec<String>> {
    let mut lots = vec![ground.lots[0].id.clone()];
    lots.extend((1..LOTS).map(|_| id::random("lot")));
    move_all(ground)?;
    let before = last(ground)?;
    let noted = count.min(NOTED);
    for _ in 0..noted.div_ceil(TOGETHER) {
        ground.platform.tick();
        let lots = lots.clone();
        ground.platform.commit("benchmark", move |tx| note(tx, &lots)).map_err(BenchError::of)?;
    }
    move_all(ground)?;
    let noted = Range { first: before.n + 1, last: last(ground)?.n };
    let years = last(ground)?.at_ms - before.at_ms;
    let app = ground.app();
    for copy in 1..count.div_ceil(NOTED) {
        let copy = i64::try_from(copy).map_err(BenchError::of)?;
        let shift = Shift { copy, numbers: copy * (noted.last - noted.first + 1), ms: copy * years };
        // A large database makes others wait for longer than they like: whoever was told to come back does.
        loop {
            let shift = shift.clone();
            let copied =
                app.ledger.upkeep_blocking(app.system("benchmark"), move |conn| noted.copy(conn.get(), &shift));
            match copied {
                Err(Error::Failed(Failure::Busy)) => {}
                copied => break copied.map_err(BenchError::of)?,
            }
        }
    }
    Ok(lots)
}

/// That is more than one who searches waits for: as the worker does it, until all of it is there.
fn move_all(ground: &Ground) -> Result<()> {
    let app = ground.app();
    while ground.wait(search::move_some(&app)).map_err(BenchError::of)? {}
    Ok(())
}

fn note(tx: &mut Tx<'_>, lots: &[String]) -> crate::ledger::Result<()> {
    (0..TOGETHER).try_for_each(|n| {
        let lot = if n % 2 == 0 { &lots[0] } else { &lots[n % LOTS] };
        let kind = KINDS[usize::from(n % RARE < 2)];
        let record = Record::new(kind).lot(lot.clone()).public("name", "road.txt");
        tx.note(&id::random("ftc"), record).map(drop)
    })
}

/// The entry that came into the search table last.
#[derive(Queryable)]
struct Last {
    n: i64,
    at_ms: i64,
}

fn last(ground: &Ground) -> Result<Last> {
    let newest = audit_search::table.order(audit_search::n.desc()).select((audit_search::n, audit_search::at_ms));
    ground.app().reader.read_blocking(|conn| Ok(newest.first(conn)?)).map_err(BenchError::of)
}

/// Rows of the search table by their numbers, and the entries that they are of.
#[derive(Clone, Copy)]
struct Range {
    first: i64,
    last: i64,
}

/// What a copy differs by: its ids end in its number, its rows have larger numbers, and all of it was so much earlier.
#[derive(Clone)]
struct Shift {
    copy: i64,
    numbers: i64,
    ms: i64,
}

impl Range {
    /// Copies everything that one row here stands for.
    fn copy(self, conn: &mut Conn, by: &Shift) -> QueryResult<()> {
        let Self { first, last } = self;
        let Shift { copy, numbers, ms } = by;
        // Over the end of the id: the copies lie all over the tree, as random ids do.
        let id = |column: &str| format!("substr({column}, 1, 34) || '{copy:06}'");
        let (entry, stream) = (id("e.entry_id"), id("e.stream"));
        let random = match conn {
            Conn::Pg(_) => "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())",
            Conn::Sqlite(_) => "randomblob(32)",
        };
        let which = format!("JOIN audit_search AS s ON s.entry_id = e.entry_id WHERE s.n BETWEEN {first} AND {last}");
        conn.batch_execute(&format!(
            "INSERT INTO audit_entry (entry_id, stream, rev, prev, kind, lot_id, project_id, org_id, actor_id, at_ms, sealed, c, \
             h_p, h_c, h_i, s_p, part_p, s_c, part_c) \
             SELECT {entry}, {stream}, e.rev, e.prev, e.kind, e.lot_id, e.project_id, e.org_id, e.actor_id, e.at_ms - {ms}, \
             e.sealed, {random}, e.h_p, e.h_c, e.h_i, e.s_p, e.part_p, e.s_c, e.part_c FROM audit_entry AS e {which}; \
             INSERT INTO audit_personal (entry_id, s_i, part_i) \
             SELECT {entry}, e.s_i, e.part_i FROM audit_personal AS e {which}; \
             INSERT INTO audit_search (n, entry_id, at_ms, kind, lot, project, org, actor, sealed) \
             SELECT e.n + {numbers}, {entry}, e.at_ms - {ms}, e.kind, e.lot, e.project, e.org, e.actor, e.sealed \
             FROM audit_search AS e WHERE e.n BETWEEN {first} AND {last}"
        ))
    }
}
