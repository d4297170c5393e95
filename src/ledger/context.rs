//! Who asks, and when: what every use case knows of its request.

use std::sync::Arc;

use crate::instance::Pass;
use crate::kernel::time::Timestamp;

/// Which queue a use case waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Everything but bids.
    General,
    /// Bids: a queue that other work cannot fill.
    Bids,
}

/// The caller of a use case, as the record will name it.
#[derive(Clone, Debug)]
pub struct Context {
    /// The user, where there is one.
    pub actor_id: Option<String>,
    /// The user's organisation.
    pub org_id: Option<String>,
    /// The role in which the caller acts, as the record spells it: `system`, `bidder`, …
    pub role: &'static str,
    /// When the last byte of the request was in.
    pub received_at: Timestamp,
    /// The request's id, the same as in the answer's `Request-Id`.
    pub request_id: String,
    /// The caller's address, kept in the erasable part.
    pub ip: Option<String>,
    /// The caller's program, kept in the erasable part.
    pub agent: Option<String>,
    /// Which queue.
    pub lane: Lane,
    /// The pass of a header that was let in: kept until the use case is decided, whether or not its caller still waits.
    pub pass: Option<Arc<Pass>>,
}

impl Context {
    /// The system itself, doing what is due.
    pub fn system(now: Timestamp, why: &str) -> Self {
        Self {
            actor_id: None,
            org_id: None,
            role: "system",
            received_at: now,
            request_id: why.to_owned(),
            ip: None,
            agent: None,
            lane: Lane::General,
            pass: None,
        }
    }

    /// The same caller in the queue for bids, with the pass that its header was let in with.
    pub fn for_bids(mut self, pass: Option<Arc<Pass>>) -> Self {
        self.lane = Lane::Bids;
        self.pass = pass;
        self
    }
}
