//! Decides which leaves come next: all entries that wait, and padding, in an order that tells nothing.

use diesel::QueryResult;
use diesel::result::Error as DieselError;
use ring::rand::{SecureRandom, SystemRandom};

use super::changes;
use super::model::{Batch, Head, Taken, Waiting, digest, size};
use crate::kernel::digest::Digest;
use crate::ledger::{Error, Failure, Result, WriteConn};
use crate::tlog::edge::{Edge, Written};
use crate::tlog::entry::{leaf_hash, padding};

/// By how many leaves the log grows for `n` entries: the smallest power of two that holds them, and `least` at least. So a
/// tick without an entry and a tick with a few look the same.
pub fn growth(n: usize, least: u32) -> usize {
    let least = least as usize;
    if n == 0 { least } else { n.next_power_of_two().max(least) }
}

/// A batch, ready to be committed: its row, its leaves, and the tiles that follow.
pub struct Plan {
    /// The row.
    pub batch: Batch,
    /// The leaves in order.
    pub commitments: Vec<Digest>,
    /// The tiles that are new or have grown.
    pub tiles: Vec<Written>,
    /// The tree's edge with the batch.
    pub edge: Edge,
    taken: Taken,
}

/// The leaves of a batch out of what is known of it: entries and padding, sorted.
pub fn leaves(real: &[Digest], pad_key: &[u8; 32], pads: usize) -> Vec<Digest> {
    let pads = (0..).take(pads).map(|k| padding(pad_key, k));
    let mut leaves: Vec<Digest> = real.iter().copied().chain(pads).collect();
    leaves.sort_unstable();
    leaves
}

/// Grows an edge by leaves: the tiles that follow.
pub fn grow(edge: &mut Edge, commitments: &[Digest]) -> Vec<Written> {
    edge.grow(commitments.iter().map(|commitment| (*commitment, leaf_hash(commitment))))
}

/// Plans the next batch; none where there is nothing to grow by.
///
/// # Errors
/// When the system gives no random numbers, or what waits is damaged.
pub fn plan(
    head: &Head,
    edge: &Edge,
    pending: Vec<Waiting>,
    least: u32,
    slot: i64,
    at_ms: i64,
) -> Result<Option<Plan>> {
    let growth = growth(pending.len(), least);
    if growth == 0 {
        return Ok(None);
    }
    let mut pad_key = [0; 32];
    SystemRandom::new().fill(&mut pad_key).map_err(|_| Error::internal("the system gives no random numbers"))?;
    let real: Vec<Digest> = pending.iter().map(|waiting| waiting.commitment).collect();
    let commitments = leaves(&real, &pad_key, growth - pending.len());
    let mut edge = edge.clone();
    let before = edge.size();
    let tiles = grow(&mut edge, &commitments);
    let mut numbered: Vec<(Waiting, i64)> = pending
        .into_iter()
        .map(|waiting| {
            let at = commitments.binary_search(&waiting.commitment);
            let at = at.map_err(|_| Error::internal("a leaf is not in its batch"))?;
            Ok((waiting, head.size + i64::try_from(at).unwrap_or(i64::MAX)))
        })
        .collect::<Result<_>>()?;
    // As the database keeps them: each of its pages is written once.
    numbered.sort_unstable_by(|(one, _), (other, _)| one.entry_id.cmp(&other.entry_id));
    let taken = Taken::from_iter(numbered);
    if before != size(head.size) {
        return Err(Error::internal("the edge is not that of the head"));
    }
    let batch = Batch {
        batch: head.batch + 1,
        size_before: head.size,
        size_after: i64::try_from(edge.size()).unwrap_or(i64::MAX),
        n_real: i64::try_from(taken.ids.len()).unwrap_or(i64::MAX),
        pad_key: pad_key.to_vec(),
        slot,
        at_ms,
        epoch: head.epoch,
        root: edge.frontier().root().as_bytes().to_vec(),
    };
    Ok(Some(Plan { batch, commitments, tiles, edge, taken }))
}

impl Plan {
    /// The entries, and their leaves.
    pub fn taken(&self) -> &Taken {
        &self.taken
    }
}

/// Writes a batch.
///
/// # Errors
/// The database's; [`DieselError::RollbackTransaction`] where another server was faster: nothing of it may be kept.
pub fn write(
    conn: &mut WriteConn<'_>,
    batch: &Batch,
    taken: &Taken,
    holder: &str,
    lease_until: i64,
) -> QueryResult<()> {
    // The head first: whoever is too late waits here, and writes nothing.
    if changes::grow(conn, batch, holder, lease_until)? && changes::take(conn, &taken.places)? {
        changes::number(conn, taken)
    } else {
        Err(DieselError::RollbackTransaction)
    }
}

/// Whether that is what happened.
pub fn is_overtaken(error: &Error) -> bool {
    matches!(error, Error::Failed(Failure::Database(DieselError::RollbackTransaction)))
}

/// The leaves of a batch that is committed.
///
/// # Errors
/// When what is stored is damaged.
pub fn leaves_of(batch: &Batch, real: &[Digest]) -> Result<Vec<Digest>> {
    let key: [u8; 32] =
        batch.pad_key[..].try_into().map_err(|_| Error::damaged("the padding key of a batch has not 32 bytes"))?;
    let growth = usize::try_from(batch.size_after - batch.size_before).unwrap_or(0);
    let pads = growth
        .checked_sub(real.len())
        .filter(|_| i64::try_from(real.len()) == Ok(batch.n_real))
        .ok_or_else(|| Error::damaged(format!("batch {} of the log has not its entries", batch.batch)))?;
    Ok(leaves(real, &key, pads))
}

/// The root that a batch must lead to.
///
/// # Errors
/// When what is stored is damaged.
pub fn root_of(batch: &Batch) -> Result<Digest> {
    digest(&batch.root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;

    #[test]
    fn growth_tells_a_power_of_two_and_nothing_below_the_least() {
        let at = |least| (0..=40).map(|n| growth(n, least)).collect::<Vec<_>>();
        assert!(at(8)[..=8].iter().all(|g| *g == 8));
        assert_eq!((growth(9, 8), growth(16, 8), growth(17, 8)), (16, 16, 32));
        assert_eq!((growth(0, 0), growth(1, 0), growth(3, 0)), (0, 1, 4));
        assert_eq!(growth(65_536, 8), 65_536);
    }

    #[test]
    fn a_batch_is_found_again_from_what_is_kept_of_it() {
        let head = Head {
            size: 0,
            root: vec![],
            batch: 0,
            slot: 0,
            epoch: 3,
            holder: None,
            lease_until: 0,
            published_size: 0,
            published_ms: 0,
            published: None,
            halted: None,
        };
        let waiting = |i: u8| Waiting { place: i64::from(i), entry_id: format!("ent-{i}"), commitment: sha256(&[i]) };
        let pending: Vec<Waiting> = (0..5).map(waiting).collect();
        let real: Vec<Digest> = pending.iter().map(|waiting| waiting.commitment).collect();
        let plan = plan(&head, &Edge::empty(), pending, 8, 1, 0).expect("planned").expect("something");
        assert_eq!((plan.batch.size_after, plan.batch.n_real, plan.batch.epoch), (8, 5, 3));
        assert!(plan.commitments.is_sorted());
        assert_eq!(leaves_of(&plan.batch, &real).expect("leaves"), plan.commitments);
        let taken = plan.taken();
        assert_eq!(taken.ids, (0..5).map(|i| format!("ent-{i}")).collect::<Vec<_>>());
        for (place, index) in taken.places.iter().zip(&taken.indexes) {
            let n = u8::try_from(*place).expect("small");
            assert_eq!(plan.commitments[usize::try_from(*index).expect("small")], sha256(&[n]));
        }
        assert!(leaves_of(&plan.batch, &real[1..]).is_err(), "an entry that is gone is noticed");
    }
}
