//! Two bidders tell each other everything they are told, and ask again with every second. Whether a third organisation bids between
//! them shows in nothing: neither in places and sizes in the log nor in times, proofs and refusals.

use sealbid::rules::editions::Category;
use sealbid::tlog::checkpoint::Checkpoint;
use sealbid::tlog::note::Note;
use sealbid::tlog::proof::Proof;

use crate::support::api::Answer;
use crate::support::normal::Normaliser;
use crate::support::story::LotStory;
use crate::support::world::World;
use crate::twins::{self, PADDING, Transcript};

const HOUR_MS: i64 = 60 * 60 * 1000;
/// Seconds that they ask in after each bid; in the middle of them the log grows.
const SECONDS: usize = 4;

/// What the two know together.
struct Shared<'w> {
    world: &'w World,
    lot: LotStory<'w>,
    /// Their bids: who, and under which entry.
    bids: Vec<(usize, String)>,
    normal: Normaliser,
    seen: Transcript,
}

impl Shared<'_> {
    fn hear(&mut self, n: usize, answer: &Answer) {
        self.seen.push((format!("{} by bidder{n}", answer.asked), self.normal.answer(answer)));
    }

    fn bid(&mut self, n: usize, rev: u32) {
        let (body, _) = self.lot.uploaded_bid(n, rev, "900000.00");
        let answer = self.lot.submit(n, &body);
        self.hear(n, &answer);
        let act = answer.ok();
        self.bids.push((n, act["entry_id"].as_str().expect("an entry").to_owned()));
    }

    /// Both ask for the proofs of all their bids, the other's too, and for everything that is public.
    fn ask(&mut self) {
        for (owner, entry) in self.bids.clone() {
            for n in [1, 2] {
                let answer = self.world.bidder(n).get(format!("/v1/receipts/{entry}/proof"));
                self.hear(n, &answer);
                if answer.status == 200 {
                    assert_eq!(n, owner, "a proof is its owner's");
                    self.place(n, &Proof::parse(&answer.text()).expect("a proof"));
                }
            }
        }
        for n in [1, 2] {
            for path in ["/bids/mine", "", "/timeline", "/actions"] {
                let answer = self.world.bidder(n).get(self.lot.path(path));
                self.hear(n, &answer);
            }
        }
        let checkpoint = self.world.bidder(1).get("/audit/main/checkpoint");
        self.hear(1, &checkpoint);
        let mut files = Vec::new();
        twins::list(&self.world.app().config.audit.dir, &mut files);
        files.sort();
        self.seen.push(("files of the log".into(), files.join("\n")));
    }

    /// Where in its batch a leaf stands follows from its own random bits; in which batch, and how large the tree is, does not.
    fn place(&mut self, n: usize, proof: &Proof) {
        let text = Note::parse(&proof.checkpoint).expect("a note").text().to_owned();
        let size = Checkpoint::parse(&text).expect("a checkpoint").size;
        let batch = proof.index / u64::from(PADDING);
        self.seen.push((format!("a leaf of bidder{n}"), format!("batch {batch} of a tree of {size}")));
    }
}

/// One life of a lot: bidder 1, perhaps a third, bidder 2, and bidder 1 once more.
fn told(world: &World, third: bool) -> Transcript {
    let lot = world.lot(Category::Construction).noticed();
    let (start, mut shared) =
        (world.now(), Shared { world, lot, bids: Vec::new(), normal: Normaliser::default(), seen: Vec::new() });
    for (hours, n, rev) in [(24, 1, 1), (25, 3, 1), (26, 2, 1), (27, 3, 2), (28, 1, 2)] {
        world.advance_to(start.plus_millis(hours * HOUR_MS));
        match n {
            3 if third => drop(shared.lot.bid(3, rev, "890000.00").ok()),
            3 => (),
            n => shared.bid(n, rev),
        }
        for second in 0..SECONDS {
            world.tick();
            shared.ask();
            if second == SECONDS / 2 {
                world.settle();
            }
        }
    }
    shared.seen
}

fn nothing_shows(worlds: [World; 2]) {
    let [without, with] = worlds;
    twins::assert_alike(&told(&without, false), &told(&with, true));
}

#[test]
fn two_bidders_who_compare_all_they_get_do_not_learn_of_a_third_on_sqlite() {
    nothing_shows([twins::padded_sqlite(), twins::padded_sqlite()]);
}

#[test]
fn two_bidders_who_compare_all_they_get_do_not_learn_of_a_third_on_postgres() {
    if let (Some(one), Some(other)) = (twins::padded_postgres(), twins::padded_postgres()) {
        nothing_shows([one, other]);
    }
}
