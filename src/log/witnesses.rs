//! Asks witnesses for their word: cosignatures before a checkpoint is published, and at the start whether this log was longer.
//!
//! A witness is not believed, its signatures are. That this log once was larger than it is stops the log only where it is shown
//! with this log's own signature: else any witness could stop it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use super::model::{Head, size};
use super::publisher::{Halt, Means, Step};
use super::{Log, queries};
use crate::ledger::Result;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::{self, Note};
use crate::tlog::policy::Party;
use crate::witness::client::Answer;

/// A witness with an address.
#[derive(Clone)]
struct Asked {
    name: String,
    party: Party,
    url: String,
}

impl Log {
    fn asked(&self) -> Vec<Asked> {
        let with_url = |(name, party): (&str, &Party)| {
            let url = party.url.clone()?;
            Some(Asked { name: name.to_owned(), party: party.clone(), url })
        };
        self.policy().witnesses().filter_map(with_url).collect()
    }

    fn witnessed_sizes(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.witnessed_sizes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checkpoint with the cosignatures of the witnesses that answer in time, all asked at once.
    pub(super) fn witnessed(&self, note: &str) -> Step<String> {
        let (head, _) =
            self.policy().open(note).map_err(|error| Halt::of(format!("the signed checkpoint: {error}")))?;
        let asked = self.asked();
        if asked.is_empty() {
            return Ok(note.to_owned());
        }
        let began = Instant::now();
        let answers: Vec<Step<Option<String>>> = std::thread::scope(|scope| {
            let asking: Vec<_> = asked.iter().map(|one| scope.spawn(|| self.ask(one, &head, note))).collect();
            asking.into_iter().map(|one| one.join().unwrap_or(Ok(None))).collect()
        });
        let took = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.witness_ms.store(took, Ordering::Relaxed);
        let mut with_all = note.to_owned();
        for answer in answers {
            with_all.push_str(&answer?.unwrap_or_default());
        }
        Ok(with_all)
    }

    /// Asks one witness; its line where it cosigned.
    fn ask(&self, asked: &Asked, head: &Checkpoint, note: &str) -> Step<Option<String>> {
        let mut old = self.witnessed_sizes().get(&asked.name).copied().unwrap_or(0);
        // Twice: the first answer may say from where it wants the proof.
        for _ in 0..2 {
            let proof = self.consistency(old.min(head.size), head.size)?;
            match self.witnesses.add_checkpoint(&asked.url, old.min(head.size), &proof, note) {
                Ok(Answer::Cosigned(lines)) => {
                    self.witnessed_sizes().insert(asked.name.clone(), head.size);
                    return Ok(own_line(&asked.party, head, &lines));
                }
                Ok(Answer::Conflict(latest)) if latest <= head.size && latest != old => old = latest,
                Ok(Answer::Conflict(latest)) => {
                    self.look_at(asked, head)?;
                    tracing::error!(
                        alarm = "witness-ahead",
                        witness = asked.name,
                        latest,
                        "a witness says that it has seen another tree, and does not show it"
                    );
                    return Ok(None);
                }
                Ok(Answer::Refused(status)) => {
                    tracing::error!(
                        alarm = "witness-refused",
                        witness = asked.name,
                        status,
                        "a witness does not cosign"
                    );
                    return Ok(None);
                }
                Err(error) => {
                    tracing::warn!(witness = asked.name, %error, "a witness does not answer");
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Whether a witness shows a head of this log, signed by this log, that the given one does not continue.
    fn look_at(&self, asked: &Asked, head: &Checkpoint) -> Step<()> {
        let Some(seen) = self.seen_by(asked) else { return Ok(()) };
        if seen.size > head.size || (seen.size == head.size && seen.root != head.root) {
            return Err(Halt::of(format!(
                "rollback suspected: witness {} shows a checkpoint of {} leaves with this log's signature, and this log has {}",
                asked.name, seen.size, head.size
            )));
        }
        Ok(())
    }

    fn seen_by(&self, asked: &Asked) -> Option<Checkpoint> {
        match self.witnesses.latest(&asked.url, &self.settings().origin) {
            Ok(note) => self.policy().open(&note?).ok().map(|(checkpoint, _)| checkpoint),
            Err(error) => {
                tracing::warn!(witness = asked.name, %error, "a witness was not asked what it has seen");
                None
            }
        }
    }

    /// Asks every witness for the largest tree that it has seen: this log must continue it.
    pub(super) fn ask_witnesses(&self, means: &Means<'_>, head: &Head) -> Step<()> {
        for asked in self.asked() {
            let Some(seen) = self.seen_by(&asked) else { continue };
            let at = i64::try_from(seen.size).unwrap_or(i64::MAX);
            let known = means.reader.read_blocking(move |conn| -> Result<_> { queries::root_at(conn, at) })?;
            if seen.size > size(head.size) || known.is_some_and(|root| root != seen.root) {
                return Err(Halt::of(format!(
                    "rollback suspected: witness {} has seen {} leaves, and the database has {} or another tree",
                    asked.name, seen.size, head.size
                )));
            }
        }
        Ok(())
    }
}

/// The line of the witness that was asked, if it is there and fits; others are passed over.
fn own_line(party: &Party, head: &Checkpoint, lines: &str) -> Option<String> {
    let text = head.text();
    let found = note::read_lines(lines).ok()?.into_iter().find(|line| line.is_of(&party.key))?.line().to_owned();
    let note = format!("{text}\n{found}");
    let fits = Note::parse(&note).is_ok_and(|note| note.verify(&party.key).is_ok());
    if !fits {
        tracing::error!(
            alarm = "witness-forged",
            witness = party.key.name(),
            "a cosignature does not fit the checkpoint"
        );
    }
    fits.then_some(found)
}
