//! The machine of a ceremony in which custodians make a key.
//!
//! Promise: nobody skips a step, speaks twice or speaks late; a key comes out only where all have accepted; whoever is named
//! ends the ceremony. Deliberately not here: the cryptography, and whether a message is right (`seal::ceremony`).

use crate::kernel::id::OrgId;
use crate::kernel::role::Actor;
use crate::kernel::text::Phrase;
use crate::rules::catalogue::{PF_03, PF_04, RuleId};
use crate::rules::names::named;
use crate::rules::refusal::{Finding, Obstacle, Refusal, Retry};
use crate::rules::table::By::{Centre, Custodian, Initiator, System};
use crate::rules::table::Next::{Stay, To};
use crate::rules::table::{self, Check, Guard, Machine, Reads, Table, row};

named! {
    /// Where a ceremony stands: what its members send next.
    pub enum CeremonyState {
        /// There is none yet.
        Drafted = "drafted", "已起草", "drafted";
        /// Commitments.
        Commit = "commit", "承诺", "commitments";
        /// Polynomials.
        Round1 = "round1", "第一轮", "round 1";
        /// Dealt values.
        Round2 = "round2", "第二轮", "round 2";
        /// Acceptance by all.
        Accept = "accept", "确认", "acceptance";
        /// The key stands; its members rehearse.
        Active = "active", "已生效", "active";
        /// It ended without a key.
        Aborted = "aborted", "已中止", "aborted";
        /// Its time ran out.
        Expired = "expired", "已过期", "expired";
    }
}

named! {
    /// What can happen in a ceremony.
    pub enum CeremonyEvent {
        /// It begins.
        Begin = "begin", "开始", "begin";
        /// A member commits.
        Commit = "commit", "承诺", "commit";
        /// A member shows its polynomials.
        Round1 = "round1", "提交第一轮消息", "send round 1";
        /// A member deals values.
        Round2 = "round2", "提交第二轮消息", "send round 2";
        /// A member accepts.
        Accept = "accept", "确认", "accept";
        /// All have sent what the step asks for.
        Advance = "advance", "进入下一步", "go to the next step";
        /// A member complains about a dealt value, or accepts something else than the others.
        Complain = "complain", "投诉", "complain";
        /// A member shows that its share works.
        Rehearse = "rehearse", "演练", "rehearse";
        /// It is given up.
        Abandon = "abandon", "放弃", "give up";
        /// Its time runs out.
        Expire = "expire", "过期", "expire";
    }
}

named! {
    /// What follows.
    pub enum CeremonyEffect {
        /// The key sets are published.
        PublishKeySets = "publish_key_sets", "公布公钥组", "publish the key sets";
        /// Somebody is named.
        NameCulprit = "name_culprit", "指明责任人", "name who is at fault";
    }
}

/// Everything the guards may ask about.
#[derive(Debug, Clone)]
pub struct CeremonyFacts {
    /// The state.
    pub state: CeremonyState,
    /// Who holds the tender.
    pub initiator: OrgId,
    /// Whoever speaks is a member, and the one it says.
    pub is_member: bool,
    /// The member has not spoken in this step.
    pub first_word: bool,
    /// There is time left.
    pub in_time: bool,
    /// All members have spoken in this step.
    pub complete: bool,
    /// The lot is not published yet, and bids are to be sealed to custodians.
    pub is_wanted: bool,
    /// No other ceremony of the lot is being held or has its key.
    pub is_only: bool,
    /// A reason is given.
    pub reason_given: bool,
}

/// What a guard is asked about.
pub struct CeremonyCase<'a> {
    /// The facts.
    pub facts: &'a CeremonyFacts,
    /// Who asks.
    pub actor: &'a Actor,
}

/// The machine.
#[derive(Debug)]
pub struct Ceremony;

impl Machine for Ceremony {
    type State = CeremonyState;
    type Event = CeremonyEvent;
    type Case<'a> = CeremonyCase<'a>;
    type Effect = CeremonyEffect;
    const SUBJECT: Phrase = Phrase::new("密钥生成仪式", "ceremony");

    fn parties<'a>(case: &'a CeremonyCase<'_>) -> (&'a Actor, &'a OrgId) {
        (case.actor, &case.facts.initiator)
    }
}

const fn guard(
    name: &'static str,
    code: &'static str,
    rule: RuleId,
    obstacle: Obstacle,
    says: Phrase,
    check: for<'a, 'b> fn(&'a CeremonyCase<'b>) -> Check,
) -> Guard<Ceremony> {
    Guard { name, code, rule, says, reads: Reads::Facts, obstacle, retry: Retry::AfterChange, check }
}

fn require(holds: bool, detail: Phrase, hint: Phrase) -> Check {
    if holds { Ok(()) } else { Err(Finding::fixed(detail, hint)) }
}

const WANTED: &Guard<Ceremony> = &guard(
    "custodians_wanted",
    "ceremony-not-wanted",
    PF_04,
    Obstacle::State,
    Phrase::new("标段未发布且采用保管人密钥", "the lot is not published and its bids are to be sealed to custodians"),
    |case| {
        require(
            case.facts.is_wanted,
            Phrase::new(
                "标段已发布,或其密钥方式不使用保管人。",
                "The lot is published already, or its key mode needs no custodians.",
            ),
            Phrase::new(
                "请在发布前把 key_mode 设为 custodians 或 dual。",
                "Set key_mode to custodians or dual before the lot is published.",
            ),
        )
    },
);

const ONLY: &Guard<Ceremony> = &guard(
    "only_ceremony",
    "ceremony-exists",
    PF_04,
    Obstacle::State,
    Phrase::new("标段没有其他进行中或已生效的仪式", "the lot has no other ceremony under way or with a key"),
    |case| {
        require(
            case.facts.is_only,
            Phrase::new("该标段已有进行中或已生效的仪式。", "The lot has a ceremony under way, or with a key."),
            Phrase::new("请先放弃原仪式。", "Give the other one up first."),
        )
    },
);

const MEMBER: &Guard<Ceremony> = &guard(
    "is_member",
    "not-a-member",
    PF_04,
    Obstacle::Authority,
    Phrase::new("发言人是该仪式的成员", "whoever speaks is that member of the ceremony"),
    |case| {
        require(
            case.facts.is_member,
            Phrase::new("您不是该消息所称的成员。", "You are not the member that the message names."),
            Phrase::new("请核对仪式编号和成员序号。", "Check the ceremony and the member's index."),
        )
    },
);

const IN_TIME: &Guard<Ceremony> = &guard(
    "ceremony_in_time",
    "ceremony-expired",
    PF_04,
    Obstacle::State,
    Phrase::new("仪式未过期", "the ceremony's time has not run out"),
    |case| {
        require(
            case.facts.in_time,
            Phrase::new("仪式已过期。", "The ceremony's time has run out."),
            Phrase::new("请项目单位重新发起。", "The initiator has to begin a new one."),
        )
    },
);

const FIRST_WORD: &Guard<Ceremony> = &guard(
    "first_word",
    "ceremony-message-differs",
    PF_04,
    Obstacle::State,
    Phrase::new("本步骤尚未发言", "the member has not spoken in this step"),
    |case| {
        require(
            case.facts.first_word,
            Phrase::new(
                "您在本步骤已提交另一条消息;两条消息都有您的签名。",
                "You have sent another message in this step; both bear your signature.",
            ),
            Phrase::new("请重发原消息。", "Send the first one again; a custodian's tool keeps it."),
        )
    },
);

const COMPLETE: &Guard<Ceremony> = &guard(
    "step_complete",
    "ceremony-incomplete",
    PF_04,
    Obstacle::State,
    Phrase::new("全体成员已发言", "all members have spoken in this step"),
    |case| {
        require(
            case.facts.complete,
            Phrase::new("尚有成员未发言。", "A member has not spoken yet."),
            Phrase::new("请等待。", "Wait for it."),
        )
    },
);

const OVERDUE: &Guard<Ceremony> = &guard(
    "ceremony_overdue",
    "ceremony-in-time",
    PF_04,
    Obstacle::State,
    Phrase::new("仪式期限已过", "the ceremony's time has run out"),
    |case| {
        require(
            !case.facts.in_time,
            Phrase::new("仪式尚未过期。", "The ceremony still has time."),
            Phrase::new("无需处理。", "Nothing has to be done."),
        )
    },
);

const REASON: &Guard<Ceremony> = &guard(
    "reason_given",
    "reason-missing",
    PF_03,
    Obstacle::Content,
    Phrase::new("已说明理由", "a reason is given"),
    |case| {
        require(
            case.facts.reason_given,
            Phrase::new("未说明理由。", "No reason is given."),
            Phrase::new("请说明理由。", "Give a reason."),
        )
    },
);

use CeremonyEffect::{NameCulprit, PublishKeySets};
use CeremonyState::{Aborted, Accept, Active, Commit, Drafted, Expired, Round1, Round2};

/// States in which its members are at work.
pub const RUNNING: &[CeremonyState] = &[Commit, Round1, Round2, Accept];

const SPOKEN: &[&Guard<Ceremony>] = &[MEMBER, IN_TIME, FIRST_WORD];

/// The table.
pub static CEREMONY_TABLE: Table<Ceremony> = &[
    row(&[Drafted], CeremonyEvent::Begin, To(Commit), &[Initiator], &[WANTED, ONLY], &[]),
    row(&[Commit], CeremonyEvent::Commit, Stay, &[Custodian], SPOKEN, &[]),
    row(&[Commit], CeremonyEvent::Advance, To(Round1), &[System], &[COMPLETE], &[]),
    row(&[Round1], CeremonyEvent::Round1, Stay, &[Custodian], SPOKEN, &[]),
    row(&[Round1], CeremonyEvent::Advance, To(Round2), &[System], &[COMPLETE], &[]),
    row(&[Round2], CeremonyEvent::Round2, Stay, &[Custodian], SPOKEN, &[]),
    row(&[Round2], CeremonyEvent::Advance, To(Accept), &[System], &[COMPLETE], &[]),
    row(&[Accept], CeremonyEvent::Accept, Stay, &[Custodian], SPOKEN, &[]),
    row(&[Accept], CeremonyEvent::Advance, To(Active), &[System], &[COMPLETE], &[PublishKeySets]),
    row(&[Accept], CeremonyEvent::Complain, To(Aborted), &[Custodian], SPOKEN, &[NameCulprit]),
    row(&[Active], CeremonyEvent::Rehearse, Stay, &[Custodian], &[MEMBER, FIRST_WORD], &[]),
    row(RUNNING, CeremonyEvent::Abandon, To(Aborted), &[Initiator, Centre], &[REASON], &[]),
    row(RUNNING, CeremonyEvent::Expire, To(Expired), &[System], &[OVERDUE], &[]),
];

/// Decides whether `event` may happen in a ceremony, and what state follows.
///
/// # Errors
/// The refusal of the first obstacle.
pub fn step(facts: &CeremonyFacts, event: CeremonyEvent, actor: &Actor) -> Result<CeremonyState, Refusal> {
    let case = CeremonyCase { facts, actor };
    let row = table::find(CEREMONY_TABLE, facts.state, event, &case)?;
    table::ask_all(row, &case)?;
    Ok(table::target(row, facts.state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::id::UserId;
    use crate::kernel::role::Role;
    use crate::kernel::time::Timestamp;

    fn actor(role: Role) -> (Actor, OrgId) {
        let at = Timestamp::from_millis(0);
        let org = OrgId::ordered(at);
        let user_id = UserId::ordered(at).into();
        (Actor::User { user_id, org_id: org.clone(), roles: vec![role] }, org)
    }

    fn facts(state: CeremonyState, initiator: &OrgId) -> CeremonyFacts {
        CeremonyFacts {
            state,
            initiator: initiator.clone(),
            is_member: true,
            first_word: true,
            in_time: true,
            complete: true,
            is_wanted: true,
            is_only: true,
            reason_given: true,
        }
    }

    #[test]
    fn a_ceremony_goes_step_by_step_and_no_step_is_skipped() {
        let (custodian, org) = actor(Role::Custodian);
        let words = [CeremonyEvent::Commit, CeremonyEvent::Round1, CeremonyEvent::Round2, CeremonyEvent::Accept];
        for (at, state) in RUNNING.iter().enumerate() {
            for (said, word) in words.iter().enumerate() {
                let result = step(&facts(*state, &org), *word, &custodian);
                assert_eq!(result.is_ok(), at == said, "{state:?} {word:?}");
            }
            let next = step(&facts(*state, &org), CeremonyEvent::Advance, &Actor::System).expect("complete");
            assert_eq!(Some(&next), RUNNING.get(at + 1).or(Some(&Active)));
            let incomplete = CeremonyFacts { complete: false, ..facts(*state, &org) };
            assert!(step(&incomplete, CeremonyEvent::Advance, &Actor::System).is_err());
        }
    }

    #[test]
    fn nobody_speaks_for_another_twice_or_late_and_nothing_moves_once_it_ended() {
        let (custodian, org) = actor(Role::Custodian);
        let refused = |facts: CeremonyFacts| step(&facts, CeremonyEvent::Commit, &custodian).expect_err("refused").code;
        let good = || facts(Commit, &org);
        assert_eq!(refused(CeremonyFacts { is_member: false, ..good() }), "not-a-member");
        assert_eq!(refused(CeremonyFacts { first_word: false, ..good() }), "ceremony-message-differs");
        assert_eq!(refused(CeremonyFacts { in_time: false, ..good() }), "ceremony-expired");
        for ended in [Aborted, Expired] {
            for event in CeremonyEvent::ALL {
                for actor in [&custodian, &Actor::System] {
                    assert!(step(&facts(ended, &org), *event, actor).is_err(), "{ended:?} {event:?}");
                }
            }
        }
    }

    #[test]
    fn only_its_initiator_begins_one_and_with_a_reason_gives_it_up() {
        let ((initiator, org), (other, _)) = (actor(Role::Initiator), actor(Role::Initiator));
        assert!(step(&facts(Drafted, &org), CeremonyEvent::Begin, &initiator).is_ok());
        assert!(step(&facts(Drafted, &org), CeremonyEvent::Begin, &other).is_err());
        let second = CeremonyFacts { is_only: false, ..facts(Drafted, &org) };
        assert_eq!(step(&second, CeremonyEvent::Begin, &initiator).expect_err("refused").code, "ceremony-exists");
        let silent = CeremonyFacts { reason_given: false, ..facts(Round1, &org) };
        assert_eq!(step(&silent, CeremonyEvent::Abandon, &initiator).expect_err("refused").code, "reason-missing");
    }
}
