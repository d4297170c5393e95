//! Blobs as files of one directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::kernel::digest::{DIGEST_LEN, Digest};
use crate::seal::merkle::{MerkleTree, leaf_hash};

/// The file that makes a directory recognisable.
const ID_FILE: &str = "blobs.id";
/// Ending of the file with the leaf hashes.
const LEAVES: &str = "leaves";
/// One slot: a presence byte and a leaf hash.
const SLOT: u64 = 1 + DIGEST_LEN as u64;
/// The file of leaf hashes begins with the blob's size and its chunk size, each as eight bytes, big-endian.
const HEADER: u64 = 16;

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
            Err(error) if error.kind() == io::ErrorKind::NotFound && expected.is_none() => {
                let id = uuid::Uuid::new_v4().to_string();
                let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                file.write_all_at(id.as_bytes(), 0)?;
                file.sync_all()?;
                id
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BlobError::Foreign(dir.to_owned())),
            Err(error) => return Err(error.into()),
        };
        if expected.is_some_and(|expected| expected != id) {
            return Err(BlobError::Foreign(dir.to_owned()));
        }
        Ok((Self { dir: dir.to_owned() }, id))
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

    fn leaves(&self, id: &str) -> Result<File, BlobError> {
        Ok(OpenOptions::new().read(true).write(true).open(self.path(id)?.with_extension(LEAVES))?)
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
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        file.set_len(size)?;
        let leaves = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.with_extension(LEAVES))?;
        let mut header = [0; HEADER as usize];
        header[..8].copy_from_slice(&size.to_be_bytes());
        header[8..].copy_from_slice(&chunk.to_be_bytes());
        leaves.set_len(HEADER + chunks(size, chunk) * SLOT)?;
        leaves.write_all_at(&header, 0)?;
        Ok(())
    }

    /// Size and chunk size of a blob.
    ///
    /// # Errors
    /// [`BlobError::NotFound`].
    pub fn shape(&self, id: &str) -> Result<(u64, u64), BlobError> {
        let mut header = [0; HEADER as usize];
        self.leaves(id)?.read_exact_at(&mut header, 0)?;
        let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
        Ok((number(&header[..8]), number(&header[8..])))
    }

    /// Writes chunk `n`, counted from 0; repeatable, in any order, not yet durable.
    ///
    /// # Errors
    /// [`BlobError::WrongLength`], [`BlobError::NotFound`] beyond the end, [`BlobError::DiskFull`].
    pub fn write_chunk(&self, id: &str, n: u64, bytes: &[u8]) -> Result<(), BlobError> {
        let (size, chunk) = self.shape(id)?;
        let expected = chunk_len(size, chunk, n).ok_or(BlobError::NotFound)?;
        if bytes.len() as u64 != expected {
            return Err(BlobError::WrongLength { expected });
        }
        let file = OpenOptions::new().write(true).open(self.path(id)?)?;
        file.write_all_at(bytes, n * chunk)?;
        let mut slot = [1; SLOT as usize];
        slot[1..].copy_from_slice(leaf_hash(bytes).as_bytes());
        self.leaves(id)?.write_all_at(&slot, HEADER + n * SLOT)?;
        Ok(())
    }

    /// The chunks that have not been written, as ranges of chunk numbers.
    ///
    /// # Errors
    /// [`BlobError::NotFound`].
    pub fn missing(&self, id: &str) -> Result<Vec<Range<u64>>, BlobError> {
        let mut missing: Vec<Range<u64>> = Vec::new();
        for (n, leaf) in self.slots(id)?.into_iter().enumerate() {
            let n = n as u64;
            match (leaf, missing.last_mut()) {
                (Some(_), _) => {}
                (None, Some(last)) if last.end == n => last.end = n + 1,
                (None, _) => missing.push(n..n + 1),
            }
        }
        Ok(missing)
    }

    fn slots(&self, id: &str) -> Result<Vec<Option<Digest>>, BlobError> {
        let (size, chunk) = self.shape(id)?;
        let mut bytes = Vec::new();
        self.leaves(id)?.read_to_end(&mut bytes)?;
        let slots = bytes.get(HEADER as usize..).unwrap_or_default().chunks_exact(SLOT as usize);
        let leaf = |slot: &[u8]| {
            (slot[0] == 1).then(|| Digest::from_bytes(slot[1..].try_into().expect("a slot ends with a digest")))
        };
        Ok(slots.map(leaf).take(usize::try_from(chunks(size, chunk)).unwrap_or(usize::MAX)).collect())
    }

    /// Makes a blob durable and tells what it is. Repeatable.
    ///
    /// # Errors
    /// [`BlobError::Incomplete`] with what is missing.
    pub fn complete(&self, id: &str) -> Result<Complete, BlobError> {
        let missing = self.missing(id)?;
        if !missing.is_empty() {
            return Err(BlobError::Incomplete(missing));
        }
        let mut tree = MerkleTree::new();
        self.slots(id)?.into_iter().flatten().for_each(|leaf| tree.push_leaf(leaf));
        let path = self.path(id)?;
        File::open(&path)?.sync_all()?;
        self.leaves(id)?.sync_all()?;
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
        File::open(&self.dir)?.sync_all()?;
        Ok(Complete { size: self.shape(id)?.0, root: tree.root() })
    }

    /// Reads chunk `n`.
    ///
    /// # Errors
    /// [`BlobError::NotFound`] when there is none or it was never written.
    pub fn read_chunk(&self, id: &str, n: u64) -> Result<Vec<u8>, BlobError> {
        let (size, chunk) = self.shape(id)?;
        let length = chunk_len(size, chunk, n).ok_or(BlobError::NotFound)?;
        // The file has its full length from the beginning: unwritten chunks would read as zeros.
        let mut written = [0];
        self.leaves(id)?.read_exact_at(&mut written, HEADER + n * SLOT)?;
        if written != [1] {
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
        for (n, leaf) in self.slots(id)?.into_iter().enumerate() {
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

/// How many chunks a blob has: an empty one has a single empty chunk.
fn chunks(size: u64, chunk: u64) -> u64 {
    size.div_ceil(chunk.max(1)).max(1)
}

/// The length of chunk `n`, where there is one.
fn chunk_len(size: u64, chunk: u64, n: u64) -> Option<u64> {
    (n < chunks(size, chunk)).then(|| chunk.min(size - n * chunk))
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges are what is compared")]
mod tests {
    use super::*;
    use crate::seal::merkle::root_of;

    fn blobs() -> (tempfile::TempDir, DiskBlobs) {
        let dir = tempfile::tempdir().expect("a directory");
        let (blobs, _) = DiskBlobs::open(dir.path(), None).expect("opened");
        (dir, blobs)
    }

    #[test]
    fn chunks_come_in_any_order_and_more_than_once() {
        let (_dir, blobs) = blobs();
        blobs.create("upl-1", 10, 4).expect("made");
        assert!(matches!(blobs.complete("upl-1"), Err(BlobError::Incomplete(missing)) if missing == [0..3]));
        blobs.write_chunk("upl-1", 2, b"ij").expect("last");
        blobs.write_chunk("upl-1", 0, b"abcd").expect("first");
        assert_eq!(blobs.missing("upl-1").expect("known"), [1..2]);
        blobs.write_chunk("upl-1", 1, b"xxxx").expect("middle");
        blobs.write_chunk("upl-1", 1, b"efgh").expect("again");
        let root = root_of(&[leaf_hash(b"abcd"), leaf_hash(b"efgh"), leaf_hash(b"ij")]);
        assert_eq!(blobs.complete("upl-1").expect("whole"), Complete { size: 10, root });
        assert_eq!(blobs.read_chunk("upl-1", 1).expect("there"), b"efgh");
    }

    #[test]
    fn a_chunk_of_the_wrong_length_or_beyond_the_end_is_refused() {
        let (_dir, blobs) = blobs();
        blobs.create("upl-1", 10, 4).expect("made");
        assert!(matches!(blobs.write_chunk("upl-1", 2, b"ijk"), Err(BlobError::WrongLength { expected: 2 })));
        assert!(matches!(blobs.write_chunk("upl-1", 3, b""), Err(BlobError::NotFound)));
        assert!(matches!(blobs.write_chunk("upl-2", 0, b""), Err(BlobError::NotFound)));
        assert!(matches!(blobs.write_chunk("../etc/passwd", 0, b""), Err(BlobError::BadId)));
    }

    #[test]
    fn a_chunk_that_was_never_written_is_not_there_and_not_zeros() {
        let (_dir, blobs) = blobs();
        blobs.create("upl-1", 10, 4).expect("made");
        blobs.write_chunk("upl-1", 2, b"ij").expect("written");
        assert!(matches!(blobs.read_chunk("upl-1", 1), Err(BlobError::NotFound)));
        assert_eq!(blobs.read_chunk("upl-1", 2).expect("there"), b"ij");
        assert_eq!(blobs.verify("upl-1").expect("read"), [0, 1]);
    }

    #[test]
    fn what_was_written_before_a_restart_is_known_after_it() {
        let (dir, blobs) = blobs();
        blobs.create("upl-1", 8, 4).expect("made");
        blobs.write_chunk("upl-1", 1, b"efgh").expect("written");
        let id = fs::read_to_string(dir.path().join(ID_FILE)).expect("an id");
        let (again, _) = DiskBlobs::open(dir.path(), Some(&id)).expect("opened again");
        again.create("upl-1", 8, 4).expect("made again");
        assert_eq!(again.missing("upl-1").expect("known"), [0..1]);
    }

    #[test]
    fn bytes_that_rot_are_found() {
        let (_dir, blobs) = blobs();
        blobs.create("upl-1", 8, 4).expect("made");
        blobs.write_chunk("upl-1", 0, b"abcd").expect("written");
        blobs.write_chunk("upl-1", 1, b"efgh").expect("written");
        assert!(blobs.verify("upl-1").expect("read").is_empty());
        OpenOptions::new()
            .write(true)
            .open(blobs.path("upl-1").expect("a path"))
            .expect("opened")
            .write_all_at(b"E", 4)
            .expect("damaged");
        assert_eq!(blobs.verify("upl-1").expect("read"), [1]);
    }

    #[test]
    fn another_directory_is_noticed() {
        let (dir, _) = blobs();
        assert!(matches!(DiskBlobs::open(dir.path(), Some("other")), Err(BlobError::Foreign(_))));
        let empty = tempfile::tempdir().expect("a directory");
        assert!(matches!(DiskBlobs::open(empty.path(), Some("other")), Err(BlobError::Foreign(_))));
    }

    #[test]
    fn deleting_is_repeatable_and_an_empty_blob_has_one_empty_chunk() {
        let (_dir, blobs) = blobs();
        blobs.create("upl-1", 0, 4).expect("made");
        blobs.write_chunk("upl-1", 0, b"").expect("written");
        assert_eq!(blobs.complete("upl-1").expect("whole").size, 0);
        blobs.delete("upl-1").expect("gone");
        blobs.delete("upl-1").expect("gone again");
        assert!(matches!(blobs.shape("upl-1"), Err(BlobError::NotFound)));
    }
}
