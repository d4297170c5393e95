//! Walks a report's sections through the record, page by page, and yields its text as it goes.

use actix_web::web::Bytes;
use diesel::prelude::*;
use futures_util::stream::{self, Stream};

use super::facts::{Facts, Names};
use super::print::Print;
use super::{Report, Section, Whence};
use crate::db::Conn;
use crate::db::schema::audit_search;
use crate::features::inspection::model;
use crate::features::inspection::search::names;
use crate::features::inspection::search::queries::{self as search, Found};
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Reader, Result};
use crate::limits;
use std::sync::Arc;

/// Where a walk is.
struct Walk {
    reader: Reader,
    report: &'static Report,
    facts: Arc<Facts>,
    print: Print,
    place: Place,
}

enum Place {
    Head,
    /// In the section of this number, after this entry.
    Section(usize, Option<(i64, String)>),
    Done,
}

/// The text of a report, in pieces.
pub fn stream(
    reader: Reader,
    report: &'static Report,
    facts: Facts,
    print: Print,
) -> impl Stream<Item = std::result::Result<Bytes, Error>> {
    let walk = Walk { reader, report, facts: Arc::new(facts), print, place: Place::Head };
    stream::try_unfold(walk, |mut walk| async move {
        let text = walk.step().await?;
        Ok(text.map(|text| (Bytes::from(text), walk)))
    })
}

impl Walk {
    /// The next piece; none at the end.
    async fn step(&mut self) -> Result<Option<String>> {
        let mut out = String::new();
        let (number, after) = match std::mem::replace(&mut self.place, Place::Done) {
            Place::Done => return Ok(None),
            Place::Head => {
                self.print.head(&mut out, self.report, &self.facts);
                self.place = Place::Section(0, None);
                return Ok(Some(out));
            }
            Place::Section(number, after) => (number, after),
        };
        let Some(section) = self.report.sections.get(number) else {
            self.print.tail(&mut out, self.report);
            return Ok(Some(out));
        };
        if after.is_none() {
            self.print.open(&mut out, section, self.facts.released);
        }
        let last =
            if section.sealed && !self.facts.released { None } else { self.lines(&mut out, section, after).await? };
        self.place = match last {
            Some(last) => Place::Section(number, Some(last)),
            None => {
                self.print.close(&mut out);
                Place::Section(number + 1, None)
            }
        };
        Ok(Some(out))
    }

    /// Prints a page of a section; returns its last place where more may follow.
    async fn lines(
        &mut self,
        out: &mut String,
        section: &'static Section,
        after: Option<(i64, String)>,
    ) -> Result<Option<(i64, String)>> {
        let facts = self.facts.clone();
        let (rows, names) = self
            .reader
            .read(move |conn| {
                let rows = page(conn, section, &facts, after)?;
                let names = Names::load(conn, &rows)?;
                Ok((rows, names))
            })
            .await?;
        for row in &rows {
            let entry = model::view(row, None)?;
            if let Some(said) = (section.line)(&self.facts, &names, &entry) {
                self.print.line(out, &entry, said);
            }
        }
        let full = i64::try_from(rows.len()).is_ok_and(|found| found >= limits::REPORT_PAGE);
        Ok(rows.last().filter(|_| full).map(|row| (row.at_ms, row.entry_id.clone())))
    }
}

/// The next entries of a section, oldest first. What is sealed stays out until it is released.
fn page(conn: &mut Conn, section: &Section, facts: &Facts, after: Option<(i64, String)>) -> Result<Vec<EntryRow>> {
    let (from, to) = (section.time)(facts);
    let kinds = names::numbers(conn, section.kinds)?;
    let after = search::place(conn, after.as_ref())?;
    let lot = names::number(conn, &facts.lot.row.id)?;
    let mut query = audit_search::table
        .select(Found::as_select())
        .filter(audit_search::at_ms.between(from.millis(), to.millis()))
        .filter(audit_search::kind.eq_any(kinds))
        .order((audit_search::at_ms.asc(), audit_search::n.asc()))
        .limit(limits::REPORT_PAGE)
        .into_boxed();
    query = match section.whence {
        Whence::Lot => query.filter(audit_search::lot.eq(lot)),
        Whence::Platform => query.filter(audit_search::lot.is_null()),
    };
    if !facts.released || section.whence == Whence::Platform {
        query = query.filter(audit_search::sealed.eq(false));
    }
    if let Some(place) = after {
        query = crate::beyond!(query, audit_search::at_ms, audit_search::n, place, newer);
    }
    let places = query.load(conn)?;
    search::entries(conn, places)
}
