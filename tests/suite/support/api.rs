//! Requests as they are, and answers as they come: status, headers, body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sealbid::features::accounts::model::roles_of;
use sealbid::kernel::digest::sha256;
use sealbid::kernel::role::Role;
use sealbid::seal::keys::SigningKey;
use serde_json::Value;

use super::cast::{MATTER, Member};
use super::world::World;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What was asked, for the message of a failing test.
    pub asked: String,
}

impl Answer {
    /// A header, by its name in lowercase.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {} {error}: {}", self.asked, self.status, self.text()))
    }

    /// The problem's code; empty where the answer is none.
    pub fn code(&self) -> String {
        let parsed: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        parsed["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The JSON of an answer that says yes.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.asked, self.status, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The bytes of an answer that says yes.
    #[track_caller]
    pub fn ok_bytes(self) -> Vec<u8> {
        assert_eq!(self.status, 200, "{}: {}", self.asked, self.text());
        self.body
    }

    /// The problem of an answer that says no with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}: {}", self.asked, self.text());
        let problem = self.json();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.asked);
        assert_eq!(problem["request_id"].as_str(), self.header("request-id"), "{}", self.asked);
        problem
    }

    /// The problem of an answer that a rule says no with; it names the rule and its source.
    #[track_caller]
    pub fn refused_by(self, status: u16, code: &str, rule: &str) -> Value {
        let asked = self.asked.clone();
        let problem = self.refused(status, code);
        assert_eq!(problem["rule"]["id"], rule, "{asked}: {problem}");
        assert!(problem["rule"]["source"].as_str().is_some_and(|source| !source.is_empty()), "{asked}: {problem}");
        problem
    }
}

/// A request that is being put together.
pub struct Request<'w> {
    world: &'w World,
    base: String,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl<'w> Request<'w> {
    pub fn new(world: &'w World, method: &'static str, path: impl Into<String>) -> Self {
        Self { world, base: world.base().to_owned(), method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// To another server of the same platform.
    pub fn at(mut self, base: &str) -> Self {
        self.base = base.to_owned();
        self
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Under this `Idempotency-Key`.
    pub fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("Content-Type", "application/json")
    }

    /// A body just as it is written here.
    pub fn body(mut self, media_type: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("Content-Type", media_type)
    }

    pub fn bytes(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("Content-Type", "application/octet-stream")
    }

    #[track_caller]
    pub fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.path);
        let mut request = ureq::http::Request::builder().method(self.method).uri(format!("{}{}", self.base, self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        // Only these carry a body, if only an empty one.
        let sent = if self.body.is_empty() && !matches!(self.method, "POST" | "PUT" | "PATCH") {
            self.world.agent().run(request.body(()).expect("a request"))
        } else {
            self.world.agent().run(request.body(self.body).expect("a request"))
        };
        let mut response = sent.unwrap_or_else(|error| panic!("{asked}: {error}"));
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let body = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_vec()
            .unwrap_or_else(|error| panic!("{asked}: {error}"));
        Answer { status: response.status().as_u16(), headers, body, asked }
    }
}

/// A path of the inspection with the matter number of every test.
pub fn with_matter(path: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}matter={MATTER}")
}

/// A signed-in person; its token is always fresh by the world's clock.
pub struct Person<'w> {
    world: &'w World,
    pub member: &'w Member,
}

impl<'w> Person<'w> {
    pub fn new(world: &'w World, member: &'w Member) -> Self {
        Self { world, member }
    }

    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_pem(&self.member.pem).expect("made by the cast")
    }

    /// An access token, as signing in gives it.
    pub fn token(&self) -> String {
        let roles: Vec<String> =
            roles_of(&self.member.roles).iter().map(|role: &Role| role.name().to_owned()).collect();
        let app = self.world.app();
        app.tokens
            .issue(
                &self.member.user_id,
                &self.member.org_id,
                &roles,
                "ses-00000000-0000-7000-8000-000000000000",
                app.clock.now(),
            )
            .0
    }

    /// A request of this person.
    pub fn request(&self, method: &'static str, path: impl Into<String>) -> Request<'w> {
        Request::new(self.world, method, path).header("Authorization", format!("Bearer {}", self.token()))
    }

    pub fn get(&self, path: impl Into<String>) -> Answer {
        self.request("GET", path).send()
    }

    /// Looks at the record under the matter number for which the inspector of every test has a mandate.
    pub fn look(&self, path: impl Into<String>) -> Answer {
        self.get(with_matter(&path.into()))
    }

    /// Does something once, under a key of its own.
    pub fn post(&self, path: impl Into<String>, body: &Value) -> Answer {
        self.request("POST", path).key(&uuid::Uuid::new_v4().to_string()).json(body).send()
    }

    /// Does something that needs no further words.
    pub fn act(&self, path: impl Into<String>) -> Answer {
        self.request("POST", path).key(&uuid::Uuid::new_v4().to_string()).send()
    }

    /// Sends one chunk of an upload with its digest.
    pub fn put_chunk(&self, upload: &str, n: usize, bytes: &[u8]) -> Answer {
        let digest = format!("sha-256=:{}:", STANDARD.encode(sha256(bytes).as_bytes()));
        self.request("PUT", format!("/v1/uploads/{upload}/chunks/{n}"))
            .header("Content-Digest", digest)
            .bytes(bytes)
            .send()
    }
}
