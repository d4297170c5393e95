//! Software that signs in by itself: who may register it, which assertions let it in, and who the record says acted.

use sealbid::features::accounts::service_clients::PROOF_TYP;
use sealbid::kernel::encoding::base64url;
use sealbid::limits;
use sealbid::rules::editions::Category;
use sealbid::seal::jws::Jws;
use sealbid::seal::keys::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Person};
use crate::support::world::World;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn proof(key: &SigningKey, user: &str) -> Value {
    let public = key.verifying_key();
    let said = json!({ "v": "sealbid/1", "user": user, "alg": public.algorithm().name(), "public_key": public.to_base64url() });
    let jws = Jws::sign(key, PROOF_TYP, said.to_string().as_bytes()).expect("random numbers");
    serde_json::from_str(&jws.to_json()).expect("JSON")
}

fn new_client(person: &Person<'_>, key: &SigningKey, roles: &[&str]) -> Value {
    json!({ "name": "ERP", "roles": roles, "proof": proof(key, &person.member.user_id) })
}

/// Software of bidder 1 with its key.
fn registered(world: &World, algorithm: Algorithm) -> (String, SigningKey) {
    let key = SigningKey::generate(algorithm).expect("random numbers");
    let bidder = world.bidder(1);
    let client = bidder.post("/v1/service-clients", &new_client(&bidder, &key, &["bidder"])).ok();
    (client["id"].as_str().expect("an id").to_owned(), key)
}

fn jwt(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(signed.as_bytes()).expect("random numbers");
    format!("{signed}.{}", base64url(&signature))
}

fn claims(world: &World, client: &str) -> Value {
    let now = world.now().millis() / 1000;
    let jti = uuid::Uuid::new_v4().to_string();
    json!({ "iss": client, "sub": client, "aud": "https://sealbid.test", "iat": now, "exp": now + 120, "jti": jti })
}

fn good(world: &World, client: &str, key: &SigningKey) -> String {
    jwt(key, &json!({ "alg": key.verifying_key().algorithm().name(), "typ": "JWT" }), &claims(world, client))
}

fn ask(world: &World, form: &[(&str, &str)]) -> Answer {
    let escaped = |text: &str| text.replace('%', "%25").replace(':', "%3A").replace('+', "%2B").replace(' ', "+");
    let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    world.nobody("POST", "/v1/oauth/token").body("application/x-www-form-urlencoded", body.join("&").as_bytes()).send()
}

fn token(world: &World, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
        ("some_extension", "is left alone"),
    ];
    ask(world, &form)
}

fn bearer(answer: Answer) -> String {
    format!("Bearer {}", answer.ok()["access_token"].as_str().expect("a token"))
}

on_both!(software_signs_in_with_a_key_and_the_record_names_it, |world| {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let (client, key) = registered(world, algorithm);
        let answer = token(world, &good(world, &client, &key));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let said = answer.json();
        assert_eq!(
            (said["token_type"].as_str(), said["expires_in"].as_i64(), said["scope"].as_str()),
            (Some("Bearer"), Some(limits::ACCESS_TOKEN_SECONDS), Some("bidder"))
        );
        assert_eq!(said.get("refresh_token"), None);
        let bearer = bearer(answer);
        let me = world.nobody("GET", "/v1/me").header("Authorization", bearer.as_str()).send().ok();
        assert_eq!((me["id"].as_str(), me["name"].as_str()), (Some(client.as_str()), Some("ERP")));
        // What it does is on record under its own name, for its organisation.
        let lot = world.lot(Category::Construction).noticed();
        let question = json!({ "kind": "question", "text": "Is it so?" });
        let asked = world.nobody("POST", lot.path("/questions")).header("Authorization", bearer.as_str());
        asked.key(&uuid::Uuid::new_v4().to_string()).json(&question).send().ok();
        let acts: i64 = world
            .app()
            .reader
            .read_blocking({
                let client = client.clone();
                move |conn| {
                    use diesel::prelude::*;
                    use sealbid::db::schema::audit_entry::dsl;
                    Ok(dsl::audit_entry.filter(dsl::actor_id.eq(client)).count().get_result(conn)?)
                }
            })
            .expect("readable");
        assert_eq!(acts, 1);
        world.tick();
    }
});

on_both!(an_assertion_is_good_once, |world| {
    let (client, key) = registered(world, Algorithm::EdDsa);
    let assertion = good(world, &client, &key);
    token(world, &assertion).ok();
    let refused = token(world, &assertion).refused(401, "client-assertion-invalid");
    assert_eq!((refused["error"].as_str(), refused["retry"].as_str()), (Some("invalid_client"), Some("after_change")));
    // Also at once: of many, one.
    let assertion = good(world, &client, &key);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| token(world, &assertion).status)).collect();
        asked.into_iter().map(|one| one.join().expect("answered")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 401)), "{statuses:?}");
    // Forgotten once it could not be used anyway.
    let stored = || -> i64 {
        use diesel::prelude::*;
        use sealbid::db::schema::used_assertions::dsl::used_assertions;
        world.app().reader.read_blocking(|conn| Ok(used_assertions.count().get_result(conn)?)).expect("readable")
    };
    assert_eq!(stored(), 2);
    world.advance_to(world.now().plus_seconds(121));
    assert_eq!(stored(), 0);
    token(world, &assertion).refused(401, "client-assertion-invalid");
});

#[test]
fn every_way_in_which_an_assertion_can_be_wrong_is_refused() {
    let world = World::sqlite();
    let (client, key) = registered(&world, Algorithm::EdDsa);
    let (foreign, foreign_key) = registered(&world, Algorithm::Es256);
    let now = world.now().millis() / 1000;
    let with = |changes: Value| {
        let mut said = claims(&world, &client);
        for (name, value) in changes.as_object().expect("changes") {
            said[name] = value.clone();
        }
        said
    };
    let plain = json!({ "alg": "EdDSA" });
    let wrong_claims = [
        json!({ "aud": "https://elsewhere.test" }),
        json!({ "aud": ["https://elsewhere.test", "https://sealbid.test/"] }),
        json!({ "exp": now }),
        json!({ "exp": now - 1, "iat": now - 100 }),
        json!({ "exp": now + 301 }),
        json!({ "exp": now + 200, "iat": now - 101 }),
        json!({ "exp": -1 }),
        json!({ "exp": 1e300 }),
        json!({ "iat": now + 31 }),
        json!({ "nbf": now + 31 }),
        json!({ "jti": "" }),
        json!({ "jti": "x".repeat(129) }),
        json!({ "jti": null }),
        json!({ "sub": foreign }),
        json!({ "iss": foreign, "sub": foreign }),
        json!({ "iss": "cli-0192f0c1-7a3b-7c4d-8e5f-0123456789ab", "sub": "cli-0192f0c1-7a3b-7c4d-8e5f-0123456789ab" }),
    ];
    let refused = |assertion: &str| {
        let said = token(&world, assertion).refused(401, "client-assertion-invalid");
        assert_eq!(said["error"], "invalid_client");
    };
    for changes in wrong_claims {
        refused(&jwt(&key, &plain, &with(changes)));
    }
    let none = json!({});
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "EdDSA", "crit": ["exp"] }),
        json!({ "alg": "EdDSA", "kid": "00000000000000000000000000000000" }),
    ] {
        refused(&jwt(&key, &header, &with(none.clone())));
    }
    let unsigned = jwt(&key, &json!({ "alg": "none" }), &with(none.clone()));
    refused(&unsigned[..=unsigned.rfind('.').expect("three parts")]);
    refused(&jwt(&foreign_key, &json!({ "alg": "ES256" }), &with(none.clone())));
    refused("nonsense");
    refused(&"x".repeat(limits::ASSERTION_LEN + 1));
    // Nothing of that has used the client up.
    for claims in [
        json!({ "aud": ["https://elsewhere.test", "https://sealbid.test/v1/oauth/token"] }),
        json!({ "exp": now + 300 }),
        json!({ "exp": (now + 100) as f64 + 0.5 }),
    ] {
        token(&world, &jwt(&key, &plain, &with(claims))).ok();
    }
}

#[test]
fn a_request_that_is_no_token_request_says_so_in_the_words_of_the_standard() {
    let world = World::sqlite();
    let (client, key) = registered(&world, Algorithm::EdDsa);
    let error = |form: &[(&str, &str)], status: u16, code: &str| {
        ask(&world, form).refused(status, code)["error"].as_str().unwrap_or_default().to_owned()
    };
    let assertion = || good(&world, &client, &key);
    let kind = ("client_assertion_type", ASSERTION_TYPE);
    assert_eq!(error(&[], 400, "token-request-invalid"), "invalid_request");
    let password = [("grant_type", "password"), kind, ("client_assertion", "x")];
    assert_eq!(error(&password, 400, "grant-type-unsupported"), "unsupported_grant_type");
    let grant = ("grant_type", "client_credentials");
    let other = [grant, ("client_assertion_type", "saml"), ("client_assertion", "x")];
    assert_eq!(error(&other, 400, "token-request-invalid"), "invalid_request");
    let made = assertion();
    let scope = [grant, kind, ("client_assertion", made.as_str()), ("scope", "bidder initiator")];
    assert_eq!(error(&scope, 400, "scope-invalid"), "invalid_scope");
    let made = assertion();
    ask(&world, &[grant, kind, ("client_assertion", made.as_str()), ("scope", "bidder"), ("client_id", &client)]).ok();
    let made = assertion();
    let twice = [grant, grant, kind, ("client_assertion", made.as_str())];
    assert_eq!(error(&twice, 400, "token-request-invalid"), "invalid_request");
    world.nobody("POST", "/v1/oauth/token").json(&json!({})).send().refused(400, "token-request-invalid");
}

on_both!(people_register_and_revoke_software_of_their_own_and_software_does_not, |world| {
    let (bidder, other, admin) = (world.bidder(1), world.bidder(2), world.admin());
    let key = || SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
    let path = "/v1/service-clients";
    // No more than its organisation, and no more than who registers it.
    bidder.post(path, &new_client(&bidder, &key(), &["initiator"])).refused(403, "role-forbidden");
    bidder.post(path, &new_client(&bidder, &key(), &["admin"])).refused(403, "role-forbidden");
    bidder.post(path, &new_client(&bidder, &key(), &[])).refused(422, "body-invalid");
    bidder.post(path, &new_client(&other, &key(), &["bidder"])).refused(422, "key-proof-invalid");
    bidder.post(path, &new_client(&bidder, &bidder.signing_key(), &["bidder"])).refused(409, "already-taken");
    let mut foreign = new_client(&bidder, &key(), &["bidder"]);
    foreign["org_id"] = json!(other.member.org_id);
    bidder.post(path, &foreign).refused(403, "role-forbidden");
    world.centre().post(path, &new_client(&bidder, &key(), &["bidder"])).refused(403, "role-forbidden");
    let mut vouched = new_client(&admin, &key(), &["bidder"]);
    vouched["org_id"] = json!(other.member.org_id);
    admin.post(path, &vouched).ok();
    vouched = new_client(&admin, &key(), &["initiator"]);
    vouched["org_id"] = json!(other.member.org_id);
    admin.post(path, &vouched).refused(422, "body-invalid");

    let (client, key) = registered(world, Algorithm::EdDsa);
    bidder.post(path, &new_client(&bidder, &key, &["bidder"])).refused(409, "already-taken");
    let listed = |person: &Person<'_>| person.get(path).ok()["items"].as_array().expect("items").len();
    assert_eq!((listed(&bidder), listed(&other), listed(&admin), listed(&world.inspector())), (1, 1, 2, 2));
    // Software decides about nobody's way in.
    let software = bearer(token(world, &good(world, &client, &key)));
    let act = |at: String| world.nobody("POST", at).header("Authorization", software.as_str()).key("k");
    let revoke = format!("{path}/{client}/actions/revoke");
    act(revoke.clone()).send().refused(403, "person-needed");
    act(path.into()).json(&new_client(&bidder, &key, &["bidder"])).send().refused(403, "person-needed");
    other.act(revoke.clone()).refused(404, "not-found");
    bidder.act(revoke.clone()).ok();
    bidder.act(revoke).refused(409, "state-forbids");
    token(world, &good(world, &client, &key)).refused(401, "client-assertion-invalid");
    // Its last token ends by itself.
    let me = || world.nobody("GET", "/v1/me").header("Authorization", software.as_str()).send();
    assert_eq!(me().status, 200);
    world.set_clock(world.now().plus_seconds(limits::ACCESS_TOKEN_SECONDS));
    me().refused(401, "token-expired");
});

#[test]
fn software_is_no_more_than_somebody_of_its_organisation_is() {
    let world = World::sqlite();
    let (client, key) = registered(&world, Algorithm::EdDsa);
    let bidder = world.bidder(1);
    world.admin().act(format!("/v1/users/{}/actions/disable", bidder.member.user_id)).ok();
    token(&world, &good(&world, &client, &key)).refused(401, "client-assertion-invalid");
}

#[test]
fn the_time_tells_the_deadline_in_force_of_a_public_lot() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let ask = |query: &str| world.nobody("GET", format!("/v1/time{query}")).send();
    let query = format!("?lot={}", lot.id);
    let said = ask(&query).ok();
    assert_eq!(said["deadline_at"], lot.view()["schedule"]["deadline_at"]);
    assert!(said["deadline_at_local"].as_str().is_some_and(|text| text.ends_with("+08:00")), "{said}");
    assert_eq!(said["remaining_ms"], lot.deadline().millis() - world.now().millis());
    assert!(said["rule"]["zh"].is_string() && said["rule"]["en"].is_string(), "{said}");
    world.set_clock(lot.deadline());
    assert_eq!(ask(&query).ok()["remaining_ms"], 0);
    assert_eq!(ask("").ok().get("deadline_at"), None);
    ask("?lot=lot-0192f0c1-7a3b-7c4d-8e5f-0123456789ab").refused(404, "not-found");
    ask(&format!("?lot={}", world.lot(Category::Construction).drafted().id)).refused(404, "not-found");
    ask("?lots=x").refused(422, "body-invalid");
}
