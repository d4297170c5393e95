//! Rows of the log's tables.

use diesel::prelude::*;

use crate::db::schema::{audit_batch, audit_head};
use crate::kernel::digest::Digest;
use crate::ledger::{Error, Result};

/// The head of the tree, and who grows it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_head)]
pub struct Head {
    /// Leaves in the tree.
    pub size: i64,
    /// Its root.
    pub root: Vec<u8>,
    /// Number of the last batch; 0 before the first.
    pub batch: i64,
    /// Slot of the last batch.
    pub slot: i64,
    /// Rises whenever another server begins to grow the log.
    pub epoch: i64,
    /// The server that does.
    pub holder: Option<String>,
    /// Until when nobody else does, epoch milliseconds of the clock that all servers share.
    pub lease_until: i64,
    /// Leaves under the published checkpoint.
    pub published_size: i64,
    /// When it was published, epoch milliseconds of the computer's clock.
    pub published_ms: i64,
    /// The published checkpoint with its signatures.
    pub published: Option<String>,
    /// Why the log stands still.
    pub halted: Option<String>,
}

/// An entry that waits for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the queue.
    pub place: i64,
    /// The entry.
    pub entry_id: String,
    /// What becomes a leaf.
    pub commitment: Digest,
}

/// Entries that leave the queue together, each with its leaf: columns, as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Their places in the queue.
    pub places: Vec<i64>,
    /// The entries.
    pub ids: Vec<String>,
    /// The numbers of their leaves.
    pub indexes: Vec<i64>,
}

impl FromIterator<(Waiting, i64)> for Taken {
    fn from_iter<I: IntoIterator<Item = (Waiting, i64)>>(entries: I) -> Self {
        let mut taken = Self::default();
        for (waiting, index) in entries {
            taken.places.push(waiting.place);
            taken.ids.push(waiting.entry_id);
            taken.indexes.push(index);
        }
        taken
    }
}

/// Leaves that came into the tree together.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_batch, treat_none_as_default_value = false)]
pub struct Batch {
    /// Its number, from 1 without gaps.
    pub batch: i64,
    /// Leaves before it.
    pub size_before: i64,
    /// Leaves with it.
    pub size_after: i64,
    /// How many of them are entries; the others are padding.
    pub n_real: i64,
    /// The key of its padding.
    pub pad_key: Vec<u8>,
    /// Its slot.
    pub slot: i64,
    /// When it was made, epoch milliseconds of the computer's clock.
    pub at_ms: i64,
    /// The epoch in which it was made.
    pub epoch: i64,
    /// The root with it.
    pub root: Vec<u8>,
}

/// A number of leaves, out of a column.
pub fn size(column: i64) -> u64 {
    u64::try_from(column).unwrap_or(0)
}

/// A digest, out of a column.
///
/// # Errors
/// When it has not 32 bytes.
pub fn digest(column: &[u8]) -> Result<Digest> {
    let bytes: [u8; 32] = column.try_into().map_err(|_| Error::damaged("a digest of the log has not 32 bytes"))?;
    Ok(Digest::from_bytes(bytes))
}
