//! What the rules are told about a lot, and what somebody proposes to do with it.
//!
//! Promise: guards look at nothing else. An `Option` is `None` where a fact does not exist yet or is not told.
//! Deliberately not here: where facts come from.

use crate::kernel::digest::Digest;
use crate::kernel::id::OrgId;
use crate::kernel::money::Money;
use crate::kernel::text::Phrase;
use crate::kernel::time::Timestamp;
use crate::rules::hold::{Hold, HoldKind};
use crate::rules::machine::{Event, State};
use crate::rules::names::named;

named! {
    /// What the notice says about a sealed reserve price.
    pub enum ReserveTerm {
        /// Nothing.
        NotAnnounced = "not_announced", "未说明", "not announced";
        /// There is none.
        DeclaredNone = "declared_none", "声明不设底价", "declared none";
        /// There is one, sealed.
        Announced = "announced", "设有底价", "announced";
    }
}

named! {
    /// To whom the bids of a lot are sealed.
    pub enum KeyMode {
        /// To a key of the platform.
        Platform = "platform", "平台密钥", "platform key";
        /// To custodians of different institutions, k of n.
        Custodians = "custodians", "多方保管密钥", "custodians";
        /// To a one-time key of each bidder.
        Bidder = "bidder", "投标人密钥", "bidder's key";
        /// To custodians and to a one-time key of each bidder; both are needed.
        Dual = "dual", "多方保管与投标人双重密钥", "custodians and bidder";
    }
}

impl KeyMode {
    /// Whether custodians have to make a key set before the notice.
    pub const fn needs_custodians(self) -> bool {
        matches!(self, Self::Custodians | Self::Dual)
    }

    /// Whether each bidder brings a key of its own and opens with it.
    pub const fn needs_bidder(self) -> bool {
        matches!(self, Self::Bidder | Self::Dual)
    }

    /// What the mode protects against, and what not.
    pub const fn protects(self, escrow: Escrow) -> Phrase {
        match self {
            Self::Bidder if matches!(escrow, Escrow::Custodians) => Phrase::new(
                "投标人密钥并交保管人托管:投标人解密时限届满前,平台及少于规定人数的保管人都不能解密;届满后,对投标人未自行解密的投标,\
                 规定人数的保管人可共同启封其托管密钥;不能防规定人数以上的保管人与掌握密文者串通。",
                "Bidder's key, with an escrow: until the bidders' time to decrypt is over neither the platform nor fewer custodians than \
                 are needed can read a bid; then that many custodians together open the deposited key of a bid which its bidder did not \
                 decrypt. It does not protect against that many custodians who conspire with whoever has the ciphertext.",
            ),
            Self::Platform => Phrase::new(
                "平台密钥:可防数据库及其备份泄露,不能防平台运营方。",
                "Platform key: protects against leaks of the database and its backups, not against the operator of the platform.",
            ),
            Self::Custodians => Phrase::new(
                "多方保管:开标前平台及少于规定人数的保管人都不能解密;不能防规定人数以上的保管人与掌握密文者串通。",
                "Custodians: before the opening neither the platform nor fewer custodians than are needed can read a bid; it does not \
                 protect against that many custodians who conspire with whoever has the ciphertext.",
            ),
            Self::Bidder => Phrase::new(
                "投标人密钥:开标前除投标人外无人能解密;投标人须在规定时间内自行解密,否则按EB-05处理。",
                "Bidder's key: before the opening nobody but the bidder can read its bid; the bidder has to decrypt it in time, or \
                 EB-05 applies.",
            ),
            Self::Dual => Phrase::new(
                "双重密钥:须保管人与投标人共同解密,任何一方均不能单独提前开启;任何一方缺席都会使该投标不能开启。",
                "Both: custodians and bidder decrypt together, so neither opens early alone; if either stays away the bid does not open.",
            ),
        }
    }
}

named! {
    /// What is deposited of a bidder's own key, in case that the bidder does not decrypt in its time (EB-06).
    pub enum Escrow {
        /// Nothing.
        None = "none", "不设密钥托管", "no escrow";
        /// The key, sealed to custodians.
        Custodians = "custodians", "交保管人托管", "escrow with custodians";
    }
}

named! {
    /// Why a lot ends without a result.
    pub enum FailureCause {
        /// Fewer bids received than the minimum.
        TooFewReceived = "too_few_received", "投标人不足法定数", "fewer bids received than the minimum";
        /// Nobody made an offer.
        NoOffer = "no_offer", "无人报价", "no offer was made";
        /// Every bid was rejected.
        AllRejected = "all_rejected", "所有投标被否决", "every bid was rejected";
        /// Too few bids are left and competition is clearly lacking.
        CompetitionLacking = "competition_lacking", "有效投标不足且明显缺乏竞争", "too few responsive bids and competition clearly lacking";
        /// Every offer is below the reserve price.
        BelowReserve = "below_reserve", "报价均低于底价", "every offer is below the reserve price";
    }
}

named! {
    /// Why a lot is not awarded to the first of the ranking (implementing regulations of the Bidding Law, art. 55).
    pub enum FallbackCause {
        /// The first gave up.
        GaveUp = "gave_up", "放弃中标", "gave up";
        /// Force majeure.
        ForceMajeure = "force_majeure", "因不可抗力不能履行合同", "force majeure prevents performance";
        /// No performance security was given as the documents demand.
        NoSecurity = "no_security", "未按招标文件要求提交履约保证金", "gave no performance security";
        /// Found to have broken the law in a way that affects the result.
        FoundIllegal = "found_illegal", "被查实存在影响中标结果的违法行为", "found to have acted illegally";
    }
}

/// Everything the guards of a lot may ask about.
#[derive(Debug, Clone)]
pub struct LotFacts {
    /// The state.
    pub state: State,
    /// The holds in force.
    pub holds: Vec<Hold>,
    /// The organisation that started the procedure.
    pub initiator: OrgId,
    /// The number of the approval of the project, decision or supply plan.
    pub approval_number: Option<String>,
    /// The initiator declares: no disputed title, no restriction, no prohibition of the trade.
    pub no_dispute_declared: bool,
    /// The law makes tendering compulsory for this project.
    pub compulsory: bool,
    /// State funds are used or state money leads.
    pub state_funded: bool,
    /// What is sold are shares or other property rights in an enterprise, not single assets.
    pub equity_transfer: bool,
    /// The lot was never disclosed before at a higher price.
    pub first_disclosure: bool,
    /// The approving authority agreed in writing to a price below 90 % of the appraisal.
    pub consent_below_appraisal: bool,
    /// How many solicitation documents are attached.
    pub documents: u32,
    /// The current revision of the documents.
    pub document_revision: Option<Digest>,
    /// A key set stands ready to seal bids to.
    pub key_set_ready: bool,
    /// No bidder deposits its key; or the key set for that stands ready, and is used only after the bidders' minutes.
    pub escrow_ready: bool,
    /// Documents are issued from.
    pub doc_issue_start_at: Option<Timestamp>,
    /// Documents are issued until.
    pub doc_issue_end_at: Option<Timestamp>,
    /// The notice was published.
    pub notice_at: Option<Timestamp>,
    /// The disclosure began, or began again.
    pub disclosure_started_at: Option<Timestamp>,
    /// Bids are accepted from; from the notice where nothing is said.
    pub bidding_opens_at: Option<Timestamp>,
    /// Bids are accepted before.
    pub deadline_at: Option<Timestamp>,
    /// The opening is not before.
    pub opens_at: Option<Timestamp>,
    /// The evaluation report was filed.
    pub reported_at: Option<Timestamp>,
    /// The publicity of candidates ends.
    pub publicity_ends_at: Option<Timestamp>,
    /// The award was made.
    pub awarded_at: Option<Timestamp>,
    /// The result was published.
    pub result_published_at: Option<Timestamp>,
    /// The notice of the result ends.
    pub result_notice_ends_at: Option<Timestamp>,
    /// Estimated price of the works, goods or services.
    pub estimate: Option<Money>,
    /// The disclosed price ceiling.
    pub ceiling: Option<Money>,
    /// A lowest acceptable price, where the initiator tried to set one.
    pub floor_price: Option<Money>,
    /// The public asking price.
    pub asking: Option<Money>,
    /// The filed appraisal.
    pub appraisal: Option<Money>,
    /// The minimum price of the grant, public.
    pub minimum_price: Option<Money>,
    /// The bid security or deposit that the notice demands.
    pub deposit: Option<Money>,
    /// What the notice says about a reserve price.
    pub reserve: ReserveTerm,
    /// The notice allows bids to be replaced and withdrawn although the edition does not.
    pub withdrawal_allowed: bool,
    /// Sealed: the reserve price is in the box.
    pub reserve_received: bool,
    /// Sealed: bids in the box. Known to the rules only after the closing.
    pub received_bids: Option<u32>,
    /// Some instance is still receiving a header whose first byte came before the deadline.
    pub headers_in_flight: bool,
    /// The platform was down before the deadline, and nobody has yet decided to go on.
    pub outage_undecided: bool,
    /// Objections to the documents without an answer.
    pub open_document_objections: u32,
    /// Objections to the result without an answer.
    pub open_result_objections: u32,
    /// The opening session was closed.
    pub session_closed: bool,
    /// Of two envelopes the second is still sealed.
    pub prices_sealed: bool,
    /// Opened bids judged responsive.
    pub responsive: Option<u32>,
    /// Opened bids without a judgement.
    pub undecided: Option<u32>,
    /// Whether the best offer reaches the reserve price; known after the read-out.
    pub reserve_reached: Option<bool>,
    /// An evaluation report is filed.
    pub report_exists: bool,
    /// The price at which the deal would be made.
    pub award_price: Option<Money>,
    /// Another lot was already made out of this one.
    pub retendered: bool,
}

impl LotFacts {
    /// A lot in `state` about which nothing else is known; compulsory, disclosed for the first time.
    pub fn new(initiator: OrgId, state: State) -> Self {
        Self {
            state,
            holds: Vec::new(),
            initiator,
            approval_number: None,
            no_dispute_declared: false,
            compulsory: true,
            state_funded: true,
            equity_transfer: false,
            first_disclosure: true,
            consent_below_appraisal: false,
            documents: 0,
            document_revision: None,
            key_set_ready: false,
            escrow_ready: false,
            doc_issue_start_at: None,
            doc_issue_end_at: None,
            notice_at: None,
            disclosure_started_at: None,
            bidding_opens_at: None,
            deadline_at: None,
            opens_at: None,
            reported_at: None,
            publicity_ends_at: None,
            awarded_at: None,
            result_published_at: None,
            result_notice_ends_at: None,
            estimate: None,
            ceiling: None,
            floor_price: None,
            asking: None,
            appraisal: None,
            minimum_price: None,
            deposit: None,
            reserve: ReserveTerm::NotAnnounced,
            withdrawal_allowed: false,
            reserve_received: false,
            received_bids: None,
            headers_in_flight: false,
            outage_undecided: false,
            open_document_objections: 0,
            open_result_objections: 0,
            session_closed: false,
            prices_sealed: false,
            responsive: None,
            undecided: None,
            reserve_reached: None,
            report_exists: false,
            award_price: None,
            retendered: false,
        }
    }
}

/// What somebody proposes to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The act.
    pub event: Event,
    /// The deadline it would set.
    pub new_deadline_at: Option<Timestamp>,
    /// The opening it would set.
    pub new_opens_at: Option<Timestamp>,
    /// The clarification may affect how bids are prepared.
    pub affects_bid: bool,
    /// The hold it would place or release.
    pub hold: Option<HoldKind>,
    /// Why.
    pub reason: Option<String>,
    /// Why the lot would be unsuccessful.
    pub cause: Option<FailureCause>,
    /// How many deficiencies the returned registration lists.
    pub deficiencies: u32,
    /// The rank that would be awarded to.
    pub rank: Option<u32>,
    /// Why not to rank 1.
    pub fallback: Option<FallbackCause>,
}

impl Request {
    /// A request for `event` that says nothing more.
    pub fn of(event: Event) -> Self {
        Self {
            event,
            new_deadline_at: None,
            new_opens_at: None,
            affects_bid: false,
            hold: None,
            reason: None,
            cause: None,
            deficiencies: 0,
            rank: None,
            fallback: None,
        }
    }
}
