//! The one place where this module draws randomness.

use super::error::RandomFailed;
use crate::kernel::secret::Secret;
use frost_p256::rand_core::{self, CryptoRng, RngCore};
use ring::rand::{SecureRandom, SystemRandom};

/// `N` random bytes that may become public (salts).
pub(super) fn bytes<const N: usize>() -> Result<[u8; N], RandomFailed> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| RandomFailed)?;
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
        SystemRandom::new().fill(bytes).map_err(|_| rand_core::Error::new(RandomFailed))
    }
}
