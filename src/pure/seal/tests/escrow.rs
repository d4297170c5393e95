//! Keys in escrow: what comes out is the key that the bid brought, or nothing.

use super::{bidder_key, binding, ident, key_set_subject, platform_key, sealed_price, signing_key, subject};
use crate::kernel::digest::sha256;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::escrow::{escrow_part, open_key, own_partials};
use crate::seal::keyset::{KeySetKind, KeySetSubject, KeyShare, Profile};
use crate::seal::manifest::{FileEntry, Manifest, PartError};
use crate::seal::part_writer::{bid_part, describe, write_part};
use crate::seal::sealing::{Subject, seal_header, seal_payload};
use crate::seal::snapshot::Line;
use crate::seal::unsealing::{Holder, OpenError, Outcome, payload_keys, slot_share};

/// Who keeps the escrow: one holder, as far as opening is concerned.
fn keeper() -> KeyShare {
    let subject = KeySetSubject { group: ident("group-1-escrow"), ..key_set_subject(Profile::Strict) };
    KeyShare::generate(KeySetKind::Platform, subject).unwrap()
}

/// An envelope for the escrow over any plaintext, with its ciphertext.
fn sealed(keeper: &KeyShare, plain: &[u8]) -> (SignedEnvelope, Vec<u8>) {
    let mut ciphertext = Vec::new();
    let payload = seal_payload(plain, &mut ciphertext, 1).unwrap();
    let subject = Subject { part: Part::Escrow, ..subject("org-1") };
    (seal_header(&subject, &payload, &[keeper.key_set()], &signing_key()).unwrap(), ciphertext)
}

fn opened(keeper: &KeyShare, plain: &[u8], own: &KeyShare) -> Result<KeyShare, (Outcome, &'static str)> {
    let (envelope, ciphertext) = sealed(keeper, plain);
    let shares = [vec![(1, slot_share(keeper, &envelope, 0).unwrap())]];
    let keys = payload_keys(&envelope, &[keeper.key_set()], &shares).unwrap();
    open_key(&envelope, keys, ciphertext.as_slice(), own.key_set()).map_err(|error| match error {
        OpenError::Failed { outcome, reason, .. } => (outcome, reason),
        OpenError::Io(error) => panic!("{error}"),
    })
}

fn deposit(bidder: &str, own: &KeyShare) -> Vec<u8> {
    escrow_part(binding(bidder, Part::Escrow), own).unwrap().expose().clone()
}

#[test]
fn a_key_out_of_escrow_gives_the_shares_that_its_bidder_would_give() {
    let (keeper, own) = (keeper(), bidder_key(Profile::Strict));
    let plain = deposit("org-1", &own);
    let key = opened(&keeper, &plain, &own).unwrap();
    let (price, signer) = (sealed_price("org-1", &[&own]), signing_key());
    let list = own_partials(&key, std::slice::from_ref(&price.envelope), &signer).unwrap();
    let said = list.verify(signer.verifying_key()).unwrap();
    let lines = Line::of(&price.envelope, own.key_set().kid);
    assert_eq!((said.kid, said.member, said.partials.len()), (own.key_set().kid, 1, 1));
    assert!(lines[0].verify(&Holder::of(own.key_set(), 1), &said.partials[0].share));
    let by_bidder = own_partials(&own, &[price.envelope], &signer).unwrap();
    assert_eq!(by_bidder.list().partials[0].share.d, said.partials[0].share.d);
}

#[test]
fn another_key_another_s_deposit_and_other_files_are_failures_with_their_reasons() {
    let (keeper, own, other) = (keeper(), bidder_key(Profile::Strict), bidder_key(Profile::Strict));
    let failed = |plain: &[u8]| opened(&keeper, plain, &own).unwrap_err();
    assert_eq!(failed(&deposit("org-1", &other)), (Outcome::BadManifest, "escrow_wrong_key"));
    assert_eq!(failed(&deposit("org-2", &own)), (Outcome::BadManifest, "manifest_mismatch"));
    assert_eq!(failed(b"no archive at all").0, Outcome::BadManifest);
    let price = bid_part(binding("org-1", Part::Price), &super::bid("1.00")).unwrap();
    assert_eq!(failed(&price), (Outcome::BadManifest, "manifest_mismatch"));
    // Zero is no key, and neither is what is not below the group's order.
    for bytes in [[0; 32], [0xff; 32]] {
        let manifest = Manifest::new(binding("org-1", Part::Escrow), vec![describe("key.bin", &bytes[..]).unwrap()]);
        let mut plain = Vec::new();
        write_part(&mut plain, &manifest.unwrap(), |_| Ok(&bytes[..])).unwrap();
        assert_eq!(failed(&plain), (Outcome::BadManifest, "escrow_wrong_key"));
    }
}

#[test]
fn the_part_is_one_key_of_32_bytes_and_nothing_else() {
    let file = |path: &str, len: u64| FileEntry { path: path.into(), len, sha256: sha256(b"") };
    let manifest = |files: Vec<FileEntry>| Manifest::new(binding("org-1", Part::Escrow), files);
    assert!(manifest(vec![file("key.bin", 32)]).is_ok());
    for wrong in [vec![], vec![file("key.bin", 31)], vec![file("key", 32)], vec![file("key.bin", 32), file("more", 1)]]
    {
        assert_eq!(manifest(wrong), Err(PartError::KeyExpected));
    }
    let own = bidder_key(Profile::Strict);
    assert_eq!(escrow_part(binding("org-1", Part::Price), &own).unwrap_err(), PartError::BidJsonExpected);
    // What is sealed to the platform opens with nothing that the keeper has.
    let (envelope, _) = sealed(&keeper(), &deposit("org-1", &own));
    assert!(slot_share(&platform_key(Profile::Strict), &envelope, 0).is_err());
}
