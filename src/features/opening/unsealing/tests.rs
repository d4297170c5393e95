use std::fs;
use std::path::Path;

use super::*;
use crate::kernel::digest::sha256;
use crate::kernel::id::{BidId, LotId, OrgId, ProjectId, UploadId};
use crate::kernel::time::Timestamp;
use crate::rules::envelopes::{Envelopes, Round};
use crate::rules::facts::KeyMode;
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keys::{Algorithm, SigningKey};
use crate::seal::keyset::{KeySetKind, KeySetSubject, Profile};
use crate::seal::manifest::{Binding, Manifest};
use crate::seal::part_writer::{bid_part, describe, write_part};
use crate::seal::sealing::{Subject, seal_header, seal_payload};

struct Bench {
    dir: tempfile::TempDir,
    blobs: DiskBlobs,
    means: Means,
    binding: Binding,
}

fn ident(text: &str) -> Ident {
    Ident::parse(text, "id").expect("an id of ours")
}

fn instant() -> UtcMillis {
    UtcMillis::parse(Timestamp::from_millis(0).to_string(), "at").expect("our form")
}

fn means(key: KeyShare) -> Means {
    let set = key.key_set().clone();
    let seals = Seals {
        mode: KeyMode::Platform,
        tender: set.tender.to_string(),
        lot: set.group.to_string(),
        envelopes: Envelopes::One,
        shared: vec![(Round::First, set)],
    };
    Means { seals, key: Some(key), currency: Currency::CNY }
}

impl Bench {
    fn key(&self) -> &KeyShare {
        self.means.key.as_ref().expect("the platform's")
    }

    fn new(part: Part) -> Self {
        let at = Timestamp::from_millis(0);
        let (tender, lot) = (ident(ProjectId::ordered(at).as_str()), ident(LotId::ordered(at).as_str()));
        let subject = KeySetSubject {
            tender: tender.clone(),
            group: lot.clone(),
            opens_not_before: instant(),
            profile: Profile::Strict,
        };
        let dir = tempfile::tempdir().expect("a directory");
        let (blobs, _) = DiskBlobs::open(dir.path(), None).expect("opened");
        let means = means(KeyShare::generate(KeySetKind::Platform, subject).expect("random numbers"));
        Self { dir, blobs, means, binding: Binding { tender, lot, bidder: ident(OrgId::ordered(at).as_str()), part } }
    }

    /// Seals an archive as a bidder would, and stores its payload.
    fn seal(&self, archive: &[u8]) -> Sealed {
        let mut ciphertext = Vec::new();
        let payload = seal_payload(archive, &mut ciphertext, 1).expect("sealed");
        let subject = Subject {
            lot: self.binding.lot.clone(),
            part: self.binding.part,
            bidder: self.binding.bidder.clone(),
            rev: 3,
            doc_rev: sha256(b"documents"),
            created: instant(),
        };
        let signer = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
        let envelope = seal_header(&subject, &payload, &[self.key().key_set()], &signer).expect("signed");
        let upload_id = UploadId::random().into_string();
        self.blobs.create(&upload_id, payload.size_bytes, payload.size_bytes).expect("made");
        self.blobs.write_chunk(&upload_id, 0, &ciphertext).expect("written");
        Sealed {
            envelope_id: envelope.id().to_string(),
            bid_id: BidId::random().into_string(),
            part: self.binding.part.name().into(),
            upload_id,
            header: envelope.jws().to_json(),
            bid_version: 1,
        }
    }

    fn bid(&self, amount: &str, currency: &str) -> Sealed {
        let bid = BidJson {
            amount: amount.into(),
            currency: currency.into(),
            validity_days: Some(90),
            note: Some("x".into()),
        };
        self.seal(&bid_part(self.binding.clone(), &bid).expect("a bid"))
    }

    fn open(&self, sealed: &Sealed) -> Result<(Outcome, UnsealingBody)> {
        open(&self.blobs, &self.means, sealed, &Shares::default()).map(|opened| (opened.outcome, opened.body))
    }

    /// The outcome with its reason.
    fn failure(&self, sealed: &Sealed) -> (Outcome, String) {
        let (outcome, body) = self.open(sealed).expect("an outcome");
        assert!(body.price.is_none() && body.files.is_empty(), "nothing of a failed part is kept");
        (outcome, body.failed.expect("a reason").reason)
    }
}

fn payload_files(dir: &Path, id: &str) -> Vec<std::path::PathBuf> {
    let fans =
        fs::read_dir(dir).expect("readable").filter_map(std::result::Result::ok).filter(|entry| entry.path().is_dir());
    fans.map(|fan| fan.path().join(id)).filter(|path| path.exists()).collect()
}

#[test]
fn a_good_bid_gives_its_price_and_a_share_that_verifies() {
    let bench = Bench::new(Part::Price);
    let sealed = bench.bid("1250000.00", "CNY");
    let (outcome, body) = bench.open(&sealed).expect("an outcome");
    assert_eq!(outcome, Outcome::Opened);
    assert_eq!(body.price, Some(Money::from_minor(125_000_000, Currency::CNY)));
    assert_eq!((body.rev, body.validity_days, body.document_revision), (3, Some(90), sha256(b"documents")));
    let [share] = &body.shares[..] else { panic!("one share") };
    assert_eq!((share.slot, share.member), (0, 1));
    let share =
        Share::parse(format!(r#"{{"d":"{}","proof":"{}"}}"#, share.d, share.proof).as_bytes()).expect("its form");
    let envelope = SignedEnvelope::parse(sealed.header.as_bytes()).expect("its form");
    assert!(unsealing::verify_share(bench.key().key_set(), 1, &envelope, 0, &share));
}

#[test]
fn a_bid_in_another_currency_opens_but_a_reserve_price_does_not() {
    let bench = Bench::new(Part::Price);
    assert_eq!(bench.open(&bench.bid("100", "JPY")).expect("an outcome").0, Outcome::Opened);
    let bench = Bench::new(Part::Reserve);
    assert_eq!(bench.failure(&bench.bid("100", "JPY")), (Outcome::BadManifest, "reserve_currency".into()));
}

#[test]
fn an_amount_that_is_no_price_is_a_bad_manifest_with_its_reason() {
    let bench = Bench::new(Part::Price);
    for (amount, currency, reason) in [
        ("1.0", "CNY", "wrong_decimals"),
        ("1", "XQZ", "unknown_currency"),
        ("0.00", "CNY", "amount_not_positive"),
        ("99999999999999999999.00", "CNY", "amount_too_large"),
    ] {
        assert_eq!(
            bench.failure(&bench.bid(amount, currency)),
            (Outcome::BadManifest, reason.into()),
            "{amount} {currency}"
        );
    }
}

#[test]
fn documents_are_listed_with_their_digests() {
    let bench = Bench::new(Part::Documents);
    let files = vec![describe("a.pdf", &b"one"[..]).expect("read"), describe("b/c.pdf", &b"two"[..]).expect("read")];
    let manifest = Manifest::new(bench.binding.clone(), files).expect("a manifest");
    let mut archive = Vec::new();
    write_part(&mut archive, &manifest, |file| Ok(if file.path == "a.pdf" { &b"one"[..] } else { &b"two"[..] }))
        .expect("written");
    let (outcome, body) = bench.open(&bench.seal(&archive)).expect("an outcome");
    assert_eq!(outcome, Outcome::Opened);
    assert_eq!(body.file_count, 2);
    assert_eq!(body.files[1], FileLine { path: "b/c.pdf".into(), len: 3, sha256: sha256(b"two") });
}

#[test]
fn a_payload_that_rotted_or_went_missing_is_an_outcome() {
    let bench = Bench::new(Part::Price);
    let sealed = bench.bid("1.00", "CNY");
    let [path] = payload_files(bench.dir.path(), &sealed.upload_id).try_into().expect("one payload");
    let mut bytes = fs::read(&path).expect("read");
    bytes[7] ^= 1;
    fs::write(&path, &bytes).expect("written");
    assert_eq!(bench.failure(&sealed), (Outcome::BadPayload, "chunk_not_authentic".into()));
    fs::write(&path, &bytes[..9]).expect("written");
    assert_eq!(bench.failure(&sealed), (Outcome::BadPayload, "payload_truncated".into()));
    fs::remove_file(&path).expect("removed");
    assert_eq!(bench.failure(&sealed), (Outcome::MissingPayload, "no_payload".into()));
}

#[test]
fn a_blob_directory_that_is_away_is_no_bidders_fault() {
    let bench = Bench::new(Part::Price);
    let sealed = bench.bid("1.00", "CNY");
    fs::remove_dir_all(bench.dir.path()).expect("away");
    assert!(matches!(bench.open(&sealed), Err(Error::Failed(Failure::Storage(_)))));
}

#[test]
fn a_list_of_files_is_kept_only_as_far_as_there_is_room() {
    let file = FileEntry { path: "x".repeat(200), len: 1, sha256: sha256(b"") };
    let lines = first_files(&vec![file; 2_000]);
    let bytes = serde_json::to_string(&lines).expect("plain data").len();
    assert!(
        (10..2_000).contains(&lines.len()) && bytes <= limits::FILE_LIST_BYTES,
        "{} lines, {bytes} bytes",
        lines.len()
    );
}
