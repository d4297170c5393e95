//! The only door for writes, tried from both sides: what goes through it is on record, and what goes around it fails.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sealbid::clock::SystemClock;
use sealbid::db::schema::{audit_entry, audit_pending, organisations};
use sealbid::db::{Conn, DbUrl, Mode, connection, migrate};
use sealbid::features::accounts::{ops, queries};
use sealbid::kernel::digest::sha256;
use sealbid::kernel::org_identifier::OrgIdentifier;
use sealbid::kernel::time::Timestamp;
use sealbid::ledger::{Context, Error, Failure, Idempotency, Ledger, Reader};

use crate::support::postgres;

/// A migrated database of either kind, and what keeps it alive.
struct Database {
    url: DbUrl,
    _dir: Option<tempfile::TempDir>,
}

fn sqlite() -> Database {
    let dir = tempfile::tempdir().expect("a directory");
    let url = DbUrl::Sqlite(dir.path().join("ledger.sqlite"));
    migrate::migrate(&mut connection::connect(&url, Mode::Write).expect("opened")).expect("migrated");
    Database { url, _dir: Some(dir) }
}

fn databases() -> Vec<Database> {
    let postgres =
        postgres::cluster().map(|cluster| Database { url: DbUrl::parse(&cluster.fresh_database()), _dir: None });
    std::iter::once(sqlite()).chain(postgres).collect()
}

impl Database {
    fn conn(&self) -> Conn {
        connection::connect(&self.url, Mode::Write).expect("the database opens")
    }

    fn ledger(&self) -> Ledger {
        Ledger::start(&self.url, Arc::new(SystemClock))
    }
}

fn context() -> Context {
    Context::system(Timestamp::from_millis(0), "test")
}

fn identifier(n: usize) -> OrgIdentifier {
    OrgIdentifier::new("X-TEST", &format!("T{n}")).expect("a plain identifier")
}

/// Registers organisation `n` and returns its id.
fn register(ledger: &Ledger, n: usize) -> Result<String, Error> {
    ledger.commit_blocking(context(), move |tx| {
        Ok(ops::insert_organisation(tx, &identifier(n), &format!("Organisation {n}"), "a@example.org", "pending")?.id)
    })
}

fn count_entries(conn: &mut Conn) -> i64 {
    audit_entry::table.count().get_result(conn).expect("counted")
}

#[test]
fn every_change_has_its_entry_and_waits_for_the_log() {
    for database in databases() {
        let ledger = database.ledger();
        let id = register(&ledger, 1).expect("registered");
        ledger.commit_blocking(context(), move |tx| ops::decide_organisation(tx, &id, true, None)).expect("confirmed");
        ledger.stop();
        let mut conn = database.conn();
        let kinds: Vec<(String, i64)> = audit_entry::table
            .order(audit_entry::rev.asc())
            .select((audit_entry::kind, audit_entry::rev))
            .load(&mut conn)
            .expect("read");
        assert_eq!(kinds, [("organisation.registered".to_owned(), 1), ("organisation.confirmed".to_owned(), 2)]);
        assert_eq!(audit_pending::table.count().get_result::<i64>(&mut conn).expect("counted"), 2);
    }
}

#[test]
fn a_row_changed_without_an_entry_cannot_be_committed_even_by_raw_sql_over_a_fresh_connection() {
    for database in databases() {
        let ledger = database.ledger();
        let id = register(&ledger, 1).expect("registered");
        ledger.stop();
        let insert = "INSERT INTO organisations (id, version, state, scheme, identifier, name, body) \
                      VALUES ('org-x', 1, 'confirmed', 'X', '1', 'Forged', '{}')";
        for sql in [
            format!("UPDATE organisations SET name = 'Forged' WHERE id = '{id}'"),
            format!("UPDATE organisations SET name = 'Forged', version = version + 1 WHERE id = '{id}'"),
            format!("UPDATE organisations SET name = 'Forged', version = 7 WHERE id = '{id}'"),
            format!("DELETE FROM organisations WHERE id = '{id}'"),
            insert.to_owned(),
            "UPDATE audit_entry SET part_p = '{}'".to_owned(),
            "DELETE FROM audit_entry".to_owned(),
        ] {
            let mut fresh = database.conn();
            assert!(fresh.batch_execute(&sql).is_err(), "{sql}");
        }
        let mut conn = database.conn();
        let name: String =
            organisations::table.find(&id).select(organisations::name).first(&mut conn).expect("still there");
        assert_eq!(name, "Organisation 1");
    }
}

#[test]
fn the_triggers_hold_where_foreign_keys_are_off() {
    let database = sqlite();
    let ledger = database.ledger();
    let id = register(&ledger, 1).expect("registered");
    ledger.stop();
    let file = database.url.file().expect("a file").to_string_lossy().into_owned();
    let mut bare = SqliteConnection::establish(&file).expect("opened without our settings");
    bare.batch_execute("PRAGMA foreign_keys = OFF").expect("off");
    let change = format!("UPDATE organisations SET name = 'Forged', version = version + 1 WHERE id = '{id}'");
    assert!(bare.batch_execute(&change).is_err());
    let replace = format!(
        "INSERT OR REPLACE INTO organisations SELECT id, version, state, scheme, identifier, 'Forged', body FROM organisations WHERE id = '{id}'"
    );
    assert!(bare.batch_execute(&replace).is_err());
}

#[test]
fn the_application_role_cannot_switch_the_guards_off() {
    let Some(cluster) = postgres::cluster() else { return };
    let url = DbUrl::parse(&cluster.fresh_database());
    for sql in [
        "ALTER TABLE organisations DISABLE TRIGGER ALL",
        "DROP TRIGGER organisations_guard ON organisations",
        "TRUNCATE audit_entry CASCADE",
        "SET session_replication_role = replica",
    ] {
        let mut conn = connection::connect(&url, Mode::Write).expect("opened");
        assert!(conn.batch_execute(sql).is_err(), "{sql}");
    }
}

#[test]
fn a_use_case_that_records_nothing_is_an_error_and_one_that_panics_harms_nobody() {
    for database in databases() {
        let ledger = database.ledger();
        let silent = ledger.commit_blocking(context(), |_| Ok(()));
        assert!(matches!(silent, Err(Error::Failed(Failure::Internal(_)))), "{silent:?}");
        let panicking = ledger.commit_blocking(context(), |tx| -> Result<(), Error> {
            ops::insert_organisation(tx, &identifier(9), "Gone", "a@example.org", "pending")?;
            panic!("a mistake of ours");
        });
        assert!(matches!(panicking, Err(Error::Failed(Failure::Internal(_)))), "{panicking:?}");
        register(&ledger, 2).expect("the writer still works");
        ledger.stop();
        assert_eq!(count_entries(&mut database.conn()), 1, "what the panicking one wrote is gone");
    }
}

#[test]
fn a_refused_use_case_leaves_no_trace_in_the_group_it_shares() {
    // Headers have a writer that groups them on both databases.
    let lanes: [fn() -> Context; 2] = [context, || context().for_bids(None)];
    for (database, context) in lanes.into_iter().flat_map(|lane| databases().into_iter().map(move |one| (one, lane))) {
        let ledger = database.ledger();
        // Whoever comes meanwhile waits, and is served together.
        let held = ledger.clone();
        let hold = std::thread::spawn(move || {
            held.commit_blocking(context(), |tx| {
                std::thread::sleep(std::time::Duration::from_millis(300));
                Ok(ops::insert_organisation(tx, &identifier(99), "First", "a@example.org", "pending")?.id)
            })
        });
        std::thread::sleep(std::time::Duration::from_millis(100));
        let threads: Vec<_> = (0..40)
            .map(|n| {
                let ledger = ledger.clone();
                std::thread::spawn(move || {
                    ledger.commit_blocking(context(), move |tx| {
                        let org = ops::insert_organisation(tx, &identifier(n), "Org", "a@example.org", "pending")?;
                        if n % 2 == 0 { Ok(org.id) } else { Err(sealbid::refusals::not_found().into()) }
                    })
                })
            })
            .collect();
        let done = threads.into_iter().map(|thread| thread.join().expect("no panic")).filter(Result::is_ok).count();
        hold.join().expect("no panic").expect("kept");
        ledger.stop();
        assert_eq!(done, 20);
        assert_eq!(count_entries(&mut database.conn()), 21);
    }
}

#[test]
fn the_same_key_acts_once_also_when_sent_many_times_at_once() {
    for database in databases() {
        let ledger = database.ledger();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let key = Idempotency { principal: "usr".into(), key: "k".into(), request_hash: sha256(b"body") };
        let send = |key: Idempotency| {
            let ledger = ledger.clone();
            async move {
                let work = |tx: &mut sealbid::ledger::Tx<'_>| {
                    Ok(ops::insert_organisation(tx, &identifier(1), "Org", "a@example.org", "pending")?.id)
                };
                ledger.commit_once(context(), key, work).await
            }
        };
        let answers = runtime.block_on(futures_util::future::join_all((0..20).map(|_| send(key.clone()))));
        let ids: Vec<String> = answers.iter().map(|answer| answer.as_ref().expect("answered").value.clone()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "everybody gets the first answer");
        assert_eq!(answers.iter().filter(|answer| answer.as_ref().is_ok_and(|answer| !answer.replayed)).count(), 1);
        let other = Idempotency { request_hash: sha256(b"another body"), ..key };
        let refused = runtime.block_on(send(other));
        assert!(matches!(refused, Err(Error::Refused(refusal)) if refusal.code == "idempotency-key-reused"));
        ledger.stop();
        assert_eq!(count_entries(&mut database.conn()), 1);
    }
}

#[test]
fn two_servers_on_one_database_never_lose_each_others_changes() {
    let Some(cluster) = postgres::cluster() else { return };
    let database = Database { url: DbUrl::parse(&cluster.fresh_database()), _dir: None };
    let (one, two) = (database.ledger(), database.ledger());
    let id = register(&one, 1).expect("registered");
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let (ledger, id) = (if n % 2 == 0 { one.clone() } else { two.clone() }, id.clone());
            std::thread::spawn(move || {
                for _ in 0..5 {
                    let id = id.clone();
                    ledger
                        .commit_blocking(context(), move |tx| {
                            let row = queries::organisation(tx.conn(), &id)?.expect("registered");
                            let count: u32 = row.name.strip_prefix("n").and_then(|text| text.parse().ok()).unwrap_or(0);
                            let new = sealbid::features::accounts::model::OrganisationRow {
                                name: format!("n{}", count + 1),
                                ..row.clone()
                            };
                            tx.update(&row, new, sealbid::ledger::Record::new("organisation.counted"))?;
                            Ok(())
                        })
                        .expect("counted");
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    one.stop();
    two.stop();
    let row = queries::organisation(&mut database.conn(), &id).expect("read").expect("there");
    assert_eq!((row.name.as_str(), row.version), ("n40", 41));
}

#[test]
fn a_reader_cannot_write() {
    for database in databases() {
        let reader = Reader::open(&database.url);
        let tried = reader.read_blocking(|conn| Ok(conn.batch_execute("DELETE FROM outbox")?));
        assert!(tried.is_err(), "{:?}", database.url);
    }
}

#[test]
fn a_stopped_ledger_answers_what_it_accepted_and_takes_no_more() {
    let database = sqlite();
    let ledger = database.ledger();
    let threads: Vec<_> = (0..30)
        .map(|n| {
            let ledger = ledger.clone();
            std::thread::spawn(move || register(&ledger, n))
        })
        .collect();
    ledger.stop();
    let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(
        answers.iter().all(|answer| matches!(answer, Ok(_) | Err(Error::Failed(Failure::Stopping)))),
        "{answers:?}"
    );
    assert_eq!(i64::try_from(done), Ok(count_entries(&mut database.conn())));
}
