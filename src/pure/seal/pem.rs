//! PEM (RFC 7468) for PKCS#8 private keys, and only those.

use super::keys::NotAKey;
use crate::kernel::secret::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
const LINE_LEN: usize = 64;

pub(super) fn encode(der: &[u8]) -> Secret<String> {
    let body = Secret::new(STANDARD.encode(der));
    let mut text = String::with_capacity(BEGIN.len() + END.len() + body.expose().len() * 2);
    text.push_str(BEGIN);
    for (index, character) in body.expose().chars().enumerate() {
        if index % LINE_LEN == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    Secret::new(text)
}

pub(super) fn decode(text: &str) -> Result<Secret<Vec<u8>>, NotAKey> {
    let body = text.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).ok_or(NotAKey)?;
    let body = Secret::new(body.split_ascii_whitespace().collect::<String>());
    STANDARD.decode(body.expose()).map(Secret::new).map_err(|_| NotAKey)
}
