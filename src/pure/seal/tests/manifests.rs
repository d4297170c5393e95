//! Manifest and bid.json by themselves: paths, limits, strictness.

use super::{bid, binding};
use crate::kernel::digest::sha256;
use crate::seal::envelope::Part;
use crate::seal::limits::{MAX_BID_JSON_BYTES, MAX_FILES};
use crate::seal::manifest::{BidJson, FileEntry, Manifest, PartError};
use crate::seal::part_writer::bid_part;

fn file(path: &str, len: u64) -> FileEntry {
    FileEntry { path: path.into(), len, sha256: sha256(b"") }
}

#[test]
fn paths_that_surprise_whoever_unpacks_them_are_refused() {
    let manifest = |path: &str| Manifest::new(binding("org-1", Part::Documents), vec![file(path, 0)]);
    for path in ["a", "a/b.pdf", "投标/技术方案 1.pdf", "..a", "a..", ".hidden", "1/2/3/4/5/6/7/8"] {
        assert!(manifest(path).is_ok(), "{path}");
    }
    let long = "n".repeat(101);
    for path in [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "./a",
        "a/./b",
        "a/../b",
        "../a",
        "a\\b",
        "C:a",
        "a\nb",
        "a\u{7f}",
        "a\0",
        "a\u{202e}fdp.exe",
        "1/2/3/4/5/6/7/8/9",
        &long,
    ] {
        assert_eq!(manifest(path), Err(PartError::Path(path.into())), "{path:?}");
    }
}

#[test]
fn paths_that_would_overwrite_each_other_are_refused() {
    let manifest = |paths: &[&str]| {
        let files = paths.iter().map(|path| file(path, 0)).collect();
        Manifest::new(binding("org-1", Part::Documents), files).unwrap_err().reason()
    };
    assert_eq!(manifest(&["a", "a"]), "path_collision");
    assert_eq!(manifest(&["a", "A"]), "path_collision");
    assert_eq!(manifest(&["a", "a/b"]), "path_collision");
    assert_eq!(manifest(&["a/b/c", "A/B"]), "path_collision");
    assert_eq!(manifest(&["Manifest.JSON"]), "path_collision");
    assert_eq!(manifest(&["manifest.json/a"]), "path_collision");
}

#[test]
fn number_and_size_of_files_are_limited() {
    let manifest = |files| Manifest::new(binding("org-1", Part::Documents), files).map(|_| ());
    let many = |n: usize| (0..n).map(|i| file(&format!("f{i}"), 0)).collect::<Vec<_>>();
    assert_eq!(manifest(many(MAX_FILES)), Ok(()));
    assert_eq!(manifest(many(MAX_FILES + 1)), Err(PartError::FileCount));
    assert_eq!(manifest(vec![]), Err(PartError::FileCount));
    assert_eq!(manifest(vec![file("a", u64::MAX), file("b", 1)]), Err(PartError::TooLarge));
    assert_eq!(manifest(vec![file("a", 4 << 30), file("b", 1)]), Err(PartError::TooLarge));
}

#[test]
fn a_price_is_one_bid_json_of_limited_size() {
    let manifest = |files| Manifest::new(binding("org-1", Part::Price), files).unwrap_err();
    assert_eq!(manifest(vec![]), PartError::BidJsonExpected);
    assert_eq!(manifest(vec![file("offer.json", 0)]), PartError::BidJsonExpected);
    assert_eq!(manifest(vec![file("bid.json", 0), file("a", 0)]), PartError::BidJsonExpected);
    assert_eq!(manifest(vec![file("bid.json", MAX_BID_JSON_BYTES as u64 + 1)]), PartError::BidJsonTooLarge);
    assert_eq!(bid_part(binding("org-1", Part::Documents), &bid("1")), Err(PartError::BidJsonExpected));
}

#[test]
fn bid_json_is_read_strictly() {
    let good = r#"{"amount":"1250000.00","currency":"CNY","validity_days":90,"note":"含税"}"#;
    let read = BidJson::parse(good.as_bytes()).unwrap();
    assert_eq!(
        (read.amount.as_str(), read.validity_days, read.note.as_deref()),
        ("1250000.00", Some(90), Some("含税"))
    );
    for (from, to, reason) in [
        (r#""1250000.00""#, "1250000.00", "wrong_type"),
        ("1250000.00", "-1", "bad_amount"),
        ("1250000.00", "+1", "bad_amount"),
        ("1250000.00", "1e6", "bad_amount"),
        ("1250000.00", "01", "bad_amount"),
        ("1250000.00", "1.", "bad_amount"),
        ("1250000.00", ".5", "bad_amount"),
        ("1250000.00", "1.2.3", "bad_amount"),
        ("1250000.00", "1,000", "bad_amount"),
        ("1250000.00", " 1", "bad_amount"),
        ("1250000.00", "１", "bad_amount"),
        ("1250000.00", "", "bad_amount"),
        ("1250000.00", "123456789012345678901234567890123", "bad_amount"),
        ("CNY", "cny", "bad_currency"),
        ("CNY", "CNYX", "bad_currency"),
        ("CNY", "元", "bad_currency"),
        ("90", "4294967296", "out_of_range"),
        ("90", "null", "wrong_type"),
        (r#""note""#, r#""remark""#, "unknown_field"),
        (r#""note""#, r#""amount""#, "duplicate_key"),
        (r#""amount""#, r#""sum""#, "missing_field"),
    ] {
        let altered = good.replace(from, to);
        assert_eq!(BidJson::parse(altered.as_bytes()).unwrap_err().reason(), reason, "{altered}");
    }
    let long = good.replace("含税", &"x".repeat(4001));
    assert_eq!(BidJson::parse(long.as_bytes()), Err(PartError::Note));
    let huge = format!("{good}{}", " ".repeat(MAX_BID_JSON_BYTES));
    assert_eq!(BidJson::parse(huge.as_bytes()), Err(PartError::BidJsonTooLarge));
    assert_eq!(bid("1.").check(), Err(PartError::Amount));
}
