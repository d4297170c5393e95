//! Answering a snapshot.

use super::Desk;
use crate::client::custodians::SnapshotView;
use crate::custodian::opening::{self, Checked};
use crate::custodian::platform::Platform;
use crate::custodian::refusal::{self, Result};
use crate::custodian::state::{Answered, Share};
use crate::custodian::watch;
use crate::kernel::time::Timestamp;
use crate::seal::partials::SignedPartials;
use crate::verify::source::Source;

/// A snapshot that asks to be answered, wherever it comes from.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The snapshot.
    pub view: SnapshotView,
    /// When the lot opens, as far as whoever serves it says.
    pub opens_at: Option<Timestamp>,
    /// The log's checkpoint.
    pub checkpoint: String,
}

impl Desk<'_> {
    /// Lots whose opening this custodian has still to answer, with the time from which its key may be used, earliest first.
    ///
    /// # Errors
    /// `state-damaged`.
    pub fn unanswered(&self) -> Result<Vec<(Timestamp, String)>> {
        let open = self.state.shares.values().filter(|share| share.confirmed && !share.is_done());
        let mut lots = Vec::new();
        for share in open {
            let opens = Timestamp::parse(share.public()?.opens_not_before.as_str());
            lots.push((opens.map_err(|error| refusal::STATE_DAMAGED.because(error))?, share.lot.clone()));
        }
        lots.sort();
        lots.dedup();
        Ok(lots)
    }

    /// That the clock has reached what the file itself says of a lot: asked before anybody is.
    ///
    /// # Errors
    /// `no-share`, `too-early`.
    pub fn in_time(&self, lot: &str) -> Result<()> {
        let mut shares = self.state.shares.values().filter(|share| share.lot == lot).peekable();
        if shares.peek().is_none() {
            return Err(refusal::NO_SHARE.because(lot).into());
        }
        shares.try_for_each(|share| opening::in_time(&share.public()?, &[], self.clock.now()))
    }

    /// What the platform asks of this custodian in a lot.
    ///
    /// # Errors
    /// `no-snapshot`, `opening-time-unknown`, the platform's.
    pub fn asked(
        &self,
        platform: &dyn Platform,
        lot: &str,
        checkpoint: &dyn Fn() -> Result<String>,
    ) -> Result<Vec<Asked>> {
        let opens_at = platform.opens_at(lot)?.ok_or_else(|| refusal::OPENING_TIME_UNKNOWN.because(lot))?;
        let views = match platform.snapshots(lot) {
            Ok(views) => views,
            Err(error) if crate::custodian::platform::is_nothing(&error) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mine: Vec<_> = views.into_iter().filter(|view| self.state.shares.contains_key(&view.kid)).collect();
        // While a later round is to come, what an earlier one asked is over; otherwise answering again does no harm.
        let more_to_come = self.state.shares.values().any(|share| share.lot == lot && !share.is_done());
        let is_open = |kid: &str| !more_to_come || self.state.shares.get(kid).is_some_and(|share| !share.is_done());
        let mine: Vec<_> = mine.into_iter().filter(|view| is_open(&view.kid)).collect();
        if mine.is_empty() {
            return Err(refusal::NO_SNAPSHOT.because(lot).into());
        }
        // After the snapshots, so that the log has what their proofs speak of.
        let checkpoint = checkpoint()?;
        let asked = |view| Asked { view, opens_at: Some(opens_at), checkpoint: checkpoint.clone() };
        Ok(mine.into_iter().map(asked).collect())
    }

    /// Makes every check of an opening, and puts the snapshot on file as the one that is answered. Only what comes out of here
    /// may be answered.
    ///
    /// # Errors
    /// Each of the refusals of an opening.
    pub fn check(&mut self, asked: &Asked, log: &dyn Source) -> Result<Checked> {
        let view = &asked.view;
        let share = self.share(&view.kid)?;
        if !share.confirmed {
            return Err(refusal::KEY_SET_UNCONFIRMED.because(&view.kid).into());
        }
        let (key_set, now) = (share.public()?, self.clock.now());
        let known: Vec<Timestamp> = asked.opens_at.into_iter().collect();
        opening::in_time(&key_set, &known, now)?;
        let checked = opening::check(share, &self.state.platform_key()?, view)?;
        let trust = watch::trust(&self.state.policy)?;
        let head = watch::follow(&trust, log, self.state.head.as_deref(), &asked.checkpoint)?;
        let (head, on_record) = watch::recorded(&trust, log, head, view.proof.as_deref(), &checked.snapshot)?;
        opening::in_time(&key_set, on_record.as_slice(), now)?;
        self.state.head = Some(head.note);
        let only = opening::first_of_its_kind(share_of(&self.state.shares, &view.kid)?, &checked);
        let share = self.state.shares.get_mut(&view.kid).ok_or_else(|| refusal::NO_SHARE.because(&view.kid))?;
        match &only {
            Ok(()) if share.answered.is_none() => {
                let (root, snapshot) = (checked.snapshot.root, view.snapshot.clone());
                share.answered = Some(Answered { root, snapshot, at: now, done: false });
            }
            Err(error) if error.code() == Some(refusal::SECOND_SNAPSHOT.code) => {
                share.other_snapshot = Some(view.snapshot.clone());
            }
            _ => {}
        }
        self.save()?;
        only.map(|()| checked)
    }

    /// Answers a snapshot that was checked: gives each signed list to `give`, and says how many lines are answered.
    ///
    /// # Errors
    /// Those of `give`.
    pub fn answer(
        &mut self,
        checked: &Checked,
        mut give: impl FnMut(&SignedPartials, usize) -> Result<()>,
    ) -> Result<()> {
        let kid = checked.snapshot.kid.to_string();
        let (share, signing) = (self.share(&kid)?.secret()?, self.state.signing_key()?);
        let mut lines = checked.lines.len();
        for list in opening::answers(&share, &signing, checked) {
            let left = lines.saturating_sub(crate::seal::limits::MAX_PARTIALS);
            give(&list?, lines - left)?;
            lines = left;
        }
        if let Some(answered) = self.state.shares.get_mut(&kid).and_then(|share| share.answered.as_mut()) {
            answered.done = true;
        }
        self.save()
    }

    /// The person is certain that nothing was answered from the file that was lost.
    ///
    /// # Errors
    /// `no-share`, the vault's.
    pub fn not_answered(&mut self, kid: &str) -> Result<()> {
        self.state.shares.get_mut(kid).ok_or_else(|| refusal::NO_SHARE.because(kid))?.unsure = false;
        self.save()
    }

    fn share(&self, kid: &str) -> Result<&Share> {
        share_of(&self.state.shares, kid)
    }
}

fn share_of<'a>(shares: &'a std::collections::BTreeMap<String, Share>, kid: &str) -> Result<&'a Share> {
    Ok(shares.get(kid).ok_or_else(|| refusal::NO_SHARE.because(kid))?)
}

impl Share {
    /// Whether its snapshot is answered to the end.
    pub fn is_done(&self) -> bool {
        self.answered.as_ref().is_some_and(|answered| answered.done)
    }
}
