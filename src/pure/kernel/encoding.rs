//! Bytes as text: base64url without padding (RFC 4648 section 5) and lowercase hexadecimal.
//!
//! Promise: decoding accepts exactly the texts that encoding produces. Padding, other alphabets, white space and
//! non-zero trailing bits are refused, so that one byte string has one text and a signature over the text is a
//! signature over the bytes. Deliberately absent: lenient decoding of any kind.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The text is not the canonical encoding of any byte string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Not canonical base64url without padding.
    #[error("not canonical base64url without padding")]
    Base64Url,
    /// Not lowercase hexadecimal of an even length.
    #[error("not lowercase hexadecimal")]
    Hex,
}

/// Encodes `bytes` as base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes canonical base64url without padding.
///
/// # Errors
/// [`EncodingError::Base64Url`] for every text that [`base64url`] does not produce.
pub fn from_base64url(text: &str) -> Result<Vec<u8>, EncodingError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| EncodingError::Base64Url)
}

/// Encodes `bytes` as lowercase hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// Decodes lowercase hexadecimal.
///
/// # Errors
/// [`EncodingError::Hex`] for uppercase digits, other characters and odd lengths.
pub fn from_hex(text: &str) -> Result<Vec<u8>, EncodingError> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(EncodingError::Hex),
    };
    if !text.len().is_multiple_of(2) {
        return Err(EncodingError::Hex);
    }
    text.as_bytes().chunks_exact(2).map(|pair| Ok(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// For `#[serde(with = "...")]` on a byte field (a vector or an array): base64url on the wire.
pub mod serde_base64url {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Writes the bytes as base64url without padding.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: AsRef<[u8]>, S: Serializer>(bytes: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::base64url(bytes.as_ref()))
    }

    /// Reads canonical base64url; an array also demands its length.
    ///
    /// # Errors
    /// If the text is not canonical base64url, or has another length than the array.
    pub fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = super::from_base64url(&text).map_err(D::Error::custom)?;
        let len = bytes.len();
        T::try_from(bytes).map_err(|_| D::Error::custom(format!("{len} bytes are the wrong length")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_has_one_text_per_byte_string() {
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
        assert_eq!(from_base64url("-_8"), Ok(vec![0xfb, 0xff]));
        assert_eq!(from_base64url(""), Ok(vec![]));
        for text in ["-_9", "-_8=", "+/8", "-_8 ", "-_8\n", "-", "-_8A-"] {
            assert_eq!(from_base64url(text), Err(EncodingError::Base64Url), "{text:?}");
        }
    }

    #[test]
    fn hex_is_lowercase_and_whole_bytes() {
        assert_eq!(hex(&[0, 0xab, 0x1f]), "00ab1f");
        assert_eq!(from_hex("00ab1f"), Ok(vec![0, 0xab, 0x1f]));
        for text in ["0", "AB", "0g", "é"] {
            assert_eq!(from_hex(text), Err(EncodingError::Hex), "{text:?}");
        }
    }

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Fields {
        #[serde(with = "serde_base64url")]
        list: Vec<u8>,
        #[serde(with = "serde_base64url")]
        two: [u8; 2],
    }

    #[test]
    fn byte_fields_travel_as_base64url_and_arrays_demand_their_length() {
        let fields = Fields { list: vec![1, 2, 3], two: [0xfb, 0xff] };
        let json = serde_json::to_string(&fields).unwrap();
        assert_eq!(json, r#"{"list":"AQID","two":"-_8"}"#);
        assert_eq!(serde_json::from_str::<Fields>(&json).unwrap(), fields);
        assert!(serde_json::from_str::<Fields>(r#"{"list":"AQID","two":"AQID"}"#).is_err());
        assert!(serde_json::from_str::<Fields>(r#"{"list":"AQI=","two":"-_8"}"#).is_err());
    }
}
