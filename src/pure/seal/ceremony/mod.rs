//! The ceremony in which custodians make a key that none of them holds.
//!
//! Distributed key generation of FROST (C. Komlo and I. Goldberg, 2020, figure 1, which is Pedersen's with a proof of
//! knowledge), one run for every opening group in the same messages, with what the library leaves to its caller:
//!
//! | step | message | content |
//! | --- | --- | --- |
//! | draft | [`Draft`] | what the keys are for, k, the members with their keys; its digest is the ceremony's id |
//! | commit | [`Commit`] | the digest of round 1, so that nobody chooses last; a fresh key E for this ceremony |
//! | round 1 | [`Round1`] | commitments to the member's polynomials, with a proof of knowledge |
//! | round 2 | [`Round2`] | the values of the polynomials for every other member, each sealed to that member's E |
//! | accept | [`Accept`] | the transcript's digest and the key sets that follow; all n must agree |
//! | complain | [`Complaint`] | the opening of a value that does not fit, which everybody can judge |
//!
//! Promises: a key set stands only when all n members have signed one transcript, so that neither a relay that shows
//! different members different messages nor an old message played again goes unseen; the public keys follow from round 1
//! and are computed by everybody; whoever deals a wrong value, or complains about a right one, is named by
//! [`judge`]; E serves one ceremony and is erased with it, so that a complaint is no oracle for anything else.
//!
//! Byte-exact: every message is a JWS whose payload is a JSON object beginning with `{v, ceremony, member}`. Points are
//! compressed, byte fields base64url, digests hex.
//!
//! Deliberately absent: robustness. A member that stays away or is named ends the ceremony; a new one with a new draft
//! takes minutes, and nothing has been sealed to the key before.

mod accept;
mod backup;
mod complaint;
mod deal;
mod draft;
mod message;
pub mod prove_kem;
pub mod rehearsal;
pub mod repair;
mod transcript;

pub use accept::Accept;
pub use backup::Backup;
pub use complaint::{Complaint, Verdict, judge};
pub use deal::{Dealer, Fault, Finished};
pub use draft::{Draft, Group, SignedDraft};
pub use message::{Commit, Message, Package, Polynomial, Round1, Round2, Signed};
pub use transcript::Transcript;

use super::error::{FormError, RandomFailed};

/// A message does not fit its ceremony.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CeremonyError {
    /// The message itself.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The system gives no random numbers.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// The message belongs to another ceremony.
    #[error("the message belongs to another ceremony")]
    OtherCeremony,
    /// The member's index is not in the draft, or is somebody else's.
    #[error("member {0} is not who signed")]
    NotAMember(u8),
    /// Round 1 is not what was committed to.
    #[error("round 1 of member {0} is not what it committed to")]
    NotCommitted(u8),
    /// There are not as many groups, coefficients or recipients as the draft says.
    #[error("a message of member {0} does not have the draft's groups, threshold and members")]
    Shape(u8),
    /// A proof of knowledge does not verify.
    #[error("a proof of knowledge of member {0} does not verify")]
    Proof(u8),
    /// A message that is needed is not there.
    #[error("a message of member {0} is missing")]
    Missing(u8),
    /// The keys that come out are unusable: never by chance.
    #[error("the key sets that follow are unusable")]
    Unusable,
    /// What is stored between the rounds is not what was made.
    #[error("the stored secrets are not those of this ceremony")]
    Secrets,
}

impl CeremonyError {
    /// The stable name.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Form(error) => error.reason(),
            Self::Random(_) => "no_random_numbers",
            Self::OtherCeremony => "other_ceremony",
            Self::NotAMember(_) => "not_a_member",
            Self::NotCommitted(_) => "not_committed",
            Self::Shape(_) => "wrong_shape",
            Self::Proof(_) => "proof_does_not_verify",
            Self::Missing(_) => "message_missing",
            Self::Unusable => "unusable_key",
            Self::Secrets => "wrong_secrets",
        }
    }
}

#[cfg(test)]
mod tests;
