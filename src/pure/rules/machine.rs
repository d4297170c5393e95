//! The machine of a lot: its states, its events, and the functions that read an edition's table.
//!
//! Promise: [`step`] is the only way a lot's state moves; [`explain`] says the same in advance and never tells a person
//! anything about sealed facts before the closing; [`due_at`] says what time alone will cause.
//! Invariant: all three are pure; the same facts give the same answer. Deliberately not here: the rules themselves
//! (`guards`), the tables (`editions`).

use crate::kernel::id::OrgId;
use crate::kernel::role::Actor;
use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::Timestamp;
use crate::rules::calendar::BusinessCalendar;
use crate::rules::catalogue::{G_09, RuleId};
use crate::rules::editions::Edition;
use crate::rules::facts::{LotFacts, Request, ReserveTerm};
use crate::rules::hold::HoldKind;
pub use crate::rules::lot_words::{Effect, Event, State};
use crate::rules::refusal::{Obstacle, Refusal, Retry};
use crate::rules::table::{self, Machine, Reads, Row};
use serde::Serialize;
use utoipa::ToSchema;

/// After the deadline the box is closed only when headers on their way have had this time to be recorded, in seconds.
/// It changes nobody's deadline: a bid is in time by the moment its last byte was received.
pub const SETTLE_SECONDS: i64 = 5;
/// How long the closing waits at most for headers in flight, in seconds after the settle time.
pub const IN_FLIGHT_SECONDS: i64 = 60;

/// The machine of a lot.
#[derive(Debug)]
pub struct Lot;

/// What a guard of a lot is asked about.
pub struct Case<'a> {
    /// The lot's edition.
    pub edition: &'static Edition,
    /// The facts.
    pub facts: &'a LotFacts,
    /// The proposed act.
    pub request: &'a Request,
    /// Who asks.
    pub actor: &'a Actor,
    /// The moment of the commit.
    pub now: Timestamp,
    /// The business calendar.
    pub calendar: &'a BusinessCalendar,
}

impl Machine for Lot {
    type State = State;
    type Event = Event;
    type Case<'a> = Case<'a>;
    type Effect = Effect;
    const SUBJECT: Phrase = Phrase::new("标段", "lot");

    fn parties<'a>(case: &'a Case<'_>) -> (&'a Actor, &'a OrgId) {
        (case.actor, &case.facts.initiator)
    }
}

/// A transition that is allowed, and the times it sets (`None`: unchanged).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The act.
    pub event: Event,
    /// The state before.
    pub from: State,
    /// The state after; the same for acts that only record something.
    pub to: State,
    /// What follows.
    pub effects: &'static [Effect],
    /// The disclosure period begins.
    pub disclosure_started_at: Option<Timestamp>,
    /// The new deadline.
    pub deadline_at: Option<Timestamp>,
    /// The new opening.
    pub opens_at: Option<Timestamp>,
    /// The publicity of candidates ends.
    pub publicity_ends_at: Option<Timestamp>,
    /// The notice of the result ends.
    pub result_notice_ends_at: Option<Timestamp>,
    /// A period rests on a year whose holidays are not announced yet; count again when they are.
    pub provisional: bool,
}

/// Whether a caller may do something now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Explanation {
    /// The act.
    pub event: Event,
    /// The title of the act.
    pub title: Bilingual,
    /// No guard that can be asked in advance is against it.
    pub allowed: bool,
    /// The state it would lead to.
    pub to: Option<State>,
    /// Why not: every guard that fails, not only the first.
    pub refusals: Vec<Refusal>,
    /// Conditions that can only be judged with the request, or only after the closing.
    pub conditions: Vec<Condition>,
}

/// A condition that is named, not evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Condition {
    /// The guard's name.
    pub guard: &'static str,
    /// The rule.
    pub rule: RuleId,
    /// The condition in words.
    pub says: Bilingual,
    /// It is about sealed facts: nobody is told before the closing whether it holds.
    pub sealed: bool,
}

/// What time alone will cause, and from when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Not before.
    pub at: Timestamp,
    /// The request that the system then makes.
    pub request: Request,
}

/// Decides whether `request` may happen now; the only way a lot's state moves.
///
/// # Errors
/// The refusal of the first obstacle: authority, then state, then a hold, then the row's guards in their order.
pub fn step(
    edition: &'static Edition,
    facts: &LotFacts,
    request: &Request,
    actor: &Actor,
    now: Timestamp,
    calendar: &BusinessCalendar,
) -> Result<Step, Refusal> {
    let case = Case { edition, facts, request, actor, now, calendar };
    let row = table::find(edition.table, facts.state, request.event, &case)?;
    held(&case)?;
    table::ask_all(row, &case)?;
    Ok(outcome(row, &case))
}

/// Says for every act of the edition whether `actor` may do it now, and if not, why and what would make it possible.
/// Guards over sealed facts are not asked for a person before the closing.
pub fn explain(
    edition: &'static Edition,
    facts: &LotFacts,
    actor: &Actor,
    now: Timestamp,
    calendar: &BusinessCalendar,
) -> Vec<Explanation> {
    let in_table = |event: &&Event| edition.table.iter().any(|row| row.event == **event);
    Event::ALL
        .iter()
        .filter(in_table)
        .map(|event| {
            let request = Request::of(*event);
            explain_one(&Case { edition, facts, request: &request, actor, now, calendar })
        })
        .collect()
}

fn explain_one(case: &Case<'_>) -> Explanation {
    let event = case.request.event;
    let mut explanation = Explanation {
        event,
        title: event.title().into(),
        allowed: false,
        to: None,
        refusals: Vec::new(),
        conditions: Vec::new(),
    };
    let row = match table::find(case.edition.table, case.facts.state, event, case) {
        Ok(row) => row,
        Err(refusal) => {
            explanation.refusals.push(refusal);
            return explanation;
        }
    };
    explanation.to = Some(table::target(row, case.facts.state));
    explanation.refusals.extend(held(case).err());
    for guard in row.when {
        let sealed = guard.reads == Reads::Sealed;
        let hidden = sealed && case.facts.state.is_before_closing() && *case.actor != Actor::System;
        if hidden || guard.reads == Reads::Request {
            let says = guard.says.into();
            explanation.conditions.push(Condition { guard: guard.name, rule: guard.rule, says, sealed });
        } else {
            explanation.refusals.extend(guard.ask(case).err());
        }
    }
    explanation.allowed = explanation.refusals.is_empty();
    explanation
}

/// A hold is a flag beside the state: what it stops is refused here, no table repeats it.
fn held(case: &Case<'_>) -> Result<(), Refusal> {
    let stops = case.edition.stopped_by_hold.contains(&case.request.event);
    let kinds: Vec<HoldKind> = case.facts.holds.iter().map(|hold| hold.kind).collect();
    if !stops || kinds.is_empty() {
        return Ok(());
    }
    let (zh, en) = table::titles(&kinds);
    Err(Refusal {
        code: "hold-forbids",
        obstacle: Obstacle::State,
        rule: Some(G_09),
        detail: Bilingual::new(format!("标段已中止：{zh}。"), format!("The lot is on hold: {en}.")),
        hint: Bilingual::new("须先恢复。", "The hold must be released first."),
        possible_at: None,
        retry: Retry::AfterChange,
    })
}

/// What the row does, with the times that its effects set.
fn outcome(row: &'static Row<Lot>, case: &Case<'_>) -> Step {
    let (periods, today) = (&case.edition.periods, case.now.local_date());
    let mut step = Step {
        event: row.event,
        from: case.facts.state,
        to: table::target(row, case.facts.state),
        effects: row.then,
        disclosure_started_at: None,
        deadline_at: None,
        opens_at: None,
        publicity_ends_at: None,
        result_notice_ends_at: None,
        provisional: false,
    };
    for effect in row.then {
        match effect {
            Effect::MoveDeadline => {
                step.deadline_at = case.request.new_deadline_at;
                step.opens_at = case.opens_at().filter(|opens| Some(*opens) != case.facts.opens_at);
            }
            Effect::StartDisclosure => {
                step.disclosure_started_at = Some(case.now);
                let end = case.deadline_at().map_or(today, Timestamp::local_date);
                step.provisional |= case.calendar.wd(today, end).provisional;
            }
            Effect::StartPublicity => {
                let end = case.calendar.add_days(today, periods.publicity_days.unwrap_or(0));
                step.publicity_ends_at = Some(Timestamp::end_of(end.value));
                step.provisional |= end.provisional;
            }
            Effect::StartResultNotice => {
                let end = case.calendar.add_working_days(today, periods.result_notice_working_days.unwrap_or(0));
                step.result_notice_ends_at = Some(Timestamp::end_of(end.value));
                step.provisional |= end.provisional;
            }
            _ => {}
        }
    }
    step
}

impl Case<'_> {
    /// The deadline as it would be after the act.
    pub fn deadline_at(&self) -> Option<Timestamp> {
        self.request.new_deadline_at.or(self.facts.deadline_at)
    }

    /// The opening as it would be after the act. A new deadline without a new opening keeps the distance between
    /// them, and an opening never moves earlier.
    pub fn opens_at(&self) -> Option<Timestamp> {
        let shifted = || {
            let (old, new) = (self.facts.deadline_at?, self.request.new_deadline_at?);
            let opens = self.facts.opens_at?;
            Some(opens.plus_millis((new.millis() - old.millis()).max(0)))
        };
        self.request.new_opens_at.or_else(shifted).or(self.facts.opens_at)
    }
}

/// What time alone will cause next, computed from the facts; nothing while a hold stops it.
pub fn due_at(edition: &'static Edition, facts: &LotFacts) -> Option<Due> {
    let (at, request) = match facts.state {
        State::Noticed => {
            let wait = if facts.headers_in_flight { IN_FLIGHT_SECONDS } else { 0 };
            (facts.deadline_at?.plus_seconds(SETTLE_SECONDS + wait), at_deadline(facts))
        }
        State::Closed if facts.received_bids.is_some_and(|received| received < edition.min_received) => {
            let cause = Some(edition.too_few);
            (
                facts.deadline_at?.plus_seconds(SETTLE_SECONDS),
                Request { cause, ..Request::of(Event::DeclareUnsuccessful) },
            )
        }
        State::Closed => (facts.opens_at?, Request::of(Event::BeginOpening)),
        State::Publicity if facts.open_result_objections == 0 => {
            (facts.publicity_ends_at?, Request::of(Event::EndPublicity))
        }
        State::Published if facts.open_result_objections == 0 => {
            (facts.result_notice_ends_at?, Request::of(Event::Conclude))
        }
        _ => return None,
    };
    // Whatever time would cause from these states waits while a hold is in force.
    if facts.holds.is_empty() { Some(Due { at, request }) } else { None }
}

/// At the deadline the box closes, unless the platform was down before it or an announced reserve price is missing.
fn at_deadline(facts: &LotFacts) -> Request {
    let missing = facts.reserve == ReserveTerm::Announced && !facts.reserve_received;
    let hold = match (facts.outage_undecided, missing) {
        (true, _) => Some(HoldKind::Incident),
        (false, true) => Some(HoldKind::ReserveMissing),
        (false, false) => return Request::of(Event::CloseBidding),
    };
    Request { hold, ..Request::of(Event::PlaceHold) }
}
