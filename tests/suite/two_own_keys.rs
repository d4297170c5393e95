//! Two envelopes under keys of the bidders' own (ENG-40, EB-05): a key for each, and an answer in each round.

use std::collections::BTreeMap;

use sealbid::kernel::digest::sha256;
use sealbid::kernel::encoding::{base64url, from_base64url};
use sealbid::rules::editions::Category;
use sealbid::rules::envelopes::Round;
use sealbid::seal::envelope::{Part, SignedEnvelope};
use sealbid::seal::ids::{KeyId, UtcMillis};
use sealbid::seal::keyset::{KeySet, KeyShare};
use sealbid::seal::partials::Partials;
use sealbid::seal::snapshot::Line;
use sealbid::verify::opening::check;
use sealbid::verify::report::Failure;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::custody::{Custody, Held, give, partials, snapshot};
use crate::support::own::{decrypt_as, own_key, seal_as, seal_part_to, seals};
use crate::support::program::{trust, verify_opening_elsewhere};
use crate::support::stored::files;
use crate::support::story::{LotStory, cny, jws};
use crate::support::world::World;
use crate::two_envelopes::{AMOUNTS, closed, method, no_trace, noticed, passed, prices};

const ROUNDS: [Round; 2] = [Round::First, Round::Second];

/// A bid with both envelopes, and the keys that open them.
struct Both {
    keys: [KeyShare; 2],
    envelopes: Vec<SignedEnvelope>,
    body: Value,
    /// Where the sealed price lies.
    upload: String,
}

impl Both {
    /// What this bid has for the key of a round, and that key.
    fn of(&self, round: Round) -> (&KeyShare, Vec<Line>) {
        let key = &self.keys[usize::from(round == Round::Second)];
        let kid = key.key_set().kid;
        (key, self.envelopes.iter().flat_map(|envelope| Line::of(envelope, kid)).collect())
    }
}

fn two_keys(lot: &LotStory<'_>) -> [KeyShare; 2] {
    ROUNDS.map(|round| own_key(lot, &round.group(&lot.id)))
}

/// Bidder `n` seals both envelopes, each to its key of `keys` and to what others hold of its round.
fn both(lot: &LotStory<'_>, n: usize, amount: &str, keys: [KeyShare; 2]) -> Both {
    let bidder = lot.world.bidder(n);
    let shared: Vec<KeySet> = lot.shared_rounds().into_iter().map(|round| lot.key_set_of(round)).collect();
    let plain = [method(lot, &bidder), lot.price_archive(&bidder, Part::Price, amount)];
    let (mut envelopes, mut upload) = (Vec::new(), String::new());
    for (at, part) in [Part::Documents, Part::Price].into_iter().enumerate() {
        let sets: Vec<&KeySet> = shared.get(at).into_iter().chain([keys[at].key_set()]).collect();
        let (envelope, held) = seal_part_to(lot, &bidder, (part, 1), &sets, &plain[at]);
        envelopes.push(envelope);
        upload = held;
    }
    let signed = |key: &KeyShare| json!(key.key_set().sign(&bidder.signing_key()).expect("random numbers").jws());
    let body = json!({
        "envelopes": envelopes.iter().map(jws).collect::<Vec<_>>(),
        "key_set": signed(&keys[0]),
        "second_key_set": signed(&keys[1]),
    });
    Both { keys, envelopes, body, upload }
}

type Bids = BTreeMap<usize, Both>;

/// One bid for each amount, in the box.
fn boxed<'w>(lot: LotStory<'w>, amounts: &[&str]) -> (LotStory<'w>, Bids) {
    let mut bids = BTreeMap::new();
    for (n, amount) in (1..).zip(amounts) {
        lot.world.tick();
        let bid = both(&lot, n, amount, two_keys(&lot));
        lot.submit(n, &bid.body).ok();
        bids.insert(n, bid);
    }
    (lot.closed(), bids)
}

/// Bidder `n` answers a round.
fn answer(lot: &LotStory<'_>, n: usize, bids: &Bids, round: Round) -> Answer {
    let (key, lines) = bids[&n].of(round);
    give(lot, &lot.world.bidder(n), partials(key, &lines))
}

/// The bundle of a round holds here and elsewhere; gives its text.
fn verified(lot: &LotStory<'_>, round: &str) -> String {
    let world = lot.world;
    let bytes = world.nobody("GET", lot.path(&format!("/opening-bundle?round={round}"))).send().ok_bytes();
    let text = String::from_utf8(bytes).expect("text");
    check(&trust(world), "opening", text.as_bytes()).expect("proven");
    verify_opening_elsewhere(&text, &world.app().promise_verifier(), true);
    text
}

/// The second round begins.
fn prices_asked(lot: &LotStory<'_>) {
    lot.world.tick();
    lot.act(&lot.world.initiator(), "open-prices", &json!({})).ok();
    lot.world.settle();
}

fn minutes_pass(world: &World) {
    world.advance_to(world.now().plus_seconds(21 * 60));
}

/// Those who passed are judged by their prices, and the lot goes to its award.
fn awarded(lot: &LotStory<'_>, passed: &[usize], winner: (usize, &str)) {
    let initiator = lot.world.initiator();
    for n in passed {
        lot.judge(*n, &json!({ "decision": "responsive" })).ok();
    }
    lot.act(&initiator, "complete-evaluation", &json!({ "lines": ["Judged"] })).ok();
    lot.world.tick();
    lot.act(&initiator, "publish-candidates", &json!({ "lines": [] })).ok();
    lot.world.advance_to(lot.time("publicity_ends_at"));
    assert_eq!(lot.award(winner.0, None).ok()["award"]["price"], cny(winner.1));
}

on_both!(bidders_open_both_envelopes_and_the_price_of_who_did_not_pass_is_not_even_asked_for, |world| {
    let terms = json!({ "key_mode": "bidder", "decryption_minutes": 20 });
    let (lot, bids) = boxed(noticed(world, &terms), &[AMOUNTS[0], AMOUNTS[1], AMOUNTS[2], "930000.00"]);
    answer(&lot, 1, &bids, Round::Second).refused(404, "not-found");
    (1..=4).for_each(|n| drop(answer(&lot, n, &bids, Round::First).ok()));
    world.settle();
    assert_eq!(lot.unsealed(), 4);
    closed(&lot);
    assert_eq!(prices(&lot.record()), [&Value::Null; 4]);
    passed(&lot);
    lot.judge(4, &json!({ "decision": "responsive" })).ok();
    prices_asked(&lot);
    // The second round has minutes of its own, and asks those who passed, for the second key.
    answer(&lot, 1, &bids, Round::First).refused(404, "not-found");
    let (first, lines) = bids[&1].of(Round::First);
    let (second, asked) = bids[&1].of(Round::Second);
    assert!(asked[0].share(first).is_err(), "a share of the first key for the price is not even made");
    let as_second = Partials { kid: second.key_set().kid, ..partials(first, &lines) };
    give(&lot, &world.bidder(1), as_second).refused(422, "partials-invalid");
    answer(&lot, 3, &bids, Round::Second).refused(404, "not-found");
    (1..=2).for_each(|n| drop(answer(&lot, n, &bids, Round::Second).ok()));
    world.settle();
    assert_eq!((lot.unsealed(), &lot.opening(&world.centre())["session"]["state"]), (6, &json!("unsealing")));
    minutes_pass(world);
    let failures = lot.opening(&world.initiator())["failures"].clone();
    assert_eq!(failures.as_array().map(Vec::len), Some(1), "{failures}");
    let body = json!({ "bid_id": lot.bid_id(4), "cause": "bidder", "reason": "Did not decrypt its price in time" });
    world.initiator().post(lot.path("/opening/actions/attribute"), &body).ok();
    closed(&lot);
    assert_eq!(prices(&lot.record())[..2], [&json!("900000.00"), &json!("910000.00")]);
    let states: Vec<Value> = (1..=4).map(|n| lot.mine(n)["state"].clone()).collect();
    assert_eq!(states, ["opened", "opened", "opened", "undecrypted_revoked"]);
    let uploads: Vec<String> = (1..=3).map(|n| bids[&n].upload.clone()).collect();
    no_trace(world, &uploads);
    let (one, two) = (verified(&lot, "first"), verified(&lot, "second"));
    let has = |text: &str, n: usize, round| text.contains(&bids[&n].of(round).0.key_set().kid.to_string());
    for n in 1..=4 {
        assert_eq!((has(&one, n, Round::First), has(&one, n, Round::Second)), (true, false), "{n}");
        assert_eq!((has(&two, n, Round::First), has(&two, n, Round::Second)), (false, n != 3), "{n}");
    }
    keys_of_the_other_round_are_refused(world, &one, &two);
    awarded(&lot, &[1, 2], (1, "900000.00"));
});

/// A bundle with a bidder's key of the other round is proven to nobody.
fn keys_of_the_other_round_are_refused(world: &World, one: &str, two: &str) {
    let own = |text: &str| text.lines().find(|line| line.contains("\"type\":\"own_key\"")).expect("a key").to_owned();
    for (text, other) in [(one, two), (two, one)] {
        let mixed = text.replacen(&own(text), &own(other), 1);
        assert!(matches!(check(&trust(world), "opening", mixed.as_bytes()), Err(Failure::Refuted(_))));
        verify_opening_elsewhere(&mixed, &world.app().promise_verifier(), false);
    }
}

on_both!(who_stays_away_in_the_first_round_is_attributed_and_where_nobody_passes_no_price_is_left, |world| {
    let terms = json!({ "key_mode": "bidder", "decryption_minutes": 20 });
    let (lot, bids) = boxed(noticed(world, &terms), &AMOUNTS);
    (1..=2).for_each(|n| drop(answer(&lot, n, &bids, Round::First).ok()));
    minutes_pass(world);
    let body = json!({ "bid_id": lot.bid_id(3), "cause": "bidder", "reason": "Did not decrypt in time" });
    world.initiator().post(lot.path("/opening/actions/attribute"), &body).ok();
    closed(&lot);
    assert_eq!(lot.mine(3)["state"], "undecrypted_revoked");
    verified(&lot, "first");
    for n in 1..=2 {
        lot.judge(n, &json!({ "decision": "rejected", "code": "not_responsive", "reason": "No method" })).ok();
    }
    let over = json!({ "cause": "all_rejected", "reason": "Nobody says how to build it" });
    lot.act(&world.initiator(), "declare-unsuccessful", &over).ok();
    world.settle();
    answer(&lot, 1, &bids, Round::Second).refused(409, "not-opening");
    let blobs: Vec<String> = files(world.dir()).iter().map(|(path, _)| path.display().to_string()).collect();
    let left = bids.values().filter(|bid| blobs.iter().any(|path| path.contains(&bid.upload))).count();
    assert_eq!((lot.unsealed(), left), (3, 0), "every sealed price is destroyed, without any key set of the platform");
});

fn in_custody(world: &World) -> (Custody<'_>, Held, LotStory<'_>) {
    let terms = json!({ "envelopes": "two", "key_mode": "dual" });
    let lot = world.lot(Category::Construction).terms(&terms).registered();
    let custody = Custody::enrolled(world);
    let held = custody.held(&lot);
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    (custody, held, lot)
}

/// Three of five custodians answer the latest snapshot; gives how many lines it has.
fn custodians_answer(lot: &LotStory<'_>, custody: &Custody<'_>, shares: &[KeyShare]) -> usize {
    let (_, lines) = snapshot(lot);
    assert!(lines.iter().all(|line| line.slot == 0), "custodians are asked for their own slot only");
    for i in [1_u8, 3, 5] {
        give(lot, &custody.person(i), partials(&shares[usize::from(i) - 1], &lines)).ok();
    }
    lot.world.settle();
    lines.len()
}

on_both!(custodians_and_bidders_open_both_envelopes_together_and_neither_alone, |world| {
    let (custody, held, lot) = in_custody(world);
    let (lot, bids) = boxed(lot, &AMOUNTS);
    assert_eq!((custodians_answer(&lot, &custody, &held.shares), lot.unsealed()), (3, 0));
    (1..=3).for_each(|n| drop(answer(&lot, n, &bids, Round::First).ok()));
    world.settle();
    assert_eq!(lot.unsealed(), 3);
    closed(&lot);
    passed(&lot);
    prices_asked(&lot);
    answer(&lot, 3, &bids, Round::Second).refused(404, "not-found");
    (1..=2).for_each(|n| drop(answer(&lot, n, &bids, Round::Second).ok()));
    world.settle();
    assert_eq!(lot.unsealed(), 3, "the bidders alone do not open");
    assert_eq!((custodians_answer(&lot, &custody, &held.second), lot.unsealed()), (2, 5));
    closed(&lot);
    assert_eq!(prices(&lot.record()), [&json!("900000.00"), &json!("910000.00"), &Value::Null]);
    assert_eq!(lot.record()["bids"][0]["parts"][0]["shares"].as_array().map(Vec::len), Some(4));
    no_trace(world, &(1..=3).map(|n| bids[&n].upload.clone()).collect::<Vec<_>>());
    assert!(!verified(&lot, "first").contains("\"price\":{"));
    assert_eq!(verified(&lot, "second").matches("\"price\":{").count(), 2);
    awarded(&lot, &[1, 2], (1, "900000.00"));
});

/// The id of a key set, as docs/opening-format.md says.
fn kid_of(set: &KeySet) -> KeyId {
    let (opens, group) = (set.opens_not_before.as_str(), set.group.as_str());
    let parts = [b"sealbid/1 kid".as_slice(), &set.public.to_compressed(), opens.as_bytes(), group.as_bytes()];
    KeyId::of(&sha256(&parts.concat()))
}

on_both!(each_envelope_has_a_key_of_its_own_or_the_bid_is_refused, |world| {
    let lot = noticed(world, &json!({ "key_mode": "bidder" }));
    let good = both(&lot, 1, "900000.00", two_keys(&lot));
    let with = |changes: &[(&str, Value)]| {
        let mut body = good.body.clone();
        changes.iter().for_each(|(name, value)| body[*name] = value.clone());
        body
    };
    let first = good.body["key_set"].clone();
    lot.submit(1, &with(&[("second_key_set", Value::Null)])).refused(422, "second-key-missing");
    lot.submit(1, &with(&[("key_set", Value::Null)])).refused(422, "key-set-mismatch");
    lot.submit(1, &with(&[("second_key_set", first)])).refused(422, "own-key-repeated");
    // The same secret for the other group has another id, and is still the same key.
    let [key, other] = two_keys(&lot);
    let mut again = other.key_set().clone();
    (again.public, again.shares) = (key.key_set().public, key.key_set().shares.clone());
    again.kid = kid_of(&again);
    let again = KeyShare::restore(again, 1, &key.private_bytes()).expect("a key");
    let twice = both(&lot, 1, "900000.00", [key, again]);
    let problem = lot.submit(1, &twice.body).refused(422, "own-key-repeated");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("同一个密钥")), "{problem}");
    let price_alone = with(&[("envelopes", json!([good.body["envelopes"][1]]))]);
    lot.submit(1, &price_alone).refused(422, "first-envelope-missing");
    lot.submit(1, &good.body).ok();
    // Where there is one envelope, a second key is for nothing.
    let one = world.lot(Category::Construction).terms(&json!({ "key_mode": "bidder" })).noticed();
    let mut usual = seal_as(&one, &world.bidder(1), Part::Price, "900000.00", None, own_key(&one, &one.id)).body;
    let useless = own_key(&one, &Round::Second.group(&one.id));
    usual["second_key_set"] = json!(useless.key_set().sign(&world.bidder(1).signing_key()).expect("signed").jws());
    one.submit(1, &usual).refused(422, "key-set-mismatch");
});

on_both!(a_reserve_price_waits_for_its_own_key_in_the_second_round, |world| {
    let terms = json!({ "key_mode": "bidder", "reserve": "announced", "decryption_minutes": 20 });
    let (lot, initiator) = (noticed(world, &terms), world.initiator());
    let early = seal_as(&lot, &initiator, Part::Reserve, "990000.00", None, own_key(&lot, &lot.id));
    lot.put_reserve(&early.body).refused(422, "envelope-foreign-lot");
    let key = own_key(&lot, &Round::Second.group(&lot.id));
    let reserve = seal_as(&lot, &initiator, Part::Reserve, "990000.00", None, key);
    lot.put_reserve(&json!({ "envelope": reserve.body["envelope"] })).refused(422, "second-key-missing");
    let of_first = json!({ "envelope": reserve.body["envelope"], "key_set": early.body["key_set"] });
    lot.put_reserve(&of_first).refused(422, "key-set-mismatch");
    lot.put_reserve(&reserve.body).ok();
    let (lot, bids) = boxed(lot, &AMOUNTS);
    decrypt_as(&lot, &initiator, &reserve).refused(404, "not-found");
    (1..=3).for_each(|n| drop(answer(&lot, n, &bids, Round::First).ok()));
    world.settle();
    closed(&lot);
    passed(&lot);
    prices_asked(&lot);
    (1..=2).for_each(|n| drop(answer(&lot, n, &bids, Round::Second).ok()));
    world.settle();
    assert_eq!(lot.unsealed(), 5, "the reserve price waits for its own key");
    decrypt_as(&lot, &initiator, &reserve).ok();
    world.settle();
    closed(&lot);
    assert_eq!(lot.opening(&initiator)["record"]["reserve"]["price"]["amount"], "990000.00");
    assert_eq!(verified(&lot, "second").matches("\"price\":{").count(), 3, "two prices, and the reserve price");
});

/// Bidder 1 decrypts with another bid file.
fn decrypts_with(lot: &LotStory<'_>, file: &[u8]) -> (bool, String) {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join(format!("{}.bid.json", lot.id)), file).expect("written");
    seals(lot, 1, home.path(), &["--decrypt"])
}

/// A bid file whose keys may be used in many years only.
fn later(file: &[u8]) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(file).expect("JSON");
    for kept in file["own_keys"].as_array_mut().expect("keys") {
        let bytes = from_base64url(kept["key_set"].as_str().expect("text")).expect("bytes");
        let mut set = KeySet::from_bytes(&bytes).expect("a key set");
        set.opens_not_before = UtcMillis::parse("2099-01-01T00:00:00.000Z", "opens").expect("a time");
        set.kid = kid_of(&set);
        kept["key_set"] = json!(base64url(&set.to_bytes()));
    }
    file.to_string().into_bytes()
}

on_both!(a_bidder_s_tool_keeps_both_keys_and_answers_the_round_that_asks, |world| {
    let terms = json!({ "key_mode": "bidder", "decryption_minutes": 20 });
    let lot = noticed(world, &terms);
    let homes: Vec<_> = (1..=3).map(|_| tempfile::tempdir().expect("a directory")).collect();
    let seal = |n: usize, more: &[&str]| seals(&lot, n, homes[n - 1].path(), more);
    for (n, amount) in (1..).zip(AMOUNTS) {
        world.tick();
        std::fs::write(homes[n - 1].path().join("method.txt"), "As the bridge was built").expect("written");
        let (done, said) = seal(n, &["--amount", amount, "--currency", "CNY", "--file", "method.txt"]);
        assert!(done, "{said}");
    }
    // A new price under the same keys.
    world.tick();
    let (done, said) = seal(2, &["--amount", "905000.00", "--currency", "CNY"]);
    assert!(done, "{said}");
    let unused = std::fs::read(homes[0].path().join(format!("{}.bid.json", lot.id))).expect("kept");
    let lot = lot.closed();
    let answer = |n: usize| seals(&lot, n, homes[n - 1].path(), &["--decrypt"]);
    let (done, said) = decrypts_with(&lot, &later(&unused));
    assert!(!done && said.contains("this bid opens at 2099"), "{said}");
    for n in 1..=3 {
        let (done, said) = answer(n);
        assert!(done && said.contains("first round"), "{said}");
    }
    world.settle();
    assert_eq!(lot.unsealed(), 3);
    closed(&lot);
    passed(&lot);
    prices_asked(&lot);
    // A tool that has not answered for the first envelope believes nobody who asks for the price.
    let (done, said) = decrypts_with(&lot, &unused);
    assert!(!done && said.contains("no answer for the first envelope"), "{said}");
    for n in 1..=2 {
        let (done, said) = answer(n);
        assert!(done && said.contains("second round"), "{said}");
    }
    assert!(!answer(3).0, "who did not pass is not asked");
    world.settle();
    closed(&lot);
    assert_eq!(prices(&lot.record()), [&json!("900000.00"), &Value::Null, &json!("905000.00")]);
    verified(&lot, "second");
});
