//! What arrives as one act: the headers of a bid or of a reserve price, and everything about them that can be checked
//! without asking a rule of the procedure.
//!
//! Promise: what passes here is well formed, complete, about this lot, by this organisation, signed with one of its
//! active keys and sealed to the lot's key set. Nothing here is put on record.

use super::refusals;
use super::signed::Signed;
use crate::features::key_sets::groups::round_of;
use crate::features::key_sets::model::Seals;
use crate::kernel::digest::{Digest, Hasher};
use crate::kernel::encoding::base64url;
use crate::kernel::id::OrgId;
use crate::limits;
use crate::rules::envelopes::{Envelopes, Round};
use crate::rules::refusal::Refusal;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::error::FormError;
use crate::seal::keys::VerifyingKey;
use crate::seal::keyset::{KeySet, KeySetKind, Profile, SignedKeySet};

/// Which box a submission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A bidder's bid.
    Bid,
    /// The initiator's reserve price.
    Reserve,
}

/// The headers of one act, read.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The lot it was sent to.
    pub lot_id: String,
    /// The envelopes, in the order of their parts.
    pub envelopes: Vec<SignedEnvelope>,
    /// The revision that all of them name.
    pub rev: u32,
    /// The revision of the documents that all of them name.
    pub doc_rev: Digest,
    /// SHA-256 over the envelopes' ids, in the order of their parts: makes the act the same act.
    pub header: Digest,
    /// The bidder's own key sets, where the lot's key mode asks for them: one for each round in which something of it opens.
    pub own_keys: Vec<SignedKeySet>,
    /// The bidder wants a mail.
    pub notify: bool,
}

impl Submission {
    /// Reads the headers and checks that together they are one act.
    ///
    /// # Errors
    /// 422: `envelope-malformed`, `envelope-parts-wrong`, `envelopes-disagree`, `enc-reused`.
    pub fn read(
        sort: Sort,
        lot_id: &str,
        texts: &[Signed],
        own_keys: &[&Signed],
        notify: bool,
    ) -> Result<Self, Refusal> {
        if texts.is_empty() || texts.len() > limits::ENVELOPES_PER_BID {
            return Err(refusals::envelope_parts());
        }
        let mut envelopes = texts
            .iter()
            .map(|text| {
                SignedEnvelope::parse(text.as_bytes())
                    .map_err(|error| refusals::malformed("envelope-malformed", &error))
            })
            .collect::<Result<Vec<_>, _>>()?;
        envelopes.sort_by_key(|envelope| envelope.ctx().part);
        let parts: Vec<Part> = envelopes.iter().map(|envelope| envelope.ctx().part).collect();
        let complete = match sort {
            Sort::Bid => matches!(
                parts[..],
                [Part::Price]
                    | [Part::Price, Part::Documents]
                    | [Part::Price, Part::Escrow]
                    | [Part::Price, Part::Documents, Part::Escrow]
            ),
            Sort::Reserve => parts == [Part::Reserve],
        };
        if !complete {
            return Err(refusals::envelope_parts());
        }
        let (rev, doc_rev) = (envelopes[0].ctx().rev, envelopes[0].ctx().doc_rev);
        if envelopes.iter().any(|envelope| envelope.ctx().rev != rev || envelope.ctx().doc_rev != doc_rev) {
            return Err(refusals::envelopes_disagree());
        }
        let mut header = Hasher::new();
        envelopes.iter().for_each(|envelope| header.update(envelope.id().as_bytes()));
        let own_keys = own_keys
            .iter()
            .map(|text| {
                SignedKeySet::parse(text.as_bytes()).map_err(|error| refusals::malformed("key-set-mismatch", &error))
            })
            .collect::<Result<_, _>>()?;
        let read =
            Self { lot_id: lot_id.to_owned(), envelopes, rev, doc_rev, header: header.finish(), own_keys, notify };
        let mut encs = read.encs();
        encs.sort_unstable();
        if encs.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(refusals::enc_reused());
        }
        Ok(read)
    }

    /// The envelopes' ids, in the order of their parts.
    pub fn envelope_ids(&self) -> Vec<Digest> {
        self.envelopes.iter().map(SignedEnvelope::id).collect()
    }

    /// The ephemeral keys, base64url.
    pub fn encs(&self) -> Vec<String> {
        let slots = self.envelopes.iter().flat_map(|envelope| &envelope.header().slots);
        slots.map(|slot| base64url(&slot.enc.to_uncompressed())).collect()
    }

    /// The signed objects as text.
    pub fn texts(&self) -> Vec<String> {
        self.envelopes.iter().map(|envelope| envelope.jws().to_json()).collect()
    }

    /// Ciphertext bytes of all parts.
    pub fn size_bytes(&self) -> u64 {
        self.envelopes.iter().map(|envelope| envelope.ctx().ciphertext_len()).sum()
    }

    /// Checks that the headers are this organisation's and for this lot, whose key set names its project and its group.
    ///
    /// # Errors
    /// 422: `first-envelope-missing`, `escrow-missing`, `escrow-not-asked`, `envelope-not-yours`, `envelope-foreign-lot`.
    pub fn check_place(&self, seals: &Seals, org: &OrgId) -> Result<(), Refusal> {
        let has = |part: Part| self.envelopes.iter().any(|envelope| envelope.ctx().part == part);
        let is_bid = !has(Part::Reserve);
        if is_bid && seals.envelopes == Envelopes::Two && !has(Part::Documents) {
            return Err(refusals::first_envelope_missing());
        }
        match (is_bid && seals.has_escrow(), has(Part::Escrow)) {
            (true, false) => return Err(refusals::escrow_missing()),
            (false, true) => return Err(refusals::escrow_not_asked()),
            _ => {}
        }
        for ctx in self.envelopes.iter().map(SignedEnvelope::ctx) {
            if ctx.bidder.as_str() != org.as_str() {
                return Err(refusals::envelope_not_yours());
            }
            let here = ctx.lot.as_str() == self.lot_id
                && ctx.group.as_str() == seals.group(ctx.part)
                && ctx.tender.as_str() == seals.tender;
            if !here {
                return Err(refusals::envelope_foreign_lot());
            }
        }
        Ok(())
    }

    /// Checks signatures, and that every envelope is sealed to the lot's key set. `keys` are the keys that the envelopes
    /// name, in their order; `None` where the organisation has no such active key.
    ///
    /// # Errors
    /// 422: `signing-key-not-active`, `envelope-signature-invalid`, `key-set-mismatch`, `second-key-missing`, `own-key-repeated`,
    /// `envelope-proof-invalid`.
    pub fn check_seals(&self, keys: &[Option<VerifyingKey>], seals: &Seals) -> Result<(), Refusal> {
        let mismatch = |error: &FormError| refusals::seal_mismatch(error);
        let own = self.check_own_keys(keys, seals)?;
        for (envelope, key) in self.envelopes.iter().zip(keys) {
            let key_sets = seals.of(envelope.ctx().part, &own).ok_or_else(|| mismatch(&FormError::KeySetCount))?;
            let key = key.as_ref().ok_or_else(refusals::key_not_active)?;
            envelope.verify_signature(key).map_err(|_| refusals::signature_invalid("envelope-signature-invalid"))?;
            envelope.check_against(&key_sets).map_err(|error| mismatch(&error))?;
        }
        Ok(())
    }

    /// The bidder's own key sets: each of its kind, strict, signed with the key of the bid and for another round in which something
    /// of this act opens; and no key for two rounds, since whoever opens anything under a key may open everything under it.
    fn check_own_keys(&self, keys: &[Option<VerifyingKey>], seals: &Seals) -> Result<Vec<KeySet>, Refusal> {
        let mut sets: Vec<KeySet> = Vec::new();
        for signed in &self.own_keys {
            let key = keys.first().and_then(Option::as_ref).ok_or_else(refusals::key_not_active)?;
            let set = signed.verify(key).map_err(|error| refusals::seal_mismatch(&error))?;
            if sets.iter().any(|other| other.public == set.public) {
                return Err(refusals::own_key_repeated());
            }
            sets.push(self.check_own_key(set, seals)?.clone());
        }
        let opens_second = |envelope: &SignedEnvelope| round_of(seals.envelopes, envelope.ctx().part) == Round::Second;
        let has_second = sets.iter().any(|set| seals.own_round(set) == Some(Round::Second));
        if seals.mode.needs_bidder() && !has_second && self.envelopes.iter().any(opens_second) {
            return Err(refusals::second_key_missing());
        }
        Ok(sets)
    }

    fn check_own_key<'a>(&self, set: &'a KeySet, seals: &Seals) -> Result<&'a KeySet, Refusal> {
        let wrong = |error: FormError| Err(refusals::seal_mismatch(&error));
        let is_needed = |round: Round| {
            let mut parts = self.envelopes.iter().map(|envelope| envelope.ctx().part);
            parts.any(|part| round_of(seals.envelopes, part) == round)
        };
        match set {
            _ if set.kind != KeySetKind::Bidder => wrong(FormError::UnknownKeySetKind("not bidder".into())),
            _ if set.tender.as_str() != seals.tender => wrong(FormError::OtherTender),
            _ if !seals.mode.needs_bidder() => wrong(FormError::KeySetCount),
            _ if !seals.own_round(set).is_some_and(is_needed) => wrong(FormError::OtherGroup),
            _ if set.profile != Profile::Strict => wrong(FormError::Profile),
            _ => Ok(set),
        }
    }
}
