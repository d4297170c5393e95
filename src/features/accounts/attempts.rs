//! Wrong passwords: pauses that grow, for one login from one network.
//!
//! A pause concerns a login *from a network*: whoever guesses at somebody's password from elsewhere cannot keep its owner
//! out, and no account is ever locked as a whole. Beside it every network has a budget over all logins; a login that has
//! signed in from a network before does not pay from it, so that a neighbour who guesses cannot keep it out either. An
//! attempt counts when it begins, so that a hundred at once are no more than a hundred in a row, and is taken back when it
//! succeeds. A login that does not exist is counted like any other.
//!
//! Each server counts for itself, in memory: with two servers twice as many attempts are possible.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::http::budgets::PASSWORDS;
use crate::http::rate::{Payer, Rates};
use crate::http::recent::Recent;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::network::Network;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::limits;
use crate::refusals;

/// What is known of a login from a network.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// Attempts since the last success that did not succeed, or have not yet.
    failures: u32,
    /// When the last one began.
    last_at: i64,
    /// It has signed in from there.
    familiar: bool,
}

/// The attempts that this server has seen lately.
#[derive(Debug)]
pub struct Attempts(Mutex<Recent<Digest, Known>>);

/// An attempt that may be made.
#[derive(Debug)]
pub struct Attempt {
    key: Digest,
    paid: Option<Payer>,
}

/// How long after `failures` attempts the next one has to wait, in milliseconds.
fn pause(failures: u32) -> i64 {
    let Some(beyond) = failures.checked_sub(limits::SIGN_IN_FREE_ATTEMPTS) else { return 0 };
    (limits::SIGN_IN_PAUSE_MS << beyond.min(20)).min(limits::SIGN_IN_PAUSE_MOST_MS)
}

impl Attempts {
    /// None yet.
    pub fn new() -> Self {
        Self(Mutex::new(Recent::new(limits::RATE_BUCKETS)))
    }

    fn known(&self) -> MutexGuard<'_, Recent<Digest, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// `sign-in-paused` while this login has to wait here; `rate-limited` when the network has guessed too much.
    pub fn begin(&self, rates: &Rates, login: &str, network: Network, now: Timestamp) -> Result<Attempt> {
        // Logins can be as long as a body; what is kept of them cannot.
        let key = sha256(format!("{network} {login}").as_bytes());
        let mut all = self.known();
        let mut known = all.get(&key).copied().unwrap_or_default();
        if now.millis() - known.last_at > limits::SIGN_IN_FORGET_MS {
            known.failures = 0;
        }
        let wait = (known.last_at + pause(known.failures) - now.millis()).min(limits::SIGN_IN_PAUSE_MOST_MS);
        if wait > 0 {
            return Err(refusals::sign_in_paused(now.plus_millis(wait)).into());
        }
        let payer = Payer::Network(network);
        if !known.familiar
            && let Some(until) = rates.take(&payer, PASSWORDS, now).until
        {
            return Err(refusals::rate_limited(until).into());
        }
        let paid = (!known.familiar).then_some(payer);
        *all.touch(key) = Known { failures: known.failures.saturating_add(1), last_at: now.millis(), ..known };
        Ok(Attempt { key, paid })
    }

    /// Takes an attempt back that succeeded.
    pub fn succeeded(&self, rates: &Rates, attempt: Attempt) {
        let mut all = self.known();
        let known = all.touch(attempt.key);
        *known = Known { failures: 0, familiar: true, ..*known };
        if let Some(payer) = attempt.paid {
            rates.give_back(&payer, PASSWORDS);
        }
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn network(text: &str) -> Network {
        text.parse().expect("a network")
    }

    #[test]
    fn pauses_grow_to_their_bound() {
        assert_eq!(pause(limits::SIGN_IN_FREE_ATTEMPTS - 1), 0);
        assert_eq!(pause(limits::SIGN_IN_FREE_ATTEMPTS), limits::SIGN_IN_PAUSE_MS);
        assert_eq!(pause(limits::SIGN_IN_FREE_ATTEMPTS + 1), 2 * limits::SIGN_IN_PAUSE_MS);
        assert_eq!(pause(u32::MAX), limits::SIGN_IN_PAUSE_MOST_MS);
    }

    #[test]
    fn a_familiar_login_is_not_kept_out_by_a_neighbour_who_guesses() {
        let (attempts, rates) = (Attempts::new(), Rates::new(1));
        let office = network("192.0.2.1");
        let own = attempts.begin(&rates, "zhang", office, START).expect("the first");
        attempts.succeeded(&rates, own);
        let guesses = (0..10 * PASSWORDS.burst).map(|n| attempts.begin(&rates, &format!("guess{n}"), office, START));
        assert!(guesses.filter(Result::is_err).count() > 0, "the network's budget is used up");
        assert!(attempts.begin(&rates, "li", office, START).is_err(), "a login that is new here waits");
        assert!(attempts.begin(&rates, "zhang", office, START).is_ok());
        assert!(attempts.begin(&rates, "li", network("198.51.100.1"), START).is_ok(), "elsewhere nothing has happened");
    }

    #[test]
    fn attempts_at_once_are_no_more_than_attempts_in_a_row() {
        let (attempts, rates) = (Attempts::new(), Rates::new(1));
        let begun = (0..100).filter(|_| attempts.begin(&rates, "zhang", network("192.0.2.1"), START).is_ok()).count();
        assert_eq!(begun, limits::SIGN_IN_FREE_ATTEMPTS as usize);
    }
}
