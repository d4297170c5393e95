//! The small texts of the format: identifiers, times, key ids.
//!
//! Promise: each has exactly one spelling per value, so that comparing texts is comparing values. Deliberately absent:
//! what an identifier refers to, and any clock.

use super::{error::FormError, limits::MAX_IDENT_CHARS};
use crate::kernel::{digest::Digest, encoding};
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// An identifier: 1 to 64 characters of `a-z`, `0-9` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct Ident(String);

impl Ident {
    /// Checks `text`; `field` is named in the error.
    ///
    /// # Errors
    /// [`FormError::Identifier`].
    pub fn parse(text: impl Into<String>, field: &'static str) -> Result<Self, FormError> {
        let text = text.into();
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if text.is_empty() || text.len() > MAX_IDENT_CHARS || !text.bytes().all(allowed) {
            return Err(FormError::Identifier(field));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A moment as RFC 3339 text in UTC with milliseconds, always 24 characters: `2026-11-22T03:49:39.000Z`.
/// Its order as text is its order in time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct UtcMillis(String);

impl UtcMillis {
    /// Checks `text`; `field` is named in the error. Leap seconds are refused: our clocks have none.
    ///
    /// # Errors
    /// [`FormError::Time`].
    pub fn parse(text: impl Into<String>, field: &'static str) -> Result<Self, FormError> {
        let text = text.into();
        if is_utc_millis(text.as_bytes()) { Ok(Self(text)) } else { Err(FormError::Time(field)) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_utc_millis(text: &[u8]) -> bool {
    const SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let shaped = text.len() == SHAPE.len()
        && text.iter().zip(SHAPE).all(|(c, shape)| match shape {
            b'0' => c.is_ascii_digit(),
            _ => c == shape,
        });
    if !shaped {
        return false;
    }
    let number = |from: usize, to: usize| text[from..to].iter().fold(0_u32, |n, c| n * 10 + u32::from(c - b'0'));
    let year = number(0, 4);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match number(5, 7) {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&number(8, 10)) && number(11, 13) < 24 && number(14, 16) < 60 && number(17, 19) < 60
}

/// The id of a key or key set: 16 bytes, 32 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// The first 16 bytes of a digest.
    pub fn of(digest: &Digest) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        Self(bytes)
    }

    /// Reads the 32 digits; `field` is named in the error.
    ///
    /// # Errors
    /// [`FormError::Hex`].
    pub fn parse(text: &str, field: &'static str) -> Result<Self, FormError> {
        let bytes = encoding::from_hex(text).map_err(|_| FormError::Hex(field))?;
        bytes.try_into().map(Self).map_err(|_| FormError::Hex(field))
    }
}

impl FromStr for KeyId {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        Self::parse(text, "kid")
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encoding::hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_short_lowercase_and_plain() {
        assert!(Ident::parse("lot-1", "lot").is_ok());
        assert!(Ident::parse("a".repeat(64), "lot").is_ok());
        for text in ["", "Lot", "lot_1", "lot 1", "批", "lot/1", &"a".repeat(65)] {
            assert_eq!(Ident::parse(text, "lot"), Err(FormError::Identifier("lot")), "{text}");
        }
    }

    #[test]
    fn times_are_utc_with_milliseconds_and_real_dates() {
        for text in ["2026-11-22T03:49:39.000Z", "2024-02-29T23:59:59.999Z", "2000-02-29T00:00:00.000Z"] {
            assert!(UtcMillis::parse(text, "created").is_ok(), "{text}");
        }
        for text in [
            "2026-11-22T03:49:39Z",
            "2026-11-22T03:49:39.000+00:00",
            "2026-11-22t03:49:39.000z",
            "2026-02-29T00:00:00.000Z",
            "1900-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
            "2026-04-31T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2026-01-01T00:00:60.000Z",
            "",
        ] {
            assert_eq!(UtcMillis::parse(text, "created"), Err(FormError::Time("created")), "{text}");
        }
    }

    #[test]
    fn a_key_id_is_32_lowercase_hex_digits() {
        let id = "000102030405060708090a0b0c0d0e0f";
        assert_eq!(id.parse::<KeyId>().unwrap().to_string(), id);
        assert!(id.to_uppercase().parse::<KeyId>().is_err());
        assert!(id[2..].parse::<KeyId>().is_err());
    }
}
