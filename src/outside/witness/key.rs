//! The key of a witness: a file of its own, made at the first start.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::kernel::secret::Secret;
use crate::seal::keys::{Algorithm, SigningKey};
use crate::tlog::note::{Kind, Verifier};

/// The key, with the name it signs under.
pub struct WitnessKey {
    key: SigningKey,
    verifier: Verifier,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The file.
    #[error("{0}")]
    Disk(#[from] io::Error),
    /// Others can read it.
    #[error("the key file can be read by others than its owner: chmod 600 it")]
    Open,
    /// It is no Ed25519 key, or the name cannot be a key's.
    #[error("the file is not an Ed25519 key in PEM (PKCS#8), or the name has spaces or a plus sign")]
    Unfit,
}

impl WitnessKey {
    /// A key under a name.
    ///
    /// # Errors
    /// [`KeyFault::Unfit`].
    pub fn new(key: SigningKey, name: &str) -> Result<Self, KeyFault> {
        if key.verifying_key().algorithm() != Algorithm::EdDsa {
            return Err(KeyFault::Unfit);
        }
        let verifier = Verifier::new(name, Kind::Cosignature, &key.verifying_key().to_bytes());
        Ok(Self { key, verifier: verifier.map_err(|_| KeyFault::Unfit)? })
    }

    /// Reads the file, or makes it where there is none. Nothing is written over.
    ///
    /// # Errors
    /// See [`KeyFault`].
    pub fn load_or_make(path: &Path, name: &str) -> Result<Self, KeyFault> {
        match fs::metadata(path) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(KeyFault::Open),
            Ok(_) => {
                let text = Secret::new(fs::read_to_string(path)?);
                Self::new(SigningKey::from_pem(text.expose()).map_err(|_| KeyFault::Unfit)?, name)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = SigningKey::generate(Algorithm::EdDsa).map_err(io::Error::other)?;
                // The name first: a key file must not be left behind for a name that cannot be.
                let made = Self::new(key, name)?;
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                file.write_all(made.key.to_pem().expose().as_bytes())?;
                file.sync_all()?;
                Ok(made)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Its public half.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Signs bytes.
    ///
    /// # Errors
    /// [`KeyFault::Unfit`] when the key does not sign.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyFault> {
        self.key.sign(bytes).map_err(|_| KeyFault::Unfit)
    }
}
