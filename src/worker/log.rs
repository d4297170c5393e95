//! The ticks of the public log, and what follows from them.
//!
//! Ticks come at fixed moments of real time, whatever happens on the platform: when a checkpoint appears tells nothing. A tick
//! that was missed is not made up.

use std::time::{Duration, Instant};

use actix_web::web;

use crate::app::App;
use crate::clock::{Clock, SystemClock};
use crate::features::public_log::disclosure;
use crate::ledger::{Error, Result};
use crate::limits;
use crate::log::publisher::{Means, Ticked};
use crate::log::{Health, queries};

/// Puts the keys that sign from now on in the list of keys.
///
/// # Errors
/// The database's.
pub async fn start(app: &web::Data<App>) -> Result<()> {
    let (work, promise) = (app.clone(), app.promise_verifier());
    app.blocking(move || {
        work.log.name_keys(&work.ledger, &promise, |text| {
            // What stands behind the text and its blank line.
            work.promise_note(text).map(|note| note[text.len() + 1..].to_owned())
        })
    })
    .await
}

/// Lets another server go on at once.
pub async fn stop(app: &App) {
    let (log, ledger) = (app.log.clone(), app.ledger.clone());
    if let Err(error) = app.blocking(move || log.leave(&ledger)).await {
        tracing::warn!(error = %error, "the log is taken over only when this server's time is over");
    }
}

/// Lets the log grow once, and discloses what is due then. Returns how much was done.
///
/// # Errors
/// What went wrong; the next round tries again.
pub async fn round(app: &App) -> Result<u32> {
    let (log, ledger, reader, faults) = (app.log.clone(), app.ledger.clone(), app.reader.clone(), app.faults.clone());
    let tick = move || log.tick(&Means { ledger: &ledger, reader: &reader, faults: &faults, clock: &SystemClock });
    let ticked = app.blocking(tick).await?;
    let disclosed = disclosure::round(app).await?;
    Ok(u32::from(matches!(ticked, Ticked::Published(_))) + disclosed)
}

/// Reads every published tile again.
///
/// # Errors
/// What is changed or missing; where something is changed the log stands still.
pub async fn recheck(app: &App) -> Result<()> {
    let (log, ledger) = (app.log.clone(), app.ledger.clone());
    app.blocking(move || log.recheck(&ledger)).await
}

/// Reads the tiles again at the start and once a day, until the server stops.
pub async fn keep_checking(app: web::Data<App>) {
    loop {
        if let Err(error) = recheck(&app).await {
            tracing::error!(alarm = "log-tiles-damaged", error = %error, "a published tile is not as it was published");
        }
        tokio::time::sleep(Duration::from_millis(limits::LOG_RECHECK_MS)).await;
    }
}

/// Ticks until the server stops.
pub async fn run(app: web::Data<App>) {
    let tick = Duration::from_millis(app.log.settings().tick_ms);
    // The steady hand from here on: a clock that is set moves no tick.
    let (anchor, began) = (SystemClock.now().millis(), Instant::now());
    loop {
        let since = u64::try_from(anchor).unwrap_or(0) + millis(began.elapsed());
        let into = since % millis(tick);
        tokio::time::sleep(Duration::from_millis(millis(tick) - into)).await;
        if let Err(error) = round(&app).await {
            tracing::error!(alarm = "log-tick-failed", error = %error, "a tick of the log failed; the next one tries again");
        }
        look(&app).await;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Raises the alarm when entries wait and no checkpoint comes.
async fn look(app: &App) {
    let stalled = match is_stalled(app).await {
        Ok(stalled) => stalled,
        Err(error) => return tracing::error!(error = %error, "whether the log is stalled could not be asked"),
    };
    if stalled && app.log.health() != Health::Halted {
        tracing::error!(alarm = "log-stalled", "no checkpoint was published for several ticks");
    }
}

/// Whether the newest checkpoint is older than several ticks though there is something that it does not cover.
///
/// # Errors
/// The database's.
pub async fn is_stalled(app: &App) -> std::result::Result<bool, Error> {
    let age = i64::try_from(limits::LOG_STALLED_TICKS * app.log.settings().tick_ms).unwrap_or(i64::MAX);
    let padding = app.log.settings().padding;
    let (head, waits) = app.reader.read(|conn| Ok((queries::head(conn)?, queries::waiting(conn, 1)? > 0))).await?;
    let behind = waits || head.published_size < head.size || padding > 0;
    Ok(behind && SystemClock.now().millis() - head.published_ms > age.max(limits::LOG_STALLED_MS))
}
