//! Disclosures: what was published of a lot after its opening.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde_json::Value;

use super::opened::{Header, Opened, Public};
use super::receipt::Included;
use super::report::{Failure, Finding, Proven, Result};
use super::streams::Streams;
use super::tree::Tree;
use crate::kernel::digest::{Digest, Hasher};
use crate::kernel::text::Bilingual;
use crate::tlog::entry::leaf_hash;

/// The kind of the entry that fixes the set of bids at the closing.
const FIXED: &str = "bids.fixed";
/// The kind of the first entry of a bid's stream.
const SUBMITTED: &str = "bid.submitted";
/// The kinds of what a bidder does with a bid before the closing. Whatever else stands on a bid's stream follows from the opening, which
/// may be recorded in the very instant in which the set was fixed.
pub const ACTS: [&str; 4] = [SUBMITTED, "bid.replaced", "bid.confirmed", "bid.withdrawn"];
/// The kind of the entry that says that the lot's key is about to be used.
const USED: &str = "key.used";
/// The kind of the entry that names the digest of the file.
const DISCLOSED: &str = "lot.disclosed";

/// Reads lines one by one, hashing what is read.
pub struct Lines<R> {
    reader: R,
    hasher: Hasher,
    place: String,
    number: u64,
    line: String,
}

impl<R: BufRead> Lines<R> {
    /// Lines of a file that is called `place`.
    pub fn new(reader: R, place: &str) -> Self {
        Self { reader, hasher: Hasher::new(), place: place.to_owned(), number: 0, line: String::new() }
    }

    /// The next line without its end; none at the end of the file.
    ///
    /// # Errors
    /// Refuted where it is not text or the last line has no end, undecided where it cannot be read.
    pub fn read(&mut self) -> Result<Option<&str>> {
        self.line.clear();
        self.number += 1;
        let read = self.reader.read_line(&mut self.line);
        let place = self.place();
        match read {
            Ok(0) => Ok(None),
            Ok(_) => {
                self.hasher.update(self.line.as_bytes());
                self.line.strip_suffix('\n').map(Some).ok_or_else(|| {
                    Failure::refuted(place, "末行没有换行:文件不完整。", "the last line has no end: the file is cut")
                })
            }
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Err(Failure::refuted(place, "不是 UTF-8 文本。", "it is not UTF-8"))
            }
            Err(error) => {
                Err(Failure::undecided(place, format!("无法读取:{error}"), format!("it cannot be read: {error}")))
            }
        }
    }

    /// Where the line stands that was read last.
    pub fn place(&self) -> String {
        format!("{}, line {}", self.place, self.number)
    }

    /// SHA-256 of everything that was read.
    pub fn digest(self) -> Digest {
        self.hasher.finish()
    }
}

/// What is kept of an entry for the check of the set of bids.
struct Seen {
    rev: u64,
    at: String,
    kind: String,
    commitment: Digest,
}

/// The entry that fixed the set of bids.
struct Fixed {
    index: u64,
    place: String,
    at: String,
    data: Value,
}

/// Checks a disclosure; with a tree, that its lines are leaves, and with the receipt of the entry `lot.disclosed`, that this is
/// the file that was published.
///
/// # Errors
/// Refuted with the line; undecided without a tree, where all that the lines say of each other holds.
pub fn check(
    reader: impl BufRead,
    place: &str,
    origin: &str,
    mut tree: Option<&mut Tree<'_>>,
    receipt: Option<&Included>,
) -> Result<Proven> {
    let mut lines = Lines::new(reader, place);
    let first = lines.read()?.map(str::to_owned);
    let header = Header::read(&lines.place(), first.as_deref().unwrap_or_default(), "disclosure", origin)?;
    let (Some(lot), Some(announced), None) = (&header.lot, header.entries, header.size) else {
        return Err(Failure::refuted(
            lines.place(),
            "首行缺少标段或条数。",
            "the first line lacks the lot or the number of lines",
        ));
    };
    let (mut streams, mut fixed, mut used) = (Streams::new(), Vec::new(), None);
    let mut bids: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    let (mut count, mut last) = (0_u64, None);
    while let Some(line) = lines.read()?.map(str::to_owned) {
        let opened = Opened::read(&lines.place(), &line)?;
        let place = format!("{}, entry {}", lines.place(), opened.index);
        let public = opened.public(&place)?;
        if last.is_some_and(|last| opened.index <= last) {
            return Err(Failure::refuted(
                place,
                "各行未按条目序号排列。",
                "the lines are not in the order of their indexes",
            ));
        }
        if public.lot.as_ref() != Some(lot) {
            return Err(Failure::refuted(place, "该记录不属于该标段。", format!("the entry is not of the lot {lot}")));
        }
        if let Some(tree) = tree.as_deref_mut() {
            is_leaf(tree, &opened, &place)?;
        }
        streams.add(&public, &opened.commitment, opened.index)?;
        match &*public.kind {
            FIXED => fixed.push(read_fixed(&opened, &public, place)?),
            // The lines come by index: this is the first use.
            USED => used = used.or(Some(opened.index)),
            _ => {}
        }
        bids.entry(public.stream).or_default().push(Seen {
            rev: public.rev,
            at: public.at,
            kind: public.kind,
            commitment: opened.commitment,
        });
        last = Some(opened.index);
        count += 1;
    }
    as_announced(announced, count, lines.place())?;
    let (streams, _) = streams.finish()?;
    before_any_key(&fixed, used)?;
    let fixed = fixed_sets(bids, &fixed)?;
    let digest = lines.digest();
    let mut said = Proven::new(Bilingual::new(
        format!("标段 {lot} 公布的 {count} 条记录完整,且与日志相符。"),
        format!("the {count} disclosed entries of {lot} are complete streams, and each is in the log"),
    ));
    said = said.with("lot", "标段", "lot", lot.as_str()).with("entries", "条数", "entries", count);
    said = said.with("streams", "记录流", "streams", streams);
    said = said.with("fixed_bids", "各次截止时的投标数", "bids in each set that was fixed", fixed);
    if let Some(receipt) = receipt {
        published(receipt, lot, &digest)?;
        said = said.with("published_as", "公布记录的条目序号", "entry that says so", receipt.index);
    }
    said = said.with("sha256", "文件摘要", "digest of the file", digest.to_string());
    if tree.is_none() {
        return Err(Failure::undecided(
            place,
            "各行彼此一致,但没有 --tiles,无法与日志比较。",
            "what the lines say of each other holds; without --tiles they are not compared with the log",
        ));
    }
    Ok(said)
}

fn as_announced(announced: u64, count: u64, place: String) -> Result<()> {
    if count == announced {
        return Ok(());
    }
    Err(Failure::refuted(
        place,
        format!("首行称有 {announced} 条,实有 {count} 条。"),
        format!("the first line announces {announced} entries, and there are {count}"),
    ))
}

/// Compares the commitment of a line with the leaf.
///
/// # Errors
/// Refuted when it is another; see also [`Tree::leaf`].
pub fn is_leaf(tree: &mut Tree<'_>, opened: &Opened, place: &str) -> Result<()> {
    if opened.index < tree.size() && tree.leaf(opened.index)? == leaf_hash(&opened.commitment) {
        return Ok(());
    }
    Err(Failure::Refuted(Finding::new(
        place,
        format!("第 0 层:所示内容(承诺值 {})不是日志中该序号的叶。", opened.commitment),
        format!(
            "level 0: what is shown (commitment {}) is not the leaf that the log has at that index",
            opened.commitment
        ),
    )))
}

fn read_fixed(opened: &Opened, public: &Public, place: String) -> Result<Fixed> {
    let c = opened.c.as_ref().ok_or_else(|| {
        Failure::refuted(
            place.clone(),
            "截止记录的 c 部分未公开。",
            "part c of the entry that fixes the set of bids is not opened",
        )
    })?;
    let value: Value = serde_json::from_slice(c)
        .map_err(|_| Failure::refuted(place.clone(), "c 部分不合格式。", "part c is not in the form"))?;
    Ok(Fixed {
        index: opened.index,
        place,
        at: public.at.clone(),
        data: value.get("data").cloned().unwrap_or_default(),
    })
}

/// Whether every set of bids was fixed in an earlier batch than that in which a key of the lot was first used, as far as the places of
/// both in the log tell.
fn before_any_key(fixed: &[Fixed], used: Option<u64>) -> Result<()> {
    match fixed.iter().find(|set| used.is_some_and(|used| used < set.index)) {
        None => Ok(()),
        Some(set) => Err(Failure::refuted(
            set.place.clone(),
            "使用密钥的记录在日志中先于固定投标集合的记录。",
            "a key of the lot was used before the set of bids was fixed, as their places in the log tell",
        )),
    }
}

/// Compares each set that was fixed with the bids' streams as they stood then; returns how many bids each has.
fn fixed_sets(mut streams: BTreeMap<String, Vec<Seen>>, fixed: &[Fixed]) -> Result<Vec<usize>> {
    for stream in streams.values_mut() {
        stream.sort_unstable_by_key(|seen| seen.rev);
    }
    let is_bid = |stream: &&Vec<Seen>| stream.first().is_some_and(|first| first.kind == SUBMITTED);
    let mut counts = Vec::new();
    for set in fixed {
        let latest = |stream: &Vec<Seen>| {
            let acts = stream.iter().rev().filter(|seen| ACTS.contains(&&*seen.kind));
            acts.skip_while(|seen| seen.at > set.at).map(|seen| seen.commitment).next()
        };
        let mut commitments: Vec<Digest> = streams.values().filter(is_bid).filter_map(latest).collect();
        commitments.sort_unstable();
        let mut hasher = Hasher::new();
        commitments.iter().for_each(|commitment| hasher.update(commitment.as_bytes()));
        let count = set.data.get("count").and_then(Value::as_u64);
        let sha256 = set.data.get("sha256").and_then(Value::as_str);
        if count != Some(commitments.len() as u64) || sha256 != Some(hasher.finish().to_string().as_str()) {
            return Err(Failure::refuted(
                set.place.clone(),
                format!("截止时固定的投标集合与公布的 {} 份投标不符。", commitments.len()),
                format!(
                    "the set of bids that was fixed at the closing is not that of the {} bids disclosed here",
                    commitments.len()
                ),
            ));
        }
        counts.push(commitments.len());
    }
    Ok(counts)
}

/// Whether the log says that this is the file.
fn published(receipt: &Included, lot: &str, digest: &Digest) -> Result<()> {
    let said = super::receipt::recorded(&receipt.opening.p);
    let is = |key: &str, value: &str| said.pointer(key).and_then(Value::as_str) == Some(value);
    if is("/kind", DISCLOSED) && is("/lot", lot) && is("/data/sha256", &digest.to_string()) {
        return Ok(());
    }
    Err(Failure::refuted(
        format!("entry {}", receipt.index),
        format!("日志中公布的不是该文件(其摘要 {digest})。"),
        format!("this is not the file that the log says was disclosed: its digest is {digest}"),
    ))
}
