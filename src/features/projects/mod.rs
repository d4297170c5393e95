//! Projects: what lots belong to, under the number of their approval.
//!
//! Promises: a project belongs to one confirmed organisation, and its code is unique there. A project has no states of its
//! own and decides nothing: rules look at lots.

pub mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
