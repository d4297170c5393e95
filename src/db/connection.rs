//! One connection type for both databases, and the pools that hand it out.
//!
//! The derived `establish` of a multi-connection tries its variants in turn, so that an outage of PostgreSQL would open
//! a *file* named after the URL. [`Manager`] decides by the URL instead, once.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::limits;

/// What the derive writes has no documentation of its own.
mod either {
    #![allow(missing_docs, reason = "the derive's own types and variants")]
    use diesel::{PgConnection, SqliteConnection};

    /// A connection to either database: PostgreSQL for a province, SQLite as the embedded default.
    #[derive(diesel::MultiConnection)]
    pub enum Conn {
        Pg(PgConnection),
        Sqlite(SqliteConnection),
    }
}

pub use either::Conn;

/// Where the database is: `postgres://…`, or the path of an SQLite file.
#[derive(Clone, PartialEq, Eq)]
pub enum DbUrl {
    /// A `postgres://` or `postgresql://` URL.
    Postgres(String),
    /// The path of the database file.
    Sqlite(PathBuf),
}

impl DbUrl {
    /// Reads a URL or a path; `sqlite:` before a path is allowed.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(text.to_owned())
        } else {
            Self::Sqlite(PathBuf::from(text.strip_prefix("sqlite:").unwrap_or(text)))
        }
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// The database file, where there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Postgres(_) => None,
            Self::Sqlite(path) => Some(path),
        }
    }
}

impl fmt::Debug for DbUrl {
    /// Never prints the URL of PostgreSQL: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(_) => f.write_str("postgres://…"),
            Self::Sqlite(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Reads only; the database itself refuses writes.
    Read,
    /// Reads and writes: for the ledger and for migrations.
    Write,
}

/// Makes connections for a pool.
pub struct Manager {
    url: DbUrl,
    mode: Mode,
}

/// A pool of connections of one mode.
pub type Pool = r2d2::Pool<Manager>;

/// Why a connection could not be made or is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The database did not answer, or the file cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The connection was made, but a setting on which safety rests could not be set.
    #[error("the database connection could not be set up: {0}")]
    SetUp(#[from] diesel::result::Error),
    /// A guard did not take: the connection must not be used.
    #[error("the database connection is unsafe: {0}")]
    Unsafe(&'static str),
}

/// Opens one connection, outside any pool.
pub fn connect(url: &DbUrl, mode: Mode) -> Result<Conn, ConnectError> {
    match url {
        DbUrl::Postgres(url) => {
            let mut conn = PgConnection::establish(url)?;
            conn.batch_execute(
                "SET TIME ZONE 'UTC'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'",
            )?;
            if mode == Mode::Read {
                conn.batch_execute("SET default_transaction_read_only = on")?;
            }
            Ok(Conn::Pg(conn))
        }
        DbUrl::Sqlite(path) => {
            let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
            // What undoes a use case within its group is kept in memory: it need not outlive the process.
            conn.batch_execute(&format!(
                "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA cache_size = -{}; \
                 PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST",
                if mode == Mode::Read { limits::SQLITE_READER_KIB } else { limits::SQLITE_WRITER_KIB },
            ))?;
            check_foreign_keys(&mut conn)?;
            if mode == Mode::Read {
                conn.batch_execute("PRAGMA query_only = ON")?;
            }
            Ok(Conn::Sqlite(conn))
        }
    }
}

/// The pragma is silently ignored inside a transaction and by a library built without it: look, do not trust.
fn check_foreign_keys(conn: &mut SqliteConnection) -> Result<(), ConnectError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        foreign_keys: i32,
    }
    #[expect(clippy::disallowed_methods, reason = "a pragma has no typed form, and this is where connections are made")]
    let row: Row = diesel::sql_query("PRAGMA foreign_keys").get_result(conn)?;
    if row.foreign_keys == 1 { Ok(()) } else { Err(ConnectError::Unsafe("foreign keys are off")) }
}

/// A connection in a pool, and whether its user found it broken.
pub struct Slot {
    /// The connection.
    pub conn: Conn,
    /// Set by whoever met an error that means the connection is gone: it is then not handed out again.
    pub broken: bool,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Slot;
    type Error = ConnectError;

    fn connect(&self) -> Result<Slot, ConnectError> {
        Ok(Slot { conn: connect(&self.url, self.mode)?, broken: false })
    }

    fn is_valid(&self, slot: &mut Slot) -> Result<(), ConnectError> {
        slot.conn.batch_execute("SELECT 1").map_err(ConnectError::SetUp)
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        slot.broken || std::thread::panicking()
    }
}

/// A pool of `size` connections; made lazily, so that a database that is away does not keep the server from starting.
pub fn pool(url: &DbUrl, mode: Mode, size: u32) -> Pool {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(Duration::from_millis(limits::DB_CHECKOUT_MS))
        // A round trip for every check-out costs more than the rare retry on a broken connection.
        .test_on_check_out(false)
        .error_handler(Box::new(LogErrors))
        .build_unchecked(Manager { url: url.clone(), mode })
}

/// Sends the pool's background errors to our log instead of the `log` crate.
#[derive(Debug)]
struct LogErrors;

impl r2d2::HandleError<ConnectError> for LogErrors {
    fn handle_error(&self, error: ConnectError) {
        tracing::warn!(error = %error, "a database connection could not be made");
    }
}
