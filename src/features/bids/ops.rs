//! Use cases of bids.

use serde::{Deserialize, Serialize};

use super::judge::{self, Admitted, Verdict};
use super::model::{BID, Bid, BidBody, BidRow, EnvelopeRow, RESERVE, Recorded, SealedPart};
use super::refused::{Attempt, Turned, turn_away};
use super::submission::Submission;
use super::{changes, queries, refusals};
use crate::db::Conn;
use crate::features::accounts;
use crate::features::lots::model::Lot;
use crate::features::lots::queries as lots;
use crate::features::uploads;
use crate::features::uploads::model::UploadRow;
use crate::kernel::encoding::base64url;
use crate::kernel::id::{BidId, OrgId, gathering};
use crate::kernel::role::Actor;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::Entry;
use crate::ledger::{Error, Mail, Record, Result, Tx};
use crate::limits;
use crate::refusals as common;
use crate::rules::bid::{BidEvent, BidFacts, BidState, step_bid};
use crate::rules::envelopes::Round;
use crate::rules::refusal::Retry;
use crate::seal::withdrawal::SignedWithdrawal;

/// What an act led to, without signatures: these are made when it is answered, each time the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// It is on record.
    Accepted(Recorded),
    /// That a rule refused it is on record.
    Refused {
        /// The refusal's entry.
        recorded: Recorded,
        /// What the rule said.
        refusal: Turned,
    },
}

impl Done {
    /// Whether the same request gets the same answer ever after: not where time alone stood in the way.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Accepted(_) => true,
            Self::Refused { refusal, .. } => refusal.retry != Retry::SameRequest,
        }
    }
}

/// The kind under which an act of a bidder, or what follows from the opening, is on record.
pub fn kind(event: BidEvent) -> &'static str {
    match event {
        BidEvent::Submit => "bid.submitted",
        BidEvent::Replace => "bid.replaced",
        BidEvent::Confirm => "bid.confirmed",
        BidEvent::Withdraw => "bid.withdrawn",
        BidEvent::Open => "bid.opened",
        BidEvent::Qualify => "bid.qualified",
        BidEvent::DeemRevoked => "bid.deemed_revoked",
        BidEvent::DeemWithdrawn => "bid.deemed_withdrawn",
    }
}

/// A sealed record of something that concerns a bid.
fn record(kind: &'static str, lot: &Lot, org: &OrgId) -> Record {
    Record::new(kind).sealed().lot(lot.row.id.clone()).project(lot.row.project_id.clone()).org(org.as_str())
}

/// States which server received an act, and how far its clock was from the one that all servers share.
pub(super) fn by_server(tx: &Tx<'_>, record: Record) -> Record {
    match &tx.context().pass {
        Some(pass) => record.public("instance", pass.instance()).public("clock_offset_ms", pass.clock_offset_ms()),
        None => record,
    }
}

/// Puts a submission into the box, or on record that a rule refused it.
///
/// # Errors
/// As [`judge::judge`]; `rate-limited` when enough refusals are on record.
pub fn submit(tx: &mut Tx<'_>, actor: &Actor, org: &OrgId, sub: &Submission) -> Result<Done> {
    let received_at = tx.context().received_at;
    match judge::judge(tx.conn(), actor, org, received_at, sub)? {
        Verdict::Known(recorded) => Ok(Done::Accepted(recorded)),
        Verdict::Refused(lot, event, refusal) => {
            let (envelope_ids, signed) = (sub.envelope_ids(), sub.texts());
            let attempt = Attempt { event, header: &sub.header, envelope_ids: &envelope_ids, signed: &signed };
            turn_away(tx, org, &lot, &attempt, &refusal)
        }
        Verdict::Admitted(admitted) => {
            let Admitted { lot, before, event, state, uploads } = *admitted;
            // A confirmation says that the contents stand: they keep the moment at which they came.
            let since = match (&before, event) {
                (Some(bid), BidEvent::Confirm) => Timestamp::from_millis(bid.row.received_at),
                _ => received_at,
            };
            let put = Put { kind: BID, state, since, record: record(kind(event), &lot, org) };
            let (row, entry) = put_in_box(tx, &lot, org, before.as_ref(), sub, &uploads, put)?;
            if sub.notify {
                tell(tx, &lot, org, &row, &entry)?;
            }
            Ok(Done::Accepted(Recorded::from(&entry)))
        }
    }
}

/// How something is put into the box.
pub(super) struct Put {
    pub(super) kind: &'static str,
    pub(super) state: BidState,
    pub(super) since: Timestamp,
    pub(super) record: Record,
}

/// Writes the next version of a bid or of a reserve price with its envelopes and attaches their payloads.
pub(super) fn put_in_box(
    tx: &mut Tx<'_>,
    lot: &Lot,
    org: &OrgId,
    before: Option<&Bid>,
    sub: &Submission,
    uploads: &[UploadRow],
    put: Put,
) -> Result<(BidRow, Entry)> {
    let id = before.map_or_else(|| BidId::random().into_string(), |bid| bid.row.id.clone());
    let version = before.map_or(1, |bid| bid.row.version + 1);
    let parts =
        sub.envelopes.iter().zip(uploads).map(|(envelope, upload)| SealedPart::of(envelope, &upload.id)).collect();
    let body = BidBody { document_revision: sub.doc_rev, sealed_version: version, parts, withdrawal: None };
    let row = BidRow {
        id: id.clone(),
        version: 0,
        state: put.state.name().to_owned(),
        kind: put.kind.to_owned(),
        lot_id: lot.row.id.clone(),
        org_id: org.to_string(),
        rev: i64::from(sub.rev),
        received_at: put.since.millis(),
        body: text_of(&body)?,
    };
    let record = by_server(tx, put.record)
        .public("rev", sub.rev)
        .public("envelope_ids", sub.envelope_ids())
        .public("size_bytes", sub.size_bytes())
        .public("received_at", tx.context().received_at)
        .public("deadline_at", lot.deadline_at())
        .public("document_revision", sub.doc_rev);
    let (row, entry) = match before {
        None => tx.insert(row, record)?,
        Some(bid) => tx.update(&bid.row, row, record)?,
    };
    for own in &sub.own_keys {
        let round = Round::of_group(&lot.row.id, own.key_set().group.as_str());
        let stored = super::model::OwnKeyRow {
            owner_id: id.clone(),
            owner_version: row.version,
            kid: own.key_set().kid.to_string(),
            body: own.jws().to_json(),
            round: round.ok_or_else(|| Error::internal("a bidder's key for no round"))?.number(),
        };
        tx.beside(|conn| changes::store_own_key(conn, &stored))?;
    }
    for ((envelope, upload), enc) in sub.envelopes.iter().zip(uploads).zip(first_encs(sub)) {
        uploads::ops::attach_found(tx, upload, &id)?;
        let stored = EnvelopeRow {
            owner_id: id.clone(),
            owner_version: row.version,
            envelope_id: envelope.id().to_string(),
            lot_id: lot.row.id.clone(),
            org_id: org.to_string(),
            part: envelope.ctx().part.name().to_owned(),
            upload_id: upload.id.clone(),
            enc,
            header: envelope.jws().to_json(),
        };
        tx.beside(|conn| changes::store_envelope(conn, &stored))?;
    }
    Ok((row, entry))
}

/// The ephemeral key of each envelope's first slot.
fn first_encs(sub: &Submission) -> impl Iterator<Item = String> {
    sub.envelopes.iter().map(|envelope| base64url(&envelope.header().slots[0].enc.to_uncompressed()))
}

fn text_of(body: &BidBody) -> Result<String> {
    serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))
}

/// Takes a bid back, or puts on record that a rule refused it.
///
/// # Errors
/// 404 for somebody else's bid; `rate-limited` when enough refusals are on record.
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    org: &OrgId,
    bid_id: &str,
    statement: &SignedWithdrawal,
) -> Result<Done> {
    let bid = queries::own(tx.conn(), bid_id, org)?.ok_or_else(common::not_found)?;
    let signed = statement.jws().to_json();
    if let Some(recorded) = withdrawn_before(tx.conn(), &bid, statement)? {
        return Ok(Done::Accepted(recorded));
    }
    let lot = lots::lot(tx.conn(), &bid.row.lot_id)?;
    let received_at = tx.context().received_at;
    let facts = judge::facts(&lot, Some(&bid), accounts::queries::is_confirmed(tx.conn(), org)?, received_at)?;
    let id = statement.id();
    let state = match step_bid(lot.edition, &facts, BidEvent::Withdraw, actor) {
        Ok(state) => state,
        Err(refusal) => {
            let attempt = Attempt { event: BidEvent::Withdraw, header: &id, envelope_ids: &[], signed: &[signed] };
            return turn_away(tx, org, &lot, &attempt, &refusal);
        }
    };
    let body = BidBody { withdrawal: Some(signed.clone()), ..bid.body.clone() };
    let row = BidRow { state: state.name().to_owned(), body: text_of(&body)?, ..bid.row.clone() };
    let record = by_server(tx, record(kind(BidEvent::Withdraw), &lot, org))
        .public("rev", bid.row.rev)
        .public("statement", id)
        .public("received_at", received_at)
        .public("deadline_at", lot.deadline_at())
        .restricted("withdrawal", signed);
    let (_, entry) = tx.update(&bid.row, row, record)?;
    Ok(Done::Accepted(Recorded::from(&entry)))
}

/// Puts on record that a bidder reads a payload of its own bid.
///
/// # Errors
/// 404 for somebody else's bid, or a part it does not have; `rate-limited` beyond so many an hour.
pub fn read_payload(tx: &mut Tx<'_>, org: &OrgId, bid_id: &str, part: &str) -> Result<()> {
    let bid = queries::own(tx.conn(), bid_id, org)?.ok_or_else(common::not_found)?;
    let sealed = bid.body.parts.iter().find(|one| one.part == part).ok_or_else(common::not_found)?;
    let lot = lots::lot(tx.conn(), &bid.row.lot_id)?;
    let stream = gathering("prd", &[bid_id, part, &tx.now().hour().to_string()]);
    let record = record("payload.read", &lot, org)
        .public("part", part)
        .public("envelope_id", sealed.envelope_id)
        .restricted("bid", bid_id);
    tx.note_in(&stream, limits::PAYLOAD_READS, record)?.map(drop).ok_or_else(|| refusals::too_many_reads().into())
}

/// The entry that this very statement made before: repeated after a new submission it must not act again.
///
/// # Errors
/// The database's.
pub fn withdrawn_before(conn: &mut Conn, bid: &Bid, statement: &SignedWithdrawal) -> Result<Option<Recorded>> {
    let id = statement.id();
    for recorded in queries::history(conn, &bid.row.id)? {
        let said = super::view::said(&recorded)?;
        if said.kind == kind(BidEvent::Withdraw) && said.data.statement == Some(id) {
            return Ok(Some(recorded));
        }
    }
    Ok(None)
}

/// Carries out for a bid, or for the reserve price, what follows from the opening: `Open`, `DeemRevoked` or
/// `DeemWithdrawn`, as the system.
///
/// # Errors
/// The rules' refusal.
pub fn after_opening(tx: &mut Tx<'_>, lot: &Lot, bid: &Bid, event: BidEvent) -> Result<Bid> {
    let received_at = Timestamp::from_millis(bid.row.received_at);
    let confirmed = accounts::queries::is_confirmed(tx.conn(), &bid.org)?;
    let facts = judge::facts(lot, Some(bid), confirmed, received_at)?;
    let facts = BidFacts { state: bid.state, ..facts };
    let state = step_bid(lot.edition, &facts, event, &Actor::System)?;
    let row = BidRow { state: state.name().to_owned(), ..bid.row.clone() };
    let kind = if bid.row.kind == RESERVE && event == BidEvent::Open { "reserve.opened" } else { kind(event) };
    let (row, _) = tx.update(&bid.row, row, record(kind, lot, &bid.org))?;
    Bid::read(row)
}

/// The receipt by mail, for those who asked for it: that somebody bid is a secret before the opening.
fn tell(tx: &mut Tx<'_>, lot: &Lot, org: &OrgId, row: &BidRow, entry: &Entry) -> Result<()> {
    let Some(recipient) = accounts::queries::email_of(tx.conn(), org.as_str())? else { return Ok(()) };
    let received = tx.context().received_at.local();
    let (bid, version, rev, entry_id, c) = (&row.id, row.version, row.rev, &entry.entry_id, &entry.commitment);
    tx.send(Mail {
        dedup: entry.entry_id.clone(),
        recipient,
        subject: format!("投标回执 / Receipt of a bid: {}", lot.row.title),
        body: format!(
            "标段:{title}({lot})\n投标:{bid},第 {version} 版(rev {rev})\n收到时间:{received}\n记录:{entry_id}\n承诺值:{c}\n\
             签名回执可随时由 GET /v1/receipts/{entry_id} 取得。\n\n\
             Lot: {title} ({lot})\nBid: {bid}, version {version} (rev {rev})\nReceived at: {received}\nEntry: {entry_id}\nCommitment: {c}\n\
             The signed receipt is at GET /v1/receipts/{entry_id}.\n",
            title = lot.row.title,
            lot = lot.row.id,
        ),
        lot_id: Some(lot.row.id.clone()),
        sealed: true,
    })
}
