//! Replaying the record: everything that follows from the entries is computed again and compared with what is stored.
//!
//! Promises to find, and to name, every difference of these kinds: an entry whose commitment, digests or columns do not
//! follow from its parts; a gap or a wrong link in a stream; a row whose version, state or canonical digest is not what
//! its last entry says; a row without entries, and entries whose row is gone; a lot that moved along no row of its
//! edition's table; an envelope that is not what its header says, or belongs to no recorded version; an entry that inspectors
//! would not find, or find as something else.
//! Invariant: memory does not grow with the record; streams are read one after the other, in pages.
//! Deliberately not here: whether the whole record was replaced by another consistent one. That is found only from
//! outside, by receipts and whatever else was handed out. An entry's project and its mark `sealed` are in no part, so
//! they are not covered either.

mod entry;
mod envelopes;
mod moves;
mod search;
mod subjects;

use std::collections::HashMap;

use diesel::prelude::*;
use serde::Serialize;

use self::entry::{PersonalPart, PublicPart};
use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_personal};
use crate::ledger::Result;
use crate::ledger::audit::EntryRow;
use crate::limits;
use crate::rules::editions::Edition;

/// One thing that does not follow from the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The entry concerned, where there is one.
    pub entry_id: Option<String>,
    /// The stream, which is the id of the subject.
    pub stream: String,
    /// What differs.
    pub what: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.stream)?;
        if let Some(entry) = &self.entry_id {
            write!(f, ", entry {entry}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What a replay looked at, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// Entries recomputed.
    pub entries: u64,
    /// Entries whose personal part was erased; the rest of them still proves.
    pub erased: u64,
    /// Streams followed from their first entry to their last.
    pub streams: u64,
    /// Rows compared with their last entry.
    pub subjects: u64,
    /// Envelopes compared with their headers and owners.
    pub envelopes: u64,
    /// How many differences there are.
    pub found: u64,
    /// The first of them, up to [`limits::REPLAY_DIFFERENCES`].
    pub differences: Vec<Difference>,
}

impl ReplayReport {
    /// Whether everything follows from the record.
    pub fn is_clean(&self) -> bool {
        self.found == 0
    }

    fn add(&mut self, entry_id: Option<&str>, stream: &str, what: impl Into<String>) {
        self.found += 1;
        if self.differences.len() < limits::REPLAY_DIFFERENCES {
            self.differences.push(Difference {
                entry_id: entry_id.map(str::to_owned),
                stream: stream.to_owned(),
                what: what.into(),
            });
        }
    }
}

/// The end of a stream as far as it was read: what its row must look like.
struct Tail {
    stream: String,
    rev: i64,
    entry_id: String,
    commitment: Vec<u8>,
    to: Option<String>,
    object: Option<String>,
    edition: Option<&'static Edition>,
}

impl std::fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { entries, erased, streams, subjects, envelopes, .. } = self;
        writeln!(
            f,
            "{entries} entries ({erased} with their personal part erased), {streams} streams, {subjects} rows, {envelopes} envelopes"
        )?;
        for difference in &self.differences {
            writeln!(f, "- {difference}")?;
        }
        match self.found {
            0 => writeln!(f, "no difference: what is stored follows from the record"),
            found => writeln!(f, "{found} difference(s)"),
        }
    }
}

/// What a page of entries leaves to be compared with other tables.
#[derive(Default)]
struct Found {
    ended: Vec<Tail>,
    envelopes: Vec<envelopes::Named>,
}

/// Replays the record in `conn`, which should be one read-only view: what is written meanwhile would look like damage.
///
/// # Errors
/// The database's; differences are no errors, they are in the report.
pub fn replay(conn: &mut Conn) -> Result<ReplayReport> {
    let mut report = ReplayReport::default();
    let mut open: Option<Tail> = None;
    let mut after: Option<(String, i64)> = None;
    loop {
        let page = page_after(conn, after.as_ref())?;
        let mut personal = personal_parts(conn, &page)?;
        search::compare(conn, &mut report, &page)?;
        let mut found = Found::default();
        for row in &page {
            let tail = follow(&mut report, open.take(), row, personal.remove(&row.entry_id), &mut found);
            open = Some(tail);
        }
        let last = page.last().map(|row| (row.stream.clone(), row.rev));
        if last.is_none() {
            found.ended.extend(open.take());
        }
        report.streams += u64::try_from(found.ended.len()).unwrap_or(0);
        subjects::compare(conn, &mut report, &found.ended)?;
        envelopes::gone(conn, &mut report, &found.envelopes)?;
        match last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    subjects::without_entries(conn, &mut report)?;
    envelopes::compare(conn, &mut report)?;
    search::without_entries(conn, &mut report)?;
    Ok(report)
}

/// The next entries in the order of streams and revisions.
fn page_after(conn: &mut Conn, after: Option<&(String, i64)>) -> Result<Vec<EntryRow>> {
    let mut query = audit_entry::table
        .select(EntryRow::as_select())
        .order((audit_entry::stream.asc(), audit_entry::rev.asc()))
        .limit(limits::REPLAY_PAGE)
        .into_boxed();
    if let Some(place) = after.cloned() {
        query = crate::beyond!(query, audit_entry::stream, audit_entry::rev, place, newer);
    }
    Ok(query.load(conn)?)
}

fn personal_parts(conn: &mut Conn, page: &[EntryRow]) -> Result<HashMap<String, PersonalPart>> {
    let ids: Vec<String> = page.iter().map(|row| row.entry_id.clone()).collect();
    let rows: Vec<(String, Vec<u8>, String)> = audit_personal::table
        .filter(audit_personal::entry_id.eq_any(ids))
        .select((audit_personal::entry_id, audit_personal::s_i, audit_personal::part_i))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, salt, text)| (id, PersonalPart { salt, text })).collect())
}

/// Checks an entry and its link to what came before in its stream; a stream that ended before it goes to `found`.
fn follow(
    report: &mut ReplayReport,
    open: Option<Tail>,
    row: &EntryRow,
    personal: Option<PersonalPart>,
    found: &mut Found,
) -> Tail {
    report.entries += 1;
    report.erased += u64::from(personal.is_none());
    let (part, mut wrong) = entry::check(row, personal.as_ref());
    let part = part.unwrap_or_default();
    let before = match open {
        Some(tail) if tail.stream == row.stream => Some(tail),
        other => {
            found.ended.extend(other);
            None
        }
    };
    wrong.extend(link(before.as_ref(), row, &part));
    let mut edition = before.as_ref().and_then(|tail| tail.edition);
    if moves::is_lot(&row.stream) {
        edition = moves::edition(&part).or(edition);
        wrong.extend(moves::check(edition, &part));
    }
    found.envelopes.extend(envelopes::named(row, &part));
    for what in wrong {
        report.add(Some(&row.entry_id), &row.stream, what);
    }
    Tail {
        stream: row.stream.clone(),
        rev: row.rev,
        entry_id: row.entry_id.clone(),
        commitment: row.c.clone(),
        to: part.to,
        object: part.object,
        edition,
    }
}

/// What is wrong with the place of an entry in its stream.
fn link(before: Option<&Tail>, row: &EntryRow, part: &PublicPart) -> Vec<String> {
    let mut wrong = Vec::new();
    let (rev, commitment, state) = match before {
        Some(tail) => (tail.rev, Some(&tail.commitment), tail.to.as_ref()),
        None => (0, None, None),
    };
    if row.rev != rev + 1 {
        wrong.push(format!("revision {} follows {rev}", row.rev));
    }
    if row.prev.as_ref() != commitment {
        wrong.push("prev is not the commitment of the entry before".to_owned());
    }
    if part.from.as_ref() != state {
        wrong.push(format!("from is {:?}, the entry before led to {state:?}", part.from));
    }
    wrong
}
