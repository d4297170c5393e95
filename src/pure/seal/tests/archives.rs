//! The plaintext of a part as an archive, and every way in which it is refused.

use super::{bid, binding};
use crate::kernel::digest::sha256;
use crate::seal::envelope::Part;
use crate::seal::manifest::{Binding, FileEntry, Manifest, PartError, PartIoError};
use crate::seal::part_reader::{Discard, FileSink, PartContents, PartReader};
use crate::seal::part_writer::{bid_part, describe, write_part};
use crate::seal::tar::{BLOCK_LEN, header, padding_len};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io;

fn read_in_pieces(archive: &[u8], expected: Binding, piece: usize) -> Result<PartContents, PartError> {
    let mut reader = PartReader::new(expected);
    for bytes in archive.chunks(piece) {
        match reader.push(bytes, &mut Discard) {
            Ok(()) => {}
            Err(PartIoError::Part(error)) => return Err(error),
            Err(PartIoError::Io(error)) => panic!("{error}"),
        }
    }
    reader.finish()
}

fn read(archive: &[u8], part: Part) -> Result<PartContents, PartError> {
    read_in_pieces(archive, binding("org-1", part), 1 << 20)
}

fn entry(path: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(path, content.len() as u64).unwrap().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len() + padding_len(content.len() as u64), 0);
    bytes
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(|(path, content)| entry(path, content)).collect();
    bytes.extend_from_slice(&[0; 2 * BLOCK_LEN]);
    bytes
}

fn manifest_json(part: Part, files: &[(&str, &[u8])]) -> Value {
    let files: Vec<_> = files
        .iter()
        .map(|(path, content)| json!({"path": path, "len": content.len(), "sha256": sha256(content)}))
        .collect();
    json!({"v": "sealbid/1", "tender": "prj-1", "lot": "lot-1", "bidder": "org-1", "part": part.name(), "files": files})
}

fn documents(files: &[(&str, &[u8])]) -> Vec<u8> {
    let manifest = manifest_json(Part::Documents, files).to_string();
    let mut entries: Vec<(&str, &[u8])> = vec![("manifest.json", manifest.as_bytes())];
    entries.extend_from_slice(files);
    archive(&entries)
}

fn with_manifest(manifest: &Value, files: &[(&str, &[u8])]) -> Vec<u8> {
    let manifest = manifest.to_string();
    let mut entries: Vec<(&str, &[u8])> = vec![("manifest.json", manifest.as_bytes())];
    entries.extend_from_slice(files);
    archive(&entries)
}

#[test]
fn a_part_comes_back_whatever_the_pieces_it_arrives_in() {
    let price = bid_part(binding("org-1", Part::Price), &bid("1250000.00")).unwrap();
    assert_eq!(price.len() % BLOCK_LEN, 0);
    for piece in [1, 7, 511, 512, 513, 4096] {
        let contents = read_in_pieces(&price, binding("org-1", Part::Price), piece).unwrap();
        assert_eq!(contents.bid, Some(bid("1250000.00")));
    }
}

#[test]
fn an_archive_padded_by_a_common_archiver_is_accepted_up_to_twenty_blocks() {
    let mut padded = documents(&[("a", b"x")]);
    padded.resize(padded.len() + 18 * BLOCK_LEN, 0);
    assert!(read(&padded, Part::Documents).is_ok());
    padded.resize(padded.len() + BLOCK_LEN, 0);
    assert_eq!(read(&padded, Part::Documents), Err(PartError::AfterEnd));
}

#[test]
fn every_shortened_archive_is_refused() {
    let good = documents(&[("a", b"x"), ("b", &[7; 600])]);
    assert!(read(&good, Part::Documents).is_ok());
    for len in 0..good.len() {
        assert_eq!(read(&good[..len], Part::Documents), Err(PartError::Truncated), "{len}");
    }
}

#[test]
fn hidden_bytes_between_and_after_files_are_refused() {
    let good = documents(&[("a", b"x")]);
    let mut in_padding = good.clone();
    let padding = good.len() - 2 * BLOCK_LEN - 1;
    in_padding[padding] = 1;
    assert_eq!(read(&in_padding, Part::Documents), Err(PartError::Padding));
    let mut after = good.clone();
    *after.last_mut().unwrap() = 1;
    assert_eq!(read(&after, Part::Documents), Err(PartError::AfterEnd));
    let two = [good.clone(), good].concat();
    assert_eq!(read(&two, Part::Documents), Err(PartError::AfterEnd));
}

#[test]
fn files_must_be_exactly_those_of_the_manifest_in_its_order() {
    let manifest = manifest_json(Part::Documents, &[("a", b"1"), ("b", b"22")]);
    let read = |files: &[(&str, &[u8])]| read(&with_manifest(&manifest, files), Part::Documents);
    assert!(read(&[("a", b"1"), ("b", b"22")]).is_ok());
    assert_eq!(read(&[("b", b"22"), ("a", b"1")]), Err(PartError::UnexpectedEntry("b".into())));
    assert_eq!(read(&[("a", b"1")]), Err(PartError::Truncated));
    assert_eq!(read(&[("a", b"1"), ("b", b"22"), ("c", b"")]), Err(PartError::UnexpectedEntry("c".into())));
    assert_eq!(read(&[("a", b"1"), ("a", b"1")]), Err(PartError::UnexpectedEntry("a".into())));
    assert_eq!(read(&[("a", b"1"), ("b", b"2")]), Err(PartError::Length("b".into())));
    assert_eq!(read(&[("a", b"1"), ("b", b"23")]), Err(PartError::FileDigest("b".into())));
}

#[test]
fn the_manifest_comes_first_and_once() {
    assert_eq!(read(&archive(&[("a", b"x")]), Part::Documents), Err(PartError::FirstEntry));
    assert_eq!(read(&archive(&[]), Part::Documents), Err(PartError::Truncated));
    let manifest = manifest_json(Part::Documents, &[("manifest.json", b"{}")]);
    let twice = with_manifest(&manifest, &[("manifest.json", b"{}")]);
    assert_eq!(read(&twice, Part::Documents), Err(PartError::PathCollision("manifest.json".into())));
    let mut huge = header("manifest.json", 1024 * 1024 + 1).unwrap().to_vec();
    huge.resize(4 * BLOCK_LEN, 0);
    assert_eq!(read(&huge, Part::Documents), Err(PartError::ManifestTooLarge));
}

#[test]
fn a_manifest_for_another_tender_lot_bidder_or_part_is_refused() {
    let files: &[(&str, &[u8])] = &[("a", b"x")];
    let good = manifest_json(Part::Documents, files);
    for (field, value) in [("tender", "prj-2"), ("lot", "lot-2"), ("bidder", "org-2"), ("part", "price")] {
        let mut altered = good.clone();
        altered[field] = json!(value);
        assert_eq!(read(&with_manifest(&altered, files), Part::Documents), Err(PartError::Mismatch(field)));
    }
    for (field, value, reason) in [
        ("v", json!("sealbid/2"), "unknown_version"),
        ("surplus", json!(1), "unknown_field"),
        ("files", json!([{"path": "a", "len": 1, "sha256": "00"}]), "bad_hex"),
        ("files", json!([{"path": "a", "len": -1, "sha256": sha256(b"x")}]), "wrong_type"),
        ("files", json!([{"path": "a", "len": 1, "sha256": sha256(b"x"), "mode": 1}]), "unknown_field"),
        ("files", json!([]), "wrong_file_count"),
    ] {
        let mut altered = good.clone();
        altered[field] = value;
        let error = read(&with_manifest(&altered, files), Part::Documents).unwrap_err();
        assert_eq!(error.reason(), reason, "{field}");
    }
}

#[test]
fn a_bad_bid_json_makes_a_bad_part() {
    let content = br#"{"amount":"-1","currency":"CNY"}"#;
    let files: &[(&str, &[u8])] = &[("bid.json", content)];
    let archive = with_manifest(&manifest_json(Part::Price, files), files);
    assert_eq!(read(&archive, Part::Price), Err(PartError::Amount));
}

#[test]
fn a_file_that_changed_between_description_and_writing_is_noticed() {
    let described = describe("a", &b"before"[..]).unwrap();
    let manifest = Manifest::new(binding("org-1", Part::Documents), vec![described]).unwrap();
    let write = |content: &'static [u8]| write_part(io::sink(), &manifest, |_| Ok(content));
    write(b"before").unwrap();
    for (content, reason) in [
        (&b"befors"[..], "wrong_file_digest"),
        (b"befor", "wrong_file_length"),
        (b"before and after", "wrong_file_length"),
    ] {
        match write(content).unwrap_err() {
            PartIoError::Part(error) => assert_eq!(error.reason(), reason),
            PartIoError::Io(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_failing_sink_is_not_the_parts_fault() {
    struct Full;
    impl FileSink for Full {
        fn begin(&mut self, _: &FileEntry) -> io::Result<()> {
            Ok(())
        }
        fn content(&mut self, _: &[u8]) -> io::Result<()> {
            Err(io::Error::other("disk full"))
        }
    }
    let mut reader = PartReader::new(binding("org-1", Part::Documents));
    let result = reader.push(&documents(&[("a", b"x")]), &mut Full);
    assert!(matches!(result, Err(PartIoError::Io(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_documents_come_back(
        sizes in proptest::collection::vec(0_usize..3000, 1..6),
        piece in 1_usize..2000,
    ) {
        let contents: Vec<Vec<u8>> = sizes.iter().map(|size| vec![0x5a; *size]).collect();
        let files = contents
            .iter()
            .enumerate()
            .map(|(i, content)| describe(format!("d/{i}"), content.as_slice()).unwrap())
            .collect();
        let manifest = Manifest::new(binding("org-1", Part::Documents), files).unwrap();
        let (mut archive, mut next) = (Vec::new(), contents.iter());
        write_part(&mut archive, &manifest, |_| Ok(next.next().unwrap().as_slice())).unwrap();
        prop_assert_eq!(archive.len() as u64, manifest.archive_len());
        let contents = read_in_pieces(&archive, binding("org-1", Part::Documents), piece).unwrap();
        prop_assert_eq!(contents.manifest, manifest);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), at in 0_usize..2000) {
        let mut archive = documents(&[("a", b"x")]);
        let at = at.min(archive.len());
        let end = (at + bytes.len()).min(archive.len());
        archive[at..end].copy_from_slice(&bytes[..end - at]);
        let unchanged = archive == documents(&[("a", b"x")]);
        // Owner, mode and time are not read, so that a change there may pass; what is read is verified.
        match read(&archive, Part::Documents) {
            Ok(contents) => prop_assert_eq!(contents.manifest.files().len(), 1),
            Err(error) => prop_assert!(!unchanged, "{}", error),
        }
    }
}
