//! The Merkle tree of RFC 6962 section 2.1: node hashes, the compact form of a growing tree, and the checks of proofs.

use crate::kernel::digest::{Digest, Hasher, sha256};

/// The root of a tree without leaves: the hash of nothing.
pub fn empty_root() -> Digest {
    sha256(b"")
}

/// The hash of a node over its two children.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    sha256(&bytes)
}

/// The hash of a leaf over its data.
pub fn data_hash(data: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[0x00]);
    hasher.update(data);
    hasher.finish()
}

/// A tree as its complete subtrees from left to right: at most 64 hashes, from which it can grow and its root be computed
/// without any of its leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Digest>,
}

impl Frontier {
    /// A tree without leaves.
    pub const fn empty() -> Self {
        Self { size: 0, hashes: Vec::new() }
    }

    /// A tree of `size` leaves with these complete subtrees, the largest first; `None` when their number does not fit.
    pub fn from_parts(size: u64, hashes: Vec<Digest>) -> Option<Self> {
        (u64::from(size.count_ones()) == hashes.len() as u64).then_some(Self { size, hashes })
    }

    /// Leaves in the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The complete subtrees, the largest first.
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// Adds a leaf by its hash.
    pub fn append(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.hashes.pop().expect("a complete subtree for every bit of the size");
            hash = node_hash(&left, &hash);
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// The root hash.
    pub fn root(&self) -> Digest {
        let mut from_right = self.hashes.iter().rev();
        let Some(last) = from_right.next() else { return empty_root() };
        from_right.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// Where the tree over `n > 1` leaves splits: the largest power of two smaller than `n`.
pub(super) const fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2); `None` when the proof has not the length that
/// index and size demand, or the index is outside of the tree.
pub fn root_of_inclusion(index: u64, size: u64, leaf: &Digest, proof: &[Digest]) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether a proof shows that the tree of `old_size` leaves is the beginning of the tree of `new_size` leaves (RFC 9162
/// section 2.1.4.2). Of a tree without leaves every tree is a continuation, and of itself, both with an empty proof.
pub fn is_consistent(old_size: u64, old_root: &Digest, new_size: u64, new_root: &Digest, proof: &[Digest]) -> bool {
    if old_size == 0 {
        return *old_root == empty_root() && proof.is_empty() && (new_size > 0 || *new_root == empty_root());
    }
    if old_size == new_size {
        return old_root == new_root && proof.is_empty();
    }
    if old_size > new_size {
        return false;
    }
    let whole;
    let mut hashes = proof;
    if old_size.is_power_of_two() {
        whole = [&[*old_root], proof].concat();
        hashes = &whole;
    }
    let Some((first, rest)) = hashes.split_first() else { return false };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*first, *first);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(hash, &old);
            new = node_hash(hash, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old == *old_root && new == *new_root
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The leaves of the test vectors that Certificate Transparency's reference implementation uses.
    pub(crate) fn leaves() -> Vec<Vec<u8>> {
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
            .iter()
            .map(|text| crate::kernel::encoding::from_hex(text).expect("hex"))
            .collect()
    }

    /// Their roots, by size.
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_of_the_reference_implementation_are_reproduced() {
        let mut frontier = Frontier::empty();
        assert_eq!(frontier.root().to_string(), ROOTS[0]);
        for (leaf, root) in leaves().iter().zip(&ROOTS[1..]) {
            frontier.append(data_hash(leaf));
            assert_eq!(&frontier.root().to_string(), root, "size {}", frontier.size());
            let parts = Frontier::from_parts(frontier.size(), frontier.hashes().to_vec());
            assert_eq!(parts.as_ref(), Some(&frontier));
        }
        assert_eq!(Frontier::from_parts(7, vec![]), None);
    }
}
