//! What the heartbeat remembers between two beats.

use std::time::Instant;

use crate::kernel::time::Timestamp;
use crate::limits;

/// The last beat of this process that was stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    /// When, by the time of the platform, and by a watch that runs whatever anybody does to that.
    pub last: Option<(Timestamp, Instant)>,
    /// The last one that said ready, by the watch.
    pub ready: Option<Instant>,
    /// Whether a deadline is near.
    pub near: bool,
    /// Whether the record knows that the clock is off.
    pub off_on_record: bool,
}

impl Pulse {
    /// Whether the next beat is due at `now`.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let every = if self.near { limits::BEAT_MS } else { limits::BEAT_IDLE_MS };
        self.last.is_none_or(|(at, watch)| {
            now.millis() - at.millis() >= every || watch.elapsed().as_millis() >= every.unsigned_abs().into()
        })
    }

    /// Whether this process was there all the time since it last said ready: its own watch knows, whatever the clocks say.
    pub fn is_unbroken(&self) -> bool {
        self.ready.is_some_and(|watch| watch.elapsed().as_millis() <= limits::OUTAGE_MS.unsigned_abs().into())
    }
}
