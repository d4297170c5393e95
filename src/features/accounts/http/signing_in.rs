//! Routes of signing in and of signing keys.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::nobody;
use crate::app::App;
use crate::features::accounts::model::{SigningKeyView, User};
use crate::features::accounts::sessions::{self, Opened};
use crate::features::accounts::{ops, passwords, queries, signing_keys};
use crate::http::extract::{Body, Caller, IdempotencyKey, Meta};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::kernel::network::Network;
use crate::kernel::role::Role;
use crate::kernel::secret::Secret;
use crate::kernel::time::Timestamp;
use crate::ledger::Error;

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// The one-time token.
    pub token: String,
    /// The new password, 12 to 256 characters.
    pub password: String,
}

/// Signing in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Login.
    pub login: String,
    /// Password.
    pub password: String,
}

/// Carrying a session on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token.
    pub refresh_token: String,
}

/// A session's tokens.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct SessionTokens {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// Changes at every use.
    pub refresh_token: String,
    /// The signed-in user.
    pub user: User,
}

/// A signing key with its proof.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSigningKey {
    /// A JWS of typ `sealbid-key-proof+jws` by the key itself over {v, user, alg, public_key}; `sealbid key proof` makes it.
    #[schema(value_type = Object)]
    pub proof: serde_json::Value,
}

/// A key's registration in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// The registration.
    pub key: String,
}

/// Sets a password with a one-time token.
#[utoipa::path(tag = "accounts", operation_id = "use_password_reset", request_body = PasswordReset,
    responses((status = 204, description = "Set."), (status = 401, body = Problem, content_type = "application/problem+json", description = "Token unknown, used or too old."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Password too short or long.")))]
#[post("/v1/password-resets")]
pub async fn use_password_reset(
    app: web::Data<App>,
    meta: Meta,
    body: Body<PasswordReset>,
) -> Result<HttpResponse, Error> {
    let reset = body.value;
    passwords::check_form(&reset.password)?;
    let hash = passwords::hash(&app, Secret::new(reset.password)).await?;
    let token = reset.token;
    app.ledger.commit(nobody(&meta, body.received_at), move |tx| ops::use_reset(tx, &token, &hash)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn session_answer(app: &App, opened: &Opened) -> Result<HttpResponse, Error> {
    let user = ops::user_view(&opened.user)?;
    let roles: Vec<String> = user.roles.iter().map(|role| role.name().to_owned()).collect();
    let (access_token, expires_at) =
        app.tokens.issue(user.id.as_str(), user.org_id.as_str(), &roles, &opened.session_id, app.clock.now());
    Ok(HttpResponse::Ok().json(SessionTokens {
        access_token,
        token_type: "Bearer".into(),
        expires_at,
        refresh_token: opened.refresh_token.clone(),
        user,
    }))
}

/// Signs in.
///
/// After several failures of one login from one network there are pauses, which grow; the account itself is never locked,
/// and signing in from elsewhere stays possible.
#[utoipa::path(tag = "accounts", operation_id = "create_session", request_body = Credentials,
    responses((status = 200, body = SessionTokens, description = "Signed in."), (status = 401, body = Problem, content_type = "application/problem+json", description = "Login or password wrong, or account not active."), (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many failures from this network; Retry-After says when to come back.")))]
#[post("/v1/sessions")]
pub async fn create_session(app: web::Data<App>, meta: Meta, body: Body<Credentials>) -> Result<HttpResponse, Error> {
    let Credentials { login, password } = body.value;
    // A connection without an address is one of this machine.
    let network = Network::of_client(meta.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let opened =
        sessions::sign_in(&app, login, Secret::new(password), network, nobody(&meta, body.received_at)).await?;
    session_answer(&app, &opened)
}

/// Carries a session on with its refresh token.
///
/// The token changes at every use. Within 30 s the old one returns the same new one; after that its use ends the session.
#[utoipa::path(tag = "accounts", operation_id = "refresh_session", request_body = Refresh,
    responses((status = 200, body = SessionTokens, description = "Carried on."), (status = 401, body = Problem, content_type = "application/problem+json", description = "The session has ended.")))]
#[post("/v1/sessions/refresh")]
pub async fn refresh_session(app: web::Data<App>, meta: Meta, body: Body<Refresh>) -> Result<HttpResponse, Error> {
    let opened = sessions::refresh(&app, body.value.refresh_token, nobody(&meta, body.received_at)).await?;
    session_answer(&app, &opened)
}

/// Signs out: the refresh token ends at once, the access token within its 15 minutes.
#[utoipa::path(tag = "accounts", operation_id = "delete_session", security(("bearer" = [])), responses((status = 204, description = "Signed out.")))]
#[delete("/v1/sessions/current")]
pub async fn delete_session(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Error> {
    let context = caller.context(caller.meta.started_at);
    sessions::sign_out(&app, caller.session_id, context).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Registers a signing key of the caller's organisation.
///
/// The proof shows that the private half is in the caller's hands. Bids and withdrawals are accepted with any active key
/// of the organisation.
#[utoipa::path(tag = "accounts", operation_id = "register_signing_key", params(("Idempotency-Key" = String, Header)), request_body = NewSigningKey, security(("bearer" = [])),
    responses((status = 201, body = SigningKeyView, description = "Registered."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Registered already."), (status = 422, body = Problem, content_type = "application/problem+json", description = "The proof does not hold.")))]
#[post("/v1/signing-keys")]
pub async fn register_signing_key(
    app: web::Data<App>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewSigningKey>,
) -> Result<HttpResponse, Error> {
    let user = caller.person()?.clone();
    let proven = signing_keys::check_proof(&body.value.proof, &user)?;
    let context = caller.context(body.received_at);
    let org = caller.org_id.clone();
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| signing_keys::register(tx, &user, &org, &proven))
        .await?;
    let location = format!("/v1/signing-keys/{}", answer.value.id);
    Ok(reply::created(&answer, &location))
}

/// Lists the signing keys of the caller's organisation.
#[utoipa::path(tag = "accounts", operation_id = "list_signing_keys", security(("bearer" = [])), responses((status = 200, body = Page<SigningKeyView>, description = "All of them.")))]
#[get("/v1/signing-keys")]
pub async fn list_signing_keys(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Error> {
    let org = caller.org_id.to_string();
    let rows = app.reader.read(move |conn| queries::signing_keys_of(conn, &org)).await?;
    let items = rows.iter().map(signing_keys::view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// Revokes a signing key: nothing new is accepted with it.
#[utoipa::path(tag = "accounts", operation_id = "revoke_signing_key", params(KeyPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = SigningKeyView, description = "Revoked."), (status = 404, body = Problem, content_type = "application/problem+json", description = "None of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Revoked already.")))]
#[post("/v1/signing-keys/{key}/actions/revoke")]
pub async fn revoke_signing_key(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<KeyPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    caller.person()?;
    let id = path.into_inner().key;
    let hash = crate::kernel::digest::sha256(format!("revoke {id}").as_bytes());
    let org = (caller.role != Role::Admin).then(|| caller.org_id.clone());
    let context = caller.context(caller.meta.started_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, hash), move |tx| signing_keys::revoke(tx, &id, org.as_ref()))
        .await?;
    Ok(reply::done(&answer))
}
