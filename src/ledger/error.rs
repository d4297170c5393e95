//! The two ways in which work does not happen: refused, and the caller can act on it; failed, and we must.

use crate::db::dialect;
use crate::rules::refusal::Refusal;

/// What a use case returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a use case did not happen.
#[derive(Debug)]
pub enum Error {
    /// A rule or a precondition says no; the refusal says what would help.
    Refused(Box<Refusal>),
    /// Something broke.
    Failed(Failure),
}

/// What broke.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database answered with an error.
    #[error("database: {0}")]
    Database(diesel::result::Error),
    /// No connection could be had.
    #[error("the database is not reachable: {0}")]
    Unreachable(String),
    /// Too much is waiting already; come back.
    #[error("the queue is full")]
    Busy,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The public log stands still, and what must be on record waits with it.
    #[error("the log stands still: {0}")]
    Halted(String),
    /// What is stored does not have the form it was written in.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// A mistake of ours: caught, logged, answered as a plain 500.
    #[error("internal error: {0}")]
    Internal(String),
    /// The database found no room on its disk.
    #[error("the database found no room: {0}")]
    Full(String),
    /// A file could not be read or written.
    #[error("storage: {0}")]
    Storage(String),
}

impl Failure {
    /// What kind of failure it is, in words that quote nothing.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Database(_) => "database",
            Self::Unreachable(_) => "the database is not reachable",
            Self::Busy => "the queue is full",
            Self::Stopping => "the server is stopping",
            Self::Halted(_) => "the log stands still",
            Self::Damaged(_) => "stored data is damaged",
            Self::Internal(_) => "internal error",
            Self::Full(_) => "the database found no room",
            Self::Storage(_) => "storage",
        }
    }
}

impl Error {
    /// Whether running the same use case again may succeed.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::Failed(Failure::Database(error)) => {
                dialect::is_retryable(error) || dialect::is_unique_violation(error)
            }
            _ => false,
        }
    }

    /// Whether the connection must be made anew.
    pub(super) fn lost_connection(&self) -> bool {
        matches!(self, Self::Failed(Failure::Database(error)) if dialect::is_connection_lost(error))
    }

    /// A mistake of ours.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::Failed(Failure::Internal(what.into()))
    }

    /// Stored data that cannot be read.
    pub fn damaged(what: impl Into<String>) -> Self {
        Self::Failed(Failure::Damaged(what.into()))
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(Failure::from(error))
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        if dialect::is_disk_full(&error) { Self::Full(error.to_string()) } else { Self::Database(error) }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}
