//! A temporary PostgreSQL cluster, started from installed binaries.
//!
//! It listens on a Unix socket in its own directory and nowhere else. A shell stands between: it stops the server and
//! removes the directory when its standard input ends, which happens however the process that started it ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use super::{Result, StageError};
use crate::db::{DbUrl, Mode, connection, grants, migrate};

/// The role that owns the tables.
const OWNER: &str = "sealbid_owner";
/// The role that the server uses: it may not do what the record forbids.
const APPLICATION: &str = "sealbid_app";
/// The migrated database that others are copied from.
const TEMPLATE: &str = "sealbid_template";
/// How long the cluster may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks whether it has started.
const PAUSE: Duration = Duration::from_millis(50);
/// What to say where PostgreSQL is not installed.
pub const NOT_INSTALLED: &str = "no initdb and postgres found; Debian: apt-get install postgresql";

/// A running cluster.
pub struct Cluster {
    directory: PathBuf,
    next: AtomicU32,
    // Keeps the pipe open: when it is dropped, or this process dies, the server stops.
    _guard: Child,
}

/// The folder with `initdb` and `postgres`: on PATH, or the newest of Debian's.
pub fn binaries() -> Option<PathBuf> {
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut debian: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    debian
        .sort_by_key(|path| path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok()));
    let debian = debian.into_iter().rev().map(|path| path.join("bin"));
    on_path.chain(debian).find(|dir| dir.join("initdb").exists() && dir.join("postgres").exists())
}

/// `postgres` refuses to run as root: whoever is root runs it as somebody else.
fn unprivileged() -> Option<&'static str> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    let exists = |name: &&str| {
        Command::new("id")
            .arg(name)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if root { ["postgres", "nobody"].into_iter().find(exists) } else { None }
}

/// Makes a directory that the unprivileged user owns; returns what runs a command as that user.
fn give_away(directory: &Path) -> Result<String> {
    // Left by a process that had the same number and was killed together with its shell.
    let _ = std::fs::remove_dir_all(directory);
    std::fs::create_dir_all(directory).map_err(StageError::of)?;
    let Some(user) = unprivileged() else { return Ok(String::new()) };
    let given = Command::new("chown").arg(user).arg(directory).status().map_err(StageError::of)?;
    if !given.success() {
        return Err(StageError(format!("{} cannot be given to {user}", directory.display())));
    }
    Ok(format!("setpriv --reuid={user} --regid=$(id -g {user}) --clear-groups "))
}

impl Cluster {
    /// Starts a cluster with the programs of [`binaries`], a template database and the application's role.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// As [`Cluster::start`], with further settings of the server, `name=value` each.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_with(settings: &[&str]) -> Result<Self> {
        let bin = binaries().ok_or_else(|| StageError(NOT_INSTALLED.into()))?;
        let directory = std::env::temp_dir().join(format!("sealbid-pg-{}", std::process::id()));
        let prefix = give_away(&directory)?;
        let (bin, at) = (bin.display(), directory.display());
        let settings: String = settings.iter().map(|setting| format!(" -c {setting}")).collect();
        let script = format!(
            "cd {at} || exit 1; {prefix}{bin}/initdb -D {at}/data -U {OWNER} -A trust -E UTF8 --locale=C --no-sync >{at}/initdb.log 2>&1 || exit 1; \
             {prefix}{bin}/postgres -D {at}/data -k {at} -c listen_addresses='' -c max_connections=200 -c shared_buffers=64MB{settings} >{at}/server.log 2>&1 & \
             server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf {at}"
        );
        let guard = Command::new("sh")
            .arg("-c")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(StageError::of)?;
        let cluster = Self { directory, next: AtomicU32::new(0), _guard: guard };
        cluster.wait()?;
        cluster.prepare()?;
        Ok(cluster)
    }

    /// Its directory: the database, the socket, the logs.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn wait(&self) -> Result<()> {
        let began = Instant::now();
        while PgConnection::establish(&self.url("postgres", OWNER)).is_err() {
            if began.elapsed() > PATIENCE {
                let logs = self.directory.display();
                return Err(StageError(format!("PostgreSQL did not start within a minute; see its logs in {logs}")));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn prepare(&self) -> Result<()> {
        self.execute("postgres", &format!("CREATE ROLE {APPLICATION} LOGIN"))?;
        self.execute("postgres", &format!("CREATE DATABASE {TEMPLATE}"))?;
        let url = DbUrl::parse(&self.url(TEMPLATE, OWNER));
        let mut conn = connection::connect(&url, Mode::Write).map_err(StageError::of)?;
        migrate::migrate(&mut conn).map_err(StageError::of)?;
        grants::grant_application_role(&mut conn, APPLICATION).map_err(StageError::of)
    }

    /// A URL of a database, as a role.
    fn url(&self, database: &str, role: &str) -> String {
        format!("postgres:///{database}?host={}&user={role}", self.directory.display())
    }

    /// Runs statements as the owner of everything.
    ///
    /// # Errors
    /// The database's.
    pub fn execute(&self, database: &str, sql: &str) -> Result<()> {
        let mut conn = PgConnection::establish(&self.url(database, OWNER)).map_err(StageError::of)?;
        conn.batch_execute(sql).map_err(|error| StageError(format!("{sql}: {error}")))
    }

    /// A new migrated database; its name.
    ///
    /// # Errors
    /// The database's.
    pub fn new_database(&self) -> Result<String> {
        self.create_from(TEMPLATE)
    }

    /// A copy of a database that nobody is connected to; its URL as the application's role.
    ///
    /// # Errors
    /// The database's.
    pub fn copy_of(&self, database: &str) -> Result<String> {
        Ok(self.application_url(&self.create_from(database)?))
    }

    /// The URL of a database, as the application's role.
    pub fn application_url(&self, database: &str) -> String {
        self.url(database, APPLICATION)
    }

    fn create_from(&self, template: &str) -> Result<String> {
        let name = format!("t{}", self.next.fetch_add(1, Ordering::SeqCst));
        self.execute("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}"))?;
        Ok(name)
    }
}
