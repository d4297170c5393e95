//! Public reads: lots and their notices.

use super::ground::Ground;
use super::load::{self, Requests};
use super::measure::Figures;
use super::{Result, Run};

/// Connections of the public.
const PUBLIC: usize = 64;
/// Reads of a volley.
const READS: usize = 40_000;
/// Lots that are read in turn.
const LOTS: usize = 100;

/// Reads lots and their notices on each database.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for backend in &run.databases {
        let ground = Ground::lay(backend.fresh()?, 1, if run.quick { 2 } else { LOTS })?;
        for (what, rest) in [("lot", ""), ("notices", "/notices")] {
            let paths: Vec<String> = ground.lots.iter().map(|lot| format!("/v1/lots/{}{rest}", lot.id)).collect();
            let bytes =
                (0..run.many(READS)).map(|n| load::request("GET", &paths[n % paths.len()], None, &[], b"")).collect();
            let mut volley = load::fire(ground.address()?, PUBLIC, Requests { bytes, expected: 200 })?;
            figures.add_volley(&format!("reads.{what}.{}", backend.name), &mut volley);
        }
        ground.clear();
    }
    Ok(figures)
}
