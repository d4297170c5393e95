//! How far an inspector sees: nothing of the record is read but through here.

use super::search::ops as search;
use crate::app::App;
use crate::db::Conn;
use crate::features::mandates::model::{Matter, Scope};
use crate::features::mandates::queries as mandates;
use crate::ledger::Result;
use crate::refusals;

/// Reads as far as a user's mandates in a matter reach now, and finds everything that was committed before.
///
/// # Errors
/// 403 where there is none in force; those of `read`.
pub async fn read<T, F>(app: &App, user: String, matter: Matter, read: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&mut Conn, &Scope) -> Result<T> + Send + 'static,
{
    search::catch_up(app).await?;
    let now = app.clock.now();
    app.reader
        .read(move |conn| match mandates::scope(conn, &user, &matter, now)? {
            Scope::Nothing => Err(refusals::mandate_missing().into()),
            scope => read(conn, &scope),
        })
        .await
}
