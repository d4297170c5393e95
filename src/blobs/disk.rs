//! Blobs as files of one directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::leaves::Leaves;
use super::trust::Trust;
use crate::kernel::digest::Digest;
use crate::seal::merkle::{leaf_hash, root_of};

/// The file that makes a directory recognisable.
const ID_FILE: &str = "blobs.id";
/// Ending of the file with the leaf hashes.
const LEAVES: &str = "leaves";

/// Why a blob could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob, or no such chunk in it.
    #[error("there is no such blob or chunk")]
    NotFound,
    /// Chunks are missing: these, as ranges of chunk numbers.
    #[error("chunks are missing")]
    Incomplete(Vec<Range<u64>>),
    /// A chunk has another length than its place demands.
    #[error("a chunk of {expected} bytes is expected here")]
    WrongLength {
        /// The right length.
        expected: u64,
    },
    /// The blob stands: its bytes do not change any more.
    #[error("the blob stands: its bytes do not change any more")]
    Stands,
    /// What was sent is not what the declared root covers.
    #[error("not what the declared root covers")]
    Differs,
    /// The leaf hashes are lost: without them a chunk cannot be told from another.
    #[error("the leaf hashes are lost")]
    LeavesLost,
    /// The file system is full.
    #[error("the file system is full")]
    DiskFull,
    /// The directory is another one than this database knows.
    #[error(
        "the blob directory {0} belongs to another platform, or was replaced: point storage.blobs at the right one"
    )]
    Foreign(PathBuf),
    /// The id is not one that blobs lie under.
    #[error("not a blob id")]
    BadId,
    /// Anything else that the file system said.
    #[error("file system: {0}")]
    Io(io::Error),
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io(error),
        }
    }
}

/// A blob that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complete {
    /// Its size.
    pub size: u64,
    /// The Merkle root over its chunks (RFC 9162 section 2.1).
    pub root: Digest,
}

/// The blobs of one directory. Every method blocks.
#[derive(Clone, Debug)]
pub struct DiskBlobs {
    dir: PathBuf,
    trust: Arc<Trust>,
}

impl DiskBlobs {
    /// Whether `dir` is a directory of blobs.
    pub fn exist(dir: &Path) -> bool {
        dir.join(ID_FILE).is_file()
    }

    /// Opens or makes the directory and returns its identity, which must be `expected` where that is known: so servers
    /// that share a database provably share the directory.
    ///
    /// # Errors
    /// [`BlobError::Foreign`] for another directory.
    pub fn open(dir: &Path, expected: Option<&str>) -> Result<(Self, String), BlobError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let path = dir.join(ID_FILE);
        let id = match fs::read_to_string(&path) {
            Ok(id) => id.trim().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && expected.is_none() => Self::name(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BlobError::Foreign(dir.to_owned())),
            Err(error) => return Err(error.into()),
        };
        if expected.is_some_and(|expected| expected != id) {
            return Err(BlobError::Foreign(dir.to_owned()));
        }
        Ok((Self { dir: dir.to_owned(), trust: Arc::default() }, id))
    }

    /// Gives the directory its identity, once: of several servers that start together all read the same one, and one
    /// that dies here leaves no half of it.
    fn name(path: &Path) -> Result<String, BlobError> {
        let id = uuid::Uuid::new_v4().to_string();
        let draft = path.with_extension(&id);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all_at(id.as_bytes(), 0)?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
            _ => Ok(fs::read_to_string(path)?.trim().to_owned()),
        }
    }

    /// Whether the directory is there: without it, that a blob is not found says nothing about the blob.
    pub fn is_there(&self) -> bool {
        Self::exist(&self.dir)
    }

    fn path(&self, id: &str) -> Result<PathBuf, BlobError> {
        let plain = (4..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !plain {
            return Err(BlobError::BadId);
        }
        // The last letters are random; the first are the same for all.
        Ok(self.dir.join(&id[id.len() - 2..]).join(id))
    }

    fn leaves(&self, id: &str) -> Result<PathBuf, BlobError> {
        Ok(self.path(id)?.with_extension(LEAVES))
    }

    /// Makes an empty blob of `size` bytes in chunks of `chunk` bytes. Making it again changes nothing.
    ///
    /// # Errors
    /// The file system's.
    pub fn create(&self, id: &str, size: u64, chunk: u64) -> Result<(), BlobError> {
        let path = self.path(id)?;
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let (file, new) = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (OpenOptions::new().write(true).open(&path)?, false)
            }
            made => (made?, true),
        };
        file.set_len(size)?;
        if new {
            self.trust.forget(id);
        }
        // Notes that are older than the bytes speak of others.
        Leaves::create(&path.with_extension(LEAVES), size, chunk, new)
    }

    /// Size and chunk size of a blob.
    ///
    /// # Errors
    /// [`BlobError::NotFound`].
    pub fn shape(&self, id: &str) -> Result<(u64, u64), BlobError> {
        let leaves = Leaves::open(&self.leaves(id)?)?;
        Ok((leaves.size, leaves.chunk))
    }

    /// Writes chunk `n`, counted from 0; repeatable, in any order, not yet durable.
    ///
    /// # Errors
    /// [`BlobError::WrongLength`], [`BlobError::NotFound`] beyond the end, [`BlobError::Stands`], [`BlobError::DiskFull`].
    pub fn write_chunk(&self, id: &str, n: u64, bytes: &[u8]) -> Result<(), BlobError> {
        // The slow part comes before the lock.
        let leaf = leaf_hash(bytes);
        let leaves = Leaves::lock(&self.leaves(id)?)?;
        if leaves.stands {
            return Err(BlobError::Stands);
        }
        let expected = leaves.chunk_len(n)?;
        if bytes.len() as u64 != expected {
            return Err(BlobError::WrongLength { expected });
        }
        let file = OpenOptions::new().write(true).open(self.path(id)?)?;
        leaves.note(n, None)?;
        file.write_all_at(bytes, n * leaves.chunk)?;
        leaves.note(n, Some(&leaf))?;
        self.trust.wrote(id, n, leaf);
        Ok(())
    }

    /// The chunks that have not been written, as ranges of chunk numbers.
    ///
    /// # Errors
    /// [`BlobError::NotFound`].
    pub fn missing(&self, id: &str) -> Result<Vec<Range<u64>>, BlobError> {
        Ok(missing_of(&Leaves::open(&self.leaves(id)?)?.all()?))
    }

    /// Forces a blob to the disk, makes sure that its bytes are those noted, and, where they are the `declared` ones, lets
    /// it stand: from then on nothing changes it, here or on another server. Tells what it is. Repeatable.
    ///
    /// What this process wrote itself and is noted unchanged is not read again; see [`super::trust`].
    ///
    /// # Errors
    /// [`BlobError::Incomplete`] with what is missing, or has to be sent again.
    pub fn complete(&self, id: &str, declared: &Digest) -> Result<Complete, BlobError> {
        let path = self.path(id)?;
        let mut leaves = Leaves::lock(&self.leaves(id)?)?;
        let mut noted = leaves.all()?;
        if noted.iter().all(Option::is_some) {
            // One that stands already may be a fresh copy: it is forced to the disk as well.
            let forced = File::open(&path)?.sync_all();
            if forced.is_err() && !leaves.stands {
                // What the system could not write it may have dropped: nothing that was noted holds any more.
                leaves.clear()?;
                self.trust.forget(id);
            }
            forced?;
            if !leaves.stands {
                self.read_again(id, &leaves, &mut noted)?;
            }
        }
        let missing = missing_of(&noted);
        if !missing.is_empty() {
            return Err(BlobError::Incomplete(missing));
        }
        let root = root_of(&noted.into_iter().flatten().collect::<Vec<_>>());
        if root == *declared {
            leaves.stand()?;
            if let Some(parent) = path.parent() {
                File::open(parent)?.sync_all()?;
            }
            File::open(&self.dir)?.sync_all()?;
            self.trust.forget(id);
        }
        Ok(Complete { size: leaves.size, root })
    }

    /// Reads what this process did not write itself, and takes back the notes that do not fit.
    fn read_again(&self, id: &str, leaves: &Leaves, noted: &mut [Option<Digest>]) -> Result<(), BlobError> {
        let written = self.trust.of(id);
        for (n, note) in noted.iter_mut().enumerate() {
            let n = n as u64;
            if note.is_some() && *note != written.get(&n).copied() && *note != Some(leaf_hash(&self.read_chunk(id, n)?))
            {
                leaves.note(n, None)?;
                *note = None;
            }
        }
        Ok(())
    }

    /// Reads chunk `n`.
    ///
    /// # Errors
    /// [`BlobError::NotFound`] when there is none or it was never written.
    pub fn read_chunk(&self, id: &str, n: u64) -> Result<Vec<u8>, BlobError> {
        let leaves = Leaves::open(&self.leaves(id)?)?;
        let (length, chunk) = (leaves.chunk_len(n)?, leaves.chunk);
        // The file has its full length from the beginning: unwritten chunks would read as zeros.
        if !leaves.is_written(n)? {
            return Err(BlobError::NotFound);
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| BlobError::NotFound)?];
        let file = File::open(self.path(id)?)?;
        file.read_exact_at(&mut bytes, n * chunk).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BlobError::NotFound,
            _ => error.into(),
        })?;
        Ok(bytes)
    }

    /// The bytes from the beginning.
    ///
    /// # Errors
    /// [`BlobError::NotFound`].
    pub fn reader(&self, id: &str) -> Result<File, BlobError> {
        Ok(File::open(self.path(id)?)?)
    }

    /// Whether there is anything of a blob.
    pub fn is_stored(&self, id: &str) -> bool {
        let there = |path: Result<PathBuf, BlobError>| path.is_ok_and(|path| path.exists());
        there(self.path(id)) || there(self.leaves(id))
    }

    /// Makes `dir` the directory of the same platform: for a copy of this one.
    ///
    /// # Errors
    /// The file system's.
    pub fn copy_identity(&self, dir: &Path) -> Result<(), BlobError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let id = fs::read(self.dir.join(ID_FILE))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(dir.join(ID_FILE))?;
        file.write_all_at(&id, 0)?;
        Ok(file.sync_all()?)
    }

    /// Copies a blob into another directory, not yet durable there: [`DiskBlobs::complete`] makes it so.
    ///
    /// # Errors
    /// [`BlobError::NotFound`].
    pub fn copy_to(&self, other: &Self, id: &str) -> Result<(), BlobError> {
        let (from, to) = (self.path(id)?, other.path(id)?);
        if let Some(parent) = to.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        fs::copy(&from, &to)?;
        fs::copy(from.with_extension(LEAVES), to.with_extension(LEAVES))?;
        Ok(())
    }

    /// Deletes a blob; deleting it again is fine.
    ///
    /// # Errors
    /// The file system's.
    pub fn delete(&self, id: &str) -> Result<(), BlobError> {
        let path = self.path(id)?;
        self.trust.forget(id);
        for path in [path.with_extension(LEAVES), path] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Re-reads every byte and compares it with its leaf hash; returns the chunks that do not fit.
    ///
    /// # Errors
    /// The file system's.
    pub fn verify(&self, id: &str) -> Result<Vec<u64>, BlobError> {
        let mut damaged = Vec::new();
        for (n, leaf) in Leaves::open(&self.leaves(id)?)?.all()?.into_iter().enumerate() {
            let fits = match leaf {
                Some(leaf) => leaf == leaf_hash(&self.read_chunk(id, n as u64)?),
                None => false,
            };
            if !fits {
                damaged.push(n as u64);
            }
        }
        Ok(damaged)
    }

    /// Calls `each` with the id and the age of every blob, until it returns false.
    ///
    /// # Errors
    /// The file system's.
    pub fn for_each(&self, mut each: impl FnMut(&str, std::time::Duration) -> bool) -> Result<(), BlobError> {
        for fan in fs::read_dir(&self.dir)?.filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
            for entry in fs::read_dir(fan.path())?.filter_map(Result::ok) {
                let name = entry.file_name();
                let Some(id) = name.to_str().filter(|name| !name.ends_with(LEAVES)) else { continue };
                let modified = entry.metadata().and_then(|metadata| metadata.modified());
                let age = modified.ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
                if !each(id, age) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The chunks without a note, as ranges of chunk numbers.
fn missing_of(noted: &[Option<Digest>]) -> Vec<Range<u64>> {
    let mut missing: Vec<Range<u64>> = Vec::new();
    for (n, _) in noted.iter().enumerate().filter(|(_, note)| note.is_none()) {
        let n = n as u64;
        match missing.last_mut() {
            Some(last) if last.end == n => last.end = n + 1,
            _ => missing.push(n..n + 1),
        }
    }
    missing
}

/// How many chunks a blob has: an empty one has a single empty chunk.
pub(super) fn chunks(size: u64, chunk: u64) -> u64 {
    size.div_ceil(chunk.max(1)).max(1)
}

/// The length of chunk `n`, where there is one.
pub(super) fn chunk_len(size: u64, chunk: u64, n: u64) -> Option<u64> {
    (n < chunks(size, chunk)).then(|| chunk.min(size - n * chunk))
}

pub mod mending;

#[cfg(test)]
mod tests;
