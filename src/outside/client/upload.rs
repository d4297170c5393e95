//! Big files in pieces: each piece with its digest, in any order, from where the line broke.

use std::io::{self, Read, Seek, SeekFrom};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use ureq::http::Method;

use super::error::{ClientError, Result};
use super::http::{Call, Client, Payload};
use super::wire::Upload;
use crate::kernel::digest::{Digest, sha256};
use crate::seal::merkle::leaf_hash;

/// Bytes that can be read from any place.
pub trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// What is uploaded, and for what.
#[derive(Clone, Copy, Debug)]
pub struct UploadFor<'a> {
    /// The lot.
    pub lot: &'a str,
    /// `bid`, `reserve` or `document`.
    pub purpose: &'a str,
    /// Bytes in all.
    pub size_bytes: u64,
    /// Merkle root over the chunks as sent.
    pub root: &'a Digest,
    /// The key of the upload: the same key finds the same upload again.
    pub key: &'a str,
}

impl Client {
    /// Uploads a file, or what is missing of it, and completes it. `progress` is told how many bytes are there so far.
    ///
    /// # Errors
    /// See [`ClientError`]; call it again with the same key to go on.
    pub fn upload(&self, what: &UploadFor<'_>, source: &mut dyn Source, progress: &dyn Fn(u64)) -> Result<String> {
        let path = format!("/v1/lots/{}/uploads", what.lot);
        let body = json!({ "purpose": what.purpose, "size_bytes": what.size_bytes, "root": what.root });
        let made: Upload = self.post_once(&path, &body, what.key)?;
        // The answer to a repeated request is the first one: what is missing now must be asked for.
        let upload: Upload = self.get(&format!("/v1/uploads/{}", made.id))?;
        if upload.chunk_bytes == 0 {
            return Err(ClientError::Answer("chunk_bytes is 0".into()));
        }
        let missing: u64 =
            upload.missing.iter().flat_map(|range| range.first..=range.last).map(|n| chunk_len(what, &upload, n)).sum();
        let mut there = what.size_bytes.saturating_sub(missing);
        progress(there);
        let mut buffer = Vec::new();
        for n in upload.missing.iter().flat_map(|range| range.first..=range.last) {
            let length = chunk_len(what, &upload, n);
            read_at(source, u64::from(n) * upload.chunk_bytes, length, &mut buffer)
                .map_err(|error| ClientError::File { path: "what is uploaded".into(), error })?;
            self.put_chunk(&upload.id, n, &buffer)?;
            there += length;
            progress(there);
        }
        let _: Upload = self.act(&format!("/v1/uploads/{}/actions/complete", upload.id))?;
        Ok(upload.id)
    }

    /// Sends again what the server has lost of a complete upload, from the same bytes as before.
    ///
    /// # Errors
    /// See [`ClientError`]; other bytes are refused and change nothing.
    pub fn restore(&self, upload: &str, source: &mut dyn Source) -> Result<()> {
        let path = format!("/v1/uploads/{upload}");
        let mut upload: Upload = self.get(&path)?;
        let mut buffer = Vec::new();
        // When all is there it is read once more, and something else may turn out to be lost.
        for _ in 0..RESTORATIONS {
            let Some(lost) = &upload.needs_restoration else { return Ok(()) };
            if lost.leaves {
                let mut leaves = Vec::new();
                for n in 0..upload.size_bytes.div_ceil(upload.chunk_bytes.max(1)) {
                    read_chunk(source, &upload, n, &mut buffer)?;
                    leaves.extend_from_slice(leaf_hash(&buffer).as_bytes());
                }
                let (path, headers) = (format!("{path}/leaves"), Vec::new());
                let body = Payload::Bytes(&leaves);
                self.send(&Call { method: Method::PUT, path: &path, body, headers, repeatable: true })?;
            }
            for n in lost.chunks.iter().flat_map(|range| range.first..=range.last) {
                read_chunk(source, &upload, u64::from(n), &mut buffer)?;
                self.put_chunk(&upload.id, n, &buffer)?;
            }
            upload = self.get(&path)?;
        }
        Err(ClientError::Answer("the server goes on losing what it is sent".into()))
    }

    fn put_chunk(&self, upload: &str, n: u32, bytes: &[u8]) -> Result<()> {
        let digest = format!("sha-256=:{}:", STANDARD.encode(sha256(bytes).as_bytes()));
        let path = format!("/v1/uploads/{upload}/chunks/{n}");
        let headers = vec![("Content-Digest", digest)];
        self.send(&Call { method: Method::PUT, path: &path, body: Payload::Bytes(bytes), headers, repeatable: true })
            .map(drop)
    }
}

/// How often what was lost is sent before one gives up.
const RESTORATIONS: u32 = 5;

fn read_chunk(source: &mut dyn Source, upload: &Upload, n: u64, buffer: &mut Vec<u8>) -> Result<()> {
    let offset = n.saturating_mul(upload.chunk_bytes);
    let length = upload.size_bytes.saturating_sub(offset).min(upload.chunk_bytes);
    read_at(source, offset, length, buffer)
        .map_err(|error| ClientError::File { path: "what is restored".into(), error })
}

/// Bytes of chunk `n`.
fn chunk_len(what: &UploadFor<'_>, upload: &Upload, n: u32) -> u64 {
    what.size_bytes.saturating_sub(u64::from(n) * upload.chunk_bytes).min(upload.chunk_bytes)
}

fn read_at(source: &mut dyn Source, offset: u64, length: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    buffer.resize(length, 0);
    source.seek(SeekFrom::Start(offset))?;
    source.read_exact(buffer)
}
