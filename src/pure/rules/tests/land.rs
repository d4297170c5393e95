//! Rules of land-use grants by sealed tender.

use super::fixtures::*;
use crate::rules::calendar::BusinessCalendar;
use crate::rules::duties::open_duties;
use crate::rules::editions::{Edition, LAND_USE_2026};
use crate::rules::facts::{FailureCause, LotFacts, Request, ReserveTerm};
use crate::rules::hold::HoldKind;
use crate::rules::machine::{Event, State, due_at};
use crate::rules::objection::{ObjectionKind, admissible};

const E: &Edition = &LAND_USE_2026;

fn registered() -> LotFacts {
    lot(State::Registered)
}

#[test]
fn ld_02_bidding_begins_twenty_days_after_the_notice() {
    allowed(publish(E, &LotFacts { bidding_opens_at: Some(nine("2026-03-22")), ..registered() }));
    let refusal =
        refused_by("LD-02", publish(E, &LotFacts { bidding_opens_at: Some(nine("2026-03-21")), ..registered() }));
    assert!(refusal.detail.en.contains("19 days"), "{}", refusal.detail.en);
    refused_by("LD-02", publish(E, &LotFacts { bidding_opens_at: None, ..registered() }));
}

#[test]
fn ld_04_the_notice_says_whether_there_is_a_reserve_price() {
    allowed(publish(E, &LotFacts { reserve: ReserveTerm::DeclaredNone, ..registered() }));
    refused_by("LD-04", publish(E, &LotFacts { reserve: ReserveTerm::NotAnnounced, ..registered() }));
}

#[test]
fn ld_04_nothing_closes_or_opens_without_the_announced_reserve_price() {
    let now = deadline().plus_seconds(5);
    let missing = |state| LotFacts { reserve_received: false, ..lot(state) };
    refused_by("LD-04", system(E, &missing(State::Noticed), Event::CloseBidding, now));
    refused_by("LD-04", system(E, &missing(State::Closed), Event::BeginOpening, now));
    allowed(system(E, &lot(State::Noticed), Event::CloseBidding, now));
    allowed(system(
        E,
        &LotFacts { reserve: ReserveTerm::DeclaredNone, ..missing(State::Noticed) },
        Event::CloseBidding,
        now,
    ));
}

#[test]
fn ld_04_a_missing_reserve_price_puts_the_lot_on_hold_at_the_deadline() {
    let facts = LotFacts { reserve_received: false, ..lot(State::Noticed) };
    let due = due_at(E, &facts).expect("due");
    assert_eq!(
        (due.at, due.request.event, due.request.hold),
        (deadline().plus_seconds(5), Event::PlaceHold, Some(HoldKind::ReserveMissing))
    );
    let step = allowed(
        Try { edition: E, facts: &facts, actor: crate::kernel::role::Actor::System, now: due.at }.request(&due.request),
    );
    assert_eq!(step.to, State::Noticed);
}

#[test]
fn ld_05_two_bids_end_the_tender() {
    let now = deadline().plus_seconds(5);
    let two = LotFacts { received_bids: Some(2), ..lot(State::Closed) };
    refused_by("LD-05", system(E, &two, Event::BeginOpening, now));
    allowed(system(E, &two, Event::DeclareUnsuccessful, now));
    allowed(system(E, &lot(State::Closed), Event::BeginOpening, now));
    refused_by("LD-05", system(E, &lot(State::Closed), Event::DeclareUnsuccessful, now));
}

#[test]
fn ld_09_the_deposit_is_twenty_percent_of_the_minimum_price_at_least() {
    allowed(publish(E, &registered()));
    let refusal = refused_by("LD-09", publish(E, &LotFacts { deposit: cny("19999.99"), ..registered() }));
    assert!(refusal.hint.en.contains("20000.00 CNY"), "{}", refusal.hint.en);
    refused_by("LD-09", publish(E, &LotFacts { deposit: None, ..registered() }));
    // A fifth of this price is 20000.002: the least is the next fen above.
    refused_by("LD-09", publish(E, &LotFacts { minimum_price: cny("100000.01"), ..registered() }));
    refused_by("LD-09", publish(E, &LotFacts { minimum_price: None, ..registered() }));
}

#[test]
fn ld_04_below_the_reserve_price_there_is_no_award_but_a_failure() {
    let below = LotFacts { reserve_reached: Some(false), ..lot(State::Evaluated) };
    let by_initiator = |facts: &LotFacts, request: &Request| {
        Try { edition: E, facts, actor: initiator(), now: nine("2026-04-17") }.request(request)
    };
    let award = Request { rank: Some(1), ..Request::of(Event::Award) };
    refused_by("LD-04", by_initiator(&below, &award));
    refused_by("LD-04", by_initiator(&LotFacts { reserve_reached: None, ..below.clone() }, &award));
    allowed(by_initiator(&lot(State::Evaluated), &award));
    allowed(by_initiator(
        &LotFacts { reserve: ReserveTerm::DeclaredNone, reserve_reached: None, ..lot(State::Evaluated) },
        &award,
    ));
    let fail = Request {
        cause: Some(FailureCause::BelowReserve),
        reason: Some("均低于底价".to_owned()),
        ..Request::of(Event::DeclareUnsuccessful)
    };
    allowed(by_initiator(&below, &fail));
    refused_by("ENG-39", by_initiator(&lot(State::Evaluated), &fail));
}

#[test]
fn ld_13_the_highest_price_wins_without_exception() {
    let award = |rank| {
        let request = Request { rank: Some(rank), ..Request::of(Event::Award) };
        Try { edition: E, facts: &lot(State::Evaluated), actor: initiator(), now: nine("2026-04-17") }.request(&request)
    };
    allowed(award(1));
    refused_by("LD-13", award(2));
}

#[test]
fn pf_18_no_award_over_an_open_objection() {
    let award = Request { rank: Some(1), ..Request::of(Event::Award) };
    let objected = LotFacts { open_result_objections: 1, ..lot(State::Evaluated) };
    refused_by(
        "PF-18",
        Try { edition: E, facts: &objected, actor: initiator(), now: nine("2026-04-17") }.request(&award),
    );
}

#[test]
fn ld_10_the_result_is_due_in_ten_working_days() {
    let calendar = BusinessCalendar::embedded();
    let facts = LotFacts { awarded_at: Some(nine("2026-04-28")), ..lot(State::Awarded) };
    let due = open_duties(E, &facts, &calendar);
    // 29 and 30 April; 6 to 8 and Saturday 9 May; 11 to 14 May.
    assert_eq!(
        due.iter().map(|duty| (duty.rule.as_str(), duty.due_on.to_string())).collect::<Vec<_>>(),
        [("LD-10", "2026-05-14".to_owned())]
    );
    assert!(open_duties(E, &LotFacts { result_published_at: Some(nine("2026-04-29")), ..facts }, &calendar).is_empty());
}

#[test]
fn pf_19_objections_where_no_article_says_it_have_their_phase() {
    assert!(admissible(E, ObjectionKind::Documents, &lot(State::Noticed), nine("2026-04-14")).is_ok());
    refused_by("PF-19", admissible(E, ObjectionKind::Documents, &lot(State::Closed), nine("2026-04-15")).map(|_| ()));
}
