//! Properties of every table: completeness, reachability, no way around the closing.

use super::fixtures::*;
use crate::kernel::role::{Actor, Role};
use crate::rules::bid::BID_TABLE;
use crate::rules::editions::{EDITIONS, Edition};
use crate::rules::facts::{LotFacts, Request};
use crate::rules::hold::{Hold, HoldKind};
use crate::rules::machine::{Event, State, due_at};
use crate::rules::opening::SESSION_TABLE;
use crate::rules::table::{By, Machine, Named, Next, Reads, Row};
use std::collections::BTreeSet;

/// Everybody who may come along, and by which party of a row.
fn everybody() -> Vec<(Actor, Option<By>)> {
    vec![
        (Actor::System, Some(By::System)),
        (Actor::Nobody, None),
        (initiator(), Some(By::Initiator)),
        (user(9, Role::Initiator), None),
        (centre(), Some(By::Centre)),
        (inspector(), Some(By::Inspector)),
        (bidder(), Some(By::Bidder)),
        (user(5, Role::Admin), None),
    ]
}

#[test]
fn whatever_is_not_in_the_table_is_refused_for_everybody_in_every_state() {
    for edition in EDITIONS {
        for state in State::ALL {
            for event in Event::ALL {
                for (actor, party) in everybody() {
                    let in_table = edition.table.iter().any(|row| {
                        row.from.contains(state) && row.event == *event && party.is_some_and(|by| row.by.contains(&by))
                    });
                    let facts = lot(*state);
                    let result = Try { edition, facts: &facts, actor, now: nine("2026-05-01") }.event(*event);
                    let by_table =
                        result.err().is_some_and(|refusal| ["state-forbids", "not-your-act"].contains(&refusal.code));
                    assert_eq!(by_table, !in_table, "{edition:?} {state:?} {event:?} {party:?}");
                }
            }
        }
    }
}

fn at_most_one_row<M: Machine>(table: &[Row<M>]) {
    for (at, row) in table.iter().enumerate() {
        for other in &table[at + 1..] {
            let same = row.event == other.event
                && row.from.iter().any(|from| other.from.contains(from))
                && row.by.iter().any(|by| other.by.contains(by));
            assert!(!same, "{:?} from {:?} has two rows for one party", row.event, row.from);
        }
    }
}

#[test]
fn at_most_one_row_fits_a_state_an_event_and_a_party() {
    EDITIONS.iter().for_each(|edition| at_most_one_row(edition.table));
    at_most_one_row(BID_TABLE);
    at_most_one_row(SESSION_TABLE);
}

/// States that can be reached from `start` without ever entering `without`.
fn reachable<M: Machine>(table: &[Row<M>], start: M::State, without: Option<M::State>) -> Vec<M::State> {
    let mut found = vec![start];
    let mut at = 0;
    while at < found.len() {
        let here = found[at];
        for row in table.iter().filter(|row| row.from.contains(&here)) {
            if let Next::To(next) = row.to
                && Some(next) != without
                && !found.contains(&next)
            {
                found.push(next);
            }
        }
        at += 1;
    }
    found
}

fn mentioned(edition: &Edition) -> BTreeSet<State> {
    let targets = edition.table.iter().filter_map(|row| match row.to {
        Next::To(next) => Some(next),
        Next::Stay => None,
    });
    edition.table.iter().flat_map(|row| row.from.iter().copied()).chain(targets).collect()
}

#[test]
fn every_state_can_be_reached_from_a_draft() {
    let mut all: BTreeSet<State> = BTreeSet::new();
    for edition in EDITIONS {
        let reached: BTreeSet<State> = reachable(edition.table, State::Draft, None).into_iter().collect();
        assert_eq!(reached, mentioned(edition), "{edition:?}");
        all.extend(reached);
    }
    assert_eq!(all.len(), State::ALL.len());
}

#[test]
fn every_state_that_is_not_final_has_a_way_to_a_final_one() {
    for edition in EDITIONS {
        for state in mentioned(edition) {
            let ends = reachable(edition.table, state, None).into_iter().any(State::is_final);
            assert!(ends, "{edition:?} {state:?}");
            let leaves = edition.table.iter().any(|row| row.from.contains(&state) && row.to != Next::Stay);
            assert_eq!(leaves, !state.is_final(), "{edition:?} {state:?}");
        }
    }
}

#[test]
fn no_path_reaches_the_opening_or_anything_after_it_around_the_closing() {
    for edition in EDITIONS {
        for gate in [State::Closed, State::Opening] {
            let around = reachable(edition.table, State::Draft, Some(gate));
            for after in [
                State::Opened,
                State::Evaluated,
                State::Publicity,
                State::Awardable,
                State::Awarded,
                State::Published,
                State::Concluded,
            ] {
                assert!(!around.contains(&after), "{edition:?}: {after:?} around {gate:?}");
            }
        }
    }
}

#[test]
fn every_state_of_a_bid_and_of_a_session_can_be_reached() {
    fn check<M: Machine>(table: &[Row<M>], start: M::State) {
        assert_eq!(reachable(table, start, None).len(), M::State::all().len());
    }
    check(BID_TABLE, crate::rules::bid::BidState::None);
    check(SESSION_TABLE, crate::rules::opening::SessionState::NotBegun);
}

/// A lot at which the clock alone causes `event`.
fn due_lot(from: State, event: Event) -> LotFacts {
    let received = if event == Event::DeclareUnsuccessful { 0 } else { 3 };
    LotFacts { received_bids: Some(received), ..lot(from) }
}

#[test]
fn every_act_of_the_system_alone_has_a_moment() {
    for edition in EDITIONS {
        for row in edition.table.iter().filter(|row| row.by == [By::System]) {
            for from in row.from {
                let due = due_at(edition, &due_lot(*from, row.event));
                assert_eq!(due.map(|due| due.request.event), Some(row.event), "{edition:?} {from:?}");
            }
        }
    }
}

#[test]
fn what_is_due_is_allowed_at_its_moment_and_refused_a_millisecond_before() {
    for edition in EDITIONS {
        for row in edition.table.iter().filter(|row| row.by == [By::System]) {
            for from in row.from {
                let facts = due_lot(*from, row.event);
                let due = due_at(edition, &facts).expect("due");
                let attempt = |now| Try { edition, facts: &facts, actor: Actor::System, now }.request(&due.request);
                allowed(attempt(due.at));
                if row.event != Event::DeclareUnsuccessful {
                    let early = attempt(due.at.plus_millis(-1)).expect_err("too early");
                    assert_eq!(early.possible_at, Some(due.at), "{edition:?} {early:?}");
                }
            }
        }
    }
}

#[test]
fn nothing_is_due_while_a_hold_is_in_force() {
    for edition in EDITIONS {
        for state in State::ALL {
            let holds = vec![Hold { kind: HoldKind::ComplaintOrder, placed_at: publication() }];
            assert_eq!(due_at(edition, &LotFacts { holds, ..lot(*state) }), None, "{edition:?} {state:?}");
        }
    }
}

#[test]
fn no_person_is_asked_about_sealed_facts_before_the_closing() {
    for edition in EDITIONS {
        for row in edition.table.iter().filter(|row| row.from.iter().any(|from| from.is_before_closing())) {
            let sealed = row.when.iter().any(|guard| guard.reads == Reads::Sealed);
            assert!(!sealed || row.by == [By::System], "{edition:?} {:?}", row.event);
        }
    }
}

#[test]
fn a_hold_stops_whatever_closes_opens_or_awards_and_nothing_else() {
    for edition in EDITIONS {
        for row in edition.table {
            for from in row.from {
                let holds = vec![Hold { kind: HoldKind::ComplaintOrder, placed_at: publication() }];
                let facts = LotFacts { holds, ..lot(*from) };
                let actor = if row.by.contains(&By::System) {
                    Actor::System
                } else if row.by.contains(&By::Centre) {
                    centre()
                } else {
                    initiator()
                };
                let result =
                    Try { edition, facts: &facts, actor, now: nine("2026-05-10") }.request(&Request::of(row.event));
                let held = result.err().is_some_and(|refusal| refusal.code == "hold-forbids");
                assert_eq!(held, edition.stopped_by_hold.contains(&row.event), "{edition:?} {:?}", row.event);
            }
        }
    }
}

#[test]
fn names_read_back_and_are_the_wire_form() {
    fn check<N: Named + serde::Serialize>() {
        for value in N::all() {
            assert_eq!(serde_json::to_value(value).expect("text"), value.name());
            assert!(
                value.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
        }
    }
    check::<State>();
    check::<Event>();
    check::<HoldKind>();
    check::<crate::rules::rejection::RejectionCode>();
    for state in State::ALL {
        assert_eq!(State::parse(state.name()), Some(*state));
    }
}

#[test]
fn guards_have_snake_case_names_and_kebab_case_codes() {
    fn check<M: Machine>(table: &[Row<M>]) {
        for guard in table.iter().flat_map(|row| row.when) {
            assert!(
                guard.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
                "{}",
                guard.name
            );
            assert!(guard.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", guard.code);
        }
    }
    EDITIONS.iter().for_each(|edition| check(edition.table));
    check(BID_TABLE);
    check(SESSION_TABLE);
}
