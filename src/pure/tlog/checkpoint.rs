//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of the tree, as the text of a signed note.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::note::{Kind, Note, NoteError, Verifier};
use crate::kernel::digest::Digest;

/// The head of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// The root hash (RFC 6962 section 2.1).
    pub root: Digest,
}

/// Why a text is no checkpoint that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note itself.
    #[error("{0}")]
    Note(#[from] NoteError),
    /// The text is not origin, size and root.
    #[error("the text of the checkpoint is not origin, size and root hash, a line each")]
    Malformed,
    /// It is another log's.
    #[error("the checkpoint is of another log than the key")]
    Origin,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    /// Reads the text. Extension lines are not accepted: this log writes none, and nobody audits them.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        let [origin, size, root] = lines[..] else { return Err(CheckpointError::Malformed) };
        let size = decimal(size).ok_or(CheckpointError::Malformed)?;
        let root = hash(root).ok_or(CheckpointError::Malformed)?;
        if origin.is_empty() || !text.ends_with('\n') {
            return Err(CheckpointError::Malformed);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads a signed checkpoint of the log whose key this is.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn open(note: &str, log: &Verifier) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        if log.kind() != Kind::Text {
            return Err(NoteError::NotSigned.into());
        }
        note.verify(log)?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin != log.name() { Err(CheckpointError::Origin) } else { Ok(checkpoint) }
    }
}

/// A number as the formats write it: digits without a leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}

/// A hash as the formats write it: 32 bytes in base64.
pub(super) fn hash(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the C2SP tlog-cosignature text.
    const TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn a_checkpoint_is_written_as_it_was_read() {
        let read = Checkpoint::parse(TEXT).expect("a checkpoint");
        assert_eq!((read.origin.as_str(), read.size), ("example.com/behind-the-sofa", 20_852_163));
        assert_eq!(read.text(), TEXT);
    }

    #[test]
    fn a_checkpoint_has_one_spelling() {
        for text in [
            TEXT.replace("20852163", "020852163"),
            TEXT.replace("20852163", "+20852163"),
            TEXT.replace("20852163", ""),
            TEXT.replace("20852163", "99999999999999999999"),
            TEXT.replace("q2I=", "q2J="),
            TEXT.replace("q2I=", ""),
            format!("{TEXT}extension\n"),
            format!("{TEXT}\n"),
            TEXT.trim_end().to_owned(),
            format!("\n{TEXT}"),
        ] {
            assert_eq!(Checkpoint::parse(&text), Err(CheckpointError::Malformed), "{text:?}");
        }
    }
}
