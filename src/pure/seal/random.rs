//! The one place where this module draws randomness.

use super::error::RandomFailed;
use crate::kernel::secret::Secret;
use frost_p256::rand_core::{self, CryptoRng, RngCore};
use ring::rand::{SecureRandom, SystemRandom};

fn fill(bytes: &mut [u8]) -> Result<(), RandomFailed> {
    #[cfg(test)]
    if fixed::fill(bytes) {
        return Ok(());
    }
    SystemRandom::new().fill(bytes).map_err(|_| RandomFailed)
}

/// `N` random bytes that may become public (salts).
pub(super) fn bytes<const N: usize>() -> Result<[u8; N], RandomFailed> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// `N` random bytes that stay secret.
pub(super) fn secret<const N: usize>() -> Result<Secret<[u8; N]>, RandomFailed> {
    bytes().map(Secret::new)
}

/// The system's randomness in the form that `frost-p256` asks for.
#[derive(Clone, Copy)]
pub(super) struct SystemRng;

impl CryptoRng for SystemRng {}

impl RngCore for SystemRng {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        // The trait has no way to say no; a key from no randomness would be worse than a program that stops.
        self.try_fill_bytes(bytes).expect("the system's random source works");
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        fill(bytes).map_err(rand_core::Error::new)
    }
}

/// Bytes that look random and are not, for vectors of what draws in many places. In the tests of this crate alone: what is
/// delivered has no such source.
#[cfg(test)]
pub(super) mod fixed {
    use std::cell::RefCell;

    use crate::kernel::digest::Hasher;

    thread_local! {
        static DRAWN: RefCell<Option<(&'static str, u64)>> = const { RefCell::new(None) };
    }

    /// Does `work`, on this thread, with what follows from `name` in the place of random bytes.
    pub fn with<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
        DRAWN.with_borrow_mut(|drawn| *drawn = Some((name, 0)));
        let done = work();
        DRAWN.with_borrow_mut(|drawn| *drawn = None);
        done
    }

    /// Fills with SHA-256(name || counter), a block of 32 bytes each; false outside of [`with`].
    pub fn fill(bytes: &mut [u8]) -> bool {
        DRAWN.with_borrow_mut(|drawn| {
            let Some((name, count)) = drawn else { return false };
            for block in bytes.chunks_mut(32) {
                let mut hasher = Hasher::new();
                hasher.update(name.as_bytes());
                hasher.update(&count.to_be_bytes());
                block.copy_from_slice(&hasher.finish().as_bytes()[..block.len()]);
                *count += 1;
            }
            true
        })
    }
}
