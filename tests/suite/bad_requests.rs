//! Requests that are not in order: each is told so in one form, whatever was wrong and whoever asks.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, test as web_test, web};
use sealbid::http::middleware;
use sealbid::http::permissions::{Access, OPERATIONS};
use sealbid::limits;
use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::break_glass::broken as broken_glass;
use crate::derived::described;
use crate::on_both;
use crate::support::api::{Answer, Request};
use crate::support::cast::MATTER;
use crate::support::world::World;

const PROJECTS: &str = "/v1/projects";

fn project(code: &str) -> Value {
    json!({ "code": code, "name": "A project", "description": "Invented" })
}

/// A request of the initiator for a new project, but for its body.
fn to_projects(world: &World) -> Request<'_> {
    world.initiator().request("POST", PROJECTS).key(&uuid::Uuid::new_v4().to_string())
}

#[test]
fn a_body_that_is_not_what_the_route_reads_is_refused() {
    let world = World::sqlite();
    let json = |text: &str| to_projects(&world).body("application/json", text.as_bytes()).send();
    for text in
        ["{", "", "nonsense", "{\"code\":1,}", "{} {}", "[]", "null", "\"text\"", "{\"a\":1,\"a\":2}", "\u{feff}{}"]
    {
        json(text).refused(400, "body-unreadable");
    }
    for text in [
        "{}",
        "{\"code\":1}",
        r#"{"code":"P","name":"N","description":"D","surplus":1}"#,
        r#"{"code":null,"name":"N","description":"D"}"#,
    ] {
        json(text).refused(422, "body-invalid");
    }
    json(r#"{"code":"P 1","name":"N","description":"D"}"#).refused(422, "body-invalid");
    json(&format!(r#"{{"code":"P","name":"N","description":"{}"}}"#, "x".repeat(limits::TEXT_LEN + 1)))
        .refused(422, "body-invalid");
    let bytes = [b"{\"code\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
    to_projects(&world).body("application/json", &bytes).send().refused(400, "body-unreadable");
    to_projects(&world).bytes(&bytes).send().refused(415, "unsupported-media-type");
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "text/json",
        "application/problem+json",
    ] {
        to_projects(&world)
            .body(media_type, project("P").to_string().as_bytes())
            .send()
            .refused(415, "unsupported-media-type");
    }
    let deep = format!("{}{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    json(&deep).refused(400, "body-unreadable");
    json(&" ".repeat(limits::JSON_BODY_BYTES + 1)).refused(413, "body-too-large");
    assert_eq!(world.initiator().get(PROJECTS).ok()["items"], json!([]));
    to_projects(&world).body("application/json; charset=utf-8", project("P").to_string().as_bytes()).send().ok();
}

on_both!(an_act_needs_a_key_of_its_own_and_repeating_it_changes_nothing, |world| {
    let initiator = world.initiator();
    let ask = |key: &str, code: &str| initiator.request("POST", PROJECTS).key(key).json(&project(code)).send();
    initiator.request("POST", PROJECTS).json(&project("P-0")).send().refused(400, "idempotency-key-missing");
    for key in ["", " ", "a b", "密钥", &"x".repeat(limits::IDEMPOTENCY_KEY_LEN + 1)] {
        let answer = ask(key, "P-0");
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "idempotency-key-missing"),
            "{key:?}: {}",
            answer.text()
        );
    }
    let first = ask("one", "P-1");
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    let first = first.ok();
    let again = ask("one", "P-1");
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(again.ok(), first);
    ask("one", "P-2").refused(409, "idempotency-key-reused");
    let other = world.person("initiator2").request("POST", PROJECTS).key("one").json(&project("P-2")).send();
    assert_eq!((other.status, other.header("idempotency-replayed")), (201, None), "keys of others are others'");
    // What was refused is not remembered: the same key may bring it in order.
    ask("two", "P-1").refused(409, "already-taken");
    ask("two", "P-3").ok();
    let made: Vec<u16> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    world.initiator().request("POST", PROJECTS).key("at-once").json(&project("P-4")).send().status
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(made, [201; 8]);
    assert_eq!(initiator.get(PROJECTS).ok()["items"].as_array().map(Vec::len), Some(3));
});

on_both!(a_text_with_a_nul_is_refused_by_either_database_in_the_same_words, |world| {
    let lot = world.lot(Category::Construction).drafted();
    let (initiator, admin, inspector) = (world.initiator(), world.admin(), world.inspector());
    for path in [
        "/v1/lots/%00",
        "/v1/lots/a%00b/timeline",
        "/v1/projects/%00",
        "/v1/uploads/%00",
        "/v1/documents/%00/content",
        "/problems/%00",
    ] {
        initiator.get(path).refused(404, "not-found");
    }
    for query in ["/v1/lots?state=%00", "/v1/lots?project=%00", "/v1/notices?kind=%00"] {
        initiator.get(query).refused(422, "body-invalid");
    }
    admin.get("/v1/organisations?state=%00").refused(422, "body-invalid");
    inspector.look("/v1/inspection/entries?lot=%00").refused(422, "body-invalid");
    let text =
        |path: &str, body: &str| world.nobody("POST", path).key("nul").body("application/json", body.as_bytes()).send();
    text("/v1/sessions", r#"{"login":"a\u0000","password":"x"}"#).refused(422, "body-invalid");
    text("/v1/sessions/refresh", r#"{"refresh_token":"\u0000"}"#).refused(422, "body-invalid");
    text("/v1/sessions", r#"{"login":"a\\u0000","password":"x"}"#).refused(401, "login-failed");
    initiator.post(PROJECTS, &json!({ "code": "P-1", "name": "A\0", "description": "D" })).refused(422, "body-invalid");
    let mut terms = initiator.get(format!("/v1/lots/{}", lot.id)).ok()["terms"].clone();
    terms["approval_number"] = json!("\0");
    let new = json!({ "project_id": lot.project, "category": "construction", "title": "A lot", "terms": terms });
    initiator.post("/v1/lots", &new).refused(422, "body-invalid");
});

on_both!(an_edit_names_the_version_that_it_edits, |world| {
    let lot = world.lot(Category::Construction).drafted();
    let initiator = world.initiator();
    let path = format!("/v1/lots/{}", lot.id);
    let seen = initiator.get(&path);
    let etag = seen.header("etag").expect("a version").to_owned();
    let edit = json!({ "title": "A better title", "terms": seen.ok()["terms"] });
    let put = |etag: Option<&str>| {
        let request = initiator.request("PUT", &path).json(&edit);
        etag.map_or_else(|| initiator.request("PUT", &path).json(&edit), |etag| request.header("If-Match", etag)).send()
    };
    put(None).refused(428, "if-match-missing");
    for nonsense in ["", "*", "\"vx\"", "x"] {
        put(Some(nonsense)).refused(428, "if-match-missing");
    }
    put(Some("\"v999\"")).refused(412, "version-stale");
    let edited = put(Some(&etag));
    let newer = edited.header("etag").expect("a version").to_owned();
    assert_eq!(edited.ok()["title"], "A better title");
    assert_ne!(newer, etag);
    put(Some(&etag)).refused(412, "version-stale");
    let known = initiator.request("GET", &path).header("If-None-Match", newer.clone()).send();
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(newer.as_str())));
    assert_eq!(initiator.request("GET", &path).header("If-None-Match", etag).send().status, 200);
});

/// Somebody whom the table lets in.
fn insider<'w>(world: &'w World, method: &'static str, pattern: &str, path: &str) -> Request<'w> {
    let row = OPERATIONS.iter().find(|row| row.method == method && row.path == pattern).expect("an operation");
    match row.access {
        Access::Roles(roles) => {
            let name = roles[0].name();
            world
                .person(if matches!(name, "bidder" | "initiator") {
                    if name == "bidder" { "bidder1" } else { "initiator1" }
                } else {
                    name
                })
                .request(method, path)
        }
        _ => world.nobody(method, path),
    }
}

#[test]
fn every_list_has_bounded_pages_and_refuses_a_cursor_that_is_not_its_own() {
    let world = World::sqlite();
    let (lot, glass) = broken_glass(&world, &[]);
    let foreign = sealbid::http::cursor::seal(&world.app().keys, "another list", &(0, "x".to_owned())).expect("sealed");
    let mut lists = 0;
    for (method, pattern, operation) in described() {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        if method != "GET" || !parameters.iter().any(|parameter| parameter["name"] == "after") {
            continue;
        }
        // Evidence is a search taken away whole: it has no pages.
        if operation["responses"]["200"]["content"]["application/json"].is_null() {
            continue;
        }
        lists += 1;
        let path = pattern.replace("{lot}", &lot.id).replace("{break_glass}", glass["id"].as_str().expect("an id"));
        let asks_why = parameters.iter().any(|parameter| parameter["name"] == "matter");
        let why = if asks_why { format!("matter={MATTER}&") } else { String::new() };
        let ask = |query: &str| insider(&world, "GET", &pattern, &format!("{path}?{why}{query}")).send();
        for query in ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=4294967297", "surplus=1", "limit=1&limit=2"]
        {
            let answer = ask(query);
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (422, "body-invalid"),
                "{}: {}",
                answer.asked,
                answer.text()
            );
        }
        for after in ["forged", "", "AAAA", foreign.as_str(), "lot-0192f0c1-7a3b-7c4d-8e5f-0123456789ab"] {
            let answer = ask(&format!("after={after}"));
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (400, "cursor-invalid"),
                "{}: {}",
                answer.asked,
                answer.text()
            );
        }
        for query in ["limit=1", "limit=100"] {
            assert_eq!(ask(query).status, 200, "{path}?{query}");
        }
    }
    assert!(lists >= 8, "only {lists} lists were found");
}

on_both!(pages_of_people_and_of_organisations_show_everyone_once, |world| {
    for list in ["/v1/users", "/v1/organisations"] {
        let admin = world.admin();
        let whole = admin.get(format!("{list}?limit=100")).ok()["items"].as_array().expect("items").clone();
        let (mut seen, mut after): (Vec<Value>, String) = (Vec::new(), String::new());
        loop {
            let page = admin.get(format!("{list}?limit=5{after}")).ok();
            seen.extend(page["items"].as_array().expect("items").iter().cloned());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert!(whole.len() > 10, "{list}");
        assert_eq!(seen, whole, "{list}");
    }
});

#[test]
fn an_address_that_is_none_and_a_method_that_is_not_taken_are_told_apart() {
    let world = World::sqlite();
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v2/lots",
        "/v1/lots/",
        "/v1/lots/x/y/z",
        "/health",
        "/v1/lots/%FF",
        "/.env",
        "/v1/../v1/time/x",
    ] {
        let answer = world.nobody("GET", path).send();
        assert_eq!((answer.status, answer.code().as_str()), (404, "not-found"), "{path}: {}", answer.text());
    }
    for (method, path, allowed) in [
        ("DELETE", "/v1/time", "GET"),
        ("PUT", "/v1/lots", "POST, GET"),
        ("PATCH", "/v1/lots/lot-1", "GET, PUT"),
        ("GET", "/v1/sessions", "POST"),
        ("TRACE", "/v1/sessions/current", "DELETE"),
        ("OPTIONS", "/v1/time", "GET"),
    ] {
        let answer = world.nobody(method, path).send();
        let allow = answer.header("allow").map(str::to_owned);
        answer.refused(405, "method-not-allowed");
        assert_eq!(allow.as_deref(), Some(allowed), "{method} {path}");
    }
}

#[test]
fn head_is_get_without_its_body() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    for path in [
        "/v1/time".to_owned(),
        "/health/live".to_owned(),
        format!("/v1/lots/{}", lot.id),
        "/v1/lots?limit=1".to_owned(),
    ] {
        let (get, head) = (world.nobody("GET", &path).send(), world.nobody("HEAD", &path).send());
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
    let nothing = world.nobody("HEAD", "/v1/nothing").send();
    assert_eq!((nothing.status, nothing.body.len()), (404, 0));
    assert_eq!(world.nobody("HEAD", "/v1/me").send().status, 401);
    let post_only = world.nobody("HEAD", "/v1/sessions").send();
    assert_eq!((post_only.status, post_only.header("allow")), (405, Some("POST")));
}

/// What every problem has, in whatever language.
fn same_but_for_the_words(zh: Answer, en: Answer) {
    assert_eq!(
        (zh.header("content-language"), en.header("content-language")),
        (Some("zh-CN"), Some("en")),
        "{}",
        zh.asked
    );
    let asked = zh.asked.clone();
    let (zh, en) = (zh.json(), en.json());
    for field in ["code", "status", "type", "retry"] {
        assert!(!zh[field].is_null(), "{asked}: no {field}");
        assert_eq!(zh[field], en[field], "{asked}");
    }
    for field in ["title", "detail"] {
        assert_ne!(zh[field], en[field], "{asked}: {field} is not translated");
        assert!(!en[field].as_str().expect("words").is_empty(), "{asked}");
    }
    assert_ne!(zh["request_id"], en["request_id"], "{asked}");
    assert_eq!(zh["type"], format!("/problems/{}", zh["code"].as_str().expect("a code")));
}

#[test]
fn the_language_changes_the_words_and_never_the_code() {
    let world = World::sqlite();
    let ask = |method: &'static str, path: &str, language: &str| {
        world.nobody(method, path).header("Accept-Language", language).send()
    };
    for (method, path) in [
        ("GET", "/v1/me"),
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/time"),
        ("GET", "/v1/lots?limit=0"),
        ("GET", "/v1/lots?after=x"),
        ("POST", "/v1/sessions"),
    ] {
        same_but_for_the_words(ask(method, path, "zh-CN,zh;q=0.9,en;q=0.8"), ask(method, path, "en-GB, zh;q=0.5"));
        same_but_for_the_words(world.nobody(method, path).send(), ask(method, path, "en"));
        same_but_for_the_words(ask(method, path, "fr, xx;q=nonsense"), ask(method, path, "fr;q=1, en;q=0.1"));
    }
    let problem = ask("GET", "/v1/me", "en").json();
    let page =
        world.nobody("GET", problem["type"].as_str().expect("an address")).header("Accept-Language", "en").send();
    assert_eq!(page.status, 200);
    assert!(page.text().contains("not-signed-in"), "{}", page.text());
    world.nobody("GET", "/problems/made-up").send().refused(404, "not-found");
}

#[test]
fn every_answer_has_an_id_that_the_caller_did_not_choose() {
    let world = World::sqlite();
    let mut seen = std::collections::BTreeSet::new();
    for path in ["/v1/time", "/v1/me", "/v1/nothing", "/v1/lots?limit=0", "/openapi.json", "/docs/index.html"] {
        for _ in 0..2 {
            let answer =
                world.nobody("GET", path).header("Request-Id", "chosen").header("X-Request-Id", "chosen").send();
            let id = answer.header("request-id").unwrap_or_else(|| panic!("{path} has no id")).to_owned();
            assert_eq!(id.len(), 32, "{path}: {id}");
            assert!(seen.insert(id), "{path}: an id comes twice");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        }
    }
    assert_eq!(world.nobody("GET", "/v1/time").send().header("cache-control"), Some("no-store"));
}

/// What a server answers to bytes after which nothing more comes.
fn raw(world: &World, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(world.base().strip_prefix("http://").expect("an address")).expect("connected");
    stream.write_all(bytes).expect("sent");
    stream.shutdown(Shutdown::Write).expect("the end");
    let mut answer = Vec::new();
    // A server may close the connection without a word, or reset it.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_request_that_breaks_off_or_is_no_http_does_nothing_and_harms_nobody() {
    let world = World::sqlite();
    let head = |length: usize| {
        format!(
            "POST {PROJECTS} HTTP/1.1\r\nHost: sealbid.test\r\nAuthorization: Bearer {}\r\nIdempotency-Key: cut\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
            world.initiator().token()
        )
    };
    let body = project("P-1").to_string();
    let cut = raw(&world, format!("{}{}", head(body.len() + 1), body).as_bytes());
    assert!(cut.is_empty() || cut.starts_with("HTTP/1.1 400"), "{cut}");
    for bytes in [
        b"nonsense\r\n\r\n".as_slice(),
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/time HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let answer = raw(&world, bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(world.initiator().get(PROJECTS).ok()["items"], json!([]));
    let whole = raw(&world, format!("{}{}", head(body.len()), body).as_bytes());
    assert!(whole.is_empty() || whole.starts_with("HTTP/1.1 201"), "{whole}");
}

async fn broken() -> HttpResponse {
    panic!("a secret of the handler")
}

#[test]
fn a_handler_that_panics_answers_500_and_tells_nothing() {
    let world = World::sqlite();
    let answer = actix_web::rt::System::new().block_on(async {
        let app = actix_web::App::new()
            .app_data(world.data())
            .route("/v1/time", web::get().to(broken))
            .wrap(from_fn(middleware::around));
        let service = web_test::init_service(app).await;
        let request =
            web_test::TestRequest::get().uri("/v1/time").insert_header(("Accept-Language", "en")).to_request();
        // A server turns an error of the outermost layer into its response.
        let answered = web_test::try_call_service(&service, request).await;
        let response =
            answered.map_or_else(|error| error.error_response(), |answer| answer.into_parts().1.map_into_boxed_body());
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let status = response.status().as_u16();
        let body = actix_web::body::to_bytes(response.into_body()).await.expect("a body").to_vec();
        Answer { status, headers, body, asked: "GET /v1/time".to_owned() }
    });
    let problem = answer.refused(500, "internal-error");
    assert_eq!(problem["retry"], "same_request");
    assert!(!problem.to_string().contains("secret"), "{problem}");
}
