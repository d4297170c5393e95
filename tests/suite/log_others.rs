//! What a platform publishes and hands out, in the hands of a program that was written from `docs/log-format.md` alone.

use std::path::Path;
use std::process::{Command, Output};

use sealbid::rules::editions::Category;

use crate::support::loglab;
use crate::support::python;
use crate::support::world::World;

/// Fewest leaves of a batch: growth tells nothing, and most leaves are padding.
const PADDING: u32 = 16;

/// Runs the program on a copy of the log, with more files.
fn verify(python: &Path, log: &Path, more: &[(&str, &Path)]) -> Output {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/log/verify.py");
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(program).arg(log);
    for (option, file) in more {
        command.arg(option).arg(file);
    }
    command.output().expect("it runs")
}

/// A lot from its notice to its disclosure, with a bid that was replaced and one that was withdrawn; all of it is right, by lines that say
/// what was checked.
fn reads_all_of(world: &World, python: &Path) {
    actix_web::rt::System::new().block_on(sealbid::worker::log::start(&world.data())).expect("keys are named");
    let lot = world.lot(Category::Construction).noticed();
    let lot = lot.with_bids(&["900000.00", "950000.00", "910000.00", "930000.00"]);
    world.settle();
    let mine = lot.bid(1, 2, "899000.00").ok()["entry_id"].as_str().expect("an entry").to_owned();
    lot.withdraw(4).ok();
    let lot = lot.opened();
    world.settle();
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let receipt = world.bidder(1).get(format!("/v1/receipts/{mine}/proof")).ok_bytes();
    let evidence = world.inspector().look(format!("/v1/inspection/lots/{}/evidence", lot.id)).ok_bytes();
    let more = [
        ("--receipt", &*file("mine.tlog-proof", &receipt)),
        ("--dump", &*file("dump.ndjson", loglab::dump(world).as_bytes())),
        ("--evidence", &*file("evidence.tar", &evidence)),
    ];
    let log = world.app().log.directory().path();
    let output = verify(python, log, &more);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for checked in ["checkpoint:", "tile/:", "keys:", "mine.tlog-proof:", "dump.ndjson:", "evidence.tar:"] {
        assert!(said.lines().any(|line| line.starts_with("right") && line.contains(checked)), "{checked} in {said}");
    }
    let disclosed = said.lines().find(|line| line.contains(&format!("disclosures/{}.ndjson", lot.id))).expect("a line");
    assert!(disclosed.starts_with("right") && disclosed.ends_with("1 set of 4 bids"), "{disclosed}");
    // It is no program that says yes to anything.
    let damaged = [loglab::dump(world).replacen("\"pads\":", "\"pads\":1", 1), String::new()];
    for text in damaged {
        let output = verify(python, log, &[("--dump", &file("damaged.ndjson", text.as_bytes()))]);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_program_that_is_not_ours_finds_all_of_it_right_on_sqlite() {
    let Some(python) = python::interpreter() else { return };
    reads_all_of(&World::sqlite_with(|config| config.audit.padding = PADDING), &python);
}

#[test]
fn a_program_that_is_not_ours_finds_all_of_it_right_on_postgres() {
    let Some(python) = python::interpreter() else { return };
    if let Some(world) = World::postgres_with(|config| config.audit.padding = PADDING) {
        reads_all_of(&world, &python);
    }
}
