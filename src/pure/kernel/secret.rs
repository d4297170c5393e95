//! A value that must not leak by accident.
//!
//! Promise: the value is erased from memory when the wrapper is dropped, its `Debug` text says nothing about it, and it
//! can be neither cloned nor serialised; every use is an explicit [`Secret::expose`]. Deliberately absent: protection
//! against copies made by whoever exposed the value, by the optimiser, or by swapping to disk.

use std::fmt;
use zeroize::Zeroize;

/// A secret value, erased when dropped.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes custody of `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Looks at the value. The name makes every place findable.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, rc::Rc};

    struct Probe(Rc<Cell<bool>>);

    impl Zeroize for Probe {
        fn zeroize(&mut self) {
            self.0.set(true);
        }
    }

    #[test]
    fn dropping_a_secret_erases_it() {
        let erased = Rc::new(Cell::new(false));
        drop(Secret::new(Probe(erased.clone())));
        assert!(erased.get());
    }

    #[test]
    fn the_debug_text_of_a_secret_says_nothing() {
        assert_eq!(format!("{:?}", Secret::new([7_u8; 4])), "Secret(..)");
        assert_eq!(Secret::new([7_u8; 4]).expose(), &[7; 4]);
    }
}
