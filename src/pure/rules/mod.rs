//! The law as data and pure functions.
//!
//! Promise: whether a lot, a bid or an opening may move is decided here and nowhere else, from a table that a domain
//! expert can read, and every refusal names its rule, its source and what would make the act possible.
//! Invariants: pure (no database, web, clock or files; the moment and the facts are given); a released edition is
//! never edited, a new rule is a new edition; tables instead of branches, so that a category is a set of columns and
//! no code asks which category it is. Deliberately not here: who is signed in, what is stored, how a notice looks.

pub mod bid;
pub mod calendar;
pub mod catalogue;
pub mod catalogue_rows;
pub mod ceremony;
pub mod codes;
pub mod diagrams;
pub mod duties;
pub mod editions;
pub mod envelopes;
pub mod facts;
pub mod guards;
pub mod hold;
pub mod lot_words;
pub mod machine;
mod names;
pub mod objection;
pub mod opening;
pub mod ranking;
pub mod refusal;
pub mod rejection;
pub mod table;
#[cfg(test)]
mod tests;
