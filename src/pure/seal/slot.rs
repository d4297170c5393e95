//! A slot: one secret of an envelope, sealed to one key set.
//!
//! On the wire `{kid, type: "hpke", enc, ct, pok?}`: enc is the ephemeral key R as 65 uncompressed bytes, ct the HPKE
//! ciphertext of 48 bytes (32 of secret, 16 of tag), pok the 64 bytes of [`super::pok`]. The HPKE info is
//! "sealbid/1 slot" || 0x00 || byte(slot) || H(ctx), its aad is empty; so a slot opens only inside its own envelope
//! context and at its own position.
//!
//! Deliberately absent: `dealt` and `tlock` slots, reserved for a later version and refused by name.

use super::error::FormError;
use super::ids::KeyId;
use super::keyset::{KeySet, Profile};
use super::points::{Point, PrivateScalar};
use super::pok::{self, POK_LEN, Pok};
use super::stream::{SECRET_LEN, TAG_LEN};
use super::strict_json::Object;
use super::{hpke, points};
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::{encoding, secret::Secret};
use serde::Serialize;

/// Bytes of a sealed secret.
pub const CT_LEN: usize = SECRET_LEN + TAG_LEN;

/// One slot of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The key set it is sealed to.
    pub kid: KeyId,
    /// The ephemeral public key R.
    pub enc: Point,
    /// The sealed secret.
    pub ct: [u8; CT_LEN],
    /// The proof of knowledge of the ephemeral key; required under profile `strict`.
    pub pok: Option<Pok>,
}

#[derive(Serialize)]
pub(super) struct WireSlot {
    kid: KeyId,
    r#type: &'static str,
    enc: String,
    ct: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pok: Option<String>,
}

/// Where a slot stands: its envelope's context and its position there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The envelope's opening group.
    pub group: &'a str,
    /// H(ctx).
    pub ctx_hash: &'a Digest,
    /// The position, from 0.
    pub index: usize,
}

impl Place<'_> {
    pub(super) fn info(&self) -> Vec<u8> {
        let index = u8::try_from(self.index).expect("an envelope has at most MAX_SLOTS slots");
        [b"sealbid/1 slot", &[0, index][..], self.ctx_hash.as_bytes()].concat()
    }
}

/// Whether an ephemeral key is proven as a profile demands; `holds` verifies the proof.
///
/// # Errors
/// `PokMissing` (profile strict) or `PokInvalid` (any profile).
pub(super) fn check_pok(
    profile: Profile,
    binding: &pok::Binding<'_>,
    pok: Option<&Pok>,
    holds: impl Fn(&pok::Binding<'_>, &Pok) -> bool,
) -> Result<(), FormError> {
    match (pok, profile) {
        (None, Profile::Open) => Ok(()),
        (None, Profile::Strict) => Err(FormError::PokMissing(binding.slot)),
        (Some(pok), _) if holds(binding, pok) => Ok(()),
        (Some(_), _) => Err(FormError::PokInvalid(binding.slot)),
    }
}

impl Slot {
    /// Seals `secret` with a given ephemeral key and proof nonce, both of them for this one use.
    pub(super) fn seal(
        place: &Place<'_>,
        key_set: &KeySet,
        secret: &Secret<[u8; SECRET_LEN]>,
        ephemeral: &PrivateScalar,
        nonce: &PrivateScalar,
    ) -> Self {
        let ct = hpke::seal(ephemeral, &key_set.public, &place.info(), secret.expose());
        let ct: [u8; CT_LEN] = ct.try_into().expect("32 bytes and a tag of 16");
        let mut slot = Self { kid: key_set.kid, enc: ephemeral.public(), ct, pok: None };
        slot.pok = Some(pok::prove_with(ephemeral, &slot.binding(place), nonce));
        slot
    }

    /// Opens the slot with the Diffie-Hellman point.
    ///
    /// # Errors
    /// If the point is wrong or the slot was sealed for another place.
    pub(super) fn open(
        &self,
        place: &Place<'_>,
        key_set: &KeySet,
        dh: &Point,
    ) -> Result<Secret<[u8; SECRET_LEN]>, hpke::OpenFailed> {
        let opened = hpke::open(dh, &self.enc, &key_set.public, &place.info(), &self.ct)?;
        let mut secret = [0; SECRET_LEN];
        secret.copy_from_slice(opened.expose());
        Ok(Secret::new(secret))
    }

    fn binding<'a>(&self, place: &Place<'a>) -> pok::Binding<'a> {
        pok::Binding { group: place.group, ctx_hash: place.ctx_hash, slot: place.index, ct_hash: sha256(&self.ct) }
    }

    /// Checks the slot against the key set it must be sealed to.
    ///
    /// # Errors
    /// `OtherKeySet`, `PokMissing` (profile strict) or `PokInvalid` (any profile).
    pub fn check(&self, place: &Place<'_>, key_set: &KeySet) -> Result<(), FormError> {
        if self.kid != key_set.kid {
            return Err(FormError::OtherKeySet(place.index));
        }
        check_pok(key_set.profile, &self.binding(place), self.pok.as_ref(), |binding, pok| {
            pok::verify(&self.enc, binding, pok)
        })
    }

    pub(super) fn wire(&self) -> WireSlot {
        WireSlot {
            kid: self.kid,
            r#type: "hpke",
            enc: encoding::base64url(&self.enc.to_uncompressed()),
            ct: encoding::base64url(&self.ct),
            pok: self.pok.map(|pok| encoding::base64url(&pok.to_bytes())),
        }
    }

    pub(super) fn from_object(mut object: Object) -> Result<Self, FormError> {
        // The type comes first: a slot of a later version has other fields and must be refused by its name.
        match object.text("type")?.as_str() {
            "hpke" => {}
            reserved @ ("dealt" | "tlock") => {
                return Err(FormError::ReservedSlotType(reserved.to_owned()));
            }
            other => return Err(FormError::UnknownSlotType(other.to_owned())),
        }
        let kid = KeyId::parse(&object.text("kid")?, "kid")?;
        let enc = object.array::<{ points::UNCOMPRESSED_LEN }>("enc")?;
        let enc = Point::from_uncompressed(&enc).map_err(|_| FormError::NotAPoint("enc"))?;
        let ct = object.array("ct")?;
        let pok = if object.has("pok") {
            let bytes = object.array::<POK_LEN>("pok")?;
            Some(Pok::from_bytes(&bytes).map_err(|_| FormError::NotAScalar("pok"))?)
        } else {
            None
        };
        object.end()?;
        Ok(Self { kid, enc, ct, pok })
    }
}
