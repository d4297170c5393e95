//! Two envelopes (ENG-40): the first opens and is judged before any price does, and the price of whoever did not pass never opens.

use sealbid::client::Client;
use sealbid::client::sealer::Sealer;
use sealbid::rules::editions::Category;
use sealbid::rules::envelopes::Round;
use sealbid::seal::envelope::Part;
use sealbid::seal::ids::Ident;
use sealbid::seal::manifest::{Binding, Manifest};
use sealbid::seal::part_writer::{describe, write_part};
use sealbid::seal::partials::Partials;
use sealbid::seal::sealing::seal_payload;
use sealbid::verify::opening::check;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Person;
use crate::support::custody::{Custody, Held, give, partials, snapshot};
use crate::support::loglab;
use crate::support::program::{trust, verify_opening_elsewhere};
use crate::support::steps::items;
use crate::support::stored::{files, found_in, tables};
use crate::support::story::{LotStory, SEALED_CHUNK, jws, merge, upload};
use crate::support::world::World;

const METHOD: &[u8] = b"How the bridge is to be built";
pub const AMOUNTS: [&str; 3] = ["900000.00", "910000.00", "987654.32"];
/// Bidder 3 does not pass; this is how its price would be written down somewhere.
const TRACES: [&str; 3] = ["987654.32", "98765432", "987,654.32"];

/// The archive of a bidder's first envelope.
pub fn method(lot: &LotStory<'_>, bidder: &Person<'_>) -> Vec<u8> {
    let ident = |text: &str| Ident::parse(text, "id").expect("an id");
    let binding = Binding {
        tender: ident(&lot.project),
        lot: ident(&lot.id),
        bidder: ident(&bidder.member.org_id),
        part: Part::Documents,
    };
    let manifest =
        Manifest::new(binding, vec![describe("method.txt", METHOD).expect("in memory")]).expect("a manifest");
    let mut archive = Vec::new();
    write_part(&mut archive, &manifest, |_| Ok(METHOD)).expect("in memory");
    archive
}

/// Bidder `n` bids with both envelopes; gives the body and the upload of its price.
fn both(lot: &LotStory<'_>, n: usize, amount: &str) -> (Value, String) {
    let bidder = lot.world.bidder(n);
    let (price, sealed) = lot.seal_price(&bidder, Part::Price, amount);
    let held = upload(&bidder, &lot.id, "bid", &sealed, SEALED_CHUNK);
    let mut sealed = Vec::new();
    let documents = seal_payload(method(lot, &bidder).as_slice(), &mut sealed, 1).expect("sealed");
    upload(&bidder, &lot.id, "bid", &sealed, SEALED_CHUNK);
    let envelopes = [lot.header(&bidder, Part::Price, 1, &price), lot.header(&bidder, Part::Documents, 1, &documents)];
    (json!({ "envelopes": envelopes.iter().map(jws).collect::<Vec<_>>() }), held)
}

pub fn noticed<'w>(world: &'w World, terms: &Value) -> LotStory<'w> {
    let mut two = json!({ "envelopes": "two" });
    two.as_object_mut().expect("terms").extend(terms.as_object().expect("terms").clone());
    world.lot(Category::Construction).terms(&two).noticed()
}

/// A box of three bids, closed and opened as far as the platform does it alone.
fn boxed(lot: LotStory<'_>) -> (LotStory<'_>, Vec<String>) {
    let mut uploads = Vec::new();
    for (n, amount) in (1..).zip(AMOUNTS) {
        lot.world.tick();
        let (body, held) = both(&lot, n, amount);
        lot.submit(n, &body).ok();
        uploads.push(held);
    }
    (lot.closed(), uploads)
}

/// The session that is under way is read out, confirmed and closed.
pub fn closed(lot: &LotStory<'_>) {
    for action in ["read-out", "confirm", "close"] {
        lot.session(&lot.world.initiator(), action).ok();
    }
    lot.world.settle();
}

/// Bids 1 and 2 pass, 3 does not.
pub fn passed(lot: &LotStory<'_>) {
    let refused = json!({ "decision": "rejected", "code": "not_responsive", "reason": "No method for the piers" });
    lot.judge(3, &refused).ok();
    for n in 1..=2 {
        lot.judge(n, &json!({ "decision": "responsive" })).ok();
    }
}

pub fn prices(record: &Value) -> Vec<&Value> {
    record["bids"].as_array().expect("bids").iter().map(|bid| &bid["price"]["amount"]).collect()
}

on_both!(prices_open_in_a_round_of_their_own_for_those_who_passed, |world| {
    let (lot, uploads) = boxed(noticed(world, &json!({})));
    let initiator = world.initiator();
    assert_eq!((lot.unsealed(), lot.opening(&initiator)["session"]["round"].clone()), (3, json!("first")));
    closed(&lot);
    let record = lot.record();
    assert_eq!(prices(&record), [&Value::Null; 3], "no price is known");
    world.settle();
    let file = |name: &str| world.nobody("GET", format!("/audit/main/disclosures/{name}.ndjson")).send();
    let first = file(&lot.id).text();
    loglab::disclosed(world, &lot.id, &first).expect("the first round is disclosed");
    assert_eq!(record["bids"][0]["parts"][0]["files"][0]["path"], "method.txt");
    // Nothing goes on without the second envelopes, and they do not open before all firsts are judged.
    lot.act(&initiator, "open-prices", &json!({})).refused_by(409, "bids-undecided", "PF-15");
    lot.judge(
        1,
        &json!({ "decision": "responsive", "evaluated_price": { "amount": "1.00", "currency": "CNY" }, "reason": "x" }),
    )
    .refused(422, "body-invalid");
    passed(&lot);
    assert_eq!(lot.evaluation(&initiator)["bids"][2]["place"], "rejected");
    lot.act(&initiator, "complete-evaluation", &json!({})).refused_by(409, "prices-still-sealed", "ENG-40");
    lot.act(&world.bidder(1), "open-prices", &json!({})).refused(403, "role-forbidden");
    lot.act(&initiator, "open-prices", &json!({ "lines": ["Two of three passed"] })).ok();
    assert_eq!(lot.state(), "opening");
    assert!(lot.notices().contains(&"passed".to_owned()));
    world.settle();
    // Unsealed, not read out: nobody is shown a price, and the first record stays.
    assert_eq!(lot.unsealed(), 5, "three firsts and two seconds");
    let session = lot.opening(&initiator);
    assert_eq!((&session["session"]["round"], &session["session"]["state"]), (&json!("second"), &json!("reading")));
    for text in [lot.record().to_string(), session.to_string(), lot.evaluation(&initiator).to_string()] {
        assert!(!text.contains("900000.00"), "{text}");
    }
    closed(&lot);
    assert_eq!(prices(&lot.record()), [&json!("900000.00"), &json!("910000.00"), &Value::Null]);
    // What was disclosed stays as it was, and the second round is disclosed beside it.
    world.settle();
    assert_eq!(file(&lot.id).text(), first);
    let (name, second) = (format!("{}-2", lot.id), file(&format!("{}-2", lot.id)).text());
    loglab::disclosed(world, &name, &second).expect("the second round is disclosed");
    loglab::disclosed(world, &name, &first).expect_err("that is the other file");
    assert!(second.lines().count() > first.lines().count());
    no_trace(world, &uploads);
    world.bidder(3).get(format!("/v1/bids/{}/payloads/price", lot.bid_id(3))).refused(410, "payload-destroyed");
    // Who passed is judged again, now by the price; who did not stays rejected.
    lot.act(&initiator, "complete-evaluation", &json!({})).refused_by(409, "bids-undecided", "PF-15");
    lot.judge(3, &json!({ "decision": "responsive" })).refused(409, "second-envelope-sealed");
    lot.act(&initiator, "open-prices", &json!({})).refused_by(409, "no-second-envelope", "ENG-40");
    for n in 1..=2 {
        lot.judge(n, &json!({ "decision": "responsive" })).ok();
    }
    lot.act(&initiator, "complete-evaluation", &json!({ "lines": ["Judged"] })).ok();
    let report = lot.evaluation(&initiator);
    assert_eq!(report["report"]["ranked"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["report"]["rejected"][0]["code"], "not_responsive");
});

/// The price of who did not pass is nowhere: no text, no key, no ciphertext.
pub fn no_trace(world: &World, uploads: &[String]) {
    for (table, rows) in tables(world) {
        for trace in TRACES {
            assert_eq!(found_in(&rows.join("\n"), trace), None, "{table}");
        }
    }
    let blobs: Vec<String> = files(world.dir()).iter().map(|(path, _)| path.display().to_string()).collect();
    let is_stored = |upload: &String| blobs.iter().any(|path| path.contains(upload.as_str()));
    let stored: Vec<bool> = uploads.iter().map(is_stored).collect();
    assert_eq!(stored, [true, true, false], "the sealed price that did not open is destroyed");
    let kept = world.inspector().look("/v1/inspection/entries?kind=envelopes.destroyed&limit=10").ok();
    assert_eq!(items(&kept).len(), 1);
}

on_both!(both_envelopes_are_sealed_each_to_its_own_key, |world| {
    let lot = noticed(world, &json!({}));
    let (first, second) = (lot.key_set_of(Round::First), lot.key_set_of(Round::Second));
    assert_ne!(first.kid, second.kid);
    let (body, _) = both(&lot, 1, "900000.00");
    let price_alone = json!({ "envelopes": [body["envelopes"][0].clone()] });
    lot.submit(1, &price_alone).refused(422, "first-envelope-missing");
    // Sealed to the first key a price would open with the documents.
    let bidder = world.bidder(1);
    let (price, sealed) = lot.seal_price(&bidder, Part::Price, "900000.00");
    upload(&bidder, &lot.id, "bid", &sealed, SEALED_CHUNK);
    let mut as_one = LotStory::new(world, Category::Construction);
    (as_one.id, as_one.project) = (lot.id.clone(), lot.project.clone());
    let early = as_one.header(&bidder, Part::Price, 1, &price);
    lot.submit(1, &json!({ "envelopes": [jws(&early), body["envelopes"][1].clone()] }))
        .refused(422, "envelope-foreign-lot");
    lot.submit(1, &body).ok();
    world.nobody("GET", lot.path("/key-set?round=third")).send().refused(422, "body-invalid");
    let one = world.lot(Category::Construction).noticed();
    world.nobody("GET", one.path("/key-set?round=second")).send().refused(404, "not-found");
});

on_both!(a_bidder_s_tool_takes_a_key_for_each_envelope_and_no_key_of_its_own_is_asked_for, |world| {
    let lot = noticed(world, &json!({}));
    let (client, bidder) = (Client::new(world.base()), world.bidder(1));
    let platform = world.app().keys.promise.verifying_key();
    let sealer = Sealer::prepare(&client, &lot.id, &bidder.member.org_id, platform).expect("both key sets are trusted");
    for (part, round) in [(Part::Documents, Round::First), (Part::Price, Round::Second)] {
        let kids: Vec<_> = sealer.key_sets(part).iter().map(|set| set.kid).collect();
        assert_eq!(kids, [lot.key_set_of(round).kid]);
    }
    let refused = |category: Category, terms: Value, why: &str| {
        let usual = world.lot(category).drafted();
        let mut new = usual.view();
        merge(&mut new["terms"], &terms);
        let body = json!({
            "project_id": usual.project, "category": category.name(), "title": "Two", "terms": new["terms"],
        });
        let problem = world.initiator().post("/v1/lots", &body).refused(422, "body-invalid");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{problem}");
    };
    let deposited = json!({ "envelopes": "two", "key_mode": "bidder", "escrow": "custodians" });
    refused(Category::Construction, deposited, "escrow: none where envelopes is two");
    for category in [Category::LandUse, Category::StateAsset] {
        refused(category, json!({ "envelopes": "two" }), "no second round");
    }
});

on_both!(if_nobody_passes_no_price_ever_opens, |world| {
    let (lot, _) = boxed(noticed(world, &json!({})));
    closed(&lot);
    for n in 1..=3 {
        lot.judge(n, &json!({ "decision": "rejected", "code": "not_responsive", "reason": "No method" })).ok();
    }
    lot.act(&world.initiator(), "open-prices", &json!({})).refused_by(409, "no-responsive-bid", "PF-15");
    let over = json!({ "cause": "all_rejected", "reason": "Nobody says how to build it" });
    lot.act(&world.initiator(), "declare-unsuccessful", &over).ok();
    world.settle();
    assert_eq!(lot.unsealed(), 3);
    for round in ["first", "second"] {
        let shown = world.nobody("GET", lot.path(&format!("/key-set?round={round}"))).send().ok();
        assert_eq!(shown["state"], "erased");
    }
});

/// Three of five answer the latest snapshot; gives how many lines it has.
fn answered(lot: &LotStory<'_>, custody: &Custody<'_>, shares: &[sealbid::seal::keyset::KeyShare]) -> usize {
    let (_, lines) = snapshot(lot);
    for i in [1_u8, 3, 5] {
        give(lot, &custody.person(i), partials(&shares[usize::from(i) - 1], &lines)).ok();
    }
    lot.world.settle();
    lines.len()
}

fn in_custody(world: &World) -> (Custody<'_>, Held, LotStory<'_>) {
    let terms = json!({ "envelopes": "two", "key_mode": "custodians" });
    let lot = world.lot(Category::Construction).terms(&terms).registered();
    let custody = Custody::enrolled(world);
    let held = custody.held(&lot);
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    (custody, held, lot)
}

on_both!(custodians_hold_a_key_for_each_envelope_and_are_asked_only_for_those_who_passed, |world| {
    let (custody, held, lot) = in_custody(world);
    let (lot, _) = boxed(lot);
    let (_, lines) = snapshot(&lot);
    let of_first = partials(&held.shares[0], &lines);
    let as_second = Partials { kid: held.second[0].key_set().kid, ..of_first.clone() };
    // The second key is for the second round, whoever asks; and its share for a line of the first is not even made.
    give(&lot, &custody.person(1), as_second.clone()).refused(404, "not-found");
    assert!(lines[0].share(&held.second[0]).is_err());
    assert_eq!((answered(&lot, &custody, &held.shares), lot.unsealed()), (3, 3));
    closed(&lot);
    world.nobody("GET", lot.path("/opening-bundle?round=second")).send().refused(404, "not-found");
    passed(&lot);
    world.tick();
    lot.act(&world.initiator(), "open-prices", &json!({})).ok();
    world.settle();
    let views = items(&world.nobody("GET", lot.path("/snapshots")).send().ok());
    assert_eq!((views.len(), lot.unsealed()), (2, 3));
    give(&lot, &custody.person(1), of_first).refused(404, "not-found");
    give(&lot, &custody.person(1), as_second).refused(422, "partials-invalid");
    assert_eq!((answered(&lot, &custody, &held.second), lot.unsealed()), (2, 5), "who did not pass is not asked for");
    closed(&lot);
    assert_eq!(prices(&lot.record()), [&json!("900000.00"), &json!("910000.00"), &Value::Null]);
    for (round, priced) in [("first", 0), ("second", 2)] {
        let bytes = world.nobody("GET", lot.path(&format!("/opening-bundle?round={round}"))).send().ok_bytes();
        let text = String::from_utf8(bytes).expect("text");
        assert_eq!(text.lines().filter(|line| line.contains("\"price\":{")).count(), priced, "{round}");
        check(&trust(world), "opening", text.as_bytes()).expect("proven");
        verify_opening_elsewhere(&text, &world.app().promise_verifier(), true);
    }
});
