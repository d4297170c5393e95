//! The leaf format, version 1. Fixed: bytes once written are hashed as they are and never serialised again.
//!
//! ```text
//! part digest  H_x = SHA-256("sealbid/audit/part/v1/" || x || 0x0A || s_x || part_x)     x = "p", "c", "i"
//! commitment   C   = SHA-256("sealbid/audit/leaf/v1" || 0x0A || H_p || H_c || H_i)
//! log entry    E   = 0x01 || C
//! leaf hash        = SHA-256(0x00 || E)                                                  RFC 6962 section 2.1
//! padding      C   = SHA-256("sealbid/audit/pad/v1" || 0x0A || K_b || u32be(k))
//! ```
//! `p` may be published, `c` is for inspectors, `i` is personal and can be erased without breaking a proof. An absent
//! part is the empty string with a fresh salt, so that nobody can tell that it is absent.

use crate::kernel::digest::{Digest, Hasher};

/// A part's place in the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// May be published.
    Public,
    /// For inspectors.
    Restricted,
    /// Personal, erasable.
    Personal,
}

impl Part {
    fn letter(self) -> &'static [u8] {
        match self {
            Self::Public => b"p",
            Self::Restricted => b"c",
            Self::Personal => b"i",
        }
    }
}

/// 32 random bytes that hide a part.
pub type Salt = [u8; 32];

/// The digest of one part under its salt.
pub fn part_digest(part: Part, salt: &Salt, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"sealbid/audit/part/v1/");
    hasher.update(part.letter());
    hasher.update(b"\n");
    hasher.update(salt);
    hasher.update(bytes);
    hasher.finish()
}

/// The commitment over the digests of the three parts.
pub fn commitment(public: &Digest, restricted: &Digest, personal: &Digest) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"sealbid/audit/leaf/v1\n");
    hasher.update(public.as_bytes());
    hasher.update(restricted.as_bytes());
    hasher.update(personal.as_bytes());
    hasher.finish()
}

/// A commitment that stands for no entry: padding of a batch, explained later by its key.
pub fn padding(batch_key: &[u8; 32], k: u32) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"sealbid/audit/pad/v1\n");
    hasher.update(batch_key);
    hasher.update(&k.to_be_bytes());
    hasher.finish()
}

/// The hash of the leaf that carries a commitment (RFC 6962 section 2.1).
pub fn leaf_hash(commitment: &Digest) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[0x00, 0x01]);
    hasher.update(commitment.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_is_reproduced() {
        let p = br#"{"at":"2026-11-22T01:00:00.000000Z","id":"000102030405060708090a0b0c0d0e0f","kind":"bid.submitted","rev":1,"v":1}"#;
        let h_p = part_digest(Part::Public, &[1; 32], p);
        let h_c = part_digest(Part::Restricted, &[2; 32], br#"{"amount":"1250000.00"}"#);
        let h_i = part_digest(Part::Personal, &[3; 32], b"");
        assert!(h_p.to_string().starts_with("747283b7") && h_p.to_string().ends_with("43e57"));
        assert!(h_c.to_string().starts_with("2d3944db") && h_c.to_string().ends_with("10b1a2"));
        assert!(h_i.to_string().starts_with("212bff17") && h_i.to_string().ends_with("f87d72e"));
        let c = commitment(&h_p, &h_c, &h_i);
        assert_eq!(c.to_string(), "2bd41dda88a4581686a66501d8e9b59a5c8fe370c2c063a8a17550578021689f");
        assert_eq!(leaf_hash(&c).to_string(), "150525cc7da8b2428bdb3d4d5c7b32562e48cf42b3e56af5f221061cbe881231");
        assert_eq!(
            padding(&[4; 32], 0).to_string(),
            "f3c8f86a60b9ead46823eca7bcd7097533289f1363baa34c15797282fee58576"
        );
    }

    #[test]
    fn the_same_bytes_in_another_part_have_another_digest() {
        assert_ne!(part_digest(Part::Public, &[1; 32], b"x"), part_digest(Part::Restricted, &[1; 32], b"x"));
    }
}
