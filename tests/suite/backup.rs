//! A backup is whole or is none, opens nothing by itself, and gives back every sealed bid that it holds.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use diesel::prelude::*;
use sealbid::app::App;
use sealbid::clock::ManualClock;
use sealbid::config::Config;
use sealbid::db::schema::{bids, unsealings, uploads};
use sealbid::features::inspection::replay::replay;
use sealbid::kernel::time::Timestamp;
use sealbid::keys::Keys;
use sealbid::rules::editions::Category;
use sealbid::worker::{log, pulse, scheduler, sweeper, unsealer};
use serde_json::Value;

use crate::support::program::{Installation, command, run};
use crate::support::stored::upload_for;
use crate::support::story::{LotStory, SEALED_CHUNK, upload};
use crate::support::world::World;

const AMOUNTS: [&str; 3] = ["900000.00", "910000.00", "920000.00"];

fn with_bids(world: &World) -> LotStory<'_> {
    world.lot(Category::Construction).noticed().with_bids(&AMOUNTS)
}

fn take(world: &World) -> PathBuf {
    let to = world.dir().join("backup");
    let (code, said) = run(&world.app().config, &["backup", "--to", &to.display().to_string()]);
    assert_eq!(code, 0, "{said}");
    assert!(!world.dir().join("backup.unfinished").exists());
    to
}

/// A place beside the platform's with nothing in it, but with its keys.
fn elsewhere(world: &World, name: &str) -> Config {
    let mut config = world.app().config.clone();
    let place = world.dir().join(name);
    config.database.url = place.join("data/sealbid.sqlite").display().to_string();
    config.storage.blobs = place.join("blobs");
    config.audit.dir = place.join("log");
    // The signer goes where the platform goes, and is no part of any backup.
    let signer = place.join("signer");
    fs::create_dir_all(&signer).expect("a directory");
    for file in fs::read_dir(world.dir().join("signer")).expect("a signer").flatten() {
        fs::copy(file.path(), signer.join(file.file_name())).expect("copied");
    }
    config.audit.signer = format!("dir:{}", signer.display());
    config
}

fn restore(config: &Config, from: &Path) -> (i32, String) {
    run(config, &["restore", "--from", &from.display().to_string()])
}

fn nothing_is_there(config: &Config) {
    assert!(!Path::new(&config.database.url).exists() && !config.storage.blobs.exists());
}

/// Opens a restored platform, lets time pass until after the deadline, and tells how many bids it has and how many opened.
fn open_there(config: &Config, at: Timestamp) -> (i64, i64) {
    // Restored and ready well before the deadline: one that was down at it would leave the closing to a person.
    let clock = Arc::new(ManualClock::new(at.plus_seconds(-7_200)));
    let keys = Keys::load(&config.keys.dir).expect("keys");
    let app = Data::new(App::open(config.clone(), clock.clone(), keys).expect("it opens"));
    actix_web::rt::System::new().block_on(async {
        pulse::beat(&app).await.expect("a heartbeat");
        clock.set(at);
        while scheduler::round(&app).await.expect("a round")
            + log::round(&app).await.expect("a round")
            + unsealer::round(&app).await.expect("a round")
            > 0
        {}
        sweeper::round(&app).await.expect("a round");
    });
    let told = app.reader.read_blocking(|conn| {
        assert!(replay(conn)?.is_clean());
        let opened = unsealings::table.filter(unsealings::state.eq("opened")).count().get_result(conn)?;
        Ok((bids::table.count().get_result(conn)?, opened))
    });
    app.ledger.stop();
    told.expect("readable")
}

/// Removes a restored platform on which bids were opened: the world that it was copied from has none of their texts.
fn remove(config: &Config) {
    fs::remove_dir_all(Path::new(&config.database.url).parent().expect("a directory")).expect("removed");
}

fn manifest(backup: &Path) -> Value {
    serde_json::from_slice(&fs::read(backup.join("manifest.json")).expect("a manifest")).expect("JSON")
}

fn damage(path: &Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(path).expect("a file");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("a byte");
    file.write_all_at(&[byte[0] ^ 1], at).expect("damaged");
}

#[test]
fn a_backup_of_a_running_platform_gives_back_its_sealed_bids_elsewhere() {
    let world = Installation::sqlite();
    let story = with_bids(&world);
    // Whole and not attached yet: its owner need not send it again.
    let (_, sealed) = story.seal_price(&world.bidder(4), sealbid::seal::envelope::Part::Price, "930000.00");
    let loose = upload(&world.bidder(4), &story.id, "bid", &sealed, SEALED_CHUNK);
    let backup = take(&world);
    assert!(fs::read_to_string(&world.app().config.backup.marker).expect("a marker").contains("backup"));
    // What comes later is not in it.
    story.bid(5, 1, "940000.00").ok();
    let listed: Vec<Value> = manifest(&backup)["blobs"].as_array().expect("a list").clone();
    assert!(listed.iter().any(|blob| blob["id"] == loose.as_str()));

    let there = elsewhere(&world, "there");
    let (code, said) = restore(&there, &backup);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Lost: everything accepted after it"), "{said}");
    assert_eq!(open_there(&there, story.deadline().plus_millis(70_000)), (3, 3));
    assert_eq!(
        world.app().reader.read_blocking(|conn| Ok(bids::table.count().get_result::<i64>(conn)?)).expect("read"),
        4
    );
    let (code, said) = restore(&there, &backup);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is in the way"), "{said}");
    remove(&there);
}

#[test]
fn a_database_alone_is_restored_beside_the_files_that_are_still_there() {
    let world = Installation::sqlite();
    let story = with_bids(&world);
    let backup = take(&world);
    let mut there = elsewhere(&world, "there");
    there.storage.blobs = world.app().config.storage.blobs.clone();
    let (code, said) = restore(&there, &backup);
    assert_eq!(code, 2, "{said}");
    let (code, said) = run(&there, &["restore", "--keep-blobs", "--from", &backup.display().to_string()]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(open_there(&there, story.deadline().plus_millis(70_000)), (3, 3));
    remove(&there);
}

#[test]
fn a_backup_holds_no_keys_and_is_not_restored_without_them() {
    let world = Installation::sqlite();
    with_bids(&world);
    let backup = take(&world);
    let kek = fs::read_to_string(world.app().config.keys.dir.join("kek")).expect("a key");
    for entry in fs::read_dir(&backup).expect("a directory").flatten().filter(|entry| entry.path().is_file()) {
        let text = String::from_utf8_lossy(&fs::read(entry.path()).expect("readable")).into_owned();
        assert!(!text.contains(kek.trim()) && !text.contains("PRIVATE KEY"), "{:?}", entry.path());
    }
    let mut there = elsewhere(&world, "there");
    there.keys.dir = world.dir().join("no-keys");
    let (code, said) = restore(&there, &backup);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("is missing"), "{said}");
    Keys::create(&there.keys.dir).expect("other keys");
    let (code, said) = restore(&there, &backup);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("not those of this backup"), "{said}");
    nothing_is_there(&there);
}

#[test]
fn a_damaged_backup_is_refused_and_the_damage_named() {
    let world = Installation::sqlite();
    with_bids(&world);
    let backup = take(&world);
    let attached: Vec<String> = world
        .app()
        .reader
        .read_blocking(|conn| {
            Ok(uploads::table
                .filter(uploads::attached_to.is_not_null())
                .order(uploads::id)
                .select(uploads::id)
                .load(conn)?)
        })
        .expect("read");
    let there = elsewhere(&world, "there");
    let file = |id: &str| backup.join("blobs").join(&id[id.len() - 2..]).join(id);
    let refused = |names: &str| {
        let (code, said) = restore(&there, &backup);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(names), "{names}: {said}");
        nothing_is_there(&there);
    };

    damage(&file(&attached[0]), 10);
    refused(&attached[0]);
    damage(&file(&attached[0]), 10);
    damage(&backup.join("sealbid.sqlite"), 5_000);
    refused("the database is not the one that its manifest names");
    damage(&backup.join("sealbid.sqlite"), 5_000);
    // A file that is in neither the backup nor its manifest is missed all the same.
    let (whole, last) = (manifest(&backup), attached.last().expect("bids"));
    fs::rename(file(last), world.dir().join("away")).expect("moved");
    refused(last);
    let mut shorter = whole.clone();
    shorter["blobs"].as_array_mut().expect("a list").retain(|blob| blob["id"] != last.as_str());
    fs::write(backup.join("manifest.json"), shorter.to_string()).expect("written");
    refused("which something on record uses");
    fs::write(backup.join("manifest.json"), &whole.to_string()[..100]).expect("written");
    refused("the manifest is damaged");
    fs::write(backup.join("manifest.json"), whole.to_string()).expect("written");
    fs::rename(world.dir().join("away"), file(last)).expect("moved back");
    assert_eq!(restore(&there, &backup).0, 0, "mended, it is good again");
}

#[test]
fn a_payload_that_is_damaged_where_it_is_stored_is_named_and_the_others_are_backed_up() {
    let world = Installation::sqlite();
    let story = with_bids(&world);
    let id = upload_for(&world, "bid").expect("a bid was uploaded");
    damage(&world.app().config.storage.blobs.join(&id[id.len() - 2..]).join(&id), 3);
    let to = world.dir().join("backup");
    let (code, said) = run(&world.app().config, &["backup", "--to", &to.display().to_string()]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains(&id) && !said.contains("The backup is whole"), "{said}");
    assert!(!world.app().config.backup.marker.exists(), "its age is that of the last whole one");
    let taken = manifest(&to);
    assert_eq!(taken["damaged"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&taken["damaged"][0]["id"], taken["blobs"].as_array().map(Vec::len)),
        (&Value::from(id.as_str()), Some(3))
    );

    // Restored, the others open, and the damaged one is asked for: nobody takes it for whole.
    let there = elsewhere(&world, "there");
    let (code, said) = restore(&there, &to);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&id), "{said}");
    assert_eq!(open_there(&there, story.deadline().plus_millis(70_000)), (3, 2));
    remove(&there);
    // A file that is damaged, but not in the manifest, is refused as before.
    let mut hidden = taken.clone();
    hidden.as_object_mut().expect("an object").remove("damaged");
    fs::write(to.join("manifest.json"), hidden.to_string()).expect("written");
    let (code, said) = restore(&elsewhere(&world, "hidden"), &to);
    assert!(code == 1 && said.contains(&id), "{said}");
}

#[test]
fn digests_that_are_lost_beside_whole_bytes_are_made_again_in_the_backup() {
    let world = Installation::sqlite();
    with_bids(&world);
    let id = upload_for(&world, "bid").expect("a bid was uploaded");
    let leaves = world.app().config.storage.blobs.join(&id[id.len() - 2..]).join(format!("{id}.leaves"));
    fs::remove_file(leaves).expect("lost");
    let backup = take(&world);
    assert_eq!(restore(&elsewhere(&world, "there"), &backup).0, 0);
}

#[test]
fn a_backup_that_was_killed_leaves_nothing_that_looks_whole_and_can_be_taken_again() {
    let world = Installation::sqlite();
    with_bids(&world);
    let (to, unfinished) = (world.dir().join("backup"), world.dir().join("backup.unfinished"));
    let mut child =
        command(&world.app().config, &["backup", "--to", &to.display().to_string()]).spawn().expect("it starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while !unfinished.exists() && !to.exists() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let there = elsewhere(&world, "there");
    if to.exists() {
        // It was quicker than the signal: then it is whole.
        fs::rename(&to, world.dir().join("quick")).expect("moved");
        assert_eq!(restore(&elsewhere(&world, "quick-there"), &world.dir().join("quick")).0, 0);
    } else {
        let (code, said) = restore(&there, &unfinished);
        assert!(code == 1 && said.contains("no whole backup"), "{said}");
    }
    let backup = take(&world);
    assert_eq!(restore(&there, &backup).0, 0);
}

#[test]
fn on_postgres_the_program_says_whose_tools_do_it() {
    let mut config = Config::default();
    config.database.url = "postgres://nobody@127.0.0.1:9/none".into();
    for arguments in [["backup", "--to", "/nonexistent/backup"], ["restore", "--from", "/nonexistent/backup"]] {
        let (code, said) = run(&config, &arguments);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("pg_basebackup"), "{said}");
    }
}
