//! Tokens and sessions: what the platform did not sign is no token, and a refresh token that two parties have ends for both.

use ring::hmac;
use sealbid::kernel::encoding::{base64url, from_base64url};
use sealbid::limits;
use sealbid::seal::keys::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Person};
use crate::support::cast::PASSWORD;
use crate::support::world::World;

/// An answer to somebody who shows this token.
fn with_token(world: &World, token: &str) -> Answer {
    world.nobody("GET", "/v1/me").header("Authorization", format!("Bearer {token}")).send()
}

fn part(value: &Value) -> String {
    base64url(value.to_string().as_bytes())
}

/// Header and claims of a good token.
fn opened_up(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| from_base64url(part).expect("base64url"));
    let mut next = || serde_json::from_slice(&parts.next().expect("a part")).unwrap_or(Value::Null);
    (next(), next())
}

fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(text.as_bytes()).expect("random numbers");
    format!("{text}.{}", base64url(&signature))
}

fn changed(value: &Value, field: &str, to: Value) -> Value {
    let mut changed = value.clone();
    changed[field] = to;
    changed
}

#[test]
fn a_token_that_the_platform_did_not_sign_just_so_is_none() {
    let world = World::sqlite();
    let bidder = world.bidder(1);
    let good = bidder.token();
    assert_eq!(with_token(&world, &good).ok()["id"], bidder.member.user_id.as_str());
    let (header, claims) = opened_up(&good);
    let own = &world.app().keys.token;
    assert_eq!(
        with_token(&world, &signed(own, &header, &claims)).status,
        200,
        "signed in the same way, but by the platform's key"
    );
    let (text, signature) = good.rsplit_once('.').expect("three parts");
    let (_, payload) = text.split_once('.').expect("three parts");
    let public = own.verifying_key().to_bytes();
    let hs256 = |secret: &[u8]| {
        let text = format!("{}.{payload}", part(&changed(&header, "alg", json!("HS256"))));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
        format!("{text}.{}", base64url(tag.as_ref()))
    };
    let none = part(&json!({ "alg": "none", "typ": "JWT" }));
    let other = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
    let powers = changed(&claims, "roles", json!(["admin"]));
    let mut flipped = from_base64url(signature).expect("base64url");
    flipped[63] ^= 1;
    let forged = [
        ("algorithm none without a signature", format!("{none}.{payload}.")),
        ("algorithm none with the old signature", format!("{none}.{payload}.{signature}")),
        ("HS256 with the public key", hs256(&public)),
        ("HS256 with the public key as text", hs256(base64url(&public).as_bytes())),
        ("ES256 in the header", signed(own, &changed(&header, "alg", json!("ES256")), &claims)),
        ("another key", signed(&other, &header, &claims)),
        (
            "another key under its own name",
            signed(&other, &changed(&header, "kid", json!(other.verifying_key().key_id())), &claims),
        ),
        ("another key's name", signed(own, &changed(&header, "kid", json!("00")), &claims)),
        ("the promise key", signed(&world.app().keys.promise, &header, &claims)),
        ("more roles under the old signature", format!("{}.{}.{signature}", part(&header), part(&powers))),
        ("a flipped bit", format!("{text}.{}", base64url(&flipped))),
        ("another issuer", signed(own, &header, &changed(&claims, "iss", json!("https://elsewhere.test")))),
        ("no issuer", signed(own, &header, &changed(&claims, "iss", Value::Null))),
        ("no user", signed(own, &header, &changed(&claims, "sub", json!("root")))),
        ("no end", signed(own, &header, &changed(&claims, "exp", Value::Null))),
        ("two parts", text.to_owned()),
        ("four parts", format!("{good}.x")),
        ("nothing", String::new()),
        ("a word", "token".to_owned()),
        ("a long word", "x".repeat(4_000)),
    ];
    for (what, token) in forged {
        let answer = with_token(&world, &token);
        assert_eq!((answer.status, answer.code().as_str()), (401, "not-signed-in"), "{what}: {}", answer.text());
    }
}

#[test]
fn a_token_counts_in_its_header_only() {
    let world = World::sqlite();
    let token = world.bidder(1).token();
    for path in [
        format!("/v1/me?access_token={token}"),
        format!("/v1/me?token={token}"),
        format!("/v1/me?Authorization=Bearer%20{token}"),
    ] {
        world.nobody("GET", path).send().refused(401, "not-signed-in");
    }
    for (name, value) in [
        ("Authorization", token.clone()),
        ("Authorization", format!("Basic {token}")),
        ("Cookie", format!("access_token={token}")),
        ("X-Authorization", format!("Bearer {token}")),
    ] {
        world.nobody("GET", "/v1/me").header(name, value).send().refused(401, "not-signed-in");
    }
}

#[test]
fn a_token_ends_by_the_clock_of_the_platform() {
    let world = World::sqlite();
    let token = world.bidder(1).token();
    let end = world.now().plus_seconds(limits::ACCESS_TOKEN_SECONDS);
    world.set_clock(end.plus_millis(-1));
    with_token(&world, &token).ok();
    world.set_clock(end);
    with_token(&world, &token).refused(401, "token-expired");
}

#[test]
fn the_published_keys_are_those_that_sign() {
    let world = World::sqlite();
    let token = world.bidder(1).token();
    let answer = world.nobody("GET", "/.well-known/jwks.json").send().ok();
    let keys = answer["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 1);
    let key = &keys[0];
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str(), key["use"].as_str()),
        (Some("OKP"), Some("Ed25519"), Some("sig"))
    );
    assert!(key.get("d").is_none(), "the private half is not published");
    assert_eq!(opened_up(&token).0["kid"], key["kid"]);
    let public = from_base64url(key["x"].as_str().expect("x")).expect("base64url");
    let (text, signature) = token.rsplit_once('.').expect("three parts");
    let signature = from_base64url(signature).expect("base64url");
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public)
        .verify(text.as_bytes(), &signature)
        .expect("it verifies");
}

fn sign_in(world: &World, login: &str, password: &str) -> Answer {
    world.nobody("POST", "/v1/sessions").json(&json!({ "login": login, "password": password })).send()
}

fn refresh(world: &World, token: &Value) -> Answer {
    world.nobody("POST", "/v1/sessions/refresh").json(&json!({ "refresh_token": token })).send()
}

on_both!(a_refresh_token_gives_the_same_successor_for_half_a_minute_and_later_ends_the_session, |world| {
    let first = sign_in(world, "bidder1", PASSWORD).ok();
    assert_eq!(with_token(world, first["access_token"].as_str().expect("a token")).ok(), first["user"]);
    let began = world.now();
    let second = refresh(world, &first["refresh_token"]).ok();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    world.set_clock(began.plus_millis(limits::REFRESH_GRACE_MS - 1));
    let again = refresh(world, &first["refresh_token"]).ok();
    assert_eq!(again["refresh_token"], second["refresh_token"], "an answer that was lost comes again");
    with_token(world, again["access_token"].as_str().expect("a token")).ok();
    world.set_clock(began.plus_millis(limits::REFRESH_GRACE_MS));
    refresh(world, &first["refresh_token"]).refused(401, "session-ended");
    refresh(world, &second["refresh_token"]).refused(401, "session-ended");
    let other = sign_in(world, "bidder1", PASSWORD).ok();
    refresh(world, &other["refresh_token"]).ok();
});

on_both!(ten_uses_of_one_refresh_token_at_once_give_one_successor, |world| {
    let first = sign_in(world, "bidder1", PASSWORD).ok();
    let successors: Vec<Value> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| refresh(world, &first["refresh_token"]).ok()["refresh_token"].clone()))
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(successors.iter().all(|token| *token == successors[0]), "{successors:?}");
});

#[test]
fn a_session_that_nobody_carries_on_ends_and_none_lasts_longer_than_a_week() {
    let world = World::sqlite();
    let idle = sign_in(&world, "bidder1", PASSWORD).ok();
    let mut token = sign_in(&world, "bidder2", PASSWORD).ok()["refresh_token"].clone();
    let began = world.now();
    let step = limits::REFRESH_TOKEN_MS - 60_000;
    let mut at = began;
    while at.plus_millis(step).millis() < began.plus_millis(limits::SESSION_MS).millis() {
        at = at.plus_millis(step);
        world.set_clock(at);
        token = refresh(&world, &token).ok()["refresh_token"].clone();
    }
    refresh(&world, &idle["refresh_token"]).refused(401, "session-ended");
    world.set_clock(began.plus_millis(limits::SESSION_MS));
    refresh(&world, &token).refused(401, "session-ended");
    for nonsense in ["", "x", &"x".repeat(10_000)] {
        refresh(&world, &json!(nonsense)).refused(401, "session-ended");
    }
}

#[test]
fn a_refresh_token_is_good_for_half_a_day() {
    let world = World::sqlite();
    let (kept, lost) = (sign_in(&world, "bidder1", PASSWORD).ok(), sign_in(&world, "bidder2", PASSWORD).ok());
    let end = world.now().plus_millis(limits::REFRESH_TOKEN_MS);
    world.set_clock(end.plus_millis(-1));
    refresh(&world, &kept["refresh_token"]).ok();
    world.set_clock(end);
    refresh(&world, &lost["refresh_token"]).refused(401, "session-ended");
}

on_both!(signing_out_ends_the_session_at_once, |world| {
    let session = sign_in(world, "bidder1", PASSWORD).ok();
    let access = session["access_token"].as_str().expect("a token");
    let out = world.nobody("DELETE", "/v1/sessions/current").header("Authorization", format!("Bearer {access}")).send();
    assert_eq!((out.status, out.body.len()), (204, 0));
    refresh(world, &session["refresh_token"]).refused(401, "session-ended");
});

on_both!(who_is_disabled_or_gets_other_roles_is_signed_out, |world| {
    let admin = world.admin();
    let session = sign_in(world, "bidder1", PASSWORD).ok();
    let user = world.bidder(1).member.user_id.clone();
    admin.act(format!("/v1/users/{user}/actions/disable")).ok();
    refresh(world, &session["refresh_token"]).refused(401, "session-ended");
    sign_in(world, "bidder1", PASSWORD).refused(401, "login-failed");
    admin.act(format!("/v1/users/{user}/actions/disable")).refused(409, "state-forbids");
    admin.act(format!("/v1/users/{user}/actions/enable")).ok();
    refresh(world, &session["refresh_token"]).refused(401, "session-ended");
    let session = sign_in(world, "bidder1", PASSWORD).ok();
    admin.post(format!("/v1/users/{user}/actions/set-roles"), &json!({ "roles": ["initiator"] })).ok();
    refresh(world, &session["refresh_token"]).refused(401, "session-ended");
    let session = sign_in(world, "bidder1", PASSWORD).ok();
    assert_eq!(session["user"]["roles"], json!(["initiator"]));
});

/// A one-time token for somebody's password.
fn reset_token(admin: &Person<'_>, user: &str) -> Value {
    admin.act(format!("/v1/users/{user}/actions/reset-password")).ok()["token"].clone()
}

on_both!(a_reset_token_sets_one_password_once_and_signs_out, |world| {
    let admin = world.admin();
    let user = world.bidder(1).member.user_id.clone();
    let session = sign_in(world, "bidder1", PASSWORD).ok();
    let reset = |token: &Value, password: &str| {
        world.nobody("POST", "/v1/password-resets").json(&json!({ "token": token, "password": password })).send()
    };
    let replaced = reset_token(&admin, &user);
    let token = reset_token(&admin, &user);
    reset(&replaced, "another password").refused(401, "session-ended");
    reset(&token, "too short").refused(422, "body-invalid");
    reset(&token, &"x".repeat(limits::PASSWORD_MAX + 1)).refused(422, "body-invalid");
    assert_eq!(reset(&token, "another password").status, 204);
    reset(&token, "a third password").refused(401, "session-ended");
    refresh(world, &session["refresh_token"]).refused(401, "session-ended");
    sign_in(world, "bidder1", PASSWORD).refused(401, "login-failed");
    sign_in(world, "bidder1", "another password").ok();
    let late = reset_token(&admin, &user);
    world.set_clock(world.now().plus_millis(limits::RESET_TOKEN_MS));
    reset(&late, "a third password").refused(401, "session-ended");
    reset(&json!("nonsense"), "a third password").refused(401, "session-ended");
});

#[test]
fn who_cannot_sign_in_is_not_told_why() {
    let world = World::sqlite();
    let user = world.bidder(2).member.user_id.clone();
    world.admin().act(format!("/v1/users/{user}/actions/disable")).ok();
    let new = json!({ "user": { "login": "newcomer", "name": "N", "email": "n@example.org" }, "roles": ["bidder"], "org_id": world.bidder(1).member.org_id });
    world.admin().post("/v1/users", &new).ok();
    let strip = |answer: Answer| {
        let mut problem = answer.refused(401, "login-failed");
        problem["request_id"] = Value::Null;
        problem
    };
    let wrong = strip(sign_in(&world, "bidder1", "a wrong password"));
    for (login, password) in [
        ("nobody-of-this-name", PASSWORD),
        ("bidder2", PASSWORD),
        ("newcomer", PASSWORD),
        ("newcomer", ""),
        ("", PASSWORD),
        ("BIDDER1", PASSWORD),
        ("bidder1' OR '1'='1", PASSWORD),
        ("bidder1", &"x".repeat(5_000)),
    ] {
        assert_eq!(strip(sign_in(&world, login, password)), wrong, "{login}");
    }
}
