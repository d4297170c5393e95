//! Transition tables: rows that read as sentences of a rule book, and the one function that reads them.
//!
//! Promise: an act that no row allows is refused; guards are asked in the row's order and the first that fails speaks.
//! Invariant: a table is data; nothing outside it decides who may act or what state follows.
//! Deliberately not here: any particular machine (lots, bids and openings each bring their own).

use crate::kernel::id::OrgId;
use crate::kernel::role::{Actor, Role};
use crate::kernel::text::Bilingual;
use crate::kernel::text::Phrase;
use crate::rules::catalogue::{PF_01, PF_02, RuleId};
pub use crate::rules::names::Named;
use crate::rules::names::named;
use crate::rules::refusal::{Finding, Obstacle, Refusal, Retry};

named! {
    /// Who may act by a row.
    pub enum By {
        /// The platform, when a moment is reached.
        System = "system", "系统", "the system";
        /// The trading centre.
        Centre = "centre", "交易中心", "the centre";
        /// The organisation that started the procedure; of another lot's initiator it is not said.
        Initiator = "initiator", "项目单位", "the initiator";
        /// An organisation that bids.
        Bidder = "bidder", "投标人", "a bidder";
        /// An inspector.
        Inspector = "inspector", "监察人员", "an inspector";
        /// Somebody who keeps shares of keys.
        Custodian = "custodian", "密钥保管人", "a custodian";
    }
}

impl By {
    /// Whether `actor` is that party of the lot that `initiator` started.
    pub fn is(self, actor: &Actor, initiator: &OrgId) -> bool {
        match self {
            Self::System => *actor == Actor::System,
            Self::Centre => actor.has(Role::Centre),
            Self::Initiator => actor.has(Role::Initiator) && actor.org_id() == Some(initiator),
            Self::Bidder => actor.has(Role::Bidder),
            Self::Inspector => actor.has(Role::Inspector),
            Self::Custodian => actor.has(Role::Custodian),
        }
    }
}

/// A state machine: its states, its events, and what its guards may look at.
pub trait Machine: Sized + 'static {
    /// The states.
    type State: Named;
    /// The events.
    type Event: Named;
    /// What a guard is asked about.
    type Case<'a>;
    /// What follows a transition.
    type Effect: Named;
    /// What the machine moves, for people.
    const SUBJECT: Phrase;

    /// Who asks, and the initiator of the lot concerned.
    fn parties<'a>(case: &'a Self::Case<'_>) -> (&'a Actor, &'a OrgId);
}

/// The answer of a guard.
pub type Check = Result<(), Finding>;

/// What a guard looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Facts that are no secret.
    Facts,
    /// The proposed change itself: it can not be said in advance whether it will do.
    Request,
    /// Facts that are sealed before the closing: never evaluated for a person before it.
    Sealed,
}

/// A named condition that cites its rule.
pub struct Guard<M: Machine> {
    /// The condition's name.
    pub name: &'static str,
    /// The code of the refusal when it does not hold.
    pub code: &'static str,
    /// The rule it enforces.
    pub rule: RuleId,
    /// The condition in words.
    pub says: Phrase,
    /// What it looks at.
    pub reads: Reads,
    /// What kind of obstacle its failure is.
    pub obstacle: Obstacle,
    /// Whether to try again.
    pub retry: Retry,
    /// The condition.
    pub check: for<'a, 'b> fn(&'a M::Case<'b>) -> Check,
}

impl<M: Machine> Guard<M> {
    /// Asks the condition and turns a finding into the refusal it makes.
    pub fn ask(&self, case: &M::Case<'_>) -> Result<(), Refusal> {
        (self.check)(case).map_err(|finding| finding.refuse(self.code, self.obstacle, self.rule, self.retry))
    }
}

/// Where a row leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<S> {
    /// Into that state.
    To(S),
    /// Nowhere: something is recorded, the state stays.
    Stay,
}

/// One sentence of the rule book: from these states, on this event by these parties, when all of that holds, into that
/// state, and then this follows.
pub struct Row<M: Machine> {
    /// The states it starts from.
    pub from: &'static [M::State],
    /// The event.
    pub event: M::Event,
    /// Where it leads.
    pub to: Next<M::State>,
    /// Who may act.
    pub by: &'static [By],
    /// What must hold.
    pub when: &'static [&'static Guard<M>],
    /// What follows.
    pub then: &'static [M::Effect],
}

/// A transition table.
pub type Table<M> = &'static [Row<M>];

/// Writes a row in the order of the sentence.
pub const fn row<M: Machine>(
    from: &'static [M::State],
    event: M::Event,
    to: Next<M::State>,
    by: &'static [By],
    when: &'static [&'static Guard<M>],
    then: &'static [M::Effect],
) -> Row<M> {
    Row { from, event, to, by, when, then }
}

/// The row by which this caller may try `event` in `state`; guards are not asked yet.
pub fn find<M: Machine>(
    table: Table<M>,
    state: M::State,
    event: M::Event,
    case: &M::Case<'_>,
) -> Result<&'static Row<M>, Refusal> {
    let (actor, initiator) = M::parties(case);
    let of_event = || table.iter().filter(|row| row.event == event);
    let mine = |row: &&Row<M>| row.by.iter().any(|by| by.is(actor, initiator));
    if of_event().next().is_some() && !of_event().any(|row| mine(&row)) {
        return Err(not_yours::<M>(event, of_event().flat_map(|row| row.by)));
    }
    let here = || of_event().filter(|row| row.from.contains(&state));
    if here().next().is_none() {
        return Err(not_from_here::<M>(state, event, of_event().flat_map(|row| row.from)));
    }
    here().find(mine).ok_or_else(|| not_yours::<M>(event, here().flat_map(|row| row.by)))
}

/// Asks every guard of `row` in order; the first that fails speaks.
pub fn ask_all<M: Machine>(row: &Row<M>, case: &M::Case<'_>) -> Result<(), Refusal> {
    row.when.iter().try_for_each(|guard| guard.ask(case))
}

/// The state that `row` leads to from `state`.
pub fn target<M: Machine>(row: &Row<M>, state: M::State) -> M::State {
    match row.to {
        Next::To(next) => next,
        Next::Stay => state,
    }
}

fn not_yours<M: Machine>(event: M::Event, by: impl Iterator<Item = &'static By>) -> Refusal {
    let mut parties: Vec<By> = by.copied().collect();
    parties.sort_unstable();
    parties.dedup();
    let (zh, en) = titles(&parties);
    let act = event.title();
    Refusal {
        code: "not-your-act",
        obstacle: Obstacle::Authority,
        rule: Some(PF_02),
        detail: Bilingual::new(
            format!("“{}”只能由{zh}进行。", act.zh),
            format!("\"{}\" can only be done by {en}.", act.en),
        ),
        hint: Bilingual::new("请由有权的一方办理。", "Ask the party that may do it."),
        possible_at: None,
        retry: Retry::Never,
    }
}

fn not_from_here<M: Machine>(
    state: M::State,
    event: M::Event,
    from: impl Iterator<Item = &'static M::State>,
) -> Refusal {
    let mut states: Vec<M::State> = Vec::new();
    for state in from {
        if !states.contains(state) {
            states.push(*state);
        }
    }
    let (zh, en) = titles(&states);
    let (here, act) = (state.title(), event.title());
    let hint = if states.is_empty() {
        Bilingual::new("本流程没有此操作。", "This procedure has no such act.")
    } else {
        Bilingual::new(format!("该操作可在以下状态进行：{zh}。"), format!("It is possible in the states: {en}."))
    };
    let retry = if states.is_empty() { Retry::Never } else { Retry::AfterChange };
    Refusal {
        code: "state-forbids",
        obstacle: Obstacle::State,
        rule: Some(PF_01),
        detail: Bilingual::new(
            format!("当前状态为“{}”，不能进行“{}”。", here.zh, act.zh),
            format!("The {} is in the state \"{}\"; \"{}\" is not possible there.", M::SUBJECT.en, here.en, act.en),
        ),
        hint,
        possible_at: None,
        retry,
    }
}

/// The titles of some values as a list in both languages.
pub fn titles<N: Named>(values: &[N]) -> (String, String) {
    let zh: Vec<&str> = values.iter().map(|value| value.title().zh).collect();
    let en: Vec<&str> = values.iter().map(|value| value.title().en).collect();
    (zh.join("、"), en.join(", "))
}
