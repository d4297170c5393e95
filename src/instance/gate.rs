//! Who may send a header: decided before its body is read.
//!
//! Promise: whoever is let in finds a place in the bids' queue, whatever else happens; a body that is not whole yet holds
//! one of the few places of its own organisation, so that a handful of slow senders cannot keep the others out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::flights::Flight;

/// Why a header is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Every place in the queue is taken.
    Queue,
    /// The organisation sends as many bodies already as it may.
    Bodies,
}

type Bodies = Arc<Mutex<HashMap<String, usize>>>;

pub(super) struct Gate {
    places: Arc<Semaphore>,
    bodies: Bodies,
    most_bodies: usize,
}

/// A header that was let in: its place in the queue, and that it is in flight. Both end with it.
#[derive(Debug)]
pub struct Pass {
    flight: Flight,
    _place: OwnedSemaphorePermit,
    body: Mutex<Option<Body>>,
    instance: Arc<str>,
    clock_offset_ms: i64,
}

/// A body that is being read.
#[derive(Debug)]
struct Body {
    bodies: Bodies,
    org: String,
}

impl Gate {
    pub(super) fn new(places: usize, most_bodies: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), bodies: Bodies::default(), most_bodies }
    }

    pub(super) fn admit(
        &self,
        org: &str,
        flight: Flight,
        instance: Arc<str>,
        clock_offset_ms: i64,
    ) -> Result<Pass, Full> {
        let body = self.begin_body(org).ok_or(Full::Bodies)?;
        let place = self.places.clone().try_acquire_owned().map_err(|_| Full::Queue)?;
        Ok(Pass { flight, _place: place, body: Mutex::new(Some(body)), instance, clock_offset_ms })
    }

    /// How many bodies of `org` are being read.
    pub(super) fn bodies_of(&self, org: &str) -> usize {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner).get(org).copied().unwrap_or_default()
    }

    fn begin_body(&self, org: &str) -> Option<Body> {
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        let sending = bodies.entry(org.to_owned()).or_default();
        if *sending >= self.most_bodies {
            return None;
        }
        *sending += 1;
        drop(bodies);
        Some(Body { bodies: self.bodies.clone(), org: org.to_owned() })
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sending) = bodies.get_mut(&self.org) {
            *sending -= 1;
            if *sending == 0 {
                bodies.remove(&self.org);
            }
        }
    }
}

impl Pass {
    /// The last byte is in: the organisation may send the next.
    pub fn body_is_in(&self) {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// When the head of the request was in.
    pub fn began(&self) -> crate::kernel::time::Timestamp {
        self.flight.began()
    }

    /// The server that received it.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// How far ahead that server's clock was, in milliseconds.
    pub fn clock_offset_ms(&self) -> i64 {
        self.clock_offset_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::instance::Flights;
    use crate::kernel::time::Timestamp;

    fn admit(gate: &Gate, org: &str) -> Result<Pass, Full> {
        let clock = ManualClock::new(Timestamp::from_millis(0));
        gate.admit(org, Flights::begin(&Arc::default(), &clock), "server".into(), 0)
    }

    #[test]
    fn a_few_slow_senders_do_not_keep_the_others_out() {
        let gate = Gate::new(4, 2);
        let slow = [admit(&gate, "org-1").expect("a place"), admit(&gate, "org-1").expect("a place")];
        assert_eq!(admit(&gate, "org-1").err(), Some(Full::Bodies));
        admit(&gate, "org-2").expect("another organisation has places of its own");
        slow[0].body_is_in();
        admit(&gate, "org-1").expect("a body that is in makes room for the next");
        drop(slow);
        assert!(gate.bodies.lock().expect("whole").is_empty(), "nobody is remembered who sends nothing");
    }

    #[test]
    fn a_place_is_held_until_the_answer_is_decided() {
        let gate = Gate::new(1, 2);
        let first = admit(&gate, "org-1").expect("a place");
        first.body_is_in();
        assert_eq!(admit(&gate, "org-2").err(), Some(Full::Queue));
        drop(first);
        admit(&gate, "org-2").expect("free again");
    }
}
