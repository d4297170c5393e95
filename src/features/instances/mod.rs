//! The servers of the platform: their heartbeats, and what the record says of the platform itself.
//!
//! Promise: a closing waits, bounded, for whatever some server may still have in flight from before the deadline; the
//! times in which no server was ready are on record as soon as one is ready again. Invariant: a server's word counts only
//! when it was said after the deadline. Deliberately not here: what a closing or an outage means for a lot (`rules`).

mod changes;
pub mod model;
pub mod ops;
pub mod queries;
