//! Where erased bytes may lie still, and how they go.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::app::App;
use crate::db::{Conn, Mode, connection};
use crate::features::instances::queries as instances;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Failure, Result};
use crate::limits;
use crate::refusals;

/// Brings SQLite's write-ahead log into the file and empties it; what was deleted is in neither then. Not near a deadline,
/// since commits wait for it; a log that somebody reads stays for the next time.
///
/// # Errors
/// The database's.
pub async fn empty_log(app: &App) -> Result<()> {
    let (url, now) = (app.config.database_url(), app.clock.now());
    if url.is_postgres() || app.reader.read(move |conn| instances::is_deadline_near(conn, now)).await? {
        return Ok(());
    }
    app.blocking(move || {
        let mut conn =
            connection::connect(&url, Mode::Write).map_err(|error| Failure::Unreachable(error.to_string()))?;
        conn.batch_execute(&format!(
            "PRAGMA busy_timeout = {}; PRAGMA wal_checkpoint(TRUNCATE)",
            limits::LOG_EMPTY_MS
        ))?;
        Ok(())
    })
    .await
}

/// Rewrites what had personal parts, so that no copy of an erased one is left between the rows: on SQLite the whole file,
/// on PostgreSQL the two tables. Commits wait for it.
///
/// # Errors
/// A refusal near a deadline, and where the caller does not own the tables; the database's.
pub fn rewrite(conn: &mut Conn, now: Timestamp) -> Result<()> {
    if instances::is_deadline_near(conn, now)? {
        return Err(refusals::state_forbids(
            "临近投标截止,请稍后再执行。",
            "A deadline is near, and commits would wait: try again after it.",
        )
        .into());
    }
    match conn {
        Conn::Sqlite(conn) => {
            conn.batch_execute("VACUUM")?;
            conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        Conn::Pg(conn) => {
            // Whoever does not own a table is warned, and nothing happens.
            let owns = sql::<Bool>(
                "(SELECT bool_and(pg_has_role(current_user, relowner, 'USAGE')) FROM pg_class \
                 WHERE oid IN ('audit_personal'::regclass, 'outbox'::regclass))",
            );
            let owns: bool = diesel::select(owns).get_result(conn)?;
            if !owns {
                return Err(refusals::state_forbids(
                    "当前数据库角色不是表的所有者。请以所有者的数据库地址执行。",
                    "This role does not own the tables: run it with the owner's database URL.",
                )
                .into());
            }
            // Even a full VACUUM carries deleted rows over where somebody's transaction is older. This writes what is there now
            // into new files, and nothing else; to such a transaction the table seems empty.
            for (table, column) in [("audit_personal", "part_i"), ("outbox", "body")] {
                let anew = format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE text USING {column} || ''");
                conn.batch_execute(&anew).map_err(Error::from)?;
            }
        }
    }
    Ok(())
}
