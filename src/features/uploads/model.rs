//! Uploads: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::uploads;
use crate::features::restoration::model::NeedsRestoration;
use crate::kernel::digest::Digest;
use crate::kernel::id::{LotId, UploadId};
use crate::kernel::time::Timestamp;
use crate::limits;
use crate::seal::limits::{CHUNK_BYTES, MAX_DOCUMENTS_BYTES, MAX_PRICE_PART_BYTES};
use crate::seal::stream::{TAG_LEN, ciphertext_len};

/// Chunks are still coming in.
pub const OPEN: &str = "open";
/// All bytes are on disk and are those that were declared.
pub const COMPLETE: &str = "complete";
/// Nobody may use it any more; its bytes go next, then its row.
pub const DOOMED: &str = "doomed";

/// What an upload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A sealed part of a bid.
    Bid,
    /// The sealed reserve price.
    Reserve,
    /// A document of the lot, in clear.
    Document,
}

impl Purpose {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Reserve => "reserve",
            Self::Document => "document",
        }
    }

    /// Bytes of a chunk: sealed chunks are 1 MiB of plaintext and their tag, so that each is checked and repeated alone.
    pub const fn chunk_bytes(self) -> u64 {
        match self {
            Self::Bid | Self::Reserve => (CHUNK_BYTES + TAG_LEN) as u64,
            Self::Document => CHUNK_BYTES as u64,
        }
    }

    /// Bytes at most.
    pub const fn most_bytes(self) -> u64 {
        match self {
            Self::Bid => ciphertext_len(MAX_DOCUMENTS_BYTES),
            Self::Reserve => ciphertext_len(MAX_PRICE_PART_BYTES),
            Self::Document => limits::DOCUMENT_BYTES,
        }
    }
}

/// A row of `uploads`. Not a subject: uploads are not on record.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = uploads, treat_none_as_default_value = false)]
pub struct UploadRow {
    /// The upload.
    pub id: String,
    /// Whose it is.
    pub org_id: String,
    /// For which lot.
    pub lot_id: Option<String>,
    /// [`Purpose`].
    pub purpose: String,
    /// Bytes as declared.
    pub size_bytes: i64,
    /// Bytes of a chunk.
    pub chunk_bytes: i64,
    /// Merkle root over the chunks as declared, hex.
    pub root: String,
    /// `open`, `complete`, `doomed`.
    pub state: String,
    /// What uses it.
    pub attached_to: Option<String>,
    /// Epoch milliseconds.
    pub created_at: i64,
    /// Kept at least until, epoch milliseconds.
    pub expires_at: i64,
}

impl UploadRow {
    /// Bytes as declared.
    pub fn size(&self) -> u64 {
        u64::try_from(self.size_bytes).unwrap_or(0)
    }

    /// Bytes of a chunk, never 0.
    pub fn chunk_size(&self) -> u64 {
        u64::try_from(self.chunk_bytes).unwrap_or(0).max(1)
    }

    /// Number of chunks.
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.size().div_ceil(self.chunk_size())).unwrap_or(u32::MAX)
    }

    /// Bytes of chunk `n`; none beyond the last.
    pub fn chunk_len(&self, n: u32) -> Option<usize> {
        let start = u64::from(n) * self.chunk_size();
        let left = self.size().checked_sub(start).filter(|left| *left > 0)?;
        usize::try_from(left.min(self.chunk_size())).ok()
    }
}

/// A new upload.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    /// `bid`, `reserve` or `document`.
    pub purpose: Purpose,
    /// Bytes in all, as they will be sent.
    #[schema(minimum = 1, example = 1_048_592)]
    pub size_bytes: u64,
    /// Merkle root (RFC 9162, SHA-256) over the chunks as they will be sent, hex.
    #[schema(value_type = String, example = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    pub root: Digest,
}

/// Chunks in a row, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChunkRange {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// An upload, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Upload {
    /// The upload.
    pub id: UploadId,
    /// Its lot.
    pub lot_id: Option<LotId>,
    /// What it is for.
    pub purpose: String,
    /// `open` or `complete`.
    pub state: String,
    /// Bytes in all.
    pub size_bytes: u64,
    /// Bytes of every chunk but the last, which has the rest.
    pub chunk_bytes: u64,
    /// Number of chunks, counted from 0.
    pub chunk_count: u32,
    /// Merkle root as declared, hex.
    #[schema(value_type = String)]
    pub root: Digest,
    /// Kept at least until then; for good once something uses it.
    pub expires_at: Timestamp,
    /// Chunks that are still to be sent.
    pub missing: Vec<ChunkRange>,
    /// What is asked for again, where the platform's copy was damaged after the upload was complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_restoration: Option<NeedsRestoration>,
}

/// Ranges in words, such as `0-3, 7`.
pub fn ranges_text(ranges: &[ChunkRange]) -> String {
    let one = |range: &ChunkRange| {
        if range.first == range.last { range.first.to_string() } else { format!("{}-{}", range.first, range.last) }
    };
    let mut text: Vec<String> = ranges.iter().take(RANGES_IN_WORDS).map(one).collect();
    if ranges.len() > RANGES_IN_WORDS {
        text.push("…".into());
    }
    text.join(", ")
}

/// Ranges that a refusal names; the upload itself lists all of them.
const RANGES_IN_WORDS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(size: i64, chunk: i64) -> UploadRow {
        UploadRow {
            id: UploadId::random().into_string(),
            org_id: String::new(),
            lot_id: None,
            purpose: Purpose::Bid.name().into(),
            size_bytes: size,
            chunk_bytes: chunk,
            root: String::new(),
            state: OPEN.into(),
            attached_to: None,
            created_at: 0,
            expires_at: 0,
        }
    }

    #[test]
    fn every_chunk_is_full_but_the_last() {
        let upload = row(25, 10);
        assert_eq!(upload.chunks(), 3);
        assert_eq!([0, 1, 2, 3].map(|n| upload.chunk_len(n)), [Some(10), Some(10), Some(5), None]);
    }

    #[test]
    fn a_size_that_is_a_multiple_of_the_chunk_has_no_empty_last_chunk() {
        let upload = row(20, 10);
        assert_eq!(upload.chunks(), 2);
        assert_eq!([1, 2, u32::MAX].map(|n| upload.chunk_len(n)), [Some(10), None, None]);
    }

    #[test]
    fn a_sealed_payload_of_the_largest_bid_fits() {
        let chunks = Purpose::Bid.most_bytes().div_ceil(Purpose::Bid.chunk_bytes());
        assert!(Purpose::Bid.most_bytes() > MAX_DOCUMENTS_BYTES);
        assert!(u32::try_from(chunks).is_ok());
        assert!(Purpose::Bid.most_bytes() <= limits::UPLOAD_LOT_BYTES);
    }

    #[test]
    fn missing_chunks_are_named_as_ranges_and_not_without_end() {
        let ranges = [ChunkRange { first: 0, last: 3 }, ChunkRange { first: 7, last: 7 }];
        assert_eq!(ranges_text(&ranges), "0-3, 7");
        assert_eq!(ranges_text(&[]), "");
        let many = vec![ChunkRange { first: 1, last: 1 }; 1_000];
        assert!(ranges_text(&many).len() < 100);
    }
}
