//! The databases: connections, migrations, and everything that is said differently to SQLite and to PostgreSQL.
//!
//! Promises that a [`Conn`] always speaks to a migrated database with its guards on (foreign keys above all), and that
//! a connection made for reading cannot write. What is written, and how, is the ledger's business.

pub mod connection;
pub mod dialect;
pub mod grants;
mod kept;
pub mod migrate;
mod pages;
pub mod probe;
#[rustfmt::skip]
pub mod schema;

pub use connection::{Conn, DbUrl, Mode, Pool};
pub use kept::{Insert, Kept, Update};
