//! Looks before the opening: by two persons, for a time, at no more than part p, and on record without a number.

use sealbid::limits;
use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Person};
use crate::support::story::LotStory;
use crate::support::world::World;

const GLASSES: &str = "/v1/inspection/break-glasses";
const MATTER: &str = "CASE-9";

fn inspectors(world: &World) -> [Person<'_>; 3] {
    ["inspector", "inspector2", "inspector3"].map(|login| world.person(login))
}

/// All three inspectors get a mandate in the matter.
fn mandates(world: &World) {
    for person in inspectors(world) {
        let mandate = json!({
            "user_id": person.member.user_id, "reach": "all", "matter": MATTER,
            "until": world.now().plus_seconds(200 * 24 * 60 * 60), "reason": "A complaint",
        });
        world.admin().post("/v1/inspection/mandates", &mandate).ok();
    }
}

fn ask(person: &Person<'_>, lot: &str) -> Answer {
    person.post(GLASSES, &json!({ "lot_id": lot, "matter": MATTER, "reason": "Threats against a bidder" }))
}

fn act(person: &Person<'_>, glass: &Value, action: &str) -> Answer {
    let id = glass["id"].as_str().expect("an id");
    person.post(format!("{GLASSES}/{id}/actions/{action}"), &json!({ "reason": "It cannot wait" }))
}

fn entries(person: &Person<'_>, glass: &Value, query: &str) -> Answer {
    person.get(format!("{GLASSES}/{}/entries{query}", glass["id"].as_str().expect("an id")))
}

/// A lot with bids, and a look at it that the second inspector has agreed to.
pub fn broken<'w>(world: &'w World, bids: &[&str]) -> (LotStory<'w>, Value) {
    mandates(world);
    let lot = world.lot(Category::Construction).noticed().with_bids(bids);
    let [first, second, _] = inspectors(world);
    let glass = ask(&first, &lot.id).ok();
    let open = act(&second, &glass, "agree").ok();
    (lot, open)
}

/// What an inspector finds about a lot.
fn found(world: &World, lot: &str) -> Vec<Value> {
    let page = world.inspector().look(format!("/v1/inspection/entries?lot={lot}&limit=100")).ok();
    page["items"].as_array().expect("items").clone()
}

on_both!(two_inspectors_of_one_body_see_that_there_are_bids_and_not_whose, |world| {
    let (lot, open) = broken(world, &["900000.00", "910000.00", "920000.00"]);
    let [first, second, third] = inspectors(world);
    assert_eq!(open["state"], "open");
    let seen = entries(&first, &open, "").ok();
    let items = seen["items"].as_array().expect("items");
    assert_eq!(items.iter().filter(|item| item["kind"] == "bid.submitted").count(), 3);
    for n in 1..=3 {
        let member = world.bidder(n).member;
        for secret in [&member.org_id, &member.user_id, &member.login] {
            assert!(!seen.to_string().contains(secret.as_str()), "{secret}: {seen}");
        }
    }
    for item in items {
        assert_eq!(item.as_object().expect("fields").len(), 5, "{item}");
        assert_eq!(item["public"]["lot"], lot.id.as_str());
    }
    // Neither who agreed nor anybody else may look, and the ordinary search shows nothing more.
    entries(&second, &open, "").refused(404, "not-found");
    entries(&third, &open, "").refused(404, "not-found");
    assert!(found(world, &lot.id).iter().all(|item| item["sealed"] == false));
});

on_both!(one_person_is_not_two_and_another_body_has_no_say, |world| {
    mandates(world);
    let lot = world.lot(Category::Construction).noticed();
    let [first, second, third] = inspectors(world);
    let glass = ask(&first, &lot.id).ok();
    assert_eq!(glass["state"], "asked");
    entries(&first, &glass, "").refused(409, "break-glass-not-open");
    act(&first, &glass, "agree").refused(409, "second-person-needed");
    act(&third, &glass, "agree").refused(404, "not-found");
    act(&third, &glass, "withdraw").refused(404, "not-found");
    assert_eq!(third.get(GLASSES).ok()["items"], json!([]));
    assert_eq!(second.get(GLASSES).ok()["items"][0]["id"], glass["id"], "the second person finds it");
    act(&second, &glass, "agree").ok();
    act(&second, &glass, "agree").refused(409, "state-forbids");
    act(&second, &glass, "withdraw").ok();
    entries(&first, &glass, "").refused(409, "break-glass-not-open");
    act(&first, &glass, "withdraw").refused(409, "state-forbids");
});

on_both!(without_a_mandate_or_a_reason_nothing_is_broken, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let [first, second, _] = inspectors(world);
    ask(&first, &lot.id).refused(403, "mandate-missing");
    mandates(world);
    let wrong = |lot: &str, matter: &str, reason: &str| {
        first.post(GLASSES, &json!({ "lot_id": lot, "matter": matter, "reason": reason }))
    };
    wrong(&lot.id, "", "Why").refused(400, "matter-number-missing");
    wrong(&lot.id, MATTER, " ").refused(422, "body-invalid");
    wrong("lot-0192f0c1-7a3b-7c4d-8e5f-0123456789ab", MATTER, "Why").refused(404, "not-found");
    let glass = ask(&first, &lot.id).ok();
    world.set_clock(world.now().plus_millis(limits::BREAK_GLASS_ASKED_MS));
    act(&second, &glass, "agree").refused(409, "state-forbids");
});

on_both!(it_ends_by_itself_at_its_time_and_at_the_opening, |world| {
    let (lot, open) = broken(world, &["900000.00", "910000.00", "920000.00"]);
    let [first, second, _] = inspectors(world);
    world.set_clock(world.now().plus_millis(limits::BREAK_GLASS_OPEN_MS - 1));
    entries(&first, &open, "").ok();
    world.set_clock(world.now().plus_millis(1));
    entries(&first, &open, "").refused(409, "break-glass-not-open");
    let lot = lot.closed();
    let again = ask(&first, &lot.id).ok();
    act(&second, &again, "agree").ok();
    entries(&first, &again, "").ok();
    let lot = lot.opened();
    entries(&first, &again, "").refused(409, "break-glass-not-open");
    ask(&first, &lot.id).refused(409, "state-forbids");
});

on_both!(everything_is_on_record_and_no_entry_tells_how_many_there_are, |world| {
    let (lot, open) = broken(world, &["900000.00", "910000.00", "920000.00"]);
    let [first, ..] = inspectors(world);
    let mut after = String::new();
    let mut seen = 0;
    loop {
        let page = entries(&first, &open, &format!("?limit=1{after}")).ok();
        seen += page["items"].as_array().expect("items").len();
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert!(seen >= 3, "{seen}");
    let said: Vec<Value> = found(world, &lot.id)
        .into_iter()
        .filter(|item| item["kind"].as_str().is_some_and(|kind| kind.starts_with("break_glass.")))
        .collect();
    let kinds: Vec<&str> = said.iter().map(|item| item["kind"].as_str().expect("a kind")).collect();
    for (kind, count) in [("break_glass.asked", 1), ("break_glass.agreed", 1), ("break_glass.looked", 1)] {
        assert_eq!(kinds.iter().filter(|found| **found == kind).count(), count, "{kinds:?}");
    }
    for item in &said {
        let public = item["public"]["data"].as_object().cloned().unwrap_or_default();
        assert!(public.keys().all(|key| ["until", "break_glass"].contains(&key.as_str())), "{item}");
        assert_eq!(item["restricted"]["data"]["matter"], MATTER);
        assert_eq!(item["sealed"], false);
    }
    let report = first.get(format!("/v1/inspection/lots/{}/reports/access?matter={MATTER}", lot.id)).ok();
    let sections = report["sections"].as_array().expect("sections");
    let section = sections.iter().find(|section| section["id"] == "break_glass").expect("a section");
    assert_eq!(section["lines"].as_array().map(Vec::len), Some(3));
});
