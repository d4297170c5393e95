//! This process among those that serve one platform: its name, its time, what it has in flight, whom it lets in.
//!
//! Promise: whatever can still be in time is in flight from before the deadline until it is decided, so that whoever
//! looks after the deadline and finds nothing may close; the time by which deadlines are measured never goes back and
//! never follows a clock that was set. Invariant: all of it lives in this process and is told to the others by the
//! heartbeat alone. Deliberately not here: the heartbeat's rows (`features::instances`) and its rounds
//! (`worker::pulse`).

mod flights;
mod gate;
mod pulse;
mod time;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use flights::{Flight, Flights};
pub use gate::{Full, Pass};
pub use pulse::Pulse;
pub use time::{Compared, SoundClock};

use crate::clock::Clock;
use crate::kernel::time::Timestamp;
use crate::limits;

/// Why this server takes no bids now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unready {
    /// Its clock is not to be relied upon.
    Clock,
    /// The database did not answer.
    Database,
    /// It is stopping.
    Stopping,
}

/// This process.
pub struct Instance {
    id: Arc<str>,
    started_at: Timestamp,
    clock: Arc<SoundClock>,
    flights: Arc<Flights>,
    gate: gate::Gate,
    standing: Mutex<Standing>,
}

/// What the last heartbeat found.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    clock_off: bool,
    offset_ms: i64,
    database_away: bool,
    stopping: bool,
    pulse: Pulse,
}

impl Instance {
    /// This process under a name of its own, with the time of `clock`. Ready unless a heartbeat finds otherwise.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let clock = Arc::new(SoundClock::new(clock));
        Self {
            id: uuid::Uuid::new_v4().to_string().into(),
            // Nobody is told the time before it was compared: the first beat may still correct it.
            started_at: clock.raw().now(),
            flights: Arc::default(),
            gate: gate::Gate::new(limits::QUEUE_BIDS, limits::BODIES_PER_ORG),
            standing: Mutex::default(),
            clock,
        }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Its time.
    pub fn clock(&self) -> &Arc<SoundClock> {
        &self.clock
    }

    /// What it has in flight.
    pub fn flights(&self) -> &Flights {
        &self.flights
    }

    /// How far its clock was from the shared one, in milliseconds; more than 0: ahead.
    pub fn offset_ms(&self) -> i64 {
        self.standing().offset_ms
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // A panic elsewhere leaves plain numbers behind: they are still good.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it takes bids now. A clock that was set since the last heartbeat is noticed here, not a second later.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<(), Unready> {
        let standing = *self.standing();
        if standing.stopping {
            Err(Unready::Stopping)
        } else if standing.clock_off || !self.clock.is_sound() {
            Err(Unready::Clock)
        } else if standing.database_away {
            Err(Unready::Database)
        } else {
            Ok(())
        }
    }

    /// Notes what a comparison of the clocks found.
    pub fn compared(&self, found: Compared) {
        let mut standing = self.standing();
        (standing.clock_off, standing.offset_ms) = (!found.sound, found.offset_ms);
    }

    /// Notes whether the database answers.
    pub fn database_away(&self, away: bool) {
        self.standing().database_away = away;
    }

    /// Notes that it takes no new bids any more.
    pub fn stopping(&self) {
        self.standing().stopping = true;
    }

    /// What the heartbeat remembers of its last time.
    pub fn pulse(&self) -> Pulse {
        self.standing().pulse
    }

    /// Keeps what the heartbeat remembers.
    pub fn remember(&self, pulse: Pulse) {
        self.standing().pulse = pulse;
    }

    /// The head of a header's request is in: from now on it is in flight.
    pub fn begin(&self) -> Flight {
        Flights::begin(&self.flights, &*self.clock)
    }

    /// Lets a header of `org` in before its body is read: with the pass it finds its place in the queue.
    ///
    /// # Errors
    /// When all places are taken, or the organisation sends as many bodies already as it may.
    pub fn admit(&self, org: &str, flight: Flight) -> Result<Pass, Full> {
        self.gate.admit(org, flight, self.id.clone(), self.offset_ms())
    }

    /// How many bodies of `org` are being read.
    pub fn bodies_of(&self, org: &str) -> usize {
        self.gate.bodies_of(org)
    }
}
