//! The other end of the socket: `sealbid signer`.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

use super::file::FileSigner;
use super::socket::{Answer, Question};
use super::{Growth, Kept, Signer, SignerError};
use crate::limits;

/// Opens the socket. One that is left over from a process that is gone is replaced.
///
/// # Errors
/// When another signer answers there, or the socket cannot be made.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another signer answers there"));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Whoever may connect may have roots signed: the signer's user, and its group, which the server belongs to.
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Answers everybody who connects, a thread each, until the process ends.
pub fn serve(listener: &UnixListener, signer: &Arc<FileSigner>) {
    for stream in listener.incoming() {
        match stream {
            Ok(stream) => {
                let signer = signer.clone();
                std::thread::spawn(move || {
                    if let Err(error) = answer_all(stream, &*signer) {
                        tracing::warn!(%error, "a line to the signer ended");
                    }
                });
            }
            Err(error) => tracing::warn!(%error, "a line to the signer was not accepted"),
        }
    }
}

fn answer_all(stream: UnixStream, signer: &dyn Signer) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.by_ref().take(limits::SIGNER_LINE_BYTES).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_str(&line) {
            Ok(question) => answer(signer, question),
            Err(error) => Answer::Refused { what: format!("not a question: {error}") },
        };
        let mut text = serde_json::to_string(&answer)?;
        text.push('\n');
        reader.get_mut().write_all(text.as_bytes())?;
    }
}

fn answer(signer: &dyn Signer, question: Question) -> Answer {
    let answered = match question {
        Question::Verifiers => {
            Ok(Answer::Verifiers { keys: signer.verifiers().iter().map(ToString::to_string).collect() })
        }
        Question::Head => signer.head().map(|head| Answer::Head { size: head.size, root: head.root, slot: head.slot }),
        Question::Promised { commitments } => signer.promised(&commitments).map(|()| Answer::Done),
        Question::Kept { proofs } => {
            let kept = proofs.into_iter().map(|shown| Kept {
                commitment: shown.commitment,
                index: shown.index,
                proof: shown.proof,
            });
            signer.kept(&kept.collect::<Vec<_>>()).map(|()| Answer::Done)
        }
        Question::Sign { slot, size_before, commitments, root } => {
            signer.sign(&Growth { slot, size_before, commitments, root }).map(|text| Answer::Signed { text })
        }
        Question::Endorse { text } => signer.endorse(&text).map(|text| Answer::Signed { text }),
    };
    answered.unwrap_or_else(|error| match error {
        SignerError::Refused(what) => Answer::Refused { what },
        SignerError::Overdue(commitments) => Answer::Overdue { commitments },
        SignerError::Memory(what) | SignerError::Away(what) => Answer::Memory { what },
    })
}

#[cfg(test)]
mod tests {
    use super::super::socket::SocketSigner;
    use super::*;
    use crate::kernel::digest::sha256;
    use crate::tlog::checkpoint::Checkpoint;
    use crate::tlog::entry::leaf_hash;
    use crate::tlog::tree::Frontier;

    #[test]
    fn a_signer_at_the_other_end_of_a_socket_is_the_same_signer() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, origin) = (dir.path().join("socket"), "log.example/audit/main");
        let signer = Arc::new(FileSigner::create(&dir.path().join("signer"), origin).expect("made"));
        let listener = bind(&path).expect("bound");
        let served = signer.clone();
        std::thread::spawn(move || serve(&listener, &served));
        let socket = SocketSigner::connect(&path, origin).expect("connected");
        assert_eq!(socket.verifiers(), signer.verifiers());
        assert!(SocketSigner::connect(&path, "other.example/audit/main").is_err(), "of another log");
        assert!(bind(&path).is_err(), "one signer at a socket");
        let commitments = vec![sha256(b"a"), sha256(b"b")];
        let mut frontier = Frontier::empty();
        commitments.iter().for_each(|c| frontier.append(leaf_hash(c)));
        let growth = Growth { slot: 3, size_before: 0, commitments: commitments.clone(), root: frontier.root() };
        socket.promised(&commitments).expect("remembered");
        let note = socket.sign(&growth).expect("signed");
        assert_eq!(Checkpoint::open(&note, socket.verifier()).expect("a checkpoint").size, 2);
        assert_eq!(socket.head().expect("head"), signer.head().expect("head"));
        let again = Growth { slot: 4, ..growth };
        assert!(matches!(socket.sign(&again), Err(SignerError::Refused(_))));
        assert!(matches!(socket.endorse("hello\n"), Err(SignerError::Refused(_))));
        assert!(socket.endorse("sealbid/audit/keys/v1\n").is_ok());
    }
}
