//! Every write of key sets: the subject, and the wrapped private key beside it, which can be erased.

use diesel::prelude::*;

use super::model::KeySetRow;
use crate::db::schema::key_secrets;
use crate::ledger::WriteConn;

crate::subject!(KeySetRow, key_sets);

/// Stores a wrapped private key.
#[expect(clippy::disallowed_methods, reason = "private keys are kept beside the record, so that they can be erased")]
pub fn store_secret(conn: &mut WriteConn<'_>, kid: &str, wrapped: &[u8]) -> QueryResult<()> {
    diesel::insert_into(key_secrets::table)
        .values((key_secrets::kid.eq(kid), key_secrets::wrapped.eq(wrapped.to_vec())))
        .execute(conn.get())
        .map(drop)
}

/// Erases a wrapped private key.
#[expect(clippy::disallowed_methods, reason = "private keys are kept beside the record, so that they can be erased")]
pub fn erase_secret(conn: &mut WriteConn<'_>, kid: &str) -> QueryResult<()> {
    diesel::delete(key_secrets::table.find(kid)).execute(conn.get()).map(drop)
}

/// Replaces a wrapped private key by the same key wrapped anew.
#[expect(clippy::disallowed_methods, reason = "rewrapping changes how a key is stored, not the key")]
pub fn replace_secret(conn: &mut WriteConn<'_>, kid: &str, wrapped: &[u8]) -> QueryResult<()> {
    diesel::update(key_secrets::table.find(kid))
        .set(key_secrets::wrapped.eq(wrapped.to_vec()))
        .execute(conn.get())
        .map(drop)
}
