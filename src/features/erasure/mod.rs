//! Erasure: a person's right that the personal parts of entries go, while everything else of the record still proves.
//!
//! Promises: an administrator erases with a reason, and that is on record without naming the person in the open; the digest of
//! part i stays, so that commitments and proofs hold. The rule of the open file: what belongs to a lot that is not settled
//! (concluded, unsuccessful, terminated) is evidence still and goes once the lot is settled, without anybody asking again. The
//! erasure stands until every lot that there was when it was asked for is settled, whoever took part in it: its state
//! tells nothing of who bids. The bytes leave SQLite's file with the row, its write-ahead log with the next round of the
//! sweeper, and every other place when `sealbid admin purge-erased` has rewritten the tables.
//! Left out: the account itself, with name and address. It is a subject of the record, and ends by being disabled.

mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod purge;
pub mod queries;
