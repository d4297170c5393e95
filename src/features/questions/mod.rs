//! Questions about the documents, and objections to them.
//!
//! Promises: who asked is a sealed fact that no answer of the interface ever names; an answer goes to everybody alike; an
//! objection that comes in time stops the procedure until it is answered, in the same commit; one that comes too late is
//! on record with the rule that says so. Objections to the opening and to the result belong to other features.

pub mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
