//! The payload: AES-256-GCM in chunks (STREAM of Hoang, Reyhanitabar, Rogaway and Vizar, 2015), committed to its key.
//!
//! Byte-exact: PRK = HKDF-Extract(salt, s_0 || s_1 || ...); payload key = Expand("sealbid/1 payload", 32); nonce prefix =
//! Expand("sealbid/1 nonce", 7); kc = Expand("sealbid/1 commit", 32). Chunk i is sealed with nonce prefix || u32be(i) ||
//! last (0 or 1) and empty aad; chunks hold 1 MiB of plaintext, the last one 0 to 1 MiB, and an empty payload is one
//! empty last chunk. A payload whose length is a multiple of 1 MiB ends with a full last chunk.
//!
//! Promise: truncation, extension, reordering and alteration of chunks are detected. GCM does not commit to its key: one
//! ciphertext can be made that opens under two keys to two prices; therefore kc is checked before anything is opened,
//! and a bidder cannot choose afterwards. Deliberately absent: random access, and erasing of ring's expanded keys.

use super::kdf;
use super::limits::CHUNK_BYTES;
use crate::kernel::secret::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use subtle::ConstantTimeEq;

/// Bytes of a slot's secret.
pub const SECRET_LEN: usize = 32;
/// Bytes of an envelope's salt.
pub const SALT_LEN: usize = 32;
/// Bytes of the key commitment.
pub const COMMITMENT_LEN: usize = 32;
/// Bytes that sealing adds to a chunk.
pub const TAG_LEN: usize = 16;

const PREFIX_LEN: usize = 7;

/// Why a payload did not open, or was used wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A chunk is longer or shorter than its position demands.
    #[error("a chunk has the wrong length")]
    ChunkLength,
    /// A chunk was altered, moved, or sealed with another key.
    #[error("a chunk is not authentic")]
    NotAuthentic,
    /// A chunk follows the last one.
    #[error("a chunk follows the last one")]
    AfterLast,
    /// The last chunk is missing.
    #[error("the last chunk is missing")]
    Truncated,
}

/// The secrets do not give the key that the header commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secrets do not match the key commitment")]
pub struct BadCommit;

/// What the secrets of all slots give together.
pub struct PayloadKeys {
    key: LessSafeKey,
    prefix: Secret<[u8; PREFIX_LEN]>,
    commitment: [u8; COMMITMENT_LEN],
}

impl PayloadKeys {
    /// Derives the keys. Whoever opens uses [`PayloadKeys::committed`] instead.
    pub fn derive(salt: &[u8; SALT_LEN], secrets: &[Secret<[u8; SECRET_LEN]>]) -> Self {
        let prk = Self::prk(salt, secrets);
        let key = kdf::expand::<32>(prk.expose(), &[b"sealbid/1 payload"]);
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).expect("an AES-256 key has 32 bytes");
        Self {
            key: LessSafeKey::new(key),
            prefix: kdf::expand(prk.expose(), &[b"sealbid/1 nonce"]),
            commitment: *kdf::expand::<COMMITMENT_LEN>(prk.expose(), &[b"sealbid/1 commit"]).expose(),
        }
    }

    /// Derives the keys and compares their commitment with the header's in constant time.
    ///
    /// # Errors
    /// [`BadCommit`]: nothing may be opened with these secrets.
    pub fn committed(
        salt: &[u8; SALT_LEN],
        secrets: &[Secret<[u8; SECRET_LEN]>],
        commitment: &[u8; COMMITMENT_LEN],
    ) -> Result<Self, BadCommit> {
        let keys = Self::derive(salt, secrets);
        if bool::from(keys.commitment.ct_eq(commitment)) { Ok(keys) } else { Err(BadCommit) }
    }

    pub(super) fn prk(salt: &[u8; SALT_LEN], secrets: &[Secret<[u8; SECRET_LEN]>]) -> Secret<[u8; 32]> {
        let pieces: Vec<&[u8]> = secrets.iter().map(|secret| secret.expose().as_slice()).collect();
        kdf::extract(salt, &pieces)
    }

    /// The key commitment `kc`, which is public.
    pub const fn commitment(&self) -> &[u8; COMMITMENT_LEN] {
        &self.commitment
    }

    fn nonce(&self, index: u32, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..PREFIX_LEN].copy_from_slice(self.prefix.expose());
        nonce[PREFIX_LEN..NONCE_LEN - 1].copy_from_slice(&index.to_be_bytes());
        nonce[NONCE_LEN - 1] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// The number of chunks of a payload of `len` plaintext bytes.
pub const fn chunk_count(len: u64) -> u64 {
    if len == 0 { 1 } else { len.div_ceil(CHUNK_BYTES as u64) }
}

/// The ciphertext's length in bytes for a payload of `len` plaintext bytes.
pub const fn ciphertext_len(len: u64) -> u64 {
    len + chunk_count(len) * TAG_LEN as u64
}

/// Seals the chunks of one payload in order.
pub struct PayloadSealer {
    keys: PayloadKeys,
    /// The next chunk's index; none after the last chunk.
    next: Option<u32>,
}

impl PayloadSealer {
    /// Starts a payload. Two payloads must never be sealed with the same keys.
    pub const fn new(keys: PayloadKeys) -> Self {
        Self { keys, next: Some(0) }
    }

    /// Replaces the plaintext in `chunk` by its ciphertext, 16 bytes longer.
    ///
    /// # Errors
    /// `ChunkLength` unless the chunk is full, or the last one and not empty (except alone); `AfterLast` after it.
    pub fn seal_chunk(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), StreamError> {
        let index = self.next.ok_or(StreamError::AfterLast)?;
        let fits = if last {
            chunk.len() <= CHUNK_BYTES && (index == 0 || !chunk.is_empty())
        } else {
            chunk.len() == CHUNK_BYTES
        };
        let next = if last { Some(None) } else { index.checked_add(1).map(Some) };
        let (true, Some(next)) = (fits, next) else {
            return Err(StreamError::ChunkLength);
        };
        self.keys
            .key
            .seal_in_place_append_tag(self.keys.nonce(index, last), Aad::empty(), chunk)
            .expect("a chunk is far below the AEAD's limit");
        self.next = next;
        Ok(())
    }

    /// The key commitment to put into the header.
    pub const fn commitment(&self) -> &[u8; COMMITMENT_LEN] {
        self.keys.commitment()
    }
}

/// Opens the chunks of one payload in order. Its plaintext length is known from the signed header.
pub struct PayloadOpener {
    keys: PayloadKeys,
    remaining: u64,
    next: u32,
    done: bool,
}

impl PayloadOpener {
    /// Starts a payload of `len` plaintext bytes.
    pub const fn new(keys: PayloadKeys, len: u64) -> Self {
        Self { keys, remaining: len, next: 0, done: false }
    }

    /// The length in bytes of the next ciphertext chunk; none after the last one.
    pub fn next_chunk_len(&self) -> Option<usize> {
        let plain = self.remaining.min(CHUNK_BYTES as u64) as usize;
        (!self.done).then_some(plain + TAG_LEN)
    }

    /// Opens the next chunk in place and returns its plaintext.
    ///
    /// # Errors
    /// `ChunkLength`, `NotAuthentic` or `AfterLast`; the payload is then bad as a whole.
    pub fn open_chunk<'a>(&mut self, chunk: &'a mut [u8]) -> Result<&'a [u8], StreamError> {
        let expected = self.next_chunk_len().ok_or(StreamError::AfterLast)?;
        if chunk.len() != expected {
            return Err(StreamError::ChunkLength);
        }
        let last = self.remaining <= CHUNK_BYTES as u64;
        let nonce = self.keys.nonce(self.next, last);
        let plain = self.keys.key.open_in_place(nonce, Aad::empty(), chunk).map_err(|_| StreamError::NotAuthentic)?;
        self.remaining -= plain.len() as u64;
        self.done = last;
        self.next = self.next.wrapping_add(1);
        Ok(plain)
    }

    /// Ends the payload.
    ///
    /// # Errors
    /// `Truncated` if the last chunk has not been opened.
    pub fn finish(self) -> Result<(), StreamError> {
        if self.done { Ok(()) } else { Err(StreamError::Truncated) }
    }
}
