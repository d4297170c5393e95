//! Every error code in one table, and how an error becomes `application/problem+json` (RFC 9457).

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::text::{Bilingual, Language, Phrase};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Failure};
use crate::limits;
use crate::refusals;
use crate::rules::catalogue::RuleId;
use crate::rules::refusal::{Obstacle, Refusal, Retry};

/// One error code.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// Stable, kebab-case; never changes with the language.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// A few words.
    pub title: Phrase,
}

/// An error, as RFC 9457 has it.
#[derive(Clone, Debug, Serialize, serde::Deserialize, ToSchema)]
pub struct Problem {
    /// A path that the server also serves as a page.
    #[serde(rename = "type")]
    pub kind: String,
    /// A few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, in plain words.
    pub detail: String,
    /// The stable code.
    pub code: String,
    /// The request's id, the same as in `Request-Id`.
    pub request_id: String,
    /// What would help.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// The rule that refuses, where one does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<ProblemRule>,
    /// The earliest instant at which it can become possible, where time alone decides.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub possible_at: Option<Timestamp>,
    /// Whether to repeat the request: `same_request`, `after_change` or `never`.
    pub retry: Retry,
    /// What RFC 6749 calls it, where the token endpoint refuses.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// A signed refusal, where the attempt is on record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Object>)]
    pub refusal: Option<serde_json::Value>,
}

/// A rule, as a refusal names it.
#[derive(Clone, Debug, Serialize, serde::Deserialize, ToSchema)]
pub struct ProblemRule {
    /// Such as `ENG-01`.
    pub id: String,
    /// The article.
    pub source: String,
}

/// The names that RFC 6749 (5.2) has for our codes.
const OAUTH: &[(&str, &str)] = &[
    ("token-request-invalid", "invalid_request"),
    ("client-assertion-invalid", "invalid_client"),
    ("grant-type-unsupported", "unsupported_grant_type"),
    ("scope-invalid", "invalid_scope"),
];

/// The status of a refusal: from the table, or from the kind of obstacle that a rule found.
pub fn status(refusal: &Refusal) -> StatusCode {
    let listed = row(refusal.code).map(|row| row.status);
    let status = listed.unwrap_or_else(|| status_of(refusal.obstacle));
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The status of a rule's refusal.
pub const fn status_of(obstacle: Obstacle) -> u16 {
    match obstacle {
        Obstacle::Authority => 403,
        Obstacle::State => 409,
        Obstacle::Content => 422,
    }
}

/// The row of a code that comes from no rule.
pub fn row(code: &str) -> Option<&'static Code> {
    super::codes::CODES.iter().find(|row| row.code == code)
}

fn title(refusal: &Refusal) -> Phrase {
    let of_rule = || refusal.rule.map(|rule| rule.rule().title);
    row(refusal.code).map(|row| row.title).or_else(of_rule).unwrap_or(Phrase::new("不允许", "Refused"))
}

/// What an error says, before it is put into a language.
#[derive(Clone, Debug)]
pub struct Said {
    refusal: Refusal,
    extra: Option<serde_json::Value>,
}

impl Said {
    /// The earliest instant at which it can become possible.
    pub const fn possible_at(&self) -> Option<Timestamp> {
        self.refusal.possible_at
    }

    /// The problem in a language.
    pub fn render(&self, language: Language, request_id: &str) -> Problem {
        let refusal = &self.refusal;
        let text = |both: &Bilingual| both.get(language).to_owned();
        Problem {
            kind: format!("/problems/{}", refusal.code),
            title: title(refusal).get(language).to_owned(),
            status: status(refusal).as_u16(),
            detail: text(&refusal.detail),
            code: refusal.code.to_owned(),
            request_id: request_id.to_owned(),
            hint: Some(text(&refusal.hint)).filter(|hint| !hint.is_empty()),
            rule: refusal.rule.map(|rule| ProblemRule { id: rule.to_string(), source: rule_source(rule, language) }),
            possible_at: refusal.possible_at,
            retry: refusal.retry,
            error: OAUTH.iter().find(|(code, _)| *code == refusal.code).map(|(_, error)| (*error).to_owned()),
            refusal: self.extra.clone(),
        }
    }
}

fn rule_source(rule: RuleId, language: Language) -> String {
    rule.rule().source.get(language).to_owned()
}

/// An error response whose text the outermost middleware puts into the caller's language.
pub fn response(refusal: Refusal, extra: Option<serde_json::Value>) -> HttpResponse {
    let status = status(&refusal);
    let said = Said { refusal, extra };
    let mut response = HttpResponse::new(status);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if matches!(status.as_u16(), 503 | 429) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(limits::BUSY_RETRY_SECONDS));
    }
    response.extensions_mut().insert(said);
    response
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{}", refusal.code),
            Self::Failed(failure) => write!(f, "{failure}"),
        }
    }
}

impl std::error::Error for Error {}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status(&self.as_refusal())
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = response(self.as_refusal(), None);
        if let Self::Failed(failure) = self {
            response.extensions_mut().insert(Broken::of(failure));
        }
        response
    }
}

/// What broke, on its way to the log: whoever knows the route decides how much of it may be told.
#[derive(Clone, Debug)]
pub struct Broken {
    kind: &'static str,
    text: String,
    busy: bool,
}

impl Broken {
    fn of(failure: &Failure) -> Self {
        let kind = failure.kind();
        Self {
            kind,
            text: failure.to_string(),
            busy: matches!(failure, Failure::Busy | Failure::Stopping | Failure::Halted(_)),
        }
    }

    /// Writes it to the log; on a route that touches sealed facts without its text, which may name a table or quote a
    /// value.
    pub fn log(&self, request_id: &str, sealed: bool) {
        let failure = if sealed { self.kind } else { &self.text };
        if self.busy {
            tracing::warn!(request.id = request_id, failure, "a request was sent away");
        } else {
            tracing::error!(request.id = request_id, failure, "a request failed");
        }
    }
}

impl Error {
    /// What the caller is told: never the details of a failure.
    pub fn as_refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => (**refusal).clone(),
            Self::Failed(Failure::Busy | Failure::Stopping) => refusals::busy(),
            Self::Failed(Failure::Full(_)) => refusals::storage_full(),
            Self::Failed(Failure::Halted(_)) => refusals::log_halted(),
            Self::Failed(Failure::Unreachable(_) | Failure::Storage(_)) => refusals::unavailable(),
            Self::Failed(_) => refusals::internal(),
        }
    }
}

/// Explains an error code.
///
/// The page that `type` of a problem points to.
#[utoipa::path(tag = "public", operation_id = "get_problem", params(("code" = String, Path, description = "The code.")),
    responses((status = 200, description = "What the code means, as text.", body = String, content_type = "text/plain"), (status = 404, description = "No such code.", body = Problem, content_type = "application/problem+json")))]
#[get("/problems/{code}")]
pub async fn get_problem(code: web::Path<String>, req: HttpRequest) -> Result<HttpResponse, Error> {
    let language = req
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map_or_else(Language::default, Language::accepted);
    let meanings = super::codes::meanings();
    let meaning = meanings.get(code.as_str()).ok_or_else(refusals::not_found)?;
    let mut text = format!("{code} ({})\n{}\n", meaning.status, meaning.title.get(language));
    for rule in &meaning.rules {
        text.push_str(&format!("{rule}: {} ({})\n", rule.rule().title.get(language), rule.rule().source.get(language)));
    }
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text))
}
