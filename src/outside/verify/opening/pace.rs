//! How far a check is, for whoever waits for it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Told how many shares and envelopes are checked, and of how many.
pub type Watch<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// How far the slow part is.
pub(super) struct Pace<'a> {
    watch: Watch<'a>,
    done: AtomicU64,
    /// Of how many.
    pub(super) all: u64,
}

impl<'a> Pace<'a> {
    /// Nothing is done, and how much there is to do is not known yet.
    pub(super) fn new(watch: Watch<'a>) -> Self {
        Self { watch, done: AtomicU64::new(0), all: 0 }
    }

    /// So much more is done.
    pub(super) fn step(&self, by: u64) {
        (self.watch)(self.done.fetch_add(by, Ordering::Relaxed) + by, self.all);
    }
}
