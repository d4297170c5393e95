//! Envelopes: the JWS, its signed content, the context in it and the slots.
//!
//! What is accepted is within every limit, reads back as the same, has one spelling of every field, and the same bytes
//! are never accepted as another signed object.

use std::sync::LazyLock;

use sealbid::kernel::digest::sha256;
use sealbid::kernel::encoding::{base64url, from_base64url};
use sealbid::seal::envelope::{ENVELOPE_TYP, SignedEnvelope};
use sealbid::seal::jws::Jws;
use sealbid::seal::keys::SigningKey;
use sealbid::seal::keyset::{KeySet, SignedKeySet};
use sealbid::seal::limits::{MAX_JWS_BYTES, MAX_SLOTS};
use sealbid::seal::withdrawal::SignedWithdrawal;
use serde_json::{Value, json};

use super::{choice, seed, signing_key, vector};

struct Fixed {
    key: SigningKey,
    key_set: KeySet,
    content: Value,
    ctx: Vec<u8>,
}

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let vector = vector();
    let text = |pointer: &str| vector.pointer(pointer).and_then(Value::as_str).expect("in the vector").to_owned();
    let content: Value = serde_json::from_str(&text("/envelope/header")).expect("JSON");
    Fixed {
        key: signing_key(),
        key_set: KeySet::from_bytes(text("/key_set/bytes").as_bytes()).expect("a key set"),
        ctx: from_base64url(content["ctx"].as_str().expect("a context")).expect("base64url"),
        content,
    }
});

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 4) else { return false };
    match choice {
        0 => outer(bytes),
        1 => signed(bytes),
        2 => signed(with(json!({ "ctx": base64url(bytes) })).as_bytes()),
        _ => slots(bytes),
    }
}

/// The bytes are the text of the JWS.
fn outer(bytes: &[u8]) -> bool {
    let Ok(envelope) = SignedEnvelope::parse(bytes) else { return false };
    assert!(bytes.len() <= MAX_JWS_BYTES);
    let value: Value = serde_json::from_slice(bytes).expect("what was accepted is JSON");
    assert_eq!(SignedEnvelope::from_value(&value).as_ref(), Ok(&envelope));
    check(&envelope);
    true
}

/// The bytes are what is signed.
fn signed(content: &[u8]) -> bool {
    let jws = Jws::sign(&FIXED.key, ENVELOPE_TYP, content).expect("Ed25519 needs no random numbers");
    let Ok(envelope) = SignedEnvelope::parse(jws.to_json().as_bytes()) else { return false };
    assert_eq!(envelope.verify_signature(FIXED.key.verifying_key()), Ok(()));
    assert_eq!(envelope.jws().payload(), content);
    check(&envelope);
    true
}

/// The bytes are the list of slots.
fn slots(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let (ctx, kc) = (&FIXED.content["ctx"], &FIXED.content["kc"]);
    signed(format!("{{\"ctx\":{ctx},\"slots\":[{text}],\"kc\":{kc}}}").as_bytes())
}

fn with(changed: Value) -> String {
    let mut content = FIXED.content.clone();
    for (name, value) in changed.as_object().expect("an object") {
        content[name] = value.clone();
    }
    content.to_string()
}

fn check(envelope: &SignedEnvelope) {
    let text = envelope.jws().to_json();
    assert_eq!(SignedEnvelope::parse(text.as_bytes()).as_ref(), Ok(envelope), "reads back as the same");
    assert_eq!(envelope.id(), sha256(envelope.jws().payload()));
    assert!(SignedWithdrawal::parse(text.as_bytes()).is_err() && SignedKeySet::parse(text.as_bytes()).is_err());
    let (header, ctx) = (envelope.header(), envelope.ctx());
    assert!((1..=MAX_SLOTS).contains(&header.slots.len()) && ctx.rev > 0 && ctx.len <= ctx.part.max_len());
    // The signature of whoever made it up, and the key set of another lot: refused or not, but answered.
    _ = envelope.verify_signature(FIXED.key.verifying_key());
    _ = envelope.check_against(&[&FIXED.key_set]);
    let read: Value = serde_json::from_slice(envelope.jws().payload()).expect("JSON");
    let ctx_bytes = from_base64url(read["ctx"].as_str().expect("text")).expect("base64url");
    assert_eq!(header.ctx_hash, sha256(&ctx_bytes));
    let one_spelling = json!({
        "v": "sealbid/1", "tender": ctx.tender, "group": ctx.group, "lot": ctx.lot, "part": ctx.part.name(),
        "bidder": ctx.bidder, "rev": ctx.rev, "doc_rev": ctx.doc_rev, "created": ctx.created,
        "media_type": "application/x-tar", "salt": base64url(&ctx.salt),
        "payload": { "alg": "A256GCM-STREAM", "chunk": 1_048_576, "len": ctx.len, "root": ctx.root },
    });
    assert_eq!(serde_json::from_slice::<Value>(&ctx_bytes).expect("JSON"), one_spelling);
    assert_eq!(read["kc"], base64url(&header.kc));
    for (slot, read) in header.slots.iter().zip(read["slots"].as_array().expect("a list")) {
        assert_eq!(read["kid"], slot.kid.to_string());
        assert_eq!(read["enc"], base64url(&slot.enc.to_uncompressed()));
        assert_eq!(read["ct"], base64url(&slot.ct));
        assert_eq!(read.get("pok").is_some(), slot.pok.is_some());
    }
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let jws = vector()["envelope"]["jws"].to_string();
    vec![
        seed(0, jws),
        seed(1, FIXED.content.to_string()),
        seed(2, &FIXED.ctx),
        seed(3, FIXED.content["slots"][0].to_string()),
    ]
}
