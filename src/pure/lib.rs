//! What needs no database, no web, no clock and no files: the vocabulary of the trade, the law as tables, sealed bids, the
//! form of the public log. Bytes in, bytes out; this crate has no dependency that could do more.

pub mod kernel;
pub mod limits;
pub mod rules;
pub mod seal;
pub mod tlog;
