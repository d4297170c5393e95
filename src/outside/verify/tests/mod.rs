//! The checks on a small log, whole and damaged.

mod damage;
mod evidence;
mod vectors;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::dump::{self, Depth};
use super::report::{Failure, Proven, Result};
use super::tree::Tree;
use super::trust::Trust;
use super::{bundle, disclosure, heads, receipt, tiles};
use crate::tlog::policy::Policy;
use crate::tlog::specimen::{LOT, ORIGIN, Specimen, files_of, small};

/// Files by their paths.
type Files = BTreeMap<String, Vec<u8>>;

fn trust() -> &'static Trust {
    // Once: it is asked for with every byte that is changed.
    static TRUST: OnceLock<Trust> = OnceLock::new();
    TRUST.get_or_init(|| {
        let specimen = Specimen::new();
        Trust::new(Some(Policy::parse(&specimen.policy()).expect("a policy")), vec![specimen.promise.verifier])
    })
}

fn text(files: &Files, name: &str) -> String {
    String::from_utf8_lossy(&files[name]).into_owned()
}

fn check_tiles(files: &Files) -> Result<Proven> {
    let (head, old) = (text(files, "checkpoint"), text(files, "older.checkpoint"));
    tiles::check(trust(), files, ("checkpoint", &head), Some(("older.checkpoint", &old)))
}

fn check_checkpoint(files: &Files) -> Result<Proven> {
    heads::checkpoint(trust(), "checkpoint", &text(files, "checkpoint"))
}

fn check_consistency(files: &Files) -> Result<Proven> {
    let (head, old) = (text(files, "checkpoint"), text(files, "older.checkpoint"));
    heads::consistency(trust(), [("older.checkpoint", &old), ("checkpoint", &head)], files)
}

fn check_receipt(files: &Files) -> Result<Proven> {
    let included = receipt::included(trust(), "first.tlog-proof", &text(files, "receipts/first.tlog-proof"))?;
    Ok(included.tell())
}

fn check_promise(files: &Files) -> Result<Proven> {
    let written = text(files, "receipts/first.promise.json");
    let found = receipt::find(&written);
    let promise =
        found.ok_or_else(|| Failure::refuted("first.promise.json", "无回执", "there is no receipt in this file"))?;
    let promised = receipt::promised(trust(), "first.promise.json", &promise)?;
    let included = receipt::included(trust(), "first.tlog-proof", &text(files, "receipts/first.tlog-proof"))?;
    receipt::kept(&promise, &promised, &included)
}

fn check_disclosure(files: &Files) -> Result<Proven> {
    let name = format!("disclosures/{LOT}.ndjson");
    let head = trust().head("checkpoint", &text(files, "checkpoint"))?;
    let proof = receipt::included(trust(), "proof", &text(files, &format!("disclosures/{LOT}.tlog-proof")))?;
    let mut tree = Tree::open(files, head.checkpoint())?;
    let origin = &head.checkpoint().origin;
    disclosure::check(&*files[&name], &name, origin, Some(&mut tree), Some(&proof))
}

fn check_bundle(files: &Files) -> Result<Proven> {
    let mut file = tempfile::tempfile().expect("a file");
    std::io::Write::write_all(&mut file, &evidence::bundle(files)).expect("written");
    bundle::check(trust(), "evidence.tar", &file)
}

fn check_dump(files: &Files) -> Result<Proven> {
    let head = trust().head("checkpoint", &text(files, "checkpoint"))?;
    let mut tree = Tree::open(files, head.checkpoint())?;
    dump::check(&*files["dump.ndjson"], "dump.ndjson", &head.checkpoint().origin, &mut tree, Depth::Everything)
}

#[test]
fn a_log_that_is_whole_is_proven_in_every_respect() {
    let files = small();
    for check in [
        check_tiles,
        check_checkpoint,
        check_consistency,
        check_receipt,
        check_promise,
        check_disclosure,
        check_dump,
        check_bundle,
    ] {
        let proven = check(&files);
        assert!(proven.is_ok(), "{proven:?}");
    }
    let kept = check_promise(&files).expect("whole");
    assert!(kept.facts.iter().any(|fact| fact.key == "promise" && fact.value == "kept"), "{kept:?}");
}

/// The disclosure with other numbers of leaves, which are not compared with any tree.
fn renumbered(files: &Files, number: impl Fn(&str, u64) -> u64) -> Result<Proven> {
    let written = text(files, &format!("disclosures/{LOT}.ndjson"));
    let (first, lines) = written.split_once('\n').expect("lines");
    let mut lines: Vec<(u64, serde_json::Value)> = lines
        .lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let p = crate::kernel::encoding::from_base64url(line["p"].as_str().expect("part p")).expect("base64url");
            let kind = receipt::recorded(&p)["kind"].as_str().expect("a kind").to_owned();
            let index = number(&kind, line["index"].as_u64().expect("a number"));
            line["index"] = index.into();
            (index, line)
        })
        .collect();
    lines.sort_unstable_by_key(|(index, _)| *index);
    let lines: Vec<String> = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
    let file = format!("{first}\n{}", lines.concat());
    disclosure::check(file.as_bytes(), "file", ORIGIN, None, None)
}

#[test]
fn a_set_of_bids_that_was_fixed_after_a_key_was_used_is_refuted() {
    let files = small();
    let Err(Failure::Undecided(_)) = renumbered(&files, |_, index| index) else {
        panic!("all that is left is the tree")
    };
    let early = renumbered(&files, |kind, index| if kind == "key.used" { 0 } else { index + 1 });
    let Err(Failure::Refuted(finding)) = early else { panic!("{early:?}") };
    assert!(finding.what.en.contains("before the set of bids was fixed"), "{finding:?}");
}

#[test]
fn a_receipt_stands_in_one_form_and_a_promise_names_its_entry() {
    let files = small();
    let mut promise = receipt::find(&text(&files, "receipts/first.promise.json")).expect("a receipt");
    promise.entry_id.push('0');
    let other = receipt::promised(trust(), "promise", &promise);
    assert!(matches!(&other, Err(Failure::Refuted(finding)) if finding.what.en.contains("entry_id")), "{other:?}");
    let proof = crate::tlog::proof::Proof::parse(&text(&files, "receipts/first.tlog-proof")).expect("a proof");
    let extra = String::from_utf8(proof.extra.clone().expect("a receipt")).expect("text");
    let spelled = |extra: String| {
        let other = crate::tlog::proof::Proof { extra: Some(extra.into_bytes()), ..proof.clone() };
        receipt::included(trust(), "proof", &other.to_text()).map(drop).map_err(|failure| failure.code())
    };
    assert_eq!(spelled(extra.clone()), Ok(()));
    for (from, to) in [(",", ", "), ("}", r#","x":1}"#), (r#","v":1}"#, r#","v":1,"v":1}"#)] {
        assert_eq!(spelled(extra.replacen(from, to, 1)), Err(1), "{from} {to}");
    }
    assert_eq!(spelled(extra.replace(r#""v":1"#, r#""v":2"#)), Err(3), "a version that is not known is undecided");
}

#[test]
fn a_log_that_signed_two_trees_is_told_apart_from_damage() {
    let mut files = small();
    let specimen = Specimen::new();
    let head = trust().head("checkpoint", &text(&files, "checkpoint")).expect("whole");
    let forged = |size: u64| {
        let mut other = head.checkpoint().clone();
        (other.size, other.root) = (size, crate::kernel::digest::sha256(b"another tree"));
        specimen.checkpoint(&other, 1).into_bytes()
    };
    for size in [8, 64, 65, head.checkpoint().size] {
        files.insert("older.checkpoint".into(), forged(size));
        for check in [check_consistency, check_tiles] {
            let outcome = check(&files);
            let Err(failure @ Failure::Forked { heads, .. }) = &outcome else { panic!("{size}: {outcome:?}") };
            assert_eq!(failure.code(), 4);
            assert_eq!(heads[0].as_bytes(), files["older.checkpoint"]);
        }
    }
    // A larger one that was signed before: what is shown now is older, which is no contradiction by itself.
    files.insert("older.checkpoint".into(), forged(head.checkpoint().size + 8));
    assert_eq!(check_tiles(&files).map_err(|failure| failure.code()), Err(1));
}

#[test]
fn what_is_missing_or_signed_by_strangers_is_undecided() {
    let files = small();
    for missing in files.keys().filter(|name| name.starts_with("tile/") && !name.contains(".p/")) {
        let mut without = files.clone();
        without.remove(missing);
        let outcome = check_tiles(&without);
        assert_eq!(outcome.as_ref().map_err(Failure::code), Err(3), "{missing}: {outcome:?}");
    }
    let strangers = Trust::new(None, vec![Specimen::new().witnesses[0].verifier.clone()]);
    let refused = heads::checkpoint(&strangers, "checkpoint", &text(&files, "checkpoint"));
    assert_eq!(refused.map_err(|failure| failure.code()), Err(3));
    let mut lonely = files.clone();
    let uncosigned: String = text(&files, "checkpoint").split_inclusive('\n').take(5).collect();
    lonely.insert("checkpoint".into(), uncosigned.into_bytes());
    assert_eq!(check_checkpoint(&lonely).map_err(|failure| failure.code()), Err(3), "the quorum is not met");
    let alone = Trust::new(None, vec![Specimen::new().log.verifier]);
    assert!(heads::checkpoint(&alone, "checkpoint", &text(&lonely, "checkpoint")).is_ok());
}

#[test]
fn a_promise_that_was_not_kept_is_refuted_only_by_a_later_tree() {
    let (specimen, files) = (Specimen::new(), small());
    let mut promise = receipt::find(&text(&files, "receipts/first.promise.json")).expect("a receipt");
    let head = trust().head("checkpoint", &text(&files, "checkpoint")).expect("whole");
    let promised = receipt::promised(trust(), "promise", &promise).expect("signed");
    let found = receipt::search(&promise, &promised, &files, &head).expect("it is there");
    let included = receipt::included(trust(), "proof", &text(&files, "receipts/first.tlog-proof")).expect("whole");
    assert!(found.facts.iter().any(|fact| fact.key == "index" && fact.value == included.index));
    promise.opening.h_i = crate::kernel::digest::sha256(b"never recorded");
    promise.c = promise.opening.commitment();
    let outcome = receipt::search(&promise, &promised, &files, &head);
    assert_eq!(outcome.map_err(|failure| failure.code()), Err(3), "the tree may be from before the instant");
    let late = specimen.checkpoint(head.checkpoint(), head.first_seen().expect("cosigned") + 600);
    let late = trust().head("checkpoint", &late).expect("whole");
    let outcome = receipt::search(&promise, &promised, &files, &late);
    assert_eq!(outcome.map_err(|failure| failure.code()), Err(1));
}

/// The dump with one batch as the platform writes it after a restore: entries by the numbers in `kept`, nothing of its padding.
fn with_an_unknown_batch(files: &Files, from: u64, kept: usize) -> Files {
    let dump = text(files, "dump.ndjson");
    let (mut lines, mut within, mut entries) = (Vec::new(), false, 0);
    for line in dump.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if let Some(first) = value["from"].as_u64() {
            within = first == from;
            if within {
                let to = value["to"].as_u64().expect("a number");
                let pads = to - from - kept as u64;
                lines.push(serde_json::json!({ "from": from, "to": to, "pads": pads, "unknown": true }).to_string());
                continue;
            }
        } else if within && value["index"].is_u64() {
            entries += 1;
            if entries > kept {
                continue;
            }
        }
        lines.push(line.to_owned());
    }
    let mut files = files.clone();
    files.insert("dump.ndjson".into(), (lines.join("\n") + "\n").into_bytes());
    files
}

#[test]
fn what_a_restore_lost_is_undecided_and_everything_else_is_still_checked() {
    // The second batch is padding alone, so nothing of a stream is lost with it.
    let files = with_an_unknown_batch(&files_of(&[11, 0, 20]), 16, 0);
    let Err(Failure::Undecided(finding)) = check_dump(&files) else { panic!("{:?}", check_dump(&files)) };
    assert!(finding.place.contains("entries 16 to 23"), "{finding:?}");
    assert!(finding.what.en.contains("what 8 leaves") && finding.what.en.contains("ask why"), "{finding:?}");
    // Entries that are listed in such a batch are compared with their leaves as everywhere.
    let kept = with_an_unknown_batch(&files_of(&[11, 0, 20]), 0, 11);
    assert_eq!(check_dump(&kept).map_err(|failure| failure.code()), Err(3));
    let mut wrong = kept.clone();
    let dump = text(&kept, "dump.ndjson");
    let (at, _) = dump.match_indices("\"s_p\":\"").nth(4).expect("an entry of the batch");
    wrong.get_mut("dump.ndjson").expect("a dump")[at + 10] ^= 1;
    let Err(Failure::Refuted(finding)) = check_dump(&wrong) else { panic!("{:?}", check_dump(&wrong)) };
    assert!(finding.place.contains("line 7"), "{finding:?}");
    // A batch says one thing of its other leaves.
    for both in [r#""unknown":false"#, r#""unknown":true,"pad_key":"00""#] {
        let mut wrong = kept.clone();
        wrong.insert("dump.ndjson".into(), text(&kept, "dump.ndjson").replace(r#""unknown":true"#, both).into_bytes());
        assert_eq!(check_dump(&wrong).map_err(|failure| failure.code()), Err(1), "{both}");
    }
}
