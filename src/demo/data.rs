//! Contracts as published: read strictly enough that a mistake shows, and loosely enough that another file of the same
//! form can be played.

use serde::Deserialize;

use super::{DemoError, Result};

/// A procurement that took place.
#[derive(Clone, Debug, Deserialize)]
pub struct Contract {
    /// Its number.
    pub contract: String,
    /// Where.
    #[serde(default)]
    pub country: Option<String>,
    /// The currency of the opening prices.
    pub currency: String,
    /// Whether the award went to the lowest evaluated bid that was not rejected, as published.
    #[serde(default)]
    pub awarded_is_lowest_evaluated: Option<bool>,
    /// The bids, in the order of publication.
    pub bids: Vec<Bid>,
}

/// A bid that was opened.
#[derive(Clone, Debug, Deserialize)]
pub struct Bid {
    /// The bidder's name.
    pub bidder: String,
    /// Price at the opening.
    pub opening_price: Option<String>,
    /// Price after the evaluation.
    #[serde(default)]
    pub evaluated_price: Option<String>,
    /// Its currency.
    #[serde(default)]
    pub evaluated_currency: Option<String>,
    /// What became of it.
    pub status: Status,
}

/// What became of a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It got the contract.
    Awarded,
    /// It was evaluated.
    Evaluated,
    /// It was rejected.
    Rejected,
}

impl Bid {
    /// Whether it was rejected.
    pub fn is_rejected(&self) -> bool {
        self.status == Status::Rejected
    }
}

impl Contract {
    /// The one currency in which bids were compared: that of the evaluated prices, or of the bids where there are none.
    pub fn evaluation_currency(&self) -> Option<&str> {
        let mut found: Vec<&str> = self
            .bids
            .iter()
            .filter(|bid| !bid.is_rejected())
            .filter_map(|bid| bid.evaluated_currency.as_deref())
            .collect();
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [] => Some(&self.currency),
            [one] => Some(one),
            _ => None,
        }
    }

    /// Who got the contract.
    pub fn awardee(&self) -> Option<&str> {
        self.bids.iter().find(|bid| bid.status == Status::Awarded).map(|bid| bid.bidder.as_str())
    }
}

/// Reads one contract a line; empty lines are skipped.
pub fn read(text: &str) -> Result<Vec<Contract>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| {
            serde_json::from_str(line).map_err(|error| DemoError::Data(format!("line {}: {error}", n + 1)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"contract":"C1","currency":"USD","awarded_is_lowest_evaluated":true,"bids":[
        {"bidder":"A","opening_price":"10.00","evaluated_currency":"VND","evaluated_price":"240000.00","status":"awarded"},
        {"bidder":"B","opening_price":"9.00","evaluated_currency":null,"evaluated_price":null,"status":"rejected"}]}"#;

    #[test]
    fn a_contract_is_evaluated_in_the_currency_of_its_evaluated_prices() {
        let contracts = read(&LINE.replace('\n', " ")).expect("a contract");
        assert_eq!(contracts[0].evaluation_currency(), Some("VND"));
        assert_eq!(contracts[0].awardee(), Some("A"));
        let mixed = LINE
            .replace('\n', " ")
            .replace(r#""evaluated_currency":null"#, r#""evaluated_currency":"EUR""#)
            .replace("rejected", "evaluated");
        assert_eq!(read(&mixed).expect("a contract")[0].evaluation_currency(), None);
    }

    #[test]
    fn a_line_that_is_no_contract_is_named() {
        let error = read("\n{}\n").expect_err("no contract").to_string();
        assert!(error.starts_with("line 2"), "{error}");
    }
}
