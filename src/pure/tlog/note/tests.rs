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

#[test]
fn lines_of_others_are_passed_over_and_a_line_of_ours_that_does_not_fit_is_not() {
    let vkey = Verifier::new("example/promise", Kind::Text, key().public_key().as_ref()).expect("a name and a key");
    let note =
        sign("hello\n", "example/promise", key().public_key().as_ref(), |text| key().sign(text).as_ref().to_vec());
    let other = Verifier::new("other", Kind::Text, &[3; 32]).expect("a name and a key");
    let with_other = format!("{note}{}", other.line(&[0; 64]));
    assert!(Note::parse(&with_other).expect("a note").verify(&vkey).is_ok());
    let with_wrong = format!("{note}{}", vkey.line(&[0; 64]));
    assert_eq!(Note::parse(&with_wrong).expect("a note").verify(&vkey), Err(NoteError::BadSignature));
}

#[test]
fn a_verifier_key_is_written_as_it_was_read() {
    let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(Verifier::parse(text).expect("a verifier key").to_string(), text);
    assert_eq!(Verifier::parse("a+00000000+ARpc"), Err(KeyError::Malformed));
    // ML-DSA-44 and whatever comes later: known to be a key, not known to us.
    let mut typed = vec![0x06];
    typed.extend_from_slice(&[5; 1312]);
    let id = crate::kernel::encoding::hex(&key_id("w", 0x06, &[5; 1312]));
    assert_eq!(Verifier::parse(&format!("w+{id}+{}", STANDARD.encode(typed))), Err(KeyError::Unsupported));
}

#[test]
fn too_many_signatures_are_no_note() {
    let other = Verifier::new("other", Kind::Text, &[3; 32]).expect("a name and a key");
    let lines = |n: usize| format!("hello\n\n{}", other.line(&[0; 64]).repeat(n));
    assert!(Note::parse(&lines(SIGNATURES_MAX)).is_ok());
    assert_eq!(Note::parse(&lines(SIGNATURES_MAX + 1)), Err(NoteError::Malformed));
    assert_eq!(Note::parse("hello\n\n"), Err(NoteError::Malformed));
}
