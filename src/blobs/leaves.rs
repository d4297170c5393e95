//! What is noted of a blob beside its bytes: its shape, a leaf hash for every chunk that was written, and whether it
//! stands, which means that its bytes do not change any more.
//!
//! Promise: whoever writes holds the file's lock, here or on another server of the same directory; a chunk's note is taken
//! back before its bytes change and made after, so that a note never speaks of other bytes, even after a crash of the
//! process. After a crash of the machine a note may be there and its bytes not: see [`super::trust`].

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::disk::{BlobError, chunk_len, chunks};
use crate::kernel::digest::{DIGEST_LEN, Digest};

/// One slot: a presence byte and a leaf hash.
const SLOT: u64 = 1 + DIGEST_LEN as u64;
/// The file begins with the blob's size and its chunk size, each as eight bytes, big-endian.
const HEADER: u64 = 16;
/// The highest bit of the chunk size says that the blob stands.
const STANDS: u64 = 1 << 63;

/// The open file, with what its header says.
#[derive(Debug)]
pub(super) struct Leaves {
    file: File,
    pub(super) size: u64,
    pub(super) chunk: u64,
    pub(super) stands: bool,
}

impl Leaves {
    /// Makes the file of an empty blob. One that is there already stays, unless the blob's bytes are `new`.
    pub(super) fn create(path: &Path, size: u64, chunk: u64, new: bool) -> Result<(), BlobError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        if file.metadata()?.len() >= HEADER && !new {
            return Ok(());
        }
        let leaves = Self { file, size, chunk, stands: false };
        leaves.clear()?;
        Ok(leaves.write_header()?)
    }

    /// Writes the whole file of a blob that stands, safely on disk.
    pub(super) fn write_standing(path: &Path, size: u64, chunk: u64, all: &[Digest]) -> Result<(), BlobError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        let mut leaves = Self { file, size, chunk, stands: true };
        leaves.clear()?;
        for (n, leaf) in (0..).zip(all) {
            leaves.note(n, Some(leaf))?;
        }
        Ok(leaves.stand()?)
    }

    /// Opens it to read, without a lock.
    pub(super) fn open(path: &Path) -> Result<Self, BlobError> {
        Self::read(OpenOptions::new().read(true).open(path)?)
    }

    /// Opens it to write, alone until it is dropped.
    pub(super) fn lock(path: &Path) -> Result<Self, BlobError> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        file.lock()?;
        Self::read(file)
    }

    fn read(file: File) -> Result<Self, BlobError> {
        let mut header = [0; HEADER as usize];
        file.read_exact_at(&mut header, 0).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BlobError::NotFound,
            _ => error.into(),
        })?;
        let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
        let (size, chunk) = (number(&header[..8]), number(&header[8..]));
        Ok(Self { file, size, chunk: chunk & !STANDS, stands: chunk & STANDS != 0 })
    }

    fn write_header(&self) -> io::Result<()> {
        let mut header = [0; HEADER as usize];
        header[..8].copy_from_slice(&self.size.to_be_bytes());
        header[8..].copy_from_slice(&(self.chunk | if self.stands { STANDS } else { 0 }).to_be_bytes());
        self.file.write_all_at(&header, 0)
    }

    /// The length of chunk `n`.
    pub(super) fn chunk_len(&self, n: u64) -> Result<u64, BlobError> {
        chunk_len(self.size, self.chunk, n).ok_or(BlobError::NotFound)
    }

    /// The notes of all chunks.
    pub(super) fn all(&self) -> Result<Vec<Option<Digest>>, BlobError> {
        let mut bytes = vec![0; usize::try_from(self.file.metadata()?.len()).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut bytes, 0)?;
        let slots = bytes.get(HEADER as usize..).unwrap_or_default().chunks_exact(SLOT as usize);
        let leaf = |slot: &[u8]| {
            (slot[0] == 1).then(|| Digest::from_bytes(slot[1..].try_into().expect("a slot ends with a digest")))
        };
        let mut found: Vec<Option<Digest>> = slots.map(leaf).collect();
        found.resize(usize::try_from(chunks(self.size, self.chunk)).unwrap_or(usize::MAX), None);
        Ok(found)
    }

    /// Whether chunk `n` was written.
    pub(super) fn is_written(&self, n: u64) -> io::Result<bool> {
        let mut written = [0];
        self.file.read_exact_at(&mut written, HEADER + n * SLOT)?;
        Ok(written == [1])
    }

    /// Takes the note of chunk `n` back, or makes it.
    pub(super) fn note(&self, n: u64, leaf: Option<&Digest>) -> io::Result<()> {
        let mut slot = [0; SLOT as usize];
        if let Some(leaf) = leaf {
            slot[0] = 1;
            slot[1..].copy_from_slice(leaf.as_bytes());
        }
        self.file.write_all_at(&slot, HEADER + n * SLOT)
    }

    /// Marks the blob as one that stands, safely on disk.
    pub(super) fn stand(&mut self) -> io::Result<()> {
        self.stands = true;
        self.write_header()?;
        self.file.sync_all()
    }

    /// Takes all notes back: the chunks are asked for again.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.file.set_len(HEADER)?;
        self.file.set_len(HEADER + chunks(self.size, self.chunk) * SLOT)
    }
}
