//! Passwords: hashed with argon2id (19 MiB, two passes), a few at a time, off the threads that answer requests.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use ring::rand::{SecureRandom, SystemRandom};

use crate::app::App;
use crate::kernel::secret::Secret;
use crate::ledger::{Error, Result};
use crate::limits;
use crate::refusals;

/// Checks a new password's length.
///
/// # Errors
/// 422 when it is too short or too long.
pub fn check_form(password: &str) -> Result<()> {
    let length = password.chars().count();
    if (limits::PASSWORD_MIN..=limits::PASSWORD_MAX).contains(&length) {
        Ok(())
    } else {
        Err(refusals::body_invalid(&format!(
            "password: {} to {} characters",
            limits::PASSWORD_MIN,
            limits::PASSWORD_MAX
        ))
        .into())
    }
}

/// Hashes a password.
///
/// # Errors
/// Internal ones only.
pub async fn hash(app: &App, password: Secret<String>) -> Result<String> {
    let _permit = app.hashing.acquire().await.map_err(|_| Error::internal("the hashing pool is closed"))?;
    app.blocking(move || hash_blocking(&password)).await
}

/// As [`hash`], on this thread.
///
/// # Errors
/// Internal ones only.
pub fn hash_blocking(password: &Secret<String>) -> Result<String> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_| Error::internal("the system gives no random numbers"))?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| Error::internal(error.to_string()))?;
    let hash = Argon2::default()
        .hash_password(password.expose().as_bytes(), &salt)
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether a password fits a stored hash. Takes as long without a hash: the time must not tell which logins exist.
///
/// # Errors
/// Internal ones only.
pub async fn verify(app: &App, password: Secret<String>, stored: Option<String>) -> Result<bool> {
    let _permit = app.hashing.acquire().await.map_err(|_| Error::internal("the hashing pool is closed"))?;
    app.blocking(move || {
        let Some(stored) = stored else {
            hash_blocking(&password)?;
            return Ok(false);
        };
        let parsed = PasswordHash::new(&stored).map_err(|error| Error::damaged(format!("password hash: {error}")))?;
        Ok(Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok())
    })
    .await
}
