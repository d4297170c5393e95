//! Rules of construction tenders from the deadline to the result.

use super::fixtures::*;
use crate::rules::calendar::BusinessCalendar;
use crate::rules::duties::open_duties;
use crate::rules::editions::{CONSTRUCTION_2026, Edition};
use crate::rules::facts::{FailureCause, FallbackCause, LotFacts, Request};
use crate::rules::machine::{Effect, Event, State};
use crate::rules::refusal::Retry;

const E: &Edition = &CONSTRUCTION_2026;

#[test]
fn eb_02_the_box_closes_when_the_deadline_has_settled() {
    let facts = lot(State::Noticed);
    refused_by("EB-02", system(E, &facts, Event::CloseBidding, deadline().plus_millis(4_999)));
    assert_eq!(allowed(system(E, &facts, Event::CloseBidding, deadline().plus_seconds(5))).to, State::Closed);
}

#[test]
fn eb_02_the_closing_waits_for_headers_in_flight_but_not_for_ever() {
    let facts = LotFacts { headers_in_flight: true, ..lot(State::Noticed) };
    let refusal = refused_by("EB-02", system(E, &facts, Event::CloseBidding, deadline().plus_seconds(64)));
    assert_eq!((refusal.retry, refusal.possible_at), (Retry::SameRequest, Some(deadline().plus_seconds(65))));
    allowed(system(E, &facts, Event::CloseBidding, deadline().plus_seconds(65)));
}

#[test]
fn eb_02_nothing_opens_before_the_announced_opening() {
    let facts = LotFacts { opens_at: Some(nine("2026-04-16")), ..lot(State::Closed) };
    refused_by("EB-02", system(E, &facts, Event::BeginOpening, nine("2026-04-16").plus_millis(-1)));
    assert_eq!(allowed(system(E, &facts, Event::BeginOpening, nine("2026-04-16"))).to, State::Opening);
}

#[test]
fn eng_16_two_bids_are_not_opened_and_end_the_lot() {
    let now = deadline().plus_seconds(10);
    let two = LotFacts { received_bids: Some(2), ..lot(State::Closed) };
    refused_by("ENG-16", system(E, &two, Event::BeginOpening, now));
    let step = allowed(system(E, &two, Event::DeclareUnsuccessful, now));
    assert_eq!(step.to, State::Unsuccessful);
    assert!(step.effects.contains(&Effect::EraseKey) && step.effects.contains(&Effect::ReleaseEntriesToInspectors));
    refused_by("ENG-16", system(E, &lot(State::Closed), Event::DeclareUnsuccessful, now));
    refused_by("ENG-16", system(E, &LotFacts { received_bids: None, ..lot(State::Closed) }, Event::BeginOpening, now));
    allowed(system(E, &lot(State::Closed), Event::BeginOpening, now));
}

#[test]
fn eng_18_an_opening_is_finished_when_its_session_is_closed() {
    let facts = lot(State::Opening);
    let finish = |facts: &LotFacts| {
        Try { edition: E, facts, actor: centre(), now: nine("2026-04-15") }.event(Event::FinishOpening)
    };
    assert!(allowed(finish(&facts)).effects.contains(&Effect::ReleaseEntries));
    refused_by("ENG-18", finish(&LotFacts { session_closed: false, ..facts }));
}

#[test]
fn pf_15_an_evaluation_judges_every_bid_and_files_a_report() {
    let complete = |facts: LotFacts| {
        Try { edition: E, facts: &facts, actor: initiator(), now: nine("2026-04-17") }.event(Event::CompleteEvaluation)
    };
    allowed(complete(lot(State::Opened)));
    refused_by("PF-15", complete(LotFacts { undecided: Some(1), ..lot(State::Opened) }));
    refused_by("PF-15", complete(LotFacts { undecided: None, ..lot(State::Opened) }));
    refused_by("PF-15", complete(LotFacts { responsive: Some(0), ..lot(State::Opened) }));
    refused_by("PF-15", complete(LotFacts { report_exists: false, ..lot(State::Opened) }));
}

#[test]
fn eng_39_too_few_responsive_bids_end_a_lot_by_decision_only() {
    let declare = |facts: &LotFacts, cause| {
        let request =
            Request { cause, reason: Some("明显缺乏竞争".to_owned()), ..Request::of(Event::DeclareUnsuccessful) };
        Try { edition: E, facts, actor: initiator(), now: nine("2026-04-17") }.request(&request)
    };
    let two = LotFacts { responsive: Some(2), ..lot(State::Opened) };
    // Two responsive bids: going on is allowed as well as ending it.
    allowed(
        Try { edition: E, facts: &two, actor: initiator(), now: nine("2026-04-17") }.event(Event::CompleteEvaluation),
    );
    allowed(declare(&two, Some(FailureCause::CompetitionLacking)));
    refused_by("ENG-39", declare(&lot(State::Opened), Some(FailureCause::CompetitionLacking)));
    refused_by("ENG-39", declare(&two, Some(FailureCause::AllRejected)));
    refused_by("ENG-39", declare(&two, Some(FailureCause::BelowReserve)));
    refused_by("ENG-39", declare(&two, None));
    refused_by(
        "ENG-39",
        declare(&LotFacts { undecided: Some(1), ..two.clone() }, Some(FailureCause::CompetitionLacking)),
    );
    allowed(declare(&LotFacts { responsive: Some(0), ..two }, Some(FailureCause::AllRejected)));
}

#[test]
fn eng_40_prices_open_once_every_first_envelope_is_judged_and_somebody_passed() {
    let at =
        |facts: &LotFacts, event| Try { edition: E, facts, actor: initiator(), now: nine("2026-04-17") }.event(event);
    let judged = LotFacts { prices_sealed: true, ..lot(State::Opened) };
    assert_eq!(allowed(at(&judged, Event::OpenPrices)).to, State::Opening);
    refused_by("ENG-40", at(&judged, Event::CompleteEvaluation));
    refused_by("ENG-40", at(&lot(State::Opened), Event::OpenPrices));
    refused_by("PF-15", at(&LotFacts { undecided: Some(1), ..judged.clone() }, Event::OpenPrices));
    refused_by("PF-15", at(&LotFacts { responsive: Some(0), ..judged.clone() }, Event::OpenPrices));
    refused_by(
        "PF-02",
        Try { edition: E, facts: &judged, actor: centre(), now: nine("2026-04-17") }.event(Event::OpenPrices),
    );
}

#[test]
fn eng_28_publicity_lasts_three_days_and_rolls_over_a_holiday() {
    let publish = |day: &str| {
        Try { edition: E, facts: &lot(State::Evaluated), actor: initiator(), now: nine(day) }
            .event(Event::PublishCandidates)
    };
    let end = |day: &str| allowed(publish(day)).publicity_ends_at.map(|at| at.local());
    assert_eq!(end("2026-04-20").as_deref(), Some("2026-04-23T23:59:59.999+08:00"));
    // Three days after 28 April is Labour Day; the holiday lasts to 5 May (G-01).
    assert_eq!(end("2026-04-28").as_deref(), Some("2026-05-06T23:59:59.999+08:00"));
    assert!(!allowed(publish("2026-04-28")).provisional);
    assert!(allowed(publish("2026-12-30")).provisional);
}

#[test]
fn eng_28_no_award_before_the_publicity_is_over_or_over_an_open_objection() {
    let end = lot(State::Publicity).publicity_ends_at.expect("set");
    refused_by("ENG-28", system(E, &lot(State::Publicity), Event::EndPublicity, end.plus_millis(-1)));
    allowed(system(E, &lot(State::Publicity), Event::EndPublicity, end));
    let objected = LotFacts { open_result_objections: 1, ..lot(State::Publicity) };
    refused_by("ENG-28", system(E, &objected, Event::EndPublicity, end));
    let award = |facts: &LotFacts, now| {
        Try { edition: E, facts, actor: initiator(), now }
            .request(&Request { rank: Some(1), ..Request::of(Event::Award) })
    };
    allowed(award(&lot(State::Awardable), end));
    refused_by("ENG-28", award(&lot(State::Awardable), end.plus_millis(-1)));
    refused_by("ENG-28", award(&LotFacts { open_result_objections: 1, ..lot(State::Awardable) }, end));
}

#[test]
fn eng_29_state_funded_lots_are_awarded_to_rank_one_but_for_listed_causes() {
    let award = |state_funded, rank, fallback| {
        let facts = LotFacts { state_funded, ..lot(State::Awardable) };
        let request = Request { rank, fallback, ..Request::of(Event::Award) };
        Try { edition: E, facts: &facts, actor: initiator(), now: nine("2026-04-21") }.request(&request)
    };
    allowed(award(true, Some(1), None));
    refused_by("ENG-29", award(true, Some(2), None));
    refused_by("ENG-29", award(true, None, None));
    refused_by("ENG-29", award(false, Some(0), None));
    allowed(award(true, Some(2), Some(FallbackCause::GaveUp)));
    allowed(award(false, Some(2), None));
}

#[test]
fn pf_13_a_lot_is_retendered_once() {
    for state in [State::Unsuccessful, State::Terminated] {
        let retender = |facts: LotFacts| {
            Try { edition: E, facts: &facts, actor: initiator(), now: nine("2026-05-01") }.event(Event::Retender)
        };
        assert_eq!(allowed(retender(lot(state))).to, state);
        refused_by("PF-13", retender(LotFacts { retendered: true, ..lot(state) }));
    }
}

#[test]
fn eng_34_and_eng_28_duties_have_a_due_day() {
    let calendar = BusinessCalendar::embedded();
    let facts = LotFacts {
        reported_at: Some(nine("2026-04-28")),
        publicity_ends_at: None,
        awarded_at: None,
        ..lot(State::Evaluated)
    };
    let due = open_duties(E, &facts, &calendar);
    assert_eq!(
        due.iter().map(|duty| (duty.rule.as_str(), duty.due_on.to_string())).collect::<Vec<_>>(),
        [("ENG-28", "2026-05-06".to_owned())]
    );
    let awarded = open_duties(E, &LotFacts { awarded_at: Some(nine("2026-05-07")), ..lot(State::Awarded) }, &calendar);
    assert_eq!(
        awarded.iter().map(|duty| (duty.rule.as_str(), duty.due_on.to_string())).collect::<Vec<_>>(),
        [("ENG-34", "2026-05-22".to_owned())]
    );
}
