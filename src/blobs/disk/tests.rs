//! Blobs on a real directory.
#![expect(clippy::single_range_in_vec_init, reason = "lists of ranges are what is compared")]

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::kernel::digest::sha256;

fn blobs() -> (tempfile::TempDir, DiskBlobs) {
    let dir = tempfile::tempdir().expect("a directory");
    let (blobs, _) = DiskBlobs::open(dir.path(), None).expect("opened");
    (dir, blobs)
}

#[test]
fn servers_that_start_together_agree_on_a_new_directory() {
    for _ in 0..50 {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("blobs");
        let together = std::sync::Barrier::new(4);
        let open = || {
            together.wait();
            DiskBlobs::open(&path, None).expect("opened").1
        };
        let ids: Vec<String> = std::thread::scope(|scope| {
            let servers: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            servers.into_iter().map(|server| server.join().expect("no panic")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0] && id.len() == 36), "{ids:?}");
        assert_eq!(fs::read_dir(&path).expect("readable").count(), 1, "nothing but the identity is left");
    }
}

#[test]
fn chunks_come_in_any_order_and_more_than_once() {
    let (_dir, blobs) = blobs();
    blobs.create("upl-1", 10, 4).expect("made");
    assert!(matches!(blobs.complete("upl-1", &sha256(b"")), Err(BlobError::Incomplete(missing)) if missing == [0..3]));
    blobs.write_chunk("upl-1", 2, b"ij").expect("last");
    blobs.write_chunk("upl-1", 0, b"abcd").expect("first");
    assert_eq!(blobs.missing("upl-1").expect("known"), [1..2]);
    blobs.write_chunk("upl-1", 1, b"xxxx").expect("middle");
    blobs.write_chunk("upl-1", 1, b"efgh").expect("again");
    let root = root_of(&[leaf_hash(b"abcd"), leaf_hash(b"efgh"), leaf_hash(b"ij")]);
    assert_eq!(blobs.complete("upl-1", &root).expect("whole"), Complete { size: 10, root });
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
    assert_eq!(blobs.complete("upl-1", &sha256(b"")).expect("whole").size, 0);
    blobs.delete("upl-1").expect("gone");
    blobs.delete("upl-1").expect("gone again");
    assert!(matches!(blobs.shape("upl-1"), Err(BlobError::NotFound)));
}

/// Two chunks, of which this process has written both.
fn written(blobs: &DiskBlobs) -> Digest {
    blobs.create("upl-1", 8, 4).expect("made");
    blobs.write_chunk("upl-1", 0, b"abcd").expect("written");
    blobs.write_chunk("upl-1", 1, b"efgh").expect("written");
    root_of(&[leaf_hash(b"abcd"), leaf_hash(b"efgh")])
}

fn scribble(blobs: &DiskBlobs, bytes: &[u8], at: u64) {
    let file = OpenOptions::new().write(true).open(blobs.path("upl-1").expect("a path")).expect("opened");
    file.write_all_at(bytes, at).expect("damaged");
}

#[test]
fn what_stands_does_not_change_any_more() {
    let (dir, blobs) = blobs();
    let root = written(&blobs);
    assert_eq!(blobs.complete("upl-1", &sha256(b"other")).expect("whole").root, root);
    blobs.write_chunk("upl-1", 1, b"EFGH").expect("it is not what was declared: it may still change");
    blobs.write_chunk("upl-1", 1, b"efgh").expect("and back");
    assert_eq!(blobs.complete("upl-1", &root).expect("whole").root, root);
    assert!(matches!(blobs.write_chunk("upl-1", 1, b"XXXX"), Err(BlobError::Stands)));
    let id = fs::read_to_string(dir.path().join(ID_FILE)).expect("an id");
    let (other, _) = DiskBlobs::open(dir.path(), Some(&id)).expect("another server");
    assert!(matches!(other.write_chunk("upl-1", 1, b"XXXX"), Err(BlobError::Stands)));
    assert_eq!(other.complete("upl-1", &root).expect("again").root, root);
    assert_eq!(other.shape("upl-1").expect("known"), (8, 4));
    other.create("upl-1", 8, 4).expect("made again changes nothing");
    assert!(matches!(other.write_chunk("upl-1", 0, b"XXXX"), Err(BlobError::Stands)));
}

#[test]
fn what_another_process_wrote_is_read_again_before_it_stands() {
    let (dir, first) = blobs();
    let root = written(&first);
    scribble(&first, b"E", 4);
    let id = fs::read_to_string(dir.path().join(ID_FILE)).expect("an id");
    let (restarted, _) = DiskBlobs::open(dir.path(), Some(&id)).expect("another server");
    let found = restarted.complete("upl-1", &root);
    assert!(matches!(found, Err(BlobError::Incomplete(missing)) if missing == [1..2]), "only what does not fit");
    restarted.write_chunk("upl-1", 1, b"efgh").expect("sent again");
    assert_eq!(restarted.complete("upl-1", &root).expect("whole").root, root);
}

#[test]
fn a_chunk_sent_while_the_upload_is_completed_changes_nothing_that_stands() {
    let (dir, blobs) = blobs();
    let id = fs::read_to_string(dir.path().join(ID_FILE)).expect("an id");
    let (other, _) = DiskBlobs::open(dir.path(), Some(&id)).expect("another server");
    for round in 0..50 {
        blobs.delete("upl-1").expect("gone");
        let (root, stop) = (written(&blobs), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _ = other.write_chunk("upl-1", 1, b"XXXX");
                    let _ = other.write_chunk("upl-1", 1, b"efgh");
                }
            });
            while blobs.complete("upl-1", &root).map(|found| found.root).ok() != Some(root) {}
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(blobs.read_chunk("upl-1", 1).expect("there"), b"efgh", "round {round}");
        assert!(blobs.verify("upl-1").expect("read").is_empty());
    }
}

#[test]
fn notes_that_are_older_than_the_bytes_do_not_count() {
    let (_dir, blobs) = blobs();
    written(&blobs);
    fs::remove_file(blobs.path("upl-1").expect("a path")).expect("lost");
    blobs.create("upl-1", 8, 4).expect("made again");
    assert_eq!(blobs.missing("upl-1").expect("known"), [0..2]);
}
