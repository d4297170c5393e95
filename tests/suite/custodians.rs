//! Lots whose bids are sealed to custodians: nothing opens without enough of them, and whoever disturbs is named.

use diesel::prelude::*;
use sealbid::db::schema::key_secrets;
use sealbid::rules::editions::Category;
use sealbid::seal::partials::Partials;
use sealbid::seal::unsealing::Share;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::custody::{Custody, Held, give, partials, snapshot, stray};
use crate::support::steps::items;
use crate::support::story::LotStory;
use crate::support::world::World;

fn sealed_to_custodians<'w>(world: &'w World) -> (Custody<'w>, LotStory<'w>) {
    let lot = world.lot(Category::Construction).terms(&json!({ "key_mode": "custodians" })).registered();
    (Custody::enrolled(world), lot)
}

/// Noticed, with the key of its custodians.
fn noticed<'w>(world: &'w World) -> (Custody<'w>, Held, LotStory<'w>) {
    let (custody, lot) = sealed_to_custodians(world);
    let held = custody.held(&lot);
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    (custody, held, lot)
}

fn session(lot: &LotStory<'_>) -> Value {
    lot.opening(&lot.world.centre())["session"]["state"].clone()
}

on_both!(three_of_five_custodians_open_and_two_may_stay_away, |world| {
    let (custody, lot) = sealed_to_custodians(world);
    lot.act(&world.initiator(), "publish", &lot.schedule()).refused_by(422, "key-set-missing", "PF-04");
    let held = custody.held(&lot);
    let view = custody.view(&held.id);
    assert_eq!((&view["state"], &view["waiting_for"]), (&json!("active"), &json!([])));
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    let shown = world.nobody("GET", lot.path("/key-set")).send().ok();
    assert_eq!((&shown["mode"], &shown["key_set"]), (&json!("custodians"), &view["key_sets"][0]));
    assert_eq!(lot.key_set(), *held.shares[0].key_set());
    let kept = world.app().reader.read_blocking(|conn| Ok(key_secrets::table.count().get_result::<i64>(conn)?));
    assert_eq!(kept.expect("read"), 0, "the platform holds no key");
    let lot = lot.with_bids_in_turn(&["900000.00", "910000.00", "920000.00"]).closed();
    assert_eq!((session(&lot), lot.unsealed()), (json!("unsealing"), 0));
    let (view, lines) = snapshot(&lot);
    assert_eq!((lines.len(), view["proof"].is_string()), (3, true), "what is answered is in the public log");
    for i in [1, 5] {
        let answer = give(&lot, &custody.person(i), partials(&held.shares[usize::from(i) - 1], &lines)).ok();
        assert_eq!((&answer["received"], &answer["count"]), (&json!(3), &json!(3)));
        world.settle();
        assert_eq!((session(&lot), lot.unsealed()), (json!("unsealing"), 0), "{i}: fewer than three do not open");
    }
    let given = world.nobody("GET", lot.path("/partials")).send().ok();
    let members: Vec<&Value> = given["items"].as_array().expect("lines").iter().map(|line| &line["member"]).collect();
    assert_eq!((members, &given["k"]), (vec![&json!(1), &json!(5)], &json!(3)));
    give(&lot, &custody.person(3), partials(&held.shares[2], &lines)).ok();
    world.settle();
    assert_eq!((session(&lot), lot.unsealed()), (json!("reading"), 3));
    let lot = lot.opened();
    let record = world.nobody("GET", lot.path("/opening-record")).send().ok();
    let bids = record["bids"].as_array().expect("bids");
    let prices: Vec<&Value> = bids.iter().map(|bid| &bid["price"]["amount"]).collect();
    assert_eq!(prices, [&json!("900000.00"), &json!("910000.00"), &json!("920000.00")]);
    let shares: Vec<&Value> =
        bids[0]["parts"][0]["shares"].as_array().expect("shares").iter().map(|share| &share["member"]).collect();
    assert_eq!(shares, [&json!(1), &json!(3), &json!(5)]);
});

on_both!(a_list_of_partial_decryptions_is_taken_only_from_its_member_for_its_box_and_in_its_time, |world| {
    let (custody, held, lot) = noticed(world);
    let lot = lot.with_bids(&["900000.00", "910000.00", "920000.00"]);
    let early = Partials { snapshot: sealbid::kernel::digest::sha256(b"early"), ..one_line(&held) };
    give(&lot, &custody.person(1), early).refused(409, "not-opening");
    let lot = lot.closed();
    let (_, lines) = snapshot(&lot);
    let good = |i: usize| partials(&held.shares[i - 1], &lines);
    let refused = |list: Partials, why: &str| {
        let problem = give(&lot, &custody.person(1), list).refused(422, "partials-invalid");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{why}: {problem}");
    };
    let mut wrong = good(1);
    wrong.partials[1].share = Share { d: stray(), ..wrong.partials[1].share };
    refused(wrong, "share_does_not_verify");
    let mut of_another = good(2);
    of_another.member = 1;
    refused(of_another, "share_does_not_verify");
    let mut exchanged = good(1);
    let share = exchanged.partials[0].share;
    exchanged.partials[1].share = share;
    refused(exchanged, "share_does_not_verify");
    refused(Partials { snapshot: sealbid::kernel::digest::sha256(b"another"), ..good(1) }, "other_snapshot");
    let mut stranger = good(1);
    stranger.partials[0].slot = 1;
    refused(stranger, "unknown_line");
    // Nobody speaks for another, and a bidder has nothing to say.
    give(&lot, &custody.person(2), good(1)).refused(404, "not-found");
    give(&lot, &world.bidder(1), good(1)).refused(404, "not-found");
    world.initiator().post(lot.path("/partials"), &json!({ "partials": {} })).refused(422, "partials-invalid");
    give(&lot, &custody.person(1), good(1)).ok();
    // The same list again, and the same shares in another list, count once.
    assert_eq!(give(&lot, &custody.person(1), good(1)).ok()["received"], 3);
    let half = Partials { partials: good(1).partials[..2].to_vec(), ..good(1) };
    assert_eq!(give(&lot, &custody.person(1), half).ok()["received"], 3);
    for i in [2, 3] {
        give(&lot, &custody.person(i), good(usize::from(i))).ok();
    }
    world.settle();
    let lot = lot.opened();
    give(&lot, &custody.person(4), good(4)).refused(409, "not-opening");
    let kinds = items(&world.inspector().look(format!("/v1/inspection/entries?lot={}&limit=100", lot.id)).ok());
    let refusals = kinds.iter().filter(|entry| entry["kind"] == "partials.refused").count();
    assert_eq!(refusals, 5, "whoever disturbs an opening is named");
});

/// A list of some member, for nothing that exists.
fn one_line(held: &Held) -> Partials {
    sealbid::seal::ceremony::rehearsal::answer(&held.shares[0]).expect("random numbers")
}

on_both!(where_too_few_custodians_are_left_the_centre_says_so_and_the_rule_decides, |world| {
    let (custody, held, lot) = noticed(world);
    let lot = lot.with_bids(&["900000.00", "910000.00", "920000.00"]).closed();
    let (_, lines) = snapshot(&lot);
    for i in [1, 2] {
        give(&lot, &custody.person(i), partials(&held.shares[usize::from(i) - 1], &lines)).ok();
    }
    world.settle();
    assert_eq!(session(&lot), "unsealing");
    let path = lot.path("/opening/actions/give-up-shares");
    let reason = json!({ "reason": "Three custodians lost their shares in the fire" });
    world.initiator().post(&*path, &reason).refused(403, "role-forbidden");
    world.centre().post(&*path, &json!({ "reason": " " })).refused(422, "body-invalid");
    world.centre().post(&*path, &reason).ok();
    world.settle();
    assert_eq!(session(&lot), "reading");
    world.centre().post(&*path, &reason).refused_by(409, "state-forbids", "PF-01");
    for n in 1..=3 {
        let body =
            json!({ "bid_id": lot.bid_id(n), "cause": "third_party", "reason": "The custodians' shares are lost" });
        world.initiator().post(lot.path("/opening/actions/attribute"), &body).ok();
    }
    let lot = lot.opened();
    for n in 1..=3 {
        assert_eq!(lot.mine(n)["state"], "undecrypted_withdrawn");
    }
    let given = world.nobody("GET", lot.path("/partials")).send().ok();
    assert_eq!(given["given_up"]["reason"], reason["reason"]);
});

on_both!(nothing_is_asked_of_custodians_for_a_lot_under_a_platform_key, |world| {
    let custody = Custody::enrolled(world);
    let lot = world.lot(Category::Construction).registered();
    custody.begin(&lot, custody.usual_draft(&lot)).refused_by(409, "ceremony-not-wanted", "PF-04");
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    let lot = lot.with_bids(&["900000.00", "910000.00", "920000.00"]).closed();
    assert!(items(&world.nobody("GET", lot.path("/snapshots")).send().ok()).is_empty());
    assert_eq!(lot.unsealed(), 3);
});
