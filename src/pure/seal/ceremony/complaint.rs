//! A complaint about a dealt value, and its judgement by everybody.
//!
//! `{v, ceremony, member, accused, group, d, proof}`: D = eR for the package that the accused dealt to the member, with the
//! proof that log_G(E) = log_R(D) ([`super::super::dleq`], context "sealbid/1 complaint|" || id || "|" || accused || "|" ||
//! member || "|" || group). With D anybody opens that one package and compares the value with the accused's commitments.
//!
//! A complaint answers a Diffie-Hellman question about E. That is harmless because E serves this one ceremony, which ends
//! with the complaint, and because every package carries a proof of knowledge of its ephemeral key: nobody can deal a
//! package that is another member's package in disguise.

use super::super::dleq::{self, PROOF_LEN, Proof};
use super::super::error::FormError;
use super::super::points::{Point, PrivateScalar, SCALAR_LEN};
use super::super::products::{Combs, times_base};
use super::super::strict_json::Object;
use super::super::{hpke, points};
use super::message::{Head, Message, bytes_of};
use super::transcript::package_info;
use super::{CeremonyError, Transcript};
use crate::kernel::encoding;
use crate::kernel::secret::Secret;
use serde::Serialize;

/// A member's complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Who complains.
    pub head: Head,
    /// Who is said to have dealt a wrong value.
    pub accused: u8,
    /// For which group, by position in the draft.
    pub group: u8,
    /// D.
    pub d: Point,
    /// That D is right.
    pub proof: Proof,
}

impl Message for Complaint {
    const TYP: &'static str = "sealbid-dkg-complaint+jws";

    fn head(&self) -> Head {
        self.head
    }

    fn to_bytes(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(flatten)]
            head: Head,
            accused: u8,
            group: u8,
            d: &'a Point,
            #[serde(with = "encoding::serde_base64url")]
            proof: [u8; PROOF_LEN],
        }
        let Self { head, accused, group, d, proof } = self;
        bytes_of(&Wire { head: *head, accused: *accused, group: *group, d, proof: proof.to_bytes() })
    }

    fn read(head: Head, object: &mut Object) -> Result<Self, FormError> {
        Ok(Self {
            head,
            accused: object.integer("accused")?,
            group: object.integer("group")?,
            d: Point::from_text(&object.text("d")?, "d")?,
            proof: Proof::from_bytes(&object.array("proof")?).map_err(|_| FormError::NotAScalar("proof"))?,
        })
    }
}

/// Who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The accused dealt a value that does not fit its commitments.
    Accused(u8),
    /// The value is right: the complaint is false.
    Complainer(u8),
}

impl Verdict {
    /// The member at fault.
    pub const fn culprit(self) -> u8 {
        match self {
            Self::Accused(member) | Self::Complainer(member) => member,
        }
    }
}

/// Judges a complaint whose signature has been verified.
///
/// # Errors
/// `Missing` if there is no such package; `Proof` if D is not what it must be, which judges nothing.
pub fn judge(transcript: &Transcript, complaint: &Complaint) -> Result<Verdict, CeremonyError> {
    let (member, from) = (complaint.head.member, complaint.accused);
    let package = transcript.package(from, member, complaint.group)?;
    let key = transcript.committed(member)?.key;
    let context = context(transcript, complaint.head, from, complaint.group);
    if !dleq::verify(&dleq::Public::of(&key), &package.enc, &complaint.d, context.as_bytes(), &complaint.proof) {
        return Err(CeremonyError::Proof(member));
    }
    Ok(match value(transcript, from, member, complaint.group, &key, &complaint.d)? {
        Some(_) => Verdict::Complainer(member),
        None => Verdict::Accused(from),
    })
}

/// Makes the complaint of the member that holds `e`.
pub(super) fn complain(
    transcript: &Transcript,
    head: Head,
    accused: u8,
    group: u8,
    e: &PrivateScalar,
) -> Result<Complaint, CeremonyError> {
    let package = transcript.package(accused, head.member, group)?;
    let context = context(transcript, head, accused, group);
    let (d, proof) = dleq::multiply(e, &e.public(), &Combs::of(&package.enc), context.as_bytes())?;
    Ok(Complaint { head, accused, group, d, proof })
}

fn context(transcript: &Transcript, head: Head, accused: u8, group: u8) -> String {
    format!("sealbid/1 complaint|{}|{accused}|{}|{group}", transcript.id(), head.member)
}

/// The value that `from` dealt to `member`, opened with D, if it is there and fits the commitments of `from`.
pub(super) fn value(
    transcript: &Transcript,
    from: u8,
    member: u8,
    group: u8,
    key: &Point,
    d: &Point,
) -> Result<Option<Secret<[u8; SCALAR_LEN]>>, CeremonyError> {
    let package = transcript.package(from, member, group)?;
    let committed = transcript.committed_value(from, group, member)?;
    let info = package_info(transcript.id(), from, member);
    let Ok(opened) = hpke::open(d, &package.enc, key, &info, &package.ct) else { return Ok(None) };
    let Ok(bytes) = <[u8; SCALAR_LEN]>::try_from(opened.expose().as_slice()).map(Secret::new) else { return Ok(None) };
    let Ok(scalar) = points::scalar_from_bytes(bytes.expose()).map(Secret::new) else { return Ok(None) };
    Ok((times_base(scalar.expose()) == committed).then_some(bytes))
}
