//! What happens to the public log when its servers die, its disk fills, its database is an old one, its clock is set, and when two
//! servers grow it at once. Each drill has one outcome that is right.

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use diesel::prelude::*;
use sealbid::clock::{Clock, SystemClock};
use sealbid::db::schema::{audit_entry, audit_leaf};
use sealbid::faults::{Faults, Plan, Point};
use sealbid::limits;
use sealbid::log::publisher::Ticked;
use sealbid::log::recovery;
use sealbid::log::signer::file::FileSigner;
use sealbid::rules::editions::Category;
use sealbid::worker::log as worker;

use crate::support::loglab::{self, Server, as_dba, check_whole, head, killed_at, note, tick};
use crate::support::world::World;
use crate::{on_both, on_both_with_keys};

const POINTS: [Point; 4] = [Point::LogSequenced, Point::LogTiles, Point::LogSigned, Point::LogPublished];

on_both_with_keys!(a_tick_that_is_killed_anywhere_is_finished_by_the_next_server, |world| {
    world.settle();
    for (n, point) in POINTS.into_iter().enumerate() {
        note(world, &format!("killed-{n}"));
        let dying = Server::start(world);
        loglab::lease_ends(world);
        killed_at(&dying.app, point);
        // What is published by then is whole: nothing was signed or shown that is not there.
        let next = Server::start(world);
        loglab::lease_ends(world);
        next.tick().expect("a tick");
        note(world, &format!("after-{n}"));
        assert!(matches!(next.tick().expect("a tick"), Ticked::Published(_)));
        check_whole(&next.app);
    }
});

on_both_with_keys!(files_that_are_lost_are_made_again_byte_for_byte, |world| {
    world.lot(Category::Construction).noticed();
    world.settle();
    let dir = world.app().config.audit.dir.clone();
    let before = fs::read(dir.join("tile/entries/000.p").join(head(world).size.to_string())).expect("a bundle");
    fs::remove_dir_all(dir.join("tile")).expect("removed");
    note(world, "after");
    let server = Server::start(world);
    loglab::lease_ends(world);
    server.tick().expect("a tick");
    check_whole(&server.app);
    let size = before.len() / 35;
    let bundle = fs::read_dir(dir.join("tile/entries/000.p")).expect("a directory").flatten().last().expect("a bundle");
    assert_eq!(fs::read(bundle.path()).expect("read")[..size * 35], before[..]);
});

on_both_with_keys!(a_checkpoint_that_a_failing_power_took_from_its_place_is_put_there_again, |world| {
    world.settle();
    let path = world.app().config.audit.dir.join("checkpoint");
    let old = fs::read(&path).expect("a checkpoint");
    note(world, "before the power failed");
    world.settle();
    let newest = fs::read(&path).expect("a checkpoint");
    assert_ne!(newest, old);
    // The database had it written down, and the file system had not yet.
    fs::write(&path, old).expect("written");
    let server = Server::start(world);
    loglab::lease_ends(world);
    assert_eq!(server.tick().expect("a tick"), Ticked::Idle, "nothing is new");
    assert_eq!(fs::read(&path).expect("a checkpoint"), newest);
    check_whole(&server.app);
});

on_both_with_keys!(the_database_cannot_have_another_checkpoint_published, |world| {
    world.settle();
    let path = world.app().config.audit.dir.join("checkpoint");
    let old = fs::read_to_string(&path).expect("a checkpoint");
    note(world, "one more");
    world.settle();
    let newest = fs::read_to_string(&path).expect("a checkpoint");
    let honest = loglab::head(world);
    let forged = newest.replacen(&format!("\n{}\n", honest.size), &format!("\n{}\n", honest.size + 7), 1);
    assert_ne!(forged, newest);
    for (note, size) in [(forged, honest.size + 7), (old, honest.size + 7), ("Believe me".to_owned(), honest.size)] {
        loglab::as_dba(world, &format!("UPDATE audit_head SET published = '{note}', published_size = {size}"));
        let server = Server::start(world);
        loglab::lease_ends(world);
        // It may go on or stand still; what is public stays what was signed last.
        let ticked = server.tick();
        assert_eq!(fs::read_to_string(&path).expect("a checkpoint"), newest, "{note}: {ticked:?}");
    }
});

/// A plan that waits at a point until it is told to go on.
struct Stalled {
    at: Point,
    reached: std::sync::Mutex<Sender<()>>,
    go_on: std::sync::Mutex<Receiver<()>>,
}

impl Plan for Stalled {
    fn reach(&self, point: Point) {
        if point == self.at {
            self.reached.lock().expect("no panic").send(()).expect("the test waits");
            self.go_on.lock().expect("no panic").recv().expect("the test goes on");
        }
    }
}

on_both_with_keys!(of_two_servers_that_grow_the_log_at_once_one_gives_way, |world| {
    world.settle();
    for (n, point) in POINTS.into_iter().enumerate() {
        let (first, second) = (Server::start(world), Server::start(world));
        loglab::lease_ends(world);
        note(world, &format!("first-{n}"));
        let ((reached, is_reached), (go_on, told)) = (channel(), channel());
        let plan = Stalled { at: point, reached: reached.into(), go_on: told.into() };
        let faults = Faults::planned(Arc::new(plan));
        let shared = world.app().log.settings().shared;
        std::thread::scope(|scope| {
            // Should this fail, the other one is not waited for.
            let go_on = go_on;
            let stalled = scope.spawn(|| tick(&first.app, &faults, &SystemClock));
            is_reached.recv().expect("it comes there");
            if shared {
                assert_eq!(second.tick().expect("a tick"), Ticked::Elsewhere, "the other one's time is not over");
            }
            loglab::lease_ends(world);
            note(world, &format!("second-{n}"));
            assert!(matches!(second.tick().expect("a tick"), Ticked::Published(_)), "taken over at {}", point.name());
            go_on.send(()).expect("it waits");
            // Whatever it still does is what the second did, or nothing.
            let _ = stalled.join().expect("no panic");
        });
        assert_eq!(loglab::is_halted(world), None, "nobody takes it for an attack");
        note(world, &format!("third-{n}"));
        second.tick().expect("a tick");
        if shared {
            assert_eq!(first.tick().expect("a tick"), Ticked::Elsewhere);
        }
        check_whole(&second.app);
    }
});

/// The world's log is ahead of its database by two notes; its signer is what `signer` makes of it.
fn restored(world: &World, signer: impl FnOnce(&std::path::Path, &std::path::Path)) -> Server {
    world.lot(Category::Construction).noticed();
    world.settle();
    let (old, dir) = (head(world), world.dir().join("signer"));
    let kept = world.dir().join("signer.old");
    fs::create_dir(&kept).expect("made");
    for file in fs::read_dir(&dir).expect("a signer").flatten() {
        fs::copy(file.path(), kept.join(file.file_name())).expect("copied");
    }
    for name in ["lost-1", "lost-2"] {
        note(world, name);
        world.settle();
    }
    assert!(head(world).size > old.size);
    loglab::restore_old(world, &old);
    signer(&dir, &kept);
    Server::start(world)
}

fn stands_still(world: &World, server: &Server) {
    let error = server.tick().expect_err("it stands still").to_string();
    assert!(error.contains("rollback suspected"), "{error}");
    assert!(loglab::is_halted(world).is_some_and(|why| why.contains("rollback suspected")));
    // The world's own server learns of it with its next tick, and says so to whoever asks.
    assert!(tick(world.app(), &Faults::default(), &SystemClock).is_err());
    note_refused(world);
    let bidder = world.bidder(1);
    bidder.post("/v1/lots", &serde_json::json!({})).refused(403, "role-forbidden");
    let initiator = world.initiator();
    let body =
        serde_json::json!({ "code": "P-1", "name": "A project", "description": "Invented", "approval_number": "1" });
    assert_eq!(initiator.post("/v1/projects", &body).code(), "log-halted");
}

fn recovers(world: &World, halted: Server, lost: u64) {
    // As on the command line: no server runs, and one starts anew afterwards.
    drop(halted);
    let server = Server::start(world);
    let outcome = recovery::recover(&server.app.log, &server.app.ledger, &server.app.reader).expect("recovered");
    assert_eq!(outcome.to - outcome.from, outcome.found + outcome.unknown);
    assert!(outcome.unknown >= lost, "{outcome:?}");
    server.app.log.resume(&server.app.ledger).expect("resumed");
    loglab::lease_ends(world);
    assert!(matches!(server.tick().expect("a tick"), Ticked::Published(_)));
    check_whole(&server.app);
    assert_eq!(loglab::is_halted(world), None);
    // The world's own server learns with its next tick that it may go on.
    tick(world.app(), &Faults::default(), &SystemClock).expect("a tick");
    note(world, "goes-on");
    loglab::lease_ends(world);
    server.tick().expect("a tick");
    check_whole(&server.app);
}

on_both_with_keys!(an_old_database_is_noticed_by_the_signer_and_finds_back, |world| {
    let server = restored(world, |_, _| ());
    stands_still(world, &server);
    recovers(world, server, 2);
});

on_both_with_keys!(an_old_database_with_an_old_signer_is_noticed_by_what_is_published, |world| {
    let server = restored(world, |dir, kept| {
        fs::copy(kept.join("state"), dir.join("state")).expect("copied");
    });
    stands_still(world, &server);
    recovers(world, server, 2);
});

on_both_with_keys!(a_signer_without_a_memory_signs_nothing_until_it_is_made_anew_from_what_is_published, |world| {
    world.lot(Category::Construction).noticed();
    world.settle();
    fs::remove_file(world.dir().join("signer/state")).expect("removed");
    let error = Server::try_start(world).err().expect("it does not start");
    assert!(error.contains("signer") && error.contains("state"), "{error}");
    let log = sealbid::app::open_log_without_memory(&world.app().config).expect("opened");
    let memory = recovery::memory(&log, 1).expect("from what is published");
    FileSigner::remember_anew(&world.dir().join("signer"), &memory).expect("remembered");
    assert!(FileSigner::remember_anew(&world.dir().join("signer"), &memory).is_err(), "once");
    let server = Server::start(world);
    note(world, "after");
    loglab::lease_ends(world);
    assert!(matches!(server.tick().expect("a tick"), Ticked::Published(_)));
    check_whole(&server.app);
});

/// What is on record of the server's clock: whether it was off, and by how much.
fn turns(world: &World) -> Vec<(bool, i64)> {
    let parts: Vec<String> = world
        .app()
        .reader
        .read_blocking(|conn| {
            Ok(audit_entry::table
                .filter(audit_entry::kind.eq("platform.clock"))
                .order(audit_entry::at_ms.asc())
                .select(audit_entry::part_p)
                .load(conn)?)
        })
        .expect("read");
    let said = |part: &String| {
        let data = serde_json::from_str::<serde_json::Value>(part).expect("JSON")["data"].clone();
        (data["off"].as_bool().expect("whether"), data["clock_offset_ms"].as_i64().expect("a number"))
    };
    parts.iter().map(said).collect()
}

on_both!(a_clock_that_is_set_is_on_record_and_moves_no_slot_back_and_stops_no_tick, |world| {
    world.settle();
    world.beat();
    let (clock, hour) = (world.clock(), 3_600_000);
    let (mut slots, mut noted) = (vec![head(world).slot], Vec::new());
    // Forward and back, back and forward, and back by a second each time until it is right again.
    let jumps = [hour, -hour, -hour, hour].into_iter().chain([-1_000; 10]).chain([10_000]);
    for (n, jump) in jumps.enumerate() {
        clock.advance(1_000);
        clock.jump(clock.now().plus_millis(jump));
        world.beat();
        noted.push(note(world, &format!("jump-{n}")));
        let ticked = tick(world.app(), &Faults::default(), &**clock).expect("a tick");
        assert!(matches!(ticked, Ticked::Published(_)), "{jump}");
        slots.push(head(world).slot);
    }
    assert!(slots.windows(2).all(|pair| pair[0] < pair[1]), "slots rise: {slots:?}");
    let times: Vec<i64> = noted.iter().map(|entry| at_ms(world, entry)).collect();
    assert!(times.is_sorted(), "entries keep their order: {times:?}");
    let expected = [(true, hour), (false, 0), (true, -hour), (false, 0), (true, -1_000), (false, 0)];
    assert_eq!(turns(world), expected, "it went off and came right");
    check_whole(world.app());
});

fn is_covered(world: &World, entry: &str) -> bool {
    let of = audit_leaf::table.filter(audit_leaf::entry_id.eq(entry.to_owned())).count();
    world.app().reader.read_blocking(move |conn| Ok(of.get_result::<i64>(conn)?)).expect("read") == 1
}

fn at_ms(world: &World, entry: &str) -> i64 {
    let entry = entry.to_owned();
    let of = audit_entry::table.filter(audit_entry::entry_id.eq(entry)).select(audit_entry::at_ms);
    world.app().reader.read_blocking(move |conn| Ok(of.first(conn)?)).expect("read")
}

on_both!(a_disk_without_room_stops_the_log_and_nothing_else_and_it_goes_on_by_itself, |world| {
    world.settle();
    let published = head(world).published_size;
    // A file where a directory must be: nothing can be written there.
    let (tiles, aside) = (world.app().config.audit.dir.join("tile/0"), world.dir().join("aside"));
    fs::rename(&tiles, &aside).expect("moved");
    fs::write(&tiles, "").expect("in the way");
    note(world, "no-room-for-tiles");
    tick(world.app(), &Faults::default(), &SystemClock).expect_err("no room for a tile");
    assert_eq!((head(world).published_size, loglab::is_halted(world)), (published, None));
    note(world, "still-accepted");
    fs::remove_file(&tiles).expect("removed");
    fs::rename(&aside, &tiles).expect("moved back");
    assert!(matches!(tick(world.app(), &Faults::default(), &SystemClock).expect("a tick"), Ticked::Published(_)));
    // The signer's memory cannot be written: nothing is signed.
    let blocked = world.dir().join("signer").join(format!("state.{}.part", std::process::id()));
    fs::create_dir(&blocked).expect("in the way");
    note(world, "no-room-for-the-signer");
    let published = head(world).published_size;
    tick(world.app(), &Faults::default(), &SystemClock).expect_err("no room for its memory");
    assert_eq!((head(world).published_size, loglab::is_halted(world)), (published, None));
    fs::remove_dir(&blocked).expect("removed");
    tick(world.app(), &Faults::default(), &SystemClock).expect("a tick");
    check_whole(world.app());
});

on_both!(a_tile_or_a_memory_with_a_flipped_bit_gets_no_signature, |world| {
    world.settle();
    let signed = world.app().log.signer().head().expect("a head");
    // The tile that is to be written is there already, with one bit changed.
    note(world, "one");
    let size = u64::try_from(head(world).size).expect("a size") + 1;
    let path = world.app().config.audit.dir.join(format!("tile/entries/000.p/{size}"));
    fs::write(&path, vec![7; usize::try_from(size).expect("small") * 35]).expect("written");
    let error = tick(world.app(), &Faults::default(), &SystemClock).expect_err("it stands still").to_string();
    assert!(error.contains(&format!("tile/entries/000.p/{size}")), "{error}");
    assert_eq!(world.app().log.signer().head().expect("a head"), signed, "nothing was signed");
    assert!(loglab::is_halted(world).is_some());
    fs::remove_file(&path).expect("removed");
    world.app().log.resume(&world.app().ledger).expect("resumed");
    tick(world.app(), &Faults::default(), &SystemClock).expect("a tick");
    check_whole(world.app());
    let state = world.dir().join("signer/state");
    let good = fs::read(&state).expect("read");
    let mut bad = good.clone();
    bad[60] ^= 1;
    fs::write(&state, bad).expect("written");
    note(world, "two");
    let error = tick(world.app(), &Faults::default(), &SystemClock).expect_err("no signature").to_string();
    assert!(error.contains("state") && error.contains("checksum"), "{error}");
    fs::write(&state, good).expect("written");
    tick(world.app(), &Faults::default(), &SystemClock).expect("a tick");
    check_whole(world.app());
});

on_both!(a_published_tile_that_is_changed_stops_the_log_and_one_that_is_lost_is_made_again, |world| {
    for n in 0..300 {
        note(world, &format!("many-{n}"));
    }
    world.settle();
    let recheck = || actix_web::rt::System::new().block_on(worker::recheck(world.app()));
    recheck().expect("as they were published");
    for name in ["tile/0/000", "tile/entries/000"] {
        let path = world.app().config.audit.dir.join(name);
        let good = fs::read(&path).expect("a tile");
        let mut bad = good.clone();
        bad[1_000] ^= 4;
        fs::write(&path, bad).expect("written");
        let error = recheck().expect_err("it stands still").to_string();
        assert!(error.contains(name), "{error}");
        assert!(loglab::is_halted(world).is_some_and(|why| why.contains(name)));
        note_refused(world);
        fs::remove_file(&path).expect("removed");
        world.app().log.resume(&world.app().ledger).expect("resumed");
        assert!(recheck().expect_err("missing").to_string().contains(name));
        assert_eq!(loglab::is_halted(world), None, "what is lost stops nothing");
        world.app().log.rebuild(&world.app().reader).expect("made again");
        assert_eq!(fs::read(&path).expect("a tile"), good);
        recheck().expect("as they were published");
    }
    check_whole(world.app());
});

fn note_refused(world: &World) {
    let app = world.app();
    let refused = app
        .ledger
        .commit_blocking(app.system("test"), |tx| tx.note("note-refused", sealbid::ledger::Record::new("test.noted")));
    assert!(refused.is_err(), "nothing that must be on record is accepted");
}

on_both!(a_flood_of_entries_drains_in_full_batches_and_ticks_go_on, |world| {
    world.settle();
    // The drill in full size is 500,000; a few more than one tick takes are enough to see the order.
    let flood: i64 = std::env::var("SEALBID_FLOOD").map_or(66_000, |said| said.parse().expect("a number of entries"));
    let sql = if world.app().config.database_url().is_postgres() {
        format!(
            "INSERT INTO audit_entry (entry_id, stream, rev, kind, at_ms, sealed, c, h_p, h_c, h_i, s_p, part_p, s_c, part_c) \
             SELECT 'ent-flood-' || n, 'flood-' || n, 1, 'test.noted', 0, false, sha256(n::text::bytea), '', '', '', '', '', '', '' \
             FROM generate_series(1, {flood}) n; INSERT INTO audit_pending (entry_id, c) SELECT entry_id, c FROM audit_entry WHERE stream LIKE 'flood-%'"
        )
    } else {
        format!(
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {flood}) \
             INSERT INTO audit_entry (entry_id, stream, rev, kind, at_ms, sealed, c, h_p, h_c, h_i, s_p, part_p, s_c, part_c) \
             SELECT 'ent-flood-' || n, 'flood-' || n, 1, 'test.noted', 0, 0, randomblob(32), x'', x'', x'', x'', '', x'', '' FROM numbers; \
             INSERT INTO audit_pending (entry_id, c) SELECT entry_id, c FROM audit_entry WHERE stream LIKE 'flood-%'"
        )
    };
    let first = note(world, "before-the-flood");
    as_dba(world, &sql);
    let amidst = note(world, "amidst-the-flood");
    let began = Instant::now();
    for full in 0..flood / limits::LOG_BATCH {
        let before = head(world).size;
        tick(world.app(), &Faults::default(), &SystemClock).expect("a tick");
        assert_eq!(head(world).size - before, 65_536, "as much as one tick takes");
        assert!(is_covered(world, &first) && !is_covered(world, &amidst), "those first that came first: {full}");
    }
    tick(world.app(), &Faults::default(), &SystemClock).expect("a tick");
    assert!(is_covered(world, &amidst));
    println!(
        "{flood} entries that waited: {} full ticks and one more in {:?}",
        flood / limits::LOG_BATCH,
        began.elapsed()
    );
    let tick_ms = i64::try_from(world.app().config.audit.tick_ms).expect("small");
    assert!(
        (500_000 / limits::LOG_BATCH + 2) * tick_ms < limits::PROMISE_MS,
        "the drill in full size breaks no promise"
    );
    check_whole(world.app());
    as_dba(
        world,
        "DELETE FROM audit_leaf WHERE entry_id LIKE 'ent-flood-%'; DELETE FROM audit_entry WHERE stream LIKE 'flood-%'",
    );
});
