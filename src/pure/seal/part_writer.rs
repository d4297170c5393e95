//! Writing the plaintext of a part.
//!
//! Promise: the same files give the same bytes, and what is written is what [`super::part_reader`] accepts. Files are read
//! twice, first for their digests and then for their contents, in bounded memory; a file that changed in between is
//! noticed. Deliberately absent: opening files.

use super::manifest::{BID_PATH, BidJson, Binding, FileEntry, MANIFEST_PATH, Manifest, PartError, PartIoError};
use super::tar::{self, BLOCK_LEN};
use crate::kernel::digest::{Hasher, sha256};
use std::io::{self, Read, Write};

const COPY_BUFFER_BYTES: usize = 64 * 1024;

/// Reads a file once to describe it in a manifest.
///
/// # Errors
/// Those of the reader.
pub fn describe(path: impl Into<String>, content: impl Read) -> io::Result<FileEntry> {
    let (len, sha256) = copy(content, io::sink())?;
    Ok(FileEntry { path: path.into(), len, sha256 })
}

/// Writes the archive of a part; `open` gives the contents of the files, in the manifest's order.
///
/// # Errors
/// Those of readers and writer; `Length` or `FileDigest` if a file is no longer the described one.
pub fn write_part<R: Read>(
    mut out: impl Write,
    manifest: &Manifest,
    mut open: impl FnMut(&FileEntry) -> io::Result<R>,
) -> Result<(), PartIoError> {
    let text = manifest.to_bytes();
    write_header(&mut out, MANIFEST_PATH, text.len() as u64)?;
    out.write_all(&text)?;
    write_padding(&mut out, text.len() as u64)?;
    for file in manifest.files() {
        write_header(&mut out, &file.path, file.len)?;
        // One byte more than described is enough to notice a file that has grown.
        let (len, sha256) = copy(open(file)?.take(file.len + 1), &mut out)?;
        if len != file.len {
            return Err(PartError::Length(file.path.clone()).into());
        }
        if sha256 != file.sha256 {
            return Err(PartError::FileDigest(file.path.clone()).into());
        }
        write_padding(&mut out, len)?;
    }
    out.write_all(&[0; 2 * BLOCK_LEN])?;
    Ok(())
}

/// The archive of part `price` or `reserve`.
///
/// # Errors
/// If a field of the bid is malformed, or the binding is to another part.
pub fn bid_part(binding: Binding, bid: &BidJson) -> Result<Vec<u8>, PartError> {
    if !binding.part.is_priced() {
        return Err(PartError::BidJsonExpected);
    }
    bid.check()?;
    let mut archive = Vec::new();
    one_file(&mut archive, binding, BID_PATH, &bid.to_bytes())?;
    Ok(archive)
}

/// Writes the archive of a part that has one file.
pub(super) fn one_file(out: &mut Vec<u8>, binding: Binding, path: &str, content: &[u8]) -> Result<(), PartError> {
    let file = FileEntry { path: path.to_owned(), len: content.len() as u64, sha256: sha256(content) };
    let manifest = Manifest::new(binding, vec![file])?;
    match write_part(out, &manifest, |_| Ok(content)) {
        Ok(()) => Ok(()),
        Err(PartIoError::Part(error)) => Err(error),
        Err(PartIoError::Io(_)) => unreachable!("reading from and writing to memory does not fail"),
    }
}

fn write_header(mut out: impl Write, path: &str, len: u64) -> Result<(), PartIoError> {
    let block = tar::header(path, len).map_err(PartError::Archive)?;
    Ok(out.write_all(&block)?)
}

fn write_padding(mut out: impl Write, len: u64) -> io::Result<()> {
    out.write_all(&[0; BLOCK_LEN][..tar::padding_len(len)])
}

fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<(u64, crate::kernel::digest::Digest)> {
    let mut buffer = vec![0; COPY_BUFFER_BYTES];
    let mut hasher = Hasher::new();
    let mut len = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok((len, hasher.finish())),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        len += read as u64;
    }
}
