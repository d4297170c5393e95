//! Two servers of one platform: on PostgreSQL they share the database and the blobs, and whatever both want to do is done
//! once. An SQLite database has one server, and a second one says so.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};

use actix_web::web::Data;
use diesel::prelude::*;
use sealbid::app::App;
use sealbid::clock::{ManualClock, SystemClock};
use sealbid::db::schema::{audit_entry, bids, outbox, refusals, unsealings};
use sealbid::keys::Keys;
use sealbid::rules::editions::Category;
use sealbid::worker::{log, mailer, pulse, scheduler, scrubber, unsealer};

use crate::support::loglab;
use crate::support::served::Served;
use crate::support::world::World;

const AMOUNTS: [&str; 3] = ["900000.00", "910000.00", "920000.00"];

/// A platform whose keys a second server can load.
fn shared() -> Option<World> {
    World::postgres_with(|config| {
        Keys::create(&config.keys.dir).expect("a key directory");
    })
}

/// Another server's process, as far as it is one: its own pools, writers and name, the same database, blobs and keys.
struct Second(Data<App>);

impl Second {
    fn of(world: &World) -> Self {
        let first = world.app();
        let keys = Keys::load(&first.config.keys.dir).expect("the same keys");
        Self(Data::new(App::open(first.config.clone(), world.clock().clone(), keys).expect("it opens")))
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        self.0.ledger.stop();
    }
}

/// Lets both servers do the same at the same time; what each did.
fn both<T: Send>(world: &World, second: &Second, work: impl Fn(&App) -> T + Sync) -> [T; 2] {
    let (start, work) = (Barrier::new(2), &work);
    std::thread::scope(|scope| {
        let threads = [world.app(), &second.0].map(|app| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                work(app)
            })
        });
        threads.map(|thread| thread.join().expect("it does not panic"))
    })
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

fn count(world: &World, kind: &'static str) -> i64 {
    let found = world
        .app()
        .reader
        .read_blocking(|conn| Ok(audit_entry::table.filter(audit_entry::kind.eq(kind)).count().get_result(conn)?));
    found.expect("read")
}

#[test]
fn a_transition_that_is_due_happens_once() {
    let Some(world) = shared() else { return };
    let second = Second::of(&world);
    let stories: Vec<_> = (0..4).map(|_| world.lot(Category::Construction).noticed().with_bids(&AMOUNTS)).collect();
    world.set_clock(stories[0].deadline().plus_seconds(70));
    let mut done = 0;
    // A server that lost every race of a round leaves the rest to the next.
    for _ in 0..5 {
        done += both(&world, &second, |app| run(scheduler::round(app)).expect("a round")).iter().sum::<u32>();
    }
    assert_eq!(done, 8, "each lot closes and begins its opening");
    assert_eq!((count(&world, "lot.closed"), count(&world, "lot.opening_begun")), (4, 4));
    stories.iter().for_each(|story| assert_eq!(story.state(), "opening"));
}

#[test]
fn a_box_that_two_servers_unseal_has_one_outcome_for_each_envelope() {
    let Some(world) = shared() else { return };
    let second = Second::of(&world);
    let story = world.lot(Category::Construction).noticed().with_bids(&AMOUNTS);
    story.bid(4, 1, "930000.00").ok();
    world.set_clock(story.deadline().plus_seconds(70));
    while run(scheduler::round(world.app())).expect("a round") > 0 {}
    // The set of bids is fixed in the log before any key is used.
    let grown = both(&world, &second, |app| run(log::round(app)).expect("a round"));
    assert_eq!(grown.iter().sum::<u32>(), 1, "one of them grows the log");
    let mut done = 0;
    for _ in 0..5 {
        done += both(&world, &second, |app| run(unsealer::round(app)).expect("a round")).iter().sum::<u32>();
    }
    assert_eq!(done, 5, "four outcomes, and one end of the unsealing");
    let rows = world.app().reader.read_blocking(|conn| {
        Ok(unsealings::table.select((unsealings::envelope_id, unsealings::version)).load::<(String, i64)>(conn)?)
    });
    let mut rows = rows.expect("read");
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), 4);
    assert_eq!(story.opened().record()["bids"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_lot_that_two_servers_disclose_is_disclosed_once() {
    let Some(world) = shared() else { return };
    let second = Second::of(&world);
    let lots: Vec<String> =
        (0..4).map(|_| world.lot(Category::Construction).noticed().with_bids(&AMOUNTS).opened().id).collect();
    assert_eq!(count(&world, "lot.disclosed"), 4);
    // As after a second round of each; a third disclosure would be one too many.
    loglab::as_dba(&world, "INSERT INTO disclosures_due (lot_id) SELECT id FROM lots WHERE unsealed_for = 'all'");
    for _ in 0..6 {
        // A server that lost a race leaves the rest to the next round.
        for outcome in both(&world, &second, |app| run(log::round(app)).map_err(|error| error.to_string())) {
            assert!(!outcome.as_ref().is_err_and(|error| error.contains("too often")), "{outcome:?}");
        }
    }
    world.settle();
    assert_eq!(count(&world, "lot.disclosed"), 8);
    for lot in lots {
        let file = world.nobody("GET", format!("/audit/main/disclosures/{lot}-2.ndjson")).send().text();
        loglab::disclosed(&world, &format!("{lot}-2"), &file).expect("proven");
    }
}

#[test]
fn a_bid_that_reaches_both_servers_at_once_acts_once() {
    let Some(world) = shared() else { return };
    let second = Second::of(&world);
    let mut served = Served::start(second.0.clone());
    let story = world.lot(Category::Construction).noticed();
    let (base, other) = (world.base().to_owned(), served.base().to_owned());
    for n in 1..=4 {
        let (body, _) = story.uploaded_bid(n, 1, AMOUNTS[0]);
        let (bidder, key, path) = (world.bidder(n), uuid::Uuid::new_v4().to_string(), story.path("/bids"));
        let start = Barrier::new(2);
        let send = |base: &str| {
            start.wait();
            bidder.request("POST", &path).at(base).key(&key).json(&body).send().ok()
        };
        let [one, two] = std::thread::scope(|scope| {
            [&base, &other].map(|base| scope.spawn(|| send(base))).map(|thread| thread.join().expect("answered"))
        });
        assert_eq!(one, two, "the same receipt, to the byte");
    }
    served.stop();
    let found = world.app().reader.read_blocking(|conn| {
        Ok((bids::table.select(bids::version).load::<i64>(conn)?, refusals::table.count().get_result::<i64>(conn)?))
    });
    assert_eq!(found.expect("read"), (vec![1; 4], 0));
    assert_eq!(count(&world, "bid.submitted"), 4);
}

#[test]
fn a_message_that_both_servers_want_to_send_is_sent_once() {
    let Some(world) = shared() else { return };
    let second = Second::of(&world);
    for _ in 0..3 {
        world.lot(Category::Construction).noticed();
    }
    let mut settled = 0;
    for _ in 0..5 {
        settled += both(&world, &second, |app| run(mailer::round(app)).expect("a round")).iter().sum::<u32>();
    }
    let attempts = world
        .app()
        .reader
        .read_blocking(|conn| Ok(outbox::table.select(outbox::attempts).load::<i64>(conn)?))
        .expect("read");
    assert!(!attempts.is_empty() && attempts.iter().all(|attempts| *attempts == 1), "{attempts:?}");
    assert_eq!(usize::try_from(settled).expect("few"), attempts.len());
}

#[test]
fn servers_with_other_keys_or_other_blobs_do_not_start() {
    let Some(world) = shared() else { return };
    let first = world.app();
    let strange = App::open(first.config.clone(), first.clock.clone(), Keys::ephemeral().expect("random numbers"));
    let why = strange.err().expect("other keys").to_string();
    assert!(why.contains("not those this database has been used with"), "{why}");
    let mut config = first.config.clone();
    config.storage.blobs = world.dir().join("other-blobs");
    let strange = App::open(config, first.clock.clone(), Keys::load(&first.config.keys.dir).expect("the same keys"));
    assert!(strange.is_err(), "other blobs");
}

#[test]
fn a_second_server_on_an_sqlite_database_is_refused_and_told_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let settings = [
        ("SEALBID_SERVER__BIND", "127.0.0.1:0".to_owned()),
        ("SEALBID_DATABASE__URL", at("data/sealbid.sqlite")),
        ("SEALBID_STORAGE__BLOBS", at("data/blobs")),
        ("SEALBID_KEYS__DIR", at("keys")),
        ("SEALBID_MAIL__DIR", at("mail")),
    ];
    let serve = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealbid"));
        command.arg("serve").current_dir(dir.path()).envs(settings.iter().cloned()).stdout(Stdio::null());
        command
    };
    let mut first = serve().stderr(Stdio::piped()).spawn().expect("it starts");
    let mut log = BufReader::new(first.stderr.take().expect("piped")).lines();
    let listens = log.by_ref().map_while(Result::ok).any(|line| line.contains("listening"));
    let second = listens.then(|| serve().output().expect("it ran"));
    first.kill().expect("it runs");
    first.wait().expect("it ended");
    let second = second.expect("the first server listens");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(3), "{said}");
    for word in ["another sealbid server already uses", &at("data/sealbid.sqlite"), "PostgreSQL"] {
        assert!(said.contains(word), "{said}");
    }
    let third = serve().stderr(Stdio::piped()).spawn();
    let mut third = third.expect("it starts");
    let mut log = BufReader::new(third.stderr.take().expect("piped")).lines();
    let listens = log.by_ref().map_while(Result::ok).any(|line| line.contains("listening"));
    third.kill().expect("it runs");
    third.wait().expect("it ended");
    assert!(listens, "once the first is gone, another may start, however the first ended");
}

/// A second server whose clock the test moves by itself; its workers do not run.
fn with_own_clock(world: &World) -> (Second, Arc<ManualClock>) {
    let first = world.app();
    let keys = Keys::load(&first.config.keys.dir).expect("the same keys");
    let clock = Arc::new(ManualClock::beside(world.clock()));
    (Second(Data::new(App::open(first.config.clone(), clock.clone(), keys).expect("it opens"))), clock)
}

#[test]
fn the_closing_waits_for_what_another_server_has_in_flight() {
    let Some(world) = shared() else { return };
    let second = Second::of(&world);
    let story = world.lot(Category::Construction).noticed().with_bids(&AMOUNTS);
    let deadline = story.deadline();
    world.set_clock(deadline.plus_millis(-1));
    let flight = second.0.instance.begin();
    run(pulse::beat(&second.0)).expect("a heartbeat");
    world.advance_to(deadline.plus_seconds(6));
    assert_eq!(story.state(), "noticed", "it has not been heard of since the deadline");
    run(pulse::beat(&second.0)).expect("a heartbeat");
    world.advance_to(deadline.plus_seconds(30));
    assert_eq!(story.state(), "noticed", "it says that something is on its way");
    drop(flight);
    world.settle();
    assert_eq!(story.state(), "noticed", "and has not said anything else");
    run(pulse::beat(&second.0)).expect("a heartbeat");
    world.settle();
    assert_eq!(story.state(), "opening");
}

#[test]
fn a_server_that_stopped_or_is_long_gone_is_not_waited_for_and_a_stalled_one_not_for_ever() {
    let Some(world) = shared() else { return };
    for (silent, stopped, closes_at) in [(61, false, 6), (30, true, 6), (30, false, 65)] {
        let second = Second::of(&world);
        let story = world.lot(Category::Construction).noticed().with_bids(&AMOUNTS);
        let deadline = story.deadline();
        world.set_clock(deadline.plus_seconds(-silent));
        run(pulse::beat(&second.0)).expect("a heartbeat");
        if stopped {
            run(pulse::stop(&second.0)).expect("stopped");
        }
        world.advance_to(deadline.plus_seconds(closes_at - 1));
        assert_eq!(story.state(), if closes_at == 6 { "opening" } else { "noticed" }, "silent for {silent} s");
        world.advance_to(deadline.plus_seconds(closes_at));
        assert_eq!(story.state(), "opening", "silent for {silent} s");
    }
}

#[test]
fn a_server_whose_clock_is_set_takes_no_bid_and_closes_nothing_while_the_other_goes_on() {
    let Some(world) = shared() else { return };
    let (second, clock) = with_own_clock(&world);
    let mut served = Served::start(second.0.clone());
    let story = world.lot(Category::Construction).noticed().with_bids(&AMOUNTS);
    let deadline = story.deadline();
    let send = |base: &str, n: usize, body: &serde_json::Value| {
        let key = uuid::Uuid::new_v4().to_string();
        world.bidder(n).request("POST", story.path("/bids")).at(base).key(&key).json(body).send()
    };
    let ((early, _), (late, _)) = (story.uploaded_bid(4, 1, AMOUNTS[0]), story.uploaded_bid(5, 1, AMOUNTS[0]));
    world.set_clock(deadline.plus_seconds(-60));
    clock.set(deadline.plus_seconds(-60));
    run(pulse::beat(&second.0)).expect("a heartbeat");

    clock.jump(deadline.plus_seconds(3_600));
    send(served.base(), 4, &early).refused(503, "clock-off");
    run(pulse::beat(&second.0)).expect("a heartbeat");
    assert_eq!(run(scheduler::round(&second.0)).expect("a round"), 0);
    assert_eq!(second.0.clock.now(), world.now(), "it goes by the time that both share");
    send(served.base(), 4, &early).refused(503, "clock-off");
    world.nobody("GET", "/health/ready").at(served.base()).send().refused(503, "clock-off");
    assert_eq!(story.state(), "noticed");
    send(world.base(), 4, &early).ok();

    world.set_clock(deadline.plus_seconds(1));
    clock.set(deadline.plus_seconds(1));
    run(pulse::beat(&second.0)).expect("a heartbeat");
    clock.jump(deadline.plus_seconds(-3_600));
    run(pulse::beat(&second.0)).expect("a heartbeat");
    send(served.base(), 5, &late).refused(503, "clock-off");
    send(world.base(), 5, &late).refused(409, "bid-late");
    // A little off is told, not refused.
    clock.jump(deadline.plus_seconds(1).plus_millis(100));
    run(pulse::beat(&second.0)).expect("a heartbeat");
    let problem = send(served.base(), 5, &late).refused(409, "bid-late");
    assert_eq!(problem["retry"], "never");
    world.nobody("GET", "/health/ready").at(served.base()).send().ok();
    served.stop();
    assert!(count(&world, "platform.clock") >= 4, "off and right again, forward and back");
}

#[test]
fn the_clock_of_a_real_server_is_compared_with_the_databases() {
    let Some(world) = shared() else { return };
    let first = world.app();
    let keys = Keys::load(&first.config.keys.dir).expect("the same keys");
    let real = Second(Data::new(App::open(first.config.clone(), Arc::new(SystemClock), keys).expect("it opens")));
    run(pulse::beat(&real.0)).expect("a heartbeat");
    assert!(real.0.instance.offset_ms().abs() <= 250, "{} ms on one machine", real.0.instance.offset_ms());
    assert_eq!(real.0.instance.ready(), Ok(()));
}

#[test]
fn a_stored_file_is_read_again_by_one_of_them_and_its_damage_noted_once() {
    let Some(world) = shared() else { return };
    let second = Second::of(&world);
    let stories: Vec<_> = (0..3).map(|_| world.lot(Category::Construction).noticed().with_bids(&AMOUNTS)).collect();
    for file in crate::support::stored::files(&world.app().config.storage.blobs) {
        if file.0.extension().is_none() && file.1.len() > 1_000 {
            std::fs::write(&file.0, b"other").expect("damaged");
        }
    }
    world.set_clock(world.now().plus_millis(sealbid::limits::SCRUB_EVERY_MS));
    let mut read = 0;
    // A server that lost every race of a round leaves the rest to the next.
    for _ in 0..50 {
        read += both(&world, &second, |app| run(scrubber::round(app)).expect("a round")).into_iter().sum::<u32>();
    }
    assert_eq!(read, 12, "{} lots with a document and three bids each", stories.len());
    assert_eq!(count(&world, "payload.damaged"), 9, "each bid once");
}
