//! The bytes of uploads: the only place that speaks to the blob store for them. Everything here that touches the disk
//! runs off the threads that answer requests.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use futures_util::Stream;
use futures_util::stream::unfold;

use super::model::{ChunkRange, OPEN, UploadRow, ranges_text};
use super::queries;
use crate::app::App;
use crate::blobs::{BlobError, DiskBlobs};
use crate::kernel::digest::{Digest, Hasher, sha256};
use crate::kernel::id::OrgId;
use crate::ledger::{Error, Failure, Result};
use crate::refusals;

/// What the blob store says, in our words.
pub fn failed(error: BlobError) -> Error {
    match error {
        BlobError::DiskFull => {
            tracing::error!("the blob directory is full");
            refusals::storage_full().into()
        }
        BlobError::Stands => refusals::upload_stands().into(),
        BlobError::Incomplete(missing) => refusals::upload_incomplete(&ranges_text(&ranges(missing))).into(),
        error => Failure::Storage(error.to_string()).into(),
    }
}

fn ranges(missing: Vec<Range<u64>>) -> Vec<ChunkRange> {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    missing
        .into_iter()
        .map(|range| ChunkRange { first: number(range.start), last: number(range.end.saturating_sub(1)) })
        .collect()
}

fn make(blobs: &DiskBlobs, row: &UploadRow) -> Result<()> {
    blobs.create(&row.id, row.size(), row.chunk_size()).map_err(failed)
}

/// An organisation's upload.
///
/// # Errors
/// 404 when it is not its own.
pub async fn own(app: &App, org: &OrgId, id: &str) -> Result<UploadRow> {
    let (org, id) = (org.to_string(), id.to_owned());
    app.reader.read(move |conn| queries::own(conn, &org, &id)).await?.ok_or_else(|| refusals::upload_not_found().into())
}

/// An organisation's upload that is complete: what to look at before a commit attaches it.
///
/// # Errors
/// 404; `upload-incomplete` with the missing chunks.
pub async fn ready(app: &App, org: &OrgId, id: &str) -> Result<UploadRow> {
    let row = own(app, org, id).await?;
    if row.state != OPEN {
        return Ok(row);
    }
    let missing = missing(app, &row).await?;
    Err(refusals::upload_incomplete(&ranges_text(&missing)).into())
}

/// Makes room on the disk for a new upload.
///
/// # Errors
/// 503 when there is none.
pub async fn prepare(app: &App, row: UploadRow) -> Result<()> {
    let blobs = app.blobs.clone();
    app.blocking(move || make(&blobs, &row)).await
}

/// The chunks that an upload still lacks.
///
/// # Errors
/// When the disk cannot be read.
pub async fn missing(app: &App, row: &UploadRow) -> Result<Vec<ChunkRange>> {
    if row.state != OPEN {
        return Ok(Vec::new());
    }
    let (blobs, id, last) = (app.blobs.clone(), row.id.clone(), row.chunks().saturating_sub(1));
    app.blocking(move || match blobs.missing(&id) {
        Ok(missing) => Ok(ranges(missing)),
        // Its row is committed before its file is made: nothing was received yet.
        Err(BlobError::NotFound) => Ok(vec![ChunkRange { first: 0, last }]),
        Err(error) => Err(failed(error)),
    })
    .await
}

/// Stores a chunk whose bytes have the digest that their sender gave.
///
/// # Errors
/// 400 when they do not; 503 when the disk is full.
pub async fn receive(app: &App, row: UploadRow, n: u32, bytes: Vec<u8>, digest: Digest) -> Result<()> {
    let blobs = app.blobs.clone();
    app.blocking(move || {
        if sha256(&bytes) != digest {
            return Err(refusals::content_digest_mismatch().into());
        }
        match blobs.write_chunk(&row.id, u64::from(n), &bytes) {
            Err(BlobError::NotFound) => {
                make(&blobs, &row)?;
                blobs.write_chunk(&row.id, u64::from(n), &bytes).map_err(failed)
            }
            stored => stored.map_err(failed),
        }
    })
    .await
}

/// Brings all bytes of an upload safely to disk and proves that they are those declared.
///
/// Chunks that this process did not write itself are read once more: until they are forced to the disk, a failing machine
/// may keep what was noted of a chunk and lose the chunk. From then on no chunk is taken any more.
///
/// # Errors
/// `upload-incomplete` with the missing chunks; `upload-mismatch`.
pub async fn settle(app: &App, row: UploadRow) -> Result<()> {
    let blobs = app.blobs.clone();
    app.blocking(move || {
        let all = ChunkRange { first: 0, last: row.chunks().saturating_sub(1) };
        let declared: Digest = row.root.parse().map_err(|_| Error::damaged(format!("upload {}: root", row.id)))?;
        let found = match blobs.complete(&row.id, &declared) {
            Err(BlobError::NotFound) => return Err(refusals::upload_incomplete(&ranges_text(&[all])).into()),
            found => found.map_err(failed)?,
        };
        if found.size == row.size() && found.root == declared {
            Ok(())
        } else {
            Err(refusals::upload_mismatch().into())
        }
    })
    .await
}

/// The digest of all bytes, read from the disk.
///
/// # Errors
/// When the disk cannot be read.
pub async fn digest(app: &App, row: &UploadRow) -> Result<Digest> {
    let (blobs, row) = (app.blobs.clone(), row.clone());
    app.blocking(move || {
        let mut hasher = Hasher::new();
        for n in 0..row.chunks() {
            hasher.update(&blobs.read_chunk(&row.id, u64::from(n)).map_err(failed)?);
        }
        Ok(hasher.finish())
    })
    .await
}

/// All bytes in order, a chunk at a time: the next is read when the last was taken.
pub fn stream(app: Data<App>, row: UploadRow) -> impl Stream<Item = Result<Bytes>> + use<> {
    let row = Arc::new(row);
    unfold(0, move |n| {
        let (app, row) = (app.clone(), row.clone());
        async move {
            if n >= row.chunks() {
                return None;
            }
            let blobs = app.blobs.clone();
            let read =
                app.blocking(move || blobs.read_chunk(&row.id, u64::from(n)).map(Bytes::from).map_err(failed)).await;
            // After a failure there is no next chunk: the answer breaks off, which the receiver notices by its length.
            let next = if read.is_ok() { n + 1 } else { u32::MAX };
            Some((read, next))
        }
    })
}

/// Removes the bytes of an upload; those that are gone already are no failure.
///
/// # Errors
/// When the disk cannot be written.
pub async fn remove(app: &App, id: &str) -> Result<()> {
    let (blobs, id) = (app.blobs.clone(), id.to_owned());
    app.blocking(move || blobs.delete(&id).map_err(failed)).await
}

/// Blobs older than `age` that have no upload, at most `most`: left behind when a file was made again after its removal.
///
/// # Errors
/// When the disk or the database cannot be read.
pub async fn orphans(app: &App, age: Duration, most: usize) -> Result<Vec<String>> {
    let (blobs, reader) = (app.blobs.clone(), app.reader.clone());
    app.blocking(move || {
        let mut old = Vec::new();
        let note = |id: &str, found: Duration| {
            if found > age {
                old.push(id.to_owned());
            }
            true
        };
        blobs.for_each(note).map_err(failed)?;
        let mut orphans = Vec::new();
        for ids in old.chunks(LOOK_UP) {
            let known = reader.read_blocking(|conn| queries::known(conn, ids))?;
            orphans.extend(ids.iter().filter(|id| !known.contains(id)).take(most - orphans.len()).cloned());
            if orphans.len() >= most {
                break;
            }
        }
        Ok(orphans)
    })
    .await
}

/// Ids in one question to the database: SQLite takes a bounded number of values.
const LOOK_UP: usize = 500;
