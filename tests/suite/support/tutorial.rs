//! What happens in the walks of docs/tutorials besides requests: sealing, which no plain request can do, and whatever the
//! page takes for granted. Each step is named by the words that the page has for it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sealbid::kernel::digest::sha256;
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::Part;
use sealbid::seal::ids::Ident;
use sealbid::seal::manifest::{Binding, Manifest};
use sealbid::seal::part_writer::{describe, write_part};
use sealbid::seal::sealing::{SealedPayload, seal_payload};
use serde_json::{Value, json};

use super::steps::blob;
use super::story::{LotStory, PLAIN_CHUNK, SEALED_CHUNK, jws, upload};
use super::world::World;

/// A walk: what it knows by name, and the files that lie where its commands run.
pub struct Walk<'w> {
    pub world: &'w World,
    pub known: BTreeMap<String, Value>,
    lot: Option<LotStory<'w>>,
    documents: Option<SealedPayload>,
    dir: tempfile::TempDir,
}

/// A step: the words of the page, and what is done.
type Step = (&'static str, fn(&mut Walk<'_>));

/// What a walk can do besides sending requests.
pub const STEPS: &[Step] = &[
    ("A construction lot is published. Its deadline is midnight in China, 2026-04-01T16:00:00.000Z.", |walk| {
        let lot = walk.world.lot(Category::Construction).registered();
        let mut schedule = lot.schedule();
        schedule["deadline_at"] = json!("2026-04-01T16:00:00.000Z");
        lot.act(&walk.world.initiator(), "publish", &schedule).ok();
        walk.tell_of(lot);
    }),
    ("The bidder's software seals the drawings: two chunks.", |walk| {
        let sealed = walk.seal_documents();
        walk.know("documents_size", json!(sealed.len()));
        walk.know("documents_root", json!(walk.documents().root));
        for (n, chunk) in sealed.chunks(SEALED_CHUNK).enumerate() {
            walk.write(&format!("documents.{n}"), chunk);
            walk.know(&format!("digest.{n}"), json!(STANDARD.encode(sha256(chunk).as_bytes())));
        }
    }),
    ("It seals a price of 900000.00 CNY, uploads it, and signs both headers, as revision 1.", |walk| {
        walk.seal_price(1, "900000.00");
    }),
    ("It seals a price of 890000.00 CNY, uploads it, and signs both headers anew, as revision 2.", |walk| {
        walk.seal_price(2, "890000.00");
    }),
    ("It seals a price of 880000.00 CNY, uploads it, and signs both headers anew, as revision 3.", |walk| {
        walk.seal_price(3, "880000.00");
    }),
    ("The initiator uploads the tender document.", |walk| {
        let (lot, initiator) = (walk.text("lot"), walk.world.initiator());
        let mut story = LotStory::new(walk.world, Category::LandUse);
        (story.id, story.project) = (lot.clone(), walk.text("project"));
        let upload = upload(&initiator, &lot, "document", b"The land, its use, and the terms.", PLAIN_CHUNK);
        walk.know("document_upload", json!(upload));
        walk.lot = Some(story);
    }),
    ("The initiator's software seals a reserve price of 110000.00 CNY and uploads it.", |walk| {
        let body = walk.lot().uploaded_reserve(1, "110000.00");
        walk.know("reserve_header", body["envelope"].clone());
    }),
    ("Three bidders seal and submit: 120000.00, 130000.00 and 140000.00 CNY.", |walk| {
        for (n, amount) in (1..).zip(["120000.00", "130000.00", "140000.00"]) {
            walk.world.tick();
            let (body, upload) = walk.lot().uploaded_bid(n, 1, amount);
            walk.lot().submit(n, &body).ok();
            walk.known.insert("third_upload".to_owned(), json!(upload));
            walk.know(&format!("bid{n}"), json!(walk.lot().bid_id(n)));
        }
    }),
    ("A disk fails and spoils what the third of them uploaded.", |walk| {
        let path = blob(walk.world, &walk.text("third_upload"));
        let mut bytes = std::fs::read(&path).expect("the ciphertext");
        bytes[100] ^= 1;
        std::fs::write(&path, bytes).expect("writable");
    }),
    (
        "A construction lot had its deadline at 2026-04-01T01:00:00.000Z. Three bids came in time, the last of them 312 ms \
         before; a fourth came 7 ms late. The bids were opened.",
        |walk| {
            let lot = walk.world.lot(Category::Construction).noticed();
            let lot = lot.with_bids_in_turn(&["900000.00", "910000.00"]);
            let ((last, _), (late, _)) = (lot.uploaded_bid(3, 1, "890000.00"), lot.uploaded_bid(4, 1, "880000.00"));
            let deadline = lot.deadline();
            walk.world.set_clock(deadline.plus_millis(-312));
            lot.submit(3, &last).ok();
            walk.world.set_clock(deadline.plus_millis(7));
            lot.submit(4, &late).refused(409, "bid-late");
            let lot = lot.closed();
            walk.world.tick();
            let lot = lot.opened();
            walk.world.tick();
            walk.tell_of(lot);
        },
    ),
];

impl<'w> Walk<'w> {
    pub fn new(world: &'w World) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let inspector = json!(world.inspector().member.user_id);
        let known = BTreeMap::from([("inspector_user".to_owned(), inspector)]);
        Self { world, known, lot: None, documents: None, dir }
    }

    /// Where commands run.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, file: &str, bytes: &[u8]) {
        std::fs::write(self.dir().join(file), bytes).expect("writable");
    }

    pub fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.dir().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    fn know(&mut self, name: &str, value: Value) {
        self.known.insert(name.to_owned(), value);
    }

    fn text(&self, name: &str) -> String {
        self.known[name].as_str().expect("a text").to_owned()
    }

    fn lot(&self) -> &LotStory<'w> {
        self.lot.as_ref().expect("a lot")
    }

    fn tell_of(&mut self, lot: LotStory<'w>) {
        self.know("lot", json!(lot.id));
        self.lot = Some(lot);
    }

    fn documents(&self) -> &SealedPayload {
        self.documents.as_ref().expect("sealed before")
    }

    /// Seals one large file as bidder 1; more than one chunk, so that one can get lost.
    fn seal_documents(&mut self) -> Vec<u8> {
        let ident = |text: &str| Ident::parse(text, "id").expect("an id");
        let (lot, bidder) = (self.lot(), self.world.bidder(1));
        let binding = Binding {
            tender: ident(&lot.project),
            lot: ident(&lot.id),
            bidder: ident(&bidder.member.org_id),
            part: Part::Documents,
        };
        let drawings = vec![b'x'; SEALED_CHUNK + 100_000];
        let file = describe("drawings.pdf", &drawings[..]).expect("in memory");
        let manifest = Manifest::new(binding, vec![file]).expect("a manifest");
        let (mut plain, mut sealed) = (Vec::new(), Vec::new());
        write_part(&mut plain, &manifest, |_| Ok(&drawings[..])).expect("in memory");
        self.documents = Some(seal_payload(plain.as_slice(), &mut sealed, 1).expect("sealed"));
        sealed
    }

    /// Seals and uploads a price of bidder 1 and signs the headers of this revision.
    fn seal_price(&mut self, rev: u32, amount: &str) {
        let (lot, bidder) = (self.lot(), self.world.bidder(1));
        let (price, sealed) = lot.seal_price(&bidder, Part::Price, amount);
        upload(&bidder, &lot.id, "bid", &sealed, SEALED_CHUNK);
        let headers = [
            ("price_header", jws(&lot.header(&bidder, Part::Price, rev, &price))),
            ("documents_header", jws(&lot.header(&bidder, Part::Documents, rev, self.documents()))),
        ];
        for (name, header) in headers {
            self.know(name, header);
        }
    }
}
