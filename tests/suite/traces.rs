//! What leaves a trace besides acts: sessions of staff, denied attempts, uses of the platform key, reads of payloads.

use sealbid::limits::{SIGN_IN_FREE_ATTEMPTS, SIGN_IN_PAUSE_MS};
use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::cast::PASSWORD;
use crate::support::world::World;

/// Rounds of asking for what is put on record without being waited for.
const ROUNDS: usize = 200;

fn of_kind(world: &World, kind: &str) -> Vec<Value> {
    let page = world.inspector().look(format!("/v1/inspection/entries?kind={kind}&limit=100")).ok();
    page["items"].as_array().expect("items").clone()
}

/// Entries of a kind, once there are `count` of them.
#[track_caller]
fn eventually(world: &World, kind: &str, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for _ in 0..ROUNDS {
        found = of_kind(world, kind);
        if found.len() == count {
            return found;
        }
    }
    panic!("{count} entries of {kind} were expected: {found:#?}");
}

fn sign_in(world: &World, login: &str, password: &str) -> Answer {
    world.nobody("POST", "/v1/sessions").json(&json!({ "login": login, "password": password })).send()
}

on_both!(a_session_of_staff_is_on_record_from_its_start_to_its_end, |world| {
    let session = sign_in(world, "centre", PASSWORD).ok();
    sign_in(world, "bidder1", PASSWORD).ok();
    let started = of_kind(world, "session.started");
    assert_eq!(started.len(), 1, "a bidder's session is nobody's business");
    assert_eq!(started[0]["actor_id"], world.centre().member.user_id.as_str());
    assert_eq!(started[0]["public"]["data"], Value::Null);
    let token = format!("Bearer {}", session["access_token"].as_str().expect("a token"));
    for _ in 0..2 {
        world.nobody("DELETE", "/v1/sessions/current").header("Authorization", token.clone()).send().ok();
    }
    let ended = of_kind(world, "session.ended");
    assert_eq!(ended.len(), 1, "once, however often it is ended");
    assert_eq!(ended[0]["stream"], started[0]["stream"]);
    assert_eq!(ended[0]["restricted"]["data"]["why"], "signed out");
});

on_both!(failed_sign_ins_of_staff_are_on_record_and_cannot_fill_it, |world| {
    for n in 0..12u32 {
        // Whoever goes on after some failures is made to wait, longer each time; all of this is within the hour.
        if let Some(beyond) = n.checked_sub(SIGN_IN_FREE_ATTEMPTS) {
            world.set_clock(world.now().plus_millis(SIGN_IN_PAUSE_MS << beyond));
        }
        sign_in(world, "admin", "not the password").refused(401, "login-failed");
    }
    sign_in(world, "bidder1", "not the password").refused(401, "login-failed");
    sign_in(world, "nobody-of-that-name", "not the password").refused(401, "login-failed");
    let refused = eventually(world, "session.refused", 10);
    assert!(refused.iter().all(|entry| entry["restricted"]["data"]["user"] == world.admin().member.user_id.as_str()));
    assert!(refused.iter().all(|entry| entry["actor_id"] == Value::Null), "who tried is not known");
});

on_both!(what_a_caller_was_denied_is_on_record_and_cannot_fill_it, |world| {
    let lot = world.lot(Category::StateAsset).noticed();
    for _ in 0..25 {
        lot.act(&world.centre(), "publish", &lot.schedule()).refused(403, "role-forbidden");
    }
    let denied = eventually(world, "access.denied", 20);
    let said = &denied[0];
    assert_eq!(said["restricted"]["data"]["operation"], "POST /v1/lots/{lot}/actions/publish");
    assert_eq!(said["restricted"]["data"]["status"], 403);
    assert_eq!((&said["lot_id"], &said["sealed"]), (&json!(lot.id), &json!(false)));
    assert_eq!(said["actor_id"], world.centre().member.user_id.as_str());
    world.set_clock(world.now().plus_seconds(3600));
    world.centre().get("/v1/mails").refused(403, "role-forbidden");
    eventually(world, "access.denied", 21);
});

on_both!(an_attempt_at_something_sealed_is_sealed_itself_and_one_at_nothing_leaves_no_trace, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "950000.00", "910000.00"]);
    let bid = world.bidder(1).get(lot.path("/bids/mine")).ok()["bid_id"].as_str().expect("an id").to_owned();
    let nothing = "bid-0192f0c1-7a3b-4c4d-8e5f-0123456789ab";
    for id in [bid.as_str(), nothing] {
        world.bidder(8).get(format!("/v1/bids/{id}/payloads/price")).refused(404, "not-found");
        world.centre().get(format!("/v1/bids/{id}/payloads/price")).refused(403, "role-forbidden");
    }
    world.bidder(8).get(format!("/v1/lots/{}/actions", lot.id)).ok();
    lot.act(&world.bidder(8), "publish", &lot.schedule()).refused(403, "role-forbidden");
    world.centre().get("/v1/mails").refused(403, "role-forbidden");
    let open = eventually(world, "access.denied", 1);
    assert_eq!(open[0]["restricted"]["data"]["operation"], "GET /v1/mails", "the rest is sealed");
    lot.closed().opened();
    let all = eventually(world, "access.denied", 4);
    let tried: Vec<&Value> = all.iter().map(|entry| &entry["restricted"]["data"]["ids"]["bid"]).collect();
    assert_eq!(tried.iter().filter(|id| **id == &json!(bid)).count(), 2);
    assert!(!tried.contains(&&json!(nothing)));
});

on_both!(each_use_of_the_key_and_each_download_of_a_payload_is_on_record, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "950000.00", "910000.00"]);
    let bid = world.bidder(1).get(lot.path("/bids/mine")).ok()["bid_id"].as_str().expect("an id").to_owned();
    let download = || world.bidder(1).get(format!("/v1/bids/{bid}/payloads/price"));
    download().ok_bytes();
    for _ in 0..59 {
        download().ok_bytes();
    }
    download().refused(429, "rate-limited");
    world.set_clock(world.now().plus_seconds(3600));
    download().ok_bytes();
    assert_eq!(of_kind(world, "payload.read"), Vec::<Value>::new(), "who bids is secret");
    assert_eq!(of_kind(world, "key.used"), Vec::<Value>::new(), "nothing was unlocked");
    let lot = lot.closed().opened();
    let used = of_kind(world, "key.used");
    assert_eq!(used.len(), 1, "three bids, one process, one use");
    assert_eq!(used[0]["lot_id"], lot.id.as_str());
    assert_eq!(used[0]["public"]["data"]["purpose"], "unseal");
    assert_eq!(used[0]["public"]["data"]["instance"], world.app().instance.id());
    assert_eq!(of_kind(world, "payload.read").len(), 61);
    assert_eq!(of_kind(world, "envelope.unsealed").len(), 3);
});

on_both!(each_look_at_a_reserve_price_that_is_not_public_is_on_record_and_no_other, |world| {
    let lot = world.lot(Category::LandUse).terms(&json!({ "reserve": "announced" })).noticed();
    lot.seal_reserve(1, "110000.00").ok();
    let lot = lot.with_bids(&["120000.00", "130000.00", "140000.00"]).closed();
    let (initiator, centre, inspector) = (world.initiator(), world.centre(), world.inspector());
    let seen = |value: &Value| value.to_string().contains("110000.00");
    for person in [&initiator, &centre, &inspector] {
        assert!(!seen(&lot.opening(person)), "nobody sees it before the read-out");
    }
    lot.session(&initiator, "read-out").ok();
    assert!(seen(&lot.opening(&initiator)) && seen(&lot.opening(&inspector)));
    assert!(!seen(&lot.opening(&centre)), "the centre does not see it");
    assert!(!seen(&world.bidder(1).get(lot.path("/opening-record")).ok()));
    assert!(seen(&initiator.get(lot.path("/opening-record")).ok()));
    for action in ["confirm", "close"] {
        lot.session(&initiator, action).ok();
    }
    assert!(!seen(&lot.evaluation(&centre)));
    assert!(seen(&lot.evaluation(&initiator)));
    let read = of_kind(world, "reserve.read");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut said: Vec<(String, String)> =
        read.iter().map(|entry| (text(&entry["restricted"]["data"]["operation"]), text(&entry["actor_id"]))).collect();
    let mut expected = [
        ("GET /v1/lots/{lot}/evaluation", &initiator),
        ("GET /v1/lots/{lot}/opening", &initiator),
        ("GET /v1/lots/{lot}/opening", &inspector),
        ("GET /v1/lots/{lot}/opening-record", &initiator),
    ]
    .map(|(operation, person)| (operation.to_owned(), person.member.user_id.clone()));
    said.sort_unstable();
    expected.sort_unstable();
    assert_eq!(said, expected);
    assert!(read.iter().all(|entry| entry["lot_id"] == lot.id.as_str() && !seen(entry)));
    let report = inspector.look(format!("/v1/inspection/lots/{}/reports/access", lot.id)).ok();
    assert_eq!(report.to_string().matches("\"kind\":\"reserve.read\"").count(), 4, "{report}");
    let lot = lot.evaluated();
    lot.award(3, None).ok();
    assert!(seen(&lot.record()), "public once there is a deal");
    initiator.get(lot.path("/opening-record")).ok();
    assert_eq!(of_kind(world, "reserve.read").len(), 4, "what is public is nobody's look");
});
