//! Openings: nothing shows before the read-out, the whole box in it, failures are named, and too few bids open nothing.

use std::fs;

use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::steps::{blob, items};
use crate::support::story::LotStory;
use crate::support::world::World;

/// Everybody who has no part in the session but looks.
fn onlookers(world: &World) -> Vec<String> {
    let mut logins = vec![
        "admin".to_owned(),
        "centre".to_owned(),
        "inspector".to_owned(),
        "initiator1".to_owned(),
        "initiator2".to_owned(),
    ];
    logins.extend((1..=4).map(|n| format!("bidder{n}")));
    assert!(logins.iter().all(|login| world.person(login).member.login == *login));
    logins
}

/// Nobody sees anything of an outcome.
fn shows_nothing(lot: &LotStory<'_>) {
    let world = lot.world;
    world.nobody("GET", lot.path("/opening-record")).send().refused(404, "not-found");
    assert_eq!(world.nobody("GET", lot.path("/opening")).send().ok()["record"], Value::Null);
    for login in onlookers(world) {
        let person = world.person(&login);
        person.get(lot.path("/opening-record")).refused(404, "not-found");
        person.get(lot.path("/evaluation")).refused(404, "not-found");
        let opening = lot.opening(&person);
        assert_eq!(opening["record"], Value::Null, "{login} sees {opening}");
        assert_eq!(opening.get("failures"), None, "{login} sees {opening}");
    }
    for n in 1..=3 {
        assert_eq!(lot.mine(n)["state"], "submitted", "its bid lies in the box");
    }
    let entries = items(&world.inspector().look(format!("/v1/inspection/entries?lot={}&limit=100", lot.id)).ok());
    assert!(
        entries.iter().all(|entry| entry["kind"] != "envelope.unsealed" && entry["kind"] != "bid.opened"),
        "{entries:?}"
    );
}

on_both!(nothing_of_an_outcome_shows_before_the_read_out_and_then_the_whole_box_does, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids_in_turn(&["900000.00", "910000.00", "920000.00"]);
    let lot = lot.closed();
    assert_eq!((lot.unsealed(), lot.opening(&world.centre())["session"]["state"].clone()), (3, json!("reading")));
    shows_nothing(&lot);
    lot.session(&world.initiator(), "confirm").refused_by(409, "state-forbids", "PF-01");
    lot.session(&world.person("initiator2"), "read-out").refused_by(403, "not-your-act", "PF-02");
    lot.session(&world.centre(), "read-out").ok();
    assert_eq!(lot.state(), "opening");
    let opening = world.nobody("GET", lot.path("/opening")).send().ok();
    let bids = opening["record"]["bids"].as_array().expect("the whole box").clone();
    let prices: Vec<&Value> = bids.iter().map(|bid| &bid["price"]["amount"]).collect();
    assert_eq!(
        (prices, &opening["session"]["state"]),
        (vec![&json!("900000.00"), &json!("910000.00"), &json!("920000.00")], &json!("read_out"))
    );
    for bid in &bids {
        assert_eq!((&bid["outcome"], &bid["parts"][0]["outcome"]), (&json!("opened"), &json!("opened")));
        assert!(bid["parts"][0]["shares"][0]["proof"].is_string(), "everybody can check the decryption: {bid}");
    }
    for n in 1..=3 {
        assert_eq!(lot.mine(n)["state"], "opened");
    }
    lot.session(&world.centre(), "read-out").refused_by(409, "state-forbids", "PF-01");
    world.nobody("GET", lot.path("/opening-record")).send().refused(404, "not-found");
    world.bidder(4).get(lot.path("/opening-record")).refused(404, "not-found");
    world.bidder(1).get(lot.path("/opening-record")).ok();
});

on_both!(no_session_closes_while_an_objection_is_unanswered, |world| {
    let (initiator, centre) = (world.initiator(), world.centre());
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]).closed();
    let object = |n: usize, text: &str| world.bidder(n).post(lot.path("/opening/objections"), &json!({ "text": text }));
    let answer = |objection: &Value| {
        let path = format!("/v1/objections/{}/actions/answer", objection["id"].as_str().expect("an id"));
        initiator.post(path, &json!({ "answer": "It was read out again" })).ok()
    };
    object(1, "Too early").refused_by(409, "state-forbids", "PF-01");
    lot.session(&centre, "read-out").ok();
    object(4, "I have no bid").refused(409, "objector-without-bid");
    let first = object(1, "My price was misread").ok();
    lot.session(&initiator, "confirm").refused_by(409, "objections-open", "ENG-18");
    assert_eq!(answer(&first)["state"], "answered");
    lot.session(&initiator, "confirm").ok();
    let second = object(2, "And mine").ok();
    for person in [&initiator, &centre] {
        lot.session(person, "close").refused_by(409, "objections-open", "ENG-18");
    }
    assert_eq!(lot.state(), "opening");
    answer(&second);
    lot.session(&centre, "close").ok();
    assert_eq!(lot.state(), "opened");
    let objections = lot.record()["objections"].as_array().expect("a list").clone();
    assert_eq!(objections.len(), 2);
    assert!(objections.iter().all(|objection| objection["answer"] == "It was read out again"));
    object(3, "Too late").refused_by(409, "state-forbids", "PF-01");
});

on_both!(a_session_does_not_close_under_a_hold, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]).closed();
    lot.session(&world.centre(), "read-out").ok();
    lot.session(&world.initiator(), "confirm").ok();
    lot.act(&world.inspector(), "hold", &json!({ "kind": "complaint_order", "reason": "A complaint" })).ok();
    lot.session(&world.centre(), "close").refused_by(409, "hold-forbids", "G-09");
    assert_eq!(lot.opening(&world.centre())["session"]["state"], "confirmed", "nothing of it happened");
    lot.act(&world.inspector(), "release", &json!({ "kind": "complaint_order", "reason": "Unfounded" })).ok();
    lot.session(&world.centre(), "close").ok();
});

on_both!(two_bids_are_never_unsealed_where_three_are_required, |world| {
    for (category, amounts) in
        [(Category::Construction, ["900000.00", "910000.00"]), (Category::LandUse, ["120000.00", "130000.00"])]
    {
        let lot = world.lot(category).noticed().with_bids(&amounts);
        assert!(lot.has_private_key());
        let lot = lot.closed();
        assert_eq!((lot.state().as_str(), lot.unsealed(), lot.has_private_key()), ("unsuccessful", 0, false));
        let view = lot.view();
        assert_eq!((&view["cause"], &view["received_bids"]), (&json!("too_few_received"), &Value::Null));
        assert_eq!(world.nobody("GET", lot.path("/key-set")).send().ok()["state"], "erased");
        assert_eq!(lot.opening(&world.initiator())["session"]["state"], "not_begun");
        for action in ["read-out", "confirm", "close"] {
            let answer = lot.session(&world.initiator(), action);
            assert!((400..500).contains(&answer.status), "{}: {}", answer.asked, answer.text());
        }
        world.initiator().get(lot.path("/evaluation")).refused(404, "not-found");
        for n in [1, 2] {
            let mine = lot.mine(n);
            assert_eq!(mine["state"], "submitted");
            let payload = world.bidder(n).get(format!("/v1/bids/{}/payloads/price", lot.bid_id(n)));
            assert_eq!(
                (payload.status, payload.body.len() as u64),
                (200, mine["parts"][0]["size_bytes"].as_u64().expect("a size"))
            );
        }
        assert_eq!(lot.notices(), ["invitation", "failure"]);
        world.advance_to(world.now().plus_seconds(24 * 3_600));
        assert_eq!((lot.state().as_str(), lot.unsealed()), ("unsuccessful", 0));
    }
});

on_both!(a_single_offer_for_an_asset_is_a_deal_and_none_is_no_deal, |world| {
    for (offer, price) in [("510000.00", "510000.00"), ("500000.00", "500000.00")] {
        let lot = world.lot(Category::StateAsset).noticed().with_bids(&[offer]).opened().evaluated();
        assert_eq!(lot.award(1, None).ok()["award"]["price"]["amount"], price);
    }
    let lot = world.lot(Category::StateAsset).noticed().closed();
    assert_eq!((lot.state().as_str(), lot.unsealed(), lot.has_private_key()), ("unsuccessful", 0, false));
    assert_eq!(lot.view()["cause"], "no_offer");
});

/// How the part of each bid ended and what the bid then is, in the order of receipt.
fn outcomes(record: &Value) -> Vec<[String; 2]> {
    let bids = record["bids"].as_array().expect("bids").clone();
    bids.iter()
        .map(|bid| [&bid["parts"][0]["outcome"], &bid["outcome"]].map(|text| text.as_str().expect("a text").to_owned()))
        .collect()
}

/// Five bids: two in order, one damaged on the disk, one that is no bid inside, and one whose ciphertext is gone.
fn with_three_broken_bids(world: &World) -> LotStory<'_> {
    let lot = world.lot(Category::Construction).noticed().with_bids_in_turn(&["900000.00", "910000.00"]);
    let (damaged, damaged_upload) = lot.uploaded_bid(3, 1, "1.00");
    world.tick();
    lot.submit(3, &damaged).ok();
    world.tick();
    lot.garbage_bid(4).ok();
    let (missing, missing_upload) = lot.uploaded_bid(5, 1, "2.00");
    world.tick();
    lot.submit(5, &missing).ok();
    let path = blob(world, &damaged_upload);
    let mut bytes = fs::read(&path).expect("the ciphertext");
    bytes[100] ^= 1;
    fs::write(&path, bytes).expect("writable");
    fs::remove_file(blob(world, &missing_upload)).expect("it was there");
    lot
}

on_both!(one_damaged_one_garbage_and_one_missing_bid_are_named_and_the_others_rank, |world| {
    let (initiator, centre) = (world.initiator(), world.centre());
    let lot = with_three_broken_bids(world);
    let lot = lot.closed();
    assert_eq!(lot.unsealed(), 3, "what the disk lost may still be put back");
    world.advance_to(world.now().plus_millis(sealbid::limits::RESTORATION_MS));
    assert_eq!(lot.unsealed(), 5, "every envelope has its outcome");
    let failures = lot.opening(&centre)["failures"].as_array().expect("failures").clone();
    let mut named: Vec<String> =
        failures.iter().map(|failed| failed["bid_id"].as_str().expect("an id").to_owned()).collect();
    let mut expected = [3, 4, 5].map(|n| lot.bid_id(n));
    named.sort_unstable();
    expected.sort_unstable();
    assert_eq!(named, expected);
    for login in ["bidder3", "inspector", "initiator2"] {
        assert_eq!(lot.opening(&world.person(login)).get("failures"), None, "not for {login}");
    }
    lot.session(&centre, "read-out").refused_by(409, "failures-unattributed", "EB-05");
    let attribute = |n: usize, cause: &str, reason: &str| {
        initiator.post(
            lot.path("/opening/actions/attribute"),
            &json!({ "bid_id": lot.bid_id(n), "cause": cause, "reason": reason }),
        )
    };
    attribute(1, "bidder", "It opened").refused(409, "nothing-to-attribute");
    attribute(3, "platform", "").refused(422, "body-invalid");
    let said = json!({ "bid_id": lot.bid_id(3), "cause": "platform", "reason": "Not the centre's to say" });
    centre.post(lot.path("/opening/actions/attribute"), &said).refused(403, "role-forbidden");
    attribute(3, "bidder", "First thought").refused(409, "damage-not-the-bidders");
    attribute(3, "third_party", "Second thought").ok();
    attribute(3, "platform", "A disk failed").ok();
    attribute(4, "bidder", "It is no bid").ok();
    lot.session(&centre, "read-out").refused_by(409, "failures-unattributed", "EB-05");
    attribute(5, "third_party", "The file is gone").ok();
    lot.session(&centre, "read-out").ok();
    attribute(5, "bidder", "Too late").refused_by(409, "state-forbids", "PF-01");
    lot.session(&initiator, "confirm").ok();
    lot.session(&centre, "close").ok();

    let record = lot.record();
    let expected = [
        ["opened", "opened"],
        ["opened", "opened"],
        ["bad_payload", "undecrypted_withdrawn"],
        ["bad_manifest", "undecrypted_revoked"],
        ["missing_payload", "undecrypted_withdrawn"],
    ];
    assert_eq!(outcomes(&record), expected.map(|pair| pair.map(str::to_owned)));
    let causes: Vec<(&Value, &Value)> =
        record["bids"].as_array().expect("bids")[2..].iter().map(|bid| (&bid["cause"], &bid["cause_reason"])).collect();
    let expected = [("platform", "A disk failed"), ("bidder", "It is no bid"), ("third_party", "The file is gone")]
        .map(|(cause, why)| (json!(cause), json!(why)));
    assert_eq!(causes, expected.iter().map(|(cause, why)| (cause, why)).collect::<Vec<_>>());
    assert!(record["bids"].as_array().expect("bids")[2..].iter().all(|bid| bid["price"].is_null()));
    assert_eq!(lot.mine(4)["state"], "undecrypted_revoked");
    lot.judge(3, &json!({ "decision": "responsive" })).refused(409, "bid-not-opened");
    let lot = lot.evaluated();
    let evaluation = lot.evaluation(&initiator);
    assert_eq!(evaluation["bids"].as_array().map(Vec::len), Some(2));
    assert_eq!(evaluation["recommended"], lot.bid_id(1));
});

on_both!(a_reserve_price_that_does_not_open_is_named_like_a_bid, |world| {
    let lot = world.lot(Category::LandUse).terms(&json!({ "reserve": "announced" })).noticed();
    let lot = lot.with_bids(&["120000.00", "115000.00", "130000.00"]);
    lot.seal_reserve(1, "1.5").ok();
    let lot = lot.closed();
    let failures = lot.opening(&world.initiator())["failures"].as_array().expect("failures").clone();
    assert_eq!((failures.len(), &failures[0]["kind"]), (1, &json!("reserve")));
    lot.session(&world.centre(), "read-out").refused_by(409, "failures-unattributed", "EB-05");
    let said = json!({ "bid_id": failures[0]["bid_id"], "cause": "initiator", "reason": "Its form was wrong" });
    world.initiator().post(lot.path("/opening/actions/attribute"), &said).ok();
    lot.session(&world.centre(), "read-out").ok();
    assert_eq!(lot.opening(&world.initiator())["record"]["reserve"]["outcome"], "undecrypted_withdrawn");
    lot.session(&world.initiator(), "confirm").ok();
    lot.session(&world.centre(), "close").ok();
    let lot = lot.evaluated();
    lot.award(3, None).refused_by(409, "below-reserve", "LD-04");
});
