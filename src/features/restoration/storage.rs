//! The bytes of what is damaged: reading them again, and putting them back.

use std::time::Duration;

use super::model::Damage;
use super::{ops, queries};
use crate::app::App;
use crate::blobs::mending::compare;
use crate::blobs::{BlobError, Condition, Declared};
use crate::features::uploads::model::UploadRow;
use crate::features::uploads::storage::failed;
use crate::kernel::digest::{DIGEST_LEN, Digest, sha256};
use crate::ledger::{Context, Error, Failure, Result};
use crate::limits;
use crate::refusals;

/// What is known of an upload from its row.
fn declared(upload: &UploadRow) -> Result<Declared> {
    let root = upload.root.parse().map_err(|_| Error::damaged(format!("upload {}: root", upload.id)))?;
    Ok(Declared { size: upload.size(), chunk: upload.chunk_size(), root })
}

/// What the owner of a damaged upload is told by a blob that does not take what was sent.
fn refused(error: BlobError) -> Error {
    match error {
        BlobError::Differs => refusals::not_as_declared().into(),
        BlobError::LeavesLost => refusals::leaves_needed().into(),
        error => failed(error),
    }
}

/// Reads all bytes of an upload again and tells what is damaged, with a pause between pieces so that others can read.
/// Leaf hashes that are lost while all bytes are there are written anew.
///
/// # Errors
/// When the disk is out of reach.
pub async fn examine(app: &App, upload: &UploadRow, pause: Duration) -> Result<Option<Damage>> {
    let (declared, chunks) = (declared(upload)?, u64::from(upload.chunks()));
    let storage = |error: BlobError| Error::from(Failure::Storage(error.to_string()));
    let (blobs, id) = (app.blobs.clone(), upload.id.clone());
    let leaves = app.blocking(move || blobs.signed_leaves(&id, &declared).map_err(storage)).await?;
    let (mut found, mut next) = (Vec::new(), 0);
    while next < chunks {
        let piece = next..chunks.min(next + limits::SCRUB_PIECE);
        next = piece.end;
        let (blobs, id) = (app.blobs.clone(), upload.id.clone());
        found.extend(app.blocking(move || blobs.hash_chunks(&id, &declared, piece).map_err(storage)).await?);
        if next < chunks && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    let condition = compare(&declared, leaves.as_deref(), found);
    let damage = Damage::of(&condition);
    if let Condition::LeavesLost(all) = condition {
        tracing::error!("the digests beside a stored file were damaged; they are written anew from its bytes");
        let (blobs, id) = (app.blobs.clone(), upload.id.clone());
        app.blocking(move || blobs.mend_leaves(&id, &declared, &all).map_err(storage)).await?;
    }
    Ok(damage)
}

/// What is asked for of an upload.
///
/// # Errors
/// 409 where nothing is damaged, or the opening has decided.
pub async fn check_wanted(app: &App, upload: &UploadRow) -> Result<Damage> {
    let asked = upload.clone();
    let wanted = app.reader.read(move |conn| queries::wanted(conn, &asked)).await?;
    wanted.ok_or_else(|| refusals::upload_stands().into())
}

/// Puts a chunk back. When it looks like the last, everything is read once more before anybody says that it is whole.
///
/// # Errors
/// As [`check_wanted`]; 400 for bytes damaged on the way; 409 `leaves-needed`; 422 `not-as-declared`; 503 when the disk is
/// full.
pub async fn receive(
    app: &App,
    context: Context,
    upload: UploadRow,
    n: u32,
    bytes: Vec<u8>,
    digest: Digest,
) -> Result<()> {
    check_wanted(app, &upload).await?;
    let (blobs, id, declared) = (app.blobs.clone(), upload.id.clone(), declared(&upload)?);
    app.blocking(move || {
        if sha256(&bytes) != digest {
            return Err(refusals::content_digest_mismatch().into());
        }
        blobs.mend_chunk(&id, &declared, u64::from(n), &bytes).map_err(refused)
    })
    .await?;
    let id = upload.id.clone();
    match app.ledger.commit_beside(context.clone(), move |tx| ops::took_chunk(tx, &id, n)).await? {
        true => settle(app, context, upload).await,
        false => Ok(()),
    }
}

/// Puts the leaf hashes back, and finds out which chunks are lost where that was not known.
///
/// # Errors
/// As [`check_wanted`]; 422 `not-as-declared`; 503 when the disk is full.
pub async fn receive_leaves(app: &App, context: Context, upload: UploadRow, bytes: Vec<u8>) -> Result<()> {
    let damage = check_wanted(app, &upload).await?;
    let (blobs, id, declared) = (app.blobs.clone(), upload.id.clone(), declared(&upload)?);
    app.blocking(move || {
        let all: Vec<Digest> =
            bytes.chunks_exact(DIGEST_LEN).filter_map(|leaf| Some(Digest::from_bytes(leaf.try_into().ok()?))).collect();
        blobs.mend_leaves(&id, &declared, &all).map_err(refused)
    })
    .await?;
    if damage.leaves_lost { settle(app, context, upload).await } else { Ok(()) }
}

/// Reads everything again and writes down what is still damaged, or that nothing is.
async fn settle(app: &App, context: Context, upload: UploadRow) -> Result<()> {
    let damage = examine(app, &upload, Duration::ZERO).await?;
    app.ledger.commit_beside(context, move |tx| ops::conclude(tx, &upload, damage.as_ref())).await
}
