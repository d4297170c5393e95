//! Sealbid: sealed-bid tenders for a public-resource trading centre.
//!
//! Bids stay encrypted until a scheduled opening, and every transition is on record. The modules, in reading order:
//!
//! - pure, without database, web, clock or files: [`kernel`] (the vocabulary), [`rules`] (the law as tables),
//!   [`seal`] (sealed bids), [`tlog`] (the form of the record);
//! - [`db`] (two databases behind one connection), [`ledger`] (the only door for writes) and [`log`] (the public log of what
//!   is written);
//! - [`features`] (what the platform does, one folder a subject);
//! - [`http`], [`cli`] (how it is asked to), and [`metrics`] (what may be watched).

pub use sealbid_outside::{client, clock, custodian, verify, witness};
pub use sealbid_pure::{kernel, limits, rules, seal, tlog};

pub mod app;
pub mod bench;
pub mod blobs;
pub mod cli;
pub mod config;
pub mod db;
pub mod demo;
pub mod derived;
pub mod drill;
pub mod faults;
pub mod features;
pub mod http;
pub mod instance;
pub mod keys;
pub mod ledger;
pub mod log;
pub mod metrics;
pub mod refusals;
pub mod stage;
pub mod worker;
