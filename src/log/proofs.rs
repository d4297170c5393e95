//! Proofs out of the published tree.

use super::Log;
use super::model::{Head, size};
use crate::kernel::digest::Digest;
use crate::ledger::{Error, Result};
use crate::tlog::proof::Proof;
use crate::tlog::prove;

impl Log {
    /// The proof that a leaf is under the published checkpoint; none where it is not yet.
    ///
    /// # Errors
    /// When a tile cannot be read.
    pub fn proof(&self, head: &Head, index: u64, extra: Option<Vec<u8>>) -> Result<Option<Proof>> {
        let (published, Some(checkpoint)) = (size(head.published_size), head.published.clone()) else {
            return Ok(None);
        };
        if index >= published {
            return Ok(None);
        }
        let hashes = self.inclusion(index, published)?;
        Ok(Some(Proof { extra, index, hashes, checkpoint }))
    }

    /// The hashes that lead from a leaf to the root of the tree of `size` leaves.
    ///
    /// # Errors
    /// When a tile cannot be read.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>> {
        prove::inclusion(index, size, |level, index| self.directory().node(size, level, index)).map_err(Error::from)
    }

    /// The hashes that lead from an earlier tree to a later one.
    ///
    /// # Errors
    /// When a tile cannot be read.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>> {
        prove::consistency(old, new, |level, index| self.directory().node(new, level, index)).map_err(Error::from)
    }
}
