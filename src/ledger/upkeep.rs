//! Upkeep: writing tables that follow from committed rows and are no part of the record.
//!
//! On SQLite upkeep is one of the use cases of the one writer. On PostgreSQL it has a connection and transactions of its
//! own, below the level at which use cases are kept apart: it reads what everybody writes, and would make them lose races
//! for nothing. So it puts nothing on record, changes no subject, and may lose what it did in a crash: whatever it takes
//! away it must have put elsewhere in the same transaction.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::change::WriteConn;
use super::commit::{Ledger, connected};
use super::context::Context;
use super::error::{Error, Failure, Result};
use crate::db::{Conn, DbUrl, dialect};

/// The connection for upkeep; none until it is needed, and none on SQLite.
pub(super) struct Upkeep {
    url: DbUrl,
    conn: Arc<Mutex<Option<Conn>>>,
}

impl Upkeep {
    /// For the database at `url`.
    pub(super) fn of(url: &DbUrl) -> Arc<Self> {
        Arc::new(Self { url: url.clone(), conn: Arc::default() })
    }
}

impl Ledger {
    /// Commits upkeep. It may be run again from its beginning.
    ///
    /// # Errors
    /// The database's; [`Failure::Busy`] where another server is at it for too long.
    pub async fn upkeep<T, F>(&self, context: Context, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T> + Send + 'static,
    {
        if !self.upkeep.url.is_postgres() {
            return self.commit_beside(context, move |tx| tx.beside(&mut work)).await;
        }
        // One after the other, and waiting takes no thread.
        let mut conn = self.upkeep.conn.clone().lock_owned().await;
        let url = self.upkeep.url.clone();
        tokio::task::spawn_blocking(move || apart(&mut conn, &url, &mut work))
            .await
            .map_err(|error| Error::internal(format!("upkeep was cut short: {error}")))?
    }

    /// As [`Ledger::upkeep`], for callers outside async code.
    pub fn upkeep_blocking<T, F>(&self, context: Context, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T> + Send + 'static,
    {
        if !self.upkeep.url.is_postgres() {
            return self.commit_beside_blocking(context, move |tx| tx.beside(&mut work));
        }
        apart(&mut self.upkeep.conn.blocking_lock(), &self.upkeep.url, &mut work)
    }
}

/// Runs and commits. A connection that broke while it was idle is replaced once.
fn apart<T>(
    slot: &mut Option<Conn>,
    url: &DbUrl,
    work: &mut impl FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T>,
) -> Result<T> {
    let fresh = slot.is_none();
    match once(slot, url, work) {
        Err(Error::Failed(Failure::Database(error))) if dialect::is_lock_timeout(&error) => Err(Failure::Busy.into()),
        Err(error) if !fresh && error.lost_connection() => once(slot, url, work),
        done => done,
    }
}

/// Only a connection that has committed is kept: whatever state another one is in, it ends here.
fn once<T>(
    slot: &mut Option<Conn>,
    url: &DbUrl,
    work: &mut impl FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T>,
) -> Result<T> {
    connected(slot, url)?;
    let Some(mut conn) = slot.take() else { return Err(Error::internal("no connection for upkeep")) };
    dialect::begin_upkeep(&mut conn)?;
    let value = work(&mut WriteConn::lent(&mut conn))?;
    dialect::commit(&mut conn)?;
    *slot = Some(conn);
    Ok(value)
}
