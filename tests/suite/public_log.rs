//! The public log of a running platform: what everybody may fetch, what bidders get, and that nothing of an opening begins before the
//! set of bids is fixed for all to see.

use sealbid::features::bids;
use sealbid::kernel::digest::{Digest, sha256};
use sealbid::kernel::encoding::from_base64url;
use sealbid::rules::bid::BidEvent;
use sealbid::rules::editions::Category;
use sealbid::tlog::entry::leaf_hash;
use sealbid::tlog::note::Verifier;
use sealbid::tlog::policy::Policy;
use sealbid::tlog::proof::Proof;
use sealbid::tlog::receipt::Opening;
use sealbid::tlog::tiles::{self, Content, Tile};
use sealbid::tlog::tree::{Frontier, root_of_inclusion};
use sealbid::verify::disclosure;
use sealbid::worker::{log, scheduler, unsealer};
use serde_json::Value;

use crate::on_both;
use crate::support::loglab;
use crate::support::world::World;

/// The log of a world, as an outsider sees it who was given its key.
struct Outside<'w> {
    world: &'w World,
    policy: Policy,
}

impl<'w> Outside<'w> {
    fn of(world: &'w World) -> Self {
        let key = Verifier::parse(&world.app().log.signer().verifier().to_string()).expect("a verifier key");
        Self { world, policy: Policy::of_log(key) }
    }

    fn fetch(&self, path: &str) -> Vec<u8> {
        self.world.nobody("GET", format!("/audit/main/{path}")).send().ok_bytes()
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(self.fetch(path)).expect("text")
    }

    /// The entries of a log with bids in it, and padding.
    fn grown_by_many(&self) -> Vec<Digest> {
        self.world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
        self.world.settle();
        self.whole()
    }

    /// Rebuilds the tree from the entries and compares it with every tile and the checkpoint. Returns the commitments.
    fn whole(&self) -> Vec<Digest> {
        let head = self.policy.check(&self.text("checkpoint")).expect("a signed checkpoint").checkpoint;
        let (mut frontier, mut entries) = (Frontier::empty(), Vec::new());
        for n in 0..head.size.div_ceil(256) {
            let tile = Tile { content: Content::Entries, n, width: tiles::width_in(head.size, 0, n) };
            entries.extend(tiles::commitments(&self.fetch(&tile.to_string())).expect("a bundle"));
        }
        entries.iter().for_each(|entry| frontier.append(leaf_hash(entry)));
        assert_eq!((frontier.size(), frontier.root()), (head.size, head.root));
        for tile in tiles::all(head.size) {
            let hashes = tiles::hashes(&self.fetch(&tile.to_string())).expect("hashes");
            assert_eq!(hashes.len(), usize::from(tile.width), "{tile}");
        }
        entries
    }
}

/// What a receipt's file opens, checked against the log's key alone.
fn proven(policy: &Policy, file: &str) -> Value {
    let proof = Proof::parse(file).expect("a proof");
    let extra: Value = serde_json::from_slice(proof.extra.as_deref().expect("an opening")).expect("JSON");
    let opening: Opening = serde_json::from_value(extra).expect("an opening");
    let head = policy.check(&proof.checkpoint).expect("a signed checkpoint").checkpoint;
    let root = root_of_inclusion(proof.index, head.size, &leaf_hash(&opening.commitment()), &proof.hashes);
    assert_eq!(root, Some(head.root), "the proof leads to the signed root");
    serde_json::from_slice(&opening.p).expect("JSON")
}

on_both!(a_receipt_is_proven_by_the_log_within_a_tick_and_by_nobody_elses_word, |world| {
    let story = world.lot(Category::Construction).noticed();
    let act = story.bid(1, 1, "900000.00").ok();
    let path = format!("/v1/receipts/{}/proof", act["entry_id"].as_str().expect("an entry"));
    let early = world.bidder(1).get(&path);
    assert_eq!((early.status, early.header("retry-after")), (202, Some("5")));
    world.bidder(2).get(&path).refused(404, "not-found");
    world.settle();
    let answer = world.bidder(1).get(&path);
    assert_eq!(answer.status, 200);
    let outside = Outside::of(world);
    let said = proven(&outside.policy, &answer.text());
    assert_eq!((said["kind"].as_str(), &said["id"]), (Some("bid.submitted"), &act["entry_id"]));
    world.bidder(2).get(&path).refused(404, "not-found");
    let entries = outside.whole();
    assert!(entries.len() > 10, "the whole record is in it");
});

on_both!(no_key_is_used_before_the_set_of_bids_is_published_in_the_log, |world| {
    let story = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
    world.settle();
    world.set_clock(story.deadline().plus_seconds(10));
    let rounds = || {
        actix_web::rt::System::new().block_on(async {
            for _ in 0..5 {
                scheduler::round(world.app()).await.expect("a round");
                unsealer::round(world.app()).await.expect("a round");
            }
        });
    };
    rounds();
    assert_eq!((story.state().as_str(), story.unsealed()), ("opening", 0), "closed, and nothing unsealed");
    actix_web::rt::System::new().block_on(log::round(world.app())).expect("a tick");
    rounds();
    assert_eq!(story.unsealed(), 3);
});

on_both!(after_the_opening_everybody_can_check_the_public_part_of_every_entry_of_the_lot, |world| {
    let story = world.lot(Category::Construction).noticed().with_bids(&["900000.00", "910000.00", "920000.00"]);
    world.settle();
    let outside = Outside::of(world);
    let file = format!("disclosures/{}.ndjson", story.id);
    world.nobody("GET", format!("/audit/main/{file}")).send().refused(404, "not-found");
    let story = story.opened();
    world.settle();
    let text = outside.text(&file);
    let said = proven(&outside.policy, &outside.text(&format!("disclosures/{}.tlog-proof", story.id)));
    assert_eq!((said["kind"].as_str(), said["lot"].as_str()), (Some("lot.disclosed"), Some(story.id.as_str())));
    assert_eq!(said["data"]["sha256"], sha256(text.as_bytes()).to_string());
    let check = |text: &str| loglab::disclosed(world, &story.id, text);
    let whole = check(&text).expect("proven");
    let fact = |key: &str| whole.facts.iter().find(|fact| fact.key == key).map(|fact| fact.value.clone());
    assert_eq!(fact("fixed_bids"), Some(serde_json::json!([3])));
    // The bids were opened in the instant in which their set was fixed: this clock stands still.
    let at = |kind: &str| {
        let entries = text.lines().skip(1).map(public_part).filter(|p| p["kind"] == kind);
        entries.map(|p| p["at"].as_str().expect("an instant").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((at("bid.opened").len(), at("bids.fixed").len()), (3, 1));
    assert_eq!(at("bid.opened")[0], at("bids.fixed")[0]);
    // Without the stream of a bid it is refused.
    let bid = |line: &str| public_part(line)["stream"].clone();
    let left_out = text.lines().skip(1).find(|line| public_part(line)["kind"] == "bid.submitted").map(bid);
    let (first, lines) = text.split_once('\n').expect("lines");
    let others: Vec<&str> = lines.lines().filter(|line| Some(bid(line)) != left_out).collect();
    let mut first: Value = serde_json::from_str(first).expect("JSON");
    first["entries"] = others.len().into();
    let without = check(&format!("{first}\n{}\n", others.join("\n"))).expect_err("a bid is missing");
    assert!(without.finding().what.en.contains("set of bids"), "{without:?}");
});

/// What part `p` of a line says.
fn public_part(line: &str) -> Value {
    let line: Value = serde_json::from_str(line).expect("JSON");
    serde_json::from_slice(&from_base64url(line["p"].as_str().expect("part p")).expect("base64url")).expect("JSON")
}

#[test]
fn the_acts_that_count_for_a_set_of_bids_are_those_of_bidders() {
    let acts = [BidEvent::Submit, BidEvent::Replace, BidEvent::Confirm, BidEvent::Withdraw].map(bids::ops::kind);
    assert_eq!(disclosure::ACTS, acts);
}

on_both!(what_is_published_has_the_headers_of_its_kind_and_no_compression, |world| {
    world.nobody("GET", "/audit/main/checkpoint").send().refused(404, "not-found");
    world.lot(Category::Construction).noticed();
    world.settle();
    let outside = Outside::of(world);
    let size = outside.whole().len() as u64;
    let get = |path: &str| world.nobody("GET", format!("/audit/main/{path}")).header("Accept-Encoding", "gzip").send();
    let checkpoint = get("checkpoint");
    assert_eq!(checkpoint.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(checkpoint.header("cache-control"), Some("public, max-age=5"));
    let partial = Tile { content: Content::Entries, n: 0, width: tiles::width_in(size, 0, 0) };
    let tile = get(&partial.to_string());
    assert_eq!(tile.header("content-type"), Some("application/octet-stream"));
    assert!(tile.header("cache-control").is_some_and(|value| value.contains("immutable")));
    assert_eq!(tile.ok_bytes().len(), partial.byte_len());
    for wrong in [
        "tile/0/1",
        "tile/0/000.p/255",
        "tile/9/000",
        "tile/0/../../policy",
        "disclosures/..%2Fpolicy",
        "disclosures/x",
    ] {
        world.nobody("GET", format!("/audit/main/{wrong}")).send().refused(404, "not-found");
    }
    assert!(outside.text("policy").contains("quorum none"));
});

on_both!(the_bytes_of_leaves_are_those_of_chance, |world| {
    // As many ones as zeros, within six times what chance makes it differ; and no commitment twice.
    let entries = Outside::of(world).grown_by_many();
    let ones: u32 = entries.iter().flat_map(|entry| *entry.as_bytes()).map(u8::count_ones).sum();
    let bits = f64::from(u32::try_from(entries.len() * 256).expect("small"));
    assert!((f64::from(ones) - bits / 2.0).abs() < 6.0 * bits.sqrt() / 2.0, "{ones} of {bits}");
    let distinct: std::collections::BTreeSet<&Digest> = entries.iter().collect();
    assert_eq!(distinct.len(), entries.len());
});
