//! Uploads and documents: bytes come in any order and more than once, and are only ever what was declared.

use std::collections::BTreeSet;

use diesel::prelude::*;
use sealbid::db::schema::audit_entry::dsl;
use sealbid::kernel::digest::sha256;
use sealbid::limits;
use sealbid::rules::editions::Category;
use sealbid::seal::merkle::MerkleTree;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::Person;
use crate::support::story::{LotStory, PLAIN_CHUNK, SEALED_CHUNK, upload};
use crate::support::world::World;

/// Bytes that differ everywhere.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from(n.wrapping_mul(31) % 251).expect("below 256")).collect()
}

fn root(bytes: &[u8], chunk: usize) -> String {
    let mut tree = MerkleTree::new();
    bytes.chunks(chunk).for_each(|chunk| tree.push_chunk(chunk));
    tree.root().to_string()
}

fn uploads(lot: &LotStory<'_>) -> String {
    format!("/v1/lots/{}/uploads", lot.id)
}

/// Announces an upload of these bytes and returns its id.
fn announce(person: &Person<'_>, lot: &LotStory<'_>, purpose: &str, bytes: &[u8], chunk: usize) -> String {
    let new = json!({ "purpose": purpose, "size_bytes": bytes.len(), "root": root(bytes, chunk) });
    person.post(uploads(lot), &new).ok()["id"].as_str().expect("an id").to_owned()
}

fn complete(upload: &str) -> String {
    format!("/v1/uploads/{upload}/actions/complete")
}

fn attach(person: &Person<'_>, lot: &LotStory<'_>, upload: &str, name: &str) -> crate::support::api::Answer {
    person.post(
        format!("/v1/lots/{}/documents", lot.id),
        &json!({ "upload_id": upload, "name": name, "media_type": "application/pdf" }),
    )
}

on_both!(chunks_come_in_any_order_and_twice_and_what_is_missing_is_listed, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let bytes = content(3 * SEALED_CHUNK + 5);
    let chunks: Vec<&[u8]> = bytes.chunks(SEALED_CHUNK).collect();
    let id = announce(&bidder, &lot, "bid", &bytes, SEALED_CHUNK);
    let missing = || bidder.get(format!("/v1/uploads/{id}")).ok()["missing"].clone();
    assert_eq!(missing(), json!([{ "first": 0, "last": 3 }]));
    bidder.put_chunk(&id, 3, chunks[3]).ok();
    bidder.put_chunk(&id, 1, chunks[1]).ok();
    assert_eq!(missing(), json!([{ "first": 0, "last": 0 }, { "first": 2, "last": 2 }]));
    bidder.put_chunk(&id, 1, chunks[1]).ok();
    let problem = bidder.act(complete(&id)).refused(409, "upload-incomplete");
    assert!(problem["detail"].as_str().expect("a detail").contains("0, 2"), "{problem}");
    // Other bytes first, the right ones later: the last that came count.
    bidder.put_chunk(&id, 0, chunks[2]).ok();
    bidder.put_chunk(&id, 2, chunks[2]).ok();
    assert_eq!(missing(), json!([]));
    bidder.act(complete(&id)).refused(422, "upload-mismatch");
    assert_eq!(bidder.get(format!("/v1/uploads/{id}")).ok()["state"], "open");
    bidder.put_chunk(&id, 0, chunks[0]).ok();
    let done = bidder.act(complete(&id)).ok();
    assert_eq!((&done["state"], &done["missing"], &done["chunk_count"]), (&json!("complete"), &json!([]), &json!(4)));
    assert_eq!(bidder.act(complete(&id)).ok(), done, "complete is complete");
    bidder.put_chunk(&id, 0, chunks[0]).refused(409, "state-forbids");
    assert_eq!(bidder.get(format!("/v1/uploads/{id}")).ok(), done);
});

#[test]
fn a_chunk_that_is_not_what_it_says_is_refused() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let bytes = content(SEALED_CHUNK + 10);
    let id = announce(&bidder, &lot, "bid", &bytes, SEALED_CHUNK);
    let put = |n: &str| bidder.request("PUT", format!("/v1/uploads/{id}/chunks/{n}"));
    let digest = |bytes: &[u8]| sealbid::features::uploads::content_digest::format(&sha256(bytes));
    let last = &bytes[SEALED_CHUNK..];
    put("1").bytes(last).send().refused(400, "content-digest-missing");
    put("1").header("Content-Digest", "sha-512=:AAAA:").bytes(last).send().refused(400, "content-digest-missing");
    put("1").header("Content-Digest", digest(b"other")).bytes(last).send().refused(400, "content-digest-mismatch");
    bidder.put_chunk(&id, 1, &last[..9]).refused(422, "body-invalid");
    bidder.put_chunk(&id, 1, b"").refused(422, "body-invalid");
    bidder.put_chunk(&id, 1, &bytes[..11]).refused(413, "body-too-large");
    bidder.put_chunk(&id, 0, last).refused(422, "body-invalid");
    bidder.put_chunk(&id, 2, last).refused(422, "body-invalid");
    bidder.put_chunk(&id, u32::MAX as usize, last).refused(422, "body-invalid");
    for n in ["-1", "4294967296", "x", "1e0"] {
        put(n).header("Content-Digest", digest(last)).bytes(last).send().refused(404, "not-found");
    }
    assert_eq!(bidder.get(format!("/v1/uploads/{id}")).ok()["missing"], json!([{ "first": 0, "last": 1 }]));
}

#[test]
fn an_upload_is_declared_within_bounds_by_who_may_and_while_it_may_be_of_use() {
    let world = World::sqlite();
    let draft = world.lot(Category::Construction).drafted();
    let lot = world.lot(Category::Construction).noticed();
    let (bidder, initiator) = (world.bidder(1), world.initiator());
    let new = |purpose: &str, size: u64| json!({ "purpose": purpose, "size_bytes": size, "root": "00".repeat(32) });
    bidder.post(uploads(&lot), &new("bid", 0)).refused(422, "body-invalid");
    bidder.post(uploads(&lot), &new("bid", u64::MAX)).refused(422, "body-invalid");
    bidder.post(uploads(&lot), &new("bid", 5 << 30)).refused(422, "body-invalid");
    initiator.post(uploads(&lot), &new("document", limits::DOCUMENT_BYTES + 1)).refused(422, "body-invalid");
    initiator.post(uploads(&lot), &new("reserve", 1 << 20)).refused(422, "body-invalid");
    bidder.post(uploads(&lot), &new("photograph", 1)).refused(422, "body-invalid");
    for root in ["", "00", "zz", &"AB".repeat(32)] {
        bidder
            .post(uploads(&lot), &json!({ "purpose": "bid", "size_bytes": 1, "root": root }))
            .refused(422, "body-invalid");
    }
    bidder
        .post(uploads(&lot), &json!({ "purpose": "bid", "size_bytes": -1, "root": "00".repeat(32) }))
        .refused(422, "body-invalid");
    bidder.post(uploads(&lot), &new("document", 1)).refused(404, "not-found");
    bidder.post(uploads(&draft), &new("bid", 1)).refused(404, "not-found");
    initiator.post(uploads(&lot), &new("bid", 1)).refused(403, "role-forbidden");
    world.person("initiator2").post(uploads(&lot), &new("document", 1)).refused(404, "not-found");
    world.set_clock(lot.deadline());
    bidder.post(uploads(&lot), &new("bid", 1)).refused(409, "state-forbids");
}

on_both!(an_upload_does_not_exist_for_anybody_but_its_owner, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let (owner, other) = (world.bidder(1), world.bidder(2));
    let bytes = content(100);
    let id = announce(&owner, &lot, "bid", &bytes, SEALED_CHUNK);
    for stranger in [&other, &world.initiator()] {
        stranger.get(format!("/v1/uploads/{id}")).refused(404, "upload-not-found");
        stranger.put_chunk(&id, 0, &bytes).refused(404, "upload-not-found");
        stranger.act(complete(&id)).refused(404, "upload-not-found");
    }
    let nothing = "upl-0192f0c1-7a3b-7c4d-8e5f-0123456789ab";
    let (foreign, none) = (other.get(format!("/v1/uploads/{id}")), other.get(format!("/v1/uploads/{nothing}")));
    assert_eq!(
        without_id(&foreign.json()),
        without_id(&none.json()),
        "what is another's and what is nobody's look alike"
    );
    attach(&world.initiator(), &lot, &id, "a.pdf").refused(404, "upload-not-found");
    for path in ["..%2F..%2Fkeys", "a", "upl-.."] {
        owner.get(format!("/v1/uploads/{path}")).refused(404, "upload-not-found");
    }
});

fn without_id(problem: &Value) -> Value {
    let mut problem = problem.clone();
    problem["request_id"] = Value::Null;
    problem
}

on_both!(an_organisation_uploads_no_more_to_a_lot_than_its_quota, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let new = |size: u64| json!({ "purpose": "bid", "size_bytes": size, "root": "00".repeat(32) });
    let large = 4 << 30;
    let fitting = limits::UPLOAD_LOT_BYTES / large - 1;
    for _ in 0..fitting {
        bidder.post(uploads(&lot), &new(large)).ok();
    }
    bidder.post(uploads(&lot), &new(large)).ok();
    bidder.post(uploads(&lot), &new(1)).refused(409, "upload-quota-exceeded");
    world.bidder(2).post(uploads(&lot), &new(large)).ok();
    let elsewhere = world.lot(Category::Construction).noticed();
    bidder.post(uploads(&elsewhere), &new(large)).ok();
    // What nothing used is gone a week after the deadline, and its room with it.
    world.advance_to(lot.deadline().plus_millis(limits::UPLOAD_KEEP_MS + 1_000));
    let left: i64 = world
        .app()
        .reader
        .read_blocking(|conn| {
            Ok(sealbid::db::schema::uploads::table
                .filter(sealbid::db::schema::uploads::attached_to.is_null())
                .count()
                .get_result(conn)?)
        })
        .expect("read");
    assert_eq!(left, 0);
});

on_both!(a_document_comes_back_as_it_was_attached_with_its_digest, |world| {
    let lot = world.lot(Category::Construction).drafted();
    let initiator = world.initiator();
    let bytes = content(2 * PLAIN_CHUNK + 7);
    let id = upload(&initiator, &lot.id, "document", &bytes, PLAIN_CHUNK);
    let document = attach(&initiator, &lot, &id, "图纸 \"A\" 'x';1%.pdf").ok();
    assert_eq!(
        (document["size_bytes"].as_u64(), &document["sha256"]),
        (Some(bytes.len() as u64), &json!(sha256(&bytes)))
    );
    let path = format!("/v1/documents/{}/content", document["id"].as_str().expect("an id"));
    let fetched = initiator.get(&path);
    assert_eq!(fetched.status, 200);
    assert_eq!(
        fetched.header("content-digest"),
        Some(sealbid::features::uploads::content_digest::format(&sha256(&bytes)).as_str())
    );
    assert_eq!(fetched.header("content-type"), Some("application/pdf"));
    assert_eq!(fetched.header("x-content-type-options"), Some("nosniff"));
    let disposition = fetched.header("content-disposition").expect("an attachment");
    let (fallback, encoded) = disposition.split_once("; filename*=UTF-8''").expect("both names");
    assert_eq!(fallback, "attachment; filename=\"__ _A_ _x__1_.pdf\"");
    assert!(!encoded.contains(['"', ';', ' ', '\'']), "{encoded}");
    let etag = fetched.header("etag").expect("a version").to_owned();
    assert_eq!(fetched.body, bytes);
    let known = initiator.request("GET", &path).header("If-None-Match", etag).send();
    assert_eq!((known.status, known.body.len()), (304, 0));
    // One upload is one document.
    attach(&initiator, &lot, &id, "again.pdf").refused(409, "upload-attached-elsewhere");
});

#[test]
fn a_document_is_attached_from_ones_own_complete_upload_under_a_plain_name() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).drafted();
    let elsewhere = world.lot(Category::Construction).drafted();
    let initiator = world.initiator();
    let bytes = content(10);
    let open = announce(&initiator, &lot, "document", &bytes, PLAIN_CHUNK);
    let problem = attach(&initiator, &lot, &open, "a.pdf").refused(409, "upload-incomplete");
    assert!(problem["detail"].as_str().expect("a detail").contains(" 0"), "{problem}");
    let id = upload(&initiator, &lot.id, "document", &bytes, PLAIN_CHUNK);
    let long = format!("{}.pdf", "x".repeat(limits::NAME_LEN));
    for name in
        ["", " ", "../a.pdf", "a/b.pdf", "a\\b.pdf", ".hidden", "a\r\nX: y.pdf", "a\u{0}.pdf", " a.pdf", long.as_str()]
    {
        attach(&initiator, &lot, &id, name).refused(422, "body-invalid");
    }
    for media_type in ["", "pdf", "text/html; charset=utf-8", "text/html\r\nX: y", "a/b/c"] {
        let body = json!({ "upload_id": id, "name": "a.pdf", "media_type": media_type });
        initiator.post(format!("/v1/lots/{}/documents", lot.id), &body).refused(422, "body-invalid");
    }
    attach(&initiator, &elsewhere, &id, "a.pdf").refused(422, "upload-mismatch");
    let other = world.person("initiator2");
    attach(&other, &lot, &id, "a.pdf").refused(404, "upload-not-found");
    attach(&initiator, &lot, &id, "a.pdf").ok();
}

/// How often the record says that an organisation fetched documents of a lot.
fn fetches(world: &World, lot: &str, org: &str) -> i64 {
    let (lot, org) = (lot.to_owned(), org.to_owned());
    let count = world.app().reader.read_blocking(move |conn| {
        Ok(dsl::audit_entry
            .filter(dsl::kind.eq("document.fetched"))
            .filter(dsl::lot_id.eq(lot))
            .filter(dsl::org_id.eq(org))
            .count()
            .get_result(conn)?)
    });
    count.expect("read")
}

on_both!(the_first_fetch_is_on_record_once_however_many_come_at_once, |world| {
    let lot = world.lot(Category::Construction).noticed();
    lot.attach("second.pdf", b"More of it.");
    let documents = world.nobody("GET", format!("/v1/lots/{}/documents", lot.id)).send().ok();
    let paths: Vec<String> = documents["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| format!("/v1/documents/{}/content", item["id"].as_str().expect("an id")))
        .collect();
    assert_eq!(paths.len(), 2);
    let statuses: BTreeSet<u16> = std::thread::scope(|scope| {
        let fetch = |n: usize| {
            let path = &paths[n % 2];
            scope.spawn(move || world.bidder(1).get(path).status)
        };
        let running: Vec<_> = (0..10).map(fetch).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(statuses, BTreeSet::from([200]));
    assert_eq!(fetches(world, &lot.id, &world.bidder(1).member.org_id), 1);
    for looker in [world.initiator(), world.centre(), world.inspector()] {
        looker.get(&paths[0]).ok_bytes();
        assert_eq!(fetches(world, &lot.id, &looker.member.org_id), 0, "{} looks by office", looker.member.login);
    }
    world.bidder(2).get(&paths[0]).ok_bytes();
    assert_eq!(fetches(world, &lot.id, &world.bidder(2).member.org_id), 1);
    world.nobody("GET", &paths[0]).send().refused(401, "not-signed-in");
});

on_both!(documents_are_for_nobody_else_before_the_notice, |world| {
    let lot = world.lot(Category::Construction).drafted();
    let list = format!("/v1/lots/{}/documents", lot.id);
    let initiator = world.initiator();
    let documents = initiator.get(&list).ok();
    let path = format!("/v1/documents/{}/content", documents["items"][0]["id"].as_str().expect("an id"));
    for stranger in [world.bidder(1), world.centre(), world.inspector(), world.admin(), world.person("initiator2")] {
        stranger.get(&list).refused(404, "not-found");
        stranger.get(&path).refused(404, "not-found");
    }
    lot.act(&initiator, "submit", &Value::Null).ok();
    world.centre().get(&path).ok_bytes();
    world.bidder(1).get(&path).refused(404, "not-found");
    lot.act(&world.centre(), "accept", &Value::Null).ok();
    world.bidder(1).get(&path).refused(404, "not-found");
    world.nobody("GET", &list).send().refused(404, "not-found");
    lot.act(&initiator, "publish", &lot.schedule()).ok();
    assert_eq!(world.nobody("GET", &list).send().ok(), documents);
    world.bidder(1).get(&path).ok_bytes();
});
