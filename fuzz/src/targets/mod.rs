//! What the fuzz targets do with their bytes.
//!
//! Each target is a function that takes any bytes, asserts properties of what reads them, and says whether something in
//! them was accepted; beside it stand the seeds, made by the writers of the formats, so that they are never out of date.
//! A property is more than "does not panic": what is accepted has one spelling, what is written reads back as the same,
//! a stored state equals a model that is kept in memory. Random keys never decide: equal bytes take equal ways.

pub mod assertion;
pub mod chunks;
pub mod config;
pub mod envelope;
pub mod part;
pub mod receipt;
pub mod request;
pub mod signed;
pub mod tokens;

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
pub const TARGETS: [Target; 9] = [
    Target { name: "assertion", run: assertion::run, seeds: assertion::seeds },
    Target { name: "chunks", run: chunks::run, seeds: chunks::seeds },
    Target { name: "config", run: config::run, seeds: config::seeds },
    Target { name: "envelope", run: envelope::run, seeds: envelope::seeds },
    Target { name: "part", run: part::run, seeds: part::seeds },
    Target { name: "receipt", run: receipt::run, seeds: receipt::seeds },
    Target { name: "request", run: request::run, seeds: request::seeds },
    Target { name: "signed", run: signed::run, seeds: signed::seeds },
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

/// A signing key that is the same in every run.
fn signing_key() -> sealbid::seal::keys::SigningKey {
    let prefix = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    let pkcs8 = sealbid::kernel::secret::Secret::new([&prefix[..], &[7; 32]].concat());
    sealbid::seal::keys::SigningKey::from_pkcs8(pkcs8).expect("a PKCS#8 key of Ed25519")
}

/// The published vector of the whole format.
fn vector() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../tests/vectors/sealbid-1.json")).expect("JSON")
}
