//! JSON objects, read strictly.
//!
//! Promise: a document is accepted only if it is one JSON object within its size limit, with no key twice in any object
//! (RFC 8259 section 4 leaves that to the reader; two readers that choose differently would see two bids), no bytes
//! after it, every required field of its exact type, and no field that was not asked for. Floats, booleans and null are
//! the wrong type everywhere, because the format has none. Deliberately absent: deriving a reader from a struct, since
//! derived readers also accept arrays in place of objects and null in place of absence.

use super::error::FormError;
use crate::kernel::{digest::Digest, encoding};
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use std::{cell::RefCell, collections::BTreeMap, fmt};

/// A value of the format: the JSON types that it uses.
#[derive(Debug)]
enum Node {
    Text(String),
    Integer(u64),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
    /// Null, a boolean, a negative number or a float.
    Foreign,
}

/// An object whose fields are taken one by one; [`Object::end`] refuses what is left.
#[derive(Debug)]
pub struct Object(BTreeMap<String, Node>);

impl Object {
    /// Parses one object of at most `limit` bytes.
    ///
    /// # Errors
    /// `TooLarge`, `NotJson` or `DuplicateKey`.
    pub fn parse(bytes: &[u8], limit: usize) -> Result<Self, FormError> {
        if bytes.len() > limit {
            return Err(FormError::TooLarge(limit));
        }
        let repeated = RefCell::new(None);
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let node = Reader(&repeated).deserialize(&mut reader).and_then(|node| reader.end().map(|()| node));
        match (node, repeated.into_inner()) {
            (_, Some(key)) => Err(FormError::DuplicateKey(key)),
            (Ok(Node::Map(fields)), None) => Ok(Self(fields)),
            (Ok(_), None) => Err(FormError::NotJson("not an object".into())),
            (Err(error), None) => Err(FormError::NotJson(error.to_string())),
        }
    }

    fn take(&mut self, name: &'static str) -> Result<Node, FormError> {
        self.0.remove(name).ok_or(FormError::MissingField(name))
    }

    /// Whether the field is present and not yet taken.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes a string.
    ///
    /// # Errors
    /// `MissingField` or `WrongType`.
    pub fn text(&mut self, name: &'static str) -> Result<String, FormError> {
        match self.take(name)? {
            Node::Text(text) => Ok(text),
            _ => Err(FormError::WrongType(name)),
        }
    }

    /// Takes a non-negative integer that fits `T`.
    ///
    /// # Errors
    /// `MissingField`, `WrongType` or `OutOfRange`.
    pub fn integer<T: TryFrom<u64>>(&mut self, name: &'static str) -> Result<T, FormError> {
        match self.take(name)? {
            Node::Integer(value) => T::try_from(value).map_err(|_| FormError::OutOfRange(name)),
            _ => Err(FormError::WrongType(name)),
        }
    }

    /// Takes an object.
    ///
    /// # Errors
    /// `MissingField` or `WrongType`.
    pub fn object(&mut self, name: &'static str) -> Result<Self, FormError> {
        match self.take(name)? {
            Node::Map(fields) => Ok(Self(fields)),
            _ => Err(FormError::WrongType(name)),
        }
    }

    /// Takes a list of objects.
    ///
    /// # Errors
    /// `MissingField` or `WrongType`.
    pub fn objects(&mut self, name: &'static str) -> Result<Vec<Self>, FormError> {
        self.list(name, |node| match node {
            Node::Map(fields) => Some(Self(fields)),
            _ => None,
        })
    }

    /// Takes a list of strings.
    ///
    /// # Errors
    /// `MissingField` or `WrongType`.
    pub fn texts(&mut self, name: &'static str) -> Result<Vec<String>, FormError> {
        self.list(name, |node| match node {
            Node::Text(text) => Some(text),
            _ => None,
        })
    }

    /// Takes a list of non-negative integers that fit `T`.
    ///
    /// # Errors
    /// `MissingField` or `WrongType`.
    pub fn integers<T: TryFrom<u64>>(&mut self, name: &'static str) -> Result<Vec<T>, FormError> {
        self.list(name, |node| match node {
            Node::Integer(value) => T::try_from(value).ok(),
            _ => None,
        })
    }

    fn list<T>(&mut self, name: &'static str, element: impl Fn(Node) -> Option<T>) -> Result<Vec<T>, FormError> {
        let elements = match self.take(name)? {
            Node::List(nodes) => nodes.into_iter().map(element).collect(),
            _ => None,
        };
        elements.ok_or(FormError::WrongType(name))
    }

    /// Takes base64url bytes of any length.
    ///
    /// # Errors
    /// `MissingField`, `WrongType` or `Base64`.
    pub fn bytes(&mut self, name: &'static str) -> Result<Vec<u8>, FormError> {
        let text = self.text(name)?;
        encoding::from_base64url(&text).map_err(|_| FormError::Base64(name))
    }

    /// Takes exactly `N` base64url bytes.
    ///
    /// # Errors
    /// `MissingField`, `WrongType`, `Base64` or `WrongLength`.
    pub fn array<const N: usize>(&mut self, name: &'static str) -> Result<[u8; N], FormError> {
        self.bytes(name)?.try_into().map_err(|_| FormError::WrongLength(name))
    }

    /// Takes a digest in lowercase hexadecimal.
    ///
    /// # Errors
    /// `MissingField`, `WrongType` or `Hex`.
    pub fn digest(&mut self, name: &'static str) -> Result<Digest, FormError> {
        self.text(name)?.parse().map_err(|_| FormError::Hex(name))
    }

    /// Ends the reading: refuses fields that nobody asked for.
    ///
    /// # Errors
    /// `UnknownField` with the first name left over.
    pub fn end(self) -> Result<(), FormError> {
        match self.0.into_keys().next() {
            Some(name) => Err(FormError::UnknownField(name)),
            None => Ok(()),
        }
    }
}

/// Builds a [`Node`] and reports a repeated key through the cell, because a parser's errors are only text.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Integer(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Foreign)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Foreign)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Foreign)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Foreign)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = access.next_element_seed(self)? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(key) = access.next_key::<String>()? {
            if fields.contains_key(&key) {
                *self.0.borrow_mut() = Some(key);
                return Err(A::Error::custom("repeated key"));
            }
            let node = access.next_value_seed(self)?;
            fields.insert(key, node);
        }
        Ok(Node::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Object, FormError> {
        Object::parse(text.as_bytes(), 200)
    }

    #[test]
    fn fields_are_taken_by_name_and_type() {
        let mut object = parse(r#"{"a":"x","n":7,"o":{"l":["y"]},"b":"AQI"}"#).unwrap();
        assert_eq!(object.text("a").unwrap(), "x");
        assert_eq!(object.integer::<u8>("n").unwrap(), 7);
        assert_eq!(object.object("o").unwrap().texts("l").unwrap(), ["y"]);
        assert_eq!(object.array::<2>("b").unwrap(), [1, 2]);
        object.end().unwrap();
    }

    #[test]
    fn a_key_that_occurs_twice_is_refused_at_every_depth_and_in_every_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":1}"#, r#"{"o":{"a":1,"a":2}}"#, r#"{"l":[{"a":1,"a":2}]}"#]
        {
            assert_eq!(parse(text).unwrap_err(), FormError::DuplicateKey("a".into()), "{text}");
        }
    }

    #[test]
    fn a_field_nobody_asked_for_is_refused() {
        let object = parse(r#"{"a":1}"#).unwrap();
        assert_eq!(object.end().unwrap_err(), FormError::UnknownField("a".into()));
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in [
            "",
            "[]",
            "\"a\"",
            "{}{}",
            "{} x",
            "{\"a\":1,}",
            "\u{feff}{}",
            "{\"a\":\"\\ud800\"}",
            "{'a':1}",
            "{\"a\":01}",
        ] {
            assert_eq!(parse(text).unwrap_err().reason(), "not_json", "{text:?}");
        }
        let invalid_utf8 = Object::parse(b"{\"a\":\"\xff\"}", 200).unwrap_err();
        assert_eq!(invalid_utf8.reason(), "not_json");
        let nested = "[".repeat(190);
        assert_eq!(parse(&nested).unwrap_err().reason(), "not_json");
    }

    #[test]
    fn a_document_one_byte_over_its_limit_is_refused() {
        let text = format!("{{{}}}", " ".repeat(198));
        assert!(parse(&text).is_ok());
        assert_eq!(parse(&format!("{text} ")).unwrap_err(), FormError::TooLarge(200));
    }

    #[test]
    fn floats_null_booleans_and_negative_numbers_are_the_wrong_type() {
        for value in ["1.0", "1e0", "-1", "-0", "null", "true", "\"1\"", "[1]"] {
            let mut object = parse(&format!("{{\"n\":{value}}}")).unwrap();
            assert_eq!(object.integer::<u64>("n").unwrap_err(), FormError::WrongType("n"), "{value}");
        }
        let mut object = parse(r#"{"n":256,"m":18446744073709551616}"#).unwrap();
        assert_eq!(object.integer::<u8>("n").unwrap_err(), FormError::OutOfRange("n"));
        assert_eq!(object.integer::<u64>("m").unwrap_err(), FormError::WrongType("m"));
        assert_eq!(object.text("t").unwrap_err(), FormError::MissingField("t"));
    }

    #[test]
    fn byte_fields_are_canonical_and_of_their_length() {
        for (value, reason) in [("AQI=", "not_base64url"), ("AQJ", "not_base64url"), ("AQID", "wrong_length")] {
            let mut object = parse(&format!("{{\"b\":\"{value}\"}}")).unwrap();
            assert_eq!(object.array::<2>("b").unwrap_err().reason(), reason, "{value}");
        }
    }
}
