//! The house rules of the tables: both databases have the same, and none changes without its entry.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Tables that are neither subjects nor append-only: working state beside the record, each with its reason.
const PLUMBING: &[(&str, &str)] = &[
    ("audit_personal", "the erasable part of an entry; its digest stays in the entry"),
    ("audit_pending", "the queue of what the log has still to cover"),
    ("audit_head", "where the log is and who grows it; a trigger lets it only grow"),
    ("audit_batch", "how the log grew; a trigger lets it only grow"),
    ("audit_leaf", "which leaf of the log is which entry; a trigger lets it only grow"),
    ("audit_key", "which keys signed which sizes of the log; published"),
    ("disclosures_due", "lots whose disclosure is not out yet; that it is out is on record"),
    ("audit_name", "the words of the search table, as numbers; made again from the entries"),
    ("audit_search", "what inspectors search by; made again from the entries"),
    ("audit_unsearched", "the queue of what the search table still lacks"),
    ("idempotency", "stored answers; forgotten after a while"),
    ("outbox", "messages on their way"),
    ("meta", "which keys and blobs belong to this database"),
    ("leases", "which server does what"),
    ("instances", "which servers live"),
    ("user_secrets", "password hashes, which can be erased"),
    ("sessions", "who is signed in; ends by itself"),
    ("refresh_tokens", "rotate all the time"),
    ("used_assertions", "assertions that must not be seen again before they end"),
    ("reset_tokens", "used once, then gone"),
    ("key_secrets", "wrapped private keys, erased when a lot ends"),
    ("uploads", "not on record before a header names them"),
    ("damages", "what of an upload is to be put back; that it was found and put back is on record"),
];

fn migrations(backend: &str) -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
    let mut found: Vec<(String, String)> = fs::read_dir(dir)
        .expect("migrations")
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(entry.path().join("down.sql").exists(), "{name} has no way back");
            (name, fs::read_to_string(entry.path().join("up.sql")).expect("up.sql"))
        })
        .collect();
    found.sort();
    found
}

/// Table name and its statement.
fn tables(sql: &str) -> Vec<(&str, &str)> {
    sql.split("CREATE TABLE ")
        .skip(1)
        .map(|rest| (rest.split_whitespace().next().expect("a name"), rest.split(";\n").next().expect("a statement")))
        .collect()
}

/// The tables that each migration brings. SQLite makes a table anew where another database changes it: that is no new one.
fn new_tables(found: &[(String, String)]) -> Vec<(&str, Vec<(&str, &str)>)> {
    let mut known = BTreeSet::new();
    let mut brought = |sql| tables(sql).into_iter().filter(|(table, _)| known.insert(*table)).collect();
    found.iter().map(|(name, sql)| (name.as_str(), brought(sql))).collect()
}

#[test]
fn both_databases_have_the_same_migrations_and_tables() {
    let (sqlite, postgres) = (migrations("sqlite"), migrations("postgres"));
    let (sqlite, postgres) = (new_tables(&sqlite), new_tables(&postgres));
    let shape = |found: &[(&str, Vec<(&str, &str)>)]| -> Vec<(String, Vec<String>)> {
        let names = |tables: &[(&str, &str)]| tables.iter().map(|(table, _)| (*table).to_owned()).collect();
        found.iter().map(|(name, tables)| ((*name).to_owned(), names(tables))).collect()
    };
    assert_eq!(shape(&sqlite), shape(&postgres));
    for ((_, left), (_, right)) in sqlite.iter().zip(&postgres) {
        for ((table, a), (_, b)) in left.iter().zip(right) {
            let columns = |sql: &str| -> Vec<String> {
                sql.lines()
                    .skip(1)
                    .filter(|line| line.starts_with("    "))
                    .filter_map(|line| line.split_whitespace().next())
                    .map(str::to_owned)
                    .collect()
            };
            assert_eq!(columns(a), columns(b), "{table}");
        }
    }
}

/// The statements that guard a subject, or an append-only table, against change without an entry.
fn guards(backend: &str, table: &str, subject: bool) -> Vec<String> {
    let kind = if subject { "guard" } else { "append" };
    if backend == "sqlite" {
        let each =
            |(name, event): (&str, &str)| format!("CREATE TRIGGER {table}_{kind}_{name} BEFORE {event} ON {table} ");
        return [("insert", "INSERT"), ("update", "UPDATE"), ("delete", "DELETE")].map(each).to_vec();
    }
    let (events, function) =
        if subject { ("INSERT OR UPDATE OR DELETE", "guard_subject") } else { ("UPDATE OR DELETE", "guard_append") };
    vec![
        format!("CREATE TRIGGER {table}_{kind} BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();"),
        format!(
            "CREATE TRIGGER {table}_{kind}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}();"
        ),
        // Without it a session that plays back replication goes past the triggers.
        format!(
            "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{kind}, ENABLE ALWAYS TRIGGER {table}_{kind}_truncate;"
        ),
    ]
}

#[test]
fn every_table_is_a_subject_or_append_only_or_plumbing_with_a_reason() {
    let mut wrong = Vec::new();
    for backend in ["sqlite", "postgres"] {
        let plumbing: BTreeSet<&str> = PLUMBING.iter().map(|(table, _)| *table).collect();
        let mut unseen = plumbing.clone();
        for (name, sql) in migrations(backend) {
            for (table, statement) in tables(&sql) {
                unseen.remove(table);
                if plumbing.contains(table) {
                    continue;
                }
                let subject = statement.contains("FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)");
                let part =
                    statement.contains("FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)");
                if !subject && !part && table != "audit_entry" {
                    wrong.push(format!("{backend}/{name}: {table} may change without an entry"));
                }
                if subject != sealbid::db::grants::subject_tables().contains(&table) {
                    wrong.push(format!("{backend}/{name}: {table} and the grants disagree on whether it is a subject"));
                }
                let missing = guards(backend, table, subject).into_iter().filter(|guard| !sql.contains(guard.as_str()));
                wrong.extend(missing.map(|guard| format!("{backend}/{name}: {table} lacks: {guard}")));
            }
        }
        wrong.extend(unseen.iter().map(|table| format!("{backend}: {table} is listed as plumbing and does not exist")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
