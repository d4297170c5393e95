//! The one place where this module draws randomness.

use super::error::RandomFailed;
use crate::kernel::secret::Secret;
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
