//! Proof of knowledge of a slot's ephemeral key (profile `strict`).
//!
//! Without it, opening is a Diffie-Hellman oracle: whoever submits an envelope with R' = R + aG, R being another
//! bidder's ephemeral key, learns that bidder's secret from the published decryption of R'. With it, nobody can submit an
//! ephemeral key whose discrete logarithm he does not know, and nobody can take over another envelope's proof, because
//! the tag names the group, the context and the slot.
//!
//! Byte-exact: R = rG and A = kG as 33 compressed bytes;
//! c = HashToScalar("eph-pok" || R || A || SHA-256(ct)) with the domain separation tag
//! "HashToScalar-sealbid/1 pok|" || group || "|" || hex(H(ctx)) || "|" || decimal(slot); z = k + c r. Encoded c, then z.
//! Verification computes A = zG - cR and compares c. This is Schnorr's proof, made non-interactive by Fiat and Shamir.

use super::dleq::{join, split};
use super::error::RandomFailed;
use super::hash_to_scalar::hash_to_scalar;
use super::points::{NotAScalar, Point, PrivateScalar, Scalar, scalar_from_bytes};
use super::products::{Combs, base_minus, times_base};
use crate::kernel::digest::Digest;
use p256::ProjectivePoint;

/// Bytes of a proof: c, then z.
pub const POK_LEN: usize = 64;

/// The pair (c, z).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pok {
    c: Scalar,
    z: Scalar,
}

/// What a proof is bound to besides the ephemeral key; by the same form other keys prove themselves in a ceremony.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The opening group.
    pub group: &'a str,
    /// H(ctx): the digest of the envelope's context bytes.
    pub ctx_hash: &'a Digest,
    /// The slot's position, from 0.
    pub slot: usize,
    /// The digest of the slot's sealed secret.
    pub ct_hash: Digest,
}

impl Binding<'_> {
    fn challenge(&self, r: &Point, a: &Point) -> Scalar {
        let tag = format!("HashToScalar-sealbid/1 pok|{}|{}|{}", self.group, self.ctx_hash, self.slot);
        let ct_hash = self.ct_hash.as_bytes();
        hash_to_scalar(&[b"eph-pok", &r.to_compressed(), &a.to_compressed(), ct_hash], tag.as_bytes())
    }
}

impl Pok {
    /// Proves nothing: stands where the proof is yet to be made.
    pub(super) const ZERO: Self = Self { c: Scalar::ZERO, z: Scalar::ZERO };

    /// Reads c and z.
    ///
    /// # Errors
    /// If either is not below the group order.
    pub fn from_bytes(bytes: &[u8; POK_LEN]) -> Result<Self, NotAScalar> {
        let (c, z) = split(bytes);
        Ok(Self { c: scalar_from_bytes(&c)?, z: scalar_from_bytes(&z)? })
    }

    /// c, then z, 32 bytes each.
    pub fn to_bytes(&self) -> [u8; POK_LEN] {
        join(&self.c, &self.z)
    }
}

/// Proves knowledge of `ephemeral`.
///
/// # Errors
/// If the system's random source fails.
pub fn prove(ephemeral: &PrivateScalar, binding: &Binding<'_>) -> Result<Pok, RandomFailed> {
    Ok(prove_with(ephemeral, binding, &PrivateScalar::generate()?))
}

/// [`prove`] with the nonce given. Two proofs with one nonce reveal the ephemeral key.
pub(super) fn prove_with(ephemeral: &PrivateScalar, binding: &Binding<'_>, nonce: &PrivateScalar) -> Pok {
    let c = binding.challenge(&ephemeral.public(), &nonce.public());
    Pok { c, z: *nonce.expose() + c * ephemeral.expose() }
}

/// Whether `pok` proves knowledge of the discrete logarithm of `r`.
pub fn verify(r: &Point, binding: &Binding<'_>, pok: &Pok) -> bool {
    holds(r, base_minus(&pok.z, &pok.c, r), binding, pok)
}

/// [`verify`] where r is multiplied more often.
pub(super) fn verify_with(r: &Combs, binding: &Binding<'_>, pok: &Pok) -> bool {
    holds(&r.point, times_base(&pok.z) - r.times(&pok.c), binding, pok)
}

fn holds(r: &Point, a: ProjectivePoint, binding: &Binding<'_>, pok: &Pok) -> bool {
    Point::from_projective(a).is_ok_and(|a| binding.challenge(r, &a) == pok.c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;

    /// Both ways to verify say the same.
    fn verify(r: &Point, binding: &Binding<'_>, pok: &Pok) -> bool {
        let said = super::verify(r, binding, pok);
        assert_eq!(verify_with(&Combs::of(r), binding, pok), said);
        said
    }

    #[test]
    fn a_proof_verifies_only_for_its_key_group_context_slot_and_ciphertext() {
        let ephemeral = PrivateScalar::generate().unwrap();
        let r = ephemeral.public();
        let (ctx_hash, other_ctx) = (sha256(b"ctx"), sha256(b"other"));
        let binding = Binding { group: "g", ctx_hash: &ctx_hash, slot: 0, ct_hash: sha256(b"ct") };
        let pok = prove(&ephemeral, &binding).unwrap();
        assert!(verify(&r, &binding, &pok));
        assert!(!verify(&r, &Binding { group: "h", ..binding }, &pok));
        assert!(!verify(&r, &Binding { ctx_hash: &other_ctx, ..binding }, &pok));
        assert!(!verify(&r, &Binding { slot: 1, ..binding }, &pok));
        assert!(!verify(&r, &Binding { ct_hash: sha256(b"cu"), ..binding }, &pok));
        assert!(!verify(&PrivateScalar::generate().unwrap().public(), &binding, &pok));
    }

    #[test]
    fn shifting_the_key_and_the_response_together_does_not_help() {
        let ephemeral = PrivateScalar::generate().unwrap();
        let shift = PrivateScalar::generate().unwrap();
        let ctx_hash = sha256(b"ctx");
        let binding = Binding { group: "g", ctx_hash: &ctx_hash, slot: 0, ct_hash: sha256(b"ct") };
        let pok = prove(&ephemeral, &binding).unwrap();
        let shifted_key =
            Point::from_projective(ephemeral.public().to_projective() + shift.public().to_projective()).unwrap();
        let shifted_pok = Pok { z: pok.z + pok.c * shift.expose(), ..pok };
        assert!(!verify(&shifted_key, &binding, &pok));
        assert!(!verify(&shifted_key, &binding, &shifted_pok));
    }

    #[test]
    fn altered_and_degenerate_proofs_are_refused() {
        let ephemeral = PrivateScalar::generate().unwrap();
        let r = ephemeral.public();
        let ctx_hash = sha256(b"ctx");
        let binding = Binding { group: "g", ctx_hash: &ctx_hash, slot: 0, ct_hash: sha256(b"ct") };
        let pok = prove(&ephemeral, &binding).unwrap();
        let (one, zero) = (Scalar::ONE, Scalar::ZERO);
        for altered in [
            Pok { c: pok.c + one, ..pok },
            Pok { z: pok.z + one, ..pok },
            Pok { c: pok.z, z: pok.c },
            Pok { c: zero, z: zero },
            Pok { c: one, z: *ephemeral.expose() },
        ] {
            assert!(!verify(&r, &binding, &altered));
        }
        let mut bytes = pok.to_bytes();
        bytes[32..].fill(0xff);
        assert_eq!(Pok::from_bytes(&bytes), Err(NotAScalar));
    }
}
