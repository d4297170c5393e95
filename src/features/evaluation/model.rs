//! Evaluations and reports as stored.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::{evaluations, reports};
use crate::kernel::money::Money;
use crate::kernel::time::Timestamp;
use crate::rules::envelopes::Round;
use crate::rules::ranking::TieRule;
use crate::rules::rejection::RejectionCode;

/// The one state of a report.
pub const FILED: &str = "filed";

/// What the initiator judges of a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It answers what the documents demand.
    Responsive,
    /// It is rejected, for a reason on the closed list.
    Rejected,
}

impl Decision {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Responsive => "responsive",
            Self::Rejected => "rejected",
        }
    }
}

/// A row of `evaluations`: the judgement of one bid; its versions are the earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = evaluations, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct EvaluationRow {
    /// The evaluation.
    pub id: String,
    /// Version.
    pub version: i64,
    /// A [`Decision`]'s name.
    pub state: String,
    /// The lot.
    pub lot_id: String,
    /// The bid.
    pub bid_id: String,
    /// [`Judgement`].
    pub body: String,
}

/// What the initiator says about a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Responsive or rejected.
    pub decision: Decision,
    /// Why it is rejected, from the closed list.
    pub code: Option<RejectionCode>,
    /// The price that counts, in the lot's evaluation currency; the one read out where nothing is said.
    pub evaluated_price: Option<Money>,
    /// Why.
    pub reason: Option<String>,
    /// By which envelope, where there are two.
    #[serde(default = "first")]
    pub round: Round,
    /// When.
    pub decided_at: Timestamp,
}

fn first() -> Round {
    Round::First
}

/// A row of `reports`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = reports, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ReportRow {
    /// The report.
    pub id: String,
    /// Always 1.
    pub version: i64,
    /// `filed`.
    pub state: String,
    /// The lot.
    pub lot_id: String,
    /// [`ReportBody`].
    pub body: String,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportBody {
    /// In words, one point a line.
    pub lines: Vec<String>,
    /// When it was filed.
    pub filed_at: Timestamp,
    /// What decided between equal prices.
    pub tie: TieRule,
    /// The ranking as it was computed, best first.
    pub ranked: Vec<RankedLine>,
    /// Rejected bids with their codes.
    pub rejected: Vec<RejectedLine>,
}

/// A ranked bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RankedLine {
    /// Its rank from 1.
    pub rank: u32,
    /// The bid.
    pub bid_id: String,
    /// Its bidder.
    pub bidder_name: String,
    /// The price read out.
    pub price: Money,
    /// The price that counted.
    pub counted: Money,
}

/// A rejected bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedLine {
    /// The bid.
    pub bid_id: String,
    /// Its bidder.
    pub bidder_name: String,
    /// Why.
    pub code: RejectionCode,
}
