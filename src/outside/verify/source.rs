//! Where the files of a log are read from.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

use super::report::{Failure, Result};
use crate::tlog::tiles::{Content, Tile};

/// Gives the files below a log's address by their paths.
pub trait Source {
    /// The bytes of a file, of which at most `most` are wanted; `None` where there is no such file.
    ///
    /// # Errors
    /// When it cannot be told whether there is one, or it cannot be read.
    fn read(&self, path: &str, most: usize) -> io::Result<Option<Vec<u8>>>;
}

/// A directory that holds a copy of a log.
#[derive(Clone, Debug)]
pub struct Directory(pub PathBuf);

impl Source for Directory {
    fn read(&self, path: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match std::fs::File::open(self.0.join(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // One byte more than wanted tells that a file is too long.
        let mut bytes = Vec::with_capacity(most + 1);
        file.take(most as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

impl Source for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str, _: usize) -> io::Result<Option<Vec<u8>>> {
        Ok(self.get(path).cloned())
    }
}

/// The bytes of a tile. Where a partial one is gone because the tile is full by now, the beginning of the full one is it.
///
/// # Errors
/// Undecided where the tile is missing or cannot be read, refuted where it has not the length that it must have.
pub fn fetch(source: &dyn Source, tile: &Tile) -> Result<Vec<u8>> {
    if let Some(bytes) = read(source, tile)? {
        return sized(tile, bytes);
    }
    let full = Tile { width: 256, ..*tile };
    match read(source, &full)?.map(|bytes| sized(&full, bytes)).transpose()? {
        Some(mut bytes) if !tile.is_full() => {
            bytes.truncate(tile.byte_len());
            Ok(bytes)
        }
        _ => Err(Failure::undecided(tile.to_string(), "缺少该文件。", "this file is missing")),
    }
}

fn read(source: &dyn Source, tile: &Tile) -> Result<Option<Vec<u8>>> {
    let path = tile.to_string();
    source
        .read(&path, tile.byte_len())
        .map_err(|error| Failure::undecided(path, format!("无法读取:{error}"), format!("it cannot be read: {error}")))
}

fn sized(tile: &Tile, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.len() == tile.byte_len() {
        return Ok(bytes);
    }
    let each = match tile.content {
        Content::Hashes(_) => "hash",
        Content::Entries => "entry",
    };
    Err(Failure::refuted(
        tile.to_string(),
        format!("长度应为 {} 字节({} 项)。", tile.byte_len(), tile.width),
        format!("it must have {} bytes, one {each} for each of {} leaves", tile.byte_len(), tile.width),
    ))
}
