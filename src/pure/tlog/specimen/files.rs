//! A specimen as files by their paths, with what is handed out beside it.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Entry, LOT, ORIGIN, START, Specimen};
use crate::kernel::encoding::hex;
use crate::kernel::time::Timestamp;
use crate::tlog::entry::leaf_hash;
use crate::tlog::tiles::Tile;

/// The names of an entry's parts.
const PARTS: [&str; 3] = ["p", "c", "i"];
/// Entries of the batches of the small log that the vectors are.
const SMALL: &[usize] = &[1, 0, 5, 20, 3, 120, 60, 30];

/// The small log as files by their paths, with what is handed out beside it.
pub fn small() -> BTreeMap<String, Vec<u8>> {
    files_of(SMALL)
}

/// A log with batches of so many entries, three at least, as files by their paths, with what is handed out beside it.
pub fn files_of(entries: &[usize]) -> BTreeMap<String, Vec<u8>> {
    let mut log = Specimen::new();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let (mut batches, mut older) = (Vec::new(), None);
    let mut made: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
    for real in entries {
        batches.push(log.grow(*real, &mut |tile, bytes| drop(made.insert(tile, bytes))));
        older = older.or_else(|| (batches.len() == 3).then(|| log.head()));
    }
    batches.push(log.close(&mut |tile, bytes| drop(made.insert(tile, bytes))));
    batches.push(log.open(&mut |tile, bytes| drop(made.insert(tile, bytes))));
    let lines: Vec<&Entry> =
        batches.iter().flat_map(|batch| &batch.entries).filter(|entry| entry.is_of_the_lot()).collect();
    let header = json!({ "entries": lines.len(), "kind": "disclosure", "lot": LOT, "origin": ORIGIN, "v": 1 });
    let disclosure: String =
        std::iter::once(format!("{header}\n")).chain(lines.iter().map(|entry| entry.disclosure_line())).collect();
    batches.push(log.disclose(&disclosure, &mut |tile, bytes| drop(made.insert(tile, bytes))));
    let seen = (START / 1000) as u64 + 60;
    let (head, older) = (log.head(), older.expect("more than three batches"));
    let note = log.checkpoint(&head, seen);
    let tile = |tile: Tile| made.get(&tile).cloned().unwrap_or_default();
    let first = &batches[0].entries[0];
    let last = batches.last().and_then(|batch| batch.entries.first()).expect("the disclosure's entry");
    let dump_header = json!({ "kind": "dump", "origin": ORIGIN, "size": head.size, "v": 1 });
    let dump: String = std::iter::once(format!("{dump_header}\n"))
        .chain(batches.iter().flat_map(|batch| {
            let entries = batch.entries.iter().map(|entry| entry.dump_line(entry.index % 7 == 0));
            std::iter::once(batch.dump_line()).chain(entries)
        }))
        .collect();
    let promise = log.promise(first, Timestamp::from_millis(START));
    let values = json!({
        "origin": ORIGIN,
        "log_vkey": log.log.verifier.to_string(),
        "promise_vkey": log.promise.verifier.to_string(),
        "witness_vkeys": log.witnesses.each_ref().map(|witness| witness.verifier.to_string()),
        "size": head.size,
        "root": head.root,
        "older_size": older.size,
        "older_root": older.root,
        "batches": batches.iter().map(|batch| json!({
            "from": batch.from, "to": batch.to, "pads": batch.pads, "pad_key": hex(&batch.pad_key),
        })).collect::<Vec<_>>(),
        "first_entry": {
            "index": first.index,
            "parts": PARTS.into_iter().zip(&first.parts).map(|(name, (salt, text))| {
                (name.to_owned(), json!({ "salt": hex(salt), "text": text }))
            }).collect::<serde_json::Map<_, _>>(),
            "commitment": first.commitment,
            "leaf_hash": leaf_hash(&first.commitment),
        },
    });
    files.extend(made.iter().map(|(tile, bytes)| (tile.to_string(), bytes.clone())));
    let texts = [
        ("checkpoint", note.clone()),
        ("older.checkpoint", log.checkpoint(&older, seen - 20)),
        ("policy", log.policy()),
        ("keys", log.keys()),
        ("receipts/first.tlog-proof", log.receipt(first, &head, &note, &tile)),
        (&*format!("disclosures/{LOT}.tlog-proof"), log.receipt(last, &head, &note, &tile)),
        (&*format!("disclosures/{LOT}.ndjson"), disclosure),
        ("dump.ndjson", dump),
        ("receipts/first.promise.json", serde_json::to_string_pretty(&promise).expect("plain data") + "\n"),
        ("values.json", serde_json::to_string_pretty(&values).expect("plain data") + "\n"),
    ];
    files.extend(texts.map(|(name, text)| (name.to_owned(), text.into_bytes())));
    files
}
