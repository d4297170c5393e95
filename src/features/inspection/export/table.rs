//! Entries as a table for spreadsheets: UTF-8 with its mark, lines that end with CR LF, no cell that is a formula.

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use crate::features::inspection::model::EntryView;
use crate::features::inspection::report::facts::Names;
use crate::kernel::text::{Language, Phrase};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};

/// By this a spreadsheet knows that a file is UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The first cell of the last row, in every language: no entry has an id like it.
pub const END: &str = "#end";

/// A spreadsheet takes a cell for a formula, or for the continuation of one, when it begins with one of these; in a Chinese
/// one the wide forms of the signs count too. The apostrophe is among them because it is what the others are hidden behind.
const GUARDED: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\''];

/// A column.
pub struct Column {
    name: Phrase,
    cell: fn(&EntryView, &Names) -> String,
}

const fn column(zh: &'static str, en: &'static str, cell: fn(&EntryView, &Names) -> String) -> Column {
    Column { name: Phrase::new(zh, en), cell }
}

/// The columns of an export.
pub const EXPORT: &[Column] = &[
    column("记录编号", "entry_id", |entry, _| entry.entry_id.clone()),
    column("记录时间(UTC)", "at", |entry, _| entry.at.to_string()),
    column("记录时间(北京时间)", "at_local", |entry, _| entry.at.local()),
    column("类型", "kind", |entry, _| entry.kind.clone()),
    column("记录流", "stream", |entry, _| entry.stream.clone()),
    column("版本", "rev", |entry, _| entry.rev.to_string()),
    column("标段编号", "lot_id", |entry, _| text(entry.lot_id.as_ref())),
    column("项目编号", "project_id", |entry, _| text(entry.project_id.as_ref())),
    column("单位编号", "org_id", |entry, _| text(entry.org_id.as_ref())),
    column("单位名称", "org_name", |entry, names| name(entry.org_id.as_ref(), names)),
    column("用户编号", "actor_id", |entry, _| text(entry.actor_id.as_ref())),
    column("登录名", "actor_login", |entry, names| name(entry.actor_id.as_ref(), names)),
    column("曾密封", "sealed", |entry, _| entry.sealed.to_string()),
    column("公开部分", "public", |entry, _| entry.public.to_string()),
    column("受限部分", "restricted", |entry, _| entry.restricted.to_string()),
    column("承诺值", "commitment", |entry, _| entry.commitment.clone()),
    column("日志条目序号", "leaf_index", |entry, _| number(entry.leaf_index)),
];

/// The columns of the table of contents of an evidence bundle: nothing that may change after the entry is in the log.
pub const CONTENTS: &[Column] = &[
    column("日志条目序号", "leaf_index", |entry, _| number(entry.leaf_index)),
    column("记录编号", "entry_id", |entry, _| entry.entry_id.clone()),
    column("记录时间(UTC)", "at", |entry, _| entry.at.to_string()),
    column("记录时间(北京时间)", "at_local", |entry, _| entry.at.local()),
    column("类型", "kind", |entry, _| entry.kind.clone()),
    column("记录流", "stream", |entry, _| entry.stream.clone()),
    column("版本", "rev", |entry, _| entry.rev.to_string()),
    column("标段编号", "lot_id", |entry, _| text(entry.lot_id.as_ref())),
    column("单位编号", "org_id", |entry, _| text(entry.org_id.as_ref())),
    column("用户编号", "actor_id", |entry, _| text(entry.actor_id.as_ref())),
    column("承诺值", "commitment", |entry, _| entry.commitment.clone()),
];

fn number(value: Option<u64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn name(id: Option<&String>, names: &Names) -> String {
    id.map(|id| names.of(id).to_owned()).unwrap_or_default()
}

/// A cell that no spreadsheet computes: an apostrophe before what would be taken for a formula. Whoever reads the file
/// with a program takes one apostrophe away where a cell begins with one, and has what was there.
fn inert(text: String) -> String {
    if text.starts_with(GUARDED) { format!("'{text}") } else { text }
}

fn writer() -> Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).quote_style(QuoteStyle::Always).from_writer(Vec::new())
}

fn written(result: csv::Result<()>) -> Result<()> {
    result.map_err(|error| Error::internal(format!("a row: {error}")))
}

fn finished(writer: Writer<Vec<u8>>) -> Result<Vec<u8>> {
    writer.into_inner().map_err(|error| Error::internal(format!("rows: {error}")))
}

/// The mark and the names of the columns.
///
/// # Errors
/// When a row cannot be written.
pub fn head(columns: &[Column], language: Language) -> Result<Vec<u8>> {
    let mut writer = writer();
    written(writer.write_record(columns.iter().map(|column| column.name.get(language))))?;
    Ok([BYTE_ORDER_MARK, &finished(writer)?].concat())
}

/// A row for each entry.
///
/// # Errors
/// When a row cannot be written.
pub fn rows(columns: &[Column], entries: &[EntryView], names: &Names) -> Result<Vec<u8>> {
    let mut writer = writer();
    for entry in entries {
        written(writer.write_record(columns.iter().map(|column| inert((column.cell)(entry, names)))))?;
    }
    finished(writer)
}

/// The last row: the mark, the instant that the file stands for, the number of rows and the look.
pub(super) fn end(rows: u64, look: &str, as_of: Timestamp) -> Result<Vec<u8>> {
    let mut cells = vec![END.to_owned(), as_of.to_string(), as_of.local(), format!("rows={rows}"), look.to_owned()];
    cells.resize(EXPORT.len(), String::new());
    let mut writer = writer();
    written(writer.write_record(cells))?;
    finished(writer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_what_was_there_comes_back() {
        let plain = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''", "'"];
        let wide = ["\u{ff1d}1", "\u{ff0b}1", "\u{ff0d}1", "\u{ff20}1"];
        let dangerous = plain.into_iter().chain(wide);
        for text in dangerous {
            let cell = inert(text.to_owned());
            assert_eq!(cell, format!("'{text}"));
            assert_eq!(cell.strip_prefix('\''), Some(text));
        }
        for text in ["", "a=1", "{\"a\":\"=1\"}", "中文", "1"] {
            assert_eq!(inert(text.to_owned()), text);
        }
    }

    #[test]
    fn columns_have_names_of_their_own_in_both_languages() {
        for (columns, language) in [EXPORT, CONTENTS]
            .into_iter()
            .flat_map(|columns| [Language::ZhCn, Language::En].map(|language| (columns, language)))
        {
            let mut names: Vec<&str> = columns.iter().map(|column| column.name.get(language)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), columns.len());
        }
    }
}
