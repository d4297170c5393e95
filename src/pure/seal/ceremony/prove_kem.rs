//! Proof of possession of a custodian's long-term key: [`super::super::pok`] with the group "custodian-kem", the digest of the
//! user's id as context, slot 0 and the digest of nothing as ciphertext. A proof cannot be used by another user.

use super::super::error::FormError;
use super::super::points::{Point, PrivateScalar};
use super::super::pok::{self, Binding, Pok};
use super::CeremonyError;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::encoding;

fn binding(user: &Digest) -> Binding<'_> {
    Binding { group: "custodian-kem", ctx_hash: user, slot: 0, ct_hash: sha256(b"") }
}

/// The proof for a user, base64url.
///
/// # Errors
/// If the system's random source fails.
pub fn prove(key: &PrivateScalar, user: &str) -> Result<String, CeremonyError> {
    Ok(encoding::base64url(&pok::prove(key, &binding(&sha256(user.as_bytes())))?.to_bytes()))
}

/// Checks a proof.
///
/// # Errors
/// The form's, or `PokInvalid`.
pub fn check(kem: &Point, user: &str, proof: &str) -> Result<(), FormError> {
    let bytes = encoding::from_base64url(proof).map_err(|_| FormError::Base64("pok"))?;
    let bytes = bytes.try_into().map_err(|_| FormError::WrongLength("pok"))?;
    let proof = Pok::from_bytes(&bytes).map_err(|_| FormError::NotAScalar("pok"))?;
    if pok::verify(kem, &binding(&sha256(user.as_bytes())), &proof) { Ok(()) } else { Err(FormError::PokInvalid(0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_for_one_key_and_one_user() {
        let (key, other) = (PrivateScalar::generate().unwrap(), PrivateScalar::generate().unwrap());
        let proof = prove(&key, "usr-1").unwrap();
        assert_eq!(check(&key.public(), "usr-1", &proof), Ok(()));
        assert!(check(&key.public(), "usr-2", &proof).is_err() && check(&other.public(), "usr-1", &proof).is_err());
        assert_eq!(check(&key.public(), "usr-1", "AA").unwrap_err().reason(), "wrong_length");
    }
}
