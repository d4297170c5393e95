//! Bringing an old database to where the published log is: the one way on after a restore.
//!
//! What was signed stays signed. The leaves that the database has lost are taken from the published tiles, which are checked
//! against the signed checkpoint first; those whose entries are still there, waiting, find their entries again; the openings of
//! the others are lost here, and whoever holds a receipt has them. The entry `log.recovered` says which leaves those are.

use std::collections::HashMap;

use super::changes::{self, Recovered};
use super::model::{Batch, Head, Taken, digest, size};
use super::signer::memory::Memory;
use super::signer::{Growth, SignedHead, SignerError};
use super::{Log, queries};
use crate::clock::{Clock, SystemClock};
use crate::kernel::digest::Digest;
use crate::ledger::{Context, Error, Ledger, Reader, Record, Result};
use crate::limits;
use crate::tlog::edge::Edge;
use crate::tlog::entry::leaf_hash;
use crate::tlog::tiles::{self, Content, Tile};
use crate::tlog::tree::Frontier;

/// What a recovery found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Leaves that the database had.
    pub from: u64,
    /// Leaves that it has now.
    pub to: u64,
    /// Entries that were there and had lost their leaf.
    pub found: u64,
    /// Leaves of which the database knows nothing: padding, and entries that only receipts open.
    pub unknown: u64,
}

/// The newest tree that is proven to have been signed: by the signer's own memory, or by the published checkpoint.
fn target(log: &Log, signed: &SignedHead) -> Result<(u64, Digest)> {
    let published = log.directory().checkpoint()?;
    let published = published
        .map(|(_, note)| {
            log.policy().check(&note).map_err(|refused| Error::damaged(format!("the published checkpoint: {refused}")))
        })
        .transpose()?
        .map(|accepted| (accepted.checkpoint.size, accepted.checkpoint.root));
    Ok(match published {
        Some((size, root)) if size > signed.size => (size, root),
        _ => (signed.size, signed.root),
    })
}

/// The commitments `from..to` as they were published.
fn commitments(log: &Log, from: u64, to: u64) -> Result<Vec<Digest>> {
    let mut found = Vec::new();
    for n in from / tiles::WIDTH..to.div_ceil(tiles::WIDTH) {
        let tile = Tile { content: Content::Entries, n, width: tiles::width_in(to, 0, n) };
        let bytes = log.directory().tile(&tile)?;
        found.extend(tiles::commitments(&bytes).map_err(|error| Error::damaged(format!("{tile}: {error}")))?);
    }
    let skip = usize::try_from(from % tiles::WIDTH).unwrap_or(0);
    Ok(found.split_off(skip))
}

/// The leaves of a batch that was recovered: its files are all that is known of it.
pub(super) fn leaves(log: &Log, batch: &Batch) -> Result<Vec<Digest>> {
    commitments(log, size(batch.size_before), size(batch.size_after))
}

/// The memory of a signer that has lost it, out of the published tree, which the log's key and the policy's witnesses vouch for.
///
/// # Errors
/// When the published tree does not lead to its checkpoint.
pub fn memory(log: &Log, slot: u64) -> Result<Memory> {
    let nothing = SignedHead { size: 0, root: crate::tlog::tree::empty_root(), slot: 0 };
    let (size, root) = target(log, &nothing)?;
    let mut frontier = Frontier::empty();
    commitments(log, 0, size)?.iter().for_each(|commitment| frontier.append(leaf_hash(commitment)));
    if frontier.root() != root {
        return Err(Error::damaged("the published tiles do not lead to the published checkpoint"));
    }
    Ok(Memory { origin: log.settings().origin.clone(), slot, frontier })
}

/// Recovers. No server may run.
///
/// # Errors
/// When the published tiles are not those of the signed tree, or do not continue the database's tree: then nothing is changed.
pub fn recover(log: &Log, ledger: &Ledger, reader: &Reader) -> Result<Outcome> {
    let head = reader.read_blocking(queries::head)?;
    let signed = log.signer().head().map_err(failed)?;
    let (to, root) = target(log, &signed)?;
    let from = size(head.size);
    let slot = i64::try_from(signed.slot).unwrap_or(i64::MAX).max(head.slot) + 1;
    if to < from {
        return Err(Error::damaged("the database is ahead of what was signed: it needs no recovery"));
    }
    let first = from.min(signed.size);
    let all = commitments(log, first, to)?;
    let mut edge = match first {
        0 => Edge::empty(),
        _ => {
            let at = i64::try_from(first).unwrap_or(i64::MAX);
            let known = reader.read_blocking(move |conn| queries::root_at(conn, at))?;
            let known = if first == signed.size { Some(signed.root) } else { known };
            let known = known.ok_or_else(|| Error::damaged("the database's tree ends in the middle of a batch"))?;
            log.directory().edge(first, &known)?
        }
    };
    let mut grown = edge.frontier();
    let skip = usize::try_from(from - first).unwrap_or(usize::MAX);
    for (n, commitment) in all.iter().enumerate() {
        if n == skip && grown.root() != digest(&head.root)? {
            return Err(Error::damaged("the published tree does not continue the database's tree"));
        }
        grown.append(leaf_hash(commitment));
    }
    super::sequencer::grow(&mut edge, &all);
    if grown.root() != root || (to == from && grown.root() != digest(&head.root)?) {
        return Err(Error::damaged("the published tiles do not lead to the signed root"));
    }
    if signed.size < to {
        let behind = usize::try_from(signed.size - first).unwrap_or(usize::MAX);
        let growth = Growth {
            slot: u64::try_from(slot).unwrap_or(0),
            size_before: signed.size,
            commitments: all[behind..].to_vec(),
            root,
        };
        log.signer().sign(&growth).map_err(failed)?;
    }
    let outcome = store(ledger, &head, &all[skip..], to, &root, slot)?;
    Ok(Outcome { from, to, ..outcome })
}

fn failed(error: SignerError) -> Error {
    Error::damaged(format!("the signer: {error}"))
}

/// Puts the lost leaves into the database, with the entries that are still there, and on record what was done.
fn store(ledger: &Ledger, head: &Head, lost: &[Digest], to: u64, root: &Digest, slot: i64) -> Result<Outcome> {
    let at: HashMap<Vec<u8>, i64> =
        lost.iter().zip(head.size..).map(|(commitment, index)| (commitment.as_bytes().to_vec(), index)).collect();
    let (head, lost_len, root) = (head.clone(), lost.len() as u64, *root);
    let now = SystemClock.now().millis();
    let context = Context::system(SystemClock.now(), "log recover");
    ledger.commit_blocking(context, move |tx| {
        let waiting = queries::pending(tx.conn(), i64::MAX)?;
        let found: Taken = waiting
            .into_iter()
            .filter_map(|waiting| {
                let index = *at.get(&waiting.commitment.as_bytes()[..])?;
                Some((waiting, index))
            })
            .collect();
        let found_len = found.ids.len() as u64;
        if lost_len > 0 {
            let batch = Batch {
                batch: head.batch + 1,
                size_before: head.size,
                size_after: i64::try_from(to).unwrap_or(i64::MAX),
                n_real: i64::try_from(found_len).unwrap_or(i64::MAX),
                // What its padding was is not known any more: its leaves are in the files alone.
                pad_key: Vec::new(),
                slot,
                at_ms: now,
                epoch: head.epoch,
                root: root.as_bytes().to_vec(),
            };
            let recovered = Recovered { batch, found };
            tx.beside(|conn| changes::recover(conn, &recovered))?;
        }
        tx.beside(|conn| changes::halt(conn, None))?;
        let unknown = lost_len - found_len;
        let record = Record::new("log.recovered")
            .public("from", head.size)
            .public("to", to)
            .public("found", found_len)
            .public("unknown", unknown);
        tx.note_in("log-recoveries", limits::LOG_KEYS, record)?
            .ok_or_else(|| Error::internal("the log was recovered too often"))?;
        Ok(Outcome { from: 0, to: 0, found: found_len, unknown })
    })
}
