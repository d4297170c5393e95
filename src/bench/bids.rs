//! Sealed bids submitted over HTTP, profile strict, with all checks, each answered when it is durable.

use super::ground::{Ground, ReadyBid, Shape, submission};
use super::load::{self, Requests};
use super::measure::Figures;
use super::{Result, Run};

/// Connections that submit at the same time.
const CONNECTIONS: usize = 64;
/// Bidders, each of whom bids on every lot.
const BIDDERS: usize = 100;
/// Lots of a volley.
const LOTS: usize = 50;
/// What is submitted: a price alone, and a price with documents.
const SHAPES: [(&str, Shape); 2] =
    [("price", Shape { document_bytes: 0 }), ("price_and_documents", Shape { document_bytes: 4096 })];

/// Submits one volley of each shape on each database.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for backend in &run.databases {
        let (bidders, lots) = (if run.quick { 8 } else { BIDDERS }, run.many(LOTS));
        let ground = Ground::lay(backend.fresh()?, bidders, lots * SHAPES.len())?;
        for (n, (name, shape)) in SHAPES.into_iter().enumerate() {
            let ready = ground.ready(n * lots..(n + 1) * lots, 0..bidders, shape)?;
            let mut volley = fire(&ground, &ready)?;
            figures.add_volley(&format!("bids.{name}.{}", backend.name), &mut volley);
        }
        ground.clear();
    }
    Ok(figures)
}

/// Submits bids, all of which must be accepted.
///
/// # Errors
/// When one is not.
pub fn fire(ground: &Ground, ready: &[ReadyBid]) -> Result<super::measure::Volley> {
    let tokens: Vec<String> = ground.bidders.iter().map(|bidder| ground.token(bidder)).collect();
    let bytes = ready.iter().map(|bid| submission(ground, bid, &tokens)).collect();
    let _time = ground.platform.let_time_pass();
    load::fire(ground.address()?, CONNECTIONS.min(ready.len()), Requests { bytes, expected: 201 })
}
