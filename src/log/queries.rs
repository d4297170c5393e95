//! Reads of the log's tables.

use diesel::prelude::*;

use super::model::{Batch, Head, Waiting, digest};
use crate::db::Conn;
use crate::db::schema::{audit_batch, audit_entry, audit_head, audit_key, audit_leaf, audit_pending};
use crate::kernel::digest::Digest;
use crate::ledger::Result;

/// The head of the tree.
pub fn head(conn: &mut Conn) -> Result<Head> {
    Ok(audit_head::table.select(Head::as_select()).first(conn)?)
}

/// Entries that wait for the log, so many at most, and those first that came first.
pub fn pending(conn: &mut Conn, most: i64) -> Result<Vec<Waiting>> {
    let rows: Vec<(i64, String, Vec<u8>)> =
        audit_pending::table.order(audit_pending::place.asc()).limit(most).load(conn)?;
    rows.into_iter().map(|(place, entry_id, c)| Ok(Waiting { place, entry_id, commitment: digest(&c)? })).collect()
}

/// How many entries wait for the log, counted to `most`.
pub fn waiting(conn: &mut Conn, most: i64) -> Result<i64> {
    let places: Vec<i64> = audit_pending::table.select(audit_pending::place).limit(most).load(conn)?;
    Ok(i64::try_from(places.len()).unwrap_or(i64::MAX))
}

/// The batches that came after the tree had `size` leaves, so many at most, in order.
pub fn batches_from(conn: &mut Conn, size: i64, most: i64) -> Result<Vec<Batch>> {
    Ok(audit_batch::table
        .filter(audit_batch::size_before.ge(size))
        .order(audit_batch::size_before.asc())
        .limit(most)
        .select(Batch::as_select())
        .load(conn)?)
}

/// A batch by its number.
pub fn batch(conn: &mut Conn, number: i64) -> Result<Option<Batch>> {
    Ok(audit_batch::table.find(number).select(Batch::as_select()).first(conn).optional()?)
}

/// The root that the tree had with `size` leaves, where a batch ended there.
pub fn root_at(conn: &mut Conn, size: i64) -> Result<Option<Digest>> {
    if size == 0 {
        return Ok(Some(crate::tlog::tree::empty_root()));
    }
    let next: Option<Vec<u8>> = audit_batch::table
        .filter(audit_batch::size_before.lt(size))
        .order(audit_batch::size_before.desc())
        .select((audit_batch::size_after, audit_batch::root))
        .first::<(i64, Vec<u8>)>(conn)
        .optional()?
        .and_then(|(after, root)| (after == size).then_some(root));
    next.map(|root| digest(&root)).transpose()
}

/// The entries of a batch: their commitments.
pub fn commitments(conn: &mut Conn, batch: &Batch) -> Result<Vec<Digest>> {
    let rows: Vec<Vec<u8>> = audit_leaf::table
        .inner_join(audit_entry::table.on(audit_entry::entry_id.eq(audit_leaf::entry_id)))
        .filter(audit_leaf::leaf_index.ge(batch.size_before))
        .filter(audit_leaf::leaf_index.lt(batch.size_after))
        .order(audit_leaf::leaf_index.asc())
        .select(audit_entry::c)
        .load(conn)?;
    rows.iter().map(|c| digest(c)).collect()
}

/// The number of an entry's leaf, once it has one.
pub fn leaf_index(conn: &mut Conn, entry_id: &str) -> Result<Option<u64>> {
    let index: Option<i64> = audit_leaf::table.find(entry_id).select(audit_leaf::leaf_index).first(conn).optional()?;
    Ok(index.and_then(|index| u64::try_from(index).ok()))
}

/// The number of the leaf of the entry with this commitment.
pub fn leaf_of(conn: &mut Conn, commitment: &Digest) -> Result<Option<u64>> {
    let index: Option<i64> = audit_entry::table
        .inner_join(audit_leaf::table.on(audit_leaf::entry_id.eq(audit_entry::entry_id)))
        .filter(audit_entry::c.eq(&commitment.as_bytes()[..]))
        .select(audit_leaf::leaf_index)
        .first(conn)
        .optional()?;
    Ok(index.and_then(|index| u64::try_from(index).ok()))
}

/// Whether an entry is under the published checkpoint: then everybody can check that it was there by then.
pub fn is_published(conn: &mut Conn, entry_id: &str) -> Result<bool> {
    let published = head(conn)?.published_size;
    Ok(leaf_index(conn, entry_id)?.is_some_and(|index| index < super::model::size(published)))
}

/// A key of the log: verifier key, role, first size, last size.
pub type Key = (String, String, i64, Option<i64>);

/// Every key that was ever used, oldest first.
pub fn keys(conn: &mut Conn) -> Result<Vec<Key>> {
    Ok(audit_key::table.order((audit_key::first_size.asc(), audit_key::vkey.asc())).load(conn)?)
}
