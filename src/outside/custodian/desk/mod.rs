//! A custodian at work: the file, the clock, and what is done with them.
//!
//! The order in every act: check, write the file, send. Whoever is asked to confirm is asked between the checks and the file.

mod answering;
mod joining;
mod repairing;
mod restoring;

use std::path::Path;

pub use answering::Asked;
pub use repairing::{Outcome, Plea};

use super::ceremony::{Ceremony, Me};
use super::platform::Platform;
use super::refusal::{self, Result};
use super::state::State;
use super::vault::Vault;
use super::watch;
use crate::client::wire::PlatformKey;
use crate::clock::Clock;
use crate::kernel::secret::Secret;
use crate::seal::ceremony::prove_kem;
use crate::tlog::note;
use crate::verify::source::Source;

/// The file of a custodian, held by this process.
pub struct Desk<'a> {
    vault: Vault,
    state: State,
    clock: &'a dyn Clock,
}

impl<'a> Desk<'a> {
    /// Takes a file that is there.
    ///
    /// # Errors
    /// See [`Vault::open`] and [`State::read`].
    pub fn open(path: &Path, passphrase: Secret<String>, clock: &'a dyn Clock) -> Result<Self> {
        Self::opened(Vault::open(path, passphrase)?, clock)
    }

    /// As [`Desk::open`], for tests that write often.
    #[cfg(test)]
    pub(super) fn open_cheaply(path: &Path, passphrase: Secret<String>, clock: &'a dyn Clock) -> Result<Self> {
        Self::opened(Vault::open_at(path, passphrase, super::vault::tests::CHEAP)?, clock)
    }

    fn opened((vault, plain): (Vault, Secret<Vec<u8>>), clock: &'a dyn Clock) -> Result<Self> {
        Ok(Self { vault, state: State::read(&plain)?, clock })
    }

    /// Begins a file: new keys, and what is believed from now on. It is on the disk when this returns.
    ///
    /// # Errors
    /// The vault's.
    pub fn begin(vault: Vault, state: State, clock: &'a dyn Clock) -> Result<Self> {
        let mut desk = Self { vault, state, clock };
        desk.save()?;
        Ok(desk)
    }

    fn save(&mut self) -> Result<()> {
        self.state.save(&self.vault, self.clock.now())
    }

    /// What the file says.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        self.vault.path()
    }

    /// That the file is of this platform and user.
    ///
    /// # Errors
    /// `state-of-another`.
    pub fn is_of(&self, server: &str, login: &str) -> Result<()> {
        let State { server: own, login: of, .. } = &self.state;
        if own == server && of == login {
            return Ok(());
        }
        Err(refusal::STATE_OF_ANOTHER.because(format!("{of}, {own}")).into())
    }

    /// That the platform's key is still the one that was pinned.
    ///
    /// # Errors
    /// `platform-key-changed`.
    pub fn knows(&self, platform: &dyn Platform) -> Result<()> {
        let (shown, pinned) = (platform.key()?, &self.state.platform);
        if shown.alg == pinned.alg && shown.public_key == pinned.public_key {
            return Ok(());
        }
        Err(refusal::PLATFORM_KEY_CHANGED.because(format!("{} / {}", pinned.verifier, shown.verifier)).into())
    }

    /// Believes another key of the platform, or another policy, from now on: a person vouches for it.
    ///
    /// # Errors
    /// `policy-invalid`, the vault's.
    pub fn believe(&mut self, platform: Option<PlatformKey>, policy: Option<String>) -> Result<()> {
        if let Some(policy) = policy {
            watch::trust(&policy)?;
            self.state.policy = policy;
        }
        if let Some(platform) = platform {
            self.state.platform = platform;
        }
        self.save()
    }

    /// Registers both keys. May be repeated.
    ///
    /// # Errors
    /// The platform's, or `state-of-another` when it knows this user under other keys.
    pub fn register(&mut self, platform: &dyn Platform) -> Result<()> {
        let user = platform.user()?;
        if self.state.user.as_ref().is_some_and(|known| *known != user) {
            return Err(refusal::STATE_OF_ANOTHER.because(user).into());
        }
        let (signing, kem) = (self.state.signing_key()?, self.state.kem()?);
        platform.register(&signing, &user)?;
        let pok = prove_kem::prove(&kem, &user).map_err(|error| refusal::NO_RANDOM.because(error))?;
        let (kid, kem) = (signing.verifying_key().key_id().to_string(), kem.public());
        let kem = crate::kernel::encoding::base64url(&kem.to_compressed());
        let view = platform.name_keys(&kid, &kem, &pok)?;
        if view.sign_kid != kid || view.kem != kem || view.user_id != user {
            return Err(refusal::STATE_OF_ANOTHER.because(view.id).into());
        }
        (self.state.user, self.state.custodian) = (Some(user), Some(view.id));
        self.save()
    }

    /// Looks at the log: it must continue what was seen of it.
    ///
    /// # Errors
    /// The log's.
    pub fn follow(&mut self, log: &dyn Source, checkpoint: &str) -> Result<()> {
        let trust = watch::trust(&self.state.policy)?;
        let head = watch::follow(&trust, log, self.state.head.as_deref(), checkpoint)?;
        if self.state.head.as_ref() != Some(&head.note) {
            self.state.head = Some(head.note);
            self.save()?;
        }
        Ok(())
    }

    /// The keys by which ceremonies name this custodian.
    ///
    /// # Errors
    /// `not-registered`, `state-damaged`.
    pub fn me(&self) -> Result<Me> {
        if self.state.custodian.is_none() {
            return Err(refusal::NOT_REGISTERED.because("").into());
        }
        let sign_kid = self.state.signing_key()?.verifying_key().key_id();
        Ok(Me { sign_kid, kem: self.state.kem()?.public() })
    }

    /// The ceremonies that name this custodian, or the one of them that is asked for.
    ///
    /// # Errors
    /// Those of [`Ceremony::read`], and `no-ceremony`.
    pub fn ceremonies(&self, platform: &dyn Platform, only: Option<&str>) -> Result<Vec<Ceremony>> {
        let me = self.me()?;
        let views = match only {
            Some(id) => vec![platform.ceremony(id)?],
            None => platform.ceremonies()?,
        };
        views.iter().map(|view| Ceremony::read(view, &me)).collect()
    }
}

/// The platform's key in a verifier key that a person gives.
pub fn given_key(verifier: &str) -> Option<PlatformKey> {
    use crate::seal::keys::{Algorithm, VerifyingKey};
    let key = VerifyingKey::from_bytes(Algorithm::EdDsa, &note::public_key(verifier)?).ok()?;
    Some(PlatformKey {
        alg: Algorithm::EdDsa.name().to_owned(),
        public_key: key.to_base64url(),
        verifier: verifier.to_owned(),
    })
}
