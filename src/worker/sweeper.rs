//! Removes uploads that nothing uses, and personal parts that are to be erased and are no evidence any more.
//!
//! The database comes first: an upload is doomed in a commit, so that nothing can attach it any more; then its bytes go,
//! then its row. A crash in between leaves a doomed row, which the next round takes up.

use std::time::Duration;

use actix_web::web;

use crate::app::App;
use crate::faults::Point;
use crate::features::accounts::service_clients;
use crate::features::erasure::ops as erasure;
use crate::features::uploads::{ops, queries, storage};
use crate::ledger::{Error, Tx};
use crate::limits;

/// Dooms what is over, removes what is doomed, and removes files that no upload knows. Returns how many uploads and
/// steps of erasures that were.
///
/// # Errors
/// The database's or the disk's; what is left is taken up by the next round.
pub async fn round(app: &App) -> Result<u32, Error> {
    let tidy = |tx: &mut Tx<'_>| {
        service_clients::forget_ended(tx)?;
        ops::doom_expired(tx, limits::SWEEP_BATCH)
    };
    app.ledger.commit_beside(app.system("sweeper"), tidy).await?;
    let doomed = app.reader.read(|conn| queries::doomed(conn, limits::SWEEP_BATCH)).await?;
    let mut removed = 0;
    for id in doomed {
        app.faults.reach(Point::UploadDoomed);
        storage::remove(app, &id).await?;
        app.faults.reach(Point::UploadRemoved);
        app.ledger.commit_beside(app.system("sweeper"), move |tx| ops::forget(tx, &id)).await?;
        removed += 1;
    }
    removed += erasure::round(app).await?;
    remove_orphans(app).await?;
    Ok(removed)
}

async fn remove_orphans(app: &App) -> Result<(), Error> {
    let orphans = storage::orphans(app, Duration::from_millis(limits::ORPHAN_AGE_MS), limits::ORPHANS).await?;
    for id in orphans {
        tracing::warn!("a file that no upload knows is removed");
        storage::remove(app, &id).await?;
    }
    Ok(())
}

/// Rounds until the server stops.
pub async fn run(app: web::Data<App>) {
    loop {
        if let Err(error) = round(&app).await {
            tracing::error!(error = %error, "a sweeper round failed; the next one tries again");
        }
        tokio::time::sleep(Duration::from_millis(limits::SWEEP_PAUSE_MS)).await;
    }
}
