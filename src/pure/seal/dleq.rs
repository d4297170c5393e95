//! Proof that two discrete logarithms are equal: RFC 9497 section 2.2, suite P256-SHA256, one pair per proof.
//!
//! Promise: a proof that verifies for (B, C, D) was made by someone who knows k with B = kG and D = kC, except with
//! negligible probability; so D is *the* decryption of C under the key B, not one of several. `context` is the RFC's
//! contextString and binds the proof to its purpose.
//!
//! Deliberately absent: the batch form. Its composite weights are seeded by the public key only and the RFC states that
//! no analysis exists for batching; single proofs also let one bid be checked alone.

use super::error::RandomFailed;
use super::hash_to_scalar::hash_to_scalar;
use super::points::{NotAScalar, Point, PrivateScalar, Scalar, scalar_from_bytes, scalar_to_bytes};
use super::products::{Combs, Multiples, sum_of_products, times_base};
use crate::kernel::digest::Hasher;

/// Bytes of a proof: c, then s.
pub const PROOF_LEN: usize = 64;

/// The pair (c, s) of RFC 9497 section 2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    c: Scalar,
    s: Scalar,
}

impl Proof {
    /// Reads c and s.
    ///
    /// # Errors
    /// If either is not below the group order.
    pub fn from_bytes(bytes: &[u8; PROOF_LEN]) -> Result<Self, NotAScalar> {
        let (c, s) = split(bytes);
        Ok(Self { c: scalar_from_bytes(&c)?, s: scalar_from_bytes(&s)? })
    }

    /// c, then s, 32 bytes each.
    pub fn to_bytes(&self) -> [u8; PROOF_LEN] {
        join(&self.c, &self.s)
    }
}

pub(super) fn split(bytes: &[u8; PROOF_LEN]) -> ([u8; 32], [u8; 32]) {
    let (first, second) = bytes.split_at(32);
    let half = |bytes: &[u8]| bytes.try_into().expect("half of 64 is 32");
    (half(first), half(second))
}

pub(super) fn join(first: &Scalar, second: &Scalar) -> [u8; PROOF_LEN] {
    let mut bytes = [0; PROOF_LEN];
    bytes[..32].copy_from_slice(&scalar_to_bytes(first));
    bytes[32..].copy_from_slice(&scalar_to_bytes(second));
    bytes
}

/// Computes D = kC and proves that it is, where k is `key` and `public` is k times the base point.
///
/// # Errors
/// If the system's random source fails.
pub(super) fn multiply(
    key: &PrivateScalar,
    public: &Point,
    c: &Combs,
    context: &[u8],
) -> Result<(Point, Proof), RandomFailed> {
    Ok(multiply_with(key, public, c, context, &PrivateScalar::generate()?))
}

/// [`multiply`] with the nonce given. Two proofs with one nonce reveal the key.
pub(super) fn multiply_with(
    key: &PrivateScalar,
    public: &Point,
    c: &Combs,
    context: &[u8],
    nonce: &PrivateScalar,
) -> (Point, Proof) {
    // Every point of the proof is a multiple of C.
    let d = Point::from_projective(c.times(key.expose())).expect("neither factor is zero");
    let weight = weight(public, &c.point, &d, context);
    let all = [
        c.times(&weight),
        c.times(&(weight * key.expose())),
        times_base(nonce.expose()),
        c.times(&(weight * nonce.expose())),
    ];
    // The weight is zero with probability 2^-256; then the proof fails to verify, which harms nobody.
    let [m, z, t2, t3] = Point::all_from_projective(all).unwrap_or([c.point; 4]);
    let challenge = challenge(public, &m, &z, &t2, &t3, context);
    (d, Proof { c: challenge, s: *nonce.expose() - challenge * key.expose() })
}

/// A public key made ready to verify proofs, which is worth it from the first on.
pub struct Public {
    point: Point,
    multiples: Multiples,
}

impl Public {
    /// That of a point.
    pub fn of(point: &Point) -> Self {
        Self { point: *point, multiples: Multiples::in_parts(point.to_projective()) }
    }
}

/// Whether `proof` shows that `d` is to `c` what `public` is to the base point.
pub fn verify(public: &Public, c: &Point, d: &Point, context: &[u8], proof: &Proof) -> bool {
    let Public { point: public, multiples: of_public } = public;
    let weight = weight(public, c, d, context);
    let [of_c, of_d] = [c, d].map(|point| Multiples::in_parts(point.to_projective()));
    let m = sum_of_products(&[(&weight, &of_c)]);
    let z = sum_of_products(&[(&weight, &of_d)]);
    let t2 = sum_of_products(&[(&proof.s, Multiples::of_base()), (&proof.c, of_public)]);
    // s M + c Z, from the multiples that are there.
    let t3 = sum_of_products(&[(&(proof.s * weight), &of_c), (&(proof.c * weight), &of_d)]);
    Point::all_from_projective([m, z, t2, t3])
        .is_ok_and(|[m, z, t2, t3]| challenge(public, &m, &z, &t2, &t3, context) == proof.c)
}

/// I2OSP(len(x), 2) before x: RFC 9497's way to make a concatenation unambiguous.
fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn scalar_tag(context: &[u8]) -> Vec<u8> {
    [b"HashToScalar-", context].concat()
}

/// ComputeComposites of RFC 9497 section 2.2.1 for one pair: the scalar d_0.
fn weight(public: &Point, c: &Point, d: &Point, context: &[u8]) -> Scalar {
    let mut seed = Hasher::new();
    seed.update(&prefixed(&public.to_compressed()));
    seed.update(&prefixed(&[b"Seed-", context].concat()));
    hash_to_scalar(
        &[
            &prefixed(seed.finish().as_bytes()),
            &[0, 0],
            &prefixed(&c.to_compressed()),
            &prefixed(&d.to_compressed()),
            b"Composite",
        ],
        &scalar_tag(context),
    )
}

fn challenge(public: &Point, m: &Point, z: &Point, t2: &Point, t3: &Point, context: &[u8]) -> Scalar {
    let pieces = [public, m, z, t2, t3].map(|point| prefixed(&point.to_compressed()));
    let [a, b, c, d, e] = &pieces;
    hash_to_scalar(&[a, b, c, d, e, b"Challenge"], &scalar_tag(context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoding::from_hex;
    use serde_json::Value;

    fn bytes(value: &Value) -> Vec<u8> {
        from_hex(value.as_str().unwrap()).unwrap()
    }

    fn private(value: &Value) -> PrivateScalar {
        PrivateScalar::from_bytes(&bytes(value).try_into().unwrap()).unwrap()
    }

    fn point(value: &Value) -> Point {
        Point::from_compressed(&bytes(value)).unwrap()
    }

    /// Mode 2 proves with the key tweaked by the public info (RFC 9497 section 3.3.3), and with C and D swapped.
    fn tweaked(key: &PrivateScalar, info: &[u8], context: &[u8]) -> PrivateScalar {
        let tweak = hash_to_scalar(&[b"Info", &prefixed(info)], &scalar_tag(context));
        PrivateScalar::from_bytes(&scalar_to_bytes(&(tweak + key.expose()))).unwrap()
    }

    #[test]
    fn rfc_9497_appendix_a_3_proofs_of_one_pair_are_reproduced() {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/rfc9497-p256-sha256.json")).unwrap();
        let mut checked = 0;
        for suite in file.as_array().unwrap().iter().filter(|suite| suite["mode"] != 0) {
            let mode = suite["mode"].as_u64().unwrap() as u8;
            let context = [b"OPRFV1-", &[mode][..], b"-P256-SHA256"].concat();
            for vector in suite["vectors"].as_array().unwrap().iter().filter(|vector| vector["Batch"] == 1) {
                let key = private(&suite["skSm"]);
                let (blinded, evaluated) = (point(&vector["BlindedElement"]), point(&vector["EvaluationElement"]));
                let (key, c, d) = match mode {
                    1 => (key, blinded, evaluated),
                    _ => (tweaked(&key, &bytes(&vector["Info"]), &context), evaluated, blinded),
                };
                let nonce = private(&vector["Proof"]["r"]);
                let (multiple, proof) = multiply_with(&key, &key.public(), &Combs::of(&c), &context, &nonce);
                assert_eq!(multiple, d);
                assert_eq!(proof.to_bytes().to_vec(), bytes(&vector["Proof"]["proof"]));
                assert!(verify(&Public::of(&key.public()), &c, &d, &context, &proof));
                checked += 1;
            }
        }
        assert_eq!(checked, 4);
    }

    struct Case {
        key: PrivateScalar,
        c: Point,
        d: Point,
        proof: Proof,
    }

    fn case() -> Case {
        let key = PrivateScalar::generate().unwrap();
        let c = PrivateScalar::generate().unwrap().public();
        let (d, proof) = multiply(&key, &key.public(), &Combs::of(&c), b"context").unwrap();
        assert_eq!(d, key.times(&c));
        assert!(verify(&Public::of(&key.public()), &c, &d, b"context", &proof));
        Case { key, c, d, proof }
    }

    fn shifted(point: &Point) -> Point {
        Point::from_projective(point.to_projective() + Point::GENERATOR.to_projective()).unwrap()
    }

    #[test]
    fn a_proof_does_not_verify_for_any_other_statement() {
        let Case { key, c, d, proof } = case();
        let public = key.public();
        let other = PrivateScalar::generate().unwrap().public();
        assert!(!verify(&Public::of(&public), &c, &shifted(&d), b"context", &proof));
        assert!(!verify(&Public::of(&public), &shifted(&c), &d, b"context", &proof));
        assert!(!verify(&Public::of(&other), &c, &d, b"context", &proof));
        assert!(!verify(&Public::of(&public), &c, &d, b"contexu", &proof));
        assert!(!verify(&Public::of(&public), &d, &c, b"context", &proof));
        assert!(!verify(&Public::of(&d), &c, &public, b"context", &proof));
    }

    #[test]
    fn an_altered_proof_does_not_verify() {
        let Case { key, c, d, proof } = case();
        let (one, zero) = (Scalar::ONE, Scalar::ZERO);
        for altered in [
            Proof { c: proof.s, s: proof.c },
            Proof { c: proof.c + one, ..proof },
            Proof { s: proof.s + one, ..proof },
            Proof { c: zero, ..proof },
            Proof { s: zero, ..proof },
            Proof { c: zero, s: zero },
        ] {
            assert!(!verify(&Public::of(&key.public()), &c, &d, b"context", &altered));
        }
    }

    #[test]
    fn a_proof_whose_commitment_is_the_identity_is_refused_without_panic() {
        let Case { key, c, d, .. } = case();
        let (c_scalar, minus) = (Scalar::ONE, Scalar::ZERO - key.expose());
        assert!(!verify(&Public::of(&key.public()), &c, &d, b"context", &Proof { c: c_scalar, s: minus }));
    }

    #[test]
    fn a_prover_with_another_key_or_a_wrong_base_cannot_convince() {
        let Case { key, c, .. } = case();
        let wrong_key = PrivateScalar::from_bytes(&scalar_to_bytes(&(*key.expose() + Scalar::ONE))).unwrap();
        let (wrong, proof) = multiply(&wrong_key, &wrong_key.public(), &Combs::of(&c), b"context").unwrap();
        assert!(!verify(&Public::of(&key.public()), &c, &wrong, b"context", &proof));
        // The same key, but over another generator: B' = kH is not the key's public point.
        let h = PrivateScalar::generate().unwrap().public();
        let (d, proof) = multiply(&key, &key.times(&h), &Combs::of(&c), b"context").unwrap();
        assert!(!verify(&Public::of(&key.times(&h)), &c, &d, b"context", &proof));
    }

    #[test]
    fn components_not_below_the_order_are_not_a_proof() {
        let Case { proof, .. } = case();
        for range in [0..32, 32..64] {
            let mut bytes = proof.to_bytes();
            bytes[range].fill(0xff);
            assert_eq!(Proof::from_bytes(&bytes), Err(NotAScalar));
        }
        assert_eq!(Proof::from_bytes(&proof.to_bytes()), Ok(proof));
    }
}
