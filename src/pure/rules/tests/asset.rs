//! Rules of state assets sold by one-shot sealed offer.

use super::fixtures::*;
use crate::kernel::money::{Currency, Money};
use crate::rules::editions::{Edition, STATE_ASSET_2026};
use crate::rules::facts::{LotFacts, Request};
use crate::rules::machine::{Event, State, due_at};

const E: &Edition = &STATE_ASSET_2026;

/// Registered, with the deadline on that day.
fn until(day: &str) -> LotFacts {
    LotFacts {
        deadline_at: Some(nine(day)),
        opens_at: Some(nine(day)),
        bidding_opens_at: None,
        ..lot(State::Registered)
    }
}

#[test]
fn pr_04_assets_are_disclosed_ten_or_twenty_working_days_by_price() {
    let priced = |day: &str, asking: &str| LotFacts { asking: cny(asking), appraisal: cny("1.00"), ..until(day) };
    // 2 March 2026 is a Monday without holidays ahead: ten working days end on the 16th, twenty on the 30th.
    allowed(publish(E, &priced("2026-03-16", "10000000.00")));
    let refusal = refused_by("PR-04", publish(E, &priced("2026-03-15", "10000000.00")));
    assert!(refusal.detail.en.contains("9 working days") && refusal.hint.en.contains("2026-03-16"), "{refusal:?}");
    refused_by("PR-04", publish(E, &priced("2026-03-29", "10000000.01")));
    allowed(publish(E, &priced("2026-03-30", "10000000.01")));
}

#[test]
fn pr_04_the_bands_are_in_yuan() {
    let dollars = Some(Money::parse("500000.00", Currency::parse("USD").expect("known")).expect("an amount"));
    refused_by("PR-04", publish(E, &LotFacts { asking: dollars, ..until("2026-04-15") }));
}

#[test]
fn pr_03_property_rights_are_disclosed_twenty_working_days_whatever_the_price() {
    refused_by("PR-03", publish(E, &LotFacts { equity_transfer: true, ..until("2026-03-29") }));
    allowed(publish(E, &LotFacts { equity_transfer: true, ..until("2026-03-30") }));
}

#[test]
fn pr_04_says_when_the_count_is_provisional() {
    let facts = LotFacts { doc_issue_start_at: None, doc_issue_end_at: None, ..until("2027-01-20") };
    let at = |day: &str, facts: &LotFacts| {
        Try { edition: E, facts, actor: initiator(), now: nine(day) }.event(Event::Publish)
    };
    let step = allowed(at("2026-12-21", &facts));
    assert!(step.provisional && step.disclosure_started_at == Some(nine("2026-12-21")));
    assert!(
        !allowed(at(
            "2026-11-02",
            &LotFacts { deadline_at: Some(nine("2026-12-01")), opens_at: Some(nine("2026-12-01")), ..facts.clone() }
        ))
        .provisional
    );
    let short = refused_by("PR-04", at("2027-01-18", &facts));
    assert!(short.detail.en.contains("provisional"), "{}", short.detail.en);
}

#[test]
fn pr_02_the_first_asking_price_is_the_appraisal_at_least() {
    allowed(publish(E, &until("2026-04-15")));
    refused_by("PR-02", publish(E, &LotFacts { asking: cny("499999.99"), ..until("2026-04-15") }));
    refused_by("PR-02", publish(E, &LotFacts { appraisal: None, ..until("2026-04-15") }));
}

#[test]
fn pr_05_a_later_price_below_ninety_percent_needs_consent() {
    let again = |asking: &str, consent| LotFacts {
        first_disclosure: false,
        consent_below_appraisal: consent,
        asking: cny(asking),
        ..until("2026-04-15")
    };
    allowed(publish(E, &again("450000.00", false)));
    refused_by("PR-05", publish(E, &again("449999.99", false)));
    allowed(publish(E, &again("449999.99", true)));
}

#[test]
fn pr_06_disclosed_content_is_frozen_and_an_amendment_restarts_the_period() {
    let facts = lot(State::Noticed);
    refused_by("PR-06", while_noticed(E, &facts, &Request { affects_bid: true, ..Request::of(Event::Clarify) }));
    allowed(while_noticed(E, &facts, &Request::of(Event::Clarify)));
    let amend = |now, new_deadline_at| {
        let request =
            Request { reason: Some("付款条件变更".to_owned()), new_deadline_at, ..Request::of(Event::Amend) };
        Try { edition: E, facts: &facts, actor: initiator(), now }.request(&request)
    };
    let step = allowed(amend(nine("2026-03-12"), None));
    assert_eq!((step.disclosure_started_at, step.deadline_at), (Some(nine("2026-03-12")), None));
    // Ten working days from 13 April end on the 27th; the old deadline on the 15th is not enough any more.
    refused_by("PR-06", amend(nine("2026-04-13"), None));
    refused_by("PR-06", amend(nine("2026-04-13"), Some(nine("2026-04-26"))));
    assert_eq!(allowed(amend(nine("2026-04-13"), Some(nine("2026-04-27")))).deadline_at, Some(nine("2026-04-27")));
}

#[test]
fn pr_05_without_an_offer_the_lot_is_unsuccessful_and_one_is_enough() {
    let now = deadline().plus_seconds(5);
    let with = |count| LotFacts { received_bids: Some(count), ..lot(State::Closed) };
    refused_by("PR-05", system(E, &with(0), Event::BeginOpening, now));
    allowed(system(E, &with(0), Event::DeclareUnsuccessful, now));
    allowed(system(E, &with(1), Event::BeginOpening, now));
    refused_by("PR-05", system(E, &with(1), Event::DeclareUnsuccessful, now));
}

#[test]
fn pr_10_nothing_is_sold_below_the_asking_price() {
    let award = |award_price| {
        let facts = LotFacts { award_price, ..lot(State::Evaluated) };
        Try { edition: E, facts: &facts, actor: initiator(), now: nine("2026-04-17") }
            .request(&Request { rank: Some(1), ..Request::of(Event::Award) })
    };
    allowed(award(cny("500000.00")));
    refused_by("PR-10", award(cny("499999.99")));
    refused_by("PR-10", award(None));
}

#[test]
fn pr_01_of_several_offers_the_first_of_the_ranking_buys() {
    let award = |rank| {
        Try { edition: E, facts: &lot(State::Evaluated), actor: initiator(), now: nine("2026-04-17") }
            .request(&Request { rank: Some(rank), ..Request::of(Event::Award) })
    };
    allowed(award(1));
    refused_by("PR-01", award(2));
}

#[test]
fn pr_13_the_result_is_announced_for_five_working_days() {
    let publish = Try { edition: E, facts: &lot(State::Awarded), actor: initiator(), now: nine("2026-04-28") }
        .event(Event::PublishResult);
    let step = allowed(publish);
    // 29 and 30 April, 6, 7 and 8 May.
    assert_eq!(step.result_notice_ends_at.map(|at| at.local()).as_deref(), Some("2026-05-08T23:59:59.999+08:00"));
    let facts = LotFacts { result_notice_ends_at: step.result_notice_ends_at, ..lot(State::Published) };
    let end = due_at(E, &facts).expect("due").at;
    refused_by("PR-13", system(E, &facts, Event::Conclude, end.plus_millis(-1)));
    assert_eq!(allowed(system(E, &facts, Event::Conclude, end)).to, State::Concluded);
    let objected = LotFacts { open_result_objections: 1, ..facts };
    refused_by("PF-18", system(E, &objected, Event::Conclude, end));
    assert_eq!(due_at(E, &objected), None);
}
