//! Opening an envelope, in steps that everybody can repeat.
//!
//! 1. Whoever holds a share of a key gives a [`Share`]: D_i = x_i R for the slot's ephemeral key R, and the proof that it
//!    is that ([`slot_share`]). Anybody verifies it ([`verify_share`]).
//! 2. The shares of k members give D = xR ([`super::threshold`]; the k with the lowest indices count, any others would
//!    give the same). D opens the slot ([`open_slot`]); the secrets of all slots give the payload's keys, which must
//!    match the header's commitment ([`payload_keys`]).
//! 3. The payload is decrypted chunk by chunk, its Merkle root compared, its manifest and files verified ([`open_part`]).
//!
//! The context string of the proof is "sealbid/1 dleq|" || kid || "|" || i || "|" || hex(SHA-256(envelope id || byte(slot))),
//! with kid as hex, i the member's index in decimal and the envelope id as 32 bytes.
//!
//! Promise: an accepted opening yields what the bidder sealed and nothing else; every failure has a stable [`Outcome`],
//! which is evidence and does not stop the other envelopes. A share is computed only for a slot that passes
//! [`SignedEnvelope::check_slot`], because each share answers a Diffie-Hellman question about its key. Deliberately
//! absent: when a share may be computed. The caller decides, and must not before the opening.

use super::dleq::{self, PROOF_LEN, Proof};
use super::envelope::SignedEnvelope;
use super::error::{FormError, RandomFailed, SealError};
use super::ids::KeyId;
use super::keyset::{KeySet, KeyShare};
use super::manifest::PartIoError;
use super::merkle::MerkleTree;
use super::part_reader::{FileSink, PartContents, PartReader};
use super::points::{COMPRESSED_LEN, Point};
use super::products::Combs;
use super::stream::{PayloadKeys, PayloadOpener, SECRET_LEN, StreamError};
use super::strict_json::Object;
use super::threshold::{self, ThresholdError};
use crate::kernel::digest::{Digest, Hasher};
use crate::kernel::{encoding, secret::Secret};
use serde::Serialize;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// How the opening of an envelope ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything fits; the content is the bidder's.
    Opened,
    /// The ciphertext is not there.
    MissingPayload,
    /// No valid share was given for a slot.
    MissingSlot,
    /// A valid share does not open its slot: the bidder sealed it wrongly.
    BadSlot,
    /// The secrets do not match the key commitment.
    BadCommit,
    /// The ciphertext is not the sealed one: a chunk does not decrypt, or length or root differ.
    BadPayload,
    /// The plaintext is not a well-formed part bound to this lot and bidder.
    BadManifest,
}

impl Outcome {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::MissingPayload => "missing_payload",
            Self::MissingSlot => "missing_slot",
            Self::BadSlot => "bad_slot",
            Self::BadCommit => "bad_commit",
            Self::BadPayload => "bad_payload",
            Self::BadManifest => "bad_manifest",
        }
    }
}

/// Why an envelope did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The envelope itself is at fault, for ever.
    #[error("{}: {detail}", outcome.name())]
    Failed {
        /// The outcome to record.
        outcome: Outcome,
        /// A stable snake_case reason within the outcome.
        reason: &'static str,
        /// A text for people.
        detail: String,
    },
    /// Reading or storing failed; trying again may succeed.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
}

impl OpenError {
    pub(super) fn new(outcome: Outcome, reason: &'static str, detail: impl ToString) -> Self {
        Self::Failed { outcome, reason, detail: detail.to_string() }
    }
}

/// The decryption of one slot's ephemeral key, with the proof that it is correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// D_i = x_i R.
    pub d: Point,
    /// That log_G(X_i) = log_R(D_i).
    pub proof: Proof,
}

#[derive(Serialize)]
struct WireShare {
    #[serde(with = "encoding::serde_base64url")]
    d: [u8; COMPRESSED_LEN],
    #[serde(with = "encoding::serde_base64url")]
    proof: [u8; PROOF_LEN],
}

/// Bytes of a share as JSON: two base64url texts of 44 and 86 characters, with room for white space.
const MAX_SHARE_BYTES: usize = 512;

impl Share {
    /// `{d, proof}`: D as 33 compressed bytes, the proof as c and s of 32 bytes each, both in base64url.
    pub fn to_json(&self) -> String {
        let wire = WireShare { d: self.d.to_compressed(), proof: self.proof.to_bytes() };
        serde_json::to_string(&wire).expect("two strings serialise")
    }

    /// Reads what [`Share::to_json`] writes. The share is not yet verified.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut object = Object::parse(bytes, MAX_SHARE_BYTES)?;
        let d = object.array::<COMPRESSED_LEN>("d")?;
        let proof = object.array::<PROOF_LEN>("proof")?;
        object.end()?;
        Ok(Self {
            d: Point::from_compressed(&d).map_err(|_| FormError::NotAPoint("d"))?,
            proof: Proof::from_bytes(&proof).map_err(|_| FormError::NotAScalar("proof"))?,
        })
    }
}

pub(super) fn share_context(kid: KeyId, member: u8, envelope: &Digest, slot: usize) -> String {
    let slot = u8::try_from(slot).expect("a checked slot's index is below MAX_SLOTS");
    let mut hasher = Hasher::new();
    hasher.update(envelope.as_bytes());
    hasher.update(&[slot]);
    format!("sealbid/1 dleq|{kid}|{member}|{}", hasher.finish())
}

/// Computes the holder's share for one slot. To be called only when the group opens.
///
/// # Errors
/// If the slot is not sealed to this key set as its profile demands, or if the system's random source fails.
pub fn slot_share(key: &KeyShare, envelope: &SignedEnvelope, slot: usize) -> Result<Share, SealError> {
    envelope.check_slot(slot, key.key_set())?;
    Ok(share_of(key, &envelope.id(), slot, &Combs::of(&envelope.header().slots[slot].enc))?)
}

/// The share for an ephemeral key of which the caller has shown that it belongs to that slot.
pub(super) fn share_of(key: &KeyShare, envelope: &Digest, slot: usize, enc: &Combs) -> Result<Share, RandomFailed> {
    let context = share_context(key.key_set().kid, key.member(), envelope, slot);
    let (d, proof) = dleq::multiply(key.private(), key.share(), enc, context.as_bytes())?;
    Ok(Share { d, proof })
}

/// Whether a share is what member `member` must give for this slot, by the public values alone.
pub fn verify_share(key_set: &KeySet, member: u8, envelope: &SignedEnvelope, slot: usize, share: &Share) -> bool {
    envelope.check_slot(slot, key_set).is_ok()
        && Holder::of(key_set, member).gave(share, &envelope.id(), slot, &envelope.header().slots[slot].enc)
}

/// A member of a key set, whose public key is made ready for the shares that it gave.
pub struct Holder<'a> {
    key_set: &'a KeySet,
    member: u8,
    public: Option<dleq::Public>,
}

impl<'a> Holder<'a> {
    /// Member `member`. One that the set does not have gave nothing.
    pub fn of(key_set: &'a KeySet, member: u8) -> Self {
        Self { key_set, member, public: key_set.share_of(member).map(dleq::Public::of) }
    }

    /// [`verify_share`] for an ephemeral key of which the caller knows that it belongs to that slot.
    pub(super) fn gave(&self, share: &Share, envelope: &Digest, slot: usize, enc: &Point) -> bool {
        let context = share_context(self.key_set.kid, self.member, envelope, slot);
        let holds = |public| dleq::verify(public, enc, &share.d, context.as_bytes(), &share.proof);
        self.public.as_ref().is_some_and(holds)
    }
}

/// The shares that were given for one slot, each with its member's index.
pub type SlotShares = Vec<(u8, Share)>;

/// Opens one slot with D, which should come from a verified share.
///
/// # Errors
/// `BadSlot`; `MissingSlot` if the envelope has no such slot.
pub fn open_slot(
    key_set: &KeySet,
    envelope: &SignedEnvelope,
    slot: usize,
    d: &Point,
) -> Result<Secret<[u8; SECRET_LEN]>, OpenError> {
    let header = envelope.header();
    let sealed = header
        .slots
        .get(slot)
        .ok_or_else(|| OpenError::new(Outcome::MissingSlot, "no_such_slot", format!("slot {slot}")))?;
    sealed
        .open(&header.place(slot), key_set, d)
        .map_err(|error| OpenError::new(Outcome::BadSlot, "slot_does_not_open", format!("slot {slot}: {error}")))
}

/// Verifies the shares of every slot, puts them together, opens the slots and derives the payload's keys.
///
/// # Errors
/// `MissingSlot` (fewer than k shares, or fewer than k that verify), `BadSlot` or `BadCommit`.
pub fn payload_keys(
    envelope: &SignedEnvelope,
    key_sets: &[&KeySet],
    shares: &[SlotShares],
) -> Result<PayloadKeys, OpenError> {
    let slots = envelope.header().slots.len();
    let mut points = Vec::with_capacity(slots);
    for slot in 0..slots {
        let key_set = key_sets.get(slot).ok_or_else(|| missing(slot, "no_key_set"))?;
        let given = shares.get(slot).map_or(&[][..], Vec::as_slice);
        let valid: SlotShares = given
            .iter()
            .filter(|(member, share)| verify_share(key_set, *member, envelope, slot, share))
            .copied()
            .collect();
        if valid.len() < usize::from(key_set.k) && valid.len() < given.len() {
            return Err(missing(slot, "share_does_not_verify"));
        }
        points.push(combined(key_set, slot, &valid)?);
    }
    payload_keys_from(envelope, key_sets, &points)
}

/// Puts shares that have been verified together.
///
/// # Errors
/// `MissingSlot` if there are fewer than k.
pub fn combined(key_set: &KeySet, slot: usize, verified: &[(u8, Share)]) -> Result<Point, OpenError> {
    let points: Vec<_> = verified.iter().map(|(member, share)| (*member, share.d)).collect();
    threshold::combine(key_set.k, &points).map_err(|error| match error {
        ThresholdError::TooFew => missing(slot, "no_share"),
        ThresholdError::Indices | ThresholdError::Identity => missing(slot, "share_does_not_verify"),
    })
}

/// Opens every slot with its D, which must come from verified shares, and derives the payload's keys.
///
/// # Errors
/// `MissingSlot`, `BadSlot` or `BadCommit`.
pub fn payload_keys_from(
    envelope: &SignedEnvelope,
    key_sets: &[&KeySet],
    points: &[Point],
) -> Result<PayloadKeys, OpenError> {
    let mut secrets = Vec::with_capacity(points.len());
    for slot in 0..envelope.header().slots.len() {
        let key_set = key_sets.get(slot).ok_or_else(|| missing(slot, "no_key_set"))?;
        let d = points.get(slot).ok_or_else(|| missing(slot, "no_share"))?;
        secrets.push(open_slot(key_set, envelope, slot, d)?);
    }
    PayloadKeys::committed(&envelope.ctx().salt, &secrets, &envelope.header().kc)
        .map_err(|error| OpenError::new(Outcome::BadCommit, "key_commitment_mismatch", error))
}

fn missing(slot: usize, reason: &'static str) -> OpenError {
    OpenError::new(Outcome::MissingSlot, reason, format!("slot {slot}"))
}

/// Decrypts and verifies the payload of an envelope, handing documents to `sink` while they pass.
///
/// # Errors
/// `BadPayload` or `BadManifest` with a reason, or the error of `ciphertext` or `sink`. On every error the sink's files
/// must be thrown away.
pub fn open_part(
    envelope: &SignedEnvelope,
    keys: PayloadKeys,
    ciphertext: impl Read,
    sink: &mut dyn FileSink,
) -> Result<PartContents, OpenError> {
    let mut part = PartReader::new(envelope.ctx().binding());
    open_payload(envelope, keys, ciphertext, |plain| Ok(part.push(plain, sink)?))?;
    Ok(part.finish().map_err(PartIoError::from)?)
}

/// Decrypts a payload chunk by chunk and verifies length and root at the end.
pub(super) fn open_payload(
    envelope: &SignedEnvelope,
    keys: PayloadKeys,
    mut ciphertext: impl Read,
    mut take: impl FnMut(&[u8]) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let mut opener = PayloadOpener::new(keys, envelope.ctx().len);
    let mut tree = MerkleTree::new();
    // A part may be a key: what was decrypted last does not stay in memory.
    let mut buffer = Zeroizing::new(Vec::new());
    while let Some(len) = opener.next_chunk_len() {
        buffer.resize(len, 0);
        let chunk = buffer.as_mut_slice();
        ciphertext.read_exact(chunk).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => StreamError::Truncated.into(),
            _ => OpenError::Io(error),
        })?;
        tree.push_chunk(chunk);
        take(opener.open_chunk(chunk)?)?;
    }
    opener.finish()?;
    if ciphertext.read(&mut [0])? != 0 {
        return Err(StreamError::AfterLast.into());
    }
    if tree.root() != envelope.ctx().root {
        return Err(OpenError::new(Outcome::BadPayload, "wrong_root", "the Merkle root is not the signed one"));
    }
    Ok(())
}

impl From<StreamError> for OpenError {
    fn from(error: StreamError) -> Self {
        let reason = match error {
            StreamError::ChunkLength => "wrong_chunk_length",
            StreamError::NotAuthentic => "chunk_not_authentic",
            StreamError::AfterLast => "payload_too_long",
            StreamError::Truncated => "payload_truncated",
        };
        Self::new(Outcome::BadPayload, reason, error)
    }
}

impl From<PartIoError> for OpenError {
    fn from(error: PartIoError) -> Self {
        match error {
            PartIoError::Part(error) => Self::new(Outcome::BadManifest, error.reason(), &error),
            PartIoError::Io(error) => Self::Io(error),
        }
    }
}
