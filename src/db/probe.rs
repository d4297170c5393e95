//! What a database says of itself, for those who look after it. Only reads.
#![expect(clippy::disallowed_methods, reason = "catalogues and pragmas are in no schema of ours")]

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::Conn;
use super::grants;

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The database's own time, in milliseconds; `None` on SQLite, which has no clock but ours.
///
/// # Errors
/// The database's.
pub fn clock_ms(conn: &mut Conn) -> QueryResult<Option<i64>> {
    match conn {
        Conn::Sqlite(_) => Ok(None),
        Conn::Pg(conn) => {
            let now = sql::<BigInt>("(extract(epoch FROM clock_timestamp()) * 1000)::bigint");
            diesel::select(now).get_result(conn).map(Some)
        }
    }
}

/// The guards that are missing or switched off: triggers that hold every subject to its entry.
///
/// # Errors
/// The database's.
pub fn missing_guards(conn: &mut Conn) -> QueryResult<Vec<String>> {
    let (endings, query): (&[&str], &str) = match conn {
        Conn::Sqlite(_) => {
            (&["_insert", "_update", "_delete"], "SELECT name FROM sqlite_master WHERE type = 'trigger'")
        }
        // `A` is "always": also in a session that plays back replication.
        Conn::Pg(_) => (&["", "_truncate"], "SELECT tgname::text AS name FROM pg_trigger WHERE tgenabled = 'A'"),
    };
    let found: Vec<Name> = diesel::sql_query(query).load(conn)?;
    let is_there = |wanted: &String| found.iter().any(|row| row.name == *wanted);
    let wanted = grants::subject_tables()
        .iter()
        .flat_map(|table| endings.iter().map(move |ending| format!("{table}_guard{ending}")));
    Ok(wanted.filter(|name| !is_there(name)).collect())
}

/// The settings without which a commit may be lost with the power, or a guard be passed by, that are not as they must be.
///
/// # Errors
/// The database's.
pub fn unsafe_settings(conn: &mut Conn) -> QueryResult<Vec<String>> {
    let query = match conn {
        Conn::Sqlite(_) => {
            "SELECT 'journal_mode = ' || journal_mode AS name FROM pragma_journal_mode WHERE journal_mode <> 'wal' \
             UNION ALL SELECT 'foreign_keys = off' FROM pragma_foreign_keys WHERE foreign_keys <> 1 \
             UNION ALL SELECT 'synchronous = ' || synchronous FROM pragma_synchronous WHERE synchronous < 2"
        }
        Conn::Pg(_) => {
            "SELECT name || ' = ' || setting AS name FROM pg_settings \
             WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'"
        }
    };
    Ok(diesel::sql_query(query).load::<Name>(conn)?.into_iter().map(|row| row.name).collect())
}

/// Rights that this role has on PostgreSQL and must not have: to change or remove what is on record.
///
/// # Errors
/// The database's.
pub fn excessive_rights(conn: &mut Conn) -> QueryResult<Vec<String>> {
    if matches!(conn, Conn::Sqlite(_)) {
        return Ok(Vec::new());
    }
    let owner = "SELECT 'owner of ' || tablename AS name FROM pg_tables \
                 WHERE schemaname = 'public' AND tablename = 'audit_entry' AND pg_has_role(current_user, tableowner, 'USAGE')";
    let rights = "SELECT lower(p) || ' on audit_entry' AS name FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS p \
                  WHERE has_table_privilege(current_user, 'audit_entry', p)";
    let query = format!("{owner} UNION ALL {rights}");
    Ok(diesel::sql_query(query).load::<Name>(conn)?.into_iter().map(|row| row.name).collect())
}

/// Whether this role may do what a server must: add to the record.
///
/// # Errors
/// The database's.
pub fn may_write(conn: &mut Conn) -> QueryResult<bool> {
    match conn {
        Conn::Sqlite(_) => Ok(true),
        Conn::Pg(conn) => {
            diesel::select(sql::<Bool>("has_table_privilege(current_user, 'audit_entry', 'INSERT')")).get_result(conn)
        }
    }
}
