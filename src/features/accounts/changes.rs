//! Every write of accounts: four subjects, and the secrets and sessions beside them.

use diesel::prelude::*;

use super::model::{OrganisationRow, ServiceClientRow, SigningKeyRow, UserRow};
use crate::db::schema::{refresh_tokens, reset_tokens, sessions, used_assertions, user_secrets};
use crate::kernel::time::Timestamp;
use crate::ledger::WriteConn;

crate::subject!(OrganisationRow, organisations);
crate::subject!(UserRow, users);
crate::subject!(SigningKeyRow, signing_keys);
crate::subject!(ServiceClientRow, service_clients);

/// A row of `refresh_tokens`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub struct RefreshRow {
    /// SHA-256 of the token, hex.
    pub hash: String,
    /// Its session.
    pub session_id: String,
    /// When it was given out.
    pub issued_at: i64,
    /// When it was first used.
    pub used_at: Option<i64>,
    /// The token given for it, encrypted.
    pub successor: Option<String>,
    /// Not good from here on.
    pub expires_at: i64,
}

/// Sets a user's password; whoever knew the old one is signed out.
#[expect(clippy::disallowed_methods, reason = "password hashes are kept beside the record, so that they can be erased")]
pub fn set_password(conn: &mut WriteConn<'_>, user_id: &str, hash: &str, now: Timestamp) -> QueryResult<()> {
    let conn = conn.get();
    let changed = diesel::update(user_secrets::table.find(user_id))
        .set((user_secrets::password_hash.eq(hash), user_secrets::changed_at.eq(now.millis())))
        .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(user_secrets::table)
            .values((
                user_secrets::user_id.eq(user_id),
                user_secrets::password_hash.eq(hash),
                user_secrets::changed_at.eq(now.millis()),
            ))
            .execute(conn)?;
    }
    end_sessions_of(conn, user_id, now)
}

/// Ends every session of a user.
#[expect(clippy::disallowed_methods, reason = "sessions are working state beside the record")]
pub fn end_sessions_of(conn: &mut crate::db::Conn, user_id: &str, now: Timestamp) -> QueryResult<()> {
    diesel::update(sessions::table.filter(sessions::user_id.eq(user_id)).filter(sessions::ended_at.is_null()))
        .set(sessions::ended_at.eq(now.millis()))
        .execute(conn)
        .map(drop)
}

/// Starts a session with its first refresh token.
#[expect(clippy::disallowed_methods, reason = "sessions are working state beside the record")]
pub fn start_session(
    conn: &mut WriteConn<'_>,
    id: &str,
    user_id: &str,
    expires: Timestamp,
    token: &RefreshRow,
) -> QueryResult<()> {
    let conn = conn.get();
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(id),
            sessions::user_id.eq(user_id),
            sessions::started_at.eq(token.issued_at),
            sessions::expires_at.eq(expires.millis()),
        ))
        .execute(conn)?;
    diesel::insert_into(refresh_tokens::table).values(token).execute(conn).map(drop)
}

/// Replaces a refresh token by its successor.
#[expect(clippy::disallowed_methods, reason = "sessions are working state beside the record")]
pub fn rotate(conn: &mut WriteConn<'_>, used: &str, sealed_successor: &str, successor: &RefreshRow) -> QueryResult<()> {
    let conn = conn.get();
    diesel::update(refresh_tokens::table.find(used))
        .set((refresh_tokens::used_at.eq(successor.issued_at), refresh_tokens::successor.eq(sealed_successor)))
        .execute(conn)?;
    diesel::insert_into(refresh_tokens::table).values(successor).execute(conn).map(drop)
}

/// Ends one session.
#[expect(clippy::disallowed_methods, reason = "sessions are working state beside the record")]
pub fn end_session(conn: &mut WriteConn<'_>, id: &str, now: Timestamp) -> QueryResult<()> {
    diesel::update(sessions::table.find(id)).set(sessions::ended_at.eq(now.millis())).execute(conn.get()).map(drop)
}

/// Stores a one-time token; earlier ones of the same user stop working.
#[expect(clippy::disallowed_methods, reason = "one-time tokens are working state beside the record")]
pub fn store_reset(conn: &mut WriteConn<'_>, user_id: &str, hash: &str, expires: Timestamp) -> QueryResult<()> {
    let conn = conn.get();
    diesel::delete(reset_tokens::table.filter(reset_tokens::user_id.eq(user_id))).execute(conn)?;
    diesel::insert_into(reset_tokens::table)
        .values((
            reset_tokens::hash.eq(hash),
            reset_tokens::user_id.eq(user_id),
            reset_tokens::expires_at.eq(expires.millis()),
        ))
        .execute(conn)
        .map(drop)
}

/// Marks a one-time token used.
#[expect(clippy::disallowed_methods, reason = "one-time tokens are working state beside the record")]
pub fn use_reset(conn: &mut WriteConn<'_>, hash: &str, now: Timestamp) -> QueryResult<()> {
    diesel::update(reset_tokens::table.find(hash))
        .set(reset_tokens::used_at.eq(now.millis()))
        .execute(conn.get())
        .map(drop)
}

/// Remembers that an assertion was used, until it has ended.
#[expect(clippy::disallowed_methods, reason = "used assertions are working state beside the record")]
pub fn use_assertion(conn: &mut WriteConn<'_>, client: &str, jti_hash: &str, expires: Timestamp) -> QueryResult<()> {
    diesel::insert_into(used_assertions::table)
        .values((
            used_assertions::client_id.eq(client),
            used_assertions::jti_hash.eq(jti_hash),
            used_assertions::expires_at.eq(expires.millis()),
        ))
        .execute(conn.get())
        .map(drop)
}

/// Forgets assertions that have ended.
#[expect(clippy::disallowed_methods, reason = "used assertions are working state beside the record")]
pub fn forget_assertions(conn: &mut WriteConn<'_>, now: Timestamp) -> QueryResult<()> {
    diesel::delete(used_assertions::table.filter(used_assertions::expires_at.le(now.millis())))
        .execute(conn.get())
        .map(drop)
}
