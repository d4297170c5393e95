//! The two ready reports about a lot: was a late bid let in, and did someone look early?
//!
//! A report is a table of sections, and a section is a question to the record: which kinds of entries, of the lot or of the
//! platform, from when to when, and how each reads as a line. Every line names the entry that it comes from.
//! Invariants: before the lot's sealed entries are released a section about sealed facts says that it is sealed, and no
//! more; entries are read in pages, so that memory does not grow with the lot; a report covers what was recorded up to
//! the look that asked for it.
//! Left out on purpose: judgement. A report says what is on record, and what no record of ours can show.

pub mod access;
pub mod deadline;
pub mod facts;
pub mod print;
mod span;
mod walk;
mod words;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use self::facts::{Facts, Names};
use super::model::EntryView;
use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::Timestamp;

pub use self::walk::stream;

/// A report about a lot.
#[derive(Debug)]
pub struct Report {
    /// Its name in the address.
    pub id: &'static str,
    /// What it answers.
    pub title: Phrase,
    /// Its sections, in order.
    pub sections: &'static [Section],
    /// What it cannot show.
    pub cannot_show: &'static [Phrase],
}

/// Every report.
pub const REPORTS: [&Report; 2] = [&deadline::REPORT, &access::REPORT];

/// Whose entries a section shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The lot's.
    Lot,
    /// Those of no lot, as far as they fall into the section's time.
    Platform,
}

/// One section.
#[derive(Debug)]
pub struct Section {
    /// Stable name.
    pub id: &'static str,
    /// Heading.
    pub title: Phrase,
    /// What it shows, in a sentence.
    pub note: Phrase,
    /// Whose entries.
    pub whence: Whence,
    /// Of which kinds.
    pub kinds: &'static [&'static str],
    /// Its entries tell of sealed facts.
    pub sealed: bool,
    /// From when to when.
    pub time: fn(&Facts) -> (Timestamp, Timestamp),
    /// How an entry reads; none where it does not belong here after all.
    pub line: fn(&Facts, &Names, &EntryView) -> Option<Said>,
}

/// What a line says.
#[derive(Debug, Default)]
pub struct Said {
    /// In words.
    pub text: (String, String),
    /// The same as data.
    pub facts: Map<String, Value>,
}

/// A line of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportLine {
    /// When it was recorded.
    pub at: Timestamp,
    /// The same instant in China.
    pub at_local: String,
    /// The entry that says so; look it up with `GET /v1/inspection/entries/{entry}`.
    pub entry_id: String,
    /// The kind of the entry.
    pub kind: String,
    /// In plain words.
    pub text: String,
    /// The same as data.
    #[schema(value_type = Object)]
    pub facts: Map<String, Value>,
}

/// A section of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportSection {
    /// Stable name.
    pub id: String,
    /// Heading.
    pub title: String,
    /// What it shows.
    pub note: String,
    /// It tells of sealed facts and has no lines until the lot's sealed entries are released.
    pub sealed: bool,
    /// Its lines, oldest first.
    pub lines: Vec<ReportLine>,
}

/// A report about a lot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportView {
    /// `deadline` or `access`.
    pub report: String,
    /// What it answers.
    pub title: String,
    /// The lot.
    pub lot_id: String,
    /// The lot's title.
    pub lot_title: String,
    /// The lot's state.
    pub state: String,
    /// For which matter it was made.
    pub matter: String,
    /// It covers what was recorded up to here.
    pub as_of: Timestamp,
    /// The same instant in China.
    pub as_of_local: String,
    /// The deadline in force.
    pub deadline_at: Option<Timestamp>,
    /// The same instant in China.
    pub deadline_at_local: Option<String>,
    /// Whether the sealed entries are released, so that the report is complete.
    pub complete: bool,
    /// What that means.
    pub note: String,
    /// The sections.
    pub sections: Vec<ReportSection>,
    /// What it cannot show.
    pub cannot_show: Vec<String>,
}

impl Said {
    /// In both languages.
    pub fn new(text: Bilingual) -> Self {
        Self { text: (text.zh, text.en), facts: Map::new() }
    }

    /// With a fact.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(key.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sections_have_names_of_their_own_and_words_for_every_kind() {
        for report in REPORTS {
            let ids: BTreeSet<&str> = report.sections.iter().map(|section| section.id).collect();
            assert_eq!(ids.len(), report.sections.len(), "{}", report.id);
            for kind in report.sections.iter().flat_map(|section| section.kinds) {
                assert!(words::of(kind).is_some(), "{kind} has no words");
            }
        }
    }
}
