//! The inspector's two questions, and a lot as it stood: answered from the record, telling nothing before its time.

use sealbid::kernel::time::Timestamp;
use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::with_matter;
use crate::support::steps::items;
use crate::support::story::LotStory;
use crate::support::world::World;

fn report(world: &World, lot: &LotStory<'_>, name: &str) -> Value {
    let path = with_matter(&format!("/v1/inspection/lots/{}/reports/{name}", lot.id));
    world.inspector().request("GET", path).header("Accept-Language", "en").send().ok()
}

#[track_caller]
fn lines(report: &Value, section: &str) -> Vec<Value> {
    let sections = report["sections"].as_array().expect("sections");
    let found = sections.iter().find(|one| one["id"] == section).unwrap_or_else(|| panic!("no {section}: {report}"));
    found["lines"].as_array().expect("lines").clone()
}

fn at(world: &World, lot: &LotStory<'_>, at: Timestamp) -> Value {
    world.inspector().look(format!("/v1/inspection/lots/{}?at={at}", lot.id)).ok()
}

on_both!(the_deadline_report_says_of_every_bid_how_it_stood_against_the_deadline, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00"]);
    let (early, _) = lot.uploaded_bid(3, 1, "920000.00");
    let (late, _) = lot.uploaded_bid(4, 1, "930000.00");
    let deadline = lot.deadline();
    world.set_clock(deadline.plus_millis(-312));
    lot.submit(3, &early).ok();
    world.set_clock(deadline.plus_millis(7));
    lot.submit(4, &late).refused_by(409, "bid-late", "ENG-14");
    let before = report(world, &lot, "deadline");
    assert_eq!(before["complete"], false);
    assert!(before["note"].as_str().is_some_and(|note| note.starts_with("Sealed until the opening")), "{before}");
    for section in ["bids", "in_flight"] {
        assert_eq!(lines(&before, section), Vec::<Value>::new(), "{section} is sealed");
    }
    assert_eq!(lines(&before, "deadlines").len(), 1);
    let lot = lot.closed().opened();
    let after = report(world, &lot, "deadline");
    assert_eq!((&after["complete"], &after["deadline_at"]), (&json!(true), &json!(deadline)));
    let bids = lines(&after, "bids");
    let texts: Vec<&str> = bids.iter().map(|line| line["text"].as_str().expect("a text")).collect();
    assert_eq!(bids.len(), 4, "{texts:?}");
    assert!(texts[2].contains("bidder3 Ltd") && texts[2].contains("received 312 ms before the deadline"), "{texts:?}");
    assert!(texts[3].contains("received 7 ms after the deadline: refused (bid-late)"), "{texts:?}");
    assert_eq!(bids[2]["facts"]["received_at"], json!(deadline.plus_millis(-312)));
    assert_eq!(bids[2]["facts"]["margin_ms"], 312);
    assert_eq!(bids[2]["facts"]["deadline_entry_id"], lines(&after, "deadlines")[0]["entry_id"]);
    for line in bids.iter().chain(&lines(&after, "closing")) {
        let id = line["entry_id"].as_str().expect("an id");
        let entry = world.inspector().look(format!("/v1/inspection/entries/{id}")).ok();
        assert_eq!(entry["entry"]["at"], line["at"], "every line can be looked up");
    }
    assert!(after["cannot_show"].as_array().is_some_and(|lines| lines.len() > 3));
});

on_both!(the_access_report_names_key_uses_denials_powers_and_sessions_and_what_it_cannot_show, |world| {
    // Later than the accounts of everybody.
    world.tick();
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
    world.bidder(1).get(format!("/v1/bids/{}/payloads/price", lot.bid_id(1))).ok_bytes();
    lot.act(&world.centre(), "publish", &lot.schedule()).refused(403, "role-forbidden");
    let mandate = json!({ "user_id": world.inspector().member.user_id, "reach": "all", "matter": "CASE-9",
        "until": world.now().plus_seconds(60), "reason": "An inquiry" });
    world.admin().post("/v1/inspection/mandates", &mandate).ok();
    let login = json!({ "login": "centre", "password": crate::support::cast::PASSWORD });
    world.nobody("POST", "/v1/sessions").json(&login).send().ok();
    let before = report(world, &lot, "access");
    assert_eq!(lines(&before, "payloads"), Vec::<Value>::new(), "sealed until the opening");
    assert!(!before.to_string().contains("bidder1"), "who bids is sealed: {before}");
    let lot = lot.closed().opened();
    let after = report(world, &lot, "access");
    let kinds = |section: &str| -> Vec<String> {
        lines(&after, section).iter().map(|line| line["kind"].as_str().expect("a kind").to_owned()).collect()
    };
    // The last two are of one instant, in which entries have no order.
    let mut key = kinds("key");
    key[1..].sort();
    assert_eq!(key, ["key_set.created", "key.used", "lot.opening_begun"]);
    assert_eq!(kinds("payloads").iter().filter(|kind| *kind == "payload.read").count(), 1);
    assert_eq!(kinds("payloads").iter().filter(|kind| *kind == "envelope.unsealed").count(), 3);
    assert_eq!(kinds("denied"), ["access.denied"]);
    assert!(kinds("powers").contains(&"mandate.granted".to_owned()));
    assert_eq!(kinds("sessions"), ["session.started"]);
    assert_eq!(kinds("inspection").len(), 2, "both looks at this lot");
    let cannot = after["cannot_show"].to_string();
    assert!(cannot.contains("administers the servers, the database or a backup"), "{cannot}");
});

on_both!(a_report_is_a_page_to_print_in_the_language_that_is_asked_for, |world| {
    let lot = world.lot(Category::StateAsset).noticed();
    let ask = |name: &str, language: &str| {
        let path = with_matter(&format!("/v1/inspection/lots/{}/reports/{name}", lot.id));
        world.inspector().request("GET", path).header("Accept", "text/html").header("Accept-Language", language).send()
    };
    for (name, language, title) in [
        ("deadline", "zh-CN", "截止时间报告:是否接收了迟到的投标"),
        ("access", "en", "Access report: did someone look early?"),
    ] {
        let answer = ask(name, language);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(answer.header("content-language"), Some(language));
        assert!(
            answer.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'"))
        );
        let page = String::from_utf8(answer.ok_bytes()).expect("UTF-8");
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</body></html>\n"), "{page}");
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
        assert_eq!(page.matches("<table>").count(), page.matches("</table>").count());
    }
    ask("nothing", "en").refused(404, "not-found");
});

on_both!(a_report_needs_a_mandate_for_its_lot_and_is_on_record, |world| {
    let lot = world.lot(Category::LandUse).noticed();
    let other = world.lot(Category::LandUse).noticed();
    world.tick();
    let mandate = json!({ "user_id": world.inspector().member.user_id, "reach": "lots", "lots": [lot.id], "matter": "CASE-9",
        "until": world.now().plus_seconds(60), "reason": "An inquiry" });
    world.admin().post("/v1/inspection/mandates", &mandate).ok();
    let inspector = world.inspector();
    for below in ["/reports/deadline", "/reports/access", ""] {
        let path = |lot: &LotStory<'_>, matter: &str| format!("/v1/inspection/lots/{}{below}{matter}", lot.id);
        inspector.get(path(&lot, "?matter=CASE-9")).ok();
        inspector.get(path(&other, "?matter=CASE-9")).refused(404, "not-found");
        inspector.get(path(&lot, "?matter=CASE-8")).refused(403, "mandate-missing");
        inspector.get(path(&lot, "")).refused(400, "matter-number-missing");
    }
    let looks = items(&inspector.look("/v1/inspection/entries?kind=inspection.looked").ok());
    let asked = looks.iter().filter(|look| look["restricted"]["data"]["query"]["report"] == "access").count();
    assert_eq!(asked, 3, "those that showed nothing too");
});

on_both!(a_lot_is_shown_as_it_stood_at_any_instant_and_what_is_shown_is_what_was_committed, |world| {
    let draft = world.now();
    let lot = world.lot(Category::Construction).registered();
    world.tick();
    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    let noticed = world.now();
    let lot = lot.with_bids(&["900000.00", "910000.00", "920000.00"]);
    world.tick();
    lot.bid(1, 2, "890000.00").ok();
    let bid_at = world.now();
    world.tick();
    lot.withdraw(2).ok();
    lot.bid(4, 1, "940000.00").ok();
    world.tick();
    lot.act(&world.centre(), "hold", &json!({ "kind": "order", "reason": "An inquiry" }));
    assert_eq!(at(world, &lot, noticed)["state"], "noticed");
    assert_eq!(at(world, &lot, draft)["state"], "registered", "everything before the notice was in one instant");
    let early = draft.plus_millis(-1);
    world.inspector().look(format!("/v1/inspection/lots/{}?at={early}", lot.id)).refused(404, "not-found");
    let sealed = at(world, &lot, world.now());
    assert_eq!((&sealed["bids_released"], &sealed["bids"]), (&json!(false), &json!([])), "sealed until the opening");
    assert_eq!(sealed["verified"], true);
    assert_eq!(sealed["documents"].as_array().map(Vec::len), Some(1));
    for hold in lot.holds() {
        lot.act(&world.centre(), "release", &json!({ "kind": hold, "reason": "Settled" })).ok();
    }
    let lot = lot.closed();
    let closed = lot.deadline().plus_seconds(6);
    let lot = lot.opened();
    let then = at(world, &lot, bid_at);
    let bids = then["bids"].as_array().expect("bids");
    assert_eq!(bids.len(), 3, "the fourth came later: {then}");
    assert!(bids.iter().all(|bid| bid["verified"] == true), "{then}");
    let first = bids.iter().find(|bid| bid["bid_id"] == lot.bid_id(1)).expect("the first bid");
    assert_eq!(
        (&first["rev"], &first["state"], &first["received_at"]),
        (&json!(2), &json!("submitted"), &json!(bid_at))
    );
    assert_eq!(then["state"], "noticed");
    assert_eq!(then["deadline_at"], json!(lot.deadline()));
    let after = at(world, &lot, closed.plus_seconds(600));
    assert_eq!(after["verified"], true, "{after}");
    live_row_equals(world, &lot);
});

/// What is shown for now is the live row, of the lot and of every bid.
fn live_row_equals(world: &World, lot: &LotStory<'_>) {
    use diesel::prelude::*;
    use sealbid::db::schema::{bids, lots};
    use sealbid::features::bids::model::BidRow;
    use sealbid::features::lots::model::LotRow;
    let id = lot.id.clone();
    let (row, stored) = world
        .app()
        .reader
        .read_blocking(move |conn| {
            let row: LotRow = lots::table.find(&id).select(LotRow::as_select()).first(conn)?;
            let stored: Vec<BidRow> = bids::table
                .filter(bids::lot_id.eq(&id))
                .order(bids::id.asc())
                .select(BidRow::as_select())
                .load(conn)?;
            Ok((row, stored))
        })
        .expect("read");
    let now = at(world, lot, world.now());
    assert_eq!(now["row"], serde_json::to_value(&row).expect("JSON"));
    let shown = now["bids"].as_array().expect("bids");
    assert_eq!(shown.len(), stored.len());
    for (shown, stored) in shown.iter().zip(&stored) {
        assert_eq!(shown["bid_id"], stored.id.as_str());
        assert_eq!((&shown["version"], &shown["state"]), (&json!(stored.version), &json!(stored.state)));
        assert_eq!(shown["verified"], true, "{shown}");
    }
}
