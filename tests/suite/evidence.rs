//! Evidence: proofs in what inspectors are answered, and bundles that prove themselves to whoever trusts the keys alone.

use std::io::Write;
use std::process::Command;

use sealbid::kernel::digest::sha256;
use sealbid::rules::editions::Category;
use sealbid::seal::tar::{BLOCK_LEN, padding_len, parse};
use sealbid::tlog::evidence::{ENTRIES, MANIFEST};
use sealbid::tlog::note::Verifier;
use sealbid::tlog::policy::Policy;
use sealbid::verify::bundle;
use sealbid::verify::receipt;
use sealbid::verify::report::{Failure, Proven, Result};
use sealbid::verify::trust::Trust;
use serde_json::Value;

use crate::on_both;
use crate::support::steps::items;
use crate::support::world::World;

const ENTRIES_PATH: &str = "/v1/inspection/entries";

/// Publishes the list of keys, as a server does at its start.
fn name_keys(world: &World) {
    actix_web::rt::System::new().block_on(sealbid::worker::log::start(&world.data())).expect("keys are named");
}

fn log_key(world: &World) -> Verifier {
    Verifier::parse(&world.app().log.signer().verifier().to_string()).expect("a key")
}

/// Believes the log's policy, and the promise key where it is given.
fn trust(world: &World, with_promise: bool) -> Trust {
    let promise = Verifier::parse(&world.app().promise_verifier()).expect("a key");
    Trust::new(Some(Policy::of_log(log_key(world))), if with_promise { vec![promise] } else { Vec::new() })
}

fn check(trust: &Trust, bytes: &[u8]) -> Result<Proven> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    bundle::check(trust, "bundle.tar", &file)
}

/// The files of an archive: name, where its header stands, where its contents do, and their length.
fn members(bytes: &[u8]) -> Vec<(String, usize, usize, usize)> {
    let (mut at, mut found) = (0, Vec::new());
    loop {
        let block: &[u8; BLOCK_LEN] = bytes[at..at + BLOCK_LEN].try_into().expect("a block");
        if *block == [0; BLOCK_LEN] {
            return found;
        }
        let entry = parse(block).expect("a header");
        let len = usize::try_from(entry.len).expect("small");
        found.push((entry.path, at, at + BLOCK_LEN, len));
        at += BLOCK_LEN + len + padding_len(entry.len);
    }
}

fn fact(proven: &Proven, key: &str) -> Value {
    proven.facts.iter().find(|fact| fact.key == key).expect("the fact").value.clone()
}

on_both!(what_an_inspector_is_shown_has_its_leaf_and_its_proof_once_it_is_covered, |world| {
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "950000.00", "910000.00"]).opened();
    world.settle();
    let search = format!("{ENTRIES_PATH}?lot={}&limit=100", lot.id);
    let page = items(&world.inspector().look(&search).ok());
    assert!(page.iter().any(|item| item["kind"] == "bid.submitted"));
    let trust = trust(world, true);
    for item in &page {
        let id = item["entry_id"].as_str().expect("an id");
        let open = world.inspector().look(format!("{ENTRIES_PATH}/{id}")).ok();
        assert!(item["leaf_index"].is_u64(), "{item}");
        assert_eq!(open["entry"]["leaf_index"], item["leaf_index"]);
        let proof = open["proof"].as_str().expect("a proof");
        let included = receipt::included(&trust, "proof", proof).expect("it holds");
        assert_eq!(Some(included.index), item["leaf_index"].as_u64());
        assert_eq!(included.opening.commitment().to_string(), item["commitment"]);
    }
    let at = world.inspector().look(format!("/v1/inspection/lots/{}", lot.id)).ok();
    let used = at["rebuilt_from"].as_array().expect("entries");
    let size = at["log_size"].as_u64().expect("a size");
    assert!(used.len() > 3 && used.iter().all(|one| one["leaf_index"].as_u64().is_some_and(|leaf| leaf < size)));
    let shown = at["bids"].as_array().expect("bids").iter().chain([&at]).map(|one| one["entry_id"].clone());
    for entry in shown {
        assert!(used.iter().any(|one| one["entry_id"] == entry), "{entry} is not among what was used");
    }
    // The looks above are not covered before the next tick.
    let looks = items(&world.inspector().look(format!("{ENTRIES_PATH}?kind=inspection.looked&limit=1")).ok());
    assert_eq!(looks[0]["leaf_index"], Value::Null);
    let open = world.inspector().look(format!("{ENTRIES_PATH}/{}", looks[0]["entry_id"].as_str().expect("an id"))).ok();
    assert_eq!((&open["entry"]["leaf_index"], &open["proof"]), (&Value::Null, &Value::Null));
});

on_both!(a_bundle_is_proven_by_the_keys_alone_and_damage_anywhere_in_it_is_named, |world| {
    name_keys(world);
    let lot = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "950000.00", "910000.00"]).opened();
    world.settle();
    let path = format!("/v1/inspection/lots/{}/evidence", lot.id);
    let answer = world.inspector().look(&path);
    assert_eq!(answer.header("content-type"), Some("application/x-tar"));
    let bytes = answer.ok_bytes();
    let found = items(&world.inspector().look(format!("{ENTRIES_PATH}?lot={}&limit=100", lot.id)).ok());
    for with_promise in [true, false] {
        let proven = check(&trust(world, with_promise), &bytes).expect("proven");
        assert_eq!(fact(&proven, "entries"), found.len());
        assert_eq!(fact(&proven, "not_yet"), 0);
    }
    // Neither the log's list nor the manifest is believed for its own sake.
    let stranger = Verifier::parse(&sealbid::tlog::note::verifier_key("a/b", &[7; 32])).expect("a key");
    let outcome = check(&Trust::new(None, vec![stranger]), &bytes);
    assert!(matches!(outcome, Err(Failure::Undecided(_))), "{outcome:?}");

    let members = members(&bytes);
    let names: Vec<&str> = members.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names[..4], ["policy", "keys", "checkpoint", ENTRIES]);
    assert_eq!(names[names.len() - 2..], ["toc.csv", MANIFEST]);
    assert!(
        names.iter().any(|name| name.starts_with("tile/entries/"))
            && names.iter().any(|name| name.starts_with("tile/0/"))
    );
    let trusted = trust(world, true);
    for (number, (name, header, contents, len)) in members.iter().enumerate() {
        assert!(*len > 0, "{name}");
        for at in [*contents, contents + len / 2, contents + len - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x01;
            let Err(Failure::Refuted(finding)) = check(&trusted, &damaged) else { panic!("{name}, byte {at} passes") };
            assert!(finding.place.contains(name.as_str()), "{name}, byte {at}: {finding:?}");
        }
        // Headers and what fills up blocks are bytes too.
        for at in [*header, header + 100, header + 130, header + 400] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x01;
            assert!(
                matches!(check(&trusted, &damaged), Err(Failure::Refuted(_))),
                "header of {name}, byte {at} passes"
            );
        }
        if padding_len(*len as u64) > 0 {
            let mut damaged = bytes.clone();
            damaged[contents + len] = 1;
            assert!(matches!(check(&trusted, &damaged), Err(Failure::Refuted(_))), "after {name}");
        }
        // Without one of its files it is not what was signed.
        let next = members.get(number + 1).map_or(bytes.len() - 2 * BLOCK_LEN, |(_, header, ..)| *header);
        let without = [&bytes[..*header], &bytes[next..]].concat();
        assert!(matches!(check(&trusted, &without), Err(Failure::Refuted(_))), "without {name}");
    }
    for cut in [0, 100, BLOCK_LEN, bytes.len() / 2, bytes.len() - 2 * BLOCK_LEN, bytes.len() - 1] {
        assert!(matches!(check(&trusted, &bytes[..cut]), Err(Failure::Refuted(_))), "cut at {cut}");
    }
    assert!(matches!(check(&trusted, &[&bytes[..], &[0]].concat()), Err(Failure::Refuted(_))), "with more after it");

    // The record says that it was taken away, and which bytes they were.
    let search = format!("{ENTRIES_PATH}?kind=inspection.looked&limit=100");
    let looks = items(&world.inspector().look(search).ok());
    let made = looks.iter().find(|look| look["restricted"]["data"]["exported"].is_object()).expect("its end");
    assert_eq!(made["restricted"]["data"]["exported"]["sha256"], sha256(&bytes).to_string());
    assert_eq!(made["restricted"]["data"]["exported"]["rows"], found.len());

    // The program says the same, by its exit code.
    let file = tempfile::NamedTempFile::new().expect("a file");
    let run = |bytes: &[u8]| {
        std::fs::write(file.path(), bytes).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealbid"));
        command.args(["verify", "bundle", "--json", "--vkey", &log_key(world).to_string()]).arg(file.path());
        let output = command.output().expect("it runs");
        let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), said["verdict"].as_str().map(str::to_owned))
    };
    assert_eq!(run(&bytes), (Some(0), Some("proven".into())));
    assert_eq!(run(&bytes[..bytes.len() - 1]), (Some(1), Some("refuted".into())));
});

on_both!(a_bundle_shows_what_the_search_shows_and_no_more, |world| {
    let lot = world.lot(Category::Construction).noticed();
    let path = format!("/v1/inspection/lots/{}/evidence", lot.id);
    world.inspector().look("/v1/inspection/lots/lot-nothing/evidence").refused(404, "not-found");
    world.inspector().look("/v1/inspection/evidence?limit=3").refused(422, "body-invalid");
    world.inspector().get(&path).refused(400, "matter-number-missing");
    world.inspector().look(&path).refused(409, "state-forbids");
    name_keys(world);
    let lot = lot.with_bids(&["900000.00", "950000.00", "910000.00"]);
    world.settle();
    let texts = |bytes: &[u8]| -> Vec<Value> {
        let (_, _, at, len) = members(bytes).into_iter().find(|(name, ..)| name == ENTRIES).expect("entries");
        let text = std::str::from_utf8(&bytes[at..at + len]).expect("text");
        let part = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            assert!(line.get("i").is_none(), "the personal part is never shown");
            let p = sealbid::kernel::encoding::from_base64url(line["p"].as_str().expect("text")).expect("base64url");
            serde_json::from_slice(&p).expect("JSON")
        };
        text.lines().skip(1).map(part).collect()
    };
    let before = world.inspector().look(&path).ok_bytes();
    check(&trust(world, true), &before).expect("proven");
    assert!(texts(&before).iter().all(|p| p["kind"] != "bid.submitted"), "what is sealed is not in it");
    // What is recorded after the checkpoint waits for the next one.
    let project =
        world.inspector().look("/v1/inspection/evidence?include_looks=true&kind=inspection.looked").ok_bytes();
    let proven = check(&trust(world, true), &project).expect("proven");
    assert!(fact(&proven, "not_yet").as_u64().is_some_and(|count| count > 0), "{proven:?}");
    let lot = lot.opened();
    world.settle();
    let after = world.inspector().look(&path).ok_bytes();
    check(&trust(world, true), &after).expect("proven");
    assert_eq!(texts(&after).iter().filter(|p| p["kind"] == "bid.submitted").count(), 3);
    let all = world.inspector().look(format!("/v1/inspection/evidence?lot={}&kind=bid.submitted", lot.id)).ok_bytes();
    assert_eq!(fact(&check(&trust(world, true), &all).expect("proven"), "entries"), 3);
});
