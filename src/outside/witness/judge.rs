//! Whether a head may be cosigned (C2SP tlog-witness, add-checkpoint): pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::kernel::digest::Digest;
use crate::tlog::checkpoint::{Checkpoint, CheckpointError};
use crate::tlog::note::{Note, NoteError, Verifier};
use crate::tlog::tree::{empty_root, is_consistent};

/// Proof lines that a client may send.
const PROOF_MAX: usize = 63;

/// Why a head is not cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 400: not a request, or the old size is beyond the checkpoint's.
    #[error("the request is not an old size, a proof and a checkpoint as c2sp.org/tlog-witness has them")]
    Malformed,
    /// 404: a log that this witness does not watch.
    #[error("this witness does not watch this log")]
    Unknown,
    /// 403: no key that is known for the origin signed it.
    #[error("no key that this witness knows for this log has signed the checkpoint")]
    NotSigned,
    /// 409: the latest head that was cosigned has another size, or the same size and another root.
    #[error("the latest cosigned checkpoint of this log has size {0}")]
    Conflict(u64),
    /// 422: it is not shown that the head continues the latest.
    #[error("the proof does not show that this checkpoint continues the latest cosigned one")]
    Inconsistent,
}

impl Refusal {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::NotSigned => 403,
            Self::Unknown => 404,
            Self::Conflict(_) => 409,
            Self::Inconsistent => 422,
        }
    }
}

/// The body of a request, read but not believed.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    old: u64,
    proof: Vec<Digest>,
    checkpoint: &'a str,
    note: Note<'a>,
}

impl<'a> Request<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn parse(body: &'a str) -> Result<Self, Refusal> {
        let (head, checkpoint) = body.split_once("\n\n").ok_or(Refusal::Malformed)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(size).ok_or(Refusal::Malformed)?;
        let proof = lines.map(hash).collect::<Option<Vec<_>>>().ok_or(Refusal::Malformed)?;
        if proof.len() > PROOF_MAX {
            return Err(Refusal::Malformed);
        }
        let note = Note::parse(checkpoint).map_err(|_| Refusal::Malformed)?;
        Ok(Self { old, proof, checkpoint, note })
    }

    /// The origin that the checkpoint names.
    pub fn origin(&self) -> &'a str {
        self.note.text().split('\n').next().unwrap_or_default()
    }

    /// The head, signed by one of the keys of its log.
    ///
    /// # Errors
    /// [`Refusal::NotSigned`], [`Refusal::Malformed`] where what is signed is no checkpoint.
    pub fn open(&self, keys: &[Verifier]) -> Result<Checkpoint, Refusal> {
        let mut refused = Refusal::NotSigned;
        for key in keys {
            match Checkpoint::open(self.checkpoint, key) {
                Ok(head) => return Ok(head),
                Err(CheckpointError::Malformed | CheckpointError::Note(NoteError::Malformed)) => {
                    refused = Refusal::Malformed
                }
                Err(_) => {}
            }
        }
        Err(refused)
    }

    /// Whether the head may follow the latest that was cosigned.
    ///
    /// # Errors
    /// Every [`Refusal`] but [`Refusal::Unknown`] and [`Refusal::NotSigned`].
    pub fn judge(&self, head: &Checkpoint, latest: Option<&Checkpoint>) -> Result<(), Refusal> {
        if self.old > head.size {
            return Err(Refusal::Malformed);
        }
        let (size, root) = latest.map_or((0, empty_root()), |latest| (latest.size, latest.root));
        if self.old != size || (size == head.size && root != head.root) {
            return Err(Refusal::Conflict(size));
        }
        if is_consistent(size, &root, head.size, &head.root, &self.proof) { Ok(()) } else { Err(Refusal::Inconsistent) }
    }

    /// The signature lines of these keys, which are kept with what was seen.
    pub fn lines_of(&self, keys: &[Verifier]) -> String {
        let signatures = self.note.signatures().iter();
        signatures
            .filter(|signature| keys.iter().any(|key| signature.is_of(key)))
            .map(|signature| signature.line())
            .collect()
    }
}

/// A size as the text has it: digits without a leading zero.
pub(super) fn size(text: &str) -> Option<u64> {
    let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}

fn hash(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}
