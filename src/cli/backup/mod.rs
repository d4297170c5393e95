//! `sealbid backup` and `sealbid restore`: a copy of an SQLite installation, taken while its server runs, with every seal
//! intact.
//!
//! Promises: a backup is there whole or not at all, under its final name; what it holds is one state of the database and
//! every file that this state uses, each verified against the root that its owner declared, or listed as damaged where it is
//! stored, with what is left of it; nothing in it can open a bid, because the key directory is never part of it. A restore writes over nothing, and ends only after every digest
//! and the whole record were checked. Not here: PostgreSQL, whose own tools do it better, see `docs/operations.md`.
//!
//! The order matters: first the database, then the files that it names. A file that something on record uses is never
//! changed or removed, so every file of the snapshot is still there when its turn comes. The other way round, a bid that
//! was attached in between would be in the database without its bytes.

mod manifest;
mod restore;
mod take;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;

pub use restore::restore;
pub(super) use take::prove;
pub use take::take;

use super::{ConfigArgs, Failed};
use crate::config::Config;
use crate::kernel::digest::Hasher;

/// Arguments of `backup`.
#[derive(Args)]
pub struct BackupArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The directory to make. It must not exist; until the backup is whole it is called `….unfinished`.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) to: PathBuf,
}

/// Arguments of `restore`.
#[derive(Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The backup.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) from: PathBuf,
    /// Only the database was lost: keep the files in storage.blobs, and check them instead of copying the backup's.
    #[arg(long)]
    pub(super) keep_blobs: bool,
}

/// The database inside a backup.
const DATABASE: &str = "sealbid.sqlite";
/// The files inside a backup.
const BLOBS: &str = "blobs";

/// The path with more at its end.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn sqlite(config: &Config) -> Result<PathBuf, Failed> {
    config.database_url().file().map(Path::to_owned).ok_or_else(|| {
        Failed::Usage(
            "this is for SQLite. On PostgreSQL use pg_basebackup or pg_dump for the database first, then copy storage.blobs; \
             docs/operations.md says how and why in this order"
                .into(),
        )
    })
}

/// The SHA-256 of a file and its size.
fn digest(path: &Path) -> io::Result<(String, u64)> {
    let (mut file, mut hasher, mut size) = (File::open(path)?, Hasher::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hasher.finish().to_string(), size)),
            read => {
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}

/// Forces a directory's names to the disk.
fn settle(dir: &Path) -> Result<(), Failed> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| Failed::file(dir, error))
}

/// The directory that holds `path`.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what an earlier attempt left behind under a name that is only ever ours.
fn clear(path: &Path) -> Result<(), Failed> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failed::file(path, error)),
        _ => Ok(()),
    }
}
