//! A bidder under load: seals, uploads, submits, replaces, withdraws, asks and asks again, on any lot that takes bids.

use std::collections::HashMap;
use std::io::Cursor;
use std::time::Duration;

use serde_json::{Value, json};

use super::draw::Draw;
use super::journal::Act;
use super::people::Person;
use super::play::Stage;
use crate::client::sealer::{Sealer, check_receipt, envelope_json};
use crate::client::{ClientError, Problem, new_key};
use crate::kernel::digest::sha256;
use crate::seal::envelope::Part;
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::manifest::BidJson;
use crate::seal::part_writer::describe;
use crate::seal::sealing::SealedPayload;
use crate::seal::withdrawal::Withdrawal;

/// What a bidder may be told while clocks, documents and deadlines move; anything else must not be.
const EXPECTED: &[&str] = &[
    "state-forbids",
    "document-revision-stale",
    "upload-quota-exceeded",
    "rate-limited",
    "envelope-parts-wrong",
    // Whoever is served fast comes to the last version of a bid.
    "bid-versions-exhausted",
];
/// The longest pause between two acts, in milliseconds.
const PAUSE_MS: u64 = 150;
/// The smallest and the largest document of a bid: one chunk, or a few.
const DOCUMENT: (u64, u64) = (1_000, 2_500_000);

/// A bidder's affairs with one lot.
struct Affair {
    sealer: Sealer,
    rev: u32,
    bid: Option<String>,
    price: Option<SealedPayload>,
}

/// The bidder.
pub struct Bidder<'a> {
    stage: &'a Stage,
    who: usize,
    person: &'a Person,
    draw: Draw,
    affairs: HashMap<String, Affair>,
}

impl<'a> Bidder<'a> {
    /// The bidder of that number.
    pub fn new(stage: &'a Stage, who: usize) -> Self {
        let draw = Draw::new(stage.seed, 1 + who as u64);
        Self { stage, who, person: &stage.people.bidders[who], draw, affairs: HashMap::new() }
    }

    /// Does one thing after the other while there are lots to bid on.
    pub fn play(&mut self) {
        // Something for the sweeper.
        self.stage.open_lots().iter().flatten().for_each(|lot| self.leave_upload(lot));
        while let Some(lots) = self.stage.open_lots() {
            let lot = self.draw.one_of(&(0..lots.len()).collect::<Vec<_>>());
            self.one_thing(&lots[lot]);
            std::thread::sleep(Duration::from_millis(self.draw.between(0, PAUSE_MS)));
        }
    }

    fn one_thing(&mut self, lot: &str) {
        let bid = self.affairs.get(lot).and_then(|affair| affair.bid.clone());
        match (self.draw.between(1, 100), bid) {
            (1..=8, _) => self.fetch_documents(lot),
            (9..=14, _) => self.ask(lot),
            (15..=20, _) => self.leave_upload(lot),
            (21..=32, _) => self.repeat(),
            (33..=36, Some(bid)) => self.withdraw(lot, &bid),
            _ => self.put(lot),
        }
    }

    fn wrong(&self, what: &str, error: &ClientError) {
        self.stage.journal.wrong(format!("{}: {what}: {error}", self.person.login));
    }

    /// Whether an error is among those that must be expected.
    fn expect(&self, what: &str, error: &ClientError) {
        if !matches!(error.code(), Some(code) if EXPECTED.contains(&code)) {
            self.wrong(what, error);
        }
    }

    fn fetch_documents(&self, lot: &str) {
        let page = self.person.insist(|client| client.get::<Value>(&format!("/v1/lots/{lot}/documents")));
        let page = match page {
            Ok(page) => page,
            Err(error) => return self.wrong("the list of documents", &error),
        };
        for id in page["items"].as_array().into_iter().flatten().filter_map(|document| document["id"].as_str()) {
            let path = format!("/v1/documents/{id}/content");
            match self.person.insist(|client| client.get_text(&path, "*/*")) {
                Ok(_) => self.stage.journal.holds(lot, self.who),
                Err(error) => self.wrong("a document", &error),
            }
        }
    }

    fn ask(&mut self, lot: &str) {
        let text = format!("A question {}", self.draw.between(1, u64::MAX - 1));
        let (path, body, key) =
            (format!("/v1/lots/{lot}/questions"), json!({ "kind": "question", "text": text }), new_key());
        match self.person.insist(|client| client.post_once::<Value>(&path, &body, &key)) {
            Ok(answer) => {
                let id = answer["id"].as_str().unwrap_or_default().to_owned();
                self.stage.journal.told().questions.push((lot.to_owned(), id));
            }
            Err(error) => self.expect("a question", &error),
        }
    }

    /// Announces an upload and leaves it at that, as somebody does whose machine breaks.
    fn leave_upload(&mut self, lot: &str) {
        let root = sha256(&self.draw.between(1, u64::MAX - 1).to_be_bytes());
        let body = json!({ "purpose": "bid", "size_bytes": self.draw.between(1, 2_000_000), "root": root });
        let (path, key) = (format!("/v1/lots/{lot}/uploads"), new_key());
        if let Err(error) = self.person.insist(|client| client.post_once::<Value>(&path, &body, &key)) {
            self.expect("an upload", &error);
        }
    }

    /// Sends an earlier request once more, to another server where there is one: the answer is the first one.
    fn repeat(&mut self) {
        let own: Vec<Act> = {
            let told = self.stage.journal.told();
            told.acts.iter().rev().filter(|act| act.who == self.who && !act.refused).take(8).cloned().collect()
        };
        if own.is_empty() {
            return;
        }
        let act = &own[self.draw.one_of(&(0..own.len()).collect::<Vec<_>>())];
        match self.person.ask_elsewhere(|client| client.post_once::<Value>(&act.path, &act.body, &act.key)) {
            Ok(answer) if answer == act.answer => {}
            Ok(_) => self.stage.journal.wrong(format!("{} answers otherwise the second time", act.said("entry_id"))),
            // Its server is away, and this request need not wait for it.
            Err(ClientError::Line(_)) => {}
            Err(error) => self.wrong("the same request again", &error),
        }
    }

    fn affair(&mut self, lot: &str) -> Option<&mut Affair> {
        if !self.affairs.contains_key(lot) {
            let key = &self.stage.platform_key;
            match self.person.insist(|client| Sealer::prepare(client, lot, &self.person.org_id, key)) {
                Ok(sealer) => {
                    self.affairs.insert(lot.to_owned(), Affair { sealer, rev: 0, bid: None, price: None });
                }
                Err(error) => self.wrong("getting ready to seal", &error),
            }
        }
        self.affairs.get_mut(lot)
    }

    /// Seals and submits: a new price, or the old one under a new header, with or without documents.
    pub fn put(&mut self, lot: &str) {
        let amount = format!("{}.00", self.draw.between(500_000, 990_000));
        let keep_price = self.draw.percent(25);
        let documents = self.draw.percent(30).then(|| {
            let most = if self.draw.percent(10) { DOCUMENT.1 } else { 50_000 };
            self.draw.between(DOCUMENT.0, most)
        });
        let notify = self.draw.percent(50);
        let (stage, person) = (self.stage, self.person);
        let who = self.who;
        let Some(affair) = self.affair(lot) else { return };
        let sealed = seal(stage, person, who, affair, &amount, keep_price, documents);
        let envelopes = match sealed {
            Ok(envelopes) => envelopes,
            Err(error) => return self.expect("sealing and uploading", &error),
        };
        let (path, key) = (format!("/v1/lots/{lot}/bids"), new_key());
        let body = json!({ "envelopes": envelopes, "notify": notify });
        let answered = person.insist(|client| client.post_once::<Value>(&path, &body, &key));
        let act = Act { who, lot: lot.to_owned(), path, key, body, answer: Value::Null, refused: false, notify };
        if let Some(answer) = self.note(act, answered) {
            if let Err(error) = check_receipt(&answer["receipt"], &stage.verifier, &envelopes) {
                self.wrong("the receipt", &error);
            }
            if let Some(affair) = self.affairs.get_mut(lot) {
                affair.rev += 1;
                affair.bid = answer["bid_id"].as_str().map(str::to_owned);
            }
        }
    }

    fn withdraw(&mut self, lot: &str, bid: &str) {
        let ident = |text: &str| Ident::parse(text, "id");
        let created = UtcMillis::parse(self.stage.fleet.now().to_string(), "created");
        let (Ok(bid_id), Ok(bidder), Ok(created)) = (ident(bid), ident(&self.person.org_id), created) else { return };
        let Ok(statement) = (Withdrawal { bid: bid_id, bidder, created }).sign(&self.person.key) else { return };
        let statement: Value = serde_json::from_str(&statement.jws().to_json()).unwrap_or_default();
        let (path, key, body) =
            (format!("/v1/bids/{bid}/actions/withdraw"), new_key(), json!({ "withdrawal": statement }));
        let answered = self.person.insist(|client| client.post_once::<Value>(&path, &body, &key));
        let (who, lot_id) = (self.who, lot.to_owned());
        let act = Act { who, lot: lot_id, path, key, body, answer: Value::Null, refused: false, notify: false };
        if self.note(act, answered).is_some()
            && let Some(affair) = self.affairs.get_mut(lot)
        {
            affair.bid = None;
        }
    }

    /// Writes down what was answered; returns it when the act was accepted.
    fn note(&mut self, act: Act, answered: crate::client::Result<Value>) -> Option<Value> {
        match answered {
            Ok(answer) => {
                self.stage.journal.told().acts.push(Act { answer: answer.clone(), ..act });
                return Some(answer);
            }
            Err(ClientError::Problem(problem)) => match *problem {
                Problem { refusal: Some(answer), .. } => {
                    // The documents have a new revision: get ready anew, with what is known of one's own bid.
                    self.renew(&act.lot);
                    self.stage.journal.told().acts.push(Act { answer, refused: true, ..act });
                }
                problem => {
                    let error = ClientError::Problem(Box::new(problem));
                    self.renew(&act.lot);
                    self.expect("an act with a bid", &error);
                }
            },
            Err(error) => self.wrong("an act with a bid", &error),
        }
        None
    }

    fn renew(&mut self, lot: &str) {
        let Some(before) = self.affairs.remove(lot) else { return };
        if let Some(affair) = self.affair(lot) {
            (affair.rev, affair.bid, affair.price) = (before.rev, before.bid, before.price);
        }
    }
}

/// Seals what is new, uploads it, and signs the headers.
fn seal(
    stage: &Stage,
    person: &Person,
    who: usize,
    affair: &mut Affair,
    amount: &str,
    keep_price: bool,
    documents: Option<u64>,
) -> crate::client::Result<Vec<Value>> {
    let (rev, now) = (affair.rev + 1, stage.fleet.now());
    let upload = |sealer: &Sealer, part: Part, payload: &SealedPayload, bytes: &[u8]| {
        let key = new_key();
        let id = person
            .insist(|client| sealer.upload(client, part, payload, &mut Cursor::new(bytes.to_vec()), &key, &|_| {}))?;
        stage.journal.told().uploads.push((who, id));
        Ok::<_, ClientError>(())
    };
    if affair.price.is_none() || !keep_price {
        let bid = BidJson { amount: amount.to_owned(), currency: "CNY".into(), validity_days: Some(90), note: None };
        let (payload, bytes) = affair.sealer.seal_price(Part::Price, &bid)?;
        upload(&affair.sealer, Part::Price, &payload, &bytes)?;
        affair.price = Some(payload);
    }
    let mut envelopes = Vec::new();
    if let Some(price) = &affair.price {
        envelopes.push(envelope_json(&affair.sealer.header(&person.key, Part::Price, price, rev, now)?)?);
    }
    if let Some(size) = documents {
        let content = vec![u8::try_from(size % 251).unwrap_or(0); usize::try_from(size).unwrap_or(0)];
        let file =
            describe("bid/technical.bin", content.as_slice()).map_err(|error| ClientError::Seal(error.to_string()))?;
        let mut bytes = Vec::new();
        let payload = affair.sealer.seal_documents(vec![file], |_| Ok(content.as_slice()), &mut bytes)?;
        upload(&affair.sealer, Part::Documents, &payload, &bytes)?;
        envelopes.push(envelope_json(&affair.sealer.header(&person.key, Part::Documents, &payload, rev, now)?)?);
    }
    Ok(envelopes)
}
