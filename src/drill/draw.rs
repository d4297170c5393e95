//! Chance that can be repeated: the same seed draws the same numbers.

/// A source of numbers (SplitMix64). For choosing what to do next, never for keys.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// The source of `seed` for the user number `user`: each of several threads has its own.
    pub fn new(seed: u64, user: u64) -> Self {
        Self(seed ^ user.wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// Whether something happens that happens so many times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// One of `items`, which are some.
    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.next() % items.len() as u64).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_another_user_something_else() {
        let draws = |seed, user| {
            let mut draw = Draw::new(seed, user);
            [0; 8].map(|_| draw.between(1, 1_000_000))
        };
        assert_eq!(draws(7, 1), draws(7, 1));
        assert_ne!(draws(7, 1), draws(7, 2));
        assert_ne!(draws(7, 1), draws(8, 1));
    }

    #[test]
    fn what_is_drawn_lies_within_its_bounds() {
        let mut draw = Draw::new(1, 1);
        let drawn: Vec<u64> = (0..1_000).map(|_| draw.between(3, 5)).collect();
        assert!([3, 4, 5].iter().all(|n| drawn.contains(n)) && drawn.iter().all(|n| (3..=5).contains(n)));
    }
}
