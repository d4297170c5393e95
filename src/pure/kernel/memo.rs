//! What was worked out before and cannot come out otherwise, kept for the next time.
//!
//! Only for what never changes: that a signature over certain bytes verifies, what an immutable row says. Bounded: when it
//! is full it forgets everything and begins anew, which costs little and needs no order of use.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

/// A bounded memory from `K` to `V`.
#[derive(Debug)]
pub struct Memo<K, V> {
    most: usize,
    known: RwLock<HashMap<K, V>>,
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// A memory for `most` things at a time.
    pub fn new(most: usize) -> Self {
        Self { most, known: RwLock::default() }
    }

    /// What is known of `key`.
    pub fn get(&self, key: &K) -> Option<V> {
        // A panic elsewhere leaves the map as it is: it is still good.
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Remembers `value` for `key`.
    pub fn put(&self, key: K, value: V) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most {
            known.clear();
        }
        known.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_until_there_is_no_room() {
        let memo = Memo::new(2);
        assert_eq!(memo.get(&"a"), None);
        memo.put("a", 1);
        memo.put("b", 2);
        assert_eq!((memo.get(&"a"), memo.get(&"b")), (Some(1), Some(2)));
        memo.put("c", 3);
        assert_eq!((memo.get(&"a"), memo.get(&"c")), (None, Some(3)), "it began anew");
    }
}
