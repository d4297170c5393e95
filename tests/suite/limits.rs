//! Limits of requests and of wrong passwords: who pays, who waits, and who cannot be kept out by whom.

use diesel::prelude::*;
use sealbid::db::schema::audit_personal;
use sealbid::http::budgets::{JOINING, MEMBERS, PASSWORDS, STRANGERS, TOKENS};
use sealbid::limits;
use sealbid::rules::editions::Category;
use serde_json::json;

use crate::support::api::Answer;
use crate::support::cast::PASSWORD;
use crate::support::world::World;

/// A platform behind a proxy on this machine.
fn behind_a_proxy() -> World {
    World::sqlite_with(|config| config.server.trusted_proxies = vec!["127.0.0.0/8".into()])
}

fn sign_in(world: &World, from: &str, login: &str, password: &str) -> Answer {
    world
        .nobody("POST", "/v1/sessions")
        .header("X-Forwarded-For", from)
        .json(&json!({ "login": login, "password": password }))
        .send()
}

fn retry_after(answer: &Answer) -> i64 {
    answer.header("retry-after").and_then(|text| text.parse().ok()).expect("Retry-After")
}

/// Uses up what a network has for strangers.
fn use_up(world: &World, from: &str) -> Answer {
    for _ in 0..=STRANGERS.burst {
        let answer = world.nobody("GET", "/problems/busy").header("X-Forwarded-For", from).send();
        if answer.status == 429 {
            return answer;
        }
        assert_eq!(answer.status, 200);
    }
    panic!("there is no limit");
}

#[test]
fn a_network_that_has_used_up_its_budget_waits_and_nobody_else_does() {
    let world = behind_a_proxy();
    let refused = use_up(&world, "198.51.100.1");
    let wait = retry_after(&refused);
    assert_eq!(refused.header("ratelimit-policy"), Some("\"strangers\";q=1200;w=60"));
    assert_eq!(refused.header("ratelimit"), Some(format!("\"strangers\";r=0;t={wait}").as_str()));
    assert_eq!(refused.refused(429, "rate-limited")["retry"], "same_request");
    let from = |address: &str| world.nobody("GET", "/problems/busy").header("X-Forwarded-For", address).send().status;
    assert_eq!(from("198.51.100.1"), 429);
    assert_eq!(from("203.0.113.5, 198.51.100.1"), 429, "what a client writes itself does not help it");
    assert_eq!(from("198.51.100.2"), 200, "a neighbour");
    assert_eq!(from("198.51.100.1, 198.51.100.2"), 200, "nor does it harm whom it names");
    // Who is signed in pays by itself, from wherever it comes, also where nobody has to be.
    let member = world.bidder(1);
    let signed_in = |path: &str| member.request("GET", path).header("X-Forwarded-For", "198.51.100.1").send().status;
    assert_eq!(signed_in("/v1/me"), 200);
    assert_eq!(signed_in("/problems/busy"), 200);
    world.set_clock(world.now().plus_seconds(wait));
    assert_eq!(from("198.51.100.1"), 200, "at the moment that was promised");
}

#[test]
fn a_stranger_cannot_say_where_it_comes_from() {
    let world = World::sqlite();
    use_up(&world, "198.51.100.1");
    let elsewhere = world.nobody("GET", "/problems/busy").header("X-Forwarded-For", "198.51.100.2").send();
    assert_eq!(elsewhere.status, 429);
    assert_eq!(world.nobody("GET", "/health/ready").send().status, 200, "supervisors are not counted");
}

#[test]
fn the_record_keeps_the_address_that_a_trusted_proxy_saw() {
    for (world, expected) in [(behind_a_proxy(), "198.51.100.7"), (World::sqlite(), "127.0.0.1")] {
        let person = json!({ "login": "proxied", "name": "P", "email": "p@example.org" });
        let organisation = json!({ "identifier": { "scheme": "X-TEST", "id": "proxied" }, "name": "Proxied" });
        world
            .admin()
            .request("POST", "/v1/users")
            .key("proxied")
            .header("X-Forwarded-For", "10.9.9.9, 198.51.100.7")
            .json(&json!({ "organisation": organisation, "user": person, "roles": ["bidder"] }))
            .send()
            .ok();
        let recorded: Vec<String> = world
            .app()
            .reader
            .read_blocking(|conn| Ok(audit_personal::table.select(audit_personal::part_i).load(conn)?))
            .expect("readable");
        let of_the_act: Vec<&String> = recorded.iter().filter(|text| text.contains("\"proxied\"")).collect();
        assert!(of_the_act.iter().any(|text| text.contains(expected)), "{of_the_act:?}");
        assert!(!recorded.iter().any(|text| text.contains("10.9.9.9")));
    }
}

#[test]
fn a_member_pays_from_its_own_budget_and_uploads_are_not_counted() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let member = world.bidder(1);
    let left = member.get("/v1/me");
    assert_eq!(left.header("ratelimit-policy"), Some("\"members\";q=1200;w=60"));
    assert_eq!(left.header("ratelimit"), None, "what is left is said when it is nothing");
    for _ in 0..MEMBERS.burst {
        if member.get("/v1/me").status == 429 {
            break;
        }
    }
    member.get("/v1/me").refused(429, "rate-limited");
    assert_eq!(world.bidder(2).get("/v1/me").status, 200);
    // 700 chunks and their retries.
    let declared = json!({ "size_bytes": 1_048_592, "root": "00".repeat(32), "purpose": "bid" });
    let upload = member.post(format!("/v1/lots/{}/uploads", lot.id), &declared).ok();
    let upload = upload["id"].as_str().expect("an id").to_owned();
    let chunk = vec![7; 16];
    for _ in 0..1_500 {
        let answer = member.put_chunk(&upload, 1, &chunk);
        assert_ne!(answer.status, 429, "{}", answer.text());
        assert_eq!(answer.header("ratelimit"), None, "nothing is counted here");
    }
    let none = member.request("POST", format!("/v1/lots/{}/bids", lot.id)).key("late").json(&json!({})).send();
    assert_ne!(none.status, 429);
    assert_eq!(member.get(format!("/v1/lots/{}/bids/mine", lot.id)).status, 404, "there is no bid, and no limit");
}

#[test]
fn refresh_tokens_that_are_none_cost_their_network_and_a_good_one_still_passes() {
    let world = World::sqlite();
    let session = sign_in(&world, "-", "bidder1", PASSWORD).ok();
    let refresh =
        |token: &str| world.nobody("POST", "/v1/sessions/refresh").json(&json!({ "refresh_token": token })).send();
    for _ in 0..TOKENS.burst {
        refresh("guessed").refused(401, "session-ended");
    }
    refresh("guessed").refused(429, "rate-limited");
    let mut good = session["refresh_token"].as_str().expect("a token").to_owned();
    for _ in 0..3 {
        good = refresh(&good).ok()["refresh_token"].as_str().expect("a token").to_owned();
    }
}

#[test]
fn registrations_of_one_network_are_bounded() {
    let world = World::sqlite();
    let register = || world.nobody("POST", "/v1/organisations").key("k").json(&json!({})).send();
    for _ in 0..JOINING.burst {
        register().refused(422, "body-invalid");
    }
    register().refused(429, "rate-limited");
}

#[test]
fn wrong_passwords_pause_a_login_where_they_come_from_and_nowhere_else() {
    let world = behind_a_proxy();
    let (attacker, owner) = ("198.51.100.66", "203.0.113.8");
    for _ in 0..limits::SIGN_IN_FREE_ATTEMPTS {
        sign_in(&world, attacker, "bidder1", "wrong password").refused(401, "login-failed");
    }
    let paused = sign_in(&world, attacker, "bidder1", PASSWORD);
    let wait = retry_after(&paused);
    assert!(wait * 1_000 <= limits::SIGN_IN_PAUSE_MS + 1_000, "{wait}");
    let said = paused.refused(429, "sign-in-paused");
    assert_eq!(said["retry"], "same_request");
    assert!(said["possible_at"].is_string() && said["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{said}");
    // The owner is elsewhere, and the attacker's other logins are others.
    sign_in(&world, owner, "bidder1", PASSWORD).ok();
    sign_in(&world, attacker, "bidder2", PASSWORD).ok();
    // Each further failure doubles the pause; a success forgets them all.
    world.set_clock(world.now().plus_seconds(wait));
    sign_in(&world, attacker, "bidder1", "wrong password").refused(401, "login-failed");
    let longer = retry_after(&sign_in(&world, attacker, "bidder1", PASSWORD));
    assert!(longer > wait, "{longer} after {wait}");
    world.set_clock(world.now().plus_seconds(longer));
    sign_in(&world, attacker, "bidder1", PASSWORD).ok();
    sign_in(&world, attacker, "bidder1", "wrong password").refused(401, "login-failed");
    sign_in(&world, attacker, "bidder1", PASSWORD).ok();
}

#[test]
fn a_login_that_does_not_exist_is_counted_like_any_other() {
    let world = World::sqlite();
    let tries = |login: &str| -> Vec<(u16, String)> {
        (0..=limits::SIGN_IN_FREE_ATTEMPTS)
            .map(|_| {
                let answer = sign_in(&world, "-", login, "wrong password");
                (answer.status, answer.json()["detail"].as_str().unwrap_or_default().to_owned())
            })
            .collect()
    };
    assert_eq!(tries("bidder1"), tries("no-such-login"));
}

#[test]
fn guessing_over_many_logins_uses_up_a_networks_budget_and_no_others() {
    let world = behind_a_proxy();
    // Too long to be a password: refused without the cost of a hash, and counted all the same.
    let guess = |from: &str, n: i64| sign_in(&world, from, &format!("guess{n}"), &"x".repeat(2_000));
    sign_in(&world, "198.51.100.66", "bidder1", PASSWORD).ok();
    for n in 0..PASSWORDS.burst {
        guess("198.51.100.66", n).refused(401, "login-failed");
    }
    guess("198.51.100.66", -1).refused(429, "rate-limited");
    sign_in(&world, "198.51.100.66", "bidder1", PASSWORD).ok();
    sign_in(&world, "198.51.100.67", "bidder2", PASSWORD).ok();
}
