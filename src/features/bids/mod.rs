//! Sealed bids: from the header that makes one to the receipt that its bidder keeps.
//!
//! Promises: the act of bidding is one signed header over payloads that were uploaded before; whether it is in time is
//! decided by the instant at which its last byte was in; every version stays on record, and the last one counts. A
//! header that is on record already is answered with its own receipt, whenever and however often it comes again. A
//! header that is in order but that a rule refuses is on record too, with a signed refusal, so that a bidder can prove
//! that it tried. What a caller may learn here never depends on what others did: no operation counts or names other
//! bids, and nothing touches the lot's row.
//!
//! The initiator's sealed reserve price lies in the same box, as a bid of another kind.
//!
//! Deliberately not here: opening anything, and what a bid says.

pub mod changes;
pub mod fixed;
pub mod http;
pub mod judge;
pub mod model;
pub mod ops;
pub mod queries;
mod refusals;
pub mod refused;
pub mod reserve;
pub mod signed;
pub mod submission;
pub mod view;
