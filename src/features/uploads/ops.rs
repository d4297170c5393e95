//! Use cases of uploads. Nothing here touches the disk: bytes come and go around the commits.

use super::changes;
use super::model::{COMPLETE, ChunkRange, NewUpload, OPEN, Purpose, Upload, UploadRow};
use super::queries;
use crate::features::lots::model::Lot;
use crate::features::lots::queries as lots;
use crate::features::projects::ops::require_confirmed;
use crate::kernel::digest::Digest;
use crate::kernel::id::{LotId, OrgId, UploadId};
use crate::kernel::role::{Actor, Role};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::machine::State;

/// Checks what is declared of a new upload.
///
/// # Errors
/// 422 for a size out of bounds.
pub fn check(new: &NewUpload) -> Result<()> {
    let most = new.purpose.most_bytes();
    if new.size_bytes == 0 || new.size_bytes > most {
        return Err(refusals::body_invalid(&format!("size_bytes: 1 to {most}")).into());
    }
    Ok(())
}

/// Makes room for an upload to a lot.
///
/// # Errors
/// 404 for a lot that the caller may not see; 403 for another role's purpose; 409 when the lot takes no such upload now,
/// when the organisation is not confirmed, or beyond its quota.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, lot_id: &str, new: &NewUpload) -> Result<Upload> {
    let org = actor.org_id().ok_or_else(refusals::not_signed_in)?.clone();
    let lot = lots::lot(tx.conn(), lot_id)?;
    check_welcome(&lot, actor, &org, new.purpose, tx.now())?;
    require_confirmed(tx.conn(), &org)?;
    check_quota(&queries::counted(tx.conn(), org.as_str(), lot_id)?, lot_id, new.size_bytes)?;
    let bytes = |value: u64| i64::try_from(value).map_err(|_| refusals::body_invalid("size_bytes"));
    let row = UploadRow {
        id: UploadId::random().into_string(),
        org_id: org.into_string(),
        lot_id: Some(lot.row.id.clone()),
        purpose: new.purpose.name().into(),
        size_bytes: bytes(new.size_bytes)?,
        chunk_bytes: bytes(new.purpose.chunk_bytes())?,
        root: new.root.to_string(),
        state: OPEN.into(),
        attached_to: None,
        created_at: tx.now().millis(),
        expires_at: kept_until(lot.deadline_at(), tx.now()).millis(),
    };
    tx.beside(|conn| changes::insert(conn, &row))?;
    let all = ChunkRange { first: 0, last: row.chunks().saturating_sub(1) };
    view(&row, vec![all])
}

/// How long an upload is kept that nothing uses: a header may come until the deadline, and a deadline may move.
fn kept_until(deadline: Option<Timestamp>, from: Timestamp) -> Timestamp {
    deadline.map_or(from, |deadline| deadline.max(from)).plus_millis(limits::UPLOAD_KEEP_MS)
}

/// Whether a lot takes an upload of that purpose from this caller now.
fn check_welcome(lot: &Lot, actor: &Actor, org: &OrgId, purpose: Purpose, now: Timestamp) -> Result<()> {
    let own = *org == lot.initiator;
    let (role, visible) = match purpose {
        Purpose::Bid => (Role::Bidder, lots::is_public(lot.state)),
        Purpose::Reserve | Purpose::Document => (Role::Initiator, own),
    };
    if !visible {
        return Err(refusals::not_found().into());
    }
    if !actor.has(role) || (purpose == Purpose::Bid && own) {
        return Err(refusals::role_forbidden().into());
    }
    let welcome = match purpose {
        Purpose::Bid | Purpose::Reserve => {
            lot.state == State::Noticed && lot.deadline_at().is_some_and(|deadline| now < deadline)
        }
        Purpose::Document => {
            matches!(lot.state, State::Draft | State::Registering | State::Registered | State::Noticed)
        }
    };
    if welcome {
        return Ok(());
    }
    Err(match purpose {
        Purpose::Bid | Purpose::Reserve => refusals::state_forbids(
            "公告发布后、投标截止前才能上传。",
            "Uploads to this lot are taken from its notice until its deadline.",
        ),
        Purpose::Document => {
            refusals::state_forbids("投标截止后不能再上传文件。", "Documents are uploaded before the bidding closes.")
        }
    }
    .into())
}

/// Bounds bytes and number, in this lot and of everything that nothing uses.
fn check_quota(counted: &[UploadRow], lot_id: &str, size: u64) -> Result<()> {
    let within = |rows: &[&UploadRow], most: u64| {
        let used = rows.iter().fold(size, |sum, row| sum.saturating_add(row.size()));
        rows.len() < limits::UPLOADS && used <= most
    };
    let here: Vec<&UploadRow> = counted.iter().filter(|row| row.lot_id.as_deref() == Some(lot_id)).collect();
    let loose: Vec<&UploadRow> = counted.iter().filter(|row| row.attached_to.is_none()).collect();
    if within(&here, limits::UPLOAD_LOT_BYTES) && within(&loose, limits::UPLOAD_LOOSE_BYTES) {
        Ok(())
    } else {
        Err(refusals::upload_quota_exceeded().into())
    }
}

/// Marks an upload complete whose bytes are safely on disk and proved to be those declared. Does nothing when it is so
/// already.
///
/// # Errors
/// 404 when it is not the caller's, or was removed meanwhile.
pub fn complete(tx: &mut Tx<'_>, org: &OrgId, id: &str) -> Result<Upload> {
    let mut row = queries::own(tx.conn(), org.as_str(), id)?.ok_or_else(refusals::upload_not_found)?;
    let read_again = tx.now().plus_millis(limits::SCRUB_EVERY_MS);
    tx.beside(|conn| changes::complete(conn, id, read_again))?;
    row.state = COMPLETE.into();
    view(&row, Vec::new())
}

/// What somebody attaches an upload as.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// The lot it was uploaded to.
    pub lot_id: &'a str,
    /// What it was uploaded for.
    pub purpose: Purpose,
    /// Bytes.
    pub size: u64,
    /// Merkle root.
    pub root: &'a Digest,
    /// The id of what uses it from now on.
    pub attached_to: &'a str,
}

/// Attaches a complete upload to what uses it, in the commit of that. Attaching it again to the same is fine: a new
/// version of a bid may keep its payload.
///
/// # Errors
/// `upload-not-found`, `upload-mismatch`, `upload-incomplete`, `upload-attached-elsewhere`. Which chunks are missing is
/// known to the disk: ask [`super::storage::ready`] before the commit.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one fact that the caller's signed header states about the upload"
)]
pub fn attach(
    tx: &mut Tx<'_>,
    upload_id: &str,
    org: &OrgId,
    lot_id: &str,
    purpose: Purpose,
    expected_size: u64,
    expected_root: &Digest,
    attached_to: &str,
) -> Result<()> {
    let row = queries::own(tx.conn(), org.as_str(), upload_id)?.ok_or_else(refusals::upload_not_found)?;
    check_use(&row, &Use { lot_id, purpose, size: expected_size, root: expected_root, attached_to })?;
    attach_found(tx, &row, attached_to)
}

/// Attaches an upload that [`check_use`] found fit in this same transaction.
///
/// # Errors
/// The database's.
pub fn attach_found(tx: &mut Tx<'_>, row: &UploadRow, attached_to: &str) -> Result<()> {
    match row.attached_to {
        Some(_) => Ok(()),
        None => tx.beside(|conn| changes::attach(conn, &row.id, attached_to)),
    }
}

/// The checks of [`attach`], for those who want to know before they act.
///
/// # Errors
/// As [`attach`].
pub fn check_use(row: &UploadRow, used: &Use<'_>) -> Result<()> {
    let declared = row.purpose == used.purpose.name()
        && row.lot_id.as_deref() == Some(used.lot_id)
        && row.size() == used.size
        && row.root == used.root.to_string();
    if !declared {
        return Err(refusals::upload_mismatch().into());
    }
    if row.state != COMPLETE {
        return Err(refusals::upload_incomplete("").into());
    }
    if row.attached_to.as_deref().is_some_and(|other| other != used.attached_to) {
        return Err(refusals::upload_attached_elsewhere().into());
    }
    Ok(())
}

/// Dooms a sealed payload that will never be opened, although a bid names it.
///
/// # Errors
/// The database's.
pub fn doom_sealed(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.beside(|conn| changes::doom_sealed(conn, id))
}

/// Dooms uploads whose time is over, at most `limit`; keeps those whose lot's deadline moved. Returns how many it doomed.
///
/// # Errors
/// The database's.
pub fn doom_expired(tx: &mut Tx<'_>, limit: i64) -> Result<u32> {
    let now = tx.now();
    let mut doomed = 0;
    for row in queries::expired(tx.conn(), now.millis(), limit)? {
        let deadline = match &row.lot_id {
            Some(lot_id) => lots::lot(tx.conn(), lot_id)?.deadline_at(),
            None => None,
        };
        match deadline.map(|deadline| deadline.plus_millis(limits::UPLOAD_KEEP_MS)) {
            Some(later) if later > now => tx.beside(|conn| changes::keep_until(conn, &row.id, later))?,
            _ => {
                tx.beside(|conn| changes::doom(conn, &row.id))?;
                doomed += 1;
            }
        }
    }
    Ok(doomed)
}

/// Says when an upload's bytes are read again; false where another server said so since it was `seen`.
///
/// # Errors
/// The database's.
pub fn read_again_at(tx: &mut Tx<'_>, id: &str, seen: Option<i64>, next: i64) -> Result<bool> {
    tx.beside(|conn| changes::read_again_at(conn, id, seen, next))
}

/// Removes the row of a doomed upload whose bytes are gone.
///
/// # Errors
/// The database's.
pub fn forget(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.beside(|conn| changes::forget(conn, id))
}

/// An upload as the API shows it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn view(row: &UploadRow, missing: Vec<ChunkRange>) -> Result<Upload> {
    let damaged = |error: &dyn std::fmt::Display| Error::damaged(format!("upload {}: {error}", row.id));
    Ok(Upload {
        id: UploadId::parse(&row.id).map_err(|error| damaged(&error))?,
        lot_id: row.lot_id.as_deref().map(LotId::parse).transpose().map_err(|error| damaged(&error))?,
        purpose: row.purpose.clone(),
        state: row.state.clone(),
        size_bytes: row.size(),
        chunk_bytes: row.chunk_size(),
        chunk_count: row.chunks(),
        root: row.root.parse().map_err(|error| damaged(&error))?,
        expires_at: Timestamp::from_millis(row.expires_at),
        missing,
        needs_restoration: None,
    })
}
