//! Does what is due for lots.
//!
//! Due times are a column computed by the rules. A late scheduler delays; it never permits: guards compare instants.

use std::time::Duration;

use actix_web::web;

use super::pulse;
use crate::app::App;
use crate::faults::Point;
use crate::features::ceremonies;
use crate::features::lots::{ops, queries};
use crate::instance::Unready;
use crate::ledger::{Error, Failure, Tx};
use crate::limits;

/// Does everything that is due now, lot by lot. Returns how many transitions happened.
///
/// # Errors
/// The database's; a lot whose step is refused is logged and stays due.
pub async fn round(app: &App) -> Result<u32, Error> {
    // What a round closes rests on what this server last said of itself, so it speaks first.
    pulse::beat_if_due(app).await?;
    if app.instance.ready() == Err(Unready::Clock) {
        // A late scheduler delays; one that goes by a clock that was set would permit.
        return Ok(0);
    }
    let now = app.clock.now().millis();
    let due = app.reader.read(move |conn| queries::due(conn, now, limits::SCHEDULER_BATCH)).await?;
    let mut done = 0;
    for lot in due {
        done += advance(app, &lot).await?;
    }
    Ok(done + end_ceremonies(app).await?)
}

/// Ends ceremonies whose time has run out.
async fn end_ceremonies(app: &App) -> Result<u32, Error> {
    let now = app.clock.now();
    let overdue =
        app.reader.read(move |conn| ceremonies::queries::overdue(conn, now, limits::CEREMONIES_ENDED)).await?;
    let mut done = 0;
    for id in overdue {
        let work = move |tx: &mut Tx<'_>| ceremonies::ops::expire(tx, &id);
        done += u32::from(app.ledger.commit_beside(app.system("scheduler"), work).await?);
    }
    Ok(done)
}

/// Takes one lot as far as it can go now.
async fn advance(app: &App, lot: &str) -> Result<u32, Error> {
    let mut done = 0;
    for _ in 0..limits::SCHEDULER_STEPS {
        let (id, keys, here) = (lot.to_owned(), app.keys.clone(), app.instance.clone());
        // Nothing due is no failure, but also nothing to record: another server may have been first.
        let work = move |tx: &mut Tx<'_>| ops::advance(tx, &keys, &id, &here);
        let stepped = app.ledger.commit_beside(app.system("scheduler"), work).await;
        match stepped {
            Ok(true) => {
                done += 1;
                app.faults.reach(Point::LotStep);
            }
            Ok(false) => break,
            Err(Error::Refused(refusal)) => {
                tracing::warn!(lot.id = lot, code = refusal.code, "a due step is refused; it stays due");
                break;
            }
            Err(Error::Failed(Failure::Busy)) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Rounds until the server stops.
pub async fn run(app: web::Data<App>) {
    loop {
        match round(&app).await {
            Ok(_) => app.metrics.scheduled(app.clock.now().millis()),
            Err(error) => tracing::error!(error = %error, "a scheduler round failed; the next one tries again"),
        }
        tokio::time::sleep(Duration::from_millis(limits::SCHEDULER_PAUSE_MS)).await;
    }
}
