//! Key sets: to whom the envelopes of one opening group are sealed. JWS type `sealbid-keyset+jws`.
//!
//! `{v, kid, tender, group, kind, k, n, X, shares, opens_not_before, profile}`; X and shares are compressed points in
//! base64url. kid = the first 16 bytes of SHA-256("sealbid/1 kid" || X || opens_not_before || group) in hex, where X has 33
//! and opens_not_before 24 bytes, so that the concatenation has one reading.
//!
//! Promise: a [`KeySet`] read from outside has a valid X, the kid that follows from its content, and the shape of its
//! kind. `opens_not_before` is a lower bound; the lot may open later. One key set serves one group only: whoever opens
//! two groups with one key lets the first opening be used as an oracle for the second.
//!
//! Deliberately absent: custodians (k of n). Their kind, members and ceremony are part of the format and are refused by
//! name until shares can be checked against each other here.

use super::VERSION;
use super::error::{FormError, RandomFailed, SealError};
use super::ids::{Ident, KeyId, UtcMillis};
use super::jws::Jws;
use super::keys::{SigningKey, VerifyingKey};
use super::limits::MAX_JWS_BYTES;
use super::points::{NotAScalar, Point, PrivateScalar, SCALAR_LEN};
use super::strict_json::Object;
use crate::kernel::{digest::Hasher, encoding, secret::Secret};
use serde::Serialize;

/// The JWS type of a key set.
pub const KEY_SET_TYP: &str = "sealbid-keyset+jws";

/// Who holds the private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySetKind {
    /// The trading platform.
    Platform,
    /// The bidder, with a one-time key.
    Bidder,
}

/// Whether every slot must prove knowledge of its ephemeral key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// It must. The default.
    Strict,
    /// It may. Any HPKE library can seal, but whoever opens part of a group early is a decryption oracle for the rest.
    Open,
}

/// A public key set of one member (k = n = 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    /// The id that slots name.
    pub kid: KeyId,
    /// The project.
    pub tender: Ident,
    /// The envelopes that open at one moment.
    pub group: Ident,
    /// Who holds the private key.
    pub kind: KeySetKind,
    /// The public key X.
    pub public: Point,
    /// The moment before which the private key is not used.
    pub opens_not_before: UtcMillis,
    /// Whether slots must carry a proof of knowledge.
    pub profile: Profile,
}

#[derive(Serialize)]
#[allow(non_snake_case, reason = "the field is called X")]
struct Wire<'a> {
    v: &'a str,
    kid: KeyId,
    tender: &'a Ident,
    group: &'a Ident,
    kind: KeySetKind,
    k: u8,
    n: u8,
    X: &'a str,
    shares: [&'a str; 1],
    opens_not_before: &'a UtcMillis,
    profile: Profile,
}

/// What a key set is about, besides its key.
#[derive(Clone, Debug)]
pub struct KeySetSubject {
    /// The project.
    pub tender: Ident,
    /// The opening group.
    pub group: Ident,
    /// The moment before which the private key is not used.
    pub opens_not_before: UtcMillis,
    /// Whether slots must carry a proof of knowledge.
    pub profile: Profile,
}

impl KeySet {
    fn new(kind: KeySetKind, public: Point, subject: KeySetSubject) -> Self {
        let KeySetSubject { tender, group, opens_not_before, profile } = subject;
        let kid = key_set_id(&public, &opens_not_before, &group);
        Self { kid, tender, group, kind, public, opens_not_before, profile }
    }

    /// The bytes to be signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let public = encoding::base64url(&self.public.to_compressed());
        let wire = Wire {
            v: VERSION,
            kid: self.kid,
            tender: &self.tender,
            group: &self.group,
            kind: self.kind,
            k: 1,
            n: 1,
            X: &public,
            shares: [&public],
            opens_not_before: &self.opens_not_before,
            profile: self.profile,
        };
        serde_json::to_vec(&wire).expect("strings and small numbers serialise")
    }

    /// Reads the signed bytes.
    ///
    /// # Errors
    /// Every way in which form or content may be wrong, see [`FormError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormError> {
        let mut object = Object::parse(bytes, MAX_JWS_BYTES)?;
        if object.text("v")? != VERSION {
            return Err(FormError::Version);
        }
        let kid = KeyId::parse(&object.text("kid")?, "kid")?;
        let kind = match object.text("kind")?.as_str() {
            "platform" => KeySetKind::Platform,
            "bidder" => KeySetKind::Bidder,
            "custodians" => return Err(FormError::UnsupportedKeySetKind("custodians".into())),
            other => return Err(FormError::UnknownKeySetKind(other.to_owned())),
        };
        let subject = KeySetSubject {
            tender: Ident::parse(object.text("tender")?, "tender")?,
            group: Ident::parse(object.text("group")?, "group")?,
            opens_not_before: UtcMillis::parse(object.text("opens_not_before")?, "opens_not_before")?,
            profile: match object.text("profile")?.as_str() {
                "strict" => Profile::Strict,
                "open" => Profile::Open,
                _ => return Err(FormError::Profile),
            },
        };
        let public = object.bytes("X")?;
        let single = object.integer::<u8>("k")? == 1
            && object.integer::<u8>("n")? == 1
            && object.texts("shares")? == [encoding::base64url(&public)]
            && (!object.has("members") || object.objects("members")?.is_empty())
            && !object.has("ceremony");
        if !single {
            return Err(FormError::KeySetShape);
        }
        object.end()?;
        let public = Point::from_compressed(&public).map_err(|_| FormError::NotAPoint("X"))?;
        let key_set = Self::new(kind, public, subject);
        if key_set.kid != kid {
            return Err(FormError::KeySetId);
        }
        Ok(key_set)
    }

    /// Signs the key set.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(&self, key: &SigningKey) -> Result<SignedKeySet, RandomFailed> {
        let jws = Jws::sign(key, KEY_SET_TYP, &self.to_bytes())?;
        Ok(SignedKeySet { jws, key_set: self.clone() })
    }
}

fn key_set_id(public: &Point, opens_not_before: &UtcMillis, group: &Ident) -> KeyId {
    let mut hasher = Hasher::new();
    hasher.update(b"sealbid/1 kid");
    hasher.update(&public.to_compressed());
    hasher.update(opens_not_before.as_str().as_bytes());
    hasher.update(group.as_str().as_bytes());
    KeyId::of(&hasher.finish())
}

/// A key set with the signature under which it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedKeySet {
    jws: Jws,
    key_set: KeySet,
}

impl SignedKeySet {
    /// Reads the JSON text of a signed key set; the signature is not yet verified.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let jws = Jws::parse(bytes, KEY_SET_TYP)?;
        let key_set = KeySet::from_bytes(jws.payload())?;
        Ok(Self { jws, key_set })
    }

    /// Verifies the publisher's signature and gives the key set.
    ///
    /// # Errors
    /// `OtherKey` or `Signature`.
    pub fn verify(&self, key: &VerifyingKey) -> Result<&KeySet, FormError> {
        self.jws.verify(key)?;
        Ok(&self.key_set)
    }

    /// The signed object.
    pub const fn jws(&self) -> &Jws {
        &self.jws
    }
}

/// The platform's private key of one opening group, with its public key set.
#[derive(Debug)]
pub struct PlatformKey {
    private: PrivateScalar,
    key_set: KeySet,
}

impl PlatformKey {
    /// Makes a new key pair.
    ///
    /// # Errors
    /// If the system's random source fails.
    pub fn generate(subject: KeySetSubject) -> Result<Self, RandomFailed> {
        Ok(Self::from_scalar(PrivateScalar::generate()?, KeySetKind::Platform, subject))
    }

    pub(super) fn from_scalar(private: PrivateScalar, kind: KeySetKind, subject: KeySetSubject) -> Self {
        let key_set = KeySet::new(kind, private.public(), subject);
        Self { private, key_set }
    }

    /// Puts a stored private key and its key set together again.
    ///
    /// # Errors
    /// If the bytes are not the private key of this key set.
    pub fn restore(key_set: KeySet, private: &Secret<[u8; SCALAR_LEN]>) -> Result<Self, SealError> {
        let mismatch = FormError::NotAScalar("private_key");
        let private = PrivateScalar::from_bytes(private.expose()).map_err(|NotAScalar| mismatch.clone())?;
        if private.public() != key_set.public {
            return Err(mismatch.into());
        }
        Ok(Self { private, key_set })
    }

    /// The public key set.
    pub const fn key_set(&self) -> &KeySet {
        &self.key_set
    }

    /// The private scalar, for opening.
    pub const fn private(&self) -> &PrivateScalar {
        &self.private
    }

    /// The private key's 32 bytes, to be encrypted before they are stored.
    pub fn private_bytes(&self) -> Secret<[u8; SCALAR_LEN]> {
        self.private.to_bytes()
    }
}
