//! What a drill found, as a table for people and as JSON for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::check::Verdict;
use super::ground::Database;
use super::keeper::{ANYWHERE, BACKING_UP, MIGRATING, STARTING};
use super::{Result, broken};
use crate::faults::Point;

/// The drill of one database.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Which.
    pub database: Database,
    /// Servers that ran at the same time.
    pub servers: usize,
    /// What chance began with.
    pub seed: u64,
    /// Kills, by place.
    pub kills: BTreeMap<String, u32>,
    /// Servers killed.
    pub killed: u32,
    /// Waves of lots.
    pub waves: u32,
    /// Seconds in all.
    pub seconds: u64,
    /// The longest time from the start of a process to its first request, in milliseconds.
    pub slowest_start_ms: u128,
    /// What was looked at, and what does not hold.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Report {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.verdict.wrong.is_empty() && self.verdict.lost == 0
    }
}

/// Writes the findings as JSON, where a file is named.
///
/// # Errors
/// The disk's.
pub fn keep(path: Option<&Path>, reports: &[Report]) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let text = serde_json::to_string_pretty(reports).map_err(broken)?;
    std::fs::write(path, text).map_err(|error| broken(format!("{}: {error}", path.display())))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:?}, {} server(s), seed {}, {} s", self.database, self.servers, self.seed, self.seconds)?;
        writeln!(f, "  {:<20} {:>6}", "killed", self.killed)?;
        let names = Point::ALL.into_iter().map(Point::name).chain([ANYWHERE, STARTING, MIGRATING, BACKING_UP]);
        for name in names {
            writeln!(f, "    {name:<18} {:>6}", self.kills.get(name).copied().unwrap_or(0))?;
        }
        let verdict = &self.verdict;
        let lines = [
            ("acknowledged", verdict.acknowledged),
            ("of which refused", verdict.refused),
            ("verified", verdict.verified),
            ("lost", verdict.lost),
            ("lots opened", verdict.lots_opened),
            ("without enough bids", verdict.lots_unsuccessful),
            ("mails", verdict.mails),
            ("delivered twice", verdict.mails_twice),
            ("payloads re-read", verdict.payloads),
            ("uploads swept", verdict.swept),
            ("leaves of the log", usize::try_from(verdict.leaves).unwrap_or(usize::MAX)),
            ("acts proven by the log", verdict.proven),
            ("wrong", verdict.wrong.len()),
        ];
        for (name, value) in lines {
            writeln!(f, "  {name:<20} {value:>6}")?;
        }
        writeln!(f, "  {:<20} {:>6}", "entries replayed", verdict.entries)?;
        verdict.wrong.iter().take(MOST_LINES).try_for_each(|wrong| writeln!(f, "  ! {wrong}"))
    }
}

/// Wrong things that are told one by one.
const MOST_LINES: usize = 20;
