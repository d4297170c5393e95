//! Every read of evaluations and reports, and the standing that follows from them.
//!
//! Nothing here is asked before the box was read out.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::{Value, json};

use super::model::{Decision, EvaluationRow, Judgement, ReportBody, ReportRow};
use super::standing::{Candidate, Standing};
use crate::db::Conn;
use crate::db::schema::{evaluations, reports};
use crate::features::bids::model::BID;
use crate::features::lots::model::Lot;
use crate::features::opening;
use crate::features::opening::model::{UnsealingBody, parse};
use crate::features::opening::record::is_reserve_public;
use crate::kernel::id::{BidId, OrgId};
use crate::kernel::money::Money;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};
use crate::refusals;
use crate::rules::bid::BidState;
use crate::rules::editions::PriceBound;
use crate::rules::envelopes::Envelopes;
use crate::rules::machine::State;
use crate::rules::ranking::{Terms, TieRule};
use crate::seal::envelope::Part;

/// What decides between equal prices, until notices say otherwise.
pub const TIE: TieRule = TieRule::EarlierFinalSubmission;
/// How many candidates are published.
const CANDIDATES: usize = 3;

/// The judgement of a bid.
///
/// # Errors
/// The database's.
pub fn of_bid(conn: &mut Conn, bid_id: &str) -> Result<Option<EvaluationRow>> {
    Ok(evaluations::table
        .filter(evaluations::bid_id.eq(bid_id))
        .select(EvaluationRow::as_select())
        .first(conn)
        .optional()?)
}

/// The judgements of a lot, by bid.
///
/// # Errors
/// The database's.
pub fn judgements(conn: &mut Conn, lot_id: &str) -> Result<HashMap<String, Judgement>> {
    let rows: Vec<EvaluationRow> =
        evaluations::table.filter(evaluations::lot_id.eq(lot_id)).select(EvaluationRow::as_select()).load(conn)?;
    rows.into_iter().map(|row| Ok((row.bid_id.clone(), parse(&row.id, &row.body)?))).collect()
}

/// The report of a lot, once it is filed.
///
/// # Errors
/// The database's.
pub fn report(conn: &mut Conn, lot_id: &str) -> Result<Option<ReportBody>> {
    let row: Option<ReportRow> =
        reports::table.filter(reports::lot_id.eq(lot_id)).select(ReportRow::as_select()).first(conn).optional()?;
    row.map(|row| parse(&row.id, &row.body)).transpose()
}

/// The prices that parts of one kind said, by bid.
fn prices(conn: &mut Conn, lot: &Lot, part: Part) -> Result<HashMap<String, Money>> {
    let mut prices = HashMap::new();
    if lot.state == State::Opening || lot.prices_sealed() {
        // What is not read out, or not closed yet, counts for nothing.
        return Ok(prices);
    }
    for row in opening::queries::outcomes_of_part(conn, &lot.row.id, part.name())? {
        let body: UnsealingBody = parse(&row.id, &row.body)?;
        if let Some(price) = body.price.filter(|_| row.is_opened()) {
            prices.insert(row.bid_id, price);
        }
    }
    Ok(prices)
}

/// The price of an opened bid among those that are known; only a second envelope may still be sealed, or have stayed so.
fn known(prices: &HashMap<String, Money>, lot: &Lot, bid_id: &str) -> Result<Option<Money>> {
    let price = prices.get(bid_id).copied();
    if price.is_none() && lot.body.terms.envelopes == Envelopes::One {
        return Err(Error::damaged(format!("bid {bid_id} is opened without a price")));
    }
    Ok(price)
}

/// The price at which a bid was read out; `None` where it is still sealed, or stayed so.
///
/// # Errors
/// The database's; damage when there is none and it cannot be sealed.
pub fn price_of(conn: &mut Conn, lot: &Lot, bid_id: &str) -> Result<Option<Money>> {
    let prices = prices(conn, lot, Part::Price)?;
    known(&prices, lot, bid_id)
}

/// What bounds prices: the ceiling, the revealed reserve price or the asking price.
fn limit(conn: &mut Conn, lot: &Lot) -> Result<Option<Money>> {
    let terms = &lot.body.terms;
    Ok(match lot.edition.bound {
        PriceBound::DisclosedCeiling => terms.ceiling,
        PriceBound::PublicAskingPrice => terms.asking,
        PriceBound::SealedReserve => prices(conn, lot, Part::Reserve)?.into_values().next(),
    })
}

/// Every opened bid with its price and its judgement.
/// Whether a judgement still counts: who passed the first envelope is judged again once the price is known.
fn stands(judgement: &Judgement, price: Option<Money>, lot: &Lot) -> bool {
    price.is_none() || judgement.decision == Decision::Rejected || judgement.round == lot.body.round
}

/// Bids that were opened: of two envelopes the first at least.
const JUDGED: [BidState; 2] = [BidState::Opened, BidState::Qualified];

fn candidates(conn: &mut Conn, lot: &Lot) -> Result<Vec<Candidate>> {
    let mut boxed = opening::queries::boxed(conn, &lot.row.id)?;
    boxed.retain(|bid| bid.kind == BID && JUDGED.iter().any(|state| bid.state == state.name()));
    let orgs: Vec<String> = boxed.iter().map(|bid| bid.org_id.clone()).collect();
    let names = opening::queries::names(conn, &orgs)?;
    let prices = prices(conn, lot, Part::Price)?;
    let mut judgements = judgements(conn, &lot.row.id)?;
    boxed
        .into_iter()
        .map(|bid| {
            let damaged = |what: &str| Error::damaged(format!("bid {}: {what}", bid.id));
            let price = known(&prices, lot, &bid.id)?;
            let named = names.get(&bid.org_id).ok_or_else(|| damaged("bidder"))?;
            Ok(Candidate {
                bid: BidId::parse(&bid.id).map_err(|_| damaged("id"))?,
                org: OrgId::parse(&bid.org_id).map_err(|_| damaged("bidder"))?,
                name: named.name.clone(),
                identifier: named.identifier.clone(),
                price,
                submitted_at: Timestamp::from_millis(bid.received_at),
                judgement: judgements.remove(&bid.id).filter(|judgement| stands(judgement, price, lot)),
            })
        })
        .collect()
}

/// Where the bids of a lot stand, computed anew.
///
/// # Errors
/// The database's; `prices-not-comparable` while an evaluated price is missing.
pub fn standing(conn: &mut Conn, lot: &Lot) -> Result<Standing> {
    let terms = Terms::of(lot.edition, limit(conn, lot)?, lot.body.terms.currency, TIE);
    let candidates = candidates(conn, lot)?;
    Standing::of(terms, candidates).map_err(|_| refusals::prices_not_comparable().into())
}

/// What the rules are told about the evaluation of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvaluationFacts {
    /// Bids with a place in the ranking.
    pub responsive: u32,
    /// Opened bids without a judgement.
    pub undecided: u32,
    /// Whether the best offer reaches the reserve price.
    pub reserve_reached: Option<bool>,
    /// A report is filed.
    pub report_exists: bool,
}

/// What the rules are told about the evaluation of a lot that was opened.
///
/// # Errors
/// The database's.
pub fn facts(conn: &mut Conn, lot: &Lot) -> Result<EvaluationFacts> {
    let standing = standing(conn, lot)?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let reported: i64 = reports::table.filter(reports::lot_id.eq(&lot.row.id)).count().get_result(conn)?;
    Ok(EvaluationFacts {
        responsive: count(standing.ranking.ranked.len() + standing.passed().count()),
        undecided: count(standing.undecided()),
        reserve_reached: standing.reserve_reached(),
        report_exists: reported > 0,
    })
}

/// Who passed the first of two envelopes, and who did not and by which code.
fn passed(standing: &Standing) -> Value {
    let party = |candidate: &Candidate| {
        json!({
            "bid_id": candidate.bid,
            "bidder_name": candidate.name,
            "identifier": candidate.identifier,
            "code": standing.rejected(candidate.bid.as_str()),
        })
    };
    let rejected = standing.candidates.iter().filter(|candidate| standing.rejected(candidate.bid.as_str()).is_some());
    json!({ "passed": standing.passed().map(party).collect::<Vec<_>>(), "rejected": rejected.map(party).collect::<Vec<_>>() })
}

/// What the public is told with the candidates (`candidates`) and with the result (`result`).
///
/// # Errors
/// The database's.
pub fn published(conn: &mut Conn, lot: &Lot, kind: &str) -> Result<Value> {
    let standing = standing(conn, lot)?;
    let evaluation = format!("/v1/lots/{}/evaluation", lot.row.id);
    if kind == "passed" {
        return Ok(passed(&standing));
    }
    if kind == "candidates" {
        let first: Vec<Value> = standing
            .ranking
            .ranked
            .iter()
            .take(CANDIDATES)
            .map(|ranked| {
                let candidate = standing.candidate(ranked.bid.as_str());
                json!({
                    "rank": ranked.rank,
                    "bid_id": ranked.bid,
                    "bidder_name": candidate.map(|candidate| &candidate.name),
                    "identifier": candidate.map(|candidate| &candidate.identifier),
                    "price": ranked.price,
                    "evaluated_price": ranked.counted,
                })
            })
            .collect();
        return Ok(json!({
            "candidates": first,
            "publicity_ends_at": lot.body.publicity_ends_at,
            "publicity_ends_at_local": lot.body.publicity_ends_at.map(Timestamp::local),
            "evaluation": evaluation,
        }));
    }
    let reserve =
        standing.terms.limit.filter(|_| standing.terms.bound == PriceBound::SealedReserve && is_reserve_public(lot));
    Ok(json!({ "award": lot.body.award, "reserve_price": reserve, "evaluation": evaluation }))
}
