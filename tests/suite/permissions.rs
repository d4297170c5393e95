//! Who may call what: the table, the API description and the running server say the same.

use std::collections::BTreeSet;

use sealbid::http::permissions::{Access, OPERATIONS};
use sealbid::kernel::role::Role;

use crate::derived::described;
use crate::support::api::{Answer, Request};
use crate::support::world::World;

#[test]
fn the_table_and_the_description_list_the_same_operations() {
    let table: BTreeSet<(String, String)> =
        OPERATIONS.iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    let description: BTreeSet<(String, String)> =
        described().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(table.len(), OPERATIONS.len(), "the table lists an operation twice");
    let only =
        |a: &BTreeSet<(String, String)>, b: &BTreeSet<(String, String)>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(only(&table, &description), Vec::new(), "in the table, but not served");
    assert_eq!(only(&description, &table), Vec::new(), "served, but not in the table");
}

/// A path of that form at which there is nothing.
fn nothing_at(pattern: &str) -> String {
    let fill = |name: &str| match name {
        "n" => "0".to_owned(),
        "year" => "2026".to_owned(),
        "part" => "price".to_owned(),
        "code" => "not-found".to_owned(),
        name => format!("{}-0192f0c1-7a3b-7c4d-8e5f-0123456789ab", &name[..3]),
    };
    let part = |part: &str| {
        part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).map_or_else(|| part.to_owned(), fill)
    };
    pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// One person for each role.
const PEOPLE: [(&str, Role); 5] = [
    ("admin", Role::Admin),
    ("centre", Role::Centre),
    ("initiator1", Role::Initiator),
    ("bidder1", Role::Bidder),
    ("inspector", Role::Inspector),
];

fn let_in(answer: &Answer) -> bool {
    answer.status != 401 && answer.code() != "role-forbidden"
}

#[test]
fn every_role_is_let_in_or_turned_away_as_the_table_says() {
    let world = World::sqlite();
    for row in OPERATIONS {
        let path = nothing_at(row.path);
        let ask = |request: Request<'_>| {
            let answer = request.key("permissions").send();
            assert!(answer.status < 500, "{}: {} {}", answer.asked, answer.status, answer.text());
            answer
        };
        let public = matches!(row.access, Access::Public | Access::PublicOrAny);
        let stranger = ask(world.nobody(row.method, path.as_str()));
        assert_eq!(let_in(&stranger), public, "{} by nobody: {}", stranger.asked, stranger.text());
        if !public {
            stranger.refused(401, "not-signed-in");
        }
        for (login, role) in PEOPLE {
            let allowed = public || matches!(row.access, Access::Roles(roles) if roles.contains(&role));
            let answer = ask(world.person(login).request(row.method, path.as_str()));
            assert_eq!(let_in(&answer), allowed, "{} by {login}: {} {}", answer.asked, answer.status, answer.text());
            if !allowed {
                answer.refused(403, "role-forbidden");
            }
        }
    }
}

#[test]
fn a_token_that_is_none_is_refused_also_where_none_is_needed() {
    let world = World::sqlite();
    for row in OPERATIONS.iter().filter(|row| row.access != Access::Public) {
        let path = nothing_at(row.path);
        world
            .nobody(row.method, path)
            .header("Authorization", "Bearer forged")
            .key("forged")
            .send()
            .refused(401, "not-signed-in");
    }
}

#[test]
fn an_expired_token_says_that_it_expired() {
    let world = World::sqlite();
    let token = format!("Bearer {}", world.admin().token());
    world.set_clock(world.now().plus_seconds(16 * 60));
    world.nobody("GET", "/v1/me").header("Authorization", token).send().refused(401, "token-expired");
}

#[test]
fn an_address_without_a_route_is_a_problem_too() {
    let world = World::sqlite();
    world.nobody("GET", "/v1/nothing/here").send().refused(404, "not-found");
    world.admin().get("/v1/nothing/here").refused(404, "not-found");
    world.nobody("DELETE", "/v1/time").send().refused(405, "method-not-allowed");
}
