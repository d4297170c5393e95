//! What a custodian's file remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refusal::{self, Result};
use super::repair::Sheet;
use super::vault::Vault;
use super::{Error, hidden};
use crate::client::wire::PlatformKey;
use crate::kernel::digest::Digest;
use crate::kernel::secret::Secret;
use crate::kernel::time::Timestamp;
use crate::seal::ceremony::Dealer;
use crate::seal::keys::{Algorithm, SigningKey, VerifyingKey};
use crate::seal::keyset::{KeySet, KeyShare};
use crate::seal::points::{PrivateScalar, SCALAR_LEN};

/// Everything.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The platform.
    pub server: String,
    /// The name to sign in with.
    pub login: String,
    /// The user's id, once known.
    pub user: Option<String>,
    /// The custodian's id, once registered.
    pub custodian: Option<String>,
    #[serde(with = "hidden")]
    signing: Secret<Vec<u8>>,
    #[serde(with = "hidden")]
    kem: Secret<[u8; SCALAR_LEN]>,
    /// The platform's key.
    pub platform: PlatformKey,
    /// Which logs and witnesses are believed, in the words of the policy.
    pub policy: String,
    /// The last head of the log that was believed, word for word.
    pub head: Option<String>,
    /// Ceremonies by the platform's ids.
    pub ceremonies: BTreeMap<String, Kept>,
    /// Shares by key set.
    pub shares: BTreeMap<String, Share>,
    /// Repairs that this custodian asked for or helps with, by their ids. A program that knows none reads no file that has any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub repairs: BTreeMap<String, Mending>,
    /// When the file was written last, by this machine's clock.
    pub saved_at: Timestamp,
}

/// What is kept of a ceremony.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Its id inside the messages.
    pub digest: Digest,
    /// The custodian's index.
    pub member: u8,
    /// The key and the polynomials, until they have done their work.
    pub secrets: Option<Dealing>,
    /// The custodian's own signed messages, by step.
    pub messages: BTreeMap<String, Value>,
    /// The sealed shares that go with the acceptance.
    pub backups: Vec<Value>,
    /// The signed rehearsals, by key set.
    pub rehearsals: BTreeMap<String, Value>,
}

/// The secrets of a running ceremony.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dealing {
    #[serde(with = "hidden")]
    key: Secret<[u8; SCALAR_LEN]>,
    #[serde(with = "hidden::list")]
    polynomials: Vec<Secret<Vec<u8>>>,
}

/// A share.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The ceremony it comes from.
    pub ceremony: String,
    /// The lot.
    pub lot: String,
    /// The custodian's index.
    pub member: u8,
    /// The key set's bytes as text.
    pub key_set: String,
    #[serde(with = "hidden")]
    share: Secret<[u8; SCALAR_LEN]>,
    /// All members' acceptances and the published key set have been seen.
    pub confirmed: bool,
    /// The file was put back from a copy after the opening time.
    pub unsure: bool,
    /// The snapshot that is answered.
    pub answered: Option<Answered>,
    /// Another snapshot that the platform signed for the same key set: evidence.
    pub other_snapshot: Option<Value>,
}

/// A snapshot that was answered, or is about to be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Its root.
    pub root: Digest,
    /// As the platform signed it.
    pub snapshot: Value,
    /// When.
    pub at: Timestamp,
    /// Every line is answered, and the answers were taken.
    pub done: bool,
}

/// A repair, as far as this custodian is in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mending {
    /// The ceremony that the key set comes from, by the platform's id.
    pub ceremony: String,
    /// The lot.
    pub lot: String,
    /// The custodian's index.
    pub member: u8,
    /// The key set's bytes as text.
    key_set: String,
    /// Who helps.
    pub helpers: Vec<u8>,
    /// What was asked, word for word.
    pub request: Sheet,
    /// The summand that a helper keeps, until it has added.
    own: Option<Summand>,
    /// The helper's summands for the others.
    pub split: Option<Sheet>,
    /// The helper's sum.
    pub sum: Option<Sheet>,
    /// Nothing is left to be done.
    pub done: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Summand(#[serde(with = "hidden")] Secret<[u8; SCALAR_LEN]>);

fn damaged(what: impl std::fmt::Display) -> Error {
    refusal::STATE_DAMAGED.because(what).into()
}

impl State {
    /// A beginning: new keys.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn new(server: &str, login: &str, platform: PlatformKey, policy: String, now: Timestamp) -> Result<Self> {
        let no_random = |_| refusal::NO_RANDOM.because("");
        let signing = SigningKey::generate(Algorithm::EdDsa).map_err(no_random)?;
        Ok(Self {
            server: server.to_owned(),
            login: login.to_owned(),
            user: None,
            custodian: None,
            signing: Secret::new(signing.pkcs8().expose().clone()),
            kem: PrivateScalar::generate().map_err(no_random)?.to_bytes(),
            platform,
            policy,
            head: None,
            ceremonies: BTreeMap::new(),
            shares: BTreeMap::new(),
            repairs: BTreeMap::new(),
            saved_at: now,
        })
    }

    /// Reads what a vault holds.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn read(plain: &Secret<Vec<u8>>) -> Result<Self> {
        serde_json::from_slice(plain.expose()).map_err(damaged)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The vault's.
    pub fn save(&mut self, vault: &Vault, now: Timestamp) -> Result<()> {
        self.saved_at = now;
        vault.write(&Secret::new(serde_json::to_vec(self).map_err(damaged)?))
    }

    /// The key that signs messages.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn signing_key(&self) -> Result<SigningKey> {
        SigningKey::from_pkcs8(Secret::new(self.signing.expose().clone())).map_err(damaged)
    }

    /// The key that shares are backed up to.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn kem(&self) -> Result<PrivateScalar> {
        PrivateScalar::from_bytes(self.kem.expose()).map_err(damaged)
    }

    /// The key that the platform signs with.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn platform_key(&self) -> Result<VerifyingKey> {
        self.platform.key().map_err(damaged)
    }
}

impl Mending {
    /// A repair of the share of a key set, in which this custodian is `member`.
    pub fn of(key_set: &KeySet, member: u8, about: (&str, &str), helpers: Vec<u8>, request: Sheet) -> Self {
        let key_set = String::from_utf8_lossy(&key_set.to_bytes()).into_owned();
        let (ceremony, lot) = (about.0.to_owned(), about.1.to_owned());
        Self { ceremony, lot, member, key_set, helpers, request, own: None, split: None, sum: None, done: false }
    }

    /// The key set.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn public(&self) -> Result<KeySet> {
        KeySet::from_bytes(self.key_set.as_bytes()).map_err(damaged)
    }

    /// Keeps the helper's own summand.
    pub fn keep(&mut self, own: Secret<[u8; SCALAR_LEN]>) {
        self.own = Some(Summand(own));
    }

    /// Erases it: it is in the sum.
    pub fn forget(&mut self) {
        self.own = None;
    }

    /// The helper's own summand.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn own(&self) -> Result<Secret<[u8; SCALAR_LEN]>> {
        let own = self.own.as_ref().ok_or_else(|| damaged("summand"))?;
        Ok(Secret::new(*own.0.expose()))
    }
}

impl Dealing {
    /// Keeps a dealer's secrets.
    pub fn of(dealer: &Dealer) -> Self {
        let (key, polynomials) = dealer.secrets();
        let copy = |secret: &Secret<Vec<u8>>| Secret::new(secret.expose().clone());
        Self { key, polynomials: polynomials.iter().map(copy).collect() }
    }

    /// The dealer again.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn dealer(&self, digest: Digest, member: u8) -> Result<Dealer> {
        let copies = self.polynomials.iter().map(|secret| Secret::new(secret.expose().clone())).collect();
        Dealer::restore(digest, member, &self.key, copies).map_err(damaged)
    }
}

impl Share {
    /// Keeps a share.
    pub fn of(share: &KeyShare, ceremony: &str, lot: &str) -> Self {
        Self {
            ceremony: ceremony.to_owned(),
            lot: lot.to_owned(),
            member: share.member(),
            key_set: String::from_utf8_lossy(&share.key_set().to_bytes()).into_owned(),
            share: share.private_bytes(),
            confirmed: false,
            unsure: false,
            answered: None,
            other_snapshot: None,
        }
    }

    /// The key set.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn public(&self) -> Result<KeySet> {
        KeySet::from_bytes(self.key_set.as_bytes()).map_err(damaged)
    }

    /// Marks a share that was put back, if its opening time has come and it answered nothing as far as the copy knows: from the
    /// file that was lost it may have.
    pub fn doubt(&mut self, now: Timestamp) {
        let opens = self.public().ok().and_then(|key_set| Timestamp::parse(key_set.opens_not_before.as_str()).ok());
        self.unsure = self.answered.is_none() && opens.is_none_or(|opens| opens <= now);
    }

    /// The share, compared with its public half.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn secret(&self) -> Result<KeyShare> {
        KeyShare::restore(self.public()?, self.member, &self.share).map_err(damaged)
    }
}
