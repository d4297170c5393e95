//! The heartbeat: compares the clocks and tells the other servers that this one lives and what it has in flight.
//!
//! A beat is one row, written at most once a second while a deadline is near and every few seconds otherwise: nothing
//! waits for a beat then, and an outage is counted from far longer gaps.

use std::time::{Duration, Instant};

use actix_web::web;

use crate::app::App;
use crate::clock::Clock;
use crate::db::{Conn, dialect};
use crate::features::instances::model::Beat;
use crate::features::instances::{ops, queries};
use crate::instance::{Compared, Pulse, Unready};
use crate::ledger::{Error, Failure};
use crate::limits;

/// Compares the clocks, puts the start on record, and says for the first time that this server lives.
///
/// # Errors
/// The database's.
pub async fn start(app: &App) -> Result<(), Error> {
    app.instance.compared(compare(app).await?);
    let (instance, offset, settings) = (app.instance.id().to_owned(), app.instance.offset_ms(), app.config.settings());
    let alone = !app.config.database_url().is_postgres();
    let begun = move |tx: &mut crate::ledger::Tx<'_>| ops::start(tx, &instance, offset, &settings, alone);
    app.ledger.commit(app.system("start"), begun).await?;
    beat(app).await
}

/// Puts on record that this server stopped; it must have answered everything that it accepted.
///
/// # Errors
/// The database's.
pub async fn stop(app: &App) -> Result<(), Error> {
    let ready = app.instance.ready().is_ok();
    app.instance.stopping();
    let instance = app.instance.id().to_owned();
    app.ledger.commit(app.system("stop"), move |tx| ops::stop(tx, &instance, ready)).await
}

/// Beats, where that is due.
///
/// # Errors
/// As [`beat`].
pub async fn beat_if_due(app: &App) -> Result<(), Error> {
    if app.instance.pulse().is_due(app.clock.now()) { beat(app).await } else { Ok(()) }
}

/// One beat.
///
/// # Errors
/// The database's; then this server takes no bids until a beat succeeds.
pub async fn beat(app: &App) -> Result<(), Error> {
    let beaten = try_beat(app).await;
    let away = matches!(beaten, Err(Error::Failed(Failure::Unreachable(_) | Failure::Database(_))));
    app.instance.database_away(away);
    beaten
}

async fn try_beat(app: &App) -> Result<(), Error> {
    let here = &app.instance;
    here.compared(compare(app).await?);
    let (before, watch) = (here.pulse(), Instant::now());
    // A database that was away answers again: that is no reason any more.
    let ready = matches!(here.ready(), Ok(()) | Err(Unready::Database));
    let off = here.ready() == Err(Unready::Clock);
    let (at, inflight_since) = here.flights().sample(&*app.clock);
    let beat = Beat {
        instance: here.id().to_owned(),
        started_at: here.started_at(),
        at,
        inflight_since,
        clock_offset_ms: here.offset_ms(),
        ready,
        unbroken: before.is_unbroken(),
        clock_turned: (off != before.off_on_record).then_some(off),
    };
    let near = app.header_reader.read(move |conn| queries::is_deadline_near(conn, at)).await?;
    if let Some(off) = beat.clock_turned {
        tracing::warn!(off, clock_offset_ms = beat.clock_offset_ms, "this server's clock");
    }
    // Not behind other work: a busy server lives.
    let context = app.system("heartbeat").for_bids(None);
    app.ledger.commit_beside(context, move |tx| ops::beat(tx, &beat)).await?;
    let ready = if ready { Some(watch) } else { before.ready };
    here.remember(Pulse { last: Some((at, watch)), ready, near, off_on_record: off });
    Ok(())
}

/// Compares this server's clock with the one that all servers share: the database's on PostgreSQL. On SQLite there is one
/// server and one clock, which is compared with its own steady hand.
async fn compare(app: &App) -> Result<Compared, Error> {
    let clock = app.instance.clock().clone();
    let raw = clock.raw().clone();
    if !app.config.database_url().is_postgres() {
        return Ok(clock.against_itself());
    }
    if let Some(shared) = raw.shared() {
        return Ok(clock.against_shared(raw.now().millis() - shared.millis(), 0));
    }
    let asked = app.header_reader.read(move |conn: &mut Conn| Ok(ask(conn, &*raw)?)).await?;
    Ok(asked.map_or_else(|| clock.against_itself(), |asked| clock.against_shared(asked.offset_ms, asked.way_ms / 2)))
}

/// What the database said of the time.
struct Asked {
    /// By how much this computer's clock is ahead, if the answer came at the middle of the way.
    offset_ms: i64,
    /// How long the way there and back took.
    way_ms: i64,
}

/// Asks the database for the time, and again when it was slow to answer; the fastest answer is the best.
fn ask(conn: &mut Conn, raw: &dyn Clock) -> diesel::QueryResult<Option<Asked>> {
    let mut best: Option<Asked> = None;
    for _ in 0..limits::CLOCK_QUESTIONS {
        let (before, steady) = (raw.now().millis(), raw.steady());
        let Some(shared) = dialect::shared_clock_ms(conn)? else { return Ok(None) };
        let way_ms = raw.steady() - steady;
        if best.as_ref().is_none_or(|best| way_ms < best.way_ms) {
            best = Some(Asked { offset_ms: before + way_ms / 2 - shared, way_ms });
        }
        if way_ms <= limits::CLOCK_WAY_MS {
            break;
        }
    }
    Ok(best)
}

/// Beats until the server stops.
pub async fn run(app: web::Data<App>) {
    loop {
        if let Err(error) = beat_if_due(&app).await {
            tracing::error!(error = %error, "a heartbeat failed; the next one tries again");
        }
        tokio::time::sleep(Duration::from_millis(limits::BEAT_MS.unsigned_abs() / 2)).await;
    }
}
