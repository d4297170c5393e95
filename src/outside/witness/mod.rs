//! A witness (C2SP tlog-witness): sees the heads of logs, remembers the latest of each, and says so under its own key.
//!
//! Promises: for one origin it never signs a head that does not continue the one before; what it signs is on its disk before
//! its word goes out, so that a crash can cost an answer and never makes two histories; a state that its disk has damaged or that
//! was put back under it is noticed and nothing is signed on it. It knows nothing of the platform whose log it watches, and is
//! run by somebody else.

pub mod client;
mod http;
pub mod judge;
pub mod key;
pub mod server;
pub mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::judge::{Refusal, Request};
use self::key::WitnessKey;
use self::state::{StateError, States};
use crate::clock::Clock;
use crate::kernel::digest::{Digest, sha256};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::cosignature;
use crate::tlog::note::{Note, Verifier};

/// A witness of some logs.
pub struct Witness {
    key: WitnessKey,
    clock: Arc<dyn Clock>,
    states: States,
    logs: BTreeMap<String, Log>,
}

/// A log that is watched.
struct Log {
    keys: Vec<Verifier>,
    /// The note that was cosigned last. Held while a request is judged and written down.
    latest: Mutex<Option<String>>,
}

/// Why there is no cosignature.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The request is refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// What was seen cannot be written down, or is not what was written down.
    #[error("{0}")]
    State(#[from] StateError),
    /// The key does not sign.
    #[error("the key does not sign")]
    Key,
}

impl Witness {
    /// A witness of the logs whose keys these are; several keys of one name are those of one log.
    ///
    /// # Errors
    /// When the state of one of them is damaged.
    pub fn open(
        key: WitnessKey,
        logs: Vec<Verifier>,
        states: States,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StateError> {
        let mut known: BTreeMap<String, Vec<Verifier>> = BTreeMap::new();
        for log in logs {
            known.entry(log.name().to_owned()).or_default().push(log);
        }
        let mut watched = BTreeMap::new();
        for (origin, keys) in known {
            let latest = states.read(&origin)?;
            watched.insert(origin, Log { keys, latest: Mutex::new(latest) });
        }
        Ok(Self { key, clock, states, logs: watched })
    }

    /// The key that it signs with.
    pub fn verifier(&self) -> &Verifier {
        self.key.verifier()
    }

    /// Judges the body of an `add-checkpoint` request, writes down what was seen, and returns the cosignature's line.
    ///
    /// # Errors
    /// See [`AddError`].
    pub fn add(&self, body: &str) -> Result<String, AddError> {
        let request = Request::parse(body)?;
        let log = self.logs.get(request.origin()).ok_or(Refusal::Unknown)?;
        let head = request.open(&log.keys)?;
        // One at a time for one log: between looking at the latest head and writing the new one down nobody else does either.
        let mut latest = log.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = latest.as_deref().and_then(head_of);
        request.judge(&head, known.as_ref())?;
        self.states.still(&head.origin, latest.as_deref())?;
        let before = latest.as_deref().and_then(|note| self.seen_at(note)).unwrap_or(0);
        // The time of a word never goes back, whatever the clock does.
        let now = u64::try_from(self.clock.now().millis() / 1000).unwrap_or(0).max(before);
        let text = head.text();
        let mut failed = false;
        let line = cosignature::line(self.verifier(), now, &text, |bytes| {
            self.key.sign(bytes).unwrap_or_else(|_| {
                failed = true;
                Vec::new()
            })
        });
        if failed {
            return Err(AddError::Key);
        }
        let signed = request.lines_of(&log.keys);
        let note = format!("{text}\n{signed}{line}");
        self.states.write(&head.origin, &note)?;
        *latest = Some(note);
        Ok(line)
    }

    fn seen_at(&self, note: &str) -> Option<u64> {
        Note::parse(note).ok()?.verify(self.verifier()).ok()?.witnessed_at
    }

    /// The latest cosigned checkpoint of the log whose origin has this digest.
    pub fn latest(&self, origin: &Digest) -> Option<String> {
        let (_, log) = self.logs.iter().find(|(name, _)| sha256(name.as_bytes()) == *origin)?;
        log.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn head_of(note: &str) -> Option<Checkpoint> {
    Checkpoint::parse(Note::parse(note).ok()?.text()).ok()
}

#[cfg(test)]
mod tests;
