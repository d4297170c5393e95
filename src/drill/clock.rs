//! The clock of a drilled server: the computer's, ahead by as much as the drill says.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::watch;

use crate::clock::{Clock, SystemClock};
use crate::kernel::time::Timestamp;

/// The clock. It goes on by itself, and forward when it is moved.
pub struct ShiftedClock {
    ahead: AtomicI64,
    moved: watch::Sender<i64>,
}

impl ShiftedClock {
    /// A clock that is `ahead` of the computer's by so many milliseconds.
    pub fn new(ahead: i64) -> Self {
        Self { ahead: AtomicI64::new(ahead), moved: watch::Sender::new(ahead) }
    }

    /// Moves it, and wakes whoever waits.
    pub fn set(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::SeqCst);
        self.moved.send_replace(ahead);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.ahead.load(Ordering::SeqCst))
    }

    fn steady(&self) -> i64 {
        // Moving it is time that passes, not a clock that is set.
        SystemClock.steady() + self.ahead.load(Ordering::SeqCst)
    }

    fn shared(&self) -> Option<Timestamp> {
        Some(self.now())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let wait = u64::try_from(at.millis() - self.now().millis()).unwrap_or(0);
        let mut moved = self.moved.subscribe();
        async move {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
                // The sender lives as long as the clock.
                _ = moved.changed() => {}
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_by_itself_and_forward_when_it_is_moved() {
        let clock = ShiftedClock::new(0);
        let before = clock.now();
        clock.set(60_000);
        assert!(clock.now().millis() >= before.millis() + 60_000);
        assert!(clock.now().millis() < before.millis() + 120_000);
    }

    #[test]
    fn whoever_waits_for_a_moment_that_the_clock_is_moved_to_is_woken() {
        let clock = ShiftedClock::new(0);
        let wait = clock.sleep_until(clock.now().plus_millis(3_600_000));
        clock.set(3_600_000);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(5), wait).await }).expect("woken");
    }
}
