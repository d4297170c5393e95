//! A bar for what takes longer than a moment.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::limits;

/// Shows how far something is, on a terminal, once it has taken long; gone when it is dropped.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// Begins now, and shows nothing yet.
    pub fn begin() -> Self {
        Self { bar: ProgressBar::hidden(), began: Instant::now() }
    }

    /// So much is done, of so much.
    pub fn reached(&self, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
        if self.bar.is_hidden() && self.began.elapsed().as_millis() > limits::PATIENCE_MS {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
