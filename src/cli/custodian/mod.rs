//! `sealbid custodian`: a share of the keys that bids are sealed to, kept on its custodian's own machine.
//!
//! Thin: what is checked and in which order is in [`crate::custodian`]. A refusal begins with its code, and says in both
//! languages what to do.

mod carrying;
mod joining;
mod keeping;
mod opening;
mod repairing;
mod voice;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use self::voice::Voice;
use super::{Failed, ask};
use crate::client::{Client, RemoteLog};
use crate::clock::SystemClock;
use crate::custodian::desk::Desk;
use crate::custodian::{Error, Refusal};
use crate::kernel::secret::Secret;

/// `sealbid custodian …`
#[derive(Subcommand)]
pub enum CustodianCommand {
    /// Make your keys, register them, and remember whom to believe. May be repeated.
    Init(keeping::InitArgs),
    /// Take the next step of every ceremony that names you.
    Join(joining::JoinArgs),
    /// Check what came out of a ceremony, compare it by voice, and accept.
    Accept(joining::AcceptArgs),
    /// Show before the bidding that your share works.
    Rehearse(joining::RehearseArgs),
    /// At the opening: check everything, and give your part.
    Open(opening::OpenArgs),
    /// Send lists that `open` wrote as files. The same list may be sent again.
    Send(carrying::SendArgs),
    /// Fetch what `open --from-file` needs, for a machine without a line.
    Fetch(carrying::FetchArgs),
    /// Copy the state file to another place, and see that the copy opens.
    Backup(keeping::BackupArgs),
    /// Put back a state file from a copy, or shares from the platform.
    Restore(keeping::RestoreArgs),
    /// Get a lost share back from other members, or help one of them: the same command for everybody, run again until it is done.
    Repair(repairing::RepairArgs),
    /// Show what is in the state file, and see how things stand.
    Status(keeping::StatusArgs),
}

/// What all commands take. The passphrase of the state file is taken from SEALBID_PASSPHRASE, the password of the platform
/// from SEALBID_PASSWORD, or each from a line on standard input.
#[derive(Args)]
struct Common {
    /// The state file: your keys and shares, encrypted.
    #[arg(long, env = "SEALBID_CUSTODIAN_STATE", default_value = "custodian.sealbid", value_name = "FILE")]
    state: PathBuf,
    /// One JSON object on standard output at the end.
    #[arg(long)]
    json: bool,
}

static CLOCK: SystemClock = SystemClock;

/// Runs the command.
///
/// # Errors
/// What is refused, by its code.
pub fn run(command: &CustodianCommand) -> Result<(), Failed> {
    match command {
        CustodianCommand::Init(args) => keeping::init(args),
        CustodianCommand::Join(args) => joining::join(args),
        CustodianCommand::Accept(args) => joining::accept(args),
        CustodianCommand::Rehearse(args) => joining::rehearse(args),
        CustodianCommand::Open(args) => opening::open(args),
        CustodianCommand::Send(args) => carrying::send(args),
        CustodianCommand::Fetch(args) => carrying::fetch_files(args),
        CustodianCommand::Backup(args) => keeping::backup(args),
        CustodianCommand::Restore(args) => keeping::restore(args),
        CustodianCommand::Repair(args) => repairing::repair(args),
        CustodianCommand::Status(args) => keeping::status(args),
    }
}

impl Common {
    fn voice(&self) -> Voice {
        Voice::new(self.json)
    }

    fn passphrase() -> Result<Secret<String>, Failed> {
        ask::secret("SEALBID_PASSPHRASE", "passphrase of the state file 状态文件口令")
    }

    fn desk(&self) -> Result<Desk<'static>, Failed> {
        Ok(Desk::open(&self.state, Self::passphrase()?, &CLOCK)?)
    }

    /// The file, and the platform that it belongs to: the same as ever, and with a log that only grew.
    fn at_work(&self) -> Result<(Desk<'static>, Client, RemoteLog), Failed> {
        let mut desk = self.desk()?;
        let client = ask::sign_in(&desk.state().server, Some(&desk.state().login))?;
        let log = log_of(&desk.state().server);
        desk.knows(&client)?;
        desk.follow(&log, &checkpoint(&log)?)?;
        Ok((desk, client, log))
    }
}

/// The public log of a platform.
fn log_of(server: &str) -> RemoteLog {
    RemoteLog::new(Client::new(&format!("{server}/audit/main")))
}

fn checkpoint(log: &RemoteLog) -> crate::custodian::Result<String> {
    Ok(log.text("checkpoint")?)
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::tried(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::tried(refusal)
    }
}
