//! Upkeep: writing tables that follow from committed rows and are no part of the record; and the growth of the log, which
//! takes committed entries into its tree.
//!
//! On SQLite both are use cases of the one writer. On PostgreSQL each has a connection and transactions of its own, below the
//! level at which use cases are kept apart: they read what everybody writes, and would make them lose races for nothing. So
//! they put nothing on record and change no subject. What upkeep did may be lost in a crash: whatever it takes away it must
//! have put elsewhere in the same transaction. What the log grew by is durable like everything else.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::change::WriteConn;
use super::commit::{Ledger, connected};
use super::context::Context;
use super::error::{Error, Failure, Result};
use crate::db::{Conn, DbUrl, dialect};

/// How a transaction begins.
type Begin = fn(&mut Conn) -> diesel::QueryResult<()>;

/// A connection of its own; none until it is needed, and none on SQLite.
pub(super) struct Upkeep {
    url: DbUrl,
    begin: Begin,
    conn: Arc<Mutex<Option<Conn>>>,
}

impl Upkeep {
    /// For the database at `url`, with transactions that begin so.
    pub(super) fn of(url: &DbUrl, begin: Begin) -> Arc<Self> {
        Arc::new(Self { url: url.clone(), begin, conn: Arc::default() })
    }

    fn blocking<T, F>(&self, ledger: &Ledger, context: Context, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T> + Send + 'static,
    {
        if !self.url.is_postgres() {
            return ledger.commit_beside_blocking(context, move |tx| tx.beside(&mut work));
        }
        apart(&mut self.conn.blocking_lock(), &self.url, self.begin, &mut work)
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
        let (url, begin) = (self.upkeep.url.clone(), self.upkeep.begin);
        tokio::task::spawn_blocking(move || apart(&mut conn, &url, begin, &mut work))
            .await
            .map_err(|error| Error::internal(format!("upkeep was cut short: {error}")))?
    }

    /// As [`Ledger::upkeep`], for callers outside async code.
    pub fn upkeep_blocking<T, F>(&self, context: Context, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T> + Send + 'static,
    {
        self.upkeep.blocking(self, context, work)
    }

    /// Commits a step of the log's growth, durably; for callers outside async code. It may be run again from its beginning.
    ///
    /// # Errors
    /// The database's, or what `work` returns: then nothing of it is kept.
    pub fn grow_blocking<T, F>(&self, context: Context, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T> + Send + 'static,
    {
        self.growth.blocking(self, context, work)
    }
}

/// Runs and commits. A connection that broke while it was idle is replaced once.
fn apart<T>(
    slot: &mut Option<Conn>,
    url: &DbUrl,
    begin: Begin,
    work: &mut impl FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T>,
) -> Result<T> {
    let fresh = slot.is_none();
    match once(slot, url, begin, work) {
        Err(Error::Failed(Failure::Database(error))) if dialect::is_lock_timeout(&error) => Err(Failure::Busy.into()),
        Err(error) if !fresh && error.lost_connection() => once(slot, url, begin, work),
        done => done,
    }
}

/// Only a connection that has committed is kept: whatever state another one is in, it ends here.
fn once<T>(
    slot: &mut Option<Conn>,
    url: &DbUrl,
    begin: Begin,
    work: &mut impl FnMut(&mut WriteConn<'_>) -> diesel::QueryResult<T>,
) -> Result<T> {
    connected(slot, url)?;
    let Some(mut conn) = slot.take() else { return Err(Error::internal("no connection for upkeep")) };
    begin(&mut conn)?;
    let value = work(&mut WriteConn::lent(&mut conn))?;
    dialect::commit(&mut conn)?;
    *slot = Some(conn);
    Ok(value)
}
