//! A server as a process of its own: how soon it is ready, how fast it takes a large upload, how much memory it needs.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::ground::Ground;
use super::measure::Figures;
use super::server::{self, Server};
use super::{Backend, BenchError, Result, Run};
use crate::client::{Client, UploadFor, new_key};
use crate::kernel::digest::{Digest, Hasher};
use crate::seal::limits::CHUNK_BYTES;
use crate::seal::merkle::MerkleTree;
use crate::seal::stream::TAG_LEN;

/// Bytes of the upload.
const UPLOAD_BYTES: u64 = 1 << 30;
/// Bytes of a sealed chunk.
const SEALED_CHUNK: usize = CHUNK_BYTES + TAG_LEN;

/// Starts a server on an existing database and uploads to it.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for backend in &run.databases {
        one(run, *backend, &mut figures)?;
    }
    Ok(figures)
}

fn one(run: &Run, backend: Backend, figures: &mut Figures) -> Result<()> {
    let ground = Ground::lay_now(backend.fresh()?, 1, 1)?;
    let (lot, token) = (ground.lots[0].id.clone(), ground.token(&ground.bidders[0]));
    let (url, directory) = (ground.platform.url().to_owned(), ground.platform.directory().to_owned());
    let config = server::write_config(&ground.app().config, &directory)?;
    let kept = ground.leave();
    let mut server = Server::start(&config)?;
    let ready = server.wait(&url)?;
    figures.add(format!("start_to_ready.{}", backend.name), ready.as_secs_f64() * 1000.0, "ms");

    let size = run.many(usize::try_from(UPLOAD_BYTES).map_err(BenchError::of)?) as u64;
    let mut file = payload(&kept.path().join("payload"), size)?;
    let hashing = hash(&mut file)?;
    let root = root(&mut file)?;
    let client = Client::new(&url).with_token(token);
    let what = UploadFor { lot: &lot, purpose: "bid", size_bytes: size, root: &root, key: &new_key() };
    let began = Instant::now();
    client.upload(&what, &mut file, &|_| {}).map_err(BenchError::of)?;
    let uploading = began.elapsed();
    let mb = |took: Duration| size as f64 / 1e6 / took.as_secs_f64();
    figures.add(format!("upload.{}", backend.name), mb(uploading), "MB/s");
    figures.add(format!("upload.hashing_alone.{}", backend.name), mb(hashing), "MB/s");
    figures.add(format!("upload.to_hashing.{}", backend.name), mb(uploading) / mb(hashing), "x");
    if let Some(peak) = server.peak_mb() {
        figures.add(format!("upload.server_memory.{}", backend.name), peak, "MB");
    }
    Ok(())
}

/// A file of bytes that do not repeat from chunk to chunk.
fn payload(path: &Path, size: u64) -> Result<File> {
    let mut file = File::options().read(true).write(true).create_new(true).open(path).map_err(BenchError::of)?;
    let mut left = size;
    for n in 0u64.. {
        let mut chunk: Vec<u8> = (0..SEALED_CHUNK).map(|at| (at % 251) as u8).collect();
        chunk[..8].copy_from_slice(&n.to_be_bytes());
        let length = usize::try_from(left.min(SEALED_CHUNK as u64)).map_err(BenchError::of)?;
        file.write_all(&chunk[..length]).map_err(BenchError::of)?;
        left -= length as u64;
        if left == 0 {
            break;
        }
    }
    Ok(file)
}

/// Calls `each` with the bytes of the file, a chunk at a time.
fn chunks(file: &mut File, mut each: impl FnMut(&[u8])) -> Result<()> {
    file.seek(SeekFrom::Start(0)).map_err(BenchError::of)?;
    let mut chunk = Vec::with_capacity(SEALED_CHUNK);
    loop {
        chunk.clear();
        file.take(SEALED_CHUNK as u64).read_to_end(&mut chunk).map_err(BenchError::of)?;
        if chunk.is_empty() {
            return Ok(());
        }
        each(&chunk);
    }
}

/// How long it takes to read and hash the file.
fn hash(file: &mut File) -> Result<Duration> {
    let (began, mut hasher) = (Instant::now(), Hasher::new());
    chunks(file, |chunk| hasher.update(chunk))?;
    std::hint::black_box(hasher.finish());
    Ok(began.elapsed())
}

fn root(file: &mut File) -> Result<Digest> {
    let mut tree = MerkleTree::new();
    chunks(file, |chunk| tree.push_chunk(chunk))?;
    Ok(tree.root())
}
