//! What goes wrong when a server is asked.

use serde::Deserialize;

use crate::kernel::time::Timestamp;

/// What a call returns.
pub type Result<T> = std::result::Result<T, ClientError>;

/// Why a call did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server says no and why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The server could not be reached, or the line broke, again and again.
    #[error("the server cannot be reached: {0}")]
    Line(String),
    /// The server answered something that is not in the API description.
    #[error("the server's answer is not what the API description promises: {0}")]
    Answer(String),
    /// The server answered with a status and without a problem description: not our server, or one in front of it.
    #[error("status {0} without a problem description")]
    Status(u16),
    /// What came from the server does not stand up to a check; nothing was sent after it.
    #[error("not trusted: {0}")]
    Untrusted(String),
    /// A bid could not be sealed as asked.
    #[error("cannot be sealed: {0}")]
    Seal(String),
    /// A file of this machine.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// What is wrong with it.
        error: std::io::Error,
    },
}

impl ClientError {
    /// The stable code, where the server refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }
}

/// A refusal as the server words it (RFC 9457).
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// A few words.
    pub title: String,
    /// What is wrong.
    pub detail: String,
    /// What would help.
    #[serde(default)]
    pub hint: Option<String>,
    /// The rule that refuses.
    #[serde(default)]
    pub rule: Option<RuleNamed>,
    /// The earliest instant at which it can become possible.
    #[serde(default)]
    pub possible_at: Option<Timestamp>,
    /// The request's id.
    #[serde(default)]
    pub request_id: String,
    /// A signed refusal, where the attempt is on record.
    #[serde(default)]
    pub refusal: Option<serde_json::Value>,
}

/// A rule and its source.
#[derive(Clone, Debug, Deserialize)]
pub struct RuleNamed {
    /// Such as `ENG-01`.
    pub id: String,
    /// The article.
    pub source: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.detail)?;
        if let Some(rule) = &self.rule {
            write!(f, " [{}, {}]", rule.id, rule.source)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " {hint}")?;
        }
        Ok(())
    }
}
