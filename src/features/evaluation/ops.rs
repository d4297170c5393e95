//! Use cases of the evaluation and of the award. What may happen when, and who may do it, is decided by `rules`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::model::{Decision, EvaluationRow, FILED, Judgement, RankedLine, RejectedLine, ReportBody, ReportRow};
use super::queries;
use super::standing::Standing;
use super::view::{EvaluatedBid, evaluated_bid};
use crate::features::accounts::ops::check_text;
use crate::features::bids;
use crate::features::bids::model::BID;
use crate::features::lots;
use crate::features::lots::model::{Award, Lot};
use crate::features::lots::ops::{Act, act};
use crate::features::opening::model::text;
use crate::kernel::id::{EvaluationId, OrgId, ReportId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::role::Actor;
use crate::keys::Keys;
use crate::ledger::{Record, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::bid::{BidEvent, BidState};
use crate::rules::facts::{FallbackCause, Request};
use crate::rules::machine::{Event, State};
use crate::rules::rejection::RejectionCode;

/// A judgement as the initiator states it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJudgement {
    /// `responsive` or `rejected`.
    pub decision: Decision,
    /// Why it is rejected; not one that is a comparison of amounts.
    #[serde(default)]
    pub code: Option<RejectionCode>,
    /// The price that counts, in the lot's evaluation currency; needed for a responsive bid in another currency.
    #[serde(default)]
    pub evaluated_price: Option<Money>,
    /// Why; needed for a rejection and for an evaluated price.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Which bid is awarded.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAward {
    /// The bid.
    pub bid_id: String,
    /// Why not the first of the ranking.
    #[serde(default)]
    pub fallback: Option<FallbackCause>,
    /// Why, in words.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Checks a judgement by itself, against the price that was read out and the lot's evaluation currency.
fn check(new: &NewJudgement, price: Option<Money>, currency: Currency) -> Result<()> {
    let invalid = |what: &str| refusals::body_invalid(what).into();
    let reason = new.reason.as_deref().unwrap_or_default();
    if !reason.is_empty() || new.decision == Decision::Rejected || new.evaluated_price.is_some() {
        check_text("reason", reason, limits::TEXT_LEN)?;
    }
    if new.evaluated_price.is_some_and(|price| price.currency() != currency || !price.is_positive()) {
        return Err(invalid(&format!("evaluated_price: a positive amount in {currency}")));
    }
    match (new.decision, new.code) {
        (Decision::Rejected, None) => Err(invalid("code: needed for a rejection")),
        (Decision::Rejected, Some(code)) if code.is_arithmetic() => Err(refusals::rejection_is_computed().into()),
        (Decision::Rejected, Some(_)) => Ok(()),
        (Decision::Responsive, Some(_)) => Err(invalid("code: only for a rejection")),
        (Decision::Responsive, None) => match price {
            None if new.evaluated_price.is_some() => Err(invalid("evaluated_price: the price is still sealed")),
            Some(price) if price.currency() != currency && new.evaluated_price.is_none() => Err(invalid(&format!(
                "evaluated_price: needed, because the bid is in {} and the evaluation in {currency}",
                price.currency()
            ))),
            _ => Ok(()),
        },
    }
}

/// Judges an opened bid, or judges it anew before the report is filed.
///
/// # Errors
/// 404 when it is not a bid on one's own opened lot; 409 when the report is filed or the bid was not opened; 422.
pub fn evaluate(tx: &mut Tx<'_>, org: &OrgId, bid_id: &str, new: &NewJudgement) -> Result<EvaluatedBid> {
    let bid =
        bids::queries::bid(tx.conn(), bid_id)?.filter(|bid| bid.row.kind == BID).ok_or_else(refusals::not_found)?;
    let lot = lots::queries::lot(tx.conn(), &bid.row.lot_id)?;
    if lot.initiator != *org || lot.row.unsealed_for.as_deref() != Some("all") {
        return Err(refusals::not_found().into());
    }
    if lot.state != State::Opened {
        return Err(refusals::state_forbids(
            "评审报告提交后不得再改变结论。",
            "Judgements are made between opening and report.",
        )
        .into());
    }
    if bid.state != BidState::Opened {
        return Err(refusals::bid_not_opened().into());
    }
    let price = queries::price_of(tx.conn(), &lot, bid_id)?;
    if price.is_none() && !lot.prices_sealed() {
        return Err(refusals::second_envelope_sealed().into());
    }
    check(new, price, lot.body.terms.currency)?;
    let judgement = Judgement {
        decision: new.decision,
        code: new.code,
        evaluated_price: new.evaluated_price,
        reason: new.reason.clone().filter(|reason| !reason.is_empty()),
        round: lot.body.round,
        decided_at: tx.now(),
    };
    let record = Record::new("bid.evaluated")
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .restricted("bid", bid_id)
        .restricted("decision", judgement.decision)
        .restricted("code", judgement.code)
        .restricted("evaluated_price", judgement.evaluated_price)
        .restricted("reason", &judgement.reason);
    let (state, body) = (judgement.decision.name().to_owned(), text(&judgement)?);
    match queries::of_bid(tx.conn(), bid_id)? {
        Some(before) => drop(tx.update(&before, EvaluationRow { state, body, ..before.clone() }, record)?),
        None => {
            let id = EvaluationId::ordered(tx.now()).into_string();
            let row =
                EvaluationRow { id, version: 0, state, lot_id: lot.row.id.clone(), bid_id: bid_id.to_owned(), body };
            drop(tx.insert(row, record)?);
        }
    }
    let standing = queries::standing(tx.conn(), &lot)?;
    let candidate = standing.candidate(bid_id).ok_or_else(refusals::not_found)?;
    Ok(evaluated_bid(&standing, candidate))
}

/// Opens the prices of those who passed the first envelope: publishes who did and who did not, and begins the second round.
///
/// # Errors
/// The rules' refusal.
pub fn open_prices(tx: &mut Tx<'_>, keys: &Keys, lot_id: &str, actor: &Actor, lines: &[String]) -> Result<Lot> {
    check_report(lines)?;
    act(tx, keys, lot_id, actor, &Act { lines: lines.to_vec(), ..Act::of(Request::of(Event::OpenPrices)) })
}

/// Takes the bids that passed the first envelope into the second round.
///
/// # Errors
/// The database's.
pub fn qualify_passed(tx: &mut Tx<'_>, lot: &Lot) -> Result<()> {
    let standing = queries::standing(tx.conn(), lot)?;
    for candidate in standing.passed() {
        let bid = bids::queries::bid(tx.conn(), candidate.bid.as_str())?.ok_or_else(refusals::not_found)?;
        bids::ops::after_opening(tx, lot, &bid, BidEvent::Qualify)?;
    }
    Ok(())
}

/// Files the evaluation report with the ranking as it stands, and completes the evaluation, in one commit.
///
/// # Errors
/// The rules' refusal, such as while a bid is not judged.
pub fn complete(tx: &mut Tx<'_>, keys: &Keys, lot_id: &str, actor: &Actor, lines: &[String]) -> Result<Lot> {
    check_report(lines)?;
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    if lot.state == State::Opened && actor.org_id() == Some(&lot.initiator) {
        let standing = queries::standing(tx.conn(), &lot)?;
        let row = ReportRow {
            id: ReportId::ordered(tx.now()).into_string(),
            version: 0,
            state: FILED.into(),
            lot_id: lot.row.id.clone(),
            body: text(&report(tx, &standing, lines))?,
        };
        tx.insert(row, Record::new("report.filed").lot(lot.row.id.clone()).project(lot.row.project_id.clone()))?;
    }
    act(tx, keys, lot_id, actor, &Act { lines: lines.to_vec(), ..Act::of(Request::of(Event::CompleteEvaluation)) })
}

fn report(tx: &Tx<'_>, standing: &Standing, lines: &[String]) -> ReportBody {
    let name = |bid: &str| standing.candidate(bid).map(|candidate| candidate.name.clone()).unwrap_or_default();
    let ranked = standing.ranking.ranked.iter().map(|ranked| RankedLine {
        rank: ranked.rank,
        bid_id: ranked.bid.to_string(),
        bidder_name: name(ranked.bid.as_str()),
        price: ranked.price,
        counted: ranked.counted,
    });
    let rejected = standing.ranking.rejected.iter().map(|(bid, code)| RejectedLine {
        bid_id: bid.to_string(),
        bidder_name: name(bid.as_str()),
        code: *code,
    });
    ReportBody {
        lines: lines.to_vec(),
        filed_at: tx.now(),
        tie: standing.terms.tie,
        ranked: ranked.collect(),
        rejected: rejected.collect(),
    }
}

/// Checks the lines of a report or of a published text.
///
/// # Errors
/// 422 when there are too many, or one is empty or too long.
pub fn check_report(lines: &[String]) -> Result<()> {
    let length: usize = lines.iter().map(|line| line.chars().count()).sum();
    if lines.len() > limits::LINES || length > limits::REPORT_LEN {
        return Err(refusals::body_invalid(&format!(
            "lines: at most {} with {} characters in all",
            limits::LINES,
            limits::REPORT_LEN
        ))
        .into());
    }
    lines.iter().try_for_each(|line| check_text("lines", line, limits::TEXT_LEN))
}

/// Awards a lot to a ranked bid, at the price that the rules give.
///
/// # Errors
/// `bid-not-ranked`; the rules' refusal, such as for rank 2 without a listed cause.
pub fn award(tx: &mut Tx<'_>, keys: &Keys, lot_id: &str, actor: &Actor, new: &NewAward) -> Result<Lot> {
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    let request = Request { fallback: new.fallback, reason: new.reason.clone(), ..Request::of(Event::Award) };
    let mut act_of_award = Act::of(request);
    // In other states, and for others, the rules refuse without looking at the bid.
    if matches!(lot.state, State::Evaluated | State::Awardable) && actor.org_id() == Some(&lot.initiator) {
        let award = awarded(&queries::standing(tx.conn(), &lot)?, &lot, &new.bid_id)?;
        act_of_award.request.rank = Some(award.rank);
        act_of_award.award = Some(award);
    }
    act(tx, keys, lot_id, actor, &act_of_award)
}

fn awarded(standing: &Standing, lot: &Lot, bid_id: &str) -> Result<Award> {
    let ranked = standing.ranked(bid_id).ok_or_else(refusals::bid_not_ranked)?;
    let candidate = standing.candidate(bid_id).ok_or_else(refusals::bid_not_ranked)?;
    let price = standing
        .price_of_deal(lot.edition, lot.body.terms.asking, bid_id)
        .ok_or_else(refusals::prices_not_comparable)?;
    Ok(Award {
        bid_id: bid_id.to_owned(),
        org_id: candidate.org.clone(),
        bidder_name: candidate.name.clone(),
        rank: ranked.rank,
        price,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Error;

    fn judgement(
        decision: Decision,
        code: Option<RejectionCode>,
        evaluated: Option<Money>,
        reason: &str,
    ) -> NewJudgement {
        NewJudgement { decision, code, evaluated_price: evaluated, reason: Some(reason.into()) }
    }

    fn code_of(new: &NewJudgement, price: Money) -> Option<&'static str> {
        match check(new, Some(price), Currency::CNY) {
            Ok(()) => None,
            Err(Error::Refused(refusal)) => Some(refusal.code),
            Err(Error::Failed(failure)) => panic!("{failure}"),
        }
    }

    const YUAN: Money = Money::from_minor(100, Currency::CNY);

    #[test]
    fn a_rejection_needs_a_code_of_judgement_and_a_reason() {
        let rejected = |code, reason| judgement(Decision::Rejected, code, None, reason);
        assert_eq!(code_of(&rejected(Some(RejectionCode::NotResponsive), "why"), YUAN), None);
        assert_eq!(code_of(&rejected(Some(RejectionCode::NotResponsive), ""), YUAN), Some("body-invalid"));
        assert_eq!(code_of(&rejected(None, "why"), YUAN), Some("body-invalid"));
        for code in [RejectionCode::AboveCeiling, RejectionCode::BelowReserve, RejectionCode::BelowAsking] {
            assert_eq!(code_of(&rejected(Some(code), "why"), YUAN), Some("rejection-is-computed"));
        }
    }

    #[test]
    fn a_responsive_bid_needs_an_evaluated_price_only_in_another_currency() {
        let dollars = Money::from_minor(100, Currency::parse("USD").expect("known"));
        let responsive = |evaluated, reason| judgement(Decision::Responsive, None, evaluated, reason);
        assert_eq!(code_of(&responsive(None, ""), YUAN), None);
        assert_eq!(code_of(&responsive(None, ""), dollars), Some("body-invalid"));
        assert_eq!(code_of(&responsive(Some(YUAN), "rate of the day"), dollars), None);
        assert_eq!(code_of(&responsive(Some(YUAN), ""), YUAN), Some("body-invalid"), "an evaluated price has a reason");
        assert_eq!(code_of(&responsive(Some(dollars), "x"), YUAN), Some("body-invalid"), "in the evaluation currency");
        let coded = judgement(Decision::Responsive, Some(RejectionCode::Illegal), None, "x");
        assert_eq!(code_of(&coded, YUAN), Some("body-invalid"));
    }

    #[test]
    fn a_report_is_bounded_as_a_whole() {
        assert!(check_report(&["x".into()]).is_ok());
        let long = "x".repeat(limits::TEXT_LEN);
        assert!(check_report(&vec![long; limits::REPORT_LEN / limits::TEXT_LEN + 1]).is_err());
        assert!(check_report(&["".into()]).is_err());
    }
}
