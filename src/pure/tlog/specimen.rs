//! A whole log in memory, the same every time: for test vectors, for damage, and to be measured.
//!
//! Keys, salts and times follow from numbers, so that the same number of entries gives the same bytes. The platform's own code
//! is not used beyond the form of the log (`tlog`): what is made here is what the page about the format says.

mod files;

use std::collections::BTreeMap;

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::kernel::digest::{Digest, Hasher, sha256};
use crate::kernel::encoding::{base64url, hex};
use crate::kernel::time::Timestamp;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::edge::Edge;
use crate::tlog::entry::{Part, Salt, commitment, leaf_hash, padding, part_digest};
use crate::tlog::note::{self, Kind, Verifier};
use crate::tlog::proof::Proof;
use crate::tlog::receipt::{Opening, RECEIPT_VERSION, Receipt, promise_text_by};
use crate::tlog::tiles::{self, Content, Tile};
use crate::tlog::{cosignature, prove};

pub use self::files::{files_of, small};

/// The host of the specimen's platform.
pub const HOST: &str = "log.example";
/// The log's origin.
pub const ORIGIN: &str = "log.example/audit/main";
/// The lot that is disclosed.
pub const LOT: &str = "lot-specimen";
/// The stream of a reserve price that lies in the box with the bids.
const RESERVE: &str = "bid-reserve";
/// Streams of which every tenth entry is of the lot.
const BIDS: u64 = 5;
/// When the first entry was recorded: 2026-11-22T01:00:00Z.
const START: i64 = 1_795_309_200_000;
/// Fewest leaves of a batch.
const QUANTUM: usize = 8;

/// A key that follows from a number.
pub struct SpecimenKey {
    pair: Ed25519KeyPair,
    /// Its public half.
    pub verifier: Verifier,
}

impl SpecimenKey {
    /// The key of a number, from 1.
    pub fn new(number: u8, name: &str, kind: Kind) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).expect("32 bytes are a seed");
        let verifier = Verifier::new(name, kind, pair.public_key().as_ref()).expect("a name and a key");
        Self { pair, verifier }
    }

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// Signs a text as a note.
    pub fn note(&self, text: &str) -> String {
        note::sign(text, self.verifier.name(), self.verifier.public_key(), |bytes| self.sign(bytes))
    }
}

/// One entry with everything that is secret about it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Part by part: salt and text.
    pub parts: [(Salt, String); 3],
    /// Its commitment.
    pub commitment: Digest,
    /// Its leaf, once it is in the tree.
    pub index: u64,
}

/// A batch of the tree.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its first leaf.
    pub from: u64,
    /// The leaf after its last.
    pub to: u64,
    /// How many are padding.
    pub pads: u32,
    /// What the padding follows from.
    pub pad_key: [u8; 32],
    /// Its entries, in the order of their leaves.
    pub entries: Vec<Entry>,
}

/// A log that grows batch by batch.
pub struct Specimen {
    /// Signs checkpoints.
    pub log: SpecimenKey,
    /// Signs promises and manifests.
    pub promise: SpecimenKey,
    /// Cosign.
    pub witnesses: [SpecimenKey; 2],
    edge: Edge,
    made: u64,
    /// The number of the entry at whose instant the clock stands still: from the closing on.
    still: Option<u64>,
    heads: BTreeMap<String, (u64, Digest)>,
}

impl Default for Specimen {
    fn default() -> Self {
        Self::new()
    }
}

impl Specimen {
    /// An empty log.
    pub fn new() -> Self {
        Self {
            log: SpecimenKey::new(1, ORIGIN, Kind::Text),
            promise: SpecimenKey::new(2, &format!("{HOST}/promise"), Kind::Text),
            witnesses: [3, 4]
                .map(|number| SpecimenKey::new(number, &format!("w{}.example/witness", number - 2), Kind::Cosignature)),
            edge: Edge::empty(),
            made: 0,
            still: None,
            heads: BTreeMap::new(),
        }
    }

    /// A policy that asks for both witnesses.
    pub fn policy(&self) -> String {
        let [one, two] = &self.witnesses;
        format!(
            "# tick 5000 ms, padding {QUANTUM}\nlog {}\nwitness w1 {}\nwitness w2 {}\ngroup both all w1 w2\nquorum both\n",
            self.log.verifier, one.verifier, two.verifier
        )
    }

    /// The list of keys.
    pub fn keys(&self) -> String {
        let text = format!(
            "sealbid/audit/keys/v1\n{ORIGIN}\nlog {} 0\npromise {} 0\n",
            self.log.verifier, self.promise.verifier
        );
        let signed = self.log.note(&text);
        format!("{signed}{}", self.promise.verifier.line(&self.promise.sign(text.as_bytes())))
    }

    /// The next entry of a stream: every third entry continues a stream, and every second stream is of the lot.
    fn next_entry(&mut self, kind: &str, stream: &str, lot: Option<&str>, restricted: &Value) -> Entry {
        let number = self.made;
        self.made += 1;
        let salt = |letter: u8| {
            let mut hasher = Hasher::new();
            hasher.update(b"specimen salt");
            hasher.update(&[letter]);
            hasher.update(&number.to_be_bytes());
            *hasher.finish().as_bytes()
        };
        let (rev, prev) = self.heads.get(stream).map_or((1, None), |(rev, prev)| (rev + 1, Some(*prev)));
        let at = Timestamp::from_millis(START + self.still.unwrap_or(number) as i64).to_string().replace('Z', "000Z");
        let mut p = json!({
            "at": at, "id": format!("ent-{number:08}"), "kind": kind,
            "object": sha256(&number.to_be_bytes()), "rev": rev, "role": "bidder", "stream": stream, "v": 1,
        });
        if let Some(lot) = lot {
            p["lot"] = lot.into();
        }
        if let Some(prev) = prev {
            p["prev"] = json!(prev);
        }
        let mut c = json!({ "actor": format!("usr-{}", number % 97), "request": format!("req-{number:08}") });
        if restricted.as_object().is_some_and(|data| !data.is_empty()) {
            c["data"] = restricted.clone();
        }
        let i = json!({ "data": { "name": "张三" }, "ip": "203.0.113.7" });
        let parts = [(salt(b'p'), p.to_string()), (salt(b'c'), c.to_string()), (salt(b'i'), i.to_string())];
        let digest = |part: Part, (salt, text): &(Salt, String)| part_digest(part, salt, text.as_bytes());
        let commitment = commitment(
            &digest(Part::Public, &parts[0]),
            &digest(Part::Restricted, &parts[1]),
            &digest(Part::Personal, &parts[2]),
        );
        self.heads.insert(stream.to_owned(), (rev, commitment));
        Entry { parts, commitment, index: 0 }
    }

    /// An entry by its number: bids of the lot, and streams that have nothing to do with it.
    fn entry(&mut self) -> Entry {
        let number = self.made;
        match number % 10 {
            0 => {
                let stream = format!("bid-{}", number / 10 % BIDS);
                let kind = if self.heads.contains_key(&stream) { "bid.replaced" } else { "bid.submitted" };
                self.next_entry(kind, &stream, Some(LOT), &json!({}))
            }
            1 => self.next_entry("lot.extended", LOT, Some(LOT), &json!({})),
            // Every stream of the others has three entries.
            _ => self.next_entry("user.changed", &format!("usr-{}", number / 30 * 10 + number % 10), None, &json!({})),
        }
    }

    /// Fixes the set of bids as it is now.
    fn fixed(&mut self) -> Entry {
        let bids = self.heads.iter().filter(|(stream, _)| stream.starts_with("bid-") && *stream != RESERVE);
        let mut commitments: Vec<Digest> = bids.map(|(_, (_, commitment))| *commitment).collect();
        commitments.sort_unstable();
        let mut hasher = Hasher::new();
        commitments.iter().for_each(|commitment| hasher.update(commitment.as_bytes()));
        let data = json!({ "count": commitments.len(), "sha256": hasher.finish() });
        self.still = Some(self.made);
        self.next_entry("bids.fixed", &format!("box-{LOT}"), Some(LOT), &data)
    }

    /// The use of the lot's key, and the opening of every bid, all in the instant of the closing.
    fn opened(&mut self) -> Vec<Entry> {
        let bids: Vec<String> = self.heads.keys().filter(|stream| stream.starts_with("bid-")).cloned().collect();
        let mut entries = vec![self.next_entry("key.used", "kus-specimen", Some(LOT), &json!({}))];
        for stream in bids {
            let kind = if stream == RESERVE { "reserve.opened" } else { "bid.opened" };
            entries.push(self.next_entry(kind, &stream, Some(LOT), &json!({})));
        }
        entries
    }

    /// An entry that says what was disclosed.
    fn disclosed(&mut self, digest: &Digest) -> Entry {
        self.public("lot.disclosed", &format!("disclosed-{LOT}"), LOT, &json!({ "sha256": digest }))
    }

    /// An entry of a lot, with public data.
    fn public(&mut self, kind: &str, stream: &str, lot: &str, data: &Value) -> Entry {
        let mut entry = self.next_entry(kind, stream, Some(lot), &json!({}));
        let mut p: Value = serde_json::from_str(&entry.parts[0].1).expect("JSON");
        p["data"] = data.clone();
        entry.parts[0].1 = p.to_string();
        let [p, c, i] = &entry.parts;
        let of = |part, (salt, text): &(Salt, String)| part_digest(part, salt, text.as_bytes());
        entry.commitment = commitment(&of(Part::Public, p), &of(Part::Restricted, c), &of(Part::Personal, i));
        self.heads.entry(stream.to_owned()).and_modify(|(_, head)| *head = entry.commitment);
        entry
    }

    /// Appends a batch of so many entries, and gives every tile that it made to `write`.
    pub fn grow(&mut self, real: usize, write: &mut impl FnMut(Tile, Vec<u8>)) -> Batch {
        let entries = (0..real).map(|_| self.entry()).collect();
        self.append(entries, write)
    }

    /// Appends a reserve price in the box, which is no bid, and the entry that fixes the set of bids.
    pub fn close(&mut self, write: &mut impl FnMut(Tile, Vec<u8>)) -> Batch {
        let reserve = self.next_entry("reserve.sealed", RESERVE, Some(LOT), &json!({}));
        let fixed = self.fixed();
        self.append(vec![reserve, fixed], write)
    }

    /// Appends the opening of the box.
    pub fn open(&mut self, write: &mut impl FnMut(Tile, Vec<u8>)) -> Batch {
        let entries = self.opened();
        self.append(entries, write)
    }

    /// Appends the entry that names a disclosure.
    pub fn disclose(&mut self, file: &str, write: &mut impl FnMut(Tile, Vec<u8>)) -> Batch {
        let entry = self.disclosed(&sha256(file.as_bytes()));
        self.append(vec![entry], write)
    }

    /// Appends an entry of a lot with public data.
    pub fn record(&mut self, kind: &str, lot: &str, data: &Value, write: &mut impl FnMut(Tile, Vec<u8>)) -> Batch {
        let entry = self.public(kind, &format!("{kind}-{lot}"), lot, data);
        self.append(vec![entry], write)
    }

    fn append(&mut self, mut entries: Vec<Entry>, write: &mut impl FnMut(Tile, Vec<u8>)) -> Batch {
        let from = self.edge.size();
        let leaves = entries.len().next_power_of_two().max(QUANTUM);
        let pads = (leaves - entries.len()) as u32;
        let mut hasher = Hasher::new();
        hasher.update(b"specimen padding");
        hasher.update(&from.to_be_bytes());
        let pad_key = *hasher.finish().as_bytes();
        let mut all: Vec<Digest> = (0..pads).map(|k| padding(&pad_key, k)).collect();
        all.extend(entries.iter().map(|entry| entry.commitment));
        all.sort_unstable();
        for entry in &mut entries {
            entry.index = from + all.binary_search(&entry.commitment).expect("one of them") as u64;
        }
        entries.sort_unstable_by_key(|entry| entry.index);
        for written in self.edge.grow(all.into_iter().map(|commitment| (commitment, leaf_hash(&commitment)))) {
            write(written.tile, written.bytes);
        }
        Batch { from, to: self.edge.size(), pads, pad_key, entries }
    }

    /// The head of the tree as it is.
    pub fn head(&self) -> Checkpoint {
        Checkpoint { origin: ORIGIN.to_owned(), size: self.edge.size(), root: self.edge.frontier().root() }
    }

    /// A signed and cosigned checkpoint of a head.
    pub fn checkpoint(&self, head: &Checkpoint, seen: u64) -> String {
        let text = head.text();
        let cosigned = self
            .witnesses
            .iter()
            .map(|witness| cosignature::line(&witness.verifier, seen, &text, |bytes| witness.sign(bytes)));
        std::iter::once(self.log.note(&text)).chain(cosigned).collect()
    }

    /// The receipt of an entry under a checkpoint, with the tiles of the tree.
    pub fn receipt(&self, entry: &Entry, head: &Checkpoint, note: &str, tiles: &impl Fn(Tile) -> Vec<u8>) -> String {
        let read = |level, index| {
            tiles::read_node(
                level,
                index,
                |level, n| {
                    let width = tiles::width_in(head.size, level, n);
                    tiles::hashes(&tiles(Tile { content: Content::Hashes(level), n, width })).ok_or("not hashes")
                },
                |_, _| "too few hashes",
            )
        };
        let hashes = prove::inclusion(entry.index, head.size, read).expect("the tiles of the tree");
        let extra = Some(entry.opening().to_extra().into_bytes());
        Proof { extra, index: entry.index, hashes, checkpoint: note.to_owned() }.to_text()
    }

    /// The answer with the promise that an entry will be in the log, ten minutes after it was recorded at the latest.
    pub fn promise(&self, entry: &Entry, at: Timestamp) -> Receipt {
        let text = promise_text_by(HOST, &entry.commitment, at, at.plus_seconds(600));
        Receipt {
            v: RECEIPT_VERSION,
            entry_id: entry.id(),
            opening: entry.opening(),
            c: entry.commitment,
            promise: self.promise.note(&text),
        }
    }
}

impl Entry {
    /// What opens part `p`.
    pub fn opening(&self) -> Opening {
        let [(s_p, p), (s_c, c), (s_i, i)] = &self.parts;
        Opening {
            s_p: *s_p,
            p: p.clone().into_bytes(),
            h_c: part_digest(Part::Restricted, s_c, c.as_bytes()),
            h_i: part_digest(Part::Personal, s_i, i.as_bytes()),
        }
    }

    /// Its line with everything opened; `erased` leaves the digest of part `i` only.
    pub fn dump_line(&self, erased: bool) -> String {
        let [(s_p, p), (s_c, c), (s_i, i)] = &self.parts;
        let personal = if erased {
            format!(r#""h_i":"{}""#, part_digest(Part::Personal, s_i, i.as_bytes()))
        } else {
            format!(r#""i":"{}","s_i":"{}""#, base64url(i.as_bytes()), base64url(s_i))
        };
        format!(
            r#"{{"c":"{}",{personal},"index":{},"p":"{}","s_c":"{}","s_p":"{}"}}"#,
            base64url(c.as_bytes()),
            self.index,
            base64url(p.as_bytes()),
            base64url(s_c),
            base64url(s_p)
        ) + "\n"
    }

    /// Its line in a disclosure: part `p`, and of the entry that fixes the bids part `c`.
    pub fn disclosure_line(&self) -> String {
        let Opening { s_p, p, h_c, h_i } = self.opening();
        let (s_c, c) = &self.parts[1];
        let restricted = if self.parts[0].1.contains(r#""kind":"bids.fixed""#) {
            format!(r#""c":"{}","s_c":"{}""#, base64url(c.as_bytes()), base64url(s_c))
        } else {
            format!(r#""h_c":"{h_c}""#)
        };
        format!(
            r#"{{{restricted},"h_i":"{h_i}","index":{},"p":"{}","s_p":"{}"}}"#,
            self.index,
            base64url(&p),
            base64url(&s_p)
        ) + "\n"
    }

    /// Its id.
    fn id(&self) -> String {
        let p: Value = serde_json::from_str(&self.parts[0].1).expect("JSON");
        p["id"].as_str().expect("an id").to_owned()
    }

    /// Whether it is of the disclosed lot.
    pub fn is_of_the_lot(&self) -> bool {
        self.parts[0].1.contains(&format!(r#""lot":"{LOT}""#))
    }
}

impl Batch {
    /// Its line in a dump.
    pub fn dump_line(&self) -> String {
        format!(r#"{{"from":{},"pad_key":"{}","pads":{},"to":{}}}"#, self.from, hex(&self.pad_key), self.pads, self.to)
            + "\n"
    }
}
