//! Partial decryptions: what the holders of shares give when a box opens.
//!
//! Promises: what they answer to is fixed once, signed and in the public log, before any share is used; a share that is not
//! what it must be is refused and its giver named; nobody's share is accepted before the opening began. Left to `opening`:
//! putting shares together; to `seal`: whether a share is right.

mod changes;
pub mod escrow;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
