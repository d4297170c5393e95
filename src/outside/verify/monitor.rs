//! Watching a log: what it shows now must continue what it showed before, and it must not stand still.
//!
//! Everything that was added since is read, so that the log cannot show a head without its entries. A smaller tree, another
//! tree of the same size and a tree that does not begin with the one before are told apart from a log that stands still or
//! cannot be reached: the former are evidence, the latter may be a power cut.

use super::heads;
use super::report::{Failure, Proven, Result};
use super::source::Source;
use super::tiles;
use super::tree::Tree;
use super::trust::{Head, Trust};
use crate::kernel::text::Bilingual;
use crate::limits;

/// What was seen of a log before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before<'a> {
    /// The name of the file that it was kept in.
    pub place: &'a str,
    /// The checkpoint, word for word.
    pub note: &'a str,
    /// When it was first seen, seconds since 1970.
    pub at: u64,
}

/// What is seen of a log now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now<'a> {
    /// Where.
    pub place: &'a str,
    /// The checkpoint, word for word.
    pub note: &'a str,
    /// When, seconds since 1970.
    pub at: u64,
    /// The time from one batch to the next, in milliseconds, where it is known.
    pub tick_ms: Option<u64>,
}

/// Looks at a log once. The first of what is returned is the head to be kept from now on, where there is a newer one.
pub fn look(
    trust: &Trust,
    source: &dyn Source,
    now: &Now<'_>,
    before: Option<&Before<'_>>,
) -> (Option<Head>, Result<Proven>) {
    let grown = match grown(trust, source, now, before) {
        Ok(grown) => grown,
        Err(failure) => return (None, Err(failure)),
    };
    let outcome = moving(&grown, now, before).map(|()| grown.head.tell(tell(&grown, now)));
    (grown.is_new.then_some(grown.head), outcome)
}

/// A head that continues the one before.
struct Grown {
    head: Head,
    /// Leaves of the tree before.
    from: u64,
    is_new: bool,
}

fn tell(grown: &Grown, now: &Now<'_>) -> Proven {
    let size = grown.head.checkpoint().size;
    let said = Proven::new(Bilingual::new(
        format!("日志延续了此前所见:{} 条之前没有改变,其后各条均在树根之下。", grown.from),
        format!(
            "the log continues what was seen of it: nothing before leaf {} was changed, and every leaf after it is under the root",
            grown.from
        ),
    ));
    let said = said.with("added", "新增条目数", "leaves added", size - grown.from);
    match now.tick_ms {
        Some(tick) => said.with("tick_ms", "间隔(毫秒)", "tick, in milliseconds", tick),
        None => said.with("tick_ms", "间隔未知,不判断停滞", "tick (not known: standing still is not noticed)", "-"),
    }
}

fn grown(trust: &Trust, source: &dyn Source, now: &Now<'_>, before: Option<&Before<'_>>) -> Result<Grown> {
    let head = trust.head(now.place, now.note)?;
    let old = before.map(|before| trust.head(before.place, before.note)).transpose()?;
    let from = old.as_ref().map_or(0, |old| old.checkpoint().size);
    let size = head.checkpoint().size;
    if let Some(old) = &old {
        heads::follows(old, &head, source)?;
    }
    if old.is_none() || size > from {
        let mut tree = Tree::open(source, head.checkpoint())?;
        tiles::walk(&mut tree, from, |_, _| {})?;
    }
    Ok(Grown { is_new: old.is_none() || size > from, head, from })
}

/// Whether the head is fresh: seen by witnesses, or by this program for the first time, within some ticks.
fn moving(grown: &Grown, now: &Now<'_>, before: Option<&Before<'_>>) -> Result<()> {
    let Some(tick) = now.tick_ms else { return Ok(()) };
    let first_seen = match before {
        Some(before) if !grown.is_new => before.at,
        _ => now.at,
    };
    let at = grown.head.last_seen().map_or(first_seen, |witnessed| witnessed.min(first_seen));
    let still = now.at.saturating_sub(at);
    if still.saturating_mul(1000) <= tick.saturating_mul(limits::VERIFY_STALL_TICKS) {
        return Ok(());
    }
    let head = grown.head.checkpoint();
    Err(Failure::undecided(
        format!("{} at {} leaves", head.origin, head.size),
        format!("日志已 {still} 秒没有增长,而它应每 {tick} 毫秒增长一次。"),
        format!("the log has stood still for {still} seconds, and it should grow every {tick} ms"),
    ))
}
