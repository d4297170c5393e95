//! Ranking offers and the price of the deal, in whole minor units.
//!
//! Promise: the order depends on the terms and the offers alone, whatever order they come in; a tie is broken by the
//! rule the notice states and by nothing else. The *evaluated* price counts where one is given, in the lot's one
//! evaluation currency; bounds are compared with the price that was read out.
//! Deliberately not here: who judges (a person), scores, exchange rates.

use crate::kernel::id::BidId;
use crate::kernel::money::{Currency, Money, MoneyError};
use crate::kernel::time::Timestamp;
use crate::rules::editions::{Direction, Edition, PriceBound, SingleOffer};
use crate::rules::names::named;
use crate::rules::rejection::RejectionCode;
use std::cmp::Ordering;

named! {
    /// What decides between equal prices; stated in the notice.
    pub enum TieRule {
        /// The earlier final submission.
        EarlierFinalSubmission = "earlier_final_submission", "最终提交时间在先者优先", "the earlier final submission";
        /// Lots drawn in public; the number drawn is recorded with the offer.
        LotsDrawn = "lots_drawn", "现场抽签", "lots drawn in public";
    }
}

/// What an offer is ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Which price wins.
    pub direction: Direction,
    /// What the bound is.
    pub bound: PriceBound,
    /// The ceiling, the revealed reserve price or the asking price; `None` where there is none.
    pub limit: Option<Money>,
    /// The one currency in which prices are compared.
    pub evaluation_currency: Currency,
    /// What decides between equal prices.
    pub tie: TieRule,
}

impl Terms {
    /// The terms of a lot of this edition.
    pub fn of(edition: &Edition, limit: Option<Money>, evaluation_currency: Currency, tie: TieRule) -> Self {
        Self { direction: edition.direction, bound: edition.bound, limit, evaluation_currency, tie }
    }
}

/// An opened bid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The bid.
    pub bid: BidId,
    /// The price that was read out.
    pub price: Money,
    /// The evaluated price, in the evaluation currency.
    pub evaluated: Option<Money>,
    /// When the version that counts was received.
    pub submitted_at: Timestamp,
    /// The number drawn, where lots decide.
    pub drawn: Option<u32>,
    /// Rejected by judgement.
    pub rejected: Option<RejectionCode>,
}

/// An offer with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// The bid.
    pub bid: BidId,
    /// Its rank from 1; offers that the tie rule can not tell apart share one, and the next is skipped.
    pub rank: u32,
    /// The price that counted.
    pub counted: Money,
    /// The price that was read out.
    pub price: Money,
}

/// Every offer, ranked or rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// Best first.
    pub ranked: Vec<Ranked>,
    /// Rejected, with the code, in the order of ids.
    pub rejected: Vec<(BidId, RejectionCode)>,
}

/// Offers can not be ranked yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RankingError {
    /// The price is in another currency and no evaluated price is given.
    #[error("bid {0} needs an evaluated price in the evaluation currency")]
    NeedsEvaluatedPrice(BidId),
    /// The evaluated price is not in the evaluation currency.
    #[error("the evaluated price of bid {0} is not in the evaluation currency")]
    WrongCurrency(BidId),
    /// Neither of the bid's prices is in the currency of the ceiling, reserve or asking price.
    #[error("no price of bid {0} is in the currency of the price bound")]
    BoundNotComparable(BidId),
    /// Two equal prices and no number drawn.
    #[error("bid {0} is tied and has no number drawn")]
    NeedsDraw(BidId),
}

/// Ranks the offers by the terms.
///
/// # Errors
/// When a price can not be compared or a draw is missing.
pub fn rank(terms: &Terms, offers: &[Offer]) -> Result<Ranking, RankingError> {
    let mut accepted: Vec<(&Offer, Money)> = Vec::new();
    let mut rejected: Vec<(BidId, RejectionCode)> = Vec::new();
    for offer in offers {
        if let Some(code) = offer.rejected {
            rejected.push((offer.bid.clone(), code));
            continue;
        }
        let counted = counted(terms, offer)?;
        match bound_broken(terms, offer, counted)? {
            Some(code) => rejected.push((offer.bid.clone(), code)),
            None => accepted.push((offer, counted)),
        }
    }
    rejected.sort_by(|left, right| left.0.cmp(&right.0));
    accepted.sort_by(|left, right| order(terms, left, right).then_with(|| left.0.bid.cmp(&right.0.bid)));
    if terms.tie == TieRule::LotsDrawn {
        draws_complete(&accepted)?;
    }
    Ok(Ranking { ranked: placed(terms, &accepted), rejected })
}

/// Gives ranks to offers that are in order already.
fn placed(terms: &Terms, accepted: &[(&Offer, Money)]) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = Vec::with_capacity(accepted.len());
    for (at, (offer, counted)) in accepted.iter().enumerate() {
        let shares = at > 0 && order(terms, &accepted[at - 1], &accepted[at]) == Ordering::Equal;
        let place = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let rank = ranked.last().filter(|_| shares).map_or(place, |before| before.rank);
        ranked.push(Ranked { bid: offer.bid.clone(), rank, counted: *counted, price: offer.price });
    }
    ranked
}

/// The price that counts: the evaluated one where given, else the one read out.
fn counted(terms: &Terms, offer: &Offer) -> Result<Money, RankingError> {
    match offer.evaluated {
        Some(evaluated) if evaluated.currency() == terms.evaluation_currency => Ok(evaluated),
        Some(_) => Err(RankingError::WrongCurrency(offer.bid.clone())),
        None if offer.price.currency() == terms.evaluation_currency => Ok(offer.price),
        None => Err(RankingError::NeedsEvaluatedPrice(offer.bid.clone())),
    }
}

/// The bound is compared with the price read out; where that is in another currency, with the evaluated one.
fn bound_broken(terms: &Terms, offer: &Offer, counted: Money) -> Result<Option<RejectionCode>, RankingError> {
    let Some(limit) = terms.limit else { return Ok(None) };
    let against = offer.price.compare(limit).or_else(|_: MoneyError| counted.compare(limit));
    let against = against.map_err(|_| RankingError::BoundNotComparable(offer.bid.clone()))?;
    Ok(match (terms.bound, against) {
        (PriceBound::DisclosedCeiling, Ordering::Greater) => Some(RejectionCode::AboveCeiling),
        (PriceBound::SealedReserve, Ordering::Less) => Some(RejectionCode::BelowReserve),
        (PriceBound::PublicAskingPrice, Ordering::Less) => Some(RejectionCode::BelowAsking),
        _ => None,
    })
}

fn by_price(terms: &Terms, left: Money, right: Money) -> Ordering {
    match terms.direction {
        Direction::Lowest => left.minor().cmp(&right.minor()),
        Direction::Highest => right.minor().cmp(&left.minor()),
    }
}

fn order(terms: &Terms, left: &(&Offer, Money), right: &(&Offer, Money)) -> Ordering {
    by_price(terms, left.1, right.1).then_with(|| match terms.tie {
        TieRule::EarlierFinalSubmission => left.0.submitted_at.cmp(&right.0.submitted_at),
        TieRule::LotsDrawn => left.0.drawn.cmp(&right.0.drawn),
    })
}

/// Where lots decide, every tied offer has its number.
fn draws_complete(accepted: &[(&Offer, Money)]) -> Result<(), RankingError> {
    for pair in accepted.windows(2) {
        if pair[0].1 != pair[1].1 {
            continue;
        }
        if let Some((offer, _)) = pair.iter().find(|(offer, _)| offer.drawn.is_none()) {
            return Err(RankingError::NeedsDraw(offer.bid.clone()));
        }
    }
    Ok(())
}

/// The price at which the deal is made with the first of the ranking: its offer, or, where a single offer is enough,
/// the higher of offer and asking price (PR-10). `None` without a first.
pub fn deal_price(edition: &Edition, asking: Option<Money>, ranking: &Ranking) -> Option<Money> {
    let first = ranking.ranked.first()?;
    match (edition.single_offer, asking) {
        (SingleOffer::PaysHigherOfOfferAndAsking, Some(asking)) if ranking.ranked.len() == 1 => {
            first.price.larger(asking).ok()
        }
        _ => Some(first.price),
    }
}
