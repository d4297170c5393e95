//! The rules of land-use tenders over HTTP: what each accepts, what it refuses, and that it says which one it is.

use sealbid::rules::editions::Category::LandUse;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::story::{LotStory, cny};
use crate::support::world::World;

const DAY: i64 = 24 * 3_600;

on_both!(ld_02_the_notice_is_out_twenty_days_before_bidding_begins, |world| {
    let lot = world.lot(LandUse).registered();
    let publish = |days: i64| {
        let mut schedule = lot.schedule();
        schedule["bidding_opens_at"] = json!(world.now().plus_seconds(days * DAY));
        lot.act(&world.initiator(), "publish", &schedule)
    };
    publish(19).refused_by(422, "bidding-opens-too-early", "LD-02");
    publish(20).ok();

    let opens = lot.instant("bidding_opens_at").expect("a start of bidding");
    let (body, _) = lot.uploaded_bid(1, 1, "120000.00");
    world.set_clock(opens.plus_millis(-1));
    let send = || world.bidder(1).request("POST", lot.path("/bids")).key("early").json(&body).send();
    let problem = send().refused_by(409, "bidding-not-begun", "LD-02");
    assert_eq!((&problem["retry"], &problem["possible_at"]), (&json!("same_request"), &json!(opens)));
    world.set_clock(opens);
    assert_eq!(send().ok()["state"], "submitted", "the same request, when time has done its part");
    let mine = lot.mine(1);
    assert_eq!((mine["refusals"].as_array().map(Vec::len), &mine["state"]), (Some(1), &json!("submitted")));
});

on_both!(ld_04_the_notice_says_whether_there_is_a_reserve_price, |world| {
    let lot = world.lot(LandUse).terms(&json!({ "reserve": "not_announced" })).registered();
    lot.act(&world.initiator(), "publish", &lot.schedule()).refused_by(422, "reserve-not-stated", "LD-04");
    let lot = world.lot(LandUse).terms(&json!({ "reserve": "declared_none" })).noticed();
    lot.seal_reserve(1, "110000.00").refused(409, "reserve-not-announced");
});

on_both!(ld_04_where_the_announced_reserve_price_is_missing_at_the_deadline_nothing_opens, |world| {
    let initiator = world.initiator();
    let lot = world.lot(LandUse).terms(&json!({ "reserve": "announced" })).noticed();
    let lot = lot.with_bids(&["120000.00", "115000.00", "130000.00"]);
    let (late, reserve) = (lot.uploaded_bid(4, 1, "140000.00").0, lot.uploaded_reserve(1, "110000.00"));
    let lot = lot.closed();
    assert_eq!((lot.state().as_str(), lot.holds(), lot.unsealed()), ("noticed", vec!["reserve_missing".to_owned()], 0));
    lot.put_reserve(&reserve).refused(409, "reserve-not-possible");
    lot.submit(4, &late).refused_by(409, "bid-late", "ENG-14");
    let release = |person: &str, new: Value| {
        let body = json!({ "kind": "reserve_missing", "reason": "It is ready now", "new_deadline_at": new });
        lot.act(&world.person(person), "release", &body)
    };
    release("initiator1", Value::Null).refused_by(422, "new-deadline-needed", "PF-09");
    let new = world.now().plus_seconds(DAY);
    release("centre", json!(new)).refused_by(422, "hold-not-yours", "PF-09");
    release("initiator1", json!(new)).ok();
    lot.act(&initiator, "hold", &json!({ "kind": "reserve_missing", "reason": "x" })).refused_by(
        422,
        "hold-not-yours",
        "PF-09",
    );
    lot.put_reserve(&reserve).ok();
    lot.seal_reserve(1, "109000.00").refused(409, "bid-rev-stale");
    lot.seal_reserve(2, "112000.00").ok();
    let lot = lot.opened();
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("opened", 4), "three bids and the last reserve price");
    assert_eq!(lot.opening(&initiator)["record"]["reserve"]["price"], cny("112000.00"));
});

on_both!(ld_04_offers_that_are_all_below_the_reserve_price_end_the_lot_and_keep_it_secret, |world| {
    let initiator = world.initiator();
    let lot = world.lot(LandUse).terms(&json!({ "reserve": "announced" })).noticed();
    let lot = lot.with_bids(&["109999.99", "105000.00", "101000.00"]);
    lot.seal_reserve(1, "110000.00").ok();
    let lot = lot.opened().judged();
    lot.act(&initiator, "complete-evaluation", &json!({ "lines": [] })).refused_by(409, "no-responsive-bid", "PF-15");
    let fail =
        |cause: &str| lot.act(&initiator, "declare-unsuccessful", &json!({ "cause": cause, "reason": "As opened" }));
    fail("competition_lacking").refused_by(422, "failure-cause-does-not-fit", "ENG-39");
    fail("below_reserve").ok();
    let view = lot.view();
    assert_eq!(
        (&view["state"], &view["cause"], lot.has_private_key()),
        (&json!("unsuccessful"), &json!("below_reserve"), false)
    );
    assert_eq!(lot.record()["reserve"], Value::Null, "there is no deal: it stays between the parties");
    let notices = world.nobody("GET", lot.path("/notices")).send().ok();
    assert!(!notices.to_string().contains("110000.00") && notices.to_string().contains("below_reserve"), "{notices}");
    for login in ["centre", "bidder1"] {
        assert!(!world.person(login).get(lot.path("/opening")).text().contains("110000.00"), "{login}");
    }
});

on_both!(ld_04_one_offer_at_the_reserve_price_is_enough, |world| {
    let lot = world.lot(LandUse).terms(&json!({ "reserve": "announced" })).noticed();
    let lot = lot.with_bids(&["110000.00", "105000.00", "101000.00"]);
    lot.seal_reserve(1, "110000.00").ok();
    let lot = lot.opened().judged();
    let fail = json!({ "cause": "below_reserve", "reason": "x" });
    lot.act(&world.initiator(), "declare-unsuccessful", &fail).refused_by(422, "failure-cause-does-not-fit", "ENG-39");
    let lot = lot.evaluated();
    lot.award(2, None).refused(422, "bid-not-ranked");
    assert_eq!(lot.award(1, None).ok()["award"]["price"], cny("110000.00"));
});

on_both!(ld_05_with_fewer_than_three_bidders_the_tender_stops, |world| {
    let lot = world.lot(LandUse).noticed().with_bids(&["120000.00", "130000.00"]).closed();
    assert_eq!(
        (lot.state().as_str(), lot.view()["cause"].clone(), lot.unsealed()),
        ("unsuccessful", json!("too_few_received"), 0)
    );
    let lot = world.lot(LandUse).noticed().with_bids(&["120000.00", "130000.00", "140000.00"]).closed();
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("opening", 3));
});

on_both!(ld_09_the_deposit_is_at_least_a_fifth_of_the_minimum_price, |world| {
    let publish = |terms: &Value| {
        let lot = world.lot(LandUse).terms(terms).registered();
        lot.act(&world.initiator(), "publish", &lot.schedule())
    };
    publish(&json!({ "deposit": cny("19999.99") })).refused_by(422, "deposit-too-low", "LD-09");
    publish(&json!({ "deposit": null })).refused_by(422, "deposit-too-low", "LD-09");
    publish(&json!({ "deposit": cny("20000.00") })).ok();
    publish(&json!({ "deposit": cny("20000.00"), "minimum_price": cny("100000.01") })).refused_by(
        422,
        "deposit-too-low",
        "LD-09",
    );
});

fn bidding<'w>(world: &'w World, terms: &Value) -> LotStory<'w> {
    world.lot(LandUse).terms(terms).noticed().with_bids(&["120000.00"])
}

on_both!(ld_13_a_bid_in_the_box_stands_unless_the_notice_allows_otherwise, |world| {
    let lot = bidding(world, &json!({}));
    let problem = lot.withdraw(1).refused_by(409, "withdrawal-not-allowed", "LD-13");
    assert_eq!(problem["refusal"]["code"], "withdrawal-not-allowed");
    lot.bid(1, 2, "125000.00").refused_by(409, "withdrawal-not-allowed", "LD-13");
    let mine = lot.mine(1);
    assert_eq!((&mine["state"], &mine["rev"], &mine["version"]), (&json!("submitted"), &json!(1), &json!(1)));
    let lot = bidding(world, &json!({ "withdrawal_allowed": true }));
    lot.bid(1, 2, "125000.00").ok();
    lot.withdraw(1).ok();
    assert_eq!(lot.mine(1)["state"], "withdrawn");
});

on_both!(ld_13_the_highest_price_wins_and_no_cause_makes_it_the_second, |world| {
    let lot = world.lot(LandUse).noticed().with_bids(&["120000.00", "150000.00", "130000.00"]).opened().evaluated();
    lot.award(3, None).refused_by(422, "rank-not-first", "LD-13");
    lot.award(3, Some("gave_up")).refused_by(422, "rank-not-first", "LD-13");
    assert_eq!(lot.award(2, None).ok()["award"]["price"], cny("150000.00"));
});

on_both!(pf_18_an_objection_to_the_result_stops_the_award_of_land_until_its_answer, |world| {
    let lot = world.lot(LandUse).noticed().with_bids(&["120000.00", "150000.00", "130000.00"]).opened().evaluated();
    let objection = world.bidder(1).post(lot.path("/objections"), &json!({ "text": "Misjudged" })).ok();
    assert_eq!(lot.holds(), ["objection"]);
    lot.award(2, None).refused_by(409, "hold-forbids", "G-09");
    let path = format!("/v1/objections/{}/actions/answer", objection["id"].as_str().expect("an id"));
    world.initiator().post(path, &json!({ "answer": "It is not" })).ok();
    lot.award(2, None).ok();
});
