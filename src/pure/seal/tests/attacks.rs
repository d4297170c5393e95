//! The decryption oracle: why a key serves one group only, and why the strict profile exists.
//!
//! The victim's envelope has R = rG. The attacker submits an envelope of its own with R' = R + aG. When D' = xR' is
//! released for it, D = D' - aX opens the victim's slot.

use super::{Sealed, platform_key, sealed_price};
use crate::kernel::encoding::base64url;
use crate::seal::envelope::{ENVELOPE_TYP, SignedEnvelope};
use crate::seal::error::{FormError, SealError};
use crate::seal::jws::Jws;
use crate::seal::keyset::{KeyShare, Profile};
use crate::seal::points::{Point, PrivateScalar, scalar_from_bytes, scalar_to_bytes};
use crate::seal::unsealing::{open_slot, slot_share, verify_share};
use serde_json::{Value, json};

fn shifted(victim: &Sealed, shift: &PrivateScalar) -> Point {
    let r = victim.envelope.header().slots[0].enc;
    Point::from_projective(r.to_projective() + shift.public().to_projective()).unwrap()
}

/// The attacker's own envelope with the shifted ephemeral key and the given proof.
fn attackers_envelope(attacker: &Sealed, enc: &Point, ct: &[u8], pok: Option<&[u8]>) -> SignedEnvelope {
    let mut header: Value = serde_json::from_slice(attacker.envelope.jws().payload()).unwrap();
    let slot = &mut header["slots"][0];
    slot["enc"] = json!(base64url(&enc.to_uncompressed()));
    slot["ct"] = json!(base64url(ct));
    match pok {
        Some(pok) => slot["pok"] = json!(base64url(pok)),
        None => drop(slot.as_object_mut().unwrap().remove("pok")),
    }
    let jws = Jws::sign(&attacker.key, ENVELOPE_TYP, header.to_string().as_bytes()).unwrap();
    SignedEnvelope::parse(jws.to_json().as_bytes()).unwrap()
}

struct Scene {
    key: KeyShare,
    victim: Sealed,
    attacker: Sealed,
    shift: PrivateScalar,
}

fn scene(profile: Profile) -> Scene {
    let key = platform_key(profile);
    let (victim, attacker) = (sealed_price("org-1", &[&key]), sealed_price("org-2", &[&key]));
    Scene { key, victim, attacker, shift: PrivateScalar::generate().unwrap() }
}

#[test]
fn under_the_open_profile_an_early_share_for_a_shifted_key_opens_the_victims_slot() {
    let Scene { key, victim, attacker, shift } = scene(Profile::Open);
    let forged = attackers_envelope(&attacker, &shifted(&victim, &shift), &[0; 48], None);
    forged.check_against(&[key.key_set()]).unwrap();
    let share = slot_share(&key, &forged, 0).unwrap();
    assert!(verify_share(key.key_set(), 1, &forged, 0, &share));
    let shifted_back = share.d.to_projective() - shift.times(&key.key_set().public).to_projective();
    let d = Point::from_projective(shifted_back).unwrap();
    let stolen = open_slot(key.key_set(), &victim.envelope, 0, &d).unwrap();
    assert_eq!(stolen.expose(), victim.payload.secrets[0].expose());
}

#[test]
fn under_the_strict_profile_no_share_is_given_for_a_shifted_key() {
    let Scene { key, victim, attacker, shift } = scene(Profile::Strict);
    let enc = shifted(&victim, &shift);
    let victims_slot = victim.envelope.header().slots[0].clone();
    let victims_pok = victims_slot.pok.unwrap().to_bytes();
    let attackers_pok = attacker.envelope.header().slots[0].pok.unwrap().to_bytes();
    // z' = z + ca would prove the shifted key, were the challenge not bound to key, context and ciphertext.
    let c = scalar_from_bytes(&victims_pok[..32].try_into().unwrap()).unwrap();
    let z = scalar_from_bytes(&victims_pok[32..].try_into().unwrap()).unwrap();
    let shifted_pok = [&victims_pok[..32], &scalar_to_bytes(&(z + c * shift.expose()))].concat();
    for (pok, ct, expected) in [
        (None, &[0; 48], FormError::PokMissing(0)),
        (Some(&victims_pok[..]), &victims_slot.ct, FormError::PokInvalid(0)),
        (Some(&attackers_pok[..]), &victims_slot.ct, FormError::PokInvalid(0)),
        (Some(&shifted_pok[..]), &victims_slot.ct, FormError::PokInvalid(0)),
    ] {
        let forged = attackers_envelope(&attacker, &enc, ct, pok);
        assert_eq!(forged.check_against(&[key.key_set()]), Err(expected.clone()));
        match slot_share(&key, &forged, 0) {
            Err(SealError::Form(error)) => assert_eq!(error, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_victims_own_slot_in_a_copied_context_is_not_the_attackers_bid() {
    // The attacker copies the whole header; it can only sign it with its own key, and the context names the victim.
    let Scene { key, victim, attacker, .. } = scene(Profile::Strict);
    let copy = Jws::sign(&attacker.key, ENVELOPE_TYP, victim.envelope.jws().payload()).unwrap();
    let copy = SignedEnvelope::parse(copy.to_json().as_bytes()).unwrap();
    copy.check_against(&[key.key_set()]).unwrap();
    assert_eq!(copy.ctx().bidder.as_str(), "org-1");
    assert_eq!(copy.id(), victim.envelope.id());
    assert_eq!(copy.verify_signature(victim.key.verifying_key()).unwrap_err().reason(), "other_signing_key");
}
