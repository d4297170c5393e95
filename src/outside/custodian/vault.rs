//! The state file on disk: JSON, encrypted under a passphrase.
//!
//! Two lines: `{"v", "kdf", "m", "t", "p", "salt", "nonce", "sealed"}` and the SHA-256 of that line's bytes in hex. The key is 32
//! bytes of argon2id over the passphrase; sealed is AES-256-GCM with the line's other fields as associated data. Promises: the
//! salt is fresh with every file that is begun, and the nonce with every write; the file is written whole or not at all and is on the disk when a write
//! returns; every changed byte is noticed; damage, a wrong passphrase and a newer version are told apart; one process at a time
//! has the file. Deliberately absent: what is in it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::refusal::{self, Result};
use crate::kernel::digest::sha256;
use crate::kernel::encoding;
use crate::kernel::secret::Secret;
use crate::limits;

/// The version that is written.
const VERSION: u32 = 1;
const SALT_LEN: usize = 16;

/// What deriving a key costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory in KiB.
    m: u32,
    /// Passes.
    t: u32,
    /// Lanes.
    p: u32,
}

/// RFC 9106 section 4, the second recommended option: whoever steals the file may try as long as they like.
const COST: Cost = Cost { m: 64 * 1024, t: 3, p: 4 };

/// Everything but the sealed bytes, in the order in which it is written.
#[derive(Serialize, Deserialize)]
struct Head {
    v: u32,
    kdf: String,
    #[serde(flatten)]
    cost: Cost,
    #[serde(with = "encoding::serde_base64url")]
    salt: [u8; SALT_LEN],
    #[serde(with = "encoding::serde_base64url")]
    nonce: [u8; NONCE_LEN],
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    head: Head,
    #[serde(with = "encoding::serde_base64url")]
    sealed: Vec<u8>,
}

/// What encrypts a file, derived once for all writes of a process: that it takes long is for those who guess.
#[derive(Debug)]
struct Key {
    cost: Cost,
    salt: [u8; SALT_LEN],
    aead: LessSafeKey,
}

/// The file, held by this process.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    passphrase: Secret<String>,
    key: Key,
    _lock: File,
}

impl Vault {
    /// Takes a file that is there, and opens it.
    ///
    /// # Errors
    /// `state-missing`, `state-locked`, or [`unseal`]'s.
    pub fn open(path: &Path, passphrase: Secret<String>) -> Result<(Self, Secret<Vec<u8>>)> {
        Self::open_at(path, passphrase, COST)
    }

    pub(super) fn open_at(path: &Path, passphrase: Secret<String>, least: Cost) -> Result<(Self, Secret<Vec<u8>>)> {
        if !path.exists() {
            return Err(refusal::STATE_MISSING.because(path.display()).into());
        }
        let lock = lock(path)?;
        let (plain, mut key) = opened(&read(path)?, &passphrase)?;
        // What is written is never easier to guess than what was read, nor than what is right today.
        if key.cost.work() < least.work() {
            key = Key::fresh(&passphrase, least)?;
        }
        Ok((Self { path: path.to_owned(), passphrase, key, _lock: lock }, plain))
    }

    /// Takes a file that is not there; it is made with the first write.
    ///
    /// # Errors
    /// `state-exists`, `state-locked`, `passphrase-weak`.
    pub fn create(path: &Path, passphrase: Secret<String>) -> Result<Self> {
        Self::create_at(path, passphrase, COST)
    }

    pub(super) fn create_at(path: &Path, passphrase: Secret<String>, cost: Cost) -> Result<Self> {
        if passphrase.expose().chars().count() < limits::PASSWORD_MIN {
            return Err(refusal::PASSPHRASE_WEAK.because("").into());
        }
        if path.exists() {
            return Err(refusal::STATE_EXISTS.because(path.display()).into());
        }
        let lock = lock(path)?;
        let key = Key::fresh(&passphrase, cost)?;
        Ok(Self { path: path.to_owned(), passphrase, key, _lock: lock })
    }

    /// Opens the bytes of a copy with the same passphrase.
    ///
    /// # Errors
    /// [`unseal`]'s.
    pub fn unseal(&self, bytes: &[u8]) -> Result<Secret<Vec<u8>>> {
        unseal(bytes, &self.passphrase)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes new contents. They are on the disk when this returns.
    ///
    /// # Errors
    /// `state-disk`, or no random numbers.
    pub fn write(&self, plain: &Secret<Vec<u8>>) -> Result<()> {
        put(&self.path, self.key.seal(plain)?.as_bytes())
    }
}

impl Cost {
    fn work(self) -> u64 {
        u64::from(self.m) * u64::from(self.t)
    }
}

impl Key {
    /// A key with a salt of its own.
    fn fresh(passphrase: &Secret<String>, cost: Cost) -> Result<Self> {
        let salt = random()?;
        let key = Self::derive(passphrase, salt, cost);
        Ok(key.ok_or_else(|| refusal::STATE_DISK.because("argon2"))?)
    }

    fn derive(passphrase: &Secret<String>, salt: [u8; SALT_LEN], cost: Cost) -> Option<Self> {
        let params = Params::new(cost.m, cost.t, cost.p, Some(32)).ok()?;
        let mut key = [0; 32];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(passphrase.expose().as_bytes(), &salt, &mut key).ok()?;
        let key = Secret::new(key);
        let aead = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).ok()?);
        Some(Self { cost, salt, aead })
    }

    /// Encrypts. Nonces are random, which is safe for far more writes than a file ever sees (NIST SP 800-38D, 8.3: 2^32).
    fn seal(&self, plain: &Secret<Vec<u8>>) -> Result<String> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let head = Head { v: VERSION, kdf: "argon2id".into(), cost: self.cost, salt: self.salt, nonce };
        let aad = serde_json::to_vec(&head).map_err(|error| refusal::STATE_DISK.because(error))?;
        let mut sealed = plain.expose().clone();
        self.aead
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&aad), &mut sealed)
            .map_err(|_| refusal::STATE_DISK.because("AES-256-GCM"))?;
        let line = serde_json::to_string(&Line { head, sealed }).map_err(|error| refusal::STATE_DISK.because(error))?;
        Ok(format!("{line}\n{}\n", sha256(line.as_bytes())))
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| refusal::NO_RANDOM.because(""))?;
    Ok(bytes)
}

/// Decrypts the bytes of a file.
///
/// # Errors
/// `state-damaged`, `state-newer`, `passphrase-wrong`.
pub fn unseal(bytes: &[u8], passphrase: &Secret<String>) -> Result<Secret<Vec<u8>>> {
    opened(bytes, passphrase).map(|(plain, _)| plain)
}

fn opened(bytes: &[u8], passphrase: &Secret<String>) -> Result<(Secret<Vec<u8>>, Key)> {
    let damaged = |what: &str| refusal::STATE_DAMAGED.because(what);
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("text"))?;
    let (line, sum) = text.split_once('\n').ok_or_else(|| damaged("length"))?;
    if format!("{}\n", sha256(line.as_bytes())) != sum {
        return Err(damaged("SHA-256").into());
    }
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    let version: Version = serde_json::from_str(line).map_err(|_| damaged("v"))?;
    if version.v > VERSION {
        return Err(refusal::STATE_NEWER.because(version.v).into());
    }
    let read: Line = serde_json::from_str(line).map_err(|error| damaged(&error.to_string()))?;
    let Line { head, mut sealed } = read;
    let dear = head.cost.m > limits::CUSTODIAN_KDF_KIB || head.cost.t > limits::CUSTODIAN_KDF_PASSES;
    if head.v != VERSION || head.kdf != "argon2id" || dear {
        return Err(damaged("kdf").into());
    }
    let aad = serde_json::to_vec(&head).map_err(|_| damaged("head"))?;
    let key = Key::derive(passphrase, head.salt, head.cost).ok_or_else(|| damaged("kdf"))?;
    let nonce = Nonce::assume_unique_for_key(head.nonce);
    let plain = key
        .aead
        .open_in_place(nonce, Aad::from(&aad), &mut sealed)
        .map_err(|_| refusal::PASSPHRASE_WRONG.because(""))?
        .len();
    sealed.truncate(plain);
    Ok((Secret::new(sealed), key))
}

/// The bytes of a file.
///
/// # Errors
/// `state-missing`, `state-disk`.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => refusal::STATE_MISSING.because(path.display()).into(),
        _ => disk(path, &error),
    })
}

/// Writes a file that is closed to others, whole or not at all.
///
/// # Errors
/// `state-disk`.
pub fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = beside(path, "part");
    let write = || {
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        // The new name must be on the disk too, or a power cut brings the old file back.
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()
    };
    write().map_err(|error: std::io::Error| disk(path, &error))
}

fn lock(path: &Path) -> Result<File> {
    let lock_path = beside(path, "lock");
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(&lock_path);
    let file = file.map_err(|error| disk(&lock_path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(refusal::STATE_LOCKED.because(path.display()).into()),
        Err(fs::TryLockError::Error(error)) => Err(disk(&lock_path, &error)),
    }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".{what}"));
    name.into()
}

fn disk(path: &Path, error: &std::io::Error) -> super::Error {
    refusal::STATE_DISK.because(format!("{}: {error}", path.display())).into()
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// For tests that write often.
    pub const CHEAP: Cost = Cost { m: 8, t: 1, p: 1 };

    pub fn passphrase(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn plain() -> Secret<Vec<u8>> {
        Secret::new(b"{\"share\":\"secret\"}".to_vec())
    }

    /// A file of its own, as it is first written.
    fn sealed() -> String {
        Key::fresh(&passphrase("a long passphrase"), CHEAP).unwrap().seal(&plain()).unwrap()
    }

    fn code(bytes: &[u8], with: &str) -> String {
        unseal(bytes, &passphrase(with)).map(drop).unwrap_err().code().unwrap().to_owned()
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let whole = sealed().into_bytes();
        assert_eq!(unseal(&whole, &passphrase("a long passphrase")).unwrap().expose(), plain().expose());
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                assert_eq!(code(&bytes, "a long passphrase"), "state-damaged", "byte {at}, bit {bit}");
            }
            assert_eq!(code(&whole[..at], "a long passphrase"), "state-damaged");
        }
    }

    /// Somebody who alters the file and its sum as well.
    fn resummed(text: &str) -> Vec<u8> {
        format!("{text}\n{}\n", sha256(text.as_bytes())).into_bytes()
    }

    #[test]
    fn an_altered_file_with_a_right_sum_does_not_open_either() {
        let whole = sealed();
        let line = whole.lines().next().unwrap();
        let other = sealed();
        let field = |text: &str, name: &str| {
            let value: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
            value[name].to_string()
        };
        for name in ["salt", "nonce", "sealed"] {
            let altered = line.replace(&field(line, name), &field(&other, name));
            assert_ne!(altered, line);
            assert_eq!(code(&resummed(&altered), "a long passphrase"), "passphrase-wrong", "{name}");
        }
        for (from, to, expected) in [
            ("\"t\":1", "\"t\":2", "passphrase-wrong"),
            ("\"m\":8,", "\"m\":4294967295,", "state-damaged"),
            ("\"t\":1", "\"t\":4294967295", "state-damaged"),
            ("\"m\":8,", "\"m\":0,", "state-damaged"),
            ("argon2id", "scrypt", "state-damaged"),
            ("\"v\":1", "\"v\":2", "state-newer"),
            ("\"v\":1", "\"v\":0", "state-damaged"),
        ] {
            let altered = line.replace(from, to);
            assert_ne!(altered, line, "{from}");
            assert_eq!(code(&resummed(&altered), "a long passphrase"), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn a_wrong_passphrase_is_told_apart_from_damage() {
        let whole = sealed();
        assert_eq!(code(whole.as_bytes(), "a long passphrase "), "passphrase-wrong");
        assert!(!whole.contains("secret"));
    }

    #[test]
    fn each_file_has_a_salt_and_each_write_a_nonce_of_its_own() {
        let head = |text: &str| serde_json::from_str::<Head>(text.lines().next().unwrap()).unwrap();
        let key = Key::fresh(&passphrase("a long passphrase"), CHEAP).unwrap();
        let (one, two) = (head(&key.seal(&plain()).unwrap()), head(&key.seal(&plain()).unwrap()));
        assert_eq!(one.salt, two.salt);
        assert_ne!(one.nonce, two.nonce);
        assert_ne!(head(&sealed()).salt, one.salt);
    }

    #[test]
    fn a_file_is_closed_to_others_and_held_by_one_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let vault = Vault::create_at(&path, passphrase("a long passphrase"), CHEAP).unwrap();
        vault.write(&plain()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let code = |result: Result<()>| result.unwrap_err().code().unwrap().to_owned();
        assert_eq!(code(Vault::open(&path, passphrase("a long passphrase")).map(drop)), "state-locked");
        drop(vault);
        assert_eq!(code(Vault::create(&path, passphrase("a long passphrase")).map(drop)), "state-exists");
        assert_eq!(code(Vault::create(&dir.path().join("new"), passphrase("short")).map(drop)), "passphrase-weak");
        let missing = dir.path().join("missing");
        assert_eq!(code(Vault::open(&missing, passphrase("a long passphrase")).map(drop)), "state-missing");
        let (vault, read) = Vault::open(&path, passphrase("a long passphrase")).unwrap();
        assert_eq!(read.expose(), plain().expose());
        assert_eq!(vault.key.cost, COST, "what was cheap becomes dear");
    }

    #[test]
    fn a_write_that_breaks_off_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let vault = Vault::create_at(&path, passphrase("a long passphrase"), CHEAP).unwrap();
        vault.write(&plain()).unwrap();
        let before = fs::read(&path).unwrap();
        // The half-written file cannot be made: a directory is in its place.
        fs::create_dir(beside(&path, "part")).unwrap();
        assert_eq!(vault.write(&Secret::new(b"new".to_vec())).unwrap_err().code(), Some("state-disk"));
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}
