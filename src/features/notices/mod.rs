//! Notices: what the public is told, and the messages that go with it.
//!
//! Promises: a notice is published in the commit of the act it tells of; its content has a hash, so that every medium can
//! show that it carries the same text; a notice is never changed. Who is told of sealed procedures is itself sealed.

pub mod changes;
pub mod http;
pub mod mails;
pub mod model;
pub mod ops;
pub mod queries;
