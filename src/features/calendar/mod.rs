//! The business calendar of the installation: the years that came with the program, overridden by imported ones.
//!
//! Promises: an import is on record and is read before it is stored; a year that is not announced says so, here and in
//! every period that rests on it. How days are counted is for the rules.

pub mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
