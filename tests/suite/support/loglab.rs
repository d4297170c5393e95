//! The public log of a world, taken apart: servers that start anew on it, ticks that break off, a database that somebody rewrites.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sealbid::app::App;
use sealbid::clock::{Clock, SystemClock};
use sealbid::db::schema::{audit_batch, audit_entry, audit_head, audit_leaf, audit_pending};
use sealbid::faults::{Faults, Plan, Point};
use sealbid::kernel::digest::Digest;
use sealbid::keys::Keys;
use sealbid::ledger::{Error, Record};
use sealbid::log::dump::Parts;
use sealbid::log::publisher::{Means, Ticked};
use sealbid::log::{Log, queries};
use sealbid::tlog::entry::leaf_hash;
use sealbid::tlog::tiles::{self, Content, Tile};
use sealbid::tlog::tree::Frontier;
use sealbid::verify::dump::{Depth, check};
use sealbid::verify::report::Proven;
use sealbid::verify::source::Directory;
use sealbid::verify::tree::Tree;
use sealbid::verify::trust::Trust;
use sealbid::verify::{disclosure, receipt};

use super::postgres;
use super::world::World;

/// A server's process, as far as it is one: on the world's database, files and signer, with a log of its own.
pub struct Server {
    pub app: App,
}

impl Server {
    /// Starts it.
    pub fn start(world: &World) -> Self {
        Self { app: Self::try_start(world).expect("it starts") }
    }

    /// Starts it, if it can.
    pub fn try_start(world: &World) -> Result<App, String> {
        let keys = Keys::ephemeral().expect("random numbers");
        // Keys of its own would be refused: the world's are given where they lie in files.
        let keys = if Keys::exist(&world.app().config.keys.dir) {
            Keys::load(&world.app().config.keys.dir).expect("keys")
        } else {
            keys
        };
        App::open(world.app().config.clone(), world.clock().clone(), keys).map_err(|error| error.to_string())
    }

    pub fn tick(&self) -> Result<Ticked, Error> {
        tick(&self.app, &Faults::default(), &SystemClock)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.app.log.leave(&self.app.ledger);
        self.app.ledger.stop();
    }
}

/// One tick, as the worker does it.
pub fn tick(app: &App, faults: &Faults, clock: &dyn Clock) -> Result<Ticked, Error> {
    app.log.tick(&Means { ledger: &app.ledger, reader: &app.reader, faults, clock })
}

/// A plan that breaks off at a point.
pub struct BreakOff(pub Point);

impl Plan for BreakOff {
    fn reach(&self, point: Point) {
        assert!(point != self.0, "broken off");
    }
}

/// A tick that breaks off at a point, as a process does that is killed there.
pub fn killed_at(app: &App, point: Point) {
    let faults = Faults::planned(Arc::new(BreakOff(point)));
    let broken = catch_unwind(AssertUnwindSafe(|| tick(app, &faults, &SystemClock)));
    assert!(broken.is_err(), "the tick comes to {}", point.name());
}

/// Puts something on record that moves nothing.
pub fn note(world: &World, name: &str) -> String {
    let stream = format!("note-{name}");
    let app = world.app();
    let noted = app.ledger.commit_blocking(app.system("test"), move |tx| {
        tx.note(&stream, Record::new("test.noted").public("what", &stream))
    });
    noted.expect("on record").entry_id
}

/// Does something as somebody who administers the database: past every trigger and right.
#[expect(clippy::disallowed_methods, reason = "whoever administers a database is not held by our schema")]
pub fn as_dba(world: &World, sql: &str) {
    let url = world.app().config.database.url.clone();
    if world.app().config.database_url().is_postgres() {
        let name = url.trim_start_matches("postgres:///").split('?').next().expect("a name").to_owned();
        let sql = sql.replace("x'", "'\\x");
        let always = ["audit_entry", "audit_batch", "audit_leaf", "audit_head", "audit_personal"];
        let off: String = always.iter().map(|table| format!("ALTER TABLE {table} DISABLE TRIGGER ALL;")).collect();
        let on = |table: &&str| format!("ALTER TABLE {table} ENABLE TRIGGER ALL;");
        let on: String = always.iter().map(on).collect();
        postgres::cluster().expect("it runs").execute(&name, &format!("{off}{sql};{on}"));
        return;
    }
    let mut conn = SqliteConnection::establish(&url).expect("opened");
    conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = OFF").expect("set");
    let triggers: Vec<Trigger> =
        diesel::sql_query("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
            .load(&mut conn)
            .expect("triggers");
    for trigger in &triggers {
        conn.batch_execute(&format!("DROP TRIGGER {}", trigger.name)).expect("dropped");
    }
    conn.batch_execute(sql).expect("done");
    for trigger in &triggers {
        conn.batch_execute(&trigger.sql).expect("made again");
    }
}

#[derive(QueryableByName)]
struct Trigger {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    sql: String,
}

/// What the log's tables say: the head's size, root, batch and slot.
pub fn head(world: &World) -> sealbid::log::model::Head {
    world.app().reader.read_blocking(queries::head).expect("a head")
}

/// Sets the log's tables, and the entries that came since, back to an earlier head: what an old backup is.
pub fn restore_old(world: &World, old: &sealbid::log::model::Head) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let published = old.published.clone().unwrap_or_default();
    as_dba(
        world,
        &format!(
            "DELETE FROM audit_pending; \
             DELETE FROM audit_unsearched WHERE entry_id IN (SELECT entry_id FROM audit_entry WHERE kind = 'test.noted' AND entry_id IN \
              (SELECT entry_id FROM audit_leaf WHERE leaf_index >= {size})); \
             DELETE FROM audit_search WHERE kind = (SELECT n FROM audit_name WHERE name = 'test.noted') AND entry_id IN (SELECT entry_id FROM audit_leaf WHERE leaf_index >= {size}); \
             DELETE FROM audit_personal WHERE entry_id IN (SELECT entry_id FROM audit_entry WHERE kind = 'test.noted' AND entry_id IN \
              (SELECT entry_id FROM audit_leaf WHERE leaf_index >= {size})); \
             DELETE FROM audit_entry WHERE kind = 'test.noted' AND entry_id IN (SELECT entry_id FROM audit_leaf WHERE leaf_index >= {size}); \
             DELETE FROM audit_leaf WHERE leaf_index >= {size}; \
             DELETE FROM audit_batch WHERE size_before >= {size}; \
             UPDATE audit_head SET size = {size}, root = x'{root}', batch = {batch}, slot = {slot}, epoch = {epoch}, \
             published_size = {published_size}, published = '{published}', holder = NULL, lease_until = 0, halted = NULL",
            size = old.size,
            root = hex(&old.root),
            batch = old.batch,
            slot = old.slot,
            epoch = old.epoch,
            published_size = old.published_size,
        ),
    );
}

/// Everything that must hold of a log at rest: every entry is a leaf, once; files, database, signer and checkpoint agree.
pub fn check_whole(app: &App) -> u64 {
    let (head, entries, leaves, waiting): (_, i64, i64, i64) = app
        .reader
        .read_blocking(|conn| {
            Ok((
                queries::head(conn)?,
                audit_entry::table.count().get_result(conn)?,
                audit_leaf::table.count().get_result(conn)?,
                audit_pending::table.count().get_result(conn)?,
            ))
        })
        .expect("read");
    assert_eq!((entries, waiting), (leaves, 0), "every entry is a leaf");
    let size = u64::try_from(head.size).expect("a size");
    let mut frontier = Frontier::empty();
    for n in 0..size.div_ceil(256) {
        let tile = Tile { content: Content::Entries, n, width: tiles::width_in(size, 0, n) };
        let bundle = app.log.directory().tile(&tile).expect("a bundle");
        tiles::commitments(&bundle).expect("entries").iter().for_each(|c| frontier.append(leaf_hash(c)));
    }
    let root: Digest = frontier.root();
    assert_eq!(root.as_bytes()[..], head.root, "the files lead to the database's root");
    let signed = app.log.signer().head().expect("a signer");
    assert_eq!((signed.size, signed.root), (size, root), "and to the signer's");
    let (_, note) = app.log.directory().checkpoint().expect("read").expect("published");
    let accepted = app.log.policy().check(&note).expect("a checkpoint");
    assert_eq!((accepted.checkpoint.size, accepted.checkpoint.root), (size, root), "and to the published one");
    let sizes: Vec<(i64, i64)> = app
        .reader
        .read_blocking(|conn| {
            Ok(audit_batch::table
                .order(audit_batch::size_before.asc())
                .select((audit_batch::size_before, audit_batch::size_after))
                .load(conn)?)
        })
        .expect("read");
    assert!(sizes.windows(2).all(|pair| pair[0].1 == pair[1].0), "batches join without a gap");
    size
}

/// The dump of a log with all parts of its entries, as an inspector gets it.
pub fn dump(world: &World) -> String {
    let (app, mut lines) = (world.app(), Vec::new());
    sealbid::log::dump::write(&app.log, &app.reader, Parts::All, &mut lines).expect("a dump");
    String::from_utf8(lines).expect("text")
}

/// The dump checked against what is published, as `sealbid verify db` does it.
pub fn verified(world: &World) -> sealbid::verify::report::Result<Proven> {
    let (dump, directory) = (dump(world), world.app().log.directory());
    let trust = Trust::new(Some(world.app().log.policy().clone()), Vec::new());
    let (_, note) = directory.checkpoint().expect("read").expect("published");
    let head = trust.head("checkpoint", &note)?;
    let files = Directory(directory.path().to_owned());
    let mut tree = Tree::open(&files, head.checkpoint())?;
    check(dump.as_bytes(), "dump", &head.checkpoint().origin, &mut tree, Depth::Everything)
}

/// What was disclosed, checked against what is published with the receipt of its name, as `sealbid verify disclosure` does it.
pub fn disclosed(world: &World, name: &str, text: &str) -> sealbid::verify::report::Result<Proven> {
    let directory = world.app().log.directory();
    let trust = Trust::new(Some(world.app().log.policy().clone()), Vec::new());
    let (_, note) = directory.checkpoint().expect("read").expect("published");
    let head = trust.head("checkpoint", &note)?;
    let proof = directory.read(&format!("disclosures/{name}.tlog-proof")).expect("read").expect("published");
    let proof = receipt::included(&trust, "proof", &String::from_utf8(proof).expect("text"))?;
    let files = Directory(directory.path().to_owned());
    let mut tree = Tree::open(&files, head.checkpoint())?;
    disclosure::check(text.as_bytes(), "file", &head.checkpoint().origin, Some(&mut tree), Some(&proof))
}

/// A log on the world's files with another signer.
pub fn log_with(world: &World, signer: Box<dyn sealbid::log::signer::Signer>) -> Log {
    let settings = world.app().log.settings().clone();
    Log::open(settings, world.app().config.audit.dir.clone(), signer).expect("opened")
}

/// Until somebody else's time to grow the log is over.
pub fn lease_ends(world: &World) {
    as_dba(world, "UPDATE audit_head SET lease_until = 0");
    std::thread::sleep(Duration::from_millis(5));
}

/// Whether anything may be put on record.
pub fn is_halted(world: &World) -> Option<String> {
    let asked = world
        .app()
        .reader
        .read_blocking(|conn| Ok(audit_head::table.select(audit_head::halted).first::<Option<String>>(conn)?));
    asked.expect("read")
}
