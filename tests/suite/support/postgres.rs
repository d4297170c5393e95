//! One temporary PostgreSQL cluster for a test process, started from installed binaries when the first test asks.
//!
//! It listens on a Unix socket in its own directory and nowhere else. A shell stands between: it stops the server and
//! removes the directory when its standard input ends, which happens however the test process ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use sealbid::db::{DbUrl, Mode, connection, grants, migrate};

/// The role that owns the tables.
const OWNER: &str = "sealbid_owner";
/// The role that the server uses: it may not do what the record forbids.
const APPLICATION: &str = "sealbid_app";
/// The migrated database that others are copied from.
const TEMPLATE: &str = "sealbid_template";

/// A running cluster.
pub struct Cluster {
    socket_dir: PathBuf,
    next: AtomicU32,
    // Keeps the pipe open: when it is dropped, or this process dies, the server stops.
    _guard: Child,
}

/// The cluster of this test process, where PostgreSQL is installed.
pub fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER
        .get_or_init(|| {
            let found = binaries();
            if found.is_none() {
                let line =
                    "skipped: PostgreSQL tests (no initdb and postgres found; Debian: apt-get install postgresql)";
                assert!(std::env::var_os("SEALBID_REQUIRE_POSTGRES").is_none_or(|value| value != "1"), "{line}");
                // Written past the test harness, which would swallow it for tests that pass.
                use std::io::Write;
                let _ = writeln!(std::io::stderr(), "{line}");
            }
            found.map(|bin| Cluster::start(&bin))
        })
        .as_ref()
}

/// The folder with `initdb` and `postgres`: on PATH, or the newest of Debian's.
fn binaries() -> Option<PathBuf> {
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

impl Cluster {
    fn start(bin: &Path) -> Self {
        let dir = std::env::temp_dir().join(format!("sealbid-pg-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a directory for the cluster");
        let user = unprivileged();
        let prefix = match user {
            Some(user) => {
                let owned = Command::new("chown").arg(user).arg(&dir).status().expect("chown runs");
                assert!(owned.success(), "the cluster's directory can be given away");
                format!("setpriv --reuid={user} --regid=$(id -g {user}) --clear-groups ")
            }
            None => String::new(),
        };
        let (bin, at) = (bin.display(), dir.display());
        let script = format!(
            "cd {at} || exit 1; {prefix}{bin}/initdb -D {at}/data -U {OWNER} -A trust -E UTF8 --locale=C --no-sync >{at}/initdb.log 2>&1 || exit 1; \
             {prefix}{bin}/postgres -D {at}/data -k {at} -c listen_addresses='' -c max_connections=200 -c shared_buffers=64MB >{at}/server.log 2>&1 & \
             server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf {at}"
        );
        let guard = Command::new("sh")
            .arg("-c")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let cluster = Self { socket_dir: dir, next: AtomicU32::new(0), _guard: guard };
        cluster.wait();
        cluster.prepare();
        cluster
    }

    fn wait(&self) {
        let patience = Instant::now() + Duration::from_secs(60);
        while PgConnection::establish(&self.url("postgres", OWNER)).is_err() {
            assert!(
                Instant::now() < patience,
                "PostgreSQL starts within a minute; see its logs in {}",
                self.socket_dir.display()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn prepare(&self) {
        self.execute("postgres", &format!("CREATE ROLE {APPLICATION} LOGIN"));
        self.execute("postgres", &format!("CREATE DATABASE {TEMPLATE}"));
        let url = DbUrl::parse(&self.url(TEMPLATE, OWNER));
        let mut conn = connection::connect(&url, Mode::Write).expect("the template opens");
        migrate::migrate(&mut conn).expect("the template migrates");
        grants::grant_application_role(&mut conn, APPLICATION).expect("the role is granted its rights");
    }

    /// A URL of a database, as a role.
    fn url(&self, database: &str, role: &str) -> String {
        format!("postgres:///{database}?host={}&user={role}", self.socket_dir.display())
    }

    /// Runs statements as the owner of everything.
    pub fn execute(&self, database: &str, sql: &str) {
        PgConnection::establish(&self.url(database, OWNER)).expect("the owner connects").batch_execute(sql).expect(sql);
    }

    /// A new migrated database; its URL as the application's role.
    pub fn fresh_database(&self) -> String {
        self.application_url(&self.new_database())
    }

    /// A new migrated database; its name.
    pub fn new_database(&self) -> String {
        self.create_from(TEMPLATE)
    }

    /// A copy of a database that nobody is connected to; its URL as the application's role.
    pub fn copy_of(&self, database: &str) -> String {
        self.application_url(&self.create_from(database))
    }

    /// The URL of a database, as the application's role.
    pub fn application_url(&self, database: &str) -> String {
        self.url(database, APPLICATION)
    }

    fn create_from(&self, template: &str) -> String {
        let name = format!("t{}", self.next.fetch_add(1, Ordering::SeqCst));
        self.execute("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        name
    }
}
