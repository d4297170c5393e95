//! Access tokens and page cursors.
//!
//! A token is accepted exactly as it was issued and until it ends; claims that carry our signature but another key id,
//! issuer or algorithm are not. A cursor opens exactly as it was sealed, and only for its own list.

use std::sync::LazyLock;

use sealbid::http::cursor;
use sealbid::http::token::{TokenError, Tokens};
use sealbid::kernel::encoding::base64url;
use sealbid::kernel::time::Timestamp;
use sealbid::keys::Keys;
use sealbid::limits::ACCESS_TOKEN_SECONDS;
use sealbid::seal::keys::SigningKey;
use serde_json::{Value, json};

use super::{choice, edited, seed, signing_key};

struct Fixed {
    tokens: Tokens,
    key: SigningKey,
    issued: String,
    keys: Keys,
    cursor: String,
}

const LIST: &str = "lots";
const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let key = signing_key();
    let tokens = Tokens::new("https://sealbid.example", &key);
    let (issued, _) = tokens.issue("usr-1", "org-1", &["bidder".to_owned()], "ses-1", NOW);
    let keys = Keys::ephemeral().expect("random numbers");
    let cursor = cursor::seal(&keys, LIST, &(1, "lot-1".to_owned())).expect("sealed");
    Fixed { tokens, key, issued, keys, cursor }
});

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 6) else { return false };
    match choice {
        0 => token(&String::from_utf8_lossy(bytes)),
        1 => token(&String::from_utf8_lossy(&edited(FIXED.issued.as_bytes(), bytes))),
        2 => claims(bytes),
        3 => header(bytes),
        4 => open(&String::from_utf8_lossy(&edited(FIXED.cursor.as_bytes(), bytes))),
        _ => place(bytes),
    }
}

fn token(text: &str) -> bool {
    let accepted = FIXED.tokens.check(text, NOW).is_ok();
    assert_eq!(accepted, text == FIXED.issued, "{text}");
    accepted
}

/// Signs with the platform's own key.
fn sign(header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", base64url(header), base64url(claims));
    let signature = FIXED.key.sign(signed.as_bytes()).expect("Ed25519 needs no random numbers");
    format!("{signed}.{}", base64url(&signature))
}

fn right_header() -> Value {
    json!({ "typ": "JWT", "alg": "EdDSA", "kid": FIXED.key.verifying_key().key_id().to_string() })
}

/// The bytes are claims that somebody with our key signed: what is accepted is ours and has not ended.
fn claims(bytes: &[u8]) -> bool {
    let token = sign(right_header().to_string().as_bytes(), bytes);
    let Ok(claims) = FIXED.tokens.check(&token, NOW) else { return false };
    assert_eq!(claims.iss, "https://sealbid.example");
    assert!(claims.exp > NOW.millis() / 1000);
    let again = Timestamp::from_millis(claims.exp.saturating_mul(1000));
    if again.millis() / 1000 == claims.exp {
        assert_eq!(FIXED.tokens.check(&token, again), Err(TokenError::Expired));
    }
    true
}

/// The bytes are a header over claims that are in order.
fn header(bytes: &[u8]) -> bool {
    let claims = json!({ "iss": "https://sealbid.example", "sub": "usr-1", "org": "org-1", "roles": [], "sid": "ses-1",
        "iat": NOW.millis() / 1000, "exp": NOW.millis() / 1000 + ACCESS_TOKEN_SECONDS });
    if FIXED.tokens.check(&sign(bytes, claims.to_string().as_bytes()), NOW).is_err() {
        return false;
    }
    let header: Value = serde_json::from_slice(bytes).expect("JSON");
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["kid"], right_header()["kid"]);
    true
}

fn open(text: &str) -> bool {
    let opened = cursor::open(&FIXED.keys, LIST, text);
    assert_eq!(opened.is_ok(), text == FIXED.cursor, "{text}");
    assert!(cursor::open(&FIXED.keys, "reviews", text).is_err());
    opened.is_ok()
}

/// The bytes are an instant and an id.
fn place(bytes: &[u8]) -> bool {
    let Some((at, id)) = bytes.split_at_checked(8) else { return false };
    let Ok(id) = str::from_utf8(id) else { return false };
    let place = (i64::from_be_bytes(at.try_into().expect("eight bytes")), id.to_owned());
    let sealed = cursor::seal(&FIXED.keys, LIST, &place).expect("sealed");
    assert_eq!(cursor::open(&FIXED.keys, LIST, &sealed).ok(), Some(place));
    assert!(cursor::open(&FIXED.keys, "reviews", &sealed).is_err());
    true
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let claims = json!({ "iss": "https://sealbid.example", "sub": "usr-1", "org": "org-1", "roles": ["bidder"],
        "sid": "ses-1", "iat": 1_795_000_000, "exp": 1_795_000_900 });
    vec![
        seed(0, &FIXED.issued),
        seed(1, []),
        seed(2, claims.to_string()),
        seed(3, right_header().to_string()),
        seed(4, []),
        seed(5, [&7_i64.to_be_bytes()[..], b"lot-1"].concat()),
    ]
}
