//! The published vector of the whole format, `tests/vectors/sealbid-1.json`: fixed inputs, and every intermediate value
//! that a second implementation needs to find its first difference.

use super::{bid, binding, ident, key_set_subject, subject};
use crate::kernel::{
    digest::sha256,
    encoding::{base64url, hex},
    secret::Secret,
};
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::keys::SigningKey;
use crate::seal::keyset::{KeySet, KeySetKind, KeyShare, Profile};
use crate::seal::part_reader::Discard;
use crate::seal::part_writer::bid_part;
use crate::seal::points::PrivateScalar;
use crate::seal::products::Combs;
use crate::seal::sealing::{SealingWriter, SlotScalars, seal_header_with};
use crate::seal::stream::PayloadKeys;
use crate::seal::unsealing::{Share, open_part, payload_keys, share_context, verify_share};
use crate::seal::{dleq, hpke, kdf};
use serde_json::{Value, json};
use std::io::Write;

/// Inputs that look random and are not: the digest of their name.
fn fixed(name: &str) -> [u8; 32] {
    *sha256(format!("sealbid-1 vector {name}").as_bytes()).as_bytes()
}

fn scalar(name: &str) -> PrivateScalar {
    PrivateScalar::from_bytes(&fixed(name)).unwrap()
}

fn bidder_signing_key() -> SigningKey {
    let prefix = crate::kernel::encoding::from_hex("302e020100300506032b657004220420").unwrap();
    SigningKey::from_pkcs8(Secret::new([&prefix[..], &fixed("signing key")].concat())).unwrap()
}

fn platform() -> KeyShare {
    KeyShare::from_scalar(scalar("platform key"), KeySetKind::Platform, key_set_subject(Profile::Strict))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn inputs() -> Value {
    json!({
        "platform_private_key": hex(&fixed("platform key")),
        "signing_key_seed": hex(&fixed("signing key")),
        "salt": hex(&fixed("salt")),
        "slot_secret": hex(&fixed("secret")),
        "slot_ephemeral": hex(&fixed("ephemeral")),
        "pok_nonce": hex(&fixed("pok nonce")),
        "dleq_nonce": hex(&fixed("dleq nonce")),
    })
}

fn share(key: &KeyShare, envelope: &SignedEnvelope) -> Value {
    let enc = envelope.header().slots[0].enc;
    let context = share_context(key.key_set().kid, 1, &envelope.id(), 0);
    let nonce = scalar("dleq nonce");
    let (d, proof) = dleq::multiply_with(key.private(), key.share(), &Combs::of(&enc), context.as_bytes(), &nonce);
    json!({
        "dleq_context": context,
        "D": hex(&d.to_compressed()),
        "c": hex(&proof.to_bytes()[..32]),
        "s": hex(&proof.to_bytes()[32..]),
        "json": Share { d, proof }.to_json(),
    })
}

fn computed() -> Value {
    let (key, signing_key) = (platform(), bidder_signing_key());
    let key_set = key.key_set();
    let plaintext = bid_part(binding("org-1", Part::Price), &bid("1250000.00")).unwrap();
    let secrets = || vec![Secret::new(fixed("secret"))];
    let mut writer = SealingWriter::with(Vec::new(), fixed("salt"), secrets());
    writer.write_all(&plaintext).unwrap();
    let (payload, ciphertext) = writer.finish().unwrap();
    let scalars = [SlotScalars { ephemeral: scalar("ephemeral"), nonce: scalar("pok nonce") }];
    let envelope = seal_header_with(&subject("org-1"), &payload, &[key_set], &signing_key, &scalars).unwrap();
    let header = envelope.header();
    let slot = &header.slots[0];
    let wire: Value = serde_json::from_slice(envelope.jws().payload()).unwrap();
    let ctx = crate::kernel::encoding::from_base64url(wire["ctx"].as_str().unwrap()).unwrap();
    let d = key.private().times(&slot.enc);
    let pok = slot.pok.unwrap().to_bytes();
    let prk = PayloadKeys::prk(&fixed("salt"), &secrets());
    json!({
        "inputs": inputs(),
        "key_set": {"bytes": text(&key_set.to_bytes()), "kid": key_set.kid, "X_uncompressed": hex(&key_set.public.to_uncompressed())},
        "plaintext": {
            "base64url": base64url(&plaintext),
            "sha256": sha256(&plaintext),
        },
        "payload": {
            "prk": hex(prk.expose()),
            "key": hex(kdf::expand::<32>(prk.expose(), &[b"sealbid/1 payload"]).expose()),
            "nonce_prefix": hex(kdf::expand::<7>(prk.expose(), &[b"sealbid/1 nonce"]).expose()),
            "kc": hex(&header.kc),
            "chunk_0": base64url(&ciphertext),
            "root": payload.root,
        },
        "slot": {
            "ctx": text(&ctx),
            "ctx_hash": header.ctx_hash,
            "info": hex(&header.place(0).info()),
            "dh": hex(&d.x()),
            "shared_secret": hex(hpke::shared_secret(&d, &slot.enc, &key_set.public).expose()),
            "enc": hex(&slot.enc.to_uncompressed()),
            "ct": hex(&slot.ct),
            "pok_c": hex(&pok[..32]),
            "pok_z": hex(&pok[32..]),
        },
        "envelope": {
            "header": text(envelope.jws().payload()),
            "id": envelope.id(),
            "jws": envelope.jws(),
            "signing_kid": envelope.signing_key_id(),
            "signing_public_key": signing_key.verifying_key().to_base64url(),
        },
        "share": share(&key, &envelope),
    })
}

fn published() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/sealbid-1.json")).unwrap()
}

#[test]
fn the_published_vector_is_reproduced_byte_by_byte() {
    let (computed, published) = (computed(), published());
    assert_eq!(computed, published, "computed:\n{}", serde_json::to_string_pretty(&computed).unwrap());
}

#[test]
fn the_published_vector_opens_with_the_public_steps_alone() {
    let file = published();
    let string = |pointer: &str| file.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let key_set = KeySet::from_bytes(string("/key_set/bytes").as_bytes()).unwrap();
    let envelope = SignedEnvelope::from_value(&file["envelope"]["jws"]).unwrap();
    let signer = crate::seal::keys::VerifyingKey::parse("EdDSA", &string("/envelope/signing_public_key")).unwrap();
    envelope.verify_signature(&signer).unwrap();
    envelope.check_against(&[&key_set]).unwrap();
    let share = Share::parse(string("/share/json").as_bytes()).unwrap();
    assert!(verify_share(&key_set, 1, &envelope, 0, &share));
    let keys = payload_keys(&envelope, &[&key_set], &[vec![(1, share)]]).unwrap();
    let ciphertext = crate::kernel::encoding::from_base64url(&string("/payload/chunk_0")).unwrap();
    let contents = open_part(&envelope, keys, ciphertext.as_slice(), &mut Discard).unwrap();
    assert_eq!(contents.bid, Some(bid("1250000.00")));
    assert_eq!(contents.manifest.binding().bidder, ident("org-1"));
}
