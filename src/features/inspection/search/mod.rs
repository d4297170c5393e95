//! The table by which inspectors search the record, and the queue from which it is filled.
//!
//! `audit_search` has a row for each entry with what searches filter and order by, and the indexes for it; it is no evidence
//! and can be made again from the entries at any time. Its words are numbers of `audit_name` ([`names`]), so that an index takes
//! some twenty bytes for an entry. Each entry is written with a row of `audit_unsearched`, and leaves
//! that queue in the transaction that brings it into the table: nothing remembers how far somebody had come, since of two
//! entries the later may be committed first. Promise: whoever searches finds everything that was committed before he
//! asked ([`ops::catch_up`]). Invariant: what a search shows is decided again by the entries themselves ([`queries::entries`]),
//! so that a table that was tampered with shows nothing that is sealed.

mod changes;
pub mod names;
pub mod ops;
pub mod queries;
