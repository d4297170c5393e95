//! Lots: what is traded, from its registration to its result.
//!
//! Promises: a lot's state moves only through [`ops::act`], which asks the rules' table and then carries out what the
//! table says follows, all in one commit; due times are a column computed by the rules, so that a crash loses nothing;
//! nothing public of a lot changes when somebody bids. What bids contain, and how they open, is for other features.

pub mod changes;
pub mod effects;
pub mod facts;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
pub mod timeline;
pub mod view;
