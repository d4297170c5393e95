//! Which tiles prove some leaves: those with the leaves, those above them up to the right edge, and the edge itself.

use std::collections::BTreeSet;

use crate::tlog::edge::Edge;
use crate::tlog::tiles::{self, Content, Tile, WIDTH};

/// The tiles that are needed, each once.
#[derive(Debug)]
pub struct Needed {
    size: u64,
    tiles: BTreeSet<Tile>,
}

impl Needed {
    /// Of a tree of `size` leaves its right edge, from which the root follows.
    pub fn of_tree(size: u64) -> Self {
        let hashes = |tile: &Tile| tile.content != Content::Entries;
        Self { size, tiles: Edge::tiles(size).into_iter().filter(hashes).collect() }
    }

    /// And what proves a leaf.
    pub fn add(&mut self, index: u64) {
        let mut n = index / WIDTH;
        self.tiles.insert(Tile { content: Content::Entries, n, width: tiles::width_in(self.size, 0, n) });
        for level in tiles::levels(self.size) {
            let tile = Tile { content: Content::Hashes(level), n, width: tiles::width_in(self.size, level, n) };
            // What is above a tile that is there already is there too.
            if !self.tiles.insert(tile) || !tile.is_full() {
                return;
            }
            n /= WIDTH;
        }
    }

    /// All of them, level by level, from the left.
    pub fn into_tiles(self) -> Vec<Tile> {
        self.tiles.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(size: u64, leaves: &[u64]) -> Vec<String> {
        let mut needed = Needed::of_tree(size);
        leaves.iter().for_each(|leaf| needed.add(*leaf));
        needed.into_tiles().iter().map(Tile::to_string).collect()
    }

    #[test]
    fn a_leaf_needs_its_bundle_its_tile_what_is_above_and_the_edge() {
        assert_eq!(paths(0, &[]), Vec::<String>::new());
        assert_eq!(paths(48, &[3, 7]), ["tile/0/000.p/48", "tile/entries/000.p/48"]);
        assert_eq!(paths(256, &[0]), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
        assert_eq!(
            paths(70_000, &[257, 300, 69_999]),
            [
                "tile/0/001",
                "tile/0/273.p/112",
                "tile/1/000",
                "tile/1/001.p/17",
                "tile/2/000.p/1",
                "tile/entries/001",
                "tile/entries/273.p/112"
            ]
        );
    }
}
