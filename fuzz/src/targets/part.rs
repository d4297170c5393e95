//! The plaintext of a part: the archive, its manifest, `bid.json`, `key.bin`.
//!
//! The reader's judgement does not depend on the pieces in which the bytes come; it keeps no more than it was given;
//! what it accepts is written again by the writer and accepted again; what the writer's own checks refuse, the reader
//! refuses too, and what they let pass it accepts.

use std::io;

use sealbid::kernel::digest::sha256;
use sealbid::seal::envelope::Part;
use sealbid::seal::ids::Ident;
use sealbid::seal::manifest::{BidJson, Binding, FileEntry, KEY_PATH, MANIFEST_PATH, Manifest, PartError, PartIoError};
use sealbid::seal::part_reader::{FileSink, PartContents, PartReader};
use sealbid::seal::part_writer::{bid_part, write_part};
use sealbid::seal::points::SCALAR_LEN;
use sealbid::seal::tar::{self, BLOCK_LEN};
use serde_json::{Value, json};

use super::{choice, seed};

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 7) else { return false };
    match choice {
        0 => archive(bytes, Part::Documents),
        1 => archive(bytes, Part::Price),
        2 => documents(bytes),
        3 => with_manifest(bytes),
        4 => header(bytes),
        5 => bid(bytes),
        _ => key(bytes),
    }
}

fn binding(part: Part) -> Binding {
    let ident = |text| Ident::parse(text, "fuzz").expect("an identifier");
    Binding { tender: ident("prj-1"), lot: ident("lot-1"), bidder: ident("org-1"), part }
}

/// Keeps the files that it gets.
#[derive(Default)]
struct Kept(Vec<(FileEntry, Vec<u8>)>);

impl FileSink for Kept {
    fn begin(&mut self, file: &FileEntry) -> io::Result<()> {
        self.0.push((file.clone(), Vec::new()));
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.last_mut().expect("a file has begun").1.extend_from_slice(bytes);
        Ok(())
    }
}

fn read(bytes: &[u8], part: Part, piece: usize) -> (Result<PartContents, PartError>, Kept) {
    let mut kept = Kept::default();
    let mut reader = PartReader::new(binding(part));
    for piece in bytes.chunks(piece.max(1)) {
        match reader.push(piece, &mut kept) {
            Ok(()) => {}
            Err(PartIoError::Part(error)) => return (Err(error), kept),
            Err(PartIoError::Io(error)) => panic!("keeping does not fail: {error}"),
        }
    }
    (reader.finish(), kept)
}

/// The bytes are an archive.
fn archive(bytes: &[u8], part: Part) -> bool {
    let (whole, kept) = read(bytes, part, usize::MAX);
    assert!(kept.0.iter().map(|(_, content)| content.len()).sum::<usize>() <= bytes.len());
    for piece in [BLOCK_LEN - 1, 61] {
        assert_eq!(read(bytes, part, piece).0, whole, "in pieces of {piece}");
    }
    let Ok(contents) = whole else { return false };
    assert_eq!(contents.bid.is_some(), part.is_priced());
    let files: Vec<FileEntry> = kept.0.iter().map(|(file, _)| file.clone()).collect();
    assert_eq!(contents.manifest.files(), files);
    assert!(kept.0.iter().all(|(file, content)| file.len == content.len() as u64 && file.sha256 == sha256(content)));
    let again = write(&contents.manifest, &kept.0).expect("what was read can be written");
    assert_eq!(again.len() as u64, contents.manifest.archive_len());
    assert_eq!(read(&again, part, usize::MAX).0, Ok(contents));
    true
}

fn write(manifest: &Manifest, files: &[(FileEntry, Vec<u8>)]) -> Result<Vec<u8>, PartIoError> {
    let mut out = Vec::new();
    let mut contents = files.iter().map(|(_, content)| content.as_slice());
    write_part(&mut out, manifest, |_| contents.next().ok_or_else(|| io::Error::other("no such file")))?;
    Ok(out)
}

/// The bytes are files: the length of a path, the path, the length of a content, the content.
fn files(mut bytes: &[u8]) -> Vec<(FileEntry, Vec<u8>)> {
    let mut take = || {
        let (len, rest) = bytes.split_first()?;
        let (taken, rest) = rest.split_at_checked(usize::from(*len))?;
        bytes = rest;
        Some(taken.to_vec())
    };
    let mut files = Vec::new();
    while let (Some(path), Some(content)) = (take(), take()) {
        let path = String::from_utf8_lossy(&path).into_owned();
        files.push((FileEntry { path, len: content.len() as u64, sha256: sha256(&content) }, content));
    }
    files
}

/// The writer's checks and the reader's judge the same.
fn documents(bytes: &[u8]) -> bool {
    let files = files(bytes);
    let entries: Vec<FileEntry> = files.iter().map(|(file, _)| file.clone()).collect();
    match Manifest::new(binding(Part::Documents), entries.clone()) {
        Ok(manifest) => {
            let written = write(&manifest, &files).expect("what passes the checks can be written");
            let (read, kept) = read(&written, Part::Documents, usize::MAX);
            assert_eq!(read.map(|contents| contents.manifest), Ok(manifest));
            assert_eq!(kept.0, files);
            true
        }
        Err(refused) => {
            let manifest = manifest_json(&serde_json::to_value(entries).expect("JSON"));
            let files = files.iter().map(|(file, content)| (file.path.as_str(), content.as_slice()));
            if let Some(written) = by_hand(manifest.as_bytes(), files) {
                assert_eq!(read(&written, Part::Documents, usize::MAX).0.err(), Some(refused));
            }
            false
        }
    }
}

fn manifest_json(files: &Value) -> String {
    json!({ "v": "sealbid/1", "tender": "prj-1", "lot": "lot-1", "bidder": "org-1", "part": "documents", "files": files })
        .to_string()
}

/// An archive that no check has seen; none where a name does not fit the format at all.
fn by_hand<'a>(manifest: &'a [u8], files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (path, content) in [(MANIFEST_PATH, manifest)].into_iter().chain(files) {
        out.extend_from_slice(&tar::header(path, content.len() as u64).ok()?);
        out.extend_from_slice(content);
        out.resize(out.len() + tar::padding_len(content.len() as u64), 0);
    }
    out.resize(out.len() + 2 * BLOCK_LEN, 0);
    Some(out)
}

/// The bytes are a manifest, over a file or two that it may or may not name.
fn with_manifest(bytes: &[u8]) -> bool {
    let files: [(&str, &[u8]); 2] = [("a", b"x"), ("b/c.pdf", b"yz")];
    let accepted = by_hand(bytes, files.into_iter()).is_some_and(|whole| archive(&whole, Part::Documents));
    if let Ok(manifest) = Manifest::parse(bytes, &binding(Part::Documents)) {
        assert_eq!(Manifest::parse(&manifest.to_bytes(), manifest.binding()).as_ref(), Ok(&manifest));
        let said: Value = serde_json::from_slice(bytes).expect("JSON");
        assert_eq!(said, serde_json::from_slice::<Value>(&manifest.to_bytes()).expect("JSON"), "one spelling");
        return true;
    }
    assert!(!accepted);
    false
}

/// The bytes are a header's path and length; and a header's own bytes, with the checksum that they should have.
fn header(bytes: &[u8]) -> bool {
    if let Some((len, path)) = bytes.split_at_checked(8)
        && let Ok(path) = str::from_utf8(path)
    {
        let len = u64::from_be_bytes(len.try_into().expect("eight bytes"));
        if let Ok(block) = tar::header(path, len) {
            assert_eq!(tar::parse(&block), Ok(tar::Entry { path: path.to_owned(), len }));
            return true;
        }
    }
    let mut block = [0; BLOCK_LEN];
    block[..bytes.len().min(BLOCK_LEN)].copy_from_slice(&bytes[..bytes.len().min(BLOCK_LEN)]);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let Ok(entry) = tar::parse(&block) else { return false };
    if let Ok(again) = tar::header(&entry.path, entry.len) {
        assert_eq!(tar::parse(&again), Ok(entry));
    }
    true
}

fn bid(bytes: &[u8]) -> bool {
    let Ok(bid) = BidJson::parse(bytes) else { return false };
    assert_eq!(BidJson::parse(&bid.to_bytes()).as_ref(), Ok(&bid));
    let said: Value = serde_json::from_slice(bytes).expect("JSON");
    assert_eq!(said, serde_json::to_value(&bid).expect("JSON"), "one spelling");
    let part = bid_part(binding(Part::Price), &bid).expect("what was read can be written");
    assert_eq!(read(&part, Part::Price, usize::MAX).0.map(|contents| contents.bid), Ok(Some(bid)));
    true
}

/// The bytes are an archive with a key in escrow: one file of its length, whatever else is in them.
fn key(bytes: &[u8]) -> bool {
    let accepted = archive(bytes, Part::Escrow);
    if accepted {
        let (_, kept) = read(bytes, Part::Escrow, usize::MAX);
        let files: Vec<(&str, usize)> = kept.0.iter().map(|(file, key)| (file.path.as_str(), key.len())).collect();
        assert_eq!(files, [(KEY_PATH, SCALAR_LEN)]);
    }
    accepted
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let price = br#"{"amount":"1250000.00","currency":"CNY","validity_days":90,"note":"as discussed"}"#;
    let bid = BidJson::parse(price).expect("a bid");
    let listed = b"\x01a\x01x\x07b/c.pdf\x02yz";
    let files = files(listed);
    let entries: Vec<FileEntry> = files.iter().map(|(file, _)| file.clone()).collect();
    let manifest = Manifest::new(binding(Part::Documents), entries).expect("a manifest");
    let key = vec![7; SCALAR_LEN];
    let entry = FileEntry { path: KEY_PATH.to_owned(), len: key.len() as u64, sha256: sha256(&key) };
    let deposit = Manifest::new(binding(Part::Escrow), vec![entry.clone()]).expect("a manifest");
    let block = tar::header("目录/文件.pdf", 513).expect("a header");
    vec![
        seed(0, write(&manifest, &files).expect("written")),
        seed(1, bid_part(binding(Part::Price), &bid).expect("written")),
        seed(2, listed),
        seed(3, manifest.to_bytes()),
        seed(4, [&513_u64.to_be_bytes()[..], "目录/文件.pdf".as_bytes()].concat()),
        seed(4, block),
        seed(5, price),
        seed(6, write(&deposit, &[(entry, key)]).expect("written")),
    ]
}
