//! Inspection: searching the record, and proving that what is stored follows from it.
//!
//! Promises: nobody looks at the record without a trace, since the look is committed before anything is shown; entries
//! about sealed facts do not exist for any query until their lot is released, pages and counts included; the personal
//! part of an entry is never shown. [`replay`] recomputes everything that the record implies and names what differs.
//! An inspector only reads here; ordering a hold is an act on the lot.

pub mod asked;
pub mod at;
pub mod attempts;
pub mod evidence;
pub mod export;
pub mod http;
pub mod leaves;
pub mod model;
pub mod ops;
pub mod queries;
pub mod reach;
pub mod replay;
pub mod report;
pub mod search;
