//! Routes of organisations and users; of signing in and signing keys in [`signing_in`], of service clients in
//! [`software`].

mod signing_in;
mod software;

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{CONFIRMED, Organisation, ServiceClient, User};
use super::ops::{self, NewPerson, Registered};
use super::{passwords, queries, service_clients};
use crate::app::App;
use crate::http::cursor;
use crate::http::extract::{Body, Caller, IdempotencyKey, Meta, PageQuery};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::kernel::id::OrgId;
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::role::Role;
use crate::kernel::secret::Secret;
use crate::kernel::time::Timestamp;
use crate::ledger::{Context, Error, Lane};
use crate::limits;
use crate::refusals;

pub use signing_in::*;
pub use software::*;

/// A self-registration.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    /// Its identifier; `CN-USCC` is checked.
    pub identifier: OrgIdentifier,
    /// Its name.
    pub name: String,
    /// `bidder` or `initiator`.
    pub role: Role,
    /// Its first user.
    pub user: NewPerson,
    /// The user's password, 12 to 256 characters.
    pub password: String,
}

/// Why the centre decides so.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why.
    pub reason: String,
}

/// A new user, made by an administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The person.
    pub user: NewPerson,
    /// Roles.
    pub roles: Vec<Role>,
    /// The organisation; or give `organisation`.
    #[serde(default)]
    pub org_id: Option<OrgId>,
    /// A new organisation, confirmed at once: for the centre, inspectorates and the like.
    #[serde(default)]
    pub organisation: Option<NewOrganisationOfUser>,
}

/// An organisation that an administrator vouches for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisationOfUser {
    /// Its identifier.
    pub identifier: OrgIdentifier,
    /// Its name.
    pub name: String,
}

/// Which roles.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// Roles.
    pub roles: Vec<Role>,
}

/// A one-time token: shown once.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ResetToken {
    /// The token.
    pub token: String,
}

/// `?state=`.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrganisationQuery {
    /// `pending`, `confirmed` or `refused`.
    pub state: Option<String>,
    /// At most this many, 1 to 100.
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<String>,
}

/// An organisation's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OrgPath {
    /// The organisation.
    pub org: String,
}

/// A user's id in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// The user.
    pub user: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Me {
    /// A person.
    Person(User),
    /// Software.
    Software(ServiceClient),
}

/// Somebody who has no account yet, as the record names it.
fn nobody(meta: &Meta, received_at: Timestamp) -> Context {
    Context {
        actor_id: None,
        org_id: None,
        role: "nobody",
        received_at,
        request_id: meta.request_id.clone(),
        ip: meta.ip(),
        agent: meta.agent.clone(),
        lane: Lane::General,
        pass: None,
    }
}

/// Registers an organisation with its first user.
///
/// Anybody may. The organisation can act once the trading centre has confirmed it. An identifier belongs to the first
/// registration; a second one is refused, recorded, and shown to both.
#[utoipa::path(tag = "accounts", operation_id = "register_organisation", request_body = NewOrganisation, params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = Organisation, description = "Registered; the centre will confirm it."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Login or identifier taken.")))]
#[post("/v1/organisations")]
pub async fn register_organisation(
    app: web::Data<App>,
    meta: Meta,
    key: IdempotencyKey,
    body: Body<NewOrganisation>,
) -> Result<HttpResponse, Error> {
    let new = body.value;
    ops::check_person(&new.user)?;
    ops::check_text("name", &new.name, limits::NAME_LEN)?;
    passwords::check_form(&new.password)?;
    if !matches!(new.role, Role::Bidder | Role::Initiator) {
        return Err(refusals::body_invalid("role: bidder or initiator").into());
    }
    let hash = passwords::hash(&app, Secret::new(new.password)).await?;
    let context = nobody(&meta, body.received_at);
    let (identifier, name, person, role) = (new.identifier, new.name, new.user, new.role);
    let answer = app
        .ledger
        .commit_once(context, key.of_nobody(body.hash), move |tx| {
            ops::register_organisation(tx, &identifier, &name, &person, role, &hash)
        })
        .await?;
    match answer.value {
        Registered::Pending(org) => {
            let location = format!("/v1/organisations/{}", org.id);
            Ok(reply::created(&crate::ledger::Answer { value: org, replayed: answer.replayed }, &location))
        }
        Registered::Claimed => Err(refusals::identifier_claimed().into()),
    }
}

/// Lists organisations.
#[utoipa::path(tag = "accounts", operation_id = "list_organisations", params(OrganisationQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<Organisation>, description = "A page.")))]
#[get("/v1/organisations")]
pub async fn list_organisations(
    app: web::Data<App>,
    _caller: Caller,
    query: web::Query<OrganisationQuery>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let size = PageQuery { limit: query.limit, after: None }.size()?;
    let after = query
        .after
        .as_deref()
        .map(|text| cursor::open(&app.keys, "organisations", text))
        .transpose()?
        .map(|(_, id)| id);
    let rows = app
        .reader
        .read(move |conn| queries::organisations(conn, query.state.as_deref(), after.as_deref(), size))
        .await?;
    let next = cursor::next(&app.keys, "organisations", rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(ops::organisation_view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// Shows an organisation.
///
/// Names of organisations are public to signed-in users; that one takes part in a procedure never shows here.
#[utoipa::path(tag = "accounts", operation_id = "get_organisation", params(OrgPath), security(("bearer" = [])),
    responses((status = 200, body = Organisation, description = "The organisation.")))]
#[get("/v1/organisations/{org}")]
pub async fn get_organisation(
    app: web::Data<App>,
    _caller: Caller,
    path: web::Path<OrgPath>,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().org;
    let row = app.reader.read(move |conn| queries::organisation(conn, &id)).await?.ok_or_else(refusals::not_found)?;
    Ok(reply::versioned(&ops::organisation_view(&row)?, row.version))
}

/// Confirms a registration.
///
/// The trading centre has looked at the organisation's papers; from now on it may bid or start procedures.
#[utoipa::path(tag = "accounts", operation_id = "confirm_organisation", params(OrgPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = Organisation, description = "Confirmed."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Decided already.")))]
#[post("/v1/organisations/{org}/actions/confirm")]
pub async fn confirm_organisation(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<OrgPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().org;
    let hash = crate::kernel::digest::sha256(format!("confirm {id}").as_bytes());
    let context = caller.context(caller.meta.started_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, hash), move |tx| ops::decide_organisation(tx, &id, true, None))
        .await?;
    Ok(reply::done(&answer))
}

/// Refuses a registration.
#[utoipa::path(tag = "accounts", operation_id = "refuse_organisation", params(OrgPath, ("Idempotency-Key" = String, Header)), request_body = Reason, security(("bearer" = [])),
    responses((status = 200, body = Organisation, description = "Refused."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Decided already.")))]
#[post("/v1/organisations/{org}/actions/refuse")]
pub async fn refuse_organisation(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<OrgPath>,
    key: IdempotencyKey,
    body: Body<Reason>,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().org;
    let reason = body.value.reason;
    ops::check_text("reason", &reason, limits::TEXT_LEN)?;
    let context = caller.context(body.received_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| {
            ops::decide_organisation(tx, &id, false, Some(&reason))
        })
        .await?;
    Ok(reply::done(&answer))
}

/// Makes a user.
///
/// For administrators: staff of the centre, inspectors, further users of an organisation. The user sets a password with
/// a one-time token (`reset_password`).
#[utoipa::path(tag = "accounts", operation_id = "create_user", params(("Idempotency-Key" = String, Header)), request_body = NewUser, security(("bearer" = [])),
    responses((status = 201, body = User, description = "Made."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Login or identifier taken.")))]
#[post("/v1/users")]
pub async fn create_user(
    app: web::Data<App>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewUser>,
) -> Result<HttpResponse, Error> {
    let new = body.value;
    ops::check_person(&new.user)?;
    if new.roles.is_empty() || new.org_id.is_some() == new.organisation.is_some() {
        return Err(refusals::body_invalid("roles: at least one; and exactly one of org_id and organisation").into());
    }
    let context = caller.context(body.received_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| {
            let org_id = match (&new.org_id, &new.organisation) {
                (Some(id), _) => queries::organisation(tx.conn(), id.as_str())?.ok_or_else(refusals::not_found)?.id,
                (None, Some(org)) => {
                    if queries::claimant(tx.conn(), &org.identifier)?.is_some() {
                        return Err(refusals::identifier_claimed().into());
                    }
                    ops::check_text("organisation.name", &org.name, limits::NAME_LEN)?;
                    ops::insert_organisation(tx, &org.identifier, &org.name, &new.user.email, CONFIRMED)?.id
                }
                (None, None) => return Err(refusals::body_invalid("org_id or organisation").into()),
            };
            ops::user_view(&ops::insert_user(tx, &org_id, &new.user, &new.roles, None)?)
        })
        .await?;
    let location = format!("/v1/users/{}", answer.value.id);
    Ok(reply::created(&answer, &location))
}

/// Lists users.
#[utoipa::path(tag = "accounts", operation_id = "list_users", params(PageQuery), security(("bearer" = [])), responses((status = 200, body = Page<User>, description = "A page.")))]
#[get("/v1/users")]
pub async fn list_users(
    app: web::Data<App>,
    _caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    let size = query.size()?;
    let after =
        query.after.as_deref().map(|text| cursor::open(&app.keys, "users", text)).transpose()?.map(|(_, id)| id);
    let rows = app.reader.read(move |conn| queries::users(conn, after.as_deref(), size)).await?;
    let next = cursor::next(&app.keys, "users", rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(ops::user_view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// Shows who is signed in: a person, or software.
#[utoipa::path(tag = "accounts", operation_id = "get_me", security(("bearer" = [])), responses((status = 200, body = Me, description = "You.")))]
#[get("/v1/me")]
pub async fn get_me(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Error> {
    let id = caller.id();
    if caller.person().is_ok() {
        let row = app.reader.read(move |conn| queries::user(conn, &id)).await?.ok_or_else(refusals::not_found)?;
        return Ok(reply::versioned(&Me::Person(ops::user_view(&row)?), row.version));
    }
    let row = app.reader.read(move |conn| queries::service_client(conn, &id)).await?.ok_or_else(refusals::not_found)?;
    Ok(reply::versioned(&Me::Software(service_clients::view(&row)?), row.version))
}

/// Sets a user's roles.
///
/// The user is signed out, so that old powers end with the next access token at the latest.
#[utoipa::path(tag = "accounts", operation_id = "set_roles", params(UserPath, ("Idempotency-Key" = String, Header)), request_body = Roles, security(("bearer" = [])),
    responses((status = 200, body = User, description = "Set."), (status = 422, body = Problem, content_type = "application/problem+json", description = "No role.")))]
#[post("/v1/users/{user}/actions/set-roles")]
pub async fn set_roles(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<UserPath>,
    key: IdempotencyKey,
    body: Body<Roles>,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().user;
    let roles = body.value.roles;
    let context = caller.context(body.received_at);
    let answer =
        app.ledger.commit_once(context, key.of(&caller, body.hash), move |tx| ops::set_roles(tx, &id, &roles)).await?;
    Ok(reply::done(&answer))
}

async fn set_active(
    app: web::Data<App>,
    caller: Caller,
    id: String,
    key: IdempotencyKey,
    active: bool,
) -> Result<HttpResponse, Error> {
    let hash = crate::kernel::digest::sha256(format!("active {active} {id}").as_bytes());
    let context = caller.context(caller.meta.started_at);
    let answer =
        app.ledger.commit_once(context, key.of(&caller, hash), move |tx| ops::set_active(tx, &id, active)).await?;
    Ok(reply::done(&answer))
}

/// Disables an account and signs it out.
#[utoipa::path(tag = "accounts", operation_id = "disable_user", params(UserPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = User, description = "Disabled."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Disabled already.")))]
#[post("/v1/users/{user}/actions/disable")]
pub async fn disable_user(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<UserPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    set_active(app, caller, path.into_inner().user, key, false).await
}

/// Enables a disabled account.
#[utoipa::path(tag = "accounts", operation_id = "enable_user", params(UserPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = User, description = "Enabled."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Enabled already.")))]
#[post("/v1/users/{user}/actions/enable")]
pub async fn enable_user(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<UserPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    set_active(app, caller, path.into_inner().user, key, true).await
}

/// Makes a one-time token with which a user sets a password.
///
/// Each call makes a new one and ends the earlier ones; the answer is never stored, so it is not repeated under the
/// same `Idempotency-Key`.
#[utoipa::path(tag = "accounts", operation_id = "reset_password", params(UserPath), security(("bearer" = [])),
    responses((status = 200, body = ResetToken, description = "The token, shown once.")))]
#[post("/v1/users/{user}/actions/reset-password")]
pub async fn reset_password(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<UserPath>,
) -> Result<HttpResponse, Error> {
    let id = path.into_inner().user;
    let context = caller.context(caller.meta.started_at);
    let token = app.ledger.commit(context, move |tx| ops::issue_reset(tx, &id)).await?;
    Ok(HttpResponse::Ok().json(ResetToken { token }))
}
