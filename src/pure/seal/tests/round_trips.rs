//! From sealing to opening, with everything that can go wrong on the way.

use super::{Sealed, bid, bidder_key, binding, platform_key, sealed_price, subject};
use crate::seal::dleq::Proof;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::keyset::{KeySet, KeyShare, Profile};
use crate::seal::manifest::FileEntry;
use crate::seal::part_reader::{Discard, FileSink, PartContents};
use crate::seal::part_writer::{bid_part, describe, write_part};
use crate::seal::points::Point;
use crate::seal::sealing::{SealingWriter, seal_header, seal_payload};
use crate::seal::unsealing::{
    OpenError, Outcome, Share, SlotShares, open_part, open_slot, payload_keys, slot_share, verify_share,
};
use proptest::prelude::*;
use std::io;

fn open(sealed: &Sealed, keys: &[&KeyShare]) -> Result<PartContents, OpenError> {
    open_envelope(&sealed.envelope, &sealed.ciphertext, keys)
}

fn open_envelope(envelope: &SignedEnvelope, ciphertext: &[u8], keys: &[&KeyShare]) -> Result<PartContents, OpenError> {
    let shares: Vec<_> =
        keys.iter().enumerate().map(|(slot, key)| vec![(1, slot_share(key, envelope, slot).unwrap())]).collect();
    let key_sets: Vec<&KeySet> = keys.iter().map(|key| key.key_set()).collect();
    let payload_keys = payload_keys(envelope, &key_sets, &shares)?;
    open_part(envelope, payload_keys, ciphertext, &mut Discard)
}

fn outcome<T: std::fmt::Debug>(result: Result<T, OpenError>) -> (Outcome, &'static str) {
    match result.unwrap_err() {
        OpenError::Failed { outcome, reason, .. } => (outcome, reason),
        OpenError::Io(error) => panic!("{error}"),
    }
}

#[test]
fn a_sealed_price_opens_to_the_bid_in_every_profile_and_mode() {
    for profile in [Profile::Strict, Profile::Open] {
        let (platform, bidder) = (platform_key(profile), bidder_key(profile));
        for keys in [vec![&platform], vec![&platform, &bidder], vec![&bidder]] {
            let contents = open(&sealed_price("org-1", &keys), &keys).unwrap();
            assert_eq!(contents.bid, Some(bid("1250000.00")));
            assert_eq!(contents.manifest.binding(), &binding("org-1", Part::Price));
        }
    }
}

#[test]
fn a_new_header_over_the_same_payload_opens_to_the_same_bid() {
    let key = platform_key(Profile::Strict);
    let sealed = sealed_price("org-1", &[&key]);
    let mut confirmed = subject("org-1");
    confirmed.rev = 2;
    let second = seal_header(&confirmed, &sealed.payload, &[key.key_set()], &sealed.key).unwrap();
    assert_ne!(second.id(), sealed.envelope.id());
    assert_ne!(second.header().slots[0].enc, sealed.envelope.header().slots[0].enc);
    assert_eq!(second.header().kc, sealed.envelope.header().kc);
    let contents = open_envelope(&second, &sealed.ciphertext, &[&key]).unwrap();
    assert_eq!(contents.bid, Some(bid("1250000.00")));
}

#[derive(Default)]
struct Collect(Vec<(String, Vec<u8>)>);

impl FileSink for Collect {
    fn begin(&mut self, file: &FileEntry) -> io::Result<()> {
        self.0.push((file.path.clone(), Vec::new()));
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.last_mut().unwrap().1.extend_from_slice(bytes);
        Ok(())
    }
}

#[test]
fn documents_of_several_chunks_come_back_file_by_file() {
    let key = platform_key(Profile::Strict);
    let contents: Vec<(&str, Vec<u8>)> = vec![
        ("技术方案/总说明.pdf", vec![1; 1_500_000]),
        ("empty.txt", vec![]),
        ("报价/清单.xlsx", (0..1_000_003_u32).map(|i| i as u8).collect()),
    ];
    let files = contents.iter().map(|(path, bytes)| describe(*path, bytes.as_slice()).unwrap()).collect();
    let manifest = crate::seal::manifest::Manifest::new(binding("org-1", Part::Documents), files).unwrap();
    let mut writer = SealingWriter::new(Vec::new(), 1).unwrap();
    let mut bytes = contents.iter();
    write_part(&mut writer, &manifest, |_| Ok(bytes.next().unwrap().1.as_slice())).unwrap();
    let (payload, ciphertext) = writer.finish().unwrap();
    assert_eq!(payload.len, manifest.archive_len());
    let documents = crate::seal::sealing::Subject { part: Part::Documents, ..subject("org-1") };
    let envelope = seal_header(&documents, &payload, &[key.key_set()], &super::signing_key()).unwrap();
    let share = slot_share(&key, &envelope, 0).unwrap();
    let keys = payload_keys(&envelope, &[key.key_set()], &[vec![(1, share)]]).unwrap();
    let mut collected = Collect::default();
    let part = open_part(&envelope, keys, ciphertext.as_slice(), &mut collected).unwrap();
    assert_eq!(part.manifest, manifest);
    assert_eq!(part.bid, None);
    let expected: Vec<_> = contents.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect();
    assert!(collected.0 == expected);
}

#[test]
fn a_share_verifies_only_for_its_slot_envelope_and_key_set() {
    let (platform, bidder) = (platform_key(Profile::Strict), bidder_key(Profile::Strict));
    let sealed = sealed_price("org-1", &[&platform, &bidder]);
    let other = sealed_price("org-1", &[&platform, &bidder]);
    let share = slot_share(&platform, &sealed.envelope, 0).unwrap();
    assert!(verify_share(platform.key_set(), 1, &sealed.envelope, 0, &share));
    assert!(!verify_share(platform.key_set(), 1, &sealed.envelope, 1, &share));
    assert!(!verify_share(platform.key_set(), 1, &sealed.envelope, 2, &share));
    assert!(!verify_share(bidder.key_set(), 1, &sealed.envelope, 0, &share));
    assert!(!verify_share(platform.key_set(), 1, &other.envelope, 0, &share));
    // A second header over the same slots is another envelope: the proof names the envelope's id.
    let shifted = Share { d: Point::GENERATOR, ..share };
    assert!(!verify_share(platform.key_set(), 1, &sealed.envelope, 0, &shifted));
    let altered = Share { proof: Proof::from_bytes(&[1; 64]).unwrap(), ..share };
    assert!(!verify_share(platform.key_set(), 1, &sealed.envelope, 0, &altered));
    assert!(slot_share(&bidder, &sealed.envelope, 0).is_err());
    assert!(slot_share(&platform, &sealed.envelope, 2).is_err());
}

#[test]
fn a_share_comes_back_from_json_and_is_read_strictly() {
    let key = platform_key(Profile::Strict);
    let sealed = sealed_price("org-1", &[&key]);
    let share = slot_share(&key, &sealed.envelope, 0).unwrap();
    let text = share.to_json();
    assert_eq!(Share::parse(text.as_bytes()), Ok(share));
    assert_eq!(Share::parse(text.replace('}', ",\"x\":1}").as_bytes()).unwrap_err().reason(), "unknown_field");
    assert_eq!(Share::parse(format!("{text}{}", " ".repeat(512)).as_bytes()).unwrap_err().reason(), "too_large");
    let zero = crate::kernel::encoding::base64url(&[0; 33]);
    let good = crate::kernel::encoding::base64url(&share.d.to_compressed());
    assert_eq!(Share::parse(text.replace(&good, &zero).as_bytes()).unwrap_err().reason(), "not_a_point");
}

#[test]
fn missing_and_wrong_shares_and_slots_have_their_outcomes() {
    let (platform, bidder) = (platform_key(Profile::Strict), bidder_key(Profile::Strict));
    let sealed = sealed_price("org-1", &[&platform, &bidder]);
    let sets = [platform.key_set(), bidder.key_set()];
    let first = slot_share(&platform, &sealed.envelope, 0).unwrap();
    let second = slot_share(&bidder, &sealed.envelope, 1).unwrap();
    let keys = |shares: &[SlotShares]| payload_keys(&sealed.envelope, &sets, shares).map(|_| ());
    keys(&[vec![(1, first)], vec![(1, second)]]).unwrap();
    assert_eq!(outcome(keys(&[vec![(1, first)], vec![]])), (Outcome::MissingSlot, "no_share"));
    assert_eq!(outcome(keys(&[vec![(1, first)]])), (Outcome::MissingSlot, "no_share"));
    assert_eq!(outcome(keys(&[vec![(1, second)], vec![(1, first)]])), (Outcome::MissingSlot, "share_does_not_verify"));
    let unknown = payload_keys(&sealed.envelope, &sets[..1], &[vec![(1, first)], vec![(1, second)]]).map(|_| ());
    assert_eq!(outcome(unknown), (Outcome::MissingSlot, "no_key_set"));
    let wrong = open_slot(sets[0], &sealed.envelope, 0, &second.d);
    assert_eq!(outcome(wrong), (Outcome::BadSlot, "slot_does_not_open"));
    assert_eq!(outcome(open_slot(sets[0], &sealed.envelope, 2, &first.d)), (Outcome::MissingSlot, "no_such_slot"));
}

#[test]
fn secrets_of_another_payload_are_stopped_by_the_commitment() {
    // The bidder signs slots over other secrets than the ones behind kc: the header of one payload with kc of another.
    let key = platform_key(Profile::Strict);
    let (one, two) = (sealed_price("org-1", &[&key]), sealed_price("org-1", &[&key]));
    let mut header: serde_json::Value = serde_json::from_slice(one.envelope.jws().payload()).unwrap();
    header["kc"] = serde_json::json!(crate::kernel::encoding::base64url(&two.envelope.header().kc));
    let jws = crate::seal::jws::Jws::sign(&one.key, "sealbid-envelope+jws", header.to_string().as_bytes()).unwrap();
    let envelope = SignedEnvelope::parse(jws.to_json().as_bytes()).unwrap();
    let result = open_envelope(&envelope, &one.ciphertext, &[&key]);
    assert_eq!(outcome(result), (Outcome::BadCommit, "key_commitment_mismatch"));
}

fn sealed_plaintext(plaintext: &[u8], key: &KeyShare) -> Result<PartContents, OpenError> {
    let mut ciphertext = Vec::new();
    let payload = seal_payload(plaintext, &mut ciphertext, 1).unwrap();
    let envelope = seal_header(&subject("org-1"), &payload, &[key.key_set()], &super::signing_key()).unwrap();
    open_envelope(&envelope, &ciphertext, &[key])
}

#[test]
fn a_payload_that_is_not_this_bidders_part_is_a_bad_manifest() {
    let key = platform_key(Profile::Strict);
    let foreign = bid_part(binding("org-2", Part::Price), &bid("1.00")).unwrap();
    assert_eq!(outcome(sealed_plaintext(&foreign, &key)), (Outcome::BadManifest, "manifest_mismatch"));
    let reserve = bid_part(binding("org-1", Part::Reserve), &bid("1.00")).unwrap();
    assert_eq!(outcome(sealed_plaintext(&reserve, &key)), (Outcome::BadManifest, "manifest_mismatch"));
    assert_eq!(outcome(sealed_plaintext(b"", &key)), (Outcome::BadManifest, "archive_truncated"));
    assert_eq!(outcome(sealed_plaintext(&[7; 600], &key)), (Outcome::BadManifest, "bad_archive"));
}

#[test]
fn outcomes_have_stable_names() {
    for outcome in [
        Outcome::Opened,
        Outcome::MissingPayload,
        Outcome::MissingSlot,
        Outcome::BadSlot,
        Outcome::BadCommit,
        Outcome::BadPayload,
        Outcome::BadManifest,
    ] {
        let json = serde_json::to_string(&outcome).unwrap();
        assert_eq!(json, format!("\"{}\"", outcome.name()));
        assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bid_comes_back(
        amount in "(0|[1-9][0-9]{0,14})(\\.[0-9]{1,4})?",
        currency in "[A-Z]{3}",
        validity_days in proptest::option::of(any::<u32>()),
        note in proptest::option::of(".{0,200}"),
    ) {
        let bid = crate::seal::manifest::BidJson { amount, currency, validity_days, note };
        let key = platform_key(Profile::Strict);
        let plaintext = bid_part(binding("org-1", Part::Price), &bid).unwrap();
        prop_assert_eq!(sealed_plaintext(&plaintext, &key).unwrap().bid, Some(bid));
    }
}
