//! Bids under a key of the bidder's own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sealbid::rules::envelopes::Round;
use sealbid::seal::envelope::{Part, SignedEnvelope};
use sealbid::seal::escrow::escrow_part;
use sealbid::seal::ids::{Ident, UtcMillis};
use sealbid::seal::keyset::{KeySet, KeySetKind, KeySetSubject, KeyShare, Profile};
use sealbid::seal::manifest::Binding;
use sealbid::seal::sealing::{Subject, seal_header, seal_payload};
use sealbid::seal::snapshot::Line;
use serde_json::{Value, json};

use super::api::{Answer, Person};
use super::custody::{give, partials};
use super::story::{LotStory, SEALED_CHUNK, jws, upload};

fn ident(text: &str) -> Ident {
    Ident::parse(text, "id").expect("an id")
}

/// A bidder's one-time key for a lot.
pub fn own_key(lot: &LotStory<'_>, group: &str) -> KeyShare {
    let opens = UtcMillis::parse(lot.deadline().to_string(), "opens").expect("a time");
    let subject = KeySetSubject {
        tender: ident(&lot.project),
        group: ident(group),
        opens_not_before: opens,
        profile: Profile::Strict,
    };
    KeyShare::generate(KeySetKind::Bidder, subject).expect("random numbers")
}

/// A bid under a key of the bidder's own.
pub struct OwnBid {
    pub key: KeyShare,
    pub envelope: SignedEnvelope,
    pub body: Value,
}

/// Bidder `n` seals a price to `shared`, where there is one, and to `own`.
pub fn seal(lot: &LotStory<'_>, n: usize, amount: &str, shared: Option<&KeySet>, own: KeyShare) -> OwnBid {
    seal_as(lot, &lot.world.bidder(n), Part::Price, amount, shared, own)
}

/// Somebody seals a price or the reserve price: the body that submits it.
pub fn seal_as(
    lot: &LotStory<'_>,
    person: &Person<'_>,
    part: Part,
    amount: &str,
    shared: Option<&KeySet>,
    own: KeyShare,
) -> OwnBid {
    seal_rev(lot, person, (part, 1), amount, shared, own)
}

/// The same, as a revision.
pub fn seal_rev(
    lot: &LotStory<'_>,
    person: &Person<'_>,
    (part, rev): (Part, u32),
    amount: &str,
    shared: Option<&KeySet>,
    own: KeyShare,
) -> OwnBid {
    let sets: Vec<&KeySet> = shared.into_iter().chain([own.key_set()]).collect();
    let (envelope, _) = seal_part_to(lot, person, (part, rev), &sets, &lot.price_archive(person, part, amount));
    let signed = own.key_set().sign(&person.signing_key()).expect("random numbers");
    let body = match part {
        Part::Reserve => json!({ "envelope": jws(&envelope), "key_set": signed.jws() }),
        Part::Price | Part::Documents | Part::Escrow => {
            json!({ "envelopes": [jws(&envelope)], "key_set": signed.jws() })
        }
    };
    OwnBid { key: own, envelope, body }
}

/// Bidder `n` gives its share of the decryption.
pub fn decrypt(lot: &LotStory<'_>, n: usize, bid: &OwnBid) -> Answer {
    decrypt_as(lot, &lot.world.bidder(n), bid)
}

/// Somebody gives the share of a key of its own.
pub fn decrypt_as(lot: &LotStory<'_>, person: &Person<'_>, bid: &OwnBid) -> Answer {
    let lines = Line::of(&bid.envelope, bid.key.key_set().kid);
    give(lot, person, partials(&bid.key, &lines))
}

/// Somebody seals something for the escrow of a lot: the signed envelope, and the upload that holds its ciphertext.
pub fn seal_for_escrow(lot: &LotStory<'_>, person: &Person<'_>, rev: u32, plain: &[u8]) -> (SignedEnvelope, String) {
    seal_part_to(lot, person, (Part::Escrow, rev), &[&lot.key_set_of(Round::Escrow)], plain)
}

/// The same of any part and to any key sets.
pub fn seal_part_to(
    lot: &LotStory<'_>,
    person: &Person<'_>,
    (part, rev): (Part, u32),
    sets: &[&KeySet],
    plain: &[u8],
) -> (SignedEnvelope, String) {
    let mut sealed = Vec::new();
    let payload = seal_payload(plain, &mut sealed, sets.len()).expect("sealed");
    let purpose = if part == Part::Reserve { "reserve" } else { "bid" };
    let held = upload(person, &lot.id, purpose, &sealed, SEALED_CHUNK);
    let subject = Subject {
        lot: ident(&lot.id),
        part,
        bidder: ident(&person.member.org_id),
        rev,
        doc_rev: lot.revision(),
        created: UtcMillis::parse(lot.world.now().to_string(), "created").expect("a time"),
    };
    (seal_header(&subject, &payload, sets, &person.signing_key()).expect("sealed"), held)
}

/// What a bidder deposits: `key`, bound to its bid.
pub fn deposit_of(lot: &LotStory<'_>, person: &Person<'_>, key: &KeyShare) -> Vec<u8> {
    let binding = Binding {
        tender: ident(&lot.project),
        lot: ident(&lot.id),
        bidder: ident(&person.member.org_id),
        part: Part::Escrow,
    };
    escrow_part(binding, key).expect("an archive").expose().clone()
}

/// The machine of a bidder: what `sealbid seal` says.
pub fn seals(lot: &LotStory<'_>, n: usize, dir: &Path, more: &[&str]) -> (bool, String) {
    let bidder = lot.world.bidder(n);
    let key = dir.join("key.pem");
    std::fs::write(&key, bidder.signing_key().to_pem().expose()).expect("written");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("closed to others");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealbid"));
    command.current_dir(dir).env("SEALBID_TOKEN", bidder.token()).stdin(Stdio::null());
    command.args(["seal", "--server", lot.world.base(), "--lot", &lot.id, "--key", "key.pem"]).args(more);
    let output = command.output().expect("it runs");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}
