//! An evaluation as the API shows it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::ReportBody;
use super::queries;
use super::standing::{Candidate, Standing};
use crate::db::Conn;
use crate::features::lots::model::Lot;
use crate::features::opening;
use crate::features::opening::objections::{ObjectionView, objection_view};
use crate::kernel::id::{BidId, LotId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::rules::editions::PriceBound;
use crate::rules::machine::State;
use crate::rules::objection::ObjectionKind;
use crate::rules::ranking::TieRule;
use crate::rules::rejection::RejectionCode;

/// What became of a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It has a place in the ranking.
    Ranked,
    /// It passed the first of two envelopes; its price is still sealed.
    Passed,
    /// It is rejected, by judgement or by a comparison of amounts.
    Rejected,
    /// It is not judged yet.
    Undecided,
}

/// A bid in the evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvaluatedBid {
    /// The bid.
    pub bid_id: BidId,
    /// Its bidder.
    pub bidder_name: String,
    /// The bidder's identifier.
    pub identifier: OrgIdentifier,
    /// What became of it.
    pub place: Place,
    /// Its rank from 1.
    pub rank: Option<u32>,
    /// The price that was read out.
    pub opening_price: Option<Money>,
    /// The evaluated price, where the initiator stated one.
    pub evaluated_price: Option<Money>,
    /// The price that counted in the ranking.
    pub counted_price: Option<Money>,
    /// Why it is rejected.
    pub code: Option<RejectionCode>,
    /// The same for people.
    pub code_title: Option<Bilingual>,
    /// The rule behind the code.
    pub rule: Option<String>,
    /// The rejection follows from comparing two amounts; nobody judged it.
    pub is_computed: bool,
    /// The initiator's reason.
    pub reason: Option<String>,
    /// When the contents that count were received; decides between equal prices.
    pub received_at: Timestamp,
}

/// The evaluation report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// In words, one point a line.
    pub lines: Vec<String>,
    /// When it was filed.
    pub filed_at: Timestamp,
    /// The ranking that it was filed with.
    pub ranked: Vec<super::model::RankedLine>,
    /// What was rejected.
    pub rejected: Vec<super::model::RejectedLine>,
}

impl From<ReportBody> for Report {
    fn from(body: ReportBody) -> Self {
        Self { lines: body.lines, filed_at: body.filed_at, ranked: body.ranked, rejected: body.rejected }
    }
}

/// The evaluation of a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvaluationView {
    /// The lot.
    pub lot_id: LotId,
    /// Where it stands.
    pub lot_state: State,
    /// The currency in which prices are compared.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// What bounds prices.
    pub bound: PriceBound,
    /// The ceiling, reserve or asking price, to whom it may be shown.
    pub limit: Option<Money>,
    /// What decides between equal prices.
    pub tie_rule: TieRule,
    /// The same for people.
    pub tie_rule_title: Bilingual,
    /// Every opened bid: ranked ones first, best first.
    pub bids: Vec<EvaluatedBid>,
    /// The first of the ranking, when every bid is judged.
    pub recommended: Option<BidId>,
    /// The report, once it is filed.
    pub report: Option<Report>,
    /// Objections to the result, with their answers.
    pub objections: Vec<ObjectionView>,
}

/// A bid with its place in a standing.
pub fn evaluated_bid(standing: &Standing, candidate: &Candidate) -> EvaluatedBid {
    let bid = candidate.bid.as_str();
    let ranked = standing.ranked(bid);
    let code = standing.rejected(bid);
    let place = match (ranked, code) {
        (Some(_), _) => Place::Ranked,
        (None, Some(_)) => Place::Rejected,
        (None, None) if standing.passed().any(|passed| passed.bid == candidate.bid) => Place::Passed,
        (None, None) => Place::Undecided,
    };
    let judgement = candidate.judgement.as_ref();
    EvaluatedBid {
        bid_id: candidate.bid.clone(),
        bidder_name: candidate.name.clone(),
        identifier: candidate.identifier.clone(),
        place,
        rank: ranked.map(|ranked| ranked.rank),
        opening_price: candidate.price,
        evaluated_price: judgement.and_then(|judgement| judgement.evaluated_price),
        counted_price: ranked.map(|ranked| ranked.counted),
        code,
        code_title: code.map(|code| code.title().into()),
        rule: code.map(|code| code.rule().to_string()),
        is_computed: code.is_some_and(RejectionCode::is_arithmetic),
        reason: judgement.and_then(|judgement| judgement.reason.clone()),
        received_at: candidate.submitted_at,
    }
}

/// The evaluation of a lot that was opened; with a sealed reserve price, if the reader may see it.
///
/// # Errors
/// The database's.
pub fn evaluation(conn: &mut Conn, lot: &Lot, with_reserve: bool) -> Result<EvaluationView> {
    let standing = queries::standing(conn, lot)?;
    let mut bids: Vec<EvaluatedBid> =
        standing.candidates.iter().map(|candidate| evaluated_bid(&standing, candidate)).collect();
    bids.sort_by_key(|bid| (bid.place, bid.rank, bid.received_at));
    let objections = opening::queries::objections(conn, &lot.row.id, ObjectionKind::Result)?;
    let orgs: Vec<String> = objections.iter().map(|row| row.org_id.clone()).collect();
    let names: HashMap<_, _> = opening::queries::names(conn, &orgs)?;
    let secret = standing.terms.bound == PriceBound::SealedReserve && !with_reserve;
    let recommended = standing.ranking.ranked.first().filter(|_| standing.undecided() == 0);
    Ok(EvaluationView {
        lot_id: lot.id.clone(),
        lot_state: lot.state,
        currency: standing.terms.evaluation_currency,
        bound: standing.terms.bound,
        limit: standing.terms.limit.filter(|_| !secret),
        tie_rule: standing.terms.tie,
        tie_rule_title: standing.terms.tie.title().into(),
        recommended: recommended.map(|ranked| ranked.bid.clone()),
        bids,
        report: queries::report(conn, &lot.row.id)?.map(Report::from),
        objections: objections.iter().map(|row| objection_view(row, &names)).collect::<Result<_>>()?,
    })
}
