//! Lots, people and moments that the tests share.

use crate::kernel::digest::{Digest, sha256};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::role::{Actor, Role};
use crate::kernel::time::Timestamp;
use crate::rules::calendar::BusinessCalendar;
use crate::rules::editions::Edition;
use crate::rules::facts::{LotFacts, Request, ReserveTerm};
use crate::rules::machine::{Event, State, Step, step};
use crate::rules::refusal::Refusal;

/// A moment.
pub fn t(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a moment")
}

/// Nine o'clock in Shanghai on a day.
pub fn nine(day: &str) -> Timestamp {
    t(&format!("{day}T01:00:00.000Z"))
}

pub fn cny(amount: &str) -> Option<Money> {
    Some(Money::parse(amount, Currency::CNY).expect("an amount"))
}

pub fn org(number: u32) -> OrgId {
    OrgId::parse(&format!("org-00000000-0000-7000-8000-{number:012}")).expect("an id")
}

pub fn revision(text: &str) -> Digest {
    sha256(text.as_bytes())
}

/// Somebody of organisation `number` in that role.
pub fn user(number: u32, role: Role) -> Actor {
    let user_id = UserId::parse("usr-00000000-0000-7000-8000-000000000001").expect("an id");
    Actor::User { user_id: user_id.into(), org_id: org(number), roles: vec![role] }
}

/// The initiator of the fixtures' lots.
pub fn initiator() -> Actor {
    user(1, Role::Initiator)
}

pub fn centre() -> Actor {
    user(2, Role::Centre)
}

pub fn inspector() -> Actor {
    user(3, Role::Inspector)
}

pub fn bidder() -> Actor {
    user(4, Role::Bidder)
}

/// The day on which the fixtures' lots are published.
pub fn publication() -> Timestamp {
    nine("2026-03-02")
}

/// The deadline of the fixtures' lots.
pub fn deadline() -> Timestamp {
    nine("2026-04-15")
}

/// A lot in `state` with facts that satisfy every guard of every edition.
pub fn lot(state: State) -> LotFacts {
    LotFacts {
        approval_number: Some("发改审〔2026〕1号".to_owned()),
        no_dispute_declared: true,
        documents: 2,
        document_revision: Some(revision("first")),
        key_set_ready: true,
        escrow_ready: true,
        doc_issue_start_at: Some(nine("2026-03-02")),
        doc_issue_end_at: Some(nine("2026-03-07")),
        notice_at: Some(publication()),
        disclosure_started_at: Some(publication()),
        bidding_opens_at: Some(nine("2026-03-23")),
        deadline_at: Some(deadline()),
        opens_at: Some(deadline()),
        reported_at: Some(nine("2026-04-17")),
        publicity_ends_at: Some(Timestamp::end_of(nine("2026-04-20").local_date())),
        awarded_at: Some(nine("2026-04-21")),
        result_notice_ends_at: Some(Timestamp::end_of(nine("2026-04-28").local_date())),
        estimate: cny("1000000.00"),
        ceiling: cny("1000000.00"),
        asking: cny("500000.00"),
        appraisal: cny("500000.00"),
        minimum_price: cny("100000.00"),
        deposit: cny("20000.00"),
        reserve: ReserveTerm::Announced,
        reserve_received: true,
        received_bids: Some(3),
        session_closed: true,
        responsive: Some(3),
        undecided: Some(0),
        reserve_reached: Some(true),
        report_exists: true,
        award_price: cny("600000.00"),
        ..LotFacts::new(org(1), state)
    }
}

/// A try with everything given.
pub struct Try<'a> {
    pub edition: &'static Edition,
    pub facts: &'a LotFacts,
    pub actor: Actor,
    pub now: Timestamp,
}

impl Try<'_> {
    pub fn request(&self, request: &Request) -> Result<Step, Refusal> {
        step(self.edition, self.facts, request, &self.actor, self.now, &BusinessCalendar::embedded())
    }

    pub fn event(&self, event: Event) -> Result<Step, Refusal> {
        self.request(&Request::of(event))
    }
}

/// Publishing by the initiator on the day of publication.
pub fn publish(edition: &'static Edition, facts: &LotFacts) -> Result<Step, Refusal> {
    Try { edition, facts, actor: initiator(), now: publication() }.event(Event::Publish)
}

/// An act of the initiator on a noticed lot, ten days after publication.
pub fn while_noticed(edition: &'static Edition, facts: &LotFacts, request: &Request) -> Result<Step, Refusal> {
    Try { edition, facts, actor: initiator(), now: nine("2026-03-12") }.request(request)
}

/// The system acts at a moment.
pub fn system(edition: &'static Edition, facts: &LotFacts, event: Event, now: Timestamp) -> Result<Step, Refusal> {
    Try { edition, facts, actor: Actor::System, now }.event(event)
}

/// The act is allowed.
#[track_caller]
pub fn allowed(result: Result<Step, Refusal>) -> Step {
    match result {
        Ok(step) => step,
        Err(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// The act is refused by that rule; the refusal speaks both languages.
#[track_caller]
pub fn refused_by<T: std::fmt::Debug>(rule: &str, result: Result<T, Refusal>) -> Refusal {
    let refusal = result.expect_err("a refusal");
    assert_eq!(refusal.rule.map(|rule| rule.as_str()), Some(rule), "{refusal:?}");
    for text in [&refusal.detail.zh, &refusal.detail.en, &refusal.hint.zh, &refusal.hint.en] {
        assert!(!text.is_empty());
    }
    refusal
}
