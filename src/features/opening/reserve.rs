//! Looks at a reserve price that was read out and is not public yet: on record before it is shown.

use super::record::is_reserve_public;
use crate::features::lots::model::Lot;
use crate::kernel::id::gathering;
use crate::ledger::{Context, Error, Ledger, Record, Result, Tx};
use crate::{limits, refusals};

/// The kind under which a look at a reserve price is on record.
pub const READ: &str = "reserve.read";

/// Puts on record that `operation` is about to show the reserve price of a lot to whoever asks, unless everybody may see it.
/// What cannot be recorded is not shown.
///
/// # Errors
/// `rate-limited` beyond so many an hour; the database's.
pub async fn note_look(ledger: &Ledger, asks: Option<Context>, lot: &Lot, operation: &'static str) -> Result<()> {
    if is_reserve_public(lot) {
        return Ok(());
    }
    let asks = asks.ok_or_else(|| Error::internal("a reserve price that a stranger would see"))?;
    let (lot, project) = (lot.row.id.clone(), lot.row.project_id.clone());
    ledger.commit(asks, move |tx| read(tx, &lot, &project, operation)).await
}

fn read(tx: &mut Tx<'_>, lot: &str, project: &str, operation: &str) -> Result<()> {
    let user = tx.context().actor_id.clone().unwrap_or_default();
    let stream = gathering("rrd", &[lot, &user, &tx.now().hour().to_string()]);
    let record = Record::new(READ).lot(lot.to_owned()).project(project.to_owned()).restricted("operation", operation);
    tx.note_in(&stream, limits::RESERVE_READS, record)?
        .map(drop)
        .ok_or_else(|| refusals::reserve_read_too_often().into())
}
