//! Holds (中止): flags beside a lot's state that stop what the edition lists, whatever the state.
//!
//! Promise: bids are accepted during a hold; nothing closes, opens or is awarded under one. If the deadline passes
//! under a hold, late bids are refused, received ones stay sealed, and the release needs a new deadline.
//! Deliberately not here: what an edition stops (its column `stopped_by_hold`).

use crate::kernel::time::Timestamp;
use crate::rules::catalogue::{ENG_05, G_09, LD_04, PF_08, RuleId};
use crate::rules::names::named;
use crate::rules::table::By;

named! {
    /// Why a lot is on hold.
    pub enum HoldKind {
        /// An objection waits for its answer.
        Objection = "objection", "异议待答复", "an objection waits for its answer";
        /// An inspector ordered it, usually on a complaint.
        ComplaintOrder = "complaint_order", "监督部门责令中止", "an inspector ordered it";
        /// A failure of the platform, force majeure, a disputed title.
        Incident = "incident", "系统故障等事件", "an incident";
        /// The announced reserve price was not in the box at the deadline.
        ReserveMissing = "reserve_missing", "截止时底价未封存", "the announced reserve price was not in the box at the deadline";
    }
}

/// A hold in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub kind: HoldKind,
    /// Since when.
    pub placed_at: Timestamp,
}

/// Who may place and release a kind of hold.
pub struct HoldRule {
    /// The kind.
    pub kind: HoldKind,
    /// Who may place it.
    pub placed_by: &'static [By],
    /// Who may release it.
    pub released_by: &'static [By],
    /// Whether, placed when the deadline had passed, it can only be released with a new deadline.
    pub always_needs_new_deadline: bool,
    /// Source.
    pub rule: RuleId,
}

/// Every kind of hold.
pub const HOLDS: &[HoldRule] = &[
    HoldRule {
        kind: HoldKind::Objection,
        placed_by: &[By::System, By::Initiator, By::Centre],
        released_by: &[By::System, By::Initiator],
        always_needs_new_deadline: false,
        rule: ENG_05,
    },
    HoldRule {
        kind: HoldKind::ComplaintOrder,
        placed_by: &[By::Inspector],
        released_by: &[By::Inspector],
        always_needs_new_deadline: false,
        rule: G_09,
    },
    HoldRule {
        kind: HoldKind::Incident,
        placed_by: &[By::System, By::Initiator, By::Centre],
        released_by: &[By::Initiator, By::Centre],
        always_needs_new_deadline: false,
        rule: PF_08,
    },
    HoldRule {
        kind: HoldKind::ReserveMissing,
        placed_by: &[By::System],
        released_by: &[By::Initiator],
        always_needs_new_deadline: true,
        rule: LD_04,
    },
];

impl HoldKind {
    /// Who may place and release it.
    pub fn rule(self) -> &'static HoldRule {
        HOLDS.iter().find(|rule| rule.kind == self).expect("every kind has a row, a test reads them all")
    }
}
