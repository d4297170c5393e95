//! Checks of the public log, each as strangers run it: a program that is started, reads files, and ends with a verdict.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::measure::{Figures, rate};
use super::{BenchError, Result, Run, memory};
use crate::clock::{Clock, SystemClock};
use crate::stage::Scratch;
use crate::tlog::specimen::{Entry, ORIGIN, Specimen};
use crate::tlog::tiles::{Content, Tile};

/// Leaves of the log unless said.
const LEAVES: usize = 1_000_000;
/// Leaves of a batch.
const BATCH: usize = 256;
/// Of these, so many are entries and the others padding.
const REAL: usize = 200;
/// Pause between two looks at the memory of a running check.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Makes a log on disk and lets it be checked.
pub fn measure(run: &Run) -> Result<Figures> {
    let batches = run.leaves.unwrap_or_else(|| run.many(LEAVES)).div_ceil(BATCH).max(1);
    let dir = Scratch::new().map_err(BenchError::of)?;
    let dir = dir.path();
    let entries = lay(dir, batches)?;
    let (leaves, mut figures) = (batches * BATCH, Figures::default());
    let dump_bytes = fs::metadata(dir.join("dump.ndjson")).map_err(BenchError::of)?.len();
    figures.add("verify.db.line", dump_bytes as f64 / entries as f64, "B");
    for (name, args) in [
        ("tiles", &["tiles", "."][..]),
        ("db", &["db", "dump.ndjson", "--tiles", "."]),
        ("receipt", &["receipt", "one.tlog-proof"]),
    ] {
        let (wall, peak) = check(dir, args)?;
        figures.add(format!("verify.{name}.{leaves}.wall"), wall.as_secs_f64() * 1000.0, "ms");
        if name != "receipt" {
            figures.add(format!("verify.{name}.{leaves}.per_second"), rate(leaves, wall), "1/s");
        }
        if let Some(peak) = peak {
            figures.add(format!("verify.{name}.{leaves}.memory"), peak, "MB");
        }
    }
    Ok(figures)
}

/// Runs one check, which must prove what it checks; returns how long it took from its start, and its memory at most.
fn check(dir: &Path, args: &[&str]) -> Result<(Duration, Option<f64>)> {
    let program = std::env::current_exe().map_err(BenchError::of)?;
    let began = Instant::now();
    let mut child = Command::new(program)
        .current_dir(dir)
        .arg("verify")
        .args(args)
        .args(["--policy", "policy"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(BenchError::of)?;
    // The most that it had so far only grows, so the last look before its end is close to it.
    let mut peak = None;
    let status = loop {
        peak = memory::peak_mb(child.id()).or(peak);
        match child.try_wait().map_err(BenchError::of)? {
            Some(status) => break status,
            None => std::thread::sleep(LOOK_EVERY),
        }
    };
    let wall = began.elapsed();
    if status.success() { Ok((wall, peak)) } else { Err(BenchError(format!("verify {}: {status}", args.join(" ")))) }
}

/// Writes a log with all that belongs to it, batch by batch; returns its entries.
fn lay(dir: &Path, batches: usize) -> Result<usize> {
    let mut log = Specimen::new();
    let mut dump = BufWriter::new(File::create(dir.join("dump.ndjson")).map_err(BenchError::of)?);
    let header = json!({ "kind": "dump", "origin": ORIGIN, "size": batches * BATCH, "v": 1 });
    writeln!(dump, "{header}").map_err(BenchError::of)?;
    let mut edge: BTreeMap<Content, (Tile, Vec<u8>)> = BTreeMap::new();
    let mut one: Option<Entry> = None;
    for number in 0..batches {
        let mut failed = None;
        let batch = log.grow(REAL, &mut |tile, bytes| {
            // What is outgrown by the next batch needs no file.
            if tile.is_full() {
                edge.remove(&tile.content);
                failed = failed.take().or(put(dir, &tile.to_string(), &bytes).err());
            } else {
                edge.insert(tile.content, (tile, bytes));
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        dump.write_all(batch.dump_line().as_bytes()).map_err(BenchError::of)?;
        for entry in &batch.entries {
            dump.write_all(entry.dump_line(false).as_bytes()).map_err(BenchError::of)?;
        }
        if number == batches / 2 {
            one = batch.entries.into_iter().next();
        }
    }
    dump.flush().map_err(BenchError::of)?;
    for (tile, bytes) in edge.values() {
        put(dir, &tile.to_string(), bytes)?;
    }
    let seen = u64::try_from(SystemClock.now().millis() / 1000).map_err(BenchError::of)?;
    let (head, one) = (log.head(), one.ok_or_else(|| BenchError("a batch has entries".into()))?);
    let note = log.checkpoint(&head, seen);
    let read = |tile: Tile| fs::read(dir.join(tile.to_string())).unwrap_or_default();
    put(dir, "one.tlog-proof", log.receipt(&one, &head, &note, &read).as_bytes())?;
    put(dir, "checkpoint", note.as_bytes())?;
    put(dir, "policy", log.policy().as_bytes())?;
    Ok(batches * REAL)
}

fn put(dir: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(path);
    let parent = path.parent().unwrap_or(dir);
    fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(BenchError::of)
}
