//! Calls about custodians, their ceremonies, and what they give at an opening. Nothing here is checked: whoever asks does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Result;
use super::http::Client;
use super::wire::Page;
use crate::kernel::time::Timestamp;
use crate::seal::ceremony::SignedDraft;
use crate::seal::error::FormError;
use crate::seal::ids::{Ident, KeyId};
use crate::seal::keyset::Member;
use crate::seal::points::Point;

/// A custodian.
#[derive(Clone, Debug, Deserialize)]
pub struct CustodianView {
    /// The custodian.
    pub id: String,
    /// The user.
    pub user_id: String,
    /// Its institution.
    #[serde(default)]
    pub org_id: String,
    /// The key that signs.
    pub sign_kid: String,
    /// The key that shares are backed up to.
    pub kem: String,
}

impl CustodianView {
    /// The custodian as member `i` of a draft.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn member(&self, i: u8) -> std::result::Result<Member, FormError> {
        Ok(Member {
            i,
            custodian: Ident::parse(&*self.id, "custodian")?,
            org: Ident::parse(&*self.org_id, "org")?,
            sign_kid: KeyId::parse(&self.sign_kid, "sign_kid")?,
            kem: Point::from_text(&self.kem, "kem")?,
        })
    }
}

/// Somebody's public signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Its id.
    #[serde(default)]
    pub kid: Option<String>,
    /// `EdDSA` or `ES256`.
    pub alg: String,
    /// Base64url.
    pub public_key: String,
}

/// A member with its signing key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemberView {
    /// From 1.
    pub i: u8,
    /// The key.
    #[serde(flatten)]
    pub key: PublicKey,
}

/// A ceremony with everything that was said in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CeremonyView {
    /// The platform's id of it.
    pub id: String,
    /// The lot.
    pub lot_id: String,
    /// `commit`, `round1`, `round2`, `accept`, `active`, `aborted`, `expired`.
    pub state: String,
    /// When it ends by itself.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The signed draft.
    pub draft: Value,
    /// Who signed it.
    pub tenderer: PublicKey,
    /// The members' keys.
    pub members: Vec<MemberView>,
    /// The signed messages by step.
    pub messages: BTreeMap<String, Vec<Value>>,
    /// Who is at fault.
    #[serde(default)]
    pub culprit: Option<u8>,
    /// Why it ended.
    #[serde(default)]
    pub cause: Option<String>,
    /// The signed key sets, once it is active.
    #[serde(default)]
    pub key_sets: Vec<Value>,
}

/// A snapshot with its lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SnapshotView {
    /// The lot.
    pub lot_id: String,
    /// The key set.
    pub kid: String,
    /// The signed snapshot.
    pub snapshot: Value,
    /// Its lines.
    pub lines: Vec<Value>,
    /// The proof that it is in the public log, once it is.
    #[serde(default)]
    pub proof: Option<String>,
}

/// A member's backups.
#[derive(Clone, Debug, Deserialize)]
pub struct Backups {
    /// One for each group.
    pub backups: Vec<Value>,
}

impl Client {
    /// Says which keys the signed-in custodian has.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn put_custodian(&self, sign_kid: &str, kem: &str, pok: &str) -> Result<CustodianView> {
        self.put_json("/v1/custodians/me", &json!({ "sign_kid": sign_kid, "kem": kem, "pok": pok }))?.json()
    }

    /// All custodians, in the order in which they registered.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn custodians(&self) -> Result<Vec<CustodianView>> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page: Page<CustodianView> = self.get(&format!("/v1/custodians?limit=100{after}"))?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(all),
            }
        }
    }

    /// Begins a ceremony.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn begin_ceremony(&self, lot: &str, draft: &SignedDraft) -> Result<CeremonyView> {
        self.post(&format!("/v1/lots/{lot}/ceremonies"), &json!({ "draft": draft.jws() }))
    }

    /// The ceremonies of a lot.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn ceremonies_of(&self, lot: &str) -> Result<Vec<CeremonyView>> {
        Ok(self.get::<Page<CeremonyView>>(&format!("/v1/lots/{lot}/ceremonies"))?.items)
    }

    /// The ceremonies that name the signed-in custodian, running or active.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn own_ceremonies(&self) -> Result<Vec<CeremonyView>> {
        Ok(self.get::<Page<CeremonyView>>("/v1/ceremonies/mine")?.items)
    }

    /// A ceremony.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn ceremony(&self, ceremony: &str) -> Result<CeremonyView> {
        self.get(&format!("/v1/ceremonies/{ceremony}"))
    }

    /// Says something in a ceremony. The same message may be sent again.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn say_in_ceremony(&self, ceremony: &str, message: &Value, backups: &[Value]) -> Result<CeremonyView> {
        let mut body = json!({ "message": message });
        if !backups.is_empty() {
            body["backups"] = backups.into();
        }
        self.post(&format!("/v1/ceremonies/{ceremony}/messages"), &body)
    }

    /// The signed-in custodian's sealed shares of a ceremony.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn own_backups(&self, ceremony: &str) -> Result<Backups> {
        self.get(&format!("/v1/ceremonies/{ceremony}/backups/mine"))
    }

    /// The snapshots of a lot, from the beginning of its opening on.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn snapshots(&self, lot: &str) -> Result<Vec<SnapshotView>> {
        Ok(self.get::<Page<SnapshotView>>(&format!("/v1/lots/{lot}/snapshots"))?.items)
    }
}
