//! The rehearsal: every member shows before the bidding that its share works.
//!
//! A member gives its share for an ephemeral key whose logarithm everybody knows, so that the answer tells nothing that
//! its public key does not: r = HashToScalar(kid) under the tag "HashToScalar-sealbid/1 rehearsal", envelope id = SHA-256("sealbid/1
//! rehearsal" || kid as 32 hex characters), slot 0. The answer is a list of one partial decryption
//! ([`super::super::partials`]) whose snapshot is that envelope id.

use super::super::error::RandomFailed;
use super::super::hash_to_scalar::hash_to_scalar;
use super::super::ids::KeyId;
use super::super::keyset::{KeySet, KeyShare};
use super::super::partials::{Partial, Partials};
use super::super::points::Point;
use super::super::products::Combs;
use super::super::unsealing::{Holder, share_of};
use crate::kernel::digest::{Digest, Hasher};
use p256::ProjectivePoint;

fn envelope(kid: KeyId) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"sealbid/1 rehearsal");
    hasher.update(kid.to_string().as_bytes());
    hasher.finish()
}

/// R = rG.
fn enc(kid: KeyId) -> Point {
    let r = hash_to_scalar(&[kid.to_string().as_bytes()], b"HashToScalar-sealbid/1 rehearsal");
    Point::from_projective(ProjectivePoint::GENERATOR * r).expect("a hash is zero with probability 2^-256")
}

/// The answer of a member, to be signed.
///
/// # Errors
/// If the system's random source fails.
pub fn answer(key: &KeyShare) -> Result<Partials, RandomFailed> {
    let (kid, member) = (key.key_set().kid, key.member());
    let envelope = envelope(kid);
    let share = share_of(key, &envelope, 0, &Combs::of(&enc(kid)))?;
    Ok(Partials { kid, member, snapshot: envelope, partials: vec![Partial { envelope, slot: 0, share }] })
}

/// Whether an answer shows that its member's share works.
pub fn verify(key_set: &KeySet, answer: &Partials) -> bool {
    let kid = key_set.kid;
    let [partial] = &answer.partials[..] else { return false };
    let named = answer.kid == kid && partial.envelope == envelope(kid) && answer.snapshot == partial.envelope;
    named
        && partial.slot == 0
        && Holder::of(key_set, answer.member).gave(&partial.share, &partial.envelope, 0, &enc(kid))
}
