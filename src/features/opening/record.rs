//! The record of an opening: what was read out, in a form that outsiders can check.
//!
//! Invariant: it is made only from a session that was read out; nobody builds one before.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{FileLine, Opening, ShareText, UnsealingBody, UnsealingRow, parse};
use super::objections::{ObjectionView, objection_view};
use super::queries::{self, Boxed, Named};
use super::view::{SessionView, session_view};
use crate::db::Conn;
use crate::features::bids::model::{BID, RESERVE};
use crate::features::key_sets::groups;
use crate::features::lots::model::Lot;
use crate::kernel::digest::Digest;
use crate::kernel::id::ProjectId;
use crate::kernel::money::Money;
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};
use crate::rules::bid::BidState;
use crate::rules::editions::{Category, PriceBound};
use crate::rules::envelopes::Round;
use crate::rules::machine::State;
use crate::rules::objection::ObjectionKind;
use crate::rules::opening::UndecryptedCause;
use crate::seal::envelope::Part;

/// An organisation in a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Party {
    /// Its name.
    pub name: String,
    /// Its identifier.
    pub identifier: OrgIdentifier,
}

/// One part of a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedPart {
    /// `price`, `documents`, `reserve` or `escrow`.
    pub part: String,
    /// The envelope's id: SHA-256 of its signed content.
    pub envelope_id: String,
    /// How its opening ended.
    pub outcome: String,
    /// Why it did not open, as a stable reason.
    pub reason: Option<String>,
    /// The same for people.
    pub detail: Option<String>,
    /// The shares with their proofs, by slot and member.
    pub shares: Vec<ShareText>,
    /// How many files it has.
    pub file_count: u32,
    /// The files; of a very long list the first.
    pub files: Vec<FileLine>,
}

/// A bid that was in the box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedBid {
    /// The bid.
    pub bid_id: String,
    /// Its bidder.
    pub bidder: Party,
    /// `opened`, `undecrypted_revoked` or `undecrypted_withdrawn`.
    pub outcome: BidState,
    /// The same for people.
    pub outcome_title: Bilingual,
    /// The price that was read out.
    pub price: Option<Money>,
    /// How many days it stays valid, where it says so.
    pub validity_days: Option<u32>,
    /// Its remark.
    pub note: Option<String>,
    /// Its revision.
    pub rev: u32,
    /// The revision of the documents that it was sealed against.
    #[schema(value_type = String)]
    pub document_revision: Digest,
    /// Whether that is the last revision.
    pub is_current_revision: bool,
    /// When the contents that count were received.
    pub received_at: Timestamp,
    /// The same in China.
    pub received_at_local: String,
    /// Through whose fault it could not be opened.
    pub cause: Option<UndecryptedCause>,
    /// Why that is so.
    pub cause_reason: Option<String>,
    /// Its bidder did not decrypt, and custodians opened the key that it had deposited (EB-06).
    #[serde(default)]
    pub by_escrow: bool,
    /// Its parts.
    pub parts: Vec<RecordedPart>,
}

/// The record of an opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpeningRecord {
    /// The session.
    pub session: SessionView,
    /// The project.
    pub project_id: ProjectId,
    /// The lot's title.
    pub title: String,
    /// What is traded.
    pub category: Category,
    /// The edition of the rules.
    pub edition: String,
    /// The initiator.
    pub initiator: Party,
    /// The revision of the documents in force at the deadline.
    #[schema(value_type = Option<String>)]
    pub document_revision: Option<Digest>,
    /// Every bid of the box, in the order of receipt.
    pub bids: Vec<RecordedBid>,
    /// Who withdrew a bid before the deadline.
    pub withdrawn: Vec<Party>,
    /// The reserve price, to whom it may be shown.
    pub reserve: Option<RecordedBid>,
    /// Objections raised in the session, with their answers.
    pub objections: Vec<ObjectionView>,
    /// Who confirmed the record.
    pub confirmed_by: Option<Party>,
    /// How to check the shares.
    pub how_to_check: Bilingual,
}

fn how_to_check() -> Bilingual {
    Bilingual::new(
        "D = xR,x 为密钥组成员 i 的私钥份额,R 为信封临时公钥 enc;proof 为 RFC 9497 的 DLEQ 证明(P-256,SHA-256),上下文串为 \
         \"sealbid/1 dleq|\" + kid + \"|\" + i + \"|\" + hex(SHA-256(信封编号的32字节 + 槽位字节))。各成员公钥见 /v1/lots/{lot}/key-set 的 shares。\
         用 sealbid verify opening 可离线核验整个开标。",
        "D = xR, where x is the share of member i of the key set and R the envelope's ephemeral key enc; proof is the DLEQ proof of \
         RFC 9497 (P-256, SHA-256) under the context string \"sealbid/1 dleq|\" + kid + \"|\" + i + \"|\" + hex(SHA-256(the envelope \
         id's 32 bytes + the slot as a byte)). The members' public keys are `shares` in /v1/lots/{lot}/key-set. `sealbid verify \
         opening` checks a whole opening offline.",
    )
}

/// Whether everybody may see the reserve price: where it only bounds prices from the read-out on, where it stands for
/// what the initiator would not go below only once there is a deal.
pub fn is_reserve_public(lot: &Lot) -> bool {
    let deal = matches!(lot.state, State::Awarded | State::Published | State::Concluded);
    lot.edition.bound != PriceBound::SealedReserve || deal
}

/// Makes the record of a session that was read out; with the reserve price, if the reader may see it.
///
/// # Errors
/// The database's; internal when nothing was read out.
pub fn build(conn: &mut Conn, lot: &Lot, session: &Opening, with_reserve: bool) -> Result<OpeningRecord> {
    let envelopes = lot.body.terms.envelopes;
    let rounds = envelopes.rounds().iter().copied().filter(|round| *round <= session.round);
    let rounds: Vec<Round> = rounds.chain([Round::Escrow]).collect();
    let parts = groups::names(envelopes, &rounds);
    if session.body.read_out_at.is_none() {
        return Err(Error::internal("a record of a box that was not read out"));
    }
    let boxed = queries::boxed(conn, &lot.row.id)?;
    let objections = queries::objections(conn, &lot.row.id, ObjectionKind::Opening)?;
    let mut orgs: Vec<String> = boxed.iter().map(|bid| bid.org_id.clone()).collect();
    orgs.push(lot.row.org_id.clone());
    orgs.extend(session.body.confirmed_by.iter().map(|by| by.org_id.to_string()));
    orgs.sort_unstable();
    orgs.dedup();
    let source = Source {
        names: queries::names(conn, &orgs)?,
        parts: grouped(queries::outcomes(conn, &lot.row.id, &parts)?)?,
        current: lot.body.document_revision,
    };
    let mut record = OpeningRecord {
        session: session_view(lot, Some(session)),
        project_id: lot.project.clone(),
        title: lot.row.title.clone(),
        category: lot.edition.category,
        edition: lot.row.edition.clone(),
        initiator: source.party(&lot.row.org_id)?,
        document_revision: lot.body.document_revision,
        bids: Vec::new(),
        withdrawn: Vec::new(),
        reserve: None,
        objections: objections.iter().map(|row| objection_view(row, &source.names)).collect::<Result<_>>()?,
        confirmed_by: session.body.confirmed_by.as_ref().map(|by| source.party(by.org_id.as_str())).transpose()?,
        how_to_check: how_to_check(),
    };
    for bid in &boxed {
        match bid.kind.as_str() {
            BID if bid.state == BidState::Withdrawn.name() => record.withdrawn.push(source.party(&bid.org_id)?),
            BID => record.bids.push(source.bid(bid)?),
            RESERVE if with_reserve && parts.contains(&RESERVE) => record.reserve = Some(source.bid(bid)?),
            _ => {}
        }
    }
    Ok(record)
}

/// What records are made from, looked up once for all bids.
struct Source {
    names: HashMap<String, Named>,
    parts: HashMap<String, Vec<(UnsealingRow, UnsealingBody)>>,
    current: Option<Digest>,
}

fn grouped(rows: Vec<UnsealingRow>) -> Result<HashMap<String, Vec<(UnsealingRow, UnsealingBody)>>> {
    let mut parts: HashMap<String, Vec<_>> = HashMap::new();
    for row in rows {
        let body = parse(&row.id, &row.body)?;
        parts.entry(row.bid_id.clone()).or_default().push((row, body));
    }
    Ok(parts)
}

impl Source {
    fn party(&self, org_id: &str) -> Result<Party> {
        let named =
            self.names.get(org_id).ok_or_else(|| Error::damaged(format!("organisation {org_id} is missing")))?;
        Ok(Party { name: named.name.clone(), identifier: named.identifier.clone() })
    }

    fn bid(&self, boxed: &Boxed) -> Result<RecordedBid> {
        let damaged = |what: &str| Error::damaged(format!("bid {}: {what}", boxed.id));
        let outcome = BidState::parse(&boxed.state).ok_or_else(|| damaged("state"))?;
        let parts = self.parts.get(&boxed.id).ok_or_else(|| damaged("no outcome"))?;
        let (_, first) = parts.first().ok_or_else(|| damaged("no outcome"))?;
        let priced = parts.iter().map(|(_, body)| body).find(|body| body.price.is_some());
        let attribution = parts.iter().find_map(|(_, body)| body.attribution.clone());
        let received_at = Timestamp::from_millis(boxed.received_at);
        // A bid of which a part failed is not read out in parts: its price counts for nothing.
        let read = priced.filter(|_| outcome == BidState::Opened);
        Ok(RecordedBid {
            bid_id: boxed.id.clone(),
            bidder: self.party(&boxed.org_id)?,
            outcome,
            outcome_title: outcome.title().into(),
            price: read.and_then(|body| body.price),
            validity_days: read.and_then(|body| body.validity_days),
            note: read.and_then(|body| body.note.clone()),
            rev: first.rev,
            document_revision: first.document_revision,
            is_current_revision: self.current == Some(first.document_revision),
            received_at,
            received_at_local: received_at.local(),
            cause: attribution.as_ref().map(|said| said.cause),
            cause_reason: attribution.map(|said| said.reason),
            by_escrow: parts.iter().any(|(row, _)| row.part == Part::Escrow.name() && row.is_opened()),
            parts: parts.iter().map(|(row, body)| self.part(row, body)).collect(),
        })
    }

    fn part(&self, row: &UnsealingRow, body: &UnsealingBody) -> RecordedPart {
        RecordedPart {
            part: row.part.clone(),
            envelope_id: row.envelope_id.clone(),
            outcome: row.state.clone(),
            reason: body.failed.as_ref().map(|failed| failed.reason.clone()),
            detail: body.failed.as_ref().map(|failed| failed.detail.clone()),
            shares: body.shares.clone(),
            file_count: body.file_count,
            files: body.files.clone(),
        }
    }
}
