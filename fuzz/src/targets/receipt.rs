//! Receipts and the signed notes in them.
//!
//! A note verifies exactly as it was signed; a receipt proves exactly what was promised, and whatever else is put
//! together from its pieces proves nothing.

use std::sync::LazyLock;

use ring::signature::{Ed25519KeyPair, KeyPair};
use sealbid::kernel::digest::sha256;
use sealbid::kernel::time::Timestamp;
use sealbid::tlog::note;
use sealbid::tlog::receipt::{Opening, Promised, RECEIPT_VERSION, Receipt, promise_text, promise_text_by};

use super::{choice, edited, seed};

const NAME: &str = "sealbid.example/promise";
const AT: Timestamp = Timestamp::from_millis(1_795_000_000_000);

struct Fixed {
    key: Ed25519KeyPair,
    verifier: String,
    receipt: Receipt,
    text: String,
}

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let key = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("32 bytes are a seed");
    let verifier = note::verifier_key(NAME, key.public_key().as_ref());
    let opening =
        Opening { s_p: [1; 32], p: br#"{"kind":"bid.submitted"}"#.to_vec(), h_c: sha256(b"c"), h_i: sha256(b"i") };
    let c = opening.commitment();
    let promise = signed(&key, &promise_text("sealbid.example", &c, AT));
    let receipt = Receipt { v: RECEIPT_VERSION, entry_id: "ent-1".into(), opening, c, promise };
    let text = serde_json::to_string(&receipt).expect("JSON");
    Fixed { key, verifier, receipt, text }
});

fn signed(key: &Ed25519KeyPair, text: &str) -> String {
    note::sign(text, NAME, key.public_key().as_ref(), |bytes| key.sign(bytes).as_ref().to_vec())
}

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 6) else { return false };
    match choice {
        0 => receipt(bytes),
        1 => receipt(&edited(FIXED.text.as_bytes(), bytes)),
        2 => note(&String::from_utf8_lossy(&edited(FIXED.receipt.promise.as_bytes(), bytes))),
        3 => text(&String::from_utf8_lossy(bytes)),
        4 => promise(&String::from_utf8_lossy(bytes)),
        _ => verifier(&String::from_utf8_lossy(bytes)),
    }
}

/// The bytes are a receipt: good only if it is ours in all that a reader relies on.
fn receipt(bytes: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<Receipt>(bytes) else { return false };
    let Ok(promised) = read.check(&FIXED.verifier) else { return false };
    let ours = Receipt { entry_id: read.entry_id.clone(), ..FIXED.receipt.clone() };
    assert_eq!(read, Receipt { promise: read.promise.clone(), ..ours });
    assert!(read.promise.starts_with(&promise_text("sealbid.example", &read.c, AT)));
    assert_eq!(promised, Promised { origin: "sealbid.example".into(), at: AT, by: None });
    true
}

/// The text is a note: it verifies only with the text that was signed. Lines of other keys may stand beside ours.
fn note(text: &str) -> bool {
    let Ok(verified) = note::verify(text, &FIXED.verifier) else { return false };
    let promise = &FIXED.receipt.promise;
    assert_eq!(Ok(verified), note::verify(promise, &FIXED.verifier));
    let ours = promise.lines().last().expect("a signature");
    assert!(text.lines().any(|line| line == ours) && text.ends_with('\n'));
    true
}

/// Any text that we sign verifies as itself, unless it holds what no note may hold.
fn text(text: &str) -> bool {
    let text = format!("{text}\n");
    let plain = text.chars().all(|c| c == '\n' || !c.is_ascii_control());
    let note = signed(&FIXED.key, &text);
    assert_eq!(note::verify(&note, &FIXED.verifier).ok(), plain.then_some(text.as_str()));
    plain
}

/// The text is what a promise says, signed by us: accepted only in the one form of a promise over this commitment.
fn promise(text: &str) -> bool {
    let text = format!("{text}\n");
    let receipt = Receipt { promise: signed(&FIXED.key, &text), ..FIXED.receipt.clone() };
    let Ok(Promised { origin, at, by }) = receipt.check(&FIXED.verifier) else { return false };
    let written = match by {
        Some(by) => promise_text_by(&origin, &receipt.c, at, by),
        None => promise_text(&origin, &receipt.c, at),
    };
    assert_eq!(written, text);
    true
}

fn verifier(text: &str) -> bool {
    let Some(key) = note::public_key(text) else {
        assert!(note::verify(&FIXED.receipt.promise, text).is_err());
        return false;
    };
    let name = text.split('+').next().expect("a name");
    assert_eq!(note::verifier_key(name, &key), text);
    true
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        seed(0, &FIXED.text),
        seed(1, []),
        seed(2, []),
        seed(3, "hello"),
        seed(4, promise_text("sealbid.example", &FIXED.receipt.c, AT).trim_end()),
        seed(5, &FIXED.verifier),
    ]
}
