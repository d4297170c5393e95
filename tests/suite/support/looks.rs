//! Everything that people can look at, and what they may try: every GET of the permission table in every role.

use sealbid::http::permissions::OPERATIONS;
use sealbid::seal::ids::{Ident, UtcMillis};
use sealbid::seal::withdrawal::Withdrawal;
use serde_json::{Value, json};

use super::api::{Answer, Person, Request, with_matter};
use super::world::World;

/// Those who look: nobody, and somebody in each role who has no bid.
pub const VIEWERS: [&str; 7] = ["nobody", "admin", "centre", "initiator1", "initiator2", "bidder8", "inspector"];

/// Where there is something to look at.
#[derive(Clone, Debug)]
pub struct Places {
    pub lot: String,
    pub project: String,
    pub document: String,
    pub question: String,
    /// A bidder's organisation.
    pub org: String,
    /// Secret ids of a bidder; of nothing where nobody bids.
    pub upload: String,
    pub bid: String,
    pub entry: String,
    pub mail: String,
}

impl Places {
    /// The address of a pattern.
    pub fn fill(&self, pattern: &str) -> String {
        let fill = |name| match name {
            "lot" => self.lot.as_str(),
            "project" => self.project.as_str(),
            "document" => self.document.as_str(),
            "question" => self.question.as_str(),
            "org" => self.org.as_str(),
            "upload" => self.upload.as_str(),
            "bid" => self.bid.as_str(),
            "entry" => self.entry.as_str(),
            "mail" => self.mail.as_str(),
            "ceremony" => "cer-0192f0c1-7a3b-7c4d-8e5f-0123456789ab",
            "break_glass" => "bgl-0192f0c1-7a3b-7c4d-8e5f-0123456789ab",
            "part" => "price",
            "report" => "deadline",
            "year" => "2026",
            "code" => "state-forbids",
            "n" => "0",
            "tile" => "0/000",
            "file" => "lot.ndjson",
            other => panic!("nothing is known of {other}: say here where to look"),
        };
        let mut parts = Vec::new();
        for part in pattern.split('/') {
            parts.push(part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).map_or(part, &fill));
        }
        parts.join("/")
    }

    /// Every address of a GET, with the lists also filtered and cut.
    fn addresses(&self) -> Vec<String> {
        let mut found: Vec<String> =
            OPERATIONS.iter().filter(|row| row.method == "GET").map(|row| self.fill(row.path)).collect();
        // Whole, or narrowed by a filter, never cut in the middle of an instant: entries of one instant are in random order.
        for address in &mut found {
            if address == "/v1/mails" {
                address.push_str("?limit=100");
            }
            // What was denied has a millisecond of its own each; what is older has not.
            if address == "/v1/inspection/entries" {
                address.push_str("?limit=5");
            }
        }
        let (lot, org) = (&self.lot, &self.org);
        found.extend([
            "/v1/lots?limit=1".to_owned(),
            "/v1/lots?state=noticed".to_owned(),
            "/v1/notices?limit=1".to_owned(),
            format!("/v1/lots/{lot}/questions?limit=1"),
            format!("/v1/lots/{lot}/documents?limit=1"),
            "/v1/mails?state=waiting".to_owned(),
            "/v1/mails?state=sent".to_owned(),
            "/v1/mails?state=withheld&limit=100".to_owned(),
            "/v1/mails?state=failed".to_owned(),
            format!("/v1/inspection/entries?lot={lot}&limit=100"),
            format!("/v1/inspection/entries?org={org}&limit=100"),
            "/v1/inspection/entries?kind=bid.submitted".to_owned(),
            "/v1/inspection/entries?kind=access.denied&limit=100".to_owned(),
            "/v1/inspection/entries?kind=document.fetched".to_owned(),
            "/v1/inspection/entries?kind=lot.published&limit=1".to_owned(),
            "/v1/inspection/entries?include_looks=true&kind=lot.published".to_owned(),
        ]);
        for address in found.iter_mut().filter(|address| address.starts_with("/v1/inspection/")) {
            if !address.starts_with("/v1/inspection/mandates") {
                *address = with_matter(address);
            }
        }
        found
    }
}

/// An answer and who got it.
pub struct Seen {
    pub who: &'static str,
    pub answer: Answer,
}

fn ask<'w>(world: &'w World, who: &str, method: &'static str, path: &str) -> Request<'w> {
    // A millisecond for each request, so that what is listed by time has an order.
    world.set_clock(world.now().plus_millis(1));
    if who == "nobody" { world.nobody(method, path) } else { world.person(who).request(method, path) }
}

/// Lets everybody look at everything. Fetching documents leaves a trace of its own: only where `fetch` says so.
pub fn look(world: &World, places: &Places, fetch: bool) -> Vec<Seen> {
    let mut seen = Vec::new();
    for who in VIEWERS {
        for path in places.addresses() {
            if path.ends_with("/content") && !fetch && ["initiator2", "bidder8"].contains(&who) {
                continue;
            }
            seen.push(Seen { who, answer: ask(world, who, "GET", &path).send() });
        }
    }
    seen
}

/// A signed statement that takes back a bid which is not the signer's.
fn withdrawal(person: &Person<'_>, bid: &str) -> Value {
    let ident = |text: &str| Ident::parse(text, "id").expect("an id");
    let created = UtcMillis::parse("2026-03-02T01:00:00.000Z", "created").expect("a time");
    let said = Withdrawal { bid: ident(bid), bidder: ident(&person.member.org_id), created };
    serde_json::from_str(&said.sign(&person.signing_key()).expect("signed").jws().to_json()).expect("JSON")
}

/// What those try who should learn nothing by it; all of it is refused.
pub fn attempts(world: &World, places: &Places) -> Vec<Seen> {
    let (lot, bid, upload) = (&places.lot, &places.bid, &places.upload);
    let why = || json!({ "reason": "Curiosity" });
    let lots = |rest: &str| format!("/v1/lots/{lot}{rest}");
    let acts: Vec<(&'static str, String, Value)> = vec![
        (
            "bidder8",
            format!("/v1/bids/{bid}/actions/withdraw"),
            json!({ "withdrawal": withdrawal(&world.bidder(8), bid) }),
        ),
        ("bidder8", format!("/v1/uploads/{upload}/actions/complete"), Value::Null),
        ("bidder8", lots("/opening/objections"), json!({ "text": "Why?" })),
        ("bidder8", lots("/objections"), json!({ "text": "Why?" })),
        ("initiator1", format!("/v1/uploads/{upload}/actions/complete"), Value::Null),
        (
            "initiator1",
            lots("/documents"),
            json!({ "upload_id": upload, "name": "theirs.pdf", "media_type": "application/pdf" }),
        ),
        ("initiator1", format!("/v1/bids/{bid}/actions/evaluate"), json!({ "decision": "responsive" })),
        (
            "initiator1",
            lots("/opening/actions/attribute"),
            json!({ "bid_id": bid, "cause": "bidder", "reason": "Curiosity" }),
        ),
        ("initiator1", lots("/opening/actions/read-out"), Value::Null),
        ("initiator1", lots("/opening/actions/confirm"), Value::Null),
        ("initiator1", lots("/opening/actions/close"), Value::Null),
        (
            "initiator1",
            lots("/actions/declare-unsuccessful"),
            json!({ "cause": "too_few_received", "reason": "Curiosity" }),
        ),
        ("initiator1", lots("/actions/complete-evaluation"), json!({ "lines": ["Curiosity"] })),
        ("initiator1", lots("/actions/publish-candidates"), Value::Null),
        ("initiator1", lots("/actions/award"), json!({ "bid_id": bid, "fallback": null, "reason": "Curiosity" })),
        ("initiator1", lots("/actions/publish-result"), Value::Null),
        ("initiator1", lots("/actions/retender"), Value::Null),
        ("initiator2", lots("/actions/terminate"), why()),
        ("centre", lots("/opening/actions/read-out"), Value::Null),
        (
            "centre",
            lots("/actions/declare-unsuccessful"),
            json!({ "cause": "too_few_received", "reason": "Curiosity" }),
        ),
        ("admin", format!("/v1/mails/{}/actions/retry", places.mail), Value::Null),
    ];
    let mut seen = Vec::new();
    for (who, path, body) in acts {
        let request = ask(world, who, "POST", &path).key(&uuid::Uuid::new_v4().to_string());
        let answer = if body.is_null() { request.send() } else { request.json(&body).send() };
        assert!((400..500).contains(&answer.status), "{} by {who}: {} {}", answer.asked, answer.status, answer.text());
        seen.push(Seen { who, answer });
    }
    for who in ["bidder8", "initiator1"] {
        world.set_clock(world.now().plus_millis(1));
        let answer = world.person(who).put_chunk(upload, 0, b"theirs");
        seen.push(Seen { who, answer });
    }
    seen
}
