//! Client assertions.
//!
//! An assertion passes exactly as it was signed; one that the registered key signed passes only with its own algorithm,
//! for this platform, and not beyond five minutes.

use std::sync::LazyLock;

use sealbid::features::accounts::assertion::{Assertion, Passed};
use sealbid::kernel::encoding::base64url;
use sealbid::kernel::time::Timestamp;
use sealbid::limits::{ASSERTION_LEN, ASSERTION_SECONDS, JTI_LEN};
use serde_json::{Value, json};

use super::{choice, edited, seed, signing_key};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const CLIENT: &str = "svc-1";
const HERE: &str = "https://sealbid.example";

static AUDIENCES: LazyLock<Vec<String>> = LazyLock::new(|| vec![HERE.to_owned(), format!("{HERE}/v1/oauth/token")]);
static SIGNED: LazyLock<String> =
    LazyLock::new(|| sign(right_header().to_string().as_bytes(), right_claims().to_string().as_bytes()));

fn sign(header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", base64url(header), base64url(claims));
    let signature = signing_key().sign(signed.as_bytes()).expect("Ed25519 needs no random numbers");
    format!("{signed}.{}", base64url(&signature))
}

fn right_header() -> Value {
    json!({ "typ": "JWT", "alg": "EdDSA", "kid": signing_key().verifying_key().key_id().to_string() })
}

fn right_claims() -> Value {
    let now = NOW.millis() / 1000;
    json!({ "iss": CLIENT, "sub": CLIENT, "aud": [HERE, "https://elsewhere.example"], "jti": "one",
        "iat": now, "nbf": now, "exp": now + ASSERTION_SECONDS })
}

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 4) else { return false };
    match choice {
        0 => whole(&String::from_utf8_lossy(bytes)),
        1 => whole(&String::from_utf8_lossy(&edited(SIGNED.as_bytes(), bytes))),
        2 => claims(bytes),
        _ => header(bytes),
    }
}

fn check(text: &str, audiences: &[String], now: Timestamp) -> Option<(String, Passed)> {
    let read = Assertion::read(text).ok()?;
    assert!(text.len() <= ASSERTION_LEN);
    let passed = read.check(signing_key().verifying_key(), audiences, now).ok()?;
    Some((read.client().to_owned(), passed))
}

fn whole(text: &str) -> bool {
    let passed = check(text, &AUDIENCES, NOW).is_some();
    assert_eq!(passed, text == *SIGNED, "{text}");
    passed
}

/// What was accepted, as JSON; none where it has a number that no double holds, in a field that nobody reads.
fn parsed(bytes: &[u8]) -> Option<Value> {
    let text = str::from_utf8(bytes).expect("text");
    serde_json::from_str(text).inspect_err(|error| assert!(error.to_string().contains("out of range"), "{error}")).ok()
}

/// The bytes are claims that the client's own key signed.
fn claims(bytes: &[u8]) -> bool {
    let text = sign(right_header().to_string().as_bytes(), bytes);
    let Some((client, passed)) = check(&text, &AUDIENCES, NOW) else { return false };
    let Some(said) = parsed(bytes) else { return true };
    assert!(said["iss"] == client.as_str() && said["sub"] == client.as_str() && said["jti"] == passed.jti.as_str());
    let named = |audience: &Value| AUDIENCES.iter().any(|here| audience == here.as_str());
    assert!(named(&said["aud"]) || said["aud"].as_array().is_some_and(|several| several.iter().any(named)));
    assert!((1..=JTI_LEN).contains(&passed.jti.len()));
    let left = passed.expires.millis() - NOW.millis();
    assert!(0 < left && left <= ASSERTION_SECONDS * 1000, "{left}");
    assert_eq!(check(&text, &AUDIENCES, passed.expires), None, "it has ended");
    assert_eq!(check(&text, &["https://elsewhere.invalid".to_owned()], NOW), None, "it is meant for another platform");
    true
}

/// The bytes are a header over claims that are in order.
fn header(bytes: &[u8]) -> bool {
    let text = sign(bytes, right_claims().to_string().as_bytes());
    if check(&text, &AUDIENCES, NOW).is_none() {
        return false;
    }
    let Some(said) = parsed(bytes) else { return true };
    assert!(said["alg"] == "EdDSA" && said["crit"].is_null());
    assert!(said["kid"].is_null() || said["kid"] == right_header()["kid"]);
    true
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let mut one = right_claims();
    one["aud"] = json!(HERE);
    vec![
        seed(0, &*SIGNED),
        seed(1, []),
        seed(2, right_claims().to_string()),
        seed(2, one.to_string()),
        seed(3, right_header().to_string()),
        seed(3, json!({ "alg": "EdDSA" }).to_string()),
    ]
}
