//! Who signs checkpoints: a part of its own that trusts neither the database nor whoever asks.
//!
//! It is told which commitments come next, extends its own frontier by them and signs the root that it finds, or refuses: it
//! never signs two roots for one size, never a smaller tree, never a slot that was, and nothing any more once a commitment that
//! was promised is overdue. So a rewritten database gets no signature, and neither does one from a backup.

pub mod file;
pub mod memory;
pub mod served;
pub mod socket;

use crate::kernel::digest::Digest;
use crate::tlog::note::Verifier;

/// By how much the tree is to grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The slot; rises from batch to batch.
    pub slot: u64,
    /// Leaves before.
    pub size_before: u64,
    /// The commitments that follow, in their order.
    pub commitments: Vec<Digest>,
    /// The root that the asker found.
    pub root: Digest,
}

/// A proof that a promise was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The promised commitment.
    pub commitment: Digest,
    /// Its leaf.
    pub index: u64,
    /// The inclusion proof in the tree that the signer signed last.
    pub proof: Vec<Digest>,
}

/// What the signer signed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// Leaves.
    pub size: u64,
    /// Root.
    pub root: Digest,
    /// Slot.
    pub slot: u64,
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// What is asked for does not extend what was signed: the database was rewritten, or is an old one.
    #[error("it refuses to sign: {0}")]
    Refused(String),
    /// These commitments were promised and are in no tree by now.
    #[error("{} promised commitment(s) are not in the log in time, the first is {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    Overdue(Vec<Digest>),
    /// Its memory cannot be read or written; nothing is signed without it.
    #[error("its memory: {0}")]
    Memory(String),
    /// It does not answer.
    #[error("it does not answer: {0}")]
    Away(String),
}

/// The first line of the list of keys, the one text beside checkpoints that is signed with the log's keys.
pub const KEYS_HEADER: &str = "sealbid/audit/keys/v1\n";

/// Signs checkpoints and watches promises.
pub trait Signer: Send + Sync {
    /// Its keys, under the origin's name, the oldest first: all of them sign. There is one at least.
    fn verifiers(&self) -> &[Verifier];

    /// The oldest of its keys.
    fn verifier(&self) -> &Verifier {
        &self.verifiers()[0]
    }

    /// Signs the list of keys, a text that begins with [`KEYS_HEADER`]: the signature lines.
    ///
    /// # Errors
    /// [`SignerError::Refused`] for any other text.
    fn endorse(&self, text: &str) -> Result<String, SignerError>;

    /// What it signed last.
    ///
    /// # Errors
    /// When its memory cannot be read or it does not answer.
    fn head(&self) -> Result<SignedHead, SignerError>;

    /// Remembers that these commitments were promised: they must be in the log before their time is over.
    ///
    /// # Errors
    /// As [`Signer::head`]; then no promise must be given.
    fn promised(&self, commitments: &[Digest]) -> Result<(), SignerError>;

    /// Is shown that promises were kept.
    ///
    /// # Errors
    /// [`SignerError::Refused`] for a proof that proves nothing.
    fn kept(&self, proofs: &[Kept]) -> Result<(), SignerError>;

    /// Signs the tree as it is after this growth: the checkpoint as a note. Asked again for what it signed last, it gives the
    /// same bytes.
    ///
    /// # Errors
    /// See [`SignerError`].
    fn sign(&self, growth: &Growth) -> Result<String, SignerError>;
}
