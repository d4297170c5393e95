//! Solicitation documents: attached by the initiator, fetched signed in.
//!
//! Promises: a document never changes once attached, and its digest is that of the bytes on disk; who fetched documents is
//! a sealed fact, on record before the first byte leaves; nobody but the initiator, the centre and inspectors gets a
//! document before the notice. Which documents make a revision is the lot's business.

pub mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
