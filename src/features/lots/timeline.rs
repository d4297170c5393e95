//! What happened to a lot in public, and what is due: both read from the record and the rules, never kept twice.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts;
use super::model::Lot;
use crate::db::Conn;
use crate::db::schema::audit_entry;
use crate::features::calendar;
use crate::kernel::role::Actor;
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::rules::duties;

/// A public act.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// What, as the record names it.
    pub kind: String,
}

/// Something that is due.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DueItem {
    /// By when.
    pub due_at: Timestamp,
    /// The same instant in China.
    pub due_at_local: String,
    /// What.
    pub what: Bilingual,
    /// The rule that demands it.
    pub rule: Option<String>,
}

/// The acts on the lot itself: none of them is sealed.
///
/// # Errors
/// The database's.
pub fn happened(conn: &mut Conn, lot: &Lot) -> Result<Vec<Happened>> {
    let rows: Vec<(i64, String)> = audit_entry::table
        .filter(audit_entry::stream.eq(&lot.row.id))
        .order(audit_entry::rev.asc())
        .select((audit_entry::at_ms, audit_entry::kind))
        .load(conn)?;
    Ok(rows.into_iter().map(|(at, kind)| Happened { at: Timestamp::from_millis(at), kind }).collect())
}

/// What time or the rules demand next.
///
/// # Errors
/// The database's.
pub fn due(conn: &mut Conn, lot: &Lot) -> Result<Vec<DueItem>> {
    let calendar = calendar::queries::load(conn)?;
    let facts = facts::load(conn, lot, &Actor::Nobody)?;
    let mut items: Vec<DueItem> = duties::open_duties(lot.edition, &facts, &calendar)
        .into_iter()
        .map(|duty| {
            let due_at = Timestamp::end_of(duty.due_on);
            DueItem { due_at, due_at_local: due_at.local(), what: duty.what.into(), rule: Some(duty.rule.to_string()) }
        })
        .collect();
    let scheduled = [
        (
            lot.body.schedule.deadline_at.filter(|_| lot.state.is_before_closing()),
            Bilingual::new("投标截止", "bid deadline"),
        ),
        (lot.body.schedule.opens_at.filter(|_| lot.state.is_before_closing()), Bilingual::new("开标", "opening")),
        (
            lot.body.publicity_ends_at.filter(|_| lot.state == crate::rules::machine::State::Publicity),
            Bilingual::new("公示期满", "end of the candidates' publicity"),
        ),
    ];
    for (at, what) in scheduled {
        if let Some(due_at) = at {
            items.push(DueItem { due_at, due_at_local: due_at.local(), what, rule: None });
        }
    }
    items.sort_by_key(|item| item.due_at.millis());
    Ok(items)
}
