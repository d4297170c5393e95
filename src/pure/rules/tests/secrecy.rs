//! Before the closing nobody learns anything about sealed facts from what the rules answer.

use super::fixtures::*;
use crate::rules::calendar::BusinessCalendar;
use crate::rules::editions::EDITIONS;
use crate::rules::facts::LotFacts;
use crate::rules::machine::{State, explain};

#[test]
fn g_10_explanations_before_the_closing_do_not_depend_on_sealed_facts() {
    let calendar = BusinessCalendar::embedded();
    for edition in EDITIONS {
        for state in State::ALL.iter().filter(|state| state.is_before_closing()) {
            for actor in [initiator(), centre(), inspector(), bidder(), crate::kernel::role::Actor::Nobody] {
                for now in [nine("2026-03-12"), deadline().plus_seconds(5)] {
                    let told = |received_bids, reserve_received| {
                        explain(
                            edition,
                            &LotFacts { received_bids, reserve_received, ..lot(*state) },
                            &actor,
                            now,
                            &calendar,
                        )
                    };
                    let reference = told(None, false);
                    for received in [None, Some(0), Some(2), Some(30)] {
                        assert_eq!(told(received, false), reference, "{edition:?} {state:?}");
                        assert_eq!(told(received, true), reference, "{edition:?} {state:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn g_10_after_the_closing_persons_are_told_that_the_system_acts_not_how_many_bids_there_are() {
    let calendar = BusinessCalendar::embedded();
    for edition in EDITIONS {
        let told = |received| {
            explain(
                edition,
                &LotFacts { received_bids: Some(received), ..lot(State::Closed) },
                &bidder(),
                nine("2026-04-16"),
                &calendar,
            )
        };
        assert_eq!(told(0), told(7), "{edition:?}");
    }
}
