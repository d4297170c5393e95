//! Stories about one lot: each step is what people do over HTTP, and says only what matters.

use sealbid::kernel::digest::Digest;
use sealbid::kernel::time::Timestamp;
use sealbid::rules::editions::Category;
use sealbid::rules::envelopes::{Envelopes, Round, shared_rounds};
use sealbid::rules::facts::{Escrow, KeyMode};
use sealbid::seal::envelope::{Part, SignedEnvelope};
use sealbid::seal::ids::{Ident, UtcMillis};
use sealbid::seal::keyset::{KeySet, SignedKeySet};
use sealbid::seal::manifest::{BidJson, Binding};
use sealbid::seal::merkle::MerkleTree;
use sealbid::seal::part_writer::bid_part;
use sealbid::seal::sealing::{SealedPayload, Subject, seal_header, seal_payload};
use serde_json::{Value, json};

use super::api::{Answer, Person};
use super::world::World;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// After the deadline the box is closed once headers on their way have had their time.
const SETTLE_MS: i64 = 70 * 1000;

/// A lot as far as its story has gone.
pub struct LotStory<'w> {
    pub world: &'w World,
    category: Category,
    /// Changes to the usual terms.
    terms: Value,
    pub id: String,
    pub project: String,
}

/// An amount in CNY, as the API has it.
pub fn cny(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "CNY" })
}

/// The terms that every rule of a category accepts.
fn usual_terms(category: Category) -> Value {
    let mut terms = json!({ "description": "An invented lot", "currency": "CNY", "approval_number": "2026-1", "no_dispute_declared": true });
    let more = match category {
        Category::Construction => {
            json!({ "estimate": cny("1000000.00"), "ceiling": cny("1000000.00"), "deposit": cny("20000.00") })
        }
        Category::LandUse => {
            json!({ "minimum_price": cny("100000.00"), "deposit": cny("20000.00"), "reserve": "declared_none" })
        }
        Category::StateAsset => json!({ "asking": cny("500000.00"), "appraisal": cny("500000.00") }),
    };
    merge(&mut terms, &more);
    terms
}

/// Takes fields over.
pub fn merge(into: &mut Value, more: &Value) {
    for (key, value) in more.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

/// Uploads `bytes` for a purpose and completes the upload; returns its id.
pub fn upload(person: &Person<'_>, lot: &str, purpose: &str, bytes: &[u8], chunk: usize) -> String {
    let mut tree = MerkleTree::new();
    bytes.chunks(chunk).for_each(|chunk| tree.push_chunk(chunk));
    let made = person
        .post(
            format!("/v1/lots/{lot}/uploads"),
            &json!({ "purpose": purpose, "size_bytes": bytes.len(), "root": tree.root() }),
        )
        .ok();
    assert_eq!(made["chunk_bytes"], chunk, "the chunks that the root was made over");
    let id = made["id"].as_str().expect("an id").to_owned();
    for (n, chunk) in bytes.chunks(chunk).enumerate() {
        person.put_chunk(&id, n, chunk).ok();
    }
    person.act(format!("/v1/uploads/{id}/actions/complete")).ok();
    id
}

/// Bytes of a chunk of plain documents.
pub const PLAIN_CHUNK: usize = 1 << 20;
/// Bytes of a chunk of sealed payloads.
pub const SEALED_CHUNK: usize = (1 << 20) + 16;

impl<'w> LotStory<'w> {
    pub fn new(world: &'w World, category: Category) -> Self {
        Self { world, category, terms: json!({}), id: String::new(), project: String::new() }
    }

    /// With these terms instead of the usual ones.
    pub fn terms(mut self, terms: &Value) -> Self {
        merge(&mut self.terms, terms);
        self
    }

    /// One envelope or two, by its terms.
    pub fn envelopes(&self) -> Envelopes {
        if self.terms["envelopes"] == "two" { Envelopes::Two } else { Envelopes::One }
    }

    /// The rounds whose key custodians make, by its terms.
    pub fn shared_rounds(&self) -> Vec<Round> {
        let named = |field: &str| self.terms[field].as_str().unwrap_or_default();
        let mode = KeyMode::parse(named("key_mode")).unwrap_or(KeyMode::Custodians);
        shared_rounds(mode, self.envelopes(), Escrow::parse(named("escrow")).unwrap_or(Escrow::None))
    }

    /// How long bidders have to decrypt, by its terms.
    pub fn decryption_ms(&self) -> i64 {
        self.terms["decryption_minutes"].as_i64().unwrap_or(30) * 60_000
    }

    /// A path below the lot's.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/lots/{}{rest}", self.id)
    }

    /// Performs an act of the lot's machine.
    pub fn act(&self, person: &Person<'_>, action: &str, body: &Value) -> Answer {
        let path = self.path(&format!("/actions/{action}"));
        if body.is_null() { person.act(path) } else { person.post(path, body) }
    }

    /// Registered as a draft with one document.
    pub fn drafted(mut self) -> Self {
        let initiator = self.world.initiator();
        let code = format!("P-{}", uuid::Uuid::new_v4().simple());
        let project = initiator
            .post(
                "/v1/projects",
                &json!({ "code": code, "name": "A project", "description": "Invented", "approval_number": "2026-1" }),
            )
            .ok();
        self.project = project["id"].as_str().expect("an id").to_owned();
        let mut terms = usual_terms(self.category);
        merge(&mut terms, &self.terms);
        let lot =
            json!({ "project_id": self.project, "category": self.category.name(), "title": "A lot", "terms": terms });
        self.id = initiator.post("/v1/lots", &lot).ok()["id"].as_str().expect("an id").to_owned();
        self.attach("tender.pdf", b"What is to be built, and how bids are judged.");
        self
    }

    /// Attaches a document.
    pub fn attach(&self, name: &str, content: &[u8]) -> Value {
        let initiator = self.world.initiator();
        let upload = upload(&initiator, &self.id, "document", content, PLAIN_CHUNK);
        initiator
            .post(
                self.path("/documents"),
                &json!({ "upload_id": upload, "name": name, "media_type": "application/pdf" }),
            )
            .ok()
    }

    /// Registered with the centre.
    pub fn registered(self) -> Self {
        let story = self.drafted();
        story.act(&story.world.initiator(), "submit", &Value::Null).ok();
        story.act(&story.world.centre(), "accept", &Value::Null).ok();
        story
    }

    /// The schedule that every edition accepts.
    pub fn schedule(&self) -> Value {
        let day = |n: i64| self.world.now().plus_millis(n * DAY_MS);
        match self.category {
            Category::Construction => {
                json!({ "doc_issue_start_at": day(0), "doc_issue_end_at": day(6), "deadline_at": day(30) })
            }
            Category::LandUse => json!({ "bidding_opens_at": day(21), "deadline_at": day(30) }),
            Category::StateAsset => json!({ "deadline_at": day(40) }),
        }
    }

    /// Published: bids are accepted, from the start of bidding where there is one.
    pub fn noticed(self) -> Self {
        let story = self.registered();
        story.act(&story.world.initiator(), "publish", &story.schedule()).ok();
        if let Some(opens) = story.instant("bidding_opens_at") {
            story.world.advance_to(opens);
        }
        story
    }

    /// The lot as everybody sees it.
    pub fn view(&self) -> Value {
        self.world.initiator().get(self.path("")).ok()
    }

    pub fn state(&self) -> String {
        self.view()["state"].as_str().expect("a state").to_owned()
    }

    /// A time of the schedule.
    pub fn instant(&self, field: &str) -> Option<Timestamp> {
        self.view()["schedule"][field].as_str().map(|text| Timestamp::parse(text).expect("a time"))
    }

    pub fn deadline(&self) -> Timestamp {
        self.instant("deadline_at").expect("a deadline")
    }

    /// What bids are sealed to, checked as a bidder checks it; of two envelopes the first.
    pub fn key_set(&self) -> KeySet {
        self.key_set_of(Round::First)
    }

    /// What is sealed for a round of openings.
    pub fn key_set_of(&self, round: Round) -> KeySet {
        let answer = self.world.nobody("GET", self.path(&format!("/key-set?round={}", round.name()))).send().ok();
        let signed = SignedKeySet::parse(answer["key_set"].to_string().as_bytes()).expect("a key set");
        signed.verify(self.world.app().keys.promise.verifying_key()).expect("signed by the platform").clone()
    }

    pub fn revision(&self) -> Digest {
        self.view()["document_revision"].as_str().expect("published").parse().expect("a digest")
    }

    /// The plaintext of a price; the note inside is a secret of the world.
    pub fn price_archive(&self, person: &Person<'_>, part: Part, amount: &str) -> Vec<u8> {
        let note = format!("secret-{}", uuid::Uuid::new_v4().simple());
        self.world.keep_secret(&self.id, &note);
        let bid =
            BidJson { amount: amount.to_owned(), currency: "CNY".to_owned(), validity_days: None, note: Some(note) };
        let ident = |text: &str| Ident::parse(text, "id").expect("an id");
        let binding =
            Binding { tender: ident(&self.project), lot: ident(&self.id), bidder: ident(&person.member.org_id), part };
        bid_part(binding, &bid).expect("an archive")
    }

    /// Seals a price.
    pub fn seal_price(&self, person: &Person<'_>, part: Part, amount: &str) -> (SealedPayload, Vec<u8>) {
        let plain = self.price_archive(person, part, amount);
        let mut sealed = Vec::new();
        let payload = seal_payload(plain.as_slice(), &mut sealed, 1).expect("sealed");
        (payload, sealed)
    }

    /// Signs a header over a sealed payload.
    pub fn header(&self, person: &Person<'_>, part: Part, rev: u32, payload: &SealedPayload) -> SignedEnvelope {
        let ident = |text: &str| Ident::parse(text, "id").expect("an id");
        let subject = Subject {
            lot: ident(&self.id),
            part,
            bidder: ident(&person.member.org_id),
            rev,
            doc_rev: self.revision(),
            created: UtcMillis::parse(self.world.now().to_string(), "created").expect("a time"),
        };
        let key_set = self.key_set_of(self.envelopes().round_of(part.is_priced()));
        seal_header(&subject, payload, &[&key_set], &person.signing_key()).expect("sealed")
    }

    /// The body of a submission of a price, with its payload uploaded.
    pub fn sealed_bid(&self, person: &Person<'_>, rev: u32, amount: &str) -> Value {
        let (payload, sealed) = self.seal_price(person, Part::Price, amount);
        upload(person, &self.id, "bid", &sealed, SEALED_CHUNK);
        let envelope = self.header(person, Part::Price, rev, &payload);
        json!({ "envelopes": [jws(&envelope)] })
    }

    /// Bidder `n` (from 1) bids `amount`.
    pub fn bid(&self, n: usize, rev: u32, amount: &str) -> Answer {
        let bidder = self.world.bidder(n);
        let body = self.sealed_bid(&bidder, rev, amount);
        bidder.post(self.path("/bids"), &body)
    }

    /// Bidders 1, 2, … bid these amounts.
    pub fn with_bids(self, amounts: &[&str]) -> Self {
        for (n, amount) in amounts.iter().enumerate() {
            self.bid(n + 1, 1, amount).ok();
        }
        self
    }

    /// The deadline has passed and the platform has done what is due: closed, and where it may be, unsealed.
    pub fn closed(self) -> Self {
        let at = self.deadline().plus_millis(SETTLE_MS);
        self.world.advance_to(at);
        self
    }

    /// Opened: read out, confirmed, closed.
    pub fn opened(self) -> Self {
        let story = self.closed();
        let initiator = story.world.initiator();
        for action in ["read-out", "confirm", "close"] {
            initiator.act(story.path(&format!("/opening/actions/{action}"))).ok();
        }
        story.world.settle();
        story
    }
}

/// An envelope as it travels.
pub fn jws(envelope: &SignedEnvelope) -> Value {
    serde_json::from_str(&envelope.jws().to_json()).expect("JSON")
}
