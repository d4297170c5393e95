//! The tool of those who keep shares: what `sealbid custodian` does on the machine of a custodian.
//!
//! A custodian believes nobody: not the platform, whose word it asks for, and not the other custodians. What it believes stands
//! in its own file ([`state`], encrypted by [`vault`]): its keys, its shares, the platform's and the log's keys as they were
//! when it began, and the last head of the log that it saw. Promises:
//!
//! - a message of a ceremony is in the file before it is sent; after a crash the same one is sent again, never another;
//! - no share is used before the opening time by this machine's own clock, whatever the platform's clock shows;
//! - no share is used for a snapshot that is not the platform's, not whole, not of this key set, or not in the log that was
//!   followed; nor for a second snapshot of one key set, the first being on file before the first answer leaves;
//! - whoever shows another key, another history of the log, or another message than the one that was sent is refused by name
//!   ([`refusal`]), and the refusal says what to do.
//!
//! [`ceremony`], [`opening`] and [`repair`] decide, without a server, a file or a clock; [`watch`] follows the log; [`desk`] puts them to
//! work. Deliberately absent: questions to the person who sits before it, which are the command line's.

pub mod ceremony;
pub mod desk;
mod hidden;
pub mod opening;
pub mod platform;
pub mod refusal;
pub mod repair;
pub mod state;
pub mod vault;
pub mod watch;

pub use refusal::{Error, Kind, Refusal, Result};

#[cfg(test)]
mod tests;
