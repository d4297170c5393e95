//! Holds: who places and releases them, what they stop, and the deadline that passes under one.

use super::fixtures::*;
use crate::kernel::role::Actor;
use crate::kernel::time::Timestamp;
use crate::rules::editions::{CONSTRUCTION_2026, Edition, LAND_USE_2026};
use crate::rules::facts::{LotFacts, Request};
use crate::rules::hold::{HOLDS, Hold, HoldKind};
use crate::rules::machine::{Event, State, Step, due_at};
use crate::rules::refusal::Refusal;
use crate::rules::table::By;

const E: &Edition = &CONSTRUCTION_2026;

fn held(kind: HoldKind, placed_at: Timestamp) -> LotFacts {
    LotFacts { holds: vec![Hold { kind, placed_at }], ..lot(State::Noticed) }
}

fn act(
    edition: &'static Edition,
    facts: &LotFacts,
    actor: Actor,
    now: Timestamp,
    event: Event,
    kind: HoldKind,
    new: Option<Timestamp>,
) -> Result<Step, Refusal> {
    let request =
        Request {
            hold: Some(kind), reason: Some("系统故障".to_owned()), new_deadline_at: new, ..Request::of(event)
        };
    Try { edition, facts, actor, now }.request(&request)
}

#[test]
fn pf_09_a_hold_is_placed_and_released_by_its_own_parties() {
    let people = [
        (By::System, Actor::System),
        (By::Initiator, initiator()),
        (By::Centre, centre()),
        (By::Inspector, inspector()),
    ];
    let now = deadline().plus_seconds(5);
    for rule in HOLDS {
        for (by, actor) in &people {
            let place =
                act(&LAND_USE_2026, &lot(State::Noticed), actor.clone(), now, Event::PlaceHold, rule.kind, None);
            assert_eq!(place.is_ok(), rule.placed_by.contains(by), "{:?} {by:?}", rule.kind);
            let release = act(
                &LAND_USE_2026,
                &held(rule.kind, now),
                actor.clone(),
                now,
                Event::ReleaseHold,
                rule.kind,
                Some(nine("2026-05-20")),
            );
            assert_eq!(release.is_ok(), rule.released_by.contains(by), "{:?} {by:?}", rule.kind);
        }
    }
    for kind in HoldKind::ALL {
        assert_eq!(kind.rule().kind, *kind);
    }
}

#[test]
fn pf_09_a_hold_of_a_kind_is_in_force_once_and_only_one_in_force_is_released() {
    let now = nine("2026-03-12");
    refused_by(
        "PF-09",
        act(E, &held(HoldKind::Incident, now), centre(), now, Event::PlaceHold, HoldKind::Incident, None),
    );
    allowed(act(E, &held(HoldKind::Incident, now), inspector(), now, Event::PlaceHold, HoldKind::ComplaintOrder, None));
    refused_by("PF-09", act(E, &lot(State::Noticed), centre(), now, Event::ReleaseHold, HoldKind::Incident, None));
    refused_by(
        "PF-09",
        Try { edition: E, facts: &lot(State::Noticed), actor: Actor::System, now }.event(Event::PlaceHold),
    );
}

#[test]
fn pf_03_a_person_who_holds_or_releases_says_why() {
    let request = Request { hold: Some(HoldKind::Incident), ..Request::of(Event::PlaceHold) };
    refused_by(
        "PF-03",
        Try { edition: E, facts: &lot(State::Noticed), actor: centre(), now: nine("2026-03-12") }.request(&request),
    );
}

#[test]
fn g_09_nothing_closes_under_a_hold() {
    let facts = held(HoldKind::ComplaintOrder, nine("2026-04-01"));
    let refusal = refused_by("G-09", system(E, &facts, Event::CloseBidding, deadline().plus_seconds(5)));
    assert_eq!(refusal.code, "hold-forbids");
    assert_eq!(due_at(E, &facts), None);
    allowed(system(E, &lot(State::Noticed), Event::CloseBidding, deadline().plus_seconds(5)));
}

#[test]
fn pf_09_a_deadline_that_passed_under_a_hold_is_set_anew() {
    let facts = held(HoldKind::ComplaintOrder, nine("2026-04-01"));
    let release = |now, new| act(E, &facts, inspector(), now, Event::ReleaseHold, HoldKind::ComplaintOrder, new);
    let step = allowed(release(deadline().plus_millis(-1), None));
    assert_eq!(step.deadline_at, None);
    refused_by("PF-09", release(deadline(), None));
    refused_by("PF-06", release(nine("2026-04-20"), Some(nine("2026-04-19"))));
    let step = allowed(release(nine("2026-04-20"), Some(nine("2026-04-25"))));
    assert_eq!(
        (step.to, step.deadline_at, step.opens_at),
        (State::Noticed, Some(nine("2026-04-25")), Some(nine("2026-04-25")))
    );
}

#[test]
fn pf_08_after_an_outage_the_lot_waits_for_a_person_who_may_go_on() {
    let facts = LotFacts { outage_undecided: true, ..lot(State::Noticed) };
    let settled = deadline().plus_seconds(5);
    refused_by("PF-08", system(E, &facts, Event::CloseBidding, settled));
    let due = due_at(E, &facts).expect("due");
    assert_eq!((due.at, due.request.event, due.request.hold), (settled, Event::PlaceHold, Some(HoldKind::Incident)));
    allowed(Try { edition: E, facts: &facts, actor: Actor::System, now: due.at }.request(&due.request));
    // The hold was placed when the deadline had passed: who goes on needs no new deadline, who extends gives one.
    let placed = LotFacts { holds: vec![Hold { kind: HoldKind::Incident, placed_at: settled }], ..facts };
    let release = |new| {
        act(E, &placed, centre(), nine("2026-04-15").plus_seconds(600), Event::ReleaseHold, HoldKind::Incident, new)
    };
    allowed(release(None));
    assert_eq!(allowed(release(Some(nine("2026-04-16")))).deadline_at, Some(nine("2026-04-16")));
}

#[test]
fn ld_04_a_hold_for_a_missing_reserve_price_needs_a_new_deadline() {
    let settled = deadline().plus_seconds(5);
    let facts = LotFacts { reserve_received: false, ..held(HoldKind::ReserveMissing, settled) };
    let release = |new| {
        act(&LAND_USE_2026, &facts, initiator(), nine("2026-04-16"), Event::ReleaseHold, HoldKind::ReserveMissing, new)
    };
    refused_by("PF-09", release(None));
    allowed(release(Some(nine("2026-04-20"))));
    refused_by(
        "PF-09",
        act(
            &LAND_USE_2026,
            &lot(State::Noticed),
            Actor::System,
            nine("2026-04-01"),
            Event::PlaceHold,
            HoldKind::ReserveMissing,
            None,
        ),
    );
}

#[test]
fn eng_05_a_hold_for_objections_is_released_when_all_are_answered() {
    let open = LotFacts { open_document_objections: 1, ..held(HoldKind::Objection, nine("2026-03-12")) };
    let release = |facts: &LotFacts| {
        act(E, facts, Actor::System, nine("2026-03-14"), Event::ReleaseHold, HoldKind::Objection, None)
    };
    refused_by("ENG-05", release(&open));
    allowed(release(&LotFacts { open_document_objections: 0, ..open }));
}
