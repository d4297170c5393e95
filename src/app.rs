//! Everything a running platform is made of, given to those who need it, never global.

use std::path::Path;
use std::sync::Arc;

use diesel::prelude::*;
use tokio::sync::Semaphore;

use crate::blobs::DiskBlobs;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::schema::meta;
use crate::db::{Conn, Mode, connection, migrate};
use crate::faults::Faults;
use crate::features::accounts::attempts::Attempts;
use crate::features::key_sets::model::Seals;
use crate::http::rate::Rates;
use crate::http::token::Tokens;
use crate::instance::Instance;
use crate::kernel::memo::Memo;
use crate::kernel::network::Network;
use crate::keys::Keys;
use crate::ledger::{Context, Error, Ledger, Reader, WriteConn};
use crate::limits;
use crate::log::signer::file::FileSigner;
use crate::log::signer::socket::SocketSigner;
use crate::log::signer::{Signer, SignerError};
use crate::log::{self, Log, LogError, Settings};
use crate::metrics::Metrics;
use crate::seal::snapshot::Line;
use crate::tlog::note;

/// The running platform.
pub struct App {
    /// Its configuration.
    pub config: Config,
    /// What time it is, as long as the computer's clock runs true; see [`crate::instance::SoundClock`].
    pub clock: Arc<dyn Clock>,
    /// The only door for writes.
    pub ledger: Ledger,
    /// Read-only views.
    pub reader: Reader,
    /// Read-only views for headers and the heartbeat, which other reading cannot keep waiting.
    pub header_reader: Reader,
    /// Big files.
    pub blobs: Arc<DiskBlobs>,
    /// The platform's keys.
    pub keys: Arc<Keys>,
    /// Access tokens.
    pub tokens: Tokens,
    /// What an operator may watch.
    pub metrics: Metrics,
    /// Key sets by their lot: published once, never changed.
    pub key_sets: Memo<String, Arc<Seals>>,
    /// The lines of snapshots, by snapshot: the box does not change any more.
    pub snapshots: Memo<String, Arc<Vec<Line>>>,
    /// Passwords are hashed a few at a time.
    pub hashing: Arc<Semaphore>,
    /// The proxies whose word on a client's address is believed.
    pub trusted_proxies: Vec<Network>,
    /// How many requests everybody has left.
    pub rates: Rates,
    /// Passwords that were tried lately.
    pub attempts: Attempts,
    /// The public log.
    pub log: Arc<Log>,
    /// This process among those that share the database.
    pub instance: Arc<Instance>,
    /// Whose turn it is to fill the table that inspectors search by.
    pub search_turn: tokio::sync::Mutex<()>,
    /// Where this process is to die; nowhere but in a drill.
    pub faults: Faults,
}

/// Why the platform cannot start; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error("{0}")]
    Database(String),
    /// The schema is not the one this program knows.
    #[error("the database lacks {0} migration(s): run `sealbid migrate`")]
    NotMigrated(usize),
    /// The keys do not fit the database.
    #[error("{0}")]
    Keys(String),
    /// The public log cannot be used.
    #[error("{0}")]
    Log(String),
    /// The blob directory cannot be used or belongs to another platform.
    #[error("{0}")]
    Blobs(String),
    /// Another server has the SQLite database.
    #[error(
        "another sealbid server already uses {0}: an SQLite database has one server; stop the other one, or move to PostgreSQL"
    )]
    Locked(String),
}

const META_KEYS: &str = "key-directory";
const META_BLOBS: &str = "blob-directory";

impl App {
    /// Opens a platform on a migrated database, with its keys and its blobs, and starts the writers.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn open(config: Config, clock: Arc<dyn Clock>, keys: Keys) -> Result<Self, StartError> {
        Self::open_with(config, clock, keys, Faults::default())
    }

    /// As [`App::open`], with a plan of where to die.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn open_with(config: Config, clock: Arc<dyn Clock>, keys: Keys, faults: Faults) -> Result<Self, StartError> {
        let url = config.database_url();
        let mut conn =
            connection::connect(&url, Mode::Write).map_err(|error| StartError::Database(error.to_string()))?;
        let missing = migrate::pending(&mut conn).map_err(|error| StartError::Database(error.to_string()))?;
        if !missing.is_empty() {
            return Err(StartError::NotMigrated(missing.len()));
        }
        check_keys(&mut conn, &keys, &config.keys.dir)?;
        let known = remembered(&mut conn, META_BLOBS).map_err(|error| StartError::Database(error.to_string()))?;
        let (blobs, id) = DiskBlobs::open(&config.storage.blobs, known.as_deref())
            .map_err(|error| StartError::Blobs(error.to_string()))?;
        agree(&mut conn, META_BLOBS, &id).map_err(|error| {
            StartError::Blobs(error.unwrap_or_else(|| "the blob directory belongs to another platform".into()))
        })?;
        let instance = Arc::new(Instance::new(clock));
        let log = open_log(&mut conn, &config, instance.id())?;
        let clock: Arc<dyn Clock> = instance.clock().clone();
        Ok(Self {
            tokens: Tokens::new(&config.server.public_url, &keys.token),
            ledger: Ledger::start_with(&url, clock.clone(), faults.clone(), limits::COMMIT_GROUP),
            reader: Reader::open(&url),
            header_reader: Reader::open_for_headers(&url),
            blobs: Arc::new(blobs),
            keys: Arc::new(keys),
            metrics: Metrics::default(),
            key_sets: Memo::new(limits::KEY_SETS_REMEMBERED),
            snapshots: Memo::new(limits::SNAPSHOTS_REMEMBERED),
            hashing: Arc::new(Semaphore::new(limits::PASSWORD_HASHES)),
            rates: Rates::new(config.server.rate_limit_factor),
            attempts: Attempts::new(),
            trusted_proxies: config.trusted_proxies(),
            log: Arc::new(log),
            instance,
            search_turn: tokio::sync::Mutex::default(),
            clock,
            config,
            faults,
        })
    }

    /// The context of the system's own work.
    pub fn system(&self, why: &str) -> Context {
        Context::system(self.clock.now(), why)
    }

    /// Runs something slow, off the threads that answer requests.
    ///
    /// # Errors
    /// Those of `work`, or an internal error when it panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::internal(format!("work was cut short: {error}")))?
    }

    /// The name under which receipts and key sets are signed: the public address without its scheme.
    pub fn origin(&self) -> &str {
        host(&self.config)
    }

    /// A text that the promise key signs, as a note.
    ///
    /// # Errors
    /// When the system gives no random numbers, which Ed25519 does not need.
    pub fn promise_note(&self, text: &str) -> Result<String, Error> {
        let key = &self.keys.promise;
        let signature = key.sign(text.as_bytes()).map_err(|_| Error::internal("no random numbers"))?;
        let name = format!("{}/promise", self.origin());
        Ok(note::sign(text, &name, &key.verifying_key().to_bytes(), |_| signature))
    }

    /// The verifier key of the promises in receipts.
    pub fn promise_verifier(&self) -> String {
        note::verifier_key(&format!("{}/promise", self.origin()), &self.keys.promise.verifying_key().to_bytes())
    }
}

/// The public address without its scheme.
pub fn host(config: &Config) -> &str {
    let url = &config.server.public_url;
    url.split_once("://").map_or(url.as_str(), |(_, rest)| rest)
}

fn open_log(conn: &mut Conn, config: &Config, instance: &str) -> Result<Log, StartError> {
    let settings = log_settings(config, instance)?;
    let signer = open_signer(conn, config, &settings.origin)?;
    Log::open(settings, config.audit.dir.clone(), signer).map_err(|error: LogError| StartError::Log(error.to_string()))
}

/// The log of an installation whose signer has its keys and has lost its memory: for looking at what is published.
///
/// # Errors
/// [`StartError::Log`].
pub fn open_log_without_memory(config: &Config) -> Result<Log, StartError> {
    let settings = log_settings(config, "recovery")?;
    let dir = config.signer_directory().ok_or_else(|| StartError::Log("audit.signer: no directory".into()))?;
    let signer =
        FileSigner::without_memory(dir, &settings.origin).map_err(|error| StartError::Log(error.to_string()))?;
    Log::open(settings, config.audit.dir.clone(), Box::new(signer)).map_err(|error| StartError::Log(error.to_string()))
}

fn log_settings(config: &Config, instance: &str) -> Result<Settings, StartError> {
    let witnesses = match config.audit.policy.as_str() {
        "" => None,
        path => Some(std::fs::read_to_string(path).map_err(|error| StartError::Log(format!("{path}: {error}")))?),
    };
    Ok(Settings {
        origin: format!("{}/audit/main", host(config)),
        url: format!("{}/audit/main", config.server.public_url),
        tick_ms: config.audit.tick_ms,
        padding: config.audit.padding,
        witnesses,
        shared: config.database_url().is_postgres(),
        instance: instance.to_owned(),
    })
}

/// The signer; one is made only where the log has no leaves, so that a lost one is not replaced by one that remembers nothing.
fn open_signer(conn: &mut Conn, config: &Config, origin: &str) -> Result<Box<dyn Signer>, StartError> {
    let failed = |error: SignerError| StartError::Log(format!("the log's signer: {error}"));
    let Some(dir) = config.signer_directory() else {
        let path = Path::new(config.audit.signer.trim_start_matches("unix:"));
        return SocketSigner::connect(path, origin).map(|signer| Box::new(signer) as Box<dyn Signer>).map_err(failed);
    };
    if !FileSigner::exists(dir) {
        let head = log::queries::head(conn).map_err(|error| StartError::Log(format!("{error:?}")))?;
        if head.size > 0 {
            return Err(StartError::Log(format!(
                "the signer's directory {} is missing, or its keys or its memory (`state`) are, and the log has {} leaves: without them no \
                 checkpoint can be signed under this log's key. Restore the keys from where they are kept; see the manual on recovery.",
                dir.display(),
                head.size
            )));
        }
        match FileSigner::create(dir, origin) {
            Ok(signer) => return Ok(Box::new(signer)),
            // Another server was first.
            Err(_) if FileSigner::exists(dir) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    FileSigner::open(dir, origin).map(|signer| Box::new(signer) as Box<dyn Signer>).map_err(failed)
}

/// Loads the key directory, or makes it: only when the database has never seen keys, so that a lost directory is not
/// silently replaced by one that opens nothing.
///
/// # Errors
/// [`StartError::Keys`], naming what would be lost.
pub fn load_or_create_keys(config: &Config) -> Result<Keys, StartError> {
    let dir = &config.keys.dir;
    if Keys::exist(dir) {
        return Keys::load(dir).map_err(|error| StartError::Keys(error.to_string()));
    }
    let mut conn = connection::connect(&config.database_url(), Mode::Write)
        .map_err(|error| StartError::Database(error.to_string()))?;
    let known = remembered(&mut conn, META_KEYS).map_err(|error| StartError::Database(error.to_string()))?;
    if known.is_some() {
        return Err(StartError::Keys(format!(
            "the key directory {} is missing, and this database has been used with one: without it no sealed bid under a platform key \
             can be opened and no receipt can be signed. Restore the directory from its backup; a new one is never made for a used database.",
            dir.display()
        )));
    }
    Keys::create(dir).map_err(|error| StartError::Keys(error.to_string()))
}

/// Refuses keys that are not those of this database.
///
/// # Errors
/// [`StartError::Keys`], naming what would be lost.
pub fn check_keys(conn: &mut Conn, keys: &Keys, dir: &Path) -> Result<(), StartError> {
    agree(conn, META_KEYS, &keys.fingerprint()).map_err(|error| keys_differ(error, dir))
}

/// Makes `keys` those of this database, in the commit that wraps its secrets with them.
#[expect(clippy::disallowed_methods, reason = "a fact about the installation, changed with the secrets it is about")]
pub fn replace_keys(conn: &mut WriteConn<'_>, keys: &Keys) -> diesel::QueryResult<()> {
    diesel::update(meta::table.find(META_KEYS)).set(meta::value.eq(keys.fingerprint())).execute(conn.get()).map(drop)
}

fn keys_differ(error: Option<String>, dir: &Path) -> StartError {
    StartError::Keys(error.unwrap_or_else(|| {
        format!(
            "the keys in {} are not those this database has been used with: sealed bids could not be opened and receipts would be signed by \
             a stranger. Point keys.dir at the right directory.",
            dir.display()
        )
    }))
}

/// The fingerprint of the keys that this database was used with.
///
/// # Errors
/// The database's.
pub fn known_keys(conn: &mut Conn) -> diesel::QueryResult<Option<String>> {
    remembered(conn, META_KEYS)
}

/// The identity of the blob directory that this database was used with.
///
/// # Errors
/// The database's.
pub fn known_blobs(conn: &mut Conn) -> diesel::QueryResult<Option<String>> {
    remembered(conn, META_BLOBS)
}

fn remembered(conn: &mut Conn, name: &str) -> diesel::QueryResult<Option<String>> {
    meta::table.find(name).select(meta::value).first(conn).optional()
}

/// Stores `value` under `name`, or checks that it is what is stored. `Err(None)` when it differs.
#[expect(
    clippy::disallowed_methods,
    reason = "two facts about the installation, written once before anything else runs"
)]
fn agree(conn: &mut Conn, name: &str, value: &str) -> Result<(), Option<String>> {
    let database = |error: diesel::result::Error| Some(error.to_string());
    match remembered(conn, name).map_err(database)? {
        Some(known) if known == value => Ok(()),
        Some(_) => Err(None),
        None => {
            let row = (meta::name.eq(name), meta::value.eq(value));
            match diesel::insert_into(meta::table).values(row).execute(conn) {
                Ok(_) => Ok(()),
                // Another server was first: then it must be the same value.
                Err(_) if remembered(conn, name).map_err(database)?.as_deref() == Some(value) => Ok(()),
                Err(error) => Err(database(error)),
            }
        }
    }
}
