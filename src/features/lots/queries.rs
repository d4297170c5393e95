//! Every read of lots.

use diesel::prelude::*;

use super::model::{Lot, LotRow};
use crate::db::Conn;
use crate::db::schema::lots;
use crate::kernel::time::Timestamp;
use crate::ledger::Result;
use crate::refusals;
use crate::rules::machine::State;

/// A lot.
///
/// # Errors
/// 404 when there is none.
pub fn lot(conn: &mut Conn, id: &str) -> Result<Lot> {
    let row = lots::table.find(id).select(LotRow::as_select()).first(conn).optional()?;
    Lot::read(row.ok_or_else(refusals::not_found)?)
}

/// Whether another lot repeats this one.
pub fn is_retendered(conn: &mut Conn, id: &str) -> Result<bool> {
    let count: i64 = lots::table.filter(lots::previous_lot_id.eq(id)).count().get_result(conn)?;
    Ok(count > 0)
}

/// Ids of lots for which something is due at `now`, epoch milliseconds, longest due first.
pub fn due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<String>> {
    Ok(lots::table.filter(lots::due_at.le(now)).order(lots::due_at.asc()).limit(limit).select(lots::id).load(conn)?)
}

/// Which lots a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<String>,
    /// Of this category.
    pub category: Option<String>,
    /// Of this project.
    pub project_id: Option<String>,
    /// Also lots before their notice: of this initiator, or all of them.
    pub unpublished: Unpublished,
    /// After this (created_at, id).
    pub after: Option<(i64, String)>,
}

/// Which lots before their notice a caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unpublished {
    /// None.
    #[default]
    None,
    /// Those of this initiator.
    Own(String),
    /// All.
    All,
}

/// The states in which a lot is public.
pub fn public_states() -> Vec<&'static str> {
    State::ALL.iter().filter(|state| is_public(**state)).map(|state| state.name()).collect()
}

/// Whether everybody may see a lot in this state; a lot that ended before its notice never had one.
pub fn is_public(state: State) -> bool {
    !matches!(state, State::Draft | State::Registering | State::Registered)
}

/// Lots, newest first.
pub fn lots(conn: &mut Conn, filter: &Filter, limit: i64) -> Result<Vec<Lot>> {
    let mut query = lots::table
        .select(LotRow::as_select())
        .order((lots::created_at.desc(), lots::id.desc()))
        .limit(limit)
        .into_boxed();
    match &filter.unpublished {
        Unpublished::None => query = query.filter(lots::state.eq_any(public_states())),
        Unpublished::Own(org) => {
            query = query.filter(lots::state.eq_any(public_states()).or(lots::org_id.eq(org.clone())))
        }
        Unpublished::All => {}
    }
    if let Some(state) = &filter.state {
        query = query.filter(lots::state.eq(state.clone()));
    }
    if let Some(category) = &filter.category {
        query = query.filter(lots::category.eq(category.clone()));
    }
    if let Some(project) = &filter.project_id {
        query = query.filter(lots::project_id.eq(project.clone()));
    }
    if let Some(place) = filter.after.clone() {
        query = crate::beyond!(query, lots::created_at, lots::id, place, older);
    }
    query.load(conn)?.into_iter().map(Lot::read).collect()
}

/// Lots that wait for the centre, oldest first.
pub fn reviews(conn: &mut Conn, after: Option<&str>, limit: i64) -> Result<Vec<Lot>> {
    let mut query = lots::table
        .filter(lots::state.eq(State::Registering.name()))
        .select(LotRow::as_select())
        .order(lots::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(lots::id.gt(after.to_owned()));
    }
    query.load(conn)?.into_iter().map(Lot::read).collect()
}

/// The deadline in force of a lot that everybody may see.
///
/// # Errors
/// 404 for any other lot.
pub fn public_deadline(conn: &mut Conn, id: &str) -> Result<Timestamp> {
    let lot = lot(conn, id)?;
    lot.deadline_at().filter(|_| is_public(lot.state)).ok_or_else(|| refusals::not_found().into())
}
