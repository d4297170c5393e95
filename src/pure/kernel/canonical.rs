//! JSON in one form only: the JSON Canonicalization Scheme (RFC 8785), without fractions.
//!
//! Promise: equal values give equal bytes, in any program that follows the RFC, so that a digest over them can be
//! recomputed by anybody. Invariant: members sorted by UTF-16 code units, no blanks, integers of at most 2^53.
//! Deliberately not here: fractions. Amounts are decimal strings on this platform, so the RFC's hardest part (the
//! shortest form of a double) is refused instead of implemented.

use serde_json::{Map, Value};

/// The largest integer that every JSON reader keeps exactly: 2^53 (RFC 8785 section 3.2.2.3 follows IEEE 754 doubles).
pub const MAX_EXACT_INTEGER: u64 = 1 << 53;

/// A value has no canonical form here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// A number with a fraction or an exponent.
    #[error("a number with a fraction has no canonical form here")]
    Fraction,
    /// An integer beyond [`MAX_EXACT_INTEGER`].
    #[error("an integer beyond 2^53 is not exact everywhere")]
    TooLarge,
}

/// The canonical text of `value`.
pub fn to_string(value: &Value) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, out)?,
    }
    Ok(())
}

fn write_object(members: &Map<String, Value>, out: &mut String) -> Result<(), CanonicalError> {
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    out.push('{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        write(value, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_number(number: &serde_json::Number, out: &mut String) -> Result<(), CanonicalError> {
    let size = match (number.as_u64(), number.as_i64()) {
        (Some(positive), _) => positive,
        (None, Some(negative)) => negative.unsigned_abs(),
        (None, None) => return Err(CanonicalError::Fraction),
    };
    if size > MAX_EXACT_INTEGER {
        return Err(CanonicalError::TooLarge);
    }
    out.push_str(&number.to_string());
    Ok(())
}

/// Escapes as RFC 8785 section 3.2.2.2: the short escapes, `\u00xx` for other control characters, nothing else.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_are_sorted_by_utf16_code_units_as_in_rfc_8785_section_3_2_3() {
        let value = json!({"\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis"});
        let text = to_string(&value).expect("canonical");
        let order = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"];
        let places: Vec<usize> = order.iter().map(|word| text.find(word).expect("present")).collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn strings_are_escaped_as_in_rfc_8785_section_3_2_2() {
        let value = json!("\u{20ac}$\u{f}\u{a}A'\u{42}\u{22}\u{5c}\\\"/");
        assert_eq!(to_string(&value).expect("canonical"), "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
    }

    #[test]
    fn fractions_and_integers_beyond_two_to_the_53_are_refused() {
        assert_eq!(to_string(&json!(0.5)), Err(CanonicalError::Fraction));
        assert_eq!(to_string(&json!({"a": [1e3]})), Err(CanonicalError::Fraction));
        assert_eq!(to_string(&json!(9_007_199_254_740_993_u64)), Err(CanonicalError::TooLarge));
        assert_eq!(to_string(&json!(-9_007_199_254_740_993_i64)), Err(CanonicalError::TooLarge));
        assert_eq!(to_string(&json!(9_007_199_254_740_992_u64)).expect("exact"), "9007199254740992");
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back_as_the_same_value(names in proptest::collection::vec(".{0,6}", 0..6), number in -1000_i64..1000) {
            let members: Map<String, Value> = names.iter().map(|name| (name.clone(), json!([number, name, null, true]))).collect();
            let value = Value::Object(members);
            let text = to_string(&value).expect("no fractions");
            prop_assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
        }
    }
}
