//! Ranking: directions, bounds, ties, currencies, the price of the deal.

use crate::kernel::id::BidId;
use crate::kernel::money::{Currency, Money};
use crate::kernel::time::Timestamp;
use crate::rules::editions::{CONSTRUCTION_2026, Direction, EDITIONS, LAND_USE_2026, STATE_ASSET_2026};
use crate::rules::ranking::{Offer, RankingError, Terms, TieRule, deal_price, rank};
use crate::rules::rejection::RejectionCode;
use proptest::prelude::*;

fn bid_id(number: usize) -> BidId {
    BidId::parse(&format!("bid-00000000-0000-4000-8000-{number:012}")).expect("an id")
}

fn money(minor: i64) -> Money {
    Money::from_minor(minor, Currency::CNY)
}

fn offer(number: usize, minor: i64) -> Offer {
    let submitted_at = Timestamp::from_millis(1_000_000 + number as i64);
    Offer { bid: bid_id(number), price: money(minor), evaluated: None, submitted_at, drawn: None, rejected: None }
}

fn terms(edition: &crate::rules::editions::Edition, limit: Option<i64>) -> Terms {
    Terms::of(edition, limit.map(money), Currency::CNY, TieRule::EarlierFinalSubmission)
}

/// Numbers of the ranked bids, best first.
fn order(terms: &Terms, offers: &[Offer]) -> Vec<usize> {
    let ranking = rank(terms, offers).expect("ranked");
    let number = |bid: &BidId| offers.iter().position(|offer| offer.bid == *bid).expect("one of them");
    ranking.ranked.iter().map(|ranked| number(&ranked.bid)).collect()
}

#[test]
fn the_lowest_price_wins_a_tender_and_the_highest_a_sale() {
    let offers = [offer(0, 300), offer(1, 100), offer(2, 200)];
    assert_eq!(order(&terms(&CONSTRUCTION_2026, None), &offers), [1, 2, 0]);
    assert_eq!(order(&terms(&LAND_USE_2026, None), &offers), [0, 2, 1]);
}

#[test]
fn a_price_at_the_bound_stands_and_one_beyond_is_rejected_with_its_code() {
    for (edition, beyond, code) in [
        (&CONSTRUCTION_2026, 101, RejectionCode::AboveCeiling),
        (&LAND_USE_2026, 99, RejectionCode::BelowReserve),
        (&STATE_ASSET_2026, 99, RejectionCode::BelowAsking),
    ] {
        let ranking = rank(&terms(edition, Some(100)), &[offer(0, 100), offer(1, beyond)]).expect("ranked");
        assert_eq!((ranking.ranked.len(), ranking.rejected), (1, vec![(bid_id(1), code)]));
    }
}

#[test]
fn pf_17_of_equal_prices_the_earlier_final_submission_is_first() {
    let late = Offer { submitted_at: Timestamp::from_millis(9_000_000), ..offer(0, 100) };
    assert_eq!(order(&terms(&CONSTRUCTION_2026, None), &[late, offer(1, 100)]), [1, 0]);
}

#[test]
fn offers_that_the_tie_rule_can_not_tell_apart_share_a_rank() {
    let twin = Offer { submitted_at: offer(0, 100).submitted_at, ..offer(1, 100) };
    let ranking = rank(&terms(&CONSTRUCTION_2026, None), &[offer(0, 100), twin, offer(2, 200)]).expect("ranked");
    assert_eq!(ranking.ranked.iter().map(|ranked| ranked.rank).collect::<Vec<_>>(), [1, 1, 3]);
}

#[test]
fn where_lots_decide_every_tied_offer_has_its_number() {
    let drawn = Terms { tie: TieRule::LotsDrawn, ..terms(&CONSTRUCTION_2026, None) };
    assert_eq!(rank(&drawn, &[offer(0, 100), offer(1, 100)]), Err(RankingError::NeedsDraw(bid_id(0))));
    let with = |number, lot| Offer { drawn: Some(lot), ..offer(number, 100) };
    assert_eq!(order(&drawn, &[with(0, 2), with(1, 1), offer(2, 200)]), [1, 0, 2]);
}

#[test]
fn the_evaluated_price_counts_where_it_is_given() {
    let offers = [Offer { evaluated: Some(money(500)), ..offer(0, 100) }, offer(1, 200)];
    assert_eq!(order(&terms(&CONSTRUCTION_2026, None), &offers), [1, 0]);
    let ranking = rank(&terms(&CONSTRUCTION_2026, None), &offers).expect("ranked");
    assert_eq!((ranking.ranked[1].counted, ranking.ranked[1].price), (money(500), money(100)));
}

#[test]
fn a_price_in_another_currency_needs_an_evaluated_price() {
    let dollars = Money::from_minor(100, Currency::parse("USD").expect("known"));
    let foreign = Offer { price: dollars, ..offer(0, 0) };
    let no_limit = terms(&CONSTRUCTION_2026, None);
    assert_eq!(rank(&no_limit, std::slice::from_ref(&foreign)), Err(RankingError::NeedsEvaluatedPrice(bid_id(0))));
    assert_eq!(
        rank(&no_limit, &[Offer { evaluated: Some(dollars), ..foreign.clone() }]),
        Err(RankingError::WrongCurrency(bid_id(0)))
    );
    let evaluated = Offer { evaluated: Some(money(700)), ..foreign };
    assert_eq!(order(&no_limit, &[evaluated.clone(), offer(1, 800)]), [0, 1]);
    let limited = Terms { limit: Some(money(600)), ..no_limit };
    assert_eq!(
        rank(&limited, std::slice::from_ref(&evaluated)).expect("ranked").rejected,
        [(bid_id(0), RejectionCode::AboveCeiling)]
    );
    let yen = Terms { limit: Some(Money::from_minor(1, Currency::parse("JPY").expect("known"))), ..no_limit };
    assert_eq!(rank(&yen, &[evaluated]), Err(RankingError::BoundNotComparable(bid_id(0))));
}

#[test]
fn a_bid_rejected_by_judgement_is_not_ranked_whatever_its_price() {
    let rejected = Offer { rejected: Some(RejectionCode::Unqualified), ..offer(0, 1) };
    let ranking = rank(&terms(&CONSTRUCTION_2026, None), &[rejected, offer(1, 2)]).expect("ranked");
    assert_eq!(
        (ranking.ranked[0].bid.clone(), ranking.rejected),
        (bid_id(1), vec![(bid_id(0), RejectionCode::Unqualified)])
    );
}

#[test]
fn pr_10_a_single_offer_pays_the_higher_of_offer_and_asking_price() {
    let asking = Some(money(100));
    let one = |minor| rank(&terms(&STATE_ASSET_2026, None), &[offer(0, minor)]).expect("ranked");
    assert_eq!(deal_price(&STATE_ASSET_2026, asking, &one(150)), Some(money(150)));
    assert_eq!(deal_price(&STATE_ASSET_2026, asking, &one(80)), Some(money(100)));
    let two = rank(&terms(&STATE_ASSET_2026, Some(100)), &[offer(0, 150), offer(1, 170)]).expect("ranked");
    assert_eq!(deal_price(&STATE_ASSET_2026, asking, &two), Some(money(170)));
    let none = rank(&terms(&STATE_ASSET_2026, Some(100)), &[offer(0, 50)]).expect("ranked");
    assert_eq!(deal_price(&STATE_ASSET_2026, asking, &none), None);
}

#[test]
fn every_rejection_code_has_a_rule_and_three_are_arithmetic() {
    assert_eq!(RejectionCode::ALL.iter().filter(|code| code.is_arithmetic()).count(), 3);
    assert_eq!(RejectionCode::NotResponsive.rule().as_str(), "ENG-24");
    assert_eq!(RejectionCode::LowPriceUnexplained.rule().as_str(), "ENG-26");
}

proptest! {
    #[test]
    fn the_order_of_arrival_in_the_list_changes_nothing(prices in proptest::collection::vec(1_i64..6, 1..9), seed in 0_usize..1000, edition in 0_usize..3) {
        let offers: Vec<Offer> = prices.iter().enumerate().map(|(at, price)| offer(at, *price)).collect();
        let mut shuffled = offers.clone();
        let length = shuffled.len();
        for at in 0..length {
            shuffled.swap(at, (at * 7 + seed) % length);
        }
        let terms = terms(EDITIONS[edition], Some(3));
        prop_assert_eq!(rank(&terms, &offers), rank(&terms, &shuffled));
    }

    #[test]
    fn nobody_is_lost_and_nobody_better_stands_behind(prices in proptest::collection::vec(1_i64..50, 0..12), limit in proptest::option::of(1_i64..50), edition in 0_usize..3) {
        let offers: Vec<Offer> = prices.iter().enumerate().map(|(at, price)| offer(at, *price)).collect();
        let terms = terms(EDITIONS[edition], limit);
        let ranking = rank(&terms, &offers).expect("one currency");
        prop_assert_eq!(ranking.ranked.len() + ranking.rejected.len(), offers.len());
        for pair in ranking.ranked.windows(2) {
            let better = match terms.direction {
                Direction::Lowest => pair[0].counted.minor() <= pair[1].counted.minor(),
                Direction::Highest => pair[0].counted.minor() >= pair[1].counted.minor(),
            };
            prop_assert!(better && pair[0].rank < pair[1].rank);
        }
    }

    #[test]
    fn a_worse_offer_never_changes_the_winner(prices in proptest::collection::vec(10_i64..50, 1..8)) {
        let mut offers: Vec<Offer> = prices.iter().enumerate().map(|(at, price)| offer(at, *price)).collect();
        for (edition, worse) in [(&CONSTRUCTION_2026, 60), (&LAND_USE_2026, 1)] {
            let before = rank(&terms(edition, None), &offers).expect("ranked").ranked[0].clone();
            offers.push(offer(99, worse));
            prop_assert_eq!(&rank(&terms(edition, None), &offers).expect("ranked").ranked[0], &before);
            offers.pop();
        }
    }
}
