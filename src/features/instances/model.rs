//! Servers and outages, as stored.

use diesel::prelude::*;

use crate::db::schema::{instances, outages};
use crate::kernel::time::Timestamp;

/// A row of `instances`: what a server last said. Working state, not on record.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = instances, treat_none_as_default_value = false)]
pub struct InstanceRow {
    /// The server's process.
    pub id: String,
    /// When it started, epoch milliseconds.
    pub started_at: i64,
    /// When it looked at itself, epoch milliseconds by its own time.
    pub beat_at: i64,
    /// When the earliest header that it then had in flight began.
    #[diesel(treat_none_as_null = true)]
    pub inflight_since: Option<i64>,
    /// How far ahead its clock was, in milliseconds.
    pub clock_offset_ms: i64,
    /// When it last said that it is ready; kept when it is not.
    pub ready_at: Option<i64>,
    /// When it stopped in order.
    pub stopped_at: Option<i64>,
}

/// A row of `outages`: no server was ready in between. Part of the entry `platform.outage`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = outages, treat_none_as_default_value = false)]
pub struct OutageRow {
    /// The entry's stream.
    pub owner_id: String,
    /// Its revision.
    pub owner_version: i64,
    /// The last that was heard of a ready server, epoch milliseconds.
    pub from_at: i64,
    /// The first that was heard of one again, epoch milliseconds.
    pub until_at: i64,
}

/// What a server says of itself.
#[derive(Clone, Debug)]
pub struct Beat {
    /// Its name.
    pub instance: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it looked.
    pub at: Timestamp,
    /// When the earliest header in flight began.
    pub inflight_since: Option<Timestamp>,
    /// How far ahead its clock was, in milliseconds.
    pub clock_offset_ms: i64,
    /// Whether it takes bids.
    pub ready: bool,
    /// Whether it was there all the time since it last said ready.
    pub unbroken: bool,
    /// Whether its clock is off, where the record does not say so yet, or still says so.
    pub clock_turned: Option<bool>,
}
