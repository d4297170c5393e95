//! Routes of service clients: registering them, and their way in.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::nobody;
use crate::app::App;
use crate::features::accounts::model::ServiceClient;
use crate::features::accounts::{queries, service_clients, signing_keys};
use crate::http::cursor;
use crate::http::extract::{Body, Caller, IdempotencyKey, Meta, PageQuery, read_body};
use crate::http::problem::Problem;
use crate::http::reply::{self, Page};
use crate::kernel::id::OrgId;
use crate::kernel::role::Role;
use crate::ledger::Error;
use crate::limits;
use crate::refusals;

/// The one grant that the token endpoint knows.
const GRANT: &str = "client_credentials";
/// The one form in which software shows who it is (RFC 7523).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Software that will sign in by itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServiceClient {
    /// What it is, for the people of the organisation.
    pub name: String,
    /// What it may be: `bidder`, `initiator`.
    pub roles: Vec<Role>,
    /// A JWS of typ `sealbid-client-proof+jws` by the client's key over {v, user, alg, public_key}, the user being who registers it.
    #[schema(value_type = Object)]
    pub proof: serde_json::Value,
    /// Whose software it is; for administrators, everybody else registers for the own organisation.
    #[serde(default)]
    pub org_id: Option<OrgId>,
}

/// What a token request says (RFC 6749, 4.4; RFC 7523, 2.2).
#[derive(Deserialize, ToSchema)]
pub struct TokenRequest {
    /// `client_credentials`.
    #[schema(pattern = "^client_credentials$")]
    pub grant_type: String,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[schema(pattern = "^urn:ietf:params:oauth:client-assertion-type:jwt-bearer$")]
    pub client_assertion_type: String,
    /// A JWT signed with the registered key: iss and sub the client's id, aud the platform's public address or this
    /// endpoint, exp at most 5 minutes away, jti never used before.
    pub client_assertion: String,
    /// Roles, separated by spaces; all of the client's unless said.
    pub scope: Option<String>,
    /// The client's id, where a library sends it.
    pub client_id: Option<String>,
}

/// An access token, as RFC 6749 has it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct TokenAnswer {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until it ends: it is looked at when a request begins, so that a long upload is not cut off.
    pub expires_in: i64,
    /// Its roles, separated by spaces.
    pub scope: String,
}

/// A client in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ClientPath {
    /// The client.
    pub client: String,
}

/// Registers software of the caller's organisation.
///
/// The proof shows that the private key is in the caller's hands. Software can be no more than bidder and initiator, and no
/// more than somebody of its organisation is. It signs in at `POST /v1/oauth/token`, and the record names it as the actor
/// of what it does. Registering is for people: software registers nothing.
#[utoipa::path(tag = "accounts", operation_id = "register_service_client", params(("Idempotency-Key" = String, Header)), request_body = NewServiceClient, security(("bearer" = [])),
    responses((status = 201, body = ServiceClient, description = "Registered; its id is the client id."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Software, or another organisation."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such organisation."), (status = 409, body = Problem, content_type = "application/problem+json", description = "The key is registered already, or there are too many clients."), (status = 422, body = Problem, content_type = "application/problem+json", description = "The proof does not hold, or the roles are not possible.")))]
#[post("/v1/service-clients")]
pub async fn register_service_client(
    app: web::Data<App>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewServiceClient>,
) -> Result<HttpResponse, Error> {
    let user = caller.person()?.clone();
    let NewServiceClient { name, roles, proof, org_id } = body.value;
    let admin = caller.role == Role::Admin;
    let org = org_id.unwrap_or_else(|| caller.org_id.clone());
    if !admin && (org != caller.org_id || !roles.iter().all(|role| caller.has(*role))) {
        return Err(refusals::role_forbidden().into());
    }
    let proven = signing_keys::check_proof_as(&proof, service_clients::PROOF_TYP, &user)?;
    let context = caller.context(body.received_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, body.hash), move |tx| {
            service_clients::register(tx, &user, &org, &name, &roles, &proven)
        })
        .await?;
    let location = format!("/v1/service-clients/{}", answer.value.id);
    Ok(reply::created(&answer, &location))
}

/// Lists service clients: those of the caller's organisation, for administrators and inspectors all.
#[utoipa::path(tag = "accounts", operation_id = "list_service_clients", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<ServiceClient>, description = "A page."), (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor is not ours.")))]
#[get("/v1/service-clients")]
pub async fn list_service_clients(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Error> {
    const LIST: &str = "service-clients";
    let size = query.size()?;
    let after = query.after.as_deref().map(|text| cursor::open(&app.keys, LIST, text)).transpose()?.map(|(_, id)| id);
    let all = matches!(caller.role, Role::Admin | Role::Inspector);
    let org = (!all).then(|| caller.org_id.to_string());
    let find = move |conn: &mut crate::db::Conn| queries::service_clients(conn, org.as_deref(), after.as_deref(), size);
    let rows = app.reader.read(find).await?;
    let next = cursor::next(&app.keys, LIST, rows.len(), size, rows.last().map(|row| (0, row.id.clone())))?;
    let items = rows.iter().map(service_clients::view).collect::<Result<Vec<_>, _>>()?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// Revokes a service client: it gets no new token, and those it has end within 15 minutes.
#[utoipa::path(tag = "accounts", operation_id = "revoke_service_client", params(ClientPath, ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = ServiceClient, description = "Revoked."), (status = 403, body = Problem, content_type = "application/problem+json", description = "Software revokes nothing."), (status = 404, body = Problem, content_type = "application/problem+json", description = "None of yours."), (status = 409, body = Problem, content_type = "application/problem+json", description = "Revoked already.")))]
#[post("/v1/service-clients/{client}/actions/revoke")]
pub async fn revoke_service_client(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<ClientPath>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Error> {
    caller.person()?;
    let id = path.into_inner().client;
    let hash = crate::kernel::digest::sha256(format!("revoke {id}").as_bytes());
    let org = (caller.role != Role::Admin).then(|| caller.org_id.clone());
    let context = caller.context(caller.meta.started_at);
    let answer = app
        .ledger
        .commit_once(context, key.of(&caller, hash), move |tx| service_clients::revoke(tx, &id, org.as_ref()))
        .await?;
    Ok(reply::done(&answer))
}

/// Reads a form; fields that nobody knows are left alone, as RFC 6749 demands.
async fn read_form(req: &HttpRequest, payload: web::Payload) -> Result<TokenRequest, Error> {
    let form = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !form.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(refusals::token_request_invalid("Content-Type: application/x-www-form-urlencoded").into());
    }
    let bytes = read_body(payload.into_inner(), limits::TOKEN_FORM_BYTES).await?;
    let text = String::from_utf8(bytes).map_err(|_| refusals::token_request_invalid("UTF-8"))?;
    let form = web::Query::<TokenRequest>::from_query(&text);
    Ok(form.map_err(|error| refusals::token_request_invalid(&error.to_string()))?.into_inner())
}

/// Gives software an access token for an assertion (RFC 6749 client credentials with RFC 7523 `private_key_jwt`).
///
/// Any OAuth library can ask. The token lasts 15 minutes and there is none to refresh it: ask again with a new assertion.
/// Errors are problems that also carry `error` as RFC 6749 names it.
#[utoipa::path(tag = "accounts", operation_id = "create_token", request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenAnswer, description = "A token."), (status = 400, body = Problem, content_type = "application/problem+json", description = "Not a token request, another grant, or a scope that the client does not have."), (status = 401, body = Problem, content_type = "application/problem+json", description = "The assertion does not hold: `error` is `invalid_client`.")))]
#[post("/v1/oauth/token")]
pub async fn create_token(
    app: web::Data<App>,
    meta: Meta,
    req: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Error> {
    let asked = read_form(&req, payload).await?;
    let context = nobody(&meta, app.clock.now());
    if asked.grant_type != GRANT {
        return Err(refusals::grant_type_unsupported().into());
    }
    if asked.client_assertion_type != ASSERTION_TYPE {
        return Err(refusals::token_request_invalid("client_assertion_type").into());
    }
    let found = service_clients::sign_in(&app, &asked.client_assertion, asked.scope.as_deref(), context).await?;
    if asked.client_id.is_some_and(|id| id != found.client.id.as_str()) {
        return Err(refusals::client_assertion_invalid("client_id is another than that of the assertion").into());
    }
    let roles: Vec<String> = found.roles.iter().map(|role| role.name().to_owned()).collect();
    let (id, org) = (found.client.id.as_str(), found.client.org_id.as_str());
    let (access_token, _) = app.tokens.issue(id, org, &roles, id, app.clock.now());
    Ok(HttpResponse::Ok().insert_header((header::PRAGMA, "no-cache")).json(TokenAnswer {
        access_token,
        token_type: "Bearer".into(),
        expires_in: limits::ACCESS_TOKEN_SECONDS,
        scope: roles.join(" "),
    }))
}
