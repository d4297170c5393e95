//! Sealing, as a bidder's client does it: first the payload, then the header.
//!
//! Promise: the payload is sealed once, in one pass and bounded memory; any number of headers may be made over it, each
//! with fresh slots over the same secrets, so that a bid can be confirmed or corrected without uploading its documents
//! again. Every header made here carries a proof of knowledge in every slot, whatever the profile.
//!
//! Invariant: two payloads never share salt and secrets. Deliberately absent: files, uploading, and erasing the plaintext,
//! which its owner has on disk anyway.

use super::envelope::{Ctx, ENVELOPE_TYP, Part, SignedEnvelope, header_bytes};
use super::error::{FormError, RandomFailed, SealError};
use super::ids::{Ident, UtcMillis};
use super::jws::Jws;
use super::keys::SigningKey;
use super::keyset::KeySet;
use super::limits::{CHUNK_BYTES, MAX_SLOTS};
use super::merkle::MerkleTree;
use super::points::PrivateScalar;
use super::random;
use super::slot::{Place, Slot};
use super::stream::{PayloadKeys, PayloadSealer, SALT_LEN, SECRET_LEN};
use crate::kernel::{
    digest::{Digest, sha256},
    secret::Secret,
};
use std::io::{self, Read, Write};

/// A sealed payload and the secrets that open it; needed for every header over it.
#[derive(Debug)]
pub struct SealedPayload {
    /// The salt of the payload's keys.
    pub salt: [u8; SALT_LEN],
    /// One secret for every slot.
    pub secrets: Vec<Secret<[u8; SECRET_LEN]>>,
    /// The plaintext's length in bytes.
    pub len: u64,
    /// The Merkle root over the ciphertext chunks.
    pub root: Digest,
    /// The ciphertext's length in bytes.
    pub size_bytes: u64,
}

/// Seals what is written to it and writes the ciphertext on. [`SealingWriter::finish`] must be called at the end;
/// without it the last chunk is missing and the payload will not open.
pub struct SealingWriter<W: Write> {
    out: W,
    sealer: PayloadSealer,
    tree: MerkleTree,
    buffer: Vec<u8>,
    payload: SealedPayload,
}

impl<W: Write> SealingWriter<W> {
    /// Starts a payload for envelopes of `slots` slots.
    ///
    /// # Errors
    /// `SlotCount`, or if the system's random source fails.
    pub fn new(out: W, slots: usize) -> Result<Self, SealError> {
        if slots == 0 || slots > MAX_SLOTS {
            return Err(FormError::SlotCount.into());
        }
        let secrets = (0..slots).map(|_| random::secret()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::with(out, random::bytes()?, secrets))
    }

    /// [`SealingWriter::new`] with the randomness given; it must never serve another payload.
    pub(super) fn with(out: W, salt: [u8; SALT_LEN], secrets: Vec<Secret<[u8; SECRET_LEN]>>) -> Self {
        let sealer = PayloadSealer::new(PayloadKeys::derive(&salt, &secrets));
        let payload = SealedPayload { salt, secrets, len: 0, root: MerkleTree::new().root(), size_bytes: 0 };
        Self { out, sealer, tree: MerkleTree::new(), buffer: Vec::new(), payload }
    }

    fn flush_chunk(&mut self, last: bool) -> io::Result<()> {
        self.payload.len += self.buffer.len() as u64;
        self.sealer.seal_chunk(&mut self.buffer, last).map_err(io::Error::other)?;
        self.tree.push_chunk(&self.buffer);
        self.payload.size_bytes += self.buffer.len() as u64;
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Seals the last chunk and gives back the writer.
    ///
    /// # Errors
    /// Those of the writer underneath.
    pub fn finish(mut self) -> Result<(SealedPayload, W), SealError> {
        self.flush_chunk(true)?;
        self.out.flush()?;
        self.payload.root = self.tree.root();
        Ok((self.payload, self.out))
    }
}

impl<W: Write> Write for SealingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until more comes, because only then is it known not to be the last one.
        if self.buffer.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.flush_chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Seals everything that `plaintext` gives into `ciphertext`, for envelopes of `slots` slots.
///
/// # Errors
/// Those of reader, writer and random source; the ciphertext must then be thrown away.
pub fn seal_payload(
    mut plaintext: impl Read,
    ciphertext: impl Write,
    slots: usize,
) -> Result<SealedPayload, SealError> {
    let mut writer = SealingWriter::new(ciphertext, slots)?;
    io::copy(&mut plaintext, &mut writer)?;
    Ok(writer.finish()?.0)
}

/// What a header says besides its payload; tender and group come from the key sets.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The lot.
    pub lot: Ident,
    /// What the envelope contains.
    pub part: Part,
    /// The bidder, or the initiator for a reserve price.
    pub bidder: Ident,
    /// The bid's revision, from 1.
    pub rev: u32,
    /// The digest of the tender documents that the bidder has read.
    pub doc_rev: Digest,
    /// The client's clock.
    pub created: UtcMillis,
}

/// The scalars that one slot consumes; each for this one slot only.
pub(super) struct SlotScalars {
    pub(super) ephemeral: PrivateScalar,
    pub(super) nonce: PrivateScalar,
}

impl SlotScalars {
    fn generate() -> Result<Self, RandomFailed> {
        Ok(Self { ephemeral: PrivateScalar::generate()?, nonce: PrivateScalar::generate()? })
    }
}

/// Makes a signed envelope over a sealed payload, with one slot for every key set.
///
/// # Errors
/// If the key sets are not as many as the payload's secrets or differ in tender or group, if the envelope would be
/// refused by its receiver, or if the system's random source fails.
pub fn seal_header(
    subject: &Subject,
    payload: &SealedPayload,
    key_sets: &[&KeySet],
    key: &SigningKey,
) -> Result<SignedEnvelope, SealError> {
    let scalars = key_sets.iter().map(|_| SlotScalars::generate()).collect::<Result<Vec<_>, _>>()?;
    seal_header_with(subject, payload, key_sets, key, &scalars)
}

pub(super) fn seal_header_with(
    subject: &Subject,
    payload: &SealedPayload,
    key_sets: &[&KeySet],
    key: &SigningKey,
    scalars: &[SlotScalars],
) -> Result<SignedEnvelope, SealError> {
    let first = key_sets.first().ok_or(FormError::KeySetCount)?;
    if key_sets.len() != payload.secrets.len() {
        return Err(FormError::KeySetCount.into());
    }
    let ctx = Ctx {
        tender: first.tender.clone(),
        group: first.group.clone(),
        lot: subject.lot.clone(),
        part: subject.part,
        bidder: subject.bidder.clone(),
        rev: subject.rev,
        doc_rev: subject.doc_rev,
        created: subject.created.clone(),
        salt: payload.salt,
        len: payload.len,
        root: payload.root,
    };
    let ctx_bytes = ctx.to_bytes();
    let ctx_hash = sha256(&ctx_bytes);
    let slots: Vec<Slot> = key_sets
        .iter()
        .zip(&payload.secrets)
        .zip(scalars)
        .enumerate()
        .map(|(index, ((key_set, secret), scalars))| {
            let place = Place { group: ctx.group.as_str(), ctx_hash: &ctx_hash, index };
            Slot::seal(&place, key_set, secret, &scalars.ephemeral, &scalars.nonce)
        })
        .collect();
    let keys = PayloadKeys::derive(&payload.salt, &payload.secrets);
    let header = header_bytes(&ctx_bytes, &slots, keys.commitment());
    let jws = Jws::sign(key, ENVELOPE_TYP, &header)?;
    // What the receiver will do with it, so that a mistake shows here and not at the deadline.
    let envelope = SignedEnvelope::parse(jws.to_json().as_bytes())?;
    envelope.check_against(key_sets)?;
    Ok(envelope)
}
