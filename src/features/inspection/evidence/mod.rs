//! Evidence: what a search finds, as an archive that proves itself against the public log without this platform.
//!
//! Promises: what is in it is what the pages of the same search would show, as of the look that was recorded for it, as far as
//! the published checkpoint covers it; with it come the tiles that prove it. The manifest comes last, signed by the promise key,
//! and only after the number of entries and the digest of the whole file are on record: an archive without it is incomplete.
//! Lengths stand before contents in an archive, so the search is walked three times (to measure, for the entries, for the table of contents);
//! where a walk finds something else than the one before, the archive breaks off. Nothing of it is kept here. The form is that of `docs/log-format.md`.

mod archive;
mod walk;

pub use self::walk::{Bundle, prepare, stream};
use crate::kernel::time::Timestamp;

/// The media type of an archive.
pub const TAR: &str = "application/x-tar";

/// The name that the file is given.
pub fn file_name(as_of: Timestamp) -> String {
    let instant: String = as_of.to_string().chars().filter(|c| !matches!(c, '-' | ':' | '.')).collect();
    format!("sealbid-evidence-{instant}.tar")
}
