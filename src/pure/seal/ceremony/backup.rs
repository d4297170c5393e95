//! A member's share, sealed to its own long-term key: what remains when its file is lost.
//!
//! `{enc, ct}`: HPKE to the member's `kem` key of the draft with the info "sealbid/1 share" || 0x00 || id || 0x00 || group.
//! The platform keeps it for the member and publishes it never. Beside this, that long-term
//! key opens what other members send for a repair ([`super::repair`]): no complaint, no opening.

use super::super::error::FormError;
use super::super::hpke;
use super::super::keyset::{KeySet, KeyShare};
use super::super::points::{Point, PrivateScalar, SCALAR_LEN, UNCOMPRESSED_LEN};
use super::super::slot::CT_LEN;
use super::super::strict_json::Object;
use super::{CeremonyError, Draft};
use crate::kernel::digest::Digest;
use crate::kernel::encoding;
use crate::kernel::secret::Secret;
use serde::Serialize;

/// A sealed share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    enc: Point,
    ct: [u8; CT_LEN],
}

#[derive(Serialize)]
struct Wire {
    #[serde(with = "encoding::serde_base64url")]
    enc: [u8; UNCOMPRESSED_LEN],
    #[serde(with = "encoding::serde_base64url")]
    ct: [u8; CT_LEN],
}

/// Bytes of a backup as JSON, with room for white space.
const MAX_BACKUP_BYTES: usize = 512;

impl Backup {
    /// Seals a share to its member's own key.
    ///
    /// # Errors
    /// If the system's random source fails, or the draft has no such member.
    pub fn seal(draft: &Draft, share: &KeyShare) -> Result<Self, CeremonyError> {
        let member = draft.member(share.member()).ok_or(CeremonyError::NotAMember(share.member()))?;
        let ephemeral = PrivateScalar::generate()?;
        let info = info(&draft.id(), share.key_set());
        let ct = hpke::seal(&ephemeral, &member.kem, &info, share.private_bytes().expose());
        Ok(Self { enc: ephemeral.public(), ct: ct.try_into().map_err(|_| CeremonyError::Secrets)? })
    }

    /// Opens the share of `member` with its long-term key.
    ///
    /// # Errors
    /// `Secrets` if it does not open, or is not that member's share of that key set.
    pub fn open(
        &self,
        ceremony: &Digest,
        key_set: KeySet,
        member: u8,
        key: &PrivateScalar,
    ) -> Result<KeyShare, CeremonyError> {
        let info = info(ceremony, &key_set);
        let opened = hpke::open(&key.times(&self.enc), &self.enc, &key.public(), &info, &self.ct)
            .map_err(|_| CeremonyError::Secrets)?;
        let bytes: [u8; SCALAR_LEN] = opened.expose().as_slice().try_into().map_err(|_| CeremonyError::Secrets)?;
        KeyShare::restore(key_set, member, &Secret::new(bytes)).map_err(|_| CeremonyError::Secrets)
    }

    /// The JSON text.
    pub fn to_json(&self) -> String {
        let wire = Wire { enc: self.enc.to_uncompressed(), ct: self.ct };
        serde_json::to_string(&wire).expect("two strings serialise")
    }

    /// Reads what [`Backup::to_json`] writes.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut object = Object::parse(bytes, MAX_BACKUP_BYTES)?;
        let enc = object.array::<UNCOMPRESSED_LEN>("enc")?;
        let ct = object.array("ct")?;
        object.end()?;
        Ok(Self { enc: Point::from_uncompressed(&enc).map_err(|_| FormError::NotAPoint("enc"))?, ct })
    }
}

fn info(ceremony: &Digest, key_set: &KeySet) -> Vec<u8> {
    [&b"sealbid/1 share\0"[..], ceremony.as_bytes(), &[0], key_set.group.as_str().as_bytes()].concat()
}
