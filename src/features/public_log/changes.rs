//! Writes of what is to be disclosed.
#![expect(clippy::disallowed_methods, reason = "the feature's own table, written here and nowhere else")]

use diesel::prelude::*;

use crate::db::schema::disclosures_due;
use crate::ledger::WriteConn;

/// Asks for a disclosure. One that is on its way already would not show what led to this: another takes its place.
pub(super) fn order(conn: &mut WriteConn<'_>, lot: &str) -> QueryResult<()> {
    let conn = conn.get();
    let again = diesel::update(disclosures_due::table.find(lot)).set(disclosures_due::entry_id.eq(None::<String>));
    if again.execute(conn)? == 1 {
        return Ok(());
    }
    diesel::insert_into(disclosures_due::table).values(disclosures_due::lot_id.eq(lot)).execute(conn).map(drop)
}

pub(super) fn disclosed(conn: &mut WriteConn<'_>, lot: &str, entry: &str) -> QueryResult<()> {
    diesel::update(disclosures_due::table.find(lot))
        .set(disclosures_due::entry_id.eq(entry))
        .execute(conn.get())
        .map(drop)
}

pub(super) fn proven(conn: &mut WriteConn<'_>, lot: &str, entry: &str) -> QueryResult<()> {
    let proven = disclosures_due::table.find(lot).filter(disclosures_due::entry_id.eq(entry));
    diesel::delete(proven).execute(conn.get()).map(drop)
}
