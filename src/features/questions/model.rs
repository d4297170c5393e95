//! Questions: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::questions;
use crate::kernel::id::{LotId, QuestionId};
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;

/// Waits for its answer.
pub const OPEN: &str = "open";
/// Answered, for everybody to read.
pub const ANSWERED: &str = "answered";
/// An objection that the rules do not admit.
pub const INADMISSIBLE: &str = "inadmissible";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// A question about the documents.
    Question,
    /// An objection to the documents.
    Objection,
}

impl QuestionKind {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Objection => "objection",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Question, Self::Objection].into_iter().find(|kind| kind.name() == name)
    }
}

/// A row of `questions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = questions, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct QuestionRow {
    /// The question.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `open`, `answered`, `inadmissible`.
    pub state: String,
    /// [`QuestionKind`].
    pub kind: String,
    /// Its lot.
    pub lot_id: String,
    /// Who asks.
    pub org_id: String,
    /// [`QuestionBody`].
    pub body: String,
}

/// What else is stored of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionBody {
    /// Random. The record has the digest of the row, and everything else in the row but the asker becomes public with the
    /// answer: without this, trying all organisations would tell who asked.
    pub blind: String,
    /// What is asked.
    pub text: String,
    /// When its last byte was in.
    pub asked_at: Timestamp,
    /// An admitted objection is answered until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_due_at: Option<Timestamp>,
    /// Why an objection is not admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inadmissible: Option<Inadmissible>,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
}

/// Why an objection is not admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Inadmissible {
    /// Stable code.
    pub code: String,
    /// The rule that says so.
    pub rule: Option<String>,
    /// What is, and what is needed.
    pub detail: Bilingual,
    /// What can be done instead.
    pub hint: Bilingual,
}

/// A new question.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// `question` or `objection`.
    pub kind: QuestionKind,
    /// What is asked: it is published with its answer, so it should not say who asks.
    pub text: String,
}

/// An answer.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAnswer {
    /// The answer, for everybody.
    pub answer: String,
}

/// A question, as the API shows it: never with its asker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Question {
    /// The question.
    pub id: QuestionId,
    /// Its lot.
    pub lot_id: LotId,
    /// `question` or `objection`.
    pub kind: QuestionKind,
    /// `open`, `answered`, `inadmissible`.
    pub state: String,
    /// Whether your organisation asked it.
    pub mine: bool,
    /// What is asked.
    pub text: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// An admitted objection is answered until then.
    pub answer_due_at: Option<Timestamp>,
    /// The same in China.
    pub answer_due_at_local: Option<String>,
    /// Why an objection is not admitted.
    pub inadmissible: Option<Inadmissible>,
    /// The answer.
    pub answer: Option<String>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
}
