//! Two bounded queues in front of the writers: one for bids, one for everything else.
//!
//! A full queue refuses at once, so that callers hear "come back in a moment" instead of waiting for nothing. Bids go
//! first, or have a writer of their own, and nothing but bids can fill their queue.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::context::Lane;
use super::error::Failure;
use crate::limits;

/// What a writer takes from the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// Everything, bids first.
    All,
    /// Bids alone; others take the rest.
    Bids,
    /// Everything but bids.
    General,
}

/// A queue of jobs.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    /// Whoever takes bids waits here, and whoever takes everything.
    bids_ready: Condvar,
    /// Whoever takes everything but bids.
    general_ready: Condvar,
    /// Whether some take bids and others the rest.
    shared_out: bool,
}

struct State<J> {
    bids: VecDeque<J>,
    general: VecDeque<J>,
    closed: bool,
}

impl<J> Queue<J> {
    /// A queue; `shared_out` where some writers take bids and others the rest.
    pub(super) fn new(shared_out: bool) -> Self {
        Self {
            state: Mutex::new(State { bids: VecDeque::new(), general: VecDeque::new(), closed: false }),
            bids_ready: Condvar::new(),
            general_ready: Condvar::new(),
            shared_out,
        }
    }

    fn ready(&self, lane: Lane) -> &Condvar {
        if self.shared_out && lane == Lane::General { &self.general_ready } else { &self.bids_ready }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        // A panic elsewhere leaves the two lists as they are: they are still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job in line. One that has its place already is never sent away: passes bound how many there are.
    pub(super) fn push(&self, lane: Lane, placed: bool, job: J) -> Result<(), Failure> {
        let mut state = self.lock();
        if state.closed {
            return Err(Failure::Stopping);
        }
        let (list, limit) = match lane {
            Lane::Bids => (&mut state.bids, limits::QUEUE_BIDS),
            Lane::General => (&mut state.general, limits::QUEUE_GENERAL),
        };
        if list.len() >= limit && !placed {
            return Err(Failure::Busy);
        }
        list.push_back(job);
        drop(state);
        self.ready(lane).notify_one();
        Ok(())
    }

    /// Waits for work and takes up to `most` jobs of a share. Of everything, bids go first; half of the places are kept for
    /// the rest, so that a rush of bids delays the other work but never stops it. `None` once closed and empty.
    pub(super) fn take(&self, share: Share, most: usize) -> Option<Vec<J>> {
        let mut state = self.lock();
        loop {
            let (bids, general) = match share {
                Share::All => (state.bids.len(), state.general.len()),
                Share::Bids => (state.bids.len(), 0),
                Share::General => (0, state.general.len()),
            };
            if bids + general > 0 {
                let kept = general.min(most / 2);
                let bids = bids.min(most - kept);
                let general = general.min(most - bids);
                let mut jobs: Vec<J> = state.bids.drain(..bids).collect();
                jobs.extend(state.general.drain(..general));
                return Some(jobs);
            }
            if state.closed {
                return None;
            }
            let lane = if share == Share::General { Lane::General } else { Lane::Bids };
            state = self.ready(lane).wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more work; what is in line is still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bids_ready.notify_all();
        self.general_ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_work_cannot_fill_the_queue_for_bids() {
        let queue = Queue::new(false);
        for n in 0..limits::QUEUE_GENERAL {
            queue.push(Lane::General, false, n).expect("within the limit");
        }
        assert!(matches!(queue.push(Lane::General, false, 0), Err(Failure::Busy)));
        queue.push(Lane::Bids, false, 7).expect("bids have their own queue");
        assert_eq!(queue.take(Share::All, 1), Some(vec![7]), "and go first");
    }

    #[test]
    fn who_has_a_place_finds_it_however_full_the_queue_is() {
        let queue = Queue::new(false);
        for n in 0..limits::QUEUE_BIDS {
            queue.push(Lane::Bids, false, n).expect("within the limit");
        }
        assert!(matches!(queue.push(Lane::Bids, false, 0), Err(Failure::Busy)));
        queue.push(Lane::Bids, true, 0).expect("a header whose last byte is in is never sent away");
    }

    #[test]
    fn where_the_queue_is_shared_out_each_takes_its_share() {
        let queue = Queue::new(true);
        std::thread::scope(|scope| {
            let takes = |share| {
                let queue = &queue;
                scope.spawn(move || std::iter::from_fn(|| queue.take(share, 10)).flatten().collect::<Vec<i32>>())
            };
            let (bids, general) = (takes(Share::Bids), takes(Share::General));
            for n in 0..100 {
                queue.push(if n % 2 == 0 { Lane::Bids } else { Lane::General }, false, n).expect("open");
            }
            queue.close();
            assert!(bids.join().expect("no panic").iter().all(|n| n % 2 == 0));
            assert_eq!(general.join().expect("no panic").len(), 50);
        });
    }

    #[test]
    fn a_closed_queue_finishes_what_it_accepted() {
        let queue = Queue::new(false);
        queue.push(Lane::General, false, 1).expect("open");
        queue.close();
        assert!(matches!(queue.push(Lane::General, false, 2), Err(Failure::Stopping)));
        assert_eq!(queue.take(Share::All, 10), Some(vec![1]));
        assert_eq!(queue.take(Share::All, 10), None);
    }
}
