//! Every write of ceremonies.

use diesel::prelude::*;

use super::model::{BackupRow, CeremonyRow, MessageRow};
use crate::db::schema::{ceremony_messages, share_backups};
use crate::ledger::WriteConn;

crate::subject!(CeremonyRow, ceremonies);

/// Stores a message of the version of a ceremony that this commit makes.
#[expect(clippy::disallowed_methods, reason = "messages are a part of the ceremony's version, which is on record")]
pub fn store_message(conn: &mut WriteConn<'_>, row: &MessageRow) -> QueryResult<()> {
    diesel::insert_into(ceremony_messages::table).values(row).execute(conn.get()).map(drop)
}

/// Stores a member's sealed share.
#[expect(clippy::disallowed_methods, reason = "backups are a part of the ceremony's version, which is on record")]
pub fn store_backup(conn: &mut WriteConn<'_>, row: &BackupRow) -> QueryResult<()> {
    diesel::insert_into(share_backups::table).values(row).execute(conn.get()).map(drop)
}
