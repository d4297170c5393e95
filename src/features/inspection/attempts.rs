//! Denied attempts on record: what a signed-in caller was told that it may not do, or may not know of.
//!
//! Invariant: an attempt at something sealed is itself sealed until its lot is released, and so is whatever somebody who is
//! no staff tries with a lot. An attempt at nothing leaves no trace: there was nothing to protect, and a trace that is
//! there or not would tell which. Bounded for each user and hour, so that nobody can fill the record.

use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::{audit_entry, bids, documents, lots, questions, uploads};
use crate::kernel::id::gathering;
use crate::ledger::{Record, Result, Tx};
use crate::limits;

/// The kind under which a denied attempt is on record.
pub const DENIED: &str = "access.denied";

/// Places in a path whose ids are secret before the opening: whether there is such a thing must not show.
const SECRET: &[&str] = &["bid", "upload", "entry"];

/// What was tried.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Method and path pattern: the operation, as the permission table names it.
    pub operation: String,
    /// The status of the answer: 403 or 404.
    pub status: u16,
    /// Whether the operation touches sealed facts.
    pub sealed_route: bool,
    /// Whether the caller is more than a bidder.
    pub by_staff: bool,
    /// The ids in the path, by the name of their place.
    pub ids: Vec<(String, String)>,
}

impl Attempt {
    /// Whether it was at something whose very existence is secret before the opening.
    pub fn is_secret(&self) -> bool {
        self.sealed_route || self.ids.iter().any(|(name, _)| SECRET.contains(&name.as_str()))
    }
}

/// Puts a denied attempt of the caller on record.
///
/// # Errors
/// The database's.
pub fn denied(tx: &mut Tx<'_>, attempt: &Attempt) -> Result<()> {
    let lot = lot_of(tx.conn(), &attempt.ids)?;
    let secret = attempt.is_secret();
    if lot.is_none() && (secret || attempt.status == 404) {
        return Ok(());
    }
    let sealed = lot.is_some() && (secret || !attempt.by_staff);
    let user = tx.context().actor_id.clone().unwrap_or_default();
    let hour = tx.now().hour().to_string();
    // What is sealed has a stream for each lot: the revision of what is open must not count it.
    let of = if sealed { lot.clone().unwrap_or_default() } else { String::new() };
    let ids: serde_json::Map<String, serde_json::Value> =
        attempt.ids.iter().map(|(name, id)| (name.clone(), id.chars().take(64).collect::<String>().into())).collect();
    let mut record = Record::new(DENIED)
        .restricted("operation", &attempt.operation)
        .restricted("status", attempt.status)
        .restricted("ids", ids);
    if let Some(lot) = lot {
        record = record.lot(lot);
    }
    if sealed {
        record = record.sealed();
    }
    tx.note_in(&gathering("den", &[&user, &hour, &of]), limits::DENIALS, record).map(drop)
}

/// The lot that a path is about, if there is such a thing.
fn lot_of(conn: &mut Conn, ids: &[(String, String)]) -> Result<Option<String>> {
    macro_rules! lot_id {
        ($table:ident, $key:ident, $id:expr) => {
            $table::table
                .filter($table::$key.eq($id))
                .select($table::lot_id.nullable())
                .first(conn)
                .optional()?
                .flatten()
        };
    }
    for (name, id) in ids {
        let found: Option<String> = match name.as_str() {
            "lot" => lots::table.find(id).select(lots::id).first(conn).optional()?,
            "bid" => lot_id!(bids, id, id),
            "upload" => lot_id!(uploads, id, id),
            "document" => lot_id!(documents, id, id),
            "question" => lot_id!(questions, id, id),
            "entry" => lot_id!(audit_entry, entry_id, id),
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
