//! From the deadline to the end of the opening.

use super::{not_before, present, sealed, state, waiting};
use crate::kernel::text::{Bilingual, Phrase};
use crate::rules::catalogue::{EB_02, ENG_16, ENG_18, LD_04, LD_05, PF_08, PR_05, RuleId};
use crate::rules::facts::ReserveTerm;
use crate::rules::machine::{Case, IN_FLIGHT_SECONDS, Lot, SETTLE_SECONDS};
use crate::rules::refusal::Finding;
use crate::rules::table::{Check, Guard};

/// EB-02: the box closes only when whatever came in time is in it.
pub const DEADLINE_SETTLED: &Guard<Lot> = &waiting(
    "deadline_settled",
    "deadline-not-settled",
    EB_02,
    Phrase::new(
        "截止时间已过，按时到达的投标均已入箱",
        "the deadline has passed and whatever came in time is in the box",
    ),
    |case| {
        let end = super::deadline(case)?;
        let settled = end.plus_seconds(SETTLE_SECONDS);
        let latest = settled.plus_seconds(IN_FLIGHT_SECONDS);
        if case.now < settled {
            return Err(not_before(settled, Phrase::new("截止及结清时间", "The deadline with its settle time")));
        }
        if case.facts.headers_in_flight && case.now < latest {
            return Err(not_before(latest, Phrase::new("在途投标结清时间", "The time allowed for headers in flight")));
        }
        Ok(())
    },
);

/// PF-08: after an outage right before the deadline a person decides.
pub const NO_OUTAGE: &Guard<Lot> = &state(
    "no_undecided_outage",
    "outage-undecided",
    PF_08,
    Phrase::new(
        "截止前平台无中断，或已决定继续",
        "the platform was up before the deadline, or somebody decided to go on",
    ),
    |case| {
        super::require(
            !case.facts.outage_undecided,
            Phrase::new("截止前平台曾中断。", "The platform was down before the deadline."),
            Phrase::new(
                "由项目单位或交易中心延期，或说明理由后继续。",
                "The initiator or the centre extends, or goes on with a reason.",
            ),
        )
    },
);

/// LD-04: an announced reserve price is in the box before anything opens.
pub const RESERVE_IN_BOX: &Guard<Lot> = &sealed(
    "reserve_in_the_box",
    "reserve-missing",
    LD_04,
    Phrase::new("公告设有底价的，底价已密封入箱", "an announced reserve price is in the box"),
    |case| {
        super::require(
            case.facts.reserve != ReserveTerm::Announced || case.facts.reserve_received,
            Phrase::new(
                "公告设有底价，但截止时未收到密封底价。",
                "A reserve price was announced, and none was in the box at the deadline.",
            ),
            Phrase::new(
                "中止；确定新的截止时间并密封提交底价。",
                "The lot goes on hold; set a new deadline and seal the reserve price.",
            ),
        )
    },
);

/// EB-02: nothing is unsealed before the announced opening.
pub const OPENS_AT_REACHED: &Guard<Lot> = &waiting(
    "opening_time_reached",
    "opening-too-early",
    EB_02,
    Phrase::new("已到开标时间", "the announced opening time is reached"),
    |case| {
        let opens = present(case.facts.opens_at, Phrase::new("开标时间", "opening time"))?;
        if case.now >= opens { Ok(()) } else { Err(not_before(opens, Phrase::new("开标时间", "The opening time"))) }
    },
);

/// Enough bids for an opening; the source differs by edition.
const fn minimum_received(rule: RuleId) -> Guard<Lot> {
    sealed(
        "minimum_received",
        "too-few-bids",
        rule,
        Phrase::new("收到的投标达到法定数", "at least the edition's minimum of bids was received"),
        enough,
    )
}

/// Too few bids for an opening.
const fn too_few_received(rule: RuleId) -> Guard<Lot> {
    sealed(
        "too_few_received",
        "enough-bids",
        rule,
        Phrase::new("收到的投标不足法定数", "fewer bids than the edition's minimum were received"),
        too_few,
    )
}

/// ENG-16.
pub const MINIMUM_ENG_16: &Guard<Lot> = &minimum_received(ENG_16);
/// LD-05.
pub const MINIMUM_LD_05: &Guard<Lot> = &minimum_received(LD_05);
/// PR-05.
pub const MINIMUM_PR_05: &Guard<Lot> = &minimum_received(PR_05);
/// ENG-16.
pub const TOO_FEW_ENG_16: &Guard<Lot> = &too_few_received(ENG_16);
/// LD-05.
pub const TOO_FEW_LD_05: &Guard<Lot> = &too_few_received(LD_05);
/// PR-05.
pub const TOO_FEW_PR_05: &Guard<Lot> = &too_few_received(PR_05);

fn received(case: &Case<'_>) -> Result<(u32, u32), Finding> {
    let count = present(case.facts.received_bids, Phrase::new("收到的投标数", "number of bids received"))?;
    Ok((count, case.edition.min_received))
}

fn enough(case: &Case<'_>) -> Check {
    let (count, least) = received(case)?;
    if count >= least { Ok(()) } else { Err(counted(count, least)) }
}

fn too_few(case: &Case<'_>) -> Check {
    let (count, least) = received(case)?;
    if count < least { Ok(()) } else { Err(counted(count, least)) }
}

fn counted(count: u32, least: u32) -> Finding {
    Finding::new(
        Bilingual::new(
            format!("收到{count}份投标；开标至少需要{least}份。"),
            format!("{count} bids were received; an opening needs {least}."),
        ),
        Bilingual::new(
            "不足的不开标，投标原样退回，重新招标。",
            "With fewer nothing is opened, bids are returned as they are, and the lot is tendered again.",
        ),
    )
}

/// ENG-18: the session is closed, which needs every objection raised in it to be answered.
pub const SESSION_CLOSED: &Guard<Lot> = &state(
    "session_closed",
    "session-open",
    ENG_18,
    Phrase::new("开标会已结束，现场异议均已答复", "the session is closed, every objection raised in it answered"),
    |case| {
        super::require(
            case.facts.session_closed,
            Phrase::new("开标会尚未结束。", "The opening session is not closed."),
            Phrase::new("请答复现场异议并结束开标会。", "Answer what was raised and close the session."),
        )
    },
);
