//! Keys in escrow: asked for only where a bidder did not decrypt, and what was made with one says so.
//!
//! The key itself is in no bundle, so that a bid's documents stay with those who may read them: that the platform's shares are right
//! is shown by their proofs, as of every share.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Opening, Result, refuted, text};
use crate::kernel::digest::Digest;
use crate::seal::envelope::Part;
use crate::seal::keys::VerifyingKey;
use crate::seal::keyset::{KeySet, KeySetKind};

/// What a file says of one bid.
#[derive(Default)]
struct Bid<'a> {
    /// Where its key in escrow stands, and how that opened.
    escrow: Option<(&'a str, Digest, &'a str)>,
    /// Its other envelopes.
    envelopes: BTreeSet<Digest>,
}

impl Opening<'_> {
    /// Whether a key set is the one for bidders' keys in escrow.
    pub(super) fn is_escrow(&self, set: &KeySet) -> bool {
        self.escrow.as_deref() == Some(set.group.as_str())
    }

    /// The envelope from which a list says that its key came: said by the platform, of a bidder's key, and of nothing else.
    pub(super) fn escrow_named(
        &self,
        place: &str,
        value: &Value,
        kind: KeySetKind,
        signer: &VerifyingKey,
    ) -> Result<Option<Digest>> {
        let named = match &value["escrow"] {
            Value::Null => None,
            _ => Some(text(place, value, "escrow")?.parse().map_err(|_| refuted(place, "escrow"))?),
        };
        let by_platform = self.platform(place)? == signer;
        if by_platform != named.is_some() || (by_platform && kind != KeySetKind::Bidder) {
            return Err(refuted(place, "the platform signs shares of a key out of escrow, and no others"));
        }
        Ok(named)
    }

    /// Whose keys the slots of an envelope must be sealed to.
    pub(super) fn kinds_of(
        &self,
        place: &str,
        value: &Value,
        slots: &BTreeSet<u8>,
        envelope: Digest,
    ) -> Result<&'static [KeySetKind]> {
        let is_escrow = text(place, value, "part")? == Part::Escrow.name();
        let sealed_so = |slot: &u8| self.is_escrow(&self.sets[&self.lines[&(envelope, *slot)].0]);
        if slots.iter().any(|slot| sealed_so(slot) != is_escrow) {
            return Err(refuted(place, "a key in escrow, and nothing else, is sealed for the escrow"));
        }
        Ok(if is_escrow { &[KeySetKind::Custodians] } else { self.slots })
    }

    /// No key was asked for whose bidder had decrypted, and each that opened gave the shares of its own bid.
    pub(super) fn check_escrow(&self) -> Result<()> {
        let bids = self.bids()?;
        let held: BTreeSet<Digest> = self.given(|escrow| escrow.is_none());
        for bid in bids.values() {
            let Some((place, envelope, outcome)) = bid.escrow else { continue };
            if bid.envelopes.is_subset(&held) {
                return Err(refuted(place, "its bidder had decrypted: its key in escrow was not to be asked for"));
            }
            let made = self.given(|escrow| escrow == Some(envelope));
            if (outcome == "opened") == made.is_empty() || !made.is_subset(&bid.envelopes) {
                return Err(refuted(place, "the shares that were made with its key are not those of its bid"));
            }
        }
        let known: BTreeSet<Digest> =
            bids.values().filter_map(|bid| bid.escrow.map(|(_, envelope, _)| envelope)).collect();
        match self.lists.iter().find(|list| list.escrow.is_some_and(|escrow| !known.contains(&escrow))) {
            Some(list) => Err(refuted(&list.place, "the key in escrow that it names is not in this file")),
            None => Ok(()),
        }
    }

    /// The envelopes for which lists gave shares.
    fn given(&self, from: impl Fn(Option<Digest>) -> bool) -> BTreeSet<Digest> {
        let lists = self.lists.iter().filter(|list| from(list.escrow));
        lists.flat_map(|list| list.signed.list().partials.iter().map(|partial| partial.envelope)).collect()
    }

    fn bids(&self) -> Result<BTreeMap<&str, Bid<'_>>> {
        let mut bids: BTreeMap<&str, Bid<'_>> = BTreeMap::new();
        for (place, value) in &self.envelopes {
            let id = text(place, value, "envelope")?.parse().map_err(|_| refuted(place, "the envelope's id"))?;
            let bid = bids.entry(text(place, value, "bid")?).or_default();
            if text(place, value, "part")? != Part::Escrow.name() {
                bid.envelopes.insert(id);
            } else if bid.escrow.replace((place, id, text(place, value, "outcome")?)).is_some() {
                return Err(refuted(place, "a bid has two keys in escrow"));
            }
        }
        Ok(bids)
    }
}
