//! What the people of a drill were told is done. Everything in here must be true whatever was killed afterwards.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// An act with a sealed bid that was answered: accepted, or refused by a rule, on record either way.
#[derive(Clone, Debug)]
pub struct Act {
    /// The bidder's number.
    pub who: usize,
    /// The lot.
    pub lot: String,
    /// The request.
    pub path: String,
    /// Its key.
    pub key: String,
    /// Its body.
    pub body: Value,
    /// The signed answer.
    pub answer: Value,
    /// Whether a rule refused it.
    pub refused: bool,
    /// Whether a mail was asked for.
    pub notify: bool,
}

impl Act {
    /// A text of the answer.
    pub fn said(&self, field: &str) -> &str {
        self.answer[field].as_str().unwrap_or_default()
    }
}

/// Everything that was answered.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Acts with bids.
    pub acts: Vec<Act>,
    /// Uploads that are complete, with the bidder's number.
    pub uploads: Vec<(usize, String)>,
    /// Questions: the lot, the question.
    pub questions: Vec<(String, String)>,
    /// Lots, and a state that each was in.
    pub moves: Vec<(String, String)>,
    /// Clarifications of a lot, and who held its documents or had bid before.
    pub clarified: Vec<(String, Vec<usize>)>,
    /// Who fetched the documents of which lot.
    pub holders: BTreeMap<String, Vec<usize>>,
    /// Lots whose session was closed.
    pub opened: Vec<String>,
    /// Lots that ended without an opening.
    pub unsuccessful: Vec<String>,
    /// What must not be.
    pub wrong: Vec<String>,
}

/// The journal.
#[derive(Default)]
pub struct Journal(Mutex<Told>);

impl Journal {
    /// The page at hand.
    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes something that must not be.
    pub fn wrong(&self, what: impl Into<String>) {
        self.told().wrong.push(what.into());
    }

    /// Notes that somebody holds the documents of a lot.
    pub fn holds(&self, lot: &str, who: usize) {
        let mut told = self.told();
        let holders = told.holders.entry(lot.to_owned()).or_default();
        if !holders.contains(&who) {
            holders.push(who);
        }
    }
}
