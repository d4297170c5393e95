//! What can be watched of a platform, where, and in what form. That it tells nothing of bids is compared in `whole_runs`.

use sealbid::http::permissions::{OPERATIONS, counted};
use sealbid::metrics::{FAMILIES, Group};
use sealbid::rules::editions::Category;
use sealbid::worker::watch;
use serde_json::json;

use crate::support::logs;
use crate::support::world::World;

/// What is told at one moment.
fn told(world: &World) -> String {
    actix_web::rt::System::new().block_on(watch::round(world.app(), true));
    world.app().metrics.render()
}

#[test]
fn no_operation_that_a_bidder_may_call_is_counted() {
    use sealbid::http::permissions::Access;
    use sealbid::kernel::role::Role;
    let mut staff = 0;
    for row in OPERATIONS {
        let group = counted(row.method, Some(row.path), false);
        if row.sealed {
            assert_eq!(group, None, "{} {}", row.method, row.path);
            assert_eq!(counted(row.method, Some(row.path), true), None, "{} {}", row.method, row.path);
        }
        match row.access {
            Access::Roles(roles) if !roles.contains(&Role::Bidder) => staff += usize::from(group == Some(Group::Staff)),
            _ if row.path.starts_with("/health/") => assert_eq!(group, Some(Group::Health)),
            _ => assert_eq!(group, None, "{} {}", row.method, row.path),
        }
    }
    assert!(staff > 20, "{staff}");
    assert_eq!(counted("GET", Some("/v1/lots"), true), Some(Group::Public));
    assert_eq!(counted("GET", Some("/v1/lots/{lot}/key-set"), true), None);
    assert_eq!(counted("GET", None, true), Some(Group::Unmatched));
    assert_eq!(counted("GET", None, false), None);
}

#[test]
fn metrics_are_told_on_a_listener_of_their_own_and_not_to_the_public() {
    let world = World::sqlite();
    world.nobody("GET", "/metrics").send().refused(404, "not-found");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (data, (tell, told)) = (world.data(), std::sync::mpsc::channel());
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = sealbid::http::watching::start(data, listener).expect("started");
            tell.send(server.handle()).expect("the test waits");
            server.await.expect("ends well");
        });
    });
    let handle = told.recv().expect("started");
    let mut answer = world.agent().get(format!("http://{address}/metrics")).call().expect("answered");
    assert_eq!(answer.status(), 200);
    let text = answer.body_mut().read_to_string().expect("text");
    for family in FAMILIES {
        assert!(text.contains(&format!("# TYPE {} {}\n", family.name, family.kind)), "{}", family.name);
    }
    assert!(text.contains("sealbid_requests_total{group=\"unmatched\",status=\"4xx\"} 1"), "{text}");
    assert_eq!(world.agent().get(format!("http://{address}/")).call().expect("answered").status(), 404);
    actix_web::rt::System::new().block_on(handle.stop(false));
    thread.join().expect("ended");
}

#[test]
fn a_path_that_no_route_knows_is_not_in_the_log() {
    let world = World::sqlite();
    let bid = format!("bid-{}", uuid::Uuid::new_v4());
    for path in [
        format!("/v1/bids/{bid}/"),
        format!("/v1/bids/{bid}/actions/withdraw/"),
        format!("/v1/bids/{bid}/actions/evaluate"),
    ] {
        let answer = world.bidder(1).request("POST", path).key("a-key").send();
        assert!((400..500).contains(&answer.status), "{}", answer.text());
        let lines = logs::lines_with(answer.header("request-id").expect("an id"));
        assert_eq!(lines.len(), 1, "{lines:?}");
    }
    assert_eq!(logs::lines_with(&bid), Vec::<String>::new());
}

#[test]
fn a_failure_on_a_sealed_route_is_told_by_its_kind_and_raises_one_flag() {
    let world = World::sqlite();
    let story = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let root = sealbid::kernel::digest::sha256(b"any");
    let declared = json!({ "purpose": "bid", "size_bytes": 10, "root": root });
    let upload = bidder.post(story.path("/uploads"), &declared).ok()["id"].as_str().expect("an id").to_owned();
    assert!(told(&world).contains("sealbid_requests_failing 0"));
    let (blobs, away) = (world.app().config.storage.blobs.clone(), world.dir().join("away"));
    std::fs::rename(&blobs, &away).expect("moved");
    std::fs::write(&blobs, b"no directory").expect("written");
    let answer = bidder.put_chunk(&upload, 0, b"0123456789");
    std::fs::remove_file(&blobs).expect("removed");
    std::fs::rename(&away, &blobs).expect("moved back");
    assert_eq!(answer.status, 503, "{}", answer.text());
    let lines = logs::lines_with(answer.header("request-id").expect("an id"));
    assert_eq!(lines.len(), 2, "{lines:?}");
    let failed = lines.iter().find(|line| line.contains("a request failed")).expect("a failure is logged");
    assert!(failed.contains("failure=\"storage\""), "{failed}");
    assert!(told(&world).contains("sealbid_requests_failing 1"));
}

#[test]
fn with_json_every_line_of_the_log_is_an_object_and_a_signal_ends_the_server() {
    use std::io::Read;
    use std::process::Stdio;
    let place = tempfile::tempdir().expect("a directory");
    let free =
        || std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
    let mut config = sealbid::config::Config::default();
    config.server.bind = free();
    config.metrics.bind = free();
    config.log.format = "json".into();
    config.database.url = place.path().join("data/sealbid.sqlite").display().to_string();
    config.storage.blobs = place.path().join("blobs");
    config.keys.dir = place.path().join("keys");
    config.mail.dir = place.path().join("mail");
    config.backup.marker = place.path().join("last-backup");
    let mut child =
        crate::support::program::command(&config, &["serve"]).stderr(Stdio::piped()).spawn().expect("it starts");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let ask = |bind: &str, path: &str| {
        agent.get(format!("http://{bind}{path}")).call().map(|answer| answer.status().as_u16())
    };
    while ask(&config.server.bind, "/health/ready").ok() != Some(200) {
        assert!(std::time::Instant::now() < patience, "it is ready within a minute");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(ask(&config.metrics.bind, "/metrics").expect("answered"), 200);
    assert_eq!(ask(&config.server.bind, "/metrics").expect("answered"), 404);
    assert_eq!(ask(&config.server.bind, "/v1/no/such/%22thing%22").expect("answered"), 404);
    let killed = std::process::Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    assert!(killed.success());
    let mut text = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
    assert!(child.wait().expect("it ends").success(), "{text}");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    assert!(lines.len() > 5, "{text}");
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    let requests: Vec<&serde_json::Value> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert!(requests.iter().all(|line| line["request.id"].is_string() && line["duration_ms"].is_u64()), "{requests:?}");
    assert!(!text.contains("thing"), "{text}");
}
