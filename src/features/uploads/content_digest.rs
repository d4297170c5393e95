//! `Content-Digest` (RFC 9530 section 2): a dictionary of digests, of which we read and write `sha-256`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::kernel::digest::{DIGEST_LEN, Digest};
use crate::ledger::Error;
use crate::refusals;

/// The header's name.
pub const CONTENT_DIGEST: &str = "Content-Digest";

/// The digest that the sender gives for its body.
#[derive(Clone, Copy, Debug)]
pub struct ContentDigest(pub Digest);

impl FromRequest for ContentDigest {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let value = req.headers().get(CONTENT_DIGEST).and_then(|value| value.to_str().ok());
        ready(value.and_then(parse).map(Self).ok_or_else(|| refusals::content_digest_missing().into()))
    }
}

/// The `sha-256` of a header's value. Digests by other algorithms are passed over; two by this one are none, because
/// readers differ in which of them counts.
pub fn parse(value: &str) -> Option<Digest> {
    let mut named =
        value.split(',').filter_map(|member| member.trim().split_once('=')).filter(|(name, _)| *name == "sha-256");
    let (Some((_, item)), None) = (named.next(), named.next()) else { return None };
    let text = item.strip_prefix(':')?.strip_suffix(':')?;
    let bytes: [u8; DIGEST_LEN] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

/// The header's value for a digest.
pub fn format(digest: &Digest) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;

    /// RFC 9530 appendix D: the example content and its digest.
    const CONTENT: &[u8] = b"{\"hello\": \"world\"}\n";
    const HEADER: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";

    #[test]
    fn the_example_of_the_rfc_is_read_and_written() {
        assert_eq!(parse(HEADER), Some(sha256(CONTENT)));
        assert_eq!(format(&sha256(CONTENT)), HEADER);
    }

    #[test]
    fn other_algorithms_beside_it_are_passed_over() {
        let both = format!("sha-512=:AAAA:, {HEADER}");
        assert_eq!(parse(&both), Some(sha256(CONTENT)));
    }

    #[test]
    fn a_header_without_a_readable_sha_256_is_none() {
        for header in [
            "",
            "sha-256",
            "sha-256=",
            "sha-256=::",
            "sha-256=:AAAA:",
            "sha-512=:AAAA:",
            &HEADER[..HEADER.len() - 1],
            "SHA-256=:x:",
            &format!("{HEADER}, {HEADER}"),
        ] {
            assert_eq!(parse(header), None, "{header}");
        }
    }
}
