//! A signer that runs as a process and a user of its own, reached over a Unix socket: one line of JSON each way.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Growth, Kept, SignedHead, Signer, SignerError};
use crate::kernel::digest::Digest;
use crate::limits;
use crate::tlog::note::Verifier;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Question {
    /// Its keys.
    Verifiers,
    /// What it signed last.
    Head,
    /// To remember promises.
    Promised {
        /// What was promised.
        commitments: Vec<Digest>,
    },
    /// To strike out promises.
    Kept {
        /// What proves that they were kept.
        proofs: Vec<Shown>,
    },
    /// To sign a tree.
    Sign {
        /// Its slot.
        slot: u64,
        /// Leaves before.
        size_before: u64,
        /// What follows.
        commitments: Vec<Digest>,
        /// The root.
        root: Digest,
    },
    /// To sign the list of keys.
    Endorse {
        /// The list.
        text: String,
    },
}

/// A proof that a promise was kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    pub(super) commitment: Digest,
    pub(super) index: u64,
    pub(super) proof: Vec<Digest>,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Answer {
    /// Keys, as verifier keys.
    Verifiers { keys: Vec<String> },
    /// What was signed last.
    Head { size: u64, root: Digest, slot: u64 },
    /// Done.
    Done,
    /// A note, or signature lines.
    Signed { text: String },
    /// It refuses.
    Refused { what: String },
    /// Promises are overdue.
    Overdue { commitments: Vec<Digest> },
    /// Its memory fails it.
    Memory { what: String },
}

/// The signer at the other end of a socket.
pub struct SocketSigner {
    path: PathBuf,
    verifiers: Vec<Verifier>,
    line: Mutex<Option<BufReader<UnixStream>>>,
}

fn away(error: impl std::fmt::Display) -> SignerError {
    SignerError::Away(error.to_string())
}

impl SocketSigner {
    /// Connects, and asks for its keys, which must be those of this log.
    ///
    /// # Errors
    /// When it does not answer, or signs for another log.
    pub fn connect(path: &Path, origin: &str) -> Result<Self, SignerError> {
        let mut signer = Self { path: path.to_owned(), verifiers: Vec::new(), line: Mutex::new(None) };
        let Answer::Verifiers { keys } = signer.ask(&Question::Verifiers)? else { return Err(strange()) };
        signer.verifiers = keys.iter().map(|key| Verifier::parse(key)).collect::<Result<_, _>>().map_err(away)?;
        match signer.verifiers.first() {
            Some(first) if first.name() == origin => Ok(signer),
            Some(first) => Err(SignerError::Refused(format!("it signs for another log, {}", first.name()))),
            None => Err(strange()),
        }
    }

    fn ask(&self, question: &Question) -> Result<Answer, SignerError> {
        let mut text = serde_json::to_string(question).map_err(away)?;
        text.push('\n');
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        // Every question may be repeated: a signer that was started anew is asked again, once.
        for _ in 0..2 {
            let mut open = match line.take() {
                Some(open) => open,
                None => self.open()?,
            };
            let mut answer = String::new();
            let asked = open.get_mut().write_all(text.as_bytes()).and_then(|()| open.read_line(&mut answer));
            if asked.is_ok() && answer.ends_with('\n') {
                *line = Some(open);
                return serde_json::from_str(&answer).map_err(away);
            }
        }
        Err(away(format!("{}: no answer", self.path.display())))
    }

    fn open(&self) -> Result<BufReader<UnixStream>, SignerError> {
        let named = |error: std::io::Error| away(format!("{}: {error}", self.path.display()));
        let stream = UnixStream::connect(&self.path).map_err(named)?;
        let limit = Some(Duration::from_millis(limits::SIGNER_MS));
        stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(limit)).map_err(named)?;
        Ok(BufReader::new(stream))
    }
}

fn strange() -> SignerError {
    away("it answers something else than it was asked")
}

fn error_of(answer: Answer) -> SignerError {
    match answer {
        Answer::Refused { what } => SignerError::Refused(what),
        Answer::Overdue { commitments } => SignerError::Overdue(commitments),
        Answer::Memory { what } => SignerError::Memory(what),
        _ => strange(),
    }
}

impl Signer for SocketSigner {
    fn verifiers(&self) -> &[Verifier] {
        &self.verifiers
    }

    fn endorse(&self, text: &str) -> Result<String, SignerError> {
        match self.ask(&Question::Endorse { text: text.to_owned() })? {
            Answer::Signed { text } => Ok(text),
            other => Err(error_of(other)),
        }
    }

    fn head(&self) -> Result<SignedHead, SignerError> {
        match self.ask(&Question::Head)? {
            Answer::Head { size, root, slot } => Ok(SignedHead { size, root, slot }),
            other => Err(error_of(other)),
        }
    }

    fn promised(&self, commitments: &[Digest]) -> Result<(), SignerError> {
        done(self.ask(&Question::Promised { commitments: commitments.to_vec() })?)
    }

    fn kept(&self, proofs: &[Kept]) -> Result<(), SignerError> {
        let shown = |kept: &Kept| Shown { commitment: kept.commitment, index: kept.index, proof: kept.proof.clone() };
        done(self.ask(&Question::Kept { proofs: proofs.iter().map(shown).collect() })?)
    }

    fn sign(&self, growth: &Growth) -> Result<String, SignerError> {
        let Growth { slot, size_before, commitments, root } = growth.clone();
        match self.ask(&Question::Sign { slot, size_before, commitments, root })? {
            Answer::Signed { text } => Ok(text),
            other => Err(error_of(other)),
        }
    }
}

fn done(answer: Answer) -> Result<(), SignerError> {
    match answer {
        Answer::Done => Ok(()),
        other => Err(error_of(other)),
    }
}
