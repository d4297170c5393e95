//! HKDF-SHA-256 (RFC 5869) for outputs of at most one block.
//!
//! Promise: `expand` gives the first bytes of RFC 5869 section 2.3 output. Everything this format derives has at most 32
//! bytes, so the loop of HKDF has one round and is not here. Inputs are lists of pieces that are concatenated; callers
//! see to it that the concatenation is unambiguous.

use crate::kernel::secret::Secret;
use ring::hmac;

fn hmac_sha256(key: &[u8], pieces: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for piece in pieces {
        context.update(piece);
    }
    let mut output = [0; 32];
    output.copy_from_slice(context.sign().as_ref());
    output
}

/// HKDF-Extract. An empty salt is the RFC's default salt: HMAC pads both to the same key.
pub fn extract(salt: &[u8], ikm: &[&[u8]]) -> Secret<[u8; 32]> {
    Secret::new(hmac_sha256(salt, ikm))
}

/// HKDF-Expand to `N` bytes, 1 to 32.
pub fn expand<const N: usize>(prk: &[u8; 32], info: &[&[u8]]) -> Secret<[u8; N]> {
    const { assert!(N >= 1 && N <= 32, "one block of HKDF-SHA-256") };
    let block = Secret::new(hmac_sha256(prk, &[info, &[&[1]]].concat()));
    let mut output = [0; N];
    output.copy_from_slice(&block.expose()[..N]);
    Secret::new(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoding::{from_hex, hex};

    #[test]
    fn rfc_5869_appendix_a_1_and_a_3_are_reproduced() {
        let ikm = [0x0b; 22];
        let salt = from_hex("000102030405060708090a0b0c").unwrap();
        let prk = extract(&salt, &[&ikm[..10], &ikm[10..]]);
        assert_eq!(hex(prk.expose()), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        let info = from_hex("f0f1f2f3f4f5f6f7f8f9").unwrap();
        let okm = expand::<32>(prk.expose(), &[&info]);
        assert_eq!(hex(okm.expose()), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");

        let prk = extract(&[], &[&ikm]);
        assert_eq!(hex(prk.expose()), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
        assert_eq!(hex(expand::<7>(prk.expose(), &[]).expose()), "8da4e775a563c1");
    }
}
