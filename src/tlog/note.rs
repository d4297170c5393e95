//! Signed notes (C2SP signed-note), Ed25519 only: a text, and lines `— name base64(key id || signature)`.
//!
//! The receipt that a bidder keeps is such a note, so that it can be checked with tools that are not ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::kernel::digest::Hasher;

/// The signature type byte of Ed25519 in a key id.
const ED25519_TYPE: u8 = 0x01;
/// Bytes of an Ed25519 public key.
const ED25519_KEY_LEN: usize = 32;

/// The four bytes that tell keys of one name apart: `SHA-256(name || 0x0A || 0x01 || public key)[..4]`.
fn key_id(name: &str, public_key: &[u8]) -> [u8; 4] {
    let mut hasher = Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(b"\n");
    hasher.update(&[ED25519_TYPE]);
    hasher.update(public_key);
    let digest = hasher.finish();
    let bytes = digest.as_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

/// The verifier key of a name in its published form: `name+hex(key id)+base64(0x01 || public key)`.
pub fn verifier_key(name: &str, public_key: &[u8]) -> String {
    let id: String = key_id(name, public_key).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut typed = vec![ED25519_TYPE];
    typed.extend_from_slice(public_key);
    format!("{name}+{id}+{}", STANDARD.encode(typed))
}

/// Signs `text`, which must end with a line feed, as `name`, whose Ed25519 public key is `public_key`.
pub fn sign(text: &str, name: &str, public_key: &[u8], sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    debug_assert!(text.ends_with('\n'), "a note's text ends with a line feed");
    let mut signature = key_id(name, public_key).to_vec();
    signature.append(&mut sign(text.as_bytes()));
    format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(signature))
}

/// Why a note was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a note, or not a verifier key.
    #[error("the text is not a signed note, or the key is not a verifier key")]
    Malformed,
    /// No signature of this key.
    #[error("the note carries no signature of this key")]
    NotSigned,
    /// A signature of this key that does not fit the text.
    #[error("the signature does not fit the text")]
    BadSignature,
}

/// Checks the signature of the key `verifier` and returns the signed text.
///
/// # Errors
/// See [`NoteError`]. Lines of other keys are ignored, as the specification asks; control characters and a last line
/// without its end are not.
pub fn verify<'a>(note: &'a str, verifier: &str) -> Result<&'a str, NoteError> {
    let (name, id, public_key) = parse_verifier(verifier).ok_or(NoteError::Malformed)?;
    if !note.ends_with('\n') || note.chars().any(|c| c != '\n' && c.is_ascii_control()) {
        return Err(NoteError::Malformed);
    }
    let split = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, signatures) = (&note[..=split], &note[split + 2..]);
    for line in signatures.lines() {
        let Some((signer, value)) = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')) else {
            return Err(NoteError::Malformed);
        };
        let bytes = STANDARD.decode(value).map_err(|_| NoteError::Malformed)?;
        if signer != name || bytes.get(..4) != Some(&id[..]) {
            continue;
        }
        let key = UnparsedPublicKey::new(&ED25519, &public_key);
        return key.verify(text.as_bytes(), &bytes[4..]).map(|()| text).map_err(|_| NoteError::BadSignature);
    }
    Err(NoteError::NotSigned)
}

/// The Ed25519 public key in a verifier key; `None` when it is not one.
pub fn public_key(verifier: &str) -> Option<Vec<u8>> {
    parse_verifier(verifier).map(|(_, _, public_key)| public_key)
}

fn parse_verifier(verifier: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, rest) = verifier.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let typed = STANDARD.decode(key).ok()?;
    let (kind, public_key) = typed.split_first()?;
    let expected = key_id(name, public_key);
    let id_hex: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
    let nameable = !name.is_empty() && !name.contains(char::is_whitespace);
    (nameable && public_key.len() == ED25519_KEY_LEN && *kind == ED25519_TYPE && id == id_hex)
        .then(|| (name, expected, public_key.to_vec()))
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn key() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes are a seed")
    }

    #[test]
    fn a_signed_note_verifies_and_any_changed_letter_is_noticed() {
        let note = sign("sealbid/audit/promise/v1\nhello\n", "example/promise", key().public_key().as_ref(), |text| {
            key().sign(text).as_ref().to_vec()
        });
        let vkey = verifier_key("example/promise", key().public_key().as_ref());
        assert_eq!(verify(&note, &vkey), Ok("sealbid/audit/promise/v1\nhello\n"));
        assert_eq!(verify(&note.replace("hello", "hallo"), &vkey), Err(NoteError::BadSignature));
        assert_eq!(verify(&note, &verifier_key("other", key().public_key().as_ref())), Err(NoteError::NotSigned));
        assert_eq!(verify("hello", &vkey), Err(NoteError::Malformed));
    }

    #[test]
    fn a_note_has_one_spelling() {
        let note = |text: &str| {
            sign(text, "example/promise", key().public_key().as_ref(), |bytes| key().sign(bytes).as_ref().to_vec())
        };
        let vkey = verifier_key("example/promise", key().public_key().as_ref());
        let good = note("hello\n");
        assert!(verify(&good, &vkey).is_ok());
        for other in [good.trim_end().to_owned(), good.replace("=\n", "=\r\n"), note("hello\r\n"), note("hel\0lo\n")] {
            assert_eq!(verify(&other, &vkey), Err(NoteError::Malformed), "{other:?}");
        }
    }

    #[test]
    fn a_verifier_key_names_somebody_and_has_the_length_of_a_key() {
        for (name, key) in [("", &[7; 32][..]), ("a b", &[7; 32]), ("a", &[7; 31]), ("a", &[])] {
            assert_eq!(public_key(&verifier_key(name, key)), None, "{name:?} {}", key.len());
        }
        assert_eq!(public_key(&verifier_key("a", &[7; 32])), Some(vec![7; 32]));
    }

    /// The example of the C2SP signed-note text: this verifier key belongs to "PeterNeumann" of `golang.org/x/mod`.
    #[test]
    fn a_published_note_verifies() {
        let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert!(verify(note, vkey).is_ok());
    }
}
