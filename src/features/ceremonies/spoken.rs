//! A member's message, by what it is, and the messages of a ceremony put together again.

use serde_json::Value;

use super::model::{Ceremony, MessageRow};
use crate::kernel::digest::{Digest, sha256};
use crate::ledger::{Error, Result};
use crate::rules::ceremony::CeremonyEvent;
use crate::seal::ceremony::{Accept, CeremonyError, Commit, Complaint, Message, Round1, Round2, Signed, Transcript};
use crate::seal::error::FormError;
use crate::seal::jws::Jws;
use crate::seal::keys::VerifyingKey;
use crate::seal::partials::{PARTIALS_TYP, SignedPartials};

/// A message.
#[derive(Clone, Debug)]
pub enum Spoken {
    /// Step 1.
    Commit(Signed<Commit>),
    /// Step 2.
    Round1(Signed<Round1>),
    /// Step 3.
    Round2(Signed<Round2>),
    /// Step 4.
    Accept(Signed<Accept>),
    /// Instead of step 4.
    Complaint(Signed<Complaint>),
    /// Afterwards.
    Rehearsal(SignedPartials),
}

impl Spoken {
    /// Reads a message of any kind; nothing is verified yet.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(value: &Value) -> std::result::Result<Self, FormError> {
        Ok(match Jws::named(value)?.0.as_str() {
            Commit::TYP => Self::Commit(Signed::from_value(value)?),
            Round1::TYP => Self::Round1(Signed::from_value(value)?),
            Round2::TYP => Self::Round2(Signed::from_value(value)?),
            Accept::TYP => Self::Accept(Signed::from_value(value)?),
            Complaint::TYP => Self::Complaint(Signed::from_value(value)?),
            PARTIALS_TYP => Self::Rehearsal(SignedPartials::parse(value.to_string().as_bytes())?),
            found => return Err(FormError::Typ { expected: "sealbid-dkg-*+jws", found: found.to_owned() }),
        })
    }

    /// What saying it is.
    pub const fn event(&self) -> CeremonyEvent {
        match self {
            Self::Commit(_) => CeremonyEvent::Commit,
            Self::Round1(_) => CeremonyEvent::Round1,
            Self::Round2(_) => CeremonyEvent::Round2,
            Self::Accept(_) => CeremonyEvent::Accept,
            Self::Complaint(_) => CeremonyEvent::Complain,
            Self::Rehearsal(_) => CeremonyEvent::Rehearse,
        }
    }

    /// The step under which it is stored: one message a member and step.
    pub const fn step(&self) -> &'static str {
        match self {
            // Whoever accepts does not complain, and the other way round.
            Self::Complaint(_) => "complaint",
            _ => self.event().name(),
        }
    }

    /// The member that it names.
    pub fn member(&self) -> u8 {
        match self {
            Self::Commit(signed) => signed.message().head().member,
            Self::Round1(signed) => signed.message().head().member,
            Self::Round2(signed) => signed.message().head().member,
            Self::Accept(signed) => signed.message().head().member,
            Self::Complaint(signed) => signed.message().head().member,
            Self::Rehearsal(signed) => signed.list().member,
        }
    }

    /// The signed object.
    pub const fn jws(&self) -> &Jws {
        match self {
            Self::Commit(signed) => signed.jws(),
            Self::Round1(signed) => signed.jws(),
            Self::Round2(signed) => signed.jws(),
            Self::Accept(signed) => signed.jws(),
            Self::Complaint(signed) => signed.jws(),
            Self::Rehearsal(signed) => signed.jws(),
        }
    }

    /// The digest of the signed bytes.
    pub fn digest(&self) -> Digest {
        sha256(self.jws().payload())
    }

    /// Verifies that the member signed it for this ceremony.
    ///
    /// # Errors
    /// See [`CeremonyError`].
    pub fn verify(&self, ceremony: &Ceremony, key: &VerifyingKey) -> std::result::Result<(), CeremonyError> {
        let (draft, id) = (ceremony.draft.draft(), &ceremony.draft.id());
        match self {
            Self::Commit(signed) => signed.verify(draft, id, key).map(drop),
            Self::Round1(signed) => signed.verify(draft, id, key).map(drop),
            Self::Round2(signed) => signed.verify(draft, id, key).map(drop),
            Self::Accept(signed) => signed.verify(draft, id, key).map(drop),
            Self::Complaint(signed) => signed.verify(draft, id, key).map(drop),
            Self::Rehearsal(signed) => Ok(signed.verify(key).map(drop)?),
        }
    }
}

/// What has been said until round 2, put together again. It was verified when it came.
///
/// # Errors
/// When what is stored does not have the form it was written in.
pub fn transcript(ceremony: &Ceremony, rows: &[MessageRow]) -> Result<Transcript> {
    let damaged = |what: &str| Error::damaged(format!("ceremony {}: {what}", ceremony.row.id));
    let mut transcript = Transcript::new(ceremony.draft.draft().clone());
    // Commitments come before round 1, which is compared with them, by the names of the steps.
    for row in rows {
        let value: Value = serde_json::from_str(&row.body).map_err(|error| damaged(&error.to_string()))?;
        let spoken = Spoken::parse(&value).map_err(|error| damaged(error.reason()))?;
        hear(&mut transcript, &spoken).map_err(|error| damaged(error.reason()))?;
    }
    Ok(transcript)
}

/// Takes a message of the first three steps into the transcript, which checks it; others leave it as it is.
///
/// # Errors
/// See [`CeremonyError`].
pub fn hear(transcript: &mut Transcript, spoken: &Spoken) -> std::result::Result<(), CeremonyError> {
    match spoken {
        Spoken::Commit(signed) => transcript.commit(signed.clone()),
        Spoken::Round1(signed) => transcript.round1(signed.clone()),
        Spoken::Round2(signed) => transcript.round2(signed.clone()),
        Spoken::Accept(_) | Spoken::Complaint(_) | Spoken::Rehearsal(_) => Ok(()),
    }
}
