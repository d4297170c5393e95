//! What the platform made of the bids, against what the published prices make of them.

use serde::Deserialize;

use super::bidding::Sent;
use super::data::Contract;
use super::opening::ReadOut;
use super::report::{Report, ReportedBid};
use crate::kernel::money::Money;

/// A bid of the data whose amounts could be read.
pub struct Offer {
    /// Its place in the contract.
    pub index: usize,
    /// The price that is sealed.
    pub price: Money,
    /// The price that counts, where the data says one.
    pub evaluated: Option<Money>,
    /// What its bidder has of it.
    pub sent: Option<Sent>,
    /// What came out of the box.
    pub read: Option<ReadOut>,
}

impl Offer {
    /// Whether the box gave back exactly what was sealed.
    pub fn came_out(&self) -> bool {
        self.read.as_ref().is_some_and(|read| read.outcome == "opened" && read.price == Some(self.price))
    }

    /// The bid's id, once it is sent.
    pub fn bid_id(&self) -> Option<&str> {
        self.sent.as_ref().map(|sent| sent.bid_id.as_str())
    }

    /// The price that counts.
    pub fn counted(&self) -> Money {
        self.evaluated.unwrap_or(self.price)
    }
}

/// A bid in the platform's evaluation.
#[derive(Deserialize)]
pub struct EvaluatedBid {
    bid_id: String,
    rank: Option<u32>,
    code: Option<String>,
    counted_price: Option<Money>,
}

/// The platform's evaluation.
#[derive(Deserialize)]
pub struct Evaluation {
    bids: Vec<EvaluatedBid>,
    /// The first of the ranking.
    pub recommended: Option<String>,
}

/// Puts the outcome of every bid into the report and notes what is not as it must be.
pub fn compare(contract: &Contract, offers: &[Offer], evaluation: &Evaluation, report: &mut Report) {
    let name = |offer: &Offer| contract.bids[offer.index].bidder.clone();
    let judged = |offer: &Offer| evaluation.bids.iter().find(|bid| Some(bid.bid_id.as_str()) == offer.bid_id());
    for offer in offers {
        let (read, judged) = (offer.read.as_ref(), judged(offer));
        let price = read.and_then(|read| read.price);
        if !offer.came_out() {
            report.mistake(format!("{} sealed {}, and {price:?} was read out", name(offer), offer.price));
        }
        report.bid(ReportedBid {
            bidder: name(offer),
            outcome: read.map_or("missing".to_owned(), |read| read.outcome.clone()),
            amount: price.map(Money::amount),
            currency: price.map(|price| price.currency().to_string()),
            rejection: judged.and_then(|bid| bid.code.clone()),
            rank: judged.and_then(|bid| bid.rank),
            counted: judged.and_then(|bid| bid.counted_price),
        });
    }
    let rank = |offer: &&Offer| judged(offer).and_then(|bid| bid.rank);
    let mut ranked: Vec<&Offer> = offers.iter().filter(|offer| rank(offer).is_some()).collect();
    ranked.sort_by_key(rank);
    let mut expected: Vec<&Offer> =
        offers.iter().filter(|offer| offer.came_out() && !contract.bids[offer.index].is_rejected()).collect();
    // Bids were submitted in the order of the data: between equal prices the earlier one stands first.
    expected.sort_by_key(|offer| (offer.counted().minor(), offer.index));
    let places = |offers: &[&Offer]| offers.iter().map(|offer| offer.index).collect::<Vec<_>>();
    if places(&ranked) != places(&expected) {
        report.mistake(format!(
            "the ranking is {:?}, and the published prices make it {:?}",
            places(&ranked),
            places(&expected)
        ));
    }
    if ranked.first().and_then(|offer| offer.bid_id()) != evaluation.recommended.as_deref() {
        report.mistake("recommended is not the first of the ranking".into());
    }
    let first = ranked.first().map(|offer| offer.counted());
    let tied = ranked.iter().filter(|offer| Some(offer.counted()) == first).count() > 1;
    report.ranked(ranked.iter().map(|offer| name(offer)).collect());
    compare_award(contract, tied, report);
}

fn compare_award(contract: &Contract, tied: bool, report: &mut Report) {
    if tied {
        report.remark("the first place is tied: the earlier submission stands first".into());
    }
    let (ours, theirs) = (report.recommended().map(str::to_owned), contract.awardee().map(str::to_owned));
    match (contract.awarded_is_lowest_evaluated, ours == theirs) {
        (_, true) if ours.is_none() => {}
        (_, true) => report.remark("the historical award is the platform's".into()),
        (Some(true), false) if tied => {
            report.remark("the historical award went to another bid of the same price".into())
        }
        (Some(true), false) => {
            report.mistake(format!("the award went to {theirs:?}, and the platform recommends {ours:?}"))
        }
        (Some(false) | None, false) => {
            report.remark("the historical award differs: it did not go to the lowest evaluated bid".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::Currency;

    fn contract(lowest: bool) -> Contract {
        let bid = |name: &str, price: &str, status: &str| {
            format!(r#"{{"bidder":"{name}","opening_price":"{price}","status":"{status}"}}"#)
        };
        let bids =
            [bid("A", "9.00", "rejected"), bid("B", "10.00", "awarded"), bid("C", "10.00", "evaluated")].join(",");
        let line =
            format!(r#"{{"contract":"C1","currency":"USD","awarded_is_lowest_evaluated":{lowest},"bids":[{bids}]}}"#);
        super::super::data::read(&line).expect("a contract").remove(0)
    }

    fn offers() -> Vec<Offer> {
        let usd = Currency::parse("USD").expect("known");
        let offer = |(index, minor): (usize, i64)| {
            let price = Money::from_minor(minor, usd);
            let bid_id = format!("bid-{index}");
            let read = ReadOut { bid_id: bid_id.clone(), outcome: "opened".into(), price: Some(price) };
            Offer { index, price, evaluated: None, sent: Some(Sent::without_price(bid_id)), read: Some(read) }
        };
        [(0, 900), (1, 1000), (2, 1000)].into_iter().map(offer).collect()
    }

    fn evaluation(ranks: [Option<u32>; 3], recommended: &str) -> Evaluation {
        let bid = |(index, rank): (usize, Option<u32>)| EvaluatedBid {
            bid_id: format!("bid-{index}"),
            rank,
            code: None,
            counted_price: None,
        };
        Evaluation { bids: ranks.into_iter().enumerate().map(bid).collect(), recommended: Some(recommended.into()) }
    }

    fn mistakes(lowest: bool, offers: &[Offer], evaluation: &Evaluation) -> Vec<String> {
        let contract = contract(lowest);
        let mut report = Report::new(&contract);
        compare(&contract, offers, evaluation, &mut report);
        report.mistakes().to_vec()
    }

    #[test]
    fn the_published_ranking_is_no_mistake() {
        assert_eq!(mistakes(true, &offers(), &evaluation([None, Some(1), Some(2)], "bid-1")), Vec::<String>::new());
    }

    #[test]
    fn a_rejected_bid_in_the_ranking_a_wrong_tie_and_a_changed_price_are_mistakes() {
        assert!(!mistakes(true, &offers(), &evaluation([Some(1), Some(2), Some(3)], "bid-0")).is_empty());
        assert!(!mistakes(true, &offers(), &evaluation([None, Some(2), Some(1)], "bid-2")).is_empty());
        assert!(!mistakes(true, &offers(), &evaluation([None, Some(1), Some(2)], "bid-2")).is_empty());
        let mut changed = offers();
        changed[1].price = Money::from_minor(1001, changed[1].price.currency());
        assert!(!mistakes(true, &changed, &evaluation([None, Some(1), Some(2)], "bid-1")).is_empty());
    }

    #[test]
    fn another_award_is_a_mistake_only_where_it_went_to_the_lowest_bid() {
        let mut first_is_not_tied = offers();
        first_is_not_tied[2].evaluated = Some(Money::from_minor(950, first_is_not_tied[2].price.currency()));
        let evaluation = evaluation([None, Some(2), Some(1)], "bid-2");
        assert_eq!(mistakes(false, &first_is_not_tied, &evaluation), Vec::<String>::new());
        assert_eq!(mistakes(true, &first_is_not_tied, &evaluation).len(), 1);
    }
}
