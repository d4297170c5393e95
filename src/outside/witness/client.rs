//! Asks a witness for its word.

use std::time::Duration;

use ureq::Agent;

use super::judge::size;
use crate::kernel::digest::{Digest, sha256};
use crate::limits;

/// What a witness answers to a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Signature lines; whose they are and whether they fit is for the caller to check.
    Cosigned(String),
    /// Its latest cosigned head has this size: larger than ours, and this log was rolled back; smaller, and it wants the proof
    /// from there; the same as ours, and it has another root.
    Conflict(u64),
    /// It refuses with this status.
    Refused(u16),
}

/// The witness could not be asked, or what it answered is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the witness at {url}: {what}")]
pub struct Unanswered {
    /// Which.
    pub url: String,
    /// What happened.
    pub what: String,
}

/// A client of witnesses. Keeps lines open between calls; may be used by several threads.
#[derive(Clone, Debug)]
pub struct WitnessClient {
    agent: Agent,
}

impl Default for WitnessClient {
    fn default() -> Self {
        Self::new()
    }
}

impl WitnessClient {
    /// A client that waits two seconds for an answer in all.
    pub fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_millis(limits::WITNESS_ANSWER_MS)))
            .user_agent(concat!("sealbid/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: Agent::new_with_config(config) }
    }

    /// Asks the witness at `url`, its submission prefix, to cosign `note`: `proof` leads from its tree of `old` leaves.
    ///
    /// # Errors
    /// When it does not answer in time or in the form. Asking again is safe.
    pub fn add_checkpoint(&self, url: &str, old: u64, proof: &[Digest], note: &str) -> Result<Answer, Unanswered> {
        let unanswered = |what: String| Unanswered { url: url.to_owned(), what };
        let sent = self.agent.post(at(url, "add-checkpoint")).content_type("text/plain").send(body(old, proof, note));
        let mut response = sent.map_err(|error| unanswered(error.to_string()))?;
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(limits::WITNESS_ANSWER_BYTES).read_to_string();
        let text = text.map_err(|error| unanswered(error.to_string()))?;
        match status {
            200 => Ok(Answer::Cosigned(text)),
            409 => {
                let latest = text.strip_suffix('\n').and_then(size);
                latest.map(Answer::Conflict).ok_or_else(|| unanswered("a conflict without a size".into()))
            }
            status => Ok(Answer::Refused(status)),
        }
    }

    /// The latest checkpoint of a log that the witness at `url` has cosigned; none where it never has.
    ///
    /// # Errors
    /// When it does not answer in time or in the form.
    pub fn latest(&self, url: &str, origin: &str) -> Result<Option<String>, Unanswered> {
        let unanswered = |what: String| Unanswered { url: url.to_owned(), what };
        let path = format!("checkpoint/{}", sha256(origin.as_bytes()));
        let mut response = self.agent.get(at(url, &path)).call().map_err(|error| unanswered(error.to_string()))?;
        match response.status().as_u16() {
            200 => {
                let text = response.body_mut().with_config().limit(limits::WITNESS_ANSWER_BYTES).read_to_string();
                text.map(Some).map_err(|error| unanswered(error.to_string()))
            }
            404 => Ok(None),
            status => Err(unanswered(format!("status {status}"))),
        }
    }
}

fn at(url: &str, path: &str) -> String {
    format!("{}/{path}", url.trim_end_matches('/'))
}

/// The body of an `add-checkpoint` request.
pub fn body(old: u64, proof: &[Digest], note: &str) -> String {
    use base64::Engine;
    let lines = proof.iter().map(|hash| base64::engine::general_purpose::STANDARD.encode(hash.as_bytes()) + "\n");
    std::iter::once(format!("old {old}\n")).chain(lines).collect::<String>() + "\n" + note
}
