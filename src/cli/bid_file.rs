//! What a bidder's machine remembers of a bid between two runs of `sealbid seal`: enough to go on after a broken line, and
//! to change a price later without sending the documents again.
//!
//! Promises: the file is written whole or not at all, and nobody else can read it (it holds the secrets of the payloads);
//! a submission is written down before it is sent, so that an answer lost on the way is asked for again under the same
//! key and not made a second time.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroize;

use super::Failed;
use crate::kernel::digest::Digest;
use crate::kernel::encoding;
use crate::kernel::secret::Secret;
use crate::rules::envelopes::Round;
use crate::seal::keyset::{KeySet, KeyShare};
use crate::seal::sealing::SealedPayload;
use crate::seal::stream::{SALT_LEN, SECRET_LEN};

/// The version of the file's form.
const VERSION: u32 = 1;

/// A bid in the making, or made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BidFile {
    version: u32,
    /// The server.
    pub server: String,
    /// The lot.
    pub lot: String,
    /// The bidder's own keys, where the lot's key mode asks for them: without them the bid does not open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    own_keys: Vec<KeptKey>,
    /// The first round was answered, or is about to be.
    #[serde(default)]
    answered_first: bool,
    /// The parts as they were sealed last.
    pub parts: Vec<KeptPart>,
    /// The submission that was sent last, or is about to be.
    pub submission: Option<Submission>,
    #[serde(skip)]
    path: PathBuf,
}

/// A sealed part.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptPart {
    /// `price` or `documents`.
    pub part: String,
    /// SHA-256 of what was sealed (`bid.json`, or the manifest of the documents): the same content is not sealed again.
    pub content: Digest,
    /// The payload's length in bytes.
    pub len: u64,
    /// Its Merkle root.
    pub root: Digest,
    /// The ciphertext's length in bytes.
    pub size_bytes: u64,
    /// The ciphertext, kept for the case that the server's disk loses some of it.
    pub ciphertext: Option<PathBuf>,
    /// It was uploaded.
    #[serde(default)]
    pub uploaded: bool,
    /// The `Idempotency-Key` of its upload.
    pub upload_key: String,
    #[serde(with = "encoding::serde_base64url")]
    salt: [u8; SALT_LEN],
    secrets: Vec<KeptSecret>,
}

/// One of the bidder's own keys.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptKey {
    /// The bytes of its key set.
    #[serde(with = "encoding::serde_base64url")]
    key_set: Vec<u8>,
    private: KeptSecret,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct KeptSecret(#[serde(with = "encoding::serde_base64url")] [u8; SECRET_LEN]);

impl std::fmt::Debug for KeptSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeptSecret(..)")
    }
}

impl Drop for KeptSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A submission.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The signed headers.
    pub envelopes: Vec<Value>,
    /// The bidder's own key sets, signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_keys: Vec<Value>,
    /// Its `Idempotency-Key`.
    pub key: String,
    /// Whether its receipt is here.
    pub answered: bool,
}

impl KeptPart {
    /// Keeps a payload that was just sealed.
    pub fn new(part: &str, content: Digest, payload: &SealedPayload, ciphertext: PathBuf, upload_key: String) -> Self {
        Self {
            part: part.to_owned(),
            content,
            len: payload.len,
            root: payload.root,
            size_bytes: payload.size_bytes,
            ciphertext: Some(ciphertext),
            uploaded: false,
            upload_key,
            salt: payload.salt,
            secrets: payload.secrets.iter().map(|secret| KeptSecret(*secret.expose())).collect(),
        }
    }

    /// The payload, for a new header over it.
    pub fn payload(&self) -> SealedPayload {
        SealedPayload {
            salt: self.salt,
            secrets: self.secrets.iter().map(|secret| Secret::new(secret.0)).collect(),
            len: self.len,
            root: self.root,
            size_bytes: self.size_bytes,
        }
    }
}

impl BidFile {
    /// Reads the file, or starts one.
    ///
    /// # Errors
    /// When it is not such a file, or of another lot or server.
    pub fn open(path: &Path, server: &str, lot: &str) -> Result<Self, Failed> {
        let text = match fs::read(path) {
            Ok(text) => Secret::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let (server, lot) = (server.to_owned(), lot.to_owned());
                return Ok(Self {
                    version: VERSION,
                    server,
                    lot,
                    own_keys: Vec::new(),
                    answered_first: false,
                    parts: Vec::new(),
                    submission: None,
                    path: path.to_owned(),
                });
            }
            Err(error) => return Err(Failed::file(path, error)),
        };
        let mut file: Self = serde_json::from_slice(text.expose())
            .map_err(|error| Failed::file(path, format!("is not a bid file: {error}")))?;
        if file.version != VERSION || file.lot != lot || file.server != server {
            return Err(Failed::file(path, format!("belongs to lot {} on {}", file.lot, file.server)));
        }
        path.clone_into(&mut file.path);
        Ok(file)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&self) -> Result<(), Failed> {
        let failed = |error: std::io::Error| Failed::file(&self.path, error);
        let text = Secret::new(serde_json::to_vec_pretty(self).map_err(Failed::tried)?);
        let unfinished = self.beside("part");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)
            .map_err(failed)?;
        file.write_all(text.expose()).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&unfinished, &self.path).map_err(failed)
    }

    /// The bidder's own keys of this bid.
    ///
    /// # Errors
    /// When what is kept is no such key.
    pub fn own_keys(&self) -> Result<Vec<KeyShare>, Failed> {
        let damaged = || Failed::file(&self.path, "the bidder's own key in it is damaged");
        let restored = |kept: &KeptKey| {
            let key_set = KeySet::from_bytes(&kept.key_set).map_err(|_| damaged())?;
            KeyShare::restore(key_set, 1, &Secret::new(kept.private.0)).map_err(|_| damaged())
        };
        self.own_keys.iter().map(restored).collect()
    }

    /// Keeps the bidder's own keys beside those that are here, whatever a server says now of the lot; whether any is new.
    pub fn keep_own_keys<'a>(&mut self, keys: impl Iterator<Item = &'a KeyShare>) -> bool {
        let before = self.own_keys.len();
        for key in keys {
            let key_set = key.key_set().to_bytes();
            if self.own_keys.iter().all(|kept| kept.key_set != key_set) {
                self.own_keys.push(KeptKey { key_set, private: KeptSecret(*key.private_bytes().expose()) });
            }
        }
        self.own_keys.len() > before
    }

    /// Notes that a round is about to be answered; whether it may be: the second only after the first.
    pub fn answers(&mut self, round: Round) -> bool {
        self.answered_first |= round == Round::First;
        self.answered_first
    }

    /// The name of a file beside this one.
    pub fn beside(&self, what: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{what}"));
        name.into()
    }

    /// The part of that name.
    pub fn part(&self, name: &str) -> Option<&KeptPart> {
        self.parts.iter().find(|part| part.part == name)
    }

    /// Puts a part in the place of the one of its name; what was submitted before is not this bid any more.
    pub fn replace(&mut self, part: KeptPart) {
        self.submission = None;
        self.parts.retain(|old| old.part != part.part);
        self.parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::kernel::digest::sha256;
    use crate::seal::ids::{Ident, UtcMillis};
    use crate::seal::keyset::{KeySetKind, KeySetSubject, Profile};
    use crate::seal::sealing::seal_payload;

    #[test]
    fn a_kept_part_makes_the_same_payload_again_and_is_closed_to_others() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("bid.json");
        let payload = seal_payload(&b"documents"[..], std::io::sink(), 1).expect("sealed");
        let mut file = BidFile::open(&path, "http://a", "lot-1").expect("new");
        file.replace(KeptPart::new("documents", sha256(b"x"), &payload, "c".into(), "key".into()));
        file.save().expect("written");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        let back = BidFile::open(&path, "http://a", "lot-1").expect("reads back");
        let again = back.part("documents").expect("kept").payload();
        assert_eq!((again.salt, again.root, again.len), (payload.salt, payload.root, payload.len));
        assert_eq!(again.secrets[0].expose(), payload.secrets[0].expose());
        assert!(!format!("{back:?}").contains(&encoding::base64url(payload.secrets[0].expose())));
    }

    #[test]
    fn the_second_round_is_answered_only_after_the_first_also_by_another_run() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("bid.json");
        let mut file = BidFile::open(&path, "http://a", "lot-1").expect("new");
        assert!(!file.answers(Round::Second) && !file.answers(Round::Second));
        assert!(file.answers(Round::First) && file.answers(Round::Second));
        file.save().expect("written");
        assert!(BidFile::open(&path, "http://a", "lot-1").expect("reads back").answers(Round::Second));
    }

    #[test]
    fn no_key_that_is_kept_is_ever_dropped_or_kept_twice() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut file = BidFile::open(&dir.path().join("bid.json"), "http://a", "lot-1").expect("new");
        let ident = |text| Ident::parse(text, "id").expect("an id");
        let key = |group| {
            let opens_not_before = UtcMillis::parse("2026-12-24T01:00:00.000Z", "opens").expect("a time");
            let (tender, group) = (ident("prj-1"), ident(group));
            let subject = KeySetSubject { tender, group, opens_not_before, profile: Profile::Strict };
            KeyShare::generate(KeySetKind::Bidder, subject).expect("random numbers")
        };
        let keys = [key("lot-1"), key("lot-1-price")];
        assert!(file.keep_own_keys(keys.iter()) && !file.keep_own_keys(keys.iter()));
        // A server that says that this lot needs no key does not take them away.
        assert!(!file.keep_own_keys(std::iter::empty()) && !file.keep_own_keys(keys[..1].iter()));
        file.save().expect("written");
        let back = BidFile::open(&dir.path().join("bid.json"), "http://a", "lot-1").expect("reads back");
        let kept: Vec<_> = back.own_keys().expect("keys").iter().map(|key| key.key_set().kid).collect();
        assert_eq!(kept, keys.map(|key| key.key_set().kid));
    }

    #[test]
    fn a_bid_file_of_another_lot_is_not_used() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("bid.json");
        BidFile::open(&path, "http://a", "lot-1").expect("new").save().expect("written");
        assert!(BidFile::open(&path, "http://a", "lot-2").is_err());
        assert!(BidFile::open(&path, "http://b", "lot-1").is_err());
        fs::write(&path, "{}").expect("written");
        assert!(BidFile::open(&path, "http://a", "lot-1").is_err());
    }
}
