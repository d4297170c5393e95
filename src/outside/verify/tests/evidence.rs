//! Some entries of the small log as an evidence bundle.

use serde_json::{Value, json};

use super::*;
use crate::kernel::digest::sha256;
use crate::kernel::encoding::from_base64url;
use crate::seal::tar::{BLOCK_LEN, header, padding_len};
use crate::tlog::entry::{Part, part_digest};
use crate::tlog::evidence::{CHECKPOINT, CONTENTS, ENTRIES, KEYS, KIND, MANIFEST, Manifest, Member, POLICY};
use crate::tlog::needed::Needed;

/// The kinds of the entries that are shown: the set of bids, and the opening of each.
const SHOWN: [&str; 2] = ["bids.fixed", "bid.opened"];

/// The archive, from the files of a log and its dump.
pub fn bundle(files: &Files) -> Vec<u8> {
    let head = trust().head(CHECKPOINT, &text(files, CHECKPOINT)).expect("whole").checkpoint().clone();
    let shown: Vec<Value> = text(files, "dump.ndjson").lines().filter_map(shown).collect();
    let first = json!({ "entries": shown.len(), "kind": KIND, "origin": head.origin, "v": 1 });
    let lines = std::iter::once(&first).chain(&shown).map(|line| format!("{line}\n"));
    let indexes = shown.iter().map(|line| line["index"].as_u64().expect("a number"));
    let contents = indexes.clone().fold("index\n".to_owned(), |table, index| format!("{table}{index}\n"));
    let mut needed = Needed::of_tree(head.size);
    indexes.for_each(|index| needed.add(index));
    let mut members: Vec<(String, Vec<u8>)> =
        [POLICY, KEYS, CHECKPOINT].map(|name| (name.to_owned(), files[name].clone())).into();
    members.push((ENTRIES.to_owned(), lines.collect::<String>().into_bytes()));
    members.extend(needed.into_tiles().iter().map(|tile| (tile.to_string(), files[&tile.to_string()].clone())));
    members.push((CONTENTS.to_owned(), contents.into_bytes()));
    let about = json!({
        "as_of": "2026-11-22T01:02:00.000Z", "entries": shown.len(), "look": "ent-look", "matter": "specimen",
        "not_yet": 0, "query": { "lot": LOT }, "size": head.size,
    });
    let listed = members.iter().map(|(name, bytes)| Member {
        name: name.clone(),
        len: bytes.len() as u64,
        sha256: sha256(bytes),
    });
    let manifest = Manifest { origin: head.origin, about: about.to_string(), members: listed.collect() };
    members.push((MANIFEST.to_owned(), Specimen::new().promise.note(&manifest.text()).into_bytes()));
    let mut archive = Vec::new();
    for (name, bytes) in members {
        let len = bytes.len() as u64;
        archive.extend_from_slice(&header(&name, len).expect("a short name"));
        archive.extend(bytes);
        archive.resize(archive.len() + padding_len(len), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK_LEN, 0);
    archive
}

/// The line of an entry that is shown: its part `i` by its digest.
fn shown(line: &str) -> Option<Value> {
    let mut line: Value = serde_json::from_str(line).expect("JSON");
    let bytes = |part: &Value| from_base64url(part.as_str().expect("base64url")).expect("base64url");
    let public = receipt::recorded(&bytes(line.get("p")?));
    if !SHOWN.contains(&public["kind"].as_str()?) {
        return None;
    }
    if let Some(part) = line.get("i").map(bytes) {
        let salt = bytes(&line["s_i"]).try_into().expect("a salt");
        line["h_i"] = json!(part_digest(Part::Personal, &salt, &part));
        line.as_object_mut().expect("a line").retain(|key, _| key != "i" && key != "s_i");
    }
    Some(line)
}
