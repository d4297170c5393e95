//! Ceremonies: custodians make the key that the bids of a lot are sealed to.
//!
//! Promises: the platform only carries messages, each signed by its member and checked by everybody, itself included; a key set
//! is published when all members have accepted one transcript; whoever is at fault is named, with the evidence on record. Nobody
//! at the platform holds a share. Left to `rules::ceremony`: what may be said when; to `seal::ceremony`: whether it is right.

mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
mod spoken;
