//! Writes the files of an archive one after the other, and remembers what the manifest will say of them.

use crate::kernel::digest::Hasher;
use crate::ledger::{Error, Result};
use crate::seal::tar::{BLOCK_LEN, header, padding_len};
use crate::tlog::evidence::Member;

/// A file that is being written.
struct Open {
    name: String,
    len: u64,
    written: u64,
    hasher: Hasher,
}

/// An archive, as far as it is written.
#[derive(Default)]
pub(super) struct Archive {
    members: Vec<Member>,
    open: Option<Open>,
}

impl Archive {
    /// Begins a file that will have `len` bytes.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>, name: &str, len: u64) -> Result<()> {
        out.extend_from_slice(&header(name, len).map_err(|error| Error::internal(format!("{name}: {error}")))?);
        self.open = Some(Open { name: name.to_owned(), len, written: 0, hasher: Hasher::new() });
        Ok(())
    }

    /// Goes on with it.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        if let Some(open) = &mut self.open {
            open.written += bytes.len() as u64;
            open.hasher.update(bytes);
            out.extend_from_slice(bytes);
        }
    }

    /// Ends it.
    ///
    /// An error where it has not the length that was announced: then the archive must break off.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let open = self.open.take().ok_or_else(|| Error::internal("no file of the archive is begun"))?;
        if open.written != open.len {
            return Err(Error::internal(format!(
                "{}: {} bytes were announced, and there are {}: what was found has changed meanwhile",
                open.name, open.len, open.written
            )));
        }
        out.resize(out.len() + padding_len(open.len), 0);
        self.members.push(Member { name: open.name, len: open.len, sha256: open.hasher.finish() });
        Ok(())
    }

    /// Writes a whole file.
    pub(super) fn whole(&mut self, out: &mut Vec<u8>, name: &str, bytes: &[u8]) -> Result<()> {
        self.begin(out, name, bytes.len() as u64)?;
        self.write(out, bytes);
        self.end(out)
    }

    /// The files so far.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// What ends an archive.
    pub(super) fn finish(out: &mut Vec<u8>) {
        out.resize(out.len() + 2 * BLOCK_LEN, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_as_long_as_announced_ends_the_archive() {
        let (mut archive, mut out) = (Archive::default(), Vec::new());
        archive.whole(&mut out, "a", b"12345").expect("written");
        assert_eq!((out.len(), archive.members()[0].len), (2 * BLOCK_LEN, 5));
        archive.begin(&mut out, "b", 2).expect("begun");
        archive.write(&mut out, b"123");
        assert!(archive.end(&mut out).is_err());
        assert_eq!(archive.members().len(), 1);
    }
}
