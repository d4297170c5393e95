//! Keys in escrow (EB-06): custodians open the key of a bidder that did not decrypt, after its time, and no other.

use std::collections::{BTreeMap, BTreeSet};

use sealbid::kernel::encoding::{base64url, hex};
use sealbid::kernel::time::Timestamp;
use sealbid::rules::editions::Category;
use sealbid::rules::envelopes::Round;
use sealbid::seal::envelope::{Part, SignedEnvelope};
use sealbid::seal::ids::Ident;
use sealbid::seal::keyset::KeyShare;
use sealbid::seal::manifest::{Binding, Manifest};
use sealbid::seal::part_writer::{describe, write_part};
use sealbid::seal::partials::Partials;
use sealbid::seal::snapshot::{Line, root};
use sealbid::verify::opening::check;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Person;
use crate::support::custody::{Custody, Held, give, partials, snapshot};
use crate::support::own::{
    OwnBid, decrypt, deposit_of, own_key, seal, seal_as, seal_for_escrow, seal_part_to, seal_rev,
};
use crate::support::program::{trust, verify_opening_elsewhere};
use crate::support::steps::items;
use crate::support::stored::{files, tables};
use crate::support::story::{LotStory, jws};
use crate::support::world::World;

const MINUTES: i64 = 20;

fn terms() -> Value {
    json!({ "key_mode": "bidder", "escrow": "custodians", "decryption_minutes": MINUTES })
}

/// A published lot with an escrow, and those who keep it.
fn noticed(world: &World) -> (Custody<'_>, Held, LotStory<'_>) {
    let lot = world.lot(Category::Construction).terms(&terms()).registered();
    let custody = Custody::enrolled(world);
    let held = custody.held(&lot);
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    (custody, held, lot)
}

/// A bid with its key in escrow.
struct Deposited {
    bid: OwnBid,
    escrow: SignedEnvelope,
    /// Where the ciphertext of the key lies.
    upload: String,
}

type Bids = BTreeMap<usize, Deposited>;

/// Bidder `n` seals a price, and deposits `deposited` or, where nothing is said, its own key.
fn with_deposit(lot: &LotStory<'_>, (n, rev): (usize, u32), amount: &str, deposited: Option<&KeyShare>) -> Deposited {
    let person = lot.world.bidder(n);
    let mut bid = seal_rev(lot, &person, (Part::Price, rev), amount, None, own_key(lot, &lot.id));
    let plain = deposit_of(lot, &person, deposited.unwrap_or(&bid.key));
    let (escrow, upload) = seal_for_escrow(lot, &person, rev, &plain);
    bid.body["envelopes"].as_array_mut().expect("envelopes").push(jws(&escrow));
    Deposited { bid, escrow, upload }
}

/// Four bidders bid, each with its escrow.
fn with_bids(lot: &LotStory<'_>, deposits: &[(usize, &KeyShare)]) -> Bids {
    let mut bids = BTreeMap::new();
    for (n, amount) in [(1, "900000.00"), (2, "910000.00"), (3, "920000.00"), (4, "930000.00")] {
        lot.world.tick();
        let deposited = deposits.iter().find(|(of, _)| *of == n).map(|(_, key)| *key);
        let made = with_deposit(lot, (n, 1), amount, deposited);
        lot.submit(n, &made.bid.body).ok();
        bids.insert(n, made);
    }
    bids
}

fn after_the_window(world: &World) {
    world.advance_to(world.now().plus_seconds((MINUTES + 1) * 60));
    // What custodians are asked is put on record, and then into the log.
    world.settle();
}

fn states(lot: &LotStory<'_>, count: usize) -> Vec<Value> {
    (1..=count).map(|n| lot.mine(n)["state"].clone()).collect()
}

fn session(lot: &LotStory<'_>) -> Value {
    lot.opening(&lot.world.centre())["session"]["state"].clone()
}

fn snapshots(lot: &LotStory<'_>) -> Vec<Value> {
    items(&lot.world.nobody("GET", lot.path("/snapshots")).send().ok())
}

/// These custodians answer what is asked.
fn answer(lot: &LotStory<'_>, custody: &Custody<'_>, held: &Held, who: &[u8]) {
    let (_, lines) = snapshot(lot);
    for i in who {
        give(lot, &custody.person(*i), partials(&held.shares[usize::from(*i) - 1], &lines)).ok();
    }
    lot.world.settle();
}

/// The bundle of the opening holds, here and elsewhere; gives its lines.
fn proven(lot: &LotStory<'_>) -> Vec<Value> {
    let world = lot.world;
    let bytes = world.nobody("GET", lot.path("/opening-bundle")).send().ok_bytes();
    let text = String::from_utf8(bytes).expect("text");
    check(&trust(world), "opening", text.as_bytes()).expect("proven");
    verify_opening_elsewhere(&text, &world.app().promise_verifier(), true);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Which of these bidders' deposits are still stored.
fn stored(world: &World, bids: &Bids) -> Vec<bool> {
    let blobs: Vec<String> = files(world.dir()).iter().map(|(path, _)| path.display().to_string()).collect();
    bids.values().map(|made| blobs.iter().any(|path| path.contains(&made.upload))).collect()
}

/// Nothing that is stored has one of these keys in it.
fn no_key_is_stored(world: &World, bids: &Bids) {
    let dump: String = tables(world).into_values().flatten().collect();
    for made in bids.values() {
        let secret = made.bid.key.private_bytes();
        for text in [hex(secret.expose()), base64url(secret.expose())] {
            assert!(!dump.to_lowercase().contains(&text.to_lowercase()), "a private key is in the database");
        }
        assert!(files(world.dir()).iter().all(|(_, bytes)| !bytes.windows(32).any(|found| found == secret.expose())));
    }
}

on_both!(who_stays_away_is_opened_by_custodians_after_its_time_and_not_before, |world| {
    let (custody, held, lot) = noticed(world);
    let shown = world.nobody("GET", lot.path("/key-set?round=escrow")).send().ok();
    assert_eq!((&shown["parts"], &shown["escrow"]), (&json!(["escrow"]), &json!("custodians")));
    assert!(shown["protects"]["en"].as_str().is_some_and(|text| text.contains("escrow")));
    let bids = with_bids(&lot, &[]);
    let lot = lot.closed();
    for n in 1..=3 {
        decrypt(&lot, n, &bids[&n].bid).ok();
    }
    world.settle();
    // Within the bidders' time nobody is asked, and no custodian is heard.
    assert_eq!((lot.unsealed(), snapshots(&lot).len()), (3, 0));
    let early: Vec<_> = Line::of(&bids[&4].escrow, held.shares[0].key_set().kid);
    give(&lot, &custody.person(1), partials(&held.shares[0], &early)).refused(409, "snapshot-not-ready");
    after_the_window(world);
    custodians_are_told_when(world, &lot, &held);
    let (view, lines) = snapshot(&lot);
    assert_eq!((snapshots(&lot).len(), view["kid"].clone()), (1, json!(held.shares[0].key_set().kid)));
    let asked: Vec<_> = lines.iter().map(|line| line.envelope).collect();
    assert_eq!(asked, [bids[&4].escrow.id()], "only who stayed away is asked for");
    decrypt(&lot, 4, &bids[&4].bid).refused_by(409, "decryption-over", "EB-05");
    // What was not asked for is not answered, though a custodian would.
    let unasked = Line::of(&bids[&1].escrow, held.shares[0].key_set().kid);
    let more = Partials { snapshot: root(&lines), ..partials(&held.shares[0], &unasked) };
    give(&lot, &custody.person(1), more).refused(422, "partials-invalid");
    answer(&lot, &custody, &held, &[1, 3]);
    assert_eq!((lot.unsealed(), session(&lot)), (3, json!("unsealing")), "k - 1 do not open");
    answer(&lot, &custody, &held, &[5]);
    assert_eq!((lot.unsealed(), session(&lot)), (5, json!("reading")), "the key, and the bid with it");
    let lot = lot.opened();
    assert_eq!(states(&lot, 4), ["opened"; 4]);
    let record = lot.record();
    let by_escrow: Vec<&Value> = record["bids"].as_array().expect("bids").iter().map(|bid| &bid["by_escrow"]).collect();
    assert_eq!(by_escrow, [&json!(false), &json!(false), &json!(false), &json!(true)]);
    assert_eq!(record["bids"][3]["price"]["amount"], "930000.00");
    let lines = proven(&lot);
    let of_escrow = lines.iter().filter(|line| line["type"] == "partials" && !line["escrow"].is_null()).count();
    assert_eq!(of_escrow, 1, "one list is made with a key out of escrow");
    assert_eq!(stored(world, &bids), [false, false, false, true], "what nobody asked for is destroyed");
    no_key_is_stored(world, &bids);
    let set = world.nobody("GET", lot.path("/key-set?round=escrow")).send().ok();
    assert_eq!(set["state"], "retired");
    changed_bundles_are_found(world, &lines);
});

/// The key is not used before the bidders' time is over, and the record says when that is: a custodian's tool goes by both.
fn custodians_are_told_when(world: &World, lot: &LotStory<'_>, held: &Held) {
    let planned = lot.deadline().plus_seconds(MINUTES * 60);
    assert_eq!(held.shares[0].key_set().opens_not_before.as_str(), planned.to_string());
    let begun = lot.opening(&world.centre())["session"]["begun_at"].clone();
    let ends = Timestamp::parse(begun.as_str().expect("it began")).expect("a time").plus_seconds(MINUTES * 60);
    let entries = world.inspector().look("/v1/inspection/entries?kind=box.snapshot&limit=10").ok();
    assert!(items(&entries)[0].to_string().contains(&ends.to_string()), "{entries}");
}

/// Something that is changed in a bundle.
type Change = (&'static str, Box<dyn Fn(&mut Vec<Value>)>);

/// What somebody might change of a bundle with a key out of escrow.
fn changed_bundles_are_found(world: &World, good: &[Value]) {
    let at = |is: &dyn Fn(&Value) -> bool| good.iter().position(is).expect("a line");
    let list = at(&|line| line["type"] == "partials" && !line["escrow"].is_null());
    let own = at(&|line| line["type"] == "partials" && line["escrow"].is_null());
    let (key, price) = (at(&|line| line["part"] == "escrow"), at(&|line| line["part"] == "price"));
    let changes: Vec<Change> = vec![
        ("that it came out of escrow", Box::new(move |lines| lines[list]["escrow"] = Value::Null)),
        ("the envelope that it names", Box::new(move |lines| lines[list]["escrow"] = lines[price]["envelope"].clone())),
        ("a holder's own list", Box::new(move |lines| lines[own]["escrow"] = lines[key]["envelope"].clone())),
        ("the list", Box::new(move |lines| drop(lines.remove(list)))),
        ("the escrow's group", Box::new(|lines| lines[0]["escrow"] = Value::Null)),
        ("the key's envelope", Box::new(move |lines| drop(lines.remove(key)))),
        ("what that is", Box::new(move |lines| lines[key]["part"] = json!("documents"))),
        ("that it opened", Box::new(move |lines| lines[key]["outcome"] = json!("bad_slot"))),
        ("whose it is", Box::new(move |lines| lines[key]["bid"] = lines[price]["bid"].clone())),
    ];
    for (what, change) in changes {
        let mut lines = good.to_vec();
        change(&mut lines);
        let count = lines.len();
        lines.last_mut().expect("a last line")["lines"] = count.into();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert!(check(&trust(world), "opening", text.as_bytes()).is_err(), "{what} was changed");
        verify_opening_elsewhere(&text, &world.app().promise_verifier(), false);
    }
}

on_both!(where_all_decrypt_no_custodian_is_asked_and_nothing_of_their_keys_remains, |world| {
    let (_custody, _held, lot) = noticed(world);
    let bids = with_bids(&lot, &[]);
    let lot = lot.closed();
    for n in 1..=4 {
        decrypt(&lot, n, &bids[&n].bid).ok();
    }
    world.settle();
    assert_eq!((lot.unsealed(), session(&lot)), (4, json!("reading")));
    after_the_window(world);
    let lot = lot.opened();
    assert_eq!((states(&lot, 4), snapshots(&lot).len()), (vec![json!("opened"); 4], 0));
    assert_eq!(stored(world, &bids), [false; 4]);
    let gone = world.inspector().look("/v1/inspection/entries?kind=envelopes.destroyed&limit=10").ok();
    assert_eq!(items(&gone).len(), 1);
    world.bidder(1).get(format!("/v1/bids/{}/payloads/escrow", lot.bid_id(1))).refused(410, "payload-destroyed");
    proven(&lot);
});

on_both!(a_wrong_key_in_escrow_is_found_and_is_its_bidders_fault, |world| {
    let (custody, held, lot) = noticed(world);
    let other = own_key(&lot, &lot.id);
    let bids = with_bids(&lot, &[(4, &other)]);
    let lot = lot.closed();
    for n in 1..=2 {
        decrypt(&lot, n, &bids[&n].bid).ok();
    }
    after_the_window(world);
    answer(&lot, &custody, &held, &[2, 3, 4]);
    assert_eq!(session(&lot), "reading");
    let failures = lot.opening(&world.initiator())["failures"].clone();
    assert_eq!(failures.as_array().map(Vec::len), Some(1), "bidder 3 stayed away, and its key was right: {failures}");
    assert_eq!((&failures[0]["bid_id"], &failures[0]["escrow"]), (&json!(lot.bid_id(4)), &json!("escrow_wrong_key")));
    let body =
        json!({ "bid_id": lot.bid_id(4), "cause": "bidder", "reason": "Deposited another key, and stayed away" });
    world.initiator().post(lot.path("/opening/actions/attribute"), &body).ok();
    let lot = lot.opened();
    assert_eq!(states(&lot, 4), ["opened", "opened", "opened", "undecrypted_revoked"]);
    proven(&lot);
});

on_both!(garbage_in_escrow_is_found_and_a_bid_that_its_bidder_decrypts_does_not_depend_on_it, |world| {
    let (custody, held, lot) = noticed(world);
    let mut bids = BTreeMap::new();
    for (n, amount) in [(1, "900000.00"), (2, "910000.00"), (3, "920000.00")] {
        let mut bid = seal(&lot, n, amount, None, own_key(&lot, &lot.id));
        let (escrow, _) = seal_for_escrow(&lot, &world.bidder(n), 1, &[7; 3_000]);
        bid.body["envelopes"].as_array_mut().expect("envelopes").push(jws(&escrow));
        lot.submit(n, &bid.body).ok();
        bids.insert(n, bid);
    }
    let lot = lot.closed();
    decrypt(&lot, 1, &bids[&1]).ok();
    after_the_window(world);
    answer(&lot, &custody, &held, &[1, 2, 3]);
    for n in 2..=3 {
        let body = json!({ "bid_id": lot.bid_id(n), "cause": "bidder", "reason": "No key, and nobody to decrypt" });
        world.initiator().post(lot.path("/opening/actions/attribute"), &body).ok();
    }
    let lot = lot.opened();
    assert_eq!(states(&lot, 3), ["opened", "undecrypted_revoked", "undecrypted_revoked"]);
    proven(&lot);
});

on_both!(a_bid_without_its_key_with_another_s_or_with_one_that_nobody_asks_for_is_refused, |world| {
    let (_custody, _held, lot) = noticed(world);
    let good = with_deposit(&lot, (1, 1), "900000.00", None);
    let part = |at: usize| good.bid.body["envelopes"][at].clone();
    let mut without = good.bid.body.clone();
    without["envelopes"] = json!([part(0)]);
    lot.submit(1, &without).refused_by(422, "escrow-missing", "EB-06");
    lot.submit(1, &good.bid.body).ok();
    // Another bidder takes the envelope over; or makes a header of its own over the slots that it has seen.
    let mut theirs = with_deposit(&lot, (2, 1), "910000.00", None).bid;
    theirs.body["envelopes"][1] = part(1);
    lot.submit(2, &theirs.body).refused(422, "envelope-not-yours");
    let bidder = world.bidder(2);
    let text = String::from_utf8(good.escrow.jws().payload().to_vec()).expect("text");
    let mut payload: Value = serde_json::from_str(&text).expect("JSON");
    let ctx = payload["ctx"].as_str().expect("ctx").to_owned();
    let ctx = String::from_utf8(sealbid::kernel::encoding::from_base64url(&ctx).expect("base64url")).expect("text");
    let ctx = ctx.replace(&world.bidder(1).member.org_id, &bidder.member.org_id);
    payload["ctx"] = base64url(ctx.as_bytes()).into();
    let key = bidder.signing_key();
    let resigned =
        sealbid::seal::jws::Jws::sign(&key, "sealbid-envelope+jws", payload.to_string().as_bytes()).expect("signed");
    theirs.body["envelopes"][1] = serde_json::from_str(&resigned.to_json()).expect("JSON");
    lot.submit(2, &theirs.body).refused(422, "envelope-proof-invalid");
    // Sealed to the key of another group, or sent where there is no escrow.
    let usual = world.lot(Category::Construction).terms(&json!({ "key_mode": "bidder" })).noticed();
    let mut bid = seal(&usual, 1, "900000.00", None, own_key(&usual, &usual.id));
    let (strange, _) =
        seal_part_to(&usual, &world.bidder(1), (Part::Escrow, 1), &[&lot.key_set_of(Round::Escrow)], b"key");
    bid.body["envelopes"].as_array_mut().expect("envelopes").push(jws(&strange));
    usual.submit(1, &bid.body).refused_by(422, "escrow-not-asked", "EB-06");
    let (to_itself, _) = seal_part_to(&lot, &bidder, (Part::Escrow, 1), &[theirs.key.key_set()], b"key");
    theirs.body["envelopes"][1] = jws(&to_itself);
    lot.submit(2, &theirs.body).refused(422, "envelope-foreign-lot");
    world.nobody("GET", usual.path("/key-set?round=escrow")).send().refused(404, "not-found");
});

on_both!(an_escrow_is_for_bidders_own_keys_and_its_key_waits_for_the_bidders_time, |world| {
    let lot = world.lot(Category::Construction).terms(&terms()).registered();
    let (view, initiator) = (lot.view(), world.initiator());
    for mode in ["platform", "custodians", "dual"] {
        let mut new = view["terms"].clone();
        new["key_mode"] = mode.into();
        let body = json!({ "project_id": lot.project, "category": "construction", "title": "No", "terms": new });
        let problem = initiator.post("/v1/lots", &body).refused(422, "body-invalid");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("EB-06")), "{problem}");
    }
    lot.act(&initiator, "publish", &lot.schedule()).refused_by(422, "escrow-key-missing", "EB-06");
    let custody = Custody::enrolled(world);
    let early = world.now().plus_seconds(29 * 24 * 60 * 60);
    let id = custody.begin(&lot, custody.draft(&lot, 3, early, custody.members())).ok()["id"].clone();
    let give_up = json!({ "reason": "The key could be used before the bidders' time is over" });
    initiator.post(format!("/v1/ceremonies/{}/actions/abandon", id.as_str().expect("an id")), &give_up).ok();
    let held = custody.held(&lot);
    assert_eq!(held.shares[0].key_set().group.as_str(), Round::Escrow.group(&lot.id));
    // Published for a later opening, the key would be usable before the bidders' time is over.
    let mut later = lot.schedule();
    later["opens_at"] = json!(world.now().plus_seconds(31 * 24 * 60 * 60));
    lot.act(&initiator, "publish", &later).refused_by(422, "escrow-key-missing", "EB-06");
    lot.act(&initiator, "publish", &lot.schedule()).ok();
    assert_eq!(lot.key_set_of(Round::Escrow).kid, held.shares[0].key_set().kid);
});

on_both!(where_the_custodians_are_lost_too_the_rule_decides_and_nothing_is_stuck, |world| {
    let (custody, held, lot) = noticed(world);
    let bids = with_bids(&lot, &[]);
    let lot = lot.closed();
    for n in 1..=3 {
        decrypt(&lot, n, &bids[&n].bid).ok();
    }
    after_the_window(world);
    answer(&lot, &custody, &held, &[1, 2]);
    assert_eq!(session(&lot), "unsealing");
    let reason = json!({ "reason": "Three custodians lost their shares in the fire" });
    world.centre().post(lot.path("/opening/actions/give-up-shares"), &reason).ok();
    world.settle();
    assert_eq!(session(&lot), "reading");
    let failures = lot.opening(&world.initiator())["failures"].clone();
    assert_eq!((failures.as_array().map(Vec::len), &failures[0]["escrow"]), (Some(1), &json!("no_share")));
    let body = json!({ "bid_id": lot.bid_id(4), "cause": "bidder", "reason": "Did not decrypt in time" });
    world.initiator().post(lot.path("/opening/actions/attribute"), &body).ok();
    let lot = lot.opened();
    assert_eq!(states(&lot, 4), ["opened", "opened", "opened", "undecrypted_revoked"]);
    proven(&lot);
});

on_both!(a_replaced_or_withdrawn_bid_is_asked_for_no_more, |world| {
    let (custody, held, lot) = noticed(world);
    let bids = with_bids(&lot, &[]);
    lot.withdraw(4).ok();
    // Bidder 3 bids again, under a new key; all three stay away.
    let again = with_deposit(&lot, (3, 2), "919000.00", None);
    lot.submit(3, &again.bid.body).ok();
    let lot = lot.closed();
    after_the_window(world);
    let (_, lines) = snapshot(&lot);
    let asked: BTreeSet<_> = lines.iter().map(|line| line.envelope).collect();
    assert_eq!(asked, [bids[&1].escrow.id(), bids[&2].escrow.id(), again.escrow.id()].into());
    answer(&lot, &custody, &held, &[1, 2, 3]);
    let lot = lot.opened();
    assert_eq!(states(&lot, 4), ["opened", "opened", "opened", "withdrawn"]);
    assert_eq!(lot.record()["bids"][2]["price"]["amount"], "919000.00");
    proven(&lot);
});

on_both!(a_reserve_price_has_no_key_in_escrow_and_is_not_waited_for, |world| {
    let (custody, initiator) = (Custody::enrolled(world), world.initiator());
    let mut land = terms();
    land["reserve"] = "announced".into();
    let lot = world.lot(Category::LandUse).terms(&land).registered();
    let held = custody.held(&lot);
    lot.act(&initiator, "publish", &lot.schedule()).ok();
    world.advance_to(lot.instant("bidding_opens_at").expect("a time"));
    let bids = with_bids(&lot, &[]);
    let reserve = seal_as(&lot, &initiator, Part::Reserve, "112000.00", None, own_key(&lot, &lot.id));
    lot.put_reserve(&reserve.body).ok();
    let lot = lot.closed();
    for n in 1..=3 {
        decrypt(&lot, n, &bids[&n].bid).ok();
    }
    after_the_window(world);
    assert_eq!(lot.unsealed(), 4, "three bids, and the reserve price as it is");
    answer(&lot, &custody, &held, &[2, 4, 5]);
    let failures = lot.opening(&initiator)["failures"].clone();
    assert_eq!((failures.as_array().map(Vec::len), &failures[0]["kind"]), (Some(1), &json!("reserve")));
    let body = json!({ "bid_id": failures[0]["bid_id"], "cause": "initiator", "reason": "Did not decrypt it" });
    initiator.post(lot.path("/opening/actions/attribute"), &body).ok();
    let lot = lot.opened();
    assert_eq!((states(&lot, 4), stored(world, &bids)), (vec![json!("opened"); 4], vec![false, false, false, true]));
    proven(&lot);
});

/// The archive of documents of a bidder.
fn documents(lot: &LotStory<'_>, bidder: &Person<'_>) -> Vec<u8> {
    const METHOD: &[u8] = b"How the bridge is to be built";
    let ident = |text: &str| Ident::parse(text, "id").expect("an id");
    let binding = Binding {
        tender: ident(&lot.project),
        lot: ident(&lot.id),
        bidder: ident(&bidder.member.org_id),
        part: Part::Documents,
    };
    let files = vec![describe("method.txt", METHOD).expect("in memory")];
    let mut archive = Vec::new();
    let manifest = Manifest::new(binding, files).expect("a manifest");
    write_part(&mut archive, &manifest, |_| Ok(METHOD)).expect("in memory");
    archive
}

on_both!(who_decrypts_a_part_of_its_bid_only_is_opened_by_its_key_in_escrow, |world| {
    let (custody, held, lot) = noticed(world);
    let (mut bids, person) = (with_bids(&lot, &[]), world.bidder(5));
    world.tick();
    let mut bid = seal(&lot, 5, "940000.00", None, own_key(&lot, &lot.id));
    let (escrow, upload) = seal_for_escrow(&lot, &person, 1, &deposit_of(&lot, &person, &bid.key));
    let plain = documents(&lot, &person);
    let (second, _) = seal_part_to(&lot, &person, (Part::Documents, 1), &[bid.key.key_set()], &plain);
    bid.body["envelopes"].as_array_mut().expect("envelopes").extend([jws(&second), jws(&escrow)]);
    lot.submit(5, &bid.body).ok();
    let lot = lot.closed();
    for made in bids.iter() {
        decrypt(&lot, *made.0, &made.1.bid).ok();
    }
    // A list for one of its two envelopes; it names what it answers as a whole.
    let kid = bid.key.key_set().kid;
    let mut lines: Vec<Line> = [&bid.envelope, &second].iter().flat_map(|one| Line::of(one, kid)).collect();
    lines.sort_by_key(|line| line.envelope);
    let mut list = partials(&bid.key, &lines);
    list.partials.retain(|partial| partial.envelope == bid.envelope.id());
    give(&lot, &person, list).ok();
    world.settle();
    assert_eq!(lot.unsealed(), 5, "four bids, and one of two envelopes");
    bids.insert(5, Deposited { bid, escrow, upload });
    after_the_window(world);
    answer(&lot, &custody, &held, &[1, 2, 3]);
    let lot = lot.opened();
    assert_eq!(
        (states(&lot, 5), lot.record()["bids"][4]["by_escrow"].clone()),
        (vec![json!("opened"); 5], json!(true))
    );
    assert_eq!(stored(world, &bids), [false, false, false, false, true]);
    proven(&lot);
});
