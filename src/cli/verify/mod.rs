//! `sealbid verify`: does the record hold together, is a receipt what it seems, is the log what it says it is.
//!
//! Thin: what is checked and how is in [`crate::verify`]. The exit codes are a verdict, and none of them is another command's:
//! a file that cannot be read is a mistake of the command line here, because 1 says that something was refuted.

mod bundle;
mod files;
mod monitor;
mod tell;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::files::{lines, text};
use super::{ConfigArgs, Failed};
use crate::cli::progress::Progress;
use crate::features::inspection::replay;
use crate::ledger::Reader;
use crate::tlog::note::Verifier;
use crate::tlog::policy::Policy;
use crate::verify::dump::{self, Depth};
use crate::verify::report::{Proven, Result as Checked};
use crate::verify::source::Directory;
use crate::verify::tree::Tree;
use crate::verify::trust::Trust;
use crate::verify::{disclosure, heads, opening, receipt, tiles};

/// What the exit codes of the checks say.
const EXIT_CODES: &str = "Exit codes:\n  \
     0  proven\n  \
     1  refuted: it names the entry or the tile, and the level\n  \
     2  the command line is wrong, or a file on it cannot be read\n  \
     3  undecided: a tile is missing, the quorum is not met, a version or a key is not known\n  \
     4  two signed heads disagree; both are saved as evidence";

/// `sealbid verify …`
#[derive(Subcommand)]
pub enum VerifyCommand {
    /// Recompute every state from the entries and every commitment from its parts, and name what differs. Only reads.
    Replay(ConfigArgs),
    /// Check a receipt offline: that exactly this is in the log, or that the platform promised that it will be, and when.
    #[command(after_help = EXIT_CODES)]
    Receipt(ReceiptArgs),
    /// Check a checkpoint: its signature and its witnesses.
    #[command(after_help = EXIT_CODES)]
    Checkpoint(CheckpointArgs),
    /// Check that of two checkpoints the older is the beginning of the newer.
    #[command(after_help = EXIT_CODES)]
    Consistency(ConsistencyArgs),
    /// Check a whole copy of a log: entries, leaves, every level, root.
    #[command(after_help = EXIT_CODES)]
    Tiles(TilesArgs),
    /// Check what was published of a lot after its opening.
    #[command(after_help = EXIT_CODES)]
    Disclosure(DisclosureArgs),
    /// Check an opening: the ceremony, every share, every price that was read out.
    #[command(after_help = EXIT_CODES)]
    Opening(OpeningArgs),
    /// Check an evidence bundle of an inspector: every file of it, every entry, the root.
    #[command(after_help = EXIT_CODES)]
    Bundle(bundle::BundleArgs),
    /// Check that a dump explains every leaf of a log.
    #[command(after_help = EXIT_CODES)]
    Account(DumpArgs),
    /// The same for a dump with all parts opened: every private byte is hashed again.
    #[command(after_help = EXIT_CODES)]
    Db(DumpArgs),
    /// Watch a log over the network: alarms when it forks, shrinks, or stands still.
    #[command(after_help = EXIT_CODES)]
    Monitor(monitor::MonitorArgs),
}

/// Whom to believe. From a source that you trust, and not from the log.
#[derive(Args)]
struct TrustArgs {
    /// A verifier key: of the log, or of the promises. Several where keys were changed.
    #[arg(long, alias = "key", value_name = "VERIFIER")]
    vkey: Vec<String>,
    /// A policy: logs, witnesses and how many of them.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl TrustArgs {
    fn read(&self) -> Result<Trust, Failed> {
        let mut keys = Vec::new();
        for key in &self.vkey {
            keys.push(Verifier::parse(key.trim()).map_err(|error| Failed::Usage(format!("--vkey {key}: {error}")))?);
        }
        let policy = self.policy.as_ref().map(|path| {
            Policy::parse(&text(path)?).map_err(|error| Failed::Usage(format!("{}: {error}", path.display())))
        });
        if keys.is_empty() && policy.is_none() {
            return Err(Failed::Usage(
                "give --vkey or --policy, from a source that you trust and not from the log".into(),
            ));
        }
        Ok(Trust::new(policy.transpose()?, keys))
    }
}

/// Arguments of `verify receipt`.
#[derive(Args)]
pub struct ReceiptArgs {
    /// The receipt: a proof (`.tlog-proof`), or the platform's answer with its promise, as JSON.
    file: PathBuf,
    /// For a promise: the proof of the same entry, to see whether it was kept.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// For a promise: a copy of the log in which the entry is looked for.
    #[arg(long, value_name = "DIR", conflicts_with = "proof")]
    tiles: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Arguments of `verify checkpoint`.
#[derive(Args)]
pub struct CheckpointArgs {
    /// The checkpoint.
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Arguments of `verify consistency`.
#[derive(Args)]
pub struct ConsistencyArgs {
    /// A checkpoint.
    old: PathBuf,
    /// Another.
    new: PathBuf,
    /// A copy of the log.
    #[arg(long, value_name = "DIR")]
    tiles: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Arguments of `verify tiles`.
#[derive(Args)]
pub struct TilesArgs {
    /// A copy of the log.
    dir: PathBuf,
    /// An older checkpoint that must be its beginning.
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Arguments of `verify disclosure`.
#[derive(Args)]
pub struct DisclosureArgs {
    /// The file.
    file: PathBuf,
    /// A copy of the log.
    #[arg(long, value_name = "DIR")]
    tiles: Option<PathBuf>,
    /// The receipt of the entry that names the file's digest.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Arguments of `verify opening`.
#[derive(Args)]
pub struct OpeningArgs {
    /// The bundle, as `GET /v1/lots/{lot}/opening-bundle` gives it.
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Arguments of `verify account` and `verify db`.
#[derive(Args)]
pub struct DumpArgs {
    /// The dump.
    file: PathBuf,
    /// A copy of the log.
    #[arg(long, value_name = "DIR")]
    tiles: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
///
/// # Errors
/// When the command line is wrong or a file cannot be read; what is checked and does not hold is an exit code.
pub fn run(command: VerifyCommand) -> Result<ExitCode, Failed> {
    let (json, outcome) = match &command {
        VerifyCommand::Replay(args) => return replay(args),
        VerifyCommand::Monitor(args) => return monitor::run(args),
        VerifyCommand::Receipt(args) => (args.trust.json, check_receipt(args)?),
        VerifyCommand::Checkpoint(args) => {
            let (trust, note) = (args.trust.read()?, text(&args.file)?);
            (args.trust.json, heads::checkpoint(&trust, &named(&args.file), &note))
        }
        VerifyCommand::Consistency(args) => {
            let (trust, old, new) = (args.trust.read()?, text(&args.old)?, text(&args.new)?);
            let pair = [(&*named(&args.old), &*old), (&*named(&args.new), &*new)];
            (args.trust.json, heads::consistency(&trust, pair, &Directory(args.tiles.clone())))
        }
        VerifyCommand::Tiles(args) => (args.trust.json, check_tiles(args)?),
        VerifyCommand::Disclosure(args) => (args.trust.json, check_disclosure(args)?),
        VerifyCommand::Opening(args) => {
            let (trust, reader, progress) = (args.trust.read()?, lines(&args.file)?, Progress::begin());
            let watch = |done, all| progress.reached(done, all);
            (args.trust.json, opening::check_watched(&trust, &named(&args.file), reader, &watch))
        }
        VerifyCommand::Bundle(args) => (args.trust.json, bundle::check(args)?),
        VerifyCommand::Account(args) => (args.trust.json, check_dump(args, Depth::Account)?),
        VerifyCommand::Db(args) => (args.trust.json, check_dump(args, Depth::Everything)?),
    };
    tell::outcome(&outcome, json)
}

fn replay(args: &ConfigArgs) -> Result<ExitCode, Failed> {
    let config = args.load()?;
    // One view of the database throughout: what a running server writes meanwhile is no damage.
    let report = Reader::open(&config.database_url()).read_blocking(replay::replay).map_err(Failed::tried)?;
    print!("{report}");
    if report.is_clean() { Ok(ExitCode::SUCCESS) } else { Err(Failed::tried("the record does not hold together")) }
}

fn named(path: &Path) -> String {
    path.display().to_string()
}

fn checkpoint_of(dir: &Path) -> Result<(String, String), Failed> {
    let path = dir.join("checkpoint");
    Ok((named(&path), text(&path)?))
}

fn check_receipt(args: &ReceiptArgs) -> Result<Checked<Proven>, Failed> {
    let (trust, written, place) = (args.trust.read()?, text(&args.file)?, named(&args.file));
    let Some(promise) = receipt::find(&written) else {
        if args.proof.is_some() || args.tiles.is_some() {
            return Err(Failed::Usage("--proof and --tiles go with a promise: there is none in this file".into()));
        }
        return Ok(receipt::included(&trust, &place, &written).map(|included| included.tell()));
    };
    let proof = args.proof.as_ref().map(|path| Ok::<_, Failed>((named(path), text(path)?))).transpose()?;
    let dir = args.tiles.as_ref().map(|dir| Ok::<_, Failed>((dir, checkpoint_of(dir)?))).transpose()?;
    let check = || {
        let promised = receipt::promised(&trust, &place, &promise)?;
        let mut said = receipt::tell_promise(&promise, &promised);
        if let Some((place, proof)) = &proof {
            let included = receipt::included(&trust, place, proof)?;
            let kept = receipt::kept(&promise, &promised, &included)?;
            said.what = kept.what.clone();
            said = included.head.tell(said.and(kept).with("index", "条目序号", "entry number", included.index));
        }
        if let Some((dir, (place, note))) = &dir {
            let head = trust.head(place, note)?;
            let found = receipt::search(&promise, &promised, &Directory((*dir).clone()), &head)?;
            said.what = found.what.clone();
            said = said.and(found);
        }
        Ok(said)
    };
    Ok(check())
}

fn check_tiles(args: &TilesArgs) -> Result<Checked<Proven>, Failed> {
    let (trust, (place, note)) = (args.trust.read()?, checkpoint_of(&args.dir)?);
    let old = args.old.as_ref().map(|path| Ok::<_, Failed>((named(path), text(path)?))).transpose()?;
    let old = old.as_ref().map(|(place, note)| (&**place, &**note));
    let outcome = tiles::check(&trust, &Directory(args.dir.clone()), (&place, &note), old);
    Ok(outcome.and_then(|said| {
        tiles::leftovers(&args.dir).map(|count| said.with("partial", "旧的部分文件", "older partial files", count))
    }))
}

fn check_disclosure(args: &DisclosureArgs) -> Result<Checked<Proven>, Failed> {
    let (trust, reader, place) = (args.trust.read()?, lines(&args.file)?, named(&args.file));
    let proof = args.receipt.as_ref().map(|path| Ok::<_, Failed>((named(path), text(path)?))).transpose()?;
    let dir =
        args.tiles.as_ref().map(|dir| Ok::<_, Failed>((Directory(dir.clone()), checkpoint_of(dir)?))).transpose()?;
    let check = || {
        let included = proof.as_ref().map(|(place, proof)| receipt::included(&trust, place, proof)).transpose()?;
        let head = dir.as_ref().map(|(_, (place, note))| trust.head(place, note)).transpose()?;
        let head = head.as_ref().or(included.as_ref().map(|included| &included.head));
        let origin = head.map(|head| head.checkpoint().origin.clone());
        let origin = origin.or_else(|| trust.policy().logs().first().map(|log| log.key.name().to_owned()));
        let mut tree = match (&dir, head) {
            (Some((source, _)), Some(head)) => Some(Tree::open(source, head.checkpoint())?),
            _ => None,
        };
        let origin = origin.unwrap_or_default();
        disclosure::check(reader, &place, &origin, tree.as_mut(), included.as_ref())
    };
    Ok(check())
}

fn check_dump(args: &DumpArgs, depth: Depth) -> Result<Checked<Proven>, Failed> {
    let (trust, reader, (place, note)) = (args.trust.read()?, lines(&args.file)?, checkpoint_of(&args.tiles)?);
    let source = Directory(args.tiles.clone());
    let check = || {
        let head = trust.head(&place, &note)?;
        let mut tree = Tree::open(&source, head.checkpoint())?;
        let origin = &head.checkpoint().origin;
        Ok(head.tell(dump::check(reader, &named(&args.file), origin, &mut tree, depth)?))
    };
    Ok(check())
}
