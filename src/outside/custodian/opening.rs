//! Whether a snapshot may be answered, and the answer.

use super::refusal::{self, Result};
use super::state::Share;
use crate::client::custodians::SnapshotView;
use crate::kernel::time::Timestamp;
use crate::seal::jws::Jws;
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::seal::keyset::{KeySet, KeyShare};
use crate::seal::limits::MAX_PARTIALS;
use crate::seal::partials::{Partial, Partials, SignedPartials};
use crate::seal::snapshot::{Line, SNAPSHOT_TYP, Snapshot};

/// A snapshot that is the platform's, whole, and for this share.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What is signed.
    pub snapshot: Snapshot,
    /// Its lines, in order.
    pub lines: Vec<Line>,
}

/// Checks a snapshot against the share that it asks for.
///
/// # Errors
/// `snapshot-invalid`, `snapshot-of-another`, `lines-altered`, `line-unproven`.
pub fn check(share: &Share, platform: &VerifyingKey, view: &SnapshotView) -> Result<Checked> {
    let key_set = share.public()?;
    let invalid = |reason: &str| refusal::SNAPSHOT_INVALID.because(format!("{}: {reason}", view.kid));
    let jws = Jws::from_value(&view.snapshot, SNAPSHOT_TYP).map_err(|error| invalid(error.reason()))?;
    jws.verify(platform).map_err(|error| invalid(error.reason()))?;
    let snapshot = Snapshot::read(&jws).map_err(|error| invalid(error.reason()))?;
    for (is_so, what) in [
        (snapshot.kid == key_set.kid, "kid"),
        (snapshot.tender == key_set.tender, "tender"),
        (snapshot.group == key_set.group, "group"),
        (snapshot.lot.as_str() == share.lot, "lot"),
        (view.kid == key_set.kid.to_string() && view.lot_id == share.lot, "view"),
    ] {
        if !is_so {
            return Err(refusal::SNAPSHOT_OF_ANOTHER.because(format!("{}: {what}", view.kid)).into());
        }
    }
    let altered = |what: &str| refusal::LINES_ALTERED.because(format!("{}: {what}", view.kid));
    let lines = view.lines.iter().map(|line| Line::parse(line.to_string().as_bytes()));
    let lines = lines.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| altered(error.reason()))?;
    Snapshot::verified(&jws, platform, &lines).map_err(|error| altered(error.reason()))?;
    for line in &lines {
        line.check(&key_set).map_err(|error| {
            let line = format!("{} slot {}: {}", line.envelope, line.slot, error.reason());
            refusal::LINE_UNPROVEN.because(line)
        })?;
    }
    Ok(Checked { snapshot, lines })
}

/// That the opening time has come by this machine's clock: the key set's, and every later one that is known for the lot.
///
/// # Errors
/// `too-early`.
pub fn in_time(key_set: &KeySet, others: &[Timestamp], now: Timestamp) -> Result<()> {
    let own =
        Timestamp::parse(key_set.opens_not_before.as_str()).map_err(|error| refusal::STATE_DAMAGED.because(error))?;
    let opens = others.iter().copied().fold(own, Timestamp::max);
    if opens <= now {
        return Ok(());
    }
    Err(refusal::TOO_EARLY.because(format!("{} < {}", now.local(), opens.local())).into())
}

/// That no other snapshot was answered with this share, and that none can have been forgotten.
///
/// # Errors
/// `second-snapshot`, `restored-after-opening`.
pub fn first_of_its_kind(share: &Share, checked: &Checked) -> Result<()> {
    match &share.answered {
        Some(answered) if answered.root != checked.snapshot.root => {
            let both = format!("{}: {} / {}", checked.snapshot.kid, answered.root, checked.snapshot.root);
            Err(refusal::SECOND_SNAPSHOT.because(both).into())
        }
        None if share.unsure => Err(refusal::RESTORED_AFTER_OPENING.because(checked.snapshot.kid).into()),
        _ => Ok(()),
    }
}

/// The signed lists that answer a snapshot, one after the other as they are made.
pub fn answers<'a>(
    share: &'a KeyShare,
    signing: &'a SigningKey,
    checked: &'a Checked,
) -> impl Iterator<Item = Result<SignedPartials>> + 'a {
    checked.lines.chunks(MAX_PARTIALS).map(move |lines| {
        let failed = |error: &dyn std::fmt::Display| refusal::NO_RANDOM.because(error);
        let partial = |line: &Line| {
            let share = line.share(share).map_err(|error| failed(&error))?;
            Ok(Partial { envelope: line.envelope, slot: line.slot, share })
        };
        let partials = lines.iter().map(partial).collect::<Result<Vec<_>>>()?;
        let (kid, member) = (checked.snapshot.kid, share.member());
        let list = Partials { kid, member, snapshot: checked.snapshot.root, partials };
        Ok(list.sign(signing).map_err(|error| failed(&error))?)
    })
}
