//! Dates of the notice: their order and the law's least periods.

use super::{content, deadline, present, request, require};
use crate::kernel::money::Currency;
use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::{LocalDate, Timestamp, d};
use crate::rules::catalogue::{EB_06, ENG_01, ENG_02, ENG_17, LD_02, PF_04, PF_05, PF_16, PR_03, PR_04, PR_06, RuleId};
use crate::rules::editions::DisclosureBand;
use crate::rules::machine::{Case, Lot};
use crate::rules::refusal::Finding;
use crate::rules::table::{Check, Guard};
use chrono::Days;

const ISSUE_START: Phrase = Phrase::new("招标文件发售开始时间", "start of document issue");
const ISSUE_END: Phrase = Phrase::new("招标文件发售截止时间", "end of document issue");
const OPENS: Phrase = Phrase::new("开标时间", "opening time");
const BIDDING_OPENS: Phrase = Phrase::new("投标开始时间", "start of bidding");

/// Solicitation documents are attached.
pub const DOCUMENTS_ATTACHED: &Guard<Lot> = &content(
    "documents_attached",
    "documents-missing",
    PF_05,
    Phrase::new("已上传招标（出让、转让）文件", "solicitation documents are attached"),
    |case| {
        require(
            case.facts.documents > 0 && case.facts.document_revision.is_some(),
            Phrase::new("没有招标文件。", "No solicitation document is attached."),
            Phrase::new("请上传招标文件。", "Attach the solicitation documents."),
        )
    },
);

/// Bids can be sealed from the first moment on.
pub const KEY_SET_READY: &Guard<Lot> = &content(
    "key_set_ready",
    "key-set-missing",
    PF_04,
    Phrase::new("加密公钥已就绪", "the key set that bids are sealed to is ready"),
    |case| {
        require(
            case.facts.key_set_ready,
            Phrase::new("没有可用的加密公钥。", "There is no key set to seal bids to."),
            Phrase::new("请先生成公钥。", "Make the key set first."),
        )
    },
);

/// EB-06: where bidders deposit their keys, custodians have made the key that these are sealed to, and it is not used before the
/// bidders' own time to decrypt is over.
pub const ESCROW_READY: &Guard<Lot> = &content(
    "escrow_ready",
    "escrow-key-missing",
    EB_06,
    Phrase::new(
        "设有密钥托管的,保管人公钥已就绪,且解密时限届满后一日内方可启用",
        "with an escrow its key is made, and may be used from the end of the bidders' minutes or within a day after it",
    ),
    |case| {
        require(
            case.facts.escrow_ready,
            Phrase::new(
                "没有可用的托管公钥,或其启用时间早于投标人解密时限届满,或晚于届满后一日。",
                "There is no key for the escrow, or it may be used before the bidders' time to decrypt is over, or only a day after it.",
            ),
            Phrase::new(
                "请由保管人生成托管公钥,其 opens_not_before 为开标时间加 decryption_minutes。",
                "Have custodians make it in a ceremony; its opens_not_before is the opening plus decryption_minutes.",
            ),
        )
    },
);

/// now < deadline <= opening, issue within, bidding begins before it ends.
pub const DATES_IN_ORDER: &Guard<Lot> = &content(
    "dates_in_order",
    "dates-out-of-order",
    PF_16,
    Phrase::new(
        "时间先后合理：发售开始、发售截止、投标截止、开标",
        "dates are in order: issue, end of issue, deadline, opening",
    ),
    |case| {
        let end = deadline(case)?;
        let opens = present(case.opens_at(), OPENS)?;
        let facts = case.facts;
        let first_today = facts.doc_issue_start_at.is_none_or(|start| start.local_date() >= case.now.local_date());
        let issue = facts
            .doc_issue_start_at
            .zip(facts.doc_issue_end_at)
            .is_none_or(|(start, stop)| start <= stop && stop <= end);
        let bidding = facts.bidding_opens_at.is_none_or(|start| start < end);
        require(
            case.now < end && end <= opens && first_today && issue && bidding,
            Phrase::new(
                "时间顺序不合理：发售不得早于公告当日，发售截止不得晚于投标截止，投标截止须在将来且不晚于开标。",
                "The dates are out of order: issue not before the day of the notice, its end not after the deadline, the deadline in the future and not after the opening.",
            ),
            Phrase::new("请更正时间。", "Correct the dates."),
        )
    },
);

/// ENG-02: documents are issued for long enough.
pub const ISSUE_LASTS: &Guard<Lot> = &content(
    "issue_lasts_long_enough",
    "issue-period-too-short",
    ENG_02,
    Phrase::new("招标文件发售期不少于法定天数", "documents are issued for at least the period of the edition"),
    |case| {
        let Some(days) = case.edition.periods.issue_days else { return Ok(()) };
        let start = present(case.facts.doc_issue_start_at, ISSUE_START)?;
        let end = present(case.facts.doc_issue_end_at, ISSUE_END)?;
        least_days(ENG_02, Phrase::new("发售截止", "end of document issue"), ISSUE_START, start, end, days)
    },
);

/// ENG-01: bidders of compulsory tenders have time to prepare, counted from the start of issue and not from the notice.
pub const ISSUE_TO_DEADLINE: &Guard<Lot> = &content(
    "deadline_leaves_time_after_issue",
    "deadline-too-early",
    ENG_01,
    Phrase::new(
        "依法必招项目自文件开始发售至投标截止不少于法定天数",
        "compulsory tenders: at least the edition's days from the start of issue to the deadline",
    ),
    |case| {
        let Some(days) = case.edition.periods.issue_to_deadline_days.filter(|_| case.facts.compulsory) else {
            return Ok(());
        };
        let start = present(case.facts.doc_issue_start_at, ISSUE_START)?;
        least_days(ENG_01, Phrase::new("投标截止", "deadline"), ISSUE_START, start, deadline(case)?, days)
    },
);

/// ENG-17: the opening is at the deadline, in the same sitting.
pub const OPENING_AT_DEADLINE: &Guard<Lot> = &content(
    "opening_at_the_deadline",
    "opening-not-at-deadline",
    ENG_17,
    Phrase::new("开标应在投标截止的同一时间进行", "the opening is at the deadline"),
    |case| {
        let Some(minutes) = case.edition.periods.opening_delay_max_minutes else { return Ok(()) };
        let (end, opens) = (deadline(case)?, present(case.opens_at(), OPENS)?);
        let latest = end.plus_seconds(i64::from(minutes) * 60);
        if (end..=latest).contains(&opens) {
            return Ok(());
        }
        Err(Finding::new(
            Bilingual::new(
                format!(
                    "开标时间为{}；ENG-17要求在投标截止（{}）的同一时间，最迟{minutes}分钟内。",
                    opens.local(),
                    end.local()
                ),
                format!(
                    "The opening is at {}; ENG-17 needs it at the deadline ({}), within {minutes} minutes.",
                    opens.local(),
                    end.local()
                ),
            ),
            Bilingual::new(
                format!("请将开标时间设为{}至{}。", end.local(), latest.local()),
                format!("Set the opening between {} and {}.", end.local(), latest.local()),
            ),
        ))
    },
);

/// LD-02: the notice is out long enough before bidding begins.
pub const NOTICE_TO_BIDDING: &Guard<Lot> = &content(
    "notice_before_bidding",
    "bidding-opens-too-early",
    LD_02,
    Phrase::new(
        "公告发布至投标开始不少于法定天数",
        "at least the edition's days from the notice to the start of bidding",
    ),
    |case| {
        let Some(days) = case.edition.periods.notice_to_bidding_days else { return Ok(()) };
        let start = present(case.facts.bidding_opens_at, BIDDING_OPENS)?;
        least_days(
            LD_02,
            Phrase::new("投标开始", "start of bidding"),
            Phrase::new("公告之日", "day of the notice"),
            case.now,
            start,
            days,
        )
    },
);

/// PR-03: property rights are disclosed long enough, whatever their price.
pub const EQUITY_DISCLOSURE: &Guard<Lot> = &content(
    "equity_disclosed_long_enough",
    "disclosure-too-short",
    PR_03,
    Phrase::new(
        "产权转让正式披露不少于法定工作日",
        "property rights: at least the edition's working days of disclosure",
    ),
    |case| {
        let days = case.edition.periods.equity_disclosure_working_days.filter(|_| case.facts.equity_transfer);
        days.map_or(Ok(()), |days| least_working_days(PR_03, case, days))
    },
);

/// PR-04: assets are disclosed long enough for their price.
pub const ASSET_DISCLOSURE: &Guard<Lot> = &content(
    "asset_disclosed_long_enough",
    "disclosure-too-short",
    PR_04,
    Phrase::new(
        "资产转让按挂牌价区间的披露工作日",
        "assets: at least the working days of disclosure of the price band",
    ),
    |case| {
        if case.facts.equity_transfer {
            return Ok(());
        }
        let asking = present(case.facts.asking, Phrase::new("挂牌价", "asking price"))?;
        if asking.currency() != Currency::CNY {
            return Err(Finding::fixed(
                Phrase::new(
                    "挂牌价不是人民币，无法对应披露区间。",
                    "The asking price is not in CNY, which the bands of disclosure are written in.",
                ),
                Phrase::new("请以人民币标明挂牌价。", "State the asking price in CNY."),
            ));
        }
        band(case.edition.periods.disclosure_bands, asking.minor())
            .map_or(Ok(()), |days| least_working_days(PR_04, case, days))
    },
);

/// PR-06: an amended disclosure lasts its whole period again, counted from the amendment.
pub const AMENDED_DISCLOSURE: &Guard<Lot> = &request(
    "amended_disclosure_lasts",
    "disclosure-not-restarted",
    PR_06,
    Phrase::new("变更披露内容的，披露期自变更之日起重新计算", "an amended disclosure lasts its whole period again"),
    |case| {
        let days = if case.facts.equity_transfer {
            case.edition.periods.equity_disclosure_working_days
        } else {
            let asking = present(case.facts.asking, Phrase::new("挂牌价", "asking price"))?;
            band(case.edition.periods.disclosure_bands, asking.minor())
        };
        days.map_or(Ok(()), |days| least_working_days(PR_06, case, days))
    },
);

/// Working days of disclosure for a price in fen.
fn band(bands: &[DisclosureBand], fen: i64) -> Option<u32> {
    bands.iter().find(|band| band.up_to_fen.is_none_or(|top| fen <= top)).map(|band| band.working_days)
}

/// `d(start, end) >= days`, or a finding that names the first day that would do.
pub(super) fn least_days(
    rule: RuleId,
    what: Phrase,
    since: Phrase,
    start: Timestamp,
    end: Timestamp,
    days: u32,
) -> Check {
    let (from, to) = (start.local_date(), end.local_date());
    let has = d(from, to);
    if has >= i64::from(days) {
        return Ok(());
    }
    let first = from.checked_add_days(Days::new(u64::from(days))).unwrap_or(LocalDate::MAX);
    Err(Finding::new(
        Bilingual::new(
            format!("{}在{}后{has}天；{rule}要求不少于{days}天。", what.zh, since.zh),
            format!("The {} is {has} days after the {}; {rule} needs {days}.", what.en, since.en),
        ),
        Bilingual::new(
            format!("请定于{first}或以后（北京时间）。",),
            format!("Set it on {first} or later (China time)."),
        ),
    ))
}

/// Working days from today to the deadline, or a finding that names the first day that would do.
fn least_working_days(rule: RuleId, case: &Case<'_>, days: u32) -> Check {
    let (today, end) = (case.now.local_date(), deadline(case)?.local_date());
    let has = case.calendar.wd(today, end);
    if has.value >= i64::from(days) {
        return Ok(());
    }
    let first = case.calendar.add_working_days(today, days);
    let (zh, en) = if has.provisional || first.provisional {
        ("（部分节假日安排尚未公布，暂计）", " (provisional: some holidays are not announced yet)")
    } else {
        ("", "")
    };
    Err(Finding::new(
        Bilingual::new(
            format!("披露期为{}个工作日；{rule}要求不少于{days}个工作日{zh}。", has.value),
            format!("The disclosure lasts {} working days; {rule} needs {days}{en}.", has.value),
        ),
        Bilingual::new(
            format!("请将截止日定于{}或以后（北京时间）{zh}。", first.value),
            format!("Set the deadline on {} or later (China time){en}.", first.value),
        ),
    ))
}
