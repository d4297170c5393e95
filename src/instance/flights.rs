//! Headers in flight: from the moment that a request's head is in until its answer is decided.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::kernel::time::Timestamp;

/// What is in flight in this process.
#[derive(Debug, Default)]
pub struct Flights {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// By the moment of their heads; the number tells those of one moment apart.
    heads: BTreeSet<(Timestamp, u64)>,
    next: u64,
}

/// One header in flight; it lands when this is dropped.
#[derive(Debug)]
pub struct Flight {
    flights: Arc<Flights>,
    head: (Timestamp, u64),
}

impl Flights {
    fn open(&self) -> MutexGuard<'_, Open> {
        // A panic elsewhere leaves the set as it is: it is still good.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head of a request is in. The clock is read under the lock: whoever has seen the deadline pass and then finds
    /// nothing in flight knows that nothing from before it will come.
    pub(super) fn begin(this: &Arc<Self>, clock: &dyn Clock) -> Flight {
        let mut open = this.open();
        let head = (clock.now(), open.next);
        open.next += 1;
        open.heads.insert(head);
        Flight { flights: this.clone(), head }
    }

    /// The time, and when the earliest header in flight began, as they are at one moment.
    pub fn sample(&self, clock: &dyn Clock) -> (Timestamp, Option<Timestamp>) {
        let open = self.open();
        (clock.now(), open.heads.first().map(|(at, _)| *at))
    }

    /// Whether a header is in flight that began before `deadline`.
    pub fn any_before(&self, deadline: Timestamp) -> bool {
        self.open().heads.first().is_some_and(|(at, _)| *at < deadline)
    }
}

impl Flight {
    /// When its head was in.
    pub fn began(&self) -> Timestamp {
        self.head.0
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.open().heads.remove(&self.head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_header_is_in_flight_until_it_is_decided_and_the_earliest_is_told() {
        let (flights, clock) = (Arc::new(Flights::default()), ManualClock::new(Timestamp::from_millis(1_000)));
        let first = Flights::begin(&flights, &clock);
        clock.advance(10);
        let second = Flights::begin(&flights, &clock);
        let third = Flights::begin(&flights, &clock);
        assert_eq!(flights.sample(&clock), (Timestamp::from_millis(1_010), Some(Timestamp::from_millis(1_000))));
        assert!(
            flights.any_before(Timestamp::from_millis(1_001)) && !flights.any_before(Timestamp::from_millis(1_000))
        );
        drop((first, third));
        assert_eq!(flights.sample(&clock).1, Some(second.began()));
        drop(second);
        assert_eq!(flights.sample(&clock).1, None);
    }
}
