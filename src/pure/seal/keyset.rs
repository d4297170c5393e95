//! Key sets: to whom the envelopes of one opening group are sealed. JWS type `sealbid-keyset+jws`.
//!
//! `{v, kid, tender, group, kind, k, n, X, shares, opens_not_before, profile}`, and for custodians `members` and `ceremony`
//! behind them; X and shares are compressed points in base64url. A member is `{i, custodian, org, sign_kid, kem}`, with i
//! from 1 in order and kem a compressed point; ceremony is the digest of the ceremony's transcript in hex
//! ([`super::ceremony`]). kid = the first 16 bytes of SHA-256("sealbid/1 kid" || X || opens_not_before || group) in hex, where X has 33
//! and opens_not_before 24 bytes, so that the concatenation has one reading.
//!
//! Promise: a [`KeySet`] read from outside has a valid X, the kid that follows from its content, and the shape of its
//! kind: one member whose share is X itself, or n custodians of whom k are needed and whose shares lie on one polynomial. `opens_not_before` is a lower bound; the lot may open later. One key set serves one group only: whoever opens
//! two groups with one key lets the first opening be used as an oracle for the second.
//!
//! Deliberately absent: how custodians come to their shares, which is the ceremony's affair, and who they are.

use super::VERSION;
use super::error::{FormError, RandomFailed, SealError};
use super::ids::{Ident, KeyId, UtcMillis};
use super::jws::Jws;
use super::keys::{SigningKey, VerifyingKey};
use super::limits::{MAX_JWS_BYTES, MAX_MEMBERS, MIN_MEMBERS, MIN_THRESHOLD};
use super::points::{COMPRESSED_LEN, NotAScalar, Point, PrivateScalar, SCALAR_LEN};
use super::strict_json::Object;
use super::threshold;
use crate::kernel::digest::{Digest, Hasher};
use crate::kernel::secret::Secret;
use serde::Serialize;

/// The JWS type of a key set.
pub const KEY_SET_TYP: &str = "sealbid-keyset+jws";

/// Who holds the private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySetKind {
    /// The trading platform.
    Platform,
    /// Custodians of different institutions, k of n.
    Custodians,
    /// The bidder, with a one-time key.
    Bidder,
}

/// A member of a custodians' key set: member i holds the i-th share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// From 1, in order.
    pub i: u8,
    /// The custodian.
    pub custodian: Ident,
    /// Its institution.
    pub org: Ident,
    /// The key that signs its messages.
    pub sign_kid: KeyId,
    /// The key to which its share is backed up.
    pub kem: Point,
}

impl Member {
    pub(super) fn from_object(mut object: Object) -> Result<Self, FormError> {
        let member = Self {
            i: object.integer("i")?,
            custodian: Ident::parse(object.text("custodian")?, "custodian")?,
            org: Ident::parse(object.text("org")?, "org")?,
            sign_kid: KeyId::parse(&object.text("sign_kid")?, "sign_kid")?,
            kem: point(&object.array("kem")?, "kem")?,
        };
        object.end()?;
        Ok(member)
    }
}

/// Reads the members of a set of which `k` are needed: numbered in order, none twice.
pub(super) fn members(objects: Vec<Object>, k: u8) -> Result<Vec<Member>, FormError> {
    let members = objects.into_iter().map(Member::from_object).collect::<Result<Vec<_>, _>>()?;
    let twice = |index: usize| {
        members[..index].iter().any(|other| {
            let member: &Member = &members[index];
            other.custodian == member.custodian || other.sign_kid == member.sign_kid || other.kem == member.kem
        })
    };
    let in_order = members.iter().zip(1_u8..).all(|(member, i)| member.i == i);
    if !(MIN_MEMBERS..=MAX_MEMBERS).contains(&members.len())
        || !(MIN_THRESHOLD..=members.len()).contains(&usize::from(k))
        || !in_order
        || (0..members.len()).any(twice)
    {
        return Err(FormError::Members);
    }
    Ok(members)
}

pub(super) fn point(bytes: &[u8; COMPRESSED_LEN], field: &'static str) -> Result<Point, FormError> {
    Point::from_compressed(bytes).map_err(|_| FormError::NotAPoint(field))
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

impl Profile {
    /// Reads the name.
    ///
    /// # Errors
    /// [`FormError::Profile`].
    pub fn parse(name: &str) -> Result<Self, FormError> {
        match name {
            "strict" => Ok(Self::Strict),
            "open" => Ok(Self::Open),
            _ => Err(FormError::Profile),
        }
    }
}

/// A public key set. `k` of the holders of its shares can open what is sealed to it.
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
    /// How many members are needed.
    pub k: u8,
    /// X_1..X_n: the public keys of the members' shares.
    pub shares: Vec<Point>,
    /// The custodians; nobody for the other kinds.
    pub members: Vec<Member>,
    /// The transcript of the custodians' ceremony.
    pub ceremony: Option<Digest>,
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
    n: usize,
    X: &'a Point,
    shares: &'a [Point],
    opens_not_before: &'a UtcMillis,
    profile: Profile,
    #[serde(skip_serializing_if = "<[Member]>::is_empty")]
    members: &'a [Member],
    #[serde(skip_serializing_if = "Option::is_none")]
    ceremony: Option<Digest>,
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

/// What custodians bring to their key set.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The public key X.
    pub public: Point,
    /// How many members are needed.
    pub k: u8,
    /// X_1..X_n.
    pub shares: Vec<Point>,
    /// Who holds them.
    pub members: Vec<Member>,
    /// The transcript of their ceremony.
    pub ceremony: Digest,
}

impl KeySet {
    /// A key set whose one member holds the whole key.
    fn single(kind: KeySetKind, public: Point, subject: KeySetSubject) -> Self {
        Self::new(kind, public, 1, vec![public], Vec::new(), None, subject)
    }

    /// The key set of custodians.
    ///
    /// # Errors
    /// `KeySetShape` if the shares are not one for each member, or do not belong together.
    pub fn shared(shared: Shared, subject: KeySetSubject) -> Result<Self, FormError> {
        let Shared { public, k, shares, members, ceremony } = shared;
        if shares.len() != members.len() || !threshold::consistent(k, &public, &shares) {
            return Err(FormError::KeySetShape);
        }
        Ok(Self::new(KeySetKind::Custodians, public, k, shares, members, Some(ceremony), subject))
    }

    fn new(
        kind: KeySetKind,
        public: Point,
        k: u8,
        shares: Vec<Point>,
        members: Vec<Member>,
        ceremony: Option<Digest>,
        subject: KeySetSubject,
    ) -> Self {
        let KeySetSubject { tender, group, opens_not_before, profile } = subject;
        let kid = key_set_id(&public, &opens_not_before, &group);
        Self { kid, tender, group, kind, public, k, shares, members, ceremony, opens_not_before, profile }
    }

    /// The public key of member `index`'s share.
    pub fn share_of(&self, index: u8) -> Option<&Point> {
        usize::from(index).checked_sub(1).and_then(|index| self.shares.get(index))
    }

    /// The bytes to be signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = Wire {
            v: VERSION,
            kid: self.kid,
            tender: &self.tender,
            group: &self.group,
            kind: self.kind,
            k: self.k,
            n: self.shares.len(),
            X: &self.public,
            shares: &self.shares,
            opens_not_before: &self.opens_not_before,
            profile: self.profile,
            members: &self.members,
            ceremony: self.ceremony,
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
            "custodians" => KeySetKind::Custodians,
            "bidder" => KeySetKind::Bidder,
            other => return Err(FormError::UnknownKeySetKind(other.to_owned())),
        };
        let subject = KeySetSubject {
            tender: Ident::parse(object.text("tender")?, "tender")?,
            group: Ident::parse(object.text("group")?, "group")?,
            opens_not_before: UtcMillis::parse(object.text("opens_not_before")?, "opens_not_before")?,
            profile: Profile::parse(&object.text("profile")?)?,
        };
        let public = point(&object.array("X")?, "X")?;
        let (k, n) = (object.integer::<u8>("k")?, object.integer::<usize>("n")?);
        let texts = object.texts("shares")?;
        let shares = texts.iter().map(|text| Point::from_text(text, "shares")).collect::<Result<Vec<_>, _>>()?;
        let people = if object.has("members") { object.objects("members")? } else { Vec::new() };
        let ceremony = if object.has("ceremony") { Some(object.digest("ceremony")?) } else { None };
        object.end()?;
        if n != shares.len() {
            return Err(FormError::KeySetShape);
        }
        let key_set = match (kind, ceremony) {
            (KeySetKind::Custodians, Some(ceremony)) => {
                let members = members(people, k)?;
                Self::shared(Shared { public, k, shares, members, ceremony }, subject)?
            }
            (KeySetKind::Platform | KeySetKind::Bidder, None) => {
                if k != 1 || shares != [public] || !people.is_empty() {
                    return Err(FormError::KeySetShape);
                }
                Self::single(kind, public, subject)
            }
            _ => return Err(FormError::KeySetShape),
        };
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

    /// The key set, whoever signed it.
    pub const fn key_set(&self) -> &KeySet {
        &self.key_set
    }

    /// The signed object.
    pub const fn jws(&self) -> &Jws {
        &self.jws
    }
}

/// What one member of a key set holds: its share of the private key, which is the whole key where there is one member.
#[derive(Debug)]
pub struct KeyShare {
    private: PrivateScalar,
    member: u8,
    key_set: KeySet,
}

impl KeyShare {
    /// Makes a new key pair that one party holds alone.
    ///
    /// # Errors
    /// If the system's random source fails.
    pub fn generate(kind: KeySetKind, subject: KeySetSubject) -> Result<Self, RandomFailed> {
        Ok(Self::from_scalar(PrivateScalar::generate()?, kind, subject))
    }

    pub(super) fn from_scalar(private: PrivateScalar, kind: KeySetKind, subject: KeySetSubject) -> Self {
        let key_set = KeySet::single(kind, private.public(), subject);
        Self { private, member: 1, key_set }
    }

    /// Puts the stored share of a member and its key set together again.
    ///
    /// # Errors
    /// If the bytes are not the share of this member.
    pub fn restore(key_set: KeySet, member: u8, private: &Secret<[u8; SCALAR_LEN]>) -> Result<Self, SealError> {
        let mismatch = FormError::NotAScalar("private_key");
        let private = PrivateScalar::from_bytes(private.expose()).map_err(|NotAScalar| mismatch.clone())?;
        if key_set.share_of(member) != Some(&private.public()) {
            return Err(mismatch.into());
        }
        Ok(Self { private, member, key_set })
    }

    /// The public key set.
    pub const fn key_set(&self) -> &KeySet {
        &self.key_set
    }

    /// The member's index, from 1.
    pub const fn member(&self) -> u8 {
        self.member
    }

    /// The private scalar, for opening.
    pub const fn private(&self) -> &PrivateScalar {
        &self.private
    }

    /// The public key of this share.
    ///
    /// # Panics
    /// Never: both ways to make one see to it that the set names the share.
    pub fn share(&self) -> &Point {
        self.key_set.share_of(self.member).expect("the set names the share")
    }

    /// The share's 32 bytes, to be encrypted before they are stored.
    pub fn private_bytes(&self) -> Secret<[u8; SCALAR_LEN]> {
        self.private.to_bytes()
    }
}
