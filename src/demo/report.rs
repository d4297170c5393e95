//! What came out of a contract, for people and as one JSON line.

use std::fmt;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::data::Contract;
use super::{DemoError, Result};
use crate::kernel::money::Money;

/// A bid as it was opened.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedBid {
    /// The bidder's name as published.
    pub bidder: String,
    /// What became of its envelope: `opened`, or why not; `unopened` where the box was not opened.
    pub outcome: String,
    /// The price read out.
    pub amount: Option<String>,
    /// Its currency.
    pub currency: Option<String>,
    /// The code of its rejection.
    pub rejection: Option<String>,
    /// Its rank from 1.
    #[serde(skip)]
    pub rank: Option<u32>,
    /// The price that counted.
    #[serde(skip)]
    pub counted: Option<Money>,
}

impl ReportedBid {
    /// A bid of which no price is known.
    pub fn without_price(bidder: &str, outcome: &str) -> Self {
        Self {
            bidder: bidder.into(),
            outcome: outcome.into(),
            amount: None,
            currency: None,
            rejection: None,
            rank: None,
            counted: None,
        }
    }
}

/// Something that was refused on the way.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// What was being done.
    pub what: String,
    /// The stable code.
    pub code: String,
    /// Why.
    pub detail: String,
}

/// What came out of a contract.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    contract: String,
    bids: Vec<ReportedBid>,
    /// Names, best first.
    ranking: Vec<String>,
    recommended: Option<String>,
    historical_award: Option<String>,
    refusals: Vec<Refused>,
    #[serde(skip)]
    remarks: Vec<String>,
    #[serde(skip)]
    mistakes: Vec<String>,
    #[serde(skip)]
    over: bool,
}

impl Report {
    /// A report on a contract that is about to be played.
    pub fn new(contract: &Contract) -> Self {
        Self {
            contract: contract.contract.clone(),
            bids: Vec::new(),
            ranking: Vec::new(),
            recommended: None,
            historical_award: contract.awardee().map(str::to_owned),
            refusals: Vec::new(),
            remarks: Vec::new(),
            mistakes: Vec::new(),
            over: false,
        }
    }

    /// The contract's number.
    pub fn contract(&self) -> &str {
        &self.contract
    }

    /// What did not come out as it must.
    pub fn mistakes(&self) -> &[String] {
        &self.mistakes
    }

    /// Whether nothing more can be done with it.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// It ended here, as the rules have it.
    pub fn end(&mut self, what: &str, code: &str, detail: String) {
        self.refused(what, code, detail);
        self.over = true;
    }

    /// Something was refused; the rest goes on.
    pub fn refused(&mut self, what: &str, code: &str, detail: String) {
        self.refusals.push(Refused { what: what.to_owned(), code: code.to_owned(), detail });
    }

    /// It cannot go on, and should have.
    pub fn fail(&mut self, error: &DemoError) {
        match error {
            DemoError::Call { what, error } => self.end(what, error.code().unwrap_or("client"), error.to_string()),
            DemoError::Data(why) => self.end("reading the contract", "data", why.clone()),
            other => self.end("playing the contract", "demonstration", other.to_string()),
        }
        self.mistake(error.to_string());
    }

    /// Something came out otherwise than it must.
    pub fn mistake(&mut self, what: String) {
        self.mistakes.push(what);
    }

    /// Something worth knowing.
    pub fn remark(&mut self, what: String) {
        self.remarks.push(what);
    }

    /// A bid and what became of it.
    pub fn bid(&mut self, bid: ReportedBid) {
        self.bids.push(bid);
    }

    /// The ranking, best first, and whom the platform recommends.
    pub fn ranked(&mut self, names: Vec<String>) {
        self.recommended = names.first().cloned();
        self.ranking = names;
    }

    /// The first of the ranking.
    pub fn recommended(&self) -> Option<&str> {
        self.recommended.as_deref()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nContract {}", self.contract)?;
        let width = self.bids.iter().map(|bid| bid.bidder.chars().count()).max().unwrap_or(6).clamp(6, 60);
        writeln!(f, "  rank  {:width$}  {:>24}  {:>24}  outcome", "bidder", "read out", "evaluated")?;
        for bid in &self.bids {
            let rank = bid.rank.map_or("-".to_owned(), |rank| rank.to_string());
            let counted = bid.counted.map_or("-".to_owned(), |money| money.to_string());
            let price = match (&bid.amount, &bid.currency) {
                (Some(amount), Some(currency)) => format!("{amount} {currency}"),
                _ => "-".to_owned(),
            };
            let name: String = bid.bidder.chars().take(60).collect();
            let outcome =
                bid.rejection.as_ref().map_or(bid.outcome.clone(), |code| format!("{}, rejected: {code}", bid.outcome));
            writeln!(f, "  {rank:>4}  {name:width$}  {price:>24}  {counted:>24}  {outcome}")?;
        }
        writeln!(f, "  recommended: {}", self.recommended.as_deref().unwrap_or("nobody"))?;
        writeln!(f, "  historical award: {}", self.historical_award.as_deref().unwrap_or("unknown"))?;
        for remark in &self.remarks {
            writeln!(f, "  {remark}")?;
        }
        for refused in &self.refusals {
            writeln!(f, "  refused ({}): {}: {}", refused.code, refused.what, refused.detail)?;
        }
        for mistake in &self.mistakes {
            writeln!(f, "  DIFFERS: {mistake}")?;
        }
        Ok(())
    }
}

/// Writes one JSON line for each contract.
pub fn write(path: &Path, reports: &[Report]) -> Result<()> {
    let failed = |error: &dyn fmt::Display| DemoError::Data(format!("{}: {error}", path.display()));
    let mut file = std::fs::File::create(path).map_err(|error| failed(&error))?;
    for report in reports {
        let line = serde_json::to_string(report).map_err(|error| failed(&error))?;
        writeln!(file, "{line}").map_err(|error| failed(&error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line_with_the_names_as_published() {
        let contract = &super::super::data::read(super::super::CONTRACTS).expect("in order")[0];
        let mut report = Report::new(contract);
        report.bid(ReportedBid::without_price("A Co.", "opened"));
        report.ranked(vec!["A Co.".into()]);
        report.mistake("never in the file".into());
        let line = serde_json::to_string(&report).expect("plain data");
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["bids", "contract", "historical_award", "ranking", "recommended", "refusals"]);
        assert_eq!(value["recommended"], "A Co.");
        assert_eq!(
            value["bids"][0],
            serde_json::json!({"bidder": "A Co.", "outcome": "opened", "amount": null, "currency": null, "rejection": null})
        );
    }
}
