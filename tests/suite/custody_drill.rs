//! The server dies at every step of a ceremony and of an opening under custodians, process by process: `sealbid drill custody`.

use std::process::Command;

use serde_json::Value;

use crate::support::postgres;

/// Every message of three members, before its commit and after it, and the nine places of an opening.
const KILLS: u64 = 5 * 3 * 2 + 9;

fn drilled(database: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let report = dir.path().join("report.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealbid"));
    command.args(["drill", "custody", "--database", database, "--report"]).arg(&report);
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let found: Value = serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("JSON");
    assert_eq!((&found[0]["killed"], &found[0]["lots_opened"]), (&KILLS.into(), &1.into()), "{said}");
}

#[test]
fn nothing_is_lost_doubled_or_stuck_on_sqlite() {
    drilled("sqlite");
}

#[test]
fn nothing_is_lost_doubled_or_stuck_on_postgres() {
    if postgres::cluster().is_some() {
        drilled("postgres");
    }
}
