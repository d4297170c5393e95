//! What was heard of lately, in bounded memory.
//!
//! Two generations: what is touched lies in the young one; when that is full it becomes the old one, and what nobody
//! touched meanwhile is forgotten. A flood of new keys can make us forget old ones, never run out of memory.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A map that keeps at least the `capacity` keys that were touched last, and at most twice as many.
#[derive(Debug)]
pub struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Eq + Hash, V: Default> Recent<K, V> {
    /// An empty map.
    pub fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity: capacity.max(1) }
    }

    /// The value of `key`, made if there is none.
    pub fn touch(&mut self, key: K) -> &mut V {
        if !self.young.contains_key(&key) && self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        let before = self.old.remove(&key);
        self.young.entry(key).or_insert_with(|| before.unwrap_or_default())
    }

    /// The value of `key`, without touching it.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_touched_lately_is_kept_and_memory_is_bounded() {
        let mut recent: Recent<u32, u32> = Recent::new(10);
        *recent.touch(0) = 7;
        for key in 1..1_000 {
            *recent.touch(key) = key;
            assert_eq!(*recent.touch(0), 7, "touched every time");
            assert!(recent.young.len() + recent.old.len() <= 20);
        }
        assert_eq!(recent.get(&999), Some(&999));
        assert_eq!(recent.get(&1), None, "long ago");
    }
}
