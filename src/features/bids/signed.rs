//! A signed object inside a JSON body, kept so that its own strict reader sees what was sent.
//!
//! A general JSON value keeps the last of two members with one name; the reader of signed objects must see both, and
//! refuse. So the members are taken in order, as they come, and written again as the text that the reader gets.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The JSON text of a signed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed(String);

impl Signed {
    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<'de> Deserialize<'de> for Signed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Signed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a signed object {protected, payload, signature}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Signed, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            members.push(format!("{}:{value}", Value::String(name)));
        }
        Ok(Signed(format!("{{{}}}", members.join(","))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        let signed: Signed = serde_json::from_str(json).expect("an object");
        String::from_utf8(signed.as_bytes().to_vec()).expect("JSON is text")
    }

    #[test]
    fn a_member_that_comes_twice_is_still_there_twice() {
        assert_eq!(text(r#"{"payload":"a", "payload" : "b"}"#), r#"{"payload":"a","payload":"b"}"#);
        assert_eq!(text("{}"), "{}");
        assert_eq!(text(r#"{"\"": [1, null]}"#), r#"{"\"":[1,null]}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["\"text\"", "[]", "1", "null"] {
            assert!(serde_json::from_str::<Signed>(json).is_err(), "{json}");
        }
    }
}
