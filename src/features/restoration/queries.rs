//! Every read of damages.

use diesel::prelude::*;

use super::model::{Damage, DamageRow};
use crate::db::Conn;
use crate::db::schema::damages;
use crate::features::lots::queries as lots;
use crate::features::opening;
use crate::features::uploads::model::{Purpose, UploadRow};
use crate::ledger::Result;

/// What is noted of an upload.
///
/// # Errors
/// The database's.
pub fn of(conn: &mut Conn, upload_id: &str) -> Result<Option<DamageRow>> {
    Ok(damages::table.find(upload_id).select(DamageRow::as_select()).first(conn).optional()?)
}

/// Whether anything stored is damaged: a document, a bid, or an upload that nothing uses.
///
/// # Errors
/// The database's.
pub fn is_any(conn: &mut Conn) -> Result<bool> {
    Ok(damages::table.select(damages::upload_id).first::<String>(conn).optional()?.is_some())
}

/// The uploads that were found damaged, the first of them: for whoever has the host, and sees the files anyway.
///
/// # Errors
/// The database's.
pub fn found(conn: &mut Conn, limit: i64) -> Result<Vec<String>> {
    Ok(damages::table.order(damages::upload_id.asc()).limit(limit).select(damages::upload_id).load(conn)?)
}

/// Whether an upload may still be put back: a document for as long as it is offered, what is sealed until the opening has
/// decided about it.
///
/// # Errors
/// The database's.
pub fn is_mendable(conn: &mut Conn, upload: &UploadRow) -> Result<bool> {
    match &upload.lot_id {
        Some(lot_id) if upload.purpose != Purpose::Document.name() => {
            Ok(lots::lot(conn, lot_id)?.needs_payloads() && !opening::queries::is_decided(conn, &upload.id)?)
        }
        _ => Ok(true),
    }
}

/// What an upload's owner is asked to send again.
///
/// # Errors
/// The database's.
pub fn wanted(conn: &mut Conn, upload: &UploadRow) -> Result<Option<Damage>> {
    match of(conn, &upload.id)? {
        Some(row) if is_mendable(conn, upload)? => Damage::read(&row).map(Some),
        _ => Ok(None),
    }
}
