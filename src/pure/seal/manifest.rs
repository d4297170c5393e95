//! What the plaintext of a part contains: `manifest.json`, then `bid.json` (price, reserve), `key.bin` (escrow) or the documents.
//!
//! `manifest.json` is `{v, tender, lot, bidder, part, files: [{path, len, sha256}]}` and lists the other files in the order
//! in which they follow. Promise: it binds the content to lot, bidder and part, so that a payload copied from another
//! envelope is not a bid; and its paths can be unpacked anywhere without surprise: relative, UTF-8, without dots,
//! backslashes, colons, control or direction characters, no two equal but for case, none a directory of another.
//! `bid.json` is `{amount, currency, validity_days?, note?}`, parsed to strings.
//!
//! Deliberately absent: the revision (a new header may reuse an uploaded payload), and what an amount means.

use super::VERSION;
use super::envelope::Part;
use super::error::FormError;
use super::ids::Ident;
use super::limits::{
    MAX_AMOUNT_CHARS, MAX_BID_JSON_BYTES, MAX_FILES, MAX_MANIFEST_BYTES, MAX_NOTE_BYTES, MAX_PATH_BYTES, MAX_PATH_DEPTH,
};
use super::points::SCALAR_LEN;
use super::strict_json::Object;
use super::tar::{self, BLOCK_LEN, TarError};
use crate::kernel::digest::Digest;
use serde::Serialize;
use std::{collections::HashSet, io};

/// The name of the first file.
pub const MANIFEST_PATH: &str = "manifest.json";
/// The name of the second and last file of parts `price` and `reserve`.
pub const BID_PATH: &str = "bid.json";
/// The name of the second and last file of part `escrow`: a private key, 32 bytes.
pub const KEY_PATH: &str = "key.bin";

/// Why the plaintext of a part is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant is its documentation")]
pub enum PartError {
    #[error("manifest.json or bid.json: {0}")]
    Form(#[from] FormError),
    #[error("archive: {0}")]
    Archive(#[from] TarError),
    #[error("the padding after a file is not zero")]
    Padding,
    #[error("the archive ends early")]
    Truncated,
    #[error("something follows the end of the archive")]
    AfterEnd,
    #[error("the first file is not manifest.json")]
    FirstEntry,
    #[error("manifest.json is too large")]
    ManifestTooLarge,
    #[error("the manifest names another {0} than the envelope")]
    Mismatch(&'static str),
    #[error("path `{0}` is not allowed")]
    Path(String),
    #[error("path `{0}` collides with another")]
    PathCollision(String),
    #[error("there are no files, or more than {MAX_FILES}")]
    FileCount,
    #[error("the files are larger than this part may be")]
    TooLarge,
    #[error("this part contains bid.json and nothing else")]
    BidJsonExpected,
    #[error("bid.json is larger than {MAX_BID_JSON_BYTES} bytes")]
    BidJsonTooLarge,
    #[error("this part contains key.bin of {SCALAR_LEN} bytes and nothing else")]
    KeyExpected,
    #[error("file `{0}` is not the one the manifest lists next")]
    UnexpectedEntry(String),
    #[error("file `{0}` has another length than the manifest says")]
    Length(String),
    #[error("file `{0}` has another digest than the manifest says")]
    FileDigest(String),
    #[error("amount is not a decimal number such as 1250000.00")]
    Amount,
    #[error("currency is not three capital letters")]
    Currency,
    #[error("the note is too long")]
    Note,
}

impl PartError {
    /// The stable name of the failure.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Form(error) => error.reason(),
            Self::Archive(_) => "bad_archive",
            Self::Padding => "bad_padding",
            Self::Truncated => "archive_truncated",
            Self::AfterEnd => "after_archive",
            Self::FirstEntry => "manifest_not_first",
            Self::ManifestTooLarge => "manifest_too_large",
            Self::Mismatch(_) => "manifest_mismatch",
            Self::Path(_) => "bad_path",
            Self::PathCollision(_) => "path_collision",
            Self::FileCount => "wrong_file_count",
            Self::TooLarge => "files_too_large",
            Self::BidJsonExpected => "bid_json_expected",
            Self::BidJsonTooLarge => "bid_json_too_large",
            Self::KeyExpected => "key_expected",
            Self::UnexpectedEntry(_) => "unexpected_entry",
            Self::Length(_) => "wrong_file_length",
            Self::FileDigest(_) => "wrong_file_digest",
            Self::Amount => "bad_amount",
            Self::Currency => "bad_currency",
            Self::Note => "note_too_long",
        }
    }
}

/// A part is bad, or the reader or writer beside it failed.
#[derive(Debug, thiserror::Error)]
pub enum PartIoError {
    /// The content is bad.
    #[error(transparent)]
    Part(#[from] PartError),
    /// Reading or writing failed; the content may be good.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
}

/// What a manifest binds its files to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The project.
    pub tender: Ident,
    /// The lot.
    pub lot: Ident,
    /// The bidder, or the initiator for a reserve price.
    pub bidder: Ident,
    /// The part.
    pub part: Part,
}

/// One file of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileEntry {
    /// The relative path.
    pub path: String,
    /// The content's length in bytes.
    pub len: u64,
    /// The content's digest.
    pub sha256: Digest,
}

/// The manifest of a part: its binding and its files in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    binding: Binding,
    files: Vec<FileEntry>,
}

#[derive(Serialize)]
struct Wire<'a> {
    v: &'a str,
    #[serde(flatten)]
    binding: &'a Binding,
    files: &'a [FileEntry],
}

impl Manifest {
    /// A manifest over `files`, checked as its reader will check it.
    ///
    /// # Errors
    /// `Path`, `PathCollision`, `FileCount`, `TooLarge`, `BidJsonExpected`, `BidJsonTooLarge`, `KeyExpected` or
    /// `ManifestTooLarge`.
    pub fn new(binding: Binding, files: Vec<FileEntry>) -> Result<Self, PartError> {
        check_files(binding.part, &files)?;
        let manifest = Self { binding, files };
        if manifest.to_bytes().len() > MAX_MANIFEST_BYTES || manifest.archive_len() > manifest.binding.part.max_len() {
            return Err(PartError::ManifestTooLarge);
        }
        Ok(manifest)
    }

    /// Reads `manifest.json` and compares it with what the envelope says.
    ///
    /// # Errors
    /// As [`Manifest::new`]; `Form` or `Mismatch`.
    pub fn parse(bytes: &[u8], expected: &Binding) -> Result<Self, PartError> {
        let mut object = Object::parse(bytes, MAX_MANIFEST_BYTES)?;
        if object.text("v")? != VERSION {
            return Err(FormError::Version.into());
        }
        for (field, expected) in [
            ("tender", expected.tender.as_str()),
            ("lot", expected.lot.as_str()),
            ("bidder", expected.bidder.as_str()),
            ("part", expected.part.name()),
        ] {
            if object.text(field)? != expected {
                return Err(PartError::Mismatch(field));
            }
        }
        let files = object.objects("files")?;
        object.end()?;
        let files = files
            .into_iter()
            .map(|mut file| {
                let entry =
                    FileEntry { path: file.text("path")?, len: file.integer("len")?, sha256: file.digest("sha256")? };
                file.end()?;
                Ok(entry)
            })
            .collect::<Result<Vec<_>, FormError>>()?;
        check_files(expected.part, &files)?;
        Ok(Self { binding: expected.clone(), files })
    }

    /// The bytes of `manifest.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = Wire { v: VERSION, binding: &self.binding, files: &self.files };
        serde_json::to_vec(&wire).expect("strings and numbers serialise")
    }

    /// The binding.
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// The files in order.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// The length in bytes of the archive, which is the plaintext of the part.
    pub fn archive_len(&self) -> u64 {
        let entry = |len: u64| BLOCK_LEN as u64 + len + tar::padding_len(len) as u64;
        let manifest = entry(self.to_bytes().len() as u64);
        let files = self.files.iter().map(|file| entry(file.len)).sum::<u64>();
        manifest + files + 2 * BLOCK_LEN as u64
    }
}

fn check_files(part: Part, files: &[FileEntry]) -> Result<(), PartError> {
    if part == Part::Escrow {
        return match files {
            [key] if key.path == KEY_PATH && key.len == SCALAR_LEN as u64 => Ok(()),
            _ => Err(PartError::KeyExpected),
        };
    }
    if part.is_priced() {
        return match files {
            [bid] if bid.path != BID_PATH => Err(PartError::BidJsonExpected),
            [bid] if bid.len > MAX_BID_JSON_BYTES as u64 => Err(PartError::BidJsonTooLarge),
            [_] => Ok(()),
            _ => Err(PartError::BidJsonExpected),
        };
    }
    if files.is_empty() || files.len() > MAX_FILES {
        return Err(PartError::FileCount);
    }
    let total = files.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.len));
    if total.is_none_or(|total| total > part.max_len()) {
        return Err(PartError::TooLarge);
    }
    check_paths(files)
}

fn check_paths(files: &[FileEntry]) -> Result<(), PartError> {
    let mut paths = HashSet::from([MANIFEST_PATH.to_owned()]);
    let mut directories = HashSet::new();
    for FileEntry { path, len, .. } in files {
        if !is_plain_path(path) || tar::header(path, *len).is_err() {
            return Err(PartError::Path(path.clone()));
        }
        // Some file systems do not tell cases apart; what differs only in case would overwrite itself there.
        let folded = path.to_lowercase();
        directories.extend(folded.match_indices('/').map(|(at, _)| folded[..at].to_owned()));
        if !paths.insert(folded) {
            return Err(PartError::PathCollision(path.clone()));
        }
    }
    match paths.intersection(&directories).next() {
        Some(path) => Err(PartError::PathCollision(path.clone())),
        None => Ok(()),
    }
}

fn is_plain_path(path: &str) -> bool {
    // U+200E.. and friends turn the reading direction and make a name look like another.
    let strange = |c: char| {
        c.is_control()
            || matches!(c, '\\' | ':' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    path.len() <= MAX_PATH_BYTES
        && !path.contains(strange)
        && path.split('/').count() <= MAX_PATH_DEPTH
        && path.split('/').all(|component| !matches!(component, "" | "." | ".."))
}

/// The content of `bid.json`, as strings whose form has been checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BidJson {
    /// A decimal number without sign, exponent or leading zeros: `1250000.00`.
    pub amount: String,
    /// Three capital letters.
    pub currency: String,
    /// How many days the bid stays valid, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validity_days: Option<u32>,
    /// A remark, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl BidJson {
    /// Reads `bid.json`.
    ///
    /// # Errors
    /// `BidJsonTooLarge`, `Form`, `Amount`, `Currency` or `Note`.
    pub fn parse(bytes: &[u8]) -> Result<Self, PartError> {
        if bytes.len() > MAX_BID_JSON_BYTES {
            return Err(PartError::BidJsonTooLarge);
        }
        let mut object = Object::parse(bytes, MAX_BID_JSON_BYTES)?;
        let bid = Self {
            amount: object.text("amount")?,
            currency: object.text("currency")?,
            validity_days: if object.has("validity_days") { Some(object.integer("validity_days")?) } else { None },
            note: if object.has("note") { Some(object.text("note")?) } else { None },
        };
        object.end()?;
        bid.check()?;
        Ok(bid)
    }

    /// Checks the form of the fields.
    ///
    /// # Errors
    /// `Amount`, `Currency` or `Note`.
    pub fn check(&self) -> Result<(), PartError> {
        if !is_decimal(&self.amount) {
            return Err(PartError::Amount);
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|c| c.is_ascii_uppercase()) {
            return Err(PartError::Currency);
        }
        if self.note.as_ref().is_some_and(|note| note.len() > MAX_NOTE_BYTES) {
            return Err(PartError::Note);
        }
        Ok(())
    }

    /// The bytes of `bid.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers serialise")
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    text.len() <= MAX_AMOUNT_CHARS
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
}
