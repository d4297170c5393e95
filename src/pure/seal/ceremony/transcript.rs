//! What everybody sees of a ceremony, and the keys that follow from it.
//!
//! Byte-exact: the transcript's digest is SHA-256("sealbid/1 transcript" || id || the digests of the signed bytes of all
//! commits, of all of round 1, of all of round 2, each in the order of the members). For group g, X is the sum over the
//! members of their first commitment; X_j the sum over members and coefficients m of j^m times the commitment.
//!
//! The proof in round 1 is that of FROST: with phi the first commitment and i the member's index as a scalar of 32 bytes,
//! c = HashToScalar(i || phi || R) under the tag "FROST-P256-SHA256-v1dkg" (RFC 9591 section 6.4 for the hash), zG = R +
//! c phi. It names no ceremony; that is what the commit, the signatures and the agreement on one transcript are for.

use super::super::hash_to_scalar::hash_to_scalar;
use super::super::keyset::{KeySet, Shared};
use super::super::points::{Point, Scalar, scalar_from_bytes, scalar_to_bytes};
use super::super::pok::{self, Binding};
use super::super::products::base_minus;
use super::message::{Commit, Message, Package, Polynomial, Round1, Round2, Signed};
use super::{CeremonyError, Draft, Group};
use crate::kernel::digest::{Digest, Hasher, sha256};
use p256::ProjectivePoint;

/// The messages of one step, by member.
pub type Step<M> = Vec<Option<Signed<M>>>;

/// Everything that was said until round 2.
#[derive(Clone, Debug)]
pub struct Transcript {
    draft: Draft,
    id: Digest,
    commits: Step<Commit>,
    round1: Step<Round1>,
    round2: Step<Round2>,
}

impl Transcript {
    /// A ceremony in which nobody has spoken.
    pub fn new(draft: Draft) -> Self {
        let (id, n) = (draft.id(), draft.members.len());
        Self { draft, id, commits: vec![None; n], round1: vec![None; n], round2: vec![None; n] }
    }

    /// The draft.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The ceremony's id.
    pub const fn id(&self) -> &Digest {
        &self.id
    }

    /// Takes a commit, whose signature has been verified.
    ///
    /// # Errors
    /// `Proof`.
    pub fn commit(&mut self, signed: Signed<Commit>) -> Result<(), CeremonyError> {
        let message = signed.message();
        let member = message.head.member;
        if !pok::verify(&message.key, &key_binding(&self.id, member), &message.pok) {
            return Err(CeremonyError::Proof(member));
        }
        put(&mut self.commits, member, signed)
    }

    /// Takes a member's round 1, whose signature has been verified.
    ///
    /// # Errors
    /// `NotCommitted`, `Shape` or `Proof`.
    pub fn round1(&mut self, signed: Signed<Round1>) -> Result<(), CeremonyError> {
        let message = signed.message();
        let member = message.head.member;
        if self.committed(member)?.round1 != signed.digest() {
            return Err(CeremonyError::NotCommitted(member));
        }
        let fits = |polynomial: &Polynomial| polynomial.commitments.len() == usize::from(self.draft.k);
        if message.groups.len() != self.draft.groups.len() || !message.groups.iter().all(fits) {
            return Err(CeremonyError::Shape(member));
        }
        if !message.groups.iter().all(|polynomial| proves(member, polynomial)) {
            return Err(CeremonyError::Proof(member));
        }
        put(&mut self.round1, member, signed)
    }

    /// Takes a member's round 2, whose signature has been verified.
    ///
    /// # Errors
    /// `Shape` or `Proof`.
    pub fn round2(&mut self, signed: Signed<Round2>) -> Result<(), CeremonyError> {
        let message = signed.message();
        let member = message.head.member;
        let groups = 0..u8::try_from(self.draft.groups.len()).expect("at most MAX_GROUPS");
        let expected =
            self.draft.indices().filter(|to| *to != member).flat_map(|to| groups.clone().map(move |group| (to, group)));
        if !message.packages.iter().map(|package| (package.to, package.group)).eq(expected) {
            return Err(CeremonyError::Shape(member));
        }
        for package in &message.packages {
            let info = sha256(&package_info(&self.id, member, package.to));
            if !pok::verify(&package.enc, &package_binding(&info, package), &package.pok) {
                return Err(CeremonyError::Proof(member));
            }
        }
        put(&mut self.round2, member, signed)
    }

    /// Members that have not yet sent what the others wait for.
    pub fn missing(&self) -> Vec<u8> {
        let of = |present: Vec<bool>| -> Vec<u8> {
            self.draft.indices().zip(present).filter(|(_, present)| !present).map(|(member, _)| member).collect()
        };
        let steps = [
            self.commits.iter().map(Option::is_some).collect(),
            self.round1.iter().map(Option::is_some).collect(),
            self.round2.iter().map(Option::is_some).collect(),
        ];
        steps.into_iter().map(of).find(|missing| !missing.is_empty()).unwrap_or_default()
    }

    /// A member's commit.
    ///
    /// # Errors
    /// `Missing`.
    pub fn committed(&self, member: u8) -> Result<&Commit, CeremonyError> {
        said(&self.commits, member)
    }

    /// A member's round 1.
    ///
    /// # Errors
    /// `Missing`.
    pub fn said_round1(&self, member: u8) -> Result<&Round1, CeremonyError> {
        said(&self.round1, member)
    }

    /// A member's round 2.
    ///
    /// # Errors
    /// `Missing`.
    pub fn said_round2(&self, member: u8) -> Result<&Round2, CeremonyError> {
        said(&self.round2, member)
    }

    /// The package that one member dealt another.
    ///
    /// # Errors
    /// `Missing`.
    pub fn package(&self, from: u8, to: u8, group: u8) -> Result<&Package, CeremonyError> {
        let packages = &self.said_round2(from)?.packages;
        packages.iter().find(|package| package.to == to && package.group == group).ok_or(CeremonyError::Missing(from))
    }

    /// The digest of everything until round 2.
    ///
    /// # Errors
    /// `Missing`.
    pub fn digest(&self) -> Result<Digest, CeremonyError> {
        let mut hasher = Hasher::new();
        hasher.update(b"sealbid/1 transcript");
        hasher.update(self.id.as_bytes());
        add(&mut hasher, &self.commits)?;
        add(&mut hasher, &self.round1)?;
        add(&mut hasher, &self.round2)?;
        Ok(hasher.finish())
    }

    /// The key sets that follow, one for each group.
    ///
    /// # Errors
    /// `Missing`, or `Unusable` for sums that are no keys.
    pub fn key_sets(&self) -> Result<Vec<KeySet>, CeremonyError> {
        let ceremony = self.digest()?;
        let polynomials = self.draft.indices().map(|i| self.said_round1(i)).collect::<Result<Vec<_>, _>>()?;
        let key_set = |(index, group): (usize, &Group)| {
            let at = |x: u8| {
                let sum = polynomials
                    .iter()
                    .map(|message| evaluate(&message.groups[index].commitments, x))
                    .fold(ProjectivePoint::IDENTITY, |sum, value| sum + value);
                Point::from_projective(sum).map_err(|_| CeremonyError::Unusable)
            };
            let shares = self.draft.indices().map(at).collect::<Result<Vec<_>, _>>()?;
            let members = self.draft.members.clone();
            let shared = Shared { public: at(0)?, k: self.draft.k, shares, members, ceremony };
            KeySet::shared(shared, self.draft.subject(group)).map_err(|_| CeremonyError::Unusable)
        };
        self.draft.groups.iter().enumerate().map(key_set).collect()
    }

    /// The value at `member` of a member's committed polynomial, times G: what a dealt share must fit.
    ///
    /// # Errors
    /// `Missing`.
    pub(super) fn committed_value(&self, from: u8, group: u8, member: u8) -> Result<ProjectivePoint, CeremonyError> {
        let message = self.said_round1(from)?;
        let polynomial = message.groups.get(usize::from(group)).ok_or(CeremonyError::Shape(from))?;
        Ok(evaluate(&polynomial.commitments, member))
    }
}

/// A polynomial in the exponent at `x`, by Horner's rule.
fn evaluate(commitments: &[Point], x: u8) -> ProjectivePoint {
    let x = Scalar::from(u64::from(x));
    commitments.iter().rev().fold(ProjectivePoint::IDENTITY, |sum, point| sum * x + point.to_projective())
}

fn put<M: Message>(step: &mut Step<M>, member: u8, signed: Signed<M>) -> Result<(), CeremonyError> {
    let index = usize::from(member).checked_sub(1).ok_or(CeremonyError::NotAMember(member))?;
    *step.get_mut(index).ok_or(CeremonyError::NotAMember(member))? = Some(signed);
    Ok(())
}

fn said<M: Message>(step: &Step<M>, member: u8) -> Result<&M, CeremonyError> {
    let index = usize::from(member).checked_sub(1).ok_or(CeremonyError::NotAMember(member))?;
    let signed = step.get(index).ok_or(CeremonyError::NotAMember(member))?;
    signed.as_ref().map(Signed::message).ok_or(CeremonyError::Missing(member))
}

fn add<M: Message>(hasher: &mut Hasher, step: &Step<M>) -> Result<(), CeremonyError> {
    for (signed, member) in step.iter().zip(1..) {
        hasher.update(signed.as_ref().ok_or(CeremonyError::Missing(member))?.digest().as_bytes());
    }
    Ok(())
}

/// Whether a polynomial's proof shows that `member` knows its constant term.
fn proves(member: u8, polynomial: &Polynomial) -> bool {
    let (r, z) = polynomial.proof.split_at(33);
    let (Ok(r), Ok(z)) = (Point::from_compressed(r), <[u8; 32]>::try_from(z)) else { return false };
    let (Ok(z), Some(phi)) = (scalar_from_bytes(&z), polynomial.commitments.first()) else { return false };
    let index = scalar_to_bytes(&Scalar::from(u64::from(member)));
    let c = hash_to_scalar(&[&index, &phi.to_compressed(), &r.to_compressed()], b"FROST-P256-SHA256-v1dkg");
    base_minus(&z, &c, phi) == r.to_projective()
}

/// What the proof of knowledge of a ceremony key is bound to.
pub(super) fn key_binding(id: &Digest, member: u8) -> Binding<'_> {
    Binding { group: "ceremony-key", ctx_hash: id, slot: usize::from(member), ct_hash: sha256(b"") }
}

/// The HPKE info of a package: "sealbid/1 dkg2" || 0x00 || id || 0x00 || from || 0x00 || to.
pub(super) fn package_info(id: &Digest, from: u8, to: u8) -> Vec<u8> {
    [&b"sealbid/1 dkg2\0"[..], id.as_bytes(), &[0, from, 0, to]].concat()
}

/// What the proof of knowledge of a package's ephemeral key is bound to; `info` is the digest of its HPKE info.
pub(super) fn package_binding<'a>(info: &'a Digest, package: &Package) -> Binding<'a> {
    let ct_hash = sha256(&package.ct);
    Binding { group: "ceremony-package", ctx_hash: info, slot: usize::from(package.group), ct_hash }
}
