//! The files of a repair, as they go from hand to hand, and what they say.
//!
//! Nothing of a file is believed but its signature: that of the member whom the key set names. The key that signed stands beside
//! the signed object, because a key set knows its members' keys by their ids only.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refusal::{self, Refusal, Result};
use crate::client::custodians::PublicKey;
use crate::seal::ceremony::repair::{Letter, Repair, RepairError, Request, Signed};
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::seal::keyset::KeySet;

/// The name of the file in which somebody asks for a repair.
pub const REQUEST: &str = "repair-request.json";
/// How the names of helpers' summands begin.
pub const SPLIT: &str = "repair-split-";
/// How the names of helpers' sums begin.
pub const SUM: &str = "repair-sum-";
/// More bytes than a file of a repair can have.
const MAX_BYTES: u64 = 64 * 1024;

/// What a file holds: a signed message, and the key that signed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// The key.
    pub signer: PublicKey,
    /// The message: a JWS.
    pub signed: Value,
}

impl Sheet {
    /// Signs a message.
    ///
    /// # Errors
    /// `no-random-numbers`.
    pub fn sign<L: Letter>(letter: L, key: &SigningKey) -> Result<Self> {
        let signed = Signed::sign(letter, key).map_err(|error| refusal::NO_RANDOM.because(error))?;
        let public = key.verifying_key();
        let (alg, public_key) = (public.algorithm().name().to_owned(), public.to_base64url());
        let signer = PublicKey { kid: Some(public.key_id().to_string()), alg, public_key };
        let signed = serde_json::to_value(signed.jws()).map_err(|error| refusal::FILE_INVALID.because(error))?;
        Ok(Self { signer, signed })
    }

    /// The message and its key; the signature is not verified yet.
    fn read<L: Letter>(&self) -> std::result::Result<(Signed<L>, VerifyingKey), RepairError> {
        let key = VerifyingKey::parse(&self.signer.alg, &self.signer.public_key)?;
        Ok((Signed::from_value(&self.signed)?, key))
    }
}

/// The files of a repair that are here, each with its name, in the order of the names.
#[derive(Clone, Debug, Default)]
pub struct Papers {
    /// Who asks for what.
    pub request: Option<Sheet>,
    /// Helpers' summands.
    pub splits: Vec<(String, Sheet)>,
    /// Helpers' sums.
    pub sums: Vec<(String, Sheet)>,
}

impl Papers {
    /// Reads the files of a directory; others are left alone.
    ///
    /// # Errors
    /// `file-invalid`.
    pub fn read(dir: &Path) -> Result<Self> {
        let invalid = |path: &Path, error: &dyn std::fmt::Display| {
            refusal::FILE_INVALID.because(format!("{}: {error}", path.display()))
        };
        let mut papers = Self::default();
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(|error| invalid(dir, &error))? {
            paths.push(entry.map_err(|error| invalid(dir, &error))?.path());
        }
        paths.sort();
        for path in paths {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            let is_paper = name == REQUEST || name.starts_with(SPLIT) || name.starts_with(SUM);
            if !is_paper || !name.ends_with(".json") {
                continue;
            }
            let size = std::fs::metadata(&path).map_err(|error| invalid(&path, &error))?.len();
            if size > MAX_BYTES {
                return Err(invalid(&path, &format!("{size} bytes")).into());
            }
            let bytes = std::fs::read(&path).map_err(|error| invalid(&path, &error))?;
            let sheet: Sheet = serde_json::from_slice(&bytes).map_err(|error| invalid(&path, &error))?;
            match &*name {
                REQUEST => papers.request = Some(sheet),
                split if split.starts_with(SPLIT) => papers.splits.push((name, sheet)),
                _ => papers.sums.push((name, sheet)),
            }
        }
        Ok(papers)
    }

    /// The key set and the digest of what is asked for, whoever asks.
    ///
    /// # Errors
    /// `file-invalid`.
    pub fn asked(&self) -> Result<Signed<Request>> {
        let sheet = self.request.as_ref().ok_or_else(|| refusal::FILE_INVALID.because(REQUEST))?;
        Ok(sheet.read::<Request>().map_err(|error| refused(REQUEST, &error))?.0)
    }

    /// The repair with everything that was said in it, none of it wrong.
    ///
    /// # Errors
    /// `repair-of-another`, `repair-file-twice`, `repair-wrong-value`, `not-a-member`, `file-invalid`, each with the name of
    /// the file.
    pub fn repair(&self, key_set: KeySet) -> Result<Repair> {
        let sheet = self.request.as_ref().ok_or_else(|| refusal::FILE_INVALID.because(REQUEST))?;
        let begin = |sheet: &Sheet| {
            let (signed, key) = sheet.read::<Request>()?;
            Repair::asked(key_set, &signed, &key)
        };
        let mut repair = begin(sheet).map_err(|error| refused(REQUEST, &error))?;
        for (name, sheet) in &self.splits {
            let taken = sheet.read().and_then(|(signed, key)| repair.take_split(signed, &key));
            taken.map_err(|error| refused(name, &error))?;
        }
        for (name, sheet) in &self.sums {
            let taken = sheet.read().and_then(|(signed, key)| repair.take_sum(signed, &key));
            taken.map_err(|error| refused(name, &error))?;
        }
        Ok(repair)
    }
}

/// A refusal for what is wrong with a file.
pub fn refused(name: &str, error: &RepairError) -> Refusal {
    let kind = match error {
        RepairError::OtherKeySet | RepairError::OtherRepair(_) | RepairError::Helpers => &refusal::REPAIR_OF_ANOTHER,
        RepairError::Repeated(_) => &refusal::REPAIR_FILE_TWICE,
        RepairError::WrongTotal(_)
        | RepairError::WrongSummand(_)
        | RepairError::OtherSplits(_)
        | RepairError::WrongSum(_) => &refusal::REPAIR_WRONG_VALUE,
        RepairError::NotMine => &refusal::NOT_A_MEMBER,
        RepairError::Random(_) => &refusal::NO_RANDOM,
        RepairError::Form(_) | RepairError::NotAHelper(_) | RepairError::Missing(_) => &refusal::FILE_INVALID,
    };
    kind.because(format!("{name}: {} ({error})", error.reason()))
}
