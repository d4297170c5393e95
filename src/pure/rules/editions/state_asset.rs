//! State-owned property rights and assets by one-shot sealed offer (国有资产一次性密封报价转让) from 2026: order 32 of
//! SASAC and the Ministry of Finance, with the operating rules of 2025.

use super::{
    AwardRule, CLOSING_TO_RESULT, Category, DepositLimit, Direction, DisclosureBand, Edition, Periods, PriceBound,
    SingleOffer, Withdrawal, YEAR_2026,
};
use crate::kernel::text::Phrase;
use crate::rules::catalogue::{ENG_18, PF_19, PR_01};
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
pub static STATE_ASSET_2026: Edition = Edition {
    id: "state_asset-2026",
    category: Category::StateAsset,
    title: Phrase::new("国有资产一次性密封报价转让（2026版）", "State asset by one-shot sealed offer (2026)"),
    effective_from: YEAR_2026,
    direction: Direction::Highest,
    bound: PriceBound::PublicAskingPrice,
    min_received: 1,
    min_responsive: 1,
    too_few: FailureCause::NoOffer,
    single_offer: SingleOffer::PaysHigherOfOfferAndAsking,
    withdrawal: Withdrawal::UntilDeadline,
    periods: Periods {
        issue_days: None,
        issue_to_deadline_days: None,
        clarification_days: None,
        notice_to_bidding_days: None,
        // Up to CNY 10 million ten working days, above it twenty.
        disclosure_bands: &[
            DisclosureBand { up_to_fen: Some(1_000_000_000), working_days: 10 },
            DisclosureBand { up_to_fen: None, working_days: 20 },
        ],
        equity_disclosure_working_days: Some(20),
        opening_delay_max_minutes: None,
        publicity_days: None,
        result_notice_working_days: Some(5),
    },
    deposit: DepositLimit::ByNotice,
    award: AwardRule { only_state_funded: false, fallback: &[], rule: PR_01 },
    failure_causes: &[FailureCause::AllRejected],
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
            window: Window::While(&[Published]),
            answer_days: 3,
            holds: false,
        },
    ],
    duties: &[],
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
            EQUITY_DISCLOSURE,
            ASSET_DISCLOSURE,
            ASKING_AT_LEAST_APPRAISAL,
            LOW_PRICE_CONSENTED,
        ],
        &[Then::PublishNotice, Then::StartDisclosure],
    ),
    row(
        &[Noticed],
        Clarify,
        Stay,
        &[Initiator],
        &[BEFORE_DEADLINE, CONTENT_IS_FROZEN, ANY_NEW_DEADLINE_LATER],
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
        &[Noticed],
        Amend,
        Stay,
        &[Initiator],
        &[BEFORE_DEADLINE, REASON_GIVEN, ANY_NEW_DEADLINE_LATER, AMENDED_DISCLOSURE],
        &[Then::PublishClarification, Then::StartDisclosure, Then::MoveDeadline, Then::TellHolders],
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
    row(&[Noticed], CloseBidding, To(Closed), &[System], &[DEADLINE_SETTLED, NO_OUTAGE], &[Then::FreezeBids]),
    row(&[Closed], BeginOpening, To(Opening), &[System], &[OPENS_AT_REACHED, MINIMUM_PR_05], &[Then::OpenSession]),
    row(
        &[Closed],
        DeclareUnsuccessful,
        To(Unsuccessful),
        &[System],
        &[TOO_FEW_PR_05],
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
        &[PRICE_AT_LEAST_ASKING, NO_OBJECTION_PF_18, FIRST_PR_01],
        &[Then::NotifyBidders],
    ),
    row(&[Awarded], PublishResult, To(Published), &[Initiator], &[], &[Then::PublishResult, Then::StartResultNotice]),
    row(
        &[Published],
        Conclude,
        To(Concluded),
        &[System],
        &[RESULT_NOTICE_OVER, NO_OBJECTION_PF_18],
        &[Then::TellInitiator],
    ),
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
