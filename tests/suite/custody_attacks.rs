//! What is tried against a lot under custodians: another's payload, another revision of the documents, the moment before an
//! extension. Each is refused, or comes to nothing, by name.

use sealbid::custodian::opening::in_time;
use sealbid::kernel::time::Timestamp;
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::{Part, SignedEnvelope};
use sealbid::seal::sealing::SealedPayload;
use sealbid::seal::snapshot::Line;
use sealbid::tlog::note::Verifier;
use sealbid::tlog::policy::Policy;
use sealbid::verify::receipt::included;
use sealbid::verify::trust::Trust;
use serde_json::{Value, json};

use crate::bad_envelopes::{nothing_is_kept, opened_up, signed, submit, with, with_ctx};
use crate::on_both;
use crate::support::custody::{Custody, Held, give, partials, snapshot};
use crate::support::steps::items;
use crate::support::story::{LotStory, SEALED_CHUNK, jws, upload};
use crate::support::world::World;

const HOUR: i64 = 60 * 60;

/// Noticed, with the key of its custodians.
fn noticed<'w>(world: &'w World) -> (Custody<'w>, Held, LotStory<'w>) {
    let lot = world.lot(Category::Construction).terms(&json!({ "key_mode": "custodians" })).registered();
    let custody = Custody::enrolled(world);
    let held = custody.held(&lot);
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    (custody, held, lot)
}

/// Three of the custodians answer.
fn answered(custody: &Custody<'_>, held: &Held, lot: &LotStory<'_>) {
    let (_, lines) = snapshot(lot);
    for i in [1, 3, 4] {
        give(lot, &custody.person(i), partials(&held.shares[usize::from(i) - 1], &lines)).ok();
    }
    lot.world.settle();
}

/// Bidder `n` uploads another's ciphertext and signs a header of its own over it, with what it knows of its secrets.
fn taken_over(lot: &LotStory<'_>, n: usize, payload: &SealedPayload, sealed: &[u8]) -> SignedEnvelope {
    let bidder = lot.world.bidder(n);
    upload(&bidder, &lot.id, "bid", sealed, SEALED_CHUNK);
    lot.header(&bidder, Part::Price, 1, payload)
}

on_both!(a_payload_that_was_copied_from_another_bidder_opens_to_nothing_under_custodians, |world| {
    let (custody, held, lot) = noticed(world);
    let (victim, thief) = (world.bidder(1), world.bidder(2));
    let (theirs, sealed) = lot.seal_price(&victim, Part::Price, "900000.00");
    upload(&victim, &lot.id, "bid", &sealed, SEALED_CHUNK);
    let original = lot.header(&victim, Part::Price, 1, &theirs);
    submit(&lot, &victim, &[jws(&original)]).ok();
    // The root alone gives nothing: the thief has no such upload, and another's is not to be had.
    submit(&lot, &thief, &[jws(&lot.header(&thief, Part::Price, 1, &theirs))]).refused(404, "upload-not-found");
    // Nor do the slots: they prove whose context they were made for.
    let own = taken_over(&lot, 2, &theirs, &sealed);
    let slots = opened_up(&original).0["slots"].clone();
    let copied = signed(&thief.signing_key(), &with(&opened_up(&own).0, "/slots", slots));
    submit(&lot, &thief, &[copied]).refused(422, "envelope-proof-invalid");
    nothing_is_kept(&lot, &thief);
    // Whoever got hold of the ciphertext does not know what opens it, with the victim's commitment or with its own; and whoever
    // was told the secrets has a bid that names the victim.
    let (mut guessed, _) = lot.seal_price(&thief, Part::Price, "1.00");
    (guessed.len, guessed.root, guessed.size_bytes) = (theirs.len, theirs.root, theirs.size_bytes);
    let mine = taken_over(&lot, 2, &guessed, &sealed);
    submit(&lot, &thief, &[jws(&mine)]).ok();
    let third = world.bidder(3);
    let kc = opened_up(&original).0["kc"].clone();
    let committed = with(&opened_up(&taken_over(&lot, 3, &guessed, &sealed)).0, "/kc", kc);
    submit(&lot, &third, &[signed(&third.signing_key(), &committed)]).ok();
    submit(&lot, &world.bidder(4), &[jws(&taken_over(&lot, 4, &theirs, &sealed))]).ok();
    let lot = lot.closed();
    answered(&custody, &held, &lot);
    assert_eq!(lot.unsealed(), 4);
    let initiator = world.initiator();
    for failed in lot.opening(&initiator)["failures"].as_array().expect("failures") {
        let cause =
            json!({ "bid_id": failed["bid_id"], "cause": "bidder", "reason": "It is another bidder's payload." });
        initiator.post(lot.path("/opening/actions/attribute"), &cause).ok();
    }
    let lot = lot.opened();
    for (n, outcome, reason) in [
        (1, "opened", Value::Null),
        (2, "bad_payload", json!("chunk_not_authentic")),
        (3, "bad_commit", json!("key_commitment_mismatch")),
        (4, "bad_manifest", json!("manifest_mismatch")),
    ] {
        let bids = lot.record()["bids"].as_array().expect("bids").clone();
        let bid = bids.iter().find(|bid| bid["bid_id"] == lot.bid_id(n).as_str()).expect("in the record");
        let part = &bid["parts"][0];
        assert_eq!((&part["outcome"], &part["reason"]), (&json!(outcome), &reason), "bidder {n}: {bid}");
    }
});

on_both!(an_envelope_for_another_revision_of_the_documents_is_refused_under_custodians, |world| {
    let (custody, held, lot) = noticed(world);
    lot.bid(1, 1, "900000.00").ok();
    let (stale, _) = lot.uploaded_bid(2, 1, "910000.00");
    let lines = json!({ "lines": ["The pipe is 30 cm wide"], "affects_bid": true });
    lot.act(&world.initiator(), "clarify", &lines).ok();
    lot.submit(2, &stale).refused_by(409, "document-revision-stale", "PF-10");
    // Putting the revision right under the old slots does not help: they prove the context that they were made for.
    let (bidder, envelope) = (world.bidder(2), parsed(&stale));
    let (content, ctx) = opened_up(&envelope);
    let moved = with_ctx(&content, &with(&ctx, "/doc_rev", json!(lot.revision())));
    submit(&lot, &bidder, &[signed(&bidder.signing_key(), &moved)]).refused(422, "envelope-proof-invalid");
    let never = with_ctx(&content, &with(&ctx, "/doc_rev", json!("00".repeat(32))));
    submit(&lot, &bidder, &[signed(&bidder.signing_key(), &never)]).refused(422, "envelope-proof-invalid");
    // What was in the box stays there, and whoever seals for the new revision is in it as well.
    lot.bid(2, 2, "910000.00").ok();
    lot.bid(3, 1, "920000.00").ok();
    let lot = lot.closed();
    let (_, shown) = snapshot(&lot);
    assert!(shown.len() == 3 && shown.iter().all(|line| line.envelope != envelope.id()));
    answered(&custody, &held, &lot);
    assert_eq!(lot.unsealed(), 3);
    lot.opened();
});

fn parsed(body: &Value) -> SignedEnvelope {
    SignedEnvelope::parse(body["envelopes"][0].to_string().as_bytes()).expect("an envelope")
}

/// The opening time that is on record in the log with the snapshot.
fn recorded(world: &World, proof: &Value) -> Timestamp {
    let log = Verifier::parse(&world.app().log.signer().verifier().to_string()).expect("a key");
    let trust = Trust::new(Some(Policy::of_log(log)), Vec::new());
    let entry = included(&trust, "proof", proof.as_str().expect("a proof")).expect("in the log");
    let said: Value = serde_json::from_slice(&entry.opening.p).expect("JSON");
    assert_eq!(said["kind"], "box.snapshot");
    Timestamp::parse(said["data"]["opens_at"].as_str().expect("a time")).expect("a time")
}

on_both!(at_the_moment_before_an_extension_custodians_open_nothing, |world| {
    let (custody, held, lot) = noticed(world);
    let bodies: Vec<Value> = [(1, "900000.00"), (2, "910000.00"), (3, "920000.00")]
        .map(|(n, amount)| lot.uploaded_bid(n, 1, amount).0)
        .into();
    for (n, body) in (1..).zip(&bodies) {
        lot.submit(n, body).ok();
    }
    let (old, new) = (lot.deadline(), lot.deadline().plus_seconds(48 * HOUR));
    let extension = json!({ "new_deadline_at": new, "reason": "More time was asked for" });
    lot.act(&world.initiator(), "extend", &extension).ok();
    // Three custodians, all they need to open, act on the old moment, which their key's lower bound would allow.
    let key_set = held.shares[0].key_set();
    assert!(in_time(key_set, &[], old).is_ok());
    let mut lines: Vec<Line> = bodies.iter().flat_map(|body| Line::of(&parsed(body), key_set.kid)).collect();
    lines.sort_by_key(|line| (line.envelope, line.slot));
    for at in [old, old.plus_seconds(HOUR), new.plus_millis(-1)] {
        world.advance_to(at);
        assert!(items(&world.nobody("GET", lot.path("/snapshots")).send().ok()).is_empty());
        for i in [1, 2, 3] {
            let list = partials(&held.shares[usize::from(i) - 1], &lines);
            give(&lot, &custody.person(i), list).refused(409, "not-opening");
        }
        world.settle();
        assert_eq!((lot.state().as_str(), lot.unsealed()), ("noticed", 0));
    }
    let lot = lot.closed();
    let (view, drawn) = snapshot(&lot);
    assert_eq!(drawn, lines, "the bids of before are in the box");
    // Whoever has nothing but the snapshot's file reads the moment out of the log's entry behind it.
    let on_record = recorded(world, &view["proof"]);
    assert_eq!(on_record, new);
    let early = in_time(key_set, &[on_record], old.plus_seconds(HOUR)).expect_err("too early");
    assert_eq!(early.code(), Some("too-early"));
    assert!(in_time(key_set, &[on_record], new).is_ok());
    answered(&custody, &held, &lot);
    assert_eq!(lot.unsealed(), 3);
    lot.opened();
});
