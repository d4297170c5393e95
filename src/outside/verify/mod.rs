//! Checks of the public log, for whoever does not believe the platform: receipts, heads, tiles, disclosures, dumps, evidence.
//!
//! No database and no web server: what is checked comes as text, as lines, or from a [`source::Source`] of files. Promises:
//! *proven* is said only of what follows from the keys and the policy that were given from outside of the log; *refuted*
//! names the entry or the tile; whatever is missing, or of a version that this program does not know, is *undecided*; two
//! signed heads that contradict each other are told apart from all of these, because together they are evidence against the
//! log. Memory does not grow with the size of the log. `docs/log-format.md` is what it goes by.

pub mod bundle;
pub mod disclosure;
pub mod dump;
pub mod heads;
pub mod monitor;
pub mod opened;
pub mod opening;
pub mod receipt;
pub mod report;
pub mod source;
pub mod streams;
pub mod tiles;
pub mod tree;
pub mod trust;

#[cfg(test)]
mod tests;
