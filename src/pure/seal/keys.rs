//! Signing keys: Ed25519 (RFC 8032) as `EdDSA`, P-256 ECDSA with SHA-256 as `ES256`.
//!
//! Promise: a key id is the first 16 bytes of SHA-256(alg || 0x00 || public key), so that it names algorithm and key at
//! once. A [`VerifyingKey`] is on its curve (P-256) or is not one of the few Ed25519 points under which one signature
//! fits many messages. Ed25519 signatures are deterministic; ES256 signatures are not, and each has a second valid form,
//! so nothing may be identified by its signature. Deliberately absent: certificates, and every other algorithm.

use super::error::{FormError, RandomFailed};
use super::ids::KeyId;
use super::{pem, points::Point, random};
use crate::kernel::{digest::Hasher, encoding, secret::Secret};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    UnparsedPublicKey, VerificationAlgorithm,
};
use std::fmt;

/// Bytes of a signature of either algorithm.
pub const SIGNATURE_LEN: usize = 64;

/// PKCS#8 version 1 (RFC 8410 section 7) around the 32 bytes of an Ed25519 seed: what other tools read and write.
const ED25519_PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The y coordinates of the Ed25519 points of order 1, 2, 4 and 8, canonical and not, without the sign bit.
const ED25519_SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// The text is not a PKCS#8 private key of a supported algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a PKCS#8 private key for Ed25519 or P-256")]
pub struct NotAKey;

/// A signature algorithm of RFC 7518 and RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// Reads the name.
    ///
    /// # Errors
    /// [`FormError::Algorithm`] for every other name, `none` included.
    pub fn parse(name: &str) -> Result<Self, FormError> {
        match name {
            "EdDSA" => Ok(Self::EdDsa),
            "ES256" => Ok(Self::Es256),
            _ => Err(FormError::Algorithm(name.to_owned())),
        }
    }
}

/// A public signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyingKey {
    /// 32 bytes (RFC 8032 section 5.1.5).
    Ed25519([u8; 32]),
    /// An uncompressed point, 65 bytes.
    P256(Point),
}

impl VerifyingKey {
    /// Reads a public key: 32 bytes for `EdDSA`, 65 uncompressed bytes for `ES256`.
    ///
    /// # Errors
    /// [`FormError::PublicKey`].
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, FormError> {
        match algorithm {
            Algorithm::Es256 => Point::from_uncompressed(bytes).map(Self::P256).map_err(|_| FormError::PublicKey),
            Algorithm::EdDsa => {
                let key: [u8; 32] = bytes.try_into().map_err(|_| FormError::PublicKey)?;
                let mut y = key;
                y[31] &= 0x7f;
                if ED25519_SMALL_ORDER.contains(&encoding::hex(&y).as_str()) {
                    return Err(FormError::PublicKey);
                }
                Ok(Self::Ed25519(key))
            }
        }
    }

    /// Reads a public key as it stands on the wire: algorithm name and base64url.
    ///
    /// # Errors
    /// `Algorithm`, `Base64` or `PublicKey`.
    pub fn parse(algorithm: &str, text: &str) -> Result<Self, FormError> {
        let algorithm = Algorithm::parse(algorithm)?;
        let bytes = encoding::from_base64url(text).map_err(|_| FormError::Base64("public_key"))?;
        Self::from_bytes(algorithm, &bytes)
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
        }
    }

    /// The raw bytes: 32 or 65.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.to_vec(),
            Self::P256(point) => point.to_uncompressed().to_vec(),
        }
    }

    /// The raw bytes in base64url.
    pub fn to_base64url(&self) -> String {
        encoding::base64url(&self.to_bytes())
    }

    /// The id that a signature names.
    pub fn key_id(&self) -> KeyId {
        let mut hasher = Hasher::new();
        hasher.update(self.algorithm().name().as_bytes());
        hasher.update(&[0]);
        hasher.update(&self.to_bytes());
        KeyId::of(&hasher.finish())
    }

    /// Verifies a signature over `message`.
    ///
    /// # Errors
    /// [`FormError::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), FormError> {
        let algorithm: &'static dyn VerificationAlgorithm = match self {
            Self::Ed25519(_) => &ED25519,
            Self::P256(_) => &ECDSA_P256_SHA256_FIXED,
        };
        UnparsedPublicKey::new(algorithm, self.to_bytes()).verify(message, signature).map_err(|_| FormError::Signature)
    }
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A private signing key.
pub struct SigningKey {
    pkcs8: Secret<Vec<u8>>,
    pair: Pair,
    public: VerifyingKey,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// If the system's random source fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, RandomFailed> {
        let pkcs8 = match algorithm {
            Algorithm::EdDsa => {
                let seed = random::secret::<32>()?;
                [&ED25519_PKCS8_PREFIX[..], seed.expose()].concat()
            }
            Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| RandomFailed)?
                .as_ref()
                .to_vec(),
        };
        Ok(Self::from_pkcs8(Secret::new(pkcs8)).expect("a key just made is well-formed"))
    }

    /// Reads a PKCS#8 private key in PEM.
    ///
    /// # Errors
    /// [`NotAKey`], also for encrypted keys.
    pub fn from_pem(text: &str) -> Result<Self, NotAKey> {
        Self::from_pkcs8(pem::decode(text)?)
    }

    /// Reads a PKCS#8 private key in DER; Ed25519 in version 1 (without) or 2 (with the public key).
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn from_pkcs8(pkcs8: Secret<Vec<u8>>) -> Result<Self, NotAKey> {
        let pair = match Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8.expose()) {
            Ok(pair) => Pair::Ed25519(pair),
            Err(_) => {
                let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
                Pair::P256(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.expose(), &random).map_err(|_| NotAKey)?)
            }
        };
        let (algorithm, public) = match &pair {
            Pair::Ed25519(pair) => (Algorithm::EdDsa, pair.public_key().as_ref()),
            Pair::P256(pair) => (Algorithm::Es256, pair.public_key().as_ref()),
        };
        let public = VerifyingKey::from_bytes(algorithm, public).map_err(|_| NotAKey)?;
        Ok(Self { pkcs8, pair, public })
    }

    /// The key as PKCS#8 in PEM.
    pub fn to_pem(&self) -> Secret<String> {
        pem::encode(self.pkcs8().expose())
    }

    /// The key as PKCS#8 in DER.
    pub const fn pkcs8(&self) -> &Secret<Vec<u8>> {
        &self.pkcs8
    }

    /// The public key.
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs `message`: 64 bytes.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RandomFailed> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| RandomFailed)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.key_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoding::from_hex;

    const BOTH: [Algorithm; 2] = [Algorithm::EdDsa, Algorithm::Es256];

    #[test]
    fn rfc_8032_section_7_1_test_1_is_reproduced() {
        let seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let key = SigningKey::from_pkcs8(Secret::new([&ED25519_PKCS8_PREFIX[..], &seed].concat())).unwrap();
        let public = encoding::hex(&key.verifying_key().to_bytes());
        assert_eq!(public, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(
            encoding::hex(&key.sign(b"").unwrap()),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        );
    }

    #[test]
    fn a_key_comes_back_from_its_pem() {
        for algorithm in BOTH {
            let key = SigningKey::generate(algorithm).unwrap();
            let back = SigningKey::from_pem(key.to_pem().expose()).unwrap();
            assert_eq!(back.verifying_key(), key.verifying_key());
            assert_eq!(back.verifying_key().algorithm(), algorithm);
            let signature = back.sign(b"message").unwrap();
            assert_eq!(signature.len(), SIGNATURE_LEN);
            key.verifying_key().verify(b"message", &signature).unwrap();
        }
    }

    #[test]
    fn a_public_key_comes_back_from_the_wire() {
        for algorithm in BOTH {
            let key = *SigningKey::generate(algorithm).unwrap().verifying_key();
            let back = VerifyingKey::parse(algorithm.name(), &key.to_base64url()).unwrap();
            assert_eq!(back, key);
            assert_eq!(back.key_id(), key.key_id());
        }
    }

    #[test]
    fn altered_messages_and_signatures_do_not_verify() {
        for algorithm in BOTH {
            let key = SigningKey::generate(algorithm).unwrap();
            let public = key.verifying_key();
            let signature = key.sign(b"message").unwrap();
            assert_eq!(public.verify(b"messagf", &signature), Err(FormError::Signature));
            for bit in 0..signature.len() * 8 {
                let mut altered = signature.clone();
                altered[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(public.verify(b"message", &altered), Err(FormError::Signature), "bit {bit}");
            }
        }
    }

    #[test]
    fn ed25519_keys_of_small_order_are_refused() {
        for y in ED25519_SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut bytes = from_hex(y).unwrap();
                bytes[31] |= sign;
                assert_eq!(VerifyingKey::from_bytes(Algorithm::EdDsa, &bytes), Err(FormError::PublicKey));
            }
        }
    }

    #[test]
    fn other_algorithms_lengths_and_texts_are_refused() {
        for name in ["none", "HS256", "RS256", "eddsa", "ES384", ""] {
            assert_eq!(Algorithm::parse(name), Err(FormError::Algorithm(name.into())));
        }
        for bytes in [&[2; 31][..], &[2; 33], &[]] {
            assert_eq!(VerifyingKey::from_bytes(Algorithm::EdDsa, bytes), Err(FormError::PublicKey));
            assert_eq!(VerifyingKey::from_bytes(Algorithm::Es256, bytes), Err(FormError::PublicKey));
        }
        for text in ["", "key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(SigningKey::from_pem(text).unwrap_err(), NotAKey);
        }
    }

    #[test]
    fn the_debug_text_of_a_signing_key_is_its_id() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.verifying_key().key_id()));
    }
}
