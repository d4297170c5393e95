//! Copies of the file, and what is left when there is only an old one.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::Desk;
use crate::clock::Clock;
use crate::custodian::ceremony::Ceremony;
use crate::custodian::platform::Platform;
use crate::custodian::refusal::{self, Result};
use crate::custodian::state::{Kept, Share, State};
use crate::custodian::vault::{self, Vault};
use crate::kernel::secret::Secret;
use crate::seal::ceremony::Backup;

impl<'a> Desk<'a> {
    /// Copies the file as it is, and shows that the copy opens.
    ///
    /// # Errors
    /// `state-exists`, `state-disk`, or those of opening.
    pub fn copy(&self, to: &Path) -> Result<()> {
        let disk = |error: std::io::Error| refusal::STATE_DISK.because(format!("{}: {error}", to.display()));
        let bytes = vault::read(self.path())?;
        if to.exists() {
            return Err(refusal::STATE_EXISTS.because(to.display()).into());
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(to).map_err(disk)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(disk)?;
        State::read(&self.vault.unseal(&vault::read(to)?)?).map(drop)
    }

    /// Puts a copy in the place of a file that is lost.
    ///
    /// # Errors
    /// `state-exists`, or those of opening.
    pub fn put_back(copy: &Path, path: &Path, passphrase: Secret<String>, clock: &'a dyn Clock) -> Result<Self> {
        let plain = vault::unseal(&vault::read(copy)?, &passphrase)?;
        let mut state = State::read(&plain)?;
        state.shares.values_mut().for_each(|share| share.doubt(clock.now()));
        Self::begin(Vault::create(path, passphrase)?, state, clock)
    }

    /// Takes the shares of an active ceremony from their backups at the platform, where the file lacks them. Gives how many.
    ///
    /// # Errors
    /// `backup-wrong`, those of [`Ceremony::published`], the platform's.
    pub fn fetch_shares(&mut self, platform: &dyn Platform, ceremony: &Ceremony) -> Result<usize> {
        let key_sets = ceremony.published(&self.state.platform_key()?)?;
        if key_sets.iter().all(|set| self.state.shares.contains_key(&set.kid.to_string())) {
            return Ok(0);
        }
        let (backups, kem) = (platform.backups(&ceremony.id)?.backups, self.state.kem()?);
        let mut taken = 0;
        for (index, key_set) in key_sets.into_iter().enumerate() {
            let kid = key_set.kid.to_string();
            if self.state.shares.contains_key(&kid) {
                continue;
            }
            let wrong = |what: &str| refusal::BACKUP_WRONG.because(format!("{kid}: {what}"));
            let backup = backups.get(index).ok_or_else(|| wrong("missing"))?;
            let backup = Backup::parse(backup.to_string().as_bytes()).map_err(|error| wrong(error.reason()))?;
            let share =
                backup.open(ceremony.digest(), key_set, ceremony.me, &kem).map_err(|error| wrong(error.reason()))?;
            let mut share = Share::of(&share, &ceremony.id, ceremony.draft().lot.as_str());
            share.confirmed = true;
            share.doubt(self.clock.now());
            self.state.shares.insert(kid, share);
            taken += 1;
        }
        self.remember(ceremony);
        self.save()?;
        Ok(taken)
    }

    /// Takes an active ceremony into a file that did not take part in it.
    pub(super) fn remember(&mut self, ceremony: &Ceremony) {
        let kept = Kept {
            digest: *ceremony.digest(),
            member: ceremony.me,
            secrets: None,
            messages: ceremony.own_messages(),
            backups: Vec::new(),
            rehearsals: Default::default(),
        };
        self.state.ceremonies.insert(ceremony.id.clone(), kept);
    }
}
