//! A search of the record as a file: every entry that it finds, as NDJSON or CSV, and a last line that says that it is whole.
//!
//! Invariants: an export shows what the pages of the same search would show, as of one instant, that of the look that was
//! recorded for it; entries are read in pages, so that memory does not grow with the record; the last line is written only
//! after the number of rows and the digest of the file are on record, and a file without it is incomplete.
//! Left out on purpose: a job that makes the file. It is made while it is sent, and nothing of it stays here.

pub mod table;
mod walk;

use serde_json::json;

pub use self::walk::{Export, stream};
use super::model::EntryView;
use super::report::facts::Names;
use crate::http::accept::first_of;
use crate::kernel::text::Language;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One entry a line, as the list shows it.
    NdJson,
    /// For spreadsheets.
    Csv,
}

/// The media type of a page of the list.
const JSON: &str = "application/json";
/// The media type of NDJSON.
pub const NDJSON: &str = "application/x-ndjson";
/// The media type of CSV.
pub const CSV: &str = "text/csv";

impl Format {
    /// The form that an `Accept` header asks for before it asks for JSON; none where it wants a page of the list.
    pub fn wanted(accept: &str) -> Option<Self> {
        match first_of(accept, &[NDJSON, CSV, JSON, "*/*"]) {
            Some(NDJSON) => Some(Self::NdJson),
            Some(CSV) => Some(Self::Csv),
            _ => None,
        }
    }

    /// Its name, as the look that is on record has it and as file names end.
    pub fn name(self) -> &'static str {
        match self {
            Self::NdJson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// The `Content-Type` of an answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::NdJson => NDJSON,
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The name that the file is given.
    pub fn file_name(self, as_of: Timestamp) -> String {
        let instant: String = as_of.to_string().chars().filter(|c| !matches!(c, '-' | ':' | '.')).collect();
        format!("sealbid-entries-{instant}.{}", self.name())
    }

    /// What stands before the first entry.
    fn head(self, language: Language) -> Result<Vec<u8>> {
        match self {
            Self::NdJson => Ok(Vec::new()),
            Self::Csv => table::head(table::EXPORT, language),
        }
    }

    /// Entries as they stand in the file.
    fn rows(self, entries: &[EntryView], names: &Names) -> Result<Vec<u8>> {
        match self {
            Self::NdJson => Ok(entries.iter().flat_map(|entry| line(&json!(entry))).collect()),
            Self::Csv => table::rows(table::EXPORT, entries, names),
        }
    }

    /// The last line: so many rows, and the look for which they were shown.
    fn end(self, rows: u64, look: &str, as_of: Timestamp) -> Result<Vec<u8>> {
        match self {
            Self::NdJson => Ok(line(&json!({ "end": { "rows": rows, "look": look, "as_of": as_of } }))),
            Self::Csv => table::end(rows, look, as_of),
        }
    }
}

fn line(value: &serde_json::Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_only_where_it_is_asked_for() {
        assert_eq!(Format::wanted("application/x-ndjson"), Some(Format::NdJson));
        assert_eq!(Format::wanted("text/csv, */*;q=0.1"), Some(Format::Csv));
        for accept in ["", "*/*", "application/json", "application/json, text/csv", "text/html"] {
            assert_eq!(Format::wanted(accept), None, "{accept}");
        }
    }

    #[test]
    fn a_file_is_named_after_its_instant() {
        let at = Timestamp::parse("2026-03-02T01:00:00.123Z").expect("a time");
        assert_eq!(Format::Csv.file_name(at), "sealbid-entries-20260302T010000123Z.csv");
    }
}
