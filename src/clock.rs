//! Time, given rather than asked for, so that a test or the demonstration can move it.
//!
//! Two clocks: [`SystemClock`] in production, [`ManualClock`] where the program itself moves the time. There is no
//! endpoint and no configuration that moves a clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::watch;

use crate::kernel::time::Timestamp;

/// What time it is, and waiting for it.
pub trait Clock: Send + Sync {
    /// Now, cut to milliseconds.
    fn now(&self) -> Timestamp;
    /// Returns once `at` is reached or the clock was moved; callers look again.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}

/// The computer's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system's clock is read")]
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let wait = u64::try_from(at.millis() - self.now().millis()).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait)).boxed()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
    moved: watch::Sender<i64>,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { millis: AtomicI64::new(start.millis()), moved: watch::Sender::new(start.millis()) }
    }

    /// Moves the clock to `at`, forward or back, and wakes whoever waits.
    pub fn set(&self, at: Timestamp) {
        self.millis.store(at.millis(), Ordering::SeqCst);
        self.moved.send_replace(at.millis());
    }

    /// Moves the clock forward by `millis`.
    pub fn advance(&self, millis: i64) {
        self.set(Timestamp::from_millis(self.now().millis() + millis));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut moved = self.moved.subscribe();
        async move {
            // The sender lives as long as the clock; when it is gone nobody needs to be woken any more.
            let _ = moved.wait_for(|now| *now >= at.millis()).await;
        }
        .boxed()
    }
}
