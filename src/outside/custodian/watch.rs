//! Following the log: what it shows must continue what it showed before, and a snapshot must be in it.

use serde::Deserialize;

use super::refusal::{self, Error, Result};
use crate::kernel::digest::Digest;
use crate::kernel::time::Timestamp;
use crate::seal::snapshot::Snapshot;
use crate::tlog::policy::Policy;
use crate::verify::report::Failure;
use crate::verify::source::Source;
use crate::verify::trust::{Head, Trust};
use crate::verify::{heads, receipt};

/// The kind of the entry that puts a snapshot on record.
const KIND: &str = "box.snapshot";

/// Whom to believe, from a policy's text.
///
/// # Errors
/// `policy-invalid`.
pub fn trust(policy: &str) -> Result<Trust> {
    let policy = Policy::parse(policy).map_err(|error| refusal::POLICY_INVALID.because(error))?;
    if policy.logs().is_empty() {
        return Err(refusal::POLICY_INVALID.because("log").into());
    }
    Ok(Trust::new(Some(policy), Vec::new()))
}

/// The head that the log shows now, which continues the one that was kept.
///
/// # Errors
/// `log-refuted`, `log-undecided`, `log-forked`.
pub fn follow(trust: &Trust, source: &dyn Source, kept: Option<&str>, shown: &str) -> Result<Head> {
    let head = trust.head("checkpoint", shown)?;
    if let Some(kept) = kept {
        heads::follows(&trust.head("kept checkpoint", kept)?, &head, source)?;
    }
    Ok(head)
}

/// Part `p` of the entry.
#[derive(Deserialize)]
struct Public {
    kind: String,
    lot: Option<String>,
    data: Recorded,
}

/// What it says of the snapshot.
#[derive(Deserialize)]
struct Recorded {
    kid: String,
    root: Digest,
    #[serde(default)]
    opens_at: Option<Timestamp>,
}

/// That a snapshot is in the log of `head`. Gives the newer of `head` and the one of the proof, and the opening time that is on
/// record with it.
///
/// # Errors
/// `snapshot-not-yet-in-log`, `snapshot-not-in-log`, or the log's.
pub fn recorded(
    trust: &Trust,
    source: &dyn Source,
    head: Head,
    proof: Option<&str>,
    snapshot: &Snapshot,
) -> Result<(Head, Option<Timestamp>)> {
    let proof = proof.ok_or_else(|| refusal::SNAPSHOT_NOT_YET_IN_LOG.because(snapshot.kid))?;
    let included = receipt::included(trust, "proof", proof).map_err(|failure| match failure {
        Failure::Refuted(finding) => {
            refusal::SNAPSHOT_NOT_IN_LOG.because(format!("{}: {}", finding.place, finding.what.en)).into()
        }
        other => Error::from(other),
    })?;
    let other = |what: &str| refusal::SNAPSHOT_NOT_IN_LOG.because(format!("entry {}: {what}", included.index));
    let said: Public =
        serde_json::from_slice(&included.opening.p).map_err(|error| other(&format!("part p: {error}")))?;
    for (is_so, what) in [
        (said.kind == KIND, "kind"),
        (said.lot.as_deref() == Some(snapshot.lot.as_str()), "lot"),
        (said.data.kid == snapshot.kid.to_string(), "kid"),
        (said.data.root == snapshot.root, "root"),
    ] {
        if !is_so {
            return Err(other(what).into());
        }
    }
    let proven = included.head;
    let newest = if proven.checkpoint().size > head.checkpoint().size {
        heads::follows(&head, &proven, source)?;
        proven
    } else {
        heads::follows(&proven, &head, source)?;
        head
    };
    Ok((newest, said.data.opens_at))
}
