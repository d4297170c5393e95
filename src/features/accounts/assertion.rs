//! Client assertions (RFC 7523): the signed statement with which software says who it is.
//!
//! Promise: an assertion that passes was signed by the client's registered key, with that key's algorithm and no other,
//! for this platform, and ends within [`limits::ASSERTION_SECONDS`]. Times are compared with the platform's clock.
//! Deliberately not here: whether it was used before; that takes a transaction.

use serde::Deserialize;
use serde_json::{Number, Value};

use crate::kernel::encoding::from_base64url;
use crate::kernel::time::Timestamp;
use crate::limits;
use crate::seal::keys::VerifyingKey;

/// Why an assertion is refused, in a few words.
pub type Reason = &'static str;

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: Number,
    #[serde(default)]
    iat: Option<Number>,
    #[serde(default)]
    nbf: Option<Number>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// An assertion whose form has been read, and nothing more.
pub struct Assertion<'a> {
    header: Header,
    claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

/// What is left of an assertion that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Its id, which must not be seen again before it ends.
    pub jti: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// Whole seconds of a NumericDate, which may have a fraction.
fn seconds(number: &Number) -> Option<i64> {
    let most = 1_i64 << 40;
    #[expect(clippy::cast_possible_truncation, reason = "bounded just below")]
    let found = number.as_i64().or_else(|| number.as_f64().map(|value| value as i64));
    found.filter(|seconds| (0..most).contains(seconds))
}

impl<'a> Assertion<'a> {
    /// Reads an assertion in its compact form.
    ///
    /// # Errors
    /// When it is no JWT with the claims that RFC 7523 demands, or too long.
    pub fn read(text: &'a str) -> Result<Self, Reason> {
        if text.len() > limits::ASSERTION_LEN {
            return Err("the assertion is too long");
        }
        let (signed, signature) = text.rsplit_once('.').ok_or("the assertion is not a JWT")?;
        let (header, claims) = signed.split_once('.').ok_or("the assertion is not a JWT")?;
        let part = |part: &str| from_base64url(part).map_err(|_| "a part of the assertion is not base64url");
        // Text as a whole: what nobody reads of it must be UTF-8 too.
        let text = |bytes| String::from_utf8(bytes).map_err(|_| "a part of the assertion is not UTF-8");
        let header: Header =
            serde_json::from_str(&text(part(header)?)?).map_err(|_| "the assertion's header cannot be read")?;
        let claims: Claims = serde_json::from_str(&text(part(claims)?)?)
            .map_err(|_| "the assertion needs iss, sub, aud, exp and jti, each once")?;
        if header.crit.is_some() {
            return Err("the assertion's header has crit, which nothing here understands");
        }
        if claims.iss != claims.sub {
            return Err("iss and sub must both be the client's id");
        }
        if !(1..=limits::JTI_LEN).contains(&claims.jti.len()) {
            return Err("jti must have 1 to 128 bytes");
        }
        Ok(Self { header, claims, signed, signature: part(signature)? })
    }

    /// The client that it is said to come from.
    pub fn client(&self) -> &str {
        &self.claims.iss
    }

    /// Checks key, audience and times.
    ///
    /// # Errors
    /// Saying what does not fit.
    pub fn check(&self, key: &VerifyingKey, audiences: &[String], now: Timestamp) -> Result<Passed, Reason> {
        // The key decides on the algorithm, never the assertion.
        if self.header.alg != key.algorithm().name() {
            return Err("alg must be that of the registered key");
        }
        if self.header.kid.as_ref().is_some_and(|kid| *kid != key.key_id().to_string()) {
            return Err("kid, where given, must be that of the registered key");
        }
        key.verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| "the signature is not by the registered key")?;
        let meant = |audience: &String| audiences.contains(audience);
        let for_us = match &self.claims.aud {
            Audience::One(one) => meant(one),
            Audience::Several(several) => several.iter().any(meant),
        };
        if !for_us {
            return Err("aud must be the platform's public address or its token endpoint");
        }
        self.check_times(now.millis().div_euclid(1_000))
    }

    fn check_times(&self, now: i64) -> Result<Passed, Reason> {
        let Claims { exp, iat, nbf, jti, .. } = &self.claims;
        let exp = seconds(exp).ok_or("exp is no instant")?;
        let optional = |number: &Option<Number>| number.as_ref().map(|number| seconds(number).ok_or("not an instant"));
        let (iat, nbf) = (optional(iat).transpose()?, optional(nbf).transpose()?);
        if exp <= now {
            return Err("the assertion has expired by the platform's clock (GET /v1/time)");
        }
        if exp - now > limits::ASSERTION_SECONDS || iat.is_some_and(|iat| exp - iat > limits::ASSERTION_SECONDS) {
            return Err("exp must be at most 5 minutes from now and from iat");
        }
        if [iat, nbf].into_iter().flatten().any(|begins| begins > now + limits::CLIENT_SKEW_SECONDS) {
            return Err("iat or nbf lies in the future by the platform's clock (GET /v1/time)");
        }
        Ok(Passed { jti: jti.clone(), expires: Timestamp::from_millis(exp * 1_000) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoding::base64url;

    #[test]
    fn every_part_is_text_also_where_nobody_reads_it() {
        let claims = br#"{"iss":"cli-1","sub":"cli-1","aud":"x","exp":1,"jti":"1"}"#;
        let read = |header: &[u8]| {
            let text = format!("{}.{}.{}", base64url(header), base64url(claims), base64url(b"signature"));
            Assertion::read(&text).map(|read| read.client().to_owned())
        };
        assert_eq!(read(br#"{"alg":"EdDSA","x":"y"}"#), Ok("cli-1".to_owned()));
        assert_eq!(read(b"{\"alg\":\"EdDSA\",\"x\":\"\x9a\"}"), Err("a part of the assertion is not UTF-8"));
    }
}
