//! What the fuzz targets do with their bytes.
//!
//! Each target is a function that takes any bytes, asserts properties of what reads them, and says whether something in
//! them was accepted; beside it stand the seeds, made by the writers of the formats, so that they are never out of date.
//! A property is more than "does not panic": what is accepted has one spelling, what is written reads back as the same,
//! a stored state equals a model that is kept in memory. Random keys never decide: equal bytes take equal ways.

pub mod assertion;
pub mod ceremony;
pub mod chunks;
pub mod config;
pub mod custodian;
pub mod envelope;
pub mod opening;
pub mod part;
pub mod receipt;
pub mod request;
pub mod signed;
pub mod snapshot;
pub mod tokens;

use std::sync::LazyLock;

use sealbid::kernel::encoding::from_hex;
use sealbid::kernel::secret::Secret;
use sealbid::seal::jws::Jws;
use sealbid::seal::keys::{SigningKey, VerifyingKey};
use sealbid::seal::keyset::{KeySet, KeyShare, SignedKeySet};
use sealbid::seal::snapshot::Line;
use serde_json::Value;

/// One target.
pub struct Target {
    /// Its name, also of its corpus.
    pub name: &'static str,
    /// Asserts its properties of the bytes; whether something was accepted.
    pub run: fn(&[u8]) -> bool,
    /// Inputs to start from, each of which is accepted.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 13] = [
    Target { name: "assertion", run: assertion::run, seeds: assertion::seeds },
    Target { name: "ceremony", run: ceremony::run, seeds: ceremony::seeds },
    Target { name: "chunks", run: chunks::run, seeds: chunks::seeds },
    Target { name: "config", run: config::run, seeds: config::seeds },
    Target { name: "custodian", run: custodian::run, seeds: custodian::seeds },
    Target { name: "envelope", run: envelope::run, seeds: envelope::seeds },
    Target { name: "opening", run: opening::run, seeds: opening::seeds },
    Target { name: "part", run: part::run, seeds: part::seeds },
    Target { name: "receipt", run: receipt::run, seeds: receipt::seeds },
    Target { name: "request", run: request::run, seeds: request::seeds },
    Target { name: "signed", run: signed::run, seeds: signed::seeds },
    Target { name: "snapshot", run: snapshot::run, seeds: snapshot::seeds },
    Target { name: "tokens", run: tokens::run, seeds: tokens::seeds },
];

/// The first byte chooses what the others are for.
fn choice(data: &[u8], choices: u8) -> Option<(u8, &[u8])> {
    data.split_first().map(|(first, rest)| (first % choices, rest))
}

/// A seed for one of the choices.
fn seed(choice: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    [&[choice], bytes.as_ref()].concat()
}

/// The original with edits, four bytes each: a place (two bytes), what happens there, and a byte.
fn edited(original: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for edit in edits.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % (bytes.len() + 1);
        match edit[2] % 4 {
            0 if at < bytes.len() => bytes[at] = edit[3],
            1 => bytes.insert(at, edit[3]),
            2 if at < bytes.len() => _ = bytes.remove(at),
            3 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

/// JSON that was accepted.
fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("what was accepted is JSON")
}

/// A signed object over any payload, by a key that is the same in every run.
fn signed_json(typ: &'static str, payload: &[u8]) -> String {
    Jws::sign(&signing_key(), typ, payload).expect("Ed25519 needs no random numbers").to_json()
}

/// A signing key that is the same in every run.
fn signing_key() -> SigningKey {
    let prefix = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    let pkcs8 = Secret::new([&prefix[..], &[7; 32]].concat());
    SigningKey::from_pkcs8(pkcs8).expect("a PKCS#8 key of Ed25519")
}

/// The published vector of the whole format.
fn vector() -> Value {
    json(include_bytes!("../../../tests/vectors/sealbid-1.json"))
}

/// The published vector of an opening.
struct Opened {
    /// The bundle.
    bundle: &'static str,
    /// Its lines.
    lines: Vec<Value>,
    /// The secrets behind it, and what comes out on the way.
    vector: Value,
    /// The custodians' key set.
    key_set: KeySet,
    /// The platform's key.
    platform: VerifyingKey,
}

static OPENED: LazyLock<Opened> = LazyLock::new(|| {
    let bundle = include_str!("../../../tests/vectors/opening/bundle.ndjson");
    let lines: Vec<Value> = bundle.lines().map(|line| json(line.as_bytes())).collect();
    let public = lines[0]["platform"]["public_key"].as_str().expect("in the vector");
    let platform = VerifyingKey::parse("EdDSA", public).expect("a key");
    let signed = of(&lines, "key_set")[0]["key_set"].to_string();
    let key_set = SignedKeySet::parse(signed.as_bytes()).expect("a key set").key_set().clone();
    let vector = json(include_bytes!("../../../tests/vectors/opening/vector.json"));
    Opened { bundle, vector, key_set, platform, lines }
});

/// The lines of a type.
fn of<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

impl Opened {
    /// The ceremony's line.
    fn ceremony(&self) -> &Value {
        of(&self.lines, "ceremony")[0]
    }

    /// A secret of the first member.
    fn secret(&self, name: &str) -> Secret<[u8; 32]> {
        let text = self.vector["secrets"]["members"][0][name].as_str().expect("in the vector");
        Secret::new(from_hex(text).expect("hex").try_into().expect("32 bytes"))
    }

    /// The share of the first member.
    fn share(&self) -> KeyShare {
        KeyShare::restore(self.key_set.clone(), 1, &self.secret("share")).expect("the vector's share")
    }

    /// The lines of the custodians' snapshot, in order.
    fn box_lines(&self) -> Vec<Line> {
        let lines = of(&self.lines, "envelope").into_iter().map(|line| {
            let mut line = line["lines"][0].clone();
            line.as_object_mut().expect("an object").remove("kid");
            Line::parse(line.to_string().as_bytes()).expect("a line")
        });
        let mut lines: Vec<Line> = lines.collect();
        lines.sort_by_key(|line| (line.envelope, line.slot));
        lines
    }
}
