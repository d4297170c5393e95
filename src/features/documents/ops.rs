//! Use cases of documents.

use super::model::{ATTACHED, Document, DocumentRow, FollowerRow, NewDocument};
use super::queries;
use crate::features::lots::model::Lot;
use crate::features::lots::queries as lots;
use crate::features::uploads;
use crate::features::uploads::model::{Purpose, UploadRow};
use crate::kernel::digest::Digest;
use crate::kernel::id::{DocumentId, FetchId, LotId, OrgId};
use crate::kernel::role::{Actor, Role};
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::machine::State;

/// Checks name and media type of a new document.
///
/// # Errors
/// 422 naming the field.
pub fn check(new: &NewDocument) -> Result<()> {
    let name = &new.name;
    let count = name.chars().count();
    let plain =
        name.chars().all(|c| !c.is_control() && !"/\\".contains(c)) && name.trim() == name && !name.starts_with('.');
    if !(1..=limits::NAME_LEN).contains(&count) || !plain {
        return Err(refusals::body_invalid(&format!(
            "name: a file name of 1 to {} characters, without a path",
            limits::NAME_LEN
        ))
        .into());
    }
    // RFC 6838 section 4.2: type and subtype of restricted names; parameters are not needed for files.
    let restricted = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    let valid = new.media_type.split_once('/').is_some_and(|(kind, subtype)| restricted(kind) && restricted(subtype));
    if !valid || new.media_type.len() > limits::MEDIA_TYPE_LEN {
        return Err(refusals::body_invalid("media_type: such as application/pdf").into());
    }
    Ok(())
}

/// Attaches a complete upload as a document of a lot. `digest` was computed from its bytes on disk.
///
/// # Errors
/// 404 when the lot or the upload is not the caller's; 409 when the lot takes no documents now, or has too many.
pub fn attach(
    tx: &mut Tx<'_>,
    org: &OrgId,
    lot_id: &str,
    new: &NewDocument,
    upload: &UploadRow,
    digest: &Digest,
) -> Result<Document> {
    let lot = lots::lot(tx.conn(), lot_id)?;
    if lot.initiator != *org {
        return Err(refusals::not_found().into());
    }
    // What the centre looks at does not change under its eyes; what was bid on does not change at all.
    if !matches!(lot.state, State::Draft | State::Registered | State::Noticed) {
        return Err(refusals::state_forbids(
            "当前状态不能增加文件。",
            "Documents are attached to a draft, a registered lot, or one with an open notice.",
        )
        .into());
    }
    if queries::count(tx.conn(), lot_id)? >= limits::DOCUMENTS_PER_LOT {
        return Err(refusals::state_forbids("文件数量已达上限。", "The lot has as many documents as it may.").into());
    }
    let id = DocumentId::ordered(tx.now());
    let root: Digest = upload.root.parse().map_err(|_| Error::damaged(format!("upload {}: root", upload.id)))?;
    uploads::ops::attach(
        tx,
        new.upload_id.as_str(),
        org,
        lot_id,
        Purpose::Document,
        upload.size(),
        &root,
        id.as_str(),
    )?;
    let row = DocumentRow {
        id: id.into_string(),
        version: 0,
        state: ATTACHED.into(),
        lot_id: lot_id.to_owned(),
        name: new.name.clone(),
        media_type: new.media_type.clone(),
        size_bytes: upload.size_bytes,
        sha256: digest.to_string(),
        upload_id: upload.id.clone(),
    };
    let record = Record::new("document.attached")
        .lot(lot_id)
        .project(lot.row.project_id.clone())
        .public("sha256", &row.sha256)
        .public("size_bytes", row.size_bytes)
        .restricted("name", &row.name);
    view(&tx.insert(row, record)?.0)
}

/// Whether somebody may get the documents of a lot: from the notice on everybody, before it the initiator and, once the
/// lot was submitted, the centre and inspectors.
pub fn may_see(lot: &Lot, actor: &Actor) -> bool {
    // A lot that was stopped before its notice is shown as stopped; its documents were never issued.
    let issued = lots::is_public(lot.state) && lot.body.notice_at.is_some();
    let office = actor.has(Role::Centre) || actor.has(Role::Inspector);
    issued || actor.org_id() == Some(&lot.initiator) || (office && lot.state != State::Draft)
}

/// Whether the record names who fetches: those do not count who look by office, or at what is their own.
pub fn is_counted(lot: &Lot, actor: &Actor) -> bool {
    let office = [Role::Centre, Role::Admin, Role::Inspector].into_iter().any(|role| actor.has(role));
    !office && actor.org_id() != Some(&lot.initiator)
}

/// Puts the first fetch of an organisation on record, sealed. Does nothing when there was one: of two at the same time one
/// is the first.
///
/// # Errors
/// The database's; then nothing may be handed out.
pub fn note_fetch(tx: &mut Tx<'_>, org: &OrgId, document: &DocumentRow) -> Result<()> {
    if queries::has_fetched(tx.conn(), &document.lot_id, org.as_str())? {
        return Ok(());
    }
    let row = FollowerRow {
        id: FetchId::random().into_string(),
        version: 0,
        lot_id: document.lot_id.clone(),
        org_id: org.to_string(),
        at_ms: tx.now().millis(),
    };
    let record = Record::new("document.fetched")
        .lot(document.lot_id.clone())
        .org(org.as_str())
        .sealed()
        .restricted("document", &document.id);
    tx.insert(row, record).map(drop)
}

/// A document as the API shows it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn view(row: &DocumentRow) -> Result<Document> {
    let damaged = |error: &dyn std::fmt::Display| Error::damaged(format!("document {}: {error}", row.id));
    Ok(Document {
        id: DocumentId::parse(&row.id).map_err(|error| damaged(&error))?,
        lot_id: LotId::parse(&row.lot_id).map_err(|error| damaged(&error))?,
        name: row.name.clone(),
        media_type: row.media_type.clone(),
        size_bytes: u64::try_from(row.size_bytes).map_err(|error| damaged(&error))?,
        sha256: row.sha256.parse().map_err(|error| damaged(&error))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::id::UploadId;

    fn new(name: &str, media_type: &str) -> NewDocument {
        NewDocument { upload_id: UploadId::random(), name: name.into(), media_type: media_type.into() }
    }

    #[test]
    fn an_ordinary_file_is_accepted() {
        for (name, media_type) in [
            ("招标文件.pdf", "application/pdf"),
            ("a b (1).dwg", "image/vnd.dwg"),
            ("x", "application/vnd.ms-excel.sheet+xml"),
        ] {
            assert!(check(&new(name, media_type)).is_ok(), "{name} {media_type}");
        }
    }

    #[test]
    fn a_path_or_a_hidden_or_unprintable_name_is_refused() {
        let long = "x".repeat(limits::NAME_LEN + 1);
        for name in ["", " ", "a/b", "..", "..\\b", ".hidden", "a\nb", " a", long.as_str()] {
            assert!(check(&new(name, "application/pdf")).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_media_type_that_could_smuggle_something_is_refused() {
        for media_type in
            ["", "pdf", "application/", "/pdf", "text/html; charset=utf-8", "text/html\r\nX: y", "a/b/c", "text/ html"]
        {
            assert!(check(&new("a.pdf", media_type)).is_err(), "{media_type:?}");
        }
    }
}
