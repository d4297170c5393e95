//! Tiles (C2SP tlog-tiles): the tree in files of 256 hashes, and the entries in bundles of 256.

use std::fmt;

use super::checkpoint::decimal;
use super::tree::node_hash;
use crate::kernel::digest::{DIGEST_LEN, Digest};

/// Hashes in a full tile, and entries in a full bundle.
pub const WIDTH: u64 = 256;
/// Levels of the tree that one tile spans.
const HEIGHT: u32 = 8;
/// The highest level that a path may name.
const LEVEL_MAX: u8 = 63;
/// Bytes of an entry of this log: its version and a commitment.
pub const ENTRY_LEN: usize = 33;
/// The version byte of an entry.
pub const ENTRY_VERSION: u8 = 0x01;
/// Bytes of an entry in a bundle: its length as two bytes, and the entry.
pub const BUNDLED_LEN: usize = 2 + ENTRY_LEN;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// Hashes of a level of tiles: level 0 has the leaves' hashes, level 1 the roots of full tiles of level 0, and so on.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// One tile: what it holds, its number from the left, and how many it holds, 1 to 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Its number in its level.
    pub n: u64,
    /// How many it holds; below 256 it is partial.
    pub width: u16,
}

impl Tile {
    /// Whether it is full, and so final.
    pub const fn is_full(&self) -> bool {
        self.width as u64 == WIDTH
    }

    /// The bytes it must have.
    pub const fn byte_len(&self) -> usize {
        match self.content {
            Content::Hashes(_) => self.width as usize * DIGEST_LEN,
            Content::Entries => self.width as usize * BUNDLED_LEN,
        }
    }

    /// Reads a path below the log's address: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`; `None` when it is none, or
    /// not in the one spelling.
    pub fn parse(path: &str) -> Option<Self> {
        let (content, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let content = match content {
            "entries" => Content::Entries,
            level => Content::Hashes(decimal(level).and_then(|level| u8::try_from(level).ok())?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, decimal(width).and_then(|width| u16::try_from(width).ok())?),
            None => (rest, 256),
        };
        let n = number.split('/').try_fold(0_u64, |n, part| {
            let digits = part.strip_prefix('x').unwrap_or(part);
            let three = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
            n.checked_mul(1000)?.checked_add(three.then(|| digits.parse::<u64>().ok())??)
        })?;
        let tile = Self { content, n, width };
        let in_range = !matches!(content, Content::Hashes(level) if level > LEVEL_MAX) && (1..=256).contains(&width);
        (in_range && tile.to_string() == path).then_some(tile)
    }
}

/// The path below the log's address.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes(level) => write!(f, "tile/{level}/")?,
            Content::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.n % 1000];
        let mut rest = self.n / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// How many the tile `n` of a level holds in a tree of `size` leaves: 0 when it has none yet.
pub const fn width_in(size: u64, level: u8, n: u64) -> u16 {
    let shift = HEIGHT * level as u32;
    let hashes = if shift >= 64 { 0 } else { size >> shift };
    let before = n.saturating_mul(WIDTH);
    if hashes <= before {
        0
    } else if hashes - before >= WIDTH {
        256
    } else {
        (hashes - before) as u16
    }
}

/// The tiles of hashes of a tree of `size` leaves that hold something: level by level, from the left.
pub fn all(size: u64) -> impl Iterator<Item = Tile> {
    levels(size).flat_map(move |level| {
        let tiles = (size >> (HEIGHT * u32::from(level))).div_ceil(WIDTH);
        (0..tiles).map(move |n| Tile { content: Content::Hashes(level), n, width: width_in(size, level, n) })
    })
}

/// The levels of tiles that a tree of `size` leaves has.
pub fn levels(size: u64) -> impl Iterator<Item = u8> {
    (0..8_u8).take_while(move |level| size >> (HEIGHT * u32::from(*level)) > 0)
}

/// The hashes in a tile's bytes; `None` when the length is no multiple of a hash.
pub fn hashes(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<DIGEST_LEN>();
    rest.is_empty().then(|| hashes.iter().map(|hash| Digest::from_bytes(*hash)).collect())
}

/// Adds an entry to a bundle.
pub fn push_entry(bundle: &mut Vec<u8>, commitment: &Digest) {
    bundle.extend_from_slice(&(ENTRY_LEN as u16).to_be_bytes());
    bundle.push(ENTRY_VERSION);
    bundle.extend_from_slice(commitment.as_bytes());
}

/// Why a bundle's bytes are not entries of this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// A length that is not 33, or bytes too few or too many.
    #[error("entry {0} of the bundle has not the length of an entry")]
    Length(usize),
    /// A version byte that this program does not know.
    #[error("entry {0} of the bundle has a version that this program does not know")]
    Version(usize),
}

/// The commitments in a bundle.
///
/// # Errors
/// See [`BundleError`].
pub fn commitments(bundle: &[u8]) -> Result<Vec<Digest>, BundleError> {
    let (entries, rest) = bundle.as_chunks::<BUNDLED_LEN>();
    let read = |(at, entry): (usize, &[u8; BUNDLED_LEN])| {
        if entry[..2] != (ENTRY_LEN as u16).to_be_bytes() {
            return Err(BundleError::Length(at));
        }
        if entry[2] != ENTRY_VERSION {
            return Err(BundleError::Version(at));
        }
        let mut commitment = [0; DIGEST_LEN];
        commitment.copy_from_slice(&entry[3..]);
        Ok(Digest::from_bytes(commitment))
    };
    let commitments = entries.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    if rest.is_empty() { Ok(commitments) } else { Err(BundleError::Length(commitments.len())) }
}

/// The root over `hashes`, whose number is a power of two.
pub fn subtree(hashes: &[Digest]) -> Digest {
    debug_assert!(hashes.len().is_power_of_two(), "a complete subtree");
    let mut level = hashes.to_vec();
    let mut width = level.len();
    while width > 1 {
        width /= 2;
        for at in 0..width {
            level[at] = node_hash(&level[2 * at], &level[2 * at + 1]);
        }
    }
    level[0]
}

/// Where the hash over the leaves `index * 2^level ..` of a tree stands: the tile's level and number, and which of its hashes
/// lie under it.
pub fn locate(level: u32, index: u64) -> (u8, u64, std::ops::Range<usize>) {
    let (tile_level, within) = (level / HEIGHT, level % HEIGHT);
    let first = index << within;
    let at = (first % WIDTH) as usize;
    (tile_level as u8, first / WIDTH, at..at + (1 << within))
}

/// The hash over the leaves `index * 2^level ..` out of tiles: `tile(level, n)` gives the hashes of a tile, as many as there
/// are; `missing` makes the error for one that has too few.
///
/// # Errors
/// Those of `tile` and `missing`.
pub fn read_node<E>(
    level: u32,
    index: u64,
    tile: impl FnOnce(u8, u64) -> Result<Vec<Digest>, E>,
    missing: impl FnOnce(u8, u64) -> E,
) -> Result<Digest, E> {
    let (tile_level, n, range) = locate(level, index);
    let hashes = tile(tile_level, n)?;
    hashes.get(range).map(subtree).ok_or_else(|| missing(tile_level, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(content: Content, n: u64, width: u16) -> Tile {
        Tile { content, n, width }
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        for (path, expected) in [
            ("tile/0/x001/x234/067", tile(Content::Hashes(0), 1_234_067, 256)),
            ("tile/3/000.p/1", tile(Content::Hashes(3), 0, 1)),
            ("tile/entries/x001/000", tile(Content::Entries, 1000, 256)),
            ("tile/entries/999.p/255", tile(Content::Entries, 999, 255)),
        ] {
            assert_eq!(Tile::parse(path), Some(expected));
            assert_eq!(expected.to_string(), path);
        }
        for path in [
            "tile/0/1",
            "tile/0/0001",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x001/x002",
            "tile/00/001",
            "tile/64/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/0/001.p/",
            "tile/data/001",
            "tile/0/../001",
            "tile/0/+01",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    /// The example of the specification's text.
    #[test]
    fn a_tree_of_seventy_thousand_leaves_has_the_tiles_of_the_example() {
        let tiles: Vec<Tile> = all(70_000).collect();
        let count = |level, full| {
            tiles.iter().filter(|tile| tile.content == Content::Hashes(level) && tile.is_full() == full).count()
        };
        assert_eq!((count(0, true), count(0, false)), (273, 1));
        assert_eq!((count(1, true), count(1, false)), (1, 1));
        assert_eq!((count(2, true), count(2, false)), (0, 1));
        assert_eq!((width_in(70_000, 0, 273), width_in(70_000, 1, 1), width_in(70_000, 2, 0)), (112, 17, 1));
        assert_eq!(all(256).collect::<Vec<_>>(), [tile(Content::Hashes(0), 0, 256), tile(Content::Hashes(1), 0, 1)]);
        assert_eq!(all(0).count(), 0);
    }

    #[test]
    fn a_bundle_is_read_as_it_was_written_and_nothing_else_is_a_bundle() {
        let mut bundle = Vec::new();
        let commitments_written = [crate::kernel::digest::sha256(b"a"), crate::kernel::digest::sha256(b"b")];
        commitments_written.iter().for_each(|commitment| push_entry(&mut bundle, commitment));
        assert_eq!(commitments(&bundle), Ok(commitments_written.to_vec()));
        assert_eq!(commitments(&bundle[..69]), Err(BundleError::Length(1)));
        let mut other = bundle.clone();
        other[BUNDLED_LEN + 1] = 34;
        assert_eq!(commitments(&other), Err(BundleError::Length(1)));
        bundle[2] = 2;
        assert_eq!(commitments(&bundle), Err(BundleError::Version(0)));
    }
}
