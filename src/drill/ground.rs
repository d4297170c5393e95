//! Where a drill takes place: a directory of its own with everything that its servers share.
//!
//! Promise: a drilled server knows no database but the one that its ground describes. It is told a directory, never a
//! URL; an SQLite file lies inside the directory, and a PostgreSQL database must hold the ground's own mark.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::{DrillError, Result, broken};
use crate::config::Config;
use crate::db::schema::meta;
use crate::db::{DbUrl, Mode, connection};
use crate::keys::Keys;
use crate::stage::{Cluster, Scratch};
use crate::tlog::note;

/// The file that makes a directory a ground.
const SIGN: &str = "drill.json";
/// Under which name a PostgreSQL database holds the ground's mark.
const MARK: &str = "drill";
/// Where the platform says it is; nothing is asked there.
const PUBLIC_URL: &str = "https://drill.invalid";

/// Which database is drilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Database {
    /// SQLite, one server.
    Sqlite,
    /// PostgreSQL, two servers.
    Postgres,
}

/// What the servers of a drill are told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Site {
    /// The PostgreSQL database; none on SQLite.
    postgres: Option<String>,
    mark: String,
    mail_port: u16,
    #[serde(skip)]
    dir: PathBuf,
}

impl Site {
    /// Reads what the drill in `dir` left there.
    ///
    /// # Errors
    /// When no drill did.
    pub fn read(dir: &Path) -> Result<Self> {
        let strange = |error: &dyn std::fmt::Display| {
            DrillError::Refused(format!("{} is no ground of a drill: {error}", dir.display()))
        };
        let text = fs::read_to_string(dir.join(SIGN)).map_err(|error| strange(&error))?;
        let site: Self = serde_json::from_str(&text).map_err(|error| strange(&error))?;
        Ok(Self { dir: dir.to_owned(), ..site })
    }

    /// The configuration of a server on `port`.
    pub fn config(&self, port: u16) -> Config {
        let data = self.dir.join("data");
        let mut config = Config::default();
        config.server.bind = format!("127.0.0.1:{port}");
        config.server.public_url = PUBLIC_URL.into();
        config.server.workers = 2;
        config.database.url = match &self.postgres {
            Some(url) => url.clone(),
            None => data.join("sealbid.sqlite").display().to_string(),
        };
        config.storage.blobs = data.join("blobs");
        config.keys.dir = self.dir.join("keys");
        config.audit.dir = data.join("log");
        config.audit.signer = format!("dir:{}", self.dir.join("signer").display());
        config.audit.tick_ms = 100;
        config.mail.transport = "smtp".into();
        config.mail.smtp_host = "127.0.0.1".into();
        config.mail.smtp_port = self.mail_port;
        config.mail.smtp_security = "none".into();
        config.log.filter = "warn".into();
        config
    }

    /// The key by which receipts are checked, as whoever has the platform's keys knows it.
    pub fn verifier(&self, keys: &Keys) -> String {
        let origin = PUBLIC_URL.trim_start_matches("https://");
        note::verifier_key(&format!("{origin}/promise"), &keys.promise.verifying_key().to_bytes())
    }

    /// Makes sure that the database is the one of this drill.
    ///
    /// # Errors
    /// [`DrillError::Refused`] for any other.
    pub fn check_database(&self, config: &Config) -> Result<()> {
        if self.postgres.is_none() {
            return Ok(());
        }
        let mut conn = connection::connect(&config.database_url(), Mode::Read).map_err(broken)?;
        let mark: Option<String> =
            meta::table.find(MARK).select(meta::value).first(&mut conn).optional().map_err(broken)?;
        if mark.as_deref() == Some(&self.mark) {
            return Ok(());
        }
        Err(DrillError::Refused("this database was not made by the drill".into()))
    }
}

/// The ground of one drill.
pub struct Ground {
    scratch: Scratch,
    site: Site,
    // The cluster ends with the ground.
    _cluster: Option<Cluster>,
}

impl Ground {
    /// Makes a directory, keys, and on PostgreSQL a cluster with a migrated database. The SQLite file is made by the
    /// first server.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or the machine does not let it be made.
    pub fn make(database: Database, mail_port: u16) -> Result<Self> {
        let scratch = Scratch::new().map_err(broken)?;
        let dir = scratch.path().to_owned();
        fs::DirBuilder::new().mode(0o700).create(dir.join("data")).map_err(broken)?;
        Keys::create(&dir.join("keys")).map_err(broken)?;
        let mark = uuid::Uuid::new_v4().to_string();
        let (cluster, postgres) = match database {
            Database::Sqlite => (None, None),
            Database::Postgres => {
                let cluster = Cluster::start().map_err(broken)?;
                let name = cluster.new_database().map_err(broken)?;
                let insert = format!("INSERT INTO meta (name, value) VALUES ('{MARK}', '{mark}')");
                cluster.execute(&name, &insert).map_err(broken)?;
                let url = cluster.application_url(&name);
                (Some(cluster), Some(url))
            }
        };
        let site = Site { postgres, mark, mail_port, dir };
        let text = serde_json::to_string(&site).map_err(broken)?;
        fs::write(site.dir.join(SIGN), text).map_err(broken)?;
        Ok(Self { scratch, site, _cluster: cluster })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }

    /// What its servers are told.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Its database.
    pub fn url(&self) -> DbUrl {
        self.site.config(0).database_url()
    }

    /// The log of its servers.
    pub fn log(&self) -> PathBuf {
        self.dir().join("servers.log")
    }

    /// Leaves the directory where it is.
    pub fn keep(&mut self) {
        self.scratch.keep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_no_drill_made_is_no_ground() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(matches!(Site::read(dir.path()), Err(DrillError::Refused(_))));
        fs::write(dir.path().join(SIGN), "{\"postgres\":\"postgres:///real\"}").expect("written");
        assert!(matches!(Site::read(dir.path()), Err(DrillError::Refused(_))));
    }

    #[test]
    fn a_server_is_told_of_one_ground_and_nothing_else() {
        let ground = Ground::make(Database::Sqlite, 1).expect("made");
        let site = Site::read(ground.dir()).expect("a ground");
        let config = site.config(2);
        assert!(config.check().is_ok());
        assert_eq!(config.database_url().file(), Some(ground.dir().join("data/sealbid.sqlite").as_path()));
        assert!(site.check_database(&config).is_ok());
    }
}
