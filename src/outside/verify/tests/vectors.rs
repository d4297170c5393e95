//! The published vectors: they are what the specimen is, and the checks of this program hold on them.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Set, the test writes the vectors instead of comparing them.
const WRITE: &str = "SEALBID_WRITE_VECTORS";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/log")
}

fn published(dir: &Path, files: &mut Files) {
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        if entry.path().is_dir() {
            published(&entry.path(), files);
            continue;
        }
        let name = entry.path().strip_prefix(root()).expect("below").display().to_string();
        files.insert(name, fs::read(entry.path()).expect("readable"));
    }
}

#[test]
fn the_published_vectors_are_what_this_program_makes() {
    let mut made = small();
    made.insert("evidence.tar".to_owned(), evidence::bundle(&made));
    if std::env::var_os(WRITE).is_some() {
        let _ = fs::remove_dir_all(root());
        for (name, bytes) in &made {
            let path = root().join(name);
            fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            fs::write(path, bytes).expect("written");
        }
    }
    let mut files = Files::new();
    published(&root(), &mut files);
    let differ: Vec<&String> =
        made.keys().chain(files.keys()).filter(|name| made.get(*name) != files.get(*name)).collect();
    assert!(differ.is_empty(), "set {WRITE}=1 and run this test to write them again: {differ:?}");
}

#[test]
fn the_published_vectors_verify_from_their_directory() {
    let source = crate::verify::source::Directory(root());
    let note = fs::read_to_string(root().join("checkpoint")).expect("a checkpoint");
    let old = fs::read_to_string(root().join("older.checkpoint")).expect("a checkpoint");
    tiles::check(trust(), &source, ("checkpoint", &note), Some(("older.checkpoint", &old))).expect("proven");
    assert!(tiles::leftovers(&root()).expect("each the beginning of the tile that it became") > 5);
    let dir = tempfile::tempdir().expect("a directory");
    let partial = dir.path().join("tile/0/000.p");
    fs::create_dir_all(&partial).expect("made");
    fs::write(partial.join("1"), [1; 32]).expect("written");
    fs::write(partial.join("2"), [2; 64]).expect("written");
    assert_eq!(tiles::leftovers(dir.path()).map_err(|failure| failure.code()), Err(1));
}
