//! The time by which deadlines are measured: the computer's clock as long as it runs true.
//!
//! Promise: what this shows never goes back. A clock that is set, forward or back, is not followed until a heartbeat has
//! compared it; meanwhile the time goes on by the steady hand from where it was last sound.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::kernel::time::Timestamp;
use crate::limits;

/// What a comparison of clocks found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// How far ahead the computer's clock is, in milliseconds.
    pub offset_ms: i64,
    /// Whether that is little enough.
    pub sound: bool,
}

/// A clock that is not taken in by being set.
pub struct SoundClock {
    raw: Arc<dyn Clock>,
    hand: Mutex<Hand>,
}

struct Hand {
    /// The time when it was last compared, and the steady hand then.
    at: i64,
    steady: i64,
    /// By how much the last comparison with itself found it set.
    suspect: Option<i64>,
    /// The latest time that anybody was told.
    told: i64,
}

/// Milliseconds that may pass while both hands are read.
const READING_MS: i64 = 10;
/// How often they are read until it went fast enough.
const READINGS: u32 = 5;

/// One look at both hands.
struct Look {
    raw: i64,
    /// What the steady hand says that it should be.
    expected: i64,
}

impl Look {
    fn jump(&self) -> i64 {
        self.raw - self.expected
    }

    fn time(&self) -> i64 {
        if self.jump().abs() <= limits::CLOCK_OFFSET_MS { self.raw } else { self.expected }
    }
}

impl SoundClock {
    /// The time of `raw`, taken as sound at this moment.
    pub fn new(raw: Arc<dyn Clock>) -> Self {
        let at = raw.now().millis();
        let hand = Hand { at, steady: raw.steady(), suspect: None, told: i64::MIN };
        Self { raw, hand: Mutex::new(hand) }
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        // A panic elsewhere leaves three numbers behind: they are still good.
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, hand: &Hand) -> Look {
        let (raw, steady) = self.read();
        Look { raw, expected: hand.at + (steady - hand.steady) }
    }

    /// Both hands at one moment. On a machine with more to do than it can, time may pass between the two looks: that must
    /// not be taken for a clock that was set.
    fn read(&self) -> (i64, i64) {
        let once = || {
            let (before, raw, after) = (self.raw.steady(), self.raw.now().millis(), self.raw.steady());
            (after - before, raw, after)
        };
        let mut best = once();
        for _ in 1..READINGS {
            if best.0 <= READING_MS {
                break;
            }
            best = best.min(once());
        }
        (best.1, best.2)
    }

    /// Whether the computer's clock has run true since it was last compared, and has not to catch up with what was told.
    pub fn is_sound(&self) -> bool {
        let hand = self.hand();
        let look = self.look(&hand);
        look.jump().abs() <= limits::CLOCK_OFFSET_MS && hand.told.saturating_sub(look.time()) <= limits::CLOCK_OFFSET_MS
    }

    /// The computer's clock itself.
    pub fn raw(&self) -> &Arc<dyn Clock> {
        &self.raw
    }

    /// The shared clock was asked and the computer's was `offset_ms` ahead of it, give or take `doubt_ms`. A clock that is
    /// off is not followed: the time goes on from what the shared one showed. Off is one that is too far away even if all of
    /// the doubt speaks for it: a database that is slow to answer is no reason to refuse bids. An answer with more doubt than
    /// a clock may be off says nothing: what was found before stands, by the steady hand.
    pub fn against_shared(&self, offset_ms: i64, doubt_ms: i64) -> Compared {
        if doubt_ms > limits::CLOCK_OFFSET_MS {
            return Compared { offset_ms, sound: self.is_sound() };
        }
        let sound = offset_ms.abs() - doubt_ms <= limits::CLOCK_OFFSET_MS;
        let mut hand = self.hand();
        let (raw, steady) = self.read();
        (hand.at, hand.steady) = (if sound { raw } else { raw - offset_ms }, steady);
        let behind = hand.told.saturating_sub(hand.at);
        Compared { offset_ms, sound: sound && behind <= limits::CLOCK_OFFSET_MS }
    }

    /// There is no other clock to ask: the computer's is compared with its own steady hand. One that was set is off for
    /// this beat and believed when the next finds it still so; but the time never goes back: it stands until it is caught
    /// up with.
    pub fn against_itself(&self) -> Compared {
        let mut hand = self.hand();
        let look = self.look(&hand);
        let close = |ms: i64| ms.abs() <= limits::CLOCK_OFFSET_MS;
        if !close(look.jump()) && !hand.suspect.is_some_and(|before| close(look.jump() - before)) {
            hand.suspect = Some(look.jump());
            return Compared { offset_ms: look.jump(), sound: false };
        }
        let offset_ms = if hand.suspect.take().is_some() { 0 } else { look.jump() };
        (hand.at, hand.steady) = (look.raw, self.raw.steady());
        let behind = hand.told.saturating_sub(look.raw);
        let offset_ms = if close(behind.max(0)) { offset_ms } else { -behind };
        Compared { offset_ms, sound: close(offset_ms) }
    }
}

impl Clock for SoundClock {
    fn now(&self) -> Timestamp {
        let mut hand = self.hand();
        let time = self.look(&hand).time();
        hand.told = hand.told.max(time);
        Timestamp::from_millis(hand.told)
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        self.raw.sleep_until(at)
    }

    fn steady(&self) -> i64 {
        self.raw.steady()
    }

    fn shared(&self) -> Option<Timestamp> {
        self.raw.shared()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::clock::ManualClock;

    const NOON: i64 = 1_790_000_000_000;
    const HOUR: i64 = 3_600_000;

    fn clocks() -> (Arc<ManualClock>, SoundClock) {
        let raw = Arc::new(ManualClock::new(Timestamp::from_millis(NOON)));
        (raw.clone(), SoundClock::new(raw))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(NOON + millis)
    }

    #[test]
    fn it_shows_what_the_clock_shows_as_long_as_that_runs_true() {
        let (raw, sound) = clocks();
        for millis in [0, 1, 1_000, HOUR] {
            raw.set(at(millis));
            assert_eq!((sound.now(), sound.is_sound()), (at(millis), true));
        }
        // A time service nudges it: that is followed.
        raw.jump(at(HOUR + limits::CLOCK_OFFSET_MS));
        assert_eq!((sound.now(), sound.is_sound()), (at(HOUR + limits::CLOCK_OFFSET_MS), true));
    }

    #[test]
    fn a_clock_that_is_set_forward_or_back_is_not_followed() {
        for jump in [HOUR, -HOUR, limits::CLOCK_OFFSET_MS + 1, -limits::CLOCK_OFFSET_MS - 1] {
            let (raw, sound) = clocks();
            raw.jump(at(jump));
            assert_eq!((sound.now(), sound.is_sound()), (at(0), false), "{jump}");
            raw.advance(1_000);
            assert_eq!(sound.now(), at(1_000), "the time goes on by the steady hand");
        }
    }

    #[test]
    fn with_a_shared_clock_the_time_is_the_shared_one_until_the_own_is_right_again() {
        let (raw, sound) = clocks();
        raw.jump(at(HOUR));
        assert_eq!(sound.against_shared(HOUR, 0), Compared { offset_ms: HOUR, sound: false });
        raw.advance(2_000);
        assert_eq!((sound.now(), sound.is_sound()), (at(2_000), false));
        raw.jump(at(2_100));
        assert_eq!(sound.against_shared(100, 0), Compared { offset_ms: 100, sound: true });
        assert_eq!((sound.now(), sound.is_sound()), (at(2_100), true));
    }

    #[test]
    fn alone_a_clock_set_forward_is_believed_one_beat_later() {
        let (raw, sound) = clocks();
        raw.jump(at(HOUR));
        assert_eq!(sound.against_itself(), Compared { offset_ms: HOUR, sound: false });
        assert!(sound.against_itself().sound);
        assert_eq!((sound.now(), sound.is_sound()), (at(HOUR), true));
    }

    #[test]
    fn the_time_never_goes_back_it_stands_until_it_is_caught_up_with() {
        let (raw, sound) = clocks();
        raw.set(at(HOUR));
        assert_eq!(sound.now(), at(HOUR));
        raw.jump(at(0));
        assert!(!sound.against_itself().sound);
        assert_eq!(sound.against_itself(), Compared { offset_ms: -HOUR, sound: false }, "not before it has caught up");
        assert_eq!((sound.now(), sound.is_sound()), (at(HOUR), false));
        raw.set(at(HOUR + 5));
        assert!(sound.against_itself().sound);
        assert_eq!((sound.now(), sound.is_sound()), (at(HOUR + 5), true));
    }

    #[test]
    fn a_database_that_is_slow_to_answer_does_not_make_a_clock_wrong() {
        let (_, sound) = clocks();
        let far = limits::CLOCK_OFFSET_MS + 100;
        assert_eq!(sound.against_shared(far, 100), Compared { offset_ms: far, sound: true });
        assert_eq!(sound.against_shared(far, 99), Compared { offset_ms: far, sound: false });
        assert_eq!(sound.against_shared(-far, 100), Compared { offset_ms: -far, sound: true });
    }

    #[test]
    fn an_answer_that_took_too_long_neither_accuses_a_clock_nor_clears_it() {
        let (raw, sound) = clocks();
        let slow = limits::CLOCK_OFFSET_MS + 1;
        assert!(sound.against_shared(HOUR, slow).sound, "it ran true so far");
        raw.jump(at(HOUR));
        assert!(!sound.against_shared(HOUR, slow).sound, "it was set since");
        assert!(!sound.against_shared(HOUR, 0).sound);
        raw.advance(1_000);
        assert!(!sound.against_shared(0, slow).sound, "it was off, and nobody has seen it right");
        assert_eq!(sound.now(), at(1_000));
    }

    /// A clock of which some looks take a while.
    struct Busy {
        steady: AtomicI64,
        looks: AtomicI64,
    }

    impl Clock for Busy {
        fn now(&self) -> Timestamp {
            // The first two looks are interrupted for a second each.
            if self.looks.fetch_add(1, Ordering::SeqCst) < 2 {
                self.steady.fetch_add(1_000, Ordering::SeqCst);
            }
            Timestamp::from_millis(NOON + self.steady())
        }

        fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }

        fn steady(&self) -> i64 {
            self.steady.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn a_look_that_was_interrupted_is_repeated() {
        let busy = Arc::new(Busy { steady: AtomicI64::new(0), looks: AtomicI64::new(i64::MAX / 2) });
        let sound = SoundClock::new(busy.clone());
        busy.looks.store(0, Ordering::SeqCst);
        assert!(sound.is_sound());
        assert_eq!(busy.looks.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_clock_that_starts_wrong_is_corrected_by_the_shared_one() {
        let (raw, sound) = clocks();
        // Started an hour slow: nothing was told yet, so the shared time holds at once.
        assert_eq!(sound.against_shared(-HOUR, 0), Compared { offset_ms: -HOUR, sound: false });
        assert_eq!(sound.now(), at(HOUR));
        raw.advance(10);
        assert_eq!(sound.now(), at(HOUR + 10));
    }
}
