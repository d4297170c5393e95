//! Blobs that stand and were damaged since: what of them is still as it was, and putting back what is not.
//!
//! Promise: whatever is put back is what the declared root covers, or it is not put back. So whoever sends it, a blob that
//! stands never becomes another one. Chunks and leaf hashes are forced to the disk one by one; a crash in between leaves
//! a blob that is still damaged, or whole.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use super::{BlobError, DiskBlobs, Leaves, chunk_len, chunks};
use crate::kernel::digest::Digest;
use crate::seal::merkle::{leaf_hash, root_of};

/// What is known of a blob from elsewhere, and cannot rot with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its size.
    pub size: u64,
    /// The size of its chunks.
    pub chunk: u64,
    /// The Merkle root over its chunks.
    pub root: Digest,
}

impl Declared {
    /// How many chunks it has.
    pub fn chunks(&self) -> u64 {
        chunks(self.size, self.chunk)
    }
}

/// How much of a blob is what was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All of it.
    Whole,
    /// Its bytes; the leaf hashes beside them are lost, and are these.
    LeavesLost(Vec<Digest>),
    /// Not these chunks.
    ChunksLost(Vec<u64>),
    /// Both its leaf hashes and some of its bytes are lost: which, can be told from the leaf hashes only.
    Unknown,
}

/// Whether a failure to read means that these bytes are lost, and not that the disk is out of reach.
pub fn is_loss(error: &io::Error) -> bool {
    /// What the kernel says of a sector that cannot be read, on every Unix.
    const EIO: i32 = 5;
    error.kind() == io::ErrorKind::UnexpectedEof || error.raw_os_error() == Some(EIO)
}

/// What `found` on the disk, chunk by chunk, and the leaf hashes beside it are, compared with what was declared.
pub fn compare(declared: &Declared, leaves: Option<&[Digest]>, found: Vec<Option<Digest>>) -> Condition {
    let Some(leaves) = leaves else {
        let all: Option<Vec<Digest>> = found.into_iter().collect();
        return match all.filter(|all| root_of(all) == declared.root) {
            Some(all) => Condition::LeavesLost(all),
            None => Condition::Unknown,
        };
    };
    let differ = |(leaf, found): (&Digest, &Option<Digest>)| found.as_ref() != Some(leaf);
    let lost: Vec<u64> =
        (0..).zip(leaves.iter().zip(&found)).filter(|(_, pair)| differ(*pair)).map(|(n, _)| n).collect();
    if lost.is_empty() { Condition::Whole } else { Condition::ChunksLost(lost) }
}

impl DiskBlobs {
    /// The leaf hashes of a blob, where they are still those under the declared root.
    ///
    /// # Errors
    /// The file system's, where it is out of reach.
    pub fn signed_leaves(&self, id: &str, declared: &Declared) -> Result<Option<Vec<Digest>>, BlobError> {
        match Leaves::open(&self.leaves(id)?) {
            Ok(leaves) => leaves_under(&leaves, declared),
            Err(BlobError::NotFound) => self.lost().map(|()| None),
            Err(BlobError::Io(error)) if is_loss(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The leaf hashes of some chunks as their bytes lie on the disk; none of those that cannot be read any more.
    ///
    /// # Errors
    /// The file system's, where it is out of reach.
    pub fn hash_chunks(
        &self,
        id: &str,
        declared: &Declared,
        range: Range<u64>,
    ) -> Result<Vec<Option<Digest>>, BlobError> {
        let lost = |range: Range<u64>| range.map(|_| None).collect();
        let file = match File::open(self.path(id)?) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.lost().map(|()| lost(range)),
            Err(error) => return Err(error.into()),
        };
        // What follows the last chunk is none of it; putting that chunk back cuts it off.
        let grown = file.metadata()?.len() > declared.size;
        let mut buffer = Vec::new();
        range
            .map(|n| {
                if grown && n + 1 == declared.chunks() {
                    return Ok(None);
                }
                let length = chunk_len(declared.size, declared.chunk, n).ok_or(BlobError::NotFound)?;
                buffer.resize(usize::try_from(length).map_err(|_| BlobError::NotFound)?, 0);
                match file.read_exact_at(&mut buffer, n * declared.chunk) {
                    Ok(()) => Ok(Some(leaf_hash(&buffer))),
                    Err(error) if is_loss(&error) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            })
            .collect()
    }

    /// How much of a blob is what was declared, read in one go.
    ///
    /// # Errors
    /// The file system's, where it is out of reach.
    pub fn condition(&self, id: &str, declared: &Declared) -> Result<Condition, BlobError> {
        let leaves = self.signed_leaves(id, declared)?;
        Ok(compare(declared, leaves.as_deref(), self.hash_chunks(id, declared, 0..declared.chunks())?))
    }

    /// Puts a chunk of a blob that stands back, where its bytes are those under the declared root. Repeatable.
    ///
    /// # Errors
    /// [`BlobError::Differs`] for other bytes; [`BlobError::LeavesLost`] where nothing can be compared; the file system's.
    pub fn mend_chunk(&self, id: &str, declared: &Declared, n: u64, bytes: &[u8]) -> Result<(), BlobError> {
        let leaf = leaf_hash(bytes);
        let (path, leaves) = (self.path(id)?, self.leaves(id)?);
        let leaves = match Leaves::lock(&leaves) {
            Err(BlobError::NotFound) => return self.lost().and(Err(BlobError::LeavesLost)),
            leaves => leaves?,
        };
        let signed = leaves_under(&leaves, declared)?.ok_or(BlobError::LeavesLost)?;
        let right = usize::try_from(n).ok().and_then(|n| signed.get(n)).ok_or(BlobError::NotFound)?;
        if *right != leaf {
            return Err(BlobError::Differs);
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        // A file that was cut off, or has grown.
        if file.metadata()?.len() != declared.size {
            file.set_len(declared.size)?;
        }
        file.write_all_at(bytes, n * declared.chunk)?;
        file.sync_all()?;
        settle(&path)
    }

    /// Puts the leaf hashes of a blob that stands back, where they are those under the declared root. Repeatable.
    ///
    /// # Errors
    /// [`BlobError::Differs`] for other hashes; the file system's.
    pub fn mend_leaves(&self, id: &str, declared: &Declared, all: &[Digest]) -> Result<(), BlobError> {
        if all.len() as u64 != declared.chunks() || root_of(all) != declared.root {
            return Err(BlobError::Differs);
        }
        self.lost()?;
        let path = self.leaves(id)?;
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        Leaves::write_standing(&path, declared.size, declared.chunk, all)?;
        settle(&path)
    }

    /// That something is not there says something of it only while the directory itself is.
    fn lost(&self) -> Result<(), BlobError> {
        if self.is_there() { Ok(()) } else { Err(BlobError::Io(io::Error::other("the blob directory is away"))) }
    }
}

/// The notes of all chunks, where they are those under the declared root.
fn leaves_under(leaves: &Leaves, declared: &Declared) -> Result<Option<Vec<Digest>>, BlobError> {
    if (leaves.size, leaves.chunk) != (declared.size, declared.chunk) {
        return Ok(None);
    }
    let noted = match leaves.all() {
        Err(BlobError::Io(error)) if !is_loss(&error) => return Err(BlobError::Io(error)),
        noted => noted.ok(),
    };
    let all: Option<Vec<Digest>> = noted.and_then(|noted| noted.into_iter().collect());
    Ok(all.filter(|all| root_of(all) == declared.root))
}

/// Forces the name of a file to the disk.
fn settle(path: &Path) -> Result<(), BlobError> {
    match path.parent() {
        Some(parent) => Ok(File::open(parent)?.sync_all()?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
