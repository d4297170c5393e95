//! Checking many things with all processors.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Checks items, as many at a time as there are processors, until one fails; of several that fail the first in the order of the
/// items speaks.
///
/// # Errors
/// What the check says.
pub fn try_each<T: Sync, E: Send>(items: &[T], check: impl Fn(&T) -> Result<(), E> + Sync) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        // Items are handed out in their order: whatever comes before one that fails is checked by somebody to its end.
        while !failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = check(items.get(at)?) {
                failed.store(true, Ordering::Relaxed);
                return Some((at, error));
            }
        }
        None
    };
    let failures = thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let join = |one: thread::ScopedJoinHandle<'_, _>| one.join().unwrap_or_else(|panic| resume_unwind(panic));
        working.into_iter().filter_map(join).collect::<Vec<_>>()
    });
    failures.into_iter().min_by_key(|(at, _)| *at).map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_checked_once_and_the_first_that_fails_speaks() {
        let seen = AtomicUsize::new(0);
        let items: Vec<u32> = (0..100).collect();
        let count = |_: &u32| {
            seen.fetch_add(1, Ordering::Relaxed);
            Ok::<(), u32>(())
        };
        assert_eq!(try_each(&items, count), Ok(()));
        assert_eq!(seen.load(Ordering::Relaxed), 100);
        assert_eq!(try_each(&items, |item| if *item < 3 { Ok(()) } else { Err(*item) }), Err(3));
        assert_eq!(try_each(&[], |_: &u32| Err(1)), Ok(()));
    }
}
