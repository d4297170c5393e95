//! Tests across the files of this module, and what they share.

mod archives;
mod attacks;
mod envelopes;
mod escrow;
mod key_sets;
mod manifests;
mod openings;
mod payloads;
mod round_trips;
mod snapshots;
mod vectors;

use super::envelope::{Part, SignedEnvelope};
use super::ids::{Ident, UtcMillis};
use super::keys::{Algorithm, SigningKey};
use super::keyset::{KeySetKind, KeySetSubject, KeyShare, Profile};
use super::manifest::{BidJson, Binding};
use super::part_writer::bid_part;
use super::points::PrivateScalar;
use super::sealing::{SealedPayload, Subject, seal_header, seal_payload};
use crate::kernel::digest::sha256;

fn ident(text: &str) -> Ident {
    Ident::parse(text, "test").unwrap()
}

fn key_set_subject(profile: Profile) -> KeySetSubject {
    KeySetSubject {
        tender: ident("prj-1"),
        group: ident("group-1"),
        opens_not_before: UtcMillis::parse("2026-12-01T01:00:00.000Z", "test").unwrap(),
        profile,
    }
}

fn platform_key(profile: Profile) -> KeyShare {
    KeyShare::generate(KeySetKind::Platform, key_set_subject(profile)).unwrap()
}

fn bidder_key(profile: Profile) -> KeyShare {
    KeyShare::from_scalar(PrivateScalar::generate().unwrap(), KeySetKind::Bidder, key_set_subject(profile))
}

fn subject(bidder: &str) -> Subject {
    Subject {
        lot: ident("lot-1"),
        part: Part::Price,
        bidder: ident(bidder),
        rev: 1,
        doc_rev: sha256(b"tender documents"),
        created: UtcMillis::parse("2026-11-22T03:49:39.000Z", "test").unwrap(),
    }
}

fn binding(bidder: &str, part: Part) -> Binding {
    Binding { tender: ident("prj-1"), lot: ident("lot-1"), bidder: ident(bidder), part }
}

fn bid(amount: &str) -> BidJson {
    BidJson { amount: amount.into(), currency: "CNY".into(), validity_days: Some(90), note: None }
}

fn signing_key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa).unwrap()
}

/// A sealed price with everything around it.
struct Sealed {
    envelope: SignedEnvelope,
    payload: SealedPayload,
    ciphertext: Vec<u8>,
    key: SigningKey,
}

fn sealed_price(bidder: &str, keys: &[&KeyShare]) -> Sealed {
    let plaintext = bid_part(binding(bidder, Part::Price), &bid("1250000.00")).unwrap();
    let mut ciphertext = Vec::new();
    let payload = seal_payload(plaintext.as_slice(), &mut ciphertext, keys.len()).unwrap();
    let key = signing_key();
    let key_sets: Vec<_> = keys.iter().map(|key| key.key_set()).collect();
    let envelope = seal_header(&subject(bidder), &payload, &key_sets, &key).unwrap();
    Sealed { envelope, payload, ciphertext, key }
}
