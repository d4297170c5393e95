//! Policies (C2SP tlog-policy): which logs and witnesses are trusted, and how many of them must have signed a checkpoint.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::{Checkpoint, CheckpointError, decimal};
use super::note::{KeyError, Kind, Note, NoteError, Verifier};

/// The name that stands for no cosignatures at all.
const NONE: &str = "none";
/// Lines that a policy may have: far more than the 32 logs, witnesses and groups that must be supported.
const LINES_MAX: usize = 1000;

/// A log or a witness, and where it is, if the policy says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its key.
    pub key: Verifier,
    /// Its address.
    pub url: Option<String>,
}

/// Who must have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Witness(Party),
    /// A witness whose key is of a type that this program does not know: it cannot be counted.
    Unknown,
    Group {
        least: usize,
        members: Vec<String>,
    },
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Party>,
    rules: BTreeMap<String, Rule>,
    quorum: String,
}

/// What is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {what}")]
pub struct PolicyError {
    /// Which line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// A checkpoint that satisfies a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The head of the tree.
    pub checkpoint: Checkpoint,
    /// The name of the log's key that signed it.
    pub log: Verifier,
    /// Names, in the policy, of the witnesses that cosigned, with their times, seconds since 1970.
    pub witnesses: Vec<(String, u64)>,
}

/// Why a checkpoint does not satisfy a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no checkpoint, or no log of the policy signed it, or a signature of a known key does not fit.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// A witness's line does not fit.
    #[error("the cosignature of witness {0} does not fit the checkpoint")]
    BadCosignature(String),
    /// Too few witnesses.
    #[error("the quorum `{quorum}` is not met: cosigned by {}", if .seen.is_empty() { "no witness".to_owned() } else { .seen.join(", ") })]
    Quorum {
        /// The name of the quorum.
        quorum: String,
        /// The witnesses that did cosign.
        seen: Vec<String>,
    },
}

impl Policy {
    /// The policy that trusts one log and asks for no witness.
    pub fn of_log(key: Verifier) -> Self {
        Self { logs: vec![Party { key, url: None }], rules: BTreeMap::new(), quorum: NONE.to_owned() }
    }

    /// The policy that trusts these keys of logs and asks for no witness: a log whose key was changed has several.
    pub fn of_logs(keys: Vec<Verifier>) -> Self {
        let logs = keys.into_iter().map(|key| Party { key, url: None }).collect();
        Self { logs, rules: BTreeMap::new(), quorum: NONE.to_owned() }
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut reading = Reading::default();
        if text.lines().count() > LINES_MAX {
            return Err(PolicyError { line: 0, what: "too many lines" });
        }
        for (line, at) in text.split('\n').zip(1..) {
            if line.chars().any(|c| c < ' ' && c != '\t' || c == '\u{7f}') {
                return Err(PolicyError { line: at, what: "a control character" });
            }
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            reading.line(&words).map_err(|what| PolicyError { line: at, what })?;
        }
        let quorum = reading.quorum.ok_or(PolicyError { line: 0, what: "there is no quorum line" })?;
        Ok(Self { logs: reading.logs, rules: reading.rules, quorum })
    }

    /// The time from one batch to the next, in milliseconds, which a log tells in a comment of its policy:
    /// `# tick <T> ms, padding <Q>`.
    pub fn tick_ms(text: &str) -> Option<u64> {
        let told = |line: &str| decimal(line.strip_prefix("# tick ")?.split_once(" ms, padding ")?.0);
        text.lines().find_map(told).filter(|tick| *tick > 0)
    }

    /// The logs it trusts.
    pub fn logs(&self) -> &[Party] {
        &self.logs
    }

    /// The witnesses it names, by their names.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &Party)> {
        self.rules.iter().filter_map(|(name, rule)| match rule {
            Rule::Witness(party) => Some((name.as_str(), party)),
            Rule::Unknown | Rule::Group { .. } => None,
        })
    }

    /// Whether any cosignature is asked for.
    pub fn needs_witnesses(&self) -> bool {
        self.quorum != NONE
    }

    /// Whether these witnesses, by their names, are enough.
    pub fn is_met(&self, cosigned: &BTreeSet<&str>) -> bool {
        self.quorum == NONE || self.met(&self.quorum, cosigned)
    }

    fn met(&self, name: &str, cosigned: &BTreeSet<&str>) -> bool {
        match self.rules.get(name) {
            Some(Rule::Witness(_)) => cosigned.contains(name),
            Some(Rule::Group { least, members }) => {
                members.iter().filter(|member| self.met(member, cosigned)).count() >= *least
            }
            Some(Rule::Unknown) | None => false,
        }
    }

    /// Checks a signed checkpoint: one of the logs signed it, and enough witnesses did. A line of a known key that does not fit
    /// is a reason to refuse the whole.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn check(&self, note: &str) -> Result<Accepted, Refused> {
        let (checkpoint, log) = self.open(note)?;
        let parsed = Note::parse(note).map_err(CheckpointError::from)?;
        let mut witnesses = Vec::new();
        for (name, party) in self.witnesses() {
            match parsed.verify(&party.key) {
                Ok(signed) => witnesses.push((name.to_owned(), signed.witnessed_at.unwrap_or_default())),
                Err(NoteError::NotSigned) => {}
                Err(_) => return Err(Refused::BadCosignature(name.to_owned())),
            }
        }
        let seen: BTreeSet<&str> = witnesses.iter().map(|(name, _)| name.as_str()).collect();
        if !self.is_met(&seen) {
            let seen = seen.into_iter().map(str::to_owned).collect();
            return Err(Refused::Quorum { quorum: self.quorum.clone(), seen });
        }
        Ok(Accepted { checkpoint, log, witnesses })
    }

    /// Checks that one of the logs signed a checkpoint, and nothing of its witnesses.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn open(&self, note: &str) -> Result<(Checkpoint, Verifier), CheckpointError> {
        let mut first_error = None;
        for log in &self.logs {
            match Checkpoint::open(note, &log.key) {
                Ok(checkpoint) => return Ok((checkpoint, log.key.clone())),
                Err(CheckpointError::Note(NoteError::NotSigned)) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or(CheckpointError::Note(NoteError::NotSigned)))
    }
}

#[derive(Default)]
struct Reading {
    logs: Vec<Party>,
    rules: BTreeMap<String, Rule>,
    members: BTreeSet<String>,
    keys: BTreeSet<[u8; 32]>,
    quorum: Option<String>,
}

impl Reading {
    fn line(&mut self, words: &[&str]) -> Result<(), &'static str> {
        match *words {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, least, ref members @ ..] => self.group(name, least, members),
            ["quorum", name] => self.quorum(name),
            _ => Err("not a line of a policy: log, witness, group or quorum with their words"),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), &'static str> {
        let key = match Verifier::parse(key) {
            Ok(key) if key.kind() == Kind::Text => key,
            Ok(_) => return Err("the key of a log must be of type 0x01"),
            // Another type of key of a log: nothing that it alone signs is accepted.
            Err(KeyError::Unsupported) => return Ok(()),
            Err(KeyError::Malformed) => return Err("not a verifier key (name+id+key)"),
        };
        if self.logs.iter().any(|log| log.key.public_key() == key.public_key()) {
            return Err("this log's key is there already");
        }
        self.logs.push(Party { key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn define(&mut self, name: &str, rule: Rule) -> Result<(), &'static str> {
        if name == NONE || self.rules.contains_key(name) {
            return Err("this name is taken");
        }
        self.rules.insert(name.to_owned(), rule);
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), &'static str> {
        match Verifier::parse(key) {
            Ok(key) if key.kind() == Kind::Cosignature => {
                if !self.keys.insert(*key.public_key()) {
                    return Err("this witness's key is there already");
                }
                self.define(name, Rule::Witness(Party { key, url: url.map(str::to_owned) }))
            }
            Ok(_) => Err("the key of a witness must be of type 0x04"),
            Err(KeyError::Unsupported) => self.define(name, Rule::Unknown),
            Err(KeyError::Malformed) => Err("not a verifier key (name+id+key)"),
        }
    }

    fn group(&mut self, name: &str, least: &str, members: &[&str]) -> Result<(), &'static str> {
        let least = match least {
            "all" => members.len(),
            "any" => 1,
            number => decimal(number).and_then(|k| usize::try_from(k).ok()).ok_or("how many: all, any or a number")?,
        };
        if least < 1 || least > members.len() {
            return Err("a group needs between one and all of its members");
        }
        for member in members {
            if !self.rules.contains_key(*member) {
                return Err("a member that no line above defines");
            }
            if !self.members.insert((*member).to_owned()) {
                return Err("a name may be a member once only");
            }
        }
        self.define(name, Rule::Group { least, members: members.iter().map(|member| (*member).to_owned()).collect() })
    }

    fn quorum(&mut self, name: &str) -> Result<(), &'static str> {
        if self.quorum.is_some() {
            return Err("there is a quorum line already");
        }
        if name != NONE && !self.rules.contains_key(name) {
            return Err("a quorum that no line above defines");
        }
        self.quorum = Some(name.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
