//! Damage on a real directory, found and put back.

use std::fs;

use super::*;
use crate::kernel::digest::sha256;

const CHUNKS: [&[u8]; 3] = [b"abcd", b"efgh", b"ij"];

/// A blob of three chunks that stands.
fn standing() -> (tempfile::TempDir, DiskBlobs, Declared) {
    let dir = tempfile::tempdir().expect("a directory");
    let (blobs, _) = DiskBlobs::open(dir.path(), None).expect("opened");
    let leaves = CHUNKS.map(leaf_hash);
    let declared = Declared { size: 10, chunk: 4, root: root_of(&leaves) };
    blobs.create("upl-1", 10, 4).expect("made");
    for (n, chunk) in (0..).zip(CHUNKS) {
        blobs.write_chunk("upl-1", n, chunk).expect("written");
    }
    blobs.complete("upl-1", &declared.root).expect("whole");
    (dir, blobs, declared)
}

fn condition(blobs: &DiskBlobs, declared: &Declared) -> Condition {
    blobs.condition("upl-1", declared).expect("readable")
}

fn scribble(path: &Path, bytes: &[u8], at: u64) {
    OpenOptions::new().write(true).open(path).expect("opened").write_all_at(bytes, at).expect("damaged");
}

fn paths(blobs: &DiskBlobs) -> (std::path::PathBuf, std::path::PathBuf) {
    (blobs.path("upl-1").expect("a path"), blobs.leaves("upl-1").expect("a path"))
}

#[test]
fn flipped_cut_off_grown_and_lost_bytes_are_found_by_their_chunks() {
    let (_dir, blobs, declared) = standing();
    let (bytes, _) = paths(&blobs);
    assert_eq!(condition(&blobs, &declared), Condition::Whole);
    scribble(&bytes, b"E", 4);
    assert_eq!(condition(&blobs, &declared), Condition::ChunksLost(vec![1]));
    fs::write(&bytes, b"abcde").expect("cut off");
    assert_eq!(condition(&blobs, &declared), Condition::ChunksLost(vec![1, 2]));
    fs::write(&bytes, b"abcdefghij, and more").expect("grown");
    assert_eq!(condition(&blobs, &declared), Condition::ChunksLost(vec![2]));
    fs::remove_file(&bytes).expect("lost");
    assert_eq!(condition(&blobs, &declared), Condition::ChunksLost(vec![0, 1, 2]));
}

#[test]
fn only_the_bytes_under_the_root_are_put_back_and_again_is_fine() {
    let (_dir, blobs, declared) = standing();
    let (bytes, _) = paths(&blobs);
    fs::remove_file(&bytes).expect("lost");
    for wrong in [&b"EFGH"[..], b"abcd", b"efg", b""] {
        assert!(matches!(blobs.mend_chunk("upl-1", &declared, 1, wrong), Err(BlobError::Differs)));
    }
    assert!(!bytes.exists(), "nothing was written");
    assert!(matches!(blobs.mend_chunk("upl-1", &declared, 3, b""), Err(BlobError::NotFound)));
    for n in [2, 0, 2, 1] {
        blobs.mend_chunk("upl-1", &declared, n, CHUNKS[usize::try_from(n).expect("small")]).expect("put back");
    }
    assert_eq!(condition(&blobs, &declared), Condition::Whole);
    fs::write(&bytes, b"abcdefghij, and more").expect("grown");
    blobs.mend_chunk("upl-1", &declared, 2, CHUNKS[2]).expect("cut off");
    assert_eq!(fs::read(&bytes).expect("readable"), b"abcdefghij");
    assert!(matches!(blobs.write_chunk("upl-1", 1, b"XXXX"), Err(BlobError::Stands)), "it stands as before");
}

#[test]
fn lost_leaf_hashes_are_made_again_from_bytes_that_are_whole() {
    for ruin in [
        |path: &Path| fs::remove_file(path).expect("lost"),
        |path: &Path| fs::write(path, b"short").expect("cut off"),
        |path: &Path| scribble(path, b"x", 16 + 1),
        |path: &Path| scribble(path, &[0], 16),
        |path: &Path| scribble(path, &[0xff; 16], 0),
    ] {
        let (_dir, blobs, declared) = standing();
        ruin(&paths(&blobs).1);
        let Condition::LeavesLost(all) = condition(&blobs, &declared) else { panic!("not noticed") };
        blobs.mend_leaves("upl-1", &declared, &all).expect("written");
        assert_eq!(condition(&blobs, &declared), Condition::Whole);
        assert!(matches!(blobs.write_chunk("upl-1", 1, b"XXXX"), Err(BlobError::Stands)));
    }
}

#[test]
fn where_both_are_lost_the_leaf_hashes_come_first_and_only_the_right_ones() {
    let (_dir, blobs, declared) = standing();
    let (bytes, leaves) = paths(&blobs);
    scribble(&bytes, b"E", 4);
    fs::remove_file(&leaves).expect("lost");
    assert_eq!(condition(&blobs, &declared), Condition::Unknown);
    assert!(matches!(blobs.mend_chunk("upl-1", &declared, 1, CHUNKS[1]), Err(BlobError::LeavesLost)));
    let right = CHUNKS.map(leaf_hash);
    for wrong in [vec![], right[..2].to_vec(), vec![right[0], right[2], right[1]], vec![sha256(b"x"); 3]] {
        assert!(matches!(blobs.mend_leaves("upl-1", &declared, &wrong), Err(BlobError::Differs)));
    }
    assert!(!leaves.exists(), "nothing was written");
    blobs.mend_leaves("upl-1", &declared, &right).expect("written");
    assert_eq!(condition(&blobs, &declared), Condition::ChunksLost(vec![1]));
    blobs.mend_chunk("upl-1", &declared, 1, CHUNKS[1]).expect("put back");
    assert_eq!(condition(&blobs, &declared), Condition::Whole);
}

#[test]
fn a_directory_that_is_away_is_no_damage() {
    let (dir, blobs, declared) = standing();
    fs::remove_dir_all(dir.path()).expect("away");
    assert!(blobs.signed_leaves("upl-1", &declared).is_err());
    assert!(blobs.hash_chunks("upl-1", &declared, 0..3).is_err());
    assert!(blobs.mend_leaves("upl-1", &declared, &CHUNKS.map(leaf_hash)).is_err() && !dir.path().exists());
}
