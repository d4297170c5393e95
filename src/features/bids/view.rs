//! What the owner of a bid sees: what the record says of its acts, with the platform's signature.
//!
//! Promise: an answer says what part `p` of the entry says and nothing else, so that the first answer, its repetition
//! and every later reading agree, and each can be checked against the signed receipt in it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Bid, Recorded};
use super::refused::Turned;
use crate::app::App;
use crate::features::uploads::model::ChunkRange;
use crate::kernel::digest::Digest;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Failure, Result};
use crate::limits;
use crate::log;
use crate::seal::keys::SigningKey;
use crate::tlog::note;
use crate::tlog::receipt::{RECEIPT_VERSION, Receipt, promise_text_by};

/// What part `p` of an entry says.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    /// Kind of the entry.
    pub kind: String,
    /// The subject's id.
    pub stream: String,
    /// The subject's version.
    pub rev: i64,
    /// The state that followed.
    pub to: Option<String>,
    /// The lot.
    pub lot: Option<String>,
    /// The facts of the kind.
    #[serde(default)]
    pub data: SaidData,
}

/// The public facts of entries about bids.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SaidData {
    /// Revision of the header.
    pub rev: Option<u32>,
    /// Envelopes.
    pub envelope_ids: Vec<Digest>,
    /// The statement of a withdrawal.
    pub statement: Option<Digest>,
    /// Ciphertext bytes.
    pub size_bytes: Option<u64>,
    /// When the last byte was in.
    pub received_at: Option<Timestamp>,
    /// The deadline in force then.
    pub deadline_at: Option<Timestamp>,
    /// The revision of the documents.
    pub document_revision: Option<Digest>,
    /// The code of a refusal.
    pub code: Option<String>,
    /// The server that received it.
    pub instance: Option<String>,
    /// How far ahead its clock was.
    pub clock_offset_ms: Option<i64>,
}

/// Reads part `p`.
///
/// # Errors
/// When what is stored cannot be read.
pub fn said(recorded: &Recorded) -> Result<Said> {
    serde_json::from_slice(&recorded.opening.p)
        .map_err(|error| Error::damaged(format!("entry {}: {error}", recorded.entry_id)))
}

/// An act on record, with its signed receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActView {
    /// The entry.
    pub entry_id: String,
    /// What happened: `bid.submitted`, `bid.replaced`, `bid.confirmed`, `bid.withdrawn`, `bid.refused`, `reserve.sealed`.
    pub kind: String,
    /// The lot.
    pub lot_id: Option<String>,
    /// The bid; absent in a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_id: Option<String>,
    /// The refusal, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_id: Option<String>,
    /// Its version after the act.
    pub version: i64,
    /// The revision that the header named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<u32>,
    /// The state after the act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The code of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The envelopes' ids, hex.
    #[schema(value_type = Vec<String>)]
    pub envelope_ids: Vec<Digest>,
    /// The id of a withdrawal's statement, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub statement: Option<Digest>,
    /// Ciphertext bytes of all parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// When its last byte was in, by the platform's clock: this is what counts.
    pub received_at: Option<Timestamp>,
    /// The same instant in China.
    pub received_at_local: Option<String>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The deadline then in force.
    pub deadline_at: Option<Timestamp>,
    /// The same instant in China.
    pub deadline_at_local: Option<String>,
    /// The revision of the documents that the header named, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub document_revision: Option<Digest>,
    /// The server that received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// How far that server's clock was ahead of the one that all servers share, in milliseconds; behind: less than 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ms: Option<i64>,
    /// Keep this: it proves the act without the platform.
    pub receipt: Receipt,
}

/// A refusal on record, as its owner reads it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusalView {
    /// What the rule said.
    pub refusal: Turned,
    /// The act and its receipt.
    pub act: ActView,
}

/// One part of the bid in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartView {
    /// `price`, `documents` or `escrow`.
    pub part: String,
    /// The envelope's id, hex.
    #[schema(value_type = String)]
    pub envelope_id: Digest,
    /// Ciphertext bytes.
    pub size_bytes: u64,
}

/// A part of the bid in force whose ciphertext has to be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DamagedPart {
    /// `price`, `documents` or `escrow`.
    pub part: String,
    /// Under which upload.
    pub upload_id: String,
    /// The leaf hashes first: `PUT /v1/uploads/{upload}/leaves`. Which chunks are needed is told then.
    pub leaves: bool,
    /// These chunks: `PUT /v1/uploads/{upload}/chunks/{n}`.
    pub chunks: Vec<ChunkRange>,
}

/// An organisation's own bid on a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyBid {
    /// The lot.
    pub lot_id: String,
    /// The bid; null where there are refusals only.
    pub bid_id: Option<String>,
    /// Version.
    pub version: Option<i64>,
    /// State.
    pub state: Option<String>,
    /// The revision that the last header named: the next one needs a higher one.
    pub rev: Option<i64>,
    /// When the contents in force were received.
    pub received_at: Option<Timestamp>,
    /// The revision of the documents that the header in force names, hex.
    #[schema(value_type = Option<String>)]
    pub document_revision: Option<Digest>,
    /// The revision of the documents in force, hex.
    #[schema(value_type = Option<String>)]
    pub current_document_revision: Option<Digest>,
    /// The documents changed since: the bid stays valid; a new header over the same payload confirms it.
    pub needs_confirmation: bool,
    /// The parts in force.
    pub parts: Vec<PartView>,
    /// Parts of which the platform's copy was damaged: send them again, exactly as they were, while the opening has not
    /// decided about them. The bid itself stands.
    pub needs_restoration: Vec<DamagedPart>,
    /// Every version, oldest first.
    pub versions: Vec<ActView>,
    /// What was refused, oldest first.
    pub refusals: Vec<RefusalView>,
}

/// The parts in force.
pub fn parts(bid: &Bid) -> Vec<PartView> {
    let view = |part: &super::model::SealedPart| PartView {
        part: part.part.clone(),
        envelope_id: part.envelope_id,
        size_bytes: part.size_bytes,
    };
    bid.body.parts.iter().map(view).collect()
}

/// The platform's signature under receipts.
pub struct Signer<'a> {
    key: &'a SigningKey,
    origin: &'a str,
    /// Who watches that promises are kept, and what time it is.
    watch: Option<(&'a dyn log::signer::Signer, Timestamp)>,
}

impl<'a> Signer<'a> {
    /// The signer of a running platform.
    pub fn of(app: &'a App) -> Self {
        let watch = Some((app.log.signer(), app.clock.now()));
        Self { key: &app.keys.promise, origin: app.origin(), watch }
    }

    /// Tells the log's signer what is promised, as long as it may not be kept yet: no promise is given that nobody watches.
    fn remember(&self, commitment: &Digest, at: Timestamp) -> Result<()> {
        match self.watch {
            Some((signer, now)) if now.millis() - at.millis() < limits::PROMISE_MS => signer
                .promised(&[*commitment])
                .map_err(|error| Error::Failed(Failure::Storage(format!("the log's signer: {error}")))),
            _ => Ok(()),
        }
    }

    /// The receipt of an entry: the same bytes each time.
    ///
    /// # Errors
    /// When the log's signer cannot remember the promise.
    pub fn receipt(&self, recorded: &Recorded) -> Result<Receipt> {
        let c = recorded.opening.commitment();
        self.remember(&c, recorded.at)?;
        let by = recorded.at.plus_millis(limits::PROMISE_MS);
        let text = promise_text_by(self.origin, &c, recorded.at, by);
        let signature = self.key.sign(text.as_bytes()).map_err(|_| Error::internal("no random numbers"))?;
        let name = format!("{}/promise", self.origin);
        let promise = note::sign(&text, &name, &self.key.verifying_key().to_bytes(), |_| signature);
        Ok(Receipt {
            v: RECEIPT_VERSION,
            entry_id: recorded.entry_id.clone(),
            opening: recorded.opening.clone(),
            c,
            promise,
        })
    }

    /// An act as its owner sees it.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn act(&self, recorded: &Recorded) -> Result<ActView> {
        let said = said(recorded)?;
        let refused = said.kind == "bid.refused";
        let data = said.data;
        Ok(ActView {
            entry_id: recorded.entry_id.clone(),
            kind: said.kind,
            lot_id: said.lot,
            bid_id: (!refused).then(|| said.stream.clone()),
            refusal_id: refused.then_some(said.stream),
            version: said.rev,
            rev: data.rev,
            state: said.to,
            code: data.code,
            envelope_ids: data.envelope_ids,
            statement: data.statement,
            size_bytes: data.size_bytes,
            received_at: data.received_at,
            received_at_local: data.received_at.map(Timestamp::local),
            recorded_at: recorded.at,
            deadline_at: data.deadline_at,
            deadline_at_local: data.deadline_at.map(Timestamp::local),
            document_revision: data.document_revision,
            instance: data.instance,
            clock_offset_ms: data.clock_offset_ms,
            receipt: self.receipt(recorded)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;
    use crate::seal::keys::Algorithm;
    use crate::tlog::receipt::Opening;

    fn recorded(p: &str) -> Recorded {
        let opening = Opening { s_p: [1; 32], p: p.as_bytes().to_vec(), h_c: sha256(b"c"), h_i: sha256(b"i") };
        Recorded { entry_id: "ent-1".into(), at: Timestamp::from_millis(1_763_784_000_123), opening }
    }

    #[test]
    fn an_act_shows_what_the_record_says_and_its_receipt_verifies() {
        let key = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
        let signer = Signer { key: &key, origin: "centre.example", watch: None };
        let p = r#"{"data":{"deadline_at":"2026-11-22T02:00:00.000Z","envelope_ids":[],"received_at":"2026-11-22T01:30:00.000Z","rev":2,"size_bytes":1040},"kind":"bid.replaced","lot":"lot-1","rev":3,"stream":"bid-1","to":"submitted"}"#;
        let act = signer.act(&recorded(p)).expect("readable");
        assert_eq!(
            (act.bid_id.as_deref(), act.version, act.rev, act.size_bytes),
            (Some("bid-1"), 3, Some(2), Some(1040))
        );
        assert_eq!(act.received_at_local.as_deref(), Some("2026-11-22T09:30:00.000+08:00"));
        assert_eq!(act, signer.act(&recorded(p)).expect("readable"), "signed again, the same bytes");
        let verifier = note::verifier_key("centre.example/promise", &key.verifying_key().to_bytes());
        assert_eq!(act.receipt.check(&verifier).expect("valid").at, act.recorded_at);
    }

    #[test]
    fn a_refusal_names_its_code_and_no_bid() {
        let key = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
        let p = r#"{"data":{"code":"bid-late","envelope_ids":[],"event":"submit","rule":"ENG-14"},"kind":"bid.refused","lot":"lot-1","rev":1,"stream":"rfl-1"}"#;
        let act = Signer { key: &key, origin: "centre.example", watch: None }.act(&recorded(p)).expect("readable");
        assert_eq!(
            (act.bid_id, act.refusal_id.as_deref(), act.code.as_deref()),
            (None, Some("rfl-1"), Some("bid-late"))
        );
    }
}
