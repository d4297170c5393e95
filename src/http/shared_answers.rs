//! What many operations answer, said once.
//!
//! Promise: whatever the outer layers of the server can answer to an operation is described with it, because it follows
//! from what is known of the operation anyway: who may call it, its path, its parameters, its body. What a handler says
//! of itself stays; only what it leaves out is added. Shared headers get the form in which they are read.
//! Deliberately not here: what an operation answers when it succeeds.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder};

use super::permissions::{self, Access};
use crate::kernel::role::Role;
use crate::limits;

/// 32 bytes in base64: the last letter has four bits.
const CONTENT_DIGEST: &str = "^sha-256=:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=:$";
const PROBLEM: &str = "application/problem+json";

/// What is known of an operation.
struct Known {
    access: Access,
    in_path: bool,
    query: bool,
    headers: Vec<String>,
    body: bool,
    json: bool,
}

impl Known {
    fn takes(&self, header: &str) -> bool {
        self.headers.iter().any(|name| name == header)
    }

    fn acts(&self) -> bool {
        self.takes("Idempotency-Key")
    }
}

/// A refusal that operations share.
struct Shared {
    status: &'static str,
    says: &'static str,
    applies: fn(&Known) -> bool,
}

const fn shared(status: &'static str, says: &'static str, applies: fn(&Known) -> bool) -> Shared {
    Shared { status, says, applies }
}

const SHARED: &[Shared] = &[
    shared("400", "It cannot be read: the body, a header, or the cursor of a page.", |known| {
        known.body || known.query || known.acts()
    }),
    shared("401", "No access token where one is needed, or one that does not count any more.", |known| {
        matches!(known.access, Access::Roles(_) | Access::PublicOrAny)
    }),
    shared(
        "403",
        "Not for your role.",
        |known| matches!(known.access, Access::Roles(roles) if Role::ALL.iter().any(|role| !roles.contains(role))),
    ),
    shared("404", "There is none, or none that you may see.", |known| known.in_path),
    shared("408", "The body came too slowly.", |known| known.body),
    shared("409", "The state forbids it, or the Idempotency-Key was used for another request.", Known::acts),
    shared("412", "It has changed since you saw it.", |known| known.takes("If-Match")),
    shared("413", "The body is too large.", |known| known.body),
    shared("415", "The body is not JSON.", |known| known.json),
    shared("422", "Not valid, or a rule refuses it.", |known| known.body || known.query || known.acts()),
    shared("428", "The If-Match header is missing.", |known| known.takes("If-Match")),
    shared("429", "Too many requests; come back after Retry-After.", |_| true),
    shared("500", "Something broke; the request's id finds it in the log.", |_| true),
    shared("503", "Busy, stopping or out of reach of what it needs; come back after Retry-After.", |_| true),
];

fn name(status: &str) -> String {
    format!("Problem{status}")
}

fn problem(refusal: &Shared) -> Response {
    let text = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build();
    let id = HeaderBuilder::new().schema(Some(text())).description(Some("The request's id.")).build();
    let response = ResponseBuilder::new()
        .description(refusal.says)
        .header("Request-Id", id)
        .content(PROBLEM, ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build());
    if !matches!(refusal.status, "429" | "503") {
        return response.build();
    }
    let seconds = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).build();
    let after = HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds.")).build();
    response.header("Retry-After", after).build()
}

/// Completes the description of every operation.
pub fn complete(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    for refusal in SHARED {
        components.responses.insert(name(refusal.status), RefOr::T(problem(refusal)));
    }
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            complete_one(method, path, operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [("GET", &mut item.get), ("PUT", &mut item.put), ("POST", &mut item.post), ("DELETE", &mut item.delete)]
        .into_iter()
        .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn complete_one(method: &str, path: &str, operation: &mut Operation) {
    let mut known = Known {
        access: permissions::access(method, path),
        in_path: path.contains('{'),
        query: false,
        headers: Vec::new(),
        body: operation.request_body.is_some(),
        json: false,
    };
    if let Some(RefOr::T(body)) = &operation.request_body {
        known.json = body.content.contains_key("application/json");
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        match parameter.parameter_in {
            ParameterIn::Query => known.query = true,
            ParameterIn::Header => known.headers.push(parameter.name.clone()),
            _ => {}
        }
        shape(parameter);
    }
    for refusal in SHARED.iter().filter(|refusal| (refusal.applies)(&known)) {
        let shared = || RefOr::Ref(Ref::from_response_name(name(refusal.status)));
        operation.responses.responses.entry(refusal.status.to_owned()).or_insert_with(shared);
    }
}

/// The form of the headers that several operations take.
fn shape(parameter: &mut Parameter) {
    let (says, pattern, most) = match parameter.name.as_str() {
        "Idempotency-Key" => ("Chosen by you, one for each act.", "^[!-~]+$", limits::IDEMPOTENCY_KEY_LEN),
        "If-Match" => ("The ETag that you saw.", "^\"v[1-9][0-9]{0,17}\"$", limits::IDEMPOTENCY_KEY_LEN),
        "Content-Digest" => ("sha-256=:base64:", CONTENT_DIGEST, limits::IDEMPOTENCY_KEY_LEN),
        _ => return,
    };
    let text = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(pattern));
    parameter.schema = Some(RefOr::T(text.build().into()));
    parameter.description.get_or_insert_with(|| says.to_owned());
}
