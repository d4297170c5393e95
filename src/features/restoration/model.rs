//! Damages: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::blobs::Condition;
use crate::db::schema::damages;
use crate::features::uploads::model::ChunkRange;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};

/// A row of `damages`. Not a subject: that damage was found and mended is on record by itself.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = damages)]
pub struct DamageRow {
    /// The upload.
    pub upload_id: String,
    /// When it was found, epoch milliseconds.
    pub found_at: i64,
    /// The leaf hashes are lost; which chunks are, is not known before they are back.
    pub leaves_lost: bool,
    /// The chunks that are lost, as a list of [`ChunkRange`].
    pub chunks: String,
}

/// What of an upload is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The leaf hashes are lost.
    pub leaves_lost: bool,
    /// These chunks are lost.
    pub chunks: Vec<ChunkRange>,
}

impl Damage {
    /// The damage of a blob in this condition, where its owner has to send something.
    pub fn of(condition: &Condition) -> Option<Self> {
        match condition {
            Condition::Whole | Condition::LeavesLost(_) => None,
            Condition::ChunksLost(chunks) => Some(Self { leaves_lost: false, chunks: ranges(chunks) }),
            Condition::Unknown => Some(Self { leaves_lost: true, chunks: Vec::new() }),
        }
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn read(row: &DamageRow) -> Result<Self> {
        let chunks = serde_json::from_str(&row.chunks)
            .map_err(|error| Error::damaged(format!("damage of {}: {error}", row.upload_id)))?;
        Ok(Self { leaves_lost: row.leaves_lost, chunks })
    }

    /// The row of an upload's damage.
    ///
    /// # Errors
    /// Internal ones only.
    pub fn to_row(&self, upload_id: &str, found_at: Timestamp) -> Result<DamageRow> {
        Ok(DamageRow {
            upload_id: upload_id.to_owned(),
            found_at: found_at.millis(),
            leaves_lost: self.leaves_lost,
            chunks: serde_json::to_string(&self.chunks).map_err(|error| Error::internal(error.to_string()))?,
        })
    }

    /// What is left of it when chunk `n` is back.
    pub fn without(&self, n: u32) -> Self {
        let mut chunks = Vec::with_capacity(self.chunks.len() + 1);
        for range in &self.chunks {
            if !(range.first..=range.last).contains(&n) {
                chunks.push(*range);
                continue;
            }
            if range.first < n {
                chunks.push(ChunkRange { first: range.first, last: n - 1 });
            }
            if n < range.last {
                chunks.push(ChunkRange { first: n + 1, last: range.last });
            }
        }
        Self { chunks, ..*self }
    }

    /// Whether nothing of it is left.
    pub fn is_mended(&self) -> bool {
        !self.leaves_lost && self.chunks.is_empty()
    }

    /// How many chunks are known to be lost.
    pub fn count(&self) -> u64 {
        self.chunks.iter().map(|range| u64::from(range.last - range.first) + 1).sum()
    }
}

fn ranges(chunks: &[u64]) -> Vec<ChunkRange> {
    let mut ranges: Vec<ChunkRange> = Vec::new();
    for n in chunks.iter().map(|n| u32::try_from(*n).unwrap_or(u32::MAX)) {
        match ranges.last_mut() {
            Some(range) if n > 0 && range.last == n - 1 => range.last = n,
            _ => ranges.push(ChunkRange { first: n, last: n }),
        }
    }
    ranges
}

/// What the owner of an upload is asked to send again, because the platform's copy was damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NeedsRestoration {
    /// The leaf hashes first: `PUT /v1/uploads/{upload}/leaves`. Which chunks are needed is told then.
    pub leaves: bool,
    /// These chunks, exactly as they were sent: `PUT /v1/uploads/{upload}/chunks/{n}`.
    pub chunks: Vec<ChunkRange>,
}

impl From<Damage> for NeedsRestoration {
    fn from(damage: Damage) -> Self {
        Self { leaves: damage.leaves_lost, chunks: damage.chunks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damage(chunks: &[u64]) -> Damage {
        Damage::of(&Condition::ChunksLost(chunks.to_vec())).expect("damage")
    }

    #[test]
    fn chunks_that_come_back_in_any_order_leave_what_is_still_missing() {
        let damage = damage(&[0, 1, 2, 7]);
        assert_eq!(damage.chunks, [ChunkRange { first: 0, last: 2 }, ChunkRange { first: 7, last: 7 }]);
        assert_eq!(damage.count(), 4);
        let left = damage.without(1).without(7);
        assert_eq!(left.chunks, [ChunkRange { first: 0, last: 0 }, ChunkRange { first: 2, last: 2 }]);
        assert!(!left.is_mended() && left.without(5) == left);
        assert!(left.without(2).without(0).is_mended());
    }

    #[test]
    fn without_its_leaf_hashes_nothing_is_mended() {
        let damage = Damage::of(&Condition::Unknown).expect("damage");
        assert!(damage.leaves_lost && !damage.without(0).is_mended());
        let row = damage.to_row("upl-1", Timestamp::from_millis(1)).expect("a row");
        assert_eq!(Damage::read(&row).expect("readable"), damage);
    }

    #[test]
    fn what_the_platform_mends_by_itself_asks_nobody() {
        assert_eq!(Damage::of(&Condition::Whole), None);
        assert_eq!(Damage::of(&Condition::LeavesLost(Vec::new())), None);
    }
}
