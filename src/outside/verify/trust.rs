//! Whom the checks believe: keys and a policy that come from outside of the log.

use super::report::{Failure, Proven, Result};
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::tlog::checkpoint::{Checkpoint, CheckpointError};
use crate::tlog::note::{Kind, Note, NoteError, Verifier};
use crate::tlog::policy::{Accepted, Policy, Refused};

/// Keys and the policy.
#[derive(Clone, Debug)]
pub struct Trust {
    policy: Policy,
    keys: Vec<Verifier>,
}

/// A checkpoint that is believed, with its note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it says, and who signed.
    pub accepted: Accepted,
    /// The note, word for word.
    pub note: String,
}

impl Head {
    /// Origin, size and root.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.accepted.checkpoint
    }

    /// When the first of the counted witnesses says that it saw this, seconds since 1970.
    pub fn first_seen(&self) -> Option<u64> {
        self.accepted.witnesses.iter().map(|(_, at)| *at).min()
    }

    /// When the last of the counted witnesses says that it saw this.
    pub fn last_seen(&self) -> Option<u64> {
        self.accepted.witnesses.iter().map(|(_, at)| *at).max()
    }

    /// What it says, as facts.
    #[must_use]
    pub fn tell(&self, proven: Proven) -> Proven {
        let Checkpoint { origin, size, root } = self.checkpoint();
        let seen = self.accepted.witnesses.iter();
        let witnesses: Vec<_> =
            seen.map(|(name, at)| serde_json::json!({ "name": name, "at": instant(*at) })).collect();
        proven
            .with("origin", "日志", "log", origin.as_str())
            .with("size", "条目数(含填充)", "leaves, padding included", *size)
            .with("root", "树根", "root hash", root.to_string())
            .with("signed_by", "签名密钥", "signed by the key", self.accepted.log.to_string())
            .with("witnesses", "见证方", "witnesses", witnesses)
    }
}

/// Seconds since 1970 as an instant.
pub fn instant(seconds: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))
}

impl Trust {
    /// Believes a policy, or otherwise every one of `keys` that signs texts as the key of a log, without witnesses. Promises
    /// and manifests are believed when one of `keys` signed them.
    pub fn new(policy: Option<Policy>, keys: Vec<Verifier>) -> Self {
        let logs = keys.iter().filter(|key| key.kind() == Kind::Text).cloned().collect();
        Self { policy: policy.unwrap_or_else(|| Policy::of_logs(logs)), keys }
    }

    /// The keys that were given by themselves.
    pub fn keys(&self) -> &[Verifier] {
        &self.keys
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Reads a checkpoint and decides whether it is believed.
    ///
    /// # Errors
    /// Undecided where no key that is known signed it or the quorum is not met; refuted where a signature of a known key does
    /// not fit, or the text is no checkpoint.
    pub fn head(&self, place: &str, note: &str) -> Result<Head> {
        match self.policy.check(note) {
            Ok(accepted) => Ok(Head { accepted, note: note.to_owned() }),
            Err(Refused::Checkpoint(CheckpointError::Note(NoteError::NotSigned))) => Err(Failure::undecided(
                place,
                "没有任何受信任的日志密钥为其签名。请核对 --vkey 或 --policy 的来源。",
                "no log key that you trust has signed it; check where your --vkey or --policy comes from",
            )),
            Err(Refused::Checkpoint(error)) => Err(Failure::refuted(
                place,
                format!("检查点不可信:{error}"),
                format!("the checkpoint is not to be believed: {error}"),
            )),
            Err(Refused::BadCosignature(witness)) => Err(Failure::refuted(
                place,
                format!("见证方 {witness} 的副署与检查点不符。"),
                format!("the cosignature of the witness {witness} does not fit the checkpoint"),
            )),
            Err(quorum @ Refused::Quorum { .. }) => Err(Failure::Undecided(super::report::Finding {
                place: place.to_owned(),
                what: Bilingual::new(format!("见证方数量不足:{quorum}"), quorum.to_string()),
            })),
        }
    }

    /// Reads a signed text that is no checkpoint: a promise, a manifest. Returns the text and the key.
    ///
    /// # Errors
    /// Undecided where none of the keys given by themselves signed it; refuted where a signature does not fit.
    pub fn text<'a>(&self, place: &str, note: &'a str) -> Result<(&'a str, &Verifier)> {
        let bad = |error: NoteError| {
            Failure::refuted(
                place,
                format!("签名文本不可信:{error}"),
                format!("the signed text is not to be believed: {error}"),
            )
        };
        let parsed = Note::parse(note).map_err(bad)?;
        for key in self.keys.iter().filter(|key| key.kind() == Kind::Text) {
            match parsed.verify(key) {
                Ok(_) => return Ok((parsed.text(), key)),
                Err(NoteError::NotSigned) => {}
                Err(error) => return Err(bad(error)),
            }
        }
        Err(Failure::undecided(
            place,
            "没有任何受信任的密钥为其签名。请用 --vkey 给出平台的承诺密钥。",
            "no key that you trust has signed it; give the platform's promise key with --vkey",
        ))
    }
}
