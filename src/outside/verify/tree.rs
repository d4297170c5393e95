//! A log's tree, read from tiles of which none is believed: each is compared with the tile above it, up to the signed root.
//!
//! Promise: a hash that comes out of here is under the root of the checkpoint, and what does not fit is named by the smallest
//! tile that can be named. At most one full tile of every level is held, so that memory does not grow with the tree.

use super::report::{Failure, Finding, Result};
use super::source::{Source, fetch};
use crate::kernel::digest::Digest;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::tiles::{self, BUNDLED_LEN, BundleError, Content, ENTRY_LEN, Tile, WIDTH};
use crate::tlog::tree::data_hash;
use crate::tlog::{edge, entry, prove};

/// A tree under a signed root.
pub struct Tree<'a> {
    source: &'a dyn Source,
    size: u64,
    /// By level: the rightmost tile while it is partial.
    edge: Vec<Vec<Digest>>,
    /// By level: the full tile that was asked for last.
    kept: Vec<Option<(u64, Vec<Digest>)>>,
}

impl<'a> Tree<'a> {
    /// Reads the right edge, and shows that it leads to the root.
    ///
    /// # Errors
    /// Undecided where a tile is missing, refuted where the tiles lead to another root.
    pub fn open(source: &'a dyn Source, head: &Checkpoint) -> Result<Self> {
        let size = head.size;
        let levels = tiles::levels(size).count();
        let mut tree = Self { source, size, edge: vec![Vec::new(); levels], kept: vec![None; levels] };
        for level in tiles::levels(size) {
            let tile = tree.edge_tile(level);
            if tile.width > 0 {
                tree.edge[usize::from(level)] = tree.hashes(&tile)?;
            }
        }
        if edge::frontier(size, &tree.edge).root() == head.root { Ok(tree) } else { Err(tree.locate(head)) }
    }

    /// Leaves in the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The tile at the right edge of a level, of width 0 where there is no partial one.
    fn edge_tile(&self, level: u8) -> Tile {
        let n = (self.size >> (8 * u32::from(level))) / WIDTH;
        Tile { content: Content::Hashes(level), n, width: tiles::width_in(self.size, level, n) }
    }

    fn hashes(&self, tile: &Tile) -> Result<Vec<Digest>> {
        let bytes = fetch(self.source, tile)?;
        Ok(tiles::hashes(&bytes).expect("the length was checked"))
    }

    /// Why the edge does not lead to the root: compares every hash of it with what lies below.
    fn locate(&self, head: &Checkpoint) -> Failure {
        for level in tiles::levels(self.size) {
            let tile = self.edge_tile(level);
            for (at, hash) in (0_u64..).zip(&self.edge[usize::from(level)]) {
                let number = tile.n * WIDTH + at;
                let below = match level.checked_sub(1) {
                    None => Tile { content: Content::Entries, ..tile },
                    Some(lower) => Tile { content: Content::Hashes(lower), n: number, width: 256 },
                };
                let Ok(bytes) = fetch(self.source, &below) else { continue };
                let expected = match level {
                    0 => data_hash(&entry_bytes(&bytes, at)[2..]),
                    _ => tiles::subtree(&tiles::hashes(&bytes).expect("the length was checked")),
                };
                if expected != *hash {
                    return Failure::refuted(
                        tile.to_string(),
                        format!("第 {level} 层第 {number} 个哈希与 {below} 不符,且树根与检查点不符。"),
                        format!(
                            "level {level}: its hash {at} (number {number} of the level) does not fit {below}, and the tree does not lead \
                             to the root of the checkpoint"
                        ),
                    );
                }
            }
        }
        Failure::refuted(
            format!("checkpoint ({}, size {})", head.origin, head.size),
            "右边缘各文件彼此一致,但所得树根与检查点不同。",
            "the tiles at the right edge agree with each other and lead to another root than the checkpoint's",
        )
    }

    /// The hashes of a tile, shown to be under the root.
    ///
    /// # Errors
    /// Undecided where a tile is missing, refuted where it does not hash to what the tile above says.
    pub fn tile(&mut self, level: u8, n: u64) -> Result<&[Digest]> {
        let at = usize::from(level);
        let tile = Tile { content: Content::Hashes(level), n, width: tiles::width_in(self.size, level, n) };
        if tile.width == 0 {
            return Err(Failure::refuted(tile.to_string(), "超出该树的范围。", "it is outside of the tree"));
        }
        if !tile.is_full() {
            return Ok(&self.edge[at]);
        }
        if self.kept[at].as_ref().is_none_or(|(kept, _)| *kept != n) {
            let hashes = self.hashes(&tile)?;
            let above = self.tile(level + 1, n / WIDTH)?;
            if above[(n % WIDTH) as usize] != tiles::subtree(&hashes) {
                let parent_n = n / WIDTH;
                let parent = Tile {
                    content: Content::Hashes(level + 1),
                    n: parent_n,
                    width: tiles::width_in(self.size, level + 1, parent_n),
                };
                return Err(Failure::refuted(
                    tile.to_string(),
                    format!("第 {level} 层:该文件的哈希与上一层 {parent} 的第 {} 项不符。", n % WIDTH),
                    format!("level {level}: it does not hash to what {parent} says at {}", n % WIDTH),
                ));
            }
            self.kept[at] = Some((n, hashes));
        }
        Ok(&self.kept[at].as_ref().expect("just kept").1)
    }

    /// The hash of a leaf.
    ///
    /// # Errors
    /// See [`Tree::tile`].
    pub fn leaf(&mut self, index: u64) -> Result<Digest> {
        let tile = self.tile(0, index / WIDTH)?;
        tile.get((index % WIDTH) as usize)
            .copied()
            .ok_or_else(|| Failure::refuted(format!("entry {index}"), "超出该树的范围。", "it is outside of the tree"))
    }

    /// The root of the first `size` leaves.
    ///
    /// # Errors
    /// See [`Tree::tile`].
    pub fn root_at(&mut self, size: u64) -> Result<Digest> {
        prove::root(size, |level, index| {
            let (level, n, range) = tiles::locate(level, index);
            Ok(tiles::subtree(&self.tile(level, n)?[range]))
        })
    }

    /// The commitments of a bundle of entries, shown to be the leaves.
    ///
    /// # Errors
    /// Undecided where a file is missing or an entry's version is not known, refuted where an entry is not the leaf.
    pub fn bundle(&mut self, n: u64) -> Result<Vec<Digest>> {
        let bundle = Tile { content: Content::Entries, n, width: tiles::width_in(self.size, 0, n) };
        let bytes = fetch(self.source, &bundle)?;
        let leaves = self.tile(0, n)?;
        let fault = |at: usize, zh: &str, en: &str| {
            let index = n * WIDTH + at as u64;
            Finding::new(format!("{bundle}, entry {index}"), zh, en)
        };
        let other = ("与第 0 层的叶哈希不符。", "level 0: its hash is not the leaf's in the tile beside it");
        match tiles::commitments(&bytes) {
            Ok(commitments) => {
                let wrong =
                    commitments.iter().zip(leaves).position(|(commitment, leaf)| entry::leaf_hash(commitment) != *leaf);
                wrong.map_or(Ok(commitments), |at| Err(Failure::Refuted(fault(at, other.0, other.1))))
            }
            Err(BundleError::Version(at)) if data_hash(&entry_bytes(&bytes, at as u64)[2..]) == leaves[at] => {
                Err(Failure::Undecided(fault(at, "版本未知,无法判定。", "its version is not known to this program")))
            }
            Err(BundleError::Version(at)) => Err(Failure::Refuted(fault(at, other.0, other.1))),
            Err(BundleError::Length(at)) => Err(Failure::Refuted(fault(
                at,
                &format!("长度前缀应为 {ENTRY_LEN}。"),
                &format!("its length prefix is not {ENTRY_LEN}"),
            ))),
        }
    }
}

/// An entry of a bundle with its length prefix.
fn entry_bytes(bundle: &[u8], at: u64) -> &[u8] {
    let from = at as usize * BUNDLED_LEN;
    &bundle[from..from + BUNDLED_LEN]
}
