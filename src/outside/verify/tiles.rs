//! All tiles of a log: entries, leaves, every level, root.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::heads;
use super::report::{Failure, Proven, Result};
use super::source::Source;
use super::tree::Tree;
use super::trust::{Head, Trust};
use crate::kernel::digest::Digest;
use crate::kernel::text::Bilingual;
use crate::tlog::tiles::WIDTH;

/// Checks every tile under a checkpoint, and that an older checkpoint is its beginning.
///
/// # Errors
/// Refuted or undecided with the tile or the entry; forked where the older checkpoint is not the beginning.
pub fn check(trust: &Trust, source: &dyn Source, head: (&str, &str), old: Option<(&str, &str)>) -> Result<Proven> {
    let head = trust.head(head.0, head.1)?;
    let old = old.map(|(place, note)| trust.head(place, note)).transpose()?;
    let mut tree = Tree::open(source, head.checkpoint())?;
    if let Some(old) = &old {
        not_larger(old, &head)?;
    }
    walk(&mut tree, 0, |_, _| {})?;
    let mut said = Proven::new(Bilingual::new(
        "每个条目、每层哈希都与检查点的树根相符。",
        "every entry and every hash of every level is under the root of the checkpoint",
    ));
    if let Some(old) = old {
        heads::continues(&old, &head, &mut tree)?;
        said =
            said.with("old_size", "较早的条目数(未改变)", "leaves of the older tree, unchanged", old.checkpoint().size);
    }
    Ok(head.tell(said))
}

/// A tree never becomes smaller.
fn not_larger(old: &Head, head: &Head) -> Result<()> {
    if old.checkpoint().size <= head.checkpoint().size {
        return Ok(());
    }
    Err(shrunk(old, head))
}

/// What is said of a log that shows a smaller tree than it signed before.
pub fn shrunk(old: &Head, head: &Head) -> Failure {
    let (old, new) = (old.checkpoint(), head.checkpoint());
    Failure::refuted(
        format!("checkpoint of {}", new.origin),
        format!("日志变小了:曾签署 {} 条,现在只有 {} 条。", old.size, new.size),
        format!(
            "the log has shrunk: it signed a tree of {} leaves before, and shows one of {} now",
            old.size, new.size
        ),
    )
}

/// Reads all bundles from the one with the leaf `from`, each compared with the leaves; gives every commitment.
///
/// # Errors
/// See [`Tree::bundle`].
pub fn walk(tree: &mut Tree<'_>, from: u64, mut each: impl FnMut(u64, &Digest)) -> Result<()> {
    for n in from / WIDTH..tree.size().div_ceil(WIDTH) {
        let commitments = tree.bundle(n)?;
        for (index, commitment) in (n * WIDTH..).zip(&commitments) {
            each(index, commitment);
        }
    }
    Ok(())
}

/// Looks at the partial files of a copy, also those that the log has outgrown: each must be the beginning of the tile that it
/// became. Returns how many there are.
///
/// # Errors
/// Refuted with the file that is not, undecided where one cannot be read.
pub fn leftovers(root: &Path) -> Result<u64> {
    let mut count = 0;
    let unreadable = |path: &Path, error: &io::Error| {
        Failure::undecided(
            path.display().to_string(),
            format!("无法读取:{error}"),
            format!("it cannot be read: {error}"),
        )
    };
    let mut dirs = vec![root.join("tile")];
    while let Some(dir) = dirs.pop() {
        let listed = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(|error| unreadable(&dir, &error))?,
        };
        for entry in listed {
            let entry = entry.map_err(|error| unreadable(&dir, &error))?;
            if !entry.file_type().map_err(|error| unreadable(&dir, &error))?.is_dir() {
                continue;
            }
            let path = entry.path();
            if path.extension().is_none_or(|ending| ending != "p") {
                dirs.push(path);
                continue;
            }
            count += partials(&path).map_err(|error| unreadable(&path, &error))??;
        }
    }
    Ok(count)
}

/// Compares the partial files of one tile with the widest there is.
fn partials(dir: &Path) -> io::Result<Result<u64>> {
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if let Some(width) = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()) {
            found.push((width, path));
        }
    }
    found.sort();
    let full = dir.with_extension("");
    let widest = if full.is_file() { Some(full) } else { found.last().map(|(_, path)| path.clone()) };
    let Some(widest) = widest else { return Ok(Ok(0)) };
    let whole = fs::read(&widest)?;
    for (_, path) in &found {
        if !whole.starts_with(&fs::read(path)?) {
            return Ok(Err(Failure::refuted(
                path.display().to_string(),
                format!("它不是 {} 的开头。", widest.display()),
                format!("it is not the beginning of {}", widest.display()),
            )));
        }
    }
    Ok(Ok(found.len() as u64))
}
