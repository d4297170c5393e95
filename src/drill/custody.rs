//! `sealbid drill custody`: the server is killed at every step of a ceremony and of an opening under custodians, before each
//! commit and between it and its answer, and everything goes on after it was started again.
//!
//! Unlike [`super::crash`] nothing is left to chance: one lot, one server, one act at a time. Whoever was not answered sends
//! the same request again, as every client does; that nothing was doubled by it is counted in the end, entry by entry.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use super::bidder::Bidder;
use super::check::{self, Verdict};
use super::crash::Databases;
use super::fleet::{Fleet, Heard, Server};
use super::ground::{Database, Ground};
use super::journal::Journal;
use super::keeper::Keeper;
use super::members::{self, MEMBERS, Members};
use super::officials;
use super::people::People;
use super::play::{SETTLED_MS, Stage};
use super::report::Report;
use super::sink::Sink;
use super::{DrillError, Result, broken};
use crate::client::custodians::SnapshotView;
use crate::faults::Point;
use crate::kernel::time::Timestamp;
use crate::keys::Keys;

/// Bidders: as few as a construction contract may have.
const BIDDERS: usize = 3;
/// How long a server may take to start, or to come to its place.
const PATIENCE: Duration = Duration::from_secs(60);

/// The places at which a server dies in this drill, in the order in which it comes to them.
pub const PLACES: [Point; 11] = [
    Point::CeremonyHeard,
    Point::CeremonyStored,
    Point::SnapshotDrawn,
    Point::SnapshotFixed,
    Point::SharesChecked,
    Point::SharesStored,
    Point::Unsealed,
    Point::OutcomeStored,
    Point::BoxUnsealed,
    Point::SessionClosing,
    Point::SessionClosed,
];

/// Arguments of `drill custody`.
#[derive(Args)]
pub struct CustodyArgs {
    /// Which databases are drilled.
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,
    /// Write the findings as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Drills, tells what was found, and fails when anything does not hold.
///
/// # Errors
/// The first thing that must not be.
pub fn run(args: &CustodyArgs) -> Result<()> {
    let mut reports = Vec::new();
    for database in args.database.each() {
        let report = drill(*database).map_err(|error| error.at(&format!("{database:?}")))?;
        println!("{report}");
        reports.push(report);
    }
    super::report::keep(args.report.as_deref(), &reports)?;
    match reports.iter().all(Report::holds) {
        true => Ok(()),
        false => Err(DrillError::Wrong("not everything holds".into())),
    }
}

fn drill(database: Database) -> Result<Report> {
    let began = Instant::now();
    let sink = Sink::start().map_err(broken)?;
    let ground = Ground::make(database, sink.port())?;
    let fleet = Fleet::new(&ground, 1)?;
    // The first server makes the database.
    ready(&fleet.start(0)?, &fleet)?;
    let people = People::hire(&ground, BIDDERS, MEMBERS)?;
    let keys = Keys::load(&ground.site().config(0).keys.dir).map_err(broken)?;
    let (platform_key, verifier) = (*keys.promise.verifying_key(), ground.site().verifier(&keys));
    let (keeper, journal) = (Keeper::new(1, 0, 0), Journal::default());
    let stage = Stage {
        ground,
        fleet,
        keeper,
        people,
        journal,
        sink,
        platform_key,
        verifier,
        seed: 0,
        lots: Default::default(),
    };
    let mut verdict = Verdict::default();
    let mut house = House { stage: &stage, server: None, slowest: Duration::ZERO };
    house.start(None)?;
    stage.people.sign_in(&stage.fleet)?;
    let lot = play(&mut house)?;
    check::wait_for_mails(&stage)?;
    check::ask_again(&stage, &mut verdict);
    let slowest = house.slowest;
    drop(house);
    check::look(&stage, &mut verdict)?;
    members::count_once(&stage, &lot, &mut verdict)?;
    let missed = PLACES.iter().filter(|place| !stage.keeper.count().contains_key(place.name()));
    verdict.wrong.extend(missed.map(|place| format!("no server died at {}", place.name())));
    Ok(Report {
        database,
        servers: 1,
        seed: stage.seed,
        killed: stage.keeper.servers_killed(),
        kills: stage.keeper.count(),
        waves: 1,
        seconds: began.elapsed().as_secs(),
        slowest_start_ms: slowest.as_millis(),
        verdict,
    })
}

fn ready(server: &Server, fleet: &Fleet) -> Result<()> {
    match server.hear(PATIENCE) {
        Some(Heard::Ready) => Ok(()),
        heard => Err(DrillError::Wrong(format!("a server does not start: {heard:?}\n{}", fleet.last_words()))),
    }
}

/// The one server, and its deaths.
struct House<'a> {
    stage: &'a Stage,
    /// None for a moment, between a death and the next start.
    server: Option<Server>,
    slowest: Duration,
}

impl House<'_> {
    /// Kills the server that is there, and starts one that is to die at `place`, or is ready when this returns.
    fn start(&mut self, place: Option<Point>) -> Result<()> {
        self.server = None;
        let began = Instant::now();
        let server = self.stage.fleet.start_to_die(0, place.map(|place| (place, 1)))?;
        // One that is to die may do so before it takes requests.
        if place.is_none() {
            ready(&server, &self.stage.fleet)?;
            self.slowest = self.slowest.max(began.elapsed());
        }
        self.server = Some(server);
        Ok(())
    }

    fn hear(&self) -> Option<Heard> {
        self.server.as_ref().and_then(|server| server.hear(PATIENCE))
    }

    /// Lets something happen during which the server dies at each of these places, in their order, and gives what came of it.
    /// Whoever does it asks until there is an answer.
    fn through<T: Send>(&mut self, places: &[Point], act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let (first, rest) = places.split_first().ok_or_else(|| broken("no place to die at"))?;
        self.stage.fleet.plan(0, Some((*first, 1)));
        match self.hear() {
            Some(Heard::Planned) => {}
            heard => return Err(DrillError::Wrong(format!("a server does not take its plan: {heard:?}"))),
        }
        std::thread::scope(|scope| {
            let acting = scope.spawn(act);
            let mut next = rest.iter();
            for place in places {
                self.dies_at(*place)?;
                self.start(next.next().copied())?;
            }
            acting.join().map_err(|_| broken("whoever acted ended by a panic"))?
        })
    }

    fn dies_at(&self, place: Point) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match self.hear() {
                Some(Heard::At(point)) if point == place => {
                    self.stage.keeper.note(place.name());
                    return Ok(());
                }
                Some(Heard::Ready | Heard::Planned) => {}
                heard => {
                    let words = self.stage.fleet.last_words();
                    return Err(DrillError::Wrong(format!("{heard:?} and not at {}\n{words}", place.name())));
                }
            }
        }
        Err(DrillError::Wrong(format!("a server does not come to {}", place.name())))
    }
}

/// From the registration of a lot to the end of its opening.
fn play(house: &mut House<'_>) -> Result<String> {
    let stage = house.stage;
    let registered = officials::register(stage, "custodians")?;
    let members = Members::enrolled(stage, &registered)?;
    let members = hold_ceremony(house, members)?;
    let lot = &registered.lot;
    let deadline = officials::announce(stage, lot)?;
    stage.fleet.move_to(stage.fleet.now().plus_millis(super::play::DAY));
    (0..BIDDERS).for_each(|who| Bidder::new(stage, who).put(lot));
    hold_opening(house, &members, lot, deadline)?;
    match stage.journal.told().wrong.first() {
        Some(wrong) => Err(DrillError::Wrong(wrong.clone())),
        None => Ok(registered.lot),
    }
}

/// Every message of every member is sent to a server that dies before its commit, and again before its answer.
fn hold_ceremony<'a>(house: &mut House<'a>, mut members: Members<'a>) -> Result<Members<'a>> {
    for step in members::STEPS {
        for member in members::indices() {
            let word = members.word(step, member)?;
            let said = house.through(&[Point::CeremonyHeard, Point::CeremonyStored], || members.say(&word))?;
            members.check_said(step, member, &word, &said)?;
        }
    }
    members.finish()?;
    Ok(members)
}

fn hold_opening(house: &mut House<'_>, members: &Members<'_>, lot: &str, deadline: Timestamp) -> Result<()> {
    let stage = house.stage;
    let asked = house.through(&[Point::SnapshotDrawn, Point::SnapshotFixed], || {
        stage.fleet.move_to(deadline.plus_millis(SETTLED_MS));
        snapshot(stage, lot)
    })?;
    let first = house.through(&[Point::SharesChecked, Point::SharesStored], || members.give(1, lot, &asked))?;
    members.check_given(1, lot, &asked, &first)?;
    if officials::session(stage, lot)? != "unsealing" {
        return Err(DrillError::Wrong("one share of two opens".into()));
    }
    house.through(&[Point::Unsealed, Point::OutcomeStored, Point::BoxUnsealed], || {
        members.give(2, lot, &asked)?;
        officials::until("the unsealing", || Ok(officials::session(stage, lot)? == "reading"))
    })?;
    let again = snapshot(stage, lot)?;
    if (&again.snapshot, &again.lines) != (&asked.snapshot, &asked.lines) {
        return Err(DrillError::Wrong("the snapshot is another one now".into()));
    }
    for action in ["read-out", "confirm"] {
        officials::preside(stage, lot, action)?;
    }
    let closed: Value =
        house.through(&[Point::SessionClosing, Point::SessionClosed], || officials::preside(stage, lot, "close"))?;
    if closed["state"] != "closed" {
        return Err(DrillError::Wrong(format!("the session is {closed}")));
    }
    stage.journal.told().opened.push(lot.to_owned());
    Ok(())
}

/// The one snapshot of a lot, once it is in the public log.
fn snapshot(stage: &Stage, lot: &str) -> Result<SnapshotView> {
    let mut found = None;
    officials::until("the snapshot", || {
        officials::closing(stage, lot)?;
        let shown = stage.people.centre.insist(|client| client.snapshots(lot));
        let mut shown = shown.map_err(|error| DrillError::Wrong(format!("the snapshots: {error}")))?;
        if shown.len() > 1 {
            return Err(DrillError::Wrong(format!("{lot} has {} snapshots", shown.len())));
        }
        found = shown.pop().filter(|view| view.proof.is_some());
        Ok(found.is_some())
    })?;
    found.ok_or_else(|| broken("no snapshot"))
}
