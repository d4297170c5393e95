//! Drills: what the platform promises of itself, tried out on servers of its own.
//!
//! Promises: nothing outside a drill's own directory, cluster and ports of this machine is touched; the servers are real
//! ones in processes of their own, which know no database but the drill's; a drill that finds anything wrong fails and
//! says with which seed. What is drilled differs from `sealbid serve` in two values that are handed over when the
//! platform is opened: a clock that can be moved, and a place to die at. Deliberately absent: faults that tests can make
//! within one process; see tests/suite/faults.

mod backups;
mod bidder;
mod check;
mod child;
mod clock;
mod crash;
mod custody;
mod draw;
mod fleet;
mod ground;
mod journal;
mod keeper;
mod members;
mod officials;
mod people;
mod play;
mod public_log;
mod report;
pub mod sink;
mod slow;

use clap::Subcommand;

/// `sealbid drill …`
#[derive(Subcommand)]
pub enum DrillCommand {
    /// Kill servers under load, at random moments and at every named place, and check that nothing acknowledged is lost.
    Crash(crash::CrashArgs),
    /// Kill the server at every step of a ceremony and of an opening under custodians, and check that everything goes on.
    Custody(custody::CustodyArgs),
    /// Let thousands of clients say nothing, or say it slowly, and check that honest bidders are served.
    Slow(slow::SlowArgs),
    /// The server that is drilled. Only a drill has a use for it.
    #[command(hide = true)]
    Child(child::ChildArgs),
}

/// Why a drill ends otherwise than well.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// It could not take place.
    #[error("{0}")]
    Failed(String),
    /// Something is not what the platform promises.
    #[error("does not hold: {0}")]
    Wrong(String),
    /// What it was to be played on is not its own.
    #[error("{0}")]
    Refused(String),
}

impl DrillError {
    /// The same, with where it happened.
    fn at(self, place: &str) -> Self {
        match self {
            Self::Failed(what) => Self::Failed(format!("{what} ({place})")),
            Self::Wrong(what) => Self::Wrong(format!("{what} ({place})")),
            Self::Refused(what) => Self::Refused(format!("{what} ({place})")),
        }
    }
}

type Result<T> = std::result::Result<T, DrillError>;

/// In the words of whatever failed.
fn broken(error: impl std::fmt::Display) -> DrillError {
    DrillError::Failed(error.to_string())
}

/// Drills.
///
/// # Errors
/// The first thing that does not hold.
pub fn run(command: &DrillCommand) -> Result<()> {
    match command {
        DrillCommand::Crash(args) => crash::run(args),
        DrillCommand::Custody(args) => custody::run(args),
        DrillCommand::Slow(args) => slow::run(args),
        DrillCommand::Child(args) => child::run(args),
    }
}
