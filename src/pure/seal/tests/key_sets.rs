//! Key sets: form, identity, signature.

use super::{bidder_key, key_set_subject, platform_key, signing_key};
use crate::kernel::secret::Secret;
use crate::seal::error::FormError;
use crate::seal::jws::Jws;
use crate::seal::keyset::{KEY_SET_TYP, KeySet, KeySetKind, KeyShare, Profile, SignedKeySet};
use crate::seal::points::PrivateScalar;
use serde_json::{Value, json};

fn wire(key: &KeyShare) -> Value {
    serde_json::from_slice(&key.key_set().to_bytes()).unwrap()
}

fn refused(value: &Value) -> &'static str {
    KeySet::from_bytes(value.to_string().as_bytes()).unwrap_err().reason()
}

#[test]
fn a_signed_key_set_comes_back_and_verifies() {
    for key in [platform_key(Profile::Strict), platform_key(Profile::Open), bidder_key(Profile::Strict)] {
        let publisher = signing_key();
        let signed = key.key_set().sign(&publisher).unwrap();
        let back = SignedKeySet::parse(signed.jws().to_json().as_bytes()).unwrap();
        assert_eq!(back.verify(publisher.verifying_key()).unwrap(), key.key_set());
        let other = back.verify(signing_key().verifying_key()).unwrap_err();
        assert_eq!(other.reason(), "other_signing_key");
    }
}

#[test]
fn every_field_of_a_key_set_is_checked() {
    let key = platform_key(Profile::Strict);
    let good = wire(&key);
    assert_eq!(KeySet::from_bytes(good.to_string().as_bytes()).as_ref(), Ok(key.key_set()));
    let other = wire(&platform_key(Profile::Strict));
    for (field, value, reason) in [
        ("v", json!("sealbid/2"), "unknown_version"),
        ("kid", json!("00".repeat(16)), "wrong_key_set_id"),
        ("kid", json!("xx"), "bad_hex"),
        ("tender", json!("PRJ"), "bad_identifier"),
        ("group", json!("group-2"), "wrong_key_set_id"),
        ("kind", json!("custodians"), "bad_key_set_shape"),
        ("kind", json!("notary"), "unknown_key_set_kind"),
        ("k", json!(2), "bad_key_set_shape"),
        ("n", json!(2), "bad_key_set_shape"),
        ("X", other["X"].clone(), "bad_key_set_shape"),
        ("shares", other["shares"].clone(), "bad_key_set_shape"),
        ("shares", json!([]), "bad_key_set_shape"),
        ("opens_not_before", json!("2026-12-01T01:00:00.001Z"), "wrong_key_set_id"),
        ("opens_not_before", json!("2026-12-01T09:00:00.000+08:00"), "bad_time"),
        ("profile", json!("lax"), "unknown_profile"),
        ("members", json!([{"i": 1}]), "bad_key_set_shape"),
        ("ceremony", json!("00".repeat(32)), "bad_key_set_shape"),
        ("ceremony", json!("00"), "bad_hex"),
        ("surplus", json!(1), "unknown_field"),
    ] {
        let mut altered = good.clone();
        altered[field] = value;
        assert_eq!(refused(&altered), reason, "{field}");
    }
    let mut without_members = good;
    without_members["members"] = json!([]);
    assert!(KeySet::from_bytes(without_members.to_string().as_bytes()).is_ok());
}

#[test]
fn a_key_beside_the_curve_is_refused() {
    let mut altered = wire(&platform_key(Profile::Strict));
    let mut seen = 0;
    for byte in 0..=255_u8 {
        let point = crate::kernel::encoding::base64url(&[&[2][..], &[byte; 32]].concat());
        altered["X"] = json!(point);
        altered["shares"] = json!([point]);
        match refused(&altered) {
            "not_a_point" => seen += 1,
            reason => assert_eq!(reason, "wrong_key_set_id"),
        }
    }
    assert!(seen > 50, "about half of all x are not on the curve, saw {seen}");
}

#[test]
fn the_id_depends_on_key_time_and_group() {
    let scalar = || PrivateScalar::from_bytes(&[7; 32]).unwrap();
    let kid = |change: &dyn Fn(&mut crate::seal::keyset::KeySetSubject)| {
        let mut subject = key_set_subject(Profile::Strict);
        change(&mut subject);
        KeyShare::from_scalar(scalar(), KeySetKind::Platform, subject).key_set().kid
    };
    let good = kid(&|_| {});
    assert_eq!(good, kid(&|_| {}));
    assert_ne!(good, kid(&|subject| subject.group = super::ident("group-2")));
    let later = crate::seal::ids::UtcMillis::parse("2026-12-01T01:00:00.001Z", "test").unwrap();
    assert_ne!(good, kid(&|subject| subject.opens_not_before = later.clone()));
    assert_ne!(good, platform_key(Profile::Strict).key_set().kid);
}

#[test]
fn a_stored_private_key_is_restored_only_with_its_own_key_set() {
    let key = platform_key(Profile::Strict);
    let back = KeyShare::restore(key.key_set().clone(), 1, &key.private_bytes()).unwrap();
    assert_eq!(back.key_set(), key.key_set());
    assert_eq!(back.private().public(), key.key_set().public);
    let other = platform_key(Profile::Strict);
    assert!(KeyShare::restore(other.key_set().clone(), 1, &key.private_bytes()).is_err());
    assert!(KeyShare::restore(key.key_set().clone(), 1, &Secret::new([0; 32])).is_err());
}

#[test]
fn a_key_set_signed_for_another_purpose_is_refused() {
    let key = platform_key(Profile::Strict);
    let jws = Jws::sign(&signing_key(), "sealbid-envelope+jws", &key.key_set().to_bytes()).unwrap();
    let error = SignedKeySet::parse(jws.to_json().as_bytes()).unwrap_err();
    assert_eq!(error, FormError::Typ { expected: KEY_SET_TYP, found: "sealbid-envelope+jws".into() });
}

#[test]
fn the_private_key_does_not_show_in_debug_texts() {
    let key = KeyShare::from_scalar(
        PrivateScalar::from_bytes(&[7; 32]).unwrap(),
        KeySetKind::Platform,
        key_set_subject(Profile::Strict),
    );
    let text = format!("{key:?}").to_lowercase();
    assert!(text.contains("secret(..)"));
    assert!(!text.contains("0707") && !text.contains("7, 7"));
}
