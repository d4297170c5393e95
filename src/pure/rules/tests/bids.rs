//! The machine of a bid.

use super::fixtures::*;
use crate::kernel::role::{Actor, Role};
use crate::kernel::time::Timestamp;
use crate::rules::bid::{BidEvent, BidFacts, BidState, step_bid};
use crate::rules::editions::{CONSTRUCTION_2026, EDITIONS, LAND_USE_2026, STATE_ASSET_2026};
use crate::rules::machine::State;
use crate::rules::refusal::{Refusal, Retry};

fn bid(state: BidState, received_at: Timestamp) -> BidFacts {
    BidFacts {
        state,
        lot_state: State::Noticed,
        initiator: org(1),
        received_at,
        bidding_opens_at: None,
        deadline_at: deadline(),
        named_revision: revision("first"),
        current_revision: revision("first"),
        organisation_confirmed: true,
        withdrawal_allowed: false,
        same_payload: true,
    }
}

fn submit(facts: &BidFacts) -> Result<BidState, Refusal> {
    step_bid(&CONSTRUCTION_2026, facts, BidEvent::Submit, &bidder())
}

#[test]
fn eng_14_a_bid_at_the_very_deadline_is_late_and_a_millisecond_before_is_in_time() {
    assert_eq!(submit(&bid(BidState::None, deadline().plus_millis(-1))), Ok(BidState::Submitted));
    let refusal = refused_by("ENG-14", submit(&bid(BidState::None, deadline())));
    assert_eq!((refusal.code, refusal.retry), ("bid-late", Retry::Never));
    refused_by("ENG-14", submit(&bid(BidState::None, deadline().plus_seconds(1))));
}

#[test]
fn eng_14_lateness_is_said_even_when_the_lot_is_closed_by_then() {
    let closed = BidFacts { lot_state: State::Closed, ..bid(BidState::None, deadline().plus_seconds(60)) };
    refused_by("ENG-14", submit(&closed));
}

#[test]
fn pf_01_only_a_noticed_lot_accepts_bids() {
    for state in State::ALL.iter().filter(|state| **state != State::Noticed) {
        refused_by("PF-01", submit(&BidFacts { lot_state: *state, ..bid(BidState::None, nine("2026-03-25")) }));
    }
}

#[test]
fn ld_02_no_bid_before_bidding_begins() {
    let start = Some(nine("2026-03-23"));
    let at = |moment| {
        step_bid(
            &LAND_USE_2026,
            &BidFacts { bidding_opens_at: start, ..bid(BidState::None, moment) },
            BidEvent::Submit,
            &bidder(),
        )
    };
    let refusal = refused_by("LD-02", at(nine("2026-03-23").plus_millis(-1)));
    assert_eq!((refusal.retry, refusal.possible_at), (Retry::SameRequest, start));
    assert_eq!(at(nine("2026-03-23")), Ok(BidState::Submitted));
}

#[test]
fn pf_10_a_new_bid_names_the_current_documents() {
    let stale = BidFacts { current_revision: revision("second"), ..bid(BidState::None, nine("2026-03-25")) };
    assert_eq!(refused_by("PF-10", submit(&stale)).code, "document-revision-stale");
    for event in [BidEvent::Replace, BidEvent::Confirm] {
        let facts = BidFacts { state: BidState::Submitted, ..stale.clone() };
        refused_by("PF-10", step_bid(&CONSTRUCTION_2026, &facts, event, &bidder()));
    }
}

#[test]
fn pf_10_a_confirmation_keeps_the_payload_in_every_edition() {
    for edition in EDITIONS {
        let facts = bid(BidState::Submitted, nine("2026-03-25"));
        assert_eq!(step_bid(edition, &facts, BidEvent::Confirm, &bidder()), Ok(BidState::Submitted));
        refused_by(
            "PF-10",
            step_bid(edition, &BidFacts { same_payload: false, ..facts }, BidEvent::Confirm, &bidder()),
        );
    }
}

#[test]
fn pf_11_the_bidder_is_confirmed_and_not_the_initiator() {
    let facts = bid(BidState::None, nine("2026-03-25"));
    refused_by("PF-11", submit(&BidFacts { organisation_confirmed: false, ..facts.clone() }));
    let own = step_bid(&CONSTRUCTION_2026, &facts, BidEvent::Submit, &user(1, Role::Bidder));
    assert_eq!(refused_by("PF-11", own).code, "initiator-may-not-bid");
    refused_by("PF-02", step_bid(&CONSTRUCTION_2026, &facts, BidEvent::Submit, &centre()));
}

#[test]
fn eng_13_until_the_deadline_a_bid_is_replaced_withdrawn_and_made_again() {
    for edition in [&CONSTRUCTION_2026, &STATE_ASSET_2026] {
        let at = nine("2026-03-25");
        assert_eq!(
            step_bid(edition, &bid(BidState::Submitted, at), BidEvent::Replace, &bidder()),
            Ok(BidState::Submitted)
        );
        assert_eq!(
            step_bid(edition, &bid(BidState::Submitted, at), BidEvent::Withdraw, &bidder()),
            Ok(BidState::Withdrawn)
        );
        assert_eq!(
            step_bid(edition, &bid(BidState::Withdrawn, at), BidEvent::Submit, &bidder()),
            Ok(BidState::Submitted)
        );
    }
}

#[test]
fn eb_02_after_the_deadline_a_bid_is_not_withdrawn() {
    refused_by(
        "EB-02",
        step_bid(&CONSTRUCTION_2026, &bid(BidState::Submitted, deadline()), BidEvent::Withdraw, &bidder()),
    );
}

#[test]
fn ld_13_a_land_bid_stands_once_it_is_in_the_box_unless_the_notice_says_otherwise() {
    for event in [BidEvent::Replace, BidEvent::Withdraw] {
        let facts = bid(BidState::Submitted, nine("2026-03-25"));
        refused_by("LD-13", step_bid(&LAND_USE_2026, &facts, event, &bidder()));
        assert!(step_bid(&LAND_USE_2026, &BidFacts { withdrawal_allowed: true, ..facts }, event, &bidder()).is_ok());
    }
}

#[test]
fn pf_14_bids_change_in_the_opening_only_by_the_system() {
    let facts = BidFacts { lot_state: State::Opening, ..bid(BidState::Submitted, nine("2026-03-25")) };
    for (event, next) in [
        (BidEvent::Open, BidState::Opened),
        (BidEvent::DeemRevoked, BidState::UndecryptedRevoked),
        (BidEvent::DeemWithdrawn, BidState::UndecryptedWithdrawn),
    ] {
        assert_eq!(step_bid(&CONSTRUCTION_2026, &facts, event, &Actor::System), Ok(next));
        refused_by("PF-02", step_bid(&CONSTRUCTION_2026, &facts, event, &initiator()));
        let early = BidFacts { lot_state: State::Closed, ..facts.clone() };
        refused_by("PF-14", step_bid(&CONSTRUCTION_2026, &early, event, &Actor::System));
    }
}

#[test]
fn eng_40_a_bid_that_passed_the_first_envelope_is_opened_once_more() {
    let facts = |state| BidFacts { lot_state: State::Opening, ..bid(state, nine("2026-03-25")) };
    let step = |state, event| step_bid(&CONSTRUCTION_2026, &facts(state), event, &Actor::System);
    assert_eq!(step(BidState::Opened, BidEvent::Qualify), Ok(BidState::Qualified));
    assert_eq!(step(BidState::Qualified, BidEvent::Open), Ok(BidState::Opened));
    assert_eq!(step(BidState::Qualified, BidEvent::DeemRevoked), Ok(BidState::UndecryptedRevoked));
    refused_by("PF-01", step(BidState::Submitted, BidEvent::Qualify));
    refused_by("PF-01", step(BidState::Opened, BidEvent::Open));
}

#[test]
fn whatever_is_not_in_the_table_of_a_bid_is_refused() {
    use crate::rules::bid::BID_TABLE;
    for state in BidState::ALL {
        for event in BidEvent::ALL {
            let in_table = BID_TABLE.iter().any(|row| row.from.contains(state) && row.event == *event);
            if !in_table {
                let system_act = event.is_of_the_opening();
                let actor = if system_act { Actor::System } else { bidder() };
                refused_by("PF-01", step_bid(&CONSTRUCTION_2026, &bid(*state, nine("2026-03-25")), *event, &actor));
            }
        }
    }
}
