//! Filling the search table.

use super::{changes, queries};
use crate::app::App;
use crate::ledger::{Context, Failure, Ledger, Result};
use crate::limits;

/// Moves a batch of entries into the table, where some wait; says whether more may.
///
/// # Errors
/// The database's.
pub async fn move_some(app: &App) -> Result<bool> {
    if !app.reader.ask(queries::is_behind).await? {
        return Ok(false);
    }
    let moved = app.ledger.upkeep(app.system("search"), changes::move_batch).await?;
    Ok(i64::try_from(moved).is_ok_and(|moved| moved >= limits::SEARCH_BATCH))
}

/// Returns once everything that was committed before the call is in the table.
///
/// # Errors
/// [`Failure::Busy`] where that is too much to wait for: whoever asks again finds less to do. The database's.
pub async fn catch_up(app: &App) -> Result<()> {
    // Who waits here finds his work done by whoever went before.
    let _turn = app.search_turn.lock().await;
    for _ in 0..limits::SEARCH_CATCH_UP {
        if !move_some(app).await? {
            return Ok(());
        }
    }
    Err(Failure::Busy.into())
}

/// Makes the table again from the entries; says how many there are.
///
/// # Errors
/// The database's.
pub fn rebuild(ledger: &Ledger, context: Context) -> Result<usize> {
    ledger.upkeep_blocking(context, changes::rebuild)
}
