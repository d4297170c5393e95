//! The messages of a ceremony, and what all of them have in common.

use super::super::VERSION;
use super::super::dleq::PROOF_LEN;
use super::super::error::{FormError, RandomFailed};
use super::super::ids::KeyId;
use super::super::jws::Jws;
use super::super::keys::{SigningKey, VerifyingKey};
use super::super::limits::MAX_JWS_BYTES;
use super::super::points::{Point, UNCOMPRESSED_LEN};
use super::super::pok::{POK_LEN, Pok};
use super::super::slot::CT_LEN;
use super::super::strict_json::Object;
use super::{CeremonyError, Draft};
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::encoding;
use serde::Serialize;

/// A message of a ceremony: the payload of a JWS.
pub trait Message: Sized {
    /// The JWS type.
    const TYP: &'static str;

    /// The ceremony and the member that speaks.
    fn head(&self) -> Head;

    /// The bytes to be signed.
    fn to_bytes(&self) -> Vec<u8>;

    /// Reads what is behind the head.
    ///
    /// # Errors
    /// See [`FormError`].
    fn read(head: Head, object: &mut Object) -> Result<Self, FormError>;
}

/// How every message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    v: &'static str,
    /// The ceremony's id.
    pub ceremony: Digest,
    /// Who speaks.
    pub member: u8,
}

impl Head {
    /// The head of a member's messages.
    pub const fn new(ceremony: Digest, member: u8) -> Self {
        Self { v: VERSION, ceremony, member }
    }
}

/// A message with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<M> {
    jws: Jws,
    message: M,
}

impl<M: Message> Signed<M> {
    /// Signs a message.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(message: M, key: &SigningKey) -> Result<Self, RandomFailed> {
        Ok(Self { jws: Jws::sign(key, M::TYP, &message.to_bytes())?, message })
    }

    /// Reads a message that is a value inside a JSON document; nothing is verified yet.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn from_value(value: &serde_json::Value) -> Result<Self, FormError> {
        let jws = Jws::from_value(value, M::TYP)?;
        let mut object = Object::parse(jws.payload(), MAX_JWS_BYTES)?;
        if object.text("v")? != VERSION {
            return Err(FormError::Version);
        }
        let head = Head::new(object.digest("ceremony")?, object.integer("member")?);
        let message = M::read(head, &mut object)?;
        object.end()?;
        Ok(Self { jws, message })
    }

    /// Verifies that the message belongs to the ceremony and that its member signed it with `key`.
    ///
    /// # Errors
    /// `OtherCeremony`, `NotAMember`, or the signature's.
    pub fn verify(&self, draft: &Draft, id: &Digest, key: &VerifyingKey) -> Result<&M, CeremonyError> {
        let head = self.message.head();
        if head.ceremony != *id {
            return Err(CeremonyError::OtherCeremony);
        }
        let member = draft.member(head.member).ok_or(CeremonyError::NotAMember(head.member))?;
        if member.sign_kid != key.key_id() {
            return Err(CeremonyError::NotAMember(head.member));
        }
        self.jws.verify(key)?;
        Ok(&self.message)
    }

    /// The message, whoever signed it.
    pub const fn message(&self) -> &M {
        &self.message
    }

    /// The key that the signature names.
    pub const fn signing_key_id(&self) -> KeyId {
        self.jws.key_id()
    }

    /// The digest of the signed bytes.
    pub fn digest(&self) -> Digest {
        sha256(self.jws.payload())
    }

    /// The signed object.
    pub const fn jws(&self) -> &Jws {
        &self.jws
    }
}

pub(super) fn bytes_of(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("strings and small numbers serialise")
}

/// Step 1. `{v, ceremony, member, round1, key, pok}`: the digest of the signed bytes of the member's [`Round1`], and its
/// key E for this ceremony with a proof of knowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Who speaks.
    pub head: Head,
    /// The digest of round 1.
    pub round1: Digest,
    /// E.
    pub key: Point,
    /// That the member knows e.
    pub pok: Pok,
}

impl Message for Commit {
    const TYP: &'static str = "sealbid-dkg-commit+jws";

    fn head(&self) -> Head {
        self.head
    }

    fn to_bytes(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(flatten)]
            head: Head,
            round1: Digest,
            key: &'a Point,
            #[serde(with = "encoding::serde_base64url")]
            pok: [u8; POK_LEN],
        }
        bytes_of(&Wire { head: self.head, round1: self.round1, key: &self.key, pok: self.pok.to_bytes() })
    }

    fn read(head: Head, object: &mut Object) -> Result<Self, FormError> {
        Ok(Self {
            head,
            round1: object.digest("round1")?,
            key: Point::from_text(&object.text("key")?, "key")?,
            pok: pok(object)?,
        })
    }
}

pub(super) fn pok(object: &mut Object) -> Result<Pok, FormError> {
    Pok::from_bytes(&object.array("pok")?).map_err(|_| FormError::NotAScalar("pok"))
}

/// A member's commitments to its polynomial for one group: k points, and a proof that it knows the constant term (33
/// bytes of R, 32 of z).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Polynomial {
    /// The coefficients times G, the constant term first.
    pub commitments: Vec<Point>,
    /// R and z, see [`super::Transcript`].
    #[serde(with = "encoding::serde_base64url")]
    pub proof: [u8; POLYNOMIAL_PROOF_LEN],
}

/// Bytes of the proof of knowledge of a polynomial's constant term.
pub const POLYNOMIAL_PROOF_LEN: usize = 65;

/// Step 2. `{v, ceremony, member, groups: [{commitments, proof}]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round1 {
    /// Who speaks.
    pub head: Head,
    /// One polynomial for each group of the draft, in its order.
    pub groups: Vec<Polynomial>,
}

impl Message for Round1 {
    const TYP: &'static str = "sealbid-dkg-round1+jws";

    fn head(&self) -> Head {
        self.head
    }

    fn to_bytes(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(flatten)]
            head: Head,
            groups: &'a [Polynomial],
        }
        bytes_of(&Wire { head: self.head, groups: &self.groups })
    }

    fn read(head: Head, object: &mut Object) -> Result<Self, FormError> {
        let polynomial = |mut object: Object| {
            let texts = object.texts("commitments")?;
            let commitments =
                texts.iter().map(|text| Point::from_text(text, "commitments")).collect::<Result<_, _>>()?;
            let proof = object.array("proof")?;
            object.end()?;
            Ok(Polynomial { commitments, proof })
        };
        Ok(Self { head, groups: object.objects("groups")?.into_iter().map(polynomial).collect::<Result<_, _>>()? })
    }
}

/// The value of a polynomial at the recipient's index, sealed to the recipient's key for this ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The recipient.
    pub to: u8,
    /// The group's position in the draft, from 0.
    pub group: u8,
    /// The ephemeral key.
    pub enc: Point,
    /// The sealed scalar.
    pub ct: [u8; CT_LEN],
    /// Proof of knowledge of the ephemeral key.
    pub pok: Pok,
}

/// Step 3. `{v, ceremony, member, packages: [{to, group, enc, ct, pok}]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round2 {
    /// Who speaks.
    pub head: Head,
    /// One package for every other member and group: by recipient, then by group.
    pub packages: Vec<Package>,
}

impl Message for Round2 {
    const TYP: &'static str = "sealbid-dkg-round2+jws";

    fn head(&self) -> Head {
        self.head
    }

    fn to_bytes(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line {
            to: u8,
            group: u8,
            #[serde(with = "encoding::serde_base64url")]
            enc: [u8; UNCOMPRESSED_LEN],
            #[serde(with = "encoding::serde_base64url")]
            ct: [u8; CT_LEN],
            #[serde(with = "encoding::serde_base64url")]
            pok: [u8; PROOF_LEN],
        }
        #[derive(Serialize)]
        struct Wire {
            #[serde(flatten)]
            head: Head,
            packages: Vec<Line>,
        }
        let line = |package: &Package| Line {
            to: package.to,
            group: package.group,
            enc: package.enc.to_uncompressed(),
            ct: package.ct,
            pok: package.pok.to_bytes(),
        };
        bytes_of(&Wire { head: self.head, packages: self.packages.iter().map(line).collect() })
    }

    fn read(head: Head, object: &mut Object) -> Result<Self, FormError> {
        let package = |mut object: Object| {
            let enc = object.array::<UNCOMPRESSED_LEN>("enc")?;
            let package = Package {
                to: object.integer("to")?,
                group: object.integer("group")?,
                enc: Point::from_uncompressed(&enc).map_err(|_| FormError::NotAPoint("enc"))?,
                ct: object.array("ct")?,
                pok: pok(&mut object)?,
            };
            object.end()?;
            Ok(package)
        };
        Ok(Self { head, packages: object.objects("packages")?.into_iter().map(package).collect::<Result<_, _>>()? })
    }
}
