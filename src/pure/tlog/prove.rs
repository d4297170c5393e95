//! Makes proofs: the hashes that lead from a leaf to a root, and from one root to a later one (RFC 6962 section 2.1).
//!
//! The tree is asked for the hashes of complete subtrees, wherever they are kept: `read(level, index)` is the hash over the
//! leaves `index * 2^level .. (index + 1) * 2^level`.

use super::tree::{empty_root, node_hash, split};
use crate::kernel::digest::Digest;

/// The hash over the leaves `from..to`, where `from` is a multiple of the largest power of two in `to - from`.
fn range<E>(from: u64, to: u64, read: &mut impl FnMut(u32, u64) -> Result<Digest, E>) -> Result<Digest, E> {
    let n = to - from;
    if n.is_power_of_two() {
        return read(n.trailing_zeros(), from >> n.trailing_zeros());
    }
    let middle = from + split(n);
    let left = range(from, middle, read)?;
    Ok(node_hash(&left, &range(middle, to, read)?))
}

/// The root of the first `size` leaves.
///
/// # Errors
/// Those of `read`.
pub fn root<E>(size: u64, mut read: impl FnMut(u32, u64) -> Result<Digest, E>) -> Result<Digest, E> {
    if size == 0 { Ok(empty_root()) } else { range(0, size, &mut read) }
}

/// The inclusion proof of a leaf in the tree of `size` leaves (RFC 6962 section 2.1.1), from the leaf's sibling upwards.
/// `index` must be smaller than `size`.
///
/// # Errors
/// Those of `read`.
pub fn inclusion<E>(
    index: u64,
    size: u64,
    mut read: impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    debug_assert!(index < size, "a leaf of the tree");
    let (mut from, mut to) = (0, size);
    let mut proof = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(range(middle, to, &mut read)?);
            to = middle;
        } else {
            proof.push(range(from, middle, &mut read)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof from the tree of `old` leaves to that of `new` leaves (RFC 6962 section 2.1.2); empty when `old` is
/// zero or they are the same. `old` must not be larger than `new`.
///
/// # Errors
/// Those of `read`.
pub fn consistency<E>(
    old: u64,
    new: u64,
    mut read: impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    debug_assert!(old <= new, "an earlier tree");
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut from, mut to) = (0, new);
    let mut whole = true;
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(range(middle, to, &mut read)?);
            to = middle;
        } else {
            proof.push(range(from, middle, &mut read)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(range(from, to, &mut read)?);
    }
    proof.reverse();
    Ok(proof)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::tree::{Frontier, data_hash, is_consistent, root_of_inclusion};
    use super::*;

    /// The definition of RFC 6962 section 2.1, word for word.
    fn mth(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(usize::try_from(split(leaves.len() as u64)).expect("small"));
                node_hash(&mth(left), &mth(right))
            }
        }
    }

    fn hashes(n: u64) -> Vec<Digest> {
        (0..n).map(|i| data_hash(&i.to_be_bytes())).collect()
    }

    fn reader(leaves: &[Digest]) -> impl FnMut(u32, u64) -> Result<Digest, Infallible> + '_ {
        |level, index| {
            let from = usize::try_from(index << level).expect("small");
            Ok(mth(&leaves[from..from + (1 << level)]))
        }
    }

    #[test]
    fn every_leaf_is_proven_in_every_tree_and_nothing_else_is() {
        for n in 1..=40_u64 {
            let leaves = hashes(n);
            let expected = mth(&leaves);
            let mut frontier = Frontier::empty();
            leaves.iter().for_each(|leaf| frontier.append(*leaf));
            assert_eq!(frontier.root(), expected);
            assert_eq!(root(n, reader(&leaves)), Ok(expected));
            for (index, leaf) in (0..n).zip(&leaves) {
                let Ok(proof) = inclusion(index, n, reader(&leaves));
                assert_eq!(root_of_inclusion(index, n, leaf, &proof), Some(expected), "{index} of {n}");
                for other in (0..n).filter(|other| *other != index) {
                    assert_ne!(root_of_inclusion(other, n, leaf, &proof), Some(expected), "{index} as {other} of {n}");
                }
                let mut longer = proof.clone();
                longer.push(expected);
                assert_eq!(root_of_inclusion(index, n, leaf, &longer), None);
                if !proof.is_empty() {
                    assert_eq!(root_of_inclusion(index, n, leaf, &proof[..proof.len() - 1]), None);
                }
                for at in 0..proof.len() {
                    let mut damaged = proof.clone();
                    damaged[at] = expected;
                    assert_ne!(root_of_inclusion(index, n, leaf, &damaged), Some(expected));
                }
            }
        }
    }

    #[test]
    fn every_tree_is_shown_to_continue_every_smaller_one_and_no_other() {
        for new in 0..=40_u64 {
            let leaves = hashes(new);
            let new_root = mth(&leaves);
            for old in 0..=new {
                let old_root = mth(&leaves[..usize::try_from(old).expect("small")]);
                let Ok(proof) = consistency(old, new, reader(&leaves));
                assert!(is_consistent(old, &old_root, new, &new_root, &proof), "{old} to {new}");
                if old > 0 && old < new {
                    assert!(!is_consistent(old, &new_root, new, &new_root, &proof));
                    assert!(!is_consistent(old, &old_root, new, &old_root, &proof));
                    assert!(!is_consistent(new, &new_root, old, &old_root, &proof));
                    for at in 0..proof.len() {
                        let mut damaged = proof.clone();
                        damaged[at] = data_hash(b"other");
                        assert!(!is_consistent(old, &old_root, new, &new_root, &damaged), "{old} to {new} at {at}");
                        let mut shorter = proof.clone();
                        shorter.remove(at);
                        assert!(!is_consistent(old, &old_root, new, &new_root, &shorter));
                    }
                    let mut longer = proof.clone();
                    longer.push(new_root);
                    assert!(!is_consistent(old, &old_root, new, &new_root, &longer));
                }
            }
        }
    }
}
