//! Envelopes: everything that the form check and the check against key sets refuse.

use super::{Sealed, bidder_key, ident, platform_key, sealed_price, signing_key, subject};
use crate::kernel::encoding::{base64url, from_base64url};
use crate::seal::envelope::{ENVELOPE_TYP, Part, SignedEnvelope};
use crate::seal::error::{FormError, SealError};
use crate::seal::jws::Jws;
use crate::seal::keys::{Algorithm, SigningKey};
use crate::seal::keyset::{KeySetSubject, KeyShare, Profile};
use crate::seal::limits::{CHUNK_BYTES, MAX_JWS_BYTES, MAX_SLOTS};
use crate::seal::sealing::seal_header;
use serde_json::{Value, json};

/// The header and context as JSON values, to be altered and signed again by the bidder itself.
fn opened_up(sealed: &Sealed) -> (Value, Value) {
    let header: Value = serde_json::from_slice(sealed.envelope.jws().payload()).unwrap();
    let ctx = from_base64url(header["ctx"].as_str().unwrap()).unwrap();
    (header, serde_json::from_slice(&ctx).unwrap())
}

fn resigned(key: &SigningKey, payload: &[u8]) -> Result<SignedEnvelope, FormError> {
    SignedEnvelope::parse(Jws::sign(key, ENVELOPE_TYP, payload).unwrap().to_json().as_bytes())
}

fn with_ctx(sealed: &Sealed, ctx: &str) -> Result<SignedEnvelope, FormError> {
    let (mut header, _) = opened_up(sealed);
    header["ctx"] = json!(base64url(ctx.as_bytes()));
    resigned(&sealed.key, header.to_string().as_bytes())
}

#[test]
fn a_sealed_envelope_parses_verifies_and_fits_its_key_set() {
    let key = platform_key(Profile::Strict);
    let sealed = sealed_price("org-1", &[&key]);
    let text = sealed.envelope.jws().to_json();
    let back = SignedEnvelope::parse(text.as_bytes()).unwrap();
    assert_eq!(back, sealed.envelope);
    assert_eq!(SignedEnvelope::from_value(&serde_json::to_value(back.jws()).unwrap()).unwrap(), back);
    assert_eq!(back.id(), crate::kernel::digest::sha256(back.jws().payload()));
    back.verify_signature(sealed.key.verifying_key()).unwrap();
    back.check_against(&[key.key_set()]).unwrap();
    assert_eq!(back.ctx().bidder, ident("org-1"));
    assert_eq!(back.signing_key_id(), sealed.key.verifying_key().key_id());
    let other = back.verify_signature(signing_key().verifying_key()).unwrap_err();
    assert_eq!(other.reason(), "other_signing_key");
}

#[test]
fn an_envelope_signed_with_es256_is_as_good() {
    let key = platform_key(Profile::Strict);
    let sealed = sealed_price("org-1", &[&key]);
    let signer = SigningKey::generate(Algorithm::Es256).unwrap();
    let envelope = seal_header(&subject("org-1"), &sealed.payload, &[key.key_set()], &signer).unwrap();
    envelope.verify_signature(signer.verifying_key()).unwrap();
}

#[test]
fn every_flipped_bit_of_a_header_is_detected() {
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    let detected = |text: &str| {
        SignedEnvelope::parse(text.as_bytes())
            .and_then(|envelope| envelope.verify_signature(sealed.key.verifying_key()))
            .is_err()
    };
    let text = sealed.envelope.jws().to_json();
    let wire: Value = serde_json::from_str(&text).unwrap();
    assert!(!detected(&text));
    for field in ["protected", "payload", "signature"] {
        let bytes = from_base64url(wire[field].as_str().unwrap()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let mut wire = wire.clone();
            wire[field] = json!(base64url(&altered));
            assert!(detected(&wire.to_string()), "{field} bit {bit}");
        }
    }
}

#[test]
fn every_altered_character_of_the_json_text_is_detected() {
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    let text = sealed.envelope.jws().to_json().into_bytes();
    for (at, byte) in text.iter().enumerate() {
        let mut altered = text.clone();
        altered[at] = byte ^ 1 << (at % 7);
        let good =
            SignedEnvelope::parse(&altered).and_then(|envelope| envelope.verify_signature(sealed.key.verifying_key()));
        assert!(good.is_err(), "character {at}");
    }
}

#[test]
fn every_field_of_the_context_is_checked() {
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    let (_, good) = opened_up(&sealed);
    assert!(with_ctx(&sealed, &good.to_string()).is_ok());
    for (pointer, value, reason) in [
        ("/v", json!("sealbid/2"), "unknown_version"),
        ("/tender", json!(""), "bad_identifier"),
        ("/group", json!("Group"), "bad_identifier"),
        ("/lot", json!("a".repeat(65)), "bad_identifier"),
        ("/bidder", json!("org 1"), "bad_identifier"),
        ("/bidder", json!(1), "wrong_type"),
        ("/bidder", json!(null), "wrong_type"),
        ("/part", json!("technical"), "unknown_part"),
        ("/rev", json!(0), "out_of_range"),
        ("/rev", json!(4_294_967_296_u64), "out_of_range"),
        ("/rev", json!(-1), "wrong_type"),
        ("/rev", json!(1.0), "wrong_type"),
        ("/rev", json!("1"), "wrong_type"),
        ("/doc_rev", json!("AB".repeat(32)), "bad_hex"),
        ("/created", json!("2026-11-22"), "bad_time"),
        ("/media_type", json!("application/zip"), "wrong_media_type"),
        ("/salt", json!(base64url(&[0; 31])), "wrong_length"),
        ("/salt", json!("AA=="), "not_base64url"),
        ("/payload", json!([]), "wrong_type"),
        ("/payload", json!(["A256GCM-STREAM", CHUNK_BYTES, 1, "00"]), "wrong_type"),
        ("/payload/alg", json!("A128GCM-STREAM"), "unknown_payload_algorithm"),
        ("/payload/chunk", json!(CHUNK_BYTES / 2), "wrong_chunk_size"),
        ("/payload/len", json!(128 * 1024 + 1), "payload_too_large"),
        ("/payload/len", json!(u64::MAX), "payload_too_large"),
        ("/payload/root", json!("00"), "bad_hex"),
    ] {
        let mut altered = good.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        assert_eq!(with_ctx(&sealed, &altered.to_string()).unwrap_err().reason(), reason, "{pointer}");
    }
    for pointer in ["", "/payload"] {
        let mut altered = good.clone();
        altered.pointer_mut(pointer).unwrap()["surplus"] = json!(1);
        assert_eq!(with_ctx(&sealed, &altered.to_string()).unwrap_err(), FormError::UnknownField("surplus".into()));
    }
    let text = good.to_string();
    let twice = text.replacen('{', r#"{"lot":"lot-2","#, 1);
    assert_eq!(with_ctx(&sealed, &twice).unwrap_err(), FormError::DuplicateKey("lot".into()));
    assert_eq!(with_ctx(&sealed, &format!("{text}{text}")).unwrap_err().reason(), "not_json");
    assert_eq!(with_ctx(&sealed, "[]").unwrap_err().reason(), "not_json");
}

#[test]
fn a_missing_context_field_is_named() {
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    let (_, good) = opened_up(&sealed);
    for field in good.as_object().unwrap().keys() {
        let mut altered = good.clone();
        altered.as_object_mut().unwrap().remove(field);
        let error = with_ctx(&sealed, &altered.to_string()).unwrap_err();
        assert!(matches!(error, FormError::MissingField(name) if name == field), "{field}: {error}");
    }
}

#[test]
fn every_field_of_a_slot_is_checked() {
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    let (good, _) = opened_up(&sealed);
    let enc = from_base64url(good["slots"][0]["enc"].as_str().unwrap()).unwrap();
    let altered_enc = |at: usize| {
        let mut bytes = enc.clone();
        bytes[at] ^= 1;
        json!(base64url(&bytes))
    };
    let compressed = sealed.envelope.header().slots[0].enc.to_compressed();
    let mut over_order = vec![0; 64];
    over_order[..32].fill(0xff);
    for (pointer, value, reason) in [
        ("/slots/0/type", json!("dealt"), "reserved_slot_type"),
        ("/slots/0/type", json!("tlock"), "reserved_slot_type"),
        ("/slots/0/type", json!("age"), "unknown_slot_type"),
        ("/slots/0/kid", json!("00"), "bad_hex"),
        ("/slots/0/enc", altered_enc(1), "not_a_point"),
        ("/slots/0/enc", altered_enc(64), "not_a_point"),
        ("/slots/0/enc", altered_enc(0), "not_a_point"),
        ("/slots/0/enc", json!(base64url(&compressed)), "wrong_length"),
        ("/slots/0/enc", json!(base64url(&[0; 65])), "not_a_point"),
        ("/slots/0/ct", json!(base64url(&[0; 47])), "wrong_length"),
        ("/slots/0/ct", json!(base64url(&[0; 49])), "wrong_length"),
        ("/slots/0/pok", json!(base64url(&[0; 63])), "wrong_length"),
        ("/slots/0/pok", json!(base64url(&over_order)), "not_a_scalar"),
        ("/slots/0/pok", json!(null), "wrong_type"),
        ("/slots", json!([]), "wrong_slot_count"),
        ("/slots", json!(["x"]), "wrong_type"),
        ("/kc", json!(base64url(&[0; 33])), "wrong_length"),
        ("/kc", json!(base64url(&[])), "wrong_length"),
    ] {
        let mut altered = good.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        let error = resigned(&sealed.key, altered.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.reason(), reason, "{pointer}");
    }
    let mut surplus = good.clone();
    surplus["slots"][0]["surplus"] = json!(1);
    assert_eq!(resigned(&sealed.key, surplus.to_string().as_bytes()).unwrap_err().reason(), "unknown_field");
    let slot = good["slots"][0].clone();
    let mut repeated = good.clone();
    repeated["slots"] = json!([slot, slot]);
    assert_eq!(resigned(&sealed.key, repeated.to_string().as_bytes()).unwrap_err(), FormError::RepeatedEphemeral);
    let mut many = good;
    many["slots"] = json!(vec![slot; MAX_SLOTS + 1]);
    assert_eq!(resigned(&sealed.key, many.to_string().as_bytes()).unwrap_err(), FormError::SlotCount);
}

#[test]
fn an_oversized_or_foreign_document_is_refused() {
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    let text = sealed.envelope.jws().to_json();
    let padded = format!("{text}{}", " ".repeat(MAX_JWS_BYTES));
    assert_eq!(SignedEnvelope::parse(padded.as_bytes()).unwrap_err().reason(), "too_large");
    let payload = sealed.envelope.jws().payload();
    let foreign = Jws::sign(&sealed.key, "sealbid-withdrawal+jws", payload).unwrap();
    assert_eq!(SignedEnvelope::parse(foreign.to_json().as_bytes()).unwrap_err().reason(), "wrong_typ");
}

fn foreign_key(change: impl Fn(&mut KeySetSubject)) -> KeyShare {
    let mut subject = super::key_set_subject(Profile::Strict);
    change(&mut subject);
    KeyShare::generate(crate::seal::keyset::KeySetKind::Platform, subject).unwrap()
}

#[test]
fn an_envelope_for_another_key_set_tender_or_group_is_refused() {
    let key = platform_key(Profile::Strict);
    let envelope = sealed_price("org-1", &[&key]).envelope;
    let check = |key: &KeyShare| envelope.check_against(&[key.key_set()]).unwrap_err();
    assert_eq!(check(&platform_key(Profile::Strict)), FormError::OtherKeySet(0));
    assert_eq!(check(&foreign_key(|subject| subject.tender = ident("prj-2"))), FormError::OtherTender);
    assert_eq!(check(&foreign_key(|subject| subject.group = ident("group-2"))), FormError::OtherGroup);
    assert_eq!(envelope.check_against(&[]), Err(FormError::KeySetCount));
    assert_eq!(envelope.check_against(&[key.key_set(), key.key_set()]), Err(FormError::KeySetCount));
}

#[test]
fn the_strict_profile_demands_a_valid_proof_and_the_open_one_refuses_an_invalid_one() {
    for (profile, without) in [(Profile::Strict, Err(FormError::PokMissing(0))), (Profile::Open, Ok(()))] {
        let key = platform_key(profile);
        let sealed = sealed_price("org-1", &[&key]);
        let (mut header, _) = opened_up(&sealed);
        let pok = from_base64url(header["slots"][0]["pok"].as_str().unwrap()).unwrap();
        for at in [31, 63] {
            let mut altered = pok.clone();
            altered[at] ^= 1;
            header["slots"][0]["pok"] = json!(base64url(&altered));
            let envelope = resigned(&sealed.key, header.to_string().as_bytes()).unwrap();
            assert_eq!(envelope.check_against(&[key.key_set()]), Err(FormError::PokInvalid(0)));
        }
        header["slots"][0].as_object_mut().unwrap().remove("pok");
        let envelope = resigned(&sealed.key, header.to_string().as_bytes()).unwrap();
        assert_eq!(envelope.check_against(&[key.key_set()]), without);
    }
}

#[test]
fn a_slot_copied_into_another_bidders_envelope_is_refused() {
    let key = platform_key(Profile::Strict);
    let victim = sealed_price("org-1", &[&key]);
    let copier = sealed_price("org-2", &[&key]);
    let (mut header, _) = opened_up(&copier);
    header["slots"] = opened_up(&victim).0["slots"].clone();
    let copied = resigned(&copier.key, header.to_string().as_bytes()).unwrap();
    assert_eq!(copied.check_against(&[key.key_set()]), Err(FormError::PokInvalid(0)));
}

#[test]
fn two_slots_are_checked_in_their_order() {
    let (platform, bidder) = (platform_key(Profile::Strict), bidder_key(Profile::Strict));
    let envelope = sealed_price("org-1", &[&platform, &bidder]).envelope;
    envelope.check_against(&[platform.key_set(), bidder.key_set()]).unwrap();
    let exchanged = envelope.check_against(&[bidder.key_set(), platform.key_set()]);
    assert_eq!(exchanged, Err(FormError::OtherKeySet(0)));
}

#[test]
fn a_header_that_would_be_refused_is_not_made() {
    let key = platform_key(Profile::Strict);
    let sealed = sealed_price("org-1", &[&key]);
    let refused = |subject, key_sets: &[&crate::seal::keyset::KeySet]| match seal_header(
        &subject,
        &sealed.payload,
        key_sets,
        &sealed.key,
    )
    .unwrap_err()
    {
        SealError::Form(error) => error.reason(),
        error => panic!("{error}"),
    };
    let mut revision_zero = subject("org-1");
    revision_zero.rev = 0;
    assert_eq!(refused(revision_zero, &[key.key_set()]), "out_of_range");
    assert_eq!(refused(subject("org-1"), &[]), "wrong_key_set_count");
    assert_eq!(refused(subject("org-1"), &[key.key_set(), key.key_set()]), "wrong_key_set_count");
    assert!(Part::Price.max_len() < Part::Documents.max_len());
}
