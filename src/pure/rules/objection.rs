//! Objections (异议): until when they can be raised, and how soon they are answered.
//!
//! Promise: one that comes too late is recorded as inadmissible with the rule that says so. Deliberately not here:
//! complaints to a regulator, which the platform does not decide.

use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::{Timestamp, d};
use crate::rules::catalogue::RuleId;
use crate::rules::editions::Edition;
use crate::rules::facts::LotFacts;
use crate::rules::machine::State;
use crate::rules::names::named;
use crate::rules::refusal::{Finding, Obstacle, Refusal, Retry};
use crate::rules::table::titles;

named! {
    /// What an objection is against.
    pub enum ObjectionKind {
        /// The documents or the notice.
        Documents = "documents", "对文件的异议", "objection to the documents";
        /// The opening, raised in its session.
        Opening = "opening", "对开标的异议", "objection to the opening";
        /// The candidates or the result.
        Result = "result", "对结果的异议", "objection to the result";
    }
}

/// When an objection can be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// While bids come in, at least so many days before the deadline.
    DaysBeforeDeadline(u32),
    /// While the lot is in one of these states.
    While(&'static [State]),
}

/// An edition's rule about one kind of objection.
pub struct ObjectionRule {
    /// The kind.
    pub kind: ObjectionKind,
    /// Source.
    pub rule: RuleId,
    /// When it can be raised.
    pub window: Window,
    /// Days in which it is answered; 0 is in the session itself.
    pub answer_days: u32,
    /// The lot goes on hold until the answer.
    pub holds: bool,
}

/// Whether an objection of `kind` can be raised now, and by which rule it is then handled.
///
/// # Errors
/// The refusal to record when it is inadmissible.
pub fn admissible(
    edition: &Edition,
    kind: ObjectionKind,
    facts: &LotFacts,
    now: Timestamp,
) -> Result<&'static ObjectionRule, Refusal> {
    let Some(rule) = edition.objections.iter().find(|rule| rule.kind == kind) else {
        let title = kind.title();
        return Err(Refusal {
            code: "objection-not-provided-for",
            obstacle: Obstacle::State,
            rule: None,
            detail: Bilingual::new(
                format!("本流程未设“{}”。", title.zh),
                format!("This procedure has no {}.", title.en),
            ),
            hint: Bilingual::new("请使用其他救济途径。", "Use another remedy."),
            possible_at: None,
            retry: Retry::Never,
        });
    };
    let finding = match rule.window {
        Window::DaysBeforeDeadline(days) => too_late(rule.rule, days, facts, now),
        Window::While(states) => {
            out_of_season(rule.kind.title(), states, facts.state).or_else(|| after_last_day(facts, now))
        }
    };
    match finding {
        None => Ok(rule),
        Some(finding) => Err(finding.refuse("objection-inadmissible", Obstacle::State, rule.rule, Retry::Never)),
    }
}

fn too_late(rule: RuleId, days: u32, facts: &LotFacts, now: Timestamp) -> Option<Finding> {
    let (State::Noticed, Some(end)) = (facts.state, facts.deadline_at) else {
        return out_of_season(ObjectionKind::Documents.title(), &[State::Noticed], facts.state);
    };
    let left = d(now.local_date(), end.local_date());
    if left >= i64::from(days) {
        return None;
    }
    Some(Finding::new(
        Bilingual::new(
            format!("距投标截止还有{left}天；{rule}要求至少提前{days}天提出。"),
            format!("The deadline is {left} days away; {rule} needs at least {days}."),
        ),
        Bilingual::new(
            "逾期提出的，记录为不予受理；可以提问或投诉。",
            "It is recorded as inadmissible; ask a question or complain instead.",
        ),
    ))
}

/// A publicity or notice that is over is over, also while nobody has entered its end yet.
fn after_last_day(facts: &LotFacts, now: Timestamp) -> Option<Finding> {
    let end = match facts.state {
        State::Publicity => facts.publicity_ends_at,
        State::Published => facts.result_notice_ends_at,
        _ => None,
    };
    let end = end.filter(|end| now >= *end)?;
    Some(Finding::new(
        Bilingual::new(
            format!("公示或公告已于{}届满。", end.local()),
            format!("The publicity or notice ended at {}.", end.local()),
        ),
        Bilingual::new("逾期提出的，记录为不予受理；可以投诉。", "It is recorded as inadmissible; complain instead."),
    ))
}

fn out_of_season(kind: Phrase, states: &'static [State], state: State) -> Option<Finding> {
    if states.contains(&state) {
        return None;
    }
    let (zh, en) = titles(states);
    Some(Finding::new(
        Bilingual::new(
            format!("“{}”应在以下阶段提出：{zh}；当前为“{}”。", kind.zh, state.title().zh),
            format!("An {} is raised while the lot is {en}; it is {} now.", kind.en, state.title().en),
        ),
        Bilingual::new("请在规定阶段提出。", "Raise it in that phase."),
    ))
}
