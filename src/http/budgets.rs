//! Which budget a request is paid from: one table.
//!
//! A signed-in caller pays from its own budget, wherever it comes from; only who is not signed in pays from the budget
//! of its network. So nobody can use up what another needs, also behind a proxy that many share. What bidding in the
//! last minutes consists of is not counted at all: uploads are bounded by bytes, bids by what the rules admit.

use crate::kernel::role::Role;

/// So many requests at once, and then one more every so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Its name, as the `RateLimit` headers have it.
    pub name: &'static str,
    /// Requests at once.
    pub burst: i64,
    /// Milliseconds after which one more is allowed.
    pub every_ms: i64,
}

/// Of a network, for what needs no account.
pub const STRANGERS: Budget = Budget { name: "strangers", burst: 1_200, every_ms: 50 };
/// Of a network, for registrations and new passwords: each costs a password hash.
pub const JOINING: Budget = Budget { name: "joining", burst: 60, every_ms: 20_000 };
/// Of a network, for refresh tokens and assertions that were not valid. A valid one is never refused for the sake of
/// others that were not.
pub const TOKENS: Budget = Budget { name: "tokens", burst: 120, every_ms: 1_000 };
/// Of a network, for passwords that were wrong, over all logins.
pub const PASSWORDS: Budget = Budget { name: "passwords", burst: 120, every_ms: 5_000 };
/// Of a bidder or an initiator, person or software.
pub const MEMBERS: Budget = Budget { name: "members", burst: 1_200, every_ms: 50 };
/// Of those who work at the centre or inspect it: few, known, and with long lists to read.
pub const STAFF: Budget = Budget { name: "staff", burst: 6_000, every_ms: 10 };

/// How a route is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// By whom it comes from: [`STRANGERS`], [`MEMBERS`], [`STAFF`].
    ByCaller,
    /// Against the network, before the work.
    Network(Budget),
    /// Against the network, when the answer is a refusal.
    Refusals(Budget),
    /// Not here; the reason stands with the route.
    Not,
}

/// Routes that are counted otherwise than by their caller.
const ROUTES: &[(&str, &str, Counted)] = &[
    // For supervisors.
    ("GET", "/health/live", Counted::Not),
    ("GET", "/health/ready", Counted::Not),
    ("POST", "/v1/organisations", Counted::Network(JOINING)),
    ("POST", "/v1/password-resets", Counted::Network(JOINING)),
    // Passwords have a guard of their own, which also pays from PASSWORDS.
    ("POST", "/v1/sessions", Counted::Not),
    ("POST", "/v1/sessions/refresh", Counted::Refusals(TOKENS)),
    ("POST", "/v1/oauth/token", Counted::Refusals(TOKENS)),
    // Bounded by bytes and by the number of uploads.
    ("POST", "/v1/lots/{lot}/uploads", Counted::Not),
    ("PUT", "/v1/uploads/{upload}/chunks/{n}", Counted::Not),
    ("GET", "/v1/uploads/{upload}", Counted::Not),
    ("POST", "/v1/uploads/{upload}/actions/complete", Counted::Not),
    // Bounded by the number of versions and of recorded refusals.
    ("POST", "/v1/lots/{lot}/bids", Counted::Not),
    ("POST", "/v1/bids/{bid}/actions/withdraw", Counted::Not),
    ("PUT", "/v1/lots/{lot}/reserve", Counted::Not),
    // What a bidder asks after a line has broken.
    ("GET", "/v1/lots/{lot}/bids/mine", Counted::Not),
    ("GET", "/v1/receipts/{entry}", Counted::Not),
];

/// How a route is counted.
pub fn counted(method: &str, pattern: &str) -> Counted {
    let method = if method == "HEAD" { "GET" } else { method };
    let row = ROUTES.iter().find(|(verb, path, _)| *verb == method && *path == pattern);
    row.map_or(Counted::ByCaller, |(_, _, counted)| *counted)
}

/// The budget of a signed-in caller.
pub fn of_caller(roles: &[Role]) -> Budget {
    let outside = |role: &Role| matches!(role, Role::Bidder | Role::Initiator);
    if roles.iter().all(outside) { MEMBERS } else { STAFF }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::permissions::OPERATIONS;

    #[test]
    fn the_table_names_routes_that_exist_and_each_once() {
        for (at, (method, path, _)) in ROUTES.iter().enumerate() {
            assert!(OPERATIONS.iter().any(|row| row.method == *method && row.path == *path), "{method} {path}");
            let again = ROUTES[at + 1..].iter().any(|(verb, other, _)| verb == method && other == path);
            assert!(!again, "{method} {path} twice");
        }
    }

    #[test]
    fn nothing_that_bidding_needs_is_counted() {
        for (method, path) in [
            ("POST", "/v1/lots/{lot}/uploads"),
            ("PUT", "/v1/uploads/{upload}/chunks/{n}"),
            ("GET", "/v1/uploads/{upload}"),
            ("POST", "/v1/uploads/{upload}/actions/complete"),
            ("POST", "/v1/lots/{lot}/bids"),
        ] {
            assert_eq!(counted(method, path), Counted::Not, "{method} {path}");
        }
    }

    #[test]
    fn staff_pays_from_its_own_budget() {
        assert_eq!(of_caller(&[Role::Bidder, Role::Initiator]), MEMBERS);
        assert_eq!(of_caller(&[Role::Inspector]), STAFF);
    }
}
