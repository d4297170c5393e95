//! The form of the record: how an audit entry becomes a commitment, and how the platform signs what it promises.
//!
//! Pure: bytes in, bytes out. Promises that a commitment hides its parts (each has a salt of 256 bits) and binds them
//! (SHA-256), so that any part can be shown later without the others. Does not know where entries are stored.

pub mod entry;
pub mod note;
pub mod receipt;
