//! `sealbid doctor` finds what is broken, says how bad it is, and has nothing to say of what is well.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sealbid::config::Config;
use sealbid::db::schema::uploads;
use sealbid::keys::Keys;
use sealbid::rules::editions::Category;
use serde_json::Value;

use crate::support::postgres;
use crate::support::program::{Installation, run};
use crate::support::stored::upload_for;
use crate::support::world::World;

/// The findings about something, and the exit code.
fn findings(config: &Config) -> (Vec<(String, String, String)>, i32) {
    let (code, said) = run(config, &["doctor", "--json"]);
    let list: Vec<Value> = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |one: &Value| {
        assert!(!text(&one["found"]["zh"]).is_empty() && !text(&one["found"]["en"]).is_empty(), "{one}");
        assert_eq!(one["level"] == "ok", one["todo"].is_null(), "what is not well has something to do: {one}");
        (text(&one["about"]), text(&one["level"]), text(&one["found"]["en"]))
    };
    (list.iter().map(of).collect(), code)
}

#[track_caller]
fn bad(config: &Config, about: &str, words: &str) {
    let (found, code) = findings(config);
    assert_eq!(code, 2, "{found:?}");
    let hit = found.iter().any(|(what, level, text)| what == about && level == "bad" && text.contains(words));
    assert!(hit, "nothing bad about {about} with {words:?} in {found:#?}");
}

/// Nothing is bad, but for the clock and the disk of the test machine, which are what they are, and the cluster of the tests, which
/// does not wait for its disk.
#[track_caller]
fn well(config: &Config, abouts: &[&str]) {
    let (found, _) = findings(config);
    let known = |about: &str, text: &str| about == "clock" || about == "disk" || text.contains("fsync = off");
    let ill: Vec<_> = found.iter().filter(|(about, level, text)| !known(about, text) && level == "bad").collect();
    assert!(ill.is_empty(), "{ill:#?}");
    for about in abouts {
        assert!(found.iter().any(|(what, level, _)| what == about && level == "ok"), "{about}: {found:#?}");
    }
}

#[test]
fn a_platform_that_is_well_is_called_so_and_each_thing_that_breaks_is_found() {
    let world = Installation::sqlite();
    let story = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    let config = world.app().config.clone();
    well(&config, &["config", "database", "guards", "keys", "blobs"]);

    let kek = config.keys.dir.join("kek");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o644)).expect("chmod");
    bad(&config, "keys", "chmod 600");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).expect("chmod");
    let mut other = config.clone();
    other.keys.dir = world.keys.path().join("others");
    bad(&other, "keys", "is missing");
    Keys::create(&other.keys.dir).expect("keys");
    bad(&other, "keys", "not those of this database");

    let mut other = config.clone();
    other.storage.blobs = world.dir().join("other-blobs");
    bad(&other, "blobs", "no identity");
    fs::create_dir(&other.storage.blobs).expect("made");
    fs::write(other.storage.blobs.join("blobs.id"), "another").expect("written");
    bad(&other, "blobs", "another platform");
    for id in attached(&world) {
        let path = config.storage.blobs.join(&id[id.len() - 2..]).join(&id);
        fs::File::options().write(true).open(path).expect("a file").write_all_at(b"x", 1).expect("damaged");
    }
    bad(&config, "blobs", "damaged or missing");

    let mut other = config.clone();
    other.mail.transport = "smtp".into();
    other.mail.smtp_host = "127.0.0.1".into();
    // The discard port of this machine: nothing listens there.
    other.mail.smtp_port = 9;
    other.mail.smtp_security = "none".into();
    bad(&other, "mail", "no message could leave");
    let mut other = config.clone();
    other.server.public_url = "http://tender.example.cn".into();
    bad(&other, "config", "not https");
    other.metrics.bind = "nowhere".into();
    other.server.bind = "nowhere".into();
    let (found, code) = findings(&other);
    assert_eq!((found.len(), code), (2, 2), "every mistake, and nothing else: {found:?}");

    let mut empty = config.clone();
    empty.database.url = world.dir().join("empty.sqlite").display().to_string();
    let (found, _) = findings(&empty);
    assert!(found.iter().any(|(about, level, _)| about == "database" && level == "warn"), "{found:?}");
    assert!(!world.dir().join("empty.sqlite").exists(), "looking makes nothing");
    fs::write(world.dir().join("empty.sqlite"), b"").expect("written");
    bad(&empty, "database", "lacks");
    drop(story);
}

fn attached(world: &World) -> Vec<String> {
    let asked = world.app().reader.read_blocking(|conn| {
        Ok(uploads::table.filter(uploads::attached_to.is_not_null()).select(uploads::id).load(conn)?)
    });
    asked.expect("read")
}

#[test]
fn a_guard_that_was_removed_is_found_on_sqlite() {
    let world = Installation::sqlite();
    let mut conn = SqliteConnection::establish(&world.app().config.database.url).expect("opened");
    conn.batch_execute("DROP TRIGGER bids_guard_update").expect("dropped");
    bad(&world.app().config, "guards", "bids_guard_update");
}

#[test]
fn on_postgres_guards_rights_and_reachability_are_looked_at() {
    let Some(world) = Installation::postgres() else { return };
    let config = world.app().config.clone();
    well(&config, &["config", "guards", "keys"]);
    // The cluster of the tests does not wait for its disk, and is thrown away.
    bad(&config, "database", "fsync = off");
    let mut owner = config.clone();
    owner.database.url = config.database.url.replace("user=sealbid_app", "user=sealbid_owner");
    bad(&owner, "rights", "owner of audit_entry");
    let name = config.database.url.trim_start_matches("postgres:///").split('?').next().expect("a name").to_owned();
    let cluster = postgres::cluster().expect("it runs");
    cluster.execute(&name, "ALTER TABLE lots DISABLE TRIGGER lots_guard");
    bad(&config, "guards", "lots_guard");
    cluster.execute(&name, "ALTER TABLE lots ENABLE ALWAYS TRIGGER lots_guard");
    well(&config, &["guards"]);
    let mut away = config.clone();
    away.database.url = "postgres://nobody@127.0.0.1:9/none".into();
    bad(&away, "database", "cannot be used");
}

#[test]
fn what_the_server_has_found_damaged_is_named() {
    let world = Installation::sqlite();
    world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    let id = upload_for(&world, "bid").expect("a bid was uploaded");
    fs::remove_file(crate::support::steps::blob(&world, &id)).expect("it was there");
    world.advance_to(world.now().plus_millis(sealbid::limits::SCRUB_EVERY_MS));
    world.scrub();
    bad(&world.app().config, "blobs", &id);
}
