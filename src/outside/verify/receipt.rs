//! Receipts: the proof that an entry is in the log, and the promise that it will be.

use serde::Deserialize;
use serde_json::Value;

use super::report::{Failure, Proven, Result};
use super::source::Source;
use super::tiles;
use super::tree::Tree;
use super::trust::{Head, Trust, instant};
use crate::kernel::digest::Digest;
use crate::kernel::text::Bilingual;
use crate::tlog::entry::leaf_hash;
use crate::tlog::proof::{Proof, ProofError};
use crate::tlog::receipt::{Opening, Promised, RECEIPT_VERSION, Receipt, ReceiptError};
use crate::tlog::tree::root_of_inclusion;

/// What a receipt of an entry proves.
#[derive(Clone, Debug)]
pub struct Included {
    /// Opens part `p`.
    pub opening: Opening,
    /// The leaf's number.
    pub index: u64,
    /// The head that it is under.
    pub head: Head,
}

/// The extra data of a receipt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    v: u32,
    s_p: String,
    p: String,
    h_c: Digest,
    h_i: Digest,
}

/// Reads a receipt (C2SP tlog-proof), and checks that what it opens is in the log.
///
/// # Errors
/// Refuted where something does not fit, undecided for a version or a key that is not known, or too few witnesses.
pub fn included(trust: &Trust, place: &str, text: &str) -> Result<Included> {
    let proof = Proof::parse(text).map_err(|error| match error {
        ProofError::Version => Failure::undecided(place, "不是本程序认识的证明格式。", error.to_string()),
        ProofError::Line(at) => Failure::refuted(place, format!("第 {at} 行不合格式。"), error.to_string()),
    })?;
    let opening = opening(place, proof.extra.as_deref())?;
    let head = trust.head(place, &proof.checkpoint)?;
    let commitment = opening.commitment();
    let checkpoint = head.checkpoint();
    let leaf = leaf_hash(&commitment);
    if root_of_inclusion(proof.index, checkpoint.size, &leaf, &proof.hashes) != Some(checkpoint.root) {
        return Err(Failure::refuted(
            format!("{place}, entry {}", proof.index),
            format!("其内容(承诺值 {commitment})不能由证明推到检查点的树根。"),
            format!("what it opens (commitment {commitment}) is not led to the root of the checkpoint by the proof"),
        ));
    }
    Ok(Included { opening, index: proof.index, head })
}

fn opening(place: &str, extra: Option<&[u8]>) -> Result<Opening> {
    let malformed = || Failure::refuted(place, "extra 一行不是回执的内容。", "its extra line is not that of a receipt");
    let value: Value = extra.and_then(|extra| serde_json::from_slice(extra).ok()).ok_or_else(malformed)?;
    if value.get("v").and_then(Value::as_u64).is_some_and(|v| v != u64::from(RECEIPT_VERSION)) {
        return Err(Failure::undecided(
            place,
            "回执版本未知。",
            "the version of the receipt is not known to this program",
        ));
    }
    let written: Extra = serde_json::from_slice(extra.unwrap_or_default()).map_err(|_| malformed())?;
    let read = |text: &str| crate::kernel::encoding::from_base64url(text).map_err(|_| malformed());
    let salt = read(&written.s_p)?.try_into().map_err(|_| malformed())?;
    debug_assert_eq!(written.v, RECEIPT_VERSION, "compared above");
    let opening = Opening { s_p: salt, p: read(&written.p)?, h_c: written.h_c, h_i: written.h_i };
    // In one form only, so that whoever reads it with another library reads the same.
    if Some(opening.to_extra().as_bytes()) == extra { Ok(opening) } else { Err(malformed()) }
}

impl Included {
    /// What it proves, as facts.
    pub fn tell(&self) -> Proven {
        let said = Proven::new(Bilingual::new(
            "该记录在公开日志中,内容与下列所示逐字节相同。",
            "this entry is in the public log, byte for byte as shown",
        ));
        let said = said
            .with("index", "条目序号", "entry number", self.index)
            .with("commitment", "承诺值", "commitment", self.opening.commitment().to_string())
            .with("recorded", "记录内容", "what was recorded", recorded(&self.opening.p));
        self.head.tell(said)
    }
}

/// Part `p` for a reader: as JSON where it is, as text otherwise.
pub fn recorded(p: &[u8]) -> Value {
    serde_json::from_slice(p).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(p)))
}

/// Where a promise stands in an answer of the platform: bare, in the answer to an act, in a problem.
const PLACES: &[&str] = &["", "/receipt", "/refusal/receipt"];

/// Finds the receipt with a promise in a JSON file.
pub fn find(text: &str) -> Option<Receipt> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut candidates = PLACES.iter().filter_map(|place| value.pointer(place));
    candidates.find_map(|candidate| serde_json::from_value(candidate.clone()).ok())
}

/// Checks a promise.
///
/// # Errors
/// Undecided where no key that was given signed it or its version is not known, refuted where something does not fit.
pub fn promised(trust: &Trust, place: &str, receipt: &Receipt) -> Result<Promised> {
    // Who signed is asked first: of a promise of a stranger nothing can be said.
    if receipt.v == RECEIPT_VERSION {
        trust.text(place, &receipt.promise)?;
    }
    let mut outcome = Err(ReceiptError::Version);
    for key in trust.keys() {
        outcome = receipt.check(&key.to_string());
        if outcome.is_ok() {
            break;
        }
    }
    let promised = outcome.map_err(|error| match error {
        ReceiptError::Version => Failure::undecided(place, "回执版本未知。", error.to_string()),
        _ => Failure::refuted(place, format!("回执不成立:{error}"), format!("the receipt does not hold: {error}")),
    })?;
    // Nothing signs it; by it the receipt will be asked for.
    if recorded(&receipt.opening.p)["id"] != receipt.entry_id {
        return Err(Failure::refuted(
            place,
            "entry_id 与记录内容中的编号不同。",
            "the entry_id is not that of what was recorded",
        ));
    }
    Ok(promised)
}

/// What a promise proves, as facts.
pub fn tell_promise(receipt: &Receipt, promised: &Promised) -> Proven {
    let said = Proven::new(Bilingual::new(
        "平台签名承认在所示时刻作了该记录。",
        "the platform signed that it recorded exactly this at that moment",
    ));
    let said = said
        .with("promised_by", "承诺方", "promised by", promised.origin.as_str())
        .with("recorded_at", "记录时间", "recorded at", promised.at.to_string())
        .with("recorded_at_local", "记录时间(北京)", "recorded at (Beijing)", promised.at.local())
        .with("commitment", "承诺值", "commitment", receipt.c.to_string())
        .with("recorded", "记录内容", "what was recorded", recorded(&receipt.opening.p));
    match promised.by {
        Some(by) => said.with("promised_until", "承诺入日志的期限", "promised to be in the log by", by.to_string()),
        None => said.with("promised_until", "承诺入日志的期限", "promised to be in the log by", Value::Null),
    }
}

/// Whether a promise was kept, as far as a receipt for the same entry shows.
///
/// # Errors
/// Refuted where the two are of different entries.
pub fn kept(promise: &Receipt, promised: &Promised, included: &Included) -> Result<Proven> {
    if promise.c != included.opening.commitment() {
        return Err(Failure::refuted(
            format!("entry {}", included.index),
            "承诺与证明属于不同的记录。",
            "the promise and the proof are of different entries",
        ));
    }
    let seen = included.head.first_seen().map(instant);
    let (word, zh, en) = match (promised.by, seen) {
        (None, _) => ("not-promised", "该承诺未定期限。", "the promise names no instant"),
        (_, None) => (
            "not-seen",
            "已入日志;没有见证方的时间,无法判断是否按时。",
            "it is in the log; no witness says since when, so whether it was in time cannot be seen",
        ),
        (Some(by), Some(seen)) if seen <= by => (
            "kept",
            "承诺按时兑现:见证方在期限前已见到。",
            "the promise was kept: a witness saw it in the log before that instant",
        ),
        _ => (
            "seen-later",
            "已入日志;最早的副署晚于期限,更早的检查点或已包含它,无法由此判断。",
            "it is in the log; the first cosignature of this checkpoint is later than promised, and whether an earlier one covered it \
             cannot be seen from here",
        ),
    };
    let said = Proven::new(Bilingual::new(zh, en)).with("promise", "承诺", "promise", word);
    Ok(match seen {
        Some(seen) => said.with("first_seen", "见证方首次见到", "first seen by a witness", seen.to_string()),
        None => said,
    })
}

/// Looks for the entry of a promise in a whole tree.
///
/// # Errors
/// Refuted when the tree was cosigned after the promised instant and lacks it: then the platform broke its promise. Undecided
/// when it lacks it and may still be in time.
pub fn search(promise: &Receipt, promised: &Promised, source: &dyn Source, head: &Head) -> Result<Proven> {
    let mut tree = Tree::open(source, head.checkpoint())?;
    let mut found = None;
    tiles::walk(&mut tree, 0, |index, commitment| {
        if *commitment == promise.c {
            found = found.or(Some(index));
        }
    })?;
    let size = head.checkpoint().size;
    let place = format!("commitment {} in the tree of {size} leaves", promise.c);
    match (found, promised.by, head.first_seen().map(instant)) {
        (Some(index), ..) => {
            let said = Proven::new(Bilingual::new("该记录已在日志中。", "the entry is in the log"));
            Ok(said.with("index", "条目序号", "entry number", index).with("size", "条目数", "leaves", size))
        }
        (None, Some(by), Some(seen)) if seen > by => Err(Failure::refuted(
            place,
            format!("承诺已违反:期限 {by} 之后的检查点(副署于 {seen})中没有该记录。"),
            format!(
                "the promise is broken: a checkpoint that its witnesses first saw at {seen}, after {by}, does not cover the entry"
            ),
        )),
        (None, ..) => Err(Failure::undecided(
            place,
            "日志中尚无该记录;没有晚于期限的副署,不能断言违约。",
            "the entry is not in this tree, and no witness shows that the tree is later than what was promised",
        )),
    }
}
