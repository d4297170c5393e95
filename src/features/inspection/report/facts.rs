//! What every section knows: the lot, its deadlines, and the names behind the ids of a page.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use serde_json::Value;

use crate::db::Conn;
use crate::db::schema::{audit_entry, organisations, users};
use crate::features::lots::model::Lot;
use crate::features::lots::queries as lots;
use crate::features::mandates::model::Matter;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::ledger::audit::EntryRow;
use crate::limits;

/// A deadline, and the entry that set it.
#[derive(Clone, Debug)]
pub struct DeadlineSet {
    /// In force from here on.
    pub since: Timestamp,
    /// The deadline.
    pub deadline: Timestamp,
    /// The entry.
    pub entry_id: String,
}

/// What every section knows of the lot.
#[derive(Debug)]
pub struct Facts {
    /// The lot.
    pub lot: Lot,
    /// For which matter the report is made.
    pub matter: Matter,
    /// It covers what was recorded up to here.
    pub as_of: Timestamp,
    /// Whether sealed entries may be shown.
    pub released: bool,
    /// The deadlines, oldest first.
    pub deadlines: Vec<DeadlineSet>,
}

impl Facts {
    /// Reads them.
    ///
    /// # Errors
    /// 404 without such a lot; the database's.
    pub fn load(conn: &mut Conn, lot_id: &str, matter: Matter, as_of: Timestamp) -> Result<Self> {
        let lot = lots::lot(conn, lot_id)?;
        let released = lot.row.unsealed_at.is_some();
        let rows: Vec<(i64, String, String)> = audit_entry::table
            .filter(audit_entry::stream.eq(lot_id))
            .order(audit_entry::rev.asc())
            .limit(limits::REPLAY_PAGE)
            .select((audit_entry::at_ms, audit_entry::entry_id, audit_entry::part_p))
            .load(conn)?;
        let mut deadlines: Vec<DeadlineSet> = Vec::new();
        for (at, entry_id, part) in rows {
            let part: Value = serde_json::from_str(&part).unwrap_or_default();
            let Some(deadline) = instant(&part["data"]["deadline_at"]) else { continue };
            if deadlines.last().is_none_or(|last| last.deadline != deadline) {
                deadlines.push(DeadlineSet { since: Timestamp::from_millis(at), deadline, entry_id });
            }
        }
        Ok(Self { lot, matter, as_of, released, deadlines })
    }

    /// The deadline in force at an instant.
    pub fn deadline_in_force(&self, at: Timestamp) -> Option<&DeadlineSet> {
        self.deadlines.iter().rev().find(|set| set.since <= at)
    }

    /// From the lot's registration to the end of what the report covers.
    pub fn lifetime(&self) -> (Timestamp, Timestamp) {
        (Timestamp::from_millis(self.lot.row.created_at), self.as_of)
    }

    /// From a day before the first deadline to an hour after the last.
    pub fn around_deadlines(&self) -> (Timestamp, Timestamp) {
        let deadlines = || self.deadlines.iter().map(|set| set.deadline.millis());
        let (first, last) = (deadlines().min(), deadlines().max());
        match (first, last) {
            (Some(first), Some(last)) => (
                Timestamp::from_millis(first - 24 * 60 * 60 * 1000),
                Timestamp::from_millis((last + 60 * 60 * 1000).min(self.as_of.millis())),
            ),
            _ => self.lifetime(),
        }
    }
}

/// An instant that an entry states.
pub fn instant(value: &Value) -> Option<Timestamp> {
    Timestamp::parse(value.as_str()?).ok()
}

/// Names of organisations and users, by id.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// Those that a page of entries speaks of.
    ///
    /// # Errors
    /// The database's.
    pub fn load(conn: &mut Conn, rows: &[EntryRow]) -> Result<Self> {
        let ids = |pick: fn(&EntryRow) -> Option<&String>| -> Vec<String> {
            rows.iter().filter_map(pick).cloned().collect::<BTreeSet<_>>().into_iter().collect()
        };
        let mut names: HashMap<String, String> = organisations::table
            .filter(organisations::id.eq_any(ids(|row| row.org_id.as_ref())))
            .select((organisations::id, organisations::name))
            .load::<(String, String)>(conn)?
            .into_iter()
            .collect();
        let logins: Vec<(String, String)> = users::table
            .filter(users::id.eq_any(ids(|row| row.actor_id.as_ref())))
            .select((users::id, users::login))
            .load(conn)?;
        names.extend(logins);
        Ok(Self(names))
    }

    /// A name; the id where there is none.
    pub fn of<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map_or(id, String::as_str)
    }
}
