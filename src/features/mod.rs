//! What the platform does, one folder a subject; in each, `model` has the types, `ops` the use cases, `changes` every
//! write, `queries` every read, `http` the routes. A feature uses another through its `ops`, `queries` and `model`.

pub mod accounts;
pub mod bids;
pub mod break_glass;
pub mod calendar;
pub mod ceremonies;
pub mod custodians;
pub mod documents;
pub mod erasure;
pub mod evaluation;
pub mod inspection;
pub mod instances;
pub mod key_sets;
pub mod lots;
pub mod mails;
pub mod mandates;
pub mod notices;
pub mod opening;
pub mod partials;
pub mod projects;
pub mod public_log;
pub mod questions;
pub mod restoration;
pub mod uploads;
