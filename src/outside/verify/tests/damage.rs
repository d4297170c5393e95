//! Every byte of every file, changed.

use super::*;
use crate::tlog::specimen::LOT;
use crate::tlog::tiles::{Content, Tile};

/// Changes each byte of a file in turn, and shows that the check does not take it; `named` must be part of what it says.
fn every_byte(files: &Files, name: &str, check: fn(&Files) -> Result<Proven>, named: impl Fn(usize) -> Vec<String>) {
    let mut damaged = files.clone();
    for at in 0..files[name].len() {
        // Now a letter stays a letter, now it becomes something else.
        let bit = 1 << (at * 5 % 8);
        damaged.get_mut(name).expect("a file")[at] ^= bit;
        let outcome = check(&damaged);
        damaged.get_mut(name).expect("a file")[at] ^= bit;
        let failure = outcome.expect_err(&format!("{name}: byte {at} changed by {bit} was not found"));
        assert!([1, 3].contains(&failure.code()), "{name}: byte {at}: {failure:?}");
        let place = format!("{} {}", failure.finding().place, failure.finding().what.en);
        assert!(named(at).iter().any(|name| place.contains(name)), "{name}: byte {at}: {place}");
    }
}

/// The tiles of the tree as it is; those that it has outgrown are compared by `leftovers`.
fn current(files: &Files) -> Vec<String> {
    let size = trust().head("checkpoint", &text(files, "checkpoint")).expect("whole").checkpoint().size;
    let all: Vec<Tile> = crate::tlog::tiles::all(size).collect();
    let bundles = all.iter().filter(|tile| tile.content == Content::Hashes(0));
    let bundles = bundles.map(|tile| Tile { content: Content::Entries, ..*tile }.to_string());
    bundles.chain(all.iter().map(ToString::to_string)).collect()
}

#[test]
fn a_changed_byte_of_any_tile_is_found_and_named() {
    let files = small();
    let names = current(&files);
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        every_byte(&files, &name, check_tiles, |_| vec![name.clone()]);
    }
}

#[test]
fn a_changed_byte_of_a_checkpoint_is_found() {
    let files = small();
    every_byte(&files, "checkpoint", check_checkpoint, |_| vec!["checkpoint".to_owned()]);
}

#[test]
fn a_changed_byte_of_a_receipt_or_a_promise_is_found() {
    let files = small();
    every_byte(&files, "receipts/first.tlog-proof", check_receipt, |_| vec!["first.tlog-proof".to_owned()]);
    // What surrounds the promise in its JSON proves nothing and is not signed; the values are.
    let written = text(&files, "receipts/first.promise.json");
    let promise = receipt::find(&written).expect("a receipt");
    let mut changed = 0;
    for at in 0..promise.promise.len() {
        let mut bytes = promise.promise.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(note) = String::from_utf8(bytes) else { continue };
        let damaged = crate::tlog::receipt::Receipt { promise: note, ..promise.clone() };
        receipt::promised(trust(), "promise", &damaged).expect_err("a changed promise");
        changed += 1;
    }
    assert!(changed > 100);
}

#[test]
fn a_changed_byte_of_a_disclosure_is_found_and_its_line_is_named() {
    // Few lines: checking one byte takes as long as the file. Five bids, one of them replaced, and the set that was fixed.
    let files = files_of(&[11, 1, 50]);
    assert!(check_disclosure(&files).is_ok());
    let name = format!("disclosures/{LOT}.ndjson");
    let bytes = files[&name].clone();
    let line_of = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    // What the first line says of the others is wrong where they say otherwise.
    every_byte(&files, &name, check_disclosure, |at| match line_of(at) {
        1 => vec![name.clone()],
        line => vec![format!("line {line}"), format!("line {}", line + 1)],
    });
}

#[test]
fn a_changed_byte_of_a_dump_is_found_and_its_line_is_named() {
    let mut files = small();
    // The first batches are enough, and the tree ends with them: checking one byte takes as long as the dump.
    let head = trust().head("older.checkpoint", &text(&files, "older.checkpoint")).expect("whole");
    let size = head.checkpoint().size;
    let dump = text(&files, "dump.ndjson");
    let end = dump.find(&format!("{{\"from\":{size},")).expect("a batch begins where the older tree ends");
    let first = dump.split_inclusive('\n').next().expect("a header");
    let mut header: serde_json::Value = serde_json::from_str(first).expect("JSON");
    header["size"] = size.into();
    files.insert("dump.ndjson".into(), format!("{header}\n{}", &dump[first.len()..end]).into_bytes());
    files.insert("checkpoint".into(), files["older.checkpoint"].clone());
    assert!(check_dump(&files).is_ok());
    let bytes = files["dump.ndjson"].clone();
    let line_of = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    // What is wrong with the shape of a batch may be noticed some lines later only, within it.
    let named = |at: usize| {
        let batch_line =
            bytes[..at].rsplit(|byte| *byte == b'\n').next().is_some_and(|line| line.starts_with(b"{\"from"))
                || bytes[at..].starts_with(b"{\"from")
                || line_of(at) == 1;
        match batch_line {
            true => vec!["dump.ndjson".to_owned(), "entries ".to_owned()],
            false => vec![format!("line {}", line_of(at))],
        }
    };
    every_byte(&files, "dump.ndjson", check_dump, named);
}
