//! What happens on the ground: lots are published, bid upon until their deadline passes, closed, unsealed and read out,
//! wave after wave, while servers are killed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::bidder::Bidder;
use super::draw::Draw;
use super::fleet::Fleet;
use super::ground::Ground;
use super::journal::Journal;
use super::keeper::{Keeper, Phase};
use super::people::People;
use super::sink::Sink;
use super::{DrillError, Result, officials};
use crate::seal::keys::VerifyingKey;

/// A day in milliseconds.
pub const DAY: i64 = 24 * 60 * 60 * 1000;
/// Days from the notice to the deadline.
pub const DAYS_TO_DEADLINE: i64 = 21;
/// Headers in flight have had their time, and the box is due to be closed.
pub const SETTLED_MS: i64 = 90_000;
/// How long before a deadline the bidders are still at it, by a clock that then simply runs.
const BEFORE_DEADLINE_MS: i64 = 1_500;
/// How long they try after it.
const AFTER_DEADLINE: Duration = Duration::from_millis(2_500);
/// What nobody used is over by then.
const USELESS_AFTER: i64 = 40 * DAY;
/// Pauses of the official who clarifies, and of whoever waits.
const PAUSE: Duration = Duration::from_millis(500);

/// How much is played.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Lots of one wave.
    pub lots: usize,
    /// Bidders.
    pub bidders: usize,
    /// How long they bid in each wave before the deadline comes.
    pub bidding: Duration,
}

/// The ground with everybody on it.
pub struct Stage {
    /// The directory and the database.
    pub ground: Ground,
    /// The servers.
    pub fleet: Fleet,
    /// Their keepers.
    pub keeper: Keeper,
    /// The people.
    pub people: People,
    /// What they were told.
    pub journal: Journal,
    /// The mail server.
    pub sink: Sink,
    /// The platform's key.
    pub platform_key: VerifyingKey,
    /// The same as a verifier of receipts.
    pub verifier: String,
    /// What chance begins with.
    pub seed: u64,
    /// The lots that bidders bid on; none when they are to stop.
    pub lots: Mutex<Option<Vec<String>>>,
}

impl Stage {
    /// The lots to bid on; `None` when the bidding is over.
    pub fn open_lots(&self) -> Option<Vec<String>> {
        if self.journal.told().wrong.is_empty() { self.lots().clone() } else { None }
    }

    fn lots(&self) -> std::sync::MutexGuard<'_, Option<Vec<String>>> {
        self.lots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<()> {
        match self.journal.told().wrong.first() {
            Some(wrong) => Err(DrillError::Wrong(wrong.clone())),
            None => Ok(()),
        }
    }
}

/// Plays waves until enough servers were killed, and then has what nobody uses removed.
///
/// # Errors
/// The first thing that must not be.
pub fn play(stage: &Stage, extent: Extent, say: &dyn Fn(&str)) -> Result<u32> {
    let mut waves = 0;
    while waves == 0 || stage.keeper.wants_more() {
        wave(stage, extent)?;
        waves += 1;
        let killed = stage.keeper.servers_killed();
        say(&format!("wave {waves}: {killed} servers killed, {} acts answered", stage.journal.told().acts.len()));
    }
    stage.fleet.move_to(stage.fleet.now().plus_millis(USELESS_AFTER));
    // A server sweeps when it starts: each one that dies at it leaves the rest to the next.
    stage.keeper.begin(Phase::Sweeping);
    let patience = std::time::Instant::now();
    while stage.keeper.wants_sweeping() && patience.elapsed() < SWEEPING {
        std::thread::sleep(PAUSE);
    }
    stage.keeper.quiet()?;
    Ok(waves)
}

/// How long the sweeping may go on.
const SWEEPING: Duration = Duration::from_secs(40);

fn wave(stage: &Stage, extent: Extent) -> Result<()> {
    stage.keeper.begin(Phase::Publishing);
    let published = (0..extent.lots).map(|_| officials::publish(stage)).collect::<Result<Vec<_>>>()?;
    let last = published.iter().map(|(_, deadline)| *deadline).max().unwrap_or_else(|| stage.fleet.now());
    let lots: Vec<String> = published.into_iter().map(|(lot, _)| lot).collect();
    stage.fleet.move_to(stage.fleet.now().plus_millis(DAY));
    *stage.lots() = Some(lots.clone());
    stage.keeper.begin(Phase::Bidding);
    let clarified = std::thread::scope(|scope| {
        for who in 0..extent.bidders {
            scope.spawn(move || Bidder::new(stage, who).play());
        }
        let clarified = clarify_for(stage, &lots, extent.bidding);
        stage.fleet.move_to(last.plus_millis(-BEFORE_DEADLINE_MS));
        std::thread::sleep(Duration::from_millis(u64::try_from(BEFORE_DEADLINE_MS).unwrap_or(0)) + AFTER_DEADLINE);
        *stage.lots() = None;
        clarified
    });
    clarified?;
    stage.check()?;
    stage.keeper.begin(Phase::Opening);
    stage.fleet.move_to(last.plus_millis(SETTLED_MS));
    lots.iter().try_for_each(|lot| officials::open(stage, lot))?;
    stage.check()
}

/// The initiator makes something clear now and then.
fn clarify_for(stage: &Stage, lots: &[String], long: Duration) -> Result<()> {
    let mut draw = Draw::new(stage.seed, 0);
    let began = std::time::Instant::now();
    while began.elapsed() < long && stage.open_lots().is_some() {
        std::thread::sleep(PAUSE);
        let lot = draw.one_of(&(0..lots.len()).collect::<Vec<_>>());
        if draw.percent(25) {
            officials::clarify(stage, &lots[lot])?;
        }
    }
    Ok(())
}
