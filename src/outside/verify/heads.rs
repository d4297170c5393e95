//! Signed heads: one by itself, and two of which one must continue the other.

use std::cmp::Ordering;

use super::report::{Failure, Finding, Proven, Result};
use super::source::Source;
use super::tiles;
use super::tree::Tree;
use super::trust::{Head, Trust};
use crate::kernel::text::Bilingual;

/// Checks one checkpoint.
///
/// # Errors
/// See [`Trust::head`].
pub fn checkpoint(trust: &Trust, place: &str, note: &str) -> Result<Proven> {
    let head = trust.head(place, note)?;
    Ok(head.tell(Proven::new(Bilingual::new(
        "检查点由受信任的日志签名,见证方数量符合策略。",
        "the checkpoint is signed by a log that you trust and cosigned as the policy asks",
    ))))
}

/// Two heads that cannot both be of one tree.
pub fn forked(older: &Head, newer: &Head) -> Failure {
    let (old, new) = (older.checkpoint(), newer.checkpoint());
    let finding = Finding::new(
        format!("checkpoints of {} at sizes {} and {}", new.origin, old.size, new.size),
        format!(
            "同一日志签署了两个互相矛盾的树:{} 条时的树根 {},{} 条时的树根 {}。两份签名文本合在一起即为证据。",
            old.size, old.root, new.size, new.root
        ),
        format!(
            "one log signed two trees that contradict each other: root {} of {} leaves and root {} of {} leaves; the two signed notes \
             together are the evidence",
            old.root, old.size, new.root, new.size
        ),
    );
    Failure::Forked { finding, heads: Box::new([older.note.clone(), newer.note.clone()]) }
}

/// Shows that the older of two heads is the beginning of the newer, whose tree is open.
///
/// # Errors
/// Forked when it is not, for certain; refuted when they are of different logs; undecided when a tile is missing.
pub fn continues(older: &Head, newer: &Head, tree: &mut Tree<'_>) -> Result<()> {
    same_log(older, newer)?;
    if tree.root_at(older.checkpoint().size)? == older.checkpoint().root { Ok(()) } else { Err(forked(older, newer)) }
}

/// Shows that a log that showed `older` and shows `newer` now has only grown, if at all.
///
/// # Errors
/// Forked when the two contradict each other; refuted when it has shrunk, or they are of different logs; undecided when a
/// tile is missing.
pub fn follows(older: &Head, newer: &Head, source: &dyn Source) -> Result<()> {
    same_log(older, newer)?;
    let (old, new) = (older.checkpoint(), newer.checkpoint());
    match new.size.cmp(&old.size) {
        Ordering::Greater => continues(older, newer, &mut Tree::open(source, new)?),
        Ordering::Equal if old.root == new.root => Ok(()),
        Ordering::Equal => Err(forked(older, newer)),
        Ordering::Less => Err(smaller(source, older, newer)),
    }
}

/// A smaller tree than before is a contradiction where the tiles of the larger one are still there to show it.
fn smaller(source: &dyn Source, older: &Head, newer: &Head) -> Failure {
    let contradiction = Tree::open(source, older.checkpoint()).and_then(|mut tree| continues(newer, older, &mut tree));
    match contradiction {
        Err(forked @ Failure::Forked { .. }) => forked,
        _ => tiles::shrunk(older, newer),
    }
}

fn same_log(older: &Head, newer: &Head) -> Result<()> {
    let (old, new) = (&older.checkpoint().origin, &newer.checkpoint().origin);
    if old == new {
        return Ok(());
    }
    Err(Failure::refuted(
        format!("checkpoints of {old} and {new}"),
        "两份检查点属于不同的日志。",
        "the two checkpoints are of different logs",
    ))
}

/// Checks two checkpoints against each other, with the tiles of the larger tree; which is which is told by their sizes.
///
/// # Errors
/// Forked when they contradict each other; see also [`Trust::head`] and [`Tree::open`].
pub fn consistency(trust: &Trust, [one, other]: [(&str, &str); 2], source: &dyn Source) -> Result<Proven> {
    let mut heads = [trust.head(one.0, one.1)?, trust.head(other.0, other.1)?];
    heads.sort_by_key(|head| head.checkpoint().size);
    let [older, newer] = &heads;
    same_log(older, newer)?;
    let (old, new) = (older.checkpoint(), newer.checkpoint());
    if old.size == new.size {
        // Neither needs a tile to contradict the other.
        if old.root != new.root {
            return Err(forked(older, newer));
        }
    } else {
        continues(older, newer, &mut Tree::open(source, new)?)?;
    }
    let said = Proven::new(Bilingual::new(
        format!("前 {} 条在两份检查点之间没有改变。", old.size),
        format!("the first {} leaves are the same in both: nothing was changed or taken away between them", old.size),
    ));
    Ok(newer.tell(said.with("old_size", "较早的条目数", "leaves of the older tree", old.size)))
}
