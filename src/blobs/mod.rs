//! Big files on disk, under random upload ids. Digests are verified, never addresses.
//!
//! A blob is two files: `<id>`, the bytes, written chunk by chunk at their offsets in any order, and `<id>.leaves`, one
//! slot a chunk: a presence byte and the chunk's RFC 9162 leaf hash. A chunk's bytes are written before its slot, so a
//! slot never vouches for bytes that were not written; a crash in between only means that the chunk is missing and is
//! sent again. Whoever writes holds a lock of the file, on whatever server of a shared directory. Nothing is fsynced until
//! [`DiskBlobs::complete`], which is what makes a blob durable and lets it stand: after that no chunk changes it. What the
//! disk itself damages later can be put back, and only as it was: see [`mending`].
//!
//! Deliberately not here: who owns a blob, quotas, expiry.

mod disk;
mod leaves;
pub mod space;
mod trust;

pub use disk::mending::{self, Condition, Declared};
pub use disk::{BlobError, Complete, DiskBlobs};
