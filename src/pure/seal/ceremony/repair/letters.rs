//! The messages of a repair, and what all of them have in common.

use super::super::super::VERSION;
use super::super::super::error::{FormError, RandomFailed};
use super::super::super::hpke;
use super::super::super::ids::KeyId;
use super::super::super::jws::Jws;
use super::super::super::keys::{SigningKey, VerifyingKey};
use super::super::super::keyset::KeySet;
use super::super::super::limits::MAX_JWS_BYTES;
use super::super::super::points::{
    Point, PrivateScalar, SCALAR_LEN, Scalar, UNCOMPRESSED_LEN, scalar_from_bytes, scalar_to_bytes,
};
use super::super::super::random;
use super::super::super::slot::CT_LEN;
use super::super::super::strict_json::Object;
use super::super::message::bytes_of;
use super::RepairError;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::encoding;
use crate::kernel::secret::Secret;
use serde::Serialize;

/// How every message of a repair begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    v: &'static str,
    /// The key set.
    pub kid: KeyId,
    /// Who speaks.
    pub member: u8,
}

impl Head {
    /// That of another member.
    pub(super) const fn of(self, member: u8) -> Self {
        Self { member, ..self }
    }
}

/// A message of a repair: the payload of a JWS.
pub trait Letter: Sized {
    /// The JWS type.
    const TYP: &'static str;

    /// The key set, and who speaks.
    fn head(&self) -> Head;

    /// The bytes to be signed.
    fn to_bytes(&self) -> Vec<u8>;

    /// Reads what is behind the head.
    ///
    /// # Errors
    /// See [`FormError`].
    fn read(head: Head, object: &mut Object) -> Result<Self, FormError>;
}

/// A message with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<L> {
    jws: Jws,
    letter: L,
}

impl<L: Letter> Signed<L> {
    /// Signs a message.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(letter: L, key: &SigningKey) -> Result<Self, RandomFailed> {
        Ok(Self { jws: Jws::sign(key, L::TYP, &letter.to_bytes())?, letter })
    }

    /// Reads a message that is a value inside a JSON document; nothing is verified yet.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn from_value(value: &serde_json::Value) -> Result<Self, FormError> {
        let jws = Jws::from_value(value, L::TYP)?;
        let mut object = Object::parse(jws.payload(), MAX_JWS_BYTES)?;
        if object.text("v")? != VERSION {
            return Err(FormError::Version);
        }
        let kid = KeyId::parse(&object.text("kid")?, "kid")?;
        let head = Head { v: VERSION, kid, member: object.integer("member")? };
        let letter = L::read(head, &mut object)?;
        object.end()?;
        // A digest of these bytes is what others refer to, so that they must be the ones that we would write.
        if letter.to_bytes() != jws.payload() {
            return Err(FormError::NotCanonical);
        }
        Ok(Self { jws, letter })
    }

    /// The message, whoever signed it.
    pub const fn letter(&self) -> &L {
        &self.letter
    }

    /// The digest of the signed bytes.
    pub fn digest(&self) -> Digest {
        sha256(self.jws.payload())
    }

    /// The signed object.
    pub const fn jws(&self) -> &Jws {
        &self.jws
    }

    /// That the member whom the message names signed it, with the key of the key set.
    pub(super) fn verify(&self, key_set: &KeySet, key: &VerifyingKey) -> Result<&L, RepairError> {
        let head = self.letter.head();
        if head.kid != key_set.kid {
            return Err(RepairError::OtherKeySet);
        }
        let member = key_set.members.iter().find(|member| member.i == head.member);
        if member.is_none_or(|member| member.sign_kid != key.key_id()) {
            return Err(RepairError::NotAHelper(head.member));
        }
        self.jws.verify(key)?;
        Ok(&self.letter)
    }
}

/// `{v, kid, member, helpers, salt}`: the member whose share is lost asks these k others. The salt makes every repair one of
/// its own, so that a file of an earlier one is none of this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Who asks.
    #[serde(flatten)]
    pub head: Head,
    /// Who helps, in order.
    pub helpers: Vec<u8>,
    #[serde(with = "encoding::serde_base64url")]
    salt: [u8; 32],
}

impl Request {
    /// A new request of `member`.
    ///
    /// # Errors
    /// `Helpers`, or if the system's random source fails.
    pub fn new(key_set: &KeySet, member: u8, helpers: &[u8]) -> Result<Self, RepairError> {
        let mut helpers = helpers.to_vec();
        helpers.sort_unstable();
        let head = Head { v: VERSION, kid: key_set.kid, member };
        let request = Self { head, helpers, salt: random::bytes()? };
        request.check(key_set)?;
        Ok(request)
    }

    pub(super) fn check(&self, key_set: &KeySet) -> Result<(), RepairError> {
        let known = |index: &u8| key_set.members.iter().any(|member| member.i == *index);
        let in_order = self.helpers.windows(2).all(|pair| pair[0] < pair[1]);
        let others = self.helpers.iter().all(|helper| known(helper) && *helper != self.head.member);
        let enough = self.helpers.len() == usize::from(key_set.k);
        if known(&self.head.member) && in_order && others && enough { Ok(()) } else { Err(RepairError::Helpers) }
    }
}

impl Letter for Request {
    const TYP: &'static str = "sealbid-repair-request+jws";

    fn head(&self) -> Head {
        self.head
    }

    fn to_bytes(&self) -> Vec<u8> {
        bytes_of(self)
    }

    fn read(head: Head, object: &mut Object) -> Result<Self, FormError> {
        Ok(Self { head, helpers: object.integers("helpers")?, salt: object.array("salt")? })
    }
}

/// A scalar, sealed to a member's long-term key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Package {
    /// The recipient.
    pub to: u8,
    #[serde(with = "encoding::serde_base64url")]
    enc: [u8; UNCOMPRESSED_LEN],
    #[serde(with = "encoding::serde_base64url")]
    ct: [u8; CT_LEN],
}

impl Package {
    pub(super) fn seal(info: &[u8], to: u8, key: &Point, value: &Scalar) -> Result<Self, RepairError> {
        let (ephemeral, value) = (PrivateScalar::generate()?, Secret::new(scalar_to_bytes(value)));
        let ct = hpke::seal(&ephemeral, key, info, value.expose());
        let ct = ct.try_into().map_err(|_| FormError::WrongLength("ct"))?;
        Ok(Self { to, enc: ephemeral.public().to_uncompressed(), ct })
    }

    pub(super) fn open(&self, info: &[u8], kem: &PrivateScalar) -> Option<Secret<Scalar>> {
        let enc = Point::from_uncompressed(&self.enc).ok()?;
        let opened = hpke::open(&kem.times(&enc), &enc, &kem.public(), info, &self.ct).ok()?;
        let bytes = <[u8; SCALAR_LEN]>::try_from(opened.expose().as_slice()).map(Secret::new).ok()?;
        scalar_from_bytes(bytes.expose()).map(Secret::new).ok()
    }

    fn read(mut object: Object) -> Result<Self, FormError> {
        let package = Self { to: object.integer("to")?, enc: object.array("enc")?, ct: object.array("ct")? };
        object.end()?;
        Point::from_uncompressed(&package.enc).map_err(|_| FormError::NotAPoint("enc"))?;
        Ok(package)
    }
}

/// `{v, kid, member, repair, shown, packages: [{to, enc, ct}]}`: shown are the summands times G, one for each helper in order;
/// packages has them for every helper but the one that speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Split {
    /// Who speaks.
    #[serde(flatten)]
    pub head: Head,
    /// The repair.
    pub repair: Digest,
    /// The summands times G.
    pub shown: Vec<Point>,
    /// The summands for the others.
    pub packages: Vec<Package>,
}

impl Letter for Split {
    const TYP: &'static str = "sealbid-repair-split+jws";

    fn head(&self) -> Head {
        self.head
    }

    fn to_bytes(&self) -> Vec<u8> {
        bytes_of(self)
    }

    fn read(head: Head, object: &mut Object) -> Result<Self, FormError> {
        let repair = object.digest("repair")?;
        let shown = object.texts("shown")?;
        let shown = shown.iter().map(|text| Point::from_text(text, "shown")).collect::<Result<_, _>>()?;
        let packages = object.objects("packages")?.into_iter().map(Package::read).collect::<Result<_, _>>()?;
        Ok(Self { head, repair, shown, packages })
    }
}

/// `{v, kid, member, repair, splits, package: {to, enc, ct}}`: splits are the digests of the [`Split`]s that were added, in
/// the order of their helpers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Who speaks.
    #[serde(flatten)]
    pub head: Head,
    /// The repair.
    pub repair: Digest,
    /// What was added.
    pub splits: Vec<Digest>,
    /// The sum, for whoever asked.
    pub package: Package,
}

impl Letter for Sum {
    const TYP: &'static str = "sealbid-repair-sum+jws";

    fn head(&self) -> Head {
        self.head
    }

    fn to_bytes(&self) -> Vec<u8> {
        bytes_of(self)
    }

    fn read(head: Head, object: &mut Object) -> Result<Self, FormError> {
        let digest = |text: &String| text.parse().map_err(|_| FormError::Hex("splits"));
        let repair = object.digest("repair")?;
        let splits = object.texts("splits")?.iter().map(digest).collect::<Result<_, _>>()?;
        Ok(Self { head, repair, splits, package: Package::read(object.object("package")?)? })
    }
}
