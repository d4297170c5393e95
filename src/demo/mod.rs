//! The demonstration: real procurements, played from registration to award on a real server of its own.
//!
//! Promises: everything is done over HTTP by the client that the command line uses, except that the demonstration moves
//! its server's clock and does the workers' rounds itself; nothing outside its own directory is touched, and that is
//! removed at the end. It succeeds only if every bid that was read out is the one that was sealed, the ranking is what
//! the published prices make it, the award is the historical one wherever that went to the lowest evaluated bid, and
//! the record replays without a difference. The people are invented, the bids of the construction contracts are not.

mod asset;
mod bidding;
pub(crate) mod cast;
mod comparison;
mod construction;
pub(crate) mod custody;
mod data;
mod land;
mod opening;
mod public_log;
mod report;
mod stay;

use std::path::PathBuf;

use clap::Args;

use self::cast::Cast;
use self::construction::Play;
use self::data::Contract;
use self::report::Report;
use crate::client::ClientError;
use crate::stage::{Platform, StageError};

/// The contracts that come with the program.
const CONTRACTS: &str = include_str!("data/contracts.ndjson");

/// Arguments of `demo`.
#[derive(Args)]
pub struct DemoArgs {
    /// Contracts of your own, one JSON object a line; see src/demo/data/README.md for the form.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Play every contract of the data, and not only the first, and no invented lots.
    #[arg(long)]
    all: bool,
    /// To whom the bids of the contracts are sealed: to the platform, to five custodians, or to these and each bidder.
    #[arg(long, value_enum, default_value = "platform")]
    mode: custody::Mode,
    /// Write one JSON line for each contract: what was read out, ranked and recommended.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave the server running and print how to ask it as a bidder, an official and an inspector.
    #[arg(long)]
    stay: bool,
    /// Keep the directory of the database, the files and the mails.
    #[arg(long)]
    keep: bool,
}

/// Why a demonstration did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The data cannot be read.
    #[error("{0}")]
    Data(String),
    /// The platform could not be started or did not do its rounds.
    #[error("the platform: {0}")]
    Platform(#[from] StageError),
    /// A request that should have been answered was not.
    #[error("{what}: {error}")]
    Call {
        /// What was being done.
        what: String,
        /// What came back.
        error: ClientError,
    },
    /// Something came out otherwise than it must.
    #[error("{0}")]
    Differs(String),
}

type Result<T> = std::result::Result<T, DemoError>;

/// Says what a call was for, in case it fails.
trait During<T> {
    fn during(self, what: impl Into<String>) -> Result<T>;
}

impl<T> During<T> for crate::client::Result<T> {
    fn during(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|error| DemoError::Call { what: what.into(), error })
    }
}

/// Tells the user what happens, on standard error.
fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// Plays.
///
/// # Errors
/// The first thing that did not come out as it must.
pub fn run(args: &DemoArgs) -> Result<()> {
    let contracts = contracts(args)?;
    let platform = Platform::start()?;
    say(format!("A Sealbid server of its own runs at {} in {}", platform.url(), platform.directory().display()));
    let played = play(args, &platform, contracts);
    if played.is_ok() && args.stay {
        stay::stay(&platform)?;
    }
    let directory = platform.directory().to_owned();
    platform.stop(args.keep);
    if args.keep {
        say(format!("kept: {}", directory.display()));
    }
    played
}

fn contracts(args: &DemoArgs) -> Result<Vec<Contract>> {
    let text = match &args.data {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| DemoError::Data(format!("{}: {error}", path.display())))?
        }
        None => CONTRACTS.to_owned(),
    };
    let mut contracts = data::read(&text)?;
    if !args.all {
        contracts.truncate(1);
    }
    if contracts.is_empty() { Err(DemoError::Data("there is no contract in the data".into())) } else { Ok(contracts) }
}

fn play(args: &DemoArgs, platform: &Platform, contracts: Vec<Contract>) -> Result<()> {
    let began = std::time::Instant::now();
    platform.name_keys()?;
    let cast = Cast::assemble(platform, args.mode)?;
    let reports = construction::play_all(platform, &cast, contracts.into_iter().map(Play::new).collect())?;
    for report in &reports {
        print!("{report}");
    }
    if let Some(path) = &args.report {
        report::write(path, &reports)?;
    }
    if !args.all {
        land::play(platform, &cast)?;
        asset::play(platform, &cast)?;
    }
    public_log::check(platform, &cast)?;
    let replay = platform.replay()?;
    println!("\nverify replay: {} entries, {} streams, {} difference(s)", replay.entries, replay.streams, replay.found);
    for difference in &replay.differences {
        say(difference);
    }
    say(format!("{} contract(s) in {:.1} s", reports.len(), began.elapsed().as_secs_f32()));
    verdict(&reports, replay.is_clean())
}

fn verdict(reports: &[Report], clean: bool) -> Result<()> {
    let failed: Vec<String> = reports
        .iter()
        .flat_map(|report| report.mistakes().iter().map(move |mistake| format!("{}: {mistake}", report.contract())))
        .collect();
    if !failed.is_empty() {
        return Err(DemoError::Differs(failed.join("\n")));
    }
    if !clean {
        return Err(DemoError::Differs("the record does not replay".into()));
    }
    say("Everything came out as it must.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_that_come_along_have_what_the_demonstration_is_to_show() {
        let contracts = data::read(CONTRACTS).expect("they are in order");
        assert!(contracts.iter().all(|contract| contract.bids.len() >= 3));
        assert!(contracts.iter().any(|contract| contract.bids.iter().any(|bid| bid.is_rejected())), "rejected bids");
        assert!(
            contracts.iter().any(|contract| contract.evaluation_currency() != Some(contract.currency.as_str())),
            "another currency"
        );
        assert!(contracts.iter().any(|contract| contract.contract == "OP00015326"), "the tie");
        assert!(contracts.iter().any(|contract| contract.awarded_is_lowest_evaluated == Some(false)), "not the lowest");
    }
}
