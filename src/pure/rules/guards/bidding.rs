//! While bids come in: clarifications, extensions, changed content, holds.

use super::{dates, deadline, not_before, present, request, require, state};
use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::Timestamp;
use crate::rules::catalogue::{ENG_04, ENG_05, PF_06, PF_07, PF_09, PR_06};
use crate::rules::hold::{HoldKind, HoldRule};
use crate::rules::machine::{Case, Lot, State};
use crate::rules::refusal::{Finding, Obstacle};
use crate::rules::table::{self, Check, Guard};

/// The deadline has not passed: afterwards nothing about it changes.
pub const BEFORE_DEADLINE: &Guard<Lot> = &state(
    "before_the_deadline",
    "deadline-passed",
    PF_07,
    Phrase::new("投标截止时间未到", "the deadline has not passed"),
    |case| {
        let at = present(case.facts.deadline_at, Phrase::new("投标截止时间", "submission deadline"))?;
        if case.now < at {
            return Ok(());
        }
        Err(Finding::new(
            Bilingual::new(
                format!("投标截止时间（{}）已过。", at.local()),
                format!("The deadline ({}) has passed.", at.local()),
            ),
            Bilingual::new(
                "截止后只能在中止恢复时重新确定截止时间。",
                "After it a new deadline can only be set when a hold is released.",
            ),
        ))
    },
);

/// ENG-04: a clarification that affects bids leaves time, or brings a new deadline that does.
pub const CLARIFICATION_LEAVES_TIME: &Guard<Lot> = &request(
    "clarification_leaves_time",
    "clarification-too-late",
    ENG_04,
    Phrase::new(
        "影响投标的澄清距截止不少于法定天数，否则须顺延",
        "a clarification that affects bids leaves the edition's days, or moves the deadline",
    ),
    |case| {
        let Some(days) = case.edition.periods.clarification_days.filter(|_| case.request.affects_bid) else {
            return Ok(());
        };
        dates::least_days(
            ENG_04,
            Phrase::new("投标截止", "deadline"),
            Phrase::new("澄清发布", "clarification"),
            case.now,
            deadline(case)?,
            days,
        )
    },
);

/// PF-06: deadline and opening only move later.
pub const DEADLINE_MOVES_LATER: &Guard<Lot> = &request(
    "deadline_moves_later",
    "deadline-not-later",
    PF_06,
    Phrase::new(
        "新的截止时间晚于原截止时间且在将来，开标不提前",
        "the new deadline is later than the old one and in the future; the opening is not earlier",
    ),
    |case| {
        present(case.request.new_deadline_at, Phrase::new("新的截止时间", "new deadline"))?;
        moves_later(case)
    },
);

/// PF-06 where a new deadline is optional.
pub const ANY_NEW_DEADLINE_LATER: &Guard<Lot> = &request(
    "any_new_deadline_is_later",
    "deadline-not-later",
    PF_06,
    Phrase::new("如变更截止时间，只能推后，开标不提前", "a new deadline, if any, is later; the opening is not earlier"),
    moves_later,
);

fn moves_later(case: &Case<'_>) -> Check {
    let later = |new: Option<Timestamp>, old: Option<Timestamp>| {
        new.is_none_or(|new| old.is_none_or(|old| new > old) && new > case.now)
    };
    let opening_kept = case.request.new_opens_at.is_none_or(|new| case.facts.opens_at.is_none_or(|old| new >= old));
    let in_order = case.opens_at().zip(case.deadline_at()).is_none_or(|(opens, end)| opens >= end);
    require(
        later(case.request.new_deadline_at, case.facts.deadline_at) && opening_kept && in_order,
        Phrase::new(
            "截止和开标时间只能推后，且开标不得早于截止。",
            "Deadline and opening only move later, and the opening is not before the deadline.",
        ),
        Phrase::new("请填写更晚的时间。", "State a later time."),
    )
}

/// PR-06: disclosed content stands; a change is an amendment and restarts the period.
pub const CONTENT_IS_FROZEN: &Guard<Lot> = &request(
    "content_is_frozen",
    "content-frozen",
    PR_06,
    Phrase::new("披露内容不得变更，澄清不得影响报价", "a clarification does not change what was disclosed"),
    |case| {
        require(
            !case.request.affects_bid,
            Phrase::new(
                "该澄清影响报价；PR-06规定披露内容不得变更。",
                "The clarification affects offers; PR-06 freezes what was disclosed.",
            ),
            Phrase::new(
                "请改用“变更披露内容”，披露期重新计算。",
                "Amend the disclosure instead; its period then begins again.",
            ),
        )
    },
);

fn hold_rule(case: &Case<'_>) -> Result<&'static HoldRule, Finding> {
    present(case.request.hold, Phrase::new("中止原因", "kind of hold")).map(HoldKind::rule)
}

/// PF-09: each kind of hold is placed by its own parties.
pub const HOLD_IS_YOURS_TO_PLACE: &Guard<Lot> = &request(
    "hold_is_theirs_to_place",
    "hold-not-yours",
    PF_09,
    Phrase::new(
        "该类中止由有权方作出，且尚未作出",
        "that kind of hold is placed by its own party, and not in force yet",
    ),
    |case| {
        let rule = hold_rule(case)?;
        let new = !case.facts.holds.iter().any(|hold| hold.kind == rule.kind);
        let may = rule.placed_by.iter().any(|by| by.is(case.actor, &case.facts.initiator));
        if may && new {
            return Ok(());
        }
        let (zh, en) = table::titles(rule.placed_by);
        Err(Finding::new(
            Bilingual::new(
                format!("“{}”类中止由{zh}作出，且同类中止不得重复。", rule.kind.title().zh),
                format!("A hold \"{}\" is placed by {en}, and once at a time.", rule.kind.title().en),
            ),
            Bilingual::new(
                "请由有权方办理或选择其他类别。",
                "Ask the party that may place it, or choose another kind.",
            ),
        ))
    },
);

/// PF-09: a hold in force is released by its own parties.
pub const HOLD_IS_YOURS_TO_RELEASE: &Guard<Lot> = &request(
    "hold_is_theirs_to_release",
    "hold-not-yours",
    PF_09,
    Phrase::new("该类中止在效，且由有权方恢复", "that kind of hold is in force and released by its own party"),
    |case| {
        let rule = hold_rule(case)?;
        let there = case.facts.holds.iter().any(|hold| hold.kind == rule.kind);
        let may = rule.released_by.iter().any(|by| by.is(case.actor, &case.facts.initiator));
        if may && there {
            return Ok(());
        }
        let (zh, en) = table::titles(rule.released_by);
        Err(Finding::new(
            Bilingual::new(
                format!("“{}”类中止由{zh}恢复，且须在效。", rule.kind.title().zh),
                format!("A hold \"{}\" is released by {en}, while it is in force.", rule.kind.title().en),
            ),
            Bilingual::new("请由有权方办理。", "Ask the party that may release it."),
        ))
    },
);

/// ENG-05: the procedure waits until every objection is answered.
pub const OBJECTIONS_ANSWERED: &Guard<Lot> = &Guard {
    // What stands in the way is in the lot, not in the request, though the request says which hold it is about.
    obstacle: Obstacle::State,
    ..request(
        "objections_answered",
        "objections-open",
        ENG_05,
        Phrase::new("异议中止须在全部异议答复后恢复", "a hold for objections is released when all are answered"),
        |case| {
            let open = case.facts.open_document_objections + case.facts.open_result_objections;
            require(
                case.request.hold != Some(HoldKind::Objection) || open == 0,
                Phrase::new(
                    "尚有异议未答复；ENG-05规定答复前暂停招标投标活动。",
                    "An objection has no answer yet; ENG-05 pauses the procedure until it has.",
                ),
                Phrase::new("请先答复全部异议。", "Answer every objection first."),
            )
        },
    )
};

/// PF-09: who could not rely on the old deadline gets a new one.
pub const RELEASE_SETS_DEADLINE: &Guard<Lot> = &request(
    "release_sets_a_new_deadline",
    "new-deadline-needed",
    PF_09,
    Phrase::new(
        "截止时间在中止期间已过的，恢复时须确定新的截止时间",
        "if the deadline passed under a hold, its release sets a new one",
    ),
    |case| {
        let (Some(old), State::Noticed) = (case.facts.deadline_at, case.facts.state) else { return Ok(()) };
        let passed = old <= case.now;
        let under_hold =
            case.facts.holds.iter().any(|hold| hold.placed_at < old || hold.kind.rule().always_needs_new_deadline);
        require(
            !(passed && under_hold) || case.request.new_deadline_at.is_some(),
            Phrase::new("截止时间在中止期间已过。", "The deadline passed while the lot was on hold."),
            Phrase::new(
                "请确定新的截止时间；已收到的投标继续有效并保持密封。",
                "Set a new deadline; bids received stay valid and sealed.",
            ),
        )
    },
);

/// PF-09: while the deadline is still to come, a hold for a missing reserve price makes no sense.
pub const RESERVE_HOLD_AFTER_DEADLINE: &Guard<Lot> = &request(
    "reserve_hold_after_the_deadline",
    "deadline-not-reached",
    PF_09,
    Phrase::new("底价缺失的中止只在截止后作出", "a hold for a missing reserve price is placed after the deadline"),
    |case| {
        let end = deadline(case)?;
        if case.request.hold != Some(HoldKind::ReserveMissing) || case.now >= end {
            return Ok(());
        }
        Err(not_before(end, Phrase::new("投标截止时间", "The deadline")))
    },
);
