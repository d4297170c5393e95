//! Mandates: an inspector sees what its mandate names, while it is in force, under its matter number, and no more.

use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Person};
use crate::support::cast::MATTER;
use crate::support::world::World;

const ENTRIES: &str = "/v1/inspection/entries";
const MANDATES: &str = "/v1/inspection/mandates";
const DAY: i64 = 24 * 60 * 60;

fn grant(world: &World, more: &Value) -> Answer {
    let mut mandate = json!({
        "user_id": world.inspector().member.user_id, "reach": "all", "matter": "CASE-7",
        "until": world.now().plus_seconds(10 * DAY), "reason": "A complaint",
    });
    // Later than the mandate that every test begins with.
    world.tick();
    for (key, value) in more.as_object().expect("fields") {
        mandate[key] = value.clone();
    }
    world.admin().post(MANDATES, &mandate)
}

fn kinds(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["kind"].as_str().expect("a kind").to_owned()).collect()
}

fn look(inspector: &Person<'_>, query: &str) -> Answer {
    inspector.get(format!("{ENTRIES}?matter=CASE-7{query}"))
}

on_both!(a_look_without_a_matter_number_is_refused_and_says_what_to_do, |world| {
    let inspector = world.inspector();
    for path in [ENTRIES.to_owned(), format!("{ENTRIES}/ent-1"), format!("{ENTRIES}?matter=%20")] {
        let problem = inspector.get(path).refused(400, "matter-number-missing");
        assert!(problem["hint"].as_str().is_some_and(|hint| hint.contains("matter=")), "{problem}");
    }
    inspector.get(format!("{ENTRIES}?matter={}", "x".repeat(65))).refused(400, "matter-number-missing");
    let page = inspector.look(format!("{ENTRIES}?kind=inspection.looked")).ok();
    assert_eq!(kinds(&page), vec!["inspection.looked"], "what was refused showed nothing");
    assert_eq!(page["items"][0]["restricted"]["data"]["matter"], MATTER);
});

on_both!(without_a_mandate_nothing_is_seen_and_the_attempt_is_on_record, |world| {
    let inspector = world.inspector();
    look(&inspector, "").refused(403, "mandate-missing");
    look(&inspector, "&lot=lot-1").refused(403, "mandate-missing");
    inspector.get(format!("{ENTRIES}/ent-1?matter=CASE-7")).refused(403, "mandate-missing");
    let looks = inspector.look(format!("{ENTRIES}?kind=inspection.looked")).ok();
    let of_case = looks["items"].as_array().expect("items").iter();
    assert_eq!(of_case.filter(|look| look["restricted"]["data"]["matter"] == "CASE-7").count(), 3);
});

on_both!(a_mandate_for_lots_shows_entries_of_these_lots_alone, |world| {
    let mine = world.lot(Category::Construction).noticed();
    let other = world.lot(Category::StateAsset).noticed();
    grant(world, &json!({ "reach": "lots", "lots": [mine.id] })).ok();
    let inspector = world.inspector();
    let all = look(&inspector, "&limit=100").ok();
    let whole = inspector.look(format!("{ENTRIES}?lot={}&limit=100", mine.id)).ok();
    assert_eq!(all["items"], whole["items"], "neither another lot nor what belongs to none");
    assert!(kinds(&all).contains(&"lot.published".to_owned()));
    assert_eq!(look(&inspector, &format!("&lot={}", mine.id)).ok()["items"], whole["items"]);
    assert_eq!(kinds(&look(&inspector, &format!("&lot={}", other.id)).ok()), Vec::<String>::new());
    assert_eq!(kinds(&look(&inspector, "&kind=user.created").ok()), Vec::<String>::new());
    let entry_of = |lot: &str| {
        let page = inspector.look(format!("{ENTRIES}?lot={lot}&kind=lot.published")).ok();
        page["items"][0]["entry_id"].as_str().expect("an id").to_owned()
    };
    inspector.get(format!("{ENTRIES}/{}?matter=CASE-7", entry_of(&mine.id))).ok();
    inspector.get(format!("{ENTRIES}/{}?matter=CASE-7", entry_of(&other.id))).refused(404, "not-found");
});

on_both!(pages_over_the_lots_of_a_mandate_show_every_entry_once_in_order, |world| {
    let lots = [Category::Construction, Category::LandUse, Category::StateAsset]
        .map(|category| world.lot(category).registered());
    let ids: Vec<&str> = lots.iter().map(|lot| lot.id.as_str()).collect();
    grant(world, &json!({ "reach": "lots", "lots": [ids[0], ids[1]] })).ok();
    grant(world, &json!({ "reach": "lots", "lots": [ids[1], ids[2]] })).ok();
    let inspector = world.inspector();
    let whole = look(&inspector, "&limit=100").ok()["items"].as_array().expect("items").clone();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = look(&inspector, &format!("&limit=3{after}")).ok();
        seen.extend(page["items"].as_array().expect("items").clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, whole);
    let of = |lot: &str| seen.iter().filter(|entry| entry["lot_id"] == lot).count();
    assert!(ids.iter().all(|lot| of(lot) > 3), "every lot of both mandates is there");
});

on_both!(a_mandate_is_in_force_from_its_beginning_until_its_end, |world| {
    let inspector = world.inspector();
    let (from, until) = (world.now().plus_seconds(DAY), world.now().plus_seconds(2 * DAY));
    grant(world, &json!({ "from": from, "until": until })).ok();
    look(&inspector, "").refused(403, "mandate-missing");
    world.set_clock(from);
    look(&inspector, "").ok();
    world.set_clock(until.plus_millis(-1));
    look(&inspector, "").ok();
    world.set_clock(until);
    look(&inspector, "").refused(403, "mandate-missing");
});

on_both!(an_ended_mandate_shows_nothing_and_both_acts_are_on_record, |world| {
    let inspector = world.inspector();
    let granted = grant(world, &json!({})).ok();
    look(&inspector, "").ok();
    let end = format!("{MANDATES}/{}/actions/end", granted["id"].as_str().expect("an id"));
    world.admin().post(&end, &json!({ "reason": " " })).refused(422, "body-invalid");
    let ended = world.admin().post(&end, &json!({ "reason": "The case is closed" })).ok();
    assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("The case is closed")));
    world.admin().post(&end, &json!({ "reason": "Again" })).refused(409, "state-forbids");
    look(&inspector, "").refused(403, "mandate-missing");
    for (kind, reason) in [("mandate.granted", "A complaint"), ("mandate.ended", "The case is closed")] {
        let page = inspector.look(format!("{ENTRIES}?kind={kind}")).ok();
        let said = &page["items"][0];
        assert_eq!(said["restricted"]["data"]["reason"], reason);
        assert_eq!(said["restricted"]["data"]["matter"], "CASE-7");
        assert_eq!(said["actor_id"], world.admin().member.user_id.as_str());
        assert_eq!(said["public"]["data"], Value::Null, "whom an inspector is after is not published");
    }
});

on_both!(what_is_no_proper_mandate_is_refused, |world| {
    let now = world.now();
    let lot = world.lot(Category::LandUse).drafted();
    for wrong in [
        json!({ "user_id": world.centre().member.user_id }),
        json!({ "until": now }),
        json!({ "until": now.plus_seconds(367 * DAY) }),
        json!({ "from": now.plus_seconds(2 * DAY), "until": now.plus_seconds(DAY) }),
        json!({ "reason": "" }),
        json!({ "reach": "lots" }),
        json!({ "lots": [lot.id] }),
        json!({ "reach": "lots", "lots": ["lot-0192f0c1-7a3b-7c4d-8e5f-0123456789ab"] }),
    ] {
        grant(world, &wrong).refused(422, "body-invalid");
    }
    grant(world, &json!({ "matter": "" })).refused(400, "matter-number-missing");
    for _ in 0..5 {
        grant(world, &json!({})).ok();
    }
    grant(world, &json!({})).refused(409, "too-many-mandates");
    let own = json!({ "user_id": world.admin().member.user_id });
    grant(world, &own).refused(409, "mandate-for-oneself");
});

on_both!(an_inspector_lists_its_own_mandates_and_an_administrator_all, |world| {
    grant(world, &json!({})).ok();
    let own = world.inspector().get(MANDATES).ok();
    let matters: Vec<&str> =
        own["items"].as_array().expect("items").iter().filter_map(|one| one["matter"].as_str()).collect();
    assert_eq!(matters, ["CASE-7", MATTER]);
    assert_eq!(world.admin().get(MANDATES).ok()["items"], own["items"]);
});
