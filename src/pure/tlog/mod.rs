//! The log's form: entries and their commitments, the Merkle tree over them, tiles, checkpoints, cosignatures, proofs.
//!
//! Pure: bytes in, bytes out. Promises that a commitment hides its parts (each has a salt of 256 bits) and binds them
//! (SHA-256), that a root binds every leaf and its place (RFC 6962), and that what these files accept is exactly what the
//! published texts of C2SP describe, so that tools which are not ours accept it too. Does not know where anything is stored.
//! `docs/log-format.md` says all of it byte by byte.

pub mod checkpoint;
pub mod cosignature;
pub mod edge;
pub mod entry;
pub mod evidence;
pub mod needed;
pub mod note;
pub mod policy;
pub mod proof;
pub mod prove;
pub mod receipt;
pub mod specimen;
pub mod tiles;
pub mod tree;
