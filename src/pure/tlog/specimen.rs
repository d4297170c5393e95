//! A whole log in memory, the same every time: for test vectors, for damage, and to be measured.
//!
//! Keys, salts and times follow from numbers, so that the same number of entries gives the same bytes. The platform's own code
//! is not used beyond the form of the log (`tlog`): what is made here is what the page about the format says.

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

/// The host of the specimen's platform.
pub const HOST: &str = "log.example";
/// The log's origin.
pub const ORIGIN: &str = "log.example/audit/main";
/// The lot that is disclosed.
pub const LOT: &str = "lot-specimen";
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
        let at = Timestamp::from_millis(START + number as i64).to_string().replace('Z', "000Z");
        let mut p = json!({
            "at": at, "data": {}, "id": format!("ent-{number:08}"), "kind": kind,
            "object": sha256(&number.to_be_bytes()), "rev": rev, "role": "bidder", "stream": stream, "v": 1,
        });
        if let Some(lot) = lot {
            p["lot"] = lot.into();
        }
        if let Some(prev) = prev {
            p["prev"] = json!(prev);
        }
        let c = json!({ "actor": format!("usr-{}", number % 97), "data": restricted, "request": format!("req-{number:08}") });
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
        let bids = self.heads.iter().filter(|(stream, _)| stream.starts_with("bid-"));
        let mut commitments: Vec<Digest> = bids.map(|(_, (_, commitment))| *commitment).collect();
        commitments.sort_unstable();
        let mut hasher = Hasher::new();
        commitments.iter().for_each(|commitment| hasher.update(commitment.as_bytes()));
        let data = json!({ "count": commitments.len(), "sha256": hasher.finish() });
        self.next_entry("bids.fixed", &format!("box-{LOT}"), Some(LOT), &data)
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

    /// Appends the entry that fixes the set of bids.
    pub fn close(&mut self, write: &mut impl FnMut(Tile, Vec<u8>)) -> Batch {
        let entry = self.fixed();
        self.append(vec![entry], write)
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
            entry_id: "ent-specimen".to_owned(),
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

/// Entries of the batches of the small log that the vectors are.
const SMALL: &[usize] = &[1, 0, 5, 20, 3, 120, 60, 30];

/// The small log as files by their paths, with what is handed out beside it.
pub fn small() -> BTreeMap<String, Vec<u8>> {
    files_of(SMALL)
}

/// A log with batches of so many entries, three at least, as files by their paths, with what is handed out beside it.
pub fn files_of(entries: &[usize]) -> BTreeMap<String, Vec<u8>> {
    let mut log = Specimen::new();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let (mut batches, mut older) = (Vec::new(), None);
    let mut made: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
    for real in entries {
        batches.push(log.grow(*real, &mut |tile, bytes| drop(made.insert(tile, bytes))));
        older = older.or_else(|| (batches.len() == 3).then(|| log.head()));
    }
    batches.push(log.close(&mut |tile, bytes| drop(made.insert(tile, bytes))));
    let lines: Vec<&Entry> =
        batches.iter().flat_map(|batch| &batch.entries).filter(|entry| entry.is_of_the_lot()).collect();
    let header = json!({ "entries": lines.len(), "kind": "disclosure", "lot": LOT, "origin": ORIGIN, "v": 1 });
    let disclosure: String =
        std::iter::once(format!("{header}\n")).chain(lines.iter().map(|entry| entry.disclosure_line())).collect();
    batches.push(log.disclose(&disclosure, &mut |tile, bytes| drop(made.insert(tile, bytes))));
    let seen = (START / 1000) as u64 + 60;
    let (head, older) = (log.head(), older.expect("more than three batches"));
    let note = log.checkpoint(&head, seen);
    let tile = |tile: Tile| made.get(&tile).cloned().unwrap_or_default();
    let first = &batches[0].entries[0];
    let last = batches.last().and_then(|batch| batch.entries.first()).expect("the disclosure's entry");
    let dump_header = json!({ "kind": "dump", "origin": ORIGIN, "size": head.size, "v": 1 });
    let dump: String = std::iter::once(format!("{dump_header}\n"))
        .chain(batches.iter().flat_map(|batch| {
            let entries = batch.entries.iter().map(|entry| entry.dump_line(entry.index % 7 == 0));
            std::iter::once(batch.dump_line()).chain(entries)
        }))
        .collect();
    let promise = log.promise(first, Timestamp::from_millis(START));
    let values = json!({
        "origin": ORIGIN,
        "log_vkey": log.log.verifier.to_string(),
        "promise_vkey": log.promise.verifier.to_string(),
        "witness_vkeys": log.witnesses.each_ref().map(|witness| witness.verifier.to_string()),
        "size": head.size,
        "root": head.root,
        "older_size": older.size,
        "older_root": older.root,
        "batches": batches.iter().map(|batch| json!({
            "from": batch.from, "to": batch.to, "pads": batch.pads, "pad_key": hex(&batch.pad_key),
        })).collect::<Vec<_>>(),
        "first_entry": {
            "index": first.index,
            "parts": first.parts.each_ref().map(|(salt, text)| json!({ "salt": hex(salt), "text": text })),
            "commitment": first.commitment,
            "leaf_hash": leaf_hash(&first.commitment),
        },
    });
    files.extend(made.iter().map(|(tile, bytes)| (tile.to_string(), bytes.clone())));
    let texts = [
        ("checkpoint", note.clone()),
        ("older.checkpoint", log.checkpoint(&older, seen - 20)),
        ("policy", log.policy()),
        ("keys", log.keys()),
        ("receipts/first.tlog-proof", log.receipt(first, &head, &note, &tile)),
        (&*format!("disclosures/{LOT}.tlog-proof"), log.receipt(last, &head, &note, &tile)),
        (&*format!("disclosures/{LOT}.ndjson"), disclosure),
        ("dump.ndjson", dump),
        ("receipts/first.promise.json", serde_json::to_string_pretty(&promise).expect("plain data") + "\n"),
        ("values.json", serde_json::to_string_pretty(&values).expect("plain data") + "\n"),
    ];
    files.extend(texts.map(|(name, text)| (name.to_owned(), text.into_bytes())));
    files
}
