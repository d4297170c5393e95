//! Whoever administers the database rewrites it, deletes from it, or waits for a key to change: the signer, the promises in the hands of
//! bidders and the published keys tell.

use std::fs;

use diesel::prelude::*;
use sealbid::clock::SystemClock;
use sealbid::db::schema::{audit_entry, audit_leaf};
use sealbid::faults::Faults;
use sealbid::kernel::digest::{Digest, sha256};
use sealbid::ledger::Record;
use sealbid::log::publisher::{Means, Ticked};
use sealbid::log::signer::Signer;
use sealbid::log::signer::file::{self, FileSigner};
use sealbid::log::{queries, sequencer};
use sealbid::rules::editions::Category;
use sealbid::tlog::checkpoint::CheckpointError;
use sealbid::tlog::edge::Edge;
use sealbid::tlog::note::{NoteError, Verifier};
use sealbid::tlog::policy::{Policy, Refused};
use sealbid::tlog::receipt::Receipt;

use crate::support::loglab::{self, Server, as_dba, head, log_with, note, tick};
use crate::support::world::World;
use crate::{on_both, on_both_with_keys};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Gives one entry of the last batch another commitment, and makes batch, root and files fit it: everything that a database's
/// administrator can reach.
fn rewrite(world: &World) {
    let (batch, real) = world
        .app()
        .reader
        .read_blocking(|conn| {
            let last = queries::head(conn)?.batch;
            let batch = queries::batch(conn, last)?.expect("a batch");
            let real = queries::commitments(conn, &batch)?;
            Ok((batch, real))
        })
        .expect("read");
    let (old, new) = (real[0], sha256(b"another act"));
    let mut forged: Vec<Digest> = real.clone();
    forged[0] = new;
    let leaves = sequencer::leaves_of(&batch, &forged).expect("leaves");
    let root_before = world
        .app()
        .reader
        .read_blocking(move |conn| queries::root_at(conn, batch.size_before))
        .expect("read")
        .expect("a root");
    let size_before = u64::try_from(batch.size_before).expect("a size");
    let mut edge = match size_before {
        0 => Edge::empty(),
        size => world.app().log.directory().edge(size, &root_before).expect("an edge"),
    };
    sequencer::grow(&mut edge, &leaves);
    let root = hex(edge.frontier().root().as_bytes());
    as_dba(
        world,
        &format!(
            "UPDATE audit_entry SET c = x'{}' WHERE c = x'{}'; UPDATE audit_batch SET root = x'{root}' WHERE batch = {}; \
             UPDATE audit_head SET root = x'{root}', holder = NULL, lease_until = 0",
            hex(new.as_bytes()),
            hex(old.as_bytes()),
            batch.batch
        ),
    );
    // Sorted anew, the entries of the batch are other leaves.
    for (commitment, index) in leaves.iter().zip(batch.size_before..) {
        as_dba(
            world,
            &format!(
                "UPDATE audit_leaf SET leaf_index = -{index} - 1 WHERE entry_id IN (SELECT entry_id FROM audit_entry WHERE c = x'{}')",
                hex(commitment.as_bytes())
            ),
        );
    }
    as_dba(world, "UPDATE audit_leaf SET leaf_index = -leaf_index - 1 WHERE leaf_index < 0");
    fs::remove_dir_all(world.app().config.audit.dir.join("tile")).expect("removed");
}

on_both_with_keys!(a_database_that_is_rewritten_as_a_whole_gets_no_signature, |world| {
    note(world, "before");
    world.settle();
    note(world, "an act");
    world.settle();
    let c: Vec<u8> = world
        .app()
        .reader
        .read_blocking(|conn| {
            Ok(audit_leaf::table
                .inner_join(audit_entry::table.on(audit_entry::entry_id.eq(audit_leaf::entry_id)))
                .order(audit_leaf::leaf_index.desc())
                .select(audit_entry::c)
                .first(conn)?)
        })
        .expect("read");
    rewrite(world);
    let server = Server::start(world);
    let error = server.tick().expect_err("it stands still").to_string();
    assert!(error.contains("another root"), "{error}");
    assert!(loglab::is_halted(world).is_some());
    // The house is put back in order, or it would not pass its own inspection.
    as_dba(
        world,
        &format!("UPDATE audit_entry SET c = x'{}' WHERE c = x'{}'", hex(&c), hex(sha256(b"another act").as_bytes())),
    );
});

on_both_with_keys!(an_entry_that_is_deleted_before_its_tick_stops_the_signer_and_the_promise_proves_it, |world| {
    let story = world.lot(Category::Construction).noticed();
    world.settle();
    let act = story.bid(1, 1, "900000.00").ok();
    let receipt: Receipt = serde_json::from_value(act["receipt"].clone()).expect("a receipt");
    let key = world.nobody("GET", "/v1/platform-key").send().ok()["verifier"].as_str().expect("a key").to_owned();
    receipt.check(&key).expect("the promise stands by itself");
    // Its time is over at once: the signer of this log is less patient than the platform's.
    let dir = world.dir().join("signer");
    let signer = FileSigner::open(&dir, &world.app().log.settings().origin).expect("opened").with_promise_ms(-1);
    fs::write(dir.join("promised"), "").expect("written");
    signer.promised(&[receipt.c]).expect("remembered");
    let log = log_with(world, Box::new(signer));
    let entry = act["entry_id"].as_str().expect("an entry");
    as_dba(world, &format!("DELETE FROM audit_pending WHERE entry_id = '{entry}'"));
    note(world, "something else");
    let app = world.app();
    let means = Means { ledger: &app.ledger, reader: &app.reader, faults: &Faults::default(), clock: &SystemClock };
    let error = log.tick(&means).expect_err("it stands still").to_string();
    assert!(error.contains("promised") && error.contains(&receipt.c.to_string()), "{error}");
    assert!(loglab::is_halted(world).is_some());
    // Found again, it is put in the queue, and the log goes on: the promise is kept after all.
    as_dba(
        world,
        &format!(
            "INSERT INTO audit_pending (entry_id, c) SELECT entry_id, c FROM audit_entry WHERE entry_id = '{entry}'"
        ),
    );
    log.resume(&app.ledger).expect("resumed");
    // It comes too late for the batch that waits for its signature: whoever goes on says so on record.
    assert!(log.tick(&means).is_err());
    let signer = FileSigner::open(&dir, &world.app().log.settings().origin).expect("opened");
    assert!(signer.forgive(&receipt.c).expect("forgiven") && !signer.forgive(&receipt.c).expect("once"));
    log.resume(&app.ledger).expect("resumed");
    log.note_broken(&app.ledger, &receipt.c, "Deleted by hand").expect("on record");
    assert!(matches!(log.tick(&means).expect("a tick"), Ticked::Published(_)));
});

on_both_with_keys!(keys_rotate_and_receipts_of_every_time_are_proven_by_the_keys_of_their_time, |world| {
    let origin = world.app().log.settings().origin.clone();
    let proof = |server: &Server, entry: &str| {
        let (log, entry) = (server.app.log.clone(), entry.to_owned());
        server
            .app
            .reader
            .read_blocking(move |conn| sealbid::features::public_log::disclosure::receipt(conn, &log, &entry))
            .expect("read")
            .expect("covered")
    };
    let checkpoint = |text: &str| sealbid::tlog::proof::Proof::parse(text).expect("a proof").checkpoint;
    let started = || {
        let server = Server::start(world);
        loglab::lease_ends(world);
        actix_web::rt::System::new().block_on(async {
            let data = actix_web::web::Data::new(Server::try_start(world).expect("it starts"));
            sealbid::worker::log::start(&data).await.expect("keys are named");
            data.ledger.stop();
        });
        server
    };
    let dir = world.dir().join("signer");
    let first = started();
    let old_key = first.app.log.signer().verifier().clone();
    let before_id = note(world, "before");
    first.tick().expect("a tick");
    let before = checkpoint(&proof(&first, &before_id));
    drop(first);

    file::add_key(&dir).expect("made");
    let second = started();
    let new_key: Verifier = second.app.log.signer().verifiers()[1].clone();
    let during_id = note(world, "during");
    second.tick().expect("a tick");
    let during = checkpoint(&proof(&second, &during_id));
    drop(second);

    file::retire_key(&dir, &origin, &old_key.to_string()).expect("retired");
    assert!(file::retire_key(&dir, &origin, &new_key.to_string()).is_err(), "the last one stays");
    let third = started();
    let after_id = note(world, "after");
    third.tick().expect("a tick");
    let after = checkpoint(&proof(&third, &after_id));

    let (old, new) = (Policy::of_log(old_key.clone()), Policy::of_log(new_key.clone()));
    let not_signed = Err(Refused::Checkpoint(CheckpointError::Note(NoteError::NotSigned)));
    assert!(old.check(&before).is_ok() && old.check(&during).is_ok());
    assert_eq!(old.check(&after), not_signed, "undecided, not refuted");
    assert_eq!(new.check(&before), not_signed);
    assert!(new.check(&during).is_ok() && new.check(&after).is_ok());
    let keys = fs::read_to_string(world.app().config.audit.dir.join("keys")).expect("a list of keys");
    let line =
        |key: &Verifier| keys.lines().find(|line| line.contains(&key.to_string())).expect("it is listed").to_owned();
    assert_eq!(line(&old_key).split(' ').count(), 4, "retired, with its last size: {}", line(&old_key));
    assert_eq!(line(&new_key).split(' ').count(), 3);
    assert!(sealbid::tlog::note::Note::parse(&keys).expect("a note").verify(&new_key).is_ok());
    let told: i64 = third
        .app
        .reader
        .read_blocking(|conn| {
            Ok(audit_entry::table.filter(audit_entry::kind.like("log.key_%")).count().get_result(conn)?)
        })
        .expect("read");
    assert_eq!(told, 4, "two log keys and the promise key came, one went");
});

on_both!(what_is_committed_and_its_leaf_are_one_to_one, |world| {
    world.settle();
    let app = world.app();
    // A commit that fails leaves nothing in the queue of the log either.
    let failed = app.ledger.commit_blocking(app.system("test"), |tx| {
        tx.note("note-undone", Record::new("test.noted"))?;
        Err::<(), _>(sealbid::ledger::Error::internal("undone"))
    });
    assert!(failed.is_err());
    assert_eq!(tick(app, &Faults::default(), &SystemClock).expect("a tick"), Ticked::Idle);
    assert_eq!(head(world).size, i64::try_from(loglab::check_whole(app)).expect("a size"));
});
