//! The rules of state assets over HTTP: what each accepts, what it refuses, and that it says which one it is.

use sealbid::kernel::time::Timestamp;
use sealbid::rules::editions::Category::StateAsset;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::steps::texts;
use crate::support::story::{LotStory, cny};
use crate::support::world::World;

/// Nine o'clock in China on a day of 2026.
fn nine(day: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-{day}T01:00:00.000Z")).expect("a time")
}

/// Publishes on those terms with the deadline on that day; every test begins on Monday, 2 March 2026.
fn publish(world: &World, terms: &Value, deadline: &str) -> Answer {
    let lot = world.lot(StateAsset).terms(terms).registered();
    lot.act(&world.initiator(), "publish", &json!({ "deadline_at": nine(deadline) }))
}

/// Asked and appraised at the same price.
fn priced(amount: &str) -> Value {
    json!({ "asking": cny(amount), "appraisal": cny(amount) })
}

on_both!(pr_01_whoever_offers_most_gets_the_asset_and_nobody_else, |world| {
    let lot = world.lot(StateAsset).noticed().with_bids(&["510000.00", "520000.00"]).opened().evaluated();
    lot.award(1, None).refused_by(422, "rank-not-first", "PR-01");
    lot.award(1, Some("gave_up")).refused_by(422, "rank-not-first", "PR-01");
    lot.award(2, None).ok();
});

on_both!(pr_02_the_first_asking_price_is_at_least_the_appraisal, |world| {
    let terms = |asking: &str, first: bool| json!({ "asking": cny(asking), "first_disclosure": first });
    publish(world, &terms("499999.99", true), "04-10").refused_by(422, "asking-below-appraisal", "PR-02");
    publish(world, &json!({ "appraisal": null }), "04-10").refused_by(422, "asking-below-appraisal", "PR-02");
    publish(world, &terms("500000.00", true), "04-10").ok();
    publish(world, &terms("450000.00", false), "04-10").ok();
});

on_both!(pr_03_property_rights_are_disclosed_for_twenty_working_days_whatever_their_price, |world| {
    let equity = json!({ "equity_transfer": true });
    publish(world, &equity, "03-29").refused_by(422, "disclosure-too-short", "PR-03");
    publish(world, &equity, "03-30").ok();
});

on_both!(pr_04_assets_are_disclosed_for_ten_or_twenty_working_days_by_their_price, |world| {
    let problem = publish(world, &priced("10000000.00"), "03-15").refused_by(422, "disclosure-too-short", "PR-04");
    assert!(problem["hint"].as_str().is_some_and(|hint| hint.contains("2026-03-16")), "{problem}");
    publish(world, &priced("10000000.00"), "03-16").ok();
    publish(world, &priced("10000000.01"), "03-29").refused_by(422, "disclosure-too-short", "PR-04");
    publish(world, &priced("10000000.01"), "03-30").ok();
});

on_both!(pr_05_a_repeated_disclosure_below_ninety_percent_has_written_consent, |world| {
    let again = |asking: &str, consent: bool| json!({ "asking": cny(asking), "first_disclosure": false, "consent_below_appraisal": consent });
    publish(world, &again("449999.99", false), "04-10").refused_by(422, "consent-missing", "PR-05");
    publish(world, &again("449999.99", true), "04-10").ok();
});

on_both!(pr_06_what_was_disclosed_stands_and_a_change_begins_its_period_again, |world| {
    let initiator = world.initiator();
    let lot = world.lot(StateAsset).registered();
    lot.act(&initiator, "publish", &json!({ "deadline_at": nine("03-16") })).ok();
    lot.bid(1, 1, "500000.00").ok();
    let clarify =
        |affects: bool| lot.act(&initiator, "clarify", &json!({ "lines": ["A point"], "affects_bid": affects }));
    clarify(true).refused_by(422, "content-frozen", "PR-06");
    world.tick();
    clarify(false).ok();
    let revision = lot.revision();
    world.set_clock(nine("03-13"));
    let amend = |deadline: &str| {
        lot.act(
            &initiator,
            "amend",
            &json!({ "lines": ["The lift is out of order"], "new_deadline_at": nine(deadline), "reason": "It broke" }),
        )
    };
    amend("03-26").refused_by(422, "disclosure-not-restarted", "PR-06");
    assert_eq!((lot.revision(), lot.deadline()), (revision, nine("03-16")), "nothing of it happened");
    amend("03-27").ok();
    assert_eq!(lot.deadline(), nine("03-27"));
    assert_ne!(lot.revision(), revision);
    assert_eq!(lot.mine(1)["needs_confirmation"], true);
    assert_eq!(lot.notices(), ["invitation", "clarification", "clarification"]);
    assert_eq!(lot.closed().state(), "opening");
});

on_both!(pr_10_a_single_offer_pays_the_higher_of_offer_and_asking_price, |world| {
    let lot = world.lot(StateAsset).noticed().with_bids(&["499999.99", "505000.00"]).opened().evaluated();
    let bids = lot.evaluation(&world.centre())["bids"].as_array().expect("bids").clone();
    assert_eq!(
        (texts(&bids, "place"), &bids[1]["rule"]),
        (vec!["ranked".to_owned(), "rejected".to_owned()], &json!("PR-10"))
    );
    lot.award(1, None).refused(422, "bid-not-ranked");
    assert_eq!(lot.award(2, None).ok()["award"]["price"], cny("505000.00"));
});

on_both!(pr_10_what_is_below_the_asking_price_is_no_offer, |world| {
    let initiator = world.initiator();
    let lot = world.lot(StateAsset).noticed().with_bids(&["499999.99"]).opened().judged();
    lot.act(&initiator, "complete-evaluation", &json!({ "lines": [] })).refused_by(409, "no-responsive-bid", "PF-15");
    let fail = |cause: &str| {
        lot.act(&initiator, "declare-unsuccessful", &json!({ "cause": cause, "reason": "Nobody offered enough" }))
    };
    fail("below_reserve").refused_by(422, "failure-cause-does-not-fit", "ENG-39");
    fail("all_rejected").ok();
    assert_eq!(lot.state(), "unsuccessful");
});

/// The result is published; returns when its notice ends.
fn with_result<'w>(world: &'w World) -> (LotStory<'w>, Timestamp) {
    let lot = world.lot(StateAsset).noticed().with_bids(&["510000.00", "505000.00"]).opened().evaluated();
    lot.award(1, None).ok();
    lot.act(&world.initiator(), "publish-result", &json!({ "lines": [] })).ok();
    let ends = lot.time("result_notice_ends_at");
    (lot, ends)
}

on_both!(pr_13_a_lot_is_concluded_when_its_result_was_out_for_five_working_days, |world| {
    let (lot, ends) = with_result(world);
    assert_eq!(ends.local_date().to_string(), "2026-04-17", "Saturday, 11 April, and five working days");
    world.advance_to(ends.plus_millis(-1));
    assert_eq!(lot.state(), "published");
    world.advance_to(ends);
    assert_eq!(lot.state(), "concluded");
});

on_both!(pr_13_a_lot_is_not_concluded_over_an_objection, |world| {
    let (lot, ends) = with_result(world);
    let objection = world.bidder(2).post(lot.path("/objections"), &json!({ "text": "Mine was higher" })).ok();
    assert_eq!((&objection["state"], lot.holds()), (&json!("open"), Vec::new()));
    world.advance_to(ends.plus_seconds(3_600));
    assert_eq!(lot.state(), "published");
    let path = format!("/v1/objections/{}/actions/answer", objection["id"].as_str().expect("an id"));
    world.initiator().post(path, &json!({ "answer": "It was not" })).ok();
    world.settle();
    assert_eq!(lot.state(), "concluded");
});
