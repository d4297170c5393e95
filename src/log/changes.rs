//! Writes of the log's tables.
#![expect(clippy::disallowed_methods, reason = "the log's own tables, written here and nowhere else")]

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Text};

use super::model::{Batch, Taken};
use crate::db::schema::{audit_batch, audit_head, audit_key, audit_leaf, audit_pending};
use crate::db::{Conn, Insert};
use crate::ledger::WriteConn;

/// Names of statements.
enum Take {}
enum Leaf {}

/// Whether as many rows were touched as must be.
fn all(touched: usize, expected: usize) -> QueryResult<bool> {
    Ok(touched == expected)
}

/// Takes entries out of the queue. Returns false when one of them was not there any more.
pub(super) fn take(conn: &mut WriteConn<'_>, places: &[i64]) -> QueryResult<bool> {
    match conn.get() {
        Conn::Pg(conn) => {
            let statement = diesel::sql_query("DELETE FROM audit_pending WHERE place = ANY($1)");
            all(statement.bind::<Array<BigInt>, _>(places).execute(conn)?, places.len())
        }
        conn @ Conn::Sqlite(_) => {
            let mut touched = 0;
            for place in places {
                touched += crate::kept!(
                    conn,
                    Take,
                    diesel::delete(audit_pending::table.filter(audit_pending::place.eq(place)))
                )?;
            }
            all(touched, places.len())
        }
    }
}

/// Says which leaves the entries are.
pub(super) fn number(conn: &mut WriteConn<'_>, taken: &Taken) -> QueryResult<()> {
    let (ids, indexes) = (&taken.ids, &taken.indexes);
    match conn.get() {
        Conn::Pg(conn) => {
            let statement = diesel::sql_query(
                "INSERT INTO audit_leaf (entry_id, leaf_index) SELECT * FROM unnest($1::text[], $2::bigint[])",
            );
            statement.bind::<Array<Text>, _>(ids).bind::<Array<BigInt>, _>(indexes).execute(conn).map(drop)
        }
        conn @ Conn::Sqlite(_) => {
            for (id, index) in ids.iter().zip(indexes) {
                let row = (audit_leaf::entry_id.eq(id), audit_leaf::leaf_index.eq(index));
                crate::kept!(conn, Leaf, diesel::insert_into(audit_leaf::table).values(row))?;
            }
            Ok(())
        }
    }
}

/// Adds a batch and moves the head, if it still is where it was and this server is the one that grows the log. Returns false
/// when it is not.
pub(super) fn grow(conn: &mut WriteConn<'_>, batch: &Batch, holder: &str, lease_until: i64) -> QueryResult<bool> {
    let conn = conn.get();
    let moved = diesel::update(
        audit_head::table
            .filter(audit_head::size.eq(batch.size_before))
            .filter(audit_head::epoch.eq(batch.epoch))
            .filter(audit_head::holder.eq(holder))
            .filter(audit_head::halted.is_null()),
    )
    .set((
        audit_head::size.eq(batch.size_after),
        audit_head::root.eq(&batch.root),
        audit_head::batch.eq(batch.batch),
        audit_head::slot.eq(batch.slot),
        audit_head::lease_until.eq(lease_until),
    ))
    .execute(conn)?;
    if moved == 0 {
        return Ok(false);
    }
    crate::kept!(conn, Insert<Batch>, diesel::insert_into(audit_batch::table).values(batch))?;
    Ok(true)
}

/// Makes `holder` the server that grows the log, if nobody was faster. Returns whether it is.
pub(super) fn lead(conn: &mut WriteConn<'_>, seen_epoch: i64, holder: &str, lease_until: i64) -> QueryResult<bool> {
    diesel::update(audit_head::table.filter(audit_head::epoch.eq(seen_epoch)))
        .set((
            audit_head::epoch.eq(seen_epoch + 1),
            audit_head::holder.eq(holder),
            audit_head::lease_until.eq(lease_until),
        ))
        .execute(conn.get())
        .map(|rows| rows == 1)
}

/// Lets another server grow the log at once.
pub(super) fn leave(conn: &mut WriteConn<'_>, holder: &str) -> QueryResult<()> {
    diesel::update(audit_head::table.filter(audit_head::holder.eq(holder)))
        .set((audit_head::holder.eq(None::<String>), audit_head::lease_until.eq(0)))
        .execute(conn.get())
        .map(drop)
}

/// Remembers the published checkpoint, unless a larger one is remembered.
pub(super) fn published(conn: &mut WriteConn<'_>, size: i64, note: &str, now_ms: i64) -> QueryResult<()> {
    diesel::update(audit_head::table.filter(audit_head::published_size.le(size)))
        .set((audit_head::published_size.eq(size), audit_head::published.eq(note), audit_head::published_ms.eq(now_ms)))
        .execute(conn.get())
        .map(drop)
}

/// Lets the log stand still, or go on.
pub(super) fn halt(conn: &mut WriteConn<'_>, why: Option<&str>) -> QueryResult<()> {
    diesel::update(audit_head::table).set(audit_head::halted.eq(why)).execute(conn.get()).map(drop)
}

/// Remembers a key that signs from now on; one that is known stays as it is.
pub(super) fn add_key(conn: &mut WriteConn<'_>, vkey: &str, role: &str, first_size: i64) -> QueryResult<bool> {
    let conn = conn.get();
    let known: Option<String> = audit_key::table.find(vkey).select(audit_key::vkey).first(conn).optional()?;
    if known.is_some() {
        return Ok(false);
    }
    let row = (audit_key::vkey.eq(vkey), audit_key::role.eq(role), audit_key::first_size.eq(first_size));
    match diesel::insert_into(audit_key::table).values(row).execute(conn) {
        Ok(_) => Ok(true),
        Err(DieselError::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Remembers that a key has signed for the last time.
pub(super) fn retire_key(conn: &mut WriteConn<'_>, vkey: &str, last_size: i64) -> QueryResult<()> {
    diesel::update(audit_key::table.find(vkey))
        .set(audit_key::last_size.eq(Some(last_size)))
        .execute(conn.get())
        .map(drop)
}

/// A batch that was taken from the published tiles, and the entries that are found again in it.
pub(super) struct Recovered {
    pub(super) batch: Batch,
    pub(super) found: Taken,
}

/// Moves the head over a recovered batch.
pub(super) fn recover(conn: &mut WriteConn<'_>, recovered: &Recovered) -> QueryResult<()> {
    take(conn, &recovered.found.places)?;
    number(conn, &recovered.found)?;
    let (conn, batch) = (conn.get(), &recovered.batch);
    diesel::update(audit_head::table.filter(audit_head::size.eq(batch.size_before)))
        .set((
            audit_head::size.eq(batch.size_after),
            audit_head::root.eq(&batch.root),
            audit_head::batch.eq(batch.batch),
            audit_head::slot.eq(batch.slot),
        ))
        .execute(conn)?;
    crate::kept!(conn, Insert<Batch>, diesel::insert_into(audit_batch::table).values(batch)).map(drop)
}
