//! The configuration: one file and the environment, checked as a whole, with all mistakes reported at once.
//!
//! Every value has a default that works on a fresh machine. An environment variable `SEALBID_SECTION__NAME` wins over
//! the file. Unknown names are mistakes: a typing error must not silently lose an intention. Nothing here can switch a
//! check off.

mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;

use config::{Map, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::db::DbUrl;
use crate::kernel::network::Network;
use crate::limits;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the server listens and how the world reaches it.
    pub server: Server,
    /// Which database.
    pub database: Database,
    /// Where big files lie.
    pub storage: Storage,
    /// Where the keys lie.
    pub keys: KeyDirectory,
    /// How mail leaves.
    pub mail: MailTransport,
    /// How the server logs.
    pub log: Log,
    /// Where it can be watched.
    pub metrics: Watching,
    /// What is known of backups.
    pub backup: Backups,
    /// The public log.
    pub audit: Audit,
}

/// The public log of the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// The directory of tiles and checkpoint, which everybody may read; shared by all servers of one database.
    pub dir: PathBuf,
    /// `dir:PATH`: this server signs, with the key and the memory in that directory, shared by all servers of one database and
    /// never restored from a backup; or `unix:PATH`: the socket of `sealbid signer`.
    pub signer: String,
    /// Milliseconds from one checkpoint to the next.
    pub tick_ms: u64,
    /// The least number of leaves by which the log grows with every tick.
    pub padding: u32,
    /// A policy file (C2SP tlog-policy) with witnesses and quorum; empty for none.
    pub policy: String,
}

impl Default for Audit {
    fn default() -> Self {
        Self { dir: "data/log".into(), signer: "dir:signer".into(), tick_ms: 5_000, padding: 8, policy: String::new() }
    }
}

/// The HTTP server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port to listen on.
    pub bind: String,
    /// The platform's public address, as receipts and mails name it.
    pub public_url: String,
    /// Origins that browsers may call from; none by default.
    #[serde(deserialize_with = "list")]
    pub cors_origins: Vec<String>,
    /// Addresses or networks of the proxies in front, whose `X-Forwarded-For` is believed; none by default.
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<String>,
    /// By how much all budgets of requests are multiplied, 1 to 1000.
    pub rate_limit_factor: u32,
    /// Worker threads; 0 means one per core.
    pub workers: usize,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:8080".into(),
            public_url: "http://127.0.0.1:8080".into(),
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            rate_limit_factor: 1,
            workers: 0,
        }
    }
}

/// A list of texts; the environment, which knows no lists, separates them by commas.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        List(Vec<String>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::List(items) => items,
        Written::Text(text) => {
            text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
        }
    })
}

/// The database.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://…`, or the path of an SQLite file.
    pub url: String,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: "data/sealbid.sqlite".into() }
    }
}

/// Big files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The directory of uploads and documents; shared by all servers of one database.
    pub blobs: PathBuf,
}

impl Default for Storage {
    fn default() -> Self {
        Self { blobs: "data/blobs".into() }
    }
}

/// The key directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyDirectory {
    /// Not inside the data directory: a copy of the data must not carry its keys.
    pub dir: PathBuf,
}

impl Default for KeyDirectory {
    fn default() -> Self {
        Self { dir: "keys".into() }
    }
}

/// How mail leaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailTransport {
    /// `file` (one file a message, for trying out) or `smtp`.
    pub transport: String,
    /// Directory of the `file` transport.
    pub dir: PathBuf,
    /// Sender of every message.
    pub from: String,
    /// SMTP host.
    pub smtp_host: String,
    /// SMTP port.
    pub smtp_port: u16,
    /// `tls` (implicit), `starttls`, or `none` (loopback only).
    pub smtp_security: String,
    /// SMTP user; empty for none.
    pub smtp_user: String,
    /// SMTP password; better given by the environment.
    pub smtp_password: String,
}

impl Default for MailTransport {
    fn default() -> Self {
        Self {
            transport: "file".into(),
            dir: "data/mail".into(),
            from: "Sealbid <no-reply@localhost>".into(),
            smtp_host: String::new(),
            smtp_port: 465,
            smtp_security: "tls".into(),
            smtp_user: String::new(),
            smtp_password: String::new(),
        }
    }
}

/// Logging.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` or `json`.
    pub format: String,
    /// A filter as `tracing` reads it, such as `info` or `sealbid=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: "text".into(), filter: "info".into() }
    }
}

/// Metrics.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watching {
    /// Address and port of a listener of its own for `GET /metrics`; empty for none.
    pub bind: String,
}

/// Backups.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backups {
    /// A file whose date says when the last backup became whole.
    pub marker: PathBuf,
}

impl Default for Backups {
    fn default() -> Self {
        Self { marker: "data/last-backup".into() }
    }
}

/// All that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} mistake(s):\n  - {}", .0.len(), .0.join("\n  - "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads `file` (optional) and the environment, and checks the whole.
    ///
    /// # Errors
    /// Every mistake found, each naming the setting and what it should be.
    pub fn load(file: Option<&std::path::Path>) -> Result<Self, ConfigError> {
        let text = file.map(|path| {
            std::fs::read_to_string(path).map_err(|error| ConfigError(vec![format!("{}: {error}", path.display())]))
        });
        Self::read(text.transpose()?.as_deref(), std::env::vars())
    }

    /// Reads the text of a file (TOML) and the variables of an environment, and checks the whole.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn read(
        text: Option<&str>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(text) = text {
            builder = builder.add_source(config::File::from_str(text, config::FileFormat::Toml));
        }
        let source =
            config::Environment::with_prefix("SEALBID").prefix_separator("_").separator("__").ignore_empty(true);
        let source = source.source(Some(environment.into_iter().filter(|(name, _)| is_ours(name)).collect()));
        let read = builder
            .add_source(source)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| ConfigError(vec![error.to_string()]))?;
        let mut wrong = Vec::new();
        let config = Self::of_sections(read, &mut wrong);
        wrong.sort();
        wrong.extend(config.check().err().into_iter().flat_map(|ConfigError(more)| more));
        if wrong.is_empty() { Ok(config) } else { Err(ConfigError(wrong)) }
    }

    fn of_sections(mut read: Map<String, Value>, wrong: &mut Vec<String>) -> Self {
        let config = Self {
            server: section("server", &mut read, wrong),
            database: section("database", &mut read, wrong),
            storage: section("storage", &mut read, wrong),
            keys: section("keys", &mut read, wrong),
            mail: section("mail", &mut read, wrong),
            log: section("log", &mut read, wrong),
            metrics: section("metrics", &mut read, wrong),
            backup: section("backup", &mut read, wrong),
            audit: section("audit", &mut read, wrong),
        };
        wrong.extend(read.keys().map(|name| format!("{name}: there is no such section")));
        config
    }

    /// Checks all values together.
    ///
    /// # Errors
    /// Every mistake found.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut wrong = Vec::new();
        let mut expect = |holds: bool, message: &str| {
            if !holds {
                wrong.push(message.to_owned());
            }
        };
        expect(
            self.server.bind.parse::<SocketAddr>().is_ok(),
            "server.bind: an address and port such as 127.0.0.1:8080",
        );
        expect(
            self.server.public_url.starts_with("http://") || self.server.public_url.starts_with("https://"),
            "server.public_url: a URL that starts with https:// (or http:// on this machine)",
        );
        expect(!self.server.public_url.ends_with('/'), "server.public_url: without a slash at the end");
        expect(
            self.server.trusted_proxies.iter().all(|text| text.parse::<Network>().is_ok()),
            "server.trusted_proxies: addresses such as 10.0.0.1 or networks such as 10.0.0.0/8",
        );
        expect(
            (1..=limits::RATE_FACTOR_MOST).contains(&self.server.rate_limit_factor),
            "server.rate_limit_factor: 1 to 1000",
        );
        expect(!self.database.url.is_empty(), "database.url: postgres://… or the path of an SQLite file");
        expect(["file", "smtp"].contains(&self.mail.transport.as_str()), "mail.transport: `file` or `smtp`");
        expect(
            ["tls", "starttls", "none"].contains(&self.mail.smtp_security.as_str()),
            "mail.smtp_security: `tls`, `starttls` or `none`",
        );
        expect(
            self.mail.from.parse::<lettre::message::Mailbox>().is_ok(),
            "mail.from: an address such as Name <name@example.org>",
        );
        expect(
            self.mail.transport != "smtp" || !self.mail.smtp_host.is_empty(),
            "mail.smtp_host: needed for mail.transport = `smtp`",
        );
        let plain_smtp = self.mail.transport == "smtp" && self.mail.smtp_security == "none";
        let loopback = ["localhost", "127.0.0.1", "::1"].contains(&self.mail.smtp_host.as_str());
        expect(!plain_smtp || loopback, "mail.smtp_security: `none` only to a mail server on this machine");
        expect(["text", "json"].contains(&self.log.format.as_str()), "log.format: `text` or `json`");
        let watched = &self.metrics.bind;
        expect(
            watched.is_empty() || watched.parse::<SocketAddr>().is_ok(),
            "metrics.bind: an address and port such as 127.0.0.1:9464, or nothing",
        );
        expect(
            watched.is_empty() || *watched != self.server.bind || watched.parse::<SocketAddr>().is_err(),
            "metrics.bind: another port than server.bind: metrics are not for the public",
        );
        let signs = |prefix: &str| self.audit.signer.strip_prefix(prefix).is_some_and(|path| !path.is_empty());
        expect(signs("dir:") || signs("unix:"), "audit.signer: `dir:PATH` or `unix:PATH`");
        expect(limits::LOG_TICK_MS.contains(&self.audit.tick_ms), "audit.tick_ms: 10 to 60000");
        expect(self.audit.padding <= limits::LOG_PADDING, "audit.padding: 0 to 4096");
        let data = self.database_url().file().and_then(|file| file.parent().map(std::path::Path::to_owned));
        let keys_in_data =
            data.as_deref().is_some_and(|data| !data.as_os_str().is_empty() && self.keys.dir.starts_with(data));
        expect(
            !keys_in_data && !self.keys.dir.starts_with(&self.storage.blobs),
            "keys.dir: must not lie inside the data directory, or every backup would carry the keys to its own secrets",
        );
        let signer_in_data = self
            .signer_directory()
            .zip(data.as_deref())
            .is_some_and(|(signer, data)| !data.as_os_str().is_empty() && signer.starts_with(data));
        expect(
            !signer_in_data,
            "audit.signer: its directory must not lie inside the data directory: restoring the data must not restore what the signer remembers",
        );
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError(wrong)) }
    }

    /// The directory of the signer, where this process signs.
    pub fn signer_directory(&self) -> Option<&std::path::Path> {
        self.audit.signer.strip_prefix("dir:").map(std::path::Path::new)
    }

    /// The networks of the proxies whose word is believed.
    pub fn trusted_proxies(&self) -> Vec<Network> {
        self.server.trusted_proxies.iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The database, as a URL.
    pub fn database_url(&self) -> DbUrl {
        DbUrl::parse(&self.database.url)
    }
}

/// Takes a section out of what was read, its settings one by one, so that one that is wrong hides no other.
fn section<T: DeserializeOwned + Default>(name: &str, read: &mut Map<String, Value>, wrong: &mut Vec<String>) -> T {
    let Some(found) = read.remove(name) else { return T::default() };
    let Ok(settings) = found.into_table() else {
        wrong.push(format!("{name}: a section of settings is expected here"));
        return T::default();
    };
    let of = |settings: Map<String, Value>| T::deserialize(Value::from(settings));
    let mut good = Map::new();
    for (setting, value) in settings {
        match of([(setting.clone(), value.clone())].into_iter().collect()) {
            Ok(_) => _ = good.insert(setting, value),
            Err(error) => wrong.push(format!("{name}.{setting}: {error}")),
        }
    }
    of(good).unwrap_or_else(|error| {
        wrong.push(format!("{name}: {error}"));
        T::default()
    })
}

/// Whether a variable sets something here. `SEALBID_…` with a single underscore belongs to other parts of the program.
fn is_ours(name: &str) -> bool {
    name.starts_with("SEALBID_") && name.contains("__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        Config::default().check().expect("defaults work");
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let mut config = Config::default();
        config.server.bind = "nowhere".into();
        config.mail.transport = "pigeon".into();
        config.keys.dir = "data/keys".into();
        config.server.trusted_proxies = vec!["10.0.0.0/8".into(), "proxy.example".into()];
        let ConfigError(mistakes) = config.check().expect_err("four mistakes");
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
    }

    #[test]
    fn a_list_is_written_as_one_or_with_commas() {
        let read = |text: &str| -> Server {
            let source = config::File::from_str(text, config::FileFormat::Toml);
            config::Config::builder().add_source(source).build().expect("TOML").try_deserialize().expect("a server")
        };
        let written = read("trusted_proxies = [\"10.0.0.0/8\", \"fd00::1\"]");
        assert_eq!(written.trusted_proxies, ["10.0.0.0/8", "fd00::1"]);
        assert_eq!(read("trusted_proxies = \"10.0.0.0/8, fd00::1\"").trusted_proxies, written.trusted_proxies);
        assert!(read("").trusted_proxies.is_empty());
    }

    #[test]
    fn a_mistake_hides_no_other_wherever_it_stands() {
        let text =
            "[server]\nbnid = \"x\"\nworkers = \"many\"\nbind = \"nowhere\"\n[mail]\nsmtp_port = 70000\n[maill]\n";
        let environment = [("SEALBID_LOG__FORMAT", "prose"), ("SEALBID_LOG__LEVEL", "5"), ("SEALBID_UNRELATED", "x")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let ConfigError(mistakes) = Config::read(Some(text), environment).expect_err("seven mistakes");
        assert_eq!(mistakes.len(), 7, "{mistakes:#?}");
        for name in
            ["server.bnid", "server.workers", "server.bind", "mail.smtp_port", "maill", "log.format", "log.level"]
        {
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(name)), "{name} in {mistakes:#?}");
        }
    }

    #[test]
    fn a_section_that_is_none_is_a_mistake_and_the_environment_wins_over_the_file() {
        let ConfigError(mistakes) = Config::read(Some("server = 5\n"), []).expect_err("no section");
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        let environment = [("SEALBID_SERVER__WORKERS".to_owned(), "3".to_owned())];
        let read = Config::read(Some("[server]\nworkers = 2\nbind = \"127.0.0.1:1\"\n"), environment);
        let server = read.expect("valid").server;
        assert_eq!((server.workers, server.bind.as_str()), (3, "127.0.0.1:1"));
    }

    #[test]
    fn a_misspelled_name_is_a_mistake() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("sealbid.toml");
        std::fs::write(&file, "[server]\nbnid = \"127.0.0.1:1\"\n").expect("written");
        let error = Config::load(Some(&file)).expect_err("bnid").to_string();
        assert!(error.contains("bnid"), "{error}");
    }
}
