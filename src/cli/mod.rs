//! The command line.
//!
//! Promises: what a command makes or finds goes to standard output and nothing else does; what it has to say to its user
//! goes to standard error. Exit codes are the same everywhere, see [`Failed`]. Passwords and tokens are never arguments,
//! which every user of a machine can read. No command can skip a check of the server.

mod admin;
mod ask;
mod backup;
mod bid_file;
mod ceremony;
mod custodian;
pub(crate) mod database;
mod doctor;
mod keys;
mod log;
pub(crate) mod logging;
mod progress;
mod seal;
mod serve;
mod spec;
mod verify;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::app::StartError;
use crate::config::{Config, ConfigError};
use crate::{bench, demo, drill};

const EXIT_CODES: &str = "Exit codes:\n  \
     0  done, and every check held\n  \
     1  tried, and refused, failed, or a check did not hold\n  \
     2  the command line or the configuration is wrong; nothing was done\n  \
     3  the server cannot start: database, keys or directories do not fit, or another server has them";

/// Sealed-bid tenders for a public-resource trading centre.
#[derive(Parser)]
#[command(name = "sealbid", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server. An SQLite database is migrated at start, a PostgreSQL one is not.
    Serve(ConfigArgs),
    /// Bring the database to the schema of this program.
    Migrate(MigrateArgs),
    /// Set up and maintain an installation.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Look after the public log.
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Run the log's signer as a process of its own, answering at a Unix socket.
    Signer(log::SignerArgs),
    /// Copy an SQLite installation while its server runs, with every seal intact and without the keys.
    Backup(backup::BackupArgs),
    /// Put a backup in place, checked to the last byte. Nothing is written over.
    Restore(backup::RestoreArgs),
    /// Look at everything that an installation rests on, and say what to do. Exit code: 0 well, 1 warnings, 2 bad.
    Doctor(doctor::DoctorArgs),
    /// Make and show signing keys.
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Seal a bid, upload it, submit it, and keep its receipt.
    Seal(seal::SealArgs),
    /// Keep a share of the keys that bids are sealed to, on a custodian's machine.
    #[command(subcommand)]
    Custodian(custodian::CustodianCommand),
    /// Begin the ceremony in which custodians make the key of a lot.
    #[command(subcommand)]
    Ceremony(ceremony::CeremonyCommand),
    /// Check the record, a receipt, or the public log. Exit codes are a verdict: 0 proven, 1 refuted, 3 undecided, 4 a forked log.
    #[command(subcommand)]
    Verify(verify::VerifyCommand),
    /// Watch logs as a witness: remember the latest head of each, and cosign what continues it.
    Witness(witness::WitnessArgs),
    /// Write the documents that are derived from the code: API description, problems, permissions, rules, procedures.
    Spec(spec::SpecArgs),
    /// Play real procurements from registration to award on a server of its own.
    Demo(demo::DemoArgs),
    /// Try out, on servers of its own, what the platform promises when something breaks.
    #[command(subcommand)]
    Drill(drill::DrillCommand),
    /// Measure how fast and how large, side by side in one run, on platforms of its own.
    Bench(bench::BenchArgs),
}

/// Where the configuration is.
#[derive(Args)]
struct ConfigArgs {
    /// The configuration file; without one the defaults and the environment count.
    #[arg(long, env = "SEALBID_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn load(&self) -> Result<Config, Failed> {
        Ok(Config::load(self.config.as_deref())?)
    }
}

#[derive(Args)]
struct MigrateArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Grant this PostgreSQL role what the server needs, and no more.
    #[arg(long, value_name = "ROLE")]
    grant_to: Option<String>,
}

/// Why a command ends with another code than 0.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// 1: it was tried.
    #[error("{0}")]
    Tried(String),
    /// 2: it was asked wrongly.
    #[error("{0}")]
    Usage(String),
    /// 2: the configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// 3: the server cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// 4: it was done, but not with everything.
    #[error("{0}")]
    Partly(String),
}

impl Failed {
    /// What was tried and did not succeed.
    pub fn tried(error: impl std::fmt::Display) -> Self {
        Self::Tried(error.to_string())
    }

    /// A file that cannot be read or written.
    pub fn file(path: &std::path::Path, error: impl std::fmt::Display) -> Self {
        Self::Tried(format!("{}: {error}", path.display()))
    }

    fn code(&self) -> u8 {
        match self {
            Self::Tried(_) => 1,
            Self::Usage(_) | Self::Config(_) => 2,
            Self::Start(_) => 3,
            Self::Partly(_) => 4,
        }
    }
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => args.load().and_then(serve::serve),
        Command::Migrate(args) => {
            args.config.load().and_then(|config| database::migrate(&config, args.grant_to.as_deref()))
        }
        Command::Admin(command) => admin::run(command),
        Command::Doctor(args) => match doctor::run(&args) {
            Ok(code) => return code,
            Err(failed) => Err(failed),
        },
        Command::Log(command) => log::run(command),
        Command::Signer(args) => log::signer(&args),
        Command::Backup(args) => backup::take(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Key(command) => keys::run(command),
        Command::Seal(args) => seal::run(&args),
        Command::Custodian(command) => custodian::run(&command),
        Command::Ceremony(command) => ceremony::run(&command),
        Command::Verify(command) => match verify::run(command) {
            Ok(code) => return code,
            Err(failed) => Err(failed),
        },
        Command::Witness(args) => witness::run(&args),
        Command::Spec(args) => spec::run(&args),
        Command::Demo(args) => play(&args),
        Command::Drill(command) => drill::run(&command).map_err(Failed::tried),
        Command::Bench(args) => measure(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("sealbid: {failed}");
            ExitCode::from(failed.code())
        }
    }
}

/// The demonstration logs only what is wrong: its own words are the story.
fn play(args: &demo::DemoArgs) -> Result<(), Failed> {
    logging::start(&crate::config::Log {
        filter: std::env::var("SEALBID_LOG__FILTER").unwrap_or_else(|_| "warn".into()),
        ..Default::default()
    })?;
    demo::run(args).map_err(Failed::tried)
}

/// What is measured logs nothing but what is wrong, so that writing a log is not what is measured.
fn measure(args: &bench::BenchArgs) -> Result<(), Failed> {
    logging::start(&crate::config::Log { filter: "warn".into(), ..Default::default() })?;
    bench::run(args).map_err(Failed::tried)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_takes_a_password_or_a_token_as_an_argument() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                assert!(!name.contains("password") && !name.contains("token"), "{} --{name}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn the_manual_names_every_command_and_every_metric() {
        fn leaves(command: &clap::Command, name: &str, found: &mut Vec<String>) {
            if command.get_subcommands().next().is_none() {
                found.push(format!("`{name}"));
            }
            for below in command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set()) {
                leaves(below, &format!("{name} {}", below.get_name()), found);
            }
        }
        let manual = include_str!("../../docs/operations.md");
        let mut names = Vec::new();
        leaves(&Cli::command(), "sealbid", &mut names);
        names.extend(crate::metrics::FAMILIES.iter().map(|family| format!("| `{}`", family.name)));
        let missing: Vec<&String> = names.iter().filter(|name| !manual.contains(name.as_str())).collect();
        assert!(names.len() > 20 && missing.is_empty(), "docs/operations.md does not name {missing:?}");
    }

    #[test]
    fn the_example_configuration_says_what_holds_without_it() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sealbid.example.toml");
        let example = Config::load(Some(&file)).expect("a valid configuration");
        assert_eq!(format!("{example:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn the_example_configuration_names_every_setting() {
        let text = include_str!("../../sealbid.example.toml");
        let debug = format!("{:?}", Config::default());
        let words = debug.split(|c: char| !c.is_ascii_alphabetic() && c != '_');
        for setting in words.filter(|word| !word.is_empty() && debug.contains(&format!(" {word}: "))) {
            let named = text.contains(&format!("{setting} = ")) || text.contains(&format!("[{setting}]"));
            assert!(named, "{setting} is missing");
        }
    }
}
