//! Lots as stored.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::lots;
use crate::kernel::digest::Digest;
use crate::kernel::id::{LotId, OrgId, ProjectId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};
use crate::rules::editions::{self, Edition};
use crate::rules::envelopes::{Envelopes, Round, shared_rounds};
use crate::rules::facts::{Escrow, FailureCause, KeyMode, ReserveTerm};
use crate::rules::hold::HoldKind;
use crate::rules::machine::State;
use crate::seal::keyset::Profile;

/// Which envelopes a lot accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfileTerm {
    /// Every slot proves knowledge of its ephemeral key.
    Strict,
    /// Any HPKE library can seal; for lots with one opening moment under a platform key.
    Open,
}

impl From<ProfileTerm> for Profile {
    fn from(term: ProfileTerm) -> Self {
        match term {
            ProfileTerm::Strict => Self::Strict,
            ProfileTerm::Open => Self::Open,
        }
    }
}

/// A row of `lots`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = lots, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct LotRow {
    /// The lot.
    pub id: String,
    /// Version.
    pub version: i64,
    /// A state of the edition's machine.
    pub state: String,
    /// The first hold in force.
    pub hold: Option<String>,
    /// Its project.
    pub project_id: String,
    /// The initiator.
    pub org_id: String,
    /// The edition of the rules, kept for life.
    pub edition: String,
    /// What is traded.
    pub category: String,
    /// Title.
    pub title: String,
    /// Bids are accepted before this instant, epoch milliseconds.
    pub deadline_at: Option<i64>,
    /// When time alone causes something next, epoch milliseconds.
    pub due_at: Option<i64>,
    /// When the sealed entries were released, epoch milliseconds.
    pub unsealed_at: Option<i64>,
    /// To whom: `all` or `inspectors`.
    pub unsealed_for: Option<String>,
    /// The lot that this one repeats.
    pub previous_lot_id: Option<String>,
    /// When it was registered, epoch milliseconds.
    pub created_at: i64,
    /// [`LotBody`].
    pub body: String,
}

/// What the initiator states about a lot. Money is in the lot's one evaluation currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LotTerms {
    /// What is traded, in words.
    pub description: String,
    /// The currency in which bids are compared.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// Number of the approval of the project, decision or supply plan.
    #[serde(default)]
    pub approval_number: Option<String>,
    /// The initiator declares: no disputed title, no restriction, no prohibition of the trade.
    #[serde(default)]
    pub no_dispute_declared: bool,
    /// The law makes tendering compulsory.
    #[serde(default = "yes")]
    pub compulsory: bool,
    /// State funds are used or lead.
    #[serde(default = "yes")]
    pub state_funded: bool,
    /// Shares or other property rights are sold, not single assets.
    #[serde(default)]
    pub equity_transfer: bool,
    /// Never disclosed before at a higher price.
    #[serde(default = "yes")]
    pub first_disclosure: bool,
    /// The approving authority agreed in writing to a price below 90 % of the appraisal.
    #[serde(default)]
    pub consent_below_appraisal: bool,
    /// Estimated price.
    #[serde(default)]
    pub estimate: Option<Money>,
    /// Disclosed price ceiling.
    #[serde(default)]
    pub ceiling: Option<Money>,
    /// A lowest acceptable price: not allowed in construction.
    #[serde(default)]
    pub floor_price: Option<Money>,
    /// Public asking price.
    #[serde(default)]
    pub asking: Option<Money>,
    /// Filed appraisal.
    #[serde(default)]
    pub appraisal: Option<Money>,
    /// Minimum price of the grant.
    #[serde(default)]
    pub minimum_price: Option<Money>,
    /// Bid security or deposit.
    #[serde(default)]
    pub deposit: Option<Money>,
    /// What the notice says about a reserve price.
    #[serde(default = "not_announced")]
    pub reserve: ReserveTerm,
    /// The notice allows replacement and withdrawal although the edition does not.
    #[serde(default)]
    pub withdrawal_allowed: bool,
    /// `strict` (default) or `open`: which envelopes are accepted.
    #[serde(default = "strict")]
    pub profile: ProfileTerm,
    /// To whom bids are sealed: `platform` (default), `custodians`, `bidder`, `dual`.
    #[serde(default = "platform")]
    pub key_mode: KeyMode,
    /// `none` (default) or `custodians`: whether each bidder deposits its own key with custodians, who open it only where the bidder
    /// did not decrypt in its minutes (EB-06). For the key mode `bidder`.
    #[serde(default = "nothing")]
    pub escrow: Escrow,
    /// `one` (default) or `two`: whether prices open together with the rest, or in a round of their own (ENG-40).
    #[serde(default = "one")]
    pub envelopes: Envelopes,
    /// How many minutes bidders have to decrypt once the opening began, where they hold a key.
    #[serde(default = "thirty")]
    pub decryption_minutes: u32,
    /// Days that a bid stays valid after the deadline.
    #[serde(default = "ninety")]
    pub bid_validity_days: u32,
}

impl LotTerms {
    /// The rounds whose key the platform or custodians hold.
    pub fn shared_rounds(&self) -> Vec<Round> {
        shared_rounds(self.key_mode, self.envelopes, self.escrow)
    }

    /// Whether custodians have to make a key before the notice.
    pub fn needs_custodians(&self) -> bool {
        self.key_mode.needs_custodians() || self.escrow == Escrow::Custodians
    }

    /// How long bidders have to decrypt, in milliseconds.
    pub fn decryption_ms(&self) -> i64 {
        i64::from(self.decryption_minutes) * 60_000
    }
}

fn platform() -> KeyMode {
    KeyMode::Platform
}

fn nothing() -> Escrow {
    Escrow::None
}

fn one() -> Envelopes {
    Envelopes::One
}

fn thirty() -> u32 {
    30
}

fn yes() -> bool {
    true
}

fn not_announced() -> ReserveTerm {
    ReserveTerm::NotAnnounced
}

fn strict() -> ProfileTerm {
    ProfileTerm::Strict
}

fn ninety() -> u32 {
    90
}

/// When things happen, as the notice says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Documents are issued from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_issue_start_at: Option<Timestamp>,
    /// Documents are issued until.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_issue_end_at: Option<Timestamp>,
    /// Bids are accepted from; from the notice where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bidding_opens_at: Option<Timestamp>,
    /// Bids are accepted before this instant, strictly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_at: Option<Timestamp>,
    /// The opening is not before; at the deadline where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
}

/// A hold in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldInForce {
    /// Why, as a kind.
    pub kind: HoldKind,
    /// Since when.
    pub placed_at: Timestamp,
    /// Why, in words.
    pub reason: String,
}

/// The award.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Award {
    /// The winning bid.
    pub bid_id: String,
    /// Its bidder.
    pub org_id: OrgId,
    /// The bidder's name at the award.
    pub bidder_name: String,
    /// Its rank.
    pub rank: u32,
    /// The price of the deal.
    pub price: Money,
}

/// Everything of a lot that is not a column of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotBody {
    /// What the initiator states.
    pub terms: LotTerms,
    /// When things happen.
    pub schedule: Schedule,
    /// The current revision of the documents: changes with every addendum.
    pub document_revision: Option<Digest>,
    /// The centre's list, while the lot is returned.
    pub deficiencies: Vec<String>,
    /// Holds in force.
    pub holds: Vec<HoldInForce>,
    /// The notice was published.
    pub notice_at: Option<Timestamp>,
    /// The disclosure began, or began again.
    pub disclosure_started_at: Option<Timestamp>,
    /// Bids in the box, counted when it was closed; shown once the opening began.
    pub received_bids: Option<u32>,
    /// The round of openings that the lot is in, or that comes next.
    #[serde(default = "first")]
    pub round: Round,
    /// The evaluation report was filed.
    pub reported_at: Option<Timestamp>,
    /// The publicity of candidates ends.
    pub publicity_ends_at: Option<Timestamp>,
    /// The award.
    pub award: Option<Award>,
    /// The award was made.
    pub awarded_at: Option<Timestamp>,
    /// The result was published.
    pub result_published_at: Option<Timestamp>,
    /// The notice of the result ends.
    pub result_notice_ends_at: Option<Timestamp>,
    /// Why the lot ended without a result.
    pub cause: Option<FailureCause>,
    /// A period rests on a year whose holidays are not announced.
    pub provisional: bool,
    /// The deadline before which the platform was down and after which somebody decided to go on all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage_decided_for: Option<Timestamp>,
}

fn first() -> Round {
    Round::First
}

impl LotBody {
    /// The body of a new lot.
    pub fn new(terms: LotTerms) -> Self {
        Self {
            terms,
            schedule: Schedule::default(),
            document_revision: None,
            deficiencies: Vec::new(),
            holds: Vec::new(),
            notice_at: None,
            disclosure_started_at: None,
            received_bids: None,
            round: Round::First,
            reported_at: None,
            publicity_ends_at: None,
            award: None,
            awarded_at: None,
            result_published_at: None,
            result_notice_ends_at: None,
            cause: None,
            provisional: false,
            outage_decided_for: None,
        }
    }
}

/// A lot, read: its row with what the row's texts mean.
#[derive(Clone, Debug)]
pub struct Lot {
    /// The row.
    pub row: LotRow,
    /// The body.
    pub body: LotBody,
    /// The state.
    pub state: State,
    /// The edition.
    pub edition: &'static Edition,
    /// The lot.
    pub id: LotId,
    /// The initiator.
    pub initiator: OrgId,
    /// The project.
    pub project: ProjectId,
}

impl Lot {
    /// Reads a row.
    ///
    /// # Errors
    /// When what is stored does not have the form it was written in.
    pub fn read(row: LotRow) -> Result<Self> {
        let damaged = |what: String| Error::damaged(format!("lot {}: {what}", row.id));
        Ok(Self {
            body: serde_json::from_str(&row.body).map_err(|error| damaged(error.to_string()))?,
            state: state_of(&row.state).ok_or_else(|| damaged(format!("state {}", row.state)))?,
            edition: editions::edition(&row.edition).ok_or_else(|| damaged(format!("edition {}", row.edition)))?,
            id: LotId::parse(&row.id).map_err(|error| damaged(error.to_string()))?,
            initiator: OrgId::parse(&row.org_id).map_err(|error| damaged(error.to_string()))?,
            project: ProjectId::parse(&row.project_id).map_err(|error| damaged(error.to_string()))?,
            row,
        })
    }

    /// The row with this lot's body and state written into it.
    ///
    /// # Errors
    /// Internal ones only.
    pub fn to_row(&self) -> Result<LotRow> {
        Ok(LotRow {
            state: self.state.name().to_owned(),
            hold: self.body.holds.first().map(|hold| hold.kind.name().to_owned()),
            deadline_at: self.body.schedule.deadline_at.map(Timestamp::millis),
            body: serde_json::to_string(&self.body).map_err(|error| Error::internal(error.to_string()))?,
            ..self.row.clone()
        })
    }

    /// Whether the second of two envelopes is still sealed.
    pub fn prices_sealed(&self) -> bool {
        self.body.terms.envelopes.round_of(true) != self.body.round
    }

    /// Whether sealed payloads of the lot are still to be opened.
    pub fn needs_payloads(&self) -> bool {
        self.state.needs_payloads() || (self.state == State::Opened && self.prices_sealed())
    }

    /// The deadline in force.
    pub fn deadline_at(&self) -> Option<Timestamp> {
        self.body.schedule.deadline_at
    }
}

/// The state of that name.
pub fn state_of(name: &str) -> Option<State> {
    State::ALL.iter().copied().find(|state| state.name() == name)
}
