//! Every write of damages: working state beside the record, which tells itself what was found and mended.

use diesel::prelude::*;

use super::model::DamageRow;
use crate::db::schema::damages;
use crate::ledger::WriteConn;

/// Notes what of an upload is damaged, in place of what was noted before.
#[expect(clippy::disallowed_methods, reason = "damages are working state beside the record")]
pub fn store(conn: &mut WriteConn<'_>, row: &DamageRow) -> QueryResult<()> {
    let conn = conn.get();
    match diesel::update(damages::table.find(&row.upload_id)).set(row).execute(conn)? {
        0 => diesel::insert_into(damages::table).values(row).execute(conn).map(drop),
        _ => Ok(()),
    }
}

/// Nothing of an upload is damaged any more, or nobody can mend it any more.
#[expect(clippy::disallowed_methods, reason = "damages are working state beside the record")]
pub fn remove(conn: &mut WriteConn<'_>, upload_id: &str) -> QueryResult<()> {
    diesel::delete(damages::table.find(upload_id)).execute(conn.get()).map(drop)
}
