//! Stored payloads that the disk damages: found, told to their owner alone, put back byte for byte or not at all, and
//! where nobody could, the platform's fault and never the bidder's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::prelude::*;
use sealbid::db::schema::{audit_entry, damages, outbox};
use sealbid::kernel::digest::sha256;
use sealbid::limits;
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::Part;
use sealbid::seal::merkle::leaf_hash;
use sealbid::worker::watch;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Person};
use crate::support::looks::{self, Places};
use crate::support::steps::{blob, items};
use crate::support::stored::upload_for;
use crate::support::story::{LotStory, PLAIN_CHUNK, SEALED_CHUNK, jws, upload};
use crate::support::world::World;

const AMOUNTS: [&str; 3] = ["900000.00", "910000.00", "920000.00"];

/// A bid in the box, and the ciphertext that its owner has kept.
struct Kept {
    upload: String,
    sealed: Vec<u8>,
}

/// Bidder `n` bids and keeps what it sent.
fn bid(lot: &LotStory<'_>, n: usize, amount: &str, notify: bool) -> Kept {
    let bidder = lot.world.bidder(n);
    let (payload, sealed) = lot.seal_price(&bidder, Part::Price, amount);
    let upload = upload(&bidder, &lot.id, "bid", &sealed, SEALED_CHUNK);
    let envelope = jws(&lot.header(&bidder, Part::Price, 1, &payload));
    lot.submit(n, &json!({ "envelopes": [envelope], "notify": notify })).ok();
    Kept { upload, sealed }
}

fn three(lot: &LotStory<'_>) -> Vec<Kept> {
    AMOUNTS.iter().zip(1..).map(|(amount, n)| bid(lot, n, amount, false)).collect()
}

fn leaves_of(path: &Path) -> PathBuf {
    path.with_extension("leaves")
}

/// The disk returns another byte than it was given.
fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("stored");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("writable");
}

fn wanted(person: &Person<'_>, upload: &str) -> Value {
    person.get(format!("/v1/uploads/{upload}")).ok()["needs_restoration"].clone()
}

fn put_leaves(person: &Person<'_>, upload: &str, leaves: &[u8]) -> Answer {
    person.request("PUT", format!("/v1/uploads/{upload}/leaves")).bytes(leaves).send()
}

fn leaves(bytes: &[u8], chunk: usize) -> Vec<u8> {
    bytes.chunks(chunk).flat_map(|chunk| *leaf_hash(chunk).as_bytes()).collect()
}

/// Entries of a kind, as the database has them: whether each is sealed, and whose it is.
fn on_record(world: &World, kind: &'static str) -> Vec<(bool, Option<String>)> {
    let found = world.app().reader.read_blocking(|conn| {
        Ok(audit_entry::table
            .filter(audit_entry::kind.eq(kind))
            .select((audit_entry::sealed, audit_entry::org_id))
            .load(conn)?)
    });
    found.expect("read")
}

fn noted(world: &World) -> i64 {
    world.app().reader.read_blocking(|conn| Ok(damages::table.count().get_result(conn)?)).expect("read")
}

fn mails_about_damage(world: &World) -> Vec<(bool, String)> {
    let found = world.app().reader.read_blocking(|conn| {
        Ok(outbox::table
            .filter(outbox::subject.like("%Please send a file again%"))
            .select((outbox::sealed, outbox::body))
            .load(conn)?)
    });
    found.expect("read")
}

/// A day later everything has been read again; tells how many files.
fn scrub(world: &World) -> u32 {
    later(world, limits::SCRUB_EVERY_MS);
    world.scrub()
}

fn later(world: &World, ms: i64) {
    world.advance_to(world.now().plus_millis(ms));
}

on_both!(what_rots_is_found_told_to_its_owner_and_put_back_as_it_was, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let (mine, others) = (bid(&lot, 1, AMOUNTS[0], true), bid(&lot, 2, AMOUNTS[1], false));
    let path = blob(world, &mine.upload);
    assert_eq!(world.scrub(), 0, "what was just completed is as it was");
    assert_eq!(scrub(world), 3, "a document and two bids");
    assert_eq!((world.scrub(), noted(world)), (0, 0), "not again today");
    flip(&path, 7);
    assert_eq!(lot.mine(1)["needs_restoration"], json!([]), "nobody has looked");
    assert_eq!(scrub(world), 3);

    let (owner, other) = (world.bidder(1), world.bidder(2));
    let asked = json!([{ "first": 0, "last": 0 }]);
    assert_eq!(wanted(&owner, &mine.upload), json!({ "leaves": false, "chunks": asked }));
    let part = json!({ "part": "price", "upload_id": mine.upload, "leaves": false, "chunks": asked });
    let told = lot.mine(1);
    assert_eq!((&told["needs_restoration"], &told["state"]), (&json!([part]), &json!("submitted")));
    assert_eq!(lot.mine(2)["needs_restoration"], json!([]));
    assert_eq!(on_record(world, "payload.damaged"), [(true, Some(owner.member.org_id.clone()))]);
    let mails = mails_about_damage(world);
    assert!(matches!(mails.as_slice(), [(true, text)] if text.contains(&mine.upload)), "{mails:?}");
    assert_eq!(items(&world.inspector().look("/v1/inspection/entries?kind=payload.damaged").ok()), Vec::<Value>::new());

    // Only its owner, and only these bytes.
    let before = fs::read(&path).expect("stored");
    other.put_chunk(&mine.upload, 0, &mine.sealed).refused(404, "upload-not-found");
    let (_, anew) = lot.seal_price(&owner, Part::Price, "1.00");
    let mut changed = mine.sealed.clone();
    changed[9] ^= 1;
    for wrong in [&changed, &anew] {
        assert_eq!(wrong.len(), mine.sealed.len());
        let problem = owner.put_chunk(&mine.upload, 0, wrong).refused(422, "not-as-declared");
        assert_eq!(problem["retry"], "after_change");
    }
    other.put_chunk(&others.upload, 0, &others.sealed).refused(409, "state-forbids");
    assert_eq!(fs::read(&path).expect("stored"), before, "nothing was changed");
    assert_eq!(on_record(world, "payload.restored"), []);

    owner.put_chunk(&mine.upload, 0, &mine.sealed).ok();
    assert_eq!(fs::read(&path).expect("stored"), mine.sealed);
    assert_eq!((wanted(&owner, &mine.upload), lot.mine(1)["needs_restoration"].clone()), (Value::Null, json!([])));
    assert_eq!((noted(world), on_record(world, "payload.restored").len()), (0, 1));
    owner.put_chunk(&mine.upload, 0, &mine.sealed).refused(409, "state-forbids");
    later(world, limits::SCRUB_AGAIN_MS);
    world.scrub();
    assert_eq!((noted(world), on_record(world, "payload.damaged").len()), (0, 1));
});

on_both!(of_a_file_in_many_chunks_exactly_those_come_back_that_are_lost, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let owner = world.bidder(1);
    let bytes: Vec<u8> = (0..3 * SEALED_CHUNK + 9).map(|n| u8::try_from(n * 7 % 251).expect("below 256")).collect();
    let chunks: Vec<&[u8]> = bytes.chunks(SEALED_CHUNK).collect();
    let id = upload(&owner, &lot.id, "bid", &bytes, SEALED_CHUNK);
    let path = blob(world, &id);
    let mut stored = bytes.clone();
    stored[SEALED_CHUNK] ^= 1;
    stored.truncate(3 * SEALED_CHUNK);
    fs::write(&path, stored).expect("writable");
    scrub(world);
    let asked = |ranges: Value| json!({ "leaves": false, "chunks": ranges });
    assert_eq!(wanted(&owner, &id), asked(json!([{ "first": 1, "last": 1 }, { "first": 3, "last": 3 }])));
    owner.put_chunk(&id, 1, chunks[2]).refused(422, "not-as-declared");
    owner.put_chunk(&id, 4, chunks[3]).refused(422, "body-invalid");
    put_leaves(&owner, &id, &leaves(&bytes, SEALED_CHUNK)).ok();
    for _ in 0..2 {
        owner.put_chunk(&id, 3, chunks[3]).ok();
        assert_eq!(wanted(&owner, &id), asked(json!([{ "first": 1, "last": 1 }])), "sent twice, taken once");
    }
    // It rots on while it is being mended: the last chunk is not the end before all were read.
    flip(&path, 5);
    owner.put_chunk(&id, 1, chunks[1]).ok();
    assert_eq!(wanted(&owner, &id), asked(json!([{ "first": 0, "last": 0 }])));
    owner.put_chunk(&id, 0, chunks[0]).ok();
    assert_eq!(wanted(&owner, &id), Value::Null);
    assert_eq!(fs::read(&path).expect("stored"), bytes);
    assert_eq!(on_record(world, "payload.damaged"), [], "that somebody prepares a bid is on no record");
});

on_both!(lost_leaf_hashes_are_made_again_or_asked_for_first, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let kept = three(&lot);
    let owner = world.bidder(1);
    let (id, path) = (&kept[0].upload, blob(world, &kept[0].upload));
    fs::remove_file(leaves_of(&path)).expect("they were there");
    scrub(world);
    assert_eq!((wanted(&owner, id), noted(world)), (Value::Null, 0), "the bytes are whole: nobody is asked");
    assert!(leaves_of(&path).exists());

    flip(&path, 3);
    fs::write(leaves_of(&path), b"rubbish").expect("writable");
    scrub(world);
    assert_eq!(wanted(&owner, id), json!({ "leaves": true, "chunks": [] }));
    assert_eq!(lot.mine(1)["needs_restoration"][0]["leaves"], true);
    owner.put_chunk(id, 0, &kept[0].sealed).refused(409, "leaves-needed");
    let right = leaves(&kept[0].sealed, SEALED_CHUNK);
    put_leaves(&world.bidder(2), id, &right).refused(404, "upload-not-found");
    put_leaves(&owner, id, &leaves(&kept[1].sealed, SEALED_CHUNK)).refused(422, "not-as-declared");
    put_leaves(&owner, id, &right[1..]).refused(422, "body-invalid");
    put_leaves(&owner, id, &[right.as_slice(), &right].concat()).refused(413, "body-too-large");
    let before = on_record(world, "payload.damaged").len();
    let upload = put_leaves(&owner, id, &right).ok();
    assert_eq!(on_record(world, "payload.damaged").len(), before + 1, "now it is known which chunks are lost");
    assert_eq!(upload["needs_restoration"], json!({ "leaves": false, "chunks": [{ "first": 0, "last": 0 }] }));
    owner.put_chunk(id, 0, &kept[0].sealed).ok();
    put_leaves(&owner, id, &right).refused(409, "state-forbids");
    assert_eq!(wanted(&owner, id), Value::Null);
    lot.opened();
});

on_both!(after_the_deadline_and_within_the_opening_a_bid_comes_back_and_opens, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let kept = three(&lot);
    let (first, second) = (blob(world, &kept[0].upload), blob(world, &kept[1].upload));
    flip(&first, 3);
    scrub(world);
    world.set_clock(lot.deadline());
    world.bidder(1).put_chunk(&kept[0].upload, 0, &kept[0].sealed).ok();
    // This one nobody has seen before the unsealer does.
    fs::remove_file(&second).expect("it was there");
    let lot = lot.closed();
    assert_eq!((lot.unsealed(), lot.opening(&world.centre())["session"]["state"].clone()), (2, json!("unsealing")));
    assert_eq!(lot.mine(2)["needs_restoration"][0]["upload_id"], kept[1].upload);
    assert_eq!(on_record(world, "payload.damaged").len(), 2);
    lot.session(&world.centre(), "read-out").refused_by(409, "state-forbids", "PF-01");
    later(world, limits::RESTORATION_MS / 2);
    assert_eq!(lot.unsealed(), 2, "it is waited for");
    world.bidder(2).put_chunk(&kept[1].upload, 0, &kept[1].sealed).ok();
    world.settle();
    assert_eq!((lot.unsealed(), lot.opening(&world.centre())["failures"].clone()), (3, Value::Null));
    world.bidder(2).put_chunk(&kept[1].upload, 0, &kept[1].sealed).refused(409, "state-forbids");
    for action in ["read-out", "confirm", "close"] {
        lot.session(&world.initiator(), action).ok();
    }
    let record = lot.record();
    let bids = record["bids"].as_array().expect("bids");
    assert_eq!(bids.len(), 3);
    assert!(bids.iter().all(|bid| bid["outcome"] == "opened"), "{record}");
    for (kind, by) in [("payload.damaged", "system"), ("payload.restored", "bidder")] {
        let entries = items(&world.inspector().look(format!("/v1/inspection/entries?kind={kind}")).ok());
        assert_eq!(entries.len(), 2, "the opened lot tells what was damaged, and who put it back");
        assert!(entries.iter().all(|entry| entry["public"]["role"] == by), "{entries:?}");
    }
});

on_both!(what_nobody_puts_back_is_the_platforms_fault_and_not_the_bidders, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let kept = three(&lot);
    flip(&blob(world, &kept[2].upload), 3);
    let lot = lot.closed();
    later(world, limits::RESTORATION_MS - 71_000);
    assert_eq!(lot.unsealed(), 2, "not yet");
    later(world, 71_000);
    assert_eq!(lot.unsealed(), 3);
    let (initiator, owner) = (world.initiator(), world.bidder(3));
    let failures = lot.opening(&initiator)["failures"].clone();
    assert_eq!((failures.as_array().map(Vec::len), &failures[0]["damaged_in_storage"]), (Some(1), &json!(true)));
    owner.put_chunk(&kept[2].upload, 0, &kept[2].sealed).refused(409, "state-forbids");
    assert_eq!((wanted(&owner, &kept[2].upload), lot.mine(3)["needs_restoration"].clone()), (Value::Null, json!([])));
    let attribute = |cause: &str| {
        let said = json!({ "bid_id": lot.bid_id(3), "cause": cause, "reason": "A disk failed" });
        initiator.post(lot.path("/opening/actions/attribute"), &said)
    };
    attribute("bidder").refused(409, "damage-not-the-bidders");
    lot.session(&initiator, "read-out").refused_by(409, "failures-unattributed", "EB-05");
    attribute("platform").ok();
    for action in ["read-out", "confirm", "close"] {
        lot.session(&initiator, action).ok();
    }
    let record = lot.record();
    let failed: Vec<&Value> =
        record["bids"].as_array().expect("bids").iter().filter(|bid| bid["outcome"] != "opened").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((&failed[0]["outcome"], &failed[0]["cause"]), (&json!("undecrypted_withdrawn"), &json!("platform")));
    let part = &failed[0]["parts"][0];
    assert_eq!((&part["outcome"], &part["reason"]), (&json!("bad_payload"), &json!("damaged_in_storage")));
    // What is past mending is no alarm for ever.
    scrub(world);
    assert_eq!(noted(world), 0);
});

on_both!(what_a_bidder_sealed_wrongly_is_its_own_and_nobody_waits_for_it, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&AMOUNTS[..2]);
    let bidder = world.bidder(3);
    let (mut payload, mut sealed) = lot.seal_price(&bidder, Part::Price, AMOUNTS[2]);
    sealed[11] ^= 1;
    payload.root = leaf_hash(&sealed);
    upload(&bidder, &lot.id, "bid", &sealed, SEALED_CHUNK);
    lot.submit(3, &json!({ "envelopes": [jws(&lot.header(&bidder, Part::Price, 1, &payload))] })).ok();
    let lot = lot.closed();
    assert_eq!((lot.unsealed(), on_record(world, "payload.damaged")), (3, vec![]));
    let failures = lot.opening(&world.centre())["failures"].clone();
    assert_eq!(failures[0]["damaged_in_storage"], false);
    let said = json!({ "bid_id": lot.bid_id(3), "cause": "bidder", "reason": "It does not decrypt" });
    world.initiator().post(lot.path("/opening/actions/attribute"), &said).ok();
});

on_both!(a_file_that_its_operator_fetches_from_a_backup_is_whole_without_a_word_to_anybody, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let kept = three(&lot);
    let path = blob(world, &kept[0].upload);
    fs::remove_file(&path).expect("it was there");
    scrub(world);
    assert_eq!(noted(world), 1);
    fs::write(&path, &kept[0].sealed).expect("copied back");
    later(world, limits::SCRUB_AGAIN_MS);
    assert_eq!((world.scrub(), noted(world)), (1, 0), "only what is damaged is looked at again so soon");
    assert_eq!(on_record(world, "payload.restored").len(), 1);
    assert_eq!(mails_about_damage(world), [], "nobody has asked for mails");
    lot.opened();
});

on_both!(a_document_is_no_secret_and_comes_back_from_its_initiator, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let initiator = world.initiator();
    let content: Vec<u8> = (0..PLAIN_CHUNK + 5).map(|n| u8::try_from(n % 251).expect("below 256")).collect();
    lot.attach("drawings.pdf", &content);
    let id = world
        .app()
        .reader
        .read_blocking(|conn| {
            use sealbid::db::schema::documents;
            let row = documents::table.filter(documents::name.eq("drawings.pdf"));
            Ok(row.select(documents::upload_id).first::<String>(conn)?)
        })
        .expect("read");
    flip(&blob(world, &id), PLAIN_CHUNK + 1);
    scrub(world);
    assert_eq!(wanted(&initiator, &id)["chunks"], json!([{ "first": 1, "last": 1 }]));
    assert_eq!(on_record(world, "payload.damaged"), [(false, Some(initiator.member.org_id.clone()))]);
    assert!(matches!(mails_about_damage(world).as_slice(), [(false, _)]));
    initiator.put_chunk(&id, 1, &content[PLAIN_CHUNK..]).ok();
    assert_eq!((wanted(&initiator, &id), noted(world)), (Value::Null, 0));
});

on_both!(a_reserve_price_is_as_secret_as_a_bid_and_comes_back_from_its_initiator, |world| {
    let lot = world.lot(Category::LandUse).terms(&json!({ "reserve": "announced" })).noticed();
    let lot = lot.with_bids(&["120000.00", "115000.00", "130000.00"]);
    lot.seal_reserve(1, "110000.00").ok();
    let id = upload_for(world, "reserve").expect("it was uploaded");
    let path = blob(world, &id);
    let sent = fs::read(&path).expect("stored");
    flip(&path, 2);
    let (initiator, lot) = (world.initiator(), lot.closed());
    assert_eq!((lot.unsealed(), lot.opening(&initiator)["session"]["state"].clone()), (3, json!("unsealing")));
    assert_eq!(wanted(&initiator, &id)["chunks"], json!([{ "first": 0, "last": 0 }]));
    assert_eq!(on_record(world, "payload.damaged"), [(true, Some(initiator.member.org_id.clone()))]);
    world.bidder(1).put_chunk(&id, 0, &sent).refused(404, "upload-not-found");
    initiator.put_chunk(&id, 0, &sent).ok();
    world.settle();
    assert_eq!(lot.unsealed(), 4);
    let lot = lot.opened();
    assert_eq!(lot.state(), "opened");
});

/// What an operator and everybody without a bid see while something is damaged.
#[test]
fn that_a_bid_is_damaged_shows_to_nobody_but_its_owner() {
    let told = |upload: fn(&LotStory<'_>) -> String| {
        let world = World::sqlite();
        let lot = world.lot(Category::Construction).noticed();
        let id = upload(&lot);
        let look = || {
            actix_web::rt::System::new().block_on(watch::round(world.app(), false));
            let text = world.app().metrics.render();
            text.lines().filter(|line| line.starts_with("sealbid_storage_damaged")).collect::<String>()
        };
        assert_eq!(look(), "sealbid_storage_damaged 0");
        fs::remove_file(blob(&world, &id)).expect("it was there");
        scrub(&world);
        let damaged = look();
        let nothing = |prefix: &str| format!("{prefix}-{}", uuid::Uuid::new_v4());
        let document = world.nobody("GET", lot.path("/documents")).send().ok()["items"][0]["id"].clone();
        let places = Places {
            lot: lot.id.clone(),
            project: lot.project.clone(),
            document: document.as_str().expect("an id").to_owned(),
            question: nothing("qst"),
            org: world.bidder(1).member.org_id.clone(),
            upload: id.clone(),
            bid: nothing("bid"),
            entry: nothing("ent"),
            mail: nothing("msg"),
        };
        for seen in looks::look(&world, &places, false) {
            let text = seen.answer.text();
            let tells = ["payload.damaged", "needs_restoration", &id].into_iter().find(|word| text.contains(word));
            assert_eq!(tells, None, "{} by {}: {text}", seen.answer.asked, seen.who);
        }
        damaged
    };
    let of_bid = told(|lot| bid(lot, 1, AMOUNTS[0], true).upload);
    let of_nothing =
        told(|lot| upload(&lot.world.bidder(1), &lot.id, "bid", b"prepared, and never sent", SEALED_CHUNK));
    assert_eq!([of_bid, of_nothing], ["sealbid_storage_damaged 1"; 2], "an alarm does not tell that there is a bid");
}

on_both!(what_is_of_no_use_any_more_is_not_read_again_and_keeps_nothing_else_waiting, |world| {
    let old = world.lot(Category::Construction).noticed().with_bids(&AMOUNTS).opened();
    let lot = world.lot(Category::Construction).noticed();
    let kept = bid(&lot, 1, AMOUNTS[0], false);
    assert_eq!(scrub(world), 3, "two documents and the bid that is sealed still");
    flip(&blob(world, &kept.upload), 1);
    assert_eq!((scrub(world), noted(world)), (3, 1));
    assert_eq!(old.state(), "opened");
});

/// Bytes that were damaged on their way are the line's fault, and nothing is written.
#[test]
fn a_chunk_that_is_damaged_on_its_way_is_asked_for_again() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let kept = bid(&lot, 1, AMOUNTS[0], false);
    flip(&blob(&world, &kept.upload), 1);
    scrub(&world);
    let digest = sealbid::features::uploads::content_digest::format(&sha256(b"other"));
    let chunk = format!("/v1/uploads/{}/chunks/0", kept.upload);
    let put = world.bidder(1).request("PUT", chunk).header("Content-Digest", digest).bytes(&kept.sealed).send();
    put.refused(400, "content-digest-mismatch");
    assert_eq!(noted(&world), 1);
}

/// Whoever bids with our program runs the same command again.
#[test]
fn the_command_that_sealed_a_bid_sends_again_what_was_lost_of_it() {
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).noticed();
    let (bidder, here) = (world.bidder(1), tempfile::tempdir().expect("a directory"));
    let key = here.path().join("key.pem");
    fs::write(&key, &bidder.member.pem).expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("ours alone");
    let seal = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_sealbid"))
            .current_dir(here.path())
            .env("SEALBID_TOKEN", bidder.token())
            .args(["seal", "--server", world.base(), "--lot", &lot.id, "--key", "key.pem"])
            .args(more)
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    seal(&["--amount", AMOUNTS[0], "--currency", "CNY"]);
    let id = upload_for(&world, "bid").expect("it was uploaded");
    let path = blob(&world, &id);
    let sent = fs::read(&path).expect("stored");
    assert!(!seal(&[]).contains("damaged"));
    flip(&path, 4);
    fs::remove_file(leaves_of(&path)).expect("they were there");
    scrub(&world);
    assert_eq!(wanted(&bidder, &id)["leaves"], true);
    let said = seal(&[]);
    assert!(said.contains("was sent again") && said.contains("nothing has changed"), "{said}");
    assert_eq!((wanted(&bidder, &id), fs::read(&path).expect("stored")), (Value::Null, sent));
    assert_eq!(lot.mine(1)["rev"], 1, "it is the same bid");
}
