//! The three categories, each from its registration to its result, as the people of a lot live through it.

use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::steps::{items, texts};
use crate::support::story::{LotStory, cny};
use crate::support::world::World;

/// What happened to a lot, by kind.
fn happened(lot: &LotStory<'_>) -> Vec<String> {
    let timeline = lot.world.nobody("GET", lot.path("/timeline")).send().ok();
    texts(timeline["happened"].as_array().expect("a list"), "kind")
}

/// The rules behind what is due.
fn due(lot: &LotStory<'_>) -> Vec<String> {
    let timeline = lot.world.nobody("GET", lot.path("/timeline")).send().ok();
    let due = timeline["due"].as_array().expect("a list").clone();
    due.iter().filter_map(|item| item["rule"].as_str().map(str::to_owned)).collect()
}

/// Everything in the outbox has been dealt with; returns to whom something was sent.
fn told(world: &World) -> Vec<String> {
    world.settle();
    for state in ["waiting", "failed"] {
        let left = items(&world.admin().get(format!("/v1/mails?state={state}")).ok());
        assert!(left.is_empty(), "{state}: {left:?}");
    }
    let sent = items(&world.admin().get("/v1/mails?state=sent&limit=100").ok());
    let files = std::fs::read_dir(world.dir().join("mail")).expect("mails were written").flatten();
    let written = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "eml")).count();
    assert_eq!(written, sent.len(), "one file for each message that counts as sent");
    texts(&sent, "recipient")
}

fn mail_of(login: &str) -> String {
    format!("{login}@example.org")
}

/// The record as a page, as a browser asks for it.
fn page(lot: &LotStory<'_>) -> String {
    let answer = lot.world.nobody("GET", lot.path("/opening-record")).header("Accept", "text/html").send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{:?}", answer.headers);
    assert!(
        answer.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")),
        "{:?}",
        answer.headers
    );
    answer.text()
}

fn states(record: &Value) -> Vec<(String, Value)> {
    let bids = record["bids"].as_array().expect("bids").clone();
    bids.iter()
        .map(|bid| (bid["outcome"].as_str().expect("an outcome").to_owned(), bid["price"]["amount"].clone()))
        .collect()
}

/// A construction lot from its draft to its notice, with a detour through the centre's deficiencies.
fn published(world: &World) -> LotStory<'_> {
    let initiator = world.initiator();
    let lot = world.lot(Category::Construction).drafted();
    assert_eq!(lot.explained(&initiator, "submit")["allowed"], true);
    let publish = lot.explained(&initiator, "publish");
    assert_eq!((&publish["allowed"], &publish["refusals"][0]["rule"]), (&json!(false), &json!("PF-01")), "{publish}");
    lot.act(&initiator, "submit", &Value::Null).ok();
    let returned =
        lot.act(&world.centre(), "return", &json!({ "deficiencies": ["The approval is not attached"] })).ok();
    assert_eq!(
        (&returned["state"], &returned["deficiencies"][0]),
        (&json!("draft"), &json!("The approval is not attached"))
    );
    lot.act(&initiator, "submit", &Value::Null).ok();
    assert_eq!(items(&world.centre().get("/v1/reviews").ok()).len(), 1);
    lot.act(&world.centre(), "accept", &Value::Null).ok();
    world.nobody("GET", lot.path("")).send().refused(404, "not-found");
    lot.act(&initiator, "publish", &lot.schedule()).ok();
    assert_eq!(world.nobody("GET", lot.path("")).send().ok()["state"], "noticed");
    lot
}

on_both!(a_construction_lot_is_run_from_its_draft_to_its_result, |world| {
    let initiator = world.initiator();
    let lot = published(world);
    let lot = lot.with_bids_in_turn(&["950000.00", "900000.00", "1000000.01"]).opened();
    assert_eq!(lot.state(), "opened");
    let prices = [("opened", "950000.00"), ("opened", "900000.00"), ("opened", "1000000.01")];
    assert_eq!(states(&lot.record()), prices.map(|(state, price)| (state.to_owned(), json!(price))));
    let page = page(&lot);
    for text in ["950000.00 CNY", "900000.00 CNY", "1000000.01 CNY", "bidder1 Ltd", "initiator1 Ltd", lot.id.as_str()] {
        assert!(page.contains(text), "{text} is missing in {page}");
    }

    let lot = lot.evaluated();
    assert_eq!(due(&lot), ["ENG-28"], "the candidates are due");
    let evaluation = lot.evaluation(&world.centre());
    assert_eq!(
        texts(evaluation["bids"].as_array().expect("bids"), "bidder_name"),
        ["bidder2 Ltd", "bidder1 Ltd", "bidder3 Ltd"]
    );
    assert_eq!(
        (&evaluation["bids"][2]["code"], &evaluation["bids"][2]["is_computed"]),
        (&json!("above_ceiling"), &json!(true))
    );
    assert_eq!(evaluation["recommended"], lot.bid_id(2));
    world.nobody("GET", lot.path("/evaluation")).send().refused(404, "not-found");

    world.tick();
    lot.act(&initiator, "publish-candidates", &json!({ "lines": [] })).ok();
    assert_eq!(lot.state(), "publicity");
    // Published on 1 April; three days on is a holiday, and so are the two days after it.
    assert_eq!(lot.view()["publicity_ends_at"], "2026-04-07T15:59:59.999Z");
    assert_eq!(lot.evaluation(&world.bidder(8))["report"]["ranked"][0]["rank"], 1);
    world.advance_to(lot.time("publicity_ends_at").plus_millis(-1));
    assert_eq!(lot.state(), "publicity");
    world.advance_to(lot.time("publicity_ends_at"));
    assert_eq!(lot.state(), "awardable");
    let awarded = lot.award(2, None).ok();
    assert_eq!((&awarded["award"]["price"], &awarded["award"]["rank"]), (&cny("900000.00"), &json!(1)));
    assert_eq!(due(&lot), ["ENG-34"]);
    world.tick();
    lot.act(&initiator, "publish-result", &json!({ "lines": ["Thanks to all."] })).ok();
    assert_eq!(lot.state(), "concluded");

    assert_eq!(lot.notices(), ["invitation", "opening_record", "candidates", "result"]);
    let steps = [
        "registered",
        "submitted",
        "returned",
        "submitted",
        "accepted",
        "published",
        "closed",
        "opening_begun",
        "opened",
    ];
    let after = ["evaluated", "candidates_published", "publicity_ended", "awarded", "result_published"];
    let expected: Vec<String> = steps.iter().chain(&after).map(|step| format!("lot.{step}")).collect();
    assert_eq!(happened(&lot), expected);
    let told = told(world);
    for login in ["bidder1", "bidder2", "bidder3", "initiator1", "centre"] {
        assert!(told.contains(&mail_of(login)), "{login} was told nothing: {told:?}");
    }
    assert!(!told.contains(&mail_of("bidder4")));
});

on_both!(a_land_lot_is_run_to_its_result_with_its_reserve_price_sealed_until_the_deal, |world| {
    let lot = world.lot(Category::LandUse).terms(&json!({ "reserve": "announced" })).noticed();
    let lot = lot.with_bids(&["120000.00", "115000.00", "109999.99"]);
    let receipt = lot.seal_reserve(1, "110000.00").ok();
    assert_eq!(receipt["kind"], "reserve.sealed");
    world
        .person("initiator2")
        .get(format!("/v1/receipts/{}", receipt["entry_id"].as_str().expect("an id")))
        .refused(404, "not-found");
    let lot = lot.opened();
    let page = page(&lot);
    assert!(
        page.contains("120000.00 CNY") && !page.contains("110000.00"),
        "the reserve price is none of the public's business"
    );
    assert_eq!(lot.record()["reserve"], Value::Null);
    assert_eq!(lot.opening(&world.centre())["record"]["reserve"], Value::Null, "nor the centre's");
    assert_eq!(lot.opening(&world.initiator())["record"]["reserve"]["price"], cny("110000.00"));
    assert_eq!(lot.opening(&world.inspector())["record"]["reserve"]["price"], cny("110000.00"));

    let lot = lot.evaluated();
    let evaluation = lot.evaluation(&world.centre());
    assert_eq!((&evaluation["limit"], &evaluation["recommended"]), (&Value::Null, &json!(lot.bid_id(1))));
    assert_eq!(
        (&evaluation["bids"][2]["code"], &evaluation["bids"][2]["rule"]),
        (&json!("below_reserve"), &json!("LD-04"))
    );
    assert_eq!(lot.evaluation(&world.initiator())["limit"], cny("110000.00"));
    lot.act(&world.initiator(), "publish-candidates", &json!({ "lines": [] })).refused_by(
        409,
        "state-forbids",
        "PF-01",
    );

    world.tick();
    let awarded = lot.award(1, None).ok();
    assert_eq!(awarded["award"]["price"], cny("120000.00"));
    assert_eq!(due(&lot), ["LD-10"], "the result is due within ten working days");
    let result = lot.act(&world.initiator(), "publish-result", &json!({ "lines": [] })).ok();
    assert_eq!(result["state"], "concluded");
    let notices = items(&world.nobody("GET", lot.path("/notices")).send().ok());
    let last = notices.last().expect("a notice");
    assert_eq!((&last["kind"], &last["content"]["details"]["reserve_price"]), (&json!("result"), &cny("110000.00")));
    assert_eq!(lot.record()["reserve"]["price"], cny("110000.00"), "there is a deal");
    let told = told(world);
    for login in ["bidder1", "bidder2", "bidder3"] {
        assert!(told.contains(&mail_of(login)), "{login} was told nothing: {told:?}");
    }
});

on_both!(a_state_asset_is_run_to_the_end_of_its_result_notice, |world| {
    let lot = world.lot(Category::StateAsset).noticed().with_bids(&["500000.00", "510000.00", "499999.99"]).opened();
    assert!(page(&lot).contains("510000.00 CNY"));
    let lot = lot.evaluated();
    let evaluation = lot.evaluation(&world.inspector());
    assert_eq!(texts(evaluation["bids"].as_array().expect("bids"), "place"), ["ranked", "ranked", "rejected"]);
    assert_eq!((&evaluation["bids"][2]["code"], &evaluation["limit"]), (&json!("below_asking"), &cny("500000.00")));
    assert_eq!(lot.award(2, None).ok()["award"]["price"], cny("510000.00"));
    world.tick();
    let published = lot.act(&world.initiator(), "publish-result", &json!({ "lines": [] })).ok();
    // Published on Saturday, 11 April: the fifth working day after it is Friday.
    assert_eq!(
        (&published["state"], &published["result_notice_ends_at"]),
        (&json!("published"), &json!("2026-04-17T15:59:59.999Z"))
    );
    world.advance_to(lot.time("result_notice_ends_at").plus_millis(-1));
    assert_eq!(lot.state(), "published");
    world.advance_to(lot.time("result_notice_ends_at"));
    assert_eq!(lot.state(), "concluded");
    assert_eq!(happened(&lot).last().map(String::as_str), Some("lot.concluded"));
    assert_eq!(lot.notices(), ["invitation", "opening_record", "result"]);
    assert!(told(world).contains(&mail_of("bidder1")));
});

on_both!(a_lot_that_failed_is_tendered_again_once_and_linked_to_its_predecessor, |world| {
    let initiator = world.initiator();
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]).closed();
    assert_eq!((lot.state().as_str(), &lot.view()["cause"]), ("unsuccessful", &json!("too_few_received")));
    world.person("initiator2").act(lot.path("/actions/retender")).refused_by(403, "not-your-act", "PF-02");
    let again = || initiator.request("POST", lot.path("/actions/retender")).key("once").send();
    again().ok();
    assert_eq!(again().header("idempotency-replayed"), Some("true"));
    lot.act(&initiator, "retender", &Value::Null).refused_by(409, "already-retendered", "PF-13");
    let drafts = items(&initiator.get("/v1/lots?state=draft").ok());
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    let (new, old) = (&drafts[0], lot.view());
    assert_eq!(
        (&new["previous_lot_id"], &new["project_id"], &new["terms"]),
        (&old["id"], &old["project_id"], &old["terms"])
    );
    assert_eq!(
        (&new["document_revision"], &new["schedule"]),
        (&Value::Null, &json!({})),
        "it has its own documents and dates"
    );
    assert_eq!(lot.state(), "unsuccessful", "the old one stays what it is");
});

on_both!(a_lot_in_progress_is_not_tendered_again, |world| {
    let lot = world.lot(Category::Construction).noticed();
    lot.act(&world.initiator(), "retender", &Value::Null).refused_by(409, "state-forbids", "PF-01");
});

on_both!(a_terminated_lot_stays_sealed_for_good_and_gives_bidders_their_ciphertext_back, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
    assert!(lot.has_private_key());
    let why = json!({ "reason": "The project was cancelled" });
    lot.act(&world.centre(), "terminate", &why).refused_by(403, "not-your-act", "PF-02");
    lot.act(&world.initiator(), "terminate", &json!({ "reason": " " })).refused(422, "body-invalid");
    world.tick();
    lot.act(&world.initiator(), "terminate", &why).ok();
    assert!(!lot.has_private_key());
    assert_eq!(world.nobody("GET", lot.path("/key-set")).send().ok()["state"], "erased");
    let deadline = lot.deadline();
    world.advance_to(deadline.plus_seconds(3_600));
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("terminated", 0));
    assert_eq!(lot.opening(&world.initiator())["session"]["state"], "not_begun");
    let payload = world.bidder(1).get(format!("/v1/bids/{}/payloads/price", lot.bid_id(1)));
    assert!(payload.status == 200 && !payload.body.is_empty(), "{}", payload.text());
    assert_eq!(lot.mine(1)["state"], "submitted", "it was never opened");
    assert_eq!(lot.notices(), ["invitation", "termination"]);
    world.inspector().look(format!("/v1/inspection/entries?lot={}", lot.id)).ok();
});
