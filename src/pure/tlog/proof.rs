//! Proofs of inclusion as files (C2SP tlog-proof): index, hashes and the checkpoint, and extra data for the application.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{decimal, hash};
use crate::kernel::digest::Digest;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Hashes in a proof at most: a tree has at most 2^63 leaves.
const HASHES_MAX: usize = 63;

/// A proof, read but not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What the application adds; proves nothing by itself.
    pub extra: Option<Vec<u8>>,
    /// The leaf's number.
    pub index: u64,
    /// From the leaf's sibling to the child of the root.
    pub hashes: Vec<Digest>,
    /// The signed checkpoint, word for word.
    pub checkpoint: String,
}

/// The text is not a proof of version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Another version.
    #[error("the first line is not {HEADER}: this program does not know the version")]
    Version,
    /// Not in the form.
    #[error("line {0} of the proof is not in the form of {HEADER}")]
    Line(usize),
}

impl Proof {
    /// Writes the file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            text += &format!("extra {}\n", STANDARD.encode(extra));
        }
        text += &format!("index {}\n", self.index);
        for hash in &self.hashes {
            text += &STANDARD.encode(hash.as_bytes());
            text.push('\n');
        }
        text + "\n" + &self.checkpoint
    }

    /// Reads the file.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let body = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n')).ok_or(ProofError::Version)?;
        let mut rest = body;
        let mut line_no = 1;
        let mut next = || {
            line_no += 1;
            let (line, after) = rest.split_once('\n').ok_or(ProofError::Line(line_no))?;
            rest = after;
            Ok((line_no, line, after))
        };
        let (mut at, mut line, _) = next()?;
        let extra = match line.strip_prefix("extra ") {
            Some(extra) => {
                let extra = STANDARD.decode(extra).map_err(|_| ProofError::Line(at))?;
                (at, line, _) = next()?;
                Some(extra)
            }
            None => None,
        };
        let index = line.strip_prefix("index ").and_then(decimal).ok_or(ProofError::Line(at))?;
        let mut hashes = Vec::new();
        loop {
            let (at, line, after) = next()?;
            if line.is_empty() {
                return Ok(Self { extra, index, hashes, checkpoint: after.to_owned() });
            }
            if hashes.len() == HASHES_MAX {
                return Err(ProofError::Line(at));
            }
            hashes.push(hash(line).ok_or(ProofError::Line(at))?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;

    #[test]
    fn a_proof_is_read_as_it_was_written() {
        for extra in [None, Some(b"age-v1.2.1-darwin-arm64.tar.gz".to_vec())] {
            for n in [0, 1, 20] {
                let proof = Proof {
                    extra: extra.clone(),
                    index: 73_894,
                    hashes: (0..n).map(|i: u8| sha256(&[i])).collect(),
                    checkpoint: "example.com/fancylog\n109482\nx\n\n\u{2014} example.com/fancylog aaaaaaaa\n"
                        .to_owned(),
                };
                assert_eq!(Proof::parse(&proof.to_text()), Ok(proof));
            }
        }
    }

    #[test]
    fn what_is_not_in_the_form_is_refused_with_its_line() {
        for (text, error) in [
            ("c2sp.org/tlog-proof@v2\nindex 1\n\n", ProofError::Version),
            ("c2sp.org/tlog-proof@v1\nindex 01\n\n", ProofError::Line(2)),
            ("c2sp.org/tlog-proof@v1\nextra ?\nindex 1\n\n", ProofError::Line(2)),
            ("c2sp.org/tlog-proof@v1\nextra YQ==\nindex\n\n", ProofError::Line(3)),
            ("c2sp.org/tlog-proof@v1\nindex 1\nnothash\n\n", ProofError::Line(3)),
            ("c2sp.org/tlog-proof@v1\nindex 1\n", ProofError::Line(3)),
        ] {
            assert_eq!(Proof::parse(text), Err(error), "{text:?}");
        }
    }
}
