//! Reading: one consistent, read-only view of the database per call.

use diesel::connection::SimpleConnection;

use super::error::{Error, Failure, Result};
use crate::db::{Conn, DbUrl, Mode, Pool, connection, dialect};
use crate::limits;

/// Hands out read-only views. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pool: Pool,
}

impl Reader {
    /// Readers of the database at `url`.
    pub fn open(url: &DbUrl) -> Self {
        let size = if url.is_postgres() { limits::POSTGRES_READERS } else { limits::SQLITE_READERS };
        Self { pool: connection::pool(url, Mode::Read, size) }
    }

    /// Readers for headers and the heartbeat alone: a header whose last byte is in must not wait behind everybody's lists.
    pub fn open_for_headers(url: &DbUrl) -> Self {
        Self { pool: connection::pool(url, Mode::Read, limits::HEADER_READERS) }
    }

    /// Runs `read` in a read-only transaction on the blocking pool.
    pub async fn read<T, F>(&self, read: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        let reader = self.clone();
        tokio::task::spawn_blocking(move || reader.read_blocking(read))
            .await
            .map_err(|error| Error::internal(format!("a read was cut short: {error}")))?
    }

    /// Runs a single statement on the blocking pool: it sees one state of the database without a transaction around it,
    /// which would be two more round trips. The connection refuses writes all the same. It may be run again on another
    /// connection, where the first turns out to have broken in the pool.
    pub async fn ask<T, F>(&self, ask: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
    {
        let reader = self.clone();
        tokio::task::spawn_blocking(move || reader.ask_blocking(ask))
            .await
            .map_err(|error| Error::internal(format!("a read was cut short: {error}")))?
    }

    /// As [`Reader::ask`], on this thread.
    pub fn ask_blocking<T>(&self, mut ask: impl FnMut(&mut Conn) -> Result<T>) -> Result<T> {
        let mut left = self.pool.max_size();
        loop {
            let mut slot = self.pool.get().map_err(|error| Failure::Unreachable(error.to_string()))?;
            let result = ask(&mut slot.conn);
            slot.broken = matches!(result, Err(Error::Failed(_))) && slot.conn.batch_execute("SELECT 1").is_err();
            if !slot.broken {
                return result;
            }
            if left == 0 {
                return result.map_err(|error| Failure::Unreachable(format!("a connection broke: {error}")).into());
            }
            left -= 1;
        }
    }

    /// Runs `read` in a read-only transaction on this thread.
    pub fn read_blocking<T>(&self, read: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut slot = self.begin()?;
        let result = read(&mut slot.conn);
        let ended = dialect::rollback(&mut slot.conn);
        slot.broken = ended.is_err() || result.as_ref().is_err_and(Error::lost_connection);
        result
    }

    /// A connection inside a read-only transaction. A connection that broke while it waited in the pool is replaced once.
    fn begin(&self) -> Result<r2d2::PooledConnection<crate::db::connection::Manager>> {
        let take = || self.pool.get().map_err(|error| Failure::Unreachable(error.to_string()));
        let mut slot = take()?;
        if dialect::begin_read(&mut slot.conn).is_ok() {
            return Ok(slot);
        }
        slot.broken = true;
        drop(slot);
        let mut slot = take()?;
        dialect::begin_read(&mut slot.conn).map_err(|error| Failure::Unreachable(error.to_string()))?;
        Ok(slot)
    }
}
