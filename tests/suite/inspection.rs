//! Inspection: every look leaves a trace, what is sealed does not exist, and whatever was tampered with is named.

use std::collections::BTreeSet;
use std::path::Path;

use diesel::connection::SimpleConnection;
use sealbid::db::{DbUrl, Mode, connection};
use sealbid::features::inspection::replay::{ReplayReport, replay};
use sealbid::kernel::digest::Digest;
use sealbid::kernel::encoding::from_hex;
use sealbid::rules::editions::Category;
use sealbid::tlog::entry::{Part, commitment, part_digest};
use serde_json::Value;

use crate::on_both;
use crate::support::world::World;

const ENTRIES: &str = "/v1/inspection/entries";

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().expect("items").clone()
}

fn kinds(page: &Value) -> Vec<String> {
    items(page).iter().map(|item| item["kind"].as_str().expect("a kind").to_owned()).collect()
}

on_both!(an_inspector_finds_what_happened_to_a_lot_and_the_look_is_on_record, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let inspector = world.inspector();
    let page = inspector.look(format!("{ENTRIES}?lot={}", lot.id)).ok();
    let kinds_found = kinds(&page);
    for kind in [
        "lot.registered",
        "document.attached",
        "lot.submitted",
        "lot.accepted",
        "key_set.created",
        "lot.published",
        "notice.published",
    ] {
        assert!(kinds_found.iter().any(|found| found == kind), "{kind} is missing in {kinds_found:?}");
    }
    assert!(!page.to_string().contains("\"ip\""), "the personal part is never shown");
    let none = inspector.look(format!("{ENTRIES}?actor={}", inspector.member.user_id)).ok();
    assert_eq!(kinds(&none), Vec::<String>::new(), "looks are left out unless asked for");
    let looks = inspector.look(format!("{ENTRIES}?actor={}&include_looks=true", inspector.member.user_id)).ok();
    assert_eq!(kinds(&looks), vec!["inspection.looked"; 3], "the look that shows them is among them");
    let asked = |item: &Value| item["restricted"]["data"]["query"]["filter"]["lot"].as_str() == Some(lot.id.as_str());
    let first = items(&looks).into_iter().find(asked).expect("the look at the lot says what it was for");
    assert!(!first["public"].to_string().contains(&lot.id), "whom an inspector looks at is not published");
});

on_both!(pages_show_every_entry_once_and_a_cursor_is_good_for_its_search_only, |world| {
    let lot = world.lot(Category::StateAsset).noticed();
    let inspector = world.inspector();
    let whole = inspector.look(format!("{ENTRIES}?lot={}&limit=100", lot.id)).ok();
    assert_eq!(whole["next"], Value::Null);
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = inspector.look(format!("{ENTRIES}?lot={}&limit=2{after}", lot.id)).ok();
        seen.extend(items(&page));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, items(&whole));
    let ids: BTreeSet<&str> = seen.iter().map(|item| item["entry_id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), seen.len());
    inspector.look(format!("{ENTRIES}?limit=2{after}")).refused(400, "cursor-invalid");
    inspector.look(format!("{ENTRIES}?lot={}&limit=0", lot.id)).refused(422, "body-invalid");
    inspector.look(format!("{ENTRIES}?lot={}", "x".repeat(65))).refused(422, "body-invalid");
});

on_both!(sealed_entries_do_not_exist_until_their_lot_is_opened, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let before = inspect(world, &lot.id);
    let lot = lot.with_bids(&["900000.00", "950000.00", "910000.00"]);
    assert_eq!(inspect(world, &lot.id), before, "three bids change nothing that an inspector sees");
    let lot = lot.closed();
    assert!(inspect(world, &lot.id).iter().all(|item| item["kind"] != "bid.submitted"), "closed is not opened");
    let sealed = world.app().reader.read_blocking(|conn| {
        use diesel::prelude::*;
        use sealbid::db::schema::audit_entry::dsl;
        Ok(dsl::audit_entry.filter(dsl::kind.eq("bid.submitted")).select(dsl::entry_id).load::<String>(conn)?)
    });
    let sealed = sealed.expect("read");
    assert_eq!(sealed.len(), 3);
    world.inspector().look(format!("{ENTRIES}/{}", sealed[0])).refused(404, "not-found");
    let lot = lot.opened();
    let bids = inspect(world, &lot.id).into_iter().filter(|item| item["kind"] == "bid.submitted").count();
    assert_eq!(bids, 3);
    world.inspector().look(format!("{ENTRIES}/{}", sealed[0])).ok();
});

/// All entries of a lot, as an inspector sees them.
fn inspect(world: &World, lot: &str) -> Vec<Value> {
    items(&world.inspector().look(format!("{ENTRIES}?lot={lot}&limit=100")).ok())
}

on_both!(the_commitment_of_an_entry_can_be_recomputed_by_an_outsider, |world| {
    let lot = world.lot(Category::LandUse).drafted();
    for item in inspect(world, &lot.id) {
        let id = item["entry_id"].as_str().expect("an id");
        let open = world.inspector().look(format!("{ENTRIES}/{id}")).ok();
        let digest = |name: &str, part: Part| {
            let salt =
                from_hex(open[name]["salt"].as_str().expect("a salt")).expect("hex").try_into().expect("32 bytes");
            part_digest(part, &salt, open[name]["text"].as_str().expect("a text").as_bytes())
        };
        let personal: Digest = open["i_digest"].as_str().expect("a digest").parse().expect("hex");
        let computed = commitment(&digest("p", Part::Public), &digest("c", Part::Restricted), &personal);
        assert_eq!(computed.to_string(), open["entry"]["commitment"].as_str().expect("a commitment"));
    }
});

#[test]
fn nobody_is_shown_anything_when_the_look_cannot_be_recorded() {
    let world = World::sqlite();
    world.app().ledger.stop();
    let answer = world.inspector().look(ENTRIES);
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"), "{}", answer.text());
}

/// A copy of a world's SQLite database without its guards, tampered with and replayed.
fn tampered(world: &World, dir: &Path, sql: &str) -> ReplayReport {
    let copy = dir.join(format!("{}.sqlite", uuid::Uuid::new_v4().simple()));
    let original = DbUrl::Sqlite(world.dir().join("sealbid.sqlite"));
    let mut conn = connection::connect(&original, Mode::Write).expect("opened");
    conn.batch_execute(&format!("VACUUM INTO '{}'", copy.display())).expect("copied");
    let url = DbUrl::Sqlite(copy);
    let mut conn = connection::connect(&url, Mode::Write).expect("opened");
    conn.batch_execute("PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE type = 'trigger'")
        .expect("without guards");
    drop(conn);
    let mut conn = connection::connect(&url, Mode::Write).expect("opened again");
    conn.batch_execute("PRAGMA foreign_keys = OFF").expect("without keys");
    conn.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    replay(&mut conn).expect("replayed")
}

#[test]
fn a_replay_names_whatever_was_tampered_with() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    let dir = tempfile::tempdir().expect("a directory");
    assert!(tampered(&world, dir.path(), "SELECT 1").is_clean());
    let id = &lot.id;
    let cases = [
        (format!("UPDATE lots SET title = 'Forged' WHERE id = '{id}'"), "not what its last entry recorded"),
        (format!("UPDATE lots SET state = 'closed' WHERE id = '{id}'"), "led to"),
        (format!("UPDATE lots SET version = version - 1 WHERE id = '{id}'"), "version"),
        (format!("DELETE FROM lots WHERE id = '{id}'"), "the row is gone"),
        ("DELETE FROM bids".to_owned(), "the row is gone"),
        ("UPDATE bids SET received_at = received_at - 1".to_owned(), "not what its last entry recorded"),
        (
            "INSERT INTO users SELECT 'usr-forged', version, state, org_id, 'forged', roles, body FROM users LIMIT 1"
                .to_owned(),
            "without any entry",
        ),
        ("DELETE FROM audit_entry WHERE kind = 'lot.submitted'".to_owned(), "revision"),
        (format!("UPDATE audit_entry SET prev = c WHERE stream = '{id}' AND rev = 2"), "prev"),
        (
            "UPDATE audit_entry SET part_p = replace(part_p, 'initiator', 'inspector') WHERE kind = 'lot.submitted'"
                .to_owned(),
            "digest of part p",
        ),
        (
            "UPDATE audit_entry SET part_c = replace(part_c, 'request', 'requesx') WHERE kind = 'lot.submitted'"
                .to_owned(),
            "digest of part c",
        ),
        ("UPDATE audit_entry SET at_ms = at_ms - 1 WHERE kind = 'lot.submitted'".to_owned(), "at_ms"),
        ("UPDATE audit_entry SET c = randomblob(32) WHERE kind = 'lot.submitted'".to_owned(), "commitment"),
        ("UPDATE audit_personal SET part_i = '{}' WHERE part_i <> '{}'".to_owned(), "digest of part i"),
        ("UPDATE bid_envelopes SET owner_version = 7".to_owned(), "no recorded version"),
        ("DELETE FROM bid_envelopes".to_owned(), "is gone"),
        ("UPDATE bid_envelopes SET envelope_id = substr(envelope_id, 2) || '0'".to_owned(), "does not name it"),
        ("UPDATE bid_envelopes SET org_id = 'org-other'".to_owned(), "organisation"),
    ];
    for (sql, named) in cases {
        assert_named(&world, dir.path(), &sql, named);
    }
}

#[track_caller]
fn assert_named(world: &World, dir: &Path, sql: &str, named: &str) {
    let report = tampered(world, dir, sql);
    assert!(
        report.differences.iter().any(|found| found.what.contains(named)),
        "{sql}\nshould be named as {named:?}: {:?}",
        report.differences
    );
}

#[test]
fn a_replay_names_what_inspectors_would_not_find() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    // What has come into the search table by now can be tampered with there, the rest in its queue.
    world.inspector().look(format!("{ENTRIES}?lot={}", lot.id)).ok();
    world.lot(Category::LandUse).drafted();
    let dir = tempfile::tempdir().expect("a directory");
    let cases = [
        ("DELETE FROM audit_search WHERE kind = {lot}", "audit_search lacks the entry"),
        ("DELETE FROM audit_unsearched", "audit_search lacks the entry"),
        ("UPDATE audit_search SET sealed = 0 WHERE kind = {bid}", "audit_search does not say"),
        ("UPDATE audit_search SET project = NULL WHERE kind = {lot}", "audit_search does not say"),
        ("UPDATE audit_search SET entry_id = 'ent-0' WHERE kind = {lot}", "a row of audit_search without"),
        ("UPDATE audit_name SET name = 'lot.begun' WHERE n = {lot}", "audit_search does not say"),
        ("DELETE FROM audit_name WHERE n = {lot}", "audit_search does not say"),
        ("INSERT INTO audit_unsearched VALUES ('ent-0')", "a row of audit_unsearched without"),
    ];
    for (sql, named) in cases {
        let number = |kind: &str| format!("(SELECT n FROM audit_name WHERE name = '{kind}')");
        let sql = sql.replace("{lot}", &number("lot.submitted")).replace("{bid}", &number("bid.submitted"));
        assert_named(&world, dir.path(), &sql, named);
    }
}

#[test]
fn erasing_personal_parts_leaves_a_record_that_still_proves() {
    let world = World::sqlite();
    world.lot(Category::StateAsset).drafted();
    let dir = tempfile::tempdir().expect("a directory");
    let report = tampered(&world, dir.path(), "DELETE FROM audit_personal");
    assert!(report.is_clean(), "{:?}", report.differences);
    assert_eq!(report.erased, report.entries);
}
