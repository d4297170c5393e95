//! Service clients: the software of an organisation, which signs in with a key instead of a password.
//!
//! Promises: a client never has more roles than people of its organisation have at that moment, and none but bidder and
//! initiator; an assertion is good once; the record names the client as the actor. People register and revoke clients;
//! software does not.

use diesel::prelude::*;

use super::assertion::{Assertion, Passed};
use super::changes;
use super::model::{
    ACTIVE, REFUSED, REVOKED, ServiceClient, ServiceClientBody, ServiceClientRow, roles_of, roles_text,
};
use super::ops::check_text;
use super::queries;
use super::signing_keys::ProvenKey;
use crate::app::App;
use crate::db::Conn;
use crate::db::schema::used_assertions;
use crate::kernel::digest::sha256;
use crate::kernel::id::{ClientId, OrgId, UserId};
use crate::kernel::role::Role;
use crate::ledger::{Context, Error, Record, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::seal::keys::VerifyingKey;

/// `typ` of the proof of possession of a client's key.
pub const PROOF_TYP: &str = "sealbid-client-proof+jws";
/// What software may be.
const POSSIBLE: [Role; 2] = [Role::Initiator, Role::Bidder];

/// The roles that active people of an organisation have, of those that software may have.
fn roles_in(conn: &mut Conn, org: &str) -> Result<Vec<Role>> {
    let people = queries::users_of(conn, org)?;
    let has = |role: &Role| people.iter().any(|row| row.state == ACTIVE && roles_of(&row.roles).contains(role));
    Ok(POSSIBLE.into_iter().filter(has).collect())
}

/// Registers the holder of a proven key as software of an organisation.
///
/// # Errors
/// 422 for a name or roles that are not possible; 409 when the key is registered already, or there are too many.
pub fn register(
    tx: &mut Tx<'_>,
    by: &UserId,
    org: &OrgId,
    name: &str,
    roles: &[Role],
    key: &ProvenKey,
) -> Result<ServiceClient> {
    check_text("name", name, limits::NAME_LEN)?;
    let organisation = queries::organisation(tx.conn(), org.as_str())?.ok_or_else(refusals::not_found)?;
    let possible = roles_in(tx.conn(), org.as_str())?;
    if roles.is_empty() || !roles.iter().all(|role| possible.contains(role)) {
        return Err(refusals::body_invalid(
            "roles: one or more of bidder and initiator, each of which somebody of the organisation has",
        )
        .into());
    }
    // A key has one purpose: who may sign in with it must not be able to sign bids, and the other way round.
    if queries::service_client_by_key(tx.conn(), &key.kid)?.is_some()
        || queries::signing_key(tx.conn(), &key.kid)?.is_some()
    {
        return Err(refusals::taken("该公钥", "This key").into());
    }
    let active = queries::service_clients(tx.conn(), Some(org.as_str()), None, i64::MAX)?;
    if active.iter().filter(|row| row.state == ACTIVE).count() >= limits::SERVICE_CLIENTS {
        return Err(refusals::state_forbids(
            "贵单位的服务客户端已达上限,请先撤销不用的。",
            "Your organisation has as many service clients as it may; revoke one that is not used.",
        )
        .into());
    }
    let body = ServiceClientBody { name: name.to_owned(), registered_by: by.to_string() };
    let row = ServiceClientRow {
        id: ClientId::ordered(tx.now()).into_string(),
        version: 0,
        state: ACTIVE.into(),
        kid: key.kid.clone(),
        org_id: organisation.id.clone(),
        roles: roles_text(roles),
        alg: key.alg.clone(),
        public_key: key.public_key.clone(),
        body: serde_json::to_string(&body).map_err(|error| Error::internal(error.to_string()))?,
    };
    let record = Record::new("service_client.registered")
        .org(organisation.id)
        .public("kid", &key.kid)
        .public("alg", &key.alg)
        .restricted("roles", &row.roles)
        .restricted("name", name);
    view(&tx.insert(row, record)?.0)
}

/// Revokes a client: it gets no new token, and what it has ends within 15 minutes.
///
/// # Errors
/// 404 for a client of others; 409 when it is revoked already.
pub fn revoke(tx: &mut Tx<'_>, id: &str, org: Option<&OrgId>) -> Result<ServiceClient> {
    let row = queries::service_client(tx.conn(), id)?
        .filter(|row| org.is_none_or(|org| row.org_id == org.as_str()))
        .ok_or_else(refusals::not_found)?;
    if row.state == REVOKED {
        return Err(refusals::state_forbids("该服务客户端已撤销。", "The client is revoked already.").into());
    }
    let new = ServiceClientRow { state: REVOKED.into(), ..row.clone() };
    let record = Record::new("service_client.revoked").org(row.org_id.clone()).public("kid", &row.kid);
    view(&tx.update(&row, new, record)?.0)
}

/// A client as the API shows it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn view(row: &ServiceClientRow) -> Result<ServiceClient> {
    let damaged = |error: &dyn std::fmt::Display| Error::damaged(format!("service client {}: {error}", row.id));
    let body: ServiceClientBody = serde_json::from_str(&row.body).map_err(|error| damaged(&error))?;
    Ok(ServiceClient {
        id: ClientId::parse(&row.id).map_err(|error| damaged(&error))?,
        state: row.state.clone(),
        name: body.name,
        org_id: OrgId::parse(&row.org_id).map_err(|error| damaged(&error))?,
        roles: roles_of(&row.roles),
        kid: row.kid.clone(),
        alg: row.alg.clone(),
        public_key: row.public_key.clone(),
    })
}

/// Software that has shown who it is.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The client.
    pub client: ServiceClient,
    /// What it may be now.
    pub roles: Vec<Role>,
}

/// Lets software in that shows an assertion, for all of its roles or for those of `scope`.
///
/// # Errors
/// `client-assertion-invalid`, saying what does not fit; `scope-invalid`.
pub async fn sign_in(app: &App, assertion: &str, scope: Option<&str>, context: Context) -> Result<SignedIn> {
    let read = Assertion::read(assertion).map_err(refusals::client_assertion_invalid)?;
    let id = read.client().to_owned();
    let row = app.reader.read(move |conn| queries::service_client(conn, &id)).await?;
    // Deliberately the same for a client that never was and one that is revoked.
    let unknown = || refusals::client_assertion_invalid("no active client has this id");
    let row = row.filter(|row| row.state == ACTIVE).ok_or_else(unknown)?;
    let key = VerifyingKey::parse(&row.alg, &row.public_key)
        .map_err(|error| Error::damaged(format!("service client {}: {}", row.id, error.reason())))?;
    let base = &app.config.server.public_url;
    let audiences = [base.clone(), format!("{base}/v1/oauth/token")];
    let passed = read.check(&key, &audiences, context.received_at).map_err(refusals::client_assertion_invalid)?;
    let roles = app.ledger.commit_beside(context, {
        let row = row.clone();
        move |tx| let_in(tx, &row, &passed)
    });
    Ok(SignedIn { roles: narrowed(&roles.await?, scope)?, client: view(&row)? })
}

/// Uses an assertion up and says what its client may be.
fn let_in(tx: &mut Tx<'_>, row: &ServiceClientRow, passed: &Passed) -> Result<Vec<Role>> {
    let refuse = refusals::client_assertion_invalid;
    let jti_hash = sha256(passed.jti.as_bytes()).to_string();
    let used: Option<i64> = used_assertions::table
        .find((&row.id, &jti_hash))
        .select(used_assertions::expires_at)
        .first(tx.conn())
        .optional()?;
    if used.is_some() {
        return Err(refuse("this jti was used before; each assertion is good once").into());
    }
    let active = queries::service_client(tx.conn(), &row.id)?.is_some_and(|row| row.state == ACTIVE);
    let organisation = queries::organisation(tx.conn(), &row.org_id)?.is_some_and(|org| org.state != REFUSED);
    let possible = roles_in(tx.conn(), &row.org_id)?;
    let roles: Vec<Role> = roles_of(&row.roles).into_iter().filter(|role| possible.contains(role)).collect();
    if !active || !organisation || roles.is_empty() {
        return Err(refuse("no active client has this id, or nobody of its organisation has its roles any more").into());
    }
    tx.beside(|conn| changes::use_assertion(conn, &row.id, &jti_hash, passed.expires))?;
    Ok(roles)
}

/// The roles of a scope: names separated by spaces, each among `roles`.
fn narrowed(roles: &[Role], scope: Option<&str>) -> Result<Vec<Role>> {
    let Some(scope) = scope.filter(|scope| !scope.trim().is_empty()) else { return Ok(roles.to_vec()) };
    let wanted = |name: &str| Role::parse(name).filter(|role| roles.contains(role)).ok_or_else(refusals::scope_invalid);
    scope.split_whitespace().map(|name| wanted(name).map_err(Error::from)).collect()
}

/// Forgets assertions that have ended and could not be used again anyway.
///
/// # Errors
/// The database's.
pub fn forget_ended(tx: &mut Tx<'_>) -> Result<()> {
    let now = tx.now();
    tx.beside(|conn| changes::forget_assertions(conn, now))
}
