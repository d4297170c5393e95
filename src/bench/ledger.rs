//! The ledger alone, on SQLite: the same writer with groups, and with a commit for each use case. No HTTP, no seals.
//!
//! Each use case registers an organisation: an entry in three parts and a row that it explains.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};

use super::measure::{Figures, rate};
use super::{BenchError, Result, Run};
use crate::clock::SystemClock;
use crate::db::{DbUrl, Mode, connection, migrate};
use crate::faults::{Faults, Plan, Point};
use crate::features::accounts::model::CONFIRMED;
use crate::features::accounts::ops::insert_organisation;
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::time::Timestamp;
use crate::ledger::{Context, Error, Ledger};
use crate::limits;
use crate::stage::Scratch;

/// Use cases that wait for the writer at the same time.
const CALLERS: usize = 64;
/// How much longer a commit takes on the slower disk.
const FSYNC: Duration = Duration::from_millis(2);

/// A disk whose fsync takes longer: each commit has one.
struct SlowDisk;

impl Plan for SlowDisk {
    fn reach(&self, point: Point) {
        if matches!(point, Point::BeforeCommit | Point::BidBeforeCommit) {
            std::thread::sleep(FSYNC);
        }
    }
}

/// Measures both ways on this machine's disk and on a slower one, in turn.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for (disk, slow, count) in [("own_disk", false, 20_000), ("fsync_2ms", true, 5_000)] {
        let faults = || if slow { Faults::planned(Arc::new(SlowDisk)) } else { Faults::default() };
        let alone = commits(run.many(count / 4), faults(), 1)?;
        let groups = commits(run.many(count), faults(), limits::COMMIT_GROUP)?;
        figures.add(format!("ledger.{disk}.alone"), alone, "1/s");
        figures.add(format!("ledger.{disk}.groups"), groups, "1/s");
        figures.add(format!("ledger.{disk}.groups_to_alone"), groups / alone, "x");
    }
    Ok(figures)
}

/// Use cases a second.
fn commits(count: usize, faults: Faults, group: usize) -> Result<f64> {
    let scratch = Scratch::new().map_err(BenchError::of)?;
    let url = DbUrl::Sqlite(scratch.path().join("ledger.sqlite"));
    let mut conn = connection::connect(&url, Mode::Write).map_err(BenchError::of)?;
    migrate::migrate(&mut conn).map_err(BenchError::of)?;
    drop(conn);
    let ledger = Ledger::start_with(&url, Arc::new(SystemClock), faults, group);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(BenchError::of)?;
    let began = Instant::now();
    let failed = runtime.block_on(async {
        let jobs = (0..count).map(|n| register(&ledger, n));
        let done: Vec<_> = stream::iter(jobs).buffer_unordered(CALLERS).collect().await;
        done.into_iter().find_map(std::result::Result::err)
    });
    let wall = began.elapsed();
    ledger.stop();
    match failed {
        Some(error) => Err(BenchError::of(error)),
        None => Ok(rate(count, wall)),
    }
}

/// Registers the organisation of a number.
///
/// # Errors
/// When it is not committed.
pub async fn register(ledger: &Ledger, n: usize) -> std::result::Result<(), Error> {
    let identifier =
        OrgIdentifier::new("X-BENCH", &format!("N{n}")).map_err(|error| Error::internal(error.to_string()))?;
    ledger
        .commit(Context::system(Timestamp::from_millis(0), "benchmark"), move |tx| {
            insert_organisation(tx, &identifier, "An organisation", "bench@example.org", CONFIRMED).map(drop)
        })
        .await
}
