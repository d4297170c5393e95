//! Entry: what the centre may register, and acts that need a reason.

use super::{content, request, require, state};
use crate::kernel::text::Phrase;
use crate::rules::catalogue::{G_08, PF_03, PF_12, PF_13};
use crate::rules::machine::Lot;
use crate::rules::table::Guard;

/// The approval of the project, decision or supply plan is on file.
pub const APPROVAL_RECORDED: &Guard<Lot> = &content(
    "approval_recorded",
    "approval-missing",
    G_08,
    Phrase::new("已填写审批（核准、备案、决策）文号", "the approval's number is on file"),
    |case| {
        require(
            case.facts.approval_number.as_ref().is_some_and(|number| !number.trim().is_empty()),
            Phrase::new("没有审批文号。", "There is no approval number."),
            Phrase::new(
                "请填写项目审批、决策或供地计划的文号。",
                "State the number of the approval, decision or supply plan.",
            ),
        )
    },
);

/// The initiator declares that nothing forbids the trade.
pub const NO_DISPUTE: &Guard<Lot> = &content(
    "no_dispute_declared",
    "dispute-not-excluded",
    G_08,
    Phrase::new(
        "已声明权属无争议、未受限制、不属禁止交易",
        "the initiator declares: no disputed title, no restriction, no prohibition",
    ),
    |case| {
        require(
            case.facts.no_dispute_declared,
            Phrase::new(
                "未声明权属无争议且未受限制。",
                "It is not declared that the title is undisputed and unrestricted.",
            ),
            Phrase::new(
                "请作出声明；存在争议或限制的，不予登记。",
                "Make the declaration; a disputed or restricted subject is not registered.",
            ),
        )
    },
);

/// A return names every deficiency at once.
pub const DEFICIENCIES_LISTED: &Guard<Lot> = &request(
    "deficiencies_listed",
    "deficiencies-missing",
    PF_12,
    Phrase::new("一次性列明全部需补正事项", "every deficiency is listed, at once"),
    |case| {
        require(
            case.request.deficiencies > 0,
            Phrase::new("未列明需补正的事项。", "No deficiency is listed."),
            Phrase::new("请一次性列明全部需补正事项。", "List every deficiency at once."),
        )
    },
);

/// The act carries its reason.
pub const REASON_GIVEN: &Guard<Lot> =
    &request("reason_given", "reason-missing", PF_03, Phrase::new("已说明理由", "a reason is given"), |case| {
        require(
            *case.actor == crate::kernel::role::Actor::System
                || case.request.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty()),
            Phrase::new("未说明理由。", "No reason is given."),
            Phrase::new("请说明理由，理由将记入审计记录并公告。", "Give a reason; it is recorded and published."),
        )
    });

/// A lot has one successor at most.
pub const NOT_RETENDERED: &Guard<Lot> = &state(
    "not_retendered",
    "already-retendered",
    PF_13,
    Phrase::new("尚未由此标段重新招标", "no other lot was made out of this one yet"),
    |case| {
        require(
            !case.facts.retendered,
            Phrase::new("已由此标段重新发起过一次。", "Another lot was already made out of this one."),
            Phrase::new("请使用后继标段。", "Go on with the successor lot."),
        )
    },
);
