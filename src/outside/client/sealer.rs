//! Sealing a bid for a lot: what a bidder's machine does before anything leaves it.
//!
//! Promises: nothing is sealed to a key set whose signature, project, lot or opening does not fit; the content of a part
//! leaves this machine only sealed. A payload is sealed once; each header over it has fresh slots, so that a price can be
//! changed without sending the documents again.

use std::io::{self, Read, Write};
use std::sync::Arc;

use serde_json::Value;

use super::error::{ClientError, Result};
use super::http::Client;
use super::upload::{Source, UploadFor};
use super::wire::Lot;
use crate::kernel::digest::Digest;
use crate::kernel::time::Timestamp;
use crate::rules::envelopes::{Envelopes, Round, shared_rounds};
use crate::rules::facts::{Escrow, KeyMode};
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::error::SealError;
use crate::seal::escrow::{escrow_part, own_partials};
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::seal::keyset::{KeySet, KeySetKind, KeySetSubject, KeyShare, Profile, SignedKeySet};
use crate::seal::manifest::{BidJson, Binding, FileEntry, Manifest};
use crate::seal::part_writer::{bid_part, write_part};
use crate::seal::partials::SignedPartials;
use crate::seal::sealing::{SealedPayload, SealingWriter, Subject, seal_header, seal_payload};
use crate::tlog::receipt::Receipt;

/// How a lot is sealed.
#[derive(Clone, Copy)]
struct Scheme {
    mode: KeyMode,
    envelopes: Envelopes,
    escrow: Escrow,
}

impl Scheme {
    /// The rounds for which there is a key set of the platform or of custodians.
    fn rounds(self) -> Vec<Round> {
        shared_rounds(self.mode, self.envelopes, self.escrow)
    }
}

/// Everything needed to seal parts for one lot.
#[derive(Clone)]
pub struct Sealer {
    lot: Lot,
    document_revision: Digest,
    tender: Ident,
    envelopes: Envelopes,
    shared: Vec<(Round, KeySet)>,
    own: Vec<(Round, Arc<KeyShare>)>,
    lot_id: Ident,
    bidder: Ident,
}

impl Sealer {
    /// Asks for a lot and its key set and checks that they fit: signed by the platform, for this project and this lot, and
    /// not to be opened later than the key set says it may. Where the lot's key mode asks for keys of the bidder, one is made for each
    /// round of openings.
    ///
    /// # Errors
    /// [`ClientError::Untrusted`] when something does not fit; the server's otherwise.
    pub fn prepare(client: &Client, lot_id: &str, bidder: &str, platform: &VerifyingKey) -> Result<Self> {
        let lot = client.lot(lot_id)?;
        let first = client.key_set(lot_id, Round::First)?;
        let scheme = Scheme { mode: first.mode, envelopes: first.envelopes, escrow: first.escrow };
        let mut shared = Vec::new();
        for round in scheme.rounds() {
            let answer = if round == Round::First { first.clone() } else { client.key_set(lot_id, round)? };
            if let Some(value) = &answer.key_set {
                shared.push((round, signed_key_set(value, platform)?));
            }
        }
        Self::new(lot, scheme, shared, bidder)
    }

    fn new(lot: Lot, scheme: Scheme, shared: Vec<(Round, KeySet)>, bidder: &str) -> Result<Self> {
        let Scheme { mode, envelopes, .. } = scheme;
        let untrusted = |what: &str| ClientError::Untrusted(format!("the key set is for another {what}"));
        let opens = lot.schedule.opens_at.or(lot.schedule.deadline_at);
        // A key in escrow is with custodians, as every key that is not the platform's or the bidder's.
        let expected = if mode == KeyMode::Platform { KeySetKind::Platform } else { KeySetKind::Custodians };
        let kinds = shared.iter().map(|(round, set)| (*round, set.kind));
        if !kinds.eq(scheme.rounds().into_iter().map(|round| (round, expected))) {
            return Err(untrusted("key mode"));
        }
        for (round, key_set) in &shared {
            if key_set.tender.as_str() != lot.project_id {
                return Err(untrusted("project"));
            }
            if key_set.group.as_str() != round.group(&lot.id) {
                return Err(untrusted("lot"));
            }
            let late = opens.is_none_or(|opens| key_set.opens_not_before.as_str() > opens.to_string().as_str());
            // What is in escrow opens after the opening began, and perhaps never: it keeps nothing from opening in time.
            if late && *round != Round::Escrow {
                return Err(untrusted("opening"));
            }
        }
        let document_revision =
            lot.document_revision.ok_or_else(|| ClientError::Untrusted("the lot has no document revision".into()))?;
        let (tender, lot_id, bidder) = (ident(&lot.project_id)?, ident(&lot.id)?, ident(bidder)?);
        let mut sealer = Self { document_revision, tender, shared, envelopes, own: Vec::new(), lot_id, bidder, lot };
        if mode.needs_bidder() {
            let opens = opens.ok_or_else(|| untrusted("opening"))?;
            let opens = UtcMillis::parse(opens.to_string(), "opens_not_before");
            let opens = opens.map_err(|error| ClientError::Seal(error.to_string()))?;
            let made = |round: &Round| Ok((*round, Arc::new(sealer.new_own(*round, &opens)?)));
            sealer.own = envelopes.rounds().iter().map(made).collect::<Result<_>>()?;
        }
        Ok(sealer)
    }

    /// A one-time key of the bidder for a round of this lot.
    fn new_own(&self, round: Round, opens: &UtcMillis) -> Result<KeyShare> {
        let subject = KeySetSubject {
            tender: self.tender.clone(),
            group: ident(&round.group(self.lot_id.as_str()))?,
            opens_not_before: opens.clone(),
            profile: Profile::Strict,
        };
        KeyShare::generate(KeySetKind::Bidder, subject).map_err(|error| ClientError::Seal(error.to_string()))
    }

    /// The same with keys of the bidder that were made before, each in the place of the one for its round.
    pub fn with_own(mut self, kept: Vec<KeyShare>) -> Self {
        for key in kept {
            if let Some((_, made)) = self.own.iter_mut().find(|(_, made)| made.key_set().group == key.key_set().group) {
                *made = Arc::new(key);
            }
        }
        self
    }

    /// The bidder's own key for a round, where the lot's key mode asks for one. Without it what opens in that round does not open.
    pub fn own(&self, round: Round) -> Option<&KeyShare> {
        self.own.iter().find(|(of, _)| *of == round).map(|(_, own)| own.as_ref())
    }

    /// All of the bidder's own keys, in the order of their rounds.
    pub fn own_keys(&self) -> impl Iterator<Item = &KeyShare> {
        self.own.iter().map(|(_, own)| own.as_ref())
    }

    /// The bidder's own key sets, signed, as a submission carries them.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn own_keys_json(&self, key: &SigningKey) -> Result<Vec<Value>> {
        let failed = |error: &dyn std::fmt::Display| ClientError::Seal(error.to_string());
        let signed = |own: &KeyShare| {
            let signed = own.key_set().sign(key).map_err(|error| failed(&error))?;
            serde_json::from_str(&signed.jws().to_json()).map_err(|error| failed(&error))
        };
        self.own_keys().map(signed).collect()
    }

    /// The bidder's partial decryptions of what opens in a round.
    ///
    /// # Errors
    /// When there is no own key, an envelope is not sealed to it, or the system gives no random numbers.
    pub fn own_partials(&self, round: Round, envelopes: &[SignedEnvelope], key: &SigningKey) -> Result<SignedPartials> {
        own_partials(self.needed_own(round)?, envelopes, key).map_err(sealing)
    }

    fn needed_own(&self, round: Round) -> Result<&KeyShare> {
        self.own(round).ok_or_else(|| ClientError::Seal("the lot needs no key of the bidder".into()))
    }

    /// The same for another bidder, with keys of that bidder where they are needed.
    ///
    /// # Errors
    /// When the name is none, or the system gives no random numbers.
    pub fn of(&self, bidder: &str) -> Result<Self> {
        let anew = |(round, own): &(Round, Arc<KeyShare>)| {
            Ok((*round, Arc::new(self.new_own(*round, &own.key_set().opens_not_before)?)))
        };
        let own = self.own.iter().map(anew).collect::<Result<_>>()?;
        Ok(Self { bidder: ident(bidder)?, own, ..self.clone() })
    }

    /// What it seals to, slot by slot.
    pub fn key_sets(&self, part: Part) -> Vec<&KeySet> {
        let round = match part {
            Part::Escrow => Round::Escrow,
            Part::Price | Part::Documents | Part::Reserve => self.envelopes.round_of(part.is_priced()),
        };
        let shared = self.shared.iter().filter(|(of, _)| *of == round).map(|(_, set)| set);
        shared.chain(self.own(round).map(KeyShare::key_set)).collect()
    }

    /// Whether a bid of the lot deposits its bidder's own key: then it has a part `escrow`.
    pub fn needs_escrow(&self) -> bool {
        self.shared.iter().any(|(round, _)| *round == Round::Escrow)
    }

    /// Seals the bidder's own key to the custodians of the lot's escrow; returns the ciphertext with what opens it.
    ///
    /// # Errors
    /// When the lot has no own keys or no escrow.
    pub fn seal_escrow(&self) -> Result<(SealedPayload, Vec<u8>)> {
        let own = self.needed_own(Round::First)?;
        let plain =
            escrow_part(self.binding(Part::Escrow), own).map_err(|error| ClientError::Seal(error.to_string()))?;
        let mut ciphertext = Vec::new();
        let slots = self.key_sets(Part::Escrow).len();
        let payload = seal_payload(plain.expose().as_slice(), &mut ciphertext, slots).map_err(sealing)?;
        Ok((payload, ciphertext))
    }

    /// The lot.
    pub fn lot(&self) -> &Lot {
        &self.lot
    }

    /// What the manifest of a part says.
    pub fn binding(&self, part: Part) -> Binding {
        Binding { tender: self.tender.clone(), lot: self.lot_id.clone(), bidder: self.bidder.clone(), part }
    }

    /// Seals a price, of a bid or the reserve; returns the ciphertext with what opens it.
    ///
    /// # Errors
    /// When the form of the amount is wrong.
    pub fn seal_price(&self, part: Part, bid: &BidJson) -> Result<(SealedPayload, Vec<u8>)> {
        let plain = bid_part(self.binding(part), bid).map_err(|error| ClientError::Seal(error.to_string()))?;
        let mut ciphertext = Vec::new();
        let payload = seal_payload(plain.as_slice(), &mut ciphertext, self.key_sets(part).len()).map_err(sealing)?;
        Ok((payload, ciphertext))
    }

    /// Seals documents into `out`, file by file; memory does not grow with their size.
    ///
    /// # Errors
    /// When a path is not allowed, a file changes meanwhile, or reading or writing fails.
    pub fn seal_documents<R: Read, W: Write>(
        &self,
        files: Vec<FileEntry>,
        open: impl FnMut(&FileEntry) -> io::Result<R>,
        out: W,
    ) -> Result<SealedPayload> {
        let manifest = Manifest::new(self.binding(Part::Documents), files)
            .map_err(|error| ClientError::Seal(error.to_string()))?;
        let mut writer = SealingWriter::new(out, self.key_sets(Part::Documents).len()).map_err(sealing)?;
        write_part(&mut writer, &manifest, open).map_err(|error| ClientError::Seal(error.to_string()))?;
        Ok(writer.finish().map_err(sealing)?.0)
    }

    /// Makes the signed header over a sealed payload. `created` is this machine's clock, and only a statement.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn header(
        &self,
        key: &SigningKey,
        part: Part,
        payload: &SealedPayload,
        rev: u32,
        created: Timestamp,
    ) -> Result<SignedEnvelope> {
        let subject = Subject {
            lot: self.lot_id.clone(),
            part,
            bidder: self.bidder.clone(),
            rev,
            doc_rev: self.document_revision,
            created: UtcMillis::parse(created.to_string(), "created")
                .map_err(|error| ClientError::Seal(error.to_string()))?,
        };
        seal_header(&subject, payload, &self.key_sets(part), key).map_err(sealing)
    }

    /// Uploads a sealed payload, or what is missing of it.
    ///
    /// # Errors
    /// See [`ClientError`]; call it again with the same key to go on.
    pub fn upload(
        &self,
        client: &Client,
        part: Part,
        payload: &SealedPayload,
        source: &mut dyn Source,
        key: &str,
        progress: &dyn Fn(u64),
    ) -> Result<String> {
        let purpose = if part == Part::Reserve { "reserve" } else { "bid" };
        let what = UploadFor { lot: &self.lot.id, purpose, size_bytes: payload.size_bytes, root: &payload.root, key };
        client.upload(&what, source, progress)
    }
}

/// A key set that the platform signed.
///
/// # Errors
/// [`ClientError::Untrusted`].
pub fn signed_key_set(value: &Value, platform: &VerifyingKey) -> Result<KeySet> {
    let signed = SignedKeySet::parse(value.to_string().as_bytes())
        .map_err(|error| ClientError::Untrusted(format!("key set: {}", error.reason())))?;
    let key_set = signed.verify(platform).map_err(|error| {
        ClientError::Untrusted(format!("the key set is not signed by the platform's key: {}", error.reason()))
    })?;
    Ok(key_set.clone())
}

/// An envelope as JSON, for a request.
///
/// # Errors
/// None in practice: an envelope is plain data.
pub fn envelope_json(envelope: &SignedEnvelope) -> Result<Value> {
    serde_json::from_str(&envelope.jws().to_json()).map_err(|error| ClientError::Seal(error.to_string()))
}

/// Checks that the platform whose verifier key this is promises to have recorded exactly these envelopes.
///
/// # Errors
/// [`ClientError::Untrusted`].
pub fn check_receipt(receipt: &Value, verifier: &str, envelopes: &[Value]) -> Result<()> {
    let untrusted = |why: String| ClientError::Untrusted(format!("receipt: {why}"));
    let receipt: Receipt = serde_json::from_value(receipt.clone()).map_err(|error| untrusted(error.to_string()))?;
    receipt.check(verifier).map_err(|error| untrusted(error.to_string()))?;
    let recorded: Value = serde_json::from_slice(&receipt.opening.p).map_err(|error| untrusted(error.to_string()))?;
    let named = recorded["data"]["envelope_ids"].as_array().cloned().unwrap_or_default();
    for envelope in envelopes {
        let id = SignedEnvelope::from_value(envelope)
            .map_err(|error| ClientError::Seal(error.to_string()))?
            .id()
            .to_string();
        if !named.iter().any(|name| name.as_str() == Some(&id)) {
            return Err(untrusted(format!("it does not name the envelope {id}")));
        }
    }
    Ok(())
}

fn ident(text: &str) -> Result<Ident> {
    Ident::parse(text, "id").map_err(|error| ClientError::Answer(error.to_string()))
}

fn sealing(error: SealError) -> ClientError {
    ClientError::Seal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::wire::{Schedule, Terms};
    use crate::kernel::digest::sha256;

    fn key_set(tender: &str, group: &str, opens: &str) -> KeySet {
        let ident = |text: &str| Ident::parse(text, "id").expect("an id");
        let subject = KeySetSubject {
            tender: ident(tender),
            group: ident(group),
            opens_not_before: UtcMillis::parse(opens, "opens").expect("a time"),
            profile: Profile::Strict,
        };
        KeyShare::generate(KeySetKind::Platform, subject).expect("random numbers").key_set().clone()
    }

    fn lot() -> Lot {
        let at = Timestamp::parse("2026-12-24T01:00:00.000Z").expect("a time");
        Lot {
            id: "lot-1".into(),
            project_id: "prj-1".into(),
            title: "Bridge".into(),
            state: "noticed".into(),
            schedule: Schedule { deadline_at: Some(at), opens_at: Some(at), ..Schedule::default() },
            document_revision: Some(sha256(b"documents")),
            received_bids: None,
            publicity_ends_at: None,
            result_notice_ends_at: None,
            award: None,
            cause: None,
            terms: Terms {
                envelopes: Envelopes::One,
                key_mode: KeyMode::Platform,
                escrow: Escrow::None,
                decryption_minutes: 30,
            },
        }
    }

    fn sealer((envelopes, shared): (Envelopes, Vec<(Round, KeySet)>)) -> Result<Sealer> {
        let scheme = Scheme { mode: KeyMode::Platform, envelopes, escrow: Escrow::None };
        Sealer::new(lot(), scheme, shared, "org-1")
    }

    #[test]
    fn nothing_is_sealed_to_a_key_set_of_something_else() {
        let opens = "2026-12-24T01:00:00.000Z";
        let one = |set: KeySet| (Envelopes::One, vec![(Round::First, set)]);
        let two = |first: &str, second: &str| {
            let set = |group: &str| key_set("prj-1", group, opens);
            (Envelopes::Two, vec![(Round::First, set(first)), (Round::Second, set(second))])
        };
        for right in [one(key_set("prj-1", "lot-1", opens)), two("lot-1", "lot-1-price")] {
            assert!(sealer(right).is_ok());
        }
        let swapped = [two("lot-1", "lot-1"), two("lot-1-price", "lot-1")].into_iter();
        let strange = [
            key_set("prj-2", "lot-1", opens),
            key_set("prj-1", "lot-2", opens),
            key_set("prj-1", "lot-1", "2026-12-24T01:00:00.001Z"),
        ];
        for wrong in strange.into_iter().map(one).chain(swapped) {
            assert!(matches!(sealer(wrong), Err(ClientError::Untrusted(_))));
        }
    }

    #[test]
    fn a_sealed_price_and_documents_make_headers_that_their_receiver_accepts() {
        let set = key_set("prj-1", "lot-1", "2026-12-24T01:00:00.000Z");
        let sealer = sealer((Envelopes::One, vec![(Round::First, set)]));
        let sealer = sealer.expect("fits");
        let key = SigningKey::generate(crate::seal::keys::Algorithm::EdDsa).expect("random numbers");
        let bid = BidJson { amount: "1250000.00".into(), currency: "CNY".into(), validity_days: None, note: None };
        let (price, ciphertext) = sealer.seal_price(Part::Price, &bid).expect("sealed");
        assert_eq!(ciphertext.len() as u64, price.size_bytes);
        assert!(!ciphertext.windows(7).any(|bytes| bytes == b"1250000"));
        let files = vec![crate::seal::part_writer::describe("bid/method.txt", &b"method"[..]).expect("described")];
        let mut out = Vec::new();
        let documents = sealer.seal_documents(files, |_| Ok(&b"method"[..]), &mut out).expect("sealed");
        assert_eq!(out.len() as u64, documents.size_bytes);
        let now = Timestamp::from_millis(0);
        for (part, payload) in [(Part::Price, &price), (Part::Documents, &documents), (Part::Price, &price)] {
            let envelope = sealer.header(&key, part, payload, 2, now).expect("a header");
            envelope.verify_signature(key.verifying_key()).expect("its signature");
        }
    }
}
