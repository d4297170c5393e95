//! What each fault of the world around does to the platform: disks that fill, databases that go and come back, mail servers
//! that are down, answers that are lost on the way. docs/drills.md states the outcomes; these tests hold them.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sealbid::db::schema::{bids, outbox};
use sealbid::db::{Mode, connection, dialect};
use sealbid::rules::editions::Category;
use sealbid::worker::mailer;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::postgres;
use crate::support::steps::blob;
use crate::support::story::{LotStory, SEALED_CHUNK};
use crate::support::world::World;

/// A device on which every write finds no room.
const FULL: &str = "/dev/full";

#[track_caller]
fn sent_away(answer: Answer, code: &str) {
    assert!(answer.header("retry-after").is_some(), "{}: {:?}", answer.asked, answer.headers);
    assert_eq!(answer.refused(503, code)["retry"], "same_request");
}

fn in_database(world: &World) -> i64 {
    world.app().reader.read_blocking(|conn| Ok(bids::table.count().get_result(conn)?)).expect("read")
}

fn deliver(world: &World) -> u32 {
    let round = mailer::round(world.app());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(round)
        .expect("a round")
}

#[test]
fn a_chunk_that_finds_no_room_is_sent_away_and_taken_once_there_is_room() {
    let world = World::sqlite();
    let story = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let bytes = vec![7_u8; 1_000];
    let root = sealbid::seal::merkle::leaf_hash(&bytes);
    let made =
        bidder.post(story.path("/uploads"), &json!({ "purpose": "bid", "size_bytes": bytes.len(), "root": root })).ok();
    assert_eq!(made["chunk_bytes"], SEALED_CHUNK);
    let id = made["id"].as_str().expect("an id");
    let file = blob(&world, id);
    std::fs::remove_file(&file).expect("its file");
    symlink(FULL, &file).expect("a disk without room");
    sent_away(bidder.put_chunk(id, 0, &bytes), "storage-full");
    let shown = bidder.get(format!("/v1/uploads/{id}")).ok();
    assert_eq!(shown["missing"], json!([{ "first": 0, "last": 0 }]), "nothing vouches for bytes that are not there");
    bidder.act(format!("/v1/uploads/{id}/actions/complete")).refused(409, "upload-incomplete");
    std::fs::remove_file(&file).expect("the link");
    std::fs::write(&file, vec![0; bytes.len()]).expect("room again");
    assert_eq!(bidder.put_chunk(id, 0, &bytes).status, 204);
    assert_eq!(bidder.act(format!("/v1/uploads/{id}/actions/complete")).ok()["state"], "complete");
}

/// Lets the database run out of room, or gives it room again.
fn fill(world: &World, full: bool) {
    let url = world.app().config.database.url.clone();
    if world.app().config.database_url().is_postgres() {
        let name = url.trim_start_matches("postgres:///").split('?').next().expect("a name").to_owned();
        // The server's own words and code for a disk without room, at the moment of the commit.
        let sql = if full {
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'could not extend file \"base/5/16384\": No space left on device' USING ERRCODE = 'disk_full'; END $$; \
             CREATE CONSTRAINT TRIGGER no_room AFTER INSERT ON audit_entry DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION no_room()"
        } else {
            "DROP TRIGGER no_room ON audit_entry; DROP FUNCTION no_room()"
        };
        postgres::cluster().expect("it runs").execute(&name, sql);
        return;
    }
    let sql = if full { "PRAGMA max_page_count = 1" } else { "PRAGMA max_page_count = 1000000" };
    let limit =
        world.app().ledger.commit_beside(world.app().system("test"), move |tx| Ok(tx.conn().batch_execute(sql)?));
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(limit).expect("limited");
}

on_both!(a_commit_that_finds_no_room_leaves_nothing_and_the_same_request_is_answered_later, |world| {
    let story = world.lot(Category::Construction).noticed();
    let (body, _) = story.uploaded_bid(1, 1, "900000.00");
    let (bidder, key) = (world.bidder(1), uuid::Uuid::new_v4().to_string());
    let submit = || bidder.request("POST", story.path("/bids")).key(&key).json(&body).send();
    fill(world, true);
    let ask = |n: usize| {
        let text = format!("{n} {}", "x".repeat(3_000));
        bidder.post(story.path("/questions"), &json!({ "kind": "question", "text": text }))
    };
    // A page or two may be free still.
    let full = (0..50).map(ask).find(|answer| answer.status != 201).expect("it fills");
    sent_away(full, "storage-full");
    sent_away(submit(), "storage-full");
    assert_eq!(in_database(world), 0);
    assert_eq!(bidder.get(story.path("")).status, 200, "reading goes on");
    bidder.get(story.path("/bids/mine")).refused(404, "not-found");
    fill(world, false);
    let receipt = submit().ok();
    assert_eq!(submit().ok(), receipt);
    assert_eq!(in_database(world), 1);
});

fn waiting(world: &World) -> Vec<(String, String)> {
    world
        .app()
        .reader
        .read_blocking(|conn| Ok(outbox::table.select((outbox::id, outbox::state)).order(outbox::id).load(conn)?))
        .expect("read")
}

#[test]
fn a_message_that_finds_no_room_waits_and_leaves_whole() {
    let world = World::sqlite();
    let mail = world.app().config.mail.dir.clone();
    let story = world.lot(Category::Construction).registered();
    let stored = waiting(&world);
    assert!(!stored.is_empty(), "registering tells somebody");
    std::fs::create_dir_all(&mail).expect("made");
    let parts: Vec<PathBuf> = stored.iter().map(|(id, _)| mail.join(format!(".{id}.eml.part"))).collect();
    parts.iter().for_each(|part| symlink(FULL, part).expect("a disk without room"));
    deliver(&world);
    assert!(waiting(&world).iter().all(|(_, state)| state == "waiting"), "{:?}", waiting(&world));
    parts.iter().for_each(|part| std::fs::remove_file(part).expect("room again"));
    world.advance_to(world.now().plus_seconds(60));
    for (id, state) in waiting(&world) {
        assert_eq!(state, "sent");
        let text = std::fs::read_to_string(mail.join(format!("{id}.eml"))).expect("a file");
        assert!(text.contains("Message-ID"), "{text}");
    }
    assert_eq!(story.state(), "registered");
}

/// Takes a PostgreSQL database away from everybody who has it, or gives it back.
fn take_away(world: &World, away: bool) {
    let url = world.app().config.database.url.clone();
    let name = url.trim_start_matches("postgres:///").split('?').next().expect("a name");
    let cluster = postgres::cluster().expect("it runs");
    cluster.execute("postgres", &format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {}", !away));
    if away {
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        cluster.execute("postgres", &end);
    }
}

#[test]
fn a_database_that_goes_is_a_503_and_when_it_is_back_the_server_goes_on_by_itself() {
    let Some(world) = World::postgres() else { return };
    let story = world.lot(Category::Construction).noticed();
    let (bidder, key) = (world.bidder(1), uuid::Uuid::new_v4().to_string());
    let (body, _) = story.uploaded_bid(1, 1, "900000.00");
    let submit = || bidder.request("POST", story.path("/bids")).key(&key).json(&body).send();
    take_away(&world, true);
    sent_away(submit(), "unavailable");
    sent_away(bidder.get(story.path("")), "unavailable");
    sent_away(world.nobody("GET", "/health/ready").send(), "unavailable");
    assert_eq!(world.nobody("GET", "/health/live").send().status, 200, "the process is well");
    take_away(&world, false);
    let receipt = submit().ok();
    assert_eq!(submit().ok(), receipt);
    assert_eq!(bidder.get(story.path("")).status, 200);
    assert_eq!(in_database(&world), 1);
}

#[test]
fn connections_that_break_between_two_requests_are_replaced_without_anybody_noticing() {
    let Some(world) = World::postgres() else { return };
    let story = world.lot(Category::Construction).noticed();
    let bodies: Vec<Value> = (1..=4).map(|n| story.uploaded_bid(n, 1, "900000.00").0).collect();
    take_away(&world, true);
    take_away(&world, false);
    for (n, body) in bodies.iter().enumerate() {
        story.submit(n + 1, body).ok();
    }
    assert_eq!(in_database(&world), 4);
}

#[test]
fn a_file_that_another_program_has_locked_is_waited_for_and_then_a_503() {
    let world = World::sqlite();
    let story = world.lot(Category::Construction).noticed();
    let (body, _) = story.uploaded_bid(1, 1, "900000.00");
    let mut other = connection::connect(&world.app().config.database_url(), Mode::Write).expect("another program");
    dialect::begin_write(&mut other).expect("the lock");
    let asked = Instant::now();
    sent_away(story.submit(1, &body), "busy");
    assert!(asked.elapsed() >= Duration::from_secs(4), "it waits as long as a short lock may take");
    assert_eq!(world.bidder(1).get(story.path("")).status, 200, "reading goes on");
    dialect::rollback(&mut other).expect("released");
    story.submit(1, &body).ok();
    assert_eq!(in_database(&world), 1);
}

on_both!(an_answer_that_was_lost_on_the_way_is_fetched_an_hour_after_the_deadline, |world| {
    let story = world.lot(Category::Construction).noticed().with_bids(&["910000.00", "920000.00"]);
    let (body, _) = story.uploaded_bid(3, 1, "900000.00");
    let (bidder, key) = (world.bidder(3), uuid::Uuid::new_v4().to_string());
    world.set_clock(story.deadline().plus_millis(-1));
    send_and_hang_up(&story, &bidder.token(), &key, &body.to_string());
    let patience = Instant::now() + Duration::from_secs(20);
    while in_database(world) < 3 {
        assert!(Instant::now() < patience, "the bid is put into the box, whoever waits for the answer");
        std::thread::sleep(Duration::from_millis(5));
    }
    world.advance_to(story.deadline().plus_seconds(3_600));
    let again = bidder.request("POST", story.path("/bids")).key(&key).json(&body).send();
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")), "{}", again.text());
    let receipt = again.ok();
    assert_eq!(receipt["received_at"], story.deadline().plus_millis(-1).to_string());
    assert_eq!(bidder.post(story.path("/bids"), &body).ok()["receipt"], receipt["receipt"], "under a new key too");
    let mine = story.mine(3);
    assert_eq!(mine["bid_id"], receipt["bid_id"]);
    assert!(mine.to_string().contains(receipt["entry_id"].as_str().expect("an entry")), "{mine}");
});

/// Sends a whole request and is gone before the answer comes.
fn send_and_hang_up(story: &LotStory<'_>, token: &str, key: &str, body: &str) {
    let host = story.world.base().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("connected");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        story.path("/bids"),
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("sent");
}
