//! `sealbid bench`: how fast and how large, measured side by side in one run.
//!
//! Promises: everything runs on this machine, over the loopback address, against platforms of its own in directories that
//! are removed at the end; the client that asks is part of what is measured; what is compared is measured in turn within
//! the same run, several times, and told as medians with their extremes. Nothing is measured with a check left out: no
//! switch exists that could.

mod bids;
mod costs;
mod custody;
mod ground;
mod ledger;
mod load;
mod log;
mod measure;
mod memory;
mod opening;
mod reads;
mod record;
mod served;
mod server;
mod verify;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use self::measure::{Figures, Median, medians};
use crate::stage::{Cluster, postgres};

/// Arguments of `bench`.
#[derive(Args)]
pub struct BenchArgs {
    /// Only these measurements; all unless said.
    #[arg(value_enum)]
    only: Vec<What>,
    /// On which databases.
    #[arg(long, value_enum, default_value = "both")]
    database: On,
    /// How often everything is measured, in turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Entries of the record that pages are read from; a million unless said.
    #[arg(long, value_name = "COUNT")]
    entries: Option<usize>,
    /// Leaves of the log that is verified, a million unless said; and of the one that a server is started with, ten million.
    #[arg(long, value_name = "COUNT")]
    leaves: Option<usize>,
    /// A hundredth of the work: tells whether everything runs, not how fast.
    #[arg(long)]
    quick: bool,
    /// Write the medians as JSON as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// On which databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum On {
    Sqlite,
    Postgres,
    Both,
}

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum What {
    /// Sealed bids submitted over 64 connections.
    Bids,
    /// What the checks of a submission cost one by one.
    Costs,
    /// Custodians: a ceremony, the shares of a box, and submissions under two keys.
    Custody,
    /// The ledger alone: groups against a commit for each use case.
    Ledger,
    /// The public log: what it costs those who write, how fast it grows, how large it is.
    Log,
    /// Opening a box.
    Opening,
    /// Public reads.
    Reads,
    /// How soon an act is proven by the public log.
    Receipts,
    /// Pages of the record.
    Record,
    /// Uploads, the memory of a server, and its start.
    Served,
    /// Checks of the public log: tiles, a dump, a receipt.
    Verify,
}

/// What does a measurement.
type Measure = fn(&Run) -> Result<Figures>;

/// Every measurement and what does it.
const ALL: &[(What, Measure)] = &[
    (What::Bids, bids::measure),
    (What::Costs, costs::measure),
    (What::Custody, custody::measure),
    (What::Ledger, ledger::measure),
    (What::Log, log::measure),
    (What::Opening, opening::measure),
    (What::Reads, reads::measure),
    (What::Receipts, log::measure_receipts),
    (What::Record, record::measure),
    (What::Served, served::measure),
    (What::Verify, verify::measure),
];

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BenchError(String);

impl BenchError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

type Result<T> = std::result::Result<T, BenchError>;

/// What a measurement is told.
struct Run {
    databases: Vec<Backend>,
    quick: bool,
    entries: Option<usize>,
    leaves: Option<usize>,
}

/// A kind of database, and how to get an empty one.
#[derive(Clone, Copy)]
struct Backend {
    name: &'static str,
    cluster: Option<&'static Cluster>,
}

impl Backend {
    /// The URL of a new migrated database; `None` for an SQLite file of the platform's own.
    fn fresh(self) -> Result<Option<String>> {
        let Some(cluster) = self.cluster else { return Ok(None) };
        let name = cluster.new_database().map_err(BenchError::of)?;
        Ok(Some(cluster.application_url(&name)))
    }
}

impl Run {
    /// So many, or far fewer in a quick run.
    fn many(&self, count: usize) -> usize {
        if self.quick { (count / 100).max(2) } else { count }
    }
}

/// Measures and prints.
///
/// # Errors
/// When something cannot be put up, or does not answer as it must.
pub fn run(args: &BenchArgs) -> Result<()> {
    let run =
        Run { databases: databases(args.database)?, quick: args.quick, entries: args.entries, leaves: args.leaves };
    let chosen: Vec<_> = ALL.iter().filter(|(what, _)| args.only.is_empty() || args.only.contains(what)).collect();
    let mut runs: Vec<Figures> = Vec::new();
    for round in 1..=args.rounds.max(1) {
        for (what, measure) in &chosen {
            eprintln!("round {round}: {what:?}");
            runs.push(measure(&run)?);
        }
    }
    let medians = medians(&runs);
    medians.iter().for_each(|median| println!("{median}"));
    match &args.json {
        Some(path) => write(path, args, &medians),
        None => Ok(()),
    }
}

fn databases(on: On) -> Result<Vec<Backend>> {
    let mut found = Vec::new();
    if on != On::Postgres {
        found.push(Backend { name: "sqlite", cluster: None });
    }
    if on == On::Sqlite {
        return Ok(found);
    }
    if postgres::binaries().is_none() && on == On::Both {
        eprintln!("without PostgreSQL ({})", postgres::NOT_INSTALLED);
        return Ok(found);
    }
    // It runs until this process ends, which is when the shell beside it notices.
    let cluster: &'static Cluster = Box::leak(Box::new(Cluster::start().map_err(BenchError::of)?));
    found.push(Backend { name: "postgres", cluster: Some(cluster) });
    Ok(found)
}

fn write(path: &std::path::Path, args: &BenchArgs, medians: &[Median]) -> Result<()> {
    let document = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "optimised": !cfg!(debug_assertions),
        "quick": args.quick,
        "rounds": args.rounds,
        "entries": args.entries,
        "leaves": args.leaves,
        "figures": medians,
    });
    let text = serde_json::to_string_pretty(&document).map_err(BenchError::of)?;
    std::fs::write(path, text + "\n").map_err(|error| BenchError(format!("{}: {error}", path.display())))
}
