//! Taking a backup.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use diesel::connection::SimpleConnection;

use super::manifest::{Blob, Contents, Damaged, FORMAT, Manifest};
use super::{BLOBS, BackupArgs, DATABASE, clear, digest, parent, settle, sqlite, with_ending};
use crate::app::{self, StartError};
use crate::blobs::mending::is_loss;
use crate::blobs::{BlobError, Condition, Declared, DiskBlobs};
use crate::cli::Failed;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::db::{Conn, DbUrl, Mode, connection, migrate};
use crate::features::uploads::model::UploadRow;
use crate::features::uploads::queries;
use crate::kernel::digest::Digest;
use crate::limits;

/// `sealbid backup`.
///
/// # Errors
/// [`Failed::Partly`] where stored files are damaged: the backup is there, without them. When anything else is missing or
/// cannot be written there is no backup under this name.
pub fn take(args: &BackupArgs) -> Result<(), Failed> {
    let config = args.config.load()?;
    let source = sqlite(&config)?;
    if args.to.exists() {
        return Err(Failed::Usage(format!("{} is there already; a backup is never written over", args.to.display())));
    }
    let unfinished = with_ending(&args.to, ".unfinished");
    clear(&unfinished)?;
    make(&unfinished)?;
    let manifest = fill(&config, &source, &unfinished)?;
    manifest.write(&unfinished)?;
    settle(&unfinished)?;
    fs::rename(&unfinished, &args.to).map_err(|error| Failed::file(&args.to, error))?;
    settle(parent(&args.to))?;
    println!("{}", args.to.display());
    if !manifest.damaged.is_empty() {
        return Err(Failed::Partly(without(&manifest.damaged)));
    }
    mark(&config, &args.to, &manifest)?;
    eprintln!(
        "The backup is whole: the database as of {} or later, and {} file(s).\n\
         It holds no keys. Without the key directory {} no sealed bid in it can be opened: keep a copy of that directory apart \
         from this backup, in other hands.\n\
         备份完整:数据库不早于 {},文件 {} 个。备份不含密钥;密钥目录须另行、由他人保管。",
        manifest.taken_at,
        manifest.blobs.len(),
        config.keys.dir.display(),
        manifest.taken_at.local(),
        manifest.blobs.len(),
    );
    Ok(())
}

/// What is said of a backup that is there, but without some files.
fn without(damaged: &[Damaged]) -> String {
    let mut said = format!(
        "the backup holds the database and every file that is whole; {} file(s) are damaged where they are stored, and of them \
         only what is left:\n",
        damaged.len()
    );
    for one in damaged {
        said.push_str(&format!("upload {}: {}\n", one.id, one.what));
    }
    said.push_str(
        "Their owners are asked to send them again; fetch what an older backup has whole, and check the disk.\n\
         备份含数据库和全部完好的文件;以上文件在存储中已损坏,仅备份其残存内容。平台会请其所有人补传;也可从较早的备份取回,并检查磁盘。",
    );
    said
}

fn make(dir: &Path) -> Result<(), Failed> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| Failed::file(dir, error))
}

/// Copies the database and the files that it names.
fn fill(config: &Config, source: &Path, dir: &Path) -> Result<Manifest, Failed> {
    if !source.exists() {
        return Err(Failed::file(source, "there is no such database"));
    }
    let database = |error: String| Failed::Start(StartError::Database(error));
    let mut live =
        connection::connect(&config.database_url(), Mode::Write).map_err(|error| database(error.to_string()))?;
    let missing = migrate::pending(&mut live).map_err(|error| database(error.to_string()))?;
    if !missing.is_empty() {
        return Err(StartError::NotMigrated(missing.len()).into());
    }
    let taken_at = SystemClock.now();
    let file = dir.join(DATABASE);
    snapshot(&mut live, &file)?;
    drop(live);
    let (sha256, size) = digest(&file).map_err(|error| Failed::file(&file, error))?;
    // Asked of a copy: opening a database writes to it.
    let looked_at = dir.join("look.sqlite");
    fs::copy(&file, &looked_at).map_err(|error| Failed::file(&looked_at, error))?;
    let mut copy = connection::connect(&DbUrl::Sqlite(looked_at.clone()), Mode::Write)
        .map_err(|error| database(error.to_string()))?;
    let keys = app::known_keys(&mut copy).map_err(Failed::tried)?;
    let blobs_id = app::known_blobs(&mut copy).map_err(Failed::tried)?;
    let Copied { whole: blobs, damaged } = copy_blobs(config, blobs_id.as_deref(), &mut copy, &dir.join(BLOBS))?;
    drop(copy);
    for ending in ["", "-wal", "-shm"] {
        let path = with_ending(&looked_at, ending);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failed::file(&path, error)),
            _ => {}
        }
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Manifest {
        format: FORMAT.into(),
        version,
        taken_at,
        database: Contents { size, sha256 },
        keys,
        blobs_id,
        blobs,
        damaged,
    })
}

/// One state of the database, taken in one read transaction while the server goes on writing.
fn snapshot(live: &mut Conn, file: &Path) -> Result<(), Failed> {
    let name = file.to_str().ok_or_else(|| Failed::file(file, "the name must be text"))?.replace('\'', "''");
    live.batch_execute(&format!("VACUUM INTO '{name}'")).map_err(|error| Failed::file(file, error))?;
    fs::set_permissions(file, Permissions::from_mode(0o600))
        .and_then(|()| File::open(file)?.sync_all())
        .map_err(|error| Failed::file(file, error))
}

/// What was copied: files that are whole, and those that are damaged where they are stored.
#[derive(Default)]
struct Copied {
    whole: Vec<Blob>,
    damaged: Vec<Damaged>,
}

fn copy_blobs(config: &Config, id: Option<&str>, copy: &mut Conn, to: &Path) -> Result<Copied, Failed> {
    let mut copied = Copied::default();
    let Some(id) = id else { return Ok(copied) };
    let open = |dir: &Path| DiskBlobs::open(dir, Some(id)).map_err(|error| Failed::file(dir, error));
    let (from, _) = open(&config.storage.blobs)?;
    make(to)?;
    from.copy_identity(to).map_err(|error| Failed::file(to, error))?;
    let (into, _) = open(to)?;
    let mut last = String::new();
    loop {
        let page = queries::whole(copy, &last, limits::BACKUP_PAGE).map_err(|error| Failed::tried(&error))?;
        let Some(end) = page.last() else { return Ok(copied) };
        last.clone_from(&end.id);
        for row in &page {
            copy_blob(&from, &into, row, &mut copied)?;
        }
    }
}

/// Copies one file and proves that the copy is what its owner declared. Nothing of an upload that nothing uses and that was
/// swept meanwhile.
fn copy_blob(from: &DiskBlobs, into: &DiskBlobs, row: &UploadRow, copied: &mut Copied) -> Result<(), Failed> {
    let wrong = |what: String| Failed::tried(format!("upload {}: {what}", row.id));
    let what = match from.copy_to(into, &row.id) {
        Err(BlobError::NotFound) if row.attached_to.is_none() && !from.is_stored(&row.id) => return Ok(()),
        Err(BlobError::NotFound) => "its file is missing, and something on record uses it".to_owned(),
        Err(BlobError::Io(error)) if is_loss(&error) => error.to_string(),
        Err(error) => return Err(wrong(error.to_string())),
        Ok(()) => match prove(into, &row.id, row.size(), &row.root) {
            Ok(blob) => {
                copied.whole.push(blob);
                return Ok(());
            }
            Err(what) => what,
        },
    };
    let root = row.root.parse().map_err(|_| wrong("its root cannot be read".into()))?;
    let declared = Declared { size: row.size(), chunk: row.chunk_size(), root };
    match from.condition(&row.id, &declared).map_err(|error| wrong(error.to_string()))? {
        // Then it is the backup's own disk.
        Condition::Whole => Err(wrong(format!("it is whole, and its copy is not: {what}"))),
        Condition::LeavesLost(all) => {
            into.mend_leaves(&row.id, &declared, &all).map_err(|error| wrong(error.to_string()))?;
            copied.whole.push(prove(into, &row.id, row.size(), &row.root).map_err(wrong)?);
            Ok(())
        }
        Condition::ChunksLost(_) | Condition::Unknown => {
            copied.damaged.push(Damaged { id: row.id.clone(), what });
            Ok(())
        }
    }
}

/// Re-reads a file and compares it with what is known of it.
pub fn prove(blobs: &DiskBlobs, id: &str, size: u64, root: &str) -> Result<Blob, String> {
    let declared: Digest = root.parse().map_err(|_| "its root cannot be read".to_owned())?;
    let found = blobs.complete(id, &declared).map_err(|error| error.to_string())?;
    if found.size != size || found.root != declared {
        return Err("its file is not the one that was uploaded: size or digests differ".into());
    }
    let damaged = blobs.verify(id).map_err(|error| error.to_string())?;
    if let Some(first) = damaged.first() {
        return Err(format!("its file is damaged: {} chunk(s) differ, the first is {first}", damaged.len()));
    }
    Ok(Blob { id: id.to_owned(), size, root: root.to_owned() })
}

/// Leaves word of the backup where the metrics look for it.
fn mark(config: &Config, to: &Path, manifest: &Manifest) -> Result<(), Failed> {
    let path = &config.backup.marker;
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| writeln!(file, "{} {}", manifest.taken_at, to.display()))
        .map_err(|error| Failed::tried(format!("the backup is whole, but its marker {}: {error}", path.display())))
}
