//! Merkle tree hash of RFC 9162 section 2.1.1 with SHA-256, over the ciphertext chunks of a payload.
//!
//! Promise: leaf = SHA-256(0x00 || chunk), node = SHA-256(0x01 || left || right); the root fixes content, number and
//! order of the chunks. Memory is logarithmic in the number of leaves. Deliberately absent: proofs, because a payload is
//! always verified as a whole, and trees that grow after their root was taken.

use crate::kernel::digest::{Digest, Hasher, sha256};

/// The hash of one chunk as a leaf.
pub fn leaf_hash(chunk: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[0]);
    hasher.update(chunk);
    hasher.finish()
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

/// A tree that takes its leaves one by one.
#[derive(Clone, Debug, Default)]
pub struct MerkleTree {
    /// Complete subtrees, the largest first: one for every one bit of `leaves`.
    subtrees: Vec<Digest>,
    leaves: u64,
}

impl MerkleTree {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the leaf of a chunk.
    pub fn push_chunk(&mut self, chunk: &[u8]) {
        self.push_leaf(leaf_hash(chunk));
    }

    /// Appends a leaf hash.
    pub fn push_leaf(&mut self, leaf: Digest) {
        let merged = (0..self.leaves.trailing_ones()).fold(leaf, |right, _| {
            let left = self.subtrees.pop().expect("one subtree for every one bit");
            node_hash(&left, &right)
        });
        self.subtrees.push(merged);
        self.leaves += 1;
    }

    /// The number of leaves.
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The root; that of a tree without leaves is the hash of nothing.
    pub fn root(&self) -> Digest {
        let mut subtrees = self.subtrees.iter().rev();
        let Some(last) = subtrees.next() else {
            return sha256(b"");
        };
        subtrees.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The root over stored leaf hashes.
pub fn root_of(leaves: &[Digest]) -> Digest {
    let mut tree = MerkleTree::new();
    for leaf in leaves {
        tree.push_leaf(*leaf);
    }
    tree.root()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoding::from_hex;

    /// The definition of RFC 9162, word for word: split at the largest power of two smaller than n.
    fn defined(leaves: &[Digest]) -> Digest {
        match leaves.len() {
            0 => sha256(b""),
            1 => leaves[0],
            n => {
                let k = 1 << (n - 1).ilog2();
                node_hash(&defined(&leaves[..k]), &defined(&leaves[k..]))
            }
        }
    }

    #[test]
    fn the_incremental_root_is_the_defined_one_for_every_size() {
        let leaves: Vec<_> = (0..130_u8).map(|i| leaf_hash(&[i])).collect();
        for n in 0..=leaves.len() {
            assert_eq!(root_of(&leaves[..n]), defined(&leaves[..n]), "{n} leaves");
        }
    }

    #[test]
    fn the_roots_of_the_certificate_transparency_reference_tree_are_reproduced() {
        let data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = MerkleTree::new();
        for (chunk, root) in data.iter().zip(roots) {
            tree.push_chunk(&from_hex(chunk).unwrap());
            assert_eq!(tree.root().to_string(), root);
        }
        assert_eq!(tree.leaves(), 8);
    }

    #[test]
    fn order_content_and_number_of_chunks_change_the_root() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|chunk| leaf_hash(chunk));
        let root = root_of(&[a, b]);
        for other in [&[b, a][..], &[a], &[a, b, b], &[a, c]] {
            assert_ne!(root_of(other), root);
        }
        // A node is never a leaf: the two have different prefixes.
        let forged = [a.as_bytes().as_slice(), b.as_bytes()].concat();
        assert_ne!(leaf_hash(&forged), root);
    }
}
