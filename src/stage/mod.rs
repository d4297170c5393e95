//! Where whole platforms are put up for a while: by the demonstration, the benchmark, the drills and the tests.
//!
//! Promises: everything lies in directories of its own that are removed at the end; a PostgreSQL cluster is started from
//! installed programs, listens on a Unix socket and nowhere else, and ends with the process that started it. Nothing here
//! is reached by `serve`.

pub mod directory;
pub mod parallel;
pub mod platform;
pub mod postgres;

pub use directory::Scratch;
pub use platform::Platform;
pub use postgres::Cluster;

/// Why something could not be put up.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StageError(pub String);

impl StageError {
    /// In the words of whatever failed.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What putting something up comes to.
pub type Result<T> = std::result::Result<T, StageError>;
