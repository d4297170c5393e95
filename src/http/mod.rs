//! How the platform is asked over HTTP: reading requests, knowing callers, answering in one voice.
//!
//! Promises: every error is `application/problem+json` with a stable code and a request id; a route that is not in the
//! permission table does not answer; a route that touches sealed facts leaves nothing of them in logs. What is done
//! with a request is the features' business.

pub mod accept;
pub mod budgets;
pub mod client_address;
pub mod codes;
pub mod cursor;
mod denied;
pub mod extract;
pub mod health;
pub mod middleware;
pub mod openapi;
pub mod permissions;
pub mod problem;
pub mod rate;
pub mod recent;
pub mod reply;
pub mod routes;
pub mod seal_page;
pub mod server;
mod shared_answers;
pub mod token;
pub mod watching;
