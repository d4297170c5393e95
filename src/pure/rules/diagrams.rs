//! Diagrams and tables for people, drawn from the transition tables and never by hand.

use crate::kernel::money::{Currency, Money};
use crate::rules::bid::BID_TABLE;
use crate::rules::editions::{DepositLimit, Edition};
use crate::rules::opening::SESSION_TABLE;
use crate::rules::table::{Machine, Named, Next, Row};

/// The page of an edition: its columns, the diagram and the table of a lot.
pub fn procedure_md(edition: &Edition) -> String {
    let mut page = format!(
        "# {} · {}\n\nMade from edition `{}` in `src/pure/rules`; do not edit.\n\n## Columns\n\n| Column | Value |\n| --- | --- |\n",
        edition.title.en, edition.title.zh, edition.id
    );
    for (name, value) in columns(edition) {
        page.push_str(&format!("| {name} | {value} |\n"));
    }
    page.push_str(&machine_md(edition.table));
    page
}

/// The page of the machine of a bid.
pub fn bid_md() -> String {
    format!("# Bid · 投标\n\nMade from `src/pure/rules/bid.rs`; do not edit.\n{}", machine_md(BID_TABLE))
}

/// The page of the machine of an opening session.
pub fn session_md() -> String {
    format!(
        "# Opening session · 开标会\n\nMade from `src/pure/rules/opening.rs`; do not edit.\n{}",
        machine_md(SESSION_TABLE)
    )
}

fn columns(edition: &Edition) -> Vec<(&'static str, String)> {
    let periods = &edition.periods;
    let unit =
        |value: Option<u32>, unit: &str| value.map_or_else(|| "none".to_owned(), |value| format!("{value} {unit}"));
    let bands: Vec<String> = periods
        .disclosure_bands
        .iter()
        .map(|band| {
            let reach = band
                .up_to_fen
                .map_or_else(|| "above".to_owned(), |fen| format!("up to {}", Money::from_minor(fen, Currency::CNY)));
            format!("{reach}: {} working days", band.working_days)
        })
        .collect();
    let deposit = match edition.deposit {
        DepositLimit::AtMostOfEstimate(rate) => format!("at most {rate} of the estimate"),
        DepositLimit::AtLeastOfMinimumPrice(rate) => format!("at least {rate} of the minimum price"),
        DepositLimit::ByNotice => "by notice".to_owned(),
    };
    vec![
        ("Effective from", edition.effective_from.to_string()),
        ("Direction", edition.direction.title().en.to_owned()),
        ("Price bound", edition.bound.title().en.to_owned()),
        ("Minimum received", edition.min_received.to_string()),
        ("Minimum responsive", edition.min_responsive.to_string()),
        ("A single offer", edition.single_offer.title().en.to_owned()),
        ("Replacement and withdrawal", edition.withdrawal.title().en.to_owned()),
        ("Document issue, at least", unit(periods.issue_days, "days")),
        ("Issue to deadline, at least", unit(periods.issue_to_deadline_days, "days")),
        ("Clarification before deadline, at least", unit(periods.clarification_days, "days")),
        ("Notice to start of bidding, at least", unit(periods.notice_to_bidding_days, "days")),
        ("Disclosure of assets", if bands.is_empty() { "none".to_owned() } else { bands.join("; ") }),
        ("Disclosure of property rights, at least", unit(periods.equity_disclosure_working_days, "working days")),
        ("Opening after deadline, at most", unit(periods.opening_delay_max_minutes, "minutes")),
        ("Publicity of candidates", unit(periods.publicity_days, "days")),
        ("Notice of the result", unit(periods.result_notice_working_days, "working days")),
        ("Deposit", deposit),
        ("Outage window before the deadline", format!("{} minutes", edition.outage_window_minutes)),
        ("Stopped by a hold", names(edition.stopped_by_hold, ", ")),
    ]
}

/// The diagram (Mermaid) and the table of a machine.
pub fn machine_md<M: Machine>(rows: &[Row<M>]) -> String {
    let mut page = String::from("\n## Diagram\n\n```mermaid\nstateDiagram-v2\n");
    for row in rows {
        if let Next::To(next) = row.to {
            for from in row.from {
                page.push_str(&format!("    {} --> {}: {}\n", from.name(), next.name(), row.event.name()));
            }
        }
    }
    page.push_str(
        "```\n\n## Table\n\n| From | Event | To | By | When | Then |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        page.push_str(&line(row));
    }
    page
}

fn line<M: Machine>(row: &Row<M>) -> String {
    let to = match row.to {
        Next::To(next) => format!("{} {}", next.name(), next.title().zh),
        Next::Stay => "(stays)".to_owned(),
    };
    let when: Vec<String> = row.when.iter().map(|guard| format!("{} ({})", guard.says.en, guard.rule)).collect();
    let then: Vec<&str> = row.then.iter().map(|effect| effect.title().en).collect();
    format!(
        "| {} | {} {} | {to} | {} | {} | {} |\n",
        names(row.from, ", "),
        row.event.name(),
        row.event.title().zh,
        names(row.by, ", "),
        when.join("<br>"),
        then.join("<br>"),
    )
}

fn names<N: Named>(values: &[N], between: &str) -> String {
    let names: Vec<&str> = values.iter().map(|value| value.name()).collect();
    names.join(between)
}
