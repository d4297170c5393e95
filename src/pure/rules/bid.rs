//! The machine of a bid: one per bidder and lot, its versions are its history.
//!
//! Promise: in time is `received_at < deadline`, strictly, by the server's clock when the last byte of the header is
//! in; the same function decides admission for every edition, and what differs (withdrawal) is the edition's column.
//! A hold never stops a bid. Deliberately not here: whether the envelope is well formed (`seal`), and contents.

use crate::kernel::digest::Digest;
use crate::kernel::id::OrgId;
use crate::kernel::role::Actor;
use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::Timestamp;
use crate::rules::catalogue::{EB_02, ENG_14, LD_02, LD_13, PF_01, PF_10, PF_11, PF_14, RuleId};
use crate::rules::editions::{Edition, Withdrawal};
use crate::rules::machine::State;
use crate::rules::names::named;
use crate::rules::refusal::{Finding, Obstacle, Refusal, Retry};
use crate::rules::table::By::{Bidder, System};
use crate::rules::table::Next::{Stay, To};
use crate::rules::table::{self, Check, Guard, Machine, Reads, Row, Table, row};

named! {
    /// Where a bid stands.
    pub enum BidState {
        /// There is none.
        None = "none", "无", "none";
        /// In the box.
        Submitted = "submitted", "已提交", "submitted";
        /// Taken back before the deadline.
        Withdrawn = "withdrawn", "已撤回", "withdrawn";
        /// Unsealed and read out.
        Opened = "opened", "已开启", "opened";
        /// Passed the first of two envelopes; its price is to be opened.
        Qualified = "qualified", "通过第一信封评审", "passed the first envelope";
        /// Could not be unsealed through the bidder's fault: deemed revoked.
        UndecryptedRevoked = "undecrypted_revoked", "未解密（视为撤销）", "undecrypted, deemed revoked";
        /// Could not be unsealed through others' fault: deemed withdrawn.
        UndecryptedWithdrawn = "undecrypted_withdrawn", "未解密（视为撤回）", "undecrypted, deemed withdrawn";
    }
}

impl BidState {
    /// Those in which something of a bid lies in the box still to be opened.
    pub const IN_BOX: [Self; 2] = [Self::Submitted, Self::Qualified];
}

named! {
    /// What can happen to a bid.
    pub enum BidEvent {
        /// The first header, or the first after a withdrawal.
        Submit = "submit", "提交", "submit";
        /// A later header; the last complete one counts.
        Replace = "replace", "修改（替换）", "replace";
        /// The bidder takes it back.
        Withdraw = "withdraw", "撤回", "withdraw";
        /// A new header over the same payload says that the bid stands although the documents were clarified.
        Confirm = "confirm", "确认", "confirm";
        /// It is read out.
        Open = "open", "开启", "open";
        /// It passed the first envelope: its second is to be opened.
        Qualify = "qualify", "通过第一信封评审", "pass the first envelope";
        /// It is deemed revoked.
        DeemRevoked = "deem_revoked", "视为撤销", "deem revoked";
        /// It is deemed withdrawn.
        DeemWithdrawn = "deem_withdrawn", "视为撤回", "deem withdrawn";
    }
}

impl BidEvent {
    /// Whether it happens in an opening, by the system, and not by the bidder.
    pub const fn is_of_the_opening(self) -> bool {
        matches!(self, Self::Open | Self::Qualify | Self::DeemRevoked | Self::DeemWithdrawn)
    }
}

named! {
    /// What follows a transition of a bid.
    pub enum BidEffect {
        /// The bidder gets a signed receipt.
        Receipt = "receipt", "签发回执", "issue a signed receipt";
        /// The version before is kept as withdrawn.
        KeepEarlier = "keep_earlier", "原版本留存", "keep the earlier version";
        /// The deposit may be forfeited as the documents say.
        SecurityMayBeForfeit = "security_may_be_forfeit", "保证金可不予退还", "the security may be forfeit";
        /// The bidder may claim its direct loss from whoever caused it.
        ClaimForLoss = "claim_for_loss", "可要求赔偿直接损失", "a claim for direct loss";
    }
}

/// Everything the guards of a bid may ask about.
#[derive(Debug, Clone)]
pub struct BidFacts {
    /// The bid's state.
    pub state: BidState,
    /// The lot's state.
    pub lot_state: State,
    /// The lot's initiator.
    pub initiator: OrgId,
    /// The server's clock when the last byte of the header was in.
    pub received_at: Timestamp,
    /// Bids are accepted from; from the notice where nothing is said.
    pub bidding_opens_at: Option<Timestamp>,
    /// Bids are accepted before.
    pub deadline_at: Timestamp,
    /// The revision of the documents that the header names.
    pub named_revision: Digest,
    /// The revision in force.
    pub current_revision: Digest,
    /// The centre confirmed the bidder's identity.
    pub organisation_confirmed: bool,
    /// The notice allows replacement and withdrawal although the edition does not.
    pub withdrawal_allowed: bool,
    /// The header is over the payload of the version in force (salt, root and length are the same).
    pub same_payload: bool,
}

/// What a guard of a bid is asked about.
pub struct BidCase<'a> {
    /// The lot's edition.
    pub edition: &'static Edition,
    /// The facts.
    pub facts: &'a BidFacts,
    /// Who asks.
    pub actor: &'a Actor,
}

/// The machine of a bid.
#[derive(Debug)]
pub struct Bid;

impl Machine for Bid {
    type State = BidState;
    type Event = BidEvent;
    type Case<'a> = BidCase<'a>;
    type Effect = BidEffect;
    const SUBJECT: Phrase = Phrase::new("投标", "bid");

    fn parties<'a>(case: &'a BidCase<'_>) -> (&'a Actor, &'a OrgId) {
        (case.actor, &case.facts.initiator)
    }
}

const fn guard(
    name: &'static str,
    code: &'static str,
    rule: RuleId,
    retry: Retry,
    says: Phrase,
    check: for<'a, 'b> fn(&'a BidCase<'b>) -> Check,
) -> Guard<Bid> {
    Guard { name, code, rule, says, reads: Reads::Facts, obstacle: Obstacle::State, retry, check }
}

const fn in_time_by(rule: RuleId) -> Guard<Bid> {
    guard(
        "received_before_the_deadline",
        "bid-late",
        rule,
        Retry::Never,
        Phrase::new("截止时间之前全部到达", "the last byte was received before the deadline"),
        in_time,
    )
}

/// EB-02: an upload that is not finished before the deadline is no bid.
const IN_TIME: &Guard<Bid> = &in_time_by(ENG_14);
/// EB-02: nor can a bid be taken back afterwards.
const ACT_IN_TIME: &Guard<Bid> = &in_time_by(EB_02);

fn in_time(case: &BidCase<'_>) -> Check {
    let (at, end) = (case.facts.received_at, case.facts.deadline_at);
    if at < end {
        return Ok(());
    }
    Err(Finding::new(
        Bilingual::new(
            format!("收到时间{}，截止时间{}；须在截止之前。", at.local(), end.local()),
            format!("Received at {}, the deadline was {}; it has to be before.", at.local(), end.local()),
        ),
        Bilingual::new("逾期的拒收，并留存拒收记录。", "A late one is refused, and the refusal is on record."),
    ))
}

const LOT_NOTICED: &Guard<Bid> = &guard(
    "lot_accepts_bids",
    "bidding-not-open",
    PF_01,
    Retry::Never,
    Phrase::new("标段处于公告及投标阶段", "the lot accepts bids"),
    |case| {
        let title = case.facts.lot_state.title();
        if case.facts.lot_state == State::Noticed {
            return Ok(());
        }
        Err(Finding::new(
            Bilingual::new(
                format!("标段当前为“{}”，不接收投标。", title.zh),
                format!("The lot is {}; it accepts no bids.", title.en),
            ),
            Bilingual::new("只有公告及投标阶段接收投标。", "Bids are accepted while the lot is noticed."),
        ))
    },
);

const BIDDING_OPEN: &Guard<Bid> = &guard(
    "bidding_has_begun",
    "bidding-not-begun",
    LD_02,
    Retry::SameRequest,
    Phrase::new("已到投标开始时间", "the start of bidding is reached"),
    |case| match case.facts.bidding_opens_at {
        Some(start) if case.facts.received_at < start => Err(Finding::new(
            Bilingual::new(format!("投标自{}开始。", start.local()), format!("Bidding begins at {}.", start.local())),
            Bilingual::new("请在开始后提交。", "Submit it then."),
        )
        .possible_from(start)),
        _ => Ok(()),
    },
);

const REVISION_CURRENT: &Guard<Bid> = &guard(
    "document_revision_current",
    "document-revision-stale",
    PF_10,
    Retry::AfterChange,
    Phrase::new("投标所依据的文件为最新版本", "the header names the current revision of the documents"),
    |case| {
        let (named, current) = (case.facts.named_revision, case.facts.current_revision);
        if named == current {
            return Ok(());
        }
        Err(Finding::new(
            Bilingual::new(
                format!("文件已更新：投标所列版本{named}，现行版本{current}。"),
                format!("The documents changed: the header names {named}, the current revision is {current}."),
            ),
            Bilingual::new(
                "请阅读最新澄清，以最新版本重新签署；已上传的密文可继续使用。",
                "Read the clarification and sign a header with the current revision; the uploaded payload can be used again.",
            ),
        ))
    },
);

const BIDDER_CONFIRMED: &Guard<Bid> = &guard(
    "organisation_confirmed",
    "organisation-not-confirmed",
    PF_11,
    Retry::AfterChange,
    Phrase::new("投标单位身份已确认", "the centre confirmed the bidder's identity"),
    |case| {
        if case.facts.organisation_confirmed {
            return Ok(());
        }
        Err(Finding::fixed(
            Phrase::new("投标单位的统一社会信用代码尚未确认。", "The organisation's identifier is not confirmed yet."),
            Phrase::new("请联系交易中心确认。", "Ask the centre to confirm it."),
        ))
    },
);

const NOT_THE_INITIATOR: &Guard<Bid> = &guard(
    "bidder_is_not_the_initiator",
    "initiator-may-not-bid",
    PF_11,
    Retry::Never,
    Phrase::new("投标人不是本项目单位", "the bidder is not the initiator itself"),
    |case| {
        if case.actor.org_id() != Some(&case.facts.initiator) {
            return Ok(());
        }
        Err(Finding::fixed(
            Phrase::new("项目单位不得参加自己项目的投标。", "The initiator may not bid on its own lot."),
            Phrase::new("无。", "There is no way."),
        ))
    },
);

/// LD-13: where a bid stands once it is in the box, only the notice can allow otherwise.
const TAKING_BACK_ALLOWED: &Guard<Bid> = &guard(
    "taking_back_allowed",
    "withdrawal-not-allowed",
    LD_13,
    Retry::Never,
    Phrase::new("本流程或公告允许修改、撤回", "the edition or the notice allows replacing and withdrawing"),
    |case| {
        if case.edition.withdrawal == Withdrawal::UntilDeadline || case.facts.withdrawal_allowed {
            return Ok(());
        }
        Err(Finding::fixed(
            Phrase::new(
                "标书投入标箱后，不可撤回；LD-13。",
                "Once in the box a bid stands; LD-13 allows neither replacement nor withdrawal.",
            ),
            Phrase::new("公告另有规定的除外，本公告没有。", "Only the notice could allow it, and it does not."),
        ))
    },
);

const SAME_PAYLOAD: &Guard<Bid> = &guard(
    "same_payload",
    "confirmation-changes-payload",
    PF_10,
    Retry::AfterChange,
    Phrase::new("确认不改变投标内容", "a confirmation is over the same payload"),
    |case| {
        if case.facts.same_payload {
            return Ok(());
        }
        Err(Finding::fixed(
            Phrase::new("确认所附的密文与原投标不同。", "The header is over another payload than the bid in force."),
            Phrase::new("要改变内容，请使用修改（替换）。", "Replace the bid to change its contents."),
        ))
    },
);

const OPENING_RUNS: &Guard<Bid> = &guard(
    "opening_runs",
    "opening-not-running",
    PF_14,
    Retry::SameRequest,
    Phrase::new("标段正在开标", "the lot is being opened"),
    |case| {
        if case.facts.lot_state == State::Opening {
            return Ok(());
        }
        Err(Finding::fixed(
            Phrase::new("标段不在开标阶段。", "The lot is not being opened."),
            Phrase::new("开标后进行。", "It happens in the opening."),
        ))
    },
);

use BidEffect::{ClaimForLoss, KeepEarlier, Receipt, SecurityMayBeForfeit};
use BidState::{Opened, Qualified, Submitted, UndecryptedRevoked, UndecryptedWithdrawn, Withdrawn};

/// The table of a bid.
pub static BID_TABLE: Table<Bid> = BID_ROWS;

const BID_ROWS: &[Row<Bid>] = &[
    row(
        &[BidState::None, Withdrawn],
        BidEvent::Submit,
        To(Submitted),
        &[Bidder],
        &[IN_TIME, LOT_NOTICED, BIDDING_OPEN, NOT_THE_INITIATOR, BIDDER_CONFIRMED, REVISION_CURRENT],
        &[Receipt],
    ),
    row(
        &[Submitted],
        BidEvent::Replace,
        Stay,
        &[Bidder],
        &[IN_TIME, LOT_NOTICED, TAKING_BACK_ALLOWED, BIDDER_CONFIRMED, REVISION_CURRENT],
        &[Receipt, KeepEarlier],
    ),
    row(
        &[Submitted],
        BidEvent::Confirm,
        Stay,
        &[Bidder],
        &[IN_TIME, LOT_NOTICED, SAME_PAYLOAD, REVISION_CURRENT],
        &[Receipt, KeepEarlier],
    ),
    row(
        &[Submitted],
        BidEvent::Withdraw,
        To(Withdrawn),
        &[Bidder],
        &[ACT_IN_TIME, LOT_NOTICED, TAKING_BACK_ALLOWED],
        &[Receipt],
    ),
    row(&[Opened], BidEvent::Qualify, To(Qualified), &[System], &[OPENING_RUNS], &[]),
    row(&[Submitted, Qualified], BidEvent::Open, To(Opened), &[System], &[OPENING_RUNS], &[]),
    row(
        &[Submitted, Qualified],
        BidEvent::DeemRevoked,
        To(UndecryptedRevoked),
        &[System],
        &[OPENING_RUNS],
        &[SecurityMayBeForfeit],
    ),
    row(
        &[Submitted, Qualified],
        BidEvent::DeemWithdrawn,
        To(UndecryptedWithdrawn),
        &[System],
        &[OPENING_RUNS],
        &[ClaimForLoss],
    ),
];

/// Decides whether `event` may happen to a bid, and what state follows.
///
/// # Errors
/// The refusal of the first obstacle.
pub fn step_bid(
    edition: &'static Edition,
    facts: &BidFacts,
    event: BidEvent,
    actor: &Actor,
) -> Result<BidState, Refusal> {
    let case = BidCase { edition, facts, actor };
    let row = table::find(BID_TABLE, facts.state, event, &case)?;
    table::ask_all(row, &case)?;
    Ok(table::target(row, facts.state))
}
