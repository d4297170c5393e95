//! Sealed bids, bytes in and bytes out: format `sealbid/1`.
//!
//! Promise: what is sealed here can be read only with the private key of the key set it is sealed to; what is opened is
//! exactly what the bidder sealed, and anybody can check both from the published values. A bidder cannot choose between
//! two contents after the deadline, and nobody can take over or rewrap another bidder's slot.
//!
//! The pieces, from the bottom: [`points`] parses group elements, `products` multiplies them, [`kdf`], [`hpke`] (RFC 9180), [`hash_to_scalar`] (RFC
//! 9380), [`dleq`] (RFC 9497), [`pok`], [`stream`] and [`merkle`] (RFC 9162) are the cryptography; [`jws`], [`keyset`],
//! [`envelope`] and [`withdrawal`] are the signed objects; [`manifest`], [`tar`], [`part_writer`] and [`part_reader`] are the plaintext
//! of a part; [`sealing`] is what a bidder's client does, [`unsealing`] what an opening does, and [`escrow`] what both do with a
//! bidder's key that is deposited.
//!
//! The composition of these published primitives has not been reviewed by outside cryptographers.
//!
//! Invariant: no files, no clock, no database, no network, no async. Public functions draw randomness from the system;
//! everything that consumes randomness has an internal form that takes it as an argument, so that the published vectors
//! in `tests/vectors` can be reproduced byte by byte.
//!
//! Deliberately absent: dealt and time-locked slots (the parsers refuse them by name), and any
//! notion of deadlines, permissions or storage.

pub mod ceremony;
pub mod dleq;
pub mod envelope;
pub mod error;
pub mod escrow;
pub mod hash_to_scalar;
pub mod hpke;
pub mod ids;
pub mod jws;
pub mod kdf;
pub mod keys;
pub mod keyset;
pub mod limits;
pub mod manifest;
pub mod merkle;
pub mod part_reader;
pub mod part_writer;
pub mod partials;
mod pem;
pub mod points;
pub mod pok;
mod products;
mod random;
pub mod sealing;
pub mod slot;
pub mod snapshot;
pub mod stream;
pub mod strict_json;
pub mod tar;
pub mod threshold;
pub mod unsealing;
pub mod withdrawal;

#[cfg(test)]
mod tests;

/// The version every object of this format carries in its field `v`.
pub const VERSION: &str = "sealbid/1";
