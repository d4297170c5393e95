//! Why a signed object was refused, and what can go wrong around sealing.
//!
//! Promise: every refusal has a stable snake_case reason ([`FormError::reason`]) that may be stored and compared, and a
//! text for people that may change. Deliberately absent: secrets and contents; an error names fields, never values that
//! a bidder sealed.

use super::limits;
use std::io;

/// A signed object does not have the form it must have, or does not fit what it is checked against.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant is its documentation")]
pub enum FormError {
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    #[error("not a JSON object: {0}")]
    NotJson(String),
    #[error("the key `{0}` occurs twice in one object")]
    DuplicateKey(String),
    #[error("unknown field `{0}`")]
    UnknownField(String),
    #[error("field `{0}` is missing")]
    MissingField(&'static str),
    #[error("field `{0}` has the wrong type")]
    WrongType(&'static str),
    #[error("field `{0}` is not canonical base64url without padding")]
    Base64(&'static str),
    #[error("field `{0}` has the wrong length")]
    WrongLength(&'static str),
    #[error("field `{0}` is out of range")]
    OutOfRange(&'static str),
    #[error("field `{0}` is not 1 to 64 characters of a-z, 0-9 and -")]
    Identifier(&'static str),
    #[error("field `{0}` is not a UTC time like 2026-11-22T03:49:39.000Z")]
    Time(&'static str),
    #[error("field `{0}` is not lowercase hexadecimal of the right length")]
    Hex(&'static str),
    #[error("field `{0}` is not a point of P-256 in its prescribed encoding")]
    NotAPoint(&'static str),
    #[error("field `{0}` is not a scalar below the order of P-256")]
    NotAScalar(&'static str),
    #[error("version is not sealbid/1")]
    Version,
    #[error("algorithm `{0}` is not EdDSA or ES256")]
    Algorithm(String),
    #[error("typ is `{found}`, expected `{expected}`")]
    Typ { expected: &'static str, found: String },
    #[error("the key is not a usable public key of its algorithm")]
    PublicKey,
    #[error("signed with key {0}, not with this key")]
    OtherKey(String),
    #[error("the signature is not valid")]
    Signature,
    #[error("part `{0}` is not price, documents or reserve")]
    Part(String),
    #[error("media type is not application/x-tar")]
    MediaType,
    #[error("payload algorithm is not A256GCM-STREAM")]
    PayloadAlgorithm,
    #[error("chunk size is not 1048576")]
    ChunkSize,
    #[error("the payload is larger than this part may be")]
    PayloadTooLarge,
    #[error("an envelope has 1 to {} slots", limits::MAX_SLOTS)]
    SlotCount,
    #[error("slot type `{0}` is reserved for a later version")]
    ReservedSlotType(String),
    #[error("slot type `{0}` is unknown")]
    UnknownSlotType(String),
    #[error("two slots carry the same ephemeral key")]
    RepeatedEphemeral,
    #[error("key set kind `{0}` is unknown")]
    UnknownKeySetKind(String),
    #[error("profile is not strict or open")]
    Profile,
    #[error(
        "a key set of one member has k = n = 1, its own key as only share, and no members or ceremony; one of custodians \
         has members, a ceremony, and one share for each that belongs to X"
    )]
    KeySetShape,
    #[error(
        "members are {} to {} custodians, numbered from 1, none twice, and at least {} of them open",
        limits::MIN_MEMBERS,
        limits::MAX_MEMBERS,
        limits::MIN_THRESHOLD
    )]
    Members,
    #[error("the signed bytes are not in their canonical form")]
    NotCanonical,
    #[error("the lines are not those of the snapshot")]
    Lines,
    #[error("the key set's kid does not follow from its key, opening time and group")]
    KeySetId,
    #[error("the number of slots is not the number of key sets")]
    KeySetCount,
    #[error("slot {0} is sealed to another key set")]
    OtherKeySet(usize),
    #[error("the envelope names another tender than its key set")]
    OtherTender,
    #[error("the envelope names another group than its key set")]
    OtherGroup,
    #[error("slot {0} has no proof of knowledge of its ephemeral key")]
    PokMissing(usize),
    #[error("slot {0} has a proof of knowledge that does not verify")]
    PokInvalid(usize),
}

impl FormError {
    /// The stable name of the refusal.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::NotJson(_) => "not_json",
            Self::DuplicateKey(_) => "duplicate_key",
            Self::UnknownField(_) => "unknown_field",
            Self::MissingField(_) => "missing_field",
            Self::WrongType(_) => "wrong_type",
            Self::Base64(_) => "not_base64url",
            Self::WrongLength(_) => "wrong_length",
            Self::OutOfRange(_) => "out_of_range",
            Self::Identifier(_) => "bad_identifier",
            Self::Time(_) => "bad_time",
            Self::Hex(_) => "bad_hex",
            Self::NotAPoint(_) => "not_a_point",
            Self::NotAScalar(_) => "not_a_scalar",
            Self::Version => "unknown_version",
            Self::Algorithm(_) => "unknown_algorithm",
            Self::Typ { .. } => "wrong_typ",
            Self::PublicKey => "bad_public_key",
            Self::OtherKey(_) => "other_signing_key",
            Self::Signature => "bad_signature",
            Self::Part(_) => "unknown_part",
            Self::MediaType => "wrong_media_type",
            Self::PayloadAlgorithm => "unknown_payload_algorithm",
            Self::ChunkSize => "wrong_chunk_size",
            Self::PayloadTooLarge => "payload_too_large",
            Self::SlotCount => "wrong_slot_count",
            Self::ReservedSlotType(_) => "reserved_slot_type",
            Self::UnknownSlotType(_) => "unknown_slot_type",
            Self::RepeatedEphemeral => "repeated_ephemeral",
            Self::UnknownKeySetKind(_) => "unknown_key_set_kind",
            Self::Members => "bad_members",
            Self::Profile => "unknown_profile",
            Self::KeySetShape => "bad_key_set_shape",
            Self::NotCanonical => "not_canonical",
            Self::Lines => "other_lines",
            Self::KeySetId => "wrong_key_set_id",
            Self::KeySetCount => "wrong_key_set_count",
            Self::OtherKeySet(_) => "other_key_set",
            Self::OtherTender => "other_tender",
            Self::OtherGroup => "other_group",
            Self::PokMissing(_) => "pok_missing",
            Self::PokInvalid(_) => "pok_invalid",
        }
    }
}

/// The system's random source failed; nothing was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source failed")]
pub struct RandomFailed;

/// Sealing did not succeed; whatever was written must be thrown away.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No randomness, no sealing.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// Reading the plaintext or writing the ciphertext failed.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
    /// The header would be refused by every receiver.
    #[error("the envelope would be refused: {0}")]
    Form(#[from] FormError),
}
