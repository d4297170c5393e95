//! Headers that claim what is not theirs: another's signature, lot, key set or ephemeral key. Each is refused by its own name,
//! and nothing of it stays.

use sealbid::kernel::encoding::{base64url, from_base64url};
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::{ENVELOPE_TYP, Part, SignedEnvelope};
use sealbid::seal::keys::{Algorithm, SigningKey};
use sealbid::seal::keyset::{KeySetKind, KeySetSubject, KeyShare, Profile};
use sealbid::seal::sealing::seal_header;
use serde_json::{Value, json};

use crate::bad_envelopes::{
    Price, changed, nothing_is_kept, opened_up, price, signed, subject, submit, under, with, with_ctx,
};
use crate::on_both;
use crate::support::story::jws;
use crate::support::world::World;

#[test]
fn a_signature_that_is_not_by_an_active_key_of_the_bidder_is_refused() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let Price { envelope, .. } = price(&lot, &bidder);
    let (content, ctx) = opened_up(&envelope);
    let mut flipped = jws(&envelope);
    let mut signature = from_base64url(flipped["signature"].as_str().expect("text")).expect("base64url");
    signature[63] ^= 1;
    flipped["signature"] = json!(base64url(&signature));
    submit(&lot, &bidder, &[flipped]).refused(422, "envelope-signature-invalid");
    let mut altered = jws(&envelope);
    let later = with_ctx(&content, &with(&ctx, "/created", json!("2026-03-02T02:00:00.000Z")));
    altered["payload"] = json!(base64url(later.as_bytes()));
    submit(&lot, &bidder, &[altered]).refused(422, "envelope-signature-invalid");
    let key = bidder.signing_key();
    let other = if key.verifying_key().algorithm() == Algorithm::EdDsa { "ES256" } else { "EdDSA" };
    let confused = format!(r#"{{"alg":"{other}","kid":"{}","typ":"{ENVELOPE_TYP}"}}"#, key.verifying_key().key_id());
    submit(&lot, &bidder, &[under(&key, &confused, envelope.jws().payload())])
        .refused(422, "envelope-signature-invalid");
    let unregistered = SigningKey::generate(Algorithm::Es256).expect("random numbers");
    submit(&lot, &bidder, &[signed(&unregistered, &content.to_string())]).refused(422, "signing-key-not-active");
    let of_another = world.bidder(2).signing_key();
    submit(&lot, &bidder, &[signed(&of_another, &content.to_string())]).refused(422, "signing-key-not-active");
    let keys = bidder.get("/v1/signing-keys").ok();
    bidder.act(format!("/v1/signing-keys/{}/actions/revoke", keys["items"][0]["id"].as_str().expect("an id"))).ok();
    submit(&lot, &bidder, &[jws(&envelope)]).refused(422, "signing-key-not-active");
    nothing_is_kept(&lot, &bidder);
}

#[test]
fn a_header_for_another_lot_project_group_bidder_or_key_set_is_refused() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let elsewhere = world.lot(Category::Construction).noticed();
    let (bidder, other) = (world.bidder(1), world.bidder(2));
    let key = bidder.signing_key();
    let Price { payload, envelope } = price(&lot, &bidder);
    let (content, ctx) = opened_up(&envelope);
    submit(&elsewhere, &bidder, &[jws(&envelope)]).refused(422, "envelope-foreign-lot");
    for (pointer, value) in [("/lot", &elsewhere.id), ("/group", &elsewhere.id), ("/tender", &elsewhere.project)] {
        let foreign = signed(&key, &with_ctx(&content, &with(&ctx, pointer, json!(value))));
        submit(&lot, &bidder, &[foreign]).refused(422, "envelope-foreign-lot");
    }
    let another = signed(&key, &with_ctx(&content, &with(&ctx, "/bidder", json!(other.member.org_id))));
    submit(&lot, &bidder, &[another]).refused(422, "envelope-not-yours");
    submit(&lot, &other, &[jws(&envelope)]).refused(422, "envelope-not-yours");
    submit(&lot, &other, &[signed(&other.signing_key(), &content.to_string())]).refused(422, "envelope-not-yours");
    // A header of its own over the payload that the other bidder uploaded.
    let foreign_upload = lot.header(&other, Part::Price, 1, &payload);
    submit(&lot, &other, &[jws(&foreign_upload)]).refused(404, "upload-not-found");
    // A key set that only looks like the lot's.
    let real = lot.key_set();
    let similar = KeySetSubject {
        tender: real.tender.clone(),
        group: real.group.clone(),
        opens_not_before: real.opens_not_before.clone(),
        profile: Profile::Strict,
    };
    let forged = KeyShare::generate(KeySetKind::Platform, similar).expect("random numbers");
    let sealed_to_it = seal_header(&subject(&lot, &bidder), &payload, &[forged.key_set()], &key).expect("sealed");
    submit(&lot, &bidder, &[jws(&sealed_to_it)]).refused(422, "key-set-mismatch");
    let mut second = content["slots"][0].clone();
    second["enc"] = opened_up(&sealed_to_it).0["slots"][0]["enc"].clone();
    let two = signed(&key, &with(&content, "/slots", json!([content["slots"][0], second])));
    submit(&lot, &bidder, &[two]).refused(422, "key-set-mismatch");
    for person in [&bidder, &other] {
        nothing_is_kept(&lot, person);
        nothing_is_kept(&elsewhere, person);
    }
}

#[test]
fn an_ephemeral_key_that_is_not_proven_or_was_copied_is_refused() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let (bidder, victim) = (world.bidder(1), world.bidder(2));
    let key = bidder.signing_key();
    let (own, theirs) = (price(&lot, &bidder), price(&lot, &victim));
    submit(&lot, &victim, &[jws(&theirs.envelope)]).ok();
    let (content, _) = opened_up(&own.envelope);
    let (copied, _) = opened_up(&theirs.envelope);
    let mut without = content.clone();
    without["slots"][0].as_object_mut().expect("a slot").remove("pok");
    let mut proof = from_base64url(content["slots"][0]["pok"].as_str().expect("text")).expect("base64url");
    proof[63] ^= 1;
    let mut part_copied = content.clone();
    part_copied["slots"][0]["enc"] = copied["slots"][0]["enc"].clone();
    for (what, slots) in [
        ("no proof", without["slots"].clone()),
        ("an altered proof", json!([changed(&content["slots"][0], "pok", json!(base64url(&proof)))])),
        ("a proof of nothing", json!([changed(&content["slots"][0], "pok", json!(base64url(&[0; 64])))])),
        ("another bidder's slot", copied["slots"].clone()),
        ("another bidder's key under one's own proof", part_copied["slots"].clone()),
    ] {
        let answer = submit(&lot, &bidder, &[signed(&key, &with(&content, "/slots", slots))]);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, "envelope-proof-invalid"),
            "{what}: {}",
            answer.text()
        );
    }
    nothing_is_kept(&lot, &bidder);
}

on_both!(where_no_proof_is_demanded_an_ephemeral_key_is_still_good_for_one_slot_only, |world| {
    let lot = world.lot(Category::Construction).terms(&json!({ "profile": "open" })).noticed();
    let (bidder, other) = (world.bidder(1), world.bidder(2));
    let unproven = |envelope: &SignedEnvelope, slot: &Value, key: &SigningKey| {
        let (content, _) = opened_up(envelope);
        let mut slot = slot.clone();
        slot.as_object_mut().expect("a slot").remove("pok");
        signed(key, &with(&content, "/slots", json!([slot])))
    };
    let first = price(&lot, &bidder);
    let slot = opened_up(&first.envelope).0["slots"][0].clone();
    // Two parts of one bid with one ephemeral key.
    let documents = lot.header(&bidder, Part::Documents, 1, &first.payload);
    let key = bidder.signing_key();
    let twice = [unproven(&first.envelope, &slot, &key), unproven(&documents, &slot, &key)];
    submit(&lot, &bidder, &twice).refused(422, "enc-reused");
    submit(&lot, &bidder, &[unproven(&first.envelope, &slot, &key)]).ok();
    let again = lot.header(&bidder, Part::Price, 2, &first.payload);
    submit(&lot, &bidder, &[unproven(&again, &slot, &key)]).refused(422, "enc-reused");
    let theirs = price(&lot, &other);
    submit(&lot, &other, &[unproven(&theirs.envelope, &slot, &other.signing_key())]).refused(422, "enc-reused");
    nothing_is_kept(&lot, &other);
    submit(&lot, &bidder, &[jws(&again)]).ok();
});
