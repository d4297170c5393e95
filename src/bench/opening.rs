//! Opening a box: from the moment of the opening until every envelope has its outcome.

use std::time::Instant;

use super::ground::{Ground, Shape};
use super::measure::{Figures, rate};
use super::{BenchError, Result, Run, bids, memory};
use crate::features::lots::queries as lots;

/// Boxes of so many bids.
const SIZES: [usize; 2] = [1_000, 10_000];
/// Each bid has a price and documents of 64 KiB.
const SHAPE: Shape = Shape { document_bytes: 64 * 1024 };
/// After the deadline a box closes once headers on the way have had their time.
const SETTLED_MS: i64 = 90_000;

/// Opens one box of each size on each database.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for backend in &run.databases {
        for size in SIZES {
            let count = run.many(size);
            let ground = Ground::lay(backend.fresh()?, count, 1)?;
            let ready = ground.ready(0..1, 0..count, SHAPE)?;
            bids::fire(&ground, &ready)?;
            drop(ready);
            open(&ground, count, &format!("opening.{size}.{}", backend.name), &mut figures)?;
            ground.clear();
        }
    }
    Ok(figures)
}

fn open(ground: &Ground, count: usize, name: &str, figures: &mut Figures) -> Result<()> {
    let (app, id) = (ground.app(), ground.lots[0].id.clone());
    let lot = app.reader.read_blocking(move |conn| lots::lot(conn, &id)).map_err(BenchError::of)?;
    let deadline = lot.deadline_at().ok_or_else(|| BenchError("a published lot has a deadline".into()))?;
    let (known, before) = (memory::forget_peak(), memory::now_mb());
    let began = Instant::now();
    ground.platform.move_to(deadline.plus_millis(SETTLED_MS)).map_err(BenchError::of)?;
    let wall = began.elapsed();
    check(ground, count)?;
    figures.add(format!("{name}.seconds"), wall.as_secs_f64(), "s");
    figures.add(format!("{name}.per_second"), rate(count, wall), "1/s");
    if let (true, Some(before), Some(peak)) = (known, before, memory::peak_mb(std::process::id())) {
        figures.add(format!("{name}.memory_grown"), peak - before, "MB");
    }
    Ok(())
}

/// Every envelope must have been opened: a price and documents of each bid.
fn check(ground: &Ground, count: usize) -> Result<()> {
    let id = ground.lots[0].id.clone();
    let waiting = ground
        .app()
        .reader
        .read_blocking(move |conn| {
            crate::features::opening::queries::pending(
                conn,
                (&id, &["price", "documents", "reserve"]),
                "",
                true,
                &[],
                1,
            )
        })
        .map_err(BenchError::of)?;
    if waiting.is_empty() { Ok(()) } else { Err(BenchError(format!("of {count} bids some were not unsealed"))) }
}
