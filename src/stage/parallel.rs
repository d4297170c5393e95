//! Doing the same with many things, several at a time.

use std::sync::{Mutex, PoisonError};

/// Threads that play. More than the machine has cores: most of the time each waits for the server to make a commit
/// durable, and commits of several share one.
const THREADS: usize = 6;

/// Does `work` with every item.
pub fn each<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync) {
    let queue = Mutex::new(items.iter_mut());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    match next {
                        Some(item) => work(item),
                        None => break,
                    }
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_its_turn_once() {
        let mut items = vec![0; 100];
        each(&mut items, |item| *item += 1);
        assert!(items.iter().all(|item| *item == 1));
    }
}
