//! The repair of a lost share: k other members give a member its share back, and none of them learns it.
//!
//! Enrolment of D. R. Stinson and R. Wei (Combinatorial repairability for threshold schemes, 2017, section 2.2), which
//! `frost-core` calls repairable, with what makes a wrong value visible:
//!
//! | step | message | content |
//! | --- | --- | --- |
//! | ask | [`Request`] | which key set, whose share, which k others help; its digest is the repair's id |
//! | split | [`Split`] | helper j splits lambda_j x_j into k random summands: each times G, and sealed to the helper it is for |
//! | sum | [`Sum`] | helper i adds what it was given, sealed to whoever asked |
//!
//! lambda_j is Lagrange's coefficient of j at the lost index among the helpers, so that the sum of all summands is the lost
//! share. Promises: it is given to nobody but the member whom the key set names, under the keys that it names; fewer than k
//! helpers learn nothing that they did not know; what comes out is the share whose public key stands in the key set, or
//! somebody is named ([`RepairError`]). Since every summand is shown times G, everybody sees whether a helper's summands add
//! up to lambda_j X_j, a helper sees whether a summand is the one that was shown, and whoever asked sees whether a sum is
//! that of the summands shown. The one thing that nobody else can judge is a package that its recipient says does not
//! open: one of the two is at fault.
//!
//! Byte-exact: every message is a JWS whose payload is a JSON object beginning with `{v, kid, member}`, kid being the key
//! set's. Sealing is HPKE to the long-term `kem` keys of the key set, with the info "sealbid/1 repair split" (or "sum") || 0 ||
//! id || 0 || from || 0 || to.
//!
//! Deliberately absent: another index, another person, another threshold. Those are a new key set.

mod letters;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use letters::{Head, Letter, Package, Request, Signed, Split, Sum};

use super::super::error::{FormError, RandomFailed};
use super::super::keys::VerifyingKey;
use super::super::keyset::{KeySet, KeyShare};
use super::super::points::{Point, PrivateScalar, SCALAR_LEN, Scalar, scalar_from_bytes, scalar_to_bytes};
use super::super::products::times_base;
use super::super::threshold::coefficient;
use crate::kernel::digest::Digest;
use crate::kernel::secret::Secret;
use p256::ProjectivePoint;

/// A message does not fit its repair, or a value in it is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepairError {
    /// The message itself.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The system gives no random numbers.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// The message is about another key set.
    #[error("the message is about another key set")]
    OtherKeySet,
    /// The message belongs to another repair: of another member, by other helpers, or an earlier one.
    #[error("the message of member {0} belongs to another repair")]
    OtherRepair(u8),
    /// The helpers are not k others, in order.
    #[error("the helpers are not as many other members as are needed to open, each once and in order")]
    Helpers,
    /// The member does not help, or is not who signed.
    #[error("member {0} does not help, or is not who signed")]
    NotAHelper(u8),
    /// A member's message is there already.
    #[error("a message of member {0} is there twice")]
    Repeated(u8),
    /// A member's message is needed.
    #[error("a message of member {0} is missing")]
    Missing(u8),
    /// The summands do not add up to what the helper holds.
    #[error("the summands of member {0} do not add up to its share")]
    WrongTotal(u8),
    /// What was sealed is not what was shown.
    #[error("what member {0} sealed does not open, or is not the summand that it shows")]
    WrongSummand(u8),
    /// A sum is over other summands.
    #[error("member {0} has added other summands than are here")]
    OtherSplits(u8),
    /// A sum is not that of the summands.
    #[error("the sum of member {0} does not open, or is not that of its summands")]
    WrongSum(u8),
    /// The key or the share is not the one that the key set names.
    #[error("this is not the key, or not the share, that the key set names")]
    NotMine,
}

impl RepairError {
    /// The stable name.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Form(error) => error.reason(),
            Self::Random(_) => "no_random_numbers",
            Self::OtherKeySet => "other_key_set",
            Self::OtherRepair(_) => "other_repair",
            Self::Helpers => "wrong_helpers",
            Self::NotAHelper(_) => "not_a_helper",
            Self::Repeated(_) => "message_twice",
            Self::Missing(_) => "message_missing",
            Self::WrongTotal(_) => "summands_do_not_add_up",
            Self::WrongSummand(_) => "wrong_summand",
            Self::OtherSplits(_) => "other_summands",
            Self::WrongSum(_) => "wrong_sum",
            Self::NotMine => "not_the_member_s",
        }
    }
}

/// A helper's message, and the summand that it keeps for itself.
#[derive(Debug)]
pub struct Kept {
    /// The message to be signed.
    pub split: Split,
    /// The summand, to be encrypted before it is stored.
    pub own: Secret<[u8; SCALAR_LEN]>,
}

/// A repair, as far as its messages are here.
#[derive(Clone, Debug)]
pub struct Repair {
    key_set: KeySet,
    request: Request,
    id: Digest,
    splits: BTreeMap<u8, Signed<Split>>,
    sums: BTreeMap<u8, Signed<Sum>>,
}

impl Repair {
    /// The repair that is asked for, if the member that asks signed it with `key`.
    ///
    /// # Errors
    /// `OtherKeySet`, `NotAHelper`, `Helpers`, or the signature's.
    pub fn asked(key_set: KeySet, signed: &Signed<Request>, key: &VerifyingKey) -> Result<Self, RepairError> {
        let request = signed.verify(&key_set, key)?.clone();
        request.check(&key_set)?;
        Ok(Self { key_set, request, id: signed.digest(), splits: BTreeMap::new(), sums: BTreeMap::new() })
    }

    /// Its id inside the messages.
    pub const fn id(&self) -> &Digest {
        &self.id
    }

    /// What was asked for.
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// Helpers whose summands are not here.
    pub fn without_split(&self) -> Vec<u8> {
        self.request.helpers.iter().copied().filter(|helper| !self.splits.contains_key(helper)).collect()
    }

    /// Helpers whose sums are not here.
    pub fn without_sum(&self) -> Vec<u8> {
        self.request.helpers.iter().copied().filter(|helper| !self.sums.contains_key(helper)).collect()
    }

    fn info(&self, what: &str, from: u8, to: u8) -> Vec<u8> {
        let begin = format!("sealbid/1 repair {what}\0");
        [begin.as_bytes(), self.id.as_bytes(), &[0, from, 0, to]].concat()
    }

    fn kem(&self, index: u8) -> Result<&Point, RepairError> {
        let member = self.key_set.members.iter().find(|member| member.i == index);
        member.map(|member| &member.kem).ok_or(RepairError::NotAHelper(index))
    }

    fn lambda(&self, helper: u8) -> Scalar {
        coefficient(helper, &self.request.helpers, self.request.head.member)
    }

    fn head(&self, member: u8) -> Head {
        self.request.head.of(member)
    }

    /// Splits a helper's part of the lost share into summands. To be done once: whoever asks again gets the same message.
    ///
    /// # Errors
    /// `OtherKeySet`, `NotAHelper`, or if the system's random source fails.
    pub fn split(&self, share: &KeyShare) -> Result<Kept, RepairError> {
        self.split_with(share, |_, value| value)
    }

    /// Splits into summands of which what is sealed may be another, given the recipient: how a dishonest helper is played.
    ///
    /// # Errors
    /// As [`Repair::split`].
    pub fn split_with(&self, share: &KeyShare, change: impl Fn(u8, Scalar) -> Scalar) -> Result<Kept, RepairError> {
        let (member, helpers) = (share.member(), &self.request.helpers);
        if share.key_set() != &self.key_set {
            return Err(RepairError::OtherKeySet);
        }
        if !helpers.contains(&member) {
            return Err(RepairError::NotAHelper(member));
        }
        let (mut own, mut shown, mut packages) =
            (Secret::new(self.lambda(member) * share.private().expose()), Vec::new(), Vec::new());
        let mut at = 0;
        for (place, helper) in helpers.iter().enumerate() {
            if *helper == member {
                // What is left over in the end is the helper's own.
                at = place;
                continue;
            }
            let summand = PrivateScalar::generate()?;
            own = Secret::new(*own.expose() - summand.expose());
            shown.push(summand.public());
            let sealed = Secret::new(change(*helper, *summand.expose()));
            let info = self.info("split", member, *helper);
            packages.push(Package::seal(&info, *helper, self.kem(*helper)?, sealed.expose())?);
        }
        let point = Point::from_projective(times_base(own.expose()));
        shown.insert(at, point.map_err(|_| RepairError::Random(RandomFailed))?);
        let split = Split { head: self.head(member), repair: self.id, shown, packages };
        Ok(Kept { split, own: Secret::new(scalar_to_bytes(own.expose())) })
    }

    /// Takes a helper's summands, if its signature holds and they add up to its part.
    ///
    /// # Errors
    /// `OtherKeySet`, `OtherRepair`, `NotAHelper`, `Repeated`, `WrongTotal`, `Form`, or the signature's.
    pub fn take_split(&mut self, signed: Signed<Split>, key: &VerifyingKey) -> Result<(), RepairError> {
        let said = signed.verify(&self.key_set, key)?;
        let member = said.head.member;
        self.belongs(member, &said.repair)?;
        let helpers = &self.request.helpers;
        let others = helpers.iter().filter(|helper| **helper != member);
        if said.shown.len() != helpers.len() || !said.packages.iter().map(|package| &package.to).eq(others) {
            return Err(FormError::OutOfRange("packages").into());
        }
        let total = said.shown.iter().fold(ProjectivePoint::IDENTITY, |sum, point| sum + point.to_projective());
        let held = self.key_set.share_of(member).ok_or(RepairError::NotAHelper(member))?;
        if total != held.to_projective() * self.lambda(member) {
            return Err(RepairError::WrongTotal(member));
        }
        if self.splits.contains_key(&member) {
            return Err(RepairError::Repeated(member));
        }
        self.splits.insert(member, signed);
        Ok(())
    }

    fn belongs(&self, member: u8, repair: &Digest) -> Result<(), RepairError> {
        if *repair != self.id {
            return Err(RepairError::OtherRepair(member));
        }
        if self.request.helpers.contains(&member) { Ok(()) } else { Err(RepairError::NotAHelper(member)) }
    }

    /// Adds what a helper was given and what it kept, for whoever asked.
    ///
    /// # Errors
    /// `Missing`, `WrongSummand` with the helper whose package it is, `NotMine`, `NotAHelper`.
    pub fn sum(&self, member: u8, kem: &PrivateScalar, own: &Secret<[u8; SCALAR_LEN]>) -> Result<Sum, RepairError> {
        let place = self.request.helpers.iter().position(|helper| *helper == member);
        let place = place.ok_or(RepairError::NotAHelper(member))?;
        if *self.kem(member)? != kem.public() {
            return Err(RepairError::NotMine);
        }
        let (mut sum, mut splits) = (Secret::new(Scalar::ZERO), Vec::new());
        for from in self.request.helpers.iter().copied() {
            let signed = self.splits.get(&from).ok_or(RepairError::Missing(from))?;
            let summand = match signed.letter().packages.iter().find(|package| package.to == member) {
                Some(package) => package.open(&self.info("split", from, member), kem),
                None => scalar_from_bytes(own.expose()).map(Secret::new).ok(),
            };
            let shown = signed.letter().shown[place].to_projective();
            let summand = summand.filter(|summand| times_base(summand.expose()) == shown);
            let summand = summand.ok_or(RepairError::WrongSummand(from))?;
            sum = Secret::new(*sum.expose() + summand.expose());
            splits.push(signed.digest());
        }
        let to = self.request.head.member;
        let package = Package::seal(&self.info("sum", member, to), to, self.kem(to)?, sum.expose())?;
        Ok(Sum { head: self.head(member), repair: self.id, splits, package })
    }

    /// Takes a helper's sum, if its signature holds.
    ///
    /// # Errors
    /// `OtherKeySet`, `OtherRepair`, `NotAHelper`, `Repeated`, or the signature's.
    pub fn take_sum(&mut self, signed: Signed<Sum>, key: &VerifyingKey) -> Result<(), RepairError> {
        let said = signed.verify(&self.key_set, key)?;
        let member = said.head.member;
        self.belongs(member, &said.repair)?;
        if said.package.to != self.request.head.member {
            return Err(RepairError::OtherRepair(member));
        }
        if self.sums.contains_key(&member) {
            return Err(RepairError::Repeated(member));
        }
        self.sums.insert(member, signed);
        Ok(())
    }

    /// The lost share, put together by the member that asked.
    ///
    /// # Errors
    /// `Missing`, `OtherSplits` or `WrongSum` with the helper at fault, `NotMine`.
    pub fn finish(&self, kem: &PrivateScalar) -> Result<KeyShare, RepairError> {
        let to = self.request.head.member;
        if *self.kem(to)? != kem.public() {
            return Err(RepairError::NotMine);
        }
        let digests = self.digests()?;
        let mut share = Secret::new(Scalar::ZERO);
        for (place, from) in self.request.helpers.iter().copied().enumerate() {
            let said = self.sums.get(&from).ok_or(RepairError::Missing(from))?.letter();
            if said.splits != digests {
                return Err(RepairError::OtherSplits(from));
            }
            let shown = self.splits.values().map(|split| split.letter().shown[place].to_projective());
            let shown = shown.fold(ProjectivePoint::IDENTITY, |sum, point| sum + point);
            let sum = said.package.open(&self.info("sum", from, to), kem);
            let sum = sum.filter(|sum| times_base(sum.expose()) == shown);
            share = Secret::new(*share.expose() + sum.ok_or(RepairError::WrongSum(from))?.expose());
        }
        // All sums being those of summands that add up, this is the share: the key set's own shape says so.
        let bytes = Secret::new(scalar_to_bytes(share.expose()));
        KeyShare::restore(self.key_set.clone(), to, &bytes).map_err(|_| RepairError::NotMine)
    }

    fn digests(&self) -> Result<Vec<Digest>, RepairError> {
        let digest = |helper: &u8| self.splits.get(helper).map(Signed::digest).ok_or(RepairError::Missing(*helper));
        self.request.helpers.iter().map(digest).collect()
    }
}
