//! Who may call what: one row an operation. A route that is not here does not answer.
//!
//! A role opens the door; ownership and state are looked at behind it, by the operation and by the rules' tables.

use crate::kernel::role::Role;
use crate::kernel::role::Role::{Admin, Bidder, Centre, Custodian, Initiator, Inspector};
use crate::metrics::Group;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Everybody; a signed-in caller may see more.
    PublicOrAny,
    /// Callers with one of these roles.
    Roles(&'static [Role]),
    /// A route that the table does not list.
    Unlisted,
    /// The path exists, with other methods.
    WrongMethod,
    /// No route at all.
    Unknown,
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// HTTP method.
    pub method: &'static str,
    /// Path pattern.
    pub path: &'static str,
    /// Who.
    pub access: Access,
    /// Whether it touches facts that are secret before the opening.
    pub sealed: bool,
}

const fn open(method: &'static str, path: &'static str) -> Operation {
    Operation { method, path, access: Access::Public, sealed: false }
}

const fn either(method: &'static str, path: &'static str) -> Operation {
    Operation { method, path, access: Access::PublicOrAny, sealed: false }
}

const fn only(method: &'static str, path: &'static str, roles: &'static [Role]) -> Operation {
    Operation { method, path, access: Access::Roles(roles), sealed: false }
}

const fn sealed(method: &'static str, path: &'static str, roles: &'static [Role]) -> Operation {
    Operation { method, path, access: Access::Roles(roles), sealed: true }
}

const ANY: &[Role] = &[Admin, Centre, Initiator, Bidder, Inspector, Custodian];

/// All operations.
pub const OPERATIONS: &[Operation] = &[
    open("GET", "/health/live"),
    open("GET", "/health/ready"),
    open("GET", "/problems/{code}"),
    open("GET", "/seal"),
    open("GET", "/seal/{file}"),
    open("GET", "/.well-known/jwks.json"),
    open("GET", "/v1/time"),
    open("GET", "/v1/platform-key"),
    // The public log.
    open("GET", "/audit/main/checkpoint"),
    open("GET", "/audit/main/tile/{tile}"),
    open("GET", "/audit/main/keys"),
    open("GET", "/audit/main/policy"),
    open("GET", "/audit/main/disclosures/{file}"),
    // Organisations and people.
    open("POST", "/v1/organisations"),
    only("GET", "/v1/organisations", &[Centre, Admin, Inspector]),
    only("GET", "/v1/organisations/{org}", ANY),
    only("POST", "/v1/organisations/{org}/actions/confirm", &[Centre]),
    only("POST", "/v1/organisations/{org}/actions/refuse", &[Centre]),
    only("POST", "/v1/users", &[Admin]),
    only("GET", "/v1/users", &[Admin, Inspector]),
    only("GET", "/v1/me", ANY),
    only("POST", "/v1/users/{user}/actions/set-roles", &[Admin]),
    only("POST", "/v1/users/{user}/actions/disable", &[Admin]),
    only("POST", "/v1/users/{user}/actions/enable", &[Admin]),
    only("POST", "/v1/users/{user}/actions/reset-password", &[Admin]),
    open("POST", "/v1/password-resets"),
    open("POST", "/v1/sessions"),
    open("POST", "/v1/sessions/refresh"),
    only("DELETE", "/v1/sessions/current", ANY),
    only("POST", "/v1/signing-keys", &[Bidder, Initiator, Custodian]),
    only("GET", "/v1/signing-keys", ANY),
    only("POST", "/v1/signing-keys/{key}/actions/revoke", &[Bidder, Initiator, Custodian, Admin]),
    open("POST", "/v1/oauth/token"),
    only("POST", "/v1/service-clients", &[Bidder, Initiator, Admin]),
    only("GET", "/v1/service-clients", &[Bidder, Initiator, Admin, Inspector]),
    only("POST", "/v1/service-clients/{client}/actions/revoke", &[Bidder, Initiator, Admin]),
    // Projects and lots.
    only("POST", "/v1/projects", &[Initiator]),
    only("GET", "/v1/projects", &[Initiator, Centre, Inspector]),
    only("GET", "/v1/projects/{project}", &[Initiator, Centre, Inspector]),
    only("POST", "/v1/lots", &[Initiator]),
    either("GET", "/v1/lots"),
    either("GET", "/v1/lots/{lot}"),
    only("PUT", "/v1/lots/{lot}", &[Initiator]),
    only("GET", "/v1/lots/{lot}/actions", ANY),
    either("GET", "/v1/lots/{lot}/timeline"),
    only("GET", "/v1/reviews", &[Centre]),
    only("POST", "/v1/lots/{lot}/actions/submit", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/accept", &[Centre]),
    only("POST", "/v1/lots/{lot}/actions/return", &[Centre]),
    only("POST", "/v1/lots/{lot}/actions/publish", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/clarify", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/extend", &[Initiator, Centre]),
    only("POST", "/v1/lots/{lot}/actions/amend", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/hold", &[Initiator, Centre, Inspector]),
    only("POST", "/v1/lots/{lot}/actions/release", &[Initiator, Centre, Inspector]),
    only("POST", "/v1/lots/{lot}/actions/terminate", &[Initiator, Centre]),
    only("POST", "/v1/lots/{lot}/actions/declare-unsuccessful", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/open-prices", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/complete-evaluation", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/publish-candidates", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/award", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/publish-result", &[Initiator]),
    only("POST", "/v1/lots/{lot}/actions/retender", &[Initiator]),
    either("GET", "/v1/lots/{lot}/notices"),
    open("GET", "/v1/notices"),
    only("POST", "/v1/lots/{lot}/documents", &[Initiator]),
    either("GET", "/v1/lots/{lot}/documents"),
    sealed("GET", "/v1/documents/{document}/content", ANY),
    sealed("POST", "/v1/lots/{lot}/questions", &[Bidder]),
    either("GET", "/v1/lots/{lot}/questions"),
    only("POST", "/v1/questions/{question}/actions/answer", &[Initiator]),
    open("GET", "/v1/calendar/{year}"),
    // Custodians.
    only("PUT", "/v1/custodians/me", &[Custodian]),
    only("GET", "/v1/custodians", ANY),
    only("POST", "/v1/lots/{lot}/ceremonies", &[Initiator]),
    open("GET", "/v1/lots/{lot}/ceremonies"),
    only("GET", "/v1/ceremonies/mine", &[Custodian]),
    open("GET", "/v1/ceremonies/{ceremony}"),
    only("POST", "/v1/ceremonies/{ceremony}/messages", &[Custodian]),
    only("GET", "/v1/ceremonies/{ceremony}/backups/mine", &[Custodian]),
    only("POST", "/v1/ceremonies/{ceremony}/actions/abandon", &[Initiator, Centre]),
    open("GET", "/v1/lots/{lot}/snapshots"),
    sealed("POST", "/v1/lots/{lot}/partials", &[Custodian, Bidder, Initiator]),
    open("GET", "/v1/lots/{lot}/partials"),
    // Sealed bids.
    open("GET", "/v1/lots/{lot}/key-set"),
    sealed("POST", "/v1/lots/{lot}/uploads", &[Bidder, Initiator]),
    sealed("PUT", "/v1/uploads/{upload}/chunks/{n}", &[Bidder, Initiator]),
    sealed("PUT", "/v1/uploads/{upload}/leaves", &[Bidder, Initiator]),
    sealed("GET", "/v1/uploads/{upload}", &[Bidder, Initiator]),
    sealed("POST", "/v1/uploads/{upload}/actions/complete", &[Bidder, Initiator]),
    sealed("POST", "/v1/lots/{lot}/bids", &[Bidder]),
    sealed("POST", "/v1/lots/{lot}/bids/check", &[Bidder]),
    sealed("GET", "/v1/lots/{lot}/bids/mine", &[Bidder]),
    sealed("POST", "/v1/bids/{bid}/actions/withdraw", &[Bidder]),
    sealed("GET", "/v1/bids/{bid}/payloads/{part}", &[Bidder]),
    sealed("PUT", "/v1/lots/{lot}/reserve", &[Initiator]),
    sealed("GET", "/v1/receipts/{entry}", &[Bidder, Initiator]),
    sealed("GET", "/v1/receipts/{entry}/proof", &[Bidder, Initiator]),
    // Opening, evaluation, award.
    either("GET", "/v1/lots/{lot}/opening"),
    only("POST", "/v1/lots/{lot}/opening/actions/give-up-shares", &[Centre]),
    only("POST", "/v1/lots/{lot}/opening/actions/attribute", &[Initiator]),
    only("POST", "/v1/lots/{lot}/opening/actions/read-out", &[Initiator, Centre]),
    only("POST", "/v1/lots/{lot}/opening/objections", &[Bidder]),
    only("POST", "/v1/lots/{lot}/objections", &[Bidder]),
    only("POST", "/v1/objections/{objection}/actions/answer", &[Initiator]),
    only("POST", "/v1/lots/{lot}/opening/actions/confirm", &[Initiator]),
    only("POST", "/v1/lots/{lot}/opening/actions/close", &[Initiator, Centre]),
    either("GET", "/v1/lots/{lot}/opening-record"),
    open("GET", "/v1/lots/{lot}/opening-bundle"),
    only("POST", "/v1/bids/{bid}/actions/evaluate", &[Initiator]),
    either("GET", "/v1/lots/{lot}/evaluation"),
    // Inspection and operation.
    only("GET", "/v1/inspection/entries", &[Inspector]),
    only("GET", "/v1/inspection/entries/{entry}", &[Inspector]),
    only("GET", "/v1/inspection/evidence", &[Inspector]),
    only("GET", "/v1/inspection/lots/{lot}", &[Inspector]),
    only("GET", "/v1/inspection/lots/{lot}/evidence", &[Inspector]),
    only("GET", "/v1/inspection/lots/{lot}/reports/{report}", &[Inspector]),
    only("POST", "/v1/inspection/mandates", &[Admin]),
    only("GET", "/v1/inspection/mandates", &[Admin, Inspector]),
    only("POST", "/v1/inspection/mandates/{mandate}/actions/end", &[Admin]),
    only("POST", "/v1/inspection/break-glasses", &[Inspector]),
    only("GET", "/v1/inspection/break-glasses", &[Inspector]),
    only("POST", "/v1/inspection/break-glasses/{break_glass}/actions/agree", &[Inspector]),
    only("POST", "/v1/inspection/break-glasses/{break_glass}/actions/withdraw", &[Inspector]),
    sealed("GET", "/v1/inspection/break-glasses/{break_glass}/entries", &[Inspector]),
    only("POST", "/v1/erasures", &[Admin]),
    only("GET", "/v1/erasures", &[Admin]),
    only("GET", "/v1/mails", &[Admin]),
    only("POST", "/v1/mails/{mail}/actions/retry", &[Admin]),
];

/// Operations whose bodies are measured against a deadline: they are let in before their body is read.
pub const HEADERS: &[(&str, &str)] =
    &[("POST", "/v1/lots/{lot}/bids"), ("POST", "/v1/bids/{bid}/actions/withdraw"), ("PUT", "/v1/lots/{lot}/reserve")];

/// The access of a method on a pattern.
pub fn access(method: &str, pattern: &str) -> Access {
    // HEAD is GET without its body; the documentation pages are static files.
    let method = if method == "HEAD" { "GET" } else { method };
    if pattern.starts_with("/docs") || pattern == "/openapi.json" || pattern == "/" {
        return Access::Public;
    }
    if let Some(row) = OPERATIONS.iter().find(|row| row.path == pattern && row.method == method) {
        return row.access;
    }
    if OPERATIONS.iter().any(|row| row.path == pattern) { Access::WrongMethod } else { Access::Unlisted }
}

/// Operations that look harmless and are not counted, because their number tells of bids; each with its reason.
const UNCOUNTED: &[(&str, &str)] = &[
    ("/v1/lots/{lot}/key-set", "whoever seals a bid asks for it"),
    ("/v1/time", "whoever is about to bid asks for it"),
    ("/v1/platform-key", "whoever checks a receipt asks for it"),
    ("/.well-known/jwks.json", "belongs to signing in"),
    ("/seal", "whoever seals a bid in a browser opens it"),
    ("/seal/{file}", "belongs to the page"),
    ("/audit/main/checkpoint", "whoever checks a receipt asks for it"),
    ("/audit/main/tile/{tile}", "whoever checks a receipt asks for it"),
    ("/audit/main/keys", "whoever checks a receipt asks for it"),
    ("/audit/main/policy", "whoever checks a receipt asks for it"),
    ("/v1/lots/{lot}/opening/actions/attribute", "one for each envelope that did not open, before the read-out"),
];

/// The group that a request is counted in, if in any: never where bidders have to pass, so that no count moves with a
/// bid. What is counted is what the log names, for the same reason. `anonymous` is a request that carries no token: a
/// bidder's own software carries one.
pub fn counted(method: &str, pattern: Option<&str>, anonymous: bool) -> Option<Group> {
    let Some(pattern) = pattern else { return anonymous.then_some(Group::Unmatched) };
    let row = OPERATIONS.iter().find(|row| row.path == pattern && row.method == method)?;
    if row.sealed || UNCOUNTED.iter().any(|(path, _)| *path == pattern) {
        return None;
    }
    match row.access {
        Access::Roles(roles) => (!roles.contains(&Bidder)).then_some(Group::Staff),
        Access::Public | Access::PublicOrAny if pattern.starts_with("/health/") => Some(Group::Health),
        Access::Public | Access::PublicOrAny => (anonymous && method == "GET").then_some(Group::Public),
        Access::Unlisted | Access::WrongMethod | Access::Unknown => None,
    }
}

/// Whether a path of this pattern may stand in the log: not where it would name something whose id is a secret.
pub fn names_no_secret(pattern: &str) -> bool {
    !["{bid}", "{upload}", "{entry}", "{mail}"].iter().any(|id| pattern.contains(id))
}

/// The methods of a pattern, as the `Allow` header has them.
pub fn methods(pattern: &str) -> String {
    let mut methods: Vec<&str> = OPERATIONS.iter().filter(|row| row.path == pattern).map(|row| row.method).collect();
    methods.dedup();
    methods.join(", ")
}

/// Whether a request touches sealed facts, by its method and path. A method that a path does not know (a HEAD, a mistake)
/// touches what the path's other methods touch: the ids in it are as secret.
pub fn is_sealed_route(method: &str, path: &str) -> bool {
    let mut on_path = OPERATIONS.iter().filter(|row| matches_pattern(row.path, path));
    match on_path.clone().find(|row| row.method == method) {
        Some(row) => row.sealed,
        None => on_path.any(|row| row.sealed),
    }
}

fn matches_pattern(pattern: &str, path: &str) -> bool {
    let (mut left, mut right) = (pattern.split('/'), path.split('/'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.starts_with('{') || a == b => {}
            _ => return false,
        }
    }
}

/// The matrix of roles and operations, as `api-spec/permissions.md` shows it.
pub fn permissions_md() -> String {
    let mut out = String::from(
        "# Permissions\n\nDerived from the code. A role opens the door; ownership and state are looked at behind it.\n\
         \"sealed\" marks operations that touch facts which are secret before the opening.\n\n\
         | operation | nobody | admin | centre | initiator | bidder | inspector | sealed |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in OPERATIONS {
        let mark = |yes: bool| if yes { "yes" } else { "" };
        let public = matches!(row.access, Access::Public | Access::PublicOrAny);
        let role = |role: Role| mark(public || matches!(row.access, Access::Roles(roles) if roles.contains(&role)));
        out.push_str(&format!(
            "| `{} {}` | {} | {} | {} | {} | {} | {} | {} |\n",
            row.method,
            row.path,
            mark(public),
            role(Admin),
            role(Centre),
            role(Initiator),
            role(Bidder),
            role(Inspector),
            mark(row.sealed),
        ));
    }
    out
}
