//! Requests and answers: signed in or not, repeated where that is safe.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::{Method, Request, Response, StatusCode};

use super::error::{ClientError, Problem, Result};
use super::wire::Session;
use crate::kernel::secret::Secret;
use crate::limits;

/// A client of one server, signed in as one user or not at all. May be used by several threads.
pub struct Client {
    agent: Agent,
    base: String,
    session: Mutex<SignedIn>,
}

#[derive(Default)]
struct SignedIn {
    access: Option<Secret<String>>,
    refresh: Option<Secret<String>>,
    /// To sign in again when a session has ended.
    credentials: Option<(String, Secret<String>)>,
}

/// One request.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) body: Payload<'a>,
    pub(super) headers: Vec<(&'static str, String)>,
    /// Whether sending it twice does no more than sending it once.
    pub(super) repeatable: bool,
}

/// What a request carries.
pub(super) enum Payload<'a> {
    Nothing,
    Json(Vec<u8>),
    Bytes(&'a [u8]),
}

/// An answer that is not an error.
pub(super) struct Reply {
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| ClientError::Answer(error.to_string()))
    }
}

/// What one attempt came to.
enum Attempt {
    Done(Reply),
    /// Not now: the server is busy or the line broke.
    Later(ClientError, Option<Duration>),
    Expired(ClientError),
    No(ClientError),
}

impl Client {
    /// A client of the server at `base`, such as `https://bids.example.cn`.
    pub fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(limits::CLIENT_CONNECT_SECONDS)))
            .timeout_recv_response(Some(Duration::from_secs(limits::CLIENT_ANSWER_SECONDS)))
            .user_agent(concat!("sealbid/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            base: base.trim_end_matches('/').to_owned(),
            session: Mutex::default(),
        }
    }

    /// The same server, with an access token from elsewhere; it is not renewed.
    pub fn with_token(self, token: String) -> Self {
        self.signed_in().access = Some(Secret::new(token));
        self
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The access token in use, to be shown by a demonstration.
    pub fn access_token(&self) -> Option<String> {
        self.signed_in().access.as_ref().map(|token| token.expose().clone())
    }

    /// Signs in; from now on every call is made as this user, and an ended session is carried on or begun anew.
    ///
    /// # Errors
    /// `login-failed`, or the line's.
    pub fn sign_in(&self, login: &str, password: &str) -> Result<Session> {
        let session = self.open_session(login, password)?;
        let mut state = self.signed_in();
        keep(&mut state, &session);
        state.credentials = Some((login.to_owned(), Secret::new(password.to_owned())));
        Ok(session)
    }

    fn open_session(&self, login: &str, password: &str) -> Result<Session> {
        self.session_call("/v1/sessions", &serde_json::json!({ "login": login, "password": password }))
    }

    fn session_call(&self, path: &str, body: &serde_json::Value) -> Result<Session> {
        let body = Payload::Json(body.to_string().into_bytes());
        let call = Call { method: Method::POST, path, body, headers: Vec::new(), repeatable: true };
        self.send_without_renewal(&call, None)?.json()
    }

    fn signed_in(&self) -> MutexGuard<'_, SignedIn> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gets a fresh access token after `stale` was refused, unless another thread was first.
    fn renew(&self, stale: Option<&str>) -> Result<()> {
        let mut state = self.signed_in();
        if state.access.as_ref().map(|token| token.expose().as_str()) != stale {
            return Ok(());
        }
        let refreshed = state.refresh.as_ref().map(|token| {
            self.session_call("/v1/sessions/refresh", &serde_json::json!({ "refresh_token": token.expose() }))
        });
        let session = match (refreshed, &state.credentials) {
            (Some(Ok(session)), _) => session,
            (_, Some((login, password))) => self.open_session(login, password.expose())?,
            (Some(Err(error)), None) => return Err(error),
            (None, None) => {
                return Err(ClientError::Line(
                    "the access token has expired, and there is nothing to renew it with".into(),
                ));
            }
        };
        keep(&mut state, &session);
        Ok(())
    }

    /// Reads something.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.get_reply(path, None)?.json()
    }

    /// Reads something as text, in the form that `accept` names.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn get_text(&self, path: &str, accept: &str) -> Result<String> {
        let reply = self.get_reply(path, Some(accept))?;
        String::from_utf8(reply.body).map_err(|error| ClientError::Answer(error.to_string()))
    }

    /// Reads a file as it is; `None` where there is none.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn get_file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self.get_reply(path, None) {
            Ok(reply) => Ok(Some(reply.body)),
            Err(ClientError::Status(404)) => Ok(None),
            Err(ClientError::Problem(problem)) if problem.status == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn get_reply(&self, path: &str, accept: Option<&str>) -> Result<Reply> {
        let headers = accept.map(|accept| ("Accept", accept.to_owned())).into_iter().collect();
        self.send(&Call { method: Method::GET, path, body: Payload::Nothing, headers, repeatable: true })
    }

    /// Does something once, whatever happens on the line.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.post_once(path, body, &new_key())
    }

    /// As [`Client::post`], under a key that the caller keeps to ask again later.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn post_once<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize, key: &str) -> Result<T> {
        let headers = vec![("Idempotency-Key", key.to_owned())];
        self.send(&Call { method: Method::POST, path, body: json(body)?, headers, repeatable: true })?.json()
    }

    /// Performs an act that needs no further words.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn act<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let headers = vec![("Idempotency-Key", new_key())];
        self.send(&Call { method: Method::POST, path, body: Payload::Bytes(&[]), headers, repeatable: true })?.json()
    }

    /// Posts something that the server does not take twice, and returns nothing.
    pub(super) fn post_bare(&self, path: &str, body: &impl Serialize) -> Result<Reply> {
        self.send(&Call { method: Method::POST, path, body: json(body)?, headers: Vec::new(), repeatable: false })
    }

    /// Puts JSON in place of what is there.
    pub(super) fn put_json(&self, path: &str, body: &impl Serialize) -> Result<Reply> {
        self.send(&Call { method: Method::PUT, path, body: json(body)?, headers: Vec::new(), repeatable: true })
    }

    /// Sends a call until it is answered, or patience ends.
    pub(super) fn send(&self, call: &Call<'_>) -> Result<Reply> {
        let token = self.access_token();
        match self.send_without_renewal(call, token.as_deref()) {
            Err(error) if token.is_some() && error.code() == Some("token-expired") => {
                self.renew(token.as_deref()).map_err(|_| error)?;
                self.send_without_renewal(call, self.access_token().as_deref())
            }
            result => result,
        }
    }

    fn send_without_renewal(&self, call: &Call<'_>, token: Option<&str>) -> Result<Reply> {
        let attempts = if call.repeatable { limits::CLIENT_ATTEMPTS } else { 1 };
        let mut last = ClientError::Line("it was never asked".into());
        for attempt in 1..=attempts {
            let after = match self.attempt(call, token) {
                Attempt::Done(reply) => return Ok(reply),
                Attempt::Expired(error) | Attempt::No(error) => return Err(error),
                Attempt::Later(error, after) => {
                    last = error;
                    after
                }
            };
            if attempt < attempts {
                let pause = Duration::from_millis(limits::CLIENT_PAUSE_MS << (attempt - 1));
                std::thread::sleep(after.unwrap_or(pause).min(Duration::from_secs(limits::CLIENT_PAUSE_MOST_SECONDS)));
            }
        }
        Err(last)
    }

    fn attempt(&self, call: &Call<'_>, token: Option<&str>) -> Attempt {
        let mut request = Request::builder().method(call.method.clone()).uri(format!("{}{}", self.base, call.path));
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        // A demonstration and a command line speak to their user in English.
        request = request.header("Accept-Language", "en");
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let sent = match &call.body {
            Payload::Nothing => request.body(()).map_err(ureq::Error::from).and_then(|request| self.agent.run(request)),
            Payload::Json(body) => {
                let request = request.header("Content-Type", "application/json").body(body.as_slice());
                request.map_err(ureq::Error::from).and_then(|request| self.agent.run(request))
            }
            Payload::Bytes(bytes) => {
                let request = request.header("Content-Type", "application/octet-stream").body(*bytes);
                request.map_err(ureq::Error::from).and_then(|request| self.agent.run(request))
            }
        };
        match sent {
            Ok(response) => read(response),
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
                Attempt::No(ClientError::Line(error.to_string()))
            }
            Err(error) => Attempt::Later(ClientError::Line(error.to_string()), None),
        }
    }
}

fn keep(state: &mut SignedIn, session: &Session) {
    state.access = Some(Secret::new(session.access_token.clone()));
    state.refresh = Some(Secret::new(session.refresh_token.clone()));
}

fn json<'a>(body: &impl Serialize) -> Result<Payload<'a>> {
    serde_json::to_vec(body).map(Payload::Json).map_err(|error| ClientError::Answer(format!("request: {error}")))
}

fn read(mut response: Response<ureq::Body>) -> Attempt {
    let status = response.status();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let after = header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let body = match response.body_mut().with_config().limit(limits::CLIENT_ANSWER_BYTES).read_to_vec() {
        Ok(body) => body,
        Err(error) => return Attempt::Later(ClientError::Line(error.to_string()), None),
    };
    if status.is_success() {
        return Attempt::Done(Reply { body });
    }
    let error = match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => ClientError::Problem(Box::new(problem)),
        Err(_) => ClientError::Status(status.as_u16()),
    };
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {
            Attempt::Later(error, after)
        }
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT | StatusCode::INTERNAL_SERVER_ERROR => {
            Attempt::Later(error, after)
        }
        StatusCode::UNAUTHORIZED => Attempt::Expired(error),
        _ => Attempt::No(error),
    }
}

/// A new `Idempotency-Key`.
pub fn new_key() -> String {
    uuid::Uuid::new_v4().to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Serves one scripted answer for each connection and returns the requests it saw.
    fn serve(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = std::thread::spawn(move || {
            answers.iter().map(|answer| answer_one(listener.accept().expect("a connection").0, answer)).collect()
        });
        (base, seen)
    }

    fn answer_one(mut stream: TcpStream, answer: &str) -> String {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            if line == "\r\n" || line.is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        stream.write_all(answer.as_bytes()).expect("sent");
        head
    }

    const BUSY: &str =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ntrue";
    const REFUSED: &str = "HTTP/1.1 409 Conflict\r\nContent-Length: 72\r\nConnection: close\r\n\r\n{\"status\":409,\"code\":\"state-forbids\",\"title\":\"t\",\"detail\":\"not now now\"}";

    fn key_of(head: &str) -> Option<&str> {
        head.lines().find(|line| line.to_lowercase().starts_with("idempotency-key:"))
    }

    #[test]
    fn a_repeated_act_keeps_its_key() {
        let (base, seen) = serve(vec![BUSY, "", FINE]);
        let done: bool =
            Client::new(&base).post("/v1/acts", &serde_json::json!({})).expect("done at the third attempt");
        assert!(done);
        let seen = seen.join().expect("served");
        assert_eq!(seen.len(), 3);
        assert!(key_of(&seen[0]).is_some());
        assert!(seen.iter().all(|head| key_of(head) == key_of(&seen[0])), "{seen:?}");
    }

    #[test]
    fn a_refusal_is_not_asked_again() {
        let (base, seen) = serve(vec![REFUSED]);
        let error = Client::new(&base).post::<bool>("/v1/acts", &serde_json::json!({})).expect_err("refused");
        assert_eq!(error.code(), Some("state-forbids"));
        assert_eq!(seen.join().expect("served").len(), 1);
    }

    #[test]
    fn what_must_not_happen_twice_is_sent_once() {
        let (base, seen) = serve(vec![BUSY]);
        assert!(Client::new(&base).post_bare("/v1/password-resets", &serde_json::json!({})).is_err());
        assert_eq!(seen.join().expect("served").len(), 1);
    }
}
