//! The words everything else is written in: identifiers, money, time, texts in two languages, roles, digests.
//!
//! Promise: every type here can only hold a value that makes sense (an id with its own prefix, an amount with its
//! currency, a moment that can be written down), and has exactly one form on the wire.
//! Invariant: pure. Nothing here opens a database, a socket or a file, reads a clock or waits; floats do not occur.
//! Deliberately not here: anything that knows what a tender is. That is the business of `rules`.
//!
//! One word for one thing, in code, in the API and in the record:
//! a *lot* (标段/宗地/标的) is what is traded; an *initiator* (招标人/出让人/转让方) starts the procedure, whatever
//! the category calls it; a *bid* (投标文件/报价) is what a *bidder* submits; the *centre* (交易中心) reviews and
//! witnesses; an *inspector* (监察) reads and orders holds; to *withdraw* (撤回) is before the deadline, to *revoke*
//! (撤销) after it; a lot without a result is *unsuccessful* (流标), one stopped on purpose is *terminated* (终止).

pub mod canonical;
pub mod digest;
pub mod encoding;
pub mod id;
pub mod memo;
pub mod money;
pub mod network;
pub mod org_identifier;
pub mod parallel;
pub mod principal;
pub mod role;
pub mod secret;
pub mod text;
pub mod time;
