//! Payloads that are no bid: not there yet, other than their header says, or nonsense once they are opened.

use sealbid::kernel::digest::sha256;
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::Part;
use sealbid::seal::ids::Ident;
use sealbid::seal::manifest::{BID_PATH, Binding, FileEntry, Manifest};
use sealbid::seal::part_writer::write_part;
use sealbid::seal::sealing::seal_payload;
use serde_json::{Value, json};

use crate::bad_envelopes::{Price, bids, check_receipt, nothing_is_kept, price, submit};
use crate::on_both;
use crate::support::api::Person;
use crate::support::story::{LotStory, SEALED_CHUNK, jws, upload};
use crate::support::world::World;

on_both!(a_header_whose_payload_is_not_there_yet_may_be_repeated_once_it_is, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let (payload, sealed) = lot.seal_price(&bidder, Part::Price, "900000.00");
    let body = json!({ "envelopes": [jws(&lot.header(&bidder, Part::Price, 1, &payload))] });
    let send = || bidder.request("POST", bids(&lot)).key("the-bid").json(&body).send();
    send().refused(404, "upload-not-found");
    let new = json!({ "purpose": "bid", "size_bytes": sealed.len(), "root": payload.root });
    let id = bidder.post(format!("/v1/lots/{}/uploads", lot.id), &new).ok()["id"].as_str().expect("an id").to_owned();
    let problem = send().refused(409, "upload-incomplete");
    assert_eq!(problem["retry"], "same_request");
    assert!(problem["detail"].as_str().expect("a detail").contains(" 0"), "the missing chunk is not named: {problem}");
    bidder.post(format!("{}/check", bids(&lot)), &body).refused(409, "upload-incomplete");
    bidder.put_chunk(&id, 0, &sealed).ok();
    send().refused(409, "upload-incomplete");
    nothing_is_kept(&lot, &bidder);
    bidder.act(format!("/v1/uploads/{id}/actions/complete")).ok();
    assert_eq!(bidder.post(format!("{}/check", bids(&lot)), &body).ok(), json!({ "ok": true }));
    nothing_is_kept(&lot, &bidder);
    send().ok();
});

on_both!(a_header_that_comes_too_late_for_its_upload_is_late, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let (payload, sealed) = lot.seal_price(&bidder, Part::Price, "900000.00");
    let body = json!({ "envelopes": [jws(&lot.header(&bidder, Part::Price, 1, &payload))] });
    let new = json!({ "purpose": "bid", "size_bytes": sealed.len(), "root": payload.root });
    bidder.post(format!("/v1/lots/{}/uploads", lot.id), &new).ok();
    bidder.post(bids(&lot), &body).refused(409, "upload-incomplete");
    world.set_clock(lot.deadline());
    let problem = bidder.post(bids(&lot), &body).refused(409, "bid-late");
    check_receipt(world, &problem["refusal"]);
    bidder.post(format!("/v1/lots/{}/uploads", lot.id), &new).refused(409, "state-forbids");
});

#[test]
fn a_header_over_another_size_or_root_than_was_uploaded_finds_no_upload() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let bidder = world.bidder(1);
    let Price { mut payload, .. } = price(&lot, &bidder);
    payload.len += 1;
    submit(&lot, &bidder, &[jws(&lot.header(&bidder, Part::Price, 1, &payload))]).refused(404, "upload-not-found");
    payload.len -= 1;
    payload.root = sha256(b"another");
    submit(&lot, &bidder, &[jws(&lot.header(&bidder, Part::Price, 1, &payload))]).refused(404, "upload-not-found");
    nothing_is_kept(&lot, &bidder);
}

/// Submits a price part with exactly this text as its bid, for whatever lot the manifest inside names.
fn submit_contents(lot: &LotStory<'_>, person: &Person<'_>, named: &str, bid: &str) {
    let ident = |text: &str| Ident::parse(text, "test").expect("an id");
    let bidder = ident(&person.member.org_id);
    let binding = Binding { tender: ident(&lot.project), lot: ident(named), bidder, part: Part::Price };
    let file = FileEntry { path: BID_PATH.to_owned(), len: bid.len() as u64, sha256: sha256(bid.as_bytes()) };
    let manifest = Manifest::new(binding, vec![file]).expect("a manifest");
    let mut plain = Vec::new();
    write_part(&mut plain, &manifest, |_| Ok(bid.as_bytes())).expect("an archive");
    submit_plain(lot, person, &plain);
}

/// Submits a price part with exactly these bytes.
fn submit_plain(lot: &LotStory<'_>, person: &Person<'_>, plain: &[u8]) {
    let mut sealed = Vec::new();
    let payload = seal_payload(plain, &mut sealed, 1).expect("sealed");
    upload(person, &lot.id, "bid", &sealed, SEALED_CHUNK);
    submit(lot, person, &[jws(&lot.header(person, Part::Price, 1, &payload))]).ok();
}

on_both!(contents_that_make_no_sense_are_an_outcome_of_the_opening_and_stop_nobody, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let elsewhere = world.lot(Category::Construction).drafted();
    let cases = [
        (r#"{"amount":"900000.00","currency":"XXX"}"#, "unknown_currency"),
        (r#"{"amount":"900000.001","currency":"CNY"}"#, "wrong_decimals"),
        (r#"{"amount":"0.00","currency":"CNY"}"#, "amount_not_positive"),
        (r#"{"amount":"9e5","currency":"CNY"}"#, "bad_amount"),
        (r#"{"amount":"900000.00","amount":"1.00","currency":"CNY"}"#, "duplicate_key"),
    ];
    for (n, (bid, _)) in cases.iter().enumerate() {
        submit_contents(&lot, &world.bidder(n + 1), &lot.id, bid);
    }
    let good = r#"{"amount":"900000.00","currency":"CNY"}"#;
    submit_contents(&lot, &world.bidder(6), &elsewhere.id, good);
    submit_plain(&lot, &world.bidder(7), b"no archive at all");
    submit_contents(&lot, &world.bidder(8), &lot.id, good);
    let lot = lot.closed();
    let initiator = world.initiator();
    let opening = initiator.get(format!("/v1/lots/{}/opening", lot.id)).ok();
    let failures = opening["failures"].as_array().cloned().unwrap_or_default();
    assert_eq!(failures.len(), 7, "{opening}");
    assert!(
        !opening.to_string().contains("decimals"),
        "which bid failed is told to those who preside, not how: {opening}"
    );
    let act = |action: &str| format!("/v1/lots/{}/opening/actions/{action}", lot.id);
    for failed in failures {
        let cause =
            json!({ "bid_id": failed["bid_id"], "cause": "bidder", "reason": "What the bidder sealed is no bid." });
        initiator.post(act("attribute"), &cause).ok();
    }
    for action in ["read-out", "confirm", "close"] {
        initiator.act(act(action)).ok();
    }
    let record = world.nobody("GET", format!("/v1/lots/{}/opening", lot.id)).send().ok()["record"].clone();
    let reason_of = |n: usize| -> Value {
        let name = format!("{} Ltd", world.bidder(n).member.login);
        let bid = record["bids"].as_array().expect("bids").iter().find(|bid| bid["bidder"]["name"] == name.as_str());
        bid.unwrap_or_else(|| panic!("{name} is not in {record}"))["parts"][0]["reason"].clone()
    };
    for (n, (bid, reason)) in cases.iter().enumerate() {
        assert_eq!(reason_of(n + 1), *reason, "{bid}");
    }
    assert_eq!(reason_of(6), "manifest_mismatch");
    assert_ne!(reason_of(7), Value::Null);
    assert_eq!(reason_of(8), Value::Null, "the good bid is opened");
});
