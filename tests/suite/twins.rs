//! Twins: platforms that differ in their sealed bids alone. Whoever has no bid sees the same on all of them, byte for
//! byte but for what chance makes, from the notice to the last moment before the deadline; and a bidder is told the same
//! whether it is alone or not.

use diesel::prelude::*;
use sealbid::db::schema::{audit_entry, outbox};
use sealbid::kernel::time::Timestamp;
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::Part;
use sealbid::worker::watch;
use serde_json::{Value, json};

use crate::support::api::Answer;
use crate::support::looks::{self, Places, Seen};
use crate::support::normal::Normaliser;
use crate::support::steps::{items, texts};
use crate::support::stored::upload_for;
use crate::support::story::{LotStory, jws};
use crate::support::world::World;

const HOUR_MS: i64 = 60 * 60 * 1000;
const AMOUNTS: [&str; 6] = ["900000.00", "910000.00", "920000.00", "930000.00", "940000.00", "950000.00"];

/// What was asked and answered, in order, and what could be watched.
pub type Transcript = Vec<(String, String)>;

/// By how much the log of every twin grows with a tick: more than happens between two.
pub const PADDING: u32 = 256;

/// A platform whose log tells nothing of how much happens.
pub fn padded_sqlite() -> World {
    World::sqlite_with(|config| config.audit.padding = PADDING)
}

/// The same on PostgreSQL.
pub fn padded_postgres() -> Option<World> {
    World::postgres_with(|config| config.audit.padding = PADDING)
}

/// A platform on which something sealed happens.
struct Twin<'w> {
    world: &'w World,
    story: LotStory<'w>,
    start: Timestamp,
    places: Places,
    normal: Normaliser,
    seen: Transcript,
}

/// What can be watched at this moment.
fn metrics(world: &World) -> String {
    actix_web::rt::System::new().block_on(watch::round(world.app(), true));
    // The test machine may be slow or full, and its clock is not the test's; none of that is told by counts.
    const OF_THE_MACHINE: [&str; 4] =
        ["sealbid_writer_state", "sealbid_disk_state", "sealbid_clock_offset", "sealbid_log_checkpoint_age"];
    const DURATIONS: [&str; 3] = ["le=\"0.25\"", "le=\"1\"", "le=\"10\""];
    let text = world.app().metrics.render();
    let is_told = |line: &&str| {
        !OF_THE_MACHINE.iter().any(|name| line.starts_with(name)) && !DURATIONS.iter().any(|le| line.contains(le))
    };
    text.lines().filter(is_told).collect::<Vec<_>>().join("\n")
}

fn nothing(prefix: &str) -> String {
    format!("{prefix}-{}", uuid::Uuid::new_v4())
}

/// Every file below a directory with its size. What is signed has one size, whatever the root.
pub fn list(dir: &std::path::Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else {
            let name = path.display().to_string();
            let name = name.rsplit_once("/log/").map_or(name.as_str(), |(_, name)| name);
            files.push(format!("{name}: {}", entry.metadata().expect("a file").len()));
        }
    }
}

impl<'w> Twin<'w> {
    fn new(world: &'w World, story: LotStory<'w>) -> Self {
        let document = world.nobody("GET", story.path("/documents")).send().ok()["items"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let places = Places {
            lot: story.id.clone(),
            project: story.project.clone(),
            document,
            question: nothing("qst"),
            org: world.bidder(1).member.org_id.clone(),
            upload: nothing("upl"),
            bid: nothing("bid"),
            entry: nothing("ent"),
            mail: nothing("msg"),
        };
        Self { world, start: world.now(), story, places, normal: Normaliser::default(), seen: Vec::new() }
    }

    /// The clock of all twins, in hours since the notice.
    fn at(&self, hours: i64) {
        self.world.advance_to(self.start.plus_millis(hours * HOUR_MS));
    }

    fn note(&mut self, moment: &str, who: &str, answer: &Answer) {
        let text = self.normal.answer(answer);
        self.seen.push((format!("{moment}: {} by {who}", answer.asked), text));
    }

    fn note_all(&mut self, moment: &str, seen: &[Seen]) {
        for one in seen {
            self.note(moment, one.who, &one.answer);
        }
    }

    /// Everybody looks at everything and tries what it must not.
    fn observe(&mut self, moment: &str, fetch: bool) {
        let seen = looks::look(self.world, &self.places, fetch);
        self.note_all(moment, &seen);
        let tried = looks::attempts(self.world, &self.places);
        self.note_all(moment, &tried);
        let seen = [("metrics", metrics(self.world)), ("mail files", self.mail_files()), ("log", self.log_files())];
        for (what, text) in seen {
            self.seen.push((format!("{moment}: {what}"), text));
        }
    }

    /// The public files of the log, with their sizes.
    fn log_files(&self) -> String {
        let mut files = Vec::new();
        list(&self.world.app().config.audit.dir, &mut files);
        files.sort();
        files.join("\n")
    }

    /// The messages that were written down, with their sizes.
    fn mail_files(&self) -> String {
        let files = std::fs::read_dir(&self.world.app().config.mail.dir).into_iter().flatten().flatten();
        let read = |file: std::fs::DirEntry| {
            let text = std::fs::read_to_string(file.path()).expect("text");
            let name = file.file_name().display().to_string();
            // Each for itself: they lie in no order.
            Normaliser::default().plain(&format!("{name}: {} bytes\n{text}", text.len()))
        };
        let mut mails: Vec<String> = files.map(read).collect();
        mails.sort();
        mails.join("\n")
    }

    /// The ids of what is sealed, as somebody who guessed them would try them; of nothing where there is none.
    fn guess(&mut self, upload: Option<String>) {
        let found = self.world.app().reader.read_blocking(|conn| {
            let entry = audit_entry::table
                .filter(audit_entry::kind.eq("bid.submitted"))
                .select((audit_entry::entry_id, audit_entry::stream));
            let mail = outbox::table.filter(outbox::sealed.eq(true)).select(outbox::id);
            Ok((entry.first::<(String, String)>(conn).optional()?, mail.first::<String>(conn).optional()?))
        });
        let (entry, mail) = found.expect("read");
        let (entry, bid) = entry.unwrap_or_else(|| (nothing("ent"), nothing("bid")));
        self.places.entry = entry;
        self.places.bid = bid;
        self.places.mail = mail.unwrap_or_else(|| nothing("msg"));
        self.places.upload = upload.unwrap_or_else(|| nothing("upl"));
    }
}

/// Bids with receipts by mail, in one envelope each, and asks for what bidders and their software ask for on the way.
fn submit(twin: &Twin<'_>, n: usize, rev: u32, amount: &str) -> String {
    let bidder = twin.world.bidder(n);
    for path in ["/v1/me".to_owned(), "/v1/time".to_owned(), twin.story.path(""), twin.story.path("/key-set")] {
        bidder.get(path).ok();
    }
    let (mut body, upload) = twin.story.uploaded_bid(n, rev, amount);
    body["notify"] = json!(true);
    bidder.post(twin.story.path("/bids/check"), &body).ok();
    twin.story.submit(n, &body).ok();
    twin.story.submit(n, &body).ok();
    bidder.get(twin.story.path("/bids/mine")).ok();
    bidder.get(format!("/v1/bids/{}/", twin.places.bid)).refused(404, "not-found");
    upload
}

/// One life of a lot from its notice to its deadline in which `others` organisations bid; what all others saw of it, and
/// what they saw after the deadline.
fn life(world: &World, others: usize) -> (Transcript, Transcript) {
    life_until(world, others, &|| ())
}

/// The same; `closes` is told when the deadline is about to pass.
pub fn life_until(world: &World, others: usize, closes: &dyn Fn()) -> (Transcript, Transcript) {
    let mut twin = Twin::new(world, world.lot(Category::Construction).noticed());
    let (initiator, secret) = (world.initiator(), others > 0);
    twin.at(24);
    let content = format!("/v1/documents/{}/content", twin.places.document);
    for n in 1..=others {
        assert_eq!(world.bidder(n).get(&content).status, 200);
    }
    twin.at(25);
    // Somebody asks on each of them; on the others it is a bidder.
    let asker = world.bidder(if secret { 1 } else { 6 });
    let asked = asker
        .post(twin.story.path("/questions"), &json!({ "kind": "question", "text": "Is transport included?" }))
        .ok();
    twin.places.question = asked["id"].as_str().expect("an id").to_owned();
    twin.at(26);
    twin.observe("after a question and fetches", false);

    twin.at(48);
    let uploads: Vec<String> = (1..=others).map(|n| submit(&twin, n, 1, AMOUNTS[n - 1])).collect();
    let stale = secret.then(|| twin.story.uploaded_bid(1, 3, "890000.00").0);
    twin.at(50);
    twin.guess(uploads.first().cloned());
    twin.observe("after bids", false);

    twin.at(72);
    if secret {
        submit(&twin, 1, 2, "899999.00");
        twin.story.withdraw(2).ok();
    }
    twin.at(73);
    twin.story.act(&initiator, "clarify", &json!({ "lines": ["Transport is included."], "affects_bid": false })).ok();
    initiator.post(format!("/v1/questions/{}/actions/answer", twin.places.question), &json!({ "answer": "Yes." })).ok();
    twin.at(74);
    if let Some(stale) = stale {
        twin.story.submit(1, &stale).refused(409, "document-revision-stale");
        assert_eq!(twin.story.mine(1)["refusals"].as_array().map(Vec::len), Some(1), "the refusal is on record");
    }
    twin.at(75);
    twin.observe("after a replacement, a withdrawal and a refusal", false);

    twin.at(76);
    let later = twin.story.deadline().plus_millis(5 * 24 * HOUR_MS);
    twin.story.act(&initiator, "extend", &json!({ "new_deadline_at": later, "reason": "More time" })).ok();
    twin.world.advance_to(later.plus_millis(-HOUR_MS));
    twin.observe("an hour before the deadline", true);
    let before = std::mem::take(&mut twin.seen);
    closes();
    world.advance_to(later.plus_millis(70_000));
    let seen = looks::look(world, &twin.places, true);
    twin.note_all("after the deadline", &seen);
    (before, twin.seen)
}

pub fn assert_alike(alone: &Transcript, with_others: &Transcript) {
    assert_eq!(alone.len(), with_others.len());
    let mut differences = Vec::new();
    for ((asked, one), (also, other)) in alone.iter().zip(with_others) {
        // Ids differ in what was asked, too.
        let plain = |text: &str| Normaliser::default().plain(text);
        assert_eq!(plain(asked), plain(also));
        if one != other {
            let lines = one.lines().zip(other.lines()).find(|(one, other)| one != other);
            differences.push(format!(
                "{asked}\n    {:?}, of {} and {} lines",
                lines,
                one.lines().count(),
                other.lines().count()
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{} answers differ with the bids of others:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

fn twins_are_alike(lives: [(Transcript, Transcript); 3]) {
    let [(none, after_none), (two, after_two), (three, after_three)] = lives;
    let shown = none.iter().filter(|(_, answer)| answer.starts_with("200")).count();
    assert!(shown > none.len() / 4, "only {shown} of {} answers show anything", none.len());
    assert_alike(&none, &two);
    assert_alike(&none, &three);
    // What is no secret any more does show: the comparison can tell.
    assert_ne!(after_none, after_three, "three bids open");
    assert_ne!(after_two, after_three, "two are not enough");
}

#[test]
fn nobody_can_tell_whether_none_or_two_or_three_bid_on_sqlite() {
    twins_are_alike([0, 2, 3].map(|others| life(&padded_sqlite(), others)));
}

#[test]
fn nobody_can_tell_whether_none_or_two_or_three_bid_on_postgres() {
    let lives: Option<Vec<_>> = [0, 2, 3].into_iter().map(|others| Some(life(&padded_postgres()?, others))).collect();
    if let Some(lives) = lives {
        twins_are_alike(lives.try_into().unwrap_or_else(|_| panic!("three lives")));
    }
}

/// A lot with an announced reserve price, sealed in time on one of two platforms.
fn life_with_reserve(world: &World, sealed: bool) -> Transcript {
    let story = world.lot(Category::LandUse).terms(&json!({ "reserve": "announced" })).noticed();
    let mut twin = Twin::new(world, story);
    twin.at(2);
    let mut upload = None;
    if sealed {
        twin.story.seal_reserve(1, "150000.00").ok();
        upload = upload_for(world, "reserve");
        assert!(upload.is_some());
    }
    twin.at(3);
    twin.guess(upload);
    // The initiator knows its own reserve price: its answers are not compared.
    let seen: Vec<Seen> =
        looks::look(world, &twin.places, false).into_iter().filter(|seen| seen.who != "initiator1").collect();
    twin.note_all("with a reserve price", &seen);
    twin.seen
}

#[test]
fn nobody_but_its_initiator_can_tell_whether_a_reserve_price_is_sealed() {
    assert_alike(&life_with_reserve(&padded_sqlite(), false), &life_with_reserve(&padded_sqlite(), true));
}

/// What bidder 5 is told, whatever it does right or wrong, where `others` bid as well.
fn told_to_a_bidder(world: &World, others: usize) -> Transcript {
    let mut twin = Twin::new(world, world.lot(Category::Construction).noticed());
    let bidder = world.bidder(5);
    twin.at(24);
    // What another bidder sealed, sent by it or not.
    let (theirs, _) = twin.story.uploaded_bid(1, 1, "880000.00");
    if others > 0 {
        twin.story.submit(1, &theirs).ok();
    }
    for n in 2..=others {
        submit(&twin, n, 1, AMOUNTS[n - 1]);
    }
    twin.at(25);
    twin.guess(None);
    let bids = twin.story.path("/bids");
    let content = format!("/v1/documents/{}/content", twin.places.document);
    let moment = "what a bidder does";
    let note = |twin: &mut Twin<'_>, answer: Answer| {
        twin.note(moment, "bidder5", &answer);
        answer
    };
    for _ in 0..2 {
        note(&mut twin, bidder.get(&content));
    }
    note(&mut twin, bidder.get(format!("{bids}/mine"))).refused(404, "not-found");
    note(&mut twin, bidder.post(&bids, &theirs));
    note(&mut twin, bidder.post(format!("{bids}/check"), &theirs));
    let (body, upload) = twin.story.uploaded_bid(5, 2, "905000.00");
    note(&mut twin, bidder.get(format!("/v1/uploads/{upload}"))).ok();
    note(&mut twin, bidder.post(format!("{bids}/check"), &body)).ok();
    let act = note(&mut twin, bidder.post(&bids, &body)).ok();
    note(&mut twin, bidder.post(&bids, &body)).ok();
    let (payload, _) = twin.story.seal_price(&bidder, Part::Price, "905000.00");
    let lost = json!({ "envelopes": [jws(&twin.story.header(&bidder, Part::Price, 3, &payload))] });
    note(&mut twin, bidder.post(&bids, &lost)).refused(404, "upload-not-found");
    let old = twin.story.uploaded_bid(5, 1, "905000.00").0;
    note(&mut twin, bidder.post(&bids, &old)).refused(409, "bid-rev-stale");
    note(&mut twin, bidder.get(format!("{bids}/mine"))).ok();
    note(&mut twin, bidder.get(format!("/v1/receipts/{}", act["entry_id"].as_str().expect("an id")))).ok();
    let proof = format!("/v1/receipts/{}/proof", act["entry_id"].as_str().expect("an id"));
    assert_eq!(note(&mut twin, bidder.get(&proof)).status, 202);
    twin.at(26);
    for path in [proof.as_str(), "/audit/main/checkpoint", "/audit/main/policy", "/audit/main/tile/0/000"] {
        assert_eq!(note(&mut twin, bidder.get(path)).status, 200);
    }
    note(&mut twin, bidder.get(format!("/v1/bids/{}/payloads/price", act["bid_id"].as_str().expect("an id"))));
    let tried = [format!("/v1/receipts/{}", twin.places.entry), format!("/v1/bids/{}/payloads/price", twin.places.bid)];
    for path in tried {
        note(&mut twin, bidder.get(path)).refused(404, "not-found");
    }
    let withdrawn = twin.story.withdraw(5);
    note(&mut twin, withdrawn).ok();
    let again = twin.story.withdraw(5);
    note(&mut twin, again);
    for path in ["", "/actions", "/timeline", "/notices", "/questions", "/opening", "/evaluation", "/bids/mine"] {
        let shown = bidder.get(twin.story.path(path));
        note(&mut twin, shown);
    }
    twin.at(30 * 24 - 1);
    let late: Value = twin.story.uploaded_bid(5, 4, "905000.00").0;
    world.set_clock(twin.story.deadline());
    note(&mut twin, bidder.post(&bids, &late)).refused(409, "bid-late");
    twin.seen
}

#[test]
fn a_bidder_is_told_the_same_whether_it_is_alone_or_not() {
    let alone = told_to_a_bidder(&padded_sqlite(), 0);
    assert_alike(&alone, &told_to_a_bidder(&padded_sqlite(), 2));
    assert_alike(&alone, &told_to_a_bidder(&padded_sqlite(), 3));
}

#[test]
fn an_unanswered_question_is_shown_to_its_asker_and_the_initiator_alone() {
    let world = World::sqlite();
    let story = world.lot(Category::Construction).noticed();
    world
        .bidder(1)
        .post(story.path("/questions"), &json!({ "kind": "question", "text": "Is transport included?" }))
        .ok();
    let path = story.path("/questions");
    for login in ["admin", "centre", "inspector", "initiator2", "bidder2"] {
        assert_eq!(items(&world.person(login).get(&path).ok()), Vec::<Value>::new(), "{login}");
    }
    for person in [world.initiator(), world.bidder(1)] {
        let shown = items(&person.get(&path).ok());
        assert_eq!(texts(&shown, "state"), ["open"]);
        assert!(!shown[0].to_string().contains(&world.bidder(1).member.org_id), "{}", shown[0]);
    }
}
