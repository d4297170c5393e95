//! The secret side of a member: what it must keep between the steps, and what it does with it.
//!
//! The polynomials are FROST's (`frost-p256`, used through bytes only); this file gives them their messages. Whoever keeps
//! a [`Dealer`]'s secrets can go on after a crash, and must send the same messages again, never new ones: the caller
//! stores every message before it sends it.

use std::collections::BTreeMap;

use super::super::hpke;
use super::super::keyset::{KeySet, KeyShare};
use super::super::points::{Point, PrivateScalar, SCALAR_LEN, scalar_from_bytes};
use super::super::pok;
use super::super::random::SystemRng;
use super::super::slot::CT_LEN;
use super::complaint::{complain, value};
use super::message::{Commit, Head, Message, POLYNOMIAL_PROOF_LEN, Package, Polynomial, Round1, Round2};
use super::transcript::{key_binding, package_binding, package_info};
use super::{Accept, CeremonyError, Complaint, Draft, Transcript};
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::secret::Secret;
use frost_p256::Identifier;
use frost_p256::keys::VerifiableSecretSharingCommitment;
use frost_p256::keys::dkg::{self, round1};

/// What a member keeps secret during a ceremony.
#[derive(Debug)]
pub struct Dealer {
    ceremony: Digest,
    member: u8,
    key: PrivateScalar,
    /// The polynomial of each group, in the library's form.
    polynomials: Vec<Secret<Vec<u8>>>,
}

/// What a member has at the end.
#[derive(Debug)]
pub struct Finished {
    /// The shares, one for each group of the draft, each with its key set.
    pub shares: Vec<KeyShare>,
    /// The countersignature to be signed.
    pub accept: Accept,
}

/// Why a member does not accept.
#[derive(Debug)]
pub enum Fault {
    /// Somebody dealt a wrong value: the complaint to be signed.
    Complaint(Box<Complaint>),
    /// Something else is wrong.
    Other(CeremonyError),
}

impl From<CeremonyError> for Fault {
    fn from(error: CeremonyError) -> Self {
        Self::Other(error)
    }
}

impl Dealer {
    /// Draws a key and polynomials, and gives the first two messages. Round 1 is to be kept back until all have committed.
    ///
    /// # Errors
    /// If the system's random source fails, or there is no such member.
    pub fn begin(draft: &Draft, member: u8) -> Result<(Self, Commit, Round1), CeremonyError> {
        let (ceremony, head) = (draft.id(), Head::new(draft.id(), member));
        let (n, k) = (u16::try_from(draft.members.len()).expect("at most MAX_MEMBERS"), u16::from(draft.k));
        let key = PrivateScalar::generate()?;
        let (mut polynomials, mut groups) = (Vec::new(), Vec::new());
        for _ in &draft.groups {
            let (secret, package) =
                dkg::part1(identifier(member)?, n, k, SystemRng).map_err(|_| CeremonyError::Shape(member))?;
            polynomials.push(Secret::new(secret.serialize().map_err(|_| CeremonyError::Secrets)?));
            groups.push(polynomial(&package).ok_or(CeremonyError::Unusable)?);
        }
        let round1 = Round1 { head, groups };
        let pok = pok::prove(&key, &key_binding(&ceremony, member))?;
        let commit = Commit { head, round1: sha256(&round1.to_bytes()), key: key.public(), pok };
        Ok((Self { ceremony, member, key, polynomials }, commit, round1))
    }

    /// The secrets, to be encrypted before they are stored: the key's 32 bytes and every polynomial.
    pub fn secrets(&self) -> (Secret<[u8; SCALAR_LEN]>, &[Secret<Vec<u8>>]) {
        (self.key.to_bytes(), &self.polynomials)
    }

    /// Puts stored secrets together again.
    ///
    /// # Errors
    /// `Secrets`.
    pub fn restore(
        ceremony: Digest,
        member: u8,
        key: &Secret<[u8; SCALAR_LEN]>,
        polynomials: Vec<Secret<Vec<u8>>>,
    ) -> Result<Self, CeremonyError> {
        let key = PrivateScalar::from_bytes(key.expose()).map_err(|_| CeremonyError::Secrets)?;
        Ok(Self { ceremony, member, key, polynomials })
    }

    /// Deals every other member its values, when round 1 is complete.
    ///
    /// # Errors
    /// `Missing`; `Secrets` if these are not the secrets behind the member's own round 1.
    pub fn deal(&self, transcript: &Transcript) -> Result<Round2, CeremonyError> {
        self.deal_with(transcript, |_, value| value)
    }

    /// Deals values that `change` may replace, given the recipient and the right one: how a dishonest dealer is played.
    ///
    /// # Errors
    /// As [`Dealer::deal`].
    pub fn deal_with(
        &self,
        transcript: &Transcript,
        change: impl Fn(u8, [u8; SCALAR_LEN]) -> [u8; SCALAR_LEN],
    ) -> Result<Round2, CeremonyError> {
        self.check(transcript)?;
        let mut packages = Vec::new();
        for (group, secret) in self.polynomials.iter().enumerate() {
            let secret = restored(secret.expose())?;
            let others = self.others(transcript, group)?;
            let (_, dealt) = dkg::part2(secret, &others).map_err(|_| CeremonyError::Secrets)?;
            for to in transcript.draft().indices().filter(|to| *to != self.member) {
                let package = dealt.get(&identifier(to)?).ok_or(CeremonyError::Missing(to))?;
                let value = package.signing_share().serialize();
                let value: [u8; SCALAR_LEN] = value.try_into().map_err(|_| CeremonyError::Secrets)?;
                let value = Secret::new(change(to, value));
                let group = u8::try_from(group).expect("at most MAX_GROUPS");
                packages.push(seal(transcript, self.member, to, group, value.expose())?);
            }
        }
        packages.sort_by_key(|package| (package.to, package.group));
        Ok(Round2 { head: self.head(), packages })
    }

    /// Opens what the others have dealt, when round 2 is complete, and gives the member's shares.
    ///
    /// # Errors
    /// A complaint about the first value that does not fit, or what else is wrong.
    pub fn finish(&self, transcript: &Transcript) -> Result<Finished, Fault> {
        self.check(transcript)?;
        let key_sets = transcript.key_sets()?;
        let mut shares = Vec::new();
        for (group, (key_set, polynomial)) in key_sets.iter().zip(&self.polynomials).enumerate() {
            let mut sum = Secret::new(self.own_value(polynomial.expose(), transcript, group)?);
            let group = u8::try_from(group).expect("at most MAX_GROUPS");
            for from in transcript.draft().indices().filter(|from| *from != self.member) {
                let d = self.key.times(&transcript.package(from, self.member, group)?.enc);
                let dealt = value(transcript, from, self.member, group, &self.key.public(), &d)?;
                let Some(dealt) = dealt else {
                    let complaint = complain(transcript, self.head(), from, group, &self.key)?;
                    return Err(Fault::Complaint(Box::new(complaint)));
                };
                let dealt = scalar_from_bytes(dealt.expose()).map_err(|_| CeremonyError::Secrets)?;
                sum = Secret::new(*sum.expose() + dealt);
            }
            let bytes = Secret::new(sum.expose().to_bytes().into());
            shares.push(KeyShare::restore(key_set.clone(), self.member, &bytes).map_err(|_| CeremonyError::Secrets)?);
        }
        Ok(Finished { shares, accept: accept(self.head(), transcript, &key_sets)? })
    }

    /// The complaint about what `accused` dealt for the first group, whether it is right or wrong: how a dishonest member is played.
    ///
    /// # Errors
    /// `Missing`, or if the system's random source fails.
    pub fn complain_about(&self, transcript: &Transcript, accused: u8) -> Result<Complaint, CeremonyError> {
        complain(transcript, self.head(), accused, 0, &self.key)
    }

    fn head(&self) -> Head {
        Head::new(self.ceremony, self.member)
    }

    /// These secrets are those behind what the transcript says of this member.
    fn check(&self, transcript: &Transcript) -> Result<(), CeremonyError> {
        let same = *transcript.id() == self.ceremony
            && transcript.committed(self.member)?.key == self.key.public()
            && self.polynomials.len() == transcript.draft().groups.len();
        if same { Ok(()) } else { Err(CeremonyError::Secrets) }
    }

    /// Round 1 of the others for a group, in the library's form.
    fn others(
        &self,
        transcript: &Transcript,
        group: usize,
    ) -> Result<BTreeMap<Identifier, round1::Package>, CeremonyError> {
        let mut packages = BTreeMap::new();
        for member in transcript.draft().indices().filter(|member| *member != self.member) {
            let said = &transcript.said_round1(member)?.groups[group];
            let bytes = said.commitments.iter().map(Point::to_compressed);
            let commitment = VerifiableSecretSharingCommitment::deserialize(bytes);
            let proof = frost_p256::Signature::deserialize(&said.proof);
            let (Ok(commitment), Ok(proof)) = (commitment, proof) else { return Err(CeremonyError::Proof(member)) };
            packages.insert(identifier(member)?, round1::Package::new(commitment, proof));
        }
        Ok(packages)
    }

    /// The member's polynomial at its own index.
    fn own_value(
        &self,
        secret: &[u8],
        transcript: &Transcript,
        group: usize,
    ) -> Result<super::super::points::Scalar, CeremonyError> {
        let secret = restored(secret)?;
        let others = self.others(transcript, group)?;
        let (own, _) = dkg::part2(secret, &others).map_err(|_| CeremonyError::Secrets)?;
        Ok(own.secret_share())
    }
}

fn accept(head: Head, transcript: &Transcript, key_sets: &[KeySet]) -> Result<Accept, CeremonyError> {
    Ok(Accept::new(head, transcript.digest()?, key_sets))
}

fn restored(secret: &[u8]) -> Result<round1::SecretPackage, CeremonyError> {
    round1::SecretPackage::deserialize(secret).map_err(|_| CeremonyError::Secrets)
}

fn identifier(member: u8) -> Result<Identifier, CeremonyError> {
    u16::from(member).try_into().map_err(|_| CeremonyError::NotAMember(member))
}

/// A round 1 package of the library in our form: points and the 65 bytes of its proof.
fn polynomial(package: &round1::Package) -> Option<Polynomial> {
    let points = package.commitment().serialize().ok()?;
    let commitments = points.iter().map(|bytes| Point::from_compressed(bytes).ok()).collect::<Option<_>>()?;
    let proof: [u8; POLYNOMIAL_PROOF_LEN] = package.proof_of_knowledge().serialize().ok()?.try_into().ok()?;
    Some(Polynomial { commitments, proof })
}

/// Seals a value to its recipient's key for this ceremony.
fn seal(transcript: &Transcript, from: u8, to: u8, group: u8, value: &[u8]) -> Result<Package, CeremonyError> {
    let (ephemeral, nonce) = (PrivateScalar::generate()?, PrivateScalar::generate()?);
    let info = package_info(transcript.id(), from, to);
    let ct = hpke::seal(&ephemeral, &transcript.committed(to)?.key, &info, value);
    let ct: [u8; CT_LEN] = ct.try_into().map_err(|_| CeremonyError::Secrets)?;
    let enc = ephemeral.public();
    // The binding does not look at the proof, so any stands in for it.
    let mut package = Package { to, group, enc, ct, pok: pok::Pok::ZERO };
    package.pok = pok::prove_with(&ephemeral, &package_binding(&sha256(&info), &package), &nonce);
    Ok(package)
}
