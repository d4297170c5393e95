//! Exports: a search of the record as a file, whole or recognisably not.

use std::io::{Read, Write};
use std::net::TcpStream;

use sealbid::features::inspection::export::table::END;
use sealbid::features::inspection::model::EntryFilter;
use sealbid::features::inspection::queries;
use sealbid::features::mandates::model::Scope;
use sealbid::kernel::digest::sha256;
use sealbid::kernel::id::LookId;
use sealbid::kernel::time::Timestamp;
use sealbid::ledger::{Context, Record};
use sealbid::limits::EXPORT_PAGE;
use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, with_matter};
use crate::support::steps::items;
use crate::support::world::World;

const ENTRIES: &str = "/v1/inspection/entries";
const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";
const MARK: &str = "\u{feff}";

fn export(world: &World, accept: &str, language: &str, query: &str) -> Answer {
    let path = with_matter(&format!("{ENTRIES}{query}"));
    world.inspector().request("GET", path).header("Accept", accept).header("Accept-Language", language).send()
}

/// The entries of an NDJSON file, and its last line.
fn ndjson(world: &World, query: &str) -> (Vec<Value>, Value) {
    let file = String::from_utf8(export(world, NDJSON, "en", query).ok_bytes()).expect("UTF-8");
    assert!(file.ends_with('\n'));
    let mut lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let end = lines.pop().expect("a last line")["end"].clone();
    assert_eq!(end["rows"], lines.len());
    (lines, end)
}

/// The rows of a CSV file without its mark: names of columns, entries, the last row.
fn rows(file: &str) -> Vec<Vec<String>> {
    let text = file.strip_prefix(MARK).expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// A cell as it was before it was made harmless.
fn bare(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// All that the pages of a search show.
fn paged(world: &World, query: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.inspector().look(format!("{ENTRIES}{query}&limit=7{after}")).ok();
        seen.extend(items(&page));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return seen,
        }
    }
}

/// Puts so many things on record in one instant.
fn fill(world: &World, kind: &'static str, count: usize, text: &str) {
    let (context, text) = (Context::system(world.now(), "test"), text.to_owned());
    let filled = world.app().ledger.commit_blocking(context, move |tx| {
        (0..count).try_for_each(|_| {
            let stream = LookId::ordered(tx.now());
            tx.note(stream.as_str(), Record::new(kind).restricted("text", &text)).map(drop)
        })
    });
    filled.expect("on record");
}

on_both!(an_export_has_the_rows_that_the_pages_of_the_same_search_have, |world| {
    let lot = world.lot(Category::StateAsset).noticed().with_bids(&["510000.00", "520000.00"]).opened();
    fill(world, "test.noted", usize::try_from(EXPORT_PAGE).expect("small"), "x");
    world.tick();
    let user = &world.initiator().member.user_id;
    for query in [
        "?kind=test.noted".to_owned(),
        format!("?lot={}", lot.id),
        format!("?actor={user}"),
        format!("?to={}", world.now()),
        "?kind=nothing.such".to_owned(),
    ] {
        let paged = paged(world, &query);
        let (lines, _) = ndjson(world, &query);
        assert_eq!(lines, paged, "{query}");
        let file = String::from_utf8(export(world, CSV, "en", &query).ok_bytes()).expect("UTF-8");
        let rows = rows(&file);
        let (head, entries, end) = (&rows[0], &rows[1..rows.len() - 1], &rows[rows.len() - 1]);
        assert_eq!(entries.len(), paged.len(), "{query}");
        for (row, item) in entries.iter().zip(&paged) {
            for (name, cell) in head.iter().zip(row) {
                match item.get(name) {
                    Some(Value::String(text)) => assert_eq!(bare(cell), text, "{name}"),
                    Some(Value::Null) => assert_eq!(cell, "", "{name}"),
                    Some(value) => assert_eq!(&serde_json::from_str::<Value>(bare(cell)).expect("JSON"), value),
                    None => assert!(["at_local", "org_name", "actor_login"].contains(&name.as_str()), "{name}"),
                }
            }
        }
        assert_eq!((end[0].as_str(), end[3].as_str()), (END, format!("rows={}", paged.len()).as_str()));
    }
    assert!(paged(world, "?kind=test.noted").len() > 99, "more than one page of an export");
});

on_both!(a_table_opens_in_a_spreadsheet_and_computes_nothing, |world| {
    let name = "=HYPERLINK(\"http://example.org/\",\"某公司\")";
    let new = json!({ "identifier": { "scheme": "X-TEST", "id": "FORMULA-1" }, "name": name, "role": "bidder",
        "password": crate::support::cast::PASSWORD,
        "user": { "login": "formula", "name": "某人", "email": "formula@example.org" } });
    let made = world.nobody("POST", "/v1/organisations").key("formula").json(&new).send().ok();
    let org = made["id"].as_str().expect("an id");
    let answer = export(world, CSV, "zh-CN", &format!("?org={org}"));
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(answer.header("content-language"), Some("zh-CN"));
    assert!(answer.header("vary").is_some_and(|vary| vary.contains("Accept-Language")));
    let file_name = answer.header("content-disposition").expect("a file").to_owned();
    assert!(file_name.starts_with("attachment; filename=\"sealbid-entries-2026") && file_name.ends_with(".csv\""));
    let file = String::from_utf8(answer.ok_bytes()).expect("UTF-8");
    assert_eq!(file.matches(MARK).count(), 1, "one mark, at the beginning");
    assert!(file.ends_with("\r\n"));
    assert_eq!(file.matches('\n').count(), file.matches("\r\n").count(), "no other line end");
    let rows = rows(&file);
    assert_eq!(&rows[0][..4], ["记录编号", "记录时间(UTC)", "记录时间(北京时间)", "类型"]);
    assert_eq!(
        (rows[1][1].as_str(), rows[1][2].as_str()),
        ("2026-03-02T01:00:00.000Z", "2026-03-02T09:00:00.000+08:00")
    );
    assert!(rows.len() > 2);
    assert_eq!(rows[1][9], format!("'{name}"), "hidden behind an apostrophe");
    assert_eq!(bare(&rows[1][9]), name);
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell}");
    }
    let english = String::from_utf8(export(world, CSV, "en", "?kind=user.created").ok_bytes()).expect("UTF-8");
    assert!(english.starts_with("\u{feff}\"entry_id\",\"at\",\"at_local\",\"kind\""), "{english}");
});

on_both!(an_export_shows_neither_what_is_sealed_nor_what_is_outside_the_mandate, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let other = world.lot(Category::StateAsset).noticed();
    world.tick();
    let mandate = json!({ "user_id": world.inspector().member.user_id, "reach": "lots", "lots": [lot.id], "matter": "案-7",
        "until": world.now().plus_seconds(100 * 24 * 60 * 60), "reason": "An inquiry" });
    world.admin().post("/v1/inspection/mandates", &mandate).ok();
    let narrow = |query: &str| {
        let path = format!("{ENTRIES}?matter=%E6%A1%88-7{query}");
        world.inspector().request("GET", path).header("Accept", NDJSON).send()
    };
    let before = ndjson(world, &format!("?lot={}", lot.id)).0;
    let lot = lot.with_bids(&["900000.00", "910000.00", "920000.00"]);
    world.tick();
    assert_eq!(ndjson(world, &format!("?lot={}", lot.id)).0, before, "three bids change no export");
    let text = String::from_utf8(narrow("").ok_bytes()).expect("UTF-8");
    assert_eq!(text.lines().count(), before.len() + 1, "the lot's entries and the end");
    assert!(!text.contains(&other.id));
    assert_eq!(narrow(&format!("&lot={}", other.id)).text().lines().count(), 1, "the end alone");
    world
        .inspector()
        .request("GET", format!("{ENTRIES}?matter=X"))
        .header("Accept", CSV)
        .send()
        .refused(403, "mandate-missing");
    world.inspector().request("GET", ENTRIES).header("Accept", CSV).send().refused(400, "matter-number-missing");
    world.centre().request("GET", with_matter(ENTRIES)).header("Accept", CSV).send().refused(403, "role-forbidden");
    for cut in ["?limit=5", "?after=x"] {
        export(world, CSV, "en", cut).refused(422, "body-invalid");
    }
    let lot = lot.closed();
    let closed = world.now();
    let lot = lot.opened();
    let bids = |lines: &[Value]| lines.iter().filter(|line| line["kind"] == "bid.submitted").count();
    assert_eq!(bids(&ndjson(world, &format!("?lot={}", lot.id)).0), 3);
    assert_eq!(
        sealed_as_of(world, &lot.id, closed.plus_millis(-1)),
        0,
        "an export that began before the release shows none"
    );
    assert_eq!(sealed_as_of(world, &lot.id, world.now()), 3);
});

/// How many bids an export shows that stands for an instant.
fn sealed_as_of(world: &World, lot: &str, as_of: Timestamp) -> usize {
    let filter =
        EntryFilter { lot: Some(lot.to_owned()), kind: Some("bid.submitted".to_owned()), ..EntryFilter::default() };
    let found = world
        .app()
        .reader
        .read_blocking(move |conn| queries::entries(conn, &filter, &Scope::Everything, as_of, None, EXPORT_PAGE));
    found.expect("read").len()
}

on_both!(an_export_is_on_record_when_it_begins_and_when_it_ended, |world| {
    let lot = world.lot(Category::LandUse).drafted();
    let file = export(world, CSV, "zh-CN", &format!("?lot={}", lot.id)).ok_bytes();
    let looks = items(&world.inspector().look(format!("{ENTRIES}?kind=inspection.looked")).ok());
    let mut looks: Vec<&Value> =
        looks.iter().filter(|look| look["restricted"]["data"]["query"]["format"] == "csv").collect();
    looks.sort_by_key(|look| look["rev"].as_i64());
    let [look, end] = looks[..] else { panic!("a look and its end: {looks:?}") };
    assert_eq!((&look["rev"], &end["rev"], &end["stream"]), (&json!(1), &json!(2), &look["stream"]));
    for entry in [look, end] {
        assert_eq!(entry["restricted"]["data"]["query"]["filter"]["lot"], lot.id.as_str());
        assert_eq!(entry["restricted"]["data"]["matter"], crate::support::cast::MATTER);
        assert_eq!(entry["public"]["data"], Value::Null, "whom an inspector is after is not published");
    }
    assert_eq!(look["restricted"]["data"]["exported"], Value::Null);
    let rows = rows(&String::from_utf8(file.clone()).expect("UTF-8"));
    let exported = json!({ "rows": rows.len() - 2, "sha256": sha256(&file) });
    assert_eq!(end["restricted"]["data"]["exported"], exported);
    assert_eq!(rows[rows.len() - 1][4], look["entry_id"].as_str().expect("an id"), "the file names its look");
});

on_both!(an_export_that_breaks_off_has_no_last_line, |world| {
    // More than fits between a server that sends and a client that does not read.
    for _ in 0..20 {
        fill(world, "test.noted", 150, &"x".repeat(10_000));
    }
    world.tick();
    let mandate = json!({ "user_id": world.inspector().member.user_id, "reach": "all", "matter": "CASE-8",
        "until": world.now().plus_seconds(60), "reason": "An inquiry" });
    let granted = world.admin().post("/v1/inspection/mandates", &mandate).ok();
    let address = world.base().strip_prefix("http://").expect("an address");
    let mut connection = TcpStream::connect(address).expect("connected");
    let request = format!(
        "GET {ENTRIES}?kind=test.noted&matter=CASE-8 HTTP/1.1\r\nHost: {address}\r\nAccept: {NDJSON}\r\nAuthorization: Bearer {}\r\n\r\n",
        world.inspector().token()
    );
    connection.write_all(request.as_bytes()).expect("sent");
    let mut first = [0; 1_000];
    connection.read_exact(&mut first).expect("it begins");
    assert!(first.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&first));
    let end = format!("/v1/inspection/mandates/{}/actions/end", granted["id"].as_str().expect("an id"));
    world.admin().post(end, &json!({ "reason": "Enough" })).ok();
    let mut rest = Vec::new();
    // How a connection that is cut looks like is the system's choice.
    let _ = connection.read_to_end(&mut rest);
    let text = String::from_utf8_lossy(&rest);
    assert!(!text.contains("{\"end\":"), "no last line");
    assert!(!text.ends_with("0\r\n\r\n"), "nor an end of the answer");
    let looks = items(&world.inspector().look(format!("{ENTRIES}?kind=inspection.looked")).ok());
    let of_case: Vec<&Value> = looks.iter().filter(|look| look["restricted"]["data"]["matter"] == "CASE-8").collect();
    assert_eq!(of_case.len(), 1, "its beginning is on record, and no end");
});
