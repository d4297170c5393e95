//! Signed objects: JWS in the flattened JSON form (RFC 7515 section 7.2.2).
//!
//! Promise: payload and protected header are kept as the exact bytes that were signed and are never serialised again.
//! The protected header is exactly {alg, kid, typ}: `crit`, `b64` and every other field are refused, and so are an
//! unprotected header and a `typ` other than the expected one, so that a signature made for one purpose cannot serve
//! another. Deliberately absent: several signatures, detached payloads, and knowing whose key it is.

use super::error::{FormError, RandomFailed};
use super::ids::KeyId;
use super::keys::{Algorithm, SIGNATURE_LEN, SigningKey, VerifyingKey};
use super::limits::MAX_JWS_BYTES;
use super::strict_json::Object;
use crate::kernel::encoding;
use serde::Serialize;

/// The three strings of a flattened JWS. Serialises to what [`Jws::parse`] reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Wire {
    protected: String,
    payload: String,
    signature: String,
}

/// A signed object whose form has been checked, but whose signature may not have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jws {
    #[serde(flatten)]
    wire: Wire,
    #[serde(skip)]
    algorithm: Algorithm,
    #[serde(skip)]
    key_id: KeyId,
    #[serde(skip)]
    payload: Vec<u8>,
    #[serde(skip)]
    signature: [u8; SIGNATURE_LEN],
}

#[derive(Serialize)]
struct Protected<'a> {
    alg: &'a str,
    kid: KeyId,
    typ: &'a str,
}

impl Jws {
    /// Signs `payload` as an object of type `typ`.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(key: &SigningKey, typ: &'static str, payload: &[u8]) -> Result<Self, RandomFailed> {
        let public = key.verifying_key();
        let protected = Protected { alg: public.algorithm().name(), kid: public.key_id(), typ };
        let protected = serde_json::to_vec(&protected).expect("three strings serialise");
        let (protected, text) = (encoding::base64url(&protected), encoding::base64url(payload));
        let signature = key.sign(format!("{protected}.{text}").as_bytes())?;
        Ok(Self {
            wire: Wire { protected, payload: text, signature: encoding::base64url(&signature) },
            algorithm: public.algorithm(),
            key_id: public.key_id(),
            payload: payload.to_vec(),
            signature: signature.try_into().expect("both algorithms sign with 64 bytes"),
        })
    }

    /// Reads the JSON text of a JWS of type `typ`.
    ///
    /// # Errors
    /// Every way in which the form may be wrong, see [`FormError`].
    pub fn parse(bytes: &[u8], typ: &'static str) -> Result<Self, FormError> {
        Self::parse_within(bytes, typ, MAX_JWS_BYTES)
    }

    /// [`Jws::parse`] for an object of another size.
    ///
    /// # Errors
    /// As there.
    pub fn parse_within(bytes: &[u8], typ: &'static str, limit: usize) -> Result<Self, FormError> {
        let mut object = Object::parse(bytes, limit)?;
        let wire = Wire {
            protected: object.text("protected")?,
            payload: object.text("payload")?,
            signature: object.text("signature")?,
        };
        object.end()?;
        Self::from_wire(wire, typ)
    }

    /// Reads a JWS that is a value inside a JSON document already parsed. The document's own reader must have refused
    /// repeated keys.
    ///
    /// # Errors
    /// As [`Jws::parse`].
    pub fn from_value(value: &serde_json::Value, typ: &'static str) -> Result<Self, FormError> {
        Self::parse(value.to_string().as_bytes(), typ)
    }

    /// The type and the key that a signed object inside a JSON document names, for a reader that takes several.
    ///
    /// # Errors
    /// If there is no readable protected header.
    pub fn named(value: &serde_json::Value) -> Result<(String, KeyId), FormError> {
        let protected = value.get("protected").ok_or(FormError::MissingField("protected"))?;
        let text = protected.as_str().ok_or(FormError::WrongType("protected"))?;
        let bytes = encoding::from_base64url(text).map_err(|_| FormError::Base64("protected"))?;
        let mut object = Object::parse(&bytes, MAX_JWS_BYTES)?;
        Ok((object.text("typ")?, KeyId::parse(&object.text("kid")?, "kid")?))
    }

    fn from_wire(wire: Wire, typ: &'static str) -> Result<Self, FormError> {
        let decode = |text: &str, field| encoding::from_base64url(text).map_err(|_| FormError::Base64(field));
        let mut protected = Object::parse(&decode(&wire.protected, "protected")?, MAX_JWS_BYTES)?;
        let algorithm = Algorithm::parse(&protected.text("alg")?)?;
        let key_id = KeyId::parse(&protected.text("kid")?, "kid")?;
        let found = protected.text("typ")?;
        protected.end()?;
        if found != typ {
            return Err(FormError::Typ { expected: typ, found });
        }
        let payload = decode(&wire.payload, "payload")?;
        let signature =
            decode(&wire.signature, "signature")?.try_into().map_err(|_| FormError::WrongLength("signature"))?;
        Ok(Self { wire, algorithm, key_id, payload, signature })
    }

    /// Verifies that `key` made the signature.
    ///
    /// # Errors
    /// `OtherKey` if the header names another key, `Signature` if the signature is not valid.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), FormError> {
        if self.key_id != key.key_id() || self.algorithm != key.algorithm() {
            return Err(FormError::OtherKey(self.key_id.to_string()));
        }
        let signed = format!("{}.{}", self.wire.protected, self.wire.payload);
        key.verify(signed.as_bytes(), &self.signature)
    }

    /// The key that the header names.
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The signed bytes.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.wire).expect("three strings serialise")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const TYP: &str = "sealbid-test+jws";

    fn signed(protected: &str) -> String {
        let encode = |text: &str| encoding::base64url(text.as_bytes());
        json!({"protected": encode(protected), "payload": "e30", "signature": encoding::base64url(&[0; 64])})
            .to_string()
    }

    #[test]
    fn what_is_signed_with_either_algorithm_parses_and_verifies() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let jws = Jws::sign(&key, TYP, b"{\"a\": 1}").unwrap();
            let back = Jws::parse(jws.to_json().as_bytes(), TYP).unwrap();
            assert_eq!(back, jws);
            assert_eq!(back.payload(), b"{\"a\": 1}");
            assert_eq!(back.key_id(), key.verifying_key().key_id());
            back.verify(key.verifying_key()).unwrap();
            let value: Value = serde_json::to_value(&jws).unwrap();
            assert_eq!(value.to_string(), serde_json::from_str::<Value>(&jws.to_json()).unwrap().to_string());
            assert_eq!(Jws::from_value(&value, TYP).unwrap(), jws);
        }
    }

    #[test]
    fn ed25519_signs_the_same_bytes_twice_the_same() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        assert_eq!(Jws::sign(&key, TYP, b"x").unwrap(), Jws::sign(&key, TYP, b"x").unwrap());
    }

    #[test]
    fn another_key_or_another_payload_does_not_verify() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let other = SigningKey::generate(Algorithm::Es256).unwrap();
        let jws = Jws::sign(&key, TYP, b"x").unwrap();
        assert_eq!(jws.verify(other.verifying_key()).unwrap_err().reason(), "other_signing_key");
        let mut value: Value = serde_json::from_str(&jws.to_json()).unwrap();
        value["payload"] = json!(encoding::base64url(b"y"));
        let altered = Jws::from_value(&value, TYP).unwrap();
        assert_eq!(altered.verify(key.verifying_key()), Err(FormError::Signature));
    }

    #[test]
    fn a_protected_header_other_than_alg_kid_typ_is_refused() {
        let kid = "00".repeat(16);
        let good = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"{TYP}"}}"#);
        assert!(Jws::parse(signed(&good).as_bytes(), TYP).is_ok());
        let with = |extra: &str| good.replace('}', &format!(",{extra}}}"));
        for (protected, reason) in [
            (with(r#""crit":["b64"]"#), "unknown_field"),
            (with(r#""b64":false"#), "unknown_field"),
            (with(r#""jwk":{}"#), "unknown_field"),
            (with(r#""alg":"ES256""#), "duplicate_key"),
            (good.replace("EdDSA", "none"), "unknown_algorithm"),
            (good.replace("EdDSA", "HS256"), "unknown_algorithm"),
            (good.replace(TYP, "sealbid-other+jws"), "wrong_typ"),
            (good.replace(&kid, "00"), "bad_hex"),
            (good.replace("alg", "alh"), "missing_field"),
            (format!("{good} x"), "not_json"),
        ] {
            let error = Jws::parse(signed(&protected).as_bytes(), TYP).unwrap_err();
            assert_eq!(error.reason(), reason, "{protected}");
        }
    }

    #[test]
    fn a_wrong_outer_form_is_refused() {
        let kid = "00".repeat(16);
        let good = signed(&format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"{TYP}"}}"#));
        let with = |extra: &str| good.replace('}', &format!(",{extra}}}"));
        let short = encoding::base64url(&[0; 63]);
        for (text, reason) in [
            (with(r#""header":{}"#), "unknown_field"),
            (with(r#""payload":"e30""#), "duplicate_key"),
            (good.replace("e30", "e30="), "not_base64url"),
            (good.replace("e30", "e31"), "not_base64url"),
            (good.replace(&encoding::base64url(&[0; 64]), &short), "wrong_length"),
            (good.replace("signature", "signatures"), "missing_field"),
            (format!("{good}{}", " ".repeat(MAX_JWS_BYTES)), "too_large"),
        ] {
            let error = Jws::parse(text.as_bytes(), TYP).unwrap_err();
            assert_eq!(error.reason(), reason, "{text}");
        }
    }
}
