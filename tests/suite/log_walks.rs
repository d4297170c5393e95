//! Walks: whatever people and time do to a lot, sensible or not, in an order that a seed decides. At the end every act that was
//! accepted is a leaf, and what is published leads to the states in which everything is, and to nothing else.

use std::collections::{BTreeMap, BTreeSet};

use sealbid::kernel::encoding::from_base64url;
use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Person};
use crate::support::breaking::Seeded;
use crate::support::loglab::{check_whole, dump, verified};
use crate::support::story::LotStory;
use crate::support::world::World;

/// Steps of one walk.
const STEPS: usize = 30;
const BIDDERS: usize = 3;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A lot on its way.
struct Walk<'w> {
    lot: LotStory<'w>,
    chance: Seeded,
    /// Revisions that the bidders have sent.
    revs: [u32; BIDDERS],
    seen: BTreeSet<String>,
}

/// What a walk may do next.
type Step = fn(&mut Walk<'_>);

/// What takes a lot on from a state.
const ONWARD: [(&str, Step); 12] = [
    ("draft", |walk| walk.initiator("submit", &Value::Null)),
    ("registering", |walk| walk.office("accept", &Value::Null)),
    ("registered", |walk| walk.initiator("publish", &walk.lot.schedule())),
    ("noticed", |walk| {
        (0..BIDDERS).filter(|n| walk.revs[*n] == 0).collect::<Vec<_>>().into_iter().for_each(|n| walk.bid(n));
        walk.wait_until("deadline_at");
    }),
    ("closed", |walk| walk.days(1)),
    ("opening", |walk| {
        for action in ["read-out", "confirm", "close"] {
            walk.took(walk.lot.session(&walk.lot.world.initiator(), action));
        }
    }),
    ("opened", |walk| {
        let evaluation = walk.lot.world.initiator().get(walk.lot.path("/evaluation")).json();
        for bid in evaluation["bids"].as_array().into_iter().flatten() {
            let path = format!("/v1/bids/{}/actions/evaluate", bid["bid_id"].as_str().expect("an id"));
            walk.took(walk.lot.world.initiator().post(path, &json!({ "decision": "responsive" })));
        }
        walk.initiator("complete-evaluation", &json!({ "lines": ["All bids were judged."] }));
    }),
    ("evaluated", |walk| {
        walk.initiator("publish-candidates", &json!({ "lines": [] }));
        walk.award();
    }),
    ("publicity", |walk| walk.wait_until("publicity_ends_at")),
    ("awardable", |walk| walk.award()),
    ("awarded", |walk| walk.initiator("publish-result", &json!({ "lines": [] }))),
    ("published", |walk| walk.wait_until("result_notice_ends_at")),
];

/// What else may happen to it at any moment.
const OTHERWISE: [fn(&mut Walk<'_>); 12] = [
    |walk| walk.office("return", &json!({ "deficiencies": ["The approval is not attached"] })),
    |walk| walk.initiator("clarify", &json!({ "lines": ["A word"], "affects_bid": false })),
    |walk| {
        let later = walk.lot.world.now().plus_millis(40 * DAY_MS);
        walk.initiator("extend", &json!({ "new_deadline_at": later, "reason": "More time was asked for" }));
    },
    |walk| walk.office("hold", &json!({ "kind": "incident", "reason": "The title is disputed" })),
    |walk| {
        let later = walk.lot.world.now().plus_millis(30 * DAY_MS);
        let body = json!({ "kind": "incident", "reason": "It is settled", "new_deadline_at": later });
        walk.initiator("release", &body);
        walk.initiator("release", &json!({ "kind": "incident", "reason": "It is settled" }));
    },
    |walk| walk.initiator("publish-result", &json!({ "lines": [] })),
    |walk| walk.initiator("complete-evaluation", &json!({ "lines": [] })),
    |walk| walk.initiator("declare-unsuccessful", &json!({ "reason": "Nothing fits" })),
    |walk| {
        let n = walk.below(BIDDERS);
        walk.bid(n);
    },
    |walk| {
        let n = walk.below(BIDDERS);
        if walk.takes_bids() && walk.lot.world.bidder(n + 1).get(walk.lot.path("/bids/mine")).status == 200 {
            walk.took(walk.lot.withdraw(n + 1));
        }
    },
    |walk| walk.days(1),
    |walk| walk.lot.world.settle(),
];

impl<'w> Walk<'w> {
    fn begin(world: &'w World, category: Category, seed: u64) -> Self {
        Self {
            lot: world.lot(category).drafted(),
            chance: Seeded(seed),
            revs: [0; BIDDERS],
            seen: BTreeSet::from(["draft".to_owned()]),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.chance.below(bound as u64)).expect("small")
    }

    /// An act is done or refused; nothing else happens.
    #[track_caller]
    fn took(&self, answer: Answer) {
        assert!(answer.status < 500, "{}: {} {}", answer.asked, answer.status, answer.text());
    }

    fn act(&self, person: &Person<'_>, name: &str, body: &Value) {
        self.took(self.lot.act(person, name, body));
    }

    fn initiator(&self, name: &str, body: &Value) {
        self.act(&self.lot.world.initiator(), name, body);
    }

    fn office(&self, name: &str, body: &Value) {
        self.act(&self.lot.world.centre(), name, body);
    }

    fn takes_bids(&self) -> bool {
        self.lot.state() == "noticed" && self.lot.world.now() < self.lot.deadline()
    }

    fn bid(&mut self, n: usize) {
        if self.takes_bids() {
            self.revs[n] += 1;
            let amount = format!("9{}0000.00", self.below(10));
            self.took(self.lot.bid(n + 1, self.revs[n], &amount));
        }
    }

    fn award(&self) {
        let best = self.lot.world.initiator().get(self.lot.path("/evaluation")).json()["recommended"].clone();
        self.initiator("award", &json!({ "bid_id": best, "reason": "As evaluated" }));
    }

    fn days(&mut self, days: i64) {
        self.lot.world.advance_to(self.lot.world.now().plus_millis(days * DAY_MS));
    }

    fn wait_until(&mut self, field: &str) {
        let world = self.lot.world;
        let at = self.lot.instant(field).unwrap_or(world.now()).max(world.now());
        world.advance_to(at.plus_seconds(70));
    }

    fn step(&mut self) {
        self.lot.world.tick();
        let (onward, other) = (self.below(2) == 0, self.below(OTHERWISE.len()));
        let state = self.lot.state();
        match ONWARD.iter().find(|(from, _)| onward && *from == state) {
            Some((_, go)) => go(self),
            None => OTHERWISE[other](self),
        }
        self.seen.insert(self.lot.state());
    }
}

/// The streams of a dump, with the moves of their subjects in order.
fn moves(dump: &str) -> BTreeMap<String, BTreeMap<u64, (Value, Value)>> {
    let mut streams: BTreeMap<String, BTreeMap<u64, (Value, Value)>> = BTreeMap::new();
    for line in dump.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let Some(p) = line["p"].as_str() else { continue };
        let p: Value = serde_json::from_slice(&from_base64url(p).expect("base64url")).expect("JSON");
        let stream = p["stream"].as_str().expect("a stream").to_owned();
        let rev = p["rev"].as_u64().expect("a revision");
        streams.entry(stream).or_default().insert(rev, (p["from"].clone(), p["to"].clone()));
    }
    streams
}

/// Walks a lot of each category; what is published leads to where they are.
fn walk(world: &World, seed: u64) -> BTreeSet<String> {
    let mut walks: Vec<Walk<'_>> = Category::ALL.iter().map(|category| Walk::begin(world, *category, seed)).collect();
    for walk in &mut walks {
        (0..STEPS).for_each(|_| walk.step());
    }
    world.settle();
    check_whole(world.app());
    let proven = verified(world);
    assert!(proven.is_ok(), "seed {seed}: {proven:?}");
    let streams = moves(&dump(world));
    for (stream, moves) in streams.iter().filter(|(_, moves)| moves.values().any(|(_, to)| !to.is_null())) {
        let mut state = Value::Null;
        for (rev, (from, to)) in moves {
            assert_eq!(*from, state, "seed {seed}: {stream} goes on in revision {rev} from where it was");
            state = to.clone();
        }
        if let Some(walk) = walks.iter().find(|walk| walk.lot.id == *stream) {
            assert_eq!(state, walk.lot.state(), "seed {seed}: {stream} is where its leaves lead");
        }
    }
    for lot in &walks {
        let states: BTreeSet<&str> = streams[&lot.lot.id].values().filter_map(|(_, to)| to.as_str()).collect();
        assert!(lot.seen.iter().all(|state| states.contains(state.as_str())), "seed {seed}: {:?}", lot.seen);
    }
    walks.into_iter().flat_map(|walk| walk.seen).collect()
}

on_both!(wherever_a_lot_is_led_its_leaves_lead_there_too, |world| {
    let seen: BTreeSet<String> = [7, 11].into_iter().flat_map(|seed| walk(world, seed)).collect();
    assert!(seen.len() >= 10, "the walks go far: {seen:?}");
});
