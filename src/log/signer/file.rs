//! A signer with its key and its memory in a directory of its own. Several processes may share the directory: they take turns.
//!
//! - `log.pem`: the key;
//! - `state`: what was signed last ([`super::memory`]), replaced durably before a signature is given away;
//! - `promised`: commitments that must be in the log before their time is over, a line each: `<C> <until, epoch ms> <check>`.
//!
//! The directory must not be restored from a backup: what it remembers is what catches a database that was.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::memory::Memory;
use super::{Growth, Kept, SignedHead, Signer, SignerError};
use crate::clock::{Clock, SystemClock};
use crate::kernel::digest::{Digest, sha256};
use crate::limits;
use crate::log::directory::replace;
use crate::seal::keys::{Algorithm, SigningKey, VerifyingKey};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::entry::leaf_hash;
use crate::tlog::note::{Kind, Verifier};
use crate::tlog::tree::root_of_inclusion;

const KEY: &str = "log.pem";
const STATE: &str = "state";
const PROMISED: &str = "promised";
const LOCK: &str = "lock";
/// Hexadecimal digits of a line's check.
const CHECK_LEN: usize = 8;

/// The signer.
pub struct FileSigner {
    dir: PathBuf,
    origin: String,
    key: SigningKey,
    verifier: Verifier,
    clock: SystemClock,
    promise_ms: i64,
}

fn memory(path: &Path, what: impl std::fmt::Display) -> SignerError {
    SignerError::Memory(format!("{}: {what}", path.display()))
}

impl FileSigner {
    /// Whether a directory holds a signer.
    pub fn exists(dir: &Path) -> bool {
        dir.join(KEY).exists()
    }

    /// Makes a signer for a log that has no leaves yet.
    ///
    /// # Errors
    /// When one is there, or the directory cannot be written.
    pub fn create(dir: &Path, origin: &str) -> Result<Self, SignerError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| memory(dir, error))?;
        let key =
            SigningKey::generate(Algorithm::EdDsa).map_err(|_| memory(dir, "the system gives no random numbers"))?;
        // The state first: a key without one is never used.
        replace(&dir.join(STATE), Memory::new(origin).to_text().as_bytes()).map_err(|error| memory(dir, error))?;
        let path = dir.join(KEY);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| memory(&path, error))?;
        file.write_all(key.to_pem().expose().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| memory(&path, error))?;
        Self::open(dir, origin)
    }

    /// Opens a signer.
    ///
    /// # Errors
    /// When the directory is not that of a signer of this log, or is damaged.
    pub fn open(dir: &Path, origin: &str) -> Result<Self, SignerError> {
        let path = dir.join(KEY);
        let text = fs::read_to_string(&path).map_err(|error| memory(&path, error))?;
        let key = SigningKey::from_pem(&text).map_err(|error| memory(&path, error))?;
        let VerifyingKey::Ed25519(public) = key.verifying_key() else {
            return Err(memory(&path, "not an Ed25519 key"));
        };
        let verifier = Verifier::new(origin, Kind::Text, public)
            .map_err(|_| memory(&path, "the origin cannot be a key's name"))?;
        let signer = Self {
            dir: dir.to_owned(),
            origin: origin.to_owned(),
            key,
            verifier,
            clock: SystemClock,
            promise_ms: limits::PROMISE_MS,
        };
        signer.recall()?;
        Ok(signer)
    }

    /// As it is, but with another time within which promises must be kept.
    #[must_use]
    pub fn with_promise_ms(self, promise_ms: i64) -> Self {
        Self { promise_ms, ..self }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// One process at a time.
    fn turn(&self) -> Result<File, SignerError> {
        let path = self.path(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|error| memory(&path, error))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| memory(&path, error))?;
        Ok(file)
    }

    fn recall(&self) -> Result<Memory, SignerError> {
        let path = self.path(STATE);
        let text = fs::read_to_string(&path).map_err(|error| memory(&path, error))?;
        let remembered = Memory::parse(&text).map_err(|what| memory(&path, what))?;
        if remembered.origin != self.origin {
            return Err(memory(&path, format!("it is of another log, {}", remembered.origin)));
        }
        Ok(remembered)
    }

    /// Promises that are not seen to be kept: commitment and end of time.
    fn promises(&self) -> Result<Vec<(Digest, i64)>, SignerError> {
        let path = self.path(PROMISED);
        let mut text = String::new();
        match File::open(&path).and_then(|mut file| file.read_to_string(&mut text)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(|error| memory(&path, error))?,
        };
        // A last line without its end was being written when the process died: its promise was not given.
        let whole = text.rfind('\n').map_or("", |at| &text[..at]);
        whole.lines().map(|line| parse_promise(line).ok_or_else(|| memory(&path, "a line of it is damaged"))).collect()
    }

    fn forget_promises(&self, left: &[(Digest, i64)]) -> Result<(), SignerError> {
        let path = self.path(PROMISED);
        let text =
            left.iter().fold(String::new(), |text, (commitment, until)| text + &promise_line(commitment, *until));
        replace(&path, text.as_bytes()).map_err(|error| memory(&path, error))
    }

    fn note(&self, remembered: &Memory) -> Result<String, SignerError> {
        let frontier = &remembered.frontier;
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: frontier.size(), root: frontier.root() };
        let text = checkpoint.text();
        let signature = self.key.sign(text.as_bytes()).map_err(|_| memory(&self.dir, "no random numbers"))?;
        Ok(format!("{text}\n{}", self.verifier.line(&signature)))
    }
}

fn promise_line(commitment: &Digest, until: i64) -> String {
    let mut line = format!("{commitment} {until}");
    let check = &sha256(line.as_bytes()).to_string()[..CHECK_LEN];
    let _ = writeln!(line, " {check}");
    line
}

fn parse_promise(line: &str) -> Option<(Digest, i64)> {
    let (body, _) = line.rsplit_once(' ')?;
    let (commitment, until) = body.split_once(' ')?;
    let promise = (commitment.parse().ok()?, until.parse().ok()?);
    (promise_line(&promise.0, promise.1).trim_end() == line).then_some(promise)
}

impl Signer for FileSigner {
    fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    fn head(&self) -> Result<SignedHead, SignerError> {
        let remembered = self.recall()?;
        Ok(SignedHead { size: remembered.frontier.size(), root: remembered.frontier.root(), slot: remembered.slot })
    }

    fn promised(&self, commitments: &[Digest]) -> Result<(), SignerError> {
        let until = self.clock.now().millis() + self.promise_ms;
        let lines = commitments.iter().fold(String::new(), |text, commitment| text + &promise_line(commitment, until));
        let path = self.path(PROMISED);
        let _turn = self.turn()?;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(lines.as_bytes())).map_err(|error| memory(&path, error))
    }

    fn kept(&self, proofs: &[Kept]) -> Result<(), SignerError> {
        let _turn = self.turn()?;
        let frontier = self.recall()?.frontier;
        let root = frontier.root();
        for kept in proofs {
            let leaf = leaf_hash(&kept.commitment);
            if root_of_inclusion(kept.index, frontier.size(), &leaf, &kept.proof) != Some(root) {
                return Err(SignerError::Refused(format!("{} is not shown to be in the log", kept.commitment)));
            }
        }
        let kept: HashSet<Digest> = proofs.iter().map(|kept| kept.commitment).collect();
        let mut left = self.promises()?;
        left.retain(|(commitment, _)| !kept.contains(commitment));
        self.forget_promises(&left)
    }

    fn sign(&self, growth: &Growth) -> Result<String, SignerError> {
        let _turn = self.turn()?;
        let mut remembered = self.recall()?;
        let signed = remembered.frontier.size();
        let size = growth.size_before + growth.commitments.len() as u64;
        if size == signed && growth.root == remembered.frontier.root() && growth.slot == remembered.slot {
            return self.note(&remembered);
        }
        if growth.size_before != signed {
            return Err(SignerError::Refused(format!(
                "the growth begins at {} leaves, and {signed} are signed",
                growth.size_before
            )));
        }
        if growth.slot <= remembered.slot {
            return Err(SignerError::Refused(format!("slot {} is not after slot {}", growth.slot, remembered.slot)));
        }
        for commitment in &growth.commitments {
            remembered.frontier.append(leaf_hash(commitment));
        }
        remembered.slot = growth.slot;
        if remembered.frontier.root() != growth.root {
            return Err(SignerError::Refused(format!("at {size} leaves the root is another one than it is told")));
        }
        let included: HashSet<Digest> = growth.commitments.iter().copied().collect();
        let mut promises = self.promises()?;
        let before = promises.len();
        promises.retain(|(commitment, _)| !included.contains(commitment));
        let now = self.clock.now().millis();
        let overdue: Vec<Digest> =
            promises.iter().filter(|(_, until)| *until < now).map(|(commitment, _)| *commitment).collect();
        if !overdue.is_empty() {
            return Err(SignerError::Overdue(overdue));
        }
        let path = self.path(STATE);
        replace(&path, remembered.to_text().as_bytes()).map_err(|error| memory(&path, error))?;
        if promises.len() < before {
            self.forget_promises(&promises)?;
        }
        self.note(&remembered)
    }
}

#[cfg(test)]
mod tests;
