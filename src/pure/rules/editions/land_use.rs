//! Grants of land-use rights by sealed tender (土地使用权招标出让) from 2026: order 39 of the Ministry of Land and Resources.

use super::{
    AwardRule, CLOSING_TO_RESULT, Category, DepositLimit, Direction, Edition, Periods, PriceBound, SingleOffer,
    Withdrawal, YEAR_2026,
};
use crate::kernel::money::BasisPoints;
use crate::kernel::text::Phrase;
use crate::rules::catalogue::{ENG_18, LD_10, LD_13, PF_19};
use crate::rules::duties::{Duty, Span};
use crate::rules::facts::FailureCause;
use crate::rules::guards::*;
use crate::rules::machine::Effect as Then;
use crate::rules::machine::Event::*;
use crate::rules::machine::Lot;
use crate::rules::machine::State::{self, *};
use crate::rules::objection::{ObjectionKind, ObjectionRule, Window};
use crate::rules::table::By::{Centre, Initiator, Inspector, System};
use crate::rules::table::Next::{Stay, To};
use crate::rules::table::{Row, row};

/// The edition.
pub static LAND_USE_2026: Edition = Edition {
    id: "land_use-2026",
    category: Category::LandUse,
    title: Phrase::new("土地使用权招标出让（2026版）", "Land-use right by sealed tender (2026)"),
    effective_from: YEAR_2026,
    direction: Direction::Highest,
    bound: PriceBound::SealedReserve,
    min_received: 3,
    min_responsive: 1,
    too_few: FailureCause::TooFewReceived,
    single_offer: SingleOffer::PaysOffer,
    withdrawal: Withdrawal::NotOnceSubmitted,
    periods: Periods {
        issue_days: None,
        issue_to_deadline_days: None,
        clarification_days: None,
        notice_to_bidding_days: Some(20),
        disclosure_bands: &[],
        equity_disclosure_working_days: None,
        opening_delay_max_minutes: None,
        publicity_days: None,
        result_notice_working_days: None,
    },
    deposit: DepositLimit::AtLeastOfMinimumPrice(BasisPoints(2_000)),
    award: AwardRule { only_state_funded: false, fallback: &[], rule: LD_13 },
    failure_causes: &[FailureCause::AllRejected, FailureCause::BelowReserve],
    stopped_by_hold: CLOSING_TO_RESULT,
    outage_window_minutes: 30,
    objections: &[
        ObjectionRule {
            kind: ObjectionKind::Documents,
            rule: PF_19,
            window: Window::While(&[Noticed]),
            answer_days: 3,
            holds: true,
        },
        ObjectionRule {
            kind: ObjectionKind::Opening,
            rule: ENG_18,
            window: Window::While(&[Opening]),
            answer_days: 0,
            holds: false,
        },
        ObjectionRule {
            kind: ObjectionKind::Result,
            rule: PF_19,
            window: Window::While(&[Opened, Evaluated]),
            answer_days: 3,
            holds: true,
        },
    ],
    duties: &[Duty {
        what: Phrase::new("公布出让结果", "publish the result"),
        rule: LD_10,
        after: |facts| facts.awarded_at,
        done: |facts| facts.result_published_at.is_some(),
        within: Span::WorkingDays(10),
    }],
    table: TABLE,
};

/// States in which a hold can be placed and released.
const HOLDABLE: &[State] = &[Noticed, Closed, Opening, Opened, Evaluated];
/// States in which the initiator can stop the lot.
const STOPPABLE: &[State] = &[Draft, Registering, Registered, Noticed, Closed, Opened, Evaluated];

const TABLE: &[Row<Lot>] = &[
    // from, event, to, by, when, then
    row(&[Draft], Submit, To(Registering), &[Initiator], &[APPROVAL_RECORDED, NO_DISPUTE], &[Then::TellCentre]),
    row(&[Registering], Return, To(Draft), &[Centre], &[DEFICIENCIES_LISTED], &[Then::TellInitiator]),
    row(&[Registering], Accept, To(Registered), &[Centre], &[APPROVAL_RECORDED, NO_DISPUTE], &[Then::TellInitiator]),
    row(
        &[Registered],
        Publish,
        To(Noticed),
        &[Initiator],
        &[
            DOCUMENTS_ATTACHED,
            KEY_SET_READY,
            ESCROW_READY,
            DATES_IN_ORDER,
            NOTICE_TO_BIDDING,
            RESERVE_STATED,
            DEPOSIT_ENOUGH,
        ],
        &[Then::PublishNotice],
    ),
    row(
        &[Noticed],
        Clarify,
        Stay,
        &[Initiator],
        &[BEFORE_DEADLINE, ANY_NEW_DEADLINE_LATER],
        &[Then::PublishClarification, Then::MoveDeadline, Then::TellHolders],
    ),
    row(
        &[Noticed],
        Extend,
        Stay,
        &[Initiator],
        &[BEFORE_DEADLINE, REASON_GIVEN, DEADLINE_MOVES_LATER],
        &[Then::PublishNewDeadline, Then::MoveDeadline, Then::TellHolders],
    ),
    row(
        HOLDABLE,
        PlaceHold,
        Stay,
        &[System, Initiator, Centre, Inspector],
        &[REASON_GIVEN, HOLD_IS_YOURS_TO_PLACE, RESERVE_HOLD_AFTER_DEADLINE],
        &[Then::RecordHold, Then::PublishSuspension, Then::TellHolders],
    ),
    row(
        HOLDABLE,
        ReleaseHold,
        Stay,
        &[System, Initiator, Centre, Inspector],
        &[REASON_GIVEN, HOLD_IS_YOURS_TO_RELEASE, OBJECTIONS_ANSWERED, RELEASE_SETS_DEADLINE, ANY_NEW_DEADLINE_LATER],
        &[Then::ClearHold, Then::MoveDeadline, Then::PublishResumption, Then::TellHolders],
    ),
    row(
        &[Noticed],
        CloseBidding,
        To(Closed),
        &[System],
        &[DEADLINE_SETTLED, NO_OUTAGE, RESERVE_IN_BOX],
        &[Then::FreezeBids],
    ),
    row(
        &[Closed],
        BeginOpening,
        To(Opening),
        &[System],
        &[OPENS_AT_REACHED, RESERVE_IN_BOX, MINIMUM_LD_05],
        &[Then::OpenSession],
    ),
    row(
        &[Closed],
        DeclareUnsuccessful,
        To(Unsuccessful),
        &[System],
        &[TOO_FEW_LD_05],
        &[Then::PublishFailure, Then::TellHolders, Then::EraseKey, Then::ReleaseEntriesToInspectors],
    ),
    row(
        &[Opening],
        FinishOpening,
        To(Opened),
        &[System, Initiator, Centre],
        &[SESSION_CLOSED],
        &[Then::PublishOpeningRecord, Then::ReleaseEntries, Then::DestroyUnopened],
    ),
    row(
        &[Opened],
        CompleteEvaluation,
        To(Evaluated),
        &[Initiator],
        &[ALL_BIDS_DECIDED, SOMEBODY_RESPONSIVE, REPORT_FILED],
        &[Then::TellCentre],
    ),
    row(
        &[Opened, Evaluated],
        DeclareUnsuccessful,
        To(Unsuccessful),
        &[Initiator],
        &[REASON_GIVEN, FAILURE_CAUSE_FITS],
        &[Then::PublishFailure, Then::NotifyBidders, Then::EraseKey],
    ),
    row(
        &[Evaluated],
        Award,
        To(Awarded),
        &[Initiator],
        &[RESERVE_REACHED, NO_OBJECTION_PF_18, FIRST_LD_13],
        &[Then::NotifyBidders],
    ),
    row(&[Awarded], PublishResult, To(Concluded), &[Initiator], &[], &[Then::PublishResult]),
    row(
        STOPPABLE,
        Terminate,
        To(Terminated),
        &[Initiator],
        &[REASON_GIVEN],
        &[
            Then::PublishTermination,
            Then::TellHolders,
            Then::EraseKey,
            Then::DestroyUnopened,
            Then::ReleaseEntriesToInspectors,
        ],
    ),
    row(&[Unsuccessful, Terminated], Retender, Stay, &[Initiator], &[NOT_RETENDERED], &[Then::CreateSuccessor]),
];
