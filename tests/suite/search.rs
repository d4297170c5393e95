//! The table that inspectors search by: it loses nothing, doubles nothing, and shows nothing that is sealed.

use std::path::Path;
use std::sync::mpsc;

use actix_web::web::Data;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sealbid::app::App;
use sealbid::db::schema::{audit_search, audit_unsearched};
use sealbid::db::{DbUrl, Mode, connection};
use sealbid::features::inspection::search::ops;
use sealbid::kernel::id::random;
use sealbid::keys::Keys;
use sealbid::ledger::{Context, Error, Record};
use sealbid::rules::editions::Category;
use sealbid::worker::searcher;
use serde_json::Value;

use crate::on_both;
use crate::support::world::World;

const ENTRIES: &str = "/v1/inspection/entries";
/// The migration that brought numbers.
const NUMBERS: &str = "2026-11-29-001100_smaller_record";

/// Puts something on record as the system, and returns its entry.
fn note(world: &World, stream: &'static str) -> String {
    let noted = world.app().ledger.commit_blocking(Context::system(world.now(), "test"), move |tx| {
        Ok(tx.note(stream, Record::new("test.noted"))?.entry_id)
    });
    noted.expect("noted")
}

fn round(world: &World) -> Result<(), Error> {
    round_of(world.app())
}

/// What the worker of a server does each second.
fn round_of(app: &App) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(searcher::round(app))
}

/// The ids in the table, and in its queue.
fn stored(world: &World) -> (Vec<String>, Vec<String>) {
    let read = world.app().reader.read_blocking(|conn| {
        let table = audit_search::table.order(audit_search::entry_id.asc()).select(audit_search::entry_id);
        let queue = audit_unsearched::table.select(audit_unsearched::entry_id);
        Ok((table.load(conn)?, queue.load(conn)?))
    });
    read.expect("read")
}

/// The ids of what was noted, as an inspector finds them.
fn found(world: &World) -> Vec<String> {
    let page = world.inspector().look(format!("{ENTRIES}?kind=test.noted&limit=100")).ok();
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["entry_id"].as_str().expect("an id").to_owned()).collect()
}

/// The entries of a page, in whatever order.
fn set(page: &Value) -> Vec<String> {
    let mut items: Vec<String> = page["items"].as_array().expect("items").iter().map(Value::to_string).collect();
    items.sort();
    items
}

/// The number of a word, in SQL.
fn number(name: &str) -> String {
    format!("(SELECT n FROM audit_name WHERE name = '{name}')")
}

/// Runs SQL as whoever owns the tables.
fn by_the_owner(world: &World, sql: &str) {
    let url = world.app().config.database.url.replace("user=sealbid_app", "user=sealbid_owner");
    let mut conn = connection::connect(&DbUrl::parse(&url), Mode::Write).expect("opened");
    conn.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

on_both!(the_worker_moves_what_is_queued_and_whoever_searches_does_not_wait_for_it, |world| {
    let first = note(world, "tst-1");
    assert!(stored(world).1.contains(&first), "an entry is queued with its commit");
    assert_eq!(found(world), vec![first.clone()], "and found at once");
    let second = note(world, "tst-2");
    round(world).expect("a round");
    let (table, queue) = stored(world);
    assert!(table.contains(&first) && table.contains(&second) && queue.is_empty(), "{queue:?}");
    round(world).expect("a round with nothing to do");
    assert_eq!(stored(world).0, table);
});

#[test]
fn an_entry_that_is_committed_late_is_found() {
    let Some(world) = World::postgres() else { return };
    let (entered, begun) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let (app, now) = (world.data(), world.now());
    let late = std::thread::spawn(move || {
        app.ledger.commit_blocking(Context::system(now, "test"), move |tx| {
            let entry = tx.note("tst-late", Record::new("test.noted"))?.entry_id;
            // It has its place in time; whoever comes later commits before it.
            let _ = entered.send(());
            let _ = held.recv();
            Ok(entry)
        })
    });
    begun.recv().expect("it is written and not committed");
    world.tick();
    let early = note(&world, "tst-early");
    round(&world).expect("a round");
    assert_eq!(stored(&world).1, Vec::<String>::new(), "all that can be seen is moved");
    assert_eq!(found(&world), vec![early.clone()]);
    drop(release);
    let late = late.join().expect("no panic").expect("committed");
    assert_eq!(found(&world), vec![early, late], "newest first, and nothing is lost");
}

on_both!(a_filler_that_dies_half_way_loses_nothing_and_doubles_nothing, |world| {
    let noted: Vec<String> = ["tst-1", "tst-2", "tst-3"].map(|stream| note(world, stream)).to_vec();
    let before = stored(world);
    let poisoned = &noted[1];
    let postgres = world.app().config.database_url().is_postgres();
    let (break_it, mend_it) = if postgres {
        (
            format!(
                "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
                 CREATE TRIGGER broken BEFORE INSERT ON audit_search FOR EACH ROW WHEN (NEW.entry_id = '{poisoned}') \
                 EXECUTE FUNCTION broken()"
            ),
            "DROP TRIGGER broken ON audit_search; DROP FUNCTION broken()",
        )
    } else {
        (
            format!(
                "CREATE TRIGGER broken BEFORE INSERT ON audit_search WHEN NEW.entry_id = '{poisoned}' \
                 BEGIN SELECT RAISE(ABORT, 'broken'); END"
            ),
            "DROP TRIGGER broken",
        )
    };
    by_the_owner(world, &break_it);
    assert!(round(world).is_err(), "it dies");
    assert_eq!(stored(world), before, "and nothing has moved");
    by_the_owner(world, mend_it);
    round(world).expect("the next one does it");
    let (table, queue) = stored(world);
    assert!(noted.iter().all(|id| table.contains(id)) && queue.is_empty());
    assert_eq!(table.len(), before.0.len() + before.1.len());
});

#[test]
fn servers_that_fill_at_the_same_time_move_each_entry_once() {
    let prepared = World::postgres_with(|config| {
        Keys::create(&config.keys.dir).expect("a key directory");
    });
    let Some(world) = prepared else { return };
    let config = &world.app().config;
    let other = || {
        let keys = Keys::load(&config.keys.dir).expect("the same keys");
        Data::new(App::open(config.clone(), world.clock().clone(), keys).expect("it opens"))
    };
    let others = [other(), other()];
    for _ in 0..3 {
        let many = world.app().ledger.commit_blocking(Context::system(world.now(), "test"), |tx| {
            (0..900).try_for_each(|_| tx.note(&random("tst"), Record::new("test.noted")).map(drop))
        });
        many.expect("noted");
        std::thread::scope(|scope| {
            let fillers = [&world.data(), &others[0], &others[1]].map(|app| {
                let app = app.clone();
                scope.spawn(move || round_of(&app).expect("a round"))
            });
            assert_eq!(found(&world).len(), 100, "a page, while others are at it");
            fillers.into_iter().for_each(|filler| filler.join().expect("no panic"));
        });
    }
    others.iter().for_each(|app| app.ledger.stop());
    let (table, queue) = stored(&world);
    assert!(queue.iter().all(|id| !table.contains(id)) && table.len() > 2_700, "{}", table.len());
}

on_both!(a_table_that_was_tampered_with_shows_nothing_sealed_and_is_made_again, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    let search = |query: &str| world.inspector().look(format!("{ENTRIES}?lot={}&limit=100{query}", lot.id));
    let honest = search("").ok();
    by_the_owner(world, &format!("UPDATE audit_search SET sealed = FALSE WHERE kind = {}", number("bid.submitted")));
    let tampered = search("&kind=bid.submitted");
    assert_eq!(tampered.status, 500, "{}", tampered.text());
    assert!(!tampered.text().contains("ent-"), "{}", tampered.text());
    let replayed: Vec<String> = world.replay().differences.iter().map(ToString::to_string).collect();
    assert!(replayed.len() == 1 && replayed[0].contains("audit_search does not say"), "{replayed:?}");
    by_the_owner(world, &format!("DELETE FROM audit_search WHERE kind = {}", number("lot.published")));
    assert!(world.replay().differences.iter().any(|found| found.what.contains("audit_search lacks the entry")));
    let ledger = &world.app().ledger;
    let count = ops::rebuild(ledger, Context::system(world.now(), "test")).expect("made again");
    assert_eq!(stored(world).0.len(), count);
    // What was gone has a new number: it may stand elsewhere among the entries of its instant.
    assert_eq!(set(&search("").ok()), set(&honest));
    assert_eq!(search("&kind=bid.submitted").ok()["items"], Value::Array(Vec::new()));
});

on_both!(words_that_were_tampered_with_show_nothing_sealed_and_are_made_again, |world| {
    let other = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "950000.00", "910000.00"]);
    let other = other.closed().opened();
    let box_of = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    let search = |lot: &str| world.inspector().look(format!("{ENTRIES}?lot={lot}&limit=100"));
    let honest = [search(&box_of.id).ok(), search(&other.id).ok()];
    // The entries of a lot that is sealed pass for those of one that was opened.
    let (sealed, opened) = (&box_of.id, &other.id);
    by_the_owner(
        world,
        &format!(
            "UPDATE audit_name SET name = 'x' WHERE name = '{sealed}'; UPDATE audit_name SET name = '{sealed}' \
             WHERE name = '{opened}'; UPDATE audit_name SET name = '{opened}' WHERE name = 'x'"
        ),
    );
    for lot in [sealed, opened] {
        let tampered = search(lot);
        assert_eq!(tampered.status, 500, "{}", tampered.text());
        assert!(!tampered.text().contains("bid.submitted"), "{}", tampered.text());
    }
    assert!(world.replay().differences.iter().any(|found| found.what.contains("audit_search does not say")));
    by_the_owner(world, &format!("DELETE FROM audit_name WHERE name = '{sealed}'"));
    assert!(world.replay().differences.iter().any(|found| found.what.contains("audit_search does not say")));
    ops::rebuild(&world.app().ledger, Context::system(world.now(), "test")).expect("made again");
    assert!(world.replay().is_clean(), "{:?}", world.replay().differences);
    for (lot, honest) in [sealed, opened].into_iter().zip(&honest) {
        assert_eq!(search(lot).ok()["items"], honest["items"]);
    }
});

on_both!(a_number_after_which_none_comes_stops_the_table_until_it_is_made_again, |world| {
    let noted: Vec<String> = ["tst-1", "tst-2", "tst-3"].map(|stream| note(world, stream)).to_vec();
    round(world).expect("a round");
    let honest = found(world);
    by_the_owner(world, &format!("UPDATE audit_search SET n = {} WHERE entry_id = '{}'", i64::MAX, noted[1]));
    let late = note(world, "tst-late");
    assert!(round(world).is_err(), "there is no number for the next one");
    ops::rebuild(&world.app().ledger, Context::system(world.now(), "test")).expect("made again");
    assert_eq!(found(world).len(), honest.len() + 1);
    let later = note(world, "tst-later");
    round(world).expect("the next one has its number");
    assert!([&late, &later].iter().all(|id| found(world).contains(id)) && world.replay().is_clean());
    // One that was taken away has its new number for good.
    by_the_owner(world, &format!("DELETE FROM audit_search WHERE entry_id = '{}'", noted[0]));
    let numbers = || {
        let read = world.app().reader.read_blocking(|conn| {
            let table =
                audit_search::table.order(audit_search::n.asc()).select((audit_search::n, audit_search::entry_id));
            Ok(table.load::<(i64, String)>(conn)?)
        });
        read.expect("read")
    };
    let made = [(); 2].map(|()| {
        ops::rebuild(&world.app().ledger, Context::system(world.now(), "test")).expect("made again");
        numbers()
    });
    assert_eq!(made[0], made[1]);
});

on_both!(entries_from_before_the_numbers_are_found_as_before, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    let search = || world.inspector().look(format!("{ENTRIES}?lot={}&limit=100", lot.id)).ok();
    let before = set(&search());
    note(world, "tst-queued");
    let backend = if world.app().config.database_url().is_postgres() { "postgres" } else { "sqlite" };
    let steps = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend).join(NUMBERS);
    for step in ["down.sql", "up.sql"] {
        by_the_owner(world, &std::fs::read_to_string(steps.join(step)).expect("the migration"));
    }
    if backend == "postgres" {
        by_the_owner(world, "GRANT SELECT, INSERT, UPDATE, DELETE ON audit_name, audit_search TO sealbid_app");
    }
    assert!(world.replay().is_clean(), "{:?}", world.replay().differences);
    assert_eq!(set(&search()), before);
    assert_eq!(found(world).len(), 1, "what was queued comes in as before");
});

on_both!(two_keys_find_what_both_say, |world| {
    let (mine, other) = (world.lot(Category::Construction).noticed(), world.lot(Category::StateAsset).noticed());
    let look = |query: &str| world.inspector().look(format!("{ENTRIES}?limit=100{query}")).ok();
    let of_lot = look(&format!("&lot={}", mine.id));
    let both = look(&format!("&lot={}&kind=lot.published", mine.id));
    let expected: Vec<&Value> =
        of_lot["items"].as_array().expect("items").iter().filter(|item| item["kind"] == "lot.published").collect();
    assert_eq!(both["items"].as_array().expect("items").iter().collect::<Vec<_>>(), expected);
    assert_eq!(expected.len(), 1);
    assert!(look(&format!("&lot={}&kind=lot.published", other.id))["items"][0]["lot_id"] == other.id.as_str());
});
