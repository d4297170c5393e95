//! The receipt of an entry: what opens its public part, and the platform's signed promise over its commitment.
//!
//! The promise is a signed note (see [`super::note`]) with five lines: `sealbid/audit/promise/v1`, the origin, the
//! commitment in base64, when the entry was recorded, and by when it will be in the public log: `inclusion: by <instant>`, or
//! `inclusion: none` where no log runs. Promise: whoever holds a receipt and the platform's verifier key can prove, without the
//! platform, what was recorded and when; part `p` is checked against the commitment byte by byte, so a receipt cannot
//! be passed off for another act. Deliberately not here: what part `p` says, and signing keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entry::{Part, Salt, commitment, part_digest};
use super::note::{self, NoteError};
use crate::kernel::digest::Digest;
use crate::kernel::encoding;
use crate::kernel::time::Timestamp;

/// The version of the receipt's form.
pub const RECEIPT_VERSION: u32 = 1;
/// The first line of a promise.
const PROMISE: &str = "sealbid/audit/promise/v1";
/// What a promise says of inclusion where no log runs.
const NO_INCLUSION: &str = "inclusion: none";
/// What stands before the instant by which an entry will be in the log.
const INCLUSION_BY: &str = "inclusion: by ";

/// What opens part `p` of an entry without showing its other parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Opening {
    /// The salt of part `p`, base64url.
    #[serde(with = "encoding::serde_base64url")]
    #[schema(value_type = String)]
    pub s_p: Salt,
    /// The bytes of part `p`, base64url.
    #[serde(with = "encoding::serde_base64url")]
    #[schema(value_type = String)]
    pub p: Vec<u8>,
    /// Digest of part `c`, hex.
    #[schema(value_type = String)]
    pub h_c: Digest,
    /// Digest of part `i`, hex.
    #[schema(value_type = String)]
    pub h_i: Digest,
}

impl Opening {
    /// What a receipt's file (C2SP tlog-proof) carries in its `extra`: JSON in the form of RFC 8785.
    pub fn to_extra(&self) -> String {
        format!(
            r#"{{"h_c":"{}","h_i":"{}","p":"{}","s_p":"{}","v":{RECEIPT_VERSION}}}"#,
            self.h_c,
            self.h_i,
            encoding::base64url(&self.p),
            encoding::base64url(&self.s_p)
        )
    }

    /// The commitment that this opens.
    pub fn commitment(&self) -> Digest {
        commitment(&part_digest(Part::Public, &self.s_p, &self.p), &self.h_c, &self.h_i)
    }
}

/// What an organisation keeps of an act of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Version of this form, 1.
    pub v: u32,
    /// The entry's id.
    pub entry_id: String,
    /// What opens part `p`.
    #[serde(flatten)]
    pub opening: Opening,
    /// The commitment, hex.
    #[schema(value_type = String)]
    pub c: Digest,
    /// The promise, a signed note.
    pub promise: String,
}

/// What a promise says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// Who promises.
    pub origin: String,
    /// When the entry was recorded, as the platform says.
    pub at: Timestamp,
    /// By when it will be in the log; none where no log ran.
    pub by: Option<Timestamp>,
}

/// Why a receipt proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// A version that this program does not know.
    #[error("the version of the receipt is not known")]
    Version,
    /// The opening does not lead to the commitment.
    #[error("the parts do not lead to the commitment")]
    Commitment,
    /// The promise is not a valid note of that key.
    #[error("the promise: {0}")]
    Note(#[from] NoteError),
    /// The promise is about something else, or is not a promise.
    #[error("the signed text is not a promise over this commitment")]
    Promise,
}

/// The text of the promise over a commitment where no log runs.
pub fn promise_text(origin: &str, commitment: &Digest, at: Timestamp) -> String {
    text(origin, commitment, at, NO_INCLUSION)
}

/// The text of the promise that a commitment will be in the log by an instant.
pub fn promise_text_by(origin: &str, commitment: &Digest, at: Timestamp, by: Timestamp) -> String {
    text(origin, commitment, at, &format!("{INCLUSION_BY}{by}"))
}

fn text(origin: &str, commitment: &Digest, at: Timestamp, inclusion: &str) -> String {
    format!("{PROMISE}\n{origin}\n{}\n{at}\n{inclusion}\n", STANDARD.encode(commitment.as_bytes()))
}

impl Receipt {
    /// Checks that the platform whose verifier key this is recorded exactly what part `p` says.
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn check(&self, verifier: &str) -> Result<Promised, ReceiptError> {
        if self.v != RECEIPT_VERSION {
            return Err(ReceiptError::Version);
        }
        if self.opening.commitment() != self.c {
            return Err(ReceiptError::Commitment);
        }
        let signed = note::verify(&self.promise, verifier)?;
        let lines: Vec<&str> = signed.lines().collect();
        let [PROMISE, origin, _, at, inclusion] = lines[..] else { return Err(ReceiptError::Promise) };
        let instant = |text| Timestamp::parse(text).map_err(|_| ReceiptError::Promise);
        let at = instant(at)?;
        let by = match inclusion.strip_prefix(INCLUSION_BY) {
            Some(by) => Some(instant(by)?),
            None if inclusion == NO_INCLUSION => None,
            None => return Err(ReceiptError::Promise),
        };
        if text(origin, &self.c, at, inclusion) != signed {
            return Err(ReceiptError::Promise);
        }
        Ok(Promised { origin: origin.to_owned(), at, by })
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;
    use crate::kernel::digest::sha256;

    fn key() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("32 bytes are a seed")
    }

    fn verifier() -> String {
        note::verifier_key("example/promise", key().public_key().as_ref())
    }

    fn signed(text: &str) -> String {
        note::sign(text, "example/promise", key().public_key().as_ref(), |bytes| key().sign(bytes).as_ref().to_vec())
    }

    fn at() -> Timestamp {
        Timestamp::from_millis(1_763_784_000_000)
    }

    fn receipt() -> Receipt {
        let opening =
            Opening { s_p: [1; 32], p: br#"{"kind":"bid.submitted"}"#.to_vec(), h_c: sha256(b"c"), h_i: sha256(b"i") };
        let c = opening.commitment();
        Receipt { v: 1, entry_id: "ent-1".into(), promise: signed(&promise_text("example", &c, at())), c, opening }
    }

    #[test]
    fn a_receipt_verifies_after_it_was_written_and_read() {
        let text = serde_json::to_string(&receipt()).expect("JSON");
        let read: Receipt = serde_json::from_str(&text).expect("reads back");
        assert_eq!(read, receipt());
        assert_eq!(read.check(&verifier()), Ok(Promised { origin: "example".into(), at: at(), by: None }));
    }

    #[test]
    fn a_promise_tells_by_when_the_entry_will_be_in_the_log() {
        let mut read = receipt();
        let by = at().plus_seconds(600);
        read.promise = signed(&promise_text_by("example", &read.c, at(), by));
        assert_eq!(read.check(&verifier()), Ok(Promised { origin: "example".into(), at: at(), by: Some(by) }));
        for inclusion in ["inclusion: by", "inclusion: by tomorrow", "inclusion: by 2026-11-22", "inclusion: By x"] {
            read.promise = signed(&text("example", &read.c, at(), inclusion));
            assert_eq!(read.check(&verifier()), Err(ReceiptError::Promise), "{inclusion}");
        }
    }

    #[test]
    fn a_receipt_that_says_something_else_than_was_recorded_is_refused() {
        let mut changed = receipt();
        changed.opening.p[9] ^= 1;
        assert_eq!(changed.check(&verifier()), Err(ReceiptError::Commitment));
        // The commitment fitted to the changed part is one that the platform did not sign.
        changed.c = changed.opening.commitment();
        assert_eq!(changed.check(&verifier()), Err(ReceiptError::Promise));
        let mut later = receipt();
        later.v = 2;
        assert_eq!(later.check(&verifier()), Err(ReceiptError::Version));
    }

    #[test]
    fn a_note_of_the_platform_that_is_no_promise_makes_no_receipt() {
        let mut other = receipt();
        for text in [
            "hello\n".to_owned(),
            promise_text("example", &other.c, at()).replace("inclusion: none", "inclusion: later"),
        ] {
            other.promise = signed(&text);
            assert_eq!(other.check(&verifier()), Err(ReceiptError::Promise), "{text}");
        }
        other.promise = receipt().promise.replace("example\n", "elsewhere\n");
        assert_eq!(other.check(&verifier()), Err(ReceiptError::Note(NoteError::BadSignature)));
    }
}
