//! Every read of accounts.

use diesel::prelude::*;

use super::model::{
    CONFIRMED, OrganisationBody, OrganisationRow, REFUSED, ServiceClientRow, SigningKeyRow, UserBody, UserRow,
};
use crate::db::Conn;
use crate::db::schema::{organisations, service_clients, sessions, signing_keys, user_secrets, users};
use crate::kernel::id::OrgId;
use crate::kernel::org_identifier::OrgIdentifier;
use crate::ledger::{Error, Result};

/// An organisation.
pub fn organisation(conn: &mut Conn, id: &str) -> Result<Option<OrganisationRow>> {
    Ok(organisations::table.find(id).select(OrganisationRow::as_select()).first(conn).optional()?)
}

/// Whether the centre has confirmed an organisation.
pub fn is_confirmed(conn: &mut Conn, id: &OrgId) -> Result<bool> {
    Ok(organisation(conn, id.as_str())?.is_some_and(|row| row.state == CONFIRMED))
}

/// The registration that has an identifier: the first that the centre has not refused.
pub fn claimant(conn: &mut Conn, identifier: &OrgIdentifier) -> Result<Option<OrganisationRow>> {
    Ok(organisations::table
        .filter(organisations::scheme.eq(identifier.scheme()))
        .filter(organisations::identifier.eq(identifier.id()))
        .filter(organisations::state.ne(REFUSED))
        .order(organisations::id.asc())
        .select(OrganisationRow::as_select())
        .first(conn)
        .optional()?)
}

/// Organisations in a state, in order of registration, after `after`.
pub fn organisations(
    conn: &mut Conn,
    state: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<OrganisationRow>> {
    let mut query = organisations::table
        .select(OrganisationRow::as_select())
        .order(organisations::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(organisations::state.eq(state.to_owned()));
    }
    if let Some(after) = after {
        query = query.filter(organisations::id.gt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// A user.
pub fn user(conn: &mut Conn, id: &str) -> Result<Option<UserRow>> {
    Ok(users::table.find(id).select(UserRow::as_select()).first(conn).optional()?)
}

/// A user by login.
pub fn user_by_login(conn: &mut Conn, login: &str) -> Result<Option<UserRow>> {
    Ok(users::table.filter(users::login.eq(login)).select(UserRow::as_select()).first(conn).optional()?)
}

/// Users in order of creation, after `after`.
pub fn users(conn: &mut Conn, after: Option<&str>, limit: i64) -> Result<Vec<UserRow>> {
    let mut query = users::table.select(UserRow::as_select()).order(users::id.asc()).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(users::id.gt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// The users of an organisation.
pub fn users_of(conn: &mut Conn, org_id: &str) -> Result<Vec<UserRow>> {
    Ok(users::table.filter(users::org_id.eq(org_id)).order(users::id.asc()).select(UserRow::as_select()).load(conn)?)
}

/// A user's password hash.
pub fn password_hash(conn: &mut Conn, user_id: &str) -> Result<Option<String>> {
    Ok(user_secrets::table.find(user_id).select(user_secrets::password_hash).first(conn).optional()?)
}

/// Whether a session is still good at `now`, epoch milliseconds.
pub fn session_is_open(conn: &mut Conn, id: &str, now: i64) -> Result<bool> {
    let found: Option<(Option<i64>, i64)> =
        sessions::table.find(id).select((sessions::ended_at, sessions::expires_at)).first(conn).optional()?;
    Ok(found.is_some_and(|(ended, expires)| ended.is_none() && now < expires))
}

/// A signing key by its key id.
pub fn signing_key(conn: &mut Conn, kid: &str) -> Result<Option<SigningKeyRow>> {
    Ok(signing_keys::table
        .filter(signing_keys::kid.eq(kid))
        .select(SigningKeyRow::as_select())
        .first(conn)
        .optional()?)
}

/// The signing keys with these key ids.
pub fn signing_keys(conn: &mut Conn, kids: &[String]) -> Result<Vec<SigningKeyRow>> {
    if kids.is_empty() {
        return Ok(Vec::new());
    }
    // Each value by itself, and not a list: SQLite prepares a statement with a list anew each time.
    let mut query = signing_keys::table.select(SigningKeyRow::as_select()).into_boxed();
    for kid in kids {
        query = query.or_filter(signing_keys::kid.eq(kid));
    }
    Ok(query.load(conn)?)
}

/// A signing key by its registration.
pub fn signing_key_by_id(conn: &mut Conn, id: &str) -> Result<Option<SigningKeyRow>> {
    Ok(signing_keys::table.find(id).select(SigningKeyRow::as_select()).first(conn).optional()?)
}

/// The signing keys of an organisation.
pub fn signing_keys_of(conn: &mut Conn, org_id: &str) -> Result<Vec<SigningKeyRow>> {
    Ok(signing_keys::table
        .filter(signing_keys::org_id.eq(org_id))
        .order(signing_keys::id.asc())
        .select(SigningKeyRow::as_select())
        .load(conn)?)
}

/// A service client.
pub fn service_client(conn: &mut Conn, id: &str) -> Result<Option<ServiceClientRow>> {
    Ok(service_clients::table.find(id).select(ServiceClientRow::as_select()).first(conn).optional()?)
}

/// The service client with this key.
pub fn service_client_by_key(conn: &mut Conn, kid: &str) -> Result<Option<ServiceClientRow>> {
    Ok(service_clients::table
        .filter(service_clients::kid.eq(kid))
        .select(ServiceClientRow::as_select())
        .first(conn)
        .optional()?)
}

/// Service clients in order of registration, after `after`: of one organisation, or all.
pub fn service_clients(
    conn: &mut Conn,
    org_id: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ServiceClientRow>> {
    let mut query = service_clients::table
        .select(ServiceClientRow::as_select())
        .order(service_clients::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(org) = org_id {
        query = query.filter(service_clients::org_id.eq(org.to_owned()));
    }
    if let Some(after) = after {
        query = query.filter(service_clients::id.gt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// Where messages to an organisation go.
pub fn email_of(conn: &mut Conn, org_id: &str) -> Result<Option<String>> {
    organisation(conn, org_id)?.map(|row| Ok(organisation_body(&row)?.email)).transpose()
}

/// What else is stored of an organisation.
pub fn organisation_body(row: &OrganisationRow) -> Result<OrganisationBody> {
    serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("organisation {}: {error}", row.id)))
}

/// What else is stored of a user.
pub fn user_body(row: &UserRow) -> Result<UserBody> {
    serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("user {}: {error}", row.id)))
}

/// Whether anybody is an administrator.
pub fn any_admin(conn: &mut Conn) -> Result<bool> {
    Ok(users::table.filter(users::roles.like("%admin%")).count().get_result::<i64>(conn)? > 0)
}
