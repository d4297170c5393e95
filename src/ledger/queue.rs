//! Two bounded queues in front of the writers: one for bids, one for everything else.
//!
//! A full queue refuses at once, so that callers hear "come back in a moment" instead of waiting for nothing. Bids go
//! first, and nothing but bids can fill their queue.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::context::Lane;
use super::error::Failure;
use crate::limits;

/// A queue of jobs.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    ready: Condvar,
}

struct State<J> {
    bids: VecDeque<J>,
    general: VecDeque<J>,
    closed: bool,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State { bids: VecDeque::new(), general: VecDeque::new(), closed: false }),
            ready: Condvar::new(),
        }
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
        self.ready.notify_one();
        Ok(())
    }

    /// Waits for work and takes up to `most` jobs, bids first; half of the places are kept for the rest, so that a rush
    /// of bids delays the other work but never stops it. `None` once closed and empty.
    pub(super) fn take(&self, most: usize) -> Option<Vec<J>> {
        let mut state = self.lock();
        loop {
            if !state.bids.is_empty() || !state.general.is_empty() {
                let kept = state.general.len().min(most / 2);
                let bids = state.bids.len().min(most - kept);
                let general = state.general.len().min(most - bids);
                let mut jobs: Vec<J> = state.bids.drain(..bids).collect();
                jobs.extend(state.general.drain(..general));
                return Some(jobs);
            }
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more work; what is in line is still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_work_cannot_fill_the_queue_for_bids() {
        let queue = Queue::new();
        for n in 0..limits::QUEUE_GENERAL {
            queue.push(Lane::General, false, n).expect("within the limit");
        }
        assert!(matches!(queue.push(Lane::General, false, 0), Err(Failure::Busy)));
        queue.push(Lane::Bids, false, 7).expect("bids have their own queue");
        assert_eq!(queue.take(1), Some(vec![7]), "and go first");
    }

    #[test]
    fn who_has_a_place_finds_it_however_full_the_queue_is() {
        let queue = Queue::new();
        for n in 0..limits::QUEUE_BIDS {
            queue.push(Lane::Bids, false, n).expect("within the limit");
        }
        assert!(matches!(queue.push(Lane::Bids, false, 0), Err(Failure::Busy)));
        queue.push(Lane::Bids, true, 0).expect("a header whose last byte is in is never sent away");
    }

    #[test]
    fn a_closed_queue_finishes_what_it_accepted() {
        let queue = Queue::new();
        queue.push(Lane::General, false, 1).expect("open");
        queue.close();
        assert!(matches!(queue.push(Lane::General, false, 2), Err(Failure::Stopping)));
        assert_eq!(queue.take(10), Some(vec![1]));
        assert_eq!(queue.take(10), None);
    }
}
