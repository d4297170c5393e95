//! `sealbid drill crash`: servers are killed under load, at random moments and at every named place, and whatever was
//! acknowledged must be there.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::backups;
use super::check::{self, Verdict};
use super::draw::Draw;
use super::fleet::{Fleet, Heard};
use super::ground::{Database, Ground};
use super::journal::Journal;
use super::keeper::{Keeper, MIGRATING};
use super::people::People;
use super::play::{self, Extent, Stage};
use super::report::{self, Report};
use super::sink::Sink;
use super::{DrillError, Result, broken};
use crate::keys::Keys;

/// Kills of the short form, over all databases.
const SHORT: u32 = 20;
/// Kills while an empty SQLite database is being migrated for the first time, at most.
const MIGRATION_KILLS: u32 = 6;
/// How long a server may be at that before it is killed, in milliseconds.
const MIGRATION_MS: u64 = 400;

/// Which databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Databases {
    /// One server on SQLite.
    Sqlite,
    /// Two servers on PostgreSQL.
    Postgres,
    /// The one after the other.
    Both,
}

impl Databases {
    /// One after the other.
    pub const fn each(self) -> &'static [Database] {
        match self {
            Self::Sqlite => &[Database::Sqlite],
            Self::Postgres => &[Database::Postgres],
            Self::Both => &[Database::Sqlite, Database::Postgres],
        }
    }
}

/// Arguments of `drill crash`.
#[derive(Args)]
pub struct CrashArgs {
    /// How many servers are killed, over all databases.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Which databases are drilled.
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,
    /// What chance begins with: the number of an earlier drill repeats its choices.
    #[arg(long)]
    seed: Option<u64>,
    /// A short form for every change: a few kills.
    #[arg(long)]
    short: bool,
    /// Write the findings as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Keep the directory of the database, the files and the servers' log.
    #[arg(long)]
    keep: bool,
}

/// Drills, tells what was found, and fails when anything does not hold.
///
/// # Errors
/// The first thing that must not be, with the seed.
pub fn run(args: &CrashArgs) -> Result<()> {
    let databases = args.database.each();
    // Not a secret: only which accidents happen.
    let seed = args.seed.unwrap_or_else(|| u64::from(uuid::Uuid::new_v4().as_fields().0));
    let kills = if args.short { SHORT } else { args.kills };
    let each = kills.div_ceil(u32::try_from(databases.len()).unwrap_or(1)).max(1);
    eprintln!("crash drill: {kills} kills, seed {seed}");
    let mut reports = Vec::new();
    for database in databases {
        let report =
            drill(*database, each, seed, args).map_err(|error| error.at(&format!("seed {seed}, {database:?}")))?;
        println!("{report}");
        reports.push(report);
    }
    report::keep(args.report.as_deref(), &reports)?;
    match reports.iter().all(Report::holds) {
        true => Ok(()),
        false => Err(DrillError::Wrong(format!("not everything holds (seed {seed})"))),
    }
}

fn drill(database: Database, kills: u32, seed: u64, args: &CrashArgs) -> Result<Report> {
    let began = Instant::now();
    let sink = Sink::start().map_err(broken)?;
    let mut ground = Ground::make(database, sink.port())?;
    if args.keep {
        ground.keep();
        eprintln!("kept: {}", ground.dir().display());
    }
    let extent = if args.short {
        Extent { lots: 2, bidders: 5, bidding: Duration::from_secs(6) }
    } else {
        Extent { lots: 3, bidders: 6, bidding: Duration::from_secs(22) }
    };
    let fleet = Fleet::new(&ground, if database == Database::Sqlite { 1 } else { 2 })?;
    let keeper = Keeper::new(fleet.size(), kills, seed);
    if database == Database::Sqlite {
        kill_migrations(&fleet, &keeper, kills, seed)?;
    }
    let people = People::hire(&ground, extent.bidders, 0)?;
    let keys = Keys::load(&ground.site().config(0).keys.dir).map_err(broken)?;
    let (platform_key, verifier) = (*keys.promise.verifying_key(), ground.site().verifier(&keys));
    let (journal, lots) = (Journal::default(), Mutex::new(None));
    let mut stage = Stage { ground, fleet, keeper, people, journal, sink, platform_key, verifier, seed, lots };
    let mut verdict = Verdict::default();
    let waves = keep_and_play(&stage, extent, &mut verdict)?;
    check::look(&stage, &mut verdict)?;
    let report = Report {
        database,
        servers: stage.fleet.size(),
        seed,
        killed: stage.keeper.servers_killed(),
        kills: stage.keeper.count(),
        waves,
        seconds: began.elapsed().as_secs(),
        slowest_start_ms: stage.keeper.slowest_start().as_millis(),
        verdict,
    };
    if !report.holds() && !args.keep {
        stage.ground.keep();
        eprintln!("kept: {}", stage.ground.dir().display());
    }
    Ok(report)
}

/// Kills servers that are at the first migration of an empty database, and lets one come to its end.
fn kill_migrations(fleet: &Fleet, keeper: &Keeper, kills: u32, seed: u64) -> Result<()> {
    let mut draw = Draw::new(seed, 2_000);
    for _ in 0..MIGRATION_KILLS.min(kills / 8) {
        let server = fleet.start(0)?;
        std::thread::sleep(Duration::from_millis(draw.between(0, MIGRATION_MS)));
        drop(server);
        keeper.note(MIGRATING);
    }
    match fleet.start(0)?.hear(Duration::from_secs(60)) {
        Some(Heard::Ready) => Ok(()),
        _ => Err(DrillError::Wrong("a migration that was cut short does not go on".into())),
    }
}

/// Plays while keepers keep the servers, and asks everything again in the end.
fn keep_and_play(stage: &Stage, extent: Extent, verdict: &mut Verdict) -> Result<u32> {
    let failed: Mutex<Option<DrillError>> = Mutex::default();
    let played = std::thread::scope(|scope| {
        for n in 0..stage.fleet.size() {
            let failed = &failed;
            scope.spawn(move || {
                if let Err(error) = stage.keeper.keep(&stage.fleet, n) {
                    // Without servers everybody waits in vain: this ends the play.
                    stage.journal.wrong(error.to_string());
                    stage.keeper.stop();
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            });
        }
        let over = AtomicBool::new(false);
        let played = std::thread::scope(|inner| {
            // Its own tools copy PostgreSQL.
            let backups = stage.ground.url().file().map(|_| inner.spawn(|| backups::drill(stage, &over)));
            let played = play_and_ask(stage, extent, verdict);
            over.store(true, Ordering::SeqCst);
            match backups.map(std::thread::ScopedJoinHandle::join) {
                Some(Ok(Err(error))) => played.and(Err(error)),
                Some(Err(_)) => Err(DrillError::Failed("the backups ended by a panic".into())),
                _ => played,
            }
        });
        stage.keeper.stop();
        played
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => played,
    }
}

fn play_and_ask(stage: &Stage, extent: Extent, verdict: &mut Verdict) -> Result<u32> {
    stage.keeper.quiet()?;
    stage.people.sign_in(&stage.fleet)?;
    let waves = play::play(stage, extent, &|line| eprintln!("{line}"))?;
    check::wait_for_mails(stage)?;
    check::ask_again(stage, verdict);
    Ok(waves)
}
