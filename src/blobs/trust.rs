//! Which chunks this process wrote itself and need not be read again before they stand.
//!
//! A chunk that this process wrote, whose note still says the same, and whose file it then forced to the disk without an
//! error, is on the disk as it was hashed. What another server wrote, or this one before it was restarted, is read again:
//! a machine that failed in between may have kept the note and lost the bytes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::kernel::digest::Digest;
use crate::limits;

/// Leaf hashes of what was written, by blob; bounded, and whatever is not in it is read again.
#[derive(Debug, Default)]
pub(super) struct Trust {
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    blobs: HashMap<String, HashMap<u64, Digest>>,
    chunks: usize,
}

impl Trust {
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This process wrote chunk `n`.
    pub(super) fn wrote(&self, id: &str, n: u64, leaf: Digest) {
        let mut written = self.written();
        if written.chunks >= limits::TRUSTED_CHUNKS {
            // Uploads that never end would fill it: all start again with being read.
            *written = Written::default();
        }
        if written.blobs.entry(id.to_owned()).or_default().insert(n, leaf).is_none() {
            written.chunks += 1;
        }
    }

    /// What this process wrote of a blob.
    pub(super) fn of(&self, id: &str) -> HashMap<u64, Digest> {
        self.written().blobs.get(id).cloned().unwrap_or_default()
    }

    /// Nothing that was written of a blob counts any more.
    pub(super) fn forget(&self, id: &str) {
        let mut written = self.written();
        let gone = written.blobs.remove(id).map_or(0, |chunks| chunks.len());
        written.chunks -= gone;
    }
}
