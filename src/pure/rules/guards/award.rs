//! From the evaluation to the result.

use super::{not_before, present, request, require, state, waiting};
use crate::kernel::text::{Bilingual, Phrase};
use crate::rules::catalogue::{
    ENG_28, ENG_29, ENG_39, ENG_40, LD_04, LD_13, PF_15, PF_18, PR_01, PR_10, PR_13, RuleId,
};
use crate::rules::facts::{FailureCause, ReserveTerm};
use crate::rules::machine::{Case, Lot};
use crate::rules::refusal::Finding;
use crate::rules::table::{self, Check, Guard};
use std::cmp::Ordering;

/// PF-15: every opened bid has a judgement with its reason.
pub const ALL_BIDS_DECIDED: &Guard<Lot> = &state(
    "all_bids_decided",
    "bids-undecided",
    PF_15,
    Phrase::new("每份已开启的投标均有评审结论", "every opened bid is judged"),
    |case| {
        require(
            case.facts.undecided == Some(0),
            Phrase::new("尚有投标没有评审结论。", "A bid has no judgement yet."),
            Phrase::new("请对每份投标作出响应或否决的结论。", "Judge every bid responsive or rejected."),
        )
    },
);

/// ENG-40: there is a second envelope, and it is sealed.
pub const PRICES_SEALED: &Guard<Lot> = &state(
    "prices_still_sealed",
    "no-second-envelope",
    ENG_40,
    Phrase::new("报价信封尚未开启", "the second envelope is still sealed"),
    |case| {
        require(
            case.facts.prices_sealed,
            Phrase::new("本标段没有未开启的报价信封。", "The lot has no second envelope that is still sealed."),
            Phrase::new("请按公告的评审程序进行。", "Go on as the notice says."),
        )
    },
);

/// ENG-40: nothing is concluded from the first envelope alone.
pub const PRICES_OPENED: &Guard<Lot> = &state(
    "prices_opened",
    "prices-still-sealed",
    ENG_40,
    Phrase::new("报价信封已开启", "the second envelope was opened"),
    |case| {
        require(
            !case.facts.prices_sealed,
            Phrase::new("报价信封尚未开启。", "The second envelope is still sealed."),
            Phrase::new(
                "请先评审第一信封,再开启通过者的报价信封。",
                "Judge the first envelope, then open the prices of those who passed.",
            ),
        )
    },
);

/// PF-15: the evaluation report is on file.
pub const REPORT_FILED: &Guard<Lot> = &state(
    "report_filed",
    "report-missing",
    PF_15,
    Phrase::new("已提交评审报告", "the evaluation report is filed"),
    |case| {
        require(
            case.facts.report_exists,
            Phrase::new("没有评审报告。", "There is no evaluation report."),
            Phrase::new("请提交评审报告。", "File the evaluation report."),
        )
    },
);

/// PF-15: there is somebody to award to.
pub const SOMEBODY_RESPONSIVE: &Guard<Lot> = &state(
    "a_responsive_bid_is_left",
    "no-responsive-bid",
    PF_15,
    Phrase::new("至少一份投标有效", "at least one bid is responsive"),
    |case| {
        require(
            case.facts.responsive.is_some_and(|count| count > 0),
            Phrase::new("没有有效投标。", "No bid is responsive."),
            Phrase::new("请宣布流标。", "Declare the lot unsuccessful."),
        )
    },
);

/// ENG-28: the publicity of candidates has run its days.
pub const PUBLICITY_OVER: &Guard<Lot> = &waiting(
    "publicity_over",
    "publicity-running",
    ENG_28,
    Phrase::new("中标候选人公示期已满", "the publicity of candidates is over"),
    |case| {
        let end = present(case.facts.publicity_ends_at, Phrase::new("公示截止时间", "end of publicity"))?;
        if case.now >= end {
            Ok(())
        } else {
            Err(not_before(end, Phrase::new("公示期届满时间", "The end of the publicity")))
        }
    },
);

/// No award while an objection to the result waits for its answer; the source differs by edition.
const fn no_open_objection(rule: RuleId) -> Guard<Lot> {
    state(
        "no_open_objection",
        "objection-open",
        rule,
        Phrase::new("对结果的异议均已答复", "every objection to the result is answered"),
        |case| {
            require(
                case.facts.open_result_objections == 0,
                Phrase::new("对结果的异议尚未答复。", "An objection to the result has no answer yet."),
                Phrase::new("请先答复异议。", "Answer it first."),
            )
        },
    )
}

/// ENG-28.
pub const NO_OBJECTION_ENG_28: &Guard<Lot> = &no_open_objection(ENG_28);
/// PF-18: where no article says it, the platform does.
pub const NO_OBJECTION_PF_18: &Guard<Lot> = &no_open_objection(PF_18);

/// The award goes to the first of the ranking, or to the next for a listed cause; the source differs by edition.
const fn award_to_first(rule: RuleId) -> Guard<Lot> {
    request(
        "award_to_the_first",
        "rank-not-first",
        rule,
        Phrase::new("授予排名第一者，或有法定事由", "the award goes to rank 1, or a listed cause is given"),
        first_or_cause,
    )
}

/// ENG-29.
pub const FIRST_ENG_29: &Guard<Lot> = &award_to_first(ENG_29);
/// LD-13.
pub const FIRST_LD_13: &Guard<Lot> = &award_to_first(LD_13);
/// PR-01.
pub const FIRST_PR_01: &Guard<Lot> = &award_to_first(PR_01);

fn first_or_cause(case: &Case<'_>) -> Check {
    let rule = case.edition.award;
    let rank = present(case.request.rank, Phrase::new("授予对象的排名", "rank that is awarded to"))?;
    let free = rule.only_state_funded && !case.facts.state_funded;
    let caused = case.request.fallback.is_some_and(|cause| rule.fallback.contains(&cause));
    if rank == 1 || (rank > 1 && (free || caused)) {
        return Ok(());
    }
    let (zh, en) =
        if rule.fallback.is_empty() { ("无".to_owned(), "none".to_owned()) } else { table::titles(rule.fallback) };
    Err(Finding::new(
        Bilingual::new(
            format!("拟授予第{rank}名；{}要求授予第一名，例外事由：{zh}。", rule.rule),
            format!("The award would go to rank {rank}; {} needs rank 1. Exceptions: {en}.", rule.rule),
        ),
        Bilingual::new("请授予第一名或列明法定事由。", "Award to rank 1 or state a listed cause."),
    ))
}

/// LD-04: land is not granted below the reserve price.
pub const RESERVE_REACHED: &Guard<Lot> = &state(
    "reserve_reached",
    "below-reserve",
    LD_04,
    Phrase::new("设有底价的，最高报价不低于底价", "the best offer is at least the reserve price, if there is one"),
    |case| {
        require(
            case.facts.reserve != ReserveTerm::Announced || case.facts.reserve_reached == Some(true),
            Phrase::new(
                "最高报价低于底价，或底价未能开启。",
                "The best offer is below the reserve price, or the reserve price could not be opened.",
            ),
            Phrase::new(
                "请宣布流标（原因：均低于底价）；底价未能开启的，请终止。",
                "Declare the lot unsuccessful, cause: below reserve; terminate it if the reserve price did not open.",
            ),
        )
    },
);

/// PR-10: nothing is sold below the asking price.
pub const PRICE_AT_LEAST_ASKING: &Guard<Lot> = &state(
    "price_at_least_asking",
    "price-below-asking",
    PR_10,
    Phrase::new("成交价不低于挂牌价", "the price of the deal is at least the asking price"),
    |case| {
        let price = present(case.facts.award_price, Phrase::new("成交价", "price of the deal"))?;
        let asking = present(case.facts.asking, Phrase::new("挂牌价", "asking price"))?;
        require(
            price.compare(asking).is_ok_and(|order| order != Ordering::Less),
            Phrase::new("成交价低于挂牌价或币种不同。", "The price is below the asking price, or in another currency."),
            Phrase::new(
                "只有一份报价时，按报价与挂牌价孰高成交。",
                "A single offer pays the higher of its offer and the asking price.",
            ),
        )
    },
);

/// PR-13: the notice of the result has run its days.
pub const RESULT_NOTICE_OVER: &Guard<Lot> = &waiting(
    "result_notice_over",
    "result-notice-running",
    PR_13,
    Phrase::new("结果公告期已满", "the notice of the result is over"),
    |case| {
        let end =
            present(case.facts.result_notice_ends_at, Phrase::new("结果公告截止时间", "end of the result notice"))?;
        if case.now >= end {
            Ok(())
        } else {
            Err(not_before(end, Phrase::new("结果公告期届满时间", "The end of the result notice")))
        }
    },
);

/// ENG-39 and its like: a lot with open bids ends without a result only for a cause of the edition that fits the facts.
pub const FAILURE_CAUSE_FITS: &Guard<Lot> = &request(
    "failure_cause_fits",
    "failure-cause-does-not-fit",
    ENG_39,
    Phrase::new("流标原因属本流程所列且与评审事实相符", "the cause is one of the edition's and fits the evaluation"),
    |case| {
        let cause = present(case.request.cause, Phrase::new("流标原因", "cause"))?;
        if case.edition.failure_causes.contains(&cause) && fits(cause, case) {
            return Ok(());
        }
        let (zh, en) = table::titles(case.edition.failure_causes);
        Err(Finding::new(
            Bilingual::new(
                format!(
                    "“{}”与评审事实不符或不适用；有效投标少于{}份本身不当然流标。",
                    cause.title().zh,
                    case.edition.min_responsive
                ),
                format!(
                    "\"{}\" does not apply here or does not fit the evaluation; fewer than {} responsive bids do not by themselves end a lot.",
                    cause.title().en,
                    case.edition.min_responsive
                ),
            ),
            Bilingual::new(
                format!("适用的原因：{zh}。每份投标须先有评审结论。"),
                format!("Causes: {en}. Every bid must be judged first."),
            ),
        ))
    },
);

/// Whether a cause agrees with the evaluation.
fn fits(cause: FailureCause, case: &Case<'_>) -> bool {
    let Some(responsive) = case.facts.responsive.filter(|_| case.facts.undecided == Some(0)) else { return false };
    match cause {
        FailureCause::AllRejected | FailureCause::NoOffer => responsive == 0,
        FailureCause::CompetitionLacking => responsive < case.edition.min_responsive,
        FailureCause::BelowReserve => case.facts.reserve_reached == Some(false),
        FailureCause::TooFewReceived => false,
    }
}
