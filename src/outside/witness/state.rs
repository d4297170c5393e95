//! What was seen last of every log: one file each, its checksum before it, put in place whole.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::kernel::digest::sha256;

/// The directory of the files, of which this process is the only writer.
#[derive(Debug)]
pub struct States {
    dir: PathBuf,
    #[expect(dead_code, reason = "the open file is the lock")]
    lock: File,
}

/// Why the state cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The disk.
    #[error("{path}: {error}")]
    Disk {
        /// Which file.
        path: String,
        /// What is wrong with it.
        error: io::Error,
    },
    /// Another witness uses the directory.
    #[error("{0}: another witness uses this directory")]
    Locked(String),
    /// The file is not what was written.
    #[error(
        "{0}: damaged. Do not remove it: a witness that forgets can be made to sign a second history. Put back a copy of the file \
         that is not older than the last answer, or retire this key and make a new one"
    )]
    Damaged(String),
    /// The file is another one than this process wrote.
    #[error("{0}: it was changed under this process; nothing is signed until it is restarted on the right state")]
    Changed(String),
}

impl States {
    /// Takes a directory, and makes it where there is none.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn open(dir: &Path) -> Result<Self, StateError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| disk(dir, error))?;
        let path = dir.join("lock");
        let lock =
            File::options().write(true).create(true).truncate(false).open(&path).map_err(|error| disk(&path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(StateError::Locked(dir.display().to_string())),
            Err(TryLockError::Error(error)) => Err(disk(&path, error)),
        }
    }

    fn path(&self, origin: &str) -> PathBuf {
        self.dir.join(format!("{}.checkpoint", sha256(origin.as_bytes())))
    }

    /// The note that was written last for a log; none where nothing ever was.
    ///
    /// # Errors
    /// [`StateError::Damaged`], [`StateError::Disk`].
    pub fn read(&self, origin: &str) -> Result<Option<String>, StateError> {
        let path = self.path(origin);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| StateError::Damaged(path.display().to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk(&path, error)),
        };
        let whole = text.split_once('\n').filter(|(sum, note)| sha256(note.as_bytes()).to_string() == *sum);
        let note = whole.map(|(_, note)| note.to_owned()).filter(|note| note.split('\n').next() == Some(origin));
        note.map(Some).ok_or_else(|| StateError::Damaged(path.display().to_string()))
    }

    /// Whether the file is still what this process read or wrote last.
    ///
    /// # Errors
    /// [`StateError::Changed`] where it is not; see also [`States::read`].
    pub fn still(&self, origin: &str, latest: Option<&str>) -> Result<(), StateError> {
        if self.read(origin)?.as_deref() == latest {
            return Ok(());
        }
        Err(StateError::Changed(self.path(origin).display().to_string()))
    }

    /// Writes down a note; when this returns, it outlives a power failure.
    ///
    /// # Errors
    /// [`StateError::Disk`].
    pub fn write(&self, origin: &str, note: &str) -> Result<(), StateError> {
        let path = self.path(origin);
        let unfinished = path.with_extension("unfinished");
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
            write!(file, "{}\n{note}", sha256(note.as_bytes()))?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(|error| disk(&path, error))
    }
}

fn disk(path: &Path, error: io::Error) -> StateError {
    StateError::Disk { path: path.display().to_string(), error }
}
