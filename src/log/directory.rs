//! The public directory: tiles and checkpoint as files that any web server may serve.
//!
//! Promises: a file is there whole or not at all; what was written is read again before it counts; a tile that exists is
//! never written over with other bytes; the checkpoint never goes back.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::kernel::digest::Digest;
use crate::ledger::{Error, Failure};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::edge::{Edge, Written};
use crate::tlog::note::Note;
use crate::tlog::tiles::{self, Content, Tile};

/// The name of the checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// Ending of files that are being written.
const UNFINISHED: &str = ".part";
/// The file under which writers take turns; not for the public.
const LOCK: &str = ".lock";

/// What is wrong with the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The file system said so.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A tile is there with other bytes than it must have.
    #[error("{0} is there with other bytes than the record gives: somebody or something changed it")]
    Altered(String),
    /// A tile that must be there is not.
    #[error("{0} is missing")]
    Missing(String),
    /// A tile's bytes lead to another hash than the tree has.
    #[error("{0} does not lead to the root of the tree")]
    Root(String),
}

/// As the platform's own failure.
impl From<DirectoryError> for Error {
    fn from(error: DirectoryError) -> Self {
        Self::Failed(Failure::Storage(error.to_string()))
    }
}

/// The directory. Every method blocks.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> DirectoryError + '_ {
    |error| DirectoryError::Io { path: path.to_owned(), error }
}

impl Directory {
    /// Opens it, and makes it where it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: PathBuf) -> Result<Self, DirectoryError> {
        fs::create_dir_all(&root).map_err(failed(&root))?;
        Ok(Self { root })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Reads a file of it; none where there is none.
    ///
    /// # Errors
    /// The file system's.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DirectoryError> {
        let path = self.root.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(failed(&path)(error)),
        }
    }

    /// Reads a tile. A partial one that is gone is cut from the full one.
    ///
    /// # Errors
    /// [`DirectoryError::Missing`]; the file system's.
    pub fn tile(&self, tile: &Tile) -> Result<Vec<u8>, DirectoryError> {
        if let Some(bytes) = self.read(&tile.to_string())? {
            return Ok(bytes);
        }
        let full = Tile { width: 256, ..*tile };
        let mut bytes = self.read(&full.to_string())?.ok_or_else(|| DirectoryError::Missing(tile.to_string()))?;
        bytes.truncate(tile.byte_len());
        Ok(bytes)
    }

    /// The hash over the leaves `index * 2^level ..` of the tree of `size` leaves.
    ///
    /// # Errors
    /// As [`Directory::tile`].
    pub fn node(&self, size: u64, level: u32, index: u64) -> Result<Digest, DirectoryError> {
        let named = |level, n| Tile { content: Content::Hashes(level), n, width: tiles::width_in(size, level, n) };
        tiles::read_node(
            level,
            index,
            |level, n| {
                let tile = named(level, n);
                tiles::hashes(&self.tile(&tile)?).ok_or_else(|| DirectoryError::Root(tile.to_string()))
            },
            |level, n| DirectoryError::Missing(named(level, n).to_string()),
        )
    }

    /// The right edge of the tree of `size` leaves whose root is `root`.
    ///
    /// # Errors
    /// When a tile is missing, or they do not lead to the root.
    pub fn edge(&self, size: u64, root: &Digest) -> Result<Edge, DirectoryError> {
        let edge = Edge::read(size, |tile| self.tile(tile), |tile| DirectoryError::Root(tile.to_string()))?;
        if edge.frontier().root() == *root {
            Ok(edge)
        } else {
            Err(DirectoryError::Root(format!("the right edge at {size} leaves")))
        }
    }

    /// Writes tiles, and reads them again: on return they are on the disk with the bytes they must have.
    ///
    /// # Errors
    /// As [`Directory::place_tiles`].
    pub fn write_tiles(&self, written: &[Written]) -> Result<(), DirectoryError> {
        self.place_tiles(written)?.settle()
    }

    /// Writes tiles, and reads them again: on return their bytes are on the disk, and they are in their places for whoever reads them.
    /// That they stay there when the power fails is certain once they are settled.
    ///
    /// # Errors
    /// [`DirectoryError::Altered`] when one is there with other bytes, or does not read as it was written; the file system's.
    pub fn place_tiles(&self, written: &[Written]) -> Result<Placed, DirectoryError> {
        let missing: Vec<&Written> = written
            .iter()
            .filter_map(|written| match self.read(&written.tile.to_string()) {
                Ok(Some(bytes)) if bytes == written.bytes => None,
                Ok(Some(_)) => Some(Err(DirectoryError::Altered(written.tile.to_string()))),
                Ok(None) => Some(Ok(written)),
                Err(error) => Some(Err(error)),
            })
            .collect::<Result<_, _>>()?;
        // Also of those that are there: whoever wrote them may have died before they were durable in their places.
        let mut changed = BTreeSet::new();
        for written in written {
            changed.extend(self.make_room(&self.root.join(written.tile.to_string()))?);
        }
        at_once(&missing, |written| {
            let path = self.root.join(written.tile.to_string());
            put(&path, &written.bytes).map_err(failed(&path))
        })?;
        let mut needless = Vec::new();
        for written in missing {
            if self.read(&written.tile.to_string())?.as_deref() != Some(&written.bytes[..]) {
                return Err(DirectoryError::Altered(written.tile.to_string()));
            }
            if written.tile.is_full() {
                needless.push(self.root.join(format!("{}.p", written.tile)));
            }
        }
        Ok(Placed { changed: Vec::from_iter(changed), needless })
    }

    /// Makes the directory that a file will lie in; returns those that a new entry is written into, the file's among them.
    fn make_room(&self, path: &Path) -> Result<Vec<PathBuf>, DirectoryError> {
        let parent = path.parent().unwrap_or(&self.root);
        let mut changed = vec![parent.to_owned()];
        for directory in parent.ancestors().take_while(|directory| !directory.is_dir()) {
            changed.extend(directory.parent().map(Path::to_owned));
        }
        fs::create_dir_all(parent).map_err(failed(parent))?;
        Ok(changed)
    }

    /// Writes a file, whole or not at all, and durably.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DirectoryError> {
        self.place(name, bytes)?.settle()
    }

    fn place(&self, name: &str, bytes: &[u8]) -> Result<Placed, DirectoryError> {
        let path = self.root.join(name);
        let changed = self.make_room(&path)?;
        put(&path, bytes).map_err(failed(&path))?;
        Ok(Placed { changed, needless: Vec::new() })
    }

    /// Moves the checkpoint forward, unless it is there or further already: on return everybody who reads it sees it.
    ///
    /// # Errors
    /// The file system's.
    pub fn publish(&self, size: u64, note: &str) -> Result<Placed, DirectoryError> {
        let path = self.root.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed(&path))?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(&path)(error.into()))?;
        match self.checkpoint()? {
            Some((published, _)) if published > size => Ok(Placed::default()),
            Some((_, there)) if there == note => Ok(Placed::default()),
            _ => self.place(CHECKPOINT, note.as_bytes()),
        }
    }

    /// The published checkpoint: its size, and its note. Whoever believes it must check its signatures.
    ///
    /// # Errors
    /// The file system's.
    pub fn checkpoint(&self) -> Result<Option<(u64, String)>, DirectoryError> {
        let Some(bytes) = self.read(CHECKPOINT)? else { return Ok(None) };
        let damaged = || DirectoryError::Altered(CHECKPOINT.into());
        let note = String::from_utf8(bytes).map_err(|_| damaged())?;
        let text = Note::parse(&note).map_err(|_| damaged())?.text();
        let size = Checkpoint::parse(text).map_err(|_| damaged())?.size;
        Ok(Some((size, note)))
    }
}

/// Files in their places, which might still be lost from there if the power failed. Something else that waits for the disk can be done
/// meanwhile ([`Placed::settle_beside`]).
#[derive(Debug, Default)]
#[must_use = "a place is certain only when it is settled"]
pub struct Placed {
    /// Directories with new entries.
    changed: Vec<PathBuf>,
    /// Partial tiles that are not needed once the full one is certain. One that stays does no harm.
    needless: Vec<PathBuf>,
}

impl Placed {
    /// Waits until the places are durable, each directory once.
    ///
    /// # Errors
    /// The file system's.
    pub fn settle(self) -> Result<(), DirectoryError> {
        at_once(&self.changed, |directory| sync(directory).map_err(failed(directory)))?;
        for partial in self.needless {
            let _ = fs::remove_dir_all(partial);
        }
        Ok(())
    }

    /// Does `act` while the places become durable, and waits for both.
    ///
    /// # Errors
    /// What went wrong with `act`, or else the file system's.
    pub fn settle_beside<T, E: From<DirectoryError>>(self, act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        std::thread::scope(|scope| {
            let settling = scope.spawn(|| self.settle());
            let done = act();
            let settled = settling.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let done = done?;
            settled?;
            Ok(done)
        })
    }
}

/// Threads that write tiles of one batch.
const WRITERS: usize = 8;

/// Does something with each, the disk being asked for all of them at once: waiting for one waits for the others too.
fn at_once<T: Sync>(
    all: &[T],
    act: impl Fn(&T) -> Result<(), DirectoryError> + Copy + Send,
) -> Result<(), DirectoryError> {
    std::thread::scope(|scope| {
        let shares = all.chunks(all.len().div_ceil(WRITERS).max(1));
        let acting: Vec<_> = shares.map(|share| scope.spawn(move || share.iter().try_for_each(act))).collect();
        acting.into_iter().try_for_each(|acting| acting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Replaces a file by one with these bytes: written beside it, made durable, and moved into its place.
///
/// # Errors
/// The file system's.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes)?;
    path.parent().map_or(Ok(()), sync)
}

/// As [`replace`], but that it is in its place is durable only when its directory is.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}{UNFINISHED}", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&unfinished, path)
}

/// Makes durable which files lie in a directory.
fn sync(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() { Ok(()) } else { File::open(directory)?.sync_all() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;
    use crate::tlog::entry::leaf_hash;

    fn grown(edge: &mut Edge, n: u64) -> Vec<Written> {
        let from = edge.size();
        edge.grow((from..from + n).map(|i| {
            let commitment = sha256(&i.to_be_bytes());
            (commitment, leaf_hash(&commitment))
        }))
    }

    #[test]
    fn tiles_are_written_once_and_never_over() {
        let scratch = tempfile::tempdir().expect("a directory");
        let directory = Directory::open(scratch.path().join("log")).expect("made");
        let mut edge = Edge::empty();
        for n in [200, 100, 300] {
            let written = grown(&mut edge, n);
            directory.write_tiles(&written).expect("written");
            directory.write_tiles(&written).expect("the same again is nothing");
            let root = edge.frontier().root();
            assert_eq!(directory.edge(edge.size(), &root).expect("read"), edge);
            assert!(directory.edge(edge.size(), &sha256(b"other")).is_err());
        }
        assert!(!scratch.path().join("log/tile/0/000.p").exists(), "partial tiles go when the full one is there");
        let mut other = grown(&mut Edge::empty(), 256);
        other[0].bytes[40] ^= 1;
        assert!(matches!(directory.write_tiles(&other), Err(DirectoryError::Altered(_))));
        assert!(matches!(
            directory.tile(&Tile { content: Content::Entries, n: 9, width: 1 }),
            Err(DirectoryError::Missing(_))
        ));
    }
}
