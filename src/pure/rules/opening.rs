//! The machine of an opening session, and the permit without which nothing is unsealed.
//!
//! Promise: bids are unsealed in the state `opening` of a lot and in no other; every outcome is stored before any is
//! shown; the read-out reveals the whole box at once; a session does not close over an unanswered objection (ENG-18).
//! Deliberately not here: the cryptography (`seal`).

use crate::kernel::id::OrgId;
use crate::kernel::role::Actor;
use crate::kernel::text::{Bilingual, Phrase};
use crate::rules::bid::BidEvent;
use crate::rules::catalogue::{EB_02, EB_05, ENG_18, PF_03, PF_14, RuleId};
use crate::rules::machine::State;
use crate::rules::names::named;
use crate::rules::refusal::{Finding, Obstacle, Refusal, Retry};
use crate::rules::table::By::{Bidder, Centre, Initiator, System};
use crate::rules::table::Next::{Stay, To};
use crate::rules::table::{self, Check, Guard, Machine, Reads, Row, Table, row};

/// Whoever holds one may unseal: the only way to get it is a lot that is being opened.
#[derive(Debug)]
pub struct OpeningPermit {
    _only_by_grant: (),
}

impl OpeningPermit {
    /// Gives the permit for a lot in the state `opening`.
    ///
    /// # Errors
    /// EB-02 for every other state.
    pub fn grant(lot_state: State) -> Result<Self, Refusal> {
        if lot_state == State::Opening {
            return Ok(Self { _only_by_grant: () });
        }
        let title = lot_state.title();
        Err(Finding::new(
            Bilingual::new(
                format!("标段当前为“{}”，不得解密。", title.zh),
                format!("The lot is {}; nothing is unsealed.", title.en),
            ),
            Bilingual::new("开标开始后方可解密。", "Unsealing is possible once the opening began."),
        )
        .refuse("not-opening", Obstacle::State, EB_02, Retry::SameRequest))
    }
}

named! {
    /// Where an opening session stands.
    pub enum SessionState {
        /// There is none yet.
        NotBegun = "not_begun", "未开始", "not begun";
        /// Outcomes are being stored.
        Unsealing = "unsealing", "解密中", "unsealing";
        /// All outcomes are stored; failed ones are attributed to a cause.
        Reading = "reading", "待唱标", "ready to read out";
        /// The box was read out; objections are raised and answered.
        ReadOut = "read_out", "已唱标", "read out";
        /// The record is confirmed.
        Confirmed = "confirmed", "开标记录已确认", "record confirmed";
        /// Closed.
        Closed = "closed", "已结束", "closed";
    }
}

named! {
    /// What can happen in an opening session.
    pub enum SessionEvent {
        /// The session begins.
        Begin = "begin", "开始", "begin";
        /// Every bid of the box has a stored outcome.
        FinishUnsealing = "finish_unsealing", "完成解密", "finish unsealing";
        /// The centre states that shares which are missing will not come.
        GiveUpShares = "give_up_shares", "认定无法解密", "give missing shares up";
        /// A person attributes a failed outcome to a cause.
        Attribute = "attribute", "认定未解密原因", "attribute a failure";
        /// The whole box is read out.
        ReadOut = "read_out", "唱标", "read out";
        /// A bidder objects.
        Object = "object", "提出异议", "object";
        /// The initiator answers.
        Answer = "answer", "答复异议", "answer";
        /// The initiator confirms the record.
        Confirm = "confirm", "确认开标记录", "confirm the record";
        /// The session closes.
        Close = "close", "结束", "close";
    }
}

named! {
    /// What follows a transition of a session.
    pub enum SessionEffect {
        /// Every outcome is revealed, the reserve price after the bids, in one transition.
        RevealBox = "reveal_box", "一次公布全部结果", "reveal the whole box";
        /// The act goes into the minutes.
        Minute = "minute", "记入开标记录", "enter in the minutes";
        /// The lot's opening is finished.
        FinishOpening = "finish_opening", "结束标段开标", "finish the lot's opening";
    }
}

named! {
    /// Through whose fault a bid could not be unsealed (EB-05); decided by a person with a reason.
    pub enum UndecryptedCause {
        /// The bidder's.
        Bidder = "bidder", "投标人原因", "the bidder";
        /// The platform's.
        Platform = "platform", "平台原因", "the platform";
        /// The initiator's.
        Initiator = "initiator", "招标人原因", "the initiator";
        /// Somebody else's.
        ThirdParty = "third_party", "第三方原因", "a third party";
    }
}

impl UndecryptedCause {
    /// What the bid then is deemed to be: revoked through the bidder's fault, withdrawn through anybody else's (EB-05).
    pub const fn consequence(self) -> BidEvent {
        match self {
            Self::Bidder => BidEvent::DeemRevoked,
            Self::Platform | Self::Initiator | Self::ThirdParty => BidEvent::DeemWithdrawn,
        }
    }
}

/// Everything the guards of a session may ask about.
#[derive(Debug, Clone)]
pub struct SessionFacts {
    /// The session's state.
    pub state: SessionState,
    /// The lot's state.
    pub lot_state: State,
    /// The lot's initiator.
    pub initiator: OrgId,
    /// Bids of the box (and the reserve price) without a stored outcome.
    pub outcomes_missing: u32,
    /// Failed outcomes that nobody attributed to a cause yet.
    pub failures_unattributed: u32,
    /// Objections without an answer.
    pub objections_unanswered: u32,
    /// Bids wait for shares of custodians or bidders, and nobody has given them up.
    pub shares_awaited: bool,
    /// The act says why; for an attribution or an answer.
    pub reason_given: bool,
    /// Whoever asks has a bid in the box.
    pub has_bid_in_box: bool,
}

/// What a guard of a session is asked about.
pub struct SessionCase<'a> {
    /// The facts.
    pub facts: &'a SessionFacts,
    /// Who asks.
    pub actor: &'a Actor,
}

/// The machine of an opening session.
#[derive(Debug)]
pub struct Session;

impl Machine for Session {
    type State = SessionState;
    type Event = SessionEvent;
    type Case<'a> = SessionCase<'a>;
    type Effect = SessionEffect;
    const SUBJECT: Phrase = Phrase::new("开标会", "opening session");

    fn parties<'a>(case: &'a SessionCase<'_>) -> (&'a Actor, &'a OrgId) {
        (case.actor, &case.facts.initiator)
    }
}

const fn guard(
    name: &'static str,
    code: &'static str,
    rule: RuleId,
    says: Phrase,
    check: for<'a, 'b> fn(&'a SessionCase<'b>) -> Check,
) -> Guard<Session> {
    Guard { name, code, rule, says, reads: Reads::Facts, obstacle: Obstacle::State, retry: Retry::AfterChange, check }
}

fn require(holds: bool, detail: Phrase, hint: Phrase) -> Check {
    if holds { Ok(()) } else { Err(Finding::fixed(detail, hint)) }
}

const LOT_OPENING: &Guard<Session> = &guard(
    "lot_is_being_opened",
    "not-opening",
    EB_02,
    Phrase::new("标段正在开标", "the lot is being opened"),
    |case| {
        OpeningPermit::grant(case.facts.lot_state)
            .map(drop)
            .map_err(|refusal| Finding::new(refusal.detail, refusal.hint))
    },
);

const ALL_OUTCOMES_STORED: &Guard<Session> = &guard(
    "all_outcomes_stored",
    "outcomes-missing",
    PF_14,
    Phrase::new("每份投标的解密结果均已保存", "every bid of the box has a stored outcome"),
    |case| {
        require(
            case.facts.outcomes_missing == 0,
            Phrase::new("尚有投标没有解密结果。", "A bid of the box has no stored outcome yet."),
            Phrase::new("请等待解密完成。", "Wait until every bid was tried."),
        )
    },
);

const FAILURES_ATTRIBUTED: &Guard<Session> = &guard(
    "failures_attributed",
    "failures-unattributed",
    EB_05,
    Phrase::new("未解密的投标均已由人员认定原因", "every failure is attributed to a cause by a person"),
    |case| {
        require(
            case.facts.failures_unattributed == 0,
            Phrase::new("尚有未解密的投标没有认定原因。", "A failure has no cause yet."),
            Phrase::new("请认定原因并说明理由。", "Attribute it, with a reason."),
        )
    },
);

const REASON_GIVEN: &Guard<Session> = &Guard {
    // What is missing is in the request, not in the session: the same kind of obstacle as in a lot's machine.
    obstacle: Obstacle::Content,
    ..guard("reason_given", "reason-missing", PF_03, Phrase::new("已说明理由", "a reason is given"), |case| {
        require(
            case.facts.reason_given,
            Phrase::new("未说明理由。", "No reason is given."),
            Phrase::new("请说明理由。", "Give a reason."),
        )
    })
};

const SHARES_AWAITED: &Guard<Session> = &guard(
    "shares_awaited",
    "no-shares-awaited",
    EB_05,
    Phrase::new("有投标因缺少解密份额未能开启", "bids wait for shares of keys"),
    |case| {
        require(
            case.facts.shares_awaited,
            Phrase::new("没有等待解密份额的投标。", "No bid waits for a share of a key."),
            Phrase::new("无需认定。", "Nothing has to be given up."),
        )
    },
);

const OBJECTOR_BID: &Guard<Session> = &guard(
    "objector_has_a_bid",
    "objector-without-bid",
    ENG_18,
    Phrase::new("异议人有投标在箱内", "whoever objects has a bid in the box"),
    |case| {
        require(
            case.facts.has_bid_in_box,
            Phrase::new("只有投标人可以对开标提出异议。", "Only who bid can object to the opening."),
            Phrase::new("请通过投诉渠道反映。", "Use the channel for complaints."),
        )
    },
);

const SOMETHING_TO_ANSWER: &Guard<Session> = &guard(
    "something_to_answer",
    "nothing-to-answer",
    ENG_18,
    Phrase::new("有待答复的异议", "an objection waits for its answer"),
    |case| {
        require(
            case.facts.objections_unanswered > 0,
            Phrase::new("没有待答复的异议。", "No objection waits for an answer."),
            Phrase::new("无需答复。", "Nothing has to be done."),
        )
    },
);

const OBJECTIONS_ANSWERED: &Guard<Session> = &guard(
    "objections_answered_in_session",
    "objections-open",
    ENG_18,
    Phrase::new("现场异议均已当场答复", "every objection raised is answered in the session"),
    |case| {
        require(
            case.facts.objections_unanswered == 0,
            Phrase::new(
                "尚有现场异议未答复；ENG-18要求当场答复并记录。",
                "An objection has no answer; ENG-18 needs it in the session, minuted.",
            ),
            Phrase::new("请先答复。", "Answer it first."),
        )
    },
);

use SessionEffect::{FinishOpening, Minute, RevealBox};
use SessionState::{Closed, Confirmed, NotBegun, ReadOut, Reading, Unsealing};

/// The table of an opening session.
pub static SESSION_TABLE: Table<Session> = SESSION_ROWS;

const SESSION_ROWS: &[Row<Session>] = &[
    row(&[NotBegun], SessionEvent::Begin, To(Unsealing), &[System], &[LOT_OPENING], &[Minute]),
    row(
        &[Unsealing],
        SessionEvent::FinishUnsealing,
        To(Reading),
        &[System],
        &[LOT_OPENING, ALL_OUTCOMES_STORED],
        &[Minute],
    ),
    row(
        &[Unsealing],
        SessionEvent::GiveUpShares,
        Stay,
        &[Centre],
        &[LOT_OPENING, SHARES_AWAITED, REASON_GIVEN],
        &[Minute],
    ),
    row(&[Reading], SessionEvent::Attribute, Stay, &[Initiator], &[LOT_OPENING, REASON_GIVEN], &[Minute]),
    row(
        &[Reading],
        SessionEvent::ReadOut,
        To(ReadOut),
        &[Initiator, Centre],
        &[LOT_OPENING, ALL_OUTCOMES_STORED, FAILURES_ATTRIBUTED],
        &[RevealBox, Minute],
    ),
    row(&[ReadOut, Confirmed], SessionEvent::Object, Stay, &[Bidder], &[OBJECTOR_BID], &[Minute]),
    row(
        &[ReadOut, Confirmed],
        SessionEvent::Answer,
        Stay,
        &[Initiator],
        &[SOMETHING_TO_ANSWER, REASON_GIVEN],
        &[Minute],
    ),
    row(&[ReadOut], SessionEvent::Confirm, To(Confirmed), &[Initiator], &[OBJECTIONS_ANSWERED], &[Minute]),
    row(&[Confirmed], SessionEvent::Close, To(Closed), &[Initiator, Centre], &[OBJECTIONS_ANSWERED], &[FinishOpening]),
];

/// Decides whether `event` may happen in a session, and what state follows.
///
/// # Errors
/// The refusal of the first obstacle.
pub fn step_session(facts: &SessionFacts, event: SessionEvent, actor: &Actor) -> Result<SessionState, Refusal> {
    let case = SessionCase { facts, actor };
    let row = table::find(SESSION_TABLE, facts.state, event, &case)?;
    table::ask_all(row, &case)?;
    Ok(table::target(row, facts.state))
}
