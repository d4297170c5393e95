//! Organisations, people and their keys: who comes in, who vouches for whom, and what belongs to others.

use sealbid::features::accounts::signing_keys::PROOF_TYP;
use sealbid::limits;
use sealbid::rules::editions::Category;
use sealbid::seal::jws::Jws;
use sealbid::seal::keys::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::cast::{PASSWORD, key_proof};
use crate::support::world::World;

/// An identifier whose check character fits (GB 32100-2015).
const USCC: &str = "914403001922038216";

fn registration(login: &str, identifier: Value, role: &str) -> Value {
    let user = json!({ "login": login, "name": "A person", "email": format!("{login}@example.org") });
    json!({ "identifier": identifier, "name": format!("{login} Ltd"), "role": role, "user": user, "password": PASSWORD })
}

fn uscc(id: &str) -> Value {
    json!({ "scheme": "CN-USCC", "id": id })
}

fn register(world: &World, body: &Value) -> Answer {
    world.nobody("POST", "/v1/organisations").key(&uuid::Uuid::new_v4().to_string()).json(body).send()
}

/// Signs in and returns the header of a caller.
fn bearer(world: &World, login: &str) -> String {
    let session =
        world.nobody("POST", "/v1/sessions").json(&json!({ "login": login, "password": PASSWORD })).send().ok();
    format!("Bearer {}", session["access_token"].as_str().expect("a token"))
}

/// Who gets messages, as an administrator sees it.
fn recipients(world: &World) -> Vec<String> {
    let mails = world.admin().get("/v1/mails?limit=100").ok();
    mails["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|mail| mail["recipient"].as_str().expect("a recipient").to_owned())
        .collect()
}

on_both!(an_organisation_registers_itself_and_the_centre_confirms_it_once, |world| {
    let answer = register(world, &registration("newcomer", uscc(USCC), "initiator"));
    assert_eq!(answer.status, 201);
    let location = answer.header("location").expect("an address").to_owned();
    let org = answer.ok();
    assert_eq!((&org["state"], &org["identifier"]), (&json!("pending"), &uscc(USCC)));
    assert_eq!(world.centre().get(&location).ok(), org);
    let caller = bearer(world, "newcomer");
    let project = json!({ "code": "P-1", "name": "A project", "description": "Invented" });
    let start = |key: &str| {
        world.nobody("POST", "/v1/projects").header("Authorization", &caller).key(key).json(&project).send()
    };
    start("first").refused(409, "organisation-not-confirmed");
    let confirm = format!("{location}/actions/confirm");
    for other in [world.admin(), world.inspector(), world.initiator(), world.bidder(1)] {
        other.act(&confirm).refused(403, "role-forbidden");
    }
    let confirmed = world.centre().request("POST", &confirm).key("once").send().ok();
    assert_eq!(confirmed["state"], "confirmed");
    assert_eq!(world.centre().request("POST", &confirm).key("once").send().ok(), confirmed);
    world.centre().act(&confirm).refused(409, "state-forbids");
    world
        .centre()
        .post(format!("{location}/actions/refuse"), &json!({ "reason": "Late" }))
        .refused(409, "state-forbids");
    start("second").ok();
    world.settle();
    assert_eq!(recipients(world), ["newcomer@example.org"]);
});

#[test]
fn a_registration_that_is_not_valid_is_refused_before_anything_is_stored() {
    let world = World::sqlite();
    for id in [
        "914403001922038217",
        "91440300192203821",
        "914403001922038216 ",
        "91440300192203821o",
        "OOOOOOOOOOOOOOOOOO",
        "",
    ] {
        register(&world, &registration("newcomer", uscc(id), "bidder")).refused(422, "body-invalid");
    }
    for (scheme, id) in [("cn-uscc", USCC), ("", "1"), ("X-TEST", ""), ("X-TEST", " 1"), ("X-TEST", "a\nb")] {
        register(&world, &registration("newcomer", json!({ "scheme": scheme, "id": id }), "bidder"))
            .refused(422, "body-invalid");
    }
    for role in ["admin", "centre", "inspector", "root"] {
        register(&world, &registration("newcomer", uscc(USCC), role)).refused(422, "body-invalid");
    }
    let with = |pointer: &str, value: Value| {
        let mut body = registration("newcomer", uscc(USCC), "bidder");
        *body.pointer_mut(pointer).expect("a field") = value;
        register(&world, &body)
    };
    let short = "x".repeat(limits::PASSWORD_MIN - 1);
    let long = "x".repeat(limits::PASSWORD_MAX + 1);
    for (pointer, value) in [
        ("/password", json!(short)),
        ("/password", json!(long)),
        ("/password", json!("密".repeat(limits::PASSWORD_MIN - 1))),
        ("/name", json!(" ")),
        ("/name", json!("x".repeat(limits::NAME_LEN + 1))),
        ("/user/login", json!("ab")),
        ("/user/login", json!("Newcomer")),
        ("/user/login", json!("new comer")),
        ("/user/name", json!("")),
        ("/user/email", json!("not an address")),
        ("/user/email", json!("a@example.org\r\nBcc: b@example.org")),
        ("/user", json!(null)),
    ] {
        let answer = with(pointer, value.clone());
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, "body-invalid"),
            "{pointer} {value}: {}",
            answer.text()
        );
    }
    let all = world.centre().get("/v1/organisations?state=pending").ok();
    assert_eq!(all["items"], json!([]));
    register(&world, &registration("newcomer", uscc(USCC), "bidder")).ok();
    register(&world, &registration("newcomer", uscc("9144030071526726XG"), "bidder")).refused(409, "already-taken");
    assert_eq!(world.centre().get("/v1/organisations?state=pending").ok()["items"].as_array().map(Vec::len), Some(1));
}

on_both!(a_second_claim_on_an_identifier_is_refused_and_the_first_claimant_is_told, |world| {
    let first = register(world, &registration("first", uscc(USCC), "bidder")).ok();
    let problem = register(world, &registration("second", uscc(USCC), "bidder")).refused(409, "identifier-claimed");
    assert_eq!(problem["retry"], "never");
    assert!(!problem.to_string().contains("first"), "who came first is not told: {problem}");
    world.settle();
    assert_eq!(recipients(world), ["first@example.org"]);
    let login = json!({ "login": "second", "password": PASSWORD });
    world.nobody("POST", "/v1/sessions").json(&login).send().refused(401, "login-failed");
    let claims = world
        .inspector()
        .look(format!(
            "/v1/inspection/entries?kind=organisation.claim_refused&org={}",
            first["id"].as_str().expect("an id")
        ))
        .ok();
    assert_eq!(claims["items"].as_array().map(Vec::len), Some(1), "{claims}");
    // Where the centre refuses the first, the identifier is free again.
    let refuse = format!("/v1/organisations/{}/actions/refuse", first["id"].as_str().expect("an id"));
    world.centre().post(&refuse, &json!({ "reason": " " })).refused(422, "body-invalid");
    world.centre().post(&refuse, &json!({ "reason": "The papers are forged." })).ok();
    register(world, &registration("second", uscc(USCC), "bidder")).ok();
});

on_both!(of_ten_claims_at_once_one_is_first, |world| {
    let codes: Vec<(u16, String)> = std::thread::scope(|scope| {
        let claim = |n: usize| {
            scope.spawn(move || {
                let answer = register(world, &registration(&format!("claimant{n}"), uscc(USCC), "bidder"));
                (answer.status, answer.code())
            })
        };
        let running: Vec<_> = (0..10).map(claim).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(codes.iter().filter(|(status, _)| *status == 201).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|(_, code)| code == "identifier-claimed").count(), 9, "{codes:?}");
});

#[test]
fn an_unconfirmed_organisation_neither_bids_nor_uploads() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    register(&world, &registration("newcomer", uscc(USCC), "bidder")).ok();
    let caller = bearer(&world, "newcomer");
    let new = json!({ "purpose": "bid", "size_bytes": 100, "root": "00".repeat(32) });
    let path = format!("/v1/lots/{}/uploads", lot.id);
    world
        .nobody("POST", path)
        .header("Authorization", &caller)
        .key("upload")
        .json(&new)
        .send()
        .refused(409, "organisation-not-confirmed");
}

#[test]
fn users_are_made_by_administrators_only_and_begin_without_a_password() {
    let world = World::sqlite();
    let new = |login: &str| json!({ "user": { "login": login, "name": "N", "email": "n@example.org" }, "roles": ["inspector"], "organisation": { "identifier": uscc(USCC), "name": "Inspectorate" } });
    for other in [world.centre(), world.inspector(), world.initiator(), world.bidder(1)] {
        other.post("/v1/users", &new("forged")).refused(403, "role-forbidden");
    }
    let admin = world.admin();
    let mut both = new("newcomer");
    both["org_id"] = json!(world.bidder(1).member.org_id);
    admin.post("/v1/users", &both).refused(422, "body-invalid");
    let mut none = new("newcomer");
    none["roles"] = json!([]);
    admin.post("/v1/users", &none).refused(422, "body-invalid");
    none["roles"] = json!(["god"]);
    admin.post("/v1/users", &none).refused(422, "body-invalid");
    let nowhere = json!({ "user": new("newcomer")["user"], "roles": ["bidder"], "org_id": "org-0192f0c1-7a3b-7c4d-8e5f-0123456789ab" });
    admin.post("/v1/users", &nowhere).refused(404, "not-found");
    let user = admin.post("/v1/users", &new("newcomer")).ok();
    admin.post("/v1/users", &new("newcomer")).refused(409, "identifier-claimed");
    let mut second = new("newcomer");
    second["organisation"]["identifier"] = uscc("9144030071526726XG");
    admin.post("/v1/users", &second).refused(409, "already-taken");
    let login = json!({ "login": "newcomer", "password": PASSWORD });
    world.nobody("POST", "/v1/sessions").json(&login).send().refused(401, "login-failed");
    let token =
        admin.act(format!("/v1/users/{}/actions/reset-password", user["id"].as_str().expect("an id"))).ok()["token"]
            .clone();
    assert_eq!(
        world
            .nobody("POST", "/v1/password-resets")
            .json(&json!({ "token": token, "password": PASSWORD }))
            .send()
            .status,
        204
    );
    let session = world.nobody("POST", "/v1/sessions").json(&login).send().ok();
    assert_eq!(session["user"], user);
}

on_both!(a_signing_key_is_registered_by_who_holds_it_and_once, |world| {
    let bidder = world.bidder(1);
    let path = "/v1/signing-keys";
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let key = SigningKey::generate(algorithm).expect("random numbers");
        let proof = key_proof(&key, &bidder.member.user_id);
        world.bidder(2).post(path, &json!({ "proof": proof })).refused(422, "key-proof-invalid");
        let made = bidder.post(path, &json!({ "proof": proof })).ok();
        assert_eq!((made["alg"].as_str(), made["state"].as_str()), (Some(algorithm.name()), Some("active")));
        bidder.post(path, &json!({ "proof": proof })).refused(409, "already-taken");
        // Nobody takes over a key that belongs to another organisation, not even with its private half.
        let again = key_proof(&key, &world.bidder(2).member.user_id);
        world.bidder(2).post(path, &json!({ "proof": again })).refused(409, "already-taken");
    }
    assert_eq!(bidder.get(path).ok()["items"].as_array().map(Vec::len), Some(3));
    let keys = bidder.get(path).ok();
    let revoke = format!("{path}/{}/actions/revoke", keys["items"][0]["id"].as_str().expect("an id"));
    world.bidder(2).act(&revoke).refused(404, "not-found");
    world.initiator().act(&revoke).refused(404, "not-found");
    bidder.act(&revoke).ok();
    bidder.act(&revoke).refused(409, "state-forbids");
});

#[test]
fn a_proof_that_proves_something_else_is_refused() {
    let world = World::sqlite();
    let bidder = world.bidder(1);
    let user = &bidder.member.user_id;
    let (key, other) = (
        SigningKey::generate(Algorithm::EdDsa).expect("random numbers"),
        SigningKey::generate(Algorithm::EdDsa).expect("random numbers"),
    );
    let public = key.verifying_key();
    let said = json!({ "v": "sealbid/1", "user": user, "alg": "EdDSA", "public_key": public.to_base64url() });
    let proof = |by: &SigningKey, typ: &'static str, said: &Value| -> Value {
        serde_json::from_str(&Jws::sign(by, typ, said.to_string().as_bytes()).expect("random numbers").to_json())
            .expect("JSON")
    };
    let with = |field: &str, value: Value| {
        let mut said = said.clone();
        said[field] = value;
        proof(&key, PROOF_TYP, &said)
    };
    let mut flipped = key_proof(&key, user);
    flipped["signature"] = key_proof(&other, user)["signature"].clone();
    for (what, proof) in [
        ("another key's signature", proof(&other, PROOF_TYP, &said)),
        ("an altered signature", flipped),
        ("another type", proof(&key, "sealbid-envelope+jws", &said)),
        ("another version", with("v", json!("sealbid/2"))),
        ("another algorithm", with("alg", json!("ES256"))),
        ("another public key", with("public_key", json!(other.verifying_key().to_base64url()))),
        ("a key of no point", with("public_key", json!("AA"))),
        ("a surplus field", with("surplus", json!(1))),
        ("a user that is none", with("user", json!("root"))),
        ("no object", json!("text")),
        ("an empty object", json!({})),
    ] {
        let answer = bidder.post("/v1/signing-keys", &json!({ "proof": proof }));
        assert_eq!((answer.status, answer.code().as_str()), (422, "key-proof-invalid"), "{what}: {}", answer.text());
    }
    bidder.post("/v1/signing-keys", &json!({ "proof": proof(&key, PROOF_TYP, &said) })).ok();
}

on_both!(what_belongs_to_others_is_not_found_or_not_allowed, |world| {
    let draft = world.lot(Category::Construction).drafted();
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    let (other, stranger) = (world.person("initiator2"), world.bidder(2));
    other.get(format!("/v1/lots/{}", draft.id)).refused(404, "not-found");
    other.get(format!("/v1/projects/{}", draft.project)).refused(404, "not-found");
    other.act(format!("/v1/lots/{}/actions/submit", draft.id)).refused(404, "not-found");
    let edit = json!({ "title": "Mine", "terms": draft_terms(world, &draft.id) });
    other
        .request("PUT", format!("/v1/lots/{}", draft.id))
        .header("If-Match", "\"v1\"")
        .json(&edit)
        .send()
        .refused(404, "not-found");
    let theirs =
        json!({ "project_id": draft.project, "category": "construction", "title": "Mine", "terms": edit["terms"] });
    other.post("/v1/lots", &theirs).refused(404, "not-found");
    // A published lot is there for everybody, and still not theirs to act on.
    let extension = json!({ "new_deadline_at": lot.deadline().plus_seconds(86_400), "reason": "Because." });
    other.post(format!("/v1/lots/{}/actions/extend", lot.id), &extension).refused(403, "not-your-act");
    let mine = world.bidder(1).get(format!("/v1/lots/{}/bids/mine", lot.id)).ok();
    let bid = mine["bid_id"].as_str().expect("an id");
    stranger.get(format!("/v1/lots/{}/bids/mine", lot.id)).refused(404, "not-found");
    stranger.get(format!("/v1/bids/{bid}/payloads/price")).refused(404, "not-found");
    stranger
        .get(format!("/v1/receipts/{}", mine["versions"][0]["entry_id"].as_str().expect("an id")))
        .refused(404, "not-found");
    world
        .initiator()
        .get(format!("/v1/receipts/{}", mine["versions"][0]["entry_id"].as_str().expect("an id")))
        .refused(404, "not-found");
});

/// Terms that a draft can be edited to.
fn draft_terms(world: &World, lot: &str) -> Value {
    let mut terms = world.initiator().get(format!("/v1/lots/{lot}")).ok()["terms"].clone();
    terms["description"] = json!("Changed");
    terms
}

on_both!(the_centre_and_inspectors_do_not_do_what_the_initiator_decides, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let act = |name: &str| format!("/v1/lots/{}/actions/{name}", lot.id);
    let nothing = json!({});
    for office in [world.centre(), world.inspector()] {
        for name in ["complete-evaluation", "publish-candidates", "award", "publish-result", "clarify", "publish"] {
            office.post(act(name), &nothing).refused(403, "role-forbidden");
        }
        office
            .post("/v1/bids/bid-0192f0c1-7a3b-7c4d-8e5f-0123456789ab/actions/evaluate", &nothing)
            .refused(403, "role-forbidden");
    }
    let inspector = world.inspector();
    for name in ["submit", "accept", "extend", "terminate"] {
        inspector.post(act(name), &nothing).refused(403, "role-forbidden");
    }
    let hold = json!({ "kind": "complaint_order", "reason": "A complaint was filed." });
    inspector.post(act("hold"), &hold).ok();
    world.bidder(1).post(act("release"), &hold).refused(403, "role-forbidden");
    inspector.post(act("release"), &hold).ok();
});
