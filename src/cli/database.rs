//! A database made ready for a command, and the lock that keeps a second server away from an SQLite file.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use super::Failed;
use crate::app::StartError;
use crate::config::Config;
use crate::db::{Conn, Mode, connection, grants, migrate as schema};

/// Held as long as a server, or a command that must be alone, has an SQLite database. The system releases it when the
/// process ends, however it ends. On PostgreSQL there is none: its servers share the database.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "the open file is the lock")] Option<File>);

impl Alone {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`StartError::Locked`] when another process has it.
    pub fn take(config: &Config) -> Result<Self, StartError> {
        let url = config.database_url();
        let Some(path) = url.file() else { return Ok(Self(None)) };
        let name = format!("{}.lock", path.display());
        let database = |error: std::io::Error| StartError::Database(format!("{name}: {error}"));
        let file = File::options().write(true).create(true).truncate(false).open(&name).map_err(database)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(Some(file))),
            Err(TryLockError::WouldBlock) => Err(StartError::Locked(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(database(error)),
        }
    }
}

/// Makes the directory of an SQLite file, closed to others: the file holds who bids, and password hashes.
pub fn make_directory(config: &Config) -> Result<(), StartError> {
    let url = config.database_url();
    let parent: Option<PathBuf> = url.file().and_then(|file| file.parent()).map(Into::into);
    match parent.filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&parent)
            .map_err(|error| StartError::Database(format!("{}: {error}", parent.display()))),
        None => Ok(()),
    }
}

fn connect(config: &Config) -> Result<Conn, StartError> {
    connection::connect(&config.database_url(), Mode::Write).map_err(|error| StartError::Database(error.to_string()))
}

fn missing(conn: &mut Conn) -> Result<usize, StartError> {
    schema::pending(conn).map(|names| names.len()).map_err(|error| StartError::Database(error.to_string()))
}

/// Migrates an SQLite database that this process has to itself.
pub fn migrate_alone(config: &Config, _alone: &Alone) -> Result<(), StartError> {
    if config.database_url().is_postgres() {
        return Ok(());
    }
    schema::migrate(&mut connect(config)?).map(drop).map_err(|error| StartError::Database(error.to_string()))
}

/// Makes sure that the schema is this program's: an SQLite database that no server has is migrated.
///
/// # Errors
/// [`StartError::NotMigrated`] on PostgreSQL.
pub fn ready(config: &Config) -> Result<Conn, StartError> {
    make_directory(config)?;
    let mut conn = connect(config)?;
    match missing(&mut conn)? {
        0 => Ok(conn),
        count if conn_is_postgres(&conn) => Err(StartError::NotMigrated(count)),
        _ => {
            migrate_alone(config, &Alone::take(config)?)?;
            Ok(conn)
        }
    }
}

fn conn_is_postgres(conn: &Conn) -> bool {
    matches!(conn, Conn::Pg(_))
}

/// `sealbid migrate`.
///
/// # Errors
/// The database's.
pub fn migrate(config: &Config, grant_to: Option<&str>) -> Result<(), Failed> {
    make_directory(config)?;
    let _alone = Alone::take(config)?;
    let mut conn = connect(config)?;
    let applied = schema::migrate(&mut conn).map_err(|error| StartError::Database(error.to_string()))?;
    for name in &applied {
        println!("{name}");
    }
    eprintln!("{} migration(s) applied; the schema is that of sealbid {}", applied.len(), env!("CARGO_PKG_VERSION"));
    if let Some(role) = grant_to {
        if !conn_is_postgres(&conn) {
            return Err(Failed::Usage("--grant-to: SQLite has no roles".into()));
        }
        grants::grant_application_role(&mut conn, role)
            .map_err(|error| Failed::tried(format!("granting to {role}: {error}")))?;
        eprintln!("granted to {role}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &std::path::Path) -> Config {
        let mut config = Config::default();
        config.database.url = dir.join("data/sealbid.sqlite").display().to_string();
        config
    }

    #[test]
    fn a_second_server_on_one_sqlite_database_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().expect("a directory");
        let config = config(dir.path());
        make_directory(&config).expect("made");
        let first = Alone::take(&config).expect("free");
        assert!(matches!(Alone::take(&config), Err(StartError::Locked(_))));
        drop(first);
        assert!(Alone::take(&config).is_ok());
    }

    #[test]
    fn an_sqlite_database_is_made_and_migrated_when_it_is_first_needed() {
        let dir = tempfile::tempdir().expect("a directory");
        let config = config(dir.path());
        let mut conn = ready(&config).expect("made");
        assert_eq!(missing(&mut conn).expect("readable"), 0);
    }

    #[test]
    fn a_server_that_runs_is_not_migrated_under_its_feet() {
        let dir = tempfile::tempdir().expect("a directory");
        let config = config(dir.path());
        make_directory(&config).expect("made");
        let _server = Alone::take(&config).expect("free");
        assert!(matches!(ready(&config), Err(StartError::Locked(_))));
    }
}
