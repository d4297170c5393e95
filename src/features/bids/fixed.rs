//! The set of bids, fixed when the box is closed: which bids there are, and in which version, is on record before any key of the
//! opening is used, and its number is still hidden.

use diesel::prelude::*;

use super::model::BID;
use crate::db::Conn;
use crate::db::schema::{audit_entry, bids};
use crate::features::lots::model::Lot;
use crate::kernel::digest::{Digest, Hasher};
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;

/// The kind of the entry.
pub const FIXED: &str = "bids.fixed";

/// The stream of the entry.
fn stream(lot_id: &str) -> String {
    format!("box-{lot_id}")
}

/// What the entry says, in its part `c`: how many bids there are, and SHA-256 over the latest commitments of their streams,
/// ascending, 32 bytes each.
pub fn digest_of(mut commitments: Vec<Digest>) -> Digest {
    commitments.sort_unstable();
    let mut hasher = Hasher::new();
    commitments.iter().for_each(|commitment| hasher.update(commitment.as_bytes()));
    hasher.finish()
}

/// Puts the set on record, in the commit that closes the box.
///
/// # Errors
/// The database's.
pub fn fix(tx: &mut Tx<'_>, lot: &Lot) -> Result<()> {
    let rows: Vec<Vec<u8>> = bids::table
        .inner_join(audit_entry::table.on(audit_entry::stream.eq(bids::id).and(audit_entry::rev.eq(bids::version))))
        .filter(bids::lot_id.eq(&lot.row.id))
        .filter(bids::kind.eq(BID))
        .select(audit_entry::c)
        .load(tx.conn())?;
    let commitments = rows.iter().map(|c| crate::log::model::digest(c)).collect::<Result<Vec<_>>>()?;
    let record = Record::new(FIXED)
        .sealed()
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .restricted("count", commitments.len())
        .restricted("sha256", digest_of(commitments));
    tx.note_in(&stream(&lot.row.id), limits::CLOSINGS, record)?
        .map(drop)
        .ok_or_else(|| Error::internal("the box was closed too often"))
}

/// Whether everybody can check that the set of bids was fixed: its entry is under a published checkpoint. Before that no key of
/// the opening is used. A box that was closed before there was a log has no such entry, and does not wait for one.
///
/// # Errors
/// The database's.
pub fn is_witnessed(conn: &mut Conn, lot_id: &str) -> Result<bool> {
    let entry: Option<String> = audit_entry::table
        .filter(audit_entry::stream.eq(stream(lot_id)))
        .order(audit_entry::rev.desc())
        .select(audit_entry::entry_id)
        .first(conn)
        .optional()?;
    entry.map_or(Ok(true), |entry| crate::log::queries::is_published(conn, &entry))
}
