//! One temporary PostgreSQL cluster for a test process, started when the first test asks.

use std::sync::OnceLock;

use sealbid::stage::postgres::{self, NOT_INSTALLED};

/// No test takes the power away, which is all that these are for; a server that is killed loses nothing by them. Tables are as
/// small as they are young: there is nothing to sweep in them.
const SETTINGS: [&str; 3] = ["fsync=off", "full_page_writes=off", "autovacuum=off"];

/// The cluster, as tests use it: what cannot be done is a failed test.
pub struct Cluster(sealbid::stage::Cluster);

/// The cluster of this test process, where PostgreSQL is installed.
pub fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER
        .get_or_init(|| {
            if postgres::binaries().is_none() {
                let line = format!("skipped: PostgreSQL tests ({NOT_INSTALLED})");
                assert!(std::env::var_os("SEALBID_REQUIRE_POSTGRES").is_none_or(|value| value != "1"), "{line}");
                // Written past the test harness, which would swallow it for tests that pass.
                use std::io::Write;
                let _ = writeln!(std::io::stderr(), "{line}");
                return None;
            }
            Some(Cluster(sealbid::stage::Cluster::start_with(&SETTINGS).expect("the cluster starts")))
        })
        .as_ref()
}

impl Cluster {
    /// Runs statements as the owner of everything.
    pub fn execute(&self, database: &str, sql: &str) {
        self.0.execute(database, sql).expect(sql);
    }

    /// A new migrated database; its URL as the application's role.
    pub fn fresh_database(&self) -> String {
        self.application_url(&self.new_database())
    }

    /// A new migrated database; its name.
    pub fn new_database(&self) -> String {
        self.0.new_database().expect("a new database")
    }

    /// A copy of a database that nobody is connected to; its URL as the application's role.
    pub fn copy_of(&self, database: &str) -> String {
        self.0.copy_of(database).expect("a copy of a database")
    }

    /// The URL of a database, as the application's role.
    pub fn application_url(&self, database: &str) -> String {
        self.0.application_url(database)
    }
}
