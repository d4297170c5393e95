//! Use cases of restoration. Nothing here touches the disk: bytes are read and written around the commits.
//!
//! Kinds and facts on record: `payload.damaged` and `payload.restored` {purpose, chunks, leaves}, in one stream for each
//! upload; sealed like the bid or the reserve price that they tell of. Of an upload that nothing uses nothing is on record.

use super::model::{Damage, DamageRow};
use super::{changes, queries};
use crate::features::lots::model::Lot;
use crate::features::lots::queries as lots;
use crate::features::uploads::model::{Purpose, UploadRow, ranges_text};
use crate::features::{accounts, bids, mails, uploads};
use crate::kernel::id;
use crate::ledger::{Mail, Record, Result, Tx};
use crate::limits;

/// When what is done with is read again: never.
const NEVER: i64 = i64::MAX;

/// Takes of the uploads that are due some for this server, which no other has taken meanwhile; those that are of no use any
/// more are not read again.
///
/// # Errors
/// The database's.
pub fn take(tx: &mut Tx<'_>, due: &[(UploadRow, i64)]) -> Result<Vec<UploadRow>> {
    let lease = tx.now().plus_millis(limits::SCRUB_LEASE_MS).millis();
    let mut mine = Vec::new();
    for (upload, due_at) in due {
        if mine.len() >= limits::SCRUB_BATCH {
            break;
        }
        let mendable = queries::is_mendable(tx.conn(), upload)?;
        let next = if mendable { lease } else { NEVER };
        if !uploads::ops::read_again_at(tx, &upload.id, Some(*due_at), next)? {
            continue;
        }
        if mendable {
            mine.push(upload.clone());
        } else {
            tx.beside(|conn| changes::remove(conn, &upload.id))?;
        }
    }
    Ok(mine)
}

/// Writes down in what condition an upload was found that was taken to be read, and when it is read next.
///
/// # Errors
/// The database's.
pub fn found(tx: &mut Tx<'_>, upload: &UploadRow, damage: Option<&Damage>) -> Result<()> {
    let pause = if damage.is_some() { limits::SCRUB_AGAIN_MS } else { limits::SCRUB_EVERY_MS };
    let next = tx.now().plus_millis(pause).millis();
    uploads::ops::read_again_at(tx, &upload.id, None, next)?;
    conclude(tx, upload, damage)
}

/// Writes down in what condition an upload was found; on record where that is news. Nothing of one that is gone.
///
/// # Errors
/// The database's.
pub fn conclude(tx: &mut Tx<'_>, upload: &UploadRow, damage: Option<&Damage>) -> Result<()> {
    // Since it was read something may use it, or it may have been swept.
    let Some(upload) = uploads::queries::own(tx.conn(), &upload.org_id, &upload.id)? else { return Ok(()) };
    let before = queries::of(tx.conn(), &upload.id)?;
    let known = before.as_ref().map(Damage::read).transpose()?;
    match (damage, known) {
        (None, None) => Ok(()),
        (Some(damage), Some(known)) if *damage == known => Ok(()),
        (None, Some(known)) => {
            tx.beside(|conn| changes::remove(conn, &upload.id))?;
            put_on_record(tx, "payload.restored", &upload, &known).map(drop)
        }
        (Some(damage), _) => {
            let mut row = damage.to_row(&upload.id, tx.now())?;
            row.found_at = before.as_ref().map_or(row.found_at, |before| before.found_at);
            tx.beside(|conn| changes::store(conn, &row))?;
            // The platform has found it, whoever made it look.
            let lot = tx.as_system("restoration", |tx| put_on_record(tx, "payload.damaged", &upload, damage))?;
            match lot {
                Some(lot) if before.is_none() => tell(tx, &upload, &lot, damage),
                _ => Ok(()),
            }
        }
    }
}

/// Chunk `n` is back on the disk. Returns whether that looks like the last: then the whole has to be read, and what is
/// noted stays until it was.
///
/// # Errors
/// The database's.
pub fn took_chunk(tx: &mut Tx<'_>, upload_id: &str, n: u32) -> Result<bool> {
    let Some(row) = queries::of(tx.conn(), upload_id)? else { return Ok(false) };
    let damage = Damage::read(&row)?;
    let left = damage.without(n);
    if left.is_mended() {
        return Ok(true);
    }
    if left != damage {
        let row = DamageRow { found_at: row.found_at, ..left.to_row(upload_id, tx.now())? };
        tx.beside(|conn| changes::store(conn, &row))?;
    }
    Ok(false)
}

/// Puts something about an upload on record, and returns its lot; nothing where nothing uses the upload, and no more than
/// so many times.
fn put_on_record(tx: &mut Tx<'_>, kind: &'static str, upload: &UploadRow, damage: &Damage) -> Result<Option<Lot>> {
    let (Some(lot_id), Some(used_by)) = (&upload.lot_id, &upload.attached_to) else { return Ok(None) };
    let lot = lots::lot(tx.conn(), lot_id)?;
    let record = Record::new(kind)
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .org(upload.org_id.as_str())
        .public("purpose", &upload.purpose)
        .public("chunks", damage.count())
        .public("leaves", damage.leaves_lost)
        .restricted("of", used_by)
        .restricted("upload", &upload.id)
        .restricted("which", ranges_text(&damage.chunks));
    let record = if is_sealed(upload) { record.sealed() } else { record };
    let stream = id::gathering("dmg", &[&upload.id]);
    Ok(tx.note_in(&stream, limits::DAMAGES_ON_RECORD, record)?.map(|_| lot))
}

fn is_sealed(upload: &UploadRow) -> bool {
    upload.purpose != Purpose::Document.name()
}

/// Tells the owner by mail: of what is sealed, only who asked for the receipt of the bid in force by mail.
fn tell(tx: &mut Tx<'_>, upload: &UploadRow, lot: &Lot, damage: &Damage) -> Result<()> {
    if is_sealed(upload) && !asked_for_mail(tx, upload)? {
        return Ok(());
    }
    let Some(recipient) = accounts::queries::email_of(tx.conn(), &upload.org_id)? else { return Ok(()) };
    let (upload_id, title, lot_id) = (&upload.id, &lot.row.title, &lot.row.id);
    let (what_zh, what_en) = if damage.leaves_lost {
        ("叶哈希(leaves)".to_owned(), "its leaf hashes".to_owned())
    } else {
        let chunks = ranges_text(&damage.chunks);
        (format!("分块 {chunks}"), format!("chunks {chunks}"))
    };
    tx.send(Mail {
        dedup: id::random("dmg"),
        recipient,
        subject: format!("请补传文件 / Please send a file again: {title}"),
        body: format!(
            "标段:{title}({lot_id})\n平台存储的上传 {upload_id} 已损坏,请原样补传:{what_zh}。\n\
             GET /v1/uploads/{upload_id} 列出所缺内容;只接受与原根哈希一致的内容,因此不会改变您所提交的文件。\n\n\
             Lot: {title} ({lot_id})\nThe platform's copy of upload {upload_id} was damaged. Please send again, exactly as before: {what_en}.\n\
             GET /v1/uploads/{upload_id} lists what is needed. Only what the original root covers is taken, so nothing you submitted changes by it.\n"
        ),
        lot_id: Some(lot_id.clone()),
        sealed: is_sealed(upload),
    })
}

fn asked_for_mail(tx: &mut Tx<'_>, upload: &UploadRow) -> Result<bool> {
    let Some(used_by) = &upload.attached_to else { return Ok(false) };
    let Some(bid) = bids::queries::bid(tx.conn(), used_by)? else { return Ok(false) };
    if !bid.body.parts.iter().any(|part| part.upload_id == upload.id) {
        return Ok(false);
    }
    let entry = bids::queries::version_entry(tx.conn(), used_by, bid.body.sealed_version)?;
    mails::queries::is_stored(tx.conn(), &entry.entry_id)
}
