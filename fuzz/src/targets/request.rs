//! What a request says: JSON bodies, the signed objects in them, headers, and the small values of the vocabulary.
//!
//! A body is read as it was sent: no name twice, no U+0000, nothing lost on the way to the reader of signed objects.
//! Every value has one spelling.

use sealbid::features::bids::signed::Signed;
use sealbid::features::uploads::model::NewUpload;
use sealbid::http::extract::{IfMatch, parse_strict};
use sealbid::http::reply;
use sealbid::kernel::canonical;
use sealbid::kernel::digest::Digest;
use sealbid::kernel::encoding::{base64url, from_base64url, from_hex, hex};
use sealbid::kernel::id::LotId;
use sealbid::kernel::money::{Currency, Money};
use sealbid::kernel::org_identifier::OrgIdentifier;
use sealbid::kernel::text::Language;
use sealbid::kernel::time::Timestamp;
use sealbid::limits::JSON_BODY_BYTES;
use sealbid::seal::ids::{Ident, KeyId, UtcMillis};
use sealbid::seal::strict_json::Object;
use serde_json::Value;

use super::{choice, seed};

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 4) else { return false };
    match choice {
        0 => body(bytes),
        1 => signed(bytes),
        2 => str::from_utf8(bytes).is_ok_and(values),
        _ => str::from_utf8(bytes).is_ok_and(headers),
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn body(bytes: &[u8]) -> bool {
    _ = parse_strict::<NewUpload>(bytes);
    let strict = Object::parse(bytes, JSON_BODY_BYTES);
    match (parse_strict::<Value>(bytes), strict) {
        (Ok(value), Ok(_)) => {
            assert!(value.is_object() && !has_nul(&value));
            if let Ok(text) = canonical::to_string(&value) {
                let again: Value = serde_json::from_str(&text).expect("canonical JSON is JSON");
                assert_eq!(canonical::to_string(&again).as_ref(), Ok(&text), "one canonical form");
                assert!(Object::parse(text.as_bytes(), usize::MAX).is_ok());
            }
            true
        }
        (Ok(_), Err(error)) => panic!("a body passed that is no strict JSON: {error}"),
        (Err(_), Ok(_)) => {
            let value: Value = serde_json::from_slice(bytes).expect("strict JSON is JSON");
            assert!(has_nul(&value), "refused without a reason");
            false
        }
        (Err(_), Err(_)) => false,
    }
}

/// The text that the strict reader gets says the same as what was sent, a repeated name included.
fn signed(bytes: &[u8]) -> bool {
    let Ok(signed) = serde_json::from_slice::<Signed>(bytes) else { return false };
    let kept = signed.as_bytes();
    let value = |bytes| serde_json::from_slice::<Value>(bytes).expect("JSON");
    assert_eq!(value(kept), value(bytes));
    let outer = |bytes| {
        let members = Object::parse(bytes, usize::MAX);
        members.err().map(|error| error.reason())
    };
    if outer(bytes).is_none() {
        assert_eq!(outer(kept), None);
    }
    assert_eq!(serde_json::from_slice::<Signed>(kept).expect("still an object"), signed);
    true
}

fn values(text: &str) -> bool {
    let amounts = ["CNY", "JPY", "KWD"].map(|code| {
        let currency = Currency::parse(code).expect("a currency");
        let read = Money::parse(text, currency);
        if let Ok(money) = read {
            assert_eq!(money.amount(), text);
            assert_eq!(Money::parse_import(text, currency), Ok(money));
        }
        if let Ok(money) = Money::parse_import(text, currency) {
            assert_eq!(Money::parse(&money.amount(), currency), Ok(money));
        }
        read.is_ok()
    });
    let same = |read: Option<String>| {
        read.is_some_and(|again| {
            assert_eq!(again, text);
            true
        })
    };
    let read = [
        same(Currency::parse(text).ok().map(|currency| currency.code().to_owned())),
        same(Timestamp::parse(text).ok().map(|at| at.to_string())),
        same(LotId::parse(text).ok().map(LotId::into_string)),
        same(text.parse::<Digest>().ok().map(|digest| digest.to_string())),
        same(KeyId::parse(text, "kid").ok().map(|id| id.to_string())),
        same(from_base64url(text).ok().map(|bytes| base64url(&bytes))),
        same(from_hex(text).ok().map(|bytes| hex(&bytes))),
        same(Ident::parse(text, "id").ok().map(|id| id.as_str().to_owned())),
    ];
    if let Ok(at) = Timestamp::parse(text) {
        assert!(Timestamp::start_of(at.local_date()) <= at && at <= Timestamp::end_of(at.local_date()));
        assert!(UtcMillis::parse(text, "at").is_ok(), "one form of a time on the platform");
    }
    if let Some((scheme, id)) = text.split_once(' ')
        && let Ok(identifier) = OrgIdentifier::new(scheme, id)
    {
        assert_eq!((identifier.scheme(), identifier.id()), (scheme, id));
        return true;
    }
    amounts.into_iter().chain(read).any(|read| read)
}

fn headers(text: &str) -> bool {
    _ = Language::accepted(text);
    let Some(IfMatch(version)) = IfMatch::parse(text) else { return false };
    assert_eq!(reply::etag(version), text);
    true
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let root = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    let mut seeds = vec![
        seed(0, format!(r#"{{"purpose":"bid","size_bytes":17,"root":"{root}"}}"#)),
        seed(0, r#"{"a":["\u0001",{"b":null,"c":-1.5e3,"d":true}],"\\u0000":9007199254740992}"#),
        seed(1, r#"{"protected":"a","payload":"b","payload":[1,null],"signature":"\"c"}"#),
        seed(3, "\"v12\""),
    ];
    let values = [
        "1250000.00",
        "1400",
        "0.005",
        "CNY",
        "2026-11-22T01:30:00.000Z",
        "lot-0192f0c1-7a3b-7c4d-8e5f-0123456789ab",
        root,
        "-_8",
        "CN-USCC 914403001922038216",
        "GB-COH 01234567",
    ];
    seeds.extend(values.map(|value| seed(2, value)));
    seeds
}
