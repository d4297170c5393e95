//! Rules of construction tenders, each with an act that it allows and one that it refuses.

use super::fixtures::*;
use crate::kernel::role::Actor;
use crate::kernel::time::Timestamp;
use crate::rules::calendar::BusinessCalendar;
use crate::rules::editions::{CONSTRUCTION_2026, Category, current, edition};
use crate::rules::facts::{LotFacts, Request};
use crate::rules::machine::{Effect, Event, State, Step, explain};
use crate::rules::objection::{ObjectionKind, admissible};
use crate::rules::refusal::{Obstacle, Refusal, Retry};

const E: &crate::rules::editions::Edition = &CONSTRUCTION_2026;

fn registered() -> LotFacts {
    lot(State::Registered)
}

fn clarify(facts: &LotFacts, now: Timestamp, new_deadline: Option<Timestamp>) -> Result<Step, Refusal> {
    let request = Request { affects_bid: true, new_deadline_at: new_deadline, ..Request::of(Event::Clarify) };
    Try { edition: E, facts, actor: initiator(), now }.request(&request)
}

#[test]
fn g_08_registration_needs_the_approval_and_the_declaration() {
    for (state, actor, event) in
        [(State::Draft, initiator(), Event::Submit), (State::Registering, centre(), Event::Accept)]
    {
        let attempt =
            |facts: &LotFacts| Try { edition: E, facts, actor: actor.clone(), now: publication() }.event(event);
        allowed(attempt(&lot(state)));
        let refusal = refused_by("G-08", attempt(&LotFacts { approval_number: Some(" ".to_owned()), ..lot(state) }));
        assert_eq!(refusal.code, "approval-missing");
        refused_by("G-08", attempt(&LotFacts { no_dispute_declared: false, ..lot(state) }));
    }
}

#[test]
fn pf_12_a_return_lists_its_deficiencies() {
    let facts = lot(State::Registering);
    let attempt = |deficiencies| {
        Try { edition: E, facts: &facts, actor: centre(), now: publication() }
            .request(&Request { deficiencies, ..Request::of(Event::Return) })
    };
    assert_eq!(allowed(attempt(2)).to, State::Draft);
    refused_by("PF-12", attempt(0));
}

#[test]
fn pf_04_and_pf_05_publication_needs_documents_and_a_key_set() {
    assert_eq!(allowed(publish(E, &registered())).to, State::Noticed);
    refused_by("PF-05", publish(E, &LotFacts { documents: 0, ..registered() }));
    refused_by("PF-05", publish(E, &LotFacts { document_revision: None, ..registered() }));
    refused_by("PF-04", publish(E, &LotFacts { key_set_ready: false, ..registered() }));
}

#[test]
fn eb_06_publication_with_an_escrow_needs_its_key() {
    refused_by("EB-06", publish(E, &LotFacts { escrow_ready: false, ..registered() }));
}

#[test]
fn pf_16_the_dates_of_a_notice_are_in_order() {
    let before = Some(nine("2026-03-01"));
    refused_by("PF-16", publish(E, &LotFacts { deadline_at: None, ..registered() }));
    refused_by("PF-16", publish(E, &LotFacts { opens_at: None, ..registered() }));
    refused_by("PF-16", publish(E, &LotFacts { opens_at: before, ..registered() }));
    refused_by("PF-16", publish(E, &LotFacts { deadline_at: before, ..registered() }));
    refused_by("PF-16", publish(E, &LotFacts { doc_issue_start_at: before, ..registered() }));
    refused_by("PF-16", publish(E, &LotFacts { doc_issue_end_at: Some(deadline().plus_millis(1)), ..registered() }));
    refused_by("PF-16", publish(E, &LotFacts { bidding_opens_at: Some(deadline()), ..registered() }));
}

#[test]
fn eng_01_the_deadline_is_twenty_days_after_the_start_of_issue() {
    let with = |day: &str| LotFacts {
        deadline_at: Some(nine(day)),
        opens_at: Some(nine(day)),
        bidding_opens_at: None,
        ..registered()
    };
    allowed(publish(E, &with("2026-03-22")));
    let refusal = refused_by("ENG-01", publish(E, &with("2026-03-21")));
    assert!(
        refusal.detail.en.contains("19 days") && refusal.detail.en.contains("ENG-01 needs 20"),
        "{}",
        refusal.detail.en
    );
    assert!(refusal.hint.en.contains("2026-03-22"));
    assert_eq!(
        (refusal.code, refusal.obstacle, refusal.retry),
        ("deadline-too-early", Obstacle::Content, Retry::AfterChange)
    );
    // Not compulsory by law: the parties choose.
    allowed(publish(E, &LotFacts { compulsory: false, ..with("2026-03-21") }));
    refused_by(
        "ENG-01",
        publish(
            E,
            &LotFacts {
                doc_issue_start_at: Some(nine("2026-03-03")),
                doc_issue_end_at: Some(nine("2026-03-08")),
                ..with("2026-03-22")
            },
        ),
    );
}

#[test]
fn eng_01_counts_local_days_not_utc_days() {
    // 23:30 in Shanghai on the 2nd is 15:30 UTC on the 2nd; half past midnight on the 22nd is 16:30 UTC on the 21st.
    let facts = LotFacts {
        doc_issue_start_at: Some(t("2026-03-02T15:30:00.000Z")),
        deadline_at: Some(t("2026-03-21T16:30:00.000Z")),
        opens_at: Some(t("2026-03-21T16:30:00.000Z")),
        bidding_opens_at: None,
        ..registered()
    };
    allowed(publish(E, &facts));
    refused_by("ENG-01", publish(E, &LotFacts { deadline_at: Some(t("2026-03-21T15:30:00.000Z")), ..facts }));
}

#[test]
fn eng_02_documents_are_issued_for_five_days() {
    refused_by("ENG-02", publish(E, &LotFacts { doc_issue_end_at: Some(nine("2026-03-06")), ..registered() }));
    refused_by("ENG-02", publish(E, &LotFacts { doc_issue_start_at: None, ..registered() }));
    allowed(publish(E, &LotFacts { doc_issue_end_at: Some(nine("2026-03-07")), ..registered() }));
}

#[test]
fn eng_17_the_opening_is_at_the_deadline() {
    allowed(publish(E, &LotFacts { opens_at: Some(deadline().plus_seconds(1800)), ..registered() }));
    refused_by("ENG-17", publish(E, &LotFacts { opens_at: Some(deadline().plus_seconds(1801)), ..registered() }));
}

#[test]
fn eng_09_a_ceiling_is_disclosed_and_no_floor_is_set() {
    refused_by("ENG-09", publish(E, &LotFacts { ceiling: None, ..registered() }));
    refused_by("ENG-09", publish(E, &LotFacts { ceiling: cny("0.00"), ..registered() }));
    assert_eq!(
        refused_by("ENG-09", publish(E, &LotFacts { floor_price: cny("1.00"), ..registered() })).code,
        "floor-price-forbidden"
    );
}

#[test]
fn eng_07_bid_security_is_two_percent_of_the_estimate_at_most() {
    allowed(publish(E, &LotFacts { deposit: None, ..registered() }));
    let refusal = refused_by("ENG-07", publish(E, &LotFacts { deposit: cny("20000.01"), ..registered() }));
    assert!(refusal.detail.en.contains("20000.00 CNY"), "{}", refusal.detail.en);
    refused_by("ENG-07", publish(E, &LotFacts { estimate: None, ..registered() }));
    // Two percent of this estimate is 20000.006: the part of a fen is not the bidder's to pay.
    let odd = LotFacts { estimate: cny("1000000.30"), ..registered() };
    refused_by("ENG-07", publish(E, &LotFacts { deposit: cny("20000.01"), ..odd }));
}

#[test]
fn eng_04_a_clarification_that_affects_bids_leaves_fifteen_days_or_moves_the_deadline() {
    let facts = lot(State::Noticed);
    allowed(clarify(&facts, nine("2026-03-31"), None));
    refused_by("ENG-04", clarify(&facts, nine("2026-04-01"), None));
    let moved = allowed(clarify(&facts, nine("2026-04-01"), Some(nine("2026-04-16"))));
    assert_eq!(
        (moved.to, moved.deadline_at, moved.opens_at),
        (State::Noticed, Some(nine("2026-04-16")), Some(nine("2026-04-16")))
    );
    refused_by("ENG-04", clarify(&facts, nine("2026-04-02"), Some(nine("2026-04-16"))));
    let harmless = Request::of(Event::Clarify);
    let step =
        allowed(Try { edition: E, facts: &facts, actor: initiator(), now: nine("2026-04-14") }.request(&harmless));
    assert_eq!((step.deadline_at, step.opens_at), (None, None));
}

#[test]
fn pf_07_after_the_deadline_nothing_is_clarified_or_extended() {
    let facts = lot(State::Noticed);
    let extend = Request {
        reason: Some("雨".to_owned()),
        new_deadline_at: Some(nine("2026-04-20")),
        ..Request::of(Event::Extend)
    };
    let at = |now| Try { edition: E, facts: &facts, actor: initiator(), now }.request(&extend);
    allowed(at(deadline().plus_millis(-1)));
    refused_by("PF-07", at(deadline()));
}

#[test]
fn pf_06_the_deadline_only_moves_later() {
    let facts = lot(State::Noticed);
    let extend = |new: Option<Timestamp>, opens: Option<Timestamp>| {
        let request = Request {
            reason: Some("补遗".to_owned()),
            new_deadline_at: new,
            new_opens_at: opens,
            ..Request::of(Event::Extend)
        };
        while_noticed(E, &facts, &request)
    };
    let later = nine("2026-04-16");
    assert_eq!(allowed(extend(Some(later), None)).opens_at, Some(later));
    refused_by("PF-06", extend(Some(deadline()), None));
    refused_by("PF-06", extend(Some(nine("2026-04-14")), None));
    refused_by("PF-06", extend(None, None));
    refused_by("PF-06", extend(Some(later), Some(nine("2026-04-14"))));
    refused_by("PF-06", extend(Some(later), Some(deadline())));
}

#[test]
fn pf_03_an_extension_or_termination_says_why() {
    let facts = lot(State::Noticed);
    let extend = Request { new_deadline_at: Some(nine("2026-04-20")), ..Request::of(Event::Extend) };
    refused_by("PF-03", while_noticed(E, &facts, &extend));
    refused_by("PF-03", while_noticed(E, &facts, &Request::of(Event::Terminate)));
    let reason = Some("规划调整".to_owned());
    let step = allowed(while_noticed(E, &facts, &Request { reason, ..Request::of(Event::Terminate) }));
    assert!(step.to == State::Terminated && step.effects.contains(&Effect::EraseKey));
}

#[test]
fn eng_05_objections_to_documents_come_ten_days_before_the_deadline() {
    let facts = lot(State::Noticed);
    let rule = admissible(E, ObjectionKind::Documents, &facts, nine("2026-04-05")).expect("in time");
    assert_eq!((rule.answer_days, rule.holds), (3, true));
    refused_by("ENG-05", admissible(E, ObjectionKind::Documents, &facts, nine("2026-04-06")).map(|_| ()));
    refused_by("ENG-05", admissible(E, ObjectionKind::Documents, &lot(State::Opened), nine("2026-04-01")).map(|_| ()));
}

#[test]
fn eng_28_objections_to_the_result_come_during_publicity() {
    assert!(admissible(E, ObjectionKind::Result, &lot(State::Publicity), nine("2026-04-18")).is_ok());
    let published = LotFacts { publicity_ends_at: Some(nine("2026-04-21")), ..lot(State::Publicity) };
    assert!(admissible(E, ObjectionKind::Result, &published, nine("2026-04-21").plus_millis(-1)).is_ok());
    refused_by("ENG-28", admissible(E, ObjectionKind::Result, &published, nine("2026-04-21")).map(|_| ()));
    refused_by("ENG-28", admissible(E, ObjectionKind::Result, &lot(State::Awardable), nine("2026-04-22")).map(|_| ()));
    refused_by("ENG-18", admissible(E, ObjectionKind::Opening, &lot(State::Opened), nine("2026-04-22")).map(|_| ()));
    assert!(admissible(E, ObjectionKind::Opening, &lot(State::Opening), nine("2026-04-15")).is_ok());
}

#[test]
fn an_explanation_lists_every_failing_guard_and_agrees_with_the_refusal() {
    let facts = LotFacts { documents: 0, ceiling: None, ..registered() };
    let all = explain(E, &facts, &initiator(), publication(), &BusinessCalendar::embedded());
    let publishing = all.iter().find(|explanation| explanation.event == Event::Publish).expect("in the table");
    let rules: Vec<&str> =
        publishing.refusals.iter().filter_map(|refusal| refusal.rule).map(|rule| rule.as_str()).collect();
    assert_eq!((publishing.allowed, rules.as_slice()), (false, ["PF-05", "ENG-09"].as_slice()));
    let first = publish(E, &facts).expect_err("refused");
    assert_eq!(publishing.refusals[0], first);
    assert!(all.iter().all(|explanation| explanation.event != Event::Amend), "not an act of this edition");
}

#[test]
fn an_explanation_names_conditions_that_depend_on_the_request() {
    let all = explain(E, &lot(State::Noticed), &initiator(), nine("2026-03-12"), &BusinessCalendar::embedded());
    let extend = all.iter().find(|explanation| explanation.event == Event::Extend).expect("in the table");
    assert!(extend.allowed && extend.to == Some(State::Noticed));
    assert!(extend.conditions.iter().any(|condition| condition.rule.as_str() == "PF-06" && !condition.sealed));
}

#[test]
fn pf_02_another_initiator_is_told_that_it_is_not_theirs() {
    let stranger = user(9, crate::kernel::role::Role::Initiator);
    let refusal = refused_by(
        "PF-02",
        Try { edition: E, facts: &registered(), actor: stranger, now: publication() }.event(Event::Publish),
    );
    assert_eq!((refusal.code, refusal.obstacle, refusal.retry), ("not-your-act", Obstacle::Authority, Retry::Never));
    refused_by(
        "PF-02",
        Try { edition: E, facts: &lot(State::Closed), actor: initiator(), now: nine("2026-04-16") }
            .event(Event::BeginOpening),
    );
    refused_by(
        "PF-01",
        Try { edition: E, facts: &lot(State::Draft), actor: Actor::System, now: nine("2026-04-16") }
            .event(Event::BeginOpening),
    );
}

#[test]
fn an_edition_is_found_by_its_id_and_by_category_and_day() {
    assert_eq!(edition("construction-2026"), Some(E));
    assert_eq!(edition("construction-1999"), None);
    assert_eq!(current(Category::Construction, publication().local_date()), Some(E));
    assert_eq!(current(Category::Construction, "2025-12-31".parse().expect("a day")), None);
}
