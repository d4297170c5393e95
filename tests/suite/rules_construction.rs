//! The rules of construction tenders over HTTP: what each accepts, what it refuses, and that it says which one it is.

use sealbid::rules::editions::Category::Construction;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::steps::texts;
use crate::support::story::{LotStory, cny};
use crate::support::world::World;

const DAY: i64 = 24 * 3_600;

/// Publishes with some dates of the schedule replaced by days from now.
fn publish(lot: &LotStory<'_>, days: &[(&str, i64)]) -> Answer {
    let mut schedule = lot.schedule();
    for (field, days) in days {
        schedule[*field] = json!(lot.world.now().plus_seconds(days * DAY));
    }
    lot.act(&lot.world.initiator(), "publish", &schedule)
}

/// A registered lot on those terms, as the attempt to publish it ends.
fn published_with(world: &World, terms: &Value) -> Answer {
    publish(&world.lot(Construction).terms(terms).registered(), &[])
}

fn clarify(lot: &LotStory<'_>, affects_bid: bool, new_deadline_in: Option<i64>) -> Answer {
    let new = new_deadline_in.map(|days| lot.world.now().plus_seconds(days * DAY));
    lot.act(
        &lot.world.initiator(),
        "clarify",
        &json!({ "lines": ["A point"], "affects_bid": affects_bid, "new_deadline_at": new }),
    )
}

on_both!(eng_01_a_compulsory_tender_leaves_twenty_days_from_the_issue_of_documents, |world| {
    let lot = world.lot(Construction).registered();
    let problem = publish(&lot, &[("deadline_at", 19)]).refused_by(422, "deadline-too-early", "ENG-01");
    let hint = problem["hint"].as_str().expect("a hint").to_owned();
    assert!(hint.contains("2026-03-22"), "{hint}");
    // Counted from the start of the issue, not from the notice.
    publish(&lot, &[("doc_issue_start_at", 2), ("doc_issue_end_at", 8), ("deadline_at", 21)]).refused_by(
        422,
        "deadline-too-early",
        "ENG-01",
    );
    publish(&lot, &[("deadline_at", 20)]).ok();
    let lot = world.lot(Construction).terms(&json!({ "compulsory": false })).registered();
    publish(&lot, &[("deadline_at", 10)]).ok();
});

on_both!(eng_02_documents_are_issued_for_five_days, |world| {
    let lot = world.lot(Construction).registered();
    publish(&lot, &[("doc_issue_end_at", 4)]).refused_by(422, "issue-period-too-short", "ENG-02");
    publish(&lot, &[("doc_issue_end_at", 5)]).ok();
});

on_both!(eng_04_a_clarification_that_affects_bids_leaves_fifteen_days_or_moves_the_deadline, |world| {
    let lot = world.lot(Construction).noticed();
    let noticed = world.now();
    world.set_clock(noticed.plus_seconds(15 * DAY));
    clarify(&lot, true, None).ok();
    world.set_clock(noticed.plus_seconds(16 * DAY));
    clarify(&lot, true, None).refused_by(422, "clarification-too-late", "ENG-04");
    let revision = lot.revision();
    assert_eq!(lot.notices(), ["invitation", "clarification"], "what is refused is not published");
    world.tick();
    clarify(&lot, false, None).ok();
    assert_ne!(lot.revision(), revision);
    clarify(&lot, true, Some(14)).refused_by(422, "clarification-too-late", "ENG-04");
    clarify(&lot, true, Some(15)).ok();
    assert_eq!(lot.deadline(), world.now().plus_seconds(15 * DAY));
});

on_both!(eng_05_an_objection_ten_days_before_the_deadline_stops_the_procedure_until_its_answer, |world| {
    let initiator = world.initiator();
    let lot = world.lot(Construction).noticed();
    let deadline = lot.deadline();
    let object = || {
        world
            .bidder(1)
            .post(lot.path("/questions"), &json!({ "kind": "objection", "text": "The ceiling is too low" }))
            .ok()
    };
    world.set_clock(deadline.plus_seconds(-10 * DAY));
    let objection = object();
    assert_eq!((&objection["state"], lot.holds()), (&json!("open"), vec!["objection".to_owned()]));
    let release = json!({ "kind": "objection", "reason": "Let us go on" });
    lot.act(&initiator, "release", &release).refused_by(409, "objections-open", "ENG-05");
    lot.bid(2, 1, "900000.00").ok();
    let path = format!("/v1/questions/{}/actions/answer", objection["id"].as_str().expect("an id"));
    initiator.post(path, &json!({ "answer": "It is what the estimate says" })).ok();
    assert_eq!(lot.holds(), Vec::<String>::new(), "the last answer lets it go on");
    world.set_clock(deadline.plus_seconds(-9 * DAY));
    let late = object();
    assert_eq!((&late["state"], &late["inadmissible"]["rule"]), (&json!("inadmissible"), &json!("ENG-05")));
    assert_eq!(lot.holds(), Vec::<String>::new());
});

on_both!(eng_05_an_objection_that_is_answered_after_the_deadline_needs_a_new_one, |world| {
    let initiator = world.initiator();
    let lot = world.lot(Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
    let objection =
        world.bidder(4).post(lot.path("/questions"), &json!({ "kind": "objection", "text": "Unclear" })).ok();
    let lot = lot.closed();
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("noticed", 0));
    let path = format!("/v1/questions/{}/actions/answer", objection["id"].as_str().expect("an id"));
    initiator.post(path, &json!({ "answer": "Clear now" })).ok();
    assert_eq!(lot.holds(), ["objection"], "the initiator has to say the new deadline");
    let release = |new: Value| {
        lot.act(&initiator, "release", &json!({ "kind": "objection", "reason": "Answered", "new_deadline_at": new }))
    };
    release(Value::Null).refused_by(422, "new-deadline-needed", "PF-09");
    release(json!(world.now().plus_seconds(DAY))).ok();
    assert_eq!(lot.closed().state(), "opening");
});

on_both!(eng_07_the_bid_security_is_at_most_two_percent_of_the_estimate, |world| {
    published_with(world, &json!({ "deposit": cny("20000.01") })).refused_by(422, "security-too-high", "ENG-07");
    published_with(world, &json!({ "deposit": cny("20000.00") })).ok();
    published_with(world, &json!({ "deposit": null, "estimate": null })).ok();
});

on_both!(eng_09_a_ceiling_is_disclosed_and_no_lowest_price_is_set, |world| {
    published_with(world, &json!({ "ceiling": null })).refused_by(422, "ceiling-missing", "ENG-09");
    published_with(world, &json!({ "floor_price": cny("1.00") })).refused_by(422, "floor-price-forbidden", "ENG-09");
    published_with(world, &json!({ "ceiling": cny("0.01") })).ok();
});

on_both!(eng_13_bids_are_changed_and_taken_back_until_the_deadline_and_not_at_it, |world| {
    let lot = world.lot(Construction).noticed().with_bids(&["900000.00", "910000.00"]);
    let (replacement, _) = lot.uploaded_bid(1, 2, "890000.00");
    let (late, _) = lot.uploaded_bid(1, 3, "880000.00");
    let deadline = lot.deadline();
    world.set_clock(deadline.plus_millis(-1));
    assert_eq!(lot.submit(1, &replacement).ok()["kind"], "bid.replaced");
    lot.withdraw(2).ok();
    world.set_clock(deadline);
    lot.submit(1, &late).refused_by(409, "bid-late", "ENG-14");
    let problem = lot.withdraw(1).refused_by(409, "bid-late", "EB-02");
    assert_eq!(problem["refusal"]["kind"], "bid.refused");
    assert_eq!(lot.mine(1)["rev"], 2);
});

on_both!(eng_16_three_bids_open_and_two_do_not, |world| {
    let lot = world.lot(Construction).noticed().with_bids(&["900000.00", "910000.00"]).closed();
    assert_eq!((lot.state().as_str(), lot.view()["cause"].clone()), ("unsuccessful", json!("too_few_received")));
    let failure = world.nobody("GET", lot.path("/notices")).send().ok();
    assert_eq!(failure["items"][1]["content"]["cause"], "too_few_received");
    let lot = world.lot(Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]).closed();
    assert_eq!(lot.state(), "opening");
});

on_both!(eng_17_the_opening_is_at_the_deadline, |world| {
    let lot = world.lot(Construction).registered();
    let mut schedule = lot.schedule();
    let deadline = world.now().plus_seconds(30 * DAY);
    schedule["opens_at"] = json!(deadline.plus_seconds(30 * 60).plus_millis(1));
    lot.act(&world.initiator(), "publish", &schedule).refused_by(422, "opening-not-at-deadline", "ENG-17");
    schedule["opens_at"] = json!(deadline.plus_seconds(30 * 60));
    lot.act(&world.initiator(), "publish", &schedule).ok();
});

on_both!(eng_18_objections_to_the_opening_are_answered_in_it, |world| {
    let lot = world.lot(Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]).closed();
    lot.session(&world.centre(), "read-out").ok();
    let object = |n: usize| world.bidder(n).post(lot.path("/opening/objections"), &json!({ "text": "Misread" }));
    object(4).refused_by(409, "objector-without-bid", "ENG-18");
    let objection = object(1).ok();
    lot.session(&world.initiator(), "confirm").refused_by(409, "objections-open", "ENG-18");
    let path = format!("/v1/objections/{}/actions/answer", objection["id"].as_str().expect("an id"));
    world.initiator().post(path, &json!({ "answer": "Read again" })).ok();
    lot.session(&world.initiator(), "confirm").ok();
    lot.session(&world.centre(), "close").ok();
});

/// Candidates are published; bidder 1 is first, bidder 2 second.
fn in_publicity<'w>(world: &'w World, terms: &Value) -> LotStory<'w> {
    let lot = world
        .lot(Construction)
        .terms(terms)
        .noticed()
        .with_bids(&["900000.00", "910000.00", "920000.00"])
        .opened()
        .evaluated();
    lot.act(&world.initiator(), "publish-candidates", &json!({ "lines": [] })).ok();
    lot
}

on_both!(eng_28_candidates_are_published_for_three_days_and_an_objection_stops_them, |world| {
    let (initiator, bidder) = (world.initiator(), world.bidder(3));
    let lot = in_publicity(world, &json!({}));
    let ends = lot.time("publicity_ends_at");
    assert!(ends.millis() >= world.now().plus_seconds(3 * DAY).millis());
    lot.award(1, None).refused_by(409, "state-forbids", "PF-01");
    let object = |text: &str| bidder.post(lot.path("/objections"), &json!({ "text": text }));
    world
        .bidder(4)
        .post(lot.path("/objections"), &json!({ "text": "I have no bid" }))
        .refused(409, "objector-without-bid");
    let objection = object("The first is not qualified").ok();
    assert_eq!((&objection["state"], lot.holds()), (&json!("open"), vec!["objection".to_owned()]));
    world.advance_to(ends.plus_seconds(DAY));
    assert_eq!(lot.state(), "publicity", "the publicity does not end over an objection");
    lot.award(1, None).refused_by(409, "state-forbids", "PF-01");
    let release = json!({ "kind": "objection", "reason": "Let us go on" });
    lot.act(&initiator, "release", &release).refused_by(409, "objections-open", "ENG-05");
    let path = format!("/v1/objections/{}/actions/answer", objection["id"].as_str().expect("an id"));
    initiator.post(path, &json!({ "answer": "It is" })).ok();
    world.settle();
    assert_eq!((lot.state().as_str(), lot.holds()), ("awardable", Vec::new()));
    assert_eq!(object("And another thing").ok()["state"], "inadmissible");
    lot.award(1, None).ok();
});

on_both!(eng_28_an_objection_after_the_last_day_is_inadmissible_although_the_scheduler_is_late, |world| {
    let lot = in_publicity(world, &json!({}));
    let object =
        || world.bidder(3).post(lot.path("/objections"), &json!({ "text": "The first is not qualified" })).ok();
    world.set_clock(lot.time("publicity_ends_at"));
    assert_eq!((lot.state().as_str(), &object()["state"]), ("publicity", &json!("inadmissible")));
    assert_eq!(lot.holds(), Vec::<String>::new());
});

on_both!(eng_29_a_state_funded_lot_goes_to_the_first_unless_a_listed_cause_is_given, |world| {
    let awardable = |terms: &Value| {
        let lot = in_publicity(world, terms);
        world.advance_to(lot.time("publicity_ends_at"));
        assert_eq!(lot.state(), "awardable");
        lot
    };
    let lot = awardable(&json!({ "state_funded": true }));
    lot.award(2, None).refused_by(422, "rank-not-first", "ENG-29");
    let awarded = lot.award(2, Some("gave_up")).ok();
    assert_eq!((&awarded["award"]["rank"], &awarded["award"]["price"]), (&json!(2), &cny("910000.00")));
    awardable(&json!({ "state_funded": true })).award(1, None).ok();
    awardable(&json!({ "state_funded": false })).award(2, None).ok();
});

on_both!(eng_39_fewer_responsive_bids_end_a_lot_by_a_decision_that_fits_and_not_by_themselves, |world| {
    let lot = world.lot(Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]).opened();
    let fail = |cause: &str| {
        lot.act(&world.initiator(), "declare-unsuccessful", &json!({ "cause": cause, "reason": "As judged" }))
    };
    fail("competition_lacking").refused_by(422, "failure-cause-does-not-fit", "ENG-39");
    lot.judge(1, &json!({ "decision": "responsive" })).ok();
    lot.judge(2, &json!({ "decision": "rejected", "code": "unqualified", "reason": "No licence" })).ok();
    lot.judge(3, &json!({ "decision": "rejected", "code": "above_ceiling", "reason": "x" }))
        .refused(422, "rejection-is-computed");
    lot.act(&world.initiator(), "complete-evaluation", &json!({ "lines": [] })).refused_by(
        409,
        "bids-undecided",
        "PF-15",
    );
    lot.judge(3, &json!({ "decision": "rejected", "code": "not_signed", "reason": "No seal" })).ok();
    fail("all_rejected").refused_by(422, "failure-cause-does-not-fit", "ENG-39");
    fail("below_reserve").refused_by(422, "failure-cause-does-not-fit", "ENG-39");
    let bids = lot.evaluation(&world.centre())["bids"].as_array().expect("bids").clone();
    assert_eq!(texts(&bids, "place"), ["ranked", "rejected", "rejected"]);
    fail("competition_lacking").ok();
    assert_eq!((lot.state().as_str(), lot.has_private_key()), ("unsuccessful", false));
});

on_both!(a_construction_lot_has_no_act_of_another_edition, |world| {
    let lot = world.lot(Construction).noticed();
    let amend =
        json!({ "lines": ["Another house"], "new_deadline_at": world.now().plus_seconds(60 * DAY), "reason": "x" });
    let problem = lot.act(&world.initiator(), "amend", &amend).refused_by(409, "state-forbids", "PF-01");
    assert_eq!(problem["retry"], "never");
});
