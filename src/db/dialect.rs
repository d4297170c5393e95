//! Everything that SQLite and PostgreSQL say differently.

use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::Conn;

/// Runs the same diesel expression on whichever database it is. For the few queries (`ON CONFLICT`, batch insert)
/// that the common connection type does not compile.
#[macro_export]
macro_rules! on {
    ($conn:expr, $c:ident => $e:expr) => {
        match $conn {
            $crate::db::Conn::Pg($c) => $e,
            $crate::db::Conn::Sqlite($c) => $e,
        }
    };
}

/// Starts a transaction that will write. SQLite takes the write lock at once: a deferred transaction that reads first
/// and then writes fails under load, and no time-out helps.
pub fn begin_write(conn: &mut Conn) -> Result<(), DieselError> {
    match conn {
        Conn::Pg(c) => c.batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE"),
        Conn::Sqlite(c) => c.batch_execute("BEGIN IMMEDIATE"),
    }
}

/// Starts the transaction in which the log grows. It compares before it swaps, so that it needs no more than to see what is
/// committed; serializable, it would be in everybody's way.
pub fn begin_growth(conn: &mut Conn) -> Result<(), DieselError> {
    match conn {
        Conn::Pg(c) => c.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
        Conn::Sqlite(c) => c.batch_execute("BEGIN IMMEDIATE"),
    }
}

/// Starts a transaction that moves what follows from the record from one place to another. It takes no part in the choice
/// between use cases, which it would make lose races; a crash may lose it, and with it nothing but work.
pub fn begin_upkeep(conn: &mut Conn) -> Result<(), DieselError> {
    match conn {
        Conn::Pg(c) => c.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off"),
        Conn::Sqlite(c) => c.batch_execute("BEGIN IMMEDIATE"),
    }
}

/// Waits until no other transaction of any server holds the lock of this number, and holds it until the end of this one.
/// Each statement after it sees what the others committed. On SQLite whoever writes is alone.
pub fn one_at_a_time(conn: &mut Conn, number: i64) -> Result<(), DieselError> {
    match conn {
        Conn::Pg(c) => c.batch_execute(&format!("SELECT pg_advisory_xact_lock({number})")),
        Conn::Sqlite(_) => Ok(()),
    }
}

/// Starts a transaction that only reads, and sees one state of the database throughout.
pub fn begin_read(conn: &mut Conn) -> Result<(), DieselError> {
    match conn {
        Conn::Pg(c) => c.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        Conn::Sqlite(c) => c.batch_execute("BEGIN DEFERRED"),
    }
}

/// What the clock shows that all servers of the database share, in epoch milliseconds; none on SQLite, whose one server
/// has the only clock.
pub fn shared_clock_ms(conn: &mut Conn) -> Result<Option<i64>, DieselError> {
    match conn {
        Conn::Pg(c) => {
            let now = diesel::dsl::sql::<diesel::sql_types::BigInt>(
                "floor(extract(epoch from clock_timestamp()) * 1000)::bigint",
            );
            diesel::RunQueryDsl::get_result(diesel::select(now), c).map(Some)
        }
        Conn::Sqlite(_) => Ok(None),
    }
}

/// Commits.
pub fn commit(conn: &mut Conn) -> Result<(), DieselError> {
    conn.batch_execute("COMMIT")
}

/// Rolls back. That the database has done so by itself is fine: SQLite does where it found no room.
pub fn rollback(conn: &mut Conn) -> Result<(), DieselError> {
    match conn.batch_execute("ROLLBACK") {
        Err(DieselError::DatabaseError(_, info)) if info.message().contains("no transaction is active") => Ok(()),
        done => done,
    }
}

/// Whether the same work may succeed when it is simply run again: the database had to choose between two
/// transactions, or the connection was lost before the commit.
pub fn is_retryable(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(_, info) => {
            let message = info.message();
            message.contains("deadlock detected") || message.contains("database is locked")
        }
        _ => false,
    }
}

/// Whether a lock was waited for too long.
pub fn is_lock_timeout(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, info) if info.message().contains("lock timeout"))
}

/// Whether another transaction was first with the same unique value.
pub fn is_unique_violation(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

/// Whether the database found no room on its disk.
pub fn is_disk_full(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(_, info) => {
            let message = info.message();
            message.contains("database or disk is full") || message.contains("No space left on device")
        }
        _ => false,
    }
}

/// Whether the connection itself is gone, so that it must be made anew.
pub fn is_connection_lost(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => {
            true
        }
        DieselError::BrokenTransactionManager => true,
        DieselError::DatabaseError(_, info) => {
            let message = info.message();
            message.contains("server closed the connection")
                || message.contains("terminating connection")
                || message.contains("could not receive data")
        }
        _ => false,
    }
}
