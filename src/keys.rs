//! The keys of the platform, which live in one directory outside the database and outside the data directory.
//!
//! - `kek`: encrypts the private keys of key sets where they are stored;
//! - `token.pem`: signs access tokens;
//! - `promise.pem`: signs receipts, refusals and key sets.
//!
//! All servers of one database share them. Their fingerprint is kept in the database, so that a server with other keys
//! refuses to start instead of making bids unreadable. Nothing here protects against whoever holds both the directory
//! and the database: a platform key protects against leaks of the database and its backups, not against the operator.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::kernel::digest::{Hasher, sha256};
use crate::kernel::secret::Secret;
use crate::seal::keys::{Algorithm, SigningKey};

const KEK_FILE: &str = "kek";
const TOKEN_FILE: &str = "token.pem";
const PROMISE_FILE: &str = "promise.pem";
/// Length of the nonce that stands before a wrapped secret.
const NONCE_LEN: usize = 12;

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file is missing, unreadable or not a key.
    #[error("key file {path}: {what}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file can be read by others than its owner.
    #[error("key file {0} can be read by others than its owner: chmod 600 it")]
    TooOpen(PathBuf),
    /// A wrapped secret does not open: it was made with another key, for something else, or it is damaged.
    #[error("a stored secret does not open with this key-encryption key")]
    Unwrap,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

/// The platform's keys, in memory.
pub struct Keys {
    kek: Secret<[u8; 32]>,
    /// Signs access tokens.
    pub token: SigningKey,
    /// Signs receipts, refusals and key sets.
    pub promise: SigningKey,
}

impl Keys {
    /// Whether `dir` holds a key directory.
    pub fn exist(dir: &Path) -> bool {
        dir.join(KEK_FILE).exists()
    }

    /// Makes a new key directory; refuses to touch one that exists.
    ///
    /// # Errors
    /// When a file cannot be written or is there already.
    pub fn create(dir: &Path) -> Result<Self, KeyError> {
        let promise = SigningKey::generate(Algorithm::EdDsa).map_err(|_| KeyError::Random)?;
        Self::create_with(dir, &promise)
    }

    /// Makes the key directory that takes the place of this one: a new key-encryption key and a new token key. The
    /// promise key stays, because receipts that people hold, and key sets that bids are sealed to, are checked with it.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub fn create_successor(&self, dir: &Path) -> Result<Self, KeyError> {
        Self::create_with(dir, &self.promise)
    }

    fn create_with(dir: &Path, promise: &SigningKey) -> Result<Self, KeyError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| file_error(dir, error))?;
        let mut kek = [0; 32];
        SystemRandom::new().fill(&mut kek).map_err(|_| KeyError::Random)?;
        let token = SigningKey::generate(Algorithm::EdDsa).map_err(|_| KeyError::Random)?;
        write_new(&dir.join(KEK_FILE), format!("{}\n", hex(&kek)).as_bytes())?;
        write_new(&dir.join(TOKEN_FILE), token.to_pem().expose().as_bytes())?;
        write_new(&dir.join(PROMISE_FILE), promise.to_pem().expose().as_bytes())?;
        Self::load(dir)
    }

    /// Reads the key directory.
    ///
    /// # Errors
    /// When a file is missing, open to others, or not a key.
    pub fn load(dir: &Path) -> Result<Self, KeyError> {
        let kek_path = dir.join(KEK_FILE);
        let kek = parse_hex(read(&kek_path)?.trim())
            .ok_or_else(|| file_error(&kek_path, "64 hexadecimal digits are expected"))?;
        Ok(Self {
            kek: Secret::new(kek),
            token: signing_key(&dir.join(TOKEN_FILE))?,
            promise: signing_key(&dir.join(PROMISE_FILE))?,
        })
    }

    /// Fixed keys for tests and benchmarks inside this process; never written anywhere.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn ephemeral() -> Result<Self, KeyError> {
        let mut kek = [0; 32];
        SystemRandom::new().fill(&mut kek).map_err(|_| KeyError::Random)?;
        let new = || SigningKey::generate(Algorithm::EdDsa).map_err(|_| KeyError::Random);
        Ok(Self { kek: Secret::new(kek), token: new()?, promise: new()? })
    }

    /// What the database remembers of these keys: tells nothing of the secret ones.
    pub fn fingerprint(&self) -> String {
        let mut hasher = Hasher::new();
        hasher.update(b"sealbid/1 key directory\n");
        hasher.update(sha256(self.kek.expose()).as_bytes());
        hasher.update(&self.promise.verifying_key().to_bytes());
        hasher.finish().to_string()
    }

    /// Encrypts a secret for storage; `about` says what it is for and must be given again to open it.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn wrap(&self, secret: &[u8], about: &str) -> Result<Vec<u8>, KeyError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| KeyError::Random)?;
        let mut sealed = secret.to_vec();
        let aad = Aad::from(about.as_bytes());
        self.cipher()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| KeyError::Random)?;
        let mut wrapped = nonce.to_vec();
        wrapped.append(&mut sealed);
        Ok(wrapped)
    }

    /// Opens what [`Keys::wrap`] made.
    ///
    /// # Errors
    /// [`KeyError::Unwrap`] when it was made with another key, for something else, or is damaged.
    pub fn unwrap(&self, wrapped: &[u8], about: &str) -> Result<Secret<Vec<u8>>, KeyError> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_LEN).ok_or(KeyError::Unwrap)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::Unwrap)?;
        let mut buffer = sealed.to_vec();
        let plain = self
            .cipher()
            .open_in_place(nonce, Aad::from(about.as_bytes()), &mut buffer)
            .map_err(|_| KeyError::Unwrap)?;
        Ok(Secret::new(plain.to_vec()))
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, self.kek.expose()).expect("32 bytes are an AES-256 key"))
    }
}

fn signing_key(path: &Path) -> Result<SigningKey, KeyError> {
    SigningKey::from_pem(&read(path)?).map_err(|error| file_error(path, error))
}

fn read(path: &Path) -> Result<String, KeyError> {
    let mode = fs::metadata(path).map_err(|error| file_error(path, error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyError::TooOpen(path.to_owned()));
    }
    fs::read_to_string(path).map_err(|error| file_error(path, error))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| file_error(path, error))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| file_error(path, error))
}

fn file_error(path: &Path, what: impl ToString) -> KeyError {
    KeyError::File { path: path.to_owned(), what: what.to_string() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_secret_opens_only_with_its_key_and_its_purpose() {
        let keys = Keys::ephemeral().expect("random numbers");
        let wrapped = keys.wrap(b"scalar", "kid-1").expect("random numbers");
        assert_eq!(keys.unwrap(&wrapped, "kid-1").expect("the same").expose(), b"scalar");
        assert!(matches!(keys.unwrap(&wrapped, "kid-2"), Err(KeyError::Unwrap)));
        assert!(matches!(Keys::ephemeral().expect("random numbers").unwrap(&wrapped, "kid-1"), Err(KeyError::Unwrap)));
        assert!(matches!(keys.unwrap(&wrapped[..5], "kid-1"), Err(KeyError::Unwrap)));
    }

    #[test]
    fn a_successor_wraps_with_another_key_and_promises_with_the_same() {
        let dir = tempfile::tempdir().expect("a directory");
        let old = Keys::create(&dir.path().join("old")).expect("made");
        let new = old.create_successor(&dir.path().join("new")).expect("made");
        assert_eq!(new.promise.verifying_key(), old.promise.verifying_key());
        assert_ne!(new.token.verifying_key(), old.token.verifying_key());
        assert_ne!(new.fingerprint(), old.fingerprint());
        let wrapped = old.wrap(b"scalar", "kid-1").expect("random numbers");
        assert!(matches!(new.unwrap(&wrapped, "kid-1"), Err(KeyError::Unwrap)));
    }

    #[test]
    fn a_key_directory_is_made_once_and_closed_to_others() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = dir.path().join("keys");
        let made = Keys::create(&dir).expect("made");
        assert_eq!(Keys::load(&dir).expect("read").fingerprint(), made.fingerprint());
        assert!(Keys::create(&dir).is_err(), "never written over");
        fs::set_permissions(dir.join(KEK_FILE), fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(matches!(Keys::load(&dir), Err(KeyError::TooOpen(_))));
    }
}
