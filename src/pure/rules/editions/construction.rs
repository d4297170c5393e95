//! Engineering tenders (工程建设项目招标) from 2026: Bidding Law and its implementing regulations.

use super::{
    AwardRule, CLOSING_TO_RESULT, Category, DepositLimit, Direction, Edition, Periods, PriceBound, SingleOffer,
    Withdrawal, YEAR_2026,
};
use crate::kernel::money::BasisPoints;
use crate::kernel::text::Phrase;
use crate::rules::catalogue::{ENG_05, ENG_18, ENG_28, ENG_29, ENG_34};
use crate::rules::duties::{Duty, Span};
use crate::rules::facts::{FailureCause, FallbackCause};
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
pub static CONSTRUCTION_2026: Edition = Edition {
    id: "construction-2026",
    category: Category::Construction,
    title: Phrase::new("工程建设项目招标（2026版）", "Construction tender (2026)"),
    effective_from: YEAR_2026,
    direction: Direction::Lowest,
    bound: PriceBound::DisclosedCeiling,
    min_received: 3,
    min_responsive: 3,
    too_few: FailureCause::TooFewReceived,
    single_offer: SingleOffer::PaysOffer,
    withdrawal: Withdrawal::UntilDeadline,
    periods: Periods {
        issue_days: Some(5),
        issue_to_deadline_days: Some(20),
        clarification_days: Some(15),
        notice_to_bidding_days: None,
        disclosure_bands: &[],
        equity_disclosure_working_days: None,
        opening_delay_max_minutes: Some(30),
        publicity_days: Some(3),
        result_notice_working_days: None,
    },
    deposit: DepositLimit::AtMostOfEstimate(BasisPoints(200)),
    award: AwardRule { only_state_funded: true, fallback: FallbackCause::ALL, rule: ENG_29 },
    failure_causes: &[FailureCause::AllRejected, FailureCause::CompetitionLacking],
    stopped_by_hold: CLOSING_TO_RESULT,
    outage_window_minutes: 30,
    objections: &[
        ObjectionRule {
            kind: ObjectionKind::Documents,
            rule: ENG_05,
            window: Window::DaysBeforeDeadline(10),
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
            rule: ENG_28,
            window: Window::While(&[Publicity]),
            answer_days: 3,
            holds: true,
        },
    ],
    duties: &[
        Duty {
            what: Phrase::new("公示中标候选人", "publish the candidates"),
            rule: ENG_28,
            after: |facts| facts.reported_at,
            done: |facts| facts.publicity_ends_at.is_some(),
            within: Span::Days(3),
        },
        Duty {
            what: Phrase::new("向行政监督部门提交书面报告", "report to the regulator in writing"),
            rule: ENG_34,
            after: |facts| facts.awarded_at,
            done: |_| false,
            within: Span::Days(15),
        },
    ],
    table: TABLE,
};

/// States in which a hold can be placed and released.
const HOLDABLE: &[State] = &[Noticed, Closed, Opening, Opened, Evaluated, Publicity, Awardable];
/// States in which the initiator can stop the lot.
const STOPPABLE: &[State] = &[Draft, Registering, Registered, Noticed, Closed, Opened, Evaluated, Publicity, Awardable];

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
            ISSUE_LASTS,
            ISSUE_TO_DEADLINE,
            OPENING_AT_DEADLINE,
            CEILING_DISCLOSED,
            NO_FLOOR_PRICE,
            SECURITY_WITHIN_LIMIT,
        ],
        &[Then::PublishNotice],
    ),
    row(
        &[Noticed],
        Clarify,
        Stay,
        &[Initiator],
        &[BEFORE_DEADLINE, CLARIFICATION_LEAVES_TIME, ANY_NEW_DEADLINE_LATER, OPENING_AT_DEADLINE],
        &[Then::PublishClarification, Then::MoveDeadline, Then::TellHolders],
    ),
    row(
        &[Noticed],
        Extend,
        Stay,
        &[Initiator],
        &[BEFORE_DEADLINE, REASON_GIVEN, DEADLINE_MOVES_LATER, OPENING_AT_DEADLINE],
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
        &[
            REASON_GIVEN,
            HOLD_IS_YOURS_TO_RELEASE,
            OBJECTIONS_ANSWERED,
            RELEASE_SETS_DEADLINE,
            ANY_NEW_DEADLINE_LATER,
            OPENING_AT_DEADLINE,
        ],
        &[Then::ClearHold, Then::MoveDeadline, Then::PublishResumption, Then::TellHolders],
    ),
    row(&[Noticed], CloseBidding, To(Closed), &[System], &[DEADLINE_SETTLED, NO_OUTAGE], &[Then::FreezeBids]),
    row(&[Closed], BeginOpening, To(Opening), &[System], &[OPENS_AT_REACHED, MINIMUM_ENG_16], &[Then::OpenSession]),
    row(
        &[Closed],
        DeclareUnsuccessful,
        To(Unsuccessful),
        &[System],
        &[TOO_FEW_ENG_16],
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
        OpenPrices,
        To(Opening),
        &[Initiator],
        &[PRICES_SEALED, ALL_BIDS_DECIDED, SOMEBODY_RESPONSIVE],
        &[Then::PublishPassed, Then::NotifyBidders, Then::QualifyPassed, Then::OpenSession],
    ),
    row(
        &[Opened],
        CompleteEvaluation,
        To(Evaluated),
        &[Initiator],
        &[PRICES_OPENED, ALL_BIDS_DECIDED, SOMEBODY_RESPONSIVE, REPORT_FILED],
        &[Then::TellCentre],
    ),
    row(
        &[Opened, Evaluated],
        DeclareUnsuccessful,
        To(Unsuccessful),
        &[Initiator],
        &[REASON_GIVEN, FAILURE_CAUSE_FITS],
        &[Then::PublishFailure, Then::NotifyBidders, Then::EraseKey, Then::DestroyUnopened],
    ),
    row(
        &[Evaluated],
        PublishCandidates,
        To(Publicity),
        &[Initiator],
        &[REPORT_FILED, ALL_BIDS_DECIDED],
        &[Then::PublishCandidates, Then::StartPublicity],
    ),
    row(
        &[Publicity],
        EndPublicity,
        To(Awardable),
        &[System],
        &[PUBLICITY_OVER, NO_OBJECTION_ENG_28],
        &[Then::TellInitiator],
    ),
    row(
        &[Awardable],
        Award,
        To(Awarded),
        &[Initiator],
        &[PUBLICITY_OVER, NO_OBJECTION_ENG_28, FIRST_ENG_29],
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
