//! Cosignatures (C2SP tlog-cosignature, Ed25519): a witness says that, at a time, this was the largest consistent tree that it
//! had seen of the log.
//!
//! The bytes of the signature are the time in seconds, 8 bytes big-endian, and 64 bytes of Ed25519 over
//! `cosignature/v1\ntime <seconds>\n` and the checkpoint's text.

use super::note::Verifier;

/// Bytes of the time in a cosignature.
const TIME_LEN: usize = 8;
/// Bytes of time and signature.
const COSIGNATURE_LEN: usize = TIME_LEN + 64;

/// What is signed: `text` is the checkpoint's, with its last line feed.
pub fn message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The signature line of a witness over a checkpoint's text; `sign` makes the Ed25519 signature of its key.
pub fn line(witness: &Verifier, time: u64, text: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let mut bytes = time.to_be_bytes().to_vec();
    bytes.append(&mut sign(message(time, text).as_bytes()));
    witness.line(&bytes)
}

/// Time and signature of a cosignature's bytes; `None` when the length is wrong or the time beyond 2^63 - 1.
pub(super) fn split(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = bytes.split_first_chunk::<TIME_LEN>()?;
    let time = u64::from_be_bytes(*time);
    (bytes.len() == COSIGNATURE_LEN && i64::try_from(time).is_ok()).then_some((time, signature))
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::super::note::{Kind, Note, NoteError};
    use super::*;

    const TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_message_is_the_published_one() {
        assert_eq!(
            message(1_679_315_147, TEXT),
            "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        );
    }

    #[test]
    fn a_cosignature_tells_its_time_and_any_other_time_is_noticed() {
        let key = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).expect("a seed");
        let witness = Verifier::new("w.example/1", Kind::Cosignature, key.public_key().as_ref()).expect("a verifier");
        let line = line(&witness, 1_679_315_147, TEXT, |bytes| key.sign(bytes).as_ref().to_vec());
        let note = format!("{TEXT}\n{line}");
        let signed = Note::parse(&note).expect("a note").verify(&witness).expect("fits");
        assert_eq!(signed.witnessed_at, Some(1_679_315_147));
        let mut moved = 1_679_315_148_u64.to_be_bytes().to_vec();
        moved.extend_from_slice(key.sign(message(1_679_315_147, TEXT).as_bytes()).as_ref());
        let forged = format!("{TEXT}\n{}", witness.line(&moved));
        assert_eq!(Note::parse(&forged).expect("a note").verify(&witness), Err(NoteError::BadSignature));
        let mut far = u64::MAX.to_be_bytes().to_vec();
        far.extend_from_slice(key.sign(message(u64::MAX, TEXT).as_bytes()).as_ref());
        let forged = format!("{TEXT}\n{}", witness.line(&far));
        assert_eq!(Note::parse(&forged).expect("a note").verify(&witness), Err(NoteError::BadSignature));
    }
}
