//! Headers that are no bid: malformed, ambiguous, repeated, too early for their payload. Each is refused by its own name, and
//! nothing of it stays. Headers that claim what is not theirs are in `forged_envelopes`.

use p256::ProjectivePoint;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use sealbid::kernel::digest::sha256;
use sealbid::kernel::encoding::{base64url, from_base64url};
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::{ENVELOPE_TYP, Part, SignedEnvelope};
use sealbid::seal::ids::{Ident, UtcMillis};
use sealbid::seal::jws::Jws;
use sealbid::seal::keys::SigningKey;
use sealbid::seal::sealing::{SealedPayload, Subject, seal_header};
use sealbid::tlog::receipt::Receipt;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Person};
use crate::support::story::{LotStory, SEALED_CHUNK, jws, upload};
use crate::support::world::World;

/// A price of a bidder, uploaded, with a header that would be accepted.
pub struct Price {
    pub payload: SealedPayload,
    pub envelope: SignedEnvelope,
}

pub fn price(lot: &LotStory<'_>, person: &Person<'_>) -> Price {
    let (payload, sealed) = lot.seal_price(person, Part::Price, "900000.00");
    upload(person, &lot.id, "bid", &sealed, SEALED_CHUNK);
    let envelope = lot.header(person, Part::Price, 1, &payload);
    Price { payload, envelope }
}

pub fn bids(lot: &LotStory<'_>) -> String {
    format!("/v1/lots/{}/bids", lot.id)
}

pub fn submit(lot: &LotStory<'_>, person: &Person<'_>, envelopes: &[Value]) -> Answer {
    person.post(bids(lot), &json!({ "envelopes": envelopes }))
}

fn submit_text(lot: &LotStory<'_>, person: &Person<'_>, body: &str) -> Answer {
    person
        .request("POST", bids(lot))
        .key(&uuid::Uuid::new_v4().to_string())
        .body("application/json", body.as_bytes())
        .send()
}

/// The signed content of an envelope, and the context in it.
pub fn opened_up(envelope: &SignedEnvelope) -> (Value, Value) {
    let content: Value = serde_json::from_slice(envelope.jws().payload()).expect("JSON");
    let ctx = from_base64url(content["ctx"].as_str().expect("a context")).expect("base64url");
    (content, serde_json::from_slice(&ctx).expect("JSON"))
}

/// Signs any content as an envelope.
pub fn signed(key: &SigningKey, content: &str) -> Value {
    as_value(&Jws::sign(key, ENVELOPE_TYP, content.as_bytes()).expect("random numbers"))
}

fn as_value(jws: &Jws) -> Value {
    serde_json::from_str(&jws.to_json()).expect("JSON")
}

/// Signs under any protected header.
pub fn under(key: &SigningKey, protected: &str, content: &[u8]) -> Value {
    let (protected, payload) = (base64url(protected.as_bytes()), base64url(content));
    let signature = key.sign(format!("{protected}.{payload}").as_bytes()).expect("random numbers");
    json!({ "protected": protected, "payload": payload, "signature": base64url(&signature) })
}

/// The content of an envelope with one place changed.
pub fn with(content: &Value, pointer: &str, value: Value) -> String {
    let mut changed = content.clone();
    *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    changed.to_string()
}

/// The content of an envelope with another context.
pub fn with_ctx(content: &Value, ctx: &str) -> String {
    with(content, "/ctx", json!(base64url(ctx.as_bytes())))
}

fn ident(text: &str) -> Ident {
    Ident::parse(text, "test").expect("an id")
}

/// What a header of this bidder says, to be changed and sealed.
pub fn subject(lot: &LotStory<'_>, person: &Person<'_>) -> Subject {
    Subject {
        lot: ident(&lot.id),
        part: Part::Price,
        bidder: ident(&person.member.org_id),
        rev: 1,
        doc_rev: lot.revision(),
        created: UtcMillis::parse("2026-03-02T01:00:00.000Z", "created").expect("a time"),
    }
}

/// Nobody's attempts left anything: no bid, and no refusal on record.
#[track_caller]
pub fn nothing_is_kept(lot: &LotStory<'_>, person: &Person<'_>) {
    person.get(format!("/v1/lots/{}/bids/mine", lot.id)).refused(404, "not-found");
}

pub fn changed(slot: &Value, field: &str, value: Value) -> Value {
    let mut changed = slot.clone();
    changed[field] = value;
    changed
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases, one line each")]
fn a_malformed_header_is_refused_with_its_reason_and_leaves_nothing() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let key = bidder.signing_key();
    let Price { envelope, .. } = price(&lot, &bidder);
    let (content, ctx) = opened_up(&envelope);
    let enc = envelope.header().slots[0].enc;
    let plain = enc.to_uncompressed();
    let (mut off_curve, mut hybrid) = (plain, plain);
    off_curve[64] ^= 1;
    hybrid[0] = 6 + (plain[64] & 1);
    let identity = ProjectivePoint::IDENTITY.to_affine().to_encoded_point(false);
    let mut over_order = [0; 64];
    over_order[32..].fill(0xff);
    let mut order = [0; 64];
    // The order of P-256 itself (SEC 2 section 2.4.2), the first value that is no scalar.
    order[..32].copy_from_slice(&hex32("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"));
    let bytes = |bytes: &[u8]| json!(base64url(bytes));
    let mut cases: Vec<(&str, Value, &str)> = [
        ("/slots/0/type", json!("dealt"), "reserved_slot_type"),
        ("/slots/0/type", json!("tlock"), "reserved_slot_type"),
        ("/slots/0/type", json!("age"), "unknown_slot_type"),
        ("/slots/0/enc", bytes(&off_curve), "not_a_point"),
        ("/slots/0/enc", bytes(&hybrid), "not_a_point"),
        ("/slots/0/enc", bytes(&[0; 65]), "not_a_point"),
        ("/slots/0/enc", bytes(identity.as_bytes()), "wrong_length"),
        ("/slots/0/enc", bytes(&enc.to_compressed()), "wrong_length"),
        ("/slots/0/pok", bytes(&over_order), "not_a_scalar"),
        ("/slots/0/pok", bytes(&order), "not_a_scalar"),
        ("/slots/0/pok", bytes(&[0; 63]), "wrong_length"),
        ("/slots/0/kid", json!("XX"), "bad_hex"),
        ("/slots/0/ct", bytes(&[0; 47]), "wrong_length"),
        ("/slots/0", json!("hpke"), "wrong_type"),
        ("/slots", json!([]), "wrong_slot_count"),
        ("/slots", json!([content["slots"][0], content["slots"][0]]), "repeated_ephemeral"),
        ("/kc", json!("AA=="), "not_base64url"),
        ("/ctx", json!("e30"), "missing_field"),
    ]
    .into_iter()
    .map(|(pointer, value, reason)| (pointer, signed(&key, &with(&content, pointer, value)), reason))
    .collect();
    for (pointer, value, reason) in [
        ("/v", json!("sealbid/2"), "unknown_version"),
        ("/rev", json!(0), "out_of_range"),
        ("/rev", json!(1.5), "wrong_type"),
        ("/part", json!("technical"), "unknown_part"),
        ("/lot", json!("../lots"), "bad_identifier"),
        ("/created", json!("yesterday"), "bad_time"),
        ("/doc_rev", json!("00"), "bad_hex"),
        ("/media_type", json!("application/zip"), "wrong_media_type"),
        ("/payload/alg", json!("none"), "unknown_payload_algorithm"),
        ("/payload/chunk", json!(1), "wrong_chunk_size"),
        ("/payload/len", json!(128 * 1024 + 1), "payload_too_large"),
        ("/salt", json!(""), "wrong_length"),
    ] {
        cases.push((pointer, signed(&key, &with_ctx(&content, &with(&ctx, pointer, value))), reason));
    }
    cases.push((
        "a surplus member of the content",
        signed(&key, &content.to_string().replacen('{', r#"{"surplus":1,"#, 1)),
        "unknown_field",
    ));
    cases.push((
        "a surplus member of the context",
        signed(&key, &with_ctx(&content, &ctx.to_string().replacen('{', r#"{"surplus":1,"#, 1))),
        "unknown_field",
    ));
    cases.push((
        "the lot twice",
        signed(&key, &with_ctx(&content, &ctx.to_string().replacen('{', r#"{"lot":"lot-2","#, 1))),
        "duplicate_key",
    ));
    cases.push((
        "the slots twice",
        signed(&key, &content.to_string().replacen('{', r#"{"slots":[],"#, 1)),
        "duplicate_key",
    ));
    cases.push(("a content that is no object", signed(&key, "[]"), "not_json"));
    cases.push((
        "a header beyond 16 KiB",
        signed(&key, &with(&content, "/ctx", json!("A".repeat(20_000)))),
        "too_large",
    ));
    cases.extend(wrong_jws(&key, &envelope));
    for (what, envelope, reason) in cases {
        let problem = submit(&lot, &bidder, &[envelope]).refused(422, "envelope-malformed");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(reason), "{what}: {reason} is not named in {detail}");
    }
    nothing_is_kept(&lot, &bidder);
}

fn hex32(text: &str) -> [u8; 32] {
    sealbid::kernel::encoding::from_hex(text).expect("hex").try_into().expect("32 bytes")
}

/// What can be wrong around the content.
fn wrong_jws(key: &SigningKey, envelope: &SignedEnvelope) -> Vec<(&'static str, Value, &'static str)> {
    let (kid, payload) = (key.verifying_key().key_id(), envelope.jws().payload());
    let protected = |alg: &str, more: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"{ENVELOPE_TYP}"{more}}}"#);
    let alg = key.verifying_key().algorithm().name();
    let good = jws(envelope);
    let cut = |field: &str| {
        let bytes = from_base64url(good[field].as_str().expect("text")).expect("base64url");
        changed(&good, field, json!(base64url(&bytes[..bytes.len() - 3])))
    };
    let mut surplus = good.clone();
    surplus["header"] = json!({});
    let mut missing = good.clone();
    missing.as_object_mut().expect("an object").remove("signature");
    let other_typ = Jws::sign(key, "sealbid-withdrawal+jws", payload).expect("random numbers");
    vec![
        ("algorithm none", under(key, &protected("none", ""), payload), "unknown_algorithm"),
        ("algorithm HS256", under(key, &protected("HS256", ""), payload), "unknown_algorithm"),
        ("a critical extension", under(key, &protected(alg, r#","crit":["b64"]"#), payload), "unknown_field"),
        ("the algorithm twice", under(key, &protected(alg, r#","alg":"none""#), payload), "duplicate_key"),
        ("a withdrawal's type", as_value(&other_typ), "wrong_typ"),
        ("a cut signature", cut("signature"), "wrong_length"),
        ("a cut protected header", cut("protected"), "not_json"),
        ("a cut content", cut("payload"), "not_json"),
        ("an unprotected header", surplus, "unknown_field"),
        ("no signature", missing, "missing_field"),
        ("an empty object", json!({}), "missing_field"),
    ]
}

#[test]
fn a_body_that_is_cut_ambiguous_unknown_or_too_large_is_refused_before_anything_else() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let good = json!({ "envelopes": [jws(&price(&lot, &bidder).envelope)] }).to_string();
    submit_text(&lot, &bidder, &good[..good.len() - 1]).refused(400, "body-unreadable");
    submit_text(&lot, &bidder, &good[..good.len() / 2]).refused(400, "body-unreadable");
    submit_text(&lot, &bidder, &format!("{good}{good}")).refused(400, "body-unreadable");
    submit_text(&lot, &bidder, &good.replacen('{', r#"{"envelopes":[],"#, 1)).refused(400, "body-unreadable");
    submit_text(&lot, &bidder, &good.replacen(r#""payload""#, r#""payload":"e30","payload""#, 1))
        .refused(400, "body-unreadable");
    submit_text(&lot, &bidder, &good.replacen('{', r#"{"bidder":"org-1","#, 1)).refused(422, "body-invalid");
    submit_text(&lot, &bidder, r#"{"envelopes":["text"]}"#).refused(422, "body-invalid");
    submit_text(&lot, &bidder, r#"{"envelopes":{}}"#).refused(422, "body-invalid");
    let large = good.replacen('{', &format!("{{{}", " ".repeat(300_000)), 1);
    submit_text(&lot, &bidder, &large).refused(413, "body-too-large");
    nothing_is_kept(&lot, &bidder);
    submit_text(&lot, &bidder, &good).ok();
}

on_both!(a_header_on_record_gets_its_own_receipt_again_and_nobody_elses, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let (bidder, other) = (world.bidder(1), world.bidder(2));
    let body = json!({ "envelopes": [jws(&price(&lot, &bidder).envelope)] });
    let first = bidder.request("POST", bids(&lot)).key("once").json(&body).send();
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    let first = first.ok();
    let same_key = bidder.request("POST", bids(&lot)).key("once").json(&body).send();
    assert_eq!(same_key.header("idempotency-replayed"), Some("true"));
    assert_eq!(same_key.ok(), first);
    assert_eq!(bidder.post(bids(&lot), &body).ok(), first, "under a new key");
    other.post(bids(&lot), &body).refused(422, "envelope-not-yours");
    nothing_is_kept(&lot, &other);
    // After the deadline, before and after the closing and the opening.
    world.set_clock(lot.deadline());
    assert_eq!(bidder.post(bids(&lot), &body).ok(), first, "repeated after the deadline");
    let lot = lot.closed();
    assert_eq!(bidder.post(bids(&lot), &body).ok(), first, "repeated after the closing");
    assert_eq!(bidder.request("POST", bids(&lot)).key("once").json(&body).send().ok(), first);
    other.post(bids(&lot), &body).refused(422, "envelope-not-yours");
    let entry = first["entry_id"].as_str().expect("an id");
    assert_eq!(bidder.get(format!("/v1/receipts/{entry}")).ok(), first);
    other.get(format!("/v1/receipts/{entry}")).refused(404, "not-found");
    let mine = bidder.get(format!("/v1/lots/{}/bids/mine", lot.id)).ok();
    assert_eq!(mine["versions"].as_array().map(Vec::len), Some(1), "{mine}");
});

/// Checks a signed receipt as its holder does, with the platform's key alone.
#[track_caller]
pub fn check_receipt(world: &World, act: &Value) {
    let verifier = world.nobody("GET", "/v1/platform-key").send().ok()["verifier"].as_str().expect("a key").to_owned();
    let receipt: Receipt = serde_json::from_value(act["receipt"].clone()).expect("a receipt");
    receipt.check(&verifier).expect("signed by the platform");
}

on_both!(a_stale_revision_of_the_documents_is_refused_on_record_with_a_signature, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let Price { payload, envelope } = price(&lot, &bidder);
    lot.act(&world.initiator(), "clarify", &json!({ "lines": ["The door is green."], "affects_bid": false })).ok();
    let body = json!({ "envelopes": [jws(&envelope)] });
    let checked = bidder.post(format!("{}/check", bids(&lot)), &body).refused(409, "document-revision-stale");
    assert_eq!(checked["refusal"], Value::Null, "a check is not on record");
    nothing_is_kept(&lot, &bidder);
    let problem = bidder.post(bids(&lot), &body).refused(409, "document-revision-stale");
    assert_eq!(
        (problem["rule"]["id"].as_str(), problem["retry"].as_str()),
        (Some("PF-10"), Some("after_change")),
        "{problem}"
    );
    let refusal = &problem["refusal"];
    assert_eq!(
        (refusal["kind"].as_str(), refusal["code"].as_str()),
        (Some("bid.refused"), Some("document-revision-stale"))
    );
    assert_eq!(refusal["envelope_ids"], json!([envelope.id()]));
    check_receipt(world, refusal);
    let entry = refusal["entry_id"].as_str().expect("an id").to_owned();
    assert_eq!(&bidder.get(format!("/v1/receipts/{entry}")).ok(), refusal);
    let again = bidder.post(bids(&lot), &body).refused(409, "document-revision-stale");
    assert_eq!(&again["refusal"], refusal, "the same attempt is on record once");
    let mine = bidder.get(format!("/v1/lots/{}/bids/mine", lot.id)).ok();
    assert_eq!((&mine["bid_id"], &mine["refusals"][0]["act"]), (&Value::Null, refusal));
    // The payload that is uploaded serves a header that names the revision in force.
    let current = lot.header(&bidder, Part::Price, 1, &payload);
    let act = submit(&lot, &bidder, &[jws(&current)]).ok();
    check_receipt(world, &act);
    // A revision that never was is refused in the same way.
    let other = world.bidder(2);
    let never = Subject { doc_rev: sha256(b"never"), ..subject(&lot, &other) };
    let never =
        seal_header(&never, &price(&lot, &other).payload, &[&lot.key_set()], &other.signing_key()).expect("sealed");
    let problem = submit(&lot, &other, &[jws(&never)]).refused(409, "document-revision-stale");
    check_receipt(world, &problem["refusal"]);
});

on_both!(a_revision_that_is_not_higher_is_refused_and_the_bid_stands, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let first = price(&lot, &bidder);
    let header = |rev: u32| jws(&lot.header(&bidder, Part::Price, rev, &first.payload));
    let act = submit(&lot, &bidder, &[header(5)]).ok();
    for rev in [5, 4, 1] {
        let problem = submit(&lot, &bidder, &[header(rev)]).refused(409, "bid-rev-stale");
        assert_eq!(problem["refusal"], Value::Null, "what no rule says is not on record");
    }
    let mine = bidder.get(format!("/v1/lots/{}/bids/mine", lot.id)).ok();
    assert_eq!((mine["rev"].as_u64(), mine["version"].as_u64(), &mine["refusals"]), (Some(5), Some(1), &json!([])));
    assert_eq!(mine["versions"][0], act);
    submit(&lot, &bidder, &[header(6)]).ok();
});

#[test]
fn a_bid_is_one_price_and_perhaps_documents_and_nothing_else() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let Price { payload, .. } = price(&lot, &bidder);
    let part = |part: Part, rev: u32| jws(&lot.header(&bidder, part, rev, &payload));
    for (what, envelopes) in [
        ("nothing", vec![]),
        ("no price", vec![part(Part::Documents, 1)]),
        ("two prices", vec![part(Part::Price, 1), part(Part::Price, 1)]),
        ("a reserve price", vec![part(Part::Reserve, 1)]),
        ("a price and a reserve price", vec![part(Part::Price, 1), part(Part::Reserve, 1)]),
        ("three", vec![part(Part::Price, 1), part(Part::Documents, 1), part(Part::Documents, 1)]),
    ] {
        let answer = submit(&lot, &bidder, &envelopes);
        assert_eq!((answer.status, answer.code().as_str()), (422, "envelope-parts-wrong"), "{what}: {}", answer.text());
    }
    submit(&lot, &bidder, &[part(Part::Price, 1), part(Part::Documents, 2)]).refused(422, "envelopes-disagree");
    nothing_is_kept(&lot, &bidder);
}
