//! Keeps the servers of a drill running and kills them: at random moments, and at every named place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::draw::Draw;
use super::fleet::{Death, Fleet, Heard, Server};
use super::{DrillError, Result};
use crate::faults::Point;

/// A server that is not ready by then never will be.
const START: Duration = Duration::from_secs(60);
/// How long a server may live that waits for its place: the place may not be reached at all now.
const PATIENCE: Duration = Duration::from_secs(6);
/// How often a keeper looks up.
const LOOK: Duration = Duration::from_millis(20);
/// Kills of one server in one phase that has an end of its own, so that it comes to it.
const KILLS_PER_PHASE: u32 = 4;
/// Kills while lots are published.
const KILLS_AT_PUBLISHING: u32 = 2;
/// Under which name kills at no named place are counted.
pub const ANYWHERE: &str = "anywhere";
/// Under which name kills are counted that hit a server before it was ready.
pub const STARTING: &str = "while starting";

/// Under which name backups are counted that were killed.
pub const BACKING_UP: &str = "a backup";
/// Under which name kills are counted that hit a server at its first migration.
pub const MIGRATING: &str = "while migrating";

/// What goes on, which says which places can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nobody is killed.
    Quiet,
    /// Lots are registered and published.
    Publishing,
    /// Bids come in.
    Bidding,
    /// Boxes are closed, unsealed and read out.
    Opening,
    /// What nobody uses is removed.
    Sweeping,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Quiet, Self::Publishing, Self::Bidding, Self::Opening, Self::Sweeping];

    fn places(self) -> &'static [Point] {
        use Point::*;
        match self {
            Self::Quiet => &[],
            Self::Publishing => &[BeforeCommit, AfterCommit, UploadRow, UploadSynced, MailTaken, MailSent],
            Self::Bidding => &[
                BodyIn,
                BidBeforeCommit,
                BidAfterCommit,
                BeforeCommit,
                AfterCommit,
                UploadRow,
                UploadSynced,
                MailTaken,
                MailSent,
                LogSequenced,
                LogTiles,
                LogSigned,
                LogPublished,
            ],
            Self::Opening => &[
                LotStep,
                Unsealed,
                OutcomeStored,
                BoxUnsealed,
                SessionClosing,
                SessionClosed,
                MailTaken,
                MailSent,
                LogSequenced,
                LogPublished,
            ],
            Self::Sweeping => &[UploadDoomed, UploadRemoved],
        }
    }
}

/// At most how often a place is passed before a server dies there.
fn passes(point: Point) -> u64 {
    match point {
        Point::BeforeCommit | Point::AfterCommit => 6,
        Point::BodyIn => 4,
        Point::LotStep | Point::UploadRow => 1,
        _ => 2,
    }
}

/// The keepers' common knowledge.
pub struct Keeper {
    /// The number of the phase, and which it is.
    phase: AtomicU64,
    stop: AtomicBool,
    left: AtomicU32,
    /// Kills in this phase.
    in_phase: AtomicU32,
    most_in_bidding: u32,
    kept_for_sweeping: u32,
    kills: Mutex<BTreeMap<String, u32>>,
    slowest_start: Mutex<Duration>,
    calm: Vec<AtomicBool>,
    seed: u64,
}

/// How a server is to end.
struct Fate {
    death: Option<Death>,
    within: Duration,
}

/// How one did.
enum End {
    Stop,
    Killed(String),
}

impl Keeper {
    /// Keepers of `servers` servers, for `kills` kills.
    pub fn new(servers: usize, kills: u32, seed: u64) -> Self {
        Self {
            phase: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            left: AtomicU32::new(kills),
            in_phase: AtomicU32::new(0),
            // Few enough that the opening has its share, and that several lots are opened.
            most_in_bidding: (kills / 8).max(3),
            // And one for each server that runs when the sweeping begins.
            kept_for_sweeping: (kills / 12).max(1) + u32::try_from(servers).unwrap_or(1),
            kills: Mutex::default(),
            slowest_start: Mutex::default(),
            calm: (0..servers).map(|_| AtomicBool::new(false)).collect(),
            seed,
        }
    }

    fn kills(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.kills.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Servers killed so far.
    pub fn servers_killed(&self) -> u32 {
        self.kills().iter().filter(|(place, _)| *place != BACKING_UP).map(|(_, kills)| kills).sum()
    }

    /// Kills so far, by place.
    pub fn count(&self) -> BTreeMap<String, u32> {
        self.kills().clone()
    }

    /// The longest time from the start of a process to its first request.
    pub fn slowest_start(&self) -> Duration {
        *self.slowest_start.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether kills are left, beside those that are kept for the sweeping.
    pub fn wants_more(&self) -> bool {
        self.left.load(Ordering::SeqCst) > self.kept_for_sweeping
    }

    /// Whether any kills are left.
    pub fn wants_sweeping(&self) -> bool {
        self.left.load(Ordering::SeqCst) > 0
    }

    /// Counts a kill that is none of a server.
    pub fn tally(&self, place: &str) {
        *self.kills().entry(place.to_owned()).or_default() += 1;
    }

    /// Counts a kill.
    pub fn note(&self, place: &str) {
        *self.kills().entry(place.to_owned()).or_default() += 1;
        self.in_phase.fetch_add(1, Ordering::SeqCst);
        // Never below nothing: two keepers may both have taken the last one.
        let _ = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    }

    fn phase(&self) -> (u64, Phase) {
        let word = self.phase.load(Ordering::SeqCst);
        let phases = Phase::ALL.len() as u64;
        (word / phases, Phase::ALL[usize::try_from(word % phases).unwrap_or(0)])
    }

    /// Begins a phase.
    pub fn begin(&self, phase: Phase) {
        let (number, _) = self.phase();
        self.in_phase.store(0, Ordering::SeqCst);
        self.calm.iter().for_each(|calm| calm.store(false, Ordering::SeqCst));
        self.phase.store((number + 1) * Phase::ALL.len() as u64 + phase as u64, Ordering::SeqCst);
    }

    /// Ends the killing for now, and waits until every server is ready and has no plan.
    ///
    /// # Errors
    /// When one does not come back.
    pub fn quiet(&self) -> Result<()> {
        self.begin(Phase::Quiet);
        let began = Instant::now();
        while !self.calm.iter().all(|calm| calm.load(Ordering::SeqCst)) {
            if began.elapsed() > 2 * START || self.stop.load(Ordering::SeqCst) {
                return Err(DrillError::Wrong("a server did not come back".into()));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Stops all servers.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Keeps the server at place `n` until [`Keeper::stop`].
    ///
    /// # Errors
    /// When it cannot be started, or ends by itself.
    pub fn keep(&self, fleet: &Fleet, n: usize) -> Result<()> {
        let mut draw = Draw::new(self.seed, 1_000 + n as u64);
        // The phase, and how often this place was emptied in it.
        let mut emptied = (0, 0);
        loop {
            let server = fleet.start(n)?;
            let end = self.watch(fleet, &server, n, &mut emptied, &mut draw)?;
            drop(server);
            match end {
                End::Stop => return Ok(()),
                End::Killed(place) => self.note(&place),
            }
            emptied.1 += 1;
        }
    }

    fn fate(&self, phase: Phase, here: u32, draw: &mut Draw) -> Option<Fate> {
        let enough = match phase {
            Phase::Quiet => true,
            Phase::Publishing => !self.wants_more() || self.in_phase.load(Ordering::SeqCst) >= KILLS_AT_PUBLISHING,
            Phase::Bidding => !self.wants_more() || self.in_phase.load(Ordering::SeqCst) >= self.most_in_bidding,
            Phase::Opening => !self.wants_more() || here >= KILLS_PER_PHASE,
            Phase::Sweeping => !self.wants_sweeping(),
        };
        if enough {
            return None;
        }
        let anywhere = if phase == Phase::Sweeping { 0 } else { 20 };
        if draw.percent(anywhere) {
            let most = if draw.percent(15) { 150 } else { 2_500 };
            return Some(Fate { death: None, within: Duration::from_millis(draw.between(0, most)) });
        }
        let point = self.rarest(phase.places(), draw);
        let times = u32::try_from(draw.between(1, passes(point))).unwrap_or(1);
        Some(Fate { death: Some((point, times)), within: PATIENCE })
    }

    /// One of the places where fewest servers died.
    fn rarest(&self, places: &[Point], draw: &mut Draw) -> Point {
        let kills = self.count();
        let died = |point: &Point| kills.get(point.name()).copied().unwrap_or(0);
        let fewest = places.iter().map(died).min().unwrap_or(0);
        let rare: Vec<Point> = places.iter().copied().filter(|point| died(point) <= fewest + 1).collect();
        draw.one_of(&rare)
    }

    fn watch(
        &self,
        fleet: &Fleet,
        server: &Server,
        n: usize,
        emptied: &mut (u64, u32),
        draw: &mut Draw,
    ) -> Result<End> {
        let began = Instant::now();
        let (mut ready, mut number, mut planned, mut fate) = (false, u64::MAX, began, None::<Fate>);
        loop {
            let (now, phase) = self.phase();
            let over = fate.as_ref().is_some_and(|fate| planned.elapsed() >= fate.within);
            if let (Some(Fate { death: None, .. }), true) = (&fate, over && now == number) {
                return Ok(End::Killed(if ready { ANYWHERE } else { STARTING }.to_owned()));
            }
            // A new phase, or a place that is not reached now: a new plan.
            if now != number || over {
                // A server sweeps when it starts: one that did has nothing more to do.
                if ready && phase == Phase::Sweeping && self.wants_sweeping() {
                    return Ok(End::Killed(ANYWHERE.to_owned()));
                }
                *emptied = if now == emptied.0 { *emptied } else { (now, 0) };
                fate = self.fate(phase, emptied.1, draw);
                fleet.plan(n, fate.as_ref().and_then(|fate| fate.death));
                (number, planned) = (now, Instant::now());
            }
            match server.hear(LOOK) {
                Some(Heard::At(point)) => return Ok(End::Killed(point.name().to_owned())),
                Some(Heard::Ended) => return Err(ended(fleet)),
                Some(Heard::Ready) => {
                    ready = true;
                    let mut slowest = self.slowest_start.lock().unwrap_or_else(PoisonError::into_inner);
                    *slowest = began.elapsed().max(*slowest);
                }
                Some(Heard::Planned) | None => {}
            }
            if self.stop.load(Ordering::SeqCst) {
                return Ok(End::Stop);
            }
            if ready && phase == Phase::Quiet && self.phase().0 == number {
                self.calm[n].store(true, Ordering::SeqCst);
            }
            if !ready && began.elapsed() > START {
                return Err(DrillError::Wrong("a server did not start".into()));
            }
        }
    }
}

fn ended(fleet: &Fleet) -> DrillError {
    DrillError::Wrong(format!("a server ended by itself; the last that the servers said:\n{}\n", fleet.last_words()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_belongs_to_a_phase_or_to_the_drill_of_custody() {
        let phases = Phase::ALL.into_iter().flat_map(Phase::places);
        let reached: Vec<Point> = phases.chain(&crate::drill::custody::PLACES).copied().collect();
        assert!(Point::ALL.iter().all(|point| reached.contains(point)));
    }

    #[test]
    fn the_place_where_fewest_died_has_its_turn() {
        let keeper = Keeper::new(1, 100, 1);
        for point in Phase::Sweeping.places().iter().take(1) {
            (0..5).for_each(|_| keeper.note(point.name()));
        }
        let mut draw = Draw::new(1, 1);
        assert_eq!(keeper.rarest(Phase::Sweeping.places(), &mut draw), Point::UploadRemoved);
        assert_eq!(keeper.count()["upload-doomed"], 5);
    }

    #[test]
    fn kills_are_kept_for_the_sweeping_and_then_there_are_no_more() {
        let keeper = Keeper::new(1, 4, 1);
        (0..2).for_each(|_| keeper.note(ANYWHERE));
        assert!(!keeper.wants_more());
        let mut draw = Draw::new(1, 1);
        assert!(keeper.fate(Phase::Bidding, 0, &mut draw).is_none());
        assert!(keeper.fate(Phase::Sweeping, 0, &mut draw).is_some_and(|fate| fate.death.is_some()));
        (0..5).for_each(|_| keeper.note(ANYWHERE));
        assert!(keeper.fate(Phase::Sweeping, 0, &mut draw).is_none());
    }
}
