//! Use cases of servers: to start, to say that one lives, to stop.
//!
//! Kinds and public facts on record, each entry a stream of its own: `platform.started` {instance, version,
//! clock_offset_ms}, `platform.configured` {instance, settings}, `platform.stopped` {instance}, `platform.outage` {from,
//! until, instance}, `platform.clock` {instance, clock_offset_ms, limit_ms, off}. None of them counts anything.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{Beat, InstanceRow, OutageRow};
use super::{changes, queries};
use crate::instance::Instance;
use crate::kernel::id::PlatformNoteId;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::Entry;
use crate::ledger::{Record, Result, Tx};
use crate::limits;

/// The settings of a server, by name, without their secrets.
pub type Settings = BTreeMap<String, String>;

fn note(tx: &mut Tx<'_>, record: Record) -> Result<(String, Entry)> {
    let id = PlatformNoteId::ordered(tx.now()).into_string();
    let entry = tx.note(&id, record)?;
    Ok((id, entry))
}

/// Puts on record that a server started, with which settings, and which of them differ from those of the last start.
/// `alone`: no other server can be there.
///
/// # Errors
/// The database's.
pub fn start(tx: &mut Tx<'_>, instance: &str, offset_ms: i64, settings: &Settings, alone: bool) -> Result<()> {
    let before = queries::last_start(tx.conn())?.and_then(|text| settings_of(&text));
    let record = Record::new(queries::STARTED)
        .public("instance", instance)
        .public("version", env!("CARGO_PKG_VERSION"))
        .public("clock_offset_ms", offset_ms)
        .restricted("configuration", settings);
    note(tx, record)?;
    if let Some(before) = before {
        configured(tx, instance, &before, settings)?;
    }
    let heard = queries::last_beat(tx.conn())?;
    if let Some(behind) = heard.map(|heard| tx.now().millis() - heard).filter(|ms| *ms < -limits::CLOCK_OFFSET_MS) {
        // What was on record is later than this clock: whoever reads deadlines against times must know.
        clock(tx, instance, behind, true)?;
    }
    if alone {
        let now = tx.now();
        tx.beside(|conn| changes::stop_others(conn, instance, now))?;
    }
    Ok(())
}

fn settings_of(part_c: &str) -> Option<Settings> {
    let part: Value = serde_json::from_str(part_c).ok()?;
    serde_json::from_value(part["data"]["configuration"].clone()).ok()
}

fn configured(tx: &mut Tx<'_>, instance: &str, before: &Settings, now: &Settings) -> Result<()> {
    let names = before.keys().chain(now.keys());
    let mut changed: Vec<&String> = names.filter(|name| before.get(*name) != now.get(*name)).collect();
    changed.sort();
    changed.dedup();
    if changed.is_empty() {
        return Ok(());
    }
    let values = |of: &Settings| -> Settings {
        changed.iter().filter_map(|name| Some(((*name).clone(), of.get(*name)?.clone()))).collect()
    };
    let record = Record::new("platform.configured")
        .public("instance", instance)
        .public("settings", &changed)
        .restricted("before", values(before))
        .restricted("after", values(now));
    note(tx, record).map(drop)
}

fn clock(tx: &mut Tx<'_>, instance: &str, offset_ms: i64, off: bool) -> Result<()> {
    let record = Record::new("platform.clock")
        .public("instance", instance)
        .public("clock_offset_ms", offset_ms)
        .public("limit_ms", limits::CLOCK_OFFSET_MS)
        .public("off", off);
    note(tx, record).map(drop)
}

/// Stores what a server says of itself. The first that is ready after none was puts the outage on record.
///
/// # Errors
/// The database's.
pub fn beat(tx: &mut Tx<'_>, beat: &Beat) -> Result<()> {
    if let Some(off) = beat.clock_turned {
        clock(tx, &beat.instance, beat.clock_offset_ms, off)?;
    }
    if beat.ready && !beat.unbroken {
        if let Some(from) = queries::last_ready(tx.conn())?.filter(|from| beat.at.millis() - from > limits::OUTAGE_MS) {
            outage(tx, &beat.instance, Timestamp::from_millis(from), beat.at)?;
        }
        // Only now: the rows of those that are gone tell when the outage began.
        tx.beside(|conn| changes::forget(conn, beat.at.millis() - limits::INSTANCE_KEEP_MS))?;
    }
    let row = InstanceRow {
        id: beat.instance.clone(),
        started_at: beat.started_at.millis(),
        beat_at: beat.at.millis(),
        inflight_since: beat.inflight_since.map(Timestamp::millis),
        clock_offset_ms: beat.clock_offset_ms,
        ready_at: beat.ready.then_some(beat.at.millis()),
        stopped_at: None,
    };
    tx.beside(|conn| changes::store(conn, &row))
}

fn outage(tx: &mut Tx<'_>, instance: &str, from: Timestamp, until: Timestamp) -> Result<()> {
    let record =
        Record::new("platform.outage").public("from", from).public("until", until).public("instance", instance);
    let (owner_id, _) = note(tx, record)?;
    let row = OutageRow { owner_id, owner_version: 1, from_at: from.millis(), until_at: until.millis() };
    tx.beside(|conn| changes::append_outage(conn, &row))
}

/// Puts on record that a server stopped in order: everything that it had accepted is decided.
///
/// # Errors
/// The database's.
pub fn stop(tx: &mut Tx<'_>, instance: &str, ready: bool) -> Result<()> {
    note(tx, Record::new("platform.stopped").public("instance", instance))?;
    let now = tx.now();
    tx.beside(|conn| changes::stop(conn, instance, now, ready))
}

/// Whether something may still come that was begun before `deadline`, here or at another server, or it is not known yet
/// whether the platform was up until then.
///
/// # Errors
/// The database's.
pub fn is_unsettled(tx: &mut Tx<'_>, here: &Instance, deadline: Timestamp) -> Result<bool> {
    // This process is looked at itself; the transaction sees every bid that was decided before, or is run again.
    Ok(here.flights().any_before(deadline)
        || !queries::is_ready_since(tx.conn(), deadline)?
        || queries::others_unsettled(tx.conn(), here.id(), deadline)?)
}
