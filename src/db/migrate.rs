//! Bringing a database to the schema this program knows.

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Conn;

/// Where diesel notes what was applied.
const TABLE: &str = "__diesel_schema_migrations";

diesel::table! {
    /// Migrations that were applied.
    #[sql_name = "__diesel_schema_migrations"]
    applied (version) {
        /// Digits of the migration's name.
        version -> Text,
    }
}

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Why migrating failed; the message is the database's.
#[derive(Debug, thiserror::Error)]
#[error("the database could not be migrated: {0}")]
pub struct MigrateError(String);

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> MigrateError {
    MigrateError(error.to_string())
}

/// Applies what is missing, and names it.
pub fn migrate(conn: &mut Conn) -> Result<Vec<String>, MigrateError> {
    let applied = match conn {
        Conn::Pg(c) => c.run_pending_migrations(POSTGRES).map_err(failed)?.iter().map(ToString::to_string).collect(),
        Conn::Sqlite(c) => c.run_pending_migrations(SQLITE).map_err(failed)?.iter().map(ToString::to_string).collect(),
    };
    Ok(applied)
}

/// Names the migrations that this program has and the database lacks. Only reads: the role of a running server may not
/// change the schema, not even to make sure that diesel's table is there.
pub fn pending(conn: &mut Conn) -> Result<Vec<String>, MigrateError> {
    let (known, applied) = (known(conn)?, applied(conn)?);
    Ok(known.into_iter().filter(|(version, _)| !applied.contains(version)).map(|(_, name)| name).collect())
}

/// Names the migrations that the database has and this program does not know: a newer one made them. Only reads.
pub fn unknown(conn: &mut Conn) -> Result<Vec<String>, MigrateError> {
    let (known, applied) = (known(conn)?, applied(conn)?);
    Ok(applied.into_iter().filter(|version| !known.iter().any(|(ours, _)| ours == version)).collect())
}

/// Versions and names of the migrations of this program.
fn known(conn: &Conn) -> Result<Vec<(String, String)>, MigrateError> {
    fn names<DB: Backend>(source: &impl MigrationSource<DB>) -> Result<Vec<(String, String)>, MigrateError> {
        let list = source.migrations().map_err(failed)?;
        Ok(list
            .iter()
            .map(|migration| (migration.name().version().to_string(), migration.name().to_string()))
            .collect())
    }
    match conn {
        Conn::Pg(_) => names::<Pg>(&POSTGRES),
        Conn::Sqlite(_) => names::<Sqlite>(&SQLITE),
    }
}

fn applied(conn: &mut Conn) -> Result<Vec<String>, MigrateError> {
    match applied::table.select(applied::version).load(conn) {
        Ok(versions) => Ok(versions),
        // Nothing was ever migrated here: the table of migrations itself is missing.
        Err(diesel::result::Error::DatabaseError(_, info)) if info.message().contains(TABLE) => Ok(Vec::new()),
        Err(error) => Err(MigrateError(error.to_string())),
    }
}
