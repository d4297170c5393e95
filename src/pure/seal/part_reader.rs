//! Reading the plaintext of a part, as it is decrypted.
//!
//! Promise: memory is bounded by the limits of manifest and `bid.json`, whatever the size of the documents; a part is
//! good only if [`PartReader::finish`] says so. Contents are handed on while they are read, before their digests are
//! known: whoever stores them must throw them away when a later push or `finish` fails.
//!
//! Deliberately absent: unpacking, and tolerance: a part with one byte out of place is a bad part, with its reason.

use super::limits::{MAX_END_BLOCKS, MAX_MANIFEST_BYTES};
use super::manifest::{BidJson, Binding, FileEntry, MANIFEST_PATH, Manifest, PartError, PartIoError};
use super::tar::{self, BLOCK_LEN};
use crate::kernel::digest::Hasher;
use std::io;

/// Takes the files of a part as they pass by.
pub trait FileSink {
    /// The content of `file` begins.
    ///
    /// # Errors
    /// Those of the sink; reading ends.
    fn begin(&mut self, file: &FileEntry) -> io::Result<()>;

    /// The next piece of the content of the file begun last.
    ///
    /// # Errors
    /// Those of the sink; reading ends.
    fn content(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// Lets the files pass by: for those who only verify.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl FileSink for Discard {
    fn begin(&mut self, _: &FileEntry) -> io::Result<()> {
        Ok(())
    }

    fn content(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// What a good part contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartContents {
    /// The manifest, every file of which has been verified.
    pub manifest: Manifest,
    /// The bid, for parts `price` and `reserve`.
    pub bid: Option<BidJson>,
}

/// Where in the archive the next byte stands.
enum State {
    /// In a header block, or in a zero block that ends the archive.
    Header,
    /// In a content, this many bytes before its end; then comes the padding.
    Content { left: u64, padding: usize },
    /// In the padding, this many bytes before its end.
    Padding(usize),
}

/// Reads one part, piece by piece.
pub struct PartReader {
    expected: Binding,
    state: State,
    block: Vec<u8>,
    end_blocks: usize,
    manifest: Option<Manifest>,
    /// How many of the manifest's files have begun.
    files_begun: usize,
    hasher: Hasher,
    /// The bytes of manifest.json or bid.json.
    kept: Vec<u8>,
    bid: Option<BidJson>,
}

impl PartReader {
    /// Starts reading a part that must be bound to `expected`.
    pub fn new(expected: Binding) -> Self {
        Self {
            expected,
            state: State::Header,
            block: Vec::with_capacity(BLOCK_LEN),
            end_blocks: 0,
            manifest: None,
            files_begun: 0,
            hasher: Hasher::new(),
            kept: Vec::new(),
            bid: None,
        }
    }

    /// Reads the next bytes of the plaintext.
    ///
    /// # Errors
    /// The first thing that is wrong, or the sink's error; the reader must then be dropped.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut dyn FileSink) -> Result<(), PartIoError> {
        while !bytes.is_empty() {
            let taken = match self.state {
                State::Header => self.push_header(bytes, sink)?,
                State::Content { left, padding } => self.push_content(bytes, left, padding, sink)?,
                State::Padding(left) => self.push_padding(bytes, left)?,
            };
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    fn push_header(&mut self, bytes: &[u8], sink: &mut dyn FileSink) -> Result<usize, PartIoError> {
        let taken = bytes.len().min(BLOCK_LEN - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        let Ok(block) = <[u8; BLOCK_LEN]>::try_from(self.block.as_slice()) else {
            return Ok(taken);
        };
        self.block.clear();
        if block == [0; BLOCK_LEN] {
            self.end_blocks += 1;
            if self.end_blocks > MAX_END_BLOCKS {
                return Err(PartError::AfterEnd.into());
            }
        } else if self.end_blocks > 0 {
            return Err(PartError::AfterEnd.into());
        } else {
            self.begin_entry(tar::parse(&block).map_err(PartError::Archive)?, sink)?;
        }
        Ok(taken)
    }

    fn begin_entry(&mut self, entry: tar::Entry, sink: &mut dyn FileSink) -> Result<(), PartIoError> {
        self.hasher = Hasher::new();
        self.kept.clear();
        match &self.manifest {
            None if entry.path != MANIFEST_PATH => return Err(PartError::FirstEntry.into()),
            None if entry.len > MAX_MANIFEST_BYTES as u64 => {
                return Err(PartError::ManifestTooLarge.into());
            }
            None => {}
            Some(manifest) => match manifest.files().get(self.files_begun) {
                Some(file) if file.path == entry.path => {
                    if file.len != entry.len {
                        return Err(PartError::Length(entry.path).into());
                    }
                    self.files_begun += 1;
                    sink.begin(file)?;
                }
                _ => return Err(PartError::UnexpectedEntry(entry.path).into()),
            },
        }
        let padding = tar::padding_len(entry.len);
        self.state = State::Content { left: entry.len, padding };
        if entry.len == 0 { Ok(self.end_entry(padding)?) } else { Ok(()) }
    }

    fn push_content(
        &mut self,
        bytes: &[u8],
        left: u64,
        padding: usize,
        sink: &mut dyn FileSink,
    ) -> Result<usize, PartIoError> {
        let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let piece = &bytes[..taken];
        self.hasher.update(piece);
        if self.manifest.is_some() {
            sink.content(piece)?;
        }
        // Both were checked against their limits before; documents and keys are never kept.
        if self.manifest.is_none() || self.expected.part.is_priced() {
            self.kept.extend_from_slice(piece);
        }
        let left = left - taken as u64;
        self.state = State::Content { left, padding };
        if left == 0 {
            self.end_entry(padding)?;
        }
        Ok(taken)
    }

    /// The content is complete: reads the manifest, or verifies the file.
    fn end_entry(&mut self, padding: usize) -> Result<(), PartError> {
        let digest = std::mem::take(&mut self.hasher).finish();
        match &self.manifest {
            None => self.manifest = Some(Manifest::parse(&self.kept, &self.expected)?),
            Some(manifest) => {
                let file = &manifest.files()[self.files_begun - 1];
                if digest != file.sha256 {
                    return Err(PartError::FileDigest(file.path.clone()));
                }
                if self.expected.part.is_priced() {
                    self.bid = Some(BidJson::parse(&self.kept)?);
                }
            }
        }
        self.state = if padding == 0 { State::Header } else { State::Padding(padding) };
        Ok(())
    }

    fn push_padding(&mut self, bytes: &[u8], left: usize) -> Result<usize, PartError> {
        let taken = left.min(bytes.len());
        if bytes[..taken].iter().any(|byte| *byte != 0) {
            return Err(PartError::Padding);
        }
        self.state = if taken == left { State::Header } else { State::Padding(left - taken) };
        Ok(taken)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `Truncated` if manifest, files or the two zero blocks at the end are not complete.
    pub fn finish(self) -> Result<PartContents, PartError> {
        let at_boundary = matches!(self.state, State::Header) && self.block.is_empty();
        match self.manifest {
            Some(manifest) if at_boundary && self.end_blocks >= 2 && self.files_begun == manifest.files().len() => {
                Ok(PartContents { manifest, bid: self.bid })
            }
            _ => Err(PartError::Truncated),
        }
    }
}
