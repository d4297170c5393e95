//! Terms of the notice: price bounds and deposits.

use super::{content, present, require};
use crate::kernel::money::{BasisPoints, Money, MoneyError, Rounding};
use crate::kernel::text::{Bilingual, Phrase};
use crate::rules::catalogue::{ENG_07, ENG_09, LD_04, LD_09, PR_02, PR_05};
use crate::rules::editions::DepositLimit;
use crate::rules::facts::ReserveTerm;
use crate::rules::machine::Lot;
use crate::rules::refusal::Finding;
use crate::rules::table::Guard;
use std::cmp::Ordering;

const DEPOSIT: Phrase = Phrase::new("保证金", "deposit");
const ASKING: Phrase = Phrase::new("挂牌价", "asking price");
const APPRAISAL: Phrase = Phrase::new("评估备案价", "filed appraisal");
/// A price below this share of the appraisal needs written consent (order 32 article 18).
const CONSENT_BELOW: BasisPoints = BasisPoints(9_000);

/// Amounts that can not be compared.
fn mismatch(_: MoneyError) -> Finding {
    Finding::fixed(
        Phrase::new(
            "金额币种不一致或过大，无法比较。",
            "The amounts are in different currencies or too large to be compared.",
        ),
        Phrase::new("请使用同一币种。", "State them in one currency."),
    )
}

/// ENG-09: a ceiling, if there is one, is disclosed; here it has to be.
pub const CEILING_DISCLOSED: &Guard<Lot> = &content(
    "ceiling_disclosed",
    "ceiling-missing",
    ENG_09,
    Phrase::new("已公布最高投标限价", "the price ceiling is disclosed"),
    |case| {
        let ceiling = present(case.facts.ceiling, Phrase::new("最高投标限价", "price ceiling"))?;
        require(
            ceiling.is_positive(),
            Phrase::new("最高投标限价须大于零。", "The price ceiling must be more than nothing."),
            Phrase::new("请更正最高投标限价。", "Correct the price ceiling."),
        )
    },
);

/// ENG-09: no lowest price may be set.
pub const NO_FLOOR_PRICE: &Guard<Lot> = &content(
    "no_floor_price",
    "floor-price-forbidden",
    ENG_09,
    Phrase::new("不得规定最低投标限价", "no lowest acceptable price is set"),
    |case| {
        require(
            case.facts.floor_price.is_none(),
            Phrase::new("规定了最低投标限价；ENG-09禁止。", "A lowest price is set; ENG-09 forbids it."),
            Phrase::new("请删除最低投标限价。", "Remove the lowest price."),
        )
    },
);

/// ENG-07: the bid security is not above its share of the estimate.
pub const SECURITY_WITHIN_LIMIT: &Guard<Lot> = &content(
    "security_within_limit",
    "security-too-high",
    ENG_07,
    Phrase::new("投标保证金不超过估算价的法定比例", "the bid security is at most the edition's share of the estimate"),
    |case| {
        let (DepositLimit::AtMostOfEstimate(rate), Some(deposit)) = (case.edition.deposit, case.facts.deposit) else {
            return Ok(());
        };
        let estimate = present(case.facts.estimate, Phrase::new("项目估算价", "estimated price"))?;
        let most = estimate.share(rate, Rounding::Down).map_err(mismatch)?;
        if deposit.compare(most).map_err(mismatch)? != Ordering::Greater {
            return Ok(());
        }
        Err(Finding::new(
            Bilingual::new(
                format!("投标保证金{deposit}；ENG-07规定不得超过估算价{estimate}的{rate}，即{most}。"),
                format!(
                    "The bid security is {deposit}; ENG-07 allows {rate} of the estimate of {estimate}, which is {most}."
                ),
            ),
            Bilingual::new(format!("请降至{most}或以下。"), format!("Lower it to {most} or less.")),
        ))
    },
);

/// LD-09: the deposit is not below its share of the minimum price.
pub const DEPOSIT_ENOUGH: &Guard<Lot> = &content(
    "deposit_enough",
    "deposit-too-low",
    LD_09,
    Phrase::new("保证金不低于出让最低价的法定比例", "the deposit is at least the edition's share of the minimum price"),
    |case| {
        let DepositLimit::AtLeastOfMinimumPrice(rate) = case.edition.deposit else { return Ok(()) };
        let minimum = present(case.facts.minimum_price, Phrase::new("出让最低价", "minimum grant price"))?;
        let deposit = present(case.facts.deposit, DEPOSIT)?;
        let least = minimum.share(rate, Rounding::Up).map_err(mismatch)?;
        if deposit.compare(least).map_err(mismatch)? != Ordering::Less {
            return Ok(());
        }
        Err(Finding::new(
            Bilingual::new(
                format!("保证金{deposit}；LD-09要求不低于出让最低价{minimum}的{rate}，即{least}。"),
                format!(
                    "The deposit is {deposit}; LD-09 needs {rate} of the minimum price of {minimum}, which is {least}."
                ),
            ),
            Bilingual::new(format!("请提高至{least}或以上。"), format!("Raise it to {least} or more.")),
        ))
    },
);

/// LD-04: the notice says whether there is a reserve price; silence would leave bidders guessing.
pub const RESERVE_STATED: &Guard<Lot> = &content(
    "reserve_stated",
    "reserve-not-stated",
    LD_04,
    Phrase::new("公告已说明设有或不设底价", "the notice says whether there is a reserve price"),
    |case| {
        require(
            case.facts.reserve != ReserveTerm::NotAnnounced,
            Phrase::new("未说明是否设有底价。", "It is not said whether there is a reserve price."),
            Phrase::new(
                "请说明设有底价（截止前密封提交）或声明不设底价。",
                "Announce a reserve price (sealed before the deadline) or declare that there is none.",
            ),
        )
    },
);

/// PR-02: the first asking price is not below the appraisal.
pub const ASKING_AT_LEAST_APPRAISAL: &Guard<Lot> = &content(
    "asking_at_least_appraisal",
    "asking-below-appraisal",
    PR_02,
    Phrase::new("首次披露的挂牌价不低于评估备案价", "at first disclosure the asking price is at least the appraisal"),
    |case| {
        let asking = present(case.facts.asking, ASKING)?;
        let appraisal = present(case.facts.appraisal, APPRAISAL)?;
        if !case.facts.first_disclosure || asking.compare(appraisal).map_err(mismatch)? != Ordering::Less {
            return Ok(());
        }
        Err(below(asking, appraisal))
    },
);

fn below(asking: Money, appraisal: Money) -> Finding {
    Finding::new(
        Bilingual::new(
            format!("挂牌价{asking}低于评估备案价{appraisal}；PR-02要求首次披露不低于评估价。"),
            format!(
                "The asking price is {asking}, below the appraisal of {appraisal}; PR-02 needs it to be at least that at first disclosure."
            ),
        ),
        Bilingual::new(format!("请提高至{appraisal}或以上。"), format!("Raise it to {appraisal} or more.")),
    )
}

/// PR-05: a later, much lower price needs written consent.
pub const LOW_PRICE_CONSENTED: &Guard<Lot> = &content(
    "low_price_consented",
    "consent-missing",
    PR_05,
    Phrase::new(
        "再次披露低于评估价90%的，已取得书面同意",
        "a repeated disclosure below 90 % of the appraisal has written consent",
    ),
    |case| {
        let asking = present(case.facts.asking, ASKING)?;
        let appraisal = present(case.facts.appraisal, APPRAISAL)?;
        let threshold = appraisal.share(CONSENT_BELOW, Rounding::Up).map_err(mismatch)?;
        let low = asking.compare(threshold).map_err(mismatch)? == Ordering::Less;
        if case.facts.first_disclosure || case.facts.consent_below_appraisal || !low {
            return Ok(());
        }
        Err(Finding::new(
            Bilingual::new(
                format!(
                    "挂牌价{asking}低于评估价的{CONSENT_BELOW}（{threshold}）；PR-05要求取得转让行为批准单位书面同意。"
                ),
                format!(
                    "The asking price is {asking}, below {CONSENT_BELOW} of the appraisal ({threshold}); PR-05 needs the written consent of the approving authority."
                ),
            ),
            Bilingual::new("请提交书面同意。", "File the written consent."),
        ))
    },
);
