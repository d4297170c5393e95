//! Fills the table that inspectors search by.
//!
//! Nothing waits for it: whoever searches brings in himself what is missing. So a round is short, and leaves the rest of
//! a rush to the next.

use std::time::Duration;

use actix_web::web;

use crate::app::App;
use crate::features::inspection::search::ops;
use crate::ledger::Error;
use crate::limits;

/// Moves what is queued, up to so many batches.
///
/// # Errors
/// The database's; what is left is taken up by the next round.
pub async fn round(app: &App) -> Result<(), Error> {
    for _ in 0..limits::SEARCH_ROUND {
        if !ops::move_some(app).await? {
            break;
        }
    }
    Ok(())
}

/// Rounds until the server stops.
pub async fn run(app: web::Data<App>) {
    loop {
        if let Err(error) = round(&app).await {
            tracing::error!(error = %error, "a round of filling the search table failed; the next one tries again");
        }
        tokio::time::sleep(Duration::from_millis(limits::SEARCH_PAUSE_MS)).await;
    }
}
