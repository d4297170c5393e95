//! Checking many things with all processors.

use std::num::NonZero;
use std::thread;

/// Checks every item, as many at a time as there are processors; the first that fails, in the order of the items, speaks for
/// each processor's part, and the first of these parts for all.
///
/// # Errors
/// What the check says.
pub fn try_each<T: Sync, E: Send>(items: &[T], check: impl Fn(&T) -> Result<(), E> + Sync) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let size = items.len().div_ceil(threads).max(1);
    let (check, join) = (&check, |part: thread::ScopedJoinHandle<'_, Result<(), E>>| {
        part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    thread::scope(|scope| {
        let parts: Vec<_> =
            items.chunks(size).map(|part| scope.spawn(move || part.iter().try_for_each(check))).collect();
        // Every part is waited for before the first failure is told.
        let results: Vec<Result<(), E>> = parts.into_iter().map(join).collect();
        results.into_iter().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

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
