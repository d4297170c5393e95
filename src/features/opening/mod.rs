//! The opening session: from the moment the box opens until its record is closed.
//!
//! Promises: nothing is unsealed before a lot's opening began; every envelope of the box gets exactly one stored outcome,
//! whoever tries it and however often; no outcome is shown to anybody before the read-out, except that the parties who
//! run the session learn which bids failed, because a person has to say through whose fault; the read-out reveals the
//! whole box in one transition; what the record says of a bid can be checked by outsiders with the published shares.
//! Deliberately not here: the cryptography (`seal`), who may do what when (`rules::opening`), and what a price means
//! (`evaluation`).

pub mod bundle;
mod changes;
pub mod facts;
pub mod html;
pub mod http;
pub mod model;
pub mod objections;
pub mod ops;
pub mod queries;
pub mod record;
pub mod reserve;
pub mod unopened;
pub mod unsealing;
pub mod view;
