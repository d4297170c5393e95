//! Time: what is a moment early counts, what is a moment late does not, whatever the scheduler and the line do.

use sealbid::kernel::time::Timestamp;
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::Part;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::steps::{proven, texts};
use crate::support::story::{LotStory, SEALED_CHUNK, jws, upload};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Bidder `n` sends a body under a key of its choice.
fn send(lot: &LotStory<'_>, n: usize, key: &str, body: &Value) -> Answer {
    lot.world.bidder(n).request("POST", lot.path("/bids")).key(key).json(body).send()
}

on_both!(a_bid_one_millisecond_early_is_accepted_and_one_at_the_deadline_is_refused_with_proof, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let (early, _) = lot.uploaded_bid(1, 1, "900000.00");
    let (punctual, _) = lot.uploaded_bid(2, 1, "910000.00");
    let (late, _) = lot.uploaded_bid(3, 1, "920000.00");
    let deadline = lot.deadline();
    // Only the clock moves: nothing closes the box, and still nothing late gets in.
    world.set_clock(deadline.plus_millis(-1));
    let act = lot.submit(1, &early).ok();
    assert_eq!(act["received_at"], deadline.plus_millis(-1).to_string());
    world.set_clock(deadline);
    lot.submit(2, &punctual).refused_by(409, "bid-late", "ENG-14");
    world.set_clock(deadline.plus_millis(1));
    let problem = lot.submit(3, &late).refused_by(409, "bid-late", "ENG-14");
    assert_eq!((lot.state().as_str(), &problem["retry"]), ("noticed", &json!("never")));

    let refusal = &problem["refusal"];
    let recorded = proven(world, refusal);
    assert_eq!((&recorded["kind"], &recorded["data"]["code"]), (&json!("bid.refused"), &json!("bid-late")));
    assert_eq!(recorded["data"]["received_at"], deadline.plus_millis(1).to_string());
    assert_eq!(recorded["data"]["deadline_at"], deadline.to_string());
    assert_eq!((&recorded["lot"], &refusal["bid_id"]), (&json!(lot.id), &Value::Null), "there is no bid");
    let entry = format!("/v1/receipts/{}", refusal["entry_id"].as_str().expect("an id"));
    assert_eq!(&world.bidder(3).get(entry.as_str()).ok(), refusal, "the same bytes at any time");
    world.bidder(1).get(entry.as_str()).refused(404, "not-found");
    let mine = lot.mine(3);
    assert_eq!((&mine["refusals"][0]["act"], &mine["bid_id"], &mine["state"]), (refusal, &Value::Null, &Value::Null));
    assert_eq!(mine["refusals"][0]["refusal"]["rule"], "ENG-14");
    let again = lot.submit(3, &late).refused_by(409, "bid-late", "ENG-14");
    assert_eq!(&again["refusal"], refusal, "refused again for the same reason is the same refusal");
});

on_both!(a_receipt_of_an_accepted_bid_proves_what_was_sent_and_when, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let (body, _) = lot.uploaded_bid(1, 1, "900000.00");
    let act = lot.submit(1, &body).ok();
    let recorded = proven(world, &act);
    assert_eq!((&recorded["kind"], &recorded["to"]), (&json!("bid.submitted"), &json!("submitted")));
    assert_eq!(
        (&recorded["data"]["envelope_ids"], &recorded["data"]["document_revision"]),
        (&act["envelope_ids"], &json!(lot.revision().to_string()))
    );
    let read = world.bidder(1).get(format!("/v1/receipts/{}", act["entry_id"].as_str().expect("an id"))).ok();
    assert_eq!(read, act);
    assert_eq!(lot.mine(1)["versions"], json!([act]));
});

on_both!(with_the_scheduler_an_hour_late_nothing_opens_early_and_nothing_late_gets_in, |world| {
    let lot = world.lot(Category::StateAsset).registered();
    let mut schedule = lot.schedule();
    let deadline = Timestamp::parse(schedule["deadline_at"].as_str().expect("a time")).expect("a time");
    schedule["opens_at"] = json!(deadline.plus_seconds(2 * HOUR));
    lot.act(&world.initiator(), "publish", &schedule).ok();
    let lot = lot.with_bids(&["500000.00", "510000.00"]);
    let (late, _) = lot.uploaded_bid(3, 1, "600000.00");
    world.set_clock(deadline.plus_seconds(HOUR));
    lot.submit(3, &late).refused_by(409, "bid-late", "ENG-14");
    lot.withdraw(1).refused_by(409, "bid-late", "EB-02");
    assert_eq!(lot.state(), "noticed", "nobody has closed it yet");
    world.settle();
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("closed", 0), "closed is not opened");
    lot.submit(3, &late).refused_by(409, "bid-late", "ENG-14");
    world.advance_to(deadline.plus_seconds(2 * HOUR).plus_millis(-1));
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("closed", 0));
    world.set_clock(deadline.plus_seconds(3 * HOUR));
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("closed", 0), "late again");
    world.settle();
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("opening", 2));
    lot.submit(3, &late).refused_by(409, "bid-late", "ENG-14");
    assert_eq!(lot.opening(&world.centre())["session"]["state"], "reading");
});

on_both!(the_box_is_closed_only_when_what_came_in_time_has_had_its_time, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
    let deadline = lot.deadline();
    for (seconds, state) in [(0, "noticed"), (4, "noticed"), (5, "opening")] {
        world.advance_to(deadline.plus_seconds(seconds));
        assert_eq!(lot.state(), state, "{seconds} s after the deadline");
    }
});

on_both!(the_same_request_sent_twice_acts_once, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let (body, _) = lot.uploaded_bid(1, 1, "900000.00");
    let first = send(&lot, 1, "same", &body);
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None), "{}", first.text());
    let second = send(&lot, 1, "same", &body);
    assert_eq!((second.status, second.header("idempotency-replayed")), (201, Some("true")), "{}", second.text());
    assert_eq!(first.json(), second.json());
    assert_eq!(send(&lot, 1, "other", &body).ok(), first.json(), "a header that is on record has one receipt");
    let (other, _) = lot.uploaded_bid(1, 2, "890000.00");
    send(&lot, 1, "same", &other).refused(409, "idempotency-key-reused");
    let mine = lot.mine(1);
    assert_eq!((&mine["version"], mine["versions"].as_array().map(Vec::len)), (&json!(1), Some(1)));
});

on_both!(an_answer_that_was_lost_is_given_again_after_the_deadline, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["910000.00", "920000.00"]);
    let (body, _) = lot.uploaded_bid(3, 1, "900000.00");
    let (fresh, _) = lot.uploaded_bid(4, 1, "1.00");
    let first = send(&lot, 3, "lost", &body).ok();
    let deadline = lot.deadline();
    let still = |lot: &LotStory<'_>, state: &str| {
        assert_eq!(lot.state(), state);
        assert_eq!(send(lot, 3, "lost", &body).ok(), first, "under its key, while {state}");
        assert_eq!(
            send(lot, 3, &format!("new-{state}"), &body).ok(),
            first,
            "the same header under a new key, while {state}"
        );
        assert_eq!(lot.mine(3)["version"], 1);
    };
    world.set_clock(deadline.plus_millis(1));
    still(&lot, "noticed");
    let lot = lot.closed();
    still(&lot, "opening");
    let refused = send(&lot, 4, "late", &fresh).refused_by(409, "bid-late", "ENG-14");
    let again = send(&lot, 4, "late", &fresh);
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "a refusal on record is an answer too");
    assert_eq!(again.refused_by(409, "bid-late", "ENG-14")["refusal"], refused["refusal"]);
});

on_both!(an_extension_keeps_sealed_bids_valid_and_opens_at_the_later_moment_only, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00"]);
    let (old, key_set) = (lot.deadline(), lot.key_set());
    let extend = |to: Timestamp| json!({ "new_deadline_at": to, "reason": "More time was asked for" });
    let earlier = old.plus_seconds(-DAY);
    lot.act(&world.initiator(), "extend", &extend(earlier)).refused_by(422, "deadline-not-later", "PF-06");
    let new = old.plus_seconds(2 * DAY);
    world.tick();
    lot.act(&world.initiator(), "extend", &extend(new)).ok();
    assert_eq!((lot.deadline(), lot.instant("opens_at")), (new, Some(new)), "the opening moves along");
    assert_eq!(lot.key_set(), key_set, "what was sealed stays sealed to the same key");
    for n in [1, 2] {
        let mine = lot.mine(n);
        assert_eq!(
            (&mine["state"], &mine["needs_confirmation"], &mine["version"]),
            (&json!("submitted"), &json!(false), &json!(1))
        );
    }
    world.advance_to(old.plus_seconds(HOUR));
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("noticed", 0), "the first deadline means nothing any more");
    lot.bid(3, 1, "920000.00").ok();
    world.advance_to(new.plus_millis(-1));
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("noticed", 0));
    let lot = lot.opened();
    assert_eq!((lot.state().as_str(), lot.record()["bids"].as_array().map(Vec::len)), ("opened", Some(3)));
    assert_eq!(lot.notices(), ["invitation", "extension", "opening_record"]);
});

on_both!(after_the_deadline_nothing_about_it_changes, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let deadline = lot.deadline();
    world.set_clock(deadline);
    let body = json!({ "new_deadline_at": deadline.plus_seconds(DAY), "reason": "Too late" });
    lot.act(&world.initiator(), "extend", &body).refused_by(409, "deadline-passed", "PF-07");
    let lines = json!({ "lines": ["A word"], "affects_bid": false });
    lot.act(&world.initiator(), "clarify", &lines).refused_by(409, "deadline-passed", "PF-07");
});

on_both!(during_a_hold_bids_come_in_and_a_deadline_that_passes_under_it_needs_a_new_one, |world| {
    let (initiator, centre) = (world.initiator(), world.centre());
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    let hold = json!({ "kind": "incident", "reason": "The title is disputed" });
    lot.act(&world.inspector(), "hold", &hold).refused_by(422, "hold-not-yours", "PF-09");
    world.tick();
    lot.act(&centre, "hold", &hold).ok();
    assert_eq!(lot.holds(), ["incident"]);
    lot.act(&centre, "hold", &hold).refused_by(422, "hold-not-yours", "PF-09");
    lot.bid(2, 1, "910000.00").ok();
    world.tick();
    lot.bid(1, 2, "890000.00").ok();
    let (late, _) = lot.uploaded_bid(3, 1, "920000.00");
    let deadline = lot.deadline();
    world.advance_to(deadline.plus_seconds(HOUR));
    lot.submit(3, &late).refused_by(409, "bid-late", "ENG-14");
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("noticed", 0), "nothing closes under a hold");

    let release = |more: Value| {
        let mut body = json!({ "kind": "incident", "reason": "The dispute is settled" });
        more.as_object().into_iter().flatten().for_each(|(key, value)| body[key] = value.clone());
        lot.act(&initiator, "release", &body)
    };
    release(json!({})).refused_by(422, "new-deadline-needed", "PF-09");
    release(json!({ "new_deadline_at": deadline.plus_seconds(60) })).refused_by(422, "deadline-not-later", "PF-06");
    let new = world.now().plus_seconds(DAY);
    release(json!({ "new_deadline_at": new })).ok();
    assert_eq!((lot.holds(), lot.deadline(), lot.instant("opens_at")), (Vec::new(), new, Some(new)));
    lot.submit(3, &late).ok();
    let lot = lot.opened();
    let bids = lot.record()["bids"].as_array().expect("bids").clone();
    let prices: Vec<&Value> = bids.iter().map(|bid| &bid["price"]["amount"]).collect();
    assert_eq!(prices, ["910000.00", "890000.00", "920000.00"], "in the order in which what counts was received");
    assert_eq!(lot.notices(), ["invitation", "suspension", "resumption", "opening_record"]);
});

on_both!(a_hold_that_ends_before_the_deadline_changes_nothing, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
    let deadline = lot.deadline();
    lot.act(&world.inspector(), "hold", &json!({ "kind": "complaint_order", "reason": "A complaint" })).ok();
    lot.act(&world.initiator(), "release", &json!({ "kind": "complaint_order", "reason": "x" })).refused_by(
        422,
        "hold-not-yours",
        "PF-09",
    );
    lot.act(&world.inspector(), "release", &json!({ "kind": "complaint_order", "reason": "It was unfounded" })).ok();
    let lot = lot.closed();
    assert_eq!((lot.state().as_str(), lot.deadline()), ("opening", deadline));
});

on_both!(a_clarification_makes_a_new_revision_and_voids_no_bid, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let (payload, sealed) = lot.seal_price(&bidder, Part::Price, "900000.00");
    upload(&bidder, &lot.id, "bid", &sealed, SEALED_CHUNK);
    let submitted = lot.submit(1, &json!({ "envelopes": [jws(&lot.header(&bidder, Part::Price, 1, &payload))] })).ok();
    world.tick();
    lot.bid(2, 1, "910000.00").ok();
    let (stale, _) = lot.uploaded_bid(3, 1, "920000.00");
    let before = lot.revision();
    lot.act(&world.initiator(), "clarify", &json!({ "lines": ["The pipe is 30 cm wide"], "affects_bid": true })).ok();
    assert_ne!(lot.revision(), before);

    let problem = lot.submit(3, &stale).refused_by(409, "document-revision-stale", "PF-10");
    assert_eq!(proven(world, &problem["refusal"])["data"]["code"], "document-revision-stale");
    world.tick();
    lot.bid(3, 1, "920000.00").ok();
    for n in [1, 2] {
        let mine = lot.mine(n);
        assert_eq!((&mine["state"], &mine["needs_confirmation"]), (&json!("submitted"), &json!(true)));
        assert_eq!(mine["document_revision"], before.to_string());
    }
    world.set_clock(world.now().plus_seconds(HOUR));
    let confirmed = lot.submit(1, &json!({ "envelopes": [jws(&lot.header(&bidder, Part::Price, 2, &payload))] })).ok();
    assert_eq!((&confirmed["kind"], &confirmed["bid_id"]), (&json!("bid.confirmed"), &submitted["bid_id"]));
    let mine = lot.mine(1);
    assert_eq!((&mine["needs_confirmation"], &mine["rev"]), (&json!(false), &json!(2)));
    assert_eq!(mine["received_at"], submitted["received_at"], "the contents came when they came");

    let lot = lot.opened();
    let bids = lot.record()["bids"].as_array().expect("bids").clone();
    let of = |bid: &Value| (bid["price"]["amount"].clone(), bid["is_current_revision"].clone());
    let expected = [("900000.00", true), ("910000.00", false), ("920000.00", true)];
    assert_eq!(
        bids.iter().map(of).collect::<Vec<_>>(),
        expected.map(|(price, current)| (json!(price), json!(current)))
    );
});

on_both!(a_bid_is_replaced_and_withdrawn_before_the_deadline_and_the_last_word_counts, |world| {
    let lot =
        world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00", "930000.00"]);
    lot.bid(2, 1, "1.00").refused(409, "bid-rev-stale");
    world.tick();
    lot.bid(2, 2, "850000.00").ok();
    world.tick();
    for n in [1, 3] {
        let act = lot.withdraw(n).ok();
        assert_eq!((&act["kind"], &proven(world, &act)["to"]), (&json!("bid.withdrawn"), &json!("withdrawn")));
        assert_eq!(lot.mine(n)["state"], "withdrawn");
    }
    let version = lot.mine(1)["version"].clone();
    assert_eq!(lot.withdraw(1).ok()["version"], version, "the same statement is answered with its receipt");
    world.tick();
    lot.withdraw(1).refused_by(409, "state-forbids", "PF-01");
    let first = lot.bid_id(1);
    lot.bid(1, 1, "1.00").refused(409, "bid-rev-stale");
    assert_eq!(lot.bid(1, 2, "870000.00").ok()["bid_id"], first, "one bid for each bidder and lot");
    let lot = lot.opened();
    assert_eq!(lot.unsealed(), 3, "of what was withdrawn or replaced nothing is unsealed");
    let record = lot.record();
    let prices: Vec<Value> =
        record["bids"].as_array().expect("bids").iter().map(|bid| bid["price"]["amount"].clone()).collect();
    assert_eq!(json!(prices), json!(["930000.00", "850000.00", "870000.00"]));
    assert_eq!(texts(record["withdrawn"].as_array().expect("a list"), "name"), ["bidder3 Ltd"]);
    assert_eq!(lot.mine(3)["state"], "withdrawn");
});

on_both!(who_withdraws_no_longer_counts_towards_the_minimum, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
    lot.withdraw(3).ok();
    let lot = lot.closed();
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("unsuccessful", 0));
});
