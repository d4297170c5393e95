//! Counting requests: a bucket for each payer and budget, in bounded memory, by the platform's clock.
//!
//! Each server counts for itself and forgets at its end: a limit here keeps one caller from the work of the others, and
//! is no rule of the proceedings. A bucket is one number, the instant at which it would be full again (the generic cell
//! rate algorithm).

use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpResponse, ResponseError};

use super::budgets::{self, Budget, Counted};
use super::extract::{Caller, Meta};
use super::recent::Recent;
use crate::kernel::network::Network;
use crate::kernel::time::Timestamp;
use crate::ledger::Error;
use crate::limits;
use crate::refusals;

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Payer {
    /// A signed-in caller, by its id.
    Principal(String),
    /// Whoever comes from this network.
    Network(Network),
}

/// What taking from a bucket came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// From which budget, multiplied as configured.
    pub budget: Budget,
    /// What is left.
    pub left: i64,
    /// Until when there is nothing, where nothing was left.
    pub until: Option<Timestamp>,
}

/// All buckets of this server.
#[derive(Debug)]
pub struct Rates {
    factor: i64,
    // Apart, so that a flood of strangers cannot make us forget who is signed in.
    principals: Mutex<Recent<(Payer, &'static str), i64>>,
    networks: Mutex<Recent<(Payer, &'static str), i64>>,
}

impl Rates {
    /// Full buckets, of budgets multiplied by `factor`.
    pub fn new(factor: u32) -> Self {
        let buckets = || Mutex::new(Recent::new(limits::RATE_BUCKETS));
        Self { factor: i64::from(factor), principals: buckets(), networks: buckets() }
    }

    fn buckets(&self, payer: &Payer) -> MutexGuard<'_, Recent<(Payer, &'static str), i64>> {
        let side = match payer {
            Payer::Principal(_) => &self.principals,
            Payer::Network(_) => &self.networks,
        };
        side.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one request from a bucket.
    pub fn take(&self, payer: &Payer, budget: Budget, now: Timestamp) -> Taken {
        // In microseconds: a multiplied budget comes back faster than a clock's milliseconds.
        let now_us = now.millis() * 1_000;
        let every = (budget.every_ms * 1_000 / self.factor).max(1);
        let budget = Budget { burst: budget.burst * self.factor, ..budget };
        let most = every * budget.burst;
        let mut buckets = self.buckets(payer);
        let full_at = buckets.touch((payer.clone(), budget.name));
        // A clock that was set back must not keep anybody waiting for longer than an empty bucket does.
        let next = (*full_at).clamp(now_us, now_us + most) + every;
        if next - now_us > most {
            let until = now.plus_millis((next - now_us - most).div_euclid(1_000) + 1);
            return Taken { budget, left: 0, until: Some(until) };
        }
        *full_at = next;
        Taken { budget, left: (most - (next - now_us)) / every, until: None }
    }

    /// Gives one request back.
    pub fn give_back(&self, payer: &Payer, budget: Budget) {
        let every = (budget.every_ms * 1_000 / self.factor).max(1);
        *self.buckets(payer).touch((payer.clone(), budget.name)) -= every;
    }

    /// Takes what a request costs before it is served.
    ///
    /// # Errors
    /// `rate-limited`.
    pub fn admit(&self, req: &ServiceRequest, meta: &Meta, method: &str, pattern: Option<&str>) -> Result<(), Error> {
        let caller = req.extensions().get::<Caller>().map(|caller| (caller.id(), budgets::of_caller(&caller.roles)));
        let taken = match (pattern.map_or(Counted::ByCaller, |pattern| budgets::counted(method, pattern)), caller) {
            (Counted::Not | Counted::Refusals(_), _) => return Ok(()),
            (Counted::ByCaller, Some((id, budget))) => self.take(&Payer::Principal(id), budget, meta.started_at),
            (Counted::ByCaller, None) => match network(meta) {
                Some(payer) => self.take(&payer, budgets::STRANGERS, meta.started_at),
                None => return Ok(()),
            },
            (Counted::Network(budget), _) => match network(meta) {
                Some(payer) => self.take(&payer, budget, meta.started_at),
                None => return Ok(()),
            },
        };
        req.extensions_mut().insert(taken);
        taken.until.map_or(Ok(()), |until| Err(refusals::rate_limited(until).into()))
    }

    /// Takes what a refusal costs where only refusals do, and returns what is said instead when nothing is left.
    pub fn refused(&self, meta: &Meta, method: &str, pattern: Option<&str>) -> Option<(HttpResponse, Taken)> {
        let Counted::Refusals(budget) = budgets::counted(method, pattern?) else { return None };
        let taken = self.take(&network(meta)?, budget, meta.started_at);
        let until = taken.until?;
        Some((Error::from(refusals::rate_limited(until)).error_response(), taken))
    }
}

/// The network that a request comes from, as a payer.
pub fn network(meta: &Meta) -> Option<Payer> {
    meta.address.map(|address| Payer::Network(Network::of_client(address)))
}

/// Says the budget in headers, and when to come back (draft-ietf-httpapi-ratelimit-headers). What is left is told only
/// when it is nothing: a number that moves with every request would tell how busy others are who share a network or an
/// account.
pub fn say(headers: &mut HeaderMap, taken: &Taken, now: Timestamp) {
    let Budget { name, burst, every_ms } = taken.budget;
    let window = (every_ms * burst).div_euclid(1_000).max(1);
    let mut put = |header: &'static str, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(header), value);
        }
    };
    put("ratelimit-policy", format!("\"{name}\";q={burst};w={window}"));
    if let Some(until) = taken.until {
        put("ratelimit", format!("\"{name}\";r=0;t={}", seconds_until(until, now)));
    }
}

/// Whole seconds from `now` until `at`, at least one.
pub fn seconds_until(at: Timestamp, now: Timestamp) -> i64 {
    (at.millis() - now.millis()).div_euclid(1_000).saturating_add(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: Budget = Budget { name: "few", burst: 3, every_ms: 1_000 };

    fn payer(text: &str) -> Payer {
        Payer::Network(text.parse().expect("a network"))
    }

    #[test]
    fn a_bucket_empties_and_fills_again_with_time() {
        let rates = Rates::new(1);
        let start = Timestamp::from_millis(1_800_000_000_000);
        let take = |at: Timestamp| rates.take(&payer("192.0.2.1"), FEW, at);
        assert_eq!([take(start).left, take(start).left, take(start).left], [2, 1, 0]);
        let refused = take(start);
        assert_eq!((refused.left, refused.until), (0, Some(start.plus_millis(1_001))));
        assert_eq!(take(start.plus_millis(999)).until, Some(start.plus_millis(1_001)));
        assert_eq!(take(start.plus_millis(1_001)).until, None, "at the instant that was promised");
        assert_eq!(take(start.plus_seconds(3_600)).left, 2, "never more than full");
    }

    #[test]
    fn one_payer_takes_nothing_from_another() {
        let rates = Rates::new(1);
        let now = Timestamp::from_millis(1_800_000_000_000);
        for _ in 0..10 {
            rates.take(&payer("192.0.2.1"), FEW, now);
        }
        assert_eq!(rates.take(&payer("192.0.2.2"), FEW, now).left, 2);
        assert_eq!(rates.take(&Payer::Principal("usr-1".into()), FEW, now).left, 2);
        let other = Budget { name: "other", ..FEW };
        assert_eq!(rates.take(&payer("192.0.2.1"), other, now).left, 2, "budgets are apart");
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_a_factor_multiplies() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let rates = Rates::new(1);
        for _ in 0..10 {
            assert_eq!(rates.take(&payer("192.0.2.1"), FEW, now).until, None);
            rates.give_back(&payer("192.0.2.1"), FEW);
        }
        assert_eq!(Rates::new(10).take(&payer("192.0.2.1"), FEW, now).left, 29);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting_for_long() {
        let rates = Rates::new(1);
        let now = Timestamp::from_millis(1_800_000_000_000);
        for _ in 0..3 {
            rates.take(&payer("192.0.2.1"), FEW, now);
        }
        let before = now.plus_seconds(-86_400);
        assert_eq!(rates.take(&payer("192.0.2.1"), FEW, before).until, Some(before.plus_millis(1_001)));
    }
}
