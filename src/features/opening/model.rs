//! Opening sessions, outcomes and objections as stored.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::{objections, openings, unsealings};
use crate::features::lots::model::LotTerms;
use crate::kernel::digest::Digest;
use crate::kernel::id::OrgId;
use crate::kernel::money::Money;
use crate::kernel::principal::PrincipalId;
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};
use crate::rules::envelopes::Round;
use crate::rules::opening::{SessionState, UndecryptedCause};
use crate::seal::unsealing::Outcome;

/// An objection that waits for its answer.
pub const OPEN: &str = "open";
/// An objection that was answered.
pub const ANSWERED: &str = "answered";
/// An objection that came too early or too late: on record, with the rule that says so.
pub const INADMISSIBLE: &str = "inadmissible";
/// A row of `openings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = openings, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct OpeningRow {
    /// The session.
    pub id: String,
    /// Version.
    pub version: i64,
    /// A state of the session's machine.
    pub state: String,
    /// Its lot.
    pub lot_id: String,
    /// Its round: 1, or 2 where prices open in a round of their own.
    pub round: i64,
    /// [`OpeningBody`].
    pub body: String,
}

/// Who did something in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// The person or the software.
    pub user_id: PrincipalId,
    /// For which organisation.
    pub org_id: OrgId,
}

/// Shares that will not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenUp {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What else is stored of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningBody {
    /// The session began.
    pub begun_at: Option<Timestamp>,
    /// Somebody stated that missing shares will not come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<GivenUp>,
    /// Every envelope of the box had its outcome.
    pub unsealed_at: Option<Timestamp>,
    /// The box was read out.
    pub read_out_at: Option<Timestamp>,
    /// By whom.
    pub read_out_by: Option<By>,
    /// The record was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// By whom.
    pub confirmed_by: Option<By>,
    /// The session closed.
    pub closed_at: Option<Timestamp>,
    /// By whom.
    pub closed_by: Option<By>,
}

impl OpeningBody {
    /// When the time is over that bidders who hold a key have to decrypt.
    pub fn decryption_ends_at(&self, terms: &LotTerms) -> Option<Timestamp> {
        self.begun_at.map(|at| at.plus_millis(terms.decryption_ms()))
    }
}

/// A session, read.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The row.
    pub row: OpeningRow,
    /// The state.
    pub state: SessionState,
    /// The round.
    pub round: Round,
    /// The body.
    pub body: OpeningBody,
}

impl Opening {
    /// Reads a row.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn read(row: OpeningRow) -> Result<Self> {
        let state = SessionState::parse(&row.state)
            .ok_or_else(|| Error::damaged(format!("opening {}: state {}", row.id, row.state)))?;
        let round = Round::of_number(row.round)
            .ok_or_else(|| Error::damaged(format!("opening {}: round {}", row.id, row.round)))?;
        Ok(Self { state, round, body: parse(&row.id, &row.body)?, row })
    }

    /// The row with this state and body written into it.
    ///
    /// # Errors
    /// Internal ones only.
    pub fn to_row(&self) -> Result<OpeningRow> {
        Ok(OpeningRow { state: self.state.name().into(), body: text(&self.body)?, ..self.row.clone() })
    }
}

/// A row of `unsealings`: how the opening of one envelope ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = unsealings, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct UnsealingRow {
    /// The unsealing.
    pub id: String,
    /// Version: 1, and one more for each attribution of a failure.
    pub version: i64,
    /// The [`Outcome`]'s name.
    pub state: String,
    /// Its lot.
    pub lot_id: String,
    /// The bid, or the reserve price.
    pub bid_id: String,
    /// The envelope.
    pub envelope_id: String,
    /// Its part.
    pub part: String,
    /// [`UnsealingBody`].
    pub body: String,
}

impl UnsealingRow {
    /// Whether the envelope opened.
    pub fn is_opened(&self) -> bool {
        self.state == Outcome::Opened.name()
    }
}

/// A member's share of the decryption of an envelope's slot, with the proof that it is correct (RFC 9497 section 2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareText {
    /// The key set; its public key is in `/v1/lots/{lot}/key-set`, or the bidder's own.
    pub kid: String,
    /// The envelope's slot.
    pub slot: u8,
    /// The member of the key set.
    pub member: u8,
    /// The ephemeral key R of the slot, base64url.
    pub enc: String,
    /// The point D, compressed, base64url.
    pub d: String,
    /// The proof that D was made with the member's share, base64url.
    pub proof: String,
}

/// One file of an opened part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileLine {
    /// Its path in the part.
    pub path: String,
    /// Its length in bytes.
    pub len: u64,
    /// Its digest.
    #[schema(value_type = String)]
    pub sha256: Digest,
}

/// A failure, as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// A stable snake_case reason within the outcome.
    pub reason: String,
    /// For people.
    pub detail: String,
}

impl Failed {
    /// The reason of a payload that is not any more what the platform had acknowledged.
    const IN_STORAGE: &str = "damaged_in_storage";

    /// A payload that was damaged in the platform's storage and that nobody put back in time.
    pub fn in_storage() -> Self {
        Self {
            reason: Self::IN_STORAGE.into(),
            detail: "the stored ciphertext is not any more the one that the platform acknowledged".into(),
        }
    }

    /// Whether it is one of those: then it is not the bidder's fault.
    pub fn is_in_storage(&self) -> bool {
        self.reason == Self::IN_STORAGE
    }
}

/// What a person said about a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// Through whose fault.
    pub cause: UndecryptedCause,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What else is stored of an unsealing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsealingBody {
    /// The bid's revision that the envelope names.
    pub rev: u32,
    /// The revision of the documents that the envelope names.
    pub document_revision: Digest,
    /// The shares that were put together, by slot and member.
    pub shares: Vec<ShareText>,
    /// Price parts: the amount.
    pub price: Option<Money>,
    /// Price parts: how many days the bid stays valid, where it says so.
    pub validity_days: Option<u32>,
    /// Price parts: a remark.
    pub note: Option<String>,
    /// How many files the part has.
    pub file_count: u32,
    /// The files; of a very long list the first.
    pub files: Vec<FileLine>,
    /// Why it did not open.
    pub failed: Option<Failed>,
    /// Who answers for that.
    pub attribution: Option<Attribution>,
}

impl UnsealingBody {
    /// Whether the platform's storage is why it did not open.
    pub fn is_damaged_in_storage(&self) -> bool {
        self.failed.as_ref().is_some_and(Failed::is_in_storage)
    }
}

/// A row of `objections`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = objections, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ObjectionRow {
    /// The objection.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `open`, `answered`, `inadmissible`.
    pub state: String,
    /// `opening` or `result`.
    pub kind: String,
    /// Its lot.
    pub lot_id: String,
    /// Who objects.
    pub org_id: String,
    /// [`ObjectionBody`].
    pub body: String,
}

/// What else is stored of an objection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectionBody {
    /// What is objected to.
    pub text: String,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// The last moment for the answer, where it is not due in the session itself.
    pub answer_due_at: Option<Timestamp>,
    /// Why it is inadmissible.
    pub inadmissible: Option<Bilingual>,
    /// The initiator's answer.
    pub answer: Option<String>,
    /// When it was given.
    pub answered_at: Option<Timestamp>,
}

/// Reads a JSON column.
///
/// # Errors
/// When what is stored cannot be read.
pub fn parse<T: serde::de::DeserializeOwned>(id: &str, body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|error| Error::damaged(format!("{id}: {error}")))
}

/// Writes a JSON column.
///
/// # Errors
/// Internal ones only.
pub fn text(body: &impl Serialize) -> Result<String> {
    serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))
}
