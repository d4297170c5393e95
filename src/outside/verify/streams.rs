//! Streams are complete: revisions without gaps from 1, each naming the commitment before it.
//!
//! In files of lines the entries of a stream come in the order of their leaves, which within a batch is that of their
//! commitments; so every entry is put aside under a hash of its stream, and looked at in the end, a bucket after the other. What
//! does not fit into memory waits in a file that has no name any more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

use super::opened::Public;
use super::report::{Failure, Result};
use crate::kernel::digest::{DIGEST_LEN, Digest, sha256};

/// Buckets that streams are spread over.
const BUCKETS: usize = 256;
/// Bytes that a bucket holds in memory before they are put aside.
const CHUNK: usize = 16 * 1024;
/// Bytes of an entry that is put aside: its stream as a digest, revision, commitment, the one before, index.
const RECORD: usize = 3 * DIGEST_LEN + 2 * 8;

/// The entries of all streams of a file.
pub struct Streams {
    buckets: Vec<Bucket>,
    spool: Option<File>,
    end: u64,
    entries: u64,
}

#[derive(Default)]
struct Bucket {
    bytes: Vec<u8>,
    aside: Vec<(u64, u32)>,
}

/// One entry, read back.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    stream: Digest,
    rev: u64,
    commitment: Digest,
    prev: Option<Digest>,
    index: u64,
}

impl Streams {
    /// No entries yet.
    pub fn new() -> Self {
        let buckets = std::iter::repeat_with(Bucket::default).take(BUCKETS).collect();
        Self { buckets, spool: None, end: 0, entries: 0 }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// Undecided when there is no room to put entries aside.
    pub fn add(&mut self, public: &Public, commitment: &Digest, index: u64) -> Result<()> {
        let stream = sha256(public.stream.as_bytes());
        let bucket = &mut self.buckets[usize::from(stream.as_bytes()[0])];
        bucket.bytes.extend_from_slice(stream.as_bytes());
        bucket.bytes.extend_from_slice(&public.rev.to_be_bytes());
        bucket.bytes.extend_from_slice(commitment.as_bytes());
        // No commitment is zero: that would be a digest of which somebody knows what leads to it.
        bucket.bytes.extend_from_slice(public.prev.map_or([0; DIGEST_LEN], |prev| *prev.as_bytes()).as_slice());
        bucket.bytes.extend_from_slice(&index.to_be_bytes());
        self.entries += 1;
        if bucket.bytes.len() >= CHUNK {
            self.put_aside(usize::from(stream.as_bytes()[0])).map_err(no_room)
        } else {
            Ok(())
        }
    }

    fn put_aside(&mut self, bucket: usize) -> io::Result<()> {
        let file = match &mut self.spool {
            Some(file) => file,
            spool => spool.insert(nameless()?),
        };
        let bucket = &mut self.buckets[bucket];
        file.write_all(&bucket.bytes)?;
        bucket.aside.push((self.end, bucket.bytes.len() as u32));
        self.end += bucket.bytes.len() as u64;
        bucket.bytes.clear();
        Ok(())
    }

    /// Looks at every stream; returns how many there are, and entries in all.
    ///
    /// # Errors
    /// Refuted with the entry that has no right predecessor.
    pub fn finish(mut self) -> Result<(u64, u64)> {
        let mut streams = 0;
        for bucket in std::mem::take(&mut self.buckets) {
            let mut bytes = bucket.bytes;
            if let Some(file) = &mut self.spool {
                for (from, len) in bucket.aside {
                    let at = bytes.len();
                    bytes.resize(at + len as usize, 0);
                    file.seek(SeekFrom::Start(from))
                        .and_then(|_| file.read_exact(&mut bytes[at..]))
                        .map_err(no_room)?;
                }
            }
            let mut kept: Vec<Kept> = bytes.chunks_exact(RECORD).map(read).collect();
            kept.sort_unstable();
            let mut before: Option<&Kept> = None;
            for entry in &kept {
                before = before.filter(|before| before.stream == entry.stream);
                streams += u64::from(before.is_none());
                follows(before, entry)?;
                before = Some(entry);
            }
        }
        Ok((streams, self.entries))
    }
}

impl Default for Streams {
    fn default() -> Self {
        Self::new()
    }
}

fn follows(before: Option<&Kept>, entry: &Kept) -> Result<()> {
    let place = || format!("entry {} (revision {} of its stream)", entry.index, entry.rev);
    let expected = before.map_or(1, |before| before.rev + 1);
    if entry.rev != expected {
        return Err(Failure::refuted(
            place(),
            format!("该记录流不完整:此处应为第 {expected} 版。"),
            format!("the stream is not complete: revision {expected} should stand here"),
        ));
    }
    if entry.prev != before.map(|before| before.commitment) {
        return Err(Failure::refuted(
            place(),
            "它所指的前一条记录不是该流的前一条。",
            "the entry before it that it names is not the one before it in its stream",
        ));
    }
    Ok(())
}

fn read(record: &[u8]) -> Kept {
    let digest = |at: usize| {
        let mut bytes = [0; DIGEST_LEN];
        bytes.copy_from_slice(&record[at..at + DIGEST_LEN]);
        Digest::from_bytes(bytes)
    };
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&record[at..at + 8]);
        u64::from_be_bytes(bytes)
    };
    let prev = digest(72);
    Kept {
        stream: digest(0),
        rev: number(32),
        commitment: digest(40),
        prev: (prev.as_bytes() != &[0; DIGEST_LEN]).then_some(prev),
        index: number(104),
    }
}

/// A file that nobody else can read and that is gone when it is closed.
fn nameless() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("sealbid-{}", uuid::Uuid::new_v4().simple()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

fn no_room(error: io::Error) -> Failure {
    Failure::undecided(
        std::env::temp_dir().display().to_string(),
        format!("临时文件无法使用:{error}"),
        format!("no temporary file can be used: {error}"),
    )
}
