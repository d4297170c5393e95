//! The chunk path: numbers and lengths of chunks, the files they are kept in, and the header with their digest.
//!
//! Whatever the order, however often, of whatever length: the files and a model in memory always agree on what is
//! there, what is missing, what it hashes to, and what is refused.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use sealbid::blobs::{BlobError, DiskBlobs};
use sealbid::features::uploads::content_digest;
use sealbid::features::uploads::model::UploadRow;
use sealbid::kernel::digest::{Digest, sha256};
use sealbid::seal::merkle::{leaf_hash, root_of};
use tempfile::TempDir;

use super::{choice, edited, seed};

/// Most bytes of a blob here: enough for every kind of boundary.
const SIZE: u64 = 64;

static RUNS: AtomicU64 = AtomicU64::new(0);

static DIR: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.expect("a directory")
});

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 3) else { return false };
    match choice {
        0 => blob(bytes),
        1 => digest(&String::from_utf8_lossy(bytes)),
        _ => digest(&String::from_utf8_lossy(&edited(content_digest::format(&sha256(b"x")).as_bytes(), bytes))),
    }
}

/// What should be on disk.
struct Model {
    id: String,
    size: u64,
    chunk: u64,
    chunks: Vec<Option<Vec<u8>>>,
}

impl Model {
    fn length(&self, n: u64) -> Option<u64> {
        (n < self.chunks.len() as u64).then(|| self.chunk.min(self.size - n * self.chunk))
    }

    fn missing(&self) -> Vec<u64> {
        (0..).zip(&self.chunks).filter(|(_, chunk)| chunk.is_none()).map(|(n, _)| n).collect()
    }

    fn root(&self) -> Digest {
        root_of(&self.chunks.iter().flatten().map(|chunk| leaf_hash(chunk)).collect::<Vec<_>>())
    }
}

/// Steps of three bytes on one blob: what, which chunk, and a byte more.
fn blob(bytes: &[u8]) -> bool {
    let [size, chunk, steps @ ..] = bytes else { return false };
    let (size, chunk) = (u64::from(*size) % (SIZE + 1), u64::from(*chunk) % SIZE + 1);
    let blobs = DiskBlobs::open(DIR.path(), None).expect("opened").0;
    let count = usize::try_from(size.div_ceil(chunk).max(1)).expect("small");
    // Every run has a blob of its own: tests replay seeds side by side.
    let id = format!("upl-{}", RUNS.fetch_add(1, Ordering::Relaxed));
    let mut model = Model { id, size, chunk, chunks: vec![None; count] };
    as_the_api_counts(&model);
    blobs.create(&model.id, size, chunk).expect("made");
    for step in steps.chunks_exact(3).take(64) {
        take(&blobs, &mut model, [step[0], step[1], step[2]]);
    }
    compare(&blobs, &model);
    blobs.delete(&model.id).expect("gone");
    assert!(matches!(blobs.missing(&model.id), Err(BlobError::NotFound)));
    model.missing().is_empty()
}

/// The row that the API judges by gives every chunk the same length.
fn as_the_api_counts(model: &Model) {
    let row = UploadRow {
        id: model.id.clone(),
        org_id: String::new(),
        lot_id: None,
        purpose: "bid".into(),
        size_bytes: i64::try_from(model.size).expect("small"),
        chunk_bytes: i64::try_from(model.chunk).expect("small"),
        root: String::new(),
        state: "open".into(),
        attached_to: None,
        created_at: 0,
        expires_at: 0,
    };
    for n in (0..SIZE + 2).filter(|_| model.size > 0) {
        let counted = row.chunk_len(u32::try_from(n).expect("small")).map(|length| length as u64);
        assert_eq!(counted, model.length(n), "chunk {n} of {} by {}", model.size, model.chunk);
    }
}

fn take(blobs: &DiskBlobs, model: &mut Model, [what, which, more]: [u8; 3]) {
    let n = u64::from(which) % (model.chunks.len() as u64 + 2);
    match what % 7 {
        // The right length, and any length.
        0 | 1 => {
            let right = model.length(n).unwrap_or(1);
            let length = if what % 7 == 0 { right } else { u64::from(more) % (SIZE + 2) };
            let content = vec![more ^ which; usize::try_from(length).expect("small")];
            match (blobs.write_chunk(&model.id, n, &content), model.length(n)) {
                (Ok(()), Some(right)) if right == length => {
                    model.chunks[usize::try_from(n).expect("small")] = Some(content);
                }
                (Err(BlobError::WrongLength { expected }), Some(right)) => {
                    assert!(expected == right && right != length)
                }
                (Err(BlobError::NotFound), None) => {}
                (other, right) => panic!("chunk {n} of {length} bytes, {right:?} expected: {other:?}"),
            }
        }
        2 => match (blobs.read_chunk(&model.id, n), model.chunks.get(usize::try_from(n).expect("small"))) {
            (Ok(read), Some(Some(chunk))) => assert_eq!(&read, chunk),
            (Err(BlobError::NotFound), Some(None) | None) => {}
            (read, chunk) => panic!("chunk {n}: {read:?} instead of {chunk:?}"),
        },
        3 => compare(blobs, model),
        4 => blobs.create(&model.id, model.size, model.chunk).expect("made again"),
        // A chunk whose number is far beyond everything, and an id that leads elsewhere.
        5 => {
            let far = u64::MAX >> (which % 64);
            if far >= model.chunks.len() as u64 {
                assert!(matches!(blobs.write_chunk(&model.id, far, &[]), Err(BlobError::NotFound)));
                assert!(matches!(blobs.read_chunk(&model.id, far), Err(BlobError::NotFound)));
            }
        }
        _ => {
            let id: String = [which, more].iter().map(|byte| char::from(byte & 0x7f)).chain("/../x".chars()).collect();
            assert!(matches!(blobs.create(&id, 1, 1), Err(BlobError::BadId)), "{id:?}");
        }
    }
}

fn compare(blobs: &DiskBlobs, model: &Model) {
    let missing = model.missing();
    let found: Vec<u64> = blobs.missing(&model.id).expect("known").into_iter().flatten().collect();
    assert_eq!(found, missing);
    assert_eq!(blobs.verify(&model.id).expect("read"), missing, "what is there is sound");
    // Declared as something else, so that it never stands and the steps go on.
    match blobs.complete(&model.id, &sha256(b"something else")) {
        Ok(complete) => {
            assert!(missing.is_empty());
            assert_eq!((complete.size, complete.root), (model.size, model.root()));
            let mut whole = Vec::new();
            std::io::Read::read_to_end(&mut blobs.reader(&model.id).expect("there"), &mut whole).expect("read");
            assert_eq!(whole, model.chunks.iter().flatten().flatten().copied().collect::<Vec<u8>>());
        }
        Err(BlobError::Incomplete(ranges)) => {
            assert_eq!(ranges.into_iter().flatten().collect::<Vec<u64>>(), missing);
            assert!(!missing.is_empty());
        }
        Err(error) => panic!("{error}"),
    }
}

/// A digest is read only where it stands as we would write it, once.
fn digest(header: &str) -> bool {
    let Some(digest) = content_digest::parse(header) else { return false };
    let ours = content_digest::format(&digest);
    assert_eq!(header.split(',').filter(|member| member.trim() == ours).count(), 1);
    assert_eq!(content_digest::parse(&ours), Some(digest));
    true
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let header = content_digest::format(&sha256(b"x"));
    vec![
        seed(0, [25, 9, 0, 2, 1, 3, 0, 0, 0, 0, 7, 1, 0, 3, 0, 1, 9, 2, 1, 0, 4, 0, 0, 5, 40, 0, 6, 46, 46]),
        seed(0, [0, 7, 2, 0, 0, 0, 0, 5]),
        seed(1, format!("sha-512=:AAAA:, {header}")),
        seed(2, [0, 0, 0, b's']),
    ]
}
