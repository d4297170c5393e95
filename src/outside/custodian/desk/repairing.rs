//! Getting a lost share back from other members, and helping another member to get its own back.

use super::Desk;
use crate::custodian::ceremony::Ceremony;
use crate::custodian::refusal::{self, Result};
use crate::custodian::repair::{Papers, REQUEST, SPLIT, SUM, Sheet, refused};
use crate::custodian::state::{Mending, Share};
use crate::kernel::digest::Digest;
use crate::seal::ceremony::repair::{Repair, RepairError, Request};
use crate::seal::ids::KeyId;
use crate::seal::keyset::{KeySet, Member};

/// What a repair is about, for whoever is asked to help.
#[derive(Clone, Debug)]
pub struct Plea {
    /// Its id, to be compared by voice.
    pub id: Digest,
    /// The key set.
    pub kid: KeyId,
    /// The lot.
    pub lot: String,
    /// Whose share is lost.
    pub member: Member,
    /// Who helps.
    pub helpers: Vec<u8>,
    /// This custodian has agreed to it before.
    pub agreed: bool,
    /// It is this custodian's own share.
    pub own: bool,
}

/// What came of looking at the files of a repair.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A file to be written, and to be given to the others.
    Write(String, Sheet),
    /// Files of these members whose names begin so are not here yet.
    Wait(&'static str, Vec<u8>),
    /// This custodian's part is done: the rest is with whoever asked.
    Helped,
    /// The share is back.
    Repaired(KeyId),
}

impl Desk<'_> {
    /// Asks these members for the share of an active ceremony that this file lacks. The same request again, if it was made
    /// before.
    ///
    /// # Errors
    /// `repair-not-needed`, `repair-of-another` for helpers who are not k others, those of [`Ceremony::published`].
    pub fn ask_for_repair(&mut self, ceremony: &Ceremony, helpers: &[u8]) -> Result<Sheet> {
        let key_sets = ceremony.published(&self.state.platform_key()?)?;
        let lost = key_sets.into_iter().find(|set| !self.state.shares.contains_key(&set.kid.to_string()));
        let lost = lost.ok_or_else(|| refusal::REPAIR_NOT_NEEDED.because(&ceremony.id))?;
        let request = Request::new(&lost, ceremony.me, helpers).map_err(|error| refused(REQUEST, &error))?;
        let same = |mending: &&Mending| {
            mending.is_own(ceremony.me, lost.kid) && mending.helpers == request.helpers && !mending.done
        };
        if let Some(known) = self.state.repairs.values().find(same) {
            return Ok(known.request.clone());
        }
        let id = crate::kernel::digest::sha256(&crate::seal::ceremony::repair::Letter::to_bytes(&request));
        let helpers = request.helpers.clone();
        let sheet = Sheet::sign(request, &self.state.signing_key()?)?;
        let lot = ceremony.draft().lot.as_str();
        let mending = Mending::of(&lost, ceremony.me, (&ceremony.id, lot), helpers, sheet.clone());
        self.state.repairs.insert(id.to_string(), mending);
        self.remember(ceremony);
        self.save()?;
        Ok(sheet)
    }

    /// What the request among these files is about.
    ///
    /// # Errors
    /// `repair-of-another` when this file knows nothing of its key set; `repair-not-asked`; `file-invalid`.
    pub fn plea(&self, papers: &Papers) -> Result<Plea> {
        let asked = papers.asked()?;
        let (id, head) = (asked.digest(), asked.letter().head);
        let mending = self.state.repairs.get(&id.to_string());
        let share = self.state.shares.get(&head.kid.to_string());
        let (key_set, me, lot) = match (mending, share) {
            (Some(mending), _) => (mending.public()?, mending.member, mending.lot.clone()),
            (None, Some(share)) => (share.public()?, share.member, share.lot.clone()),
            (None, None) => return Err(refusal::REPAIR_OF_ANOTHER.because(format!("{REQUEST}: {}", head.kid)).into()),
        };
        let repair = Papers { splits: Vec::new(), sums: Vec::new(), ..papers.clone() }.repair(key_set.clone())?;
        let helpers = repair.request().helpers.clone();
        let own = head.member == me;
        if !own && !helpers.contains(&me) || own && mending.is_none() {
            return Err(refusal::REPAIR_NOT_ASKED.because(format!("{helpers:?}, {me}")).into());
        }
        let member = key_set.members.into_iter().find(|member| member.i == head.member);
        let member = member.ok_or_else(|| refusal::REPAIR_OF_ANOTHER.because(REQUEST))?;
        let agreed = mending.is_some();
        Ok(Plea { id, kid: head.kid, lot, member, helpers, agreed, own })
    }

    /// Does what can be done with these files now. Everything is in the state file before it is given away, so that the same
    /// is given again after a crash. Whoever helps has agreed when this is called.
    ///
    /// # Errors
    /// Those of [`Desk::plea`] and [`Papers::repair`].
    pub fn repair(&mut self, papers: &Papers) -> Result<Outcome> {
        let plea = self.plea(papers)?;
        if plea.own { self.finish_repair(papers, &plea) } else { self.help(papers, &plea) }
    }

    fn help(&mut self, papers: &Papers, plea: &Plea) -> Result<Outcome> {
        let share = self.state.shares.get(&plea.kid.to_string());
        let share = share.ok_or_else(|| refusal::NO_SHARE.because(plea.kid))?;
        let (key_set, me, about) = (share.public()?, share.member, (share.ceremony.clone(), share.lot.clone()));
        let repair = papers.repair(key_set.clone())?;
        let id = plea.id.to_string();
        if !self.state.repairs.contains_key(&id) {
            let kept = repair.split(&share.secret()?).map_err(|error| refused(REQUEST, &error))?;
            let request = papers.request.clone().ok_or_else(|| refusal::FILE_INVALID.because(REQUEST))?;
            let (ceremony, lot) = (&about.0, &about.1);
            let mut mending = Mending::of(&key_set, me, (ceremony, lot), plea.helpers.clone(), request);
            mending.split = Some(Sheet::sign(kept.split, &self.state.signing_key()?)?);
            mending.keep(kept.own);
            self.state.repairs.insert(id.clone(), mending);
            self.save()?;
        }
        let (name, missing) = (format!("{SPLIT}{me}.json"), repair.without_split());
        let mending = self.mending(&id)?;
        let split = mending.split.clone().ok_or_else(|| refusal::STATE_DAMAGED.because(&id))?;
        if missing.contains(&me) {
            return Ok(Outcome::Write(name, split));
        }
        if !papers.splits.iter().any(|(_, sheet)| sheet.signed == split.signed) {
            return Err(refusal::MESSAGE_NOT_MINE.because(name).into());
        }
        if !missing.is_empty() {
            return Ok(Outcome::Wait(SPLIT, missing));
        }
        let sum = self.sum(&repair, &id, me, papers)?;
        if repair.without_sum().contains(&me) {
            return Ok(Outcome::Write(format!("{SUM}{me}.json"), sum));
        }
        Ok(Outcome::Helped)
    }

    /// The sum that this helper gives: once, whatever else it is shown later.
    fn sum(&mut self, repair: &Repair, id: &str, me: u8, papers: &Papers) -> Result<Sheet> {
        if let Some(sum) = &self.mending(id)?.sum {
            return Ok(sum.clone());
        }
        let own = self.mending(id)?.own()?;
        let sum = repair.sum(me, &self.state.kem()?, &own);
        let sum = sum.map_err(|error| refused(&papers.name_of(&error), &error))?;
        let sheet = Sheet::sign(sum, &self.state.signing_key()?)?;
        let mending = self.mending(id)?;
        (mending.sum, mending.done) = (Some(sheet.clone()), true);
        mending.forget();
        self.save()?;
        Ok(sheet)
    }

    fn finish_repair(&mut self, papers: &Papers, plea: &Plea) -> Result<Outcome> {
        let kid = plea.kid.to_string();
        if self.state.shares.contains_key(&kid) {
            return Ok(Outcome::Repaired(plea.kid));
        }
        let id = plea.id.to_string();
        let repair = papers.repair(self.mending(&id)?.public()?)?;
        for (what, missing) in [(SPLIT, repair.without_split()), (SUM, repair.without_sum())] {
            if !missing.is_empty() {
                return Ok(Outcome::Wait(what, missing));
            }
        }
        let share = repair.finish(&self.state.kem()?);
        let share = share.map_err(|error| refused(&papers.name_of(&error), &error))?;
        let now = self.clock.now();
        let mending = self.mending(&id)?;
        let mut share = Share::of(&share, &mending.ceremony, &mending.lot);
        // What all members accepted was seen when this custodian asked.
        share.confirmed = true;
        share.doubt(now);
        mending.done = true;
        self.state.shares.insert(kid, share);
        self.save()?;
        Ok(Outcome::Repaired(plea.kid))
    }

    fn mending(&mut self, id: &str) -> Result<&mut Mending> {
        Ok(self.state.repairs.get_mut(id).ok_or_else(|| refusal::REPAIR_OF_ANOTHER.because(id))?)
    }
}

impl Mending {
    fn is_own(&self, me: u8, kid: KeyId) -> bool {
        self.member == me && self.split.is_none() && self.public().is_ok_and(|set: KeySet| set.kid == kid)
    }
}

impl Papers {
    /// The file of the member whose value is wrong.
    fn name_of(&self, error: &RepairError) -> String {
        match error {
            RepairError::WrongSummand(member) | RepairError::WrongTotal(member) => format!("{SPLIT}{member}.json"),
            RepairError::OtherSplits(member) | RepairError::WrongSum(member) => format!("{SUM}{member}.json"),
            _ => REQUEST.to_owned(),
        }
    }
}
