//! What the log costs those who write: the same load while the log grows at its usual tick, and while nobody lets it grow.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::super::ground::{Ground, Shape};
use super::super::measure::{Figures, rate};
use super::super::{Backend, BenchError, Result, Run, bids, ledger};
use super::{AtWork, head};

/// Whether the log grows, turn by turn: neither has the smaller database.
const TURNS: [bool; 4] = [true, false, false, true];
/// Bidders, each of whom bids on every lot.
const BIDDERS: usize = 100;
/// Lots of a turn.
const LOTS: usize = 40;
/// Use cases that wait for the writer at the same time.
const CALLERS: usize = 64;
/// How long use cases are committed in a turn: three ticks.
const SPAN: Duration = Duration::from_secs(15);
/// The number of the first organisation that is registered: below it are the bidders.
const FIRST: usize = 1_000_000;

/// Submits bids over HTTP, and commits use cases without HTTP, in turn with the log and without.
pub fn measure(run: &Run, backend: Backend, figures: &mut Figures) -> Result<()> {
    let (bidders, lots) = (if run.quick { 8 } else { BIDDERS }, run.many(LOTS));
    let ground = Ground::lay(backend.fresh()?, bidders, lots * TURNS.len())?;
    let submit = |turn: usize| {
        let ready = ground.ready(turn * lots..(turn + 1) * lots, 0..bidders, Shape { document_bytes: 0 })?;
        Ok(move |ground: &Ground| bids::fire(ground, &ready).map(|volley| (volley.each.len(), volley.wall)))
    };
    compare(&ground, submit, &format!("log.bids.{}", backend.name), figures)?;
    let (mut next, span) = (FIRST, if run.quick { SPAN / 100 } else { SPAN });
    let transit = |_| {
        let first = next;
        next += FIRST;
        Ok(move |ground: &Ground| transitions(ground, first, span))
    };
    compare(&ground, transit, &format!("log.transitions.{}", backend.name), figures)?;
    ground.clear();
    Ok(())
}

/// How much was done, in which time.
type Done = (usize, Duration);

/// Does the work of each turn; what `prepare` does for it is not measured.
fn compare<W: FnOnce(&Ground) -> Result<Done>>(
    ground: &Ground,
    mut prepare: impl FnMut(usize) -> Result<W>,
    name: &str,
    figures: &mut Figures,
) -> Result<()> {
    let mut sides = [(0, Duration::ZERO); 2];
    let mut batches = 0;
    let _searching = AtWork::on_the_search_table(ground)?;
    for (turn, grows) in TURNS.into_iter().enumerate() {
        let work = prepare(turn)?;
        // What the turn before has left in the queue is not this one's work.
        ground.platform.settle().map_err(BenchError::of)?;
        let before = head(&ground.app())?.batch;
        let growing = if grows { Some(AtWork::on_the_log(ground)?) } else { None };
        let (count, wall) = work(ground)?;
        drop(growing);
        batches += head(&ground.app())?.batch - before;
        let side = &mut sides[usize::from(grows)];
        *side = (side.0 + count, side.1 + wall);
    }
    let [still, growing] = sides.map(|(count, wall)| rate(count, wall));
    figures.add(format!("{name}.growing"), growing, "1/s");
    figures.add(format!("{name}.still"), still, "1/s");
    figures.add(format!("{name}.growing_to_still"), growing / still, "x");
    figures.add(format!("{name}.batches"), batches as f64, "");
    Ok(())
}

/// Registers organisations, from the one of this number on: an entry and a row each.
fn transitions(ground: &Ground, first: usize, span: Duration) -> Result<Done> {
    let app = ground.app();
    let began = Instant::now();
    let count = stream::iter(first..)
        .take_while(|_| std::future::ready(began.elapsed() < span))
        .map(|n| ledger::register(&app.ledger, n))
        .buffer_unordered(CALLERS)
        .try_fold(0, |count, ()| std::future::ready(Ok(count + 1)));
    let count = ground.wait(count).map_err(BenchError::of)?;
    Ok((count, began.elapsed()))
}
