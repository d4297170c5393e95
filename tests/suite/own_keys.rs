//! Lots whose bidders hold keys of their own: alone, or together with custodians.

use std::collections::BTreeMap;

use sealbid::rules::editions::Category;
use sealbid::seal::envelope::{Part, SignedEnvelope};
use sealbid::seal::ids::{Ident, UtcMillis};
use sealbid::seal::keyset::{KeySet, KeySetKind, KeySetSubject, KeyShare, Profile};
use sealbid::seal::sealing::{Subject, seal_header, seal_payload};
use sealbid::seal::snapshot::Line;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::custody::{Custody, give, partials, snapshot};
use crate::support::story::{LotStory, SEALED_CHUNK, jws, upload};

fn ident(text: &str) -> Ident {
    Ident::parse(text, "id").expect("an id")
}

/// A bidder's one-time key for a lot.
fn own_key(lot: &LotStory<'_>, group: &str) -> KeyShare {
    let opens = UtcMillis::parse(lot.deadline().to_string(), "opens").expect("a time");
    let subject = KeySetSubject {
        tender: ident(&lot.project),
        group: ident(group),
        opens_not_before: opens,
        profile: Profile::Strict,
    };
    KeyShare::generate(KeySetKind::Bidder, subject).expect("random numbers")
}

/// A bid under a key of the bidder's own.
struct OwnBid {
    key: KeyShare,
    envelope: SignedEnvelope,
    body: Value,
}

/// Seals a price to `shared`, where there is one, and to `own`.
fn seal(lot: &LotStory<'_>, n: usize, amount: &str, shared: Option<&KeySet>, own: KeyShare) -> OwnBid {
    let bidder = lot.world.bidder(n);
    let sets: Vec<&KeySet> = shared.into_iter().chain([own.key_set()]).collect();
    let plain = lot.price_archive(&bidder, Part::Price, amount);
    let mut sealed = Vec::new();
    let payload = seal_payload(plain.as_slice(), &mut sealed, sets.len()).expect("sealed");
    upload(&bidder, &lot.id, "bid", &sealed, SEALED_CHUNK);
    let subject = Subject {
        lot: ident(&lot.id),
        part: Part::Price,
        bidder: ident(&bidder.member.org_id),
        rev: 1,
        doc_rev: lot.revision(),
        created: UtcMillis::parse(lot.world.now().to_string(), "created").expect("a time"),
    };
    let envelope = seal_header(&subject, &payload, &sets, &bidder.signing_key()).expect("sealed");
    let signed = own.key_set().sign(&bidder.signing_key()).expect("random numbers");
    let body = json!({ "envelopes": [jws(&envelope)], "key_set": signed.jws() });
    OwnBid { key: own, envelope, body }
}

fn decrypt(lot: &LotStory<'_>, n: usize, bid: &OwnBid) -> Answer {
    let lines = Line::of(&bid.envelope, bid.key.key_set().kid);
    give(lot, &lot.world.bidder(n), partials(&bid.key, &lines))
}

fn states(lot: &LotStory<'_>, count: usize) -> Vec<Value> {
    (1..=count).map(|n| lot.mine(n)["state"].clone()).collect()
}

on_both!(a_bid_under_its_bidders_own_key_opens_with_it_and_otherwise_counts_as_revoked, |world| {
    let lot =
        world.lot(Category::Construction).terms(&json!({ "key_mode": "bidder", "decryption_minutes": 20 })).noticed();
    let shown = world.nobody("GET", lot.path("/key-set")).send().ok();
    assert_eq!((&shown["mode"], &shown["key_set"], &shown["kid"]), (&json!("bidder"), &Value::Null, &Value::Null));
    let mut bids = BTreeMap::new();
    for (n, amount) in [(1, "900000.00"), (2, "910000.00"), (3, "920000.00"), (4, "930000.00")] {
        let bid = seal(&lot, n, amount, None, own_key(&lot, &lot.id));
        lot.submit(n, &bid.body).ok();
        bids.insert(n, bid);
    }
    decrypt(&lot, 1, &bids[&1]).refused(409, "not-opening");
    let lot = lot.closed();
    assert_eq!(lot.opening(&world.centre())["session"]["state"], "unsealing");
    decrypt(&lot, 1, &bids[&1]).ok();
    decrypt(&lot, 2, &bids[&1]).refused(404, "not-found");
    decrypt(&lot, 2, &bids[&2]).ok();
    decrypt(&lot, 3, &bids[&3]).ok();
    world.settle();
    assert_eq!((lot.unsealed(), &lot.opening(&world.centre())["session"]["state"]), (3, &json!("unsealing")));
    world.advance_to(world.now().plus_seconds(21 * 60));
    assert_eq!(lot.opening(&world.centre())["session"]["state"], "reading");
    let failures = lot.opening(&world.initiator())["failures"].clone();
    assert_eq!(failures.as_array().map(Vec::len), Some(1), "{failures}");
    let body = json!({ "bid_id": lot.bid_id(4), "cause": "bidder", "reason": "Did not decrypt in time" });
    world.initiator().post(lot.path("/opening/actions/attribute"), &body).ok();
    let lot = lot.opened();
    assert_eq!(states(&lot, 4), ["opened", "opened", "opened", "undecrypted_revoked"]);
});

on_both!(custodians_and_bidder_open_together_and_neither_alone, |world| {
    let lot = world.lot(Category::Construction).terms(&json!({ "key_mode": "dual" })).registered();
    let custody = Custody::enrolled(world);
    let held = custody.held(&lot);
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    let shared = lot.key_set();
    let mut bids = BTreeMap::new();
    for (n, amount) in [(1, "900000.00"), (2, "910000.00"), (3, "920000.00")] {
        let bid = seal(&lot, n, amount, Some(&shared), own_key(&lot, &lot.id));
        lot.submit(n, &bid.body).ok();
        bids.insert(n, bid);
    }
    let lot = lot.closed();
    for n in 1..=3 {
        decrypt(&lot, n, &bids[&n]).ok();
    }
    world.settle();
    assert_eq!(lot.unsealed(), 0, "the bidders alone do not open");
    let (_, lines) = snapshot(&lot);
    assert!(lines.iter().all(|line| line.slot == 0), "custodians are asked for their own slot only");
    for i in [2, 4, 5] {
        give(&lot, &custody.person(i), partials(&held.shares[usize::from(i) - 1], &lines)).ok();
    }
    world.settle();
    assert_eq!(lot.unsealed(), 3);
    let lot = lot.opened();
    assert_eq!(states(&lot, 3), ["opened", "opened", "opened"]);
    let record = world.nobody("GET", lot.path("/opening-record")).send().ok();
    assert_eq!(record["bids"][0]["parts"][0]["shares"].as_array().map(Vec::len), Some(4));
});

on_both!(a_bid_that_is_not_sealed_as_the_notice_says_is_refused, |world| {
    let lot = world.lot(Category::Construction).terms(&json!({ "key_mode": "bidder" })).noticed();
    let good = seal(&lot, 1, "900000.00", None, own_key(&lot, &lot.id));
    let without = json!({ "envelopes": good.body["envelopes"] });
    lot.submit(1, &without).refused(422, "key-set-mismatch");
    let elsewhere = own_key(&lot, "lot-of-another-time");
    let foreign = elsewhere.key_set().sign(&world.bidder(1).signing_key()).expect("random numbers");
    let body = json!({ "envelopes": good.body["envelopes"], "key_set": foreign.jws() });
    lot.submit(1, &body).refused(422, "key-set-mismatch");
    // Another bidder takes over the key set, or the whole bid.
    let stolen = seal(&lot, 2, "910000.00", None, own_key(&lot, &lot.id));
    let body = json!({ "envelopes": stolen.body["envelopes"], "key_set": good.body["key_set"] });
    lot.submit(2, &body).refused(422, "key-set-mismatch");
    lot.submit(2, &good.body).refused(422, "envelope-not-yours");
    let platform = KeyShare::generate(KeySetKind::Platform, subject_of(&good.key)).expect("random numbers");
    let signed = platform.key_set().sign(&world.bidder(1).signing_key()).expect("random numbers");
    let body = json!({ "envelopes": good.body["envelopes"], "key_set": signed.jws() });
    lot.submit(1, &body).refused(422, "key-set-mismatch");
    lot.submit(1, &good.body).ok();
    // Under a platform key nobody brings one.
    let usual = world.lot(Category::Construction).noticed();
    let mut body = usual.sealed_bid(&world.bidder(1), 1, "900000.00");
    body["key_set"] = good.body["key_set"].clone();
    usual.submit(1, &body).refused(422, "key-set-mismatch");
});

fn subject_of(key: &KeyShare) -> KeySetSubject {
    let set = key.key_set();
    KeySetSubject {
        tender: set.tender.clone(),
        group: set.group.clone(),
        opens_not_before: set.opens_not_before.clone(),
        profile: set.profile,
    }
}
