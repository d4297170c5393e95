//! From the answer to a submission, which comes after its commit, until everybody can be shown that it is in the published log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::super::ground::{Ground, Shape, submission};
use super::super::load::{self, request};
use super::super::measure::{Figures, Volley};
use super::super::{Backend, BenchError, Result, Run};
use super::AtWork;
use crate::config::Audit;

/// A tick, and who asks how often.
struct Way {
    tick_ms: u64,
    /// Bidders who submit, wait for the proof, and submit again.
    bidders: usize,
    /// How often each does: on lots of its own.
    times: usize,
    /// Pause between two questions.
    ask_every: Duration,
}

/// The shortest tick.
const SHORT_MS: u64 = 10;

fn ways(quick: bool) -> [Way; 2] {
    let of = |tick_ms, bidders, times, ms| Way { tick_ms, bidders, times, ask_every: Duration::from_millis(ms) };
    let usual = Audit::default().tick_ms;
    match quick {
        true => [of(200, 4, 2, 5), of(SHORT_MS, 2, 5, 1)],
        false => [of(usual, 32, 6, 20), of(SHORT_MS, 4, 250, 1)],
    }
}

/// Submits and asks for proofs over HTTP.
pub fn measure(run: &Run, backend: Backend, figures: &mut Figures) -> Result<()> {
    for way in ways(run.quick) {
        let ground =
            Ground::lay_with(backend.fresh()?, way.bidders, way.times, |config| config.audit.tick_ms = way.tick_ms)?;
        let mut volley = prove_each(&ground, &way)?;
        let name = format!("log.receipt.{}.tick_{}ms", backend.name, way.tick_ms);
        figures.add(format!("{name}.p50"), volley.percentile(50), "ms");
        figures.add(format!("{name}.p99"), volley.percentile(99), "ms");
        ground.clear();
    }
    Ok(())
}

fn prove_each(ground: &Ground, way: &Way) -> Result<Volley> {
    let ready = ground.ready(0..way.times, 0..way.bidders, Shape { document_bytes: 0 })?;
    let tokens: Vec<String> = ground.bidders.iter().map(|bidder| ground.token(bidder)).collect();
    let address = ground.address()?;
    let _time = ground.platform.let_time_pass();
    let _workers = [AtWork::on_the_log(ground)?, AtWork::on_the_search_table(ground)?];
    let began = Instant::now();
    let each = ground.wait(async {
        let mut all = Vec::new();
        for (n, token) in tokens.iter().enumerate() {
            let own = ready.iter().filter(|bid| bid.bidder == n);
            let submissions: Vec<Vec<u8>> = own.map(|bid| submission(ground, bid, &tokens)).collect();
            let (token, ask_every): (Arc<str>, _) = (token.as_str().into(), way.ask_every);
            all.push(tokio::spawn(one(address, submissions, token, ask_every)));
        }
        let mut each = Vec::new();
        for one in all {
            each.extend(one.await.map_err(BenchError::of)??);
        }
        Ok::<_, BenchError>(each)
    })?;
    Ok(Volley { wall: began.elapsed(), each })
}

/// Submits one after the other; returns how long each was without its proof.
async fn one(
    address: SocketAddr,
    submissions: Vec<Vec<u8>>,
    token: Arc<str>,
    ask_every: Duration,
) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await.map_err(BenchError::of)?;
    stream.set_nodelay(true).map_err(BenchError::of)?;
    let (mut buffer, mut took) = (Vec::new(), Vec::new());
    for submission in submissions {
        expect(201, ask(&mut stream, &submission, &mut buffer).await?, &buffer)?;
        let submitted = Instant::now();
        let entry = entry_id(&buffer)?;
        let question = request("GET", &format!("/v1/receipts/{entry}/proof"), Some(&token), &[], b"");
        loop {
            match ask(&mut stream, &question, &mut buffer).await? {
                202 => tokio::time::sleep(ask_every).await,
                status => break expect(200, status, &buffer)?,
            }
        }
        took.push(submitted.elapsed());
    }
    Ok(took)
}

async fn ask(stream: &mut TcpStream, question: &[u8], buffer: &mut Vec<u8>) -> Result<u16> {
    stream.write_all(question).await.map_err(BenchError::of)?;
    load::answer(stream, buffer).await
}

fn expect(expected: u16, status: u16, answer: &[u8]) -> Result<()> {
    if status == expected {
        return Ok(());
    }
    Err(BenchError(format!("status {status} instead of {expected}: {}", String::from_utf8_lossy(answer))))
}

/// The entry that an answer to a submission names.
fn entry_id(answer: &[u8]) -> Result<String> {
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(&[][..], |at| &answer[at + 4..]);
    let body: Value = serde_json::from_slice(body).map_err(BenchError::of)?;
    Ok(body["entry_id"].as_str().unwrap_or_default().to_owned())
}
