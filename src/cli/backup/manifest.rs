//! What a backup says of itself. It is written last, so that a backup without one is none.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cli::Failed;
use crate::kernel::time::Timestamp;

const FILE: &str = "manifest.json";
/// The form described here.
pub const FORMAT: &str = "sealbid-backup/1";

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Version of the program that made it.
    pub version: String,
    /// The state that it holds is not older.
    pub taken_at: Timestamp,
    /// The database file.
    pub database: Contents,
    /// Fingerprint of the key directory that this database was used with; tells nothing of the keys.
    pub keys: Option<String>,
    /// Identity of the blob directory.
    pub blobs_id: Option<String>,
    /// Every file that the database names and that was whole.
    pub blobs: Vec<Blob>,
    /// Files that the database names and that were damaged where they are stored: what was left of them is in the backup.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<Damaged>,
}

/// A file that was damaged where it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Damaged {
    /// The upload.
    pub id: String,
    /// In what way.
    pub what: String,
}

/// A file with its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Bytes.
    pub size: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// An upload's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// The upload.
    pub id: String,
    /// Bytes.
    pub size: u64,
    /// Merkle root over its chunks, hex.
    pub root: String,
}

impl Manifest {
    /// Writes it to a new file and forces it to the disk.
    pub fn write(&self, dir: &Path) -> Result<(), Failed> {
        let path = dir.join(FILE);
        let mut text = serde_json::to_vec_pretty(self).map_err(Failed::tried)?;
        text.push(b'\n');
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .map_err(|error| Failed::file(&path, error))
    }

    /// Reads the manifest of a backup.
    pub fn read(dir: &Path) -> Result<Self, Failed> {
        let path = dir.join(FILE);
        let text = fs::read(&path).map_err(|error| {
            Failed::tried(format!("{}: this is no whole backup: {FILE} cannot be read ({error})", dir.display()))
        })?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| Failed::file(&path, format!("the manifest is damaged: {error}")))?;
        if manifest.format == FORMAT {
            Ok(manifest)
        } else {
            Err(Failed::file(
                &path,
                format!("made in another form ({}), by another version of sealbid", manifest.format),
            ))
        }
    }
}
