//! Dumps: every leaf of the log explained, by an entry or as padding.

use std::io::BufRead;

use serde::Deserialize;

use super::disclosure::{Lines, is_leaf};
use super::opened::{Header, Opened, Public};
use super::report::{Failure, Proven, Result};
use super::streams::Streams;
use super::tree::Tree;
use crate::kernel::digest::Digest;
use crate::kernel::encoding::from_hex;
use crate::kernel::text::Bilingual;
use crate::limits;
use crate::tlog::entry::{leaf_hash, padding};

/// The kind of the entry that says which leaves were taken over from the published files.
const RECOVERED: &str = "log.recovered";

/// How much of every entry must be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Its part `p`, so that its stream can be followed; digests of the others are enough.
    Account,
    /// Its parts `p` and `c`, and part `i` where it was not erased: all private bytes are hashed again.
    Everything,
}

/// The line before the entries of a batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<'a> {
    from: u64,
    to: u64,
    pads: u64,
    pad_key: Option<&'a str>,
    #[serde(default)]
    unknown: bool,
}

/// What the leaves of a batch beside its entries are said to be.
enum Others {
    /// Padding that follows from this key.
    Padding([u8; 32]),
    /// Nobody knows: the batch was taken over from the published files after a restore.
    Unknown,
}

impl Batch<'_> {
    /// `None` where the line says neither or both.
    fn others(&self) -> Option<Others> {
        match (self.pad_key, self.unknown) {
            (Some(key), false) => Some(Others::Padding(<[u8; 32]>::try_from(from_hex(key).ok()?).ok()?)),
            (None, true) => Some(Others::Unknown),
            _ => None,
        }
    }
}

/// Leaves that the dump itself says it cannot explain.
#[derive(Default)]
struct Unknown {
    /// By their batches: first leaf, the leaf after the last, how many of them are unknown.
    batches: Vec<(u64, u64, u64)>,
    /// From and to of every entry that puts a recovery on record.
    recorded: Vec<(u64, u64)>,
}

/// What was counted.
#[derive(Default)]
struct Counts {
    batches: u64,
    pads: u64,
    erased: u64,
    unknown: Unknown,
}

impl Unknown {
    /// Takes note of an entry that says that leaves were taken over.
    fn note(&mut self, public: &Public, opened: &Opened) {
        if public.kind != RECOVERED {
            return;
        }
        let said: Option<serde_json::Value> = opened.p.as_deref().and_then(|p| serde_json::from_slice(p).ok());
        let number = |key: &str| said.as_ref().and_then(|said| said.pointer(key)).and_then(serde_json::Value::as_u64);
        if let (Some(from), Some(to)) = (number("/data/from"), number("/data/to")) {
            self.recorded.push((from, to));
        }
    }

    /// Undecided where there are any, naming the batches.
    fn tell(&self, dump: &str) -> Result<()> {
        let left: Vec<_> = self.batches.iter().filter(|(_, _, unknown)| *unknown > 0).collect();
        if left.is_empty() {
            return Ok(());
        }
        let named = left.iter().take(limits::VERIFY_NAMED);
        let named: Vec<String> = named.map(|(from, to, _)| format!("entries {from} to {}", to - 1)).collect();
        let more = if left.len() > named.len() { ", …" } else { "" };
        let leaves: u64 = left.iter().map(|(_, _, unknown)| unknown).sum();
        let recorded = left.iter().all(|(from, to, _)| self.recorded.contains(&(*from, *to)));
        let (zh, en) = if recorded {
            ("日志中有恢复记录(log.recovered)说明这些批次。", "an entry log.recovered says so of each of these batches")
        } else {
            (
                "但该文件中没有恢复记录(log.recovered)说明所有这些批次:应要求解释。",
                "but no entry log.recovered in the dump says so of each of these batches: ask why",
            )
        };
        Err(Failure::undecided(
            format!("{dump}, {}{more}", named.join(", ")),
            format!("数据库恢复后,{leaves} 条叶的内容已不可知;其余各条均有说明。{zh}"),
            format!(
                "what {leaves} leaves of these batches are is said to be lost with a database that was restored; everything else is \
                 explained; {en}"
            ),
        ))
    }
}

/// Checks a dump against a tree of which it explains the beginning.
///
/// # Errors
/// Refuted with the line and the entry; undecided where leaves of the tree lie beyond the dump.
pub fn check(reader: impl BufRead, place: &str, origin: &str, tree: &mut Tree<'_>, depth: Depth) -> Result<Proven> {
    let mut lines = Lines::new(reader, place);
    let first = lines.read()?.map(str::to_owned);
    let header = Header::read(&lines.place(), first.as_deref().unwrap_or_default(), "dump", origin)?;
    let (Some(size), None, None) = (header.size, &header.lot, header.entries) else {
        return Err(Failure::refuted(lines.place(), "首行缺少条目数。", "the first line lacks the size"));
    };
    if size > tree.size() {
        return Err(Failure::undecided(
            place,
            format!("该文件说明 {size} 条,而检查点只有 {} 条。", tree.size()),
            format!("the dump explains {size} leaves, and the checkpoint covers {}", tree.size()),
        ));
    }
    let (mut streams, mut counts, mut next) = (Streams::new(), Counts::default(), 0);
    while next < size {
        next = batch(&mut lines, next, size, tree, depth, &mut streams, &mut counts)?;
    }
    if lines.read()?.is_some() {
        return Err(Failure::refuted(lines.place(), "文件末尾有多余的行。", "there are lines after the last batch"));
    }
    let (streams, entries) = streams.finish()?;
    counts.unknown.tell(place)?;
    if size < tree.size() {
        return Err(Failure::undecided(
            format!("entries {size} to {}", tree.size() - 1),
            format!("前 {size} 条均有说明;其后的条目不在该文件中。"),
            format!("the first {size} leaves are explained; those after them are not in this dump"),
        ));
    }
    let what = match depth {
        Depth::Account => Bilingual::new(
            "日志的每一条都有说明:是完整记录流中的记录,或是填充。",
            "every leaf of the log is explained: an entry of a complete stream, or padding",
        ),
        Depth::Everything => Bilingual::new(
            "日志的每一条都有说明,全部私有内容重新散列后相符。",
            "every leaf of the log is explained, and all private bytes hash to what the log has",
        ),
    };
    let said = Proven::new(what).with("size", "条目数", "leaves", size).with("entries", "记录", "entries", entries);
    let said = said.with("streams", "记录流", "streams", streams).with("padding", "填充", "padding", counts.pads);
    Ok(said.with("batches", "批次", "batches", counts.batches).with(
        "erased",
        "已删除个人信息的记录",
        "entries with personal data erased",
        counts.erased,
    ))
}

/// Checks one batch, and returns where the next begins.
fn batch(
    lines: &mut Lines<impl BufRead>,
    from: u64,
    size: u64,
    tree: &mut Tree<'_>,
    depth: Depth,
    streams: &mut Streams,
    counts: &mut Counts,
) -> Result<u64> {
    let line = lines.read()?.map(str::to_owned);
    let place = lines.place();
    let malformed = || Failure::refuted(place.clone(), "应为批次行。", "the line of a batch should stand here");
    let line = line.ok_or_else(malformed)?;
    let read: Batch<'_> = serde_json::from_str(&line).map_err(|_| malformed())?;
    let others = read.others().ok_or_else(malformed)?;
    if read.from != from || read.to <= from || read.to > size || read.pads > read.to - from {
        return Err(Failure::refuted(
            place,
            format!("批次应从 {from} 开始,且不超出 {size}。"),
            format!(
                "the batch must begin at {from}, have leaves, not more padding than leaves, and end at {size} at the latest"
            ),
        ));
    }
    if matches!(others, Others::Padding(_)) && read.to - from > limits::VERIFY_BATCH_LEAVES {
        return Err(Failure::undecided(place, "批次过大。", "the batch is larger than this program reads"));
    }
    let mut leaves: Vec<Digest> = match &others {
        Others::Padding(key) => (0..read.pads as u32).map(|k| padding(key, k)).collect(),
        Others::Unknown => Vec::new(),
    };
    let (mut last, mut entries) = (None, 0);
    while entries < read.to - from - read.pads {
        let Some(line) = lines.read()?.map(str::to_owned) else {
            return Err(Failure::refuted(lines.place(), "文件在批次中间结束。", "the file ends within a batch"));
        };
        let opened = Opened::read(&lines.place(), &line)?;
        let place = format!("{}, entry {}", lines.place(), opened.index);
        if !(from..read.to).contains(&opened.index) || last.is_some_and(|last| last >= opened.index) {
            return Err(Failure::refuted(
                place,
                "序号不在批次内或未按序排列。",
                "its index is not within the batch, or not in order",
            ));
        }
        is_leaf(tree, &opened, &place)?;
        shown(&opened, depth, &place)?;
        counts.erased += u64::from(opened.i.is_none());
        let public = opened.public(&place)?;
        counts.unknown.note(&public, &opened);
        streams.add(&public, &opened.commitment, opened.index)?;
        if matches!(others, Others::Padding(_)) {
            leaves.push(opened.commitment);
        }
        last = Some(opened.index);
        entries += 1;
    }
    counts.batches += 1;
    if matches!(others, Others::Unknown) {
        counts.unknown.batches.push((from, read.to, read.pads));
        return Ok(read.to);
    }
    leaves.sort_unstable();
    for (index, commitment) in (from..).zip(&leaves) {
        if tree.leaf(index)? != leaf_hash(commitment) {
            return Err(Failure::refuted(
                format!("{place}, entry {index}"),
                "第 0 层:该叶既不是所列记录,也不是该批次的填充。",
                "level 0: this leaf is neither an entry that is listed nor padding of the batch",
            ));
        }
    }
    counts.pads += read.pads;
    Ok(read.to)
}

fn shown(opened: &Opened, depth: Depth, place: &str) -> Result<()> {
    if depth == Depth::Everything && opened.c.is_none() {
        return Err(Failure::undecided(
            place,
            "c 部分未公开,无法重新散列。",
            "part c is not opened, so it cannot be hashed again",
        ));
    }
    Ok(())
}
