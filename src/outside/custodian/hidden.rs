//! Secret bytes in the state file: base64url in its JSON, which is encrypted as a whole.
//!
//! For `#[serde(with = "hidden")]` on a [`Secret`] of bytes; a secret by itself cannot be serialised, on purpose.

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};
use zeroize::Zeroize;

use crate::kernel::encoding;
use crate::kernel::secret::Secret;

/// Writes the bytes.
pub fn serialize<T: AsRef<[u8]> + Zeroize, S: Serializer>(
    secret: &Secret<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = Secret::new(encoding::base64url(secret.expose().as_ref()));
    serializer.serialize_str(text.expose())
}

/// Reads the bytes; an array also demands its length.
pub fn deserialize<'de, T: TryFrom<Vec<u8>> + Zeroize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Secret<T>, D::Error> {
    let text = Secret::new(String::deserialize(deserializer)?);
    let bytes = encoding::from_base64url(text.expose()).map_err(D::Error::custom)?;
    T::try_from(bytes).map(Secret::new).map_err(|_| D::Error::custom("a secret has the wrong length"))
}

/// For a list of secrets.
pub mod list {
    use serde::ser::SerializeSeq;

    use super::{Deserialize, Deserializer, Secret, Serializer};

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(transparent)]
    struct One(#[serde(with = "super")] Secret<Vec<u8>>);

    /// Writes them in order.
    pub fn serialize<S: Serializer>(secrets: &[Secret<Vec<u8>>], serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(secrets.len()))?;
        for secret in secrets {
            sequence.serialize_element(&One(Secret::new(secret.expose().clone())))?;
        }
        sequence.end()
    }

    /// Reads them.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret<Vec<u8>>>, D::Error> {
        Ok(Vec::<One>::deserialize(deserializer)?.into_iter().map(|one| one.0).collect())
    }
}
