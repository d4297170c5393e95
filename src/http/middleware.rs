//! The outermost layer: request ids, the caller, the permission table, the language of errors, panics, the access log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, web};
use futures_util::FutureExt;

use super::client_address::client_address;
use super::denied;
use super::extract::{Caller, Meta};
use super::permissions::{self, Access};
use super::problem::{self, Broken, Said};
use super::rate::{self, Taken};
use super::token::TokenError;
use crate::app::App;
use crate::instance::{Flight, Full};
use crate::kernel::id::OrgId;
use crate::kernel::principal::PrincipalId;
use crate::kernel::role::Role;
use crate::kernel::text::Language;
use crate::ledger::Error;
use crate::refusals;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Everything that happens around a handler.
pub async fn around(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(app) = req.app_data::<web::Data<App>>().cloned() else {
        return Err(Error::internal("no application").into());
    };
    let began = Instant::now();
    let meta = meta_of(&req, &app);
    req.extensions_mut().insert(meta.clone());
    // What a last part may hold is the router's business.
    let pattern = req.match_pattern().map(|pattern| pattern.replace(":.*}", "}"));
    let access =
        pattern.as_deref().map_or(Access::Unknown, |pattern| permissions::access(req.method().as_str(), pattern));
    let (method, path) = (req.method().clone(), req.path().to_owned());
    let anonymous = !req.headers().contains_key(header::AUTHORIZATION);
    if method == Method::HEAD {
        // Routes know GET; the server leaves out the body of whatever answers a HEAD.
        req.head_mut().method = Method::GET;
    }

    // A header is in flight from here on until its answer is decided: before anybody looks who sends it.
    let header = (method.as_str(), pattern.as_deref().unwrap_or_default());
    let flight = permissions::HEADERS.contains(&header).then(|| app.instance.begin());

    // No clone of the request may live while its handler runs: the router needs it for itself.
    let admitted = admit(&req, &app, &meta, &access);
    // Counted also when it is refused; a limit that was met is what the caller is told then.
    let counted = app.rates.admit(&req, &meta, method.as_str(), pattern.as_deref());
    let response = match counted.and(admitted).and_then(|()| let_in(&req, &app, flight)) {
        Err(error) => {
            let mut response = actix_web::ResponseError::error_response(&error);
            if access == Access::WrongMethod {
                let allowed = HeaderValue::from_str(&permissions::methods(pattern.as_deref().unwrap_or_default()));
                response.headers_mut().insert(header::ALLOW, allowed.unwrap_or(HeaderValue::from_static("GET")));
            }
            req.into_response(response)
        }
        Ok(()) => match AssertUnwindSafe(next.call(req)).catch_unwind().await {
            Ok(Ok(response)) => response.map_into_boxed_body(),
            Ok(Err(_)) => return Err(Escaped::of("an error beneath all handlers", &meta, &app).into()),
            Err(_) => return Err(Escaped::of("a handler panicked", &meta, &app).into()),
        },
    };
    let refused = response.status().is_client_error();
    let over = refused.then(|| app.rates.refused(&meta, method.as_str(), pattern.as_deref())).flatten();
    let response = match over {
        Some((refusal, taken)) => {
            response.request().extensions_mut().insert(taken);
            response.into_response(refusal)
        }
        None => response,
    };
    // Putting an answer into words makes a new one, which knows nothing of what broke.
    let broken = response.response().extensions().get::<Broken>().cloned();
    let response = finish(unchanged(response), &meta);
    denied::note(&app, &meta, &response, method.as_str(), pattern.as_deref(), &path).await;
    let status = response.status();
    let group = permissions::counted(method.as_str(), pattern.as_deref(), anonymous);
    if let Some(group) = group {
        app.metrics.answered(group, status.as_u16(), began.elapsed());
    }
    let sealed = permissions::is_sealed_route(method.as_str(), &path);
    if let Some(failure) = broken {
        app.metrics.failed(meta.started_at.millis());
        failure.log(&meta.request_id, sealed);
    }
    log(&meta, group.is_some(), method.as_str(), pattern.as_deref(), &path, status, began);
    Ok(response)
}

/// A failure that left no request to answer: a panic, or an error beneath all handlers.
#[derive(Debug)]
struct Escaped(Meta);

impl Escaped {
    /// What the error itself says stays out of the log: it may quote what was sent.
    fn of(what: &str, meta: &Meta, app: &App) -> Self {
        app.metrics.failed(meta.started_at.millis());
        tracing::error!(request.id = %meta.request_id, what, "a request failed outside its handler");
        Self(meta.clone())
    }
}

impl std::fmt::Display for Escaped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("internal error")
    }
}

impl actix_web::ResponseError for Escaped {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        let said = problem::response(refusals::internal(), None);
        let body = said.extensions().get::<Said>().map(|said| said.render(self.0.language, &self.0.request_id));
        let body = serde_json::to_vec(&body).unwrap_or_default();
        HttpResponse::InternalServerError()
            .content_type("application/problem+json")
            .insert_header((REQUEST_ID, self.0.request_id.as_str()))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(body)
    }
}

fn meta_of(req: &ServiceRequest, app: &App) -> Meta {
    let text = |name: HeaderName| req.headers().get(name).and_then(|value| value.to_str().ok());
    Meta {
        // Never taken from the caller: two requests must not share an id in the record.
        request_id: uuid::Uuid::new_v4().simple().to_string(),
        started_at: app.clock.now(),
        address: req.peer_addr().map(|peer| client_address(peer.ip(), req.headers(), &app.trusted_proxies)),
        agent: text(header::USER_AGENT).map(|agent| agent.chars().take(200).collect()),
        language: text(header::ACCEPT_LANGUAGE).map_or_else(Language::default, Language::accepted),
    }
}

/// Decides whether the request reaches its handler, and as whom. Deny by default: an unlisted route does not answer.
fn admit(req: &ServiceRequest, app: &App, meta: &Meta, access: &Access) -> Result<(), Error> {
    // PostgreSQL stores no text with U+0000, and nothing of ours is called so.
    if req.path().contains("%00") {
        return Err(refusals::not_found().into());
    }
    if req.query_string().contains("%00") {
        return Err(refusals::body_invalid("U+0000 in the address").into());
    }
    let token = bearer(req);
    match access {
        // No route matches: the router answers 404 or 405.
        Access::Unknown => Ok(()),
        Access::Unlisted => Err(refusals::not_found().into()),
        Access::WrongMethod => Err(refusals::method_not_allowed().into()),
        Access::Public => {
            // Nobody has to be signed in here; who is pays from the budget of its own.
            if let Some(caller) = token.and_then(|token| caller(app, token, meta, &Role::ALL).ok()) {
                req.extensions_mut().insert(caller);
            }
            Ok(())
        }
        Access::PublicOrAny => match token {
            None => Ok(()),
            Some(token) => {
                let caller = caller(app, token, meta, &Role::ALL)?;
                req.extensions_mut().insert(caller);
                Ok(())
            }
        },
        Access::Roles(roles) => {
            let token = token.ok_or_else(refusals::not_signed_in)?;
            let caller = caller(app, token, meta, roles)?;
            req.extensions_mut().insert(caller);
            Ok(())
        }
    }
}

/// Lets a header in before its body is read, with a pass that brings it to its decision.
fn let_in(req: &ServiceRequest, app: &App, flight: Option<Flight>) -> Result<(), Error> {
    let Some(flight) = flight else { return Ok(()) };
    app.instance.ready().map_err(refusals::not_ready)?;
    let org =
        req.extensions().get::<Caller>().map(|caller| caller.org_id.clone()).ok_or_else(refusals::not_signed_in)?;
    let pass = app.instance.admit(org.as_str(), flight).map_err(|full| match full {
        Full::Queue => refusals::busy(),
        Full::Bodies => refusals::too_many_bodies(),
    })?;
    req.extensions_mut().insert(Arc::new(pass));
    Ok(())
}

fn bearer(req: &ServiceRequest) -> Option<&str> {
    let value = req.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(value.strip_prefix("Bearer ").unwrap_or(""))
}

fn caller(app: &App, token: &str, meta: &Meta, allowed: &[Role]) -> Result<Caller, Error> {
    let claims = app.tokens.check(token, meta.started_at).map_err(|error| match error {
        TokenError::Expired => refusals::token_expired(),
        TokenError::Invalid => refusals::not_signed_in(),
    })?;
    let roles: Vec<Role> = claims.roles.iter().filter_map(|name| Role::parse(name)).collect();
    let role = allowed.iter().copied().find(|role| roles.contains(role)).ok_or_else(refusals::role_forbidden)?;
    let user_id = PrincipalId::parse(&claims.sub).map_err(|_| refusals::not_signed_in())?;
    let org_id = OrgId::parse(&claims.org).map_err(|_| refusals::not_signed_in())?;
    Ok(Caller { user_id, org_id, roles, role, session_id: claims.sid, meta: meta.clone() })
}

/// 304 for whoever has this version already.
fn unchanged(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let same = response.status() == StatusCode::OK
        && response.request().method() == Method::GET
        && match (response.headers().get(header::ETAG), response.request().headers().get(header::IF_NONE_MATCH)) {
            (Some(has), Some(seen)) => has == seen,
            _ => false,
        };
    if !same {
        return response;
    }
    let etag = response.headers().get(header::ETAG).cloned();
    let mut response = response.into_response(HttpResponse::NotModified().finish());
    if let Some(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// Puts errors into words and the request id into the answer.
fn finish(response: ServiceResponse<BoxBody>, meta: &Meta) -> ServiceResponse<BoxBody> {
    let said = response.response().extensions().get::<Said>().cloned();
    let mut response = match said {
        Some(said) => worded(response, &said, meta),
        None if response.status().is_client_error() || response.status().is_server_error() => {
            let refusal = match response.status() {
                StatusCode::NOT_FOUND => refusals::not_found(),
                StatusCode::METHOD_NOT_ALLOWED => refusals::method_not_allowed(),
                StatusCode::PAYLOAD_TOO_LARGE => refusals::too_large(crate::limits::JSON_BODY_BYTES),
                StatusCode::UNSUPPORTED_MEDIA_TYPE => refusals::unsupported_media_type("application/json"),
                StatusCode::REQUEST_TIMEOUT => refusals::too_slow(),
                status if status.is_server_error() => refusals::internal(),
                _ => refusals::body_invalid("the address or a parameter"),
            };
            let worded_response = problem::response(refusal, None);
            let said = worded_response.extensions().get::<Said>().cloned();
            let allow = response.headers().get(header::ALLOW).cloned();
            let response = response.into_response(worded_response);
            let mut response = match said {
                Some(said) => worded(response, &said, meta),
                None => response,
            };
            if let Some(allow) = allow {
                response.headers_mut().insert(header::ALLOW, allow);
            }
            response
        }
        None => response,
    };
    if let Ok(value) = HeaderValue::from_str(&meta.request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let taken = response.request().extensions().get::<Taken>().copied();
    if let Some(taken) = taken {
        rate::say(response.headers_mut(), &taken, meta.started_at);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        // What has a version may be kept by whoever asked, and must be asked for again; the rest is not kept at all.
        let rule = if headers.contains_key(header::ETAG) { "private, no-cache" } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(rule));
    }
    response
}

fn worded(response: ServiceResponse<BoxBody>, said: &Said, meta: &Meta) -> ServiceResponse<BoxBody> {
    let body = serde_json::to_vec(&said.render(meta.language, &meta.request_id)).unwrap_or_default();
    let (request, old) = response.into_parts();
    let mut new = HttpResponse::build(old.status());
    for (name, value) in old.headers() {
        new.insert_header((name.clone(), value.clone()));
    }
    if let Some(at) = said.possible_at().filter(|_| old.status() == StatusCode::TOO_MANY_REQUESTS) {
        new.insert_header((header::RETRY_AFTER, rate::seconds_until(at, meta.started_at)));
    }
    new.insert_header((header::CONTENT_LANGUAGE, meta.language.tag()));
    ServiceResponse::new(request, new.body(body))
}

/// Where bidders have to pass the log has the request's id and duration, and nothing else: a line for each is alike, so
/// that no count of them is one of bids. What is counted ([`permissions::counted`]) is also named: its path, unless that holds
/// an id which may be a secret, and nothing of a path that no route knows: somebody may have put anything there, such as the
/// id of a bid with a letter too many.
fn log(meta: &Meta, named: bool, method: &str, pattern: Option<&str>, path: &str, status: StatusCode, began: Instant) {
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if !named {
        tracing::info!(request.id = %meta.request_id, duration_ms, "request");
        return;
    }
    let path = match pattern {
        Some(pattern) if !permissions::names_no_secret(pattern) => pattern,
        Some(_) => path,
        None => "(no route)",
    };
    tracing::info!(request.id = %meta.request_id, duration_ms, method, path, status = status.as_u16(), "request");
}
