//! Editions: one value per category and year, holding its table and every parameter.
//!
//! Promise: whatever differs between categories is a column here, so that no code asks which category a lot is of.
//! A released edition is never edited; a lot keeps the edition it was published under.

mod construction;
mod land_use;
mod state_asset;

pub use construction::CONSTRUCTION_2026;
pub use land_use::LAND_USE_2026;
pub use state_asset::STATE_ASSET_2026;

use crate::kernel::money::BasisPoints;
use crate::kernel::text::Phrase;
use crate::kernel::time::LocalDate;
use crate::rules::catalogue::RuleId;
use crate::rules::duties::Duty;
use crate::rules::facts::{FailureCause, FallbackCause};
use crate::rules::machine::{Event, Lot};
use crate::rules::names::named;
use crate::rules::objection::ObjectionRule;
use crate::rules::table::Table;

named! {
    /// What is traded.
    pub enum Category {
        /// Engineering tenders.
        Construction = "construction", "工程建设项目招标", "construction tender";
        /// Grants of land-use rights by sealed tender.
        LandUse = "land_use", "土地使用权招标出让", "land-use right, sealed tender";
        /// State-owned property rights and assets by one-shot sealed offer.
        StateAsset = "state_asset", "国有资产转让（一次性密封报价）", "state asset, one-shot sealed offer";
    }
}

named! {
    /// Which price wins.
    pub enum Direction {
        /// The lowest.
        Lowest = "lowest", "价低者优", "lowest price first";
        /// The highest.
        Highest = "highest", "价高者得", "highest price first";
    }
}

named! {
    /// What bounds prices.
    pub enum PriceBound {
        /// A ceiling that the documents disclose.
        DisclosedCeiling = "disclosed_ceiling", "公布最高投标限价", "disclosed ceiling";
        /// A reserve price sealed until the read-out, or declared not to exist.
        SealedReserve = "sealed_reserve", "密封底价或声明不设底价", "sealed reserve price, or declared none";
        /// An asking price that everybody knows.
        PublicAskingPrice = "public_asking_price", "公开挂牌价（转让底价）", "public asking price";
    }
}

named! {
    /// When a bid can still be replaced or withdrawn.
    pub enum Withdrawal {
        /// Until the deadline.
        UntilDeadline = "until_deadline", "截止前可撤回、修改", "until the deadline";
        /// Not once it is in the box, unless the notice allows it.
        NotOnceSubmitted = "not_once_submitted", "投入标箱后不可撤回（公告另有规定除外）", "not once submitted, unless the notice allows it";
    }
}

named! {
    /// What a single acceptable offer pays, where one is enough.
    pub enum SingleOffer {
        /// One is not enough by itself; the minimum says how many are.
        PaysOffer = "pays_offer", "按报价成交", "pays its offer";
        /// It pays the higher of its offer and the asking price.
        PaysHigherOfOfferAndAsking = "pays_higher", "按报价与挂牌价孰高成交", "pays the higher of offer and asking price";
    }
}

/// Limits on the bid security or deposit that a notice may demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepositLimit {
    /// At most this share of the estimate.
    AtMostOfEstimate(BasisPoints),
    /// At least this share of the minimum price.
    AtLeastOfMinimumPrice(BasisPoints),
    /// As the notice says.
    ByNotice,
}

/// How long an asset is disclosed, by its asking price in CNY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisclosureBand {
    /// The band reaches up to and including this price in fen; `None` is without end.
    pub up_to_fen: Option<i64>,
    /// Working days of disclosure.
    pub working_days: u32,
}

/// How long things take. Days are calendar days in Asia/Shanghai unless the name says working days; `None` means that
/// the edition has no such period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods {
    /// Least days that documents are issued.
    pub issue_days: Option<u32>,
    /// Least days from the start of document issue to the deadline.
    pub issue_to_deadline_days: Option<u32>,
    /// Least days before the deadline at which a clarification that affects bids is published.
    pub clarification_days: Option<u32>,
    /// Least days from the notice to the start of bidding.
    pub notice_to_bidding_days: Option<u32>,
    /// Working days of disclosure by price.
    pub disclosure_bands: &'static [DisclosureBand],
    /// Working days of disclosure of property rights, whatever the price.
    pub equity_disclosure_working_days: Option<u32>,
    /// Longest time from the deadline to the opening in minutes.
    pub opening_delay_max_minutes: Option<u32>,
    /// Days of publicity of the candidates.
    pub publicity_days: Option<u32>,
    /// Working days of the notice of the result, where the lot waits for its end.
    pub result_notice_working_days: Option<u32>,
}

/// Who may be awarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwardRule {
    /// The first of the ranking binds only where state funds are used.
    pub only_state_funded: bool,
    /// Reasons for which the next may be awarded.
    pub fallback: &'static [FallbackCause],
    /// Source.
    pub rule: RuleId,
}

/// One category's rules as they are from a day on.
pub struct Edition {
    /// Stable id, kept by every lot.
    pub id: &'static str,
    /// What is traded.
    pub category: Category,
    /// Title.
    pub title: Phrase,
    /// First day on which lots are registered under it.
    pub effective_from: LocalDate,
    /// Which price wins.
    pub direction: Direction,
    /// What bounds prices.
    pub bound: PriceBound,
    /// Fewest bids received for an opening.
    pub min_received: u32,
    /// Fewest responsive bids for competition; below it the initiator may end the lot by a recorded decision.
    pub min_responsive: u32,
    /// Cause when fewer bids than the minimum were received.
    pub too_few: FailureCause,
    /// What a single offer pays.
    pub single_offer: SingleOffer,
    /// When bids can be replaced and withdrawn.
    pub withdrawal: Withdrawal,
    /// How long things take.
    pub periods: Periods,
    /// Limits on the deposit.
    pub deposit: DepositLimit,
    /// Who may be awarded.
    pub award: AwardRule,
    /// Reasons for which the initiator may end an opened lot without a result.
    pub failure_causes: &'static [FailureCause],
    /// Acts that wait while a hold is in force.
    pub stopped_by_hold: &'static [Event],
    /// Outage rule: minutes before the deadline in which the platform must have been up.
    pub outage_window_minutes: u32,
    /// Objections and their limits.
    pub objections: &'static [ObjectionRule],
    /// What must be done by when.
    pub duties: &'static [Duty],
    /// The table of a lot.
    pub table: Table<Lot>,
}

impl PartialEq for Edition {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl std::fmt::Debug for Edition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Edition({})", self.id)
    }
}

/// What a hold stops in every edition so far: whatever closes, opens, judges or awards.
const CLOSING_TO_RESULT: &[Event] = &[
    Event::CloseBidding,
    Event::BeginOpening,
    Event::FinishOpening,
    Event::OpenPrices,
    Event::CompleteEvaluation,
    Event::PublishCandidates,
    Event::EndPublicity,
    Event::Award,
    Event::DeclareUnsuccessful,
];

/// Every edition, oldest first within a category.
pub static EDITIONS: &[&Edition] = &[&CONSTRUCTION_2026, &LAND_USE_2026, &STATE_ASSET_2026];

/// The edition of that id.
pub fn edition(id: &str) -> Option<&'static Edition> {
    EDITIONS.iter().copied().find(|edition| edition.id == id)
}

/// The edition under which a lot of `category` is registered on `day`.
pub fn current(category: Category, day: LocalDate) -> Option<&'static Edition> {
    EDITIONS
        .iter()
        .copied()
        .filter(|edition| edition.category == category && edition.effective_from <= day)
        .max_by_key(|edition| edition.effective_from)
}

/// 1 January 2026: first day of the first editions.
const YEAR_2026: LocalDate = LocalDate::from_ymd_opt(2026, 1, 1).expect("a date");
