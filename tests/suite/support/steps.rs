//! Further steps of a lot's story: sealed things of every kind, the opening session, the evaluation, and looks at what
//! is stored.

use std::path::PathBuf;

use diesel::prelude::*;
use sealbid::db::schema::{key_secrets, key_sets, unsealings};
use sealbid::kernel::time::Timestamp;
use sealbid::seal::envelope::Part;
use sealbid::seal::ids::{Ident, UtcMillis};
use sealbid::seal::sealing::seal_payload;
use sealbid::seal::withdrawal::Withdrawal;
use sealbid::tlog::receipt::Receipt;
use serde_json::{Value, json};

use super::api::{Answer, Person};
use super::story::{LotStory, SEALED_CHUNK, jws, upload};
use super::world::World;

/// The items of a list.
#[track_caller]
pub fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap_or_else(|| panic!("no items: {page}")).clone()
}

/// One text field of each.
#[track_caller]
pub fn texts(values: &[Value], field: &str) -> Vec<String> {
    values
        .iter()
        .map(|value| value[field].as_str().unwrap_or_else(|| panic!("no {field}: {value}")).to_owned())
        .collect()
}

/// Checks the receipt of an act against the platform's key, as its owner would years later; returns what was recorded.
#[track_caller]
pub fn proven(world: &World, act: &Value) -> Value {
    let key = world.nobody("GET", "/v1/platform-key").send().ok();
    let receipt: Receipt = serde_json::from_value(act["receipt"].clone()).expect("a receipt");
    let promised = receipt.check(key["verifier"].as_str().expect("a verifier")).expect("signed by the platform");
    assert_eq!(promised.at.to_string(), act["recorded_at"].as_str().expect("a time"));
    assert_eq!(receipt.entry_id, act["entry_id"].as_str().expect("an id"));
    serde_json::from_slice(&receipt.opening.p).expect("JSON")
}

impl LotStory<'_> {
    /// Seals and uploads a price: the body that submits it, and the upload that holds its ciphertext.
    pub fn uploaded_bid(&self, n: usize, rev: u32, amount: &str) -> (Value, String) {
        let bidder = self.world.bidder(n);
        let (payload, sealed) = self.seal_price(&bidder, Part::Price, amount);
        let upload = upload(&bidder, &self.id, "bid", &sealed, SEALED_CHUNK);
        (json!({ "envelopes": [jws(&self.header(&bidder, Part::Price, rev, &payload))] }), upload)
    }

    /// Bidders 1, 2, … bid these amounts, one after the other.
    pub fn with_bids_in_turn(self, amounts: &[&str]) -> Self {
        for (n, amount) in amounts.iter().enumerate() {
            self.world.tick();
            self.bid(n + 1, 1, amount).ok();
        }
        self
    }

    /// Bidder `n` sends a prepared body.
    pub fn submit(&self, n: usize, body: &Value) -> Answer {
        self.world.bidder(n).post(self.path("/bids"), body)
    }

    /// Bidder `n` submits a well-formed envelope over bytes that are no bid at all.
    pub fn garbage_bid(&self, n: usize) -> Answer {
        let bidder = self.world.bidder(n);
        let mut sealed = Vec::new();
        let payload = seal_payload(&[7_u8; 3_000][..], &mut sealed, 1).expect("sealed");
        upload(&bidder, &self.id, "bid", &sealed, SEALED_CHUNK);
        self.submit(n, &json!({ "envelopes": [jws(&self.header(&bidder, Part::Price, 1, &payload))] }))
    }

    /// The initiator seals and uploads its reserve price: the body that puts it into the box.
    pub fn uploaded_reserve(&self, rev: u32, amount: &str) -> Value {
        let initiator = self.world.initiator();
        let (payload, sealed) = self.seal_price(&initiator, Part::Reserve, amount);
        upload(&initiator, &self.id, "reserve", &sealed, SEALED_CHUNK);
        json!({ "envelope": jws(&self.header(&initiator, Part::Reserve, rev, &payload)) })
    }

    /// The initiator sends a prepared reserve price.
    pub fn put_reserve(&self, body: &Value) -> Answer {
        self.world.initiator().request("PUT", self.path("/reserve")).json(body).send()
    }

    /// The initiator seals its reserve price.
    pub fn seal_reserve(&self, rev: u32, amount: &str) -> Answer {
        self.put_reserve(&self.uploaded_reserve(rev, amount))
    }

    /// What bidder `n` sees of its own bid.
    #[track_caller]
    pub fn mine(&self, n: usize) -> Value {
        self.world.bidder(n).get(self.path("/bids/mine")).ok()
    }

    #[track_caller]
    pub fn bid_id(&self, n: usize) -> String {
        self.mine(n)["bid_id"].as_str().expect("a bid").to_owned()
    }

    /// Bidder `n` takes its bid back.
    pub fn withdraw(&self, n: usize) -> Answer {
        let (bidder, bid) = (self.world.bidder(n), self.bid_id(n));
        let ident = |text: &str| Ident::parse(text, "id").expect("an id");
        let created = UtcMillis::parse(self.world.now().to_string(), "created").expect("a time");
        let signed = Withdrawal { bid: ident(&bid), bidder: ident(&bidder.member.org_id), created }
            .sign(&bidder.signing_key())
            .expect("signed");
        let statement: Value = serde_json::from_str(&signed.jws().to_json()).expect("JSON");
        bidder.post(format!("/v1/bids/{bid}/actions/withdraw"), &json!({ "withdrawal": statement }))
    }

    /// The session as `person` sees it.
    #[track_caller]
    pub fn opening(&self, person: &Person<'_>) -> Value {
        person.get(self.path("/opening")).ok()
    }

    /// An act of the session.
    pub fn session(&self, person: &Person<'_>, action: &str) -> Answer {
        person.act(self.path(&format!("/opening/actions/{action}")))
    }

    /// The public record.
    #[track_caller]
    pub fn record(&self) -> Value {
        self.world.nobody("GET", self.path("/opening-record")).send().ok()
    }

    /// The initiator judges the bid of bidder `n`.
    pub fn judge(&self, n: usize, judgement: &Value) -> Answer {
        self.world.initiator().post(format!("/v1/bids/{}/actions/evaluate", self.bid_id(n)), judgement)
    }

    /// Every opened bid is judged responsive.
    pub fn judged(self) -> Self {
        for bid in self.record()["bids"].as_array().expect("bids") {
            if bid["outcome"] == "opened" {
                let path = format!("/v1/bids/{}/actions/evaluate", bid["bid_id"].as_str().expect("an id"));
                self.world.initiator().post(path, &json!({ "decision": "responsive" })).ok();
            }
        }
        self
    }

    /// The report is filed.
    pub fn evaluated(self) -> Self {
        let story = self.judged();
        story.act(&story.world.initiator(), "complete-evaluation", &json!({ "lines": ["All bids were judged."] })).ok();
        story
    }

    /// The initiator awards bidder `n`, for a cause if one is given.
    pub fn award(&self, n: usize, fallback: Option<&str>) -> Answer {
        let body = json!({ "bid_id": self.bid_id(n), "fallback": fallback, "reason": "As evaluated" });
        self.act(&self.world.initiator(), "award", &body)
    }

    /// The evaluation as `person` sees it.
    #[track_caller]
    pub fn evaluation(&self, person: &Person<'_>) -> Value {
        person.get(self.path("/evaluation")).ok()
    }

    /// What the platform explains to `person` about one act.
    #[track_caller]
    pub fn explained(&self, person: &Person<'_>, event: &str) -> Value {
        let actions = items(&person.get(self.path("/actions")).ok());
        actions.into_iter().find(|action| action["event"] == event).unwrap_or_else(|| panic!("no {event}"))
    }

    /// Kinds of the notices published so far.
    #[track_caller]
    pub fn notices(&self) -> Vec<String> {
        texts(&items(&self.world.nobody("GET", self.path("/notices")).send().ok()), "kind")
    }

    /// Kinds of holds in force.
    #[track_caller]
    pub fn holds(&self) -> Vec<String> {
        texts(self.view()["holds"].as_array().expect("holds"), "kind")
    }

    /// A time of the lot outside its schedule, such as the end of the publicity.
    #[track_caller]
    pub fn time(&self, field: &str) -> Timestamp {
        let view = self.view();
        Timestamp::parse(view[field].as_str().unwrap_or_else(|| panic!("no {field}: {view}"))).expect("a time")
    }

    /// How many outcomes of unsealing are stored.
    pub fn unsealed(&self) -> i64 {
        let id = self.id.clone();
        let count = self.world.app().reader.read_blocking(move |conn| {
            Ok(unsealings::table.filter(unsealings::lot_id.eq(&id)).count().get_result(conn)?)
        });
        count.expect("read")
    }

    /// Whether the lot's private key is still stored.
    pub fn has_private_key(&self) -> bool {
        let id = self.id.clone();
        let count = self.world.app().reader.read_blocking(move |conn| {
            let kids: Vec<String> =
                key_sets::table.filter(key_sets::lot_id.eq(&id)).select(key_sets::kid).load(conn)?;
            assert_eq!(kids.len(), 1, "a published lot has one key set");
            Ok(key_secrets::table.filter(key_secrets::kid.eq_any(kids)).count().get_result::<i64>(conn)?)
        });
        count.expect("read") == 1
    }
}

/// The file that holds an upload's bytes.
pub fn blob(world: &World, upload: &str) -> PathBuf {
    world.dir().join("blobs").join(&upload[upload.len() - 2..]).join(upload)
}
