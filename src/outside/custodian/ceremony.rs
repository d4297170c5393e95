//! A ceremony as its member believes it, and what the member does next.
//!
//! Nothing of what the platform shows is believed that is not signed: the draft by the tenderer, every message by its member,
//! under keys whose ids the draft names. Who the tenderer is, is the platform's word; its key's id is shown for that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::refusal::{self, Refusal, Result};
use super::state::Kept;
use crate::client::custodians::{CeremonyView, PublicKey};
use crate::kernel::digest::{Digest, sha256};
use crate::seal::ceremony::{Accept, CeremonyError, Draft, Message, Round1, Signed, SignedDraft, Transcript};
use crate::seal::ceremony::{Commit, Round2};
use crate::seal::ids::KeyId;
use crate::seal::keys::VerifyingKey;
use crate::seal::keyset::{KeySet, SignedKeySet};
use crate::seal::points::Point;

/// The steps, as the platform calls them.
pub const COMMIT: &str = "commit";
/// See [`COMMIT`].
pub const ROUND1: &str = "round1";
/// See [`COMMIT`].
pub const ROUND2: &str = "round2";
/// See [`COMMIT`].
pub const ACCEPT: &str = "accept";
/// Not a step, but the end.
pub const COMPLAINT: &str = "complaint";
/// In the order in which they are taken.
const STEPS: [&str; 4] = [COMMIT, ROUND1, ROUND2, ACCEPT];

/// The keys by which a draft names a custodian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Me {
    /// The key that signs.
    pub sign_kid: KeyId,
    /// The key that shares are backed up to.
    pub kem: Point,
}

/// A ceremony whose draft and messages hold.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// The platform's id of it.
    pub id: String,
    /// The platform's word for where it stands.
    pub state: String,
    /// The tenderer's key.
    pub tenderer: KeyId,
    /// The custodian's index.
    pub me: u8,
    /// What everybody has said until round 2; has the draft.
    pub transcript: Transcript,
    accepts: BTreeMap<u8, Accept>,
    said: BTreeMap<&'static str, BTreeSet<u8>>,
    own: BTreeMap<&'static str, Value>,
    key_sets: Vec<Value>,
    end: String,
}

/// What a member does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Draw the secrets.
    Begin,
    /// Send the kept message of a step, for the first time or again.
    Say(&'static str),
    /// Deal the others their values.
    Deal,
    /// Open what the others dealt, and accept.
    Finish,
    /// These members have not taken that step.
    Wait(&'static str, Vec<u8>),
    /// All have accepted.
    Active,
    /// It has ended.
    Ended(String),
}

fn key(of: &PublicKey, named: KeyId, who: &str) -> std::result::Result<VerifyingKey, Refusal> {
    let key = VerifyingKey::parse(&of.alg, &of.public_key)
        .map_err(|error| refusal::DRAFT_INVALID.because(format!("{who}: {}", error.reason())))?;
    if key.key_id() == named { Ok(key) } else { Err(refusal::DRAFT_INVALID.because(format!("{who}: another key"))) }
}

impl Ceremony {
    /// Believes what holds of what the platform shows.
    ///
    /// # Errors
    /// `draft-invalid`, `not-a-member`, `backup-key-not-mine`, `message-invalid`.
    pub fn read(view: &CeremonyView, me: &Me) -> Result<Self> {
        let invalid = |what: &dyn std::fmt::Display| refusal::DRAFT_INVALID.because(format!("{}: {what}", view.id));
        let signed = SignedDraft::from_value(&view.draft).map_err(|error| invalid(&error.reason()))?;
        let tenderer = signed.jws().key_id();
        let draft =
            signed.verify(&key(&view.tenderer, tenderer, "tenderer")?).map_err(|error| invalid(&error.reason()))?;
        if draft.lot.as_str() != view.lot_id {
            return Err(invalid(&format!("lot {} / {}", draft.lot, view.lot_id)).into());
        }
        let own = draft.members.iter().find(|member| member.sign_kid == me.sign_kid);
        let own = own.ok_or_else(|| refusal::NOT_A_MEMBER.because(format!("{}: {}", view.id, me.sign_kid)))?;
        if own.kem != me.kem {
            return Err(refusal::BACKUP_KEY_NOT_MINE.because(&view.id).into());
        }
        let keys = draft.members.iter().map(|member| {
            let shown = view.members.iter().find(|shown| shown.i == member.i);
            let shown = shown.ok_or_else(|| invalid(&format!("member {}", member.i)))?;
            key(&shown.key, member.sign_kid, &format!("member {}", member.i))
        });
        let keys = keys.collect::<std::result::Result<Vec<_>, _>>()?;
        let mut ceremony = Self {
            id: view.id.clone(),
            state: view.state.clone(),
            tenderer,
            me: own.i,
            transcript: Transcript::new(draft.clone()),
            accepts: BTreeMap::new(),
            said: BTreeMap::new(),
            own: BTreeMap::new(),
            key_sets: view.key_sets.clone(),
            end: end(view),
        };
        ceremony.hear::<Commit>(view, COMMIT, &keys, |ceremony, said| ceremony.transcript.commit(said))?;
        ceremony.hear::<Round1>(view, ROUND1, &keys, |ceremony, said| ceremony.transcript.round1(said))?;
        ceremony.hear::<Round2>(view, ROUND2, &keys, |ceremony, said| ceremony.transcript.round2(said))?;
        ceremony.hear::<Accept>(view, ACCEPT, &keys, |ceremony, said| {
            let accept = said.message().clone();
            ceremony.accepts.insert(accept.head.member, accept);
            Ok(())
        })?;
        Ok(ceremony)
    }

    /// Takes the messages of a step: each signed by its member, none twice.
    fn hear<M: Message>(
        &mut self,
        view: &CeremonyView,
        step: &'static str,
        keys: &[VerifyingKey],
        mut take: impl FnMut(&mut Self, Signed<M>) -> std::result::Result<(), CeremonyError>,
    ) -> Result<()> {
        for value in view.messages.get(step).into_iter().flatten() {
            let mut read = || {
                let said = Signed::<M>::from_value(value)?;
                let member = said.message().head().member;
                let key = usize::from(member).checked_sub(1).and_then(|index| keys.get(index));
                let key = key.ok_or(CeremonyError::NotAMember(member))?;
                said.verify(self.transcript.draft(), self.transcript.id(), key)?;
                if !self.said.entry(step).or_default().insert(member) {
                    return Err(CeremonyError::Shape(member));
                }
                if member == self.me {
                    self.own.insert(step, value.clone());
                }
                take(self, said)
            };
            let wrong = |error: CeremonyError| format!("{}: {step}: {} ({error})", view.id, error.reason());
            read().map_err(|error| refusal::MESSAGE_INVALID.because(wrong(error)))?;
        }
        Ok(())
    }

    /// What it is about.
    pub const fn draft(&self) -> &Draft {
        self.transcript.draft()
    }

    /// Its id inside the messages.
    pub const fn digest(&self) -> &Digest {
        self.transcript.id()
    }

    /// The member's own messages, as the platform shows them.
    pub fn own_messages(&self) -> BTreeMap<String, Value> {
        self.own.iter().map(|(step, message)| ((*step).to_owned(), message.clone())).collect()
    }

    /// Members who have not taken a step.
    pub fn missing(&self, step: &'static str) -> Vec<u8> {
        let said = self.said.get(step);
        self.draft().indices().filter(|member| said.is_none_or(|said| !said.contains(member))).collect()
    }

    /// What the member does next, who has kept this.
    ///
    /// # Errors
    /// `message-not-mine` when the platform shows a message in the member's name that is not kept.
    pub fn next(&self, kept: Option<&Kept>) -> Result<Next> {
        if matches!(&*self.state, "aborted" | "expired") {
            return Ok(Next::Ended(self.end.clone()));
        }
        let kept_message = |step: &str| kept.and_then(|kept| kept.messages.get(step));
        for (step, shown) in &self.own {
            if kept_message(step) != Some(shown) {
                return Err(refusal::MESSAGE_NOT_MINE.because(format!("{}: {step}", self.id)).into());
            }
        }
        if kept_message(COMPLAINT).is_some() {
            return Ok(Next::Say(COMPLAINT));
        }
        for (at, step) in STEPS.into_iter().enumerate() {
            if self.own.contains_key(step) {
                continue;
            }
            if let Some(before) = at.checked_sub(1).map(|before| STEPS[before]) {
                let missing = self.missing(before);
                if !missing.is_empty() {
                    return Ok(Next::Wait(before, missing));
                }
            }
            return Ok(match step {
                step if kept_message(step).is_some() => Next::Say(step),
                ROUND2 => Next::Deal,
                ACCEPT => Next::Finish,
                _ => Next::Begin,
            });
        }
        let missing = self.missing(ACCEPT);
        Ok(if missing.is_empty() && self.state == "active" { Next::Active } else { Next::Wait(ACCEPT, missing) })
    }

    /// That whoever has accepted has accepted what this member sees: the key sets that follow from the transcript.
    ///
    /// # Errors
    /// `transcripts-differ`, naming the members; `ceremony-unfinished`.
    pub fn agreed(&self) -> Result<Vec<KeySet>> {
        let unfinished = |error: CeremonyError| refusal::CEREMONY_UNFINISHED.because(error);
        let (digest, key_sets) =
            (self.transcript.digest().map_err(unfinished)?, self.transcript.key_sets().map_err(unfinished)?);
        let digests: Vec<Digest> = key_sets.iter().map(|set| sha256(&set.to_bytes())).collect();
        let differ = self.accepts.values().filter(|said| said.transcript != digest || said.key_sets != digests);
        let differ: Vec<u8> = differ.map(|said| said.head.member).collect();
        if differ.is_empty() {
            Ok(key_sets)
        } else {
            Err(refusal::TRANSCRIPTS_DIFFER.because(format!("{}: {differ:?}", self.id)).into())
        }
    }

    /// The key sets that all members have accepted and the platform has published.
    ///
    /// # Errors
    /// `key-set-unconfirmed`, `transcripts-differ`, `key-set-differs`.
    pub fn published(&self, platform: &VerifyingKey) -> Result<Vec<KeySet>> {
        let missing = self.missing(ACCEPT);
        if !missing.is_empty() {
            return Err(refusal::KEY_SET_UNCONFIRMED.because(format!("{}: {missing:?}", self.id)).into());
        }
        let key_sets = self.agreed()?;
        let differs = |what: &str| refusal::KEY_SET_DIFFERS.because(format!("{}: {what}", self.id));
        for (index, key_set) in key_sets.iter().enumerate() {
            let shown = self.key_sets.get(index).ok_or_else(|| differs("missing"))?;
            let shown = SignedKeySet::parse(shown.to_string().as_bytes()).map_err(|error| differs(error.reason()))?;
            if shown.verify(platform).map_err(|error| differs(error.reason()))? != key_set {
                return Err(differs(&key_set.kid.to_string()).into());
            }
        }
        Ok(key_sets)
    }
}

fn end(view: &CeremonyView) -> String {
    let culprit = view.culprit.map(|member| format!(", member {member}")).unwrap_or_default();
    format!(
        "{}: {}{}{culprit}",
        view.id,
        view.state,
        view.cause.as_ref().map(|why| format!(", {why}")).unwrap_or_default()
    )
}

/// A key set's id for reading aloud: groups of four digits.
pub fn fingerprint(kid: KeyId) -> String {
    let text = kid.to_string();
    let groups: Vec<&str> = text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(" ")
}
