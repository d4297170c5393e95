//! Use cases of partial decryptions.

use std::collections::BTreeMap;

use super::changes;
use super::model::{PartialListRow, PartialRow, PartialsReceived, SnapshotRow};
use super::{escrow, queries};
use crate::db::Conn;
use crate::features::accounts::signing_keys;
use crate::features::bids;
use crate::features::ceremonies;
use crate::features::key_sets;
use crate::features::lots;
use crate::features::lots::model::Lot;
use crate::features::opening;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::id::{OrgId, PartialListId, SnapshotId, gathering};
use crate::kernel::parallel;
use crate::keys::Keys;
use crate::ledger::{Error, Record, Result, Tx};
use crate::refusals;
use crate::rules::ceremony::CeremonyState;
use crate::rules::envelopes::Round;
use crate::rules::opening::OpeningPermit;
use crate::seal::ids::{Ident, KeyId};
use crate::seal::keys::VerifyingKey;
use crate::seal::keyset::{KeySet, KeySetKind};
use crate::seal::partials::SignedPartials;
use crate::seal::snapshot::{Line, Snapshot};
use crate::seal::unsealing::{Holder, Share};
use crate::{limits, log};

/// The kind of the entry of a snapshot.
pub const FIXED: &str = "box.snapshot";

/// The lines that the holders of a key set answer to: what lies in the lot's box, and of keys in escrow those that are asked for.
///
/// # Errors
/// The database's, or damage.
pub fn lines(conn: &mut Conn, lot_id: &str, kid: KeyId) -> Result<Vec<Line>> {
    let mut headers = queries::headers(conn, lot_id)?;
    let in_escrow = key_sets::queries::of_round(conn, lot_id, Round::Escrow)?;
    if in_escrow.is_some_and(|row| row.kid == kid.to_string()) {
        headers = escrow::wanted(conn, lot_id, headers)?;
    }
    Ok(headers.iter().flat_map(|header| Line::of(header, kid)).collect())
}

/// The snapshot that the custodians of a lot will answer to in a round, signed; `None` where it stands already or nobody needs one.
///
/// # Errors
/// The rules' refusal when the lot is not being opened; damage.
pub fn draw(conn: &mut Conn, keys: &Keys, lot_id: &str, round: Round) -> Result<Option<SnapshotRow>> {
    let lot = lots::queries::lot(conn, lot_id)?;
    OpeningPermit::grant(lot.state)?;
    let row = key_sets::queries::of_round(conn, lot_id, round)?;
    let row = row.ok_or_else(|| Error::damaged(format!("key set of {lot_id}: missing")))?;
    if queries::snapshot(conn, &row.kid)?.is_some() {
        return Ok(None);
    }
    let key_set = key_sets::queries::parsed(&row)?;
    let lines = lines(conn, lot_id, key_set.kid)?;
    if round == Round::Escrow && lines.is_empty() {
        return Ok(None);
    }
    let ident = Ident::parse(lot_id, "lot").map_err(|error| Error::internal(error.reason()))?;
    let snapshot = Snapshot::new(&key_set, ident, &lines);
    let jws = snapshot.sign(&keys.promise).map_err(|_| Error::internal("no random numbers"))?;
    Ok(Some(SnapshotRow {
        id: String::new(),
        version: 0,
        lot_id: lot_id.to_owned(),
        kid: row.kid,
        root: snapshot.root.to_string(),
        body: jws.to_json(),
    }))
}

/// Puts a snapshot on record, once for each key set. Returns whether it did.
///
/// # Errors
/// The rules' refusal when the lot is not being opened any more.
pub fn fix(tx: &mut Tx<'_>, drawn: &SnapshotRow) -> Result<bool> {
    if queries::snapshot(tx.conn(), &drawn.kid)?.is_some() {
        return Ok(false);
    }
    let lot = lots::queries::lot(tx.conn(), &drawn.lot_id)?;
    OpeningPermit::grant(lot.state)?;
    let in_escrow = key_sets::queries::of_round(tx.conn(), &lot.row.id, Round::Escrow)?;
    let opens_at = match in_escrow.filter(|row| row.kid == drawn.kid) {
        None => lot.body.schedule.opens_at,
        Some(_) => {
            let session = opening::queries::of_lot(tx.conn(), &lot.row.id)?;
            let session = session.map(|session| session.body).unwrap_or_default();
            if !escrow::stands(tx, &lot, &session, drawn)? {
                return Ok(false);
            }
            session.decryption_ends_at(&lot.body.terms)
        }
    };
    let row = SnapshotRow { id: SnapshotId::ordered(tx.now()).into_string(), ..drawn.clone() };
    let record = record(FIXED, &lot).public("kid", &row.kid).public("root", &row.root).public("opens_at", opens_at);
    tx.insert(row, record)?;
    Ok(true)
}

fn record(kind: &'static str, lot: &Lot) -> Record {
    Record::new(kind).lot(lot.row.id.clone()).project(lot.row.project_id.clone())
}

/// Whether everybody can check what the custodians answer to: its entry is under a published checkpoint.
///
/// # Errors
/// The database's.
pub fn is_published(conn: &mut Conn, row: &SnapshotRow) -> Result<bool> {
    let entry = entry_of(conn, row)?;
    log::queries::is_published(conn, &entry)
}

/// The entry of a snapshot.
///
/// # Errors
/// Damage.
pub fn entry_of(conn: &mut Conn, row: &SnapshotRow) -> Result<String> {
    Ok(bids::queries::version_entry(conn, &row.id, row.version)?.entry_id)
}

/// What a list is checked against.
#[derive(Debug)]
pub struct Awaited {
    /// The key set.
    pub key_set: KeySet,
    /// The key of whoever speaks.
    pub key: VerifyingKey,
    /// The root of what is answered.
    pub root: Digest,
    /// How many lines there are.
    pub count: u64,
    /// The lines that the list names.
    pub lines: BTreeMap<(Digest, u8), Line>,
    /// The bidder, where it is a bidder's key.
    pub org: Option<OrgId>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Giver {
    /// Who is signed in.
    pub principal: String,
    /// The organisation.
    pub org: OrgId,
}

/// What the list of a custodian or a bidder is checked against.
///
/// # Errors
/// 404 where the key set is not one that the caller holds a share of; the rules' refusal when the lot is not being opened; 409
/// while what the custodians answer to is not in the public log.
pub fn awaited(conn: &mut Conn, giver: &Giver, lot_id: &str, list: &SignedPartials) -> Result<Awaited> {
    let lot = lots::queries::lot(conn, lot_id)?;
    if !lots::queries::is_public(lot.state) {
        return Err(refusals::not_found().into());
    }
    OpeningPermit::grant(lot.state)?;
    let (kid, member) = (list.list().kid, list.list().member);
    let ids: Vec<String> = list.list().partials.iter().map(|partial| partial.envelope.to_string()).collect();
    let opening = [lot.body.round, Round::Escrow].map(Round::number);
    let mut of_lot = key_sets::queries::of_lot(conn, lot_id)?.into_iter();
    if let Some(row) = of_lot.find(|row| row.kid == kid.to_string() && opening.contains(&row.round)) {
        let key_set = key_sets::queries::parsed(&row)?;
        if key_set.kind != KeySetKind::Custodians {
            return Err(refusals::not_found().into());
        }
        let key = custodian_key(conn, giver, lot_id, member)?;
        let snapshot = queries::snapshot(conn, &row.kid)?;
        let Some(snapshot) = snapshot else { return Err(refusals::snapshot_not_ready().into()) };
        if !is_published(conn, &snapshot)? {
            return Err(refusals::snapshot_not_ready().into());
        }
        let root = snapshot.root.parse().map_err(|_| Error::damaged(format!("snapshot {}: root", snapshot.id)))?;
        let headers = queries::headers_by_id(conn, lot_id, &ids)?;
        let mut lines = by_place(headers.iter().flat_map(|header| Line::of(header, kid)));
        if escrow::is_escrow(&row) {
            let asked = by_place(self::lines(conn, lot_id, kid)?.into_iter());
            lines.retain(|place, _| asked.contains_key(place));
        }
        let count = signed_count(&snapshot)?;
        return Ok(Awaited { key_set, key, root, count, lines, org: None });
    }
    let own = queries::own_key_by_kid(conn, &lot, &kid.to_string())?;
    let own = own.filter(|own| own.org_id == giver.org.as_str()).ok_or_else(refusals::not_found)?;
    if escrow::asked(conn, lot_id)?.is_some() {
        return Err(refusals::decryption_over().into());
    }
    let key = signing_keys::active_keys(conn, &giver.org, &[list.jws().key_id().to_string()])?.remove(0);
    let headers = queries::headers_of_bid(conn, &own.bid_id, own.version)?;
    let lines: Vec<Line> = headers.iter().flat_map(|header| Line::of(header, kid)).collect();
    Ok(Awaited {
        key: key.ok_or_else(refusals::key_not_active)?,
        root: crate::seal::snapshot::root(&lines),
        count: lines.len() as u64,
        lines: by_place(lines.into_iter()),
        key_set: own.key_set,
        org: Some(giver.org.clone()),
    })
}

fn by_place(lines: impl Iterator<Item = Line>) -> BTreeMap<(Digest, u8), Line> {
    lines.map(|line| ((line.envelope, line.slot), line)).collect()
}

/// How many lines a stored snapshot has.
///
/// # Errors
/// Damage.
pub fn signed_count(row: &SnapshotRow) -> Result<u64> {
    let damaged = |reason: &str| Error::damaged(format!("snapshot {}: {reason}", row.id));
    let jws = crate::seal::jws::Jws::parse(row.body.as_bytes(), crate::seal::snapshot::SNAPSHOT_TYP)
        .map_err(|error| damaged(error.reason()))?;
    Ok(Snapshot::read(&jws).map_err(|error| damaged(error.reason()))?.count)
}

/// The key with which member `member` of the lot's ceremony signs, if that is the caller.
fn custodian_key(conn: &mut Conn, giver: &Giver, lot_id: &str, member: u8) -> Result<VerifyingKey> {
    let ceremonies = ceremonies::queries::of_lot(conn, lot_id)?;
    let active = ceremonies.into_iter().find(|ceremony| ceremony.state == CeremonyState::Active);
    let active = active.ok_or_else(refusals::not_found)?;
    let speaker = active.member_of(&giver.principal).filter(|key| key.i == member);
    speaker.ok_or_else(refusals::not_found)?.key.verifying()
}

/// Checks signature, root and every share of a list; a pure function of what is known, and slow.
///
/// # Errors
/// What is wrong, as a stable reason.
pub fn verify(awaited: &Awaited, list: &SignedPartials) -> std::result::Result<(), String> {
    let said = list.verify(&awaited.key).map_err(|error| error.reason().to_owned())?;
    if said.snapshot != awaited.root {
        return Err("other_snapshot".into());
    }
    let holder = Holder::of(&awaited.key_set, said.member);
    let check = |partial: &crate::seal::partials::Partial| {
        let Some(line) = awaited.lines.get(&(partial.envelope, partial.slot)) else {
            return Err(format!("unknown_line {} {}", partial.envelope, partial.slot));
        };
        if line.verify(&holder, &partial.share) {
            return Ok(());
        }
        Err(format!("share_does_not_verify {} {}", partial.envelope, partial.slot))
    };
    parallel::try_each(&said.partials, check)
}

/// Stores the shares of a list that was checked. What a member has given before is not stored again.
///
/// # Errors
/// The rules' refusal when the lot is not being opened any more.
pub fn receive(tx: &mut Tx<'_>, lot_id: &str, awaited: &Awaited, list: &SignedPartials) -> Result<PartialsReceived> {
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    OpeningPermit::grant(lot.state)?;
    if awaited.org.is_some() && escrow::asked(tx.conn(), lot_id)?.is_some() {
        return Err(refusals::decryption_over().into());
    }
    // Whose bids lie in the box is not known before the read-out.
    put(tx, &lot, list, None, awaited.org.is_some())?;
    let (kid, member) = (list.list().kid.to_string(), list.list().member);
    let received = queries::received(tx.conn(), lot_id)?;
    let mine = received.iter().find(|(set, given, _)| *set == kid && *given == i64::from(member));
    Ok(PartialsReceived {
        lot_id: lot.id,
        kid,
        member,
        received: mine.map_or(0, |(_, _, count)| u64::try_from(*count).unwrap_or(0)),
        count: awaited.count,
    })
}

/// Stores what is new in a list; its entry is under seal where `sealed`. `escrow` is the envelope from which the key came, where
/// it was not its holder who gave the shares.
pub(super) fn put(tx: &mut Tx<'_>, lot: &Lot, list: &SignedPartials, escrow: Option<&str>, sealed: bool) -> Result<()> {
    let said = list.list();
    let (kid, digest) = (said.kid.to_string(), sha256(list.jws().payload()).to_string());
    let ids: Vec<String> = said.partials.iter().map(|partial| partial.envelope.to_string()).collect();
    let known = queries::given(tx.conn(), &kid, said.member, &ids)?;
    let new: Vec<_> = said
        .partials
        .iter()
        .filter(|partial| !known.contains(&(partial.envelope.to_string(), i64::from(partial.slot))))
        .collect();
    if !new.is_empty() && queries::list(tx.conn(), &digest)?.is_none() {
        let row = PartialListRow {
            id: PartialListId::ordered(tx.now()).into_string(),
            version: 0,
            lot_id: lot.row.id.clone(),
            kid: kid.clone(),
            member: i64::from(said.member),
            digest: digest.clone(),
            body: list.jws().to_json(),
            escrow: escrow.map(str::to_owned),
        };
        let mut record = record("partials.received", lot)
            .public("kid", &kid)
            .public("member", said.member)
            .public("digest", &digest)
            .public("count", new.len());
        if let Some(escrow) = escrow {
            record = record.public("escrow", escrow);
        }
        if sealed {
            record = record.sealed();
        }
        let (row, _) = tx.insert(row, record)?;
        let rows: Vec<PartialRow> = new.iter().map(|partial| PartialRow::of(&row, partial)).collect();
        tx.beside(|conn| changes::store(conn, &rows))?;
    }
    Ok(())
}

/// Puts on record that a list bore its member's signature and was wrong: who disturbs an opening is named.
///
/// # Errors
/// The database's.
pub fn refused(tx: &mut Tx<'_>, lot_id: &str, list: &SignedPartials, reason: &str) -> Result<()> {
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    let said = list.list();
    let stream = gathering("ptr", &[&said.kid.to_string(), &said.member.to_string()]);
    let record = record("partials.refused", &lot)
        .sealed()
        .public("kid", said.kid)
        .public("member", said.member)
        .public("reason", reason)
        .public("digest", sha256(list.jws().payload()));
    tx.note_in(&stream, limits::PARTIALS_REFUSED, record).map(drop)
}

/// A share with the place that it is for, as an opening uses it.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// The slot.
    pub slot: u8,
    /// The member.
    pub member: u8,
    /// The share.
    pub share: Share,
}

/// The shares that were given for an envelope.
///
/// # Errors
/// The database's, or damage.
pub fn given(conn: &mut Conn, envelope_id: &str) -> Result<Vec<Given>> {
    let rows = queries::shares(conn, envelope_id)?;
    let read = |row: &PartialRow| {
        let (member, share) = row.share()?;
        let slot = u8::try_from(row.slot).map_err(|_| Error::damaged(format!("share for {envelope_id}: slot")))?;
        Ok(Given { slot, member, share })
    };
    rows.iter().map(read).collect()
}
