//! What a submission costs, piece by piece: each check by itself, the commit, and HTTP around it. The sum tells how much of
//! what a submission takes is accounted for.
//!
//! Times are microseconds of one thread for one submission of a price.

use std::hint::black_box;
use std::time::Instant;

use futures_util::stream::{self, StreamExt};

use super::ground::{Ground, ReadyBid, Shape};
use super::load::{self, Requests};
use super::measure::Figures;
use super::{BenchError, Result, Run, bids};
use crate::client::new_key;
use crate::features::bids::ops::{self, Done};
use crate::features::bids::signed::Signed;
use crate::features::bids::submission::{Sort, Submission};
use crate::features::bids::view::Signer;
use crate::kernel::digest::sha256;
use crate::kernel::role::Role;
use crate::ledger::{Answer, Context, Error, Idempotency};
use crate::seal::envelope::Part;

/// Bids that are looked at.
const BIDS: usize = 2_000;
/// Use cases that wait for the writer at the same time.
const CALLERS: usize = 64;
/// Bidders of a lot.
const BIDDERS: usize = 100;

/// Measures every piece on each database.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for backend in &run.databases {
        let bidders = if run.quick { 5 } else { BIDDERS };
        let lots = run.many(BIDS).div_ceil(bidders);
        let ground = Ground::lay(backend.fresh()?, bidders, 2 * lots)?;
        let name = format!("costs.{}", backend.name);
        let shape = Shape { document_bytes: 0 };
        let ready = ground.ready(0..lots, 0..bidders, shape)?;
        let mut pieces = checks(&ground, &ready, &name, &mut figures)?;
        pieces += http(&ground, ready.len(), &name, &mut figures)?;
        pieces += commits(&ground, &ready, &name, &mut figures)?;
        figures.add(format!("{name}.sum"), pieces, "us");
        // Two threads work at the same time: what one submission takes of both.
        let whole = ground.ready(lots..2 * lots, 0..bidders, shape)?;
        let volley = bids::fire(&ground, &whole)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        figures.add(format!("{name}.measured_all_cores"), cores * 1e6 / volley.per_second(), "us");
        ground.clear();
    }
    Ok(figures)
}

/// Runs `work` for every item and returns microseconds for one.
fn each<T>(items: &[T], mut work: impl FnMut(&T) -> Result<()>) -> Result<f64> {
    let began = Instant::now();
    items.iter().try_for_each(&mut work)?;
    Ok(began.elapsed().as_secs_f64() * 1e6 / items.len().max(1) as f64)
}

fn checks(ground: &Ground, ready: &[ReadyBid], name: &str, figures: &mut Figures) -> Result<f64> {
    let (app, mut sum) = (ground.app(), 0.0);
    let mut piece = |what: &str, took: f64| {
        figures.add(format!("{name}.{what}"), took, "us");
        sum += took;
    };
    let tokens: Vec<String> = ground.bidders.iter().map(|bidder| ground.token(bidder)).collect();
    let now = ground.platform.now();
    let token = each(ready, |bid| {
        app.tokens
            .check(&tokens[bid.bidder], now)
            .map(black_box)
            .map(drop)
            .map_err(|error| BenchError(format!("{error:?}")))
    });
    piece("token", token?);
    let texts: Vec<(&ReadyBid, String)> =
        ready.iter().map(|bid| (bid, serde_json::Value::from(bid.envelopes.clone()).to_string())).collect();
    piece("parse", each(&texts, |(bid, text)| read(ground, bid, text).map(black_box).map(drop))?);
    let read: Vec<(&ReadyBid, Submission)> =
        texts.iter().map(|(bid, text)| Ok((*bid, read(ground, bid, text)?))).collect::<Result<_>>()?;
    let key_sets = ground.lots.iter().map(|lot| lot.sealer.key_sets(Part::Price)[0].clone()).collect::<Vec<_>>();
    let signature = each(&read, |(bid, sub)| {
        let key = ground.bidders[bid.bidder].key.verifying_key();
        sub.envelopes.iter().try_for_each(|one| one.verify_signature(key)).map_err(BenchError::of)
    });
    piece("signature", signature?);
    let proof = each(&read, |(bid, sub)| {
        sub.envelopes.iter().try_for_each(|one| one.check_against(&[&key_sets[bid.lot]])).map_err(BenchError::of)
    });
    piece("proof_of_knowledge", proof?);
    Ok(sum)
}

fn read(ground: &Ground, bid: &ReadyBid, text: &str) -> Result<Submission> {
    let signed: Vec<Signed> = serde_json::from_str(text).map_err(BenchError::of)?;
    Submission::read(Sort::Bid, &ground.lots[bid.lot].id, &signed, &[], false)
        .map_err(|refusal| BenchError(refusal.code.into()))
}

/// A request that does nothing, over as many connections.
fn http(ground: &Ground, count: usize, name: &str, figures: &mut Figures) -> Result<f64> {
    let bytes = vec![load::request("GET", "/health/live", None, &[], b""); count.max(CALLERS)];
    let volley = load::fire(ground.address()?, CALLERS, Requests { bytes, expected: 200 })?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let took = cores * 1e6 / volley.per_second();
    figures.add(format!("{name}.http"), took, "us");
    Ok(took)
}

/// The commit with everything that is decided in it, and the receipt made after it.
fn commits(ground: &Ground, ready: &[ReadyBid], name: &str, figures: &mut Figures) -> Result<f64> {
    let read: Vec<(usize, Submission)> = ready
        .iter()
        .map(|bid| {
            let text = serde_json::Value::from(bid.envelopes.clone()).to_string();
            Ok((bid.bidder, read(ground, bid, &text)?))
        })
        .collect::<Result<_>>()?;
    let began = Instant::now();
    let done: Vec<std::result::Result<Answer<Done>, Error>> = ground.wait(
        stream::iter(read.into_iter().map(|(bidder, sub)| submit(ground, bidder, sub)))
            .buffer_unordered(CALLERS)
            .collect(),
    );
    let commit = began.elapsed().as_secs_f64() * 1e6 / done.len().max(1) as f64;
    let done = done.into_iter().collect::<std::result::Result<Vec<_>, _>>().map_err(BenchError::of)?;
    let (app, mut accepted) = (ground.app(), Vec::new());
    for answer in done {
        match answer.value {
            Done::Accepted(recorded) => accepted.push(recorded),
            Done::Refused { refusal, .. } => return Err(BenchError(refusal.code)),
        }
    }
    let signer = Signer::of(&app);
    let receipt = each(&accepted, |recorded| signer.act(recorded).map(black_box).map(drop).map_err(BenchError::of))?;
    figures.add(format!("{name}.commit"), commit, "us");
    figures.add(format!("{name}.receipt"), receipt, "us");
    Ok(commit + receipt)
}

async fn submit(ground: &Ground, bidder: usize, sub: Submission) -> std::result::Result<Answer<Done>, Error> {
    let (app, who) = (ground.app(), &ground.bidders[bidder]);
    let actor = who.actor();
    let now = ground.platform.now();
    let context = Context {
        actor_id: Some(who.user.to_string()),
        org_id: Some(who.org.to_string()),
        role: Role::Bidder.name(),
        ..Context::system(now, "benchmark").for_bids(None)
    };
    let key = new_key();
    let idempotency = Idempotency { principal: who.user.to_string(), request_hash: sha256(key.as_bytes()), key };
    let org = who.org.clone();
    app.ledger.commit_once_if(context, idempotency, Done::is_final, move |tx| ops::submit(tx, &actor, &org, &sub)).await
}
