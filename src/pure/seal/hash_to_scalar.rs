//! Hashing to a scalar of P-256: RFC 9380 `expand_message_xmd` with SHA-256 (section 5.3.1) and `hash_to_field` for the
//! group order with one element and L = 48 (section 5.2), as RFC 9497 section 4.3 prescribes for P256-SHA256.
//!
//! Promise: the result is within 2^-128 of uniform and depends on every byte of message and tag. Deliberately absent:
//! hashing to points, and tags over 255 bytes (our tags are built from bounded pieces).

use crate::kernel::digest::{DIGEST_LEN, Digest, Hasher};
use p256::Scalar;

const BLOCK_LEN: usize = 64;
const SCALAR_EXPANSION: usize = 48;
const MAX_TAG_LEN: usize = 255;

/// Expands a message, given in pieces, to `N` uniform bytes under domain separation tag `tag`.
///
/// # Panics
/// If the tag is longer than 255 bytes or `N` is over 255 blocks: both are fixed by the caller's code, not by input.
pub fn expand_message<const N: usize>(message: &[&[u8]], tag: &[u8]) -> [u8; N] {
    assert!(tag.len() <= MAX_TAG_LEN && N <= 255 * DIGEST_LEN, "bounded by construction");
    let tag_len = [tag.len() as u8];
    let hash = |pieces: &[&[u8]]| -> Digest {
        let mut hasher = Hasher::new();
        for piece in pieces {
            hasher.update(piece);
        }
        hasher.update(tag);
        hasher.update(&tag_len);
        hasher.finish()
    };
    let length = (N as u16).to_be_bytes();
    let first = hash(&[&[&[0; BLOCK_LEN][..]], message, &[&length[..], &[0]]].concat());
    let mut output = [0; N];
    let mut previous = [0; DIGEST_LEN];
    for (index, block) in output.chunks_mut(DIGEST_LEN).enumerate() {
        for (byte, b0) in previous.iter_mut().zip(first.as_bytes()) {
            *byte ^= b0;
        }
        previous = *hash(&[&previous, &[index as u8 + 1]]).as_bytes();
        block.copy_from_slice(&previous[..block.len()]);
    }
    output
}

/// Hashes a message, given in pieces, to a scalar.
pub fn hash_to_scalar(message: &[&[u8]], tag: &[u8]) -> Scalar {
    let uniform = expand_message::<SCALAR_EXPANSION>(message, tag);
    // Reduces the 384-bit number modulo the order by Horner's rule over three 128-bit digits.
    let two_128 = Scalar::from(u128::MAX) + Scalar::ONE;
    uniform.chunks_exact(16).fold(Scalar::ZERO, |sum, digit| {
        let digit: [u8; 16] = digit.try_into().expect("chunks of 16");
        sum * two_128 + Scalar::from(u128::from_be_bytes(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoding::hex;
    use crate::seal::points::scalar_to_bytes;

    #[test]
    fn rfc_9380_appendix_k_1_is_reproduced() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/rfc9380-expand-message-xmd-sha256.json"))
                .unwrap();
        let tag = file["DST"].as_str().unwrap().as_bytes();
        let tests = file["tests"].as_array().unwrap();
        assert_eq!(tests.len(), 10);
        for test in tests {
            let message = test["msg"].as_str().unwrap().as_bytes();
            let bytes = match test["len_in_bytes"].as_str().unwrap() {
                "0x20" => hex(&expand_message::<32>(&[message], tag)),
                "0x80" => hex(&expand_message::<128>(&[message], tag)),
                other => panic!("unexpected length {other}"),
            };
            assert_eq!(bytes, test["uniform_bytes"].as_str().unwrap());
        }
    }

    #[test]
    fn the_pieces_of_a_message_are_concatenated() {
        assert_eq!(hash_to_scalar(&[b"ab", b"c"], b"tag"), hash_to_scalar(&[b"abc"], b"tag"));
        assert_ne!(hash_to_scalar(&[b"abc"], b"tag"), hash_to_scalar(&[b"abc"], b"tah"));
    }

    #[test]
    fn the_reduction_agrees_with_the_curve_library_on_numbers_below_two_256() {
        use p256::elliptic_curve::ops::Reduce;
        let low: [u8; 32] = expand_message(&[b"low"], b"tag");
        let expected = <Scalar as Reduce<p256::U256>>::reduce_bytes(&low.into());
        let two_128 = Scalar::from(u128::MAX) + Scalar::ONE;
        let digit = |range: std::ops::Range<usize>| Scalar::from(u128::from_be_bytes(low[range].try_into().unwrap()));
        assert_eq!(scalar_to_bytes(&(digit(0..16) * two_128 + digit(16..32))), scalar_to_bytes(&expected));
    }
}
