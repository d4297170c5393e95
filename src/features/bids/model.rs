//! Bids, envelopes and refusals as stored.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::refused::Turned;
use crate::db::schema::{bid_envelopes, bidder_keys, bids, refusals};
use crate::kernel::digest::Digest;
use crate::kernel::encoding;
use crate::kernel::id::OrgId;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::{Entry, EntryRow};
use crate::ledger::{Error, Result};
use crate::rules::bid::BidState;
use crate::seal::envelope::SignedEnvelope;
use crate::seal::stream::SALT_LEN;
use crate::tlog::receipt::Opening;

/// The kind of a bidder's bid.
pub const BID: &str = "bid";
/// The kind of the initiator's reserve price.
pub const RESERVE: &str = "reserve";

/// A row of `bids`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = bids, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct BidRow {
    /// The bid.
    pub id: String,
    /// Version.
    pub version: i64,
    /// A state of the bid's machine.
    pub state: String,
    /// `bid`, or `reserve` for the initiator's reserve price.
    pub kind: String,
    /// Its lot.
    pub lot_id: String,
    /// The bidder; the initiator for a reserve price.
    pub org_id: String,
    /// The revision that the header in force names.
    pub rev: i64,
    /// When the contents in force were received, epoch milliseconds: a confirmation does not move it.
    pub received_at: i64,
    /// [`BidBody`].
    pub body: String,
}

/// What else is stored of a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BidBody {
    /// The revision of the documents that the header in force names.
    pub document_revision: Digest,
    /// The version whose envelopes are in force.
    pub sealed_version: i64,
    /// Its parts.
    pub parts: Vec<SealedPart>,
    /// The signed statement, once it is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<String>,
}

/// One part of a bid and its payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedPart {
    /// `price`, `documents` or `reserve`.
    pub part: String,
    /// The envelope.
    pub envelope_id: Digest,
    /// The upload with the ciphertext.
    pub upload_id: String,
    /// The salt of the payload's keys.
    #[serde(with = "encoding::serde_base64url")]
    pub salt: [u8; SALT_LEN],
    /// The Merkle root over the ciphertext.
    pub root: Digest,
    /// Ciphertext bytes.
    pub size_bytes: u64,
}

impl SealedPart {
    /// The part that an envelope describes, with the upload that has its payload.
    pub fn of(envelope: &SignedEnvelope, upload_id: &str) -> Self {
        let ctx = envelope.ctx();
        Self {
            part: ctx.part.name().to_owned(),
            envelope_id: envelope.id(),
            upload_id: upload_id.to_owned(),
            salt: ctx.salt,
            root: ctx.root,
            size_bytes: ctx.ciphertext_len(),
        }
    }

    /// Whether an envelope is over this very payload.
    pub fn is_payload_of(&self, envelope: &SignedEnvelope) -> bool {
        let ctx = envelope.ctx();
        self.part == ctx.part.name()
            && self.salt == ctx.salt
            && self.root == ctx.root
            && self.size_bytes == ctx.ciphertext_len()
    }
}

/// A bid, read: its row with what the row's texts mean.
#[derive(Clone, Debug)]
pub struct Bid {
    /// The row.
    pub row: BidRow,
    /// The body.
    pub body: BidBody,
    /// The state.
    pub state: BidState,
    /// The bidder.
    pub org: OrgId,
}

impl Bid {
    /// Reads a row.
    ///
    /// # Errors
    /// When what is stored does not have the form it was written in.
    pub fn read(row: BidRow) -> Result<Self> {
        let damaged = |what: String| Error::damaged(format!("bid {}: {what}", row.id));
        Ok(Self {
            body: serde_json::from_str(&row.body).map_err(|error| damaged(error.to_string()))?,
            state: BidState::parse(&row.state).ok_or_else(|| damaged(format!("state {}", row.state)))?,
            org: OrgId::parse(&row.org_id).map_err(|error| damaged(error.to_string()))?,
            row,
        })
    }

    /// Whether these envelopes are over exactly the payloads in force.
    pub fn has_payloads_of(&self, envelopes: &[SignedEnvelope]) -> bool {
        self.body.parts.len() == envelopes.len()
            && envelopes.iter().all(|envelope| self.body.parts.iter().any(|part| part.is_payload_of(envelope)))
    }
}

/// A row of `bid_envelopes`: part of one version of a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = bid_envelopes, treat_none_as_default_value = false)]
pub struct EnvelopeRow {
    /// The bid.
    pub owner_id: String,
    /// The version of the bid that it came with.
    pub owner_version: i64,
    /// The envelope's id, hex.
    pub envelope_id: String,
    /// The lot.
    pub lot_id: String,
    /// Who sealed it.
    pub org_id: String,
    /// `price`, `documents` or `reserve`.
    pub part: String,
    /// The upload with the ciphertext.
    pub upload_id: String,
    /// The ephemeral key, base64url: never seen twice.
    pub enc: String,
    /// The signed header, as it came.
    pub header: String,
}

/// A row of `bidder_keys`: the bidder's own key set of one version of a bid, for one round of openings.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = bidder_keys)]
pub struct OwnKeyRow {
    /// The bid.
    pub owner_id: String,
    /// The version of the bid that it came with.
    pub owner_version: i64,
    /// Its id.
    pub kid: String,
    /// The signed key set.
    pub body: String,
    /// The round of openings that it is made for.
    pub round: i64,
}

/// A bid in the box, with the envelopes in force.
#[derive(Clone, Debug)]
pub struct BoxedBid {
    /// The bid; of kind `reserve` for the reserve price.
    pub bid: Bid,
    /// Its envelopes.
    pub envelopes: Vec<EnvelopeRow>,
}

/// A row of `refusals`: an act that was in order and that a rule refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = refusals, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct RefusalRow {
    /// The refusal.
    pub id: String,
    /// Version: more than one where the same header was refused again for another reason.
    pub version: i64,
    /// The lot.
    pub lot_id: String,
    /// Who was refused.
    pub org_id: String,
    /// The code of the refusal.
    pub code: String,
    /// What makes the act the same act: see [`super::refused::Attempt`].
    pub header_sha256: String,
    /// When its last byte was in, epoch milliseconds.
    pub received_at: i64,
    /// [`RefusalBody`].
    pub body: String,
}

/// What else is stored of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalBody {
    /// What the rule said.
    pub refusal: Turned,
    /// The signed objects, as they came: kept unopened.
    pub signed: Vec<String>,
}

/// An entry of the record as its own organisation may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The entry.
    pub entry_id: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// What opens part `p`.
    pub opening: Opening,
}

impl From<&Entry> for Recorded {
    fn from(entry: &Entry) -> Self {
        Self {
            entry_id: entry.entry_id.clone(),
            at: entry.at,
            opening: Opening {
                s_p: entry.salt,
                p: entry.public.clone().into_bytes(),
                h_c: entry.restricted_digest,
                h_i: entry.personal_digest,
            },
        }
    }
}

impl TryFrom<EntryRow> for Recorded {
    type Error = Error;

    fn try_from(row: EntryRow) -> Result<Self> {
        Ok(Self { at: Timestamp::from_millis(row.at_ms), opening: row.opening()?, entry_id: row.entry_id })
    }
}
