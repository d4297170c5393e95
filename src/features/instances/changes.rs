//! Every write about servers: working state beside the record, and the outages that belong to entries.

use diesel::prelude::*;

use super::model::{InstanceRow, OutageRow};
use crate::db::schema::{instances, outages};
use crate::kernel::time::Timestamp;
use crate::ledger::WriteConn;

/// Stores what a server says of itself, over what it said before.
#[expect(clippy::disallowed_methods, reason = "heartbeats are working state beside the record")]
pub fn store(conn: &mut WriteConn<'_>, row: &InstanceRow) -> QueryResult<()> {
    match diesel::update(instances::table.find(&row.id)).set(row).execute(conn.get())? {
        0 => diesel::insert_into(instances::table).values(row).execute(conn.get()).map(drop),
        _ => Ok(()),
    }
}

/// Notes that a server stopped in order: nothing of it is in flight any more.
#[expect(clippy::disallowed_methods, reason = "heartbeats are working state beside the record")]
pub fn stop(conn: &mut WriteConn<'_>, id: &str, at: Timestamp, ready: bool) -> QueryResult<()> {
    let row = instances::table.find(id);
    diesel::update(row)
        .set((instances::stopped_at.eq(at.millis()), instances::inflight_since.eq(None::<i64>)))
        .execute(conn.get())?;
    if ready {
        diesel::update(row).set(instances::ready_at.eq(at.millis())).execute(conn.get())?;
    }
    Ok(())
}

/// Notes that all other servers are gone: this process has the database to itself.
#[expect(clippy::disallowed_methods, reason = "heartbeats are working state beside the record")]
pub fn stop_others(conn: &mut WriteConn<'_>, id: &str, at: Timestamp) -> QueryResult<()> {
    diesel::update(instances::table.filter(instances::id.ne(id)).filter(instances::stopped_at.is_null()))
        .set(instances::stopped_at.eq(at.millis()))
        .execute(conn.get())
        .map(drop)
}

/// Forgets servers that nothing was heard of since `before`.
#[expect(clippy::disallowed_methods, reason = "heartbeats are working state beside the record")]
pub fn forget(conn: &mut WriteConn<'_>, before: i64) -> QueryResult<()> {
    diesel::delete(instances::table.filter(instances::beat_at.lt(before))).execute(conn.get()).map(drop)
}

/// Stores an outage beside its entry.
#[expect(clippy::disallowed_methods, reason = "an append-only part of its entry, in the same commit")]
pub fn append_outage(conn: &mut WriteConn<'_>, row: &OutageRow) -> QueryResult<()> {
    diesel::insert_into(outages::table).values(row).execute(conn.get()).map(drop)
}
