//! What handlers take from a request: who asks, when, with which key, and what it says.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::StreamExt;
use futures_util::future::{FutureExt, LocalBoxFuture};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::faults::Point;
use crate::instance::Pass;
use crate::kernel::digest::{Digest, Hasher};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::principal::PrincipalId;
use crate::kernel::role::{Actor, Role};
use crate::kernel::text::Language;
use crate::kernel::time::Timestamp;
use crate::ledger::{Context, Error, Idempotency, Lane};
use crate::limits;
use crate::refusals as problem;
use crate::seal::strict_json;

/// What is known of every request before its body is read. Put there by the outermost middleware.
#[derive(Clone, Debug)]
pub struct Meta {
    /// The id in `Request-Id`.
    pub request_id: String,
    /// When the request began.
    pub started_at: Timestamp,
    /// The caller's address, as [`super::client_address`] finds it.
    pub address: Option<std::net::IpAddr>,
    /// The caller's program.
    pub agent: Option<String>,
    /// The language of the answer.
    pub language: Language,
}

impl Meta {
    /// The caller's address, as the record keeps it.
    pub fn ip(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}

impl FromRequest for Meta {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(req.extensions().get::<Self>().cloned().ok_or_else(|| Error::internal("a request without its meta data")))
    }
}

/// Who is signed in, a person or software, and the role in which the permission table lets it in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub user_id: PrincipalId,
    /// The caller's organisation.
    pub org_id: OrgId,
    /// All roles of the caller.
    pub roles: Vec<Role>,
    /// The role in which this request acts.
    pub role: Role,
    /// The session.
    pub session_id: String,
    /// The request.
    pub meta: Meta,
}

impl Caller {
    /// The caller's id, as the record and the counting of requests know it.
    pub fn id(&self) -> String {
        self.user_id.to_string()
    }

    /// The caller as the record will name it; `received_at` is the last byte's instant where there was a body.
    pub fn context(&self, received_at: Timestamp) -> Context {
        Context {
            actor_id: Some(self.user_id.to_string()),
            org_id: Some(self.org_id.to_string()),
            role: self.role.name(),
            received_at,
            request_id: self.meta.request_id.clone(),
            ip: self.meta.ip(),
            agent: self.meta.agent.clone(),
            lane: Lane::General,
            pass: None,
        }
    }

    /// The caller as a person.
    ///
    /// # Errors
    /// `person-needed` for software: some acts decide who may act.
    pub fn person(&self) -> Result<&UserId, Error> {
        match &self.user_id {
            PrincipalId::Person(id) => Ok(id),
            PrincipalId::Software(_) => Err(problem::person_needed().into()),
        }
    }

    /// The caller as the rules see it.
    pub fn actor(&self) -> Actor {
        Actor::User { user_id: self.user_id.clone(), org_id: self.org_id.clone(), roles: self.roles.clone() }
    }

    /// Whether the user has this role, in whatever role it acts now.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(req.extensions().get::<Self>().cloned().ok_or_else(|| problem::not_signed_in().into()))
    }
}

/// The signed-in user on routes that also answer without one.
pub struct MaybeCaller(pub Option<Caller>);

impl FromRequest for MaybeCaller {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(req.extensions().get::<Caller>().cloned())))
    }
}

/// `Idempotency-Key`: 1 to 128 visible ASCII characters, chosen by the client, one for each act.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// Names the request `hash` of `caller` under this key.
    pub fn of(&self, caller: &Caller, hash: Digest) -> Idempotency {
        Idempotency { principal: caller.user_id.to_string(), key: self.0.clone(), request_hash: hash }
    }

    /// Names a request of somebody who has no account yet.
    pub fn of_nobody(&self, hash: Digest) -> Idempotency {
        // Strangers share no account: what they say tells them apart, so that nobody meets another's key.
        let principal = format!("nobody-{}", &hash.to_string()[..32]);
        Idempotency { principal, key: self.0.clone(), request_hash: hash }
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = req.headers().get("Idempotency-Key").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let valid =
            (1..=limits::IDEMPOTENCY_KEY_LEN).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        ready(if valid { Ok(Self(key.to_owned())) } else { Err(problem::idempotency_key_missing().into()) })
    }
}

/// `If-Match` with the version that the caller saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub i64);

impl IfMatch {
    /// Reads the header: exactly an `ETag` as [`super::reply::etag`] writes it, nothing that only resembles one.
    pub fn parse(value: &str) -> Option<Self> {
        let version = value.strip_prefix("\"v")?.strip_suffix('"')?.parse().ok()?;
        (super::reply::etag(version) == value).then_some(Self(version))
    }
}

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let value = req.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
        ready(value.and_then(Self::parse).ok_or_else(|| problem::if_match_missing().into()))
    }
}

/// A JSON body, read whole within a limit, strictly; with the instant of its last byte and the request's hash.
#[derive(Debug)]
pub struct Body<T> {
    /// What it says.
    pub value: T,
    /// When its last byte was in.
    pub received_at: Timestamp,
    /// SHA-256 over method, path and body: makes a repeated request recognisable.
    pub hash: Digest,
    /// The pass of a header, which was let in before this body was read.
    pub pass: Option<Arc<Pass>>,
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = req.content_type().eq_ignore_ascii_case("application/json");
        let target = format!("{} {}", req.method(), req.path());
        let app = req.app_data::<web::Data<App>>().cloned();
        let payload = payload.take();
        let pass = req.extensions_mut().remove::<Arc<Pass>>();
        async move {
            let app = app.ok_or_else(|| Error::internal("no application"))?;
            if !json {
                return Err(problem::unsupported_media_type("application/json").into());
            }
            let bytes = read_body(payload, limits::JSON_BODY_BYTES).await?;
            let received_at = app.clock.now();
            app.faults.reach(Point::BodyIn);
            if let Some(pass) = &pass {
                pass.body_is_in();
            }
            let value = parse_strict(&bytes)?;
            let mut hasher = Hasher::new();
            hasher.update(target.as_bytes());
            hasher.update(b"\n");
            hasher.update(&bytes);
            Ok(Self { value, received_at, hash: hasher.finish(), pass })
        }
        .boxed_local()
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// 413 beyond the limit, 408 when it comes too slowly, 400 when it breaks off.
pub async fn read_body(payload: Payload, limit: usize) -> Result<Vec<u8>, Error> {
    read_within(payload, limit, std::time::Duration::from_secs(limits::BODY_SECONDS)).await
}

async fn read_within(mut payload: Payload, limit: usize, within: std::time::Duration) -> Result<Vec<u8>, Error> {
    let read = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| problem::body_cut_off())?;
            if bytes.len() + chunk.len() > limit {
                return Err(problem::too_large(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    Ok(tokio::time::timeout(within, read).await.map_err(|_| problem::too_slow())??)
}

/// Whether a JSON document writes U+0000: PostgreSQL stores no text that holds it. An escaped backslash before `u0000`
/// makes it five plain characters.
fn has_nul(bytes: &[u8]) -> bool {
    let escapes = |at: usize| bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    bytes.windows(5).enumerate().any(|(at, five)| five == b"u0000" && escapes(at) % 2 == 1)
}

/// Reads a JSON body. A key that stands twice would let two readers see two requests: such a body is refused at every
/// depth.
///
/// # Errors
/// 400 when it is no JSON object, 422 when it is not one of this kind.
pub fn parse_strict<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    if let Err(error) = strict_json::Object::parse(bytes, limits::JSON_BODY_BYTES) {
        return Err(problem::body_unreadable(&error.to_string()).into());
    }
    if has_nul(bytes) {
        return Err(problem::body_invalid("U+0000 in a text").into());
    }
    serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            problem::body_invalid(&error.to_string()).into()
        } else {
            problem::body_unreadable(&error.to_string()).into()
        }
    })
}

/// `?limit=&after=` of every list.
#[derive(Clone, Debug, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most this many items, 1 to 100; 50 unless said.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<String>,
}

impl PageQuery {
    /// The page size within its bounds.
    ///
    /// # Errors
    /// 422 for a limit outside 1 to 100.
    pub fn size(&self) -> Result<i64, Error> {
        match self.limit.unwrap_or(limits::PAGE_DEFAULT) {
            limit @ 1..=limits::PAGE_MOST => Ok(i64::from(limit)),
            _ => Err(problem::body_invalid("limit: 1 to 100").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::error::PayloadError;
    use actix_web::web::Bytes;
    use futures_util::stream::{self, Stream};

    use super::*;

    type Chunk = Result<Bytes, PayloadError>;

    fn read(chunks: impl Stream<Item = Chunk> + 'static, limit: usize) -> Result<Vec<u8>, Error> {
        let payload = Payload::from(Box::pin(chunks) as std::pin::Pin<Box<dyn Stream<Item = Chunk>>>);
        actix_web::rt::System::new().block_on(read_within(payload, limit, Duration::from_millis(1)))
    }

    #[track_caller]
    fn code(read: Result<Vec<u8>, Error>) -> &'static str {
        read.expect_err("refused").as_refusal().code
    }

    fn chunk() -> Chunk {
        Ok(Bytes::from_static(b"abc"))
    }

    #[test]
    fn a_body_is_read_up_to_its_limit() {
        assert_eq!(read(stream::iter([chunk(), chunk()]), 6).expect("read"), b"abcabc");
        assert_eq!(code(read(stream::iter([chunk(), chunk()]), 5)), "body-too-large");
    }

    #[test]
    fn a_nul_is_found_however_many_backslashes_stand_before_it() {
        for text in [r#""\u0000""#, r#""a\\\u0000""#, r#"{"\u0000":1}"#] {
            assert!(has_nul(text.as_bytes()), "{text}");
        }
        for text in [r#""u0000""#, r#""\\u0000""#, r#""\u0001""#, ""] {
            assert!(!has_nul(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_body_that_never_ends_is_too_slow_and_one_that_breaks_off_is_cut_off() {
        assert_eq!(code(read(stream::iter([chunk()]).chain(stream::pending()), 6)), "request-too-slow");
        assert_eq!(code(read(stream::iter([chunk(), Err(PayloadError::Incomplete(None))]), 6)), "body-cut-off");
    }
}
