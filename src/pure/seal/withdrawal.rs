//! Withdrawals: the bidder's signed statement that a bid is taken back. JWS type `sealbid-withdrawal+jws`.
//!
//! The JWS payload is `{bid, bidder, created}`; the statement's id is the SHA-256 of the payload. Promise:
//! [`SignedWithdrawal::parse`] checks form, completely, and nothing else. Deliberately absent: deadlines, whether
//! withdrawing is allowed, and every comparison of `created` with a clock; it makes two statements about one bid differ.

use super::error::{FormError, RandomFailed};
use super::ids::{Ident, KeyId, UtcMillis};
use super::jws::Jws;
use super::keys::{SigningKey, VerifyingKey};
use super::limits::MAX_JWS_BYTES;
use super::strict_json::Object;
use crate::kernel::digest::{Digest, sha256};
use serde::Serialize;

/// The JWS type of a withdrawal.
pub const WITHDRAWAL_TYP: &str = "sealbid-withdrawal+jws";

/// What a withdrawal says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawal {
    /// The bid.
    pub bid: Ident,
    /// Whose bid it is.
    pub bidder: Ident,
    /// The client's clock when it signed; a statement, compared with nothing.
    pub created: UtcMillis,
}

impl Withdrawal {
    /// Signs the statement.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(self, key: &SigningKey) -> Result<SignedWithdrawal, RandomFailed> {
        let payload = serde_json::to_vec(&self).expect("strings serialise");
        Ok(SignedWithdrawal { jws: Jws::sign(key, WITHDRAWAL_TYP, &payload)?, id: sha256(&payload), content: self })
    }
}

/// A withdrawal whose form has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedWithdrawal {
    jws: Jws,
    id: Digest,
    content: Withdrawal,
}

impl SignedWithdrawal {
    /// Reads the JSON text of a withdrawal and checks its form.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let jws = Jws::parse(bytes, WITHDRAWAL_TYP)?;
        let mut object = Object::parse(jws.payload(), MAX_JWS_BYTES)?;
        let content = Withdrawal {
            bid: Ident::parse(object.text("bid")?, "bid")?,
            bidder: Ident::parse(object.text("bidder")?, "bidder")?,
            created: UtcMillis::parse(object.text("created")?, "created")?,
        };
        object.end()?;
        Ok(Self { id: sha256(jws.payload()), jws, content })
    }

    /// Verifies that `key` signed the statement.
    ///
    /// # Errors
    /// `OtherKey` or `Signature`.
    pub fn verify_signature(&self, key: &VerifyingKey) -> Result<(), FormError> {
        self.jws.verify(key)
    }

    /// The statement's id.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// What it says.
    pub const fn content(&self) -> &Withdrawal {
        &self.content
    }

    /// The signing key that it names.
    pub const fn signing_key_id(&self) -> KeyId {
        self.jws.key_id()
    }

    /// The signed object, to be stored and shown as it is.
    pub const fn jws(&self) -> &Jws {
        &self.jws
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::keys::Algorithm;

    fn withdrawal() -> Withdrawal {
        Withdrawal {
            bid: Ident::parse("bid-1", "bid").expect("well formed"),
            bidder: Ident::parse("org-1", "bidder").expect("well formed"),
            created: UtcMillis::parse("2026-11-22T03:49:39.000Z", "created").expect("well formed"),
        }
    }

    #[test]
    fn a_signed_withdrawal_reads_back_as_what_was_signed() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let key = SigningKey::generate(algorithm).expect("well formed");
            let signed = withdrawal().sign(&key).expect("well formed");
            let read = SignedWithdrawal::parse(signed.jws().to_json().as_bytes()).expect("well formed");
            assert_eq!(read, signed);
            assert_eq!(read.content(), &withdrawal());
            read.verify_signature(key.verifying_key()).expect("well formed");
            let other = SigningKey::generate(algorithm).expect("well formed");
            assert!(read.verify_signature(other.verifying_key()).is_err());
        }
    }

    #[test]
    fn a_withdrawal_of_another_form_is_refused() {
        let key = SigningKey::generate(Algorithm::EdDsa).expect("well formed");
        let good = serde_json::to_string(&withdrawal()).expect("well formed");
        for (payload, reason) in [
            (good.replace('}', r#","rev":1}"#), "unknown_field"),
            (good.replace("bidder", "bidders"), "missing_field"),
            (good.replace("bid-1", "BID 1"), "bad_identifier"),
            (good.replace(".000Z", "Z"), "bad_time"),
            (good.replace('}', r#","bid":"bid-2"}"#), "duplicate_key"),
        ] {
            let jws = Jws::sign(&key, WITHDRAWAL_TYP, payload.as_bytes()).expect("well formed");
            let error = SignedWithdrawal::parse(jws.to_json().as_bytes()).expect_err("refused");
            assert_eq!(error.reason(), reason, "{payload}");
        }
        let other = Jws::sign(&key, "sealbid-envelope+jws", good.as_bytes()).expect("well formed");
        assert_eq!(SignedWithdrawal::parse(other.to_json().as_bytes()).expect_err("refused").reason(), "wrong_typ");
    }
}
