//! The right edge of a tree in tiles: what is needed to let it grow, and which tiles a batch of leaves makes.

use super::tiles::{self, Content, Tile, WIDTH};
use super::tree::Frontier;
use crate::kernel::digest::{DIGEST_LEN, Digest};

/// The partial tiles of a tree, one per level, and the partial bundle: nothing else changes when leaves are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// By level: the hashes of the rightmost tile while it is partial; at most 255 each.
    levels: Vec<Vec<Digest>>,
    bundle: Vec<u8>,
}

/// A tile with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Which.
    pub tile: Tile,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Edge {
    /// A tree without leaves.
    pub const fn empty() -> Self {
        Self { size: 0, levels: Vec::new(), bundle: Vec::new() }
    }

    /// The partial tiles that make up the edge of a tree of `size` leaves: the bundle first, then level by level.
    pub fn tiles(size: u64) -> Vec<Tile> {
        let partial = |content, level: u8| {
            let n = (size >> (8 * u32::from(level))) / WIDTH;
            let width = tiles::width_in(size, level, n);
            (width > 0).then_some(Tile { content, n, width })
        };
        let bundle = partial(Content::Entries, 0);
        bundle
            .into_iter()
            .chain(tiles::levels(size).filter_map(|level| partial(Content::Hashes(level), level)))
            .collect()
    }

    /// Reads the edge of a tree of `size` leaves: `read` gives the bytes of each tile of [`Edge::tiles`].
    ///
    /// # Errors
    /// Those of `read`, and `damaged` for bytes that are not what the tile must hold.
    pub fn read<E>(
        size: u64,
        mut read: impl FnMut(&Tile) -> Result<Vec<u8>, E>,
        damaged: impl Fn(&Tile) -> E,
    ) -> Result<Self, E> {
        let mut edge = Self { size, levels: tiles::levels(size).map(|_| Vec::new()).collect(), bundle: Vec::new() };
        for tile in Self::tiles(size) {
            let bytes = read(&tile)?;
            if bytes.len() != tile.byte_len() {
                return Err(damaged(&tile));
            }
            match tile.content {
                Content::Entries => {
                    tiles::commitments(&bytes).map_err(|_| damaged(&tile))?;
                    edge.bundle = bytes;
                }
                Content::Hashes(level) => {
                    edge.levels[usize::from(level)] = tiles::hashes(&bytes).ok_or_else(|| damaged(&tile))?;
                }
            }
        }
        Ok(edge)
    }

    /// Leaves in the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The tree as its complete subtrees: those over 256^level leaves and their halves, out of the partial tiles.
    pub fn frontier(&self) -> Frontier {
        frontier(self.size, &self.levels)
    }

    /// Adds leaves by their commitments, with their hashes, and returns every tile that is new or has grown: full ones in
    /// the order in which they became full, then the partial ones.
    pub fn grow(&mut self, leaves: impl IntoIterator<Item = (Digest, Digest)>) -> Vec<Written> {
        let (mut written, before) = (Vec::new(), self.size);
        for (commitment, leaf_hash) in leaves {
            tiles::push_entry(&mut self.bundle, &commitment);
            self.size += 1;
            if self.size.is_multiple_of(WIDTH) {
                let tile = Tile { content: Content::Entries, n: self.size / WIDTH - 1, width: 256 };
                written.push(Written { tile, bytes: std::mem::take(&mut self.bundle) });
            }
            self.push(0, leaf_hash, &mut written);
        }
        if self.size > before {
            written.extend(Self::tiles(self.size).into_iter().filter_map(|tile| self.partial(tile, before)));
        }
        written
    }

    fn push(&mut self, level: u8, hash: Digest, written: &mut Vec<Written>) {
        let at = usize::from(level);
        if self.levels.len() == at {
            self.levels.push(Vec::new());
        }
        self.levels[at].push(hash);
        if self.levels[at].len() as u64 == WIDTH {
            let hashes = std::mem::take(&mut self.levels[at]);
            let n = (self.size >> (8 * u32::from(level))) / WIDTH - 1;
            written
                .push(Written { tile: Tile { content: Content::Hashes(level), n, width: 256 }, bytes: join(&hashes) });
            self.push(level + 1, tiles::subtree(&hashes), written);
        }
    }

    /// The bytes of a partial tile, where it is wider than it was at the size `before`.
    fn partial(&self, tile: Tile, before: u64) -> Option<Written> {
        let (level, bytes) = match tile.content {
            Content::Entries => (0, self.bundle.clone()),
            Content::Hashes(level) => (level, join(&self.levels[usize::from(level)])),
        };
        (tiles::width_in(before, level, tile.n) < tile.width).then_some(Written { tile, bytes })
    }
}

/// The tree of `size` leaves as its complete subtrees, out of its partial tiles by level.
///
/// # Panics
/// Where the widths of the tiles are not those of the size.
pub fn frontier(size: u64, levels: &[Vec<Digest>]) -> Frontier {
    let mut hashes = Vec::new();
    for level in levels.iter().rev() {
        let mut rest = &level[..];
        while !rest.is_empty() {
            let (subtree, after) = rest.split_at(1 << rest.len().ilog2());
            hashes.push(tiles::subtree(subtree));
            rest = after;
        }
    }
    Frontier::from_parts(size, hashes).expect("widths of partial tiles are the digits of the size")
}

fn join(hashes: &[Digest]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(hashes.len() * DIGEST_LEN);
    hashes.iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::entry::leaf_hash;
    use super::super::{prove, tree};
    use super::*;
    use crate::kernel::digest::sha256;

    /// Grows in batches of uneven sizes and keeps what a web server would hold.
    fn grown(batches: &[u64]) -> (Edge, BTreeMap<Tile, Vec<u8>>, Frontier) {
        let (mut edge, mut files, mut frontier, mut next) = (Edge::empty(), BTreeMap::new(), Frontier::empty(), 0_u64);
        for n in batches {
            let leaves: Vec<(Digest, Digest)> = (next..next + n)
                .map(|i| {
                    let commitment = sha256(&i.to_be_bytes());
                    (commitment, leaf_hash(&commitment))
                })
                .collect();
            next += n;
            leaves.iter().for_each(|(_, leaf)| frontier.append(*leaf));
            for written in edge.grow(leaves) {
                assert_eq!(written.bytes.len(), written.tile.byte_len(), "{}", written.tile);
                if let Some(old) = files.insert(written.tile, written.bytes.clone()) {
                    assert_eq!(old, written.bytes, "{} was written twice, differently", written.tile);
                }
            }
            assert_eq!(edge.frontier(), frontier, "after {next}");
        }
        (edge, files, frontier)
    }

    #[test]
    fn what_grew_in_batches_holds_the_tiles_of_the_specification_and_the_root_of_the_tree() {
        let (edge, files, frontier) = grown(&[1, 1, 254, 1, 255, 256, 300, 65_000, 1, 511, 4]);
        let size = edge.size();
        for tile in tiles::all(size) {
            assert!(files.contains_key(&tile), "{tile} is missing");
        }
        let read = |level, index| {
            tiles::read_node(
                level,
                index,
                |level, n| {
                    let tile = Tile { content: Content::Hashes(level), n, width: tiles::width_in(size, level, n) };
                    files.get(&tile).and_then(|bytes| tiles::hashes(bytes)).ok_or("no such tile")
                },
                |_, _| "too short a tile",
            )
        };
        assert_eq!(prove::root(size, read), Ok(frontier.root()));
        for index in [0, 255, 256, 65_535, 65_536, size - 1] {
            let proof = prove::inclusion(index, size, read).expect("proof");
            let leaf = leaf_hash(&sha256(&index.to_be_bytes()));
            assert_eq!(tree::root_of_inclusion(index, size, &leaf, &proof), Some(frontier.root()));
        }
        let back = Edge::read(size, |tile| files.get(tile).cloned().ok_or("missing"), |_| "damaged").expect("edge");
        assert_eq!(back, edge);
    }

    #[test]
    fn an_edge_whose_tiles_are_damaged_in_form_is_not_read() {
        let (edge, files, _) = grown(&[300]);
        let cut = |tile: &Tile| files.get(tile).map(|bytes| bytes[1..].to_vec()).ok_or("missing");
        assert_eq!(Edge::read(edge.size(), cut, |_| "damaged"), Err("damaged"));
    }
}
