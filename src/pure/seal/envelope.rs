//! Envelopes: the signed header of one sealed part of a bid. JWS type `sealbid-envelope+jws`.
//!
//! Byte-exact: the JWS payload is `{ctx, slots, kc}`, where `ctx` is the base64url of the context's JSON bytes (H(ctx) is
//! their SHA-256, over exactly the bytes that were signed), slots is a list of [`Slot`], kc the key commitment of
//! [`super::stream`]. The context is `{v, tender, group, lot, part, bidder, rev, doc_rev, created, media_type, salt,
//! payload: {alg, chunk, len, root}}`; digests are lowercase hex, other byte fields base64url; `len` counts plaintext
//! bytes, `root` is the Merkle root over the ciphertext chunks. The envelope's id is the SHA-256 of the JWS payload.
//!
//! Promise: [`SignedEnvelope::parse`] checks form, completely, and nothing else. It opens nothing and trusts nobody: the
//! signature, the key sets and the rules of the lot are checked by their own steps, each with its own reason.
//!
//! Deliberately absent: deadlines, registered keys, and every comparison of `created` with a clock.

use super::VERSION;
use super::error::FormError;
use super::ids::{Ident, KeyId, UtcMillis};
use super::jws::Jws;
use super::keys::VerifyingKey;
use super::keyset::KeySet;
use super::limits::{
    CHUNK_BYTES, MAX_DOCUMENTS_BYTES, MAX_ESCROW_PART_BYTES, MAX_JWS_BYTES, MAX_PRICE_PART_BYTES, MAX_SLOTS,
};
use super::manifest::Binding;
use super::slot::{Place, Slot, WireSlot};
use super::stream::{COMMITMENT_LEN, SALT_LEN, ciphertext_len};
use super::strict_json::Object;
use crate::kernel::{
    digest::{Digest, sha256},
    encoding,
};
use serde::Serialize;

/// The JWS type of an envelope.
pub const ENVELOPE_TYP: &str = "sealbid-envelope+jws";
/// The only payload algorithm.
pub const PAYLOAD_ALGORITHM: &str = "A256GCM-STREAM";
/// The only media type of a plaintext: an uncompressed ustar archive.
pub const MEDIA_TYPE: &str = "application/x-tar";

/// What an envelope contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The bid's price: small, so that it can change shortly before the deadline.
    Price,
    /// The bid's documents: large.
    Documents,
    /// The initiator's reserve price.
    Reserve,
    /// The bidder's one-time key, for the case that the bidder does not decrypt ([`super::escrow`]).
    Escrow,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 4] = [Self::Price, Self::Documents, Self::Reserve, Self::Escrow];

    /// Whether it states an amount, and nothing else.
    pub const fn is_priced(self) -> bool {
        matches!(self, Self::Price | Self::Reserve)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Documents => "documents",
            Self::Reserve => "reserve",
            Self::Escrow => "escrow",
        }
    }

    /// Reads the name.
    ///
    /// # Errors
    /// [`FormError::Part`].
    pub fn parse(name: &str) -> Result<Self, FormError> {
        match name {
            "price" => Ok(Self::Price),
            "documents" => Ok(Self::Documents),
            "reserve" => Ok(Self::Reserve),
            "escrow" => Ok(Self::Escrow),
            _ => Err(FormError::Part(name.to_owned())),
        }
    }

    /// The largest plaintext in bytes.
    pub const fn max_len(self) -> u64 {
        match self {
            Self::Price | Self::Reserve => MAX_PRICE_PART_BYTES,
            Self::Documents => MAX_DOCUMENTS_BYTES,
            Self::Escrow => MAX_ESCROW_PART_BYTES,
        }
    }
}

/// The context of an envelope: everything that every slot is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ctx {
    /// The project.
    pub tender: Ident,
    /// The opening group.
    pub group: Ident,
    /// The lot.
    pub lot: Ident,
    /// What the envelope contains.
    pub part: Part,
    /// The bidder, or the initiator for a reserve price.
    pub bidder: Ident,
    /// The bid's revision, from 1; a replacement has a higher one.
    pub rev: u32,
    /// The digest of the tender documents that the bidder has read.
    pub doc_rev: Digest,
    /// The client's clock when it sealed; a statement, compared with nothing.
    pub created: UtcMillis,
    /// The salt of the payload's keys.
    pub salt: [u8; SALT_LEN],
    /// The payload's plaintext length in bytes.
    pub len: u64,
    /// The Merkle root over the payload's ciphertext chunks.
    pub root: Digest,
}

#[derive(Serialize)]
struct WireCtx<'a> {
    v: &'a str,
    tender: &'a Ident,
    group: &'a Ident,
    lot: &'a Ident,
    part: Part,
    bidder: &'a Ident,
    rev: u32,
    doc_rev: Digest,
    created: &'a UtcMillis,
    media_type: &'a str,
    #[serde(with = "encoding::serde_base64url")]
    salt: [u8; SALT_LEN],
    payload: WirePayload<'a>,
}

#[derive(Serialize)]
struct WirePayload<'a> {
    alg: &'a str,
    chunk: usize,
    len: u64,
    root: Digest,
}

impl Ctx {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let wire = WireCtx {
            v: VERSION,
            tender: &self.tender,
            group: &self.group,
            lot: &self.lot,
            part: self.part,
            bidder: &self.bidder,
            rev: self.rev,
            doc_rev: self.doc_rev,
            created: &self.created,
            media_type: MEDIA_TYPE,
            salt: self.salt,
            payload: WirePayload { alg: PAYLOAD_ALGORITHM, chunk: CHUNK_BYTES, len: self.len, root: self.root },
        };
        serde_json::to_vec(&wire).expect("strings and numbers serialise")
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, FormError> {
        let mut object = Object::parse(bytes, MAX_JWS_BYTES)?;
        if object.text("v")? != VERSION {
            return Err(FormError::Version);
        }
        if object.text("media_type")? != MEDIA_TYPE {
            return Err(FormError::MediaType);
        }
        let part = Part::parse(&object.text("part")?)?;
        let (len, root) = payload_fields(object.object("payload")?, part)?;
        let mut ident = |field| Ident::parse(object.text(field)?, field);
        let ctx = Self {
            tender: ident("tender")?,
            group: ident("group")?,
            lot: ident("lot")?,
            bidder: ident("bidder")?,
            part,
            rev: object.integer("rev")?,
            doc_rev: object.digest("doc_rev")?,
            created: UtcMillis::parse(object.text("created")?, "created")?,
            salt: object.array("salt")?,
            len,
            root,
        };
        object.end()?;
        if ctx.rev == 0 {
            return Err(FormError::OutOfRange("rev"));
        }
        Ok(ctx)
    }

    /// The payload's ciphertext length in bytes.
    pub const fn ciphertext_len(&self) -> u64 {
        ciphertext_len(self.len)
    }

    /// What the manifest inside must say.
    pub fn binding(&self) -> Binding {
        Binding { tender: self.tender.clone(), lot: self.lot.clone(), bidder: self.bidder.clone(), part: self.part }
    }
}

fn payload_fields(mut payload: Object, part: Part) -> Result<(u64, Digest), FormError> {
    if payload.text("alg")? != PAYLOAD_ALGORITHM {
        return Err(FormError::PayloadAlgorithm);
    }
    if payload.integer::<u64>("chunk")? != CHUNK_BYTES as u64 {
        return Err(FormError::ChunkSize);
    }
    let len = payload.integer("len")?;
    let root = payload.digest("root")?;
    payload.end()?;
    if len > part.max_len() {
        return Err(FormError::PayloadTooLarge);
    }
    Ok((len, root))
}

/// The content of an envelope's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The context.
    pub ctx: Ctx,
    /// H(ctx), over the context's exact bytes.
    pub ctx_hash: Digest,
    /// The slots; all of them are needed to open.
    pub slots: Vec<Slot>,
    /// The commitment to the payload's key.
    pub kc: [u8; COMMITMENT_LEN],
}

#[derive(Serialize)]
struct WireHeader<'a> {
    ctx: &'a str,
    slots: Vec<WireSlot>,
    #[serde(with = "encoding::serde_base64url")]
    kc: [u8; COMMITMENT_LEN],
}

pub(super) fn header_bytes(ctx_bytes: &[u8], slots: &[Slot], kc: &[u8; COMMITMENT_LEN]) -> Vec<u8> {
    let ctx = encoding::base64url(ctx_bytes);
    let wire = WireHeader { ctx: &ctx, slots: slots.iter().map(Slot::wire).collect(), kc: *kc };
    serde_json::to_vec(&wire).expect("strings serialise")
}

impl Header {
    fn from_bytes(bytes: &[u8]) -> Result<Self, FormError> {
        let mut object = Object::parse(bytes, MAX_JWS_BYTES)?;
        let ctx_bytes = object.bytes("ctx")?;
        let slots = object.objects("slots")?;
        let kc = object.array("kc")?;
        object.end()?;
        if slots.is_empty() || slots.len() > MAX_SLOTS {
            return Err(FormError::SlotCount);
        }
        let slots = slots.into_iter().map(Slot::from_object).collect::<Result<Vec<_>, _>>()?;
        let repeated = |index: usize| slots[..index].iter().any(|earlier| earlier.enc == slots[index].enc);
        if (1..slots.len()).any(repeated) {
            return Err(FormError::RepeatedEphemeral);
        }
        let ctx = Ctx::from_bytes(&ctx_bytes)?;
        Ok(Self { ctx, ctx_hash: sha256(&ctx_bytes), slots, kc })
    }

    /// Where slot `index` stands.
    pub fn place(&self, index: usize) -> Place<'_> {
        Place { group: self.ctx.group.as_str(), ctx_hash: &self.ctx_hash, index }
    }
}

/// An envelope whose form has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedEnvelope {
    jws: Jws,
    id: Digest,
    header: Header,
}

impl SignedEnvelope {
    /// Reads the JSON text of an envelope and checks its form.
    ///
    /// # Errors
    /// Every way in which the form may be wrong, see [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        Self::from_jws(Jws::parse(bytes, ENVELOPE_TYP)?)
    }

    /// Reads an envelope that is a value inside a JSON document already parsed, see [`Jws::from_value`].
    ///
    /// # Errors
    /// As [`SignedEnvelope::parse`].
    pub fn from_value(value: &serde_json::Value) -> Result<Self, FormError> {
        Self::from_jws(Jws::from_value(value, ENVELOPE_TYP)?)
    }

    fn from_jws(jws: Jws) -> Result<Self, FormError> {
        let header = Header::from_bytes(jws.payload())?;
        Ok(Self { id: sha256(jws.payload()), jws, header })
    }

    /// Verifies that `key` signed the envelope.
    ///
    /// # Errors
    /// `OtherKey` or `Signature`.
    pub fn verify_signature(&self, key: &VerifyingKey) -> Result<(), FormError> {
        self.jws.verify(key)
    }

    /// Checks that the slots are sealed to exactly these key sets, in this order, for this tender and group, with the
    /// proofs that their profiles demand. In platform mode there is one.
    ///
    /// # Errors
    /// `KeySetCount`, `OtherTender`, `OtherGroup`, `OtherKeySet`, `PokMissing` or `PokInvalid`.
    pub fn check_against(&self, key_sets: &[&KeySet]) -> Result<(), FormError> {
        if key_sets.len() != self.header.slots.len() {
            return Err(FormError::KeySetCount);
        }
        (0..key_sets.len()).try_for_each(|index| self.check_slot(index, key_sets[index]))
    }

    /// [`SignedEnvelope::check_against`] for one slot.
    ///
    /// # Errors
    /// As there; `SlotCount` if there is no such slot.
    pub fn check_slot(&self, index: usize, key_set: &KeySet) -> Result<(), FormError> {
        let slot = self.header.slots.get(index).ok_or(FormError::SlotCount)?;
        if self.header.ctx.tender != key_set.tender {
            return Err(FormError::OtherTender);
        }
        if self.header.ctx.group != key_set.group {
            return Err(FormError::OtherGroup);
        }
        slot.check(&self.header.place(index), key_set)
    }

    /// The envelope's id.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// The checked content.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The context.
    pub const fn ctx(&self) -> &Ctx {
        &self.header.ctx
    }

    /// The signing key that the envelope names.
    pub const fn signing_key_id(&self) -> KeyId {
        self.jws.key_id()
    }

    /// The signed object, to be stored and shown as it is.
    pub const fn jws(&self) -> &Jws {
        &self.jws
    }
}
