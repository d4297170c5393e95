//! Partial decryptions: what the holder of a share sends when the box opens. JWS type `sealbid-partials+jws`.
//!
//! `{v, kid, member, snapshot, partials: [{envelope, slot, d, proof}]}`, signed by the member's key: snapshot is the root of the
//! snapshot that is answered, at most [`MAX_PARTIALS`] partials a list, in the order of its lines. The holder of a bidder's key
//! is member 1 of its set and says the same.

use super::VERSION;
use super::dleq::{PROOF_LEN, Proof};
use super::error::{FormError, RandomFailed};
use super::ids::KeyId;
use super::jws::Jws;
use super::keys::{SigningKey, VerifyingKey};
use super::limits::{MAX_PARTIALS, MAX_PARTIALS_BYTES};
use super::points::Point;
use super::strict_json::Object;
use super::unsealing::Share;
use crate::kernel::digest::Digest;
use crate::kernel::encoding;
use serde::Serialize;

/// The JWS type of a list of partial decryptions.
pub const PARTIALS_TYP: &str = "sealbid-partials+jws";

/// A share for one slot of one envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The envelope's id.
    pub envelope: Digest,
    /// The slot's position.
    pub slot: u8,
    /// D and its proof.
    pub share: Share,
}

/// A member's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partials {
    /// The key set.
    pub kid: KeyId,
    /// The member that speaks.
    pub member: u8,
    /// The root of the snapshot.
    pub snapshot: Digest,
    /// The shares.
    pub partials: Vec<Partial>,
}

#[derive(Serialize)]
struct WirePartial {
    envelope: Digest,
    slot: u8,
    d: Point,
    #[serde(with = "encoding::serde_base64url")]
    proof: [u8; PROOF_LEN],
}

#[derive(Serialize)]
struct Wire {
    v: &'static str,
    kid: KeyId,
    member: u8,
    snapshot: Digest,
    partials: Vec<WirePartial>,
}

/// A list with its member's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPartials {
    jws: Jws,
    list: Partials,
}

impl Partials {
    /// Signs the list.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(self, key: &SigningKey) -> Result<SignedPartials, RandomFailed> {
        let line = |partial: &Partial| WirePartial {
            envelope: partial.envelope,
            slot: partial.slot,
            d: partial.share.d,
            proof: partial.share.proof.to_bytes(),
        };
        let wire = Wire {
            v: VERSION,
            kid: self.kid,
            member: self.member,
            snapshot: self.snapshot,
            partials: self.partials.iter().map(line).collect(),
        };
        let bytes = serde_json::to_vec(&wire).expect("strings and small numbers serialise");
        Ok(SignedPartials { jws: Jws::sign(key, PARTIALS_TYP, &bytes)?, list: self })
    }
}

impl SignedPartials {
    /// Reads the JSON text of a list; neither signature nor shares are verified yet.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let jws = Jws::parse_within(bytes, PARTIALS_TYP, MAX_PARTIALS_BYTES)?;
        let mut object = Object::parse(jws.payload(), MAX_PARTIALS_BYTES)?;
        if object.text("v")? != VERSION {
            return Err(FormError::Version);
        }
        let partials = object.objects("partials")?;
        if partials.is_empty() || partials.len() > MAX_PARTIALS {
            return Err(FormError::OutOfRange("partials"));
        }
        let list = Partials {
            kid: KeyId::parse(&object.text("kid")?, "kid")?,
            member: object.integer("member")?,
            snapshot: object.digest("snapshot")?,
            partials: partials.into_iter().map(partial).collect::<Result<_, _>>()?,
        };
        object.end()?;
        Ok(Self { jws, list })
    }

    /// Verifies that `key` signed, and gives the list.
    ///
    /// # Errors
    /// `OtherKey` or `Signature`.
    pub fn verify(&self, key: &VerifyingKey) -> Result<&Partials, FormError> {
        self.jws.verify(key)?;
        Ok(&self.list)
    }

    /// The list, whoever signed it.
    pub const fn list(&self) -> &Partials {
        &self.list
    }

    /// The signed object.
    pub const fn jws(&self) -> &Jws {
        &self.jws
    }
}

fn partial(mut object: Object) -> Result<Partial, FormError> {
    let partial = Partial {
        envelope: object.digest("envelope")?,
        slot: object.integer("slot")?,
        share: Share {
            d: Point::from_text(&object.text("d")?, "d")?,
            proof: Proof::from_bytes(&object.array("proof")?).map_err(|_| FormError::NotAScalar("proof"))?,
        },
    };
    object.end()?;
    Ok(partial)
}
