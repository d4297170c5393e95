//! What an organisation is registered under: a scheme and an id in it.
//!
//! Promise: a Chinese unified social credit code (统一社会信用代码, scheme `CN-USCC`) carries a correct check
//! character (GB 32100-2015); an identifier of another scheme is short, printable text.
//! Deliberately not here: whether the organisation exists or whom it belongs to; the centre confirms that once.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// The scheme of Chinese unified social credit codes.
pub const CN_USCC: &str = "CN-USCC";
/// Characters of a scheme's name: long enough for `<country>-<register>`.
const SCHEME_CHARS: std::ops::RangeInclusive<usize> = 2..=32;
/// Longest identifier in characters: longer than any company register's number.
const MAX_ID_CHARS: usize = 64;
/// The 31 characters of a code, in the order of their values (GB 32100-2015 table 1: no I, O, S, V, Z).
const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// An identifier is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    /// The scheme is not 2 to 32 characters of `[A-Z0-9-]`.
    #[error("a scheme is 2 to 32 characters of A-Z, 0-9 and hyphen")]
    Scheme,
    /// The id is empty, too long or holds characters that can not be printed.
    #[error("an identifier is 1 to 64 printable characters")]
    Id,
    /// Not 18 characters of the code's alphabet in the code's pattern.
    #[error(
        "a unified social credit code is 18 digits and capital letters without I, O, S, V, Z, digits at places 3 to 8"
    )]
    UsccForm,
    /// The last character does not fit the others: a typing mistake.
    #[error("the check character of the unified social credit code is wrong")]
    UsccCheck,
}

/// An organisation's identifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
pub struct OrgIdentifier {
    /// The register, for example `CN-USCC`.
    #[schema(example = "CN-USCC")]
    scheme: String,
    /// The id in that register.
    #[schema(example = "914403001922038216")]
    id: String,
}

impl OrgIdentifier {
    /// Checks both parts.
    pub fn new(scheme: &str, id: &str) -> Result<Self, InvalidIdentifier> {
        let scheme_ok = SCHEME_CHARS.contains(&scheme.len())
            && scheme.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-'));
        if !scheme_ok {
            return Err(InvalidIdentifier::Scheme);
        }
        if scheme == CN_USCC {
            check_uscc(id)?;
        } else if !is_printable(id) {
            return Err(InvalidIdentifier::Id);
        }
        Ok(Self { scheme: scheme.to_owned(), id: id.to_owned() })
    }

    /// The register.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The id in the register.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for OrgIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme, self.id)
    }
}

impl<'de> Deserialize<'de> for OrgIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            scheme: String,
            id: String,
        }
        let parts = Parts::deserialize(deserializer)?;
        Self::new(&parts.scheme, &parts.id).map_err(serde::de::Error::custom)
    }
}

/// Blanks at the ends are refused because two identifiers that look alike must be alike.
fn is_printable(id: &str) -> bool {
    let count = id.chars().count();
    (1..=MAX_ID_CHARS).contains(&count) && id.trim() == id && !id.chars().any(char::is_control)
}

/// GB 32100-2015: weight of place i (from 0) is 3^i mod 31; the check value is (31 - sum mod 31) mod 31.
fn check_uscc(code: &str) -> Result<(), InvalidIdentifier> {
    let bytes = code.as_bytes();
    if bytes.len() != 18 || !bytes[2..8].iter().all(u8::is_ascii_digit) {
        return Err(InvalidIdentifier::UsccForm);
    }
    let mut values = Vec::with_capacity(18);
    for byte in bytes {
        let value = USCC_ALPHABET.iter().position(|known| known == byte).ok_or(InvalidIdentifier::UsccForm)?;
        values.push(value);
    }
    let mut weight = 1;
    let mut sum = 0;
    for value in &values[..17] {
        sum = (sum + value * weight) % 31;
        weight = weight * 3 % 31;
    }
    if values[17] == (31 - sum) % 31 { Ok(()) } else { Err(InvalidIdentifier::UsccCheck) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL_CODES: [&str; 2] = ["914403001922038216", "9144030071526726XG"];

    #[test]
    fn two_real_codes_carry_a_correct_check_character() {
        for code in REAL_CODES {
            assert!(OrgIdentifier::new(CN_USCC, code).is_ok(), "{code}");
        }
    }

    #[test]
    fn any_single_wrong_character_of_a_code_is_noticed() {
        for code in REAL_CODES {
            for place in 0..18 {
                for wrong in USCC_ALPHABET {
                    let mut bytes = code.as_bytes().to_vec();
                    if bytes[place] == *wrong {
                        continue;
                    }
                    bytes[place] = *wrong;
                    let changed = String::from_utf8(bytes).expect("ASCII");
                    assert!(OrgIdentifier::new(CN_USCC, &changed).is_err(), "{changed}");
                }
            }
        }
    }

    #[test]
    fn a_code_of_another_form_is_refused() {
        for code in [
            "",
            "91440300192203821",
            "9144030019220382166",
            "91440300192203821o",
            "9144030071526726xg",
            "91440I001922038216",
        ] {
            assert_eq!(OrgIdentifier::new(CN_USCC, code), Err(InvalidIdentifier::UsccForm), "{code}");
        }
    }

    #[test]
    fn identifiers_of_other_schemes_are_short_printable_text() {
        assert!(OrgIdentifier::new("GB-COH", "01234567").is_ok());
        assert!(OrgIdentifier::new("KH-MOC", "ក្រុមហ៊ុន 12").is_ok());
        assert_eq!(OrgIdentifier::new("gb-coh", "1"), Err(InvalidIdentifier::Scheme));
        assert_eq!(OrgIdentifier::new("X", "1"), Err(InvalidIdentifier::Scheme));
        for id in ["", " 1", "1\n", "1\u{7f}2", &"x".repeat(65)] {
            assert_eq!(OrgIdentifier::new("GB-COH", id), Err(InvalidIdentifier::Id), "{id:?}");
        }
    }

    #[test]
    fn the_wire_form_is_checked_when_it_is_read() {
        let good = r#"{"scheme":"CN-USCC","id":"914403001922038216"}"#;
        assert!(serde_json::from_str::<OrgIdentifier>(good).is_ok());
        assert!(serde_json::from_str::<OrgIdentifier>(&good.replace("8216", "8217")).is_err());
        assert!(serde_json::from_str::<OrgIdentifier>(&good.replace("}", r#","x":1}"#)).is_err());
    }
}
