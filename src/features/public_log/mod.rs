//! The public log, as everybody may ask for it: tiles, checkpoint, keys, policy, and disclosures after the opening.
//!
//! Promises: what is served are files that were signed for, with the cache headers that their kind allows. How the log grows is
//! [`crate::log`]'s business; what is disclosed of a lot is decided here.

mod changes;
pub mod disclosure;
pub mod http;
