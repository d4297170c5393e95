//! `sealbid log` and `sealbid signer`: what is done about the public log on the machine itself.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::database::Alone;
use super::{ConfigArgs, Failed};
use crate::app::{self, App};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::kernel::digest::Digest;
use crate::log::signer::file::{self, FileSigner};
use crate::log::signer::served;
use crate::log::{dump, queries, recovery};

/// `sealbid log …`
#[derive(Subcommand)]
pub enum LogCommand {
    /// Show where the log is: database, signer, published checkpoint, and whether it stands still.
    Status(ConfigArgs),
    /// Bring the database to where the published log is, after a restore. Stop all servers first.
    Recover(RecoverArgs),
    /// Let the log go on after a halt whose cause is mended. The next tick checks everything again.
    Resume(ConfigArgs),
    /// Make every published tile that is missing again, from the database.
    Rebuild(ConfigArgs),
    /// Make one more key of the log; from the next start on all keys sign. Retire the old one when its time is over.
    AddKey(ConfigArgs),
    /// Let a key of the log sign no more.
    RetireKey(RetireArgs),
    /// Let the signer wait no more for a promised entry that is not in the log. That the promise was broken is put on record.
    Forgive(ForgiveArgs),
    /// Write every leaf with what explains it, for `sealbid verify account` and `verify db`. Holds everything that is sealed.
    Dump(DumpArgs),
}

/// Arguments of `log recover`.
#[derive(Args)]
pub struct RecoverArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The signer has lost its memory (its keys are there): make it anew from the published tree. Ask every witness first
    /// whether it has seen a larger one.
    #[arg(long)]
    signer_forgot: bool,
}

/// Arguments of `log retire-key`.
#[derive(Args)]
pub struct RetireArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The key, as `log status` shows it.
    vkey: String,
}

/// Arguments of `log forgive`.
#[derive(Args)]
pub struct ForgiveArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The commitment, hex, as the alarm names it.
    commitment: String,
    /// Why the entry is not there: for the record.
    #[arg(long)]
    reason: String,
}

/// Arguments of `log dump`.
#[derive(Args)]
pub struct DumpArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Where to write it; readable by you alone.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only the public parts; of the others their digests.
    #[arg(long)]
    public: bool,
}

/// Arguments of `signer`.
#[derive(Args)]
pub struct SignerArgs {
    /// The directory of its keys and its memory; made where it is missing and `--create` is given.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The socket at which it answers.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// The log that it signs for: the platform's public address without its scheme, and `/audit/main`.
    #[arg(long)]
    origin: String,
    /// Make the directory: for a log that has no leaves yet.
    #[arg(long)]
    create: bool,
}

/// Runs the command.
///
/// # Errors
/// See each command.
pub fn run(command: LogCommand) -> Result<(), Failed> {
    match command {
        LogCommand::Status(args) => status(args.load()?),
        LogCommand::Recover(args) => recover(args.config.load()?, args.signer_forgot),
        LogCommand::Resume(args) => resume(args.load()?),
        LogCommand::Rebuild(args) => rebuild(args.load()?),
        LogCommand::AddKey(args) => add_key(&args.load()?),
        LogCommand::RetireKey(args) => retire_key(&args.config.load()?, &args.vkey),
        LogCommand::Forgive(args) => forgive(args.config.load()?, &args.commitment, &args.reason),
        LogCommand::Dump(args) => write_dump(args.config.load()?, &args.out, args.public),
    }
}

/// Signs until the process ends.
///
/// # Errors
/// When the directory or the socket cannot be used.
pub fn signer(args: &SignerArgs) -> Result<(), Failed> {
    let signer = match FileSigner::exists(&args.dir) {
        false if args.create => FileSigner::create(&args.dir, &args.origin),
        _ => FileSigner::open(&args.dir, &args.origin),
    };
    let signer = Arc::new(signer.map_err(Failed::tried)?);
    let listener = served::bind(&args.socket).map_err(|error| Failed::file(&args.socket, error))?;
    for key in crate::log::signer::Signer::verifiers(&*signer) {
        println!("{key}");
    }
    served::serve(&listener, &signer);
    Ok(())
}

/// A platform without its server.
fn open(config: Config) -> Result<App, Failed> {
    let keys = app::load_or_create_keys(&config)?;
    Ok(App::open(config, Arc::new(SystemClock), keys)?)
}

fn directory(config: &Config) -> Result<&std::path::Path, Failed> {
    config.signer_directory().ok_or_else(|| {
        Failed::Usage(
            "the signer runs by itself (audit.signer is a socket): do this in its directory, where it runs".into(),
        )
    })
}

fn status(config: Config) -> Result<(), Failed> {
    let app = open(config)?;
    let head = app.reader.read_blocking(queries::head).map_err(Failed::tried)?;
    let waiting = app.reader.read_blocking(|conn| queries::waiting(conn, 1_000_000)).map_err(Failed::tried)?;
    let signed = app.log.signer().head().map_err(Failed::tried)?;
    let published = app.log.directory().checkpoint().map_err(Failed::tried)?.map_or(0, |(size, _)| size);
    println!("origin     {}", app.log.settings().origin);
    for key in app.log.signer().verifiers() {
        println!("key        {key}");
    }
    println!("database   {} leaves, batch {}, {waiting} entries wait", head.size, head.batch);
    println!("signer     {} leaves, slot {}", signed.size, signed.slot);
    println!("published  {published} leaves");
    println!("witnesses  {}", app.log.policy().witnesses().count());
    println!("state      {}", head.halted.as_deref().unwrap_or("runs"));
    app.ledger.stop();
    Ok(())
}

fn recover(config: Config, signer_forgot: bool) -> Result<(), Failed> {
    let _alone = Alone::take(&config)?;
    if signer_forgot {
        let (dir, origin) = (directory(&config)?.to_owned(), format!("{}/audit/main", app::host(&config)));
        let log = app::open_log_without_memory(&config).map_err(Failed::tried)?;
        let slot = u64::try_from(crate::clock::Clock::now(&SystemClock).millis()).unwrap_or(0) / config.audit.tick_ms;
        let memory = recovery::memory(&log, slot).map_err(Failed::tried)?;
        eprintln!("{origin}: the signer remembers {} leaves from now on", memory.frontier.size());
        FileSigner::remember_anew(&dir, &memory).map_err(Failed::tried)?;
    }
    let app = open(config)?;
    let recovered = recovery::recover(&app.log, &app.ledger, &app.reader);
    app.ledger.stop();
    let outcome = recovered.map_err(Failed::tried)?;
    println!(
        "recovered: the database had {} leaves and has {}; {} entries found their leaves again; {} leaves are padding or entries that only \
         receipts open: ask all bidders for theirs",
        outcome.from, outcome.to, outcome.found, outcome.unknown
    );
    Ok(())
}

fn resume(config: Config) -> Result<(), Failed> {
    let app = open(config)?;
    let done = app.log.resume(&app.ledger);
    app.ledger.stop();
    done.map_err(Failed::tried)
}

fn rebuild(config: Config) -> Result<(), Failed> {
    let app = open(config)?;
    let done = app.log.rebuild(&app.reader);
    app.ledger.stop();
    done.map_err(Failed::tried)
}

fn add_key(config: &Config) -> Result<(), Failed> {
    let path = file::add_key(directory(config)?).map_err(Failed::tried)?;
    println!("{}", path.display());
    eprintln!(
        "It signs from the next start of the servers on, beside the keys that are there. Publish it where people look for the log's key."
    );
    Ok(())
}

fn retire_key(config: &Config, vkey: &str) -> Result<(), Failed> {
    let origin = format!("{}/audit/main", app::host(config));
    file::retire_key(directory(config)?, &origin, vkey).map_err(Failed::tried)?;
    eprintln!("It signs no more from the next start of the servers on; that is put on record then.");
    Ok(())
}

fn forgive(config: Config, commitment: &str, reason: &str) -> Result<(), Failed> {
    let commitment: Digest =
        commitment.parse().map_err(|_| Failed::Usage("a commitment has 64 hexadecimal digits".into()))?;
    let signer = FileSigner::open(directory(&config)?, &format!("{}/audit/main", app::host(&config)));
    let waited = signer.map_err(Failed::tried)?.forgive(&commitment).map_err(Failed::tried)?;
    if !waited {
        return Err(Failed::Tried("the signer waits for no such promise".into()));
    }
    let app = open(config)?;
    let noted = app.log.note_broken(&app.ledger, &commitment, reason);
    app.ledger.stop();
    noted.map_err(Failed::tried)?;
    eprintln!("The signer goes on. Whoever holds the promise can prove that it was broken.");
    Ok(())
}

fn write_dump(config: Config, out: &std::path::Path, public: bool) -> Result<(), Failed> {
    use std::os::unix::fs::OpenOptionsExt;
    let app = open(config)?;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(out);
    let mut file = BufWriter::new(file.map_err(|error| Failed::file(out, error))?);
    let parts = if public { dump::Parts::Public } else { dump::Parts::All };
    let written = dump::write(&app.log, &app.reader, parts, &mut file);
    app.ledger.stop();
    let entries = written.map_err(Failed::tried)?;
    file.flush().map_err(|error| Failed::file(out, error))?;
    eprintln!("{}: {entries} entries", out.display());
    Ok(())
}
