//! What the tool asks a platform for. The real one is asked over HTTP.

use serde_json::Value;

use crate::client::custodians::{Backups, CeremonyView, CustodianView, SnapshotView};
use crate::client::wire::PlatformKey;
use crate::client::{Client, ClientError, Result};
use crate::kernel::time::Timestamp;
use crate::seal::keys::SigningKey;
use crate::seal::partials::SignedPartials;

/// A platform, asked as the custodian.
pub trait Platform {
    /// The key that it says is its own.
    ///
    /// # Errors
    /// See [`ClientError`]; so all others.
    fn key(&self) -> Result<PlatformKey>;
    /// The custodian's user id.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn user(&self) -> Result<String>;
    /// Registers a signing key, unless it is registered.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn register(&self, key: &SigningKey, user: &str) -> Result<()>;
    /// Says which keys the custodian has.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn name_keys(&self, sign_kid: &str, kem: &str, pok: &str) -> Result<CustodianView>;
    /// The ceremonies that name the custodian.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn ceremonies(&self) -> Result<Vec<CeremonyView>>;
    /// A ceremony.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn ceremony(&self, id: &str) -> Result<CeremonyView>;
    /// Says something in a ceremony.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn say(&self, ceremony: &str, message: &Value, backups: &[Value]) -> Result<CeremonyView>;
    /// The custodian's sealed shares.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn backups(&self, ceremony: &str) -> Result<Backups>;
    /// The snapshots of a lot.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn snapshots(&self, lot: &str) -> Result<Vec<SnapshotView>>;
    /// When a lot opens, as far as it is known.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn opens_at(&self, lot: &str) -> Result<Option<Timestamp>>;
    /// Gives partial decryptions.
    #[allow(clippy::missing_errors_doc, reason = "as above")]
    fn give(&self, lot: &str, partials: &SignedPartials) -> Result<()>;
}

impl Platform for Client {
    fn key(&self) -> Result<PlatformKey> {
        self.platform_key()
    }

    fn user(&self) -> Result<String> {
        Ok(self.me()?.id)
    }

    fn register(&self, key: &SigningKey, user: &str) -> Result<()> {
        match self.register_key(key, user) {
            // Its proof shows that nobody else can have registered it.
            Err(error) if error.code() == Some("already-taken") => Ok(()),
            done => done.map(drop),
        }
    }

    fn name_keys(&self, sign_kid: &str, kem: &str, pok: &str) -> Result<CustodianView> {
        self.put_custodian(sign_kid, kem, pok)
    }

    fn ceremonies(&self) -> Result<Vec<CeremonyView>> {
        self.own_ceremonies()
    }

    fn ceremony(&self, id: &str) -> Result<CeremonyView> {
        Self::ceremony(self, id)
    }

    fn say(&self, ceremony: &str, message: &Value, backups: &[Value]) -> Result<CeremonyView> {
        self.say_in_ceremony(ceremony, message, backups)
    }

    fn backups(&self, ceremony: &str) -> Result<Backups> {
        self.own_backups(ceremony)
    }

    fn snapshots(&self, lot: &str) -> Result<Vec<SnapshotView>> {
        Self::snapshots(self, lot)
    }

    fn opens_at(&self, lot: &str) -> Result<Option<Timestamp>> {
        Ok(self.lot(lot)?.schedule.opens_at)
    }

    fn give(&self, lot: &str, partials: &SignedPartials) -> Result<()> {
        self.give_partials(lot, partials).map(drop)
    }
}

/// Whether there is nothing of what was asked for.
pub(super) fn is_nothing(error: &ClientError) -> bool {
    matches!(error, ClientError::Problem(problem) if problem.status == 404)
}
