//! Key sets: what the bids of a lot are sealed to.
//!
//! Promises: every lot has a key pair of its own; its private half is stored encrypted under a key that does not live in
//! the database; it is used only with an [`OpeningPermit`](crate::rules::opening::OpeningPermit), which exists only for a
//! lot that is being opened; it is erased when a lot ends without opening. A platform key protects against leaks of the
//! database and its backups, not against the operator.

pub mod changes;
pub mod groups;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
