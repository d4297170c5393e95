//! The public log: takes entries out of the queue into the tree, has the tree's head signed, and publishes both.
//!
//! Three parts that do not trust each other. The *sequencer* ([`sequencer`]) decides, in one transaction, which leaves come
//! next. The *signer* ([`signer`]) keeps its own frontier of the tree and signs nothing that does not extend what it signed,
//! whatever the database says by then. The *publisher* ([`publisher`]) writes tiles as files ([`directory`]), reads them again,
//! and moves the checkpoint only when all that it stands on is there. Promises: nothing is published that was not signed;
//! nothing is signed that is not in files; a crash at any point is finished by the next tick. Deliberately not here: what entries mean, and who
//! may ask for proofs of them.

pub mod changes;
pub mod directory;
pub mod dump;
mod keys;
pub mod model;
pub mod opened;
pub mod proofs;
pub mod publisher;
pub mod queries;
pub mod recovery;
pub mod sequencer;
pub mod signer;
mod witnesses;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use directory::Directory;
use signer::Signer;

use crate::clock::{Clock, SystemClock};
use crate::kernel::digest::Digest;
use crate::ledger::{Context, Error, Failure, Ledger, Record, Result};
use crate::tlog::edge::Edge;
use crate::tlog::note::Verifier;
use crate::tlog::policy::Policy;
use crate::witness::client::WitnessClient;

/// Digits of a commitment that name the stream about a promise.
const PROMISE_ID_LEN: usize = 32;

/// How the log grows.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `<host>/audit/main`.
    pub origin: String,
    /// The address of the log, with its scheme.
    pub url: String,
    /// Milliseconds from one tick to the next.
    pub tick_ms: u64,
    /// Leaves by which a tick grows the log at least.
    pub padding: u32,
    /// The policy file with witnesses and quorum, as it was configured.
    pub witnesses: Option<String>,
    /// Whether several servers may have the database.
    pub shared: bool,
    /// The server that runs this, by the name it has among those that share the database.
    pub instance: String,
}

/// Whether the log runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It runs, or another server runs it.
    Running,
    /// A tick failed; the next tries again.
    Failing,
    /// It stands still until a person has looked: see the manual.
    Halted,
}

/// The log of this process.
pub struct Log {
    settings: Settings,
    policy: Policy,
    directory: Directory,
    signer: Box<dyn Signer>,
    /// The tree's right edge, as long as this process is the one that grows it.
    edge: Mutex<Option<Edge>>,
    health: AtomicU8,
    /// Asks witnesses.
    witnesses: WitnessClient,
    /// The largest tree that each witness, by its name in the policy, has cosigned.
    witnessed_sizes: Mutex<HashMap<String, u64>>,
    /// How long the witnesses took the last time, in milliseconds.
    witness_ms: AtomicI64,
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The directory.
    #[error("the log's directory: {0}")]
    Directory(#[from] directory::DirectoryError),
    /// The policy file.
    #[error("audit.policy {path}: {what}")]
    Policy {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl Log {
    /// A log on its directory, with its signer.
    ///
    /// # Errors
    /// When the policy cannot be read or the directory cannot be made.
    pub fn open(
        settings: Settings,
        directory: PathBuf,
        signer: Box<dyn Signer>,
    ) -> std::result::Result<Self, LogError> {
        let text = policy_text(&settings, signer.verifiers());
        let policy = Policy::parse(&text)
            .map_err(|error| LogError::Policy { path: PathBuf::from("policy"), what: error.to_string() })?;
        let directory = Directory::open(directory)?;
        if directory.read("policy")?.as_deref() != Some(text.as_bytes()) {
            directory.write("policy", text.as_bytes())?;
        }
        Ok(Self {
            settings,
            policy,
            directory,
            signer,
            edge: Mutex::new(None),
            health: AtomicU8::new(Health::Running as u8),
            witnesses: WitnessClient::new(),
            witnessed_sizes: Mutex::default(),
            witness_ms: AtomicI64::new(0),
        })
    }

    /// How it grows.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What a checkpoint must have to be published.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its files.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Who signs.
    pub fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Puts on record that a promise was broken.
    ///
    /// # Errors
    /// The database's.
    pub fn note_broken(&self, ledger: &Ledger, commitment: &Digest, reason: &str) -> Result<()> {
        let (stream, reason) = (format!("prm-{}", &commitment.to_string()[..PROMISE_ID_LEN]), reason.to_owned());
        let commitment = *commitment;
        ledger.commit_blocking(Context::system(SystemClock.now(), "log forgive"), move |tx| {
            let record = Record::new("log.promise_broken").public("commitment", commitment).public("reason", &reason);
            tx.note(&stream, record).map(drop)
        })
    }

    /// Lets the log go on after a halt.
    ///
    /// # Errors
    /// The database's.
    pub fn resume(&self, ledger: &Ledger) -> Result<()> {
        ledger.grow_blocking(Context::system(SystemClock.now(), "log"), |conn| changes::halt(conn, None))?;
        ledger.resume();
        Ok(())
    }

    /// Puts the keys that sign from now on in the list of keys, and publishes the list. What the list learns is on record.
    ///
    /// # Errors
    /// The database's, the signer's or the disk's.
    pub fn name_keys(&self, ledger: &Ledger, promise: &str, endorse: impl Fn(&str) -> Result<String>) -> Result<()> {
        let log = self.signer.verifiers().iter().map(|key| (key.to_string(), "log"));
        let signing: Vec<(String, &str)> = log.chain([(promise.to_owned(), "promise")]).collect();
        let origin = self.settings.origin.clone();
        let keys = ledger.commit_beside_blocking(Context::system(SystemClock.now(), "log"), move |tx| {
            let size = queries::head(tx.conn())?.size;
            for (vkey, role) in &signing {
                if tx.beside(|conn| changes::add_key(conn, vkey, role, size))? {
                    keys::note(tx, "log.key_added", vkey, role, size)?;
                }
            }
            for (vkey, role, _, last) in queries::keys(tx.conn())? {
                if last.is_none() && !signing.iter().any(|(known, _)| *known == vkey) {
                    tx.beside(|conn| changes::retire_key(conn, &vkey, size))?;
                    keys::note(tx, "log.key_retired", &vkey, &role, size)?;
                }
            }
            queries::keys(tx.conn())
        })?;
        let text = keys::text(&origin, &keys);
        let lines = self.signer.endorse(&text).map_err(|error| Error::Failed(Failure::Storage(error.to_string())))?;
        let note = format!("{text}\n{lines}{}", endorse(&text)?);
        Ok(self.directory.write("keys", note.as_bytes())?)
    }

    /// Whether it runs.
    pub fn health(&self) -> Health {
        match self.health.load(Ordering::Relaxed) {
            0 => Health::Running,
            1 => Health::Failing,
            _ => Health::Halted,
        }
    }

    fn set_health(&self, health: Health) {
        self.health.store(health as u8, Ordering::Relaxed);
    }

    /// How long the witnesses took the last time, in milliseconds; 0 where none is asked.
    pub fn witness_ms(&self) -> i64 {
        self.witness_ms.load(Ordering::Relaxed)
    }
}

/// The published policy: the log's key, how it grows, and the witnesses that were configured.
fn policy_text(settings: &Settings, keys: &[Verifier]) -> String {
    let mut head = format!("# {}\n# tick {} ms, padding {}\n", settings.origin, settings.tick_ms, settings.padding);
    keys.iter().for_each(|key| head += &format!("log {key} {}\n", settings.url));
    match &settings.witnesses {
        Some(witnesses) => format!("{head}{witnesses}"),
        None => format!("{head}# no witness is asked: the log vouches for itself\nquorum none\n"),
    }
}
