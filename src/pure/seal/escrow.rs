//! Escrow: a bidder's one-time key, sealed to custodians in an envelope of its own (part `escrow`).
//!
//! The plaintext is an archive as that of every part: `manifest.json`, and `key.bin`, which is the private scalar y in 32 bytes,
//! big-endian. Plain bytes, so that no parser and no text leaves a copy of it in memory.
//!
//! Promise: a key comes out only where the envelope opens, its manifest binds it to this bid, and yG is the public key that the
//! bid brought; every other content is a failure with its reason. With it the bidder's own shares are made as the bidder would
//! have made them, so that what follows does not ask who made them. Deliberately absent: when an escrow may be opened.

use super::envelope::SignedEnvelope;
use super::error::SealError;
use super::keys::SigningKey;
use super::keyset::{KeySet, KeyShare};
use super::manifest::{Binding, FileEntry, KEY_PATH, PartError};
use super::part_reader::FileSink;
use super::part_writer::one_file;
use super::partials::{Partial, Partials, SignedPartials};
use super::points::SCALAR_LEN;
use super::snapshot::{self, Line};
use super::stream::PayloadKeys;
use super::unsealing::{OpenError, Outcome, open_part};
use crate::kernel::secret::Secret;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// The archive of part `escrow`.
///
/// # Errors
/// `KeyExpected` if the binding is to another part.
pub fn escrow_part(binding: Binding, own: &KeyShare) -> Result<Secret<Vec<u8>>, PartError> {
    // As large as it becomes, so that it does not move and leave a copy behind.
    let mut archive = Zeroizing::new(Vec::with_capacity(usize::try_from(binding.part.max_len()).unwrap_or_default()));
    one_file(&mut archive, binding, KEY_PATH, own.private_bytes().expose())?;
    Ok(Secret::new(std::mem::take(&mut *archive)))
}

/// Keeps the bytes of the key as they pass by.
struct KeySink(Zeroizing<Vec<u8>>);

impl FileSink for KeySink {
    fn begin(&mut self, _: &FileEntry) -> io::Result<()> {
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The manifest was checked: there is one file, and it has no more than these bytes.
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Opens an escrow's payload and takes the key out of it, which must be that of `own`.
///
/// # Errors
/// As [`open_part`]; `BadManifest` with `escrow_wrong_key` where it is another key, or none.
pub fn open_key(
    envelope: &SignedEnvelope,
    keys: PayloadKeys,
    ciphertext: impl Read,
    own: &KeySet,
) -> Result<KeyShare, OpenError> {
    let mut sink = KeySink(Zeroizing::new(Vec::with_capacity(SCALAR_LEN)));
    open_part(envelope, keys, ciphertext, &mut sink)?;
    let wrong = |detail: String| OpenError::new(Outcome::BadManifest, "escrow_wrong_key", detail);
    let bytes: [u8; SCALAR_LEN] = sink.0.as_slice().try_into().map_err(|_| wrong("not a key".into()))?;
    KeyShare::restore(own.clone(), 1, &Secret::new(bytes)).map_err(|_| wrong("it is not the key of this bid".into()))
}

/// The shares of the one who holds a key alone, of every slot of these envelopes that is sealed to it, as a list that `signer`
/// signs.
///
/// # Errors
/// When a slot does not prove knowledge of its ephemeral key, or the system gives no random numbers.
pub fn own_partials(
    own: &KeyShare,
    envelopes: &[SignedEnvelope],
    signer: &SigningKey,
) -> Result<SignedPartials, SealError> {
    let kid = own.key_set().kid;
    let mut lines: Vec<Line> = envelopes.iter().flat_map(|envelope| Line::of(envelope, kid)).collect();
    lines.sort_by_key(|line| (line.envelope, line.slot));
    let partial = |line: &Line| Ok(Partial { envelope: line.envelope, slot: line.slot, share: line.share(own)? });
    let partials = lines.iter().map(partial).collect::<Result<_, SealError>>()?;
    let list = Partials { kid, member: own.member(), snapshot: snapshot::root(&lines), partials };
    Ok(list.sign(signer)?)
}
