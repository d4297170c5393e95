//! Whole runs, with no bid, with five and with six, as everybody sees them who has no bid: answers with their headers and
//! sizes, metrics, messages, and the whole log. They are the same until the boxes are closed.
//!
//! The runs have a process of their own, so that the log is all theirs, background work included.

use std::process::Command;

use crate::support::logs;
use crate::support::normal::Normaliser;
use crate::support::postgres;
use crate::twins::{self, Transcript};

/// How many bids the runs have.
const BIDS: [usize; 3] = [0, 5, 6];
/// On which database they take place.
const DATABASE: &str = "SEALBID_TEST_DATABASE";
/// Where is written what was seen.
const SEEN: &str = "SEALBID_TEST_SEEN";
/// The log's line that ends what is compared: from here on the number of bids is public.
const CLOSED: &str = "whole-run-closed";

/// What was seen of a run until the boxes were closed, and what after.
#[derive(serde::Serialize, serde::Deserialize)]
struct Run {
    before: Transcript,
    after: Transcript,
    lines: Vec<String>,
}

#[test]
#[ignore = "the runs that are compared, in a process of their own; the tests that compare them start it"]
fn all_runs() {
    let told = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is told by the test that compares"));
    let postgres = told(DATABASE) == "postgres";
    let mut known = 0;
    let runs = BIDS.map(|bids| {
        // A world's own background work ends with it.
        let world = if postgres { twins::padded_postgres().expect("installed") } else { twins::padded_sqlite() };
        let (before, after) = twins::life_until(&world, bids, &|| tracing::info!(target: "sealbid::test", "{CLOSED}"));
        drop(world);
        let mut lines = logs::lines_with(" sealbid::");
        lines.drain(..std::mem::replace(&mut known, lines.len()));
        Run { before, after, lines }
    });
    std::fs::write(told(SEEN), serde_json::to_vec(&runs).expect("JSON")).expect("written");
}

fn run_all(database: &str) -> [Run; 3] {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("seen.json");
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "whole_runs::all_runs", "--ignored", "--test-threads", "1"])
        .envs([(DATABASE, database.as_ref()), (SEEN, file.as_os_str())])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&std::fs::read(&file).expect("written")).expect("JSON")
}

/// The lines of a log until the closing, as they can be compared: without their times and durations, and without the
/// lines of requests that are all alike. Of these the number is not compared: it moves with whoever reads, too.
fn comparable(lines: &[String]) -> Vec<String> {
    let mut normal = Normaliser::default();
    let until = lines.iter().position(|line| line.contains(CLOSED)).expect("the run came to its closing");
    let said = lines[..until].iter().map(|line| line.split_once(" sealbid::").map_or(line.as_str(), |(_, said)| said));
    let told = said.filter_map(|said| {
        let (said, duration) = said.split_once(" duration_ms=").unwrap_or((said, ""));
        let (_, rest) = duration.split_once(' ').unwrap_or(("", ""));
        let nameless = said.contains(" request request.id=") && rest.is_empty();
        (!nameless).then(|| normal.plain(&format!("{said} {rest}")))
    });
    told.collect()
}

fn look_the_same(database: &str) {
    let runs = run_all(database);
    for pair in runs.windows(2) {
        let [one, other] = pair else { continue };
        twins::assert_alike(&one.before, &other.before);
        assert_ne!(one.after, other.after, "what is no secret any more does show: the comparison can tell");
        let (lines, others) = (comparable(&one.lines), comparable(&other.lines));
        let named = lines.iter().filter(|line| line.contains("status=200")).count();
        assert!(named > 100, "only {named} lines name what was asked");
        if let Some((line, other)) = lines.iter().zip(&others).find(|(line, other)| line != other) {
            panic!("the logs differ:\n{line}\n{other}");
        }
        assert_eq!(lines.len(), others.len(), "the logs are of one length");
    }
}

#[test]
fn none_and_five_and_six_bids_look_the_same_until_the_closing_on_sqlite() {
    look_the_same("sqlite");
}

#[test]
fn none_and_five_and_six_bids_look_the_same_until_the_closing_on_postgres() {
    if postgres::cluster().is_some() {
        look_the_same("postgres");
    }
}
