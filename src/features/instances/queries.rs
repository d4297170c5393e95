//! Every read about servers and outages.

use diesel::dsl::max;
use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::{audit_entry, audit_search, audit_unsearched, instances, lots, outages};
use crate::features::inspection::search::names;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::limits;

/// The kind under which a server's start is on record.
pub const STARTED: &str = "platform.started";

/// Whether some server but `own` may still have a header in flight that began before `deadline`: it was heard of shortly
/// before, did not stop, and has not yet said after the deadline that nothing from before is in flight.
///
/// # Errors
/// The database's.
pub fn others_unsettled(conn: &mut Conn, own: &str, deadline: Timestamp) -> Result<bool> {
    let deadline = deadline.millis();
    let silent = instances::beat_at.lt(deadline);
    let carrying =
        instances::inflight_since.is_not_null().and(instances::inflight_since.assume_not_null().lt(deadline));
    let found: i64 = instances::table
        .filter(instances::id.ne(own))
        .filter(instances::stopped_at.is_null())
        .filter(instances::beat_at.ge(deadline - limits::INSTANCE_LIVE_MS))
        .filter(silent.or(carrying))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}

/// Whether some server said that it is ready at `deadline` or later: only then is it known whether none was before.
///
/// # Errors
/// The database's.
pub fn is_ready_since(conn: &mut Conn, deadline: Timestamp) -> Result<bool> {
    let found: i64 = instances::table.filter(instances::ready_at.ge(deadline.millis())).count().get_result(conn)?;
    Ok(found > 0)
}

/// When a server last said that it is ready.
///
/// # Errors
/// The database's.
pub fn last_ready(conn: &mut Conn) -> Result<Option<i64>> {
    Ok(instances::table.select(max(instances::ready_at)).first(conn)?)
}

/// When a server was last heard of.
///
/// # Errors
/// The database's.
pub fn last_beat(conn: &mut Conn) -> Result<Option<i64>> {
    Ok(instances::table.select(max(instances::beat_at)).first(conn)?)
}

/// Whether no server was ready for some part of the time from `from` until `until`.
///
/// # Errors
/// The database's.
pub fn was_out(conn: &mut Conn, from: Timestamp, until: Timestamp) -> Result<bool> {
    let found: i64 = outages::table
        .filter(outages::until_at.gt(from.millis()))
        .filter(outages::from_at.lt(until.millis()))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}

/// Whether some lot's deadline is near, before or after `now`: then servers beat more often.
///
/// # Errors
/// The database's.
pub fn is_deadline_near(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let from = now.millis() - limits::BEAT_AFTER_MS;
    let found: i64 = lots::table
        .filter(lots::deadline_at.between(from, now.millis() + limits::BEAT_BEFORE_MS))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}

/// The restricted part of the last start on record.
///
/// # Errors
/// The database's.
pub fn last_start(conn: &mut Conn) -> Result<Option<String>> {
    // A start that is not in the search table yet is in its queue.
    let queued: Option<(i64, String)> = audit_unsearched::table
        .inner_join(audit_entry::table.on(audit_entry::entry_id.eq(audit_unsearched::entry_id)))
        .filter(audit_entry::kind.eq(STARTED))
        .order((audit_entry::at_ms.desc(), audit_entry::entry_id.desc()))
        .select((audit_entry::at_ms, audit_entry::entry_id))
        .first(conn)
        .optional()?;
    let started = names::number(conn, STARTED)?;
    let searched: Option<(i64, String)> = audit_search::table
        .filter(audit_search::kind.nullable().eq(started))
        .order((audit_search::at_ms.desc(), audit_search::n.desc()))
        .select((audit_search::at_ms, audit_search::entry_id))
        .first(conn)
        .optional()?;
    let Some((_, last)) = queued.max(searched) else { return Ok(None) };
    Ok(audit_entry::table.find(last).select(audit_entry::part_c).first(conn).optional()?)
}
