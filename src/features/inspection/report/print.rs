//! A report as JSON or as a page to print, in one language, piece by piece.
//!
//! Invariant: every text that is not written here is escaped; the page loads nothing and runs nothing.

use serde_json::{Value, json};

use super::facts::Facts;
use super::{Report, ReportLine, Said, Section};
use crate::features::inspection::model::EntryView;
use crate::features::opening::html::{STYLE, escape};
use crate::kernel::text::{Language, Phrase};

/// JSON or a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For programs.
    Json,
    /// For paper.
    Html,
}

/// Writes a report down.
#[derive(Debug)]
pub struct Print {
    format: Format,
    language: Language,
    sections: usize,
    lines: usize,
}

const COMPLETE: Phrase =
    Phrase::new("密封的记录已经公开给监督人员,报告完整。", "The sealed entries are released; the report is complete.");
const SEALED: Phrase = Phrase::new(
    "开标前密封:谁投标、多少、何时、大小、拒收和底价在开标后才显示。",
    "Sealed until the opening: who bid, how many, when, sizes, refusals and the reserve show after it.",
);
const CANNOT: Phrase = Phrase::new("本报告无法显示的内容", "What this report cannot show");

impl Print {
    /// In this format and language.
    pub fn new(format: Format, language: Language) -> Self {
        Self { format, language, sections: 0, lines: 0 }
    }

    fn pick(&self, phrase: Phrase) -> &'static str {
        match self.language {
            Language::ZhCn => phrase.zh,
            Language::En => phrase.en,
        }
    }

    fn both(&self, zh: &'static str, en: &'static str) -> &'static str {
        self.pick(Phrase::new(zh, en))
    }

    pub(super) fn head(&mut self, out: &mut String, report: &Report, facts: &Facts) {
        let lot = &facts.lot;
        let deadline = lot.deadline_at();
        let note = self.pick(if facts.released { COMPLETE } else { SEALED });
        if self.format == Format::Json {
            let head = json!({
                "report": report.id, "title": self.pick(report.title), "lot_id": lot.row.id, "lot_title": lot.row.title,
                "state": lot.row.state, "matter": facts.matter, "as_of": facts.as_of, "as_of_local": facts.as_of.local(),
                "deadline_at": deadline, "deadline_at_local": deadline.map(|at| at.local()),
                "complete": facts.released, "note": note,
            });
            out.push_str(head.to_string().trim_end_matches('}'));
            out.push_str(",\"sections\":[");
            return;
        }
        let title = escape(self.pick(report.title));
        out.push_str(&format!(
            "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{title}: {}</title><style>{STYLE}\
             td.at{{white-space:nowrap}}@page{{size:A4;margin:15mm}}thead{{display:table-header-group}}</style></head>\
             <body><h1>{title}</h1><table>",
            self.language.tag(),
            escape(&lot.row.title)
        ));
        let rows = [
            (self.both("标段", "Lot"), format!("{} ({})", lot.row.title, lot.row.id)),
            (self.both("状态", "State"), lot.row.state.clone()),
            (self.both("案号", "Matter"), facts.matter.as_str().to_owned()),
            (
                self.both("截止时间", "Deadline"),
                deadline.map_or_else(|| "—".into(), |at| format!("{} ({at})", at.local())),
            ),
            (self.both("涵盖至", "Covers up to"), format!("{} ({})", facts.as_of.local(), facts.as_of)),
        ];
        for (name, value) in rows {
            out.push_str(&format!("<tr><th>{name}</th><td>{}</td></tr>", escape(&value)));
        }
        out.push_str(&format!("</table><p>{note}</p>"));
    }

    pub(super) fn open(&mut self, out: &mut String, section: &Section, released: bool) {
        let sealed = section.sealed && !released;
        let (title, note) = (self.pick(section.title), self.pick(if sealed { SEALED } else { section.note }));
        if self.format == Format::Json {
            let head = json!({ "id": section.id, "title": title, "note": note, "sealed": sealed });
            out.push_str(if self.sections > 0 { "," } else { "" });
            out.push_str(head.to_string().trim_end_matches('}'));
            out.push_str(",\"lines\":[");
        } else {
            out.push_str(&format!(
                "<h2>{title}</h2><p>{note}</p><table><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>",
                self.both("记录时间", "Recorded at"),
                self.both("内容", "What"),
                self.both("记录编号", "Entry")
            ));
        }
        self.sections += 1;
        self.lines = 0;
    }

    pub(super) fn line(&mut self, out: &mut String, entry: &EntryView, said: Said) {
        let text = match self.language {
            Language::ZhCn => said.text.0,
            Language::En => said.text.1,
        };
        if self.format == Format::Json {
            let line = ReportLine {
                at: entry.at,
                at_local: entry.at.local(),
                entry_id: entry.entry_id.clone(),
                kind: entry.kind.clone(),
                text,
                facts: said.facts,
            };
            out.push_str(if self.lines > 0 { "," } else { "" });
            out.push_str(&serde_json::to_string(&line).expect("a line is plain data with text keys"));
        } else {
            let facts: String = SHOWN.iter().filter_map(|(key, label)| self.shown(key, *label, &said.facts)).collect();
            out.push_str(&format!(
                "<tr><td class=\"at\">{}<br>{}</td><td>{}{facts}</td><td><code>{}</code></td></tr>",
                entry.at.local(),
                entry.at,
                escape(&text),
                escape(&entry.entry_id)
            ));
        }
        self.lines += 1;
    }

    /// A fact that paper needs besides the words.
    fn shown(&self, key: &str, label: Phrase, facts: &serde_json::Map<String, Value>) -> Option<String> {
        let value = facts.get(key).filter(|value| !value.is_null())?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(format!("<br>{}: <code>{}</code>", self.pick(label), escape(&text)))
    }

    pub(super) fn close(&mut self, out: &mut String) {
        if self.format == Format::Json {
            out.push_str("]}");
            return;
        }
        if self.lines == 0 {
            out.push_str(&format!("<tr><td colspan=\"3\">{}</td></tr>", self.both("无", "none")));
        }
        out.push_str("</tbody></table>");
    }

    pub(super) fn tail(&self, out: &mut String, report: &Report) {
        let lines: Vec<&str> = report.cannot_show.iter().map(|phrase| self.pick(*phrase)).collect();
        if self.format == Format::Json {
            out.push_str(&format!("],\"cannot_show\":{}}}", json!(lines)));
            return;
        }
        out.push_str(&format!("<h2>{}</h2><ul>", self.pick(CANNOT)));
        lines.iter().for_each(|line| out.push_str(&format!("<li>{}</li>", escape(line))));
        out.push_str("</ul></body></html>\n");
    }
}

/// What paper shows of a line's facts.
const SHOWN: &[(&str, Phrase)] = &[
    ("received_at_local", Phrase::new("收到", "received")),
    ("received_at", Phrase::new("收到 (UTC)", "received (UTC)")),
    ("deadline_at", Phrase::new("当时的截止时间 (UTC)", "deadline then in force (UTC)")),
    ("deadline_entry_id", Phrase::new("由此记录确定", "set by entry")),
    ("instance", Phrase::new("服务进程", "instance")),
    ("clock_offset_ms", Phrase::new("时钟偏差(毫秒)", "clock offset (ms)")),
];
