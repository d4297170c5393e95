//! Taking part in a ceremony.

use serde_json::Value;

use super::Desk;
use crate::client::custodians::CeremonyView;
use crate::custodian::ceremony::{ACCEPT, COMMIT, COMPLAINT, Ceremony, Next, ROUND1, ROUND2};
use crate::custodian::platform::Platform;
use crate::custodian::refusal::{self, Result};
use crate::custodian::state::{Dealing, Kept, Share};
use crate::kernel::digest::Digest;
use crate::seal::ceremony::{Backup, CeremonyError, Dealer, Fault, Finished, Message, Signed, rehearsal};
use crate::seal::keyset::KeySet;
use crate::seal::partials::SignedPartials;

impl Desk<'_> {
    /// What is to be done next in a ceremony.
    ///
    /// # Errors
    /// `message-not-mine`.
    pub fn next(&self, ceremony: &Ceremony) -> Result<Next> {
        ceremony.next(self.state.ceremonies.get(&ceremony.id))
    }

    /// Takes the next step, where it is one that needs nobody's word: draws, deals, or sends what is kept. `None` where there
    /// is nothing to be said.
    ///
    /// # Errors
    /// The platform's, and whatever does not fit.
    pub fn step(&mut self, platform: &dyn Platform, ceremony: &Ceremony) -> Result<Option<CeremonyView>> {
        let step = match self.next(ceremony)? {
            Next::Begin => {
                let (dealer, commit, round1) = Dealer::begin(ceremony.draft(), ceremony.me).map_err(unfit)?;
                let messages = [(COMMIT, self.signed(commit)?), (ROUND1, self.signed(round1)?)];
                let kept = Kept {
                    digest: *ceremony.digest(),
                    member: ceremony.me,
                    secrets: Some(Dealing::of(&dealer)),
                    messages: messages.map(|(step, message)| (step.to_owned(), message)).into(),
                    backups: Vec::new(),
                    rehearsals: Default::default(),
                };
                self.state.ceremonies.insert(ceremony.id.clone(), kept);
                self.save()?;
                COMMIT
            }
            Next::Deal => {
                let round2 = self.dealer(ceremony)?.deal(&ceremony.transcript).map_err(unfit)?;
                let message = self.signed(round2)?;
                self.kept(ceremony)?.messages.insert(ROUND2.to_owned(), message);
                self.save()?;
                ROUND2
            }
            Next::Say(step) => step,
            Next::Finish | Next::Wait(..) | Next::Active | Next::Ended(_) => return Ok(None),
        };
        self.send(platform, ceremony, step).map(Some)
    }

    /// Opens what the others have dealt. Nothing is kept or sent, unless there is something to complain about: then the
    /// complaint is, and the secrets of the ceremony are erased.
    ///
    /// # Errors
    /// `wrong-share`, `transcripts-differ`, and whatever does not fit.
    pub fn finish(&mut self, platform: &dyn Platform, ceremony: &Ceremony) -> Result<Finished> {
        let key_sets = ceremony.agreed()?;
        match self.dealer(ceremony)?.finish(&ceremony.transcript) {
            Ok(finished) => {
                let same = |(share, set): (&crate::seal::keyset::KeyShare, &KeySet)| share.key_set() == set;
                if finished.shares.len() != key_sets.len() || !finished.shares.iter().zip(&key_sets).all(same) {
                    return Err(unfit(CeremonyError::Secrets).into());
                }
                Ok(finished)
            }
            Err(Fault::Other(error)) => Err(unfit(error).into()),
            Err(Fault::Complaint(complaint)) => {
                let accused = complaint.accused;
                let message = self.signed(*complaint)?;
                let kept = self.kept(ceremony)?;
                kept.messages.insert(COMPLAINT.to_owned(), message);
                kept.secrets = None;
                self.save()?;
                self.send(platform, ceremony, COMPLAINT)?;
                Err(refusal::WRONG_SHARE.because(format!("{}: member {accused}", ceremony.id)).into())
            }
        }
    }

    /// Accepts: keeps the shares, erases the secrets of the ceremony, says so.
    ///
    /// # Errors
    /// The platform's; what is kept is then sent by the next run.
    pub fn accept(&mut self, platform: &dyn Platform, ceremony: &Ceremony, finished: Finished) -> Result<CeremonyView> {
        let Finished { shares, accept } = finished;
        let message = self.signed(accept)?;
        let backup = |share| -> Result<Value> {
            let backup = Backup::seal(ceremony.draft(), share).map_err(unfit)?;
            Ok(serde_json::from_str(&backup.to_json()).map_err(|error| refusal::FILE_INVALID.because(error))?)
        };
        let backups = shares.iter().map(backup).collect::<Result<Vec<_>>>()?;
        let kept = self.kept(ceremony)?;
        kept.messages.insert(ACCEPT.to_owned(), message);
        (kept.backups, kept.secrets) = (backups, None);
        for share in &shares {
            let kept = Share::of(share, &ceremony.id, ceremony.draft().lot.as_str());
            self.state.shares.insert(share.key_set().kid.to_string(), kept);
        }
        self.save()?;
        self.send(platform, ceremony, ACCEPT)
    }

    /// Takes note of how a ceremony ended: shares of one that is complete are confirmed, secrets of one that failed erased.
    ///
    /// # Errors
    /// `key-set-differs`, `transcripts-differ`, the vault's.
    pub fn settle(&mut self, ceremony: &Ceremony) -> Result<()> {
        match ceremony.state.as_str() {
            "active" => self.confirm(ceremony),
            "aborted" | "expired" => {
                let kept = self.state.ceremonies.get_mut(&ceremony.id);
                if kept.is_some_and(|kept| kept.secrets.take().is_some()) {
                    self.save()?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn confirm(&mut self, ceremony: &Ceremony) -> Result<()> {
        let mut news = false;
        for key_set in ceremony.published(&self.state.platform_key()?)? {
            if let Some(share) = self.state.shares.get_mut(&key_set.kid.to_string()) {
                if share.public()? != key_set || share.member != ceremony.me {
                    return Err(refusal::KEY_SET_DIFFERS.because(key_set.kid).into());
                }
                news |= !std::mem::replace(&mut share.confirmed, true);
            }
        }
        if news { self.save() } else { Ok(()) }
    }

    /// Shows that the shares of an active ceremony work. Gives how many were shown now.
    ///
    /// # Errors
    /// The platform's, `no-share`.
    pub fn rehearse(&mut self, platform: &dyn Platform, ceremony: &Ceremony) -> Result<usize> {
        let view = platform.ceremony(&ceremony.id)?;
        // Its typ tells it apart, whatever the step is called.
        let shown = view.messages.values().flatten();
        let shown: Vec<SignedPartials> =
            shown.filter_map(|value| SignedPartials::parse(value.to_string().as_bytes()).ok()).collect();
        let mut given = 0;
        for key_set in ceremony.published(&self.state.platform_key()?)? {
            let mine = |shown: &&SignedPartials| shown.list().member == ceremony.me && shown.list().kid == key_set.kid;
            if shown.iter().any(|shown| mine(&shown) && rehearsal::verify(&key_set, shown.list())) {
                continue;
            }
            let kid = key_set.kid.to_string();
            if !self.kept(ceremony)?.rehearsals.contains_key(&kid) {
                let share = self.state.shares.get(&kid).ok_or_else(|| refusal::NO_SHARE.because(&kid))?.secret()?;
                let no_random = |error| refusal::NO_RANDOM.because(error);
                let answer = rehearsal::answer(&share).map_err(no_random)?;
                let signed = answer.sign(&self.state.signing_key()?).map_err(no_random)?;
                let message =
                    serde_json::to_value(signed.jws()).map_err(|error| refusal::FILE_INVALID.because(error))?;
                self.kept(ceremony)?.rehearsals.insert(kid.clone(), message);
                self.save()?;
            }
            let message = self.kept(ceremony)?.rehearsals[&kid].clone();
            platform.say(&ceremony.id, &message, &[])?;
            given += 1;
        }
        Ok(given)
    }

    fn send(&mut self, platform: &dyn Platform, ceremony: &Ceremony, step: &str) -> Result<CeremonyView> {
        let kept = self.kept(ceremony)?;
        let message = kept.messages.get(step).ok_or_else(|| refusal::STATE_DAMAGED.because(step))?;
        let backups: &[Value] = if step == ACCEPT { &kept.backups } else { &[] };
        Ok(platform.say(&ceremony.id, message, backups)?)
    }

    fn kept(&mut self, ceremony: &Ceremony) -> Result<&mut Kept> {
        let kept = self.state.ceremonies.get_mut(&ceremony.id);
        // The platform's id could come to name another ceremony.
        let kept = kept.filter(|kept| kept.is_of(ceremony.digest(), ceremony.me));
        Ok(kept.ok_or_else(|| refusal::MESSAGE_NOT_MINE.because(&ceremony.id))?)
    }

    fn dealer(&mut self, ceremony: &Ceremony) -> Result<Dealer> {
        let kept = self.kept(ceremony)?;
        let secrets = kept.secrets.as_ref().ok_or_else(|| refusal::CEREMONY_ENDED.because(&ceremony.id))?;
        secrets.dealer(kept.digest, kept.member)
    }

    fn signed<M: Message>(&self, message: M) -> Result<Value> {
        let signed = Signed::sign(message, &self.state.signing_key()?);
        let signed = signed.map_err(|error| refusal::NO_RANDOM.because(error))?;
        Ok(serde_json::to_value(signed.jws()).map_err(|error| refusal::FILE_INVALID.because(error))?)
    }
}

impl Kept {
    fn is_of(&self, digest: &Digest, member: u8) -> bool {
        self.digest == *digest && self.member == member
    }
}

fn unfit(error: CeremonyError) -> refusal::Refusal {
    refusal::MESSAGE_INVALID.because(format!("{} ({error})", error.reason()))
}
