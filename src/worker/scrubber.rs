//! Reads stored payloads again, so that damage is found while somebody can still mend it.
//!
//! A file is due at an instant that its row tells; whoever takes it moves that instant on, so that of several servers one
//! reads it, and a server that dies over it has only put it off. Slowly: a piece, a pause. All complete uploads are read,
//! whether anything uses them or not, so that an alarm does not tell that there is a bid.

use std::time::Duration;

use actix_web::web;

use crate::app::App;
use crate::features::restoration::{ops, storage};
use crate::features::uploads::model::UploadRow;
use crate::features::uploads::queries;
use crate::ledger::Error;
use crate::limits;

/// Reads what is due, at most a batch. Returns how many files it read; 0 when nothing is due.
///
/// # Errors
/// The database's or the disk's; what is left is taken up by a later round.
pub async fn round(app: &App) -> Result<u32, Error> {
    let (mut read, mut damaged) = (0, false);
    for upload in take(app).await? {
        let damage = storage::examine(app, &upload, Duration::from_millis(limits::SCRUB_PAUSE_MS)).await?;
        damaged |= damage.is_some();
        app.ledger.commit_beside(app.system("scrubber"), move |tx| ops::found(tx, &upload, damage.as_ref())).await?;
        read += 1;
    }
    if damaged {
        // Neither which nor how many: see docs/operations.md.
        tracing::error!("stored files are damaged: check the disk; `sealbid doctor` names them");
    }
    Ok(read)
}

/// Takes a batch of what is due; looks past what is of no use any more, or was taken by another server.
async fn take(app: &App) -> Result<Vec<UploadRow>, Error> {
    loop {
        let now = app.clock.now().millis();
        let due = app.reader.read(move |conn| queries::read_due(conn, now, limits::SCRUB_DUE)).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mine = app.ledger.commit_beside(app.system("scrubber"), move |tx| ops::take(tx, &due)).await?;
        if !mine.is_empty() {
            return Ok(mine);
        }
    }
}

/// Rounds until the server stops.
pub async fn run(app: web::Data<App>) {
    loop {
        let pause = match round(&app).await {
            Ok(0) => limits::SCRUB_IDLE_MS,
            Ok(_) => limits::SCRUB_PAUSE_MS,
            Err(error) => {
                tracing::error!(error = %error, "a scrubbing round failed; the next one tries again");
                limits::SCRUB_IDLE_MS
            }
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}
