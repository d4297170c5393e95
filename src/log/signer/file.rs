//! A signer with its key and its memory in a directory of its own. Several processes may share the directory: they take turns.
//!
//! - `log-1.pem`, `log-2.pem`, …: the keys, all of which sign, the oldest first;
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
use super::{Growth, KEYS_HEADER, Kept, SignedHead, Signer, SignerError};
use crate::clock::{Clock, SystemClock};
use crate::kernel::digest::{Digest, sha256};
use crate::limits;
use crate::log::directory::replace;
use crate::seal::keys::{Algorithm, SigningKey, VerifyingKey};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::entry::leaf_hash;
use crate::tlog::note::{Kind, Verifier};
use crate::tlog::tree::root_of_inclusion;

const STATE: &str = "state";
const PROMISED: &str = "promised";
/// Under it growth is signed, one process at a time.
const LOCK: &str = "lock";
/// Under it promises are written down: never longer than that takes.
const PROMISES_LOCK: &str = "promised.lock";
/// Ending of a key that does not sign any more.
const RETIRED: &str = "retired";
/// Keys that a directory may hold.
const KEYS_MAX: u32 = 1_000;
/// Hexadecimal digits of a line's check.
const CHECK_LEN: usize = 8;

/// The signer.
pub struct FileSigner {
    dir: PathBuf,
    origin: String,
    keys: Vec<SigningKey>,
    verifiers: Vec<Verifier>,
    clock: SystemClock,
    promise_ms: i64,
}

fn memory(path: &Path, what: impl std::fmt::Display) -> SignerError {
    SignerError::Memory(format!("{}: {what}", path.display()))
}

impl FileSigner {
    /// Whether a directory holds a signer.
    pub fn exists(dir: &Path) -> bool {
        dir.join(STATE).exists() && !key_files(dir).is_empty()
    }

    /// Makes a signer for a log that has no leaves yet.
    ///
    /// # Errors
    /// When one is there, or the directory cannot be written.
    pub fn create(dir: &Path, origin: &str) -> Result<Self, SignerError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| memory(dir, error))?;
        // One process at a time; what one that died has left half made is completed.
        let _turn = turn(dir, LOCK)?;
        if Self::exists(dir) {
            return Err(memory(dir, "there is a signer"));
        }
        if key_files(dir).is_empty() {
            add_key(dir)?;
        }
        let path = dir.join(STATE);
        if !path.exists() {
            replace(&path, Memory::new(origin).to_text().as_bytes()).map_err(|error| memory(&path, error))?;
        }
        Self::open(dir, origin)
    }

    /// Opens a signer.
    ///
    /// # Errors
    /// When the directory is not that of a signer of this log, or is damaged.
    pub fn open(dir: &Path, origin: &str) -> Result<Self, SignerError> {
        let signer = Self::without_memory(dir, origin)?;
        signer.recall()?;
        Ok(signer)
    }

    /// As [`FileSigner::open`], without looking whether it remembers anything; it signs nothing before it does.
    ///
    /// # Errors
    /// When a key is none, or there is none.
    pub fn without_memory(dir: &Path, origin: &str) -> Result<Self, SignerError> {
        let (mut keys, mut verifiers) = (Vec::new(), Vec::new());
        for path in key_files(dir) {
            let text = fs::read_to_string(&path).map_err(|error| memory(&path, error))?;
            let key = SigningKey::from_pem(&text).map_err(|error| memory(&path, error))?;
            verifiers.push(
                verifier_of(&key, origin)
                    .ok_or_else(|| memory(&path, "not an Ed25519 key, or the origin cannot be a key's name"))?,
            );
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(memory(dir, "no key of the log is there (log-1.pem)"));
        }
        let (clock, promise_ms) = (SystemClock, limits::PROMISE_MS);
        Ok(Self { dir: dir.to_owned(), origin: origin.to_owned(), keys, verifiers, clock, promise_ms })
    }

    /// Makes the memory anew from a tree that is proven to be the newest that was ever signed: the one case in which a signer
    /// does not go by what it remembers, because it remembers nothing.
    ///
    /// # Errors
    /// When it does remember something, or the directory cannot be written.
    pub fn remember_anew(dir: &Path, memory_of: &Memory) -> Result<(), SignerError> {
        let path = dir.join(STATE);
        if path.exists() {
            return Err(memory(&path, "the signer has a memory; it is not replaced"));
        }
        replace(&path, memory_of.to_text().as_bytes()).map_err(|error| memory(&path, error))
    }

    /// Waits no more for a promise that was broken: a person decides so, and puts it on record. Returns whether it waited.
    ///
    /// # Errors
    /// When its memory cannot be read or written.
    pub fn forgive(&self, commitment: &Digest) -> Result<bool, SignerError> {
        let waited = self.promises()?.iter().any(|(promised, _)| promised == commitment);
        self.forget(|promised| promised == commitment)?;
        Ok(waited)
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
    fn turn(&self, lock: &str) -> Result<File, SignerError> {
        turn(&self.dir, lock)
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

    /// Strikes out promises that were kept. Not forced to the disk: to remember a kept one for longer does no harm.
    fn forget(&self, kept: impl Fn(&Digest) -> bool) -> Result<(), SignerError> {
        let _turn = self.turn(PROMISES_LOCK)?;
        let (path, mut left) = (self.path(PROMISED), self.promises()?);
        left.retain(|(commitment, _)| !kept(commitment));
        let text =
            left.iter().fold(String::new(), |text, (commitment, until)| text + &promise_line(commitment, *until));
        let unfinished = path.with_extension("part");
        fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, &path)).map_err(|error| memory(&path, error))
    }

    fn note(&self, remembered: &Memory) -> Result<String, SignerError> {
        let frontier = &remembered.frontier;
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: frontier.size(), root: frontier.root() };
        let text = checkpoint.text();
        Ok(format!("{text}\n{}", self.lines(&text)?))
    }

    fn lines(&self, text: &str) -> Result<String, SignerError> {
        let mut lines = String::new();
        for (key, verifier) in self.keys.iter().zip(&self.verifiers) {
            let signature = key.sign(text.as_bytes()).map_err(|_| memory(&self.dir, "no random numbers"))?;
            lines += &verifier.line(&signature);
        }
        Ok(lines)
    }
}

fn turn(dir: &Path, lock: &str) -> Result<File, SignerError> {
    let path = dir.join(lock);
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(|error| memory(&path, error))?;
    flock(&file, FlockOperation::LockExclusive).map_err(|error| memory(&path, error))?;
    Ok(file)
}

fn verifier_of(key: &SigningKey, origin: &str) -> Option<Verifier> {
    match key.verifying_key() {
        VerifyingKey::Ed25519(public) => Verifier::new(origin, Kind::Text, public).ok(),
        VerifyingKey::P256(_) => None,
    }
}

fn key_file(dir: &Path, n: u32) -> PathBuf {
    dir.join(format!("log-{n}.pem"))
}

/// The keys that sign, the oldest first.
fn key_files(dir: &Path) -> Vec<PathBuf> {
    (1..=KEYS_MAX).map(|n| key_file(dir, n)).filter(|path| path.exists()).collect()
}

/// Makes one more key. It signs from the next start on.
///
/// # Errors
/// When the directory cannot be written.
pub fn add_key(dir: &Path) -> Result<PathBuf, SignerError> {
    let taken = |n: &u32| key_file(dir, *n).exists() || key_file(dir, *n).with_extension(RETIRED).exists();
    let n = (1..=KEYS_MAX).find(|n| !taken(n)).ok_or_else(|| memory(dir, "there are too many keys"))?;
    let key = SigningKey::generate(Algorithm::EdDsa).map_err(|_| memory(dir, "the system gives no random numbers"))?;
    let path = key_file(dir, n);
    let unfinished = path.with_extension("part");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
    file.and_then(|mut file| {
        file.write_all(key.to_pem().expose().as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(dir)?.sync_all()
    })
    .map_err(|error| memory(&path, error))?;
    Ok(path)
}

/// Lets a key sign no more: its file stays, under another name. The last one stays in use.
///
/// # Errors
/// When it is the only one, is not there, or the directory cannot be written.
pub fn retire_key(dir: &Path, origin: &str, vkey: &str) -> Result<(), SignerError> {
    let files = key_files(dir);
    for path in &files {
        let text = fs::read_to_string(path).map_err(|error| memory(path, error))?;
        let key = SigningKey::from_pem(&text).map_err(|error| memory(path, error))?;
        if verifier_of(&key, origin).is_some_and(|verifier| verifier.to_string() == vkey) {
            if files.len() == 1 {
                return Err(memory(path, "it is the only key: add another first"));
            }
            return fs::rename(path, path.with_extension(RETIRED)).map_err(|error| memory(path, error));
        }
    }
    Err(memory(dir, "there is no such key that signs"))
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
    fn verifiers(&self) -> &[Verifier] {
        &self.verifiers
    }

    fn endorse(&self, text: &str) -> Result<String, SignerError> {
        if !text.starts_with(KEYS_HEADER) {
            return Err(SignerError::Refused("this is no list of keys".into()));
        }
        self.lines(text)
    }

    fn head(&self) -> Result<SignedHead, SignerError> {
        let remembered = self.recall()?;
        Ok(SignedHead { size: remembered.frontier.size(), root: remembered.frontier.root(), slot: remembered.slot })
    }

    fn promised(&self, commitments: &[Digest]) -> Result<(), SignerError> {
        let until = self.clock.now().millis() + self.promise_ms;
        let lines = commitments.iter().fold(String::new(), |text, commitment| text + &promise_line(commitment, until));
        let path = self.path(PROMISED);
        let _turn = self.turn(PROMISES_LOCK)?;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(lines.as_bytes())).map_err(|error| memory(&path, error))
    }

    fn kept(&self, proofs: &[Kept]) -> Result<(), SignerError> {
        let _turn = self.turn(LOCK)?;
        let frontier = self.recall()?.frontier;
        let root = frontier.root();
        for kept in proofs {
            let leaf = leaf_hash(&kept.commitment);
            if root_of_inclusion(kept.index, frontier.size(), &leaf, &kept.proof) != Some(root) {
                return Err(SignerError::Refused(format!("{} is not shown to be in the log", kept.commitment)));
            }
        }
        let kept: HashSet<Digest> = proofs.iter().map(|kept| kept.commitment).collect();
        self.forget(|commitment| kept.contains(commitment))
    }

    fn sign(&self, growth: &Growth) -> Result<String, SignerError> {
        let _turn = self.turn(LOCK)?;
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
        let now = self.clock.now().millis();
        let is_overdue = |(commitment, until): &(Digest, i64)| *until < now && !included.contains(commitment);
        let promises = self.promises()?;
        let overdue: Vec<Digest> = promises.iter().filter(|promise| is_overdue(promise)).map(|(c, _)| *c).collect();
        if !overdue.is_empty() {
            return Err(SignerError::Overdue(overdue));
        }
        let path = self.path(STATE);
        replace(&path, remembered.to_text().as_bytes()).map_err(|error| memory(&path, error))?;
        if promises.iter().any(|(commitment, _)| included.contains(commitment)) {
            self.forget(|commitment| included.contains(commitment))?;
        }
        self.note(&remembered)
    }
}

#[cfg(test)]
mod tests;
