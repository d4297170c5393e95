//! Access tokens: short-lived JWTs signed with Ed25519.
//!
//! `exp` and `nbf` are checked here against the platform's own clock, because the library reads the system's. The
//! algorithm is fixed: a token that names another one, `none` included, is refused before anything is verified.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::kernel::digest::{Digest, sha256};
use crate::kernel::encoding::base64url;
use crate::kernel::memo::Memo;
use crate::kernel::time::Timestamp;
use crate::limits;
use crate::seal::keys::SigningKey;

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Claims {
    /// The platform.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The user's organisation.
    pub org: String,
    /// The user's roles.
    pub roles: Vec<String>,
    /// The session that the token belongs to.
    pub sid: String,
    /// Issued at, epoch seconds.
    pub iat: i64,
    /// Not valid from this second on.
    pub exp: i64,
}

/// Makes and checks tokens.
pub struct Tokens {
    issuer: String,
    kid: String,
    public_key: Vec<u8>,
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// Tokens whose signature was verified, by their digest: the same bytes verify again. When they end is looked at anew
    /// each time.
    verified: Memo<Digest, Claims>,
}

/// The token is not one of ours, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not a token, another algorithm or key, another issuer, or changed on the way.
    Invalid,
    /// It was valid once.
    Expired,
}

impl Tokens {
    /// Tokens of the platform `issuer`, signed with `key`, which must be an Ed25519 key.
    pub fn new(issuer: &str, key: &SigningKey) -> Self {
        // A second call finds the provider in place; that is fine.
        let _ = RING.install_default();
        let public_key = key.verifying_key().to_bytes();
        Self {
            issuer: issuer.to_owned(),
            kid: key.verifying_key().key_id().to_string(),
            encoding: EncodingKey::from_ed_der(key.pkcs8().expose()),
            decoding: DecodingKey::from_ed_der(&public_key),
            public_key,
            verified: Memo::new(limits::TOKENS_REMEMBERED),
        }
    }

    /// A token for a user's session, and the instant it ends.
    pub fn issue(&self, user: &str, org: &str, roles: &[String], session: &str, now: Timestamp) -> (String, Timestamp) {
        let iat = now.millis() / 1000;
        let exp = iat + limits::ACCESS_TOKEN_SECONDS;
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: user.to_owned(),
            org: org.to_owned(),
            roles: roles.to_vec(),
            sid: session.to_owned(),
            iat,
            exp,
        };
        let header = Header { alg: Algorithm::EdDSA, kid: Some(self.kid.clone()), ..Header::default() };
        let token = jsonwebtoken::encode(&header, &claims, &self.encoding)
            .expect("plain claims and an Ed25519 key always encode");
        (token, Timestamp::from_millis(exp * 1000))
    }

    /// Checks a token at the instant `now`.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn check(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let digest = sha256(token.as_bytes());
        let claims = match self.verified.get(&digest) {
            Some(claims) => claims,
            None => {
                let claims = self.verify(token)?;
                self.verified.put(digest, claims.clone());
                claims
            }
        };
        if now.millis() >= claims.exp.saturating_mul(1000) { Err(TokenError::Expired) } else { Ok(claims) }
    }

    /// Checks everything about a token that time does not change.
    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        validation.set_issuer(&[&self.issuer]);
        let data =
            jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation).map_err(|_| TokenError::Invalid)?;
        if data.header.kid.as_deref() != Some(&self.kid) {
            return Err(TokenError::Invalid);
        }
        Ok(data.claims)
    }

    /// The public half as a JWK set (RFC 7517, RFC 8037).
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": base64url(&self.public_key),
        }] })
    }
}

/// `jsonwebtoken` over ring: Ed25519 and nothing else.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ok(Box::new(Signer(
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes())
                .map_err(|_| jsonwebtoken::errors::ErrorKind::InvalidEddsaKey)?,
        ))),
        _ => Err(jsonwebtoken::errors::ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ok(Box::new(Verifier(key.try_get_as_bytes()?.to_vec()))),
        _ => Err(jsonwebtoken::errors::ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Signer(Ed25519KeyPair);
struct Verifier(Vec<u8>);

impl signature::Signer<Vec<u8>> for Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

impl signature::Verifier<Vec<u8>> for Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
