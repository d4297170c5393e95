//! Restoring a backup into a place where nothing is.

use std::fs;
use std::path::{Path, PathBuf};

use diesel::prelude::*;

use super::manifest::Manifest;
use super::take::prove;
use super::{BLOBS, DATABASE, RestoreArgs, clear, digest, parent, settle, sqlite, with_ending};
use crate::app::{self, StartError};
use crate::blobs::DiskBlobs;
use crate::cli::Failed;
use crate::cli::database::{self, Alone};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::db::schema::lots;
use crate::db::{Conn, DbUrl, Mode, connection, dialect, migrate};
use crate::features::inspection::replay::replay;
use crate::features::uploads::queries;
use crate::kernel::time::Timestamp;
use crate::keys::Keys;
use crate::limits;

/// `sealbid restore`.
///
/// # Errors
/// When something is in the way, damaged, or does not fit: then nothing was put in place.
pub fn restore(args: &RestoreArgs) -> Result<(), Failed> {
    let config = args.config.load()?;
    let target = sqlite(&config)?;
    let blobs = &config.storage.blobs;
    let manifest = Manifest::read(&args.from)?;
    check_keys(&config, &manifest)?;
    database::make_directory(&config)?;
    // A server that starts meanwhile would make a new database in this place.
    let _alone = Alone::take(&config)?;
    in_the_way(&target, blobs, args.keep_blobs)?;
    check_database(&args.from, &manifest)?;
    let staged = Staged { database: with_ending(&target, ".restoring"), blobs: with_ending(blobs, ".restoring") };
    staged.clear()?;
    let done =
        staged.fill(args, &config, &manifest).and_then(|told| staged.put_in_place(&target, blobs, args).map(|()| told));
    match done {
        Ok(told) => {
            print!("{told}");
            Ok(())
        }
        Err(failed) => {
            // What it says is what counts; what is left is cleared by the next attempt.
            let _ = staged.clear();
            Err(failed)
        }
    }
}

/// Nothing is written over, not even a database that seems useless.
fn in_the_way(target: &Path, blobs: &Path, keep_blobs: bool) -> Result<(), Failed> {
    for ending in ["", "-wal"] {
        let path = with_ending(target, ending);
        if path.exists() {
            return Err(Failed::Usage(format!(
                "{} is in the way: move it aside; nothing is written over",
                path.display()
            )));
        }
    }
    let has_files = fs::read_dir(blobs).is_ok_and(|mut entries| entries.next().is_some());
    if has_files && !keep_blobs {
        return Err(Failed::Usage(format!(
            "{} is not empty: move it aside, or say --keep-blobs if only the database was lost",
            blobs.display()
        )));
    }
    Ok(())
}

/// Before anything is copied: a restored database without its keys opens nothing.
fn check_keys(config: &Config, manifest: &Manifest) -> Result<(), Failed> {
    let dir = &config.keys.dir;
    let Some(fingerprint) = &manifest.keys else { return Ok(()) };
    if !Keys::exist(dir) {
        return Err(StartError::Keys(format!(
            "the key directory {} is missing: put its copy there first; a backup holds no keys, and without them no sealed bid in it can be opened",
            dir.display()
        ))
        .into());
    }
    let keys = Keys::load(dir).map_err(|error| StartError::Keys(error.to_string()))?;
    if keys.fingerprint() == *fingerprint {
        return Ok(());
    }
    Err(StartError::Keys(format!(
        "the keys in {} are not those of this backup: with them no sealed bid in it can be opened. Point keys.dir at the right directory",
        dir.display()
    ))
    .into())
}

fn check_database(from: &Path, manifest: &Manifest) -> Result<(), Failed> {
    let path = from.join(DATABASE);
    let (sha256, size) = digest(&path).map_err(|error| Failed::file(&path, error))?;
    if (sha256, size) == (manifest.database.sha256.clone(), manifest.database.size) {
        Ok(())
    } else {
        Err(Failed::file(&path, "the backup is damaged: the database is not the one that its manifest names"))
    }
}

/// What is made beside its place and checked before it goes there.
struct Staged {
    database: PathBuf,
    blobs: PathBuf,
}

impl Staged {
    fn clear(&self) -> Result<(), Failed> {
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(with_ending(&self.database, ending));
        }
        clear(&self.blobs)
    }

    /// Copies and checks everything; tells what was restored and what is lost.
    fn fill(&self, args: &RestoreArgs, config: &Config, manifest: &Manifest) -> Result<String, Failed> {
        let from = args.from.join(DATABASE);
        fs::copy(&from, &self.database).map_err(|error| Failed::file(&self.database, error))?;
        let database = |error: String| Failed::Start(StartError::Database(error));
        let mut conn = connection::connect(&DbUrl::Sqlite(self.database.clone()), Mode::Write)
            .map_err(|error| database(error.to_string()))?;
        let missing = migrate::pending(&mut conn).map_err(|error| database(error.to_string()))?;
        dialect::begin_read(&mut conn).map_err(Failed::tried)?;
        let id = app::known_blobs(&mut conn).map_err(Failed::tried)?;
        if let Some(id) = &id {
            let dir = if args.keep_blobs { config.storage.blobs.clone() } else { self.blobs.clone() };
            if !args.keep_blobs {
                copy_blobs(&args.from.join(BLOBS), &dir, id, manifest)?;
            }
            let (blobs, _) = DiskBlobs::open(&dir, Some(id)).map_err(|error| Failed::file(&dir, error))?;
            all_attached(&mut conn, &blobs, manifest)?;
        }
        // An older schema is replayed by the version that wrote it; the server migrates it at its start.
        let record = if missing.is_empty() {
            let report = replay(&mut conn).map_err(Failed::tried)?;
            if !report.is_clean() {
                return Err(Failed::tried(format!("{report}the record in this backup does not hold together")));
            }
            report.to_string()
        } else {
            format!(
                "{} migration(s) will be applied at the next start; run `sealbid verify replay` after it\n",
                missing.len()
            )
        };
        let told = told(&mut conn, manifest, &record, SystemClock.now())?;
        dialect::rollback(&mut conn).map_err(Failed::tried)?;
        Ok(told)
    }

    /// The database last: before it is there, no server takes the files for its own.
    fn put_in_place(&self, target: &Path, blobs: &Path, args: &RestoreArgs) -> Result<(), Failed> {
        if !args.keep_blobs && self.blobs.exists() {
            // An empty directory may be there.
            let _ = fs::remove_dir(blobs);
            fs::rename(&self.blobs, blobs).map_err(|error| Failed::file(blobs, error))?;
            settle(parent(blobs))?;
        }
        fs::rename(&self.database, target).map_err(|error| Failed::file(target, error))?;
        settle(parent(target))
    }
}

fn copy_blobs(from: &Path, to: &Path, id: &str, manifest: &Manifest) -> Result<(), Failed> {
    let (source, _) = DiskBlobs::open(from, Some(id)).map_err(|error| Failed::file(from, error))?;
    source.copy_identity(to).map_err(|error| Failed::file(to, error))?;
    let (into, _) = DiskBlobs::open(to, Some(id)).map_err(|error| Failed::file(to, error))?;
    for blob in &manifest.blobs {
        let damaged = |what: String| Failed::tried(format!("the backup is damaged: upload {}: {what}", blob.id));
        source.copy_to(&into, &blob.id).map_err(|error| damaged(error.to_string()))?;
        prove(&into, &blob.id, blob.size, &blob.root).map_err(damaged)?;
    }
    for damaged in &manifest.damaged {
        // What is left of it, if anything: the less its owner has to send again.
        let _ = source.copy_to(&into, &damaged.id);
    }
    Ok(())
}

/// Whatever the manifest says: every file that something on record uses must be there and be the right one, but for those
/// that were damaged when the backup was taken.
fn all_attached(conn: &mut Conn, blobs: &DiskBlobs, manifest: &Manifest) -> Result<(), Failed> {
    let was_damaged = |id: &str| manifest.damaged.iter().any(|damaged| damaged.id == id);
    let mut last = String::new();
    loop {
        let page = queries::whole(conn, &last, limits::BACKUP_PAGE).map_err(|error| Failed::tried(&error))?;
        let Some(end) = page.last() else { return Ok(()) };
        last.clone_from(&end.id);
        for row in page.iter().filter(|row| row.attached_to.is_some() && !was_damaged(&row.id)) {
            prove(blobs, &row.id, row.size(), &row.root)
                .map_err(|what| Failed::tried(format!("upload {}, which something on record uses: {what}", row.id)))?;
        }
    }
}

/// What was restored, what is lost, and which lots need a person: those whose deadline came between the backup and now.
fn told(conn: &mut Conn, manifest: &Manifest, record: &str, now: Timestamp) -> Result<String, Failed> {
    let passed: Vec<(String, String)> = lots::table
        .filter(lots::deadline_at.gt(manifest.taken_at.millis()).and(lots::deadline_at.le(now.millis())))
        .order(lots::id.asc())
        .select((lots::id, lots::title))
        .load(conn)
        .map_err(Failed::tried)?;
    let minutes = (now.millis() - manifest.taken_at.millis()).max(0) / 60_000;
    let mut told = format!(
        "{record}Restored: the state of {} ({}), {minutes} minute(s) old.\n\
         Lost: everything accepted after it. A bidder whose receipt is later must submit again; every act after it must be repeated.\n\
         已恢复至 {} 的状态(约 {minutes} 分钟前)。其后受理的一切均已丢失:回执晚于此刻的投标人须重新递交,其后的操作须重做。\n",
        manifest.taken_at,
        manifest.taken_at.local(),
        manifest.taken_at.local(),
    );
    for damaged in &manifest.damaged {
        told.push_str(&format!(
            "Damaged before the backup was taken; the server will ask its owner to send it again / 备份之前已损坏,平台将请其所有人补传: \
             upload {}: {}\n",
            damaged.id, damaged.what
        ));
    }
    for (id, title) in passed {
        told.push_str(&format!(
            "Its deadline came after the backup; hold it BEFORE you start the server's opening, and extend or go on with a reason / \
             其截止时间在备份之后,请先中止开标再决定延期或继续: {id} {title}\n"
        ));
    }
    Ok(told)
}
