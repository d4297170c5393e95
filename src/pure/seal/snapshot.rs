//! What lies in the box when it is opened, as far as whoever holds shares must see it. JWS type `sealbid-snapshot+jws`.
//!
//! `{v, kid, tender, lot, group, count, root}`, signed by the platform. Its lines stand beside it: for every envelope of the
//! group and every slot of it that is sealed to this key set, in the order of the envelopes' ids, then of the slots. Root is
//! the Merkle root (RFC 9162) over the lines' bytes: envelope id (32) || slot (1) || H(ctx) (32) || R (33, compressed) ||
//! H(ct) (32) || proof of knowledge (64, or nothing under profile `open`).
//!
//! Promise: a line shows that whoever made its ephemeral key knows it and made it for this place, without showing anything of
//! the bid; a share for a line is a share for that slot of that envelope and for nothing else. One key set has one snapshot:
//! whoever has answered one must not answer another.

use super::VERSION;
use super::envelope::SignedEnvelope;
use super::error::{FormError, RandomFailed};
use super::ids::{Ident, KeyId};
use super::jws::Jws;
use super::keys::{SigningKey, VerifyingKey};
use super::keyset::{KeySet, KeyShare};
use super::limits::MAX_JWS_BYTES;
use super::merkle::MerkleTree;
use super::points::{COMPRESSED_LEN, Point};
use super::pok::{self, POK_LEN, Pok};
use super::products::Combs;
use super::slot::check_pok;
use super::strict_json::Object;
use super::unsealing::{Holder, Share, share_of};
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::encoding;
use serde::Serialize;

/// The JWS type of a snapshot.
pub const SNAPSHOT_TYP: &str = "sealbid-snapshot+jws";

/// One slot of one envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The envelope's id.
    pub envelope: Digest,
    /// The slot's position.
    pub slot: u8,
    /// H(ctx).
    pub ctx_hash: Digest,
    /// The ephemeral key R.
    pub enc: Point,
    /// The digest of the sealed secret.
    pub ct_hash: Digest,
    /// The proof of knowledge of the ephemeral key.
    pub pok: Option<Pok>,
}

#[derive(Serialize)]
struct WireLine {
    envelope: Digest,
    slot: u8,
    ctx: Digest,
    enc: Point,
    ct: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    pok: Option<String>,
}

/// Bytes of a line as JSON, with room for white space.
const MAX_LINE_BYTES: usize = 1024;

impl Line {
    /// The lines of an envelope: its slots that are sealed to this key set.
    pub fn of(envelope: &SignedEnvelope, kid: KeyId) -> Vec<Self> {
        let header = envelope.header();
        let sealed = header.slots.iter().zip(0..).filter(|(slot, _)| slot.kid == kid);
        sealed
            .map(|(slot, index)| Self {
                envelope: envelope.id(),
                slot: index,
                ctx_hash: header.ctx_hash,
                enc: slot.enc,
                ct_hash: sha256(&slot.ct),
                pok: slot.pok,
            })
            .collect()
    }

    /// The bytes that the root is over.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + 1 + 32 + COMPRESSED_LEN + 32 + POK_LEN);
        bytes.extend_from_slice(self.envelope.as_bytes());
        bytes.push(self.slot);
        bytes.extend_from_slice(self.ctx_hash.as_bytes());
        bytes.extend_from_slice(&self.enc.to_compressed());
        bytes.extend_from_slice(self.ct_hash.as_bytes());
        if let Some(pok) = self.pok {
            bytes.extend_from_slice(&pok.to_bytes());
        }
        bytes
    }

    /// `{envelope, slot, ctx, enc, ct, pok?}`: digests hex, the others base64url.
    pub fn to_json(&self) -> String {
        let wire = WireLine {
            envelope: self.envelope,
            slot: self.slot,
            ctx: self.ctx_hash,
            enc: self.enc,
            ct: self.ct_hash,
            pok: self.pok.map(|pok| encoding::base64url(&pok.to_bytes())),
        };
        serde_json::to_string(&wire).expect("strings and a small number serialise")
    }

    /// Reads what [`Line::to_json`] writes.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut object = Object::parse(bytes, MAX_LINE_BYTES)?;
        let pok = if object.has("pok") {
            let bytes = object.array::<POK_LEN>("pok")?;
            Some(Pok::from_bytes(&bytes).map_err(|_| FormError::NotAScalar("pok"))?)
        } else {
            None
        };
        let line = Self {
            envelope: object.digest("envelope")?,
            slot: object.integer("slot")?,
            ctx_hash: object.digest("ctx")?,
            enc: Point::from_text(&object.text("enc")?, "enc")?,
            ct_hash: object.digest("ct")?,
            pok,
        };
        object.end()?;
        Ok(line)
    }

    /// Whether the line proves knowledge of its ephemeral key as the key set's profile demands.
    ///
    /// # Errors
    /// `PokMissing` or `PokInvalid`.
    pub fn check(&self, key_set: &KeySet) -> Result<(), FormError> {
        self.check_by(key_set, |binding, pok| pok::verify(&self.enc, binding, pok))
    }

    fn check_by(&self, key_set: &KeySet, holds: impl Fn(&pok::Binding<'_>, &Pok) -> bool) -> Result<(), FormError> {
        let slot = usize::from(self.slot);
        let binding =
            pok::Binding { group: key_set.group.as_str(), ctx_hash: &self.ctx_hash, slot, ct_hash: self.ct_hash };
        check_pok(key_set.profile, &binding, self.pok.as_ref(), holds)
    }

    /// The holder's share for this line. To be called only for a line of a snapshot that was checked.
    ///
    /// # Errors
    /// As [`Line::check`], or if the system's random source fails.
    pub fn share(&self, key: &KeyShare) -> Result<Share, super::error::SealError> {
        let enc = Combs::of(&self.enc);
        self.check_by(key.key_set(), |binding, pok| pok::verify_with(&enc, binding, pok))?;
        Ok(share_of(key, &self.envelope, usize::from(self.slot), &enc)?)
    }

    /// Whether a share is what its holder must give for this line.
    pub fn verify(&self, holder: &Holder<'_>, share: &Share) -> bool {
        holder.gave(share, &self.envelope, usize::from(self.slot), &self.enc)
    }
}

/// What the platform signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    v: &'static str,
    /// The key set.
    pub kid: KeyId,
    /// The project.
    pub tender: Ident,
    /// The lot.
    pub lot: Ident,
    /// The opening group.
    pub group: Ident,
    /// How many lines there are.
    pub count: u64,
    /// The Merkle root over the lines.
    pub root: Digest,
}

/// The Merkle root over lines.
pub fn root(lines: &[Line]) -> Digest {
    let mut tree = MerkleTree::new();
    lines.iter().for_each(|line| tree.push_chunk(&line.to_bytes()));
    tree.root()
}

/// Whether lines stand in their order: by envelope, then by slot, none twice.
pub fn in_order(lines: &[Line]) -> bool {
    lines.windows(2).all(|pair| (pair[0].envelope, pair[0].slot) < (pair[1].envelope, pair[1].slot))
}

impl Snapshot {
    /// The snapshot of these lines, which must be in order.
    pub fn new(key_set: &KeySet, lot: Ident, lines: &[Line]) -> Self {
        Self {
            v: VERSION,
            kid: key_set.kid,
            tender: key_set.tender.clone(),
            lot,
            group: key_set.group.clone(),
            count: lines.len() as u64,
            root: root(lines),
        }
    }

    /// Signs the snapshot.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(&self, key: &SigningKey) -> Result<Jws, RandomFailed> {
        Jws::sign(key, SNAPSHOT_TYP, &serde_json::to_vec(self).expect("strings and a number serialise"))
    }

    /// Reads a signed snapshot, verifies the platform's signature, and that these are its lines.
    ///
    /// # Errors
    /// The form's, `OtherKey`, `Signature`, or `Lines`.
    pub fn verified(jws: &Jws, key: &VerifyingKey, lines: &[Line]) -> Result<Self, FormError> {
        jws.verify(key)?;
        let snapshot = Self::read(jws)?;
        if snapshot.count != lines.len() as u64 || !in_order(lines) || snapshot.root != root(lines) {
            return Err(FormError::Lines);
        }
        Ok(snapshot)
    }

    /// Reads a snapshot, whoever signed it.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn read(jws: &Jws) -> Result<Self, FormError> {
        let mut object = Object::parse(jws.payload(), MAX_JWS_BYTES)?;
        if object.text("v")? != VERSION {
            return Err(FormError::Version);
        }
        let snapshot = Self {
            v: VERSION,
            kid: KeyId::parse(&object.text("kid")?, "kid")?,
            tender: Ident::parse(object.text("tender")?, "tender")?,
            lot: Ident::parse(object.text("lot")?, "lot")?,
            group: Ident::parse(object.text("group")?, "group")?,
            count: object.integer("count")?,
            root: object.digest("root")?,
        };
        object.end()?;
        Ok(snapshot)
    }
}
