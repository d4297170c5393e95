//! Time, given rather than asked for, so that a test or the demonstration can move it.
//!
//! Two clocks: [`SystemClock`] in production, [`ManualClock`] where the program itself moves the time. There is no
//! endpoint and no configuration that moves a clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::watch;

use crate::kernel::time::Timestamp;

/// What time it is, and waiting for it.
pub trait Clock: Send + Sync {
    /// Now, cut to milliseconds.
    fn now(&self) -> Timestamp;
    /// Returns once `at` is reached or the clock was moved; callers look again.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
    /// Milliseconds since some moment, by a hand that only goes forward and never jumps: where this one and [`Clock::now`]
    /// part, somebody set the clock.
    fn steady(&self) -> i64;
    /// What the clock shows that all servers share, where this clock brings its own; the database's is asked otherwise.
    fn shared(&self) -> Option<Timestamp> {
        None
    }
}

/// Where the steady hand of the computer's clock begins: a moment without a meaning, the same for the whole process.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

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

    fn steady(&self) -> i64 {
        i64::try_from(BEGINNING.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    start: i64,
    millis: AtomicI64,
    steady: AtomicI64,
    reference: Option<Arc<ManualClock>>,
    moved: watch::Sender<i64>,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        let (millis, steady) = (AtomicI64::new(start.millis()), AtomicI64::new(0));
        Self { start: start.millis(), millis, steady, reference: None, moved: watch::Sender::new(start.millis()) }
    }

    /// Another server's clock, which shows what `reference` shows until it is moved by itself: `reference` is what the
    /// two share.
    pub fn beside(reference: &Arc<Self>) -> Self {
        Self { reference: Some(reference.clone()), ..Self::new(reference.now()) }
    }

    /// Lets time pass until `at` and wakes whoever waits; an `at` in the past sets the clock back.
    pub fn set(&self, at: Timestamp) {
        self.steady.fetch_add((at.millis() - self.millis.load(Ordering::SeqCst)).max(0), Ordering::SeqCst);
        self.jump(at);
    }

    /// Sets the clock to `at`, forward or back, as a person or a broken time service does: no time passes.
    pub fn jump(&self, at: Timestamp) {
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

    fn steady(&self) -> i64 {
        self.steady.load(Ordering::SeqCst)
    }

    fn shared(&self) -> Option<Timestamp> {
        let undisturbed = || Timestamp::from_millis(self.start + self.steady());
        Some(self.reference.as_ref().map_or_else(undisturbed, |reference| reference.now()))
    }
}
