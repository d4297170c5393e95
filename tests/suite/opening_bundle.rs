//! The public bundle of an opening: whoever has it checks the opening, and finds what was changed.

use std::io::BufReader;

use sealbid::rules::editions::Category;
use sealbid::seal::envelope::Part;
use sealbid::tlog::note::Verifier;
use sealbid::tlog::policy::Policy;
use sealbid::verify::opening::{check, check_watched};
use sealbid::verify::report::{Failure, Proven};
use sealbid::verify::trust::Trust;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::custody::{Custody, give, partials, snapshot};
use crate::support::own::{decrypt, decrypt_as, own_key, seal, seal_as};
use crate::support::program::{compute_opening_elsewhere, trust, verify_opening_elsewhere};
use crate::support::story::LotStory;
use crate::support::world::World;

/// Something that is changed in a bundle.
type Change = Box<dyn Fn(&mut Vec<Value>)>;

fn bundle(lot: &LotStory<'_>) -> Vec<Value> {
    let bytes = lot.world.nobody("GET", lot.path("/opening-bundle")).send().ok_bytes();
    let text = String::from_utf8(bytes).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn written(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What the other program must find.
fn elsewhere(world: &World, lines: &[Value], holds: bool) {
    verify_opening_elsewhere(&written(lines), &world.app().promise_verifier(), holds);
}

fn verdict(world: &World, lines: &[Value]) -> Result<Proven, Failure> {
    check(&trust(world), "opening", BufReader::new(written(lines).as_bytes()))
}

fn fact(proven: &Proven, key: &str) -> Value {
    proven.facts.iter().find(|fact| fact.key == key).map(|fact| fact.value.clone()).unwrap_or_default()
}

fn with_custodians<'w>(world: &'w World, mode: &str) -> LotStory<'w> {
    let lot = world.lot(Category::Construction).terms(&json!({ "key_mode": mode })).registered();
    let custody = Custody::enrolled(world);
    let held = custody.held(&lot);
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    let (shared, mut own) = (lot.key_set(), Vec::new());
    for (n, amount) in [(1, "900000.00"), (2, "910000.00"), (3, "920000.00")] {
        if mode == "dual" {
            let bid = seal(&lot, n, amount, Some(&shared), own_key(&lot, &lot.id));
            lot.submit(n, &bid.body).ok();
            own.push((n, bid));
        } else {
            lot.bid(n, 1, amount).ok();
        }
    }
    let lot = lot.closed();
    lot.world.nobody("GET", lot.path("/opening-bundle")).send().refused(404, "not-found");
    own.iter().for_each(|(n, bid)| drop(decrypt(&lot, *n, bid).ok()));
    let (_, lines) = snapshot(&lot);
    for i in [1, 2, 5] {
        give(&lot, &custody.person(i), partials(&held.shares[usize::from(i) - 1], &lines)).ok();
    }
    world.settle();
    lot.opened()
}

/// What somebody might change of a bundle, each of which must be found.
fn changes(good: &[Value]) -> Vec<(&'static str, Change)> {
    let at = |kind: &str| good.iter().position(|line| line["type"] == kind).expect(kind);
    let (ceremony, set, shot, list, envelope) =
        (at("ceremony"), at("key_set"), at("snapshot"), at("partials"), at("envelope"));
    let other_price = good[envelope + 1]["price"].clone();
    vec![
        ("a price", Box::new(move |lines| lines[envelope]["price"] = other_price.clone())),
        (
            "a share",
            Box::new(move |lines| {
                lines[envelope]["shares"][0]["d"] = lines[envelope + 1]["shares"][0]["d"].clone();
            }),
        ),
        (
            "too few shares",
            Box::new(move |lines| {
                lines[envelope]["shares"].as_array_mut().expect("shares").pop();
            }),
        ),
        ("a payload", Box::new(move |lines| lines[envelope]["payload"] = lines[envelope + 1]["payload"].clone())),
        ("a header", Box::new(move |lines| lines[envelope]["header"] = lines[envelope + 1]["header"].clone())),
        (
            "an ephemeral key",
            Box::new(move |lines| {
                lines[envelope]["lines"][0]["enc"] = lines[envelope + 1]["lines"][0]["enc"].clone();
            }),
        ),
        (
            "an acceptance",
            Box::new(move |lines| {
                lines[ceremony]["messages"]["accept"].as_array_mut().expect("messages").pop();
            }),
        ),
        (
            "a message of round 1",
            Box::new(move |lines| {
                lines[ceremony]["messages"]["round1"][0] = lines[ceremony]["messages"]["round1"][1].clone();
            }),
        ),
        ("the ceremony", Box::new(move |lines| drop(lines.remove(ceremony)))),
        ("the key set", Box::new(move |lines| drop(lines.remove(set)))),
        ("the snapshot", Box::new(move |lines| drop(lines.remove(shot)))),
        ("a list", Box::new(move |lines| drop(lines.remove(list)))),
        (
            "the price of an envelope",
            Box::new(move |lines| {
                for field in ["header", "payload", "price", "signer"] {
                    lines[envelope][field] = Value::Null;
                }
            }),
        ),
        ("an envelope", Box::new(move |lines| drop(lines.remove(envelope)))),
        ("the last line", Box::new(|lines| drop(lines.pop()))),
    ]
}

on_both!(an_opening_by_custodians_is_proven_offline_and_every_change_of_it_is_found, |world| {
    let lot = with_custodians(world, "custodians");
    let good = bundle(&lot);
    let proven = verdict(world, &good).expect("proven");
    assert_eq!((fact(&proven, "custodians"), fact(&proven, "prices")), (json!("3/5"), json!(3)));
    assert_eq!((fact(&proven, "shares"), fact(&proven, "snapshot_in_log")), (json!(9), json!(true)));
    elsewhere(world, &good, true);
    for (what, change) in changes(&good) {
        let mut lines = good.clone();
        change(&mut lines);
        let count = lines.len();
        if let Some(end) = lines.last_mut().filter(|line| line["type"] == "end") {
            end["lines"] = count.into();
        }
        assert!(verdict(world, &lines).is_err(), "{what} was changed");
        elsewhere(world, &lines, false);
    }
    let stranger = Trust::new(None, Vec::new());
    let unknown = check(&stranger, "opening", BufReader::new(written(&good).as_bytes())).expect_err("no key");
    assert_eq!(unknown.code(), 3, "a platform's key that nobody gave proves nothing");
});

on_both!(openings_under_a_platform_key_and_under_two_keys_are_proven_as_well, |world| {
    let lot = with_custodians(world, "dual");
    let lines = bundle(&lot);
    let proven = verdict(world, &lines).expect("proven");
    assert_eq!((fact(&proven, "prices"), fact(&proven, "shares")), (json!(3), json!(12)));
    elsewhere(world, &lines, true);
    let usual =
        world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]).opened();
    let lines = bundle(&usual);
    let proven = verdict(world, &lines).expect("proven");
    assert_eq!((fact(&proven, "prices"), fact(&proven, "shares")), (json!(3), json!(3)));
    elsewhere(world, &lines, true);
    assert!(!written(&lines).contains("secret key"), "no key is in it");
});

on_both!(a_reserve_price_under_a_key_of_its_own_opens_with_it_and_stays_out_of_the_bundle, |world| {
    let terms = json!({ "key_mode": "bidder", "reserve": "announced" });
    let (lot, initiator) = (world.lot(Category::LandUse).terms(&terms).noticed(), world.initiator());
    let mut bids = Vec::new();
    for (n, amount) in [(1, "120000.00"), (2, "115000.00"), (3, "130000.00")] {
        let bid = seal(&lot, n, amount, None, own_key(&lot, &lot.id));
        lot.submit(n, &bid.body).ok();
        bids.push((n, bid));
    }
    let reserve = seal_as(&lot, &initiator, Part::Reserve, "112000.00", None, own_key(&lot, &lot.id));
    lot.put_reserve(&json!({ "envelope": reserve.body["envelope"] })).refused(422, "key-set-mismatch");
    lot.put_reserve(&reserve.body).ok();
    let lot = lot.closed();
    bids.iter().for_each(|(n, bid)| drop(decrypt(&lot, *n, bid).ok()));
    world.settle();
    assert_eq!(lot.unsealed(), 3, "the reserve price waits for its own key");
    decrypt_as(&lot, &initiator, &reserve).ok();
    world.settle();
    assert_eq!(lot.unsealed(), 4);
    let lot = lot.opened();
    assert_eq!(lot.opening(&initiator)["record"]["reserve"]["price"]["amount"], "112000.00");
    let lines = bundle(&lot);
    let proven = verdict(world, &lines).expect("proven");
    assert_eq!((fact(&proven, "prices"), fact(&proven, "opened")), (json!(3), json!(4)));
    elsewhere(world, &lines, true);
    assert!(!written(&lines).contains("112000.00"), "nobody learns the reserve price before there is a deal");
});

#[test]
fn the_published_opening_holds_here_and_elsewhere() {
    let bundle = include_str!("../vectors/opening/bundle.ndjson");
    let vector: Value = serde_json::from_str(include_str!("../vectors/opening/vector.json")).expect("JSON");
    let verifier = vector["verifier"].as_str().expect("a verifier");
    let policy = Policy::parse(vector["policy"].as_str().expect("a policy")).expect("a policy");
    let trust = Trust::new(Some(policy), vec![Verifier::parse(verifier).expect("a key")]);
    let told = std::sync::Mutex::new(Vec::new());
    let watch = |done, all| told.lock().expect("nobody panics").push((done, all));
    let proven = check_watched(&trust, "vector", BufReader::new(bundle.as_bytes()), &watch).expect("proven");
    assert_eq!((fact(&proven, "custodians"), fact(&proven, "shares")), (json!("2/3"), json!(6)));
    assert_eq!((fact(&proven, "prices"), fact(&proven, "snapshot_in_log")), (json!(2), json!(true)));
    let told = told.into_inner().expect("nobody panics");
    assert_eq!((told.iter().map(|(done, _)| *done).max(), told.len()), (Some(8), 6), "four lists, two envelopes");
    assert!(told.iter().all(|(_, all)| *all == 8));
    verify_opening_elsewhere(bundle, verifier, true);
    compute_opening_elsewhere();
}
