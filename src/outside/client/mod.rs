//! A client of the HTTP interface, for the command line and the demonstration. It blocks.
//!
//! Promises: what may be repeated is repeated after a broken line or a busy server, with the same `Idempotency-Key`, so
//! that an act happens once; an upload goes on where it broke off; a key set and a receipt are checked before they are
//! trusted. It knows of the server only what the API description says: answers are read for the fields that are needed,
//! and what else they hold is left alone. Deliberately absent: judging whether a request is allowed, which the server
//! knows better.

mod bids;
pub mod custodians;
mod error;
mod http;
mod log;
mod people;
mod procedures;
pub mod sealer;
mod upload;
pub mod wire;

pub use bids::{Submitted, act};
pub use error::{ClientError, Problem, Result};
pub use http::Client;
pub use http::new_key;
pub use log::RemoteLog;
pub use people::key_proof;
pub use upload::{Source, UploadFor};
