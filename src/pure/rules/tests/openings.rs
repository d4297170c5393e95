//! The opening session and its permit.

use super::fixtures::*;
use crate::kernel::role::Actor;
use crate::rules::bid::BidEvent;
use crate::rules::machine::State;
use crate::rules::opening::{
    OpeningPermit, SESSION_TABLE, SessionEvent, SessionFacts, SessionState, UndecryptedCause, step_session,
};

fn session(state: SessionState) -> SessionFacts {
    SessionFacts {
        shares_awaited: false,
        state,
        lot_state: State::Opening,
        initiator: org(1),
        outcomes_missing: 0,
        failures_unattributed: 0,
        objections_unanswered: 0,
        reason_given: true,
        has_bid_in_box: true,
    }
}

#[test]
fn eb_02_a_permit_is_given_for_a_lot_being_opened_and_no_other() {
    for state in State::ALL {
        let permit = OpeningPermit::grant(*state);
        if *state == State::Opening {
            assert!(permit.is_ok());
        } else {
            refused_by("EB-02", permit);
        }
    }
}

#[test]
fn a_session_runs_from_its_beginning_to_its_close() {
    let mut state = SessionState::NotBegun;
    for (event, actor) in [
        (SessionEvent::Begin, Actor::System),
        (SessionEvent::FinishUnsealing, Actor::System),
        (SessionEvent::Attribute, initiator()),
        (SessionEvent::ReadOut, centre()),
        (SessionEvent::Object, bidder()),
        (SessionEvent::Confirm, initiator()),
        (SessionEvent::Close, centre()),
    ] {
        state = step_session(&session(state), event, &actor).expect("allowed");
    }
    assert_eq!(state, SessionState::Closed);
}

#[test]
fn eb_02_no_session_begins_on_a_lot_that_is_not_being_opened() {
    let facts = SessionFacts { lot_state: State::Closed, ..session(SessionState::NotBegun) };
    refused_by("EB-02", step_session(&facts, SessionEvent::Begin, &Actor::System));
}

#[test]
fn pf_14_the_box_is_read_out_when_every_outcome_is_stored() {
    let missing = SessionFacts { outcomes_missing: 1, ..session(SessionState::Unsealing) };
    refused_by("PF-14", step_session(&missing, SessionEvent::FinishUnsealing, &Actor::System));
    refused_by(
        "PF-14",
        step_session(&SessionFacts { state: SessionState::Reading, ..missing }, SessionEvent::ReadOut, &initiator()),
    );
}

#[test]
fn eb_05_the_box_is_read_out_when_every_failure_has_a_cause() {
    let facts = SessionFacts { failures_unattributed: 1, ..session(SessionState::Reading) };
    refused_by("EB-05", step_session(&facts, SessionEvent::ReadOut, &initiator()));
    assert_eq!(
        step_session(&session(SessionState::Reading), SessionEvent::ReadOut, &initiator()),
        Ok(SessionState::ReadOut)
    );
}

#[test]
fn eb_05_a_failure_is_revoked_through_the_bidder_and_withdrawn_through_anybody_else() {
    assert_eq!(UndecryptedCause::Bidder.consequence(), BidEvent::DeemRevoked);
    for cause in [UndecryptedCause::Platform, UndecryptedCause::Initiator, UndecryptedCause::ThirdParty] {
        assert_eq!(cause.consequence(), BidEvent::DeemWithdrawn);
    }
}

#[test]
fn pf_03_an_attribution_and_an_answer_say_why() {
    let silent = SessionFacts { reason_given: false, objections_unanswered: 1, ..session(SessionState::Reading) };
    refused_by("PF-03", step_session(&silent, SessionEvent::Attribute, &initiator()));
    refused_by(
        "PF-03",
        step_session(&SessionFacts { state: SessionState::ReadOut, ..silent }, SessionEvent::Answer, &initiator()),
    );
}

#[test]
fn eng_18_a_session_does_not_close_over_an_unanswered_objection() {
    let open = |state| SessionFacts { objections_unanswered: 1, ..session(state) };
    refused_by("ENG-18", step_session(&open(SessionState::ReadOut), SessionEvent::Confirm, &initiator()));
    refused_by("ENG-18", step_session(&open(SessionState::Confirmed), SessionEvent::Close, &centre()));
    assert_eq!(
        step_session(&open(SessionState::Confirmed), SessionEvent::Answer, &initiator()),
        Ok(SessionState::Confirmed)
    );
    refused_by("ENG-18", step_session(&session(SessionState::Confirmed), SessionEvent::Answer, &initiator()));
}

#[test]
fn eng_18_only_who_bid_objects_to_the_opening() {
    let facts = SessionFacts { has_bid_in_box: false, ..session(SessionState::ReadOut) };
    refused_by("ENG-18", step_session(&facts, SessionEvent::Object, &bidder()));
    refused_by("PF-01", step_session(&session(SessionState::Closed), SessionEvent::Object, &bidder()));
}

#[test]
fn whatever_is_not_in_the_table_of_a_session_is_refused() {
    for state in SessionState::ALL {
        for event in SessionEvent::ALL {
            for (actor, by) in [
                (Actor::System, crate::rules::table::By::System),
                (initiator(), crate::rules::table::By::Initiator),
                (centre(), crate::rules::table::By::Centre),
                (bidder(), crate::rules::table::By::Bidder),
                (inspector(), crate::rules::table::By::Inspector),
            ] {
                let in_table = SESSION_TABLE
                    .iter()
                    .any(|row| row.from.contains(state) && row.event == *event && row.by.contains(&by));
                let result = step_session(&session(*state), *event, &actor);
                let by_table =
                    result.err().is_some_and(|refusal| ["state-forbids", "not-your-act"].contains(&refusal.code));
                assert_eq!(by_table, !in_table, "{state:?} {event:?} {by:?}");
            }
        }
    }
}
