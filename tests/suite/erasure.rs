//! Erasure: the personal part goes, its bytes too, and everything else still proves.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sealbid::db::schema::audit_personal;
use sealbid::db::{DbUrl, Mode, connection};
use sealbid::features::erasure::purge;
use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Answer;
use crate::support::stored::{files, holds};
use crate::support::world::World;

const ERASURES: &str = "/v1/erasures";
/// The program of somebody who registers a project, and of the same person at a lot.
const AGENT: &str = "Marked-Agent/7f3a91";
const AT_A_LOT: &str = "Marked-At-A-Lot/55c20e";

fn project(world: &World, code: &str) {
    let body = json!({ "code": code, "name": "Road", "description": "A road.", "approval_number": "A-1" });
    let request = world.initiator().request("POST", "/v1/projects").header("User-Agent", AGENT);
    request.key(code).json(&body).send().ok();
}

fn erase(world: &World, body: Value) -> Answer {
    let mut whole = body;
    whole["reason"] = json!("The person asked in writing");
    world.admin().post(ERASURES, &whole)
}

fn erase_initiator(world: &World) -> Value {
    world.tick();
    erase(world, json!({ "user_id": world.initiator().member.user_id })).ok()
}

/// Whether some personal part has a text.
fn is_kept(world: &World, text: &str) -> bool {
    let parts =
        world.app().reader.read_blocking(|conn| Ok(audit_personal::table.select(audit_personal::part_i).load(conn)?));
    let parts: Vec<String> = parts.expect("read");
    parts.iter().any(|part| part.contains(text))
}

fn lies_in(dir: &Path, text: &str) -> Vec<String> {
    files(dir).into_iter().filter(|(_, bytes)| holds(bytes, text)).map(|(path, _)| path.display().to_string()).collect()
}

on_both!(a_person_is_erased_and_the_record_still_proves, |world| {
    project(world, "P-1");
    assert!(is_kept(world, AGENT));
    let erasure = erase_initiator(world);
    assert!(!is_kept(world, AGENT), "it is gone");
    assert!(!is_kept(world, "Person initiator1"), "and what the account was made with");
    assert!(is_kept(world, "Person initiator2"), "and nobody else's");
    assert_eq!(erasure["state"], "standing");
    let replay = world.replay();
    assert!(replay.is_clean() && replay.erased > 0, "{replay}");
    world.settle();
    assert_eq!(world.admin().get(ERASURES).ok()["items"][0]["state"], "done", "no lot was under procedure");
    let found = world.inspector().look("/v1/inspection/entries?kind=personal.erased").ok();
    let said = &found["items"][0];
    assert!(!said["public"].to_string().contains(&world.initiator().member.user_id), "part p names nobody: {said}");
    assert_eq!(said["restricted"]["data"]["subject"], world.initiator().member.user_id.as_str());
    let entry = world.inspector().look("/v1/inspection/entries?kind=project.registered").ok()["items"][0].clone();
    let open =
        world.inspector().look(format!("/v1/inspection/entries/{}", entry["entry_id"].as_str().expect("an id"))).ok();
    assert_eq!(open["i_erased"], true);
});

on_both!(what_belongs_to_a_lot_under_procedure_goes_when_it_is_settled, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let held = world
        .initiator()
        .request("POST", lot.path("/actions/hold"))
        .header("User-Agent", AT_A_LOT)
        .key("hold")
        .json(&json!({ "kind": "incident", "reason": "A question" }))
        .send();
    assert_eq!(held.status, 200, "{}", held.text());
    let entry = world.inspector().look(format!("/v1/inspection/entries?lot={}&kind=lot.held", lot.id)).ok();
    let entry = entry["items"][0]["entry_id"].as_str().expect("an id").to_owned();
    erase(world, json!({ "entry_id": entry })).refused(409, "evidence-needed");
    erase_initiator(world);
    world.settle();
    assert!(is_kept(world, AT_A_LOT), "it is evidence still");
    assert_eq!(world.admin().get(ERASURES).ok()["items"][0]["state"], "standing");
    lot.act(&world.initiator(), "terminate", &json!({ "reason": "Over" })).ok();
    world.settle();
    assert!(!is_kept(world, AT_A_LOT), "nobody has to ask again");
    assert_eq!(world.admin().get(ERASURES).ok()["items"][0]["state"], "done");
});

on_both!(who_takes_part_does_not_show_in_an_erasure, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00"]);
    world.tick();
    let [with, without] = [1, 5].map(|n| {
        let mut shown = erase(world, json!({ "user_id": world.bidder(n).member.user_id })).ok();
        world.settle();
        let id = shown["id"].as_str().expect("an id").to_owned();
        let items = world.admin().get(ERASURES).ok()["items"].clone();
        let mut now =
            items.as_array().expect("items").iter().find(|item| item["id"] == id.as_str()).expect("listed").clone();
        for one in [&mut shown, &mut now] {
            ["id", "subject_id", "before"].iter().for_each(|field| one[*field] = Value::Null);
        }
        let steps = world.inspector().look("/v1/inspection/entries?kind=personal.erased&limit=100").ok();
        let steps =
            steps["items"].as_array().expect("items").iter().filter(|item| item["stream"] == id.as_str()).count();
        (shown, now, steps)
    });
    assert_eq!(with, without);
    drop(lot);
});

on_both!(what_is_no_proper_erasure_is_refused, |world| {
    let user = world.initiator().member.user_id.clone();
    erase(world, json!({})).refused(422, "body-invalid");
    erase(world, json!({ "user_id": "usr-0192f0c1-7a3b-7c4d-8e5f-0123456789ab" })).refused(422, "body-invalid");
    erase(world, json!({ "entry_id": "ent-0192f0c1-7a3b-4c4d-8e5f-0123456789ab" })).refused(404, "not-found");
    world.admin().post(ERASURES, &json!({ "user_id": user, "reason": " " })).refused(422, "body-invalid");
});

#[test]
fn erased_bytes_are_in_no_file_of_sqlite() {
    let world = World::sqlite();
    (0..40).for_each(|n| project(&world, &format!("P-{n}")));
    assert!(!lies_in(world.dir(), AGENT).is_empty(), "the search finds what is there");
    erase_initiator(&world);
    assert_eq!(lies_in(world.dir(), AGENT), Vec::<String>::new());
}

#[test]
fn rewriting_leaves_nothing_in_the_files_of_postgresql() {
    let Some(world) = World::postgres() else { return };
    let now = world.now();
    (0..40).for_each(|n| project(&world, &format!("P-{n}")));
    let url = world.app().config.database.url.clone();
    let owner = DbUrl::parse(&url.replace("user=sealbid_app", "user=sealbid_owner"));
    let mut conn = connection::connect(&owner, Mode::Write).expect("opened");
    let table = |conn: &mut sealbid::db::Conn| {
        conn.batch_execute("CHECKPOINT").expect("written");
        let name = |text: &str| diesel::dsl::sql::<diesel::sql_types::Text>(text);
        let dir: String =
            diesel::select(name("current_setting('data_directory')")).get_result(conn).expect("a directory");
        let file: String =
            diesel::select(name("pg_relation_filepath('audit_personal')")).get_result(conn).expect("a file");
        holds(&std::fs::read(Path::new(&dir).join(file)).expect("readable"), AGENT)
    };
    assert!(table(&mut conn), "the search finds what is there");
    // Somebody looks at the database as it was before, all the while.
    let mut app = connection::connect(&DbUrl::parse(&url), Mode::Write).expect("opened");
    let mut reader = connection::connect(&DbUrl::parse(&url), Mode::Read).expect("opened");
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM meta").expect("a look");
    erase_initiator(&world);
    assert!(table(&mut conn), "a deleted row leaves its bytes");
    let refused = purge::rewrite(&mut app, now).expect_err("the server's role owns nothing");
    assert_eq!(refused.as_refusal().code, "state-forbids");
    purge::rewrite(&mut conn, now).expect("rewritten");
    assert!(!table(&mut conn), "and a rewritten table none");
    assert!(world.replay().is_clean());
}
