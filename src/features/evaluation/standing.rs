//! Where bids stand: the ranking, and what the rules are told about it. Pure.

use crate::features::evaluation::model::{Decision, Judgement};
use crate::kernel::id::{BidId, OrgId};
use crate::kernel::money::Money;
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::time::Timestamp;
use crate::rules::editions::{Edition, PriceBound};
use crate::rules::ranking::{Offer, Ranked, Ranking, RankingError, Terms, deal_price, rank};
use crate::rules::rejection::RejectionCode;

/// An opened bid with its judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The bid.
    pub bid: BidId,
    /// Its bidder.
    pub org: OrgId,
    /// The bidder's name.
    pub name: String,
    /// The bidder's identifier.
    pub identifier: OrgIdentifier,
    /// The price that was read out.
    pub price: Option<Money>,
    /// When the contents that count were received.
    pub submitted_at: Timestamp,
    /// What the initiator judged.
    pub judgement: Option<Judgement>,
}

/// Where the bids of a lot stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What they are ranked by.
    pub terms: Terms,
    /// Every opened bid.
    pub candidates: Vec<Candidate>,
    /// Those that are judged, ranked or rejected.
    pub ranking: Ranking,
}

impl Standing {
    /// Ranks what is judged so far.
    ///
    /// # Errors
    /// When prices cannot be compared.
    pub fn of(terms: Terms, candidates: Vec<Candidate>) -> Result<Self, RankingError> {
        let offers: Vec<Offer> = candidates.iter().filter_map(offer).collect();
        let mut ranking = rank(&terms, &offers)?;
        let unpriced = candidates.iter().filter(|candidate| candidate.price.is_none());
        ranking.rejected.extend(unpriced.filter_map(|candidate| Some((candidate.bid.clone(), rejection(candidate)?))));
        Ok(Self { ranking, terms, candidates })
    }

    /// Those who passed the first of two envelopes: judged responsive while no price is known.
    pub fn passed(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| {
            let responsive = |judgement: &Judgement| judgement.decision == Decision::Responsive;
            candidate.price.is_none() && candidate.judgement.as_ref().is_some_and(responsive)
        })
    }

    /// Bids without a judgement.
    pub fn undecided(&self) -> usize {
        self.candidates.iter().filter(|candidate| candidate.judgement.is_none()).count()
    }

    /// Whether the best responsive offer reaches the sealed reserve price; `None` where there is none to reach, or
    /// nobody of whom to say it.
    pub fn reserve_reached(&self) -> Option<bool> {
        if self.terms.bound != PriceBound::SealedReserve || self.terms.limit.is_none() {
            return None;
        }
        if !self.ranking.ranked.is_empty() {
            return Some(true);
        }
        let below = self.ranking.rejected.iter().any(|(_, code)| *code == RejectionCode::BelowReserve);
        below.then_some(false)
    }

    /// A bid's place.
    pub fn ranked(&self, bid: &str) -> Option<&Ranked> {
        self.ranking.ranked.iter().find(|ranked| ranked.bid.as_str() == bid)
    }

    /// Why a bid is rejected, by judgement or by comparison.
    pub fn rejected(&self, bid: &str) -> Option<RejectionCode> {
        self.ranking.rejected.iter().find(|(rejected, _)| rejected.as_str() == bid).map(|(_, code)| *code)
    }

    /// A bid with its bidder.
    pub fn candidate(&self, bid: &str) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.bid.as_str() == bid)
    }

    /// The price of the deal with a ranked bid: what the rules say for the first, for others the price they offered.
    /// `None` for a bid without a place.
    pub fn price_of_deal(&self, edition: &Edition, asking: Option<Money>, bid: &str) -> Option<Money> {
        let place = self.ranked(bid)?;
        let first = self.ranking.ranked.first()?;
        if first.bid != place.bid {
            return Some(place.price);
        }
        let mut ranking = self.ranking.clone();
        // Offer and asking price are compared in one currency: the one in which the offer counted.
        if let (Some(asking), Some(first)) = (asking, ranking.ranked.first_mut())
            && first.price.currency() != asking.currency()
        {
            first.price = first.counted;
        }
        deal_price(edition, asking, &ranking)
    }
}

fn offer(candidate: &Candidate) -> Option<Offer> {
    let (judgement, price) = (candidate.judgement.as_ref()?, candidate.price?);
    Some(Offer {
        bid: candidate.bid.clone(),
        price,
        evaluated: judgement.evaluated_price,
        submitted_at: candidate.submitted_at,
        drawn: None,
        rejected: rejection(candidate),
    })
}

/// Why a bid was rejected, where it was.
fn rejection(candidate: &Candidate) -> Option<RejectionCode> {
    let judgement = candidate.judgement.as_ref()?;
    judgement.code.filter(|_| judgement.decision == Decision::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::Currency;
    use crate::rules::editions::{CONSTRUCTION_2026, LAND_USE_2026, STATE_ASSET_2026};
    use crate::rules::envelopes::Round;
    use crate::rules::ranking::TieRule;

    fn yuan(amount: i64) -> Money {
        Money::from_minor(amount * 100, Currency::CNY)
    }

    fn judged(decision: Decision, code: Option<RejectionCode>) -> Option<Judgement> {
        Some(Judgement {
            decision,
            code,
            evaluated_price: None,
            reason: None,
            round: Round::First,
            decided_at: Timestamp::from_millis(0),
        })
    }

    fn candidate(price: Money, at: i64, judgement: Option<Judgement>) -> Candidate {
        Candidate {
            bid: BidId::random(),
            org: OrgId::ordered(Timestamp::from_millis(at)),
            name: "甲".into(),
            identifier: OrgIdentifier::new("X-TEST", "1").expect("printable"),
            price: Some(price),
            submitted_at: Timestamp::from_millis(at),
            judgement,
        }
    }

    fn standing(edition: &Edition, limit: Option<Money>, candidates: Vec<Candidate>) -> Standing {
        let terms = Terms::of(edition, limit, Currency::CNY, TieRule::EarlierFinalSubmission);
        Standing::of(terms, candidates).expect("comparable")
    }

    fn responsive() -> Option<Judgement> {
        judged(Decision::Responsive, None)
    }

    #[test]
    fn bids_without_a_judgement_have_no_place() {
        let bids = vec![candidate(yuan(5), 1, None), candidate(yuan(7), 2, responsive())];
        let (first, second) = (bids[0].bid.clone(), bids[1].bid.clone());
        let standing = standing(&CONSTRUCTION_2026, None, bids);
        assert_eq!(standing.undecided(), 1);
        assert!(standing.ranked(first.as_str()).is_none() && standing.rejected(first.as_str()).is_none());
        assert_eq!(standing.ranked(second.as_str()).map(|ranked| ranked.rank), Some(1));
    }

    #[test]
    fn a_bid_above_the_ceiling_is_rejected_although_it_was_judged_responsive() {
        let bids = vec![candidate(yuan(101), 1, responsive()), candidate(yuan(100), 2, responsive())];
        let above = bids[0].bid.clone();
        let standing = standing(&CONSTRUCTION_2026, Some(yuan(100)), bids);
        assert_eq!(standing.rejected(above.as_str()), Some(RejectionCode::AboveCeiling));
        assert_eq!(standing.ranking.ranked.len(), 1);
    }

    #[test]
    fn equal_prices_stand_in_the_order_of_their_final_submission() {
        let bids = vec![candidate(yuan(5), 9, responsive()), candidate(yuan(5), 8, responsive())];
        let earlier = bids[1].bid.clone();
        let standing = standing(&CONSTRUCTION_2026, None, bids);
        assert_eq!(standing.ranking.ranked[0].bid, earlier);
        assert_eq!(standing.ranking.ranked[1].rank, 2);
    }

    #[test]
    fn a_reserve_price_is_reached_missed_or_not_asked_about() {
        let reached = |limit, price, judgement| {
            standing(&LAND_USE_2026, limit, vec![candidate(price, 1, judgement)]).reserve_reached()
        };
        assert_eq!(reached(Some(yuan(10)), yuan(10), responsive()), Some(true));
        assert_eq!(reached(Some(yuan(10)), yuan(9), responsive()), Some(false));
        assert_eq!(reached(None, yuan(9), responsive()), None);
        let rejected = judged(Decision::Rejected, Some(RejectionCode::NotResponsive));
        assert_eq!(reached(Some(yuan(10)), yuan(11), rejected), None);
    }

    #[test]
    fn a_single_acceptable_offer_for_an_asset_pays_at_least_the_asking_price() {
        let deal = |asking: Money, offers: Vec<Candidate>| {
            let first = offers[0].bid.clone();
            standing(&STATE_ASSET_2026, Some(asking), offers).price_of_deal(
                &STATE_ASSET_2026,
                Some(asking),
                first.as_str(),
            )
        };
        assert_eq!(deal(yuan(100), vec![candidate(yuan(120), 1, responsive())]), Some(yuan(120)));
        assert_eq!(deal(yuan(100), vec![candidate(yuan(100), 1, responsive())]), Some(yuan(100)));
        assert_eq!(deal(yuan(100), vec![candidate(yuan(99), 1, responsive())]), None, "it is no offer");
    }

    #[test]
    fn a_single_offer_in_another_currency_is_compared_by_what_it_counted() {
        let dollars = Money::from_minor(2_000, Currency::parse("USD").expect("known"));
        let judgement = responsive().map(|judgement| Judgement { evaluated_price: Some(yuan(140)), ..judgement });
        let bid = candidate(dollars, 1, judgement);
        let id = bid.bid.clone();
        let standing = standing(&STATE_ASSET_2026, Some(yuan(100)), vec![bid]);
        assert_eq!(standing.price_of_deal(&STATE_ASSET_2026, Some(yuan(100)), id.as_str()), Some(yuan(140)));
    }

    #[test]
    fn a_contract_is_at_the_price_that_was_offered_not_at_the_one_that_counted() {
        let judgement = responsive().map(|judgement| Judgement { evaluated_price: Some(yuan(6)), ..judgement });
        let bids = vec![candidate(yuan(5), 1, judgement), candidate(yuan(7), 2, responsive())];
        let ids = [bids[0].bid.clone(), bids[1].bid.clone()];
        let standing = standing(&CONSTRUCTION_2026, None, bids);
        let deal = |bid: &BidId| standing.price_of_deal(&CONSTRUCTION_2026, None, bid.as_str());
        assert_eq!([deal(&ids[0]), deal(&ids[1])], [Some(yuan(5)), Some(yuan(7))]);
    }

    #[test]
    fn without_an_evaluated_price_another_currency_cannot_be_ranked() {
        let dollars = Money::from_minor(2_000, Currency::parse("USD").expect("known"));
        let terms = Terms::of(&CONSTRUCTION_2026, None, Currency::CNY, TieRule::EarlierFinalSubmission);
        assert!(Standing::of(terms, vec![candidate(dollars, 1, responsive())]).is_err());
    }
}
