//! What an operator may watch, in the text format that Prometheus reads.
//!
//! Promises: nothing here moves with a sealed fact. Two platforms of which one has a bid more tell the same, see
//! `docs/decisions/0025-metrics-that-count-no-bids.md`. So requests are counted only where no bidder has to pass
//! ([`Group`]), everything else is a state with thresholds far above what one bid can move, and nothing tells rows,
//! commits, messages, bytes or the memory of the process.
//! A registry belongs to one platform, never to the process. Deliberately not here: who listens, which is `http`, and
//! who looks after the states, which is `worker`.

mod families;

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

pub use families::{FAMILIES, Family, State};

/// Requests that are counted. What is in no group is not counted at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Probes of load balancers.
    Health,
    /// Reading what is public, without signing in.
    Public,
    /// What only the centre, initiators, administrators and inspectors may do.
    Staff,
    /// Addresses that no route matches, without signing in.
    Unmatched,
}

impl Group {
    /// All groups.
    pub const ALL: [Self; 4] = [Self::Health, Self::Public, Self::Staff, Self::Unmatched];

    /// Its label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Public => "public",
            Self::Staff => "staff",
            Self::Unmatched => "unmatched",
        }
    }
}

/// Classes of answers.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// Upper ends of the buckets of durations: so coarse that the load of one bid does not show.
const BUCKETS: [(&str, Duration); 3] =
    [("0.25", Duration::from_millis(250)), ("1", Duration::from_secs(1)), ("10", Duration::from_secs(10))];
/// A state that nobody has looked at yet is left out.
const UNKNOWN: i64 = i64::MIN;

/// The registry of one platform.
pub struct Metrics {
    answers: [[AtomicU64; CLASSES.len()]; Group::ALL.len()],
    durations: [[AtomicU64; BUCKETS.len()]; Group::ALL.len()],
    states: [AtomicI64; State::COUNT],
    /// When a request last failed on our side, by the platform's clock, on whichever route.
    failed_at: AtomicI64,
    rounds: AtomicI64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            answers: Default::default(),
            durations: Default::default(),
            states: std::array::from_fn(|_| AtomicI64::new(UNKNOWN)),
            failed_at: AtomicI64::new(UNKNOWN),
            rounds: AtomicI64::new(UNKNOWN),
        }
    }
}

impl Metrics {
    /// Counts an answer of a group.
    pub fn answered(&self, group: Group, status: u16, took: Duration) {
        let group = group as usize;
        let class = usize::from(status / 100).saturating_sub(2).min(CLASSES.len() - 1);
        self.answers[group][class].fetch_add(1, Ordering::Relaxed);
        for (bucket, (_, most)) in self.durations[group].iter().zip(BUCKETS) {
            if took <= most {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Notes that a request failed on our side, on any route, and no more of it.
    pub fn failed(&self, now_ms: i64) {
        self.failed_at.store(now_ms, Ordering::Relaxed);
    }

    /// When a request last failed on our side.
    pub fn failed_at(&self) -> Option<i64> {
        Some(self.failed_at.load(Ordering::Relaxed)).filter(|at| *at != UNKNOWN)
    }

    /// Notes that the scheduler has finished a round.
    pub fn scheduled(&self, now_ms: i64) {
        self.rounds.store(now_ms, Ordering::Relaxed);
    }

    /// When the scheduler last finished a round.
    pub fn scheduled_at(&self) -> Option<i64> {
        Some(self.rounds.load(Ordering::Relaxed)).filter(|at| *at != UNKNOWN)
    }

    /// Sets a state; `None` where it cannot be told, which leaves it out.
    pub fn set(&self, state: State, value: Option<i64>) {
        self.states[state as usize].store(value.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// All of it as text.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for family in FAMILIES {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "# HELP {} {}\n# TYPE {0} {}", family.name, family.help, family.kind);
            match family.name {
                families::BUILD => {
                    let _ = writeln!(out, "{}{{version=\"{}\"}} 1", family.name, env!("CARGO_PKG_VERSION"));
                }
                families::REQUESTS => self.render_answers(&mut out),
                families::DURATIONS => self.render_durations(&mut out),
                _ => {}
            }
            for state in State::ALL {
                let value = self.states[state as usize].load(Ordering::Relaxed);
                if state.family() == family.name && value != UNKNOWN {
                    let _ = writeln!(out, "{}{} {value}", family.name, state.labels());
                }
            }
        }
        out
    }

    fn render_answers(&self, out: &mut String) {
        for group in Group::ALL {
            for (class, count) in CLASSES.iter().zip(&self.answers[group as usize]) {
                let count = count.load(Ordering::Relaxed);
                let _ =
                    writeln!(out, "{}{{group=\"{}\",status=\"{class}\"}} {count}", families::REQUESTS, group.name());
            }
        }
    }

    fn render_durations(&self, out: &mut String) {
        let name = families::DURATIONS;
        for group in Group::ALL {
            let label = group.name();
            for ((most, _), count) in BUCKETS.iter().zip(&self.durations[group as usize]) {
                let count = count.load(Ordering::Relaxed);
                let _ = writeln!(out, "{name}_bucket{{group=\"{label}\",le=\"{most}\"}} {count}");
            }
            let all: u64 = self.answers[group as usize].iter().map(|count| count.load(Ordering::Relaxed)).sum();
            let _ = writeln!(out, "{name}_bucket{{group=\"{label}\",le=\"+Inf\"}} {all}");
            let _ = writeln!(out, "{name}_count{{group=\"{label}\"}} {all}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_group_class_and_duration() {
        let metrics = Metrics::default();
        metrics.answered(Group::Staff, 201, Duration::from_millis(300));
        metrics.answered(Group::Staff, 503, Duration::from_secs(60));
        metrics.answered(Group::Public, 304, Duration::ZERO);
        let text = metrics.render();
        for line in [
            "sealbid_requests_total{group=\"staff\",status=\"2xx\"} 1",
            "sealbid_requests_total{group=\"staff\",status=\"5xx\"} 1",
            "sealbid_requests_total{group=\"public\",status=\"3xx\"} 1",
            "sealbid_request_duration_seconds_bucket{group=\"staff\",le=\"0.25\"} 0",
            "sealbid_request_duration_seconds_bucket{group=\"staff\",le=\"1\"} 1",
            "sealbid_request_duration_seconds_bucket{group=\"staff\",le=\"+Inf\"} 2",
            "sealbid_request_duration_seconds_count{group=\"staff\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn a_state_that_nobody_looked_at_is_left_out() {
        let metrics = Metrics::default();
        assert!(!metrics.render().contains("\nsealbid_ready "));
        metrics.set(State::Ready, Some(1));
        assert!(metrics.render().contains("\nsealbid_ready 1\n"));
        metrics.set(State::Ready, None);
        assert!(!metrics.render().contains("\nsealbid_ready "));
    }

    #[test]
    fn every_state_belongs_to_a_family_and_every_family_is_written_once() {
        for state in State::ALL {
            assert!(FAMILIES.iter().any(|family| family.name == state.family()), "{state:?}");
        }
        let mut names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAMILIES.len());
    }
}
