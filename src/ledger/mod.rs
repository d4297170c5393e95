//! The only door through which anything is written.
//!
//! Promises: whatever changes a subject is on record in the same transaction, entry first; nobody is told "done" before
//! it is durable; a use case that is refused leaves no trace; a repeated request acts once. A use case is a closure over
//! [`Tx`] that may be run again from the start, so it must not do anything outside its transaction.
//!
//! On SQLite one writer thread gathers use cases into one commit, a savepoint each; on PostgreSQL a few writers run one
//! serializable transaction per use case. What a change means is the features' business, not the ledger's.

pub mod audit;
pub mod change;
mod commit;
pub mod context;
pub mod error;
mod halt;
pub mod idempotency;
pub mod outbox;
mod queue;
pub mod reader;
pub mod record;
mod upkeep;

pub use change::{Subject, Tx, WriteConn};
pub use commit::{Answer, Ledger};
pub use context::{Context, Lane};
pub use error::{Error, Failure, Result};
pub use idempotency::Idempotency;
pub use outbox::Mail;
pub use reader::Reader;
pub use record::Record;
