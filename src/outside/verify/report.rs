//! What a check comes to: proven, refuted, undecided, or two signed heads that contradict each other.

use serde_json::{Map, Value, json};

use crate::kernel::text::{Bilingual, Phrase};

/// One thing that a check has shown, for people and for machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its key in the JSON form.
    pub key: &'static str,
    /// What it is called.
    pub label: Phrase,
    /// The value.
    pub value: Value,
}

/// What was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// In a sentence.
    pub what: Bilingual,
    /// What goes with it.
    pub facts: Vec<Fact>,
}

impl Proven {
    /// Proven, with nothing to add yet.
    pub fn new(what: Bilingual) -> Self {
        Self { what, facts: Vec::new() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, key: &'static str, zh: &'static str, en: &'static str, value: impl Into<Value>) -> Self {
        self.facts.push(Fact { key, label: Phrase::new(zh, en), value: value.into() });
        self
    }

    /// Adds the facts of another check.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.facts.extend(other.facts);
        self
    }
}

/// What was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A file, a tile, an entry: the smallest thing that can be named.
    pub place: String,
    /// What is the matter with it.
    pub what: Bilingual,
}

impl Finding {
    /// A finding.
    pub fn new(place: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { place: place.into(), what: Bilingual::new(zh, en) }
    }
}

/// Why nothing was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is not as it should be: bytes were changed, or somebody says what is not so.
    Refuted(Finding),
    /// What is there neither proves nor refutes: something is missing, unsigned by those who should, or of a version that this
    /// program does not know.
    Undecided(Finding),
    /// The log signed two heads that cannot both be of one tree.
    Forked {
        /// What was compared.
        finding: Finding,
        /// The two signed notes: together they are the evidence.
        heads: Box<[String; 2]>,
    },
}

/// What a check returns.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// Refuted.
    pub fn refuted(place: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Refuted(Finding::new(place, zh, en))
    }

    /// Undecided.
    pub fn undecided(place: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Undecided(Finding::new(place, zh, en))
    }

    /// The exit code: 1 refuted, 3 undecided, 4 two heads.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Refuted(_) => 1,
            Self::Undecided(_) => 3,
            Self::Forked { .. } => 4,
        }
    }

    /// What was found.
    pub const fn finding(&self) -> &Finding {
        match self {
            Self::Refuted(finding) | Self::Undecided(finding) | Self::Forked { finding, .. } => finding,
        }
    }

    /// The verdict in a word, for machines.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Refuted(_) => "refuted",
            Self::Undecided(_) => "undecided",
            Self::Forked { .. } => "forked",
        }
    }

    /// The verdict in words, for people.
    pub const fn title(&self) -> Phrase {
        match self {
            Self::Refuted(_) => Phrase::new("不成立", "REFUTED"),
            Self::Undecided(_) => Phrase::new("无法判定", "UNDECIDED"),
            Self::Forked { .. } => Phrase::new("两份已签名的检查点互相矛盾", "TWO SIGNED HEADS DISAGREE"),
        }
    }
}

/// The JSON form of a check's outcome.
pub fn to_json(outcome: &Result<Proven>) -> Value {
    match outcome {
        Ok(proven) => {
            let facts = proven.facts.iter().map(|fact| (fact.key.to_owned(), fact.value.clone()));
            let mut object: Map<String, Value> = facts.collect();
            object.insert("holds".into(), true.into());
            object.insert("exit_code".into(), 0.into());
            object.insert("verdict".into(), "proven".into());
            object.insert("what".into(), json!(proven.what));
            Value::Object(object)
        }
        Err(failure) => json!({
            "holds": false,
            "exit_code": failure.code(),
            "verdict": failure.word(),
            "place": failure.finding().place,
            "what": failure.finding().what,
        }),
    }
}
