//! Withdrawals and key sets: signed objects beside the envelope.
//!
//! What is accepted has one spelling of every field, reads back as the same, and is no object of another kind.

use sealbid::seal::envelope::SignedEnvelope;
use sealbid::seal::keyset::{KEY_SET_TYP, KeySet, SignedKeySet};
use sealbid::seal::withdrawal::{SignedWithdrawal, WITHDRAWAL_TYP};

use super::{OPENED, choice, json, of, seed, signed_json, signing_key, vector};

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 4) else { return false };
    match choice {
        0 => withdrawal(bytes),
        1 => withdrawal(signed_json(WITHDRAWAL_TYP, bytes).as_bytes()),
        2 => key_set(bytes),
        _ => key_set(signed_json(KEY_SET_TYP, bytes).as_bytes()),
    }
}

fn withdrawal(bytes: &[u8]) -> bool {
    let Ok(read) = SignedWithdrawal::parse(bytes) else { return false };
    assert_eq!(SignedWithdrawal::parse(read.jws().to_json().as_bytes()).as_ref(), Ok(&read));
    assert_eq!(json(read.jws().payload()), serde_json::to_value(read.content()).expect("JSON"));
    assert!(SignedEnvelope::parse(bytes).is_err() && SignedKeySet::parse(bytes).is_err());
    let again = read.content().clone().sign(&signing_key()).expect("signed");
    assert_eq!(again.content(), read.content());
    true
}

fn key_set(bytes: &[u8]) -> bool {
    let Ok(read) = SignedKeySet::parse(bytes) else { return false };
    assert!(SignedEnvelope::parse(bytes).is_err() && SignedWithdrawal::parse(bytes).is_err());
    let key_set = KeySet::from_bytes(read.jws().payload()).expect("read before");
    assert_eq!(KeySet::from_bytes(&key_set.to_bytes()).as_ref(), Ok(&key_set));
    let mut said = json(read.jws().payload());
    // The key set of a platform or a bidder may say that it has no members.
    if key_set.members.is_empty() {
        said.as_object_mut().expect("an object").remove("members");
    }
    assert_eq!(said, json(&key_set.to_bytes()));
    _ = read.verify(signing_key().verifying_key());
    true
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let withdrawal = r#"{"bid":"bid-1","bidder":"org-1","created":"2026-11-22T03:49:39.000Z"}"#;
    let vector = vector();
    let key_set = vector["key_set"]["bytes"].as_str().expect("in the vector");
    let mut seeds = vec![
        seed(0, signed_json(WITHDRAWAL_TYP, withdrawal.as_bytes())),
        seed(1, withdrawal),
        seed(2, signed_json(KEY_SET_TYP, key_set.as_bytes())),
        seed(3, key_set),
        seed(3, OPENED.key_set.to_bytes()),
    ];
    seeds.extend(of(&OPENED.lines, "own_key").into_iter().map(|line| seed(2, line["key_set"].to_string())));
    seeds
}
