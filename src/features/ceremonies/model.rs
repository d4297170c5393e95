//! Ceremonies: as stored, and as the API shows them.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::spoken::Spoken;
use crate::db::schema::{ceremonies, ceremony_messages, share_backups};
use crate::kernel::id::{CeremonyId, LotId};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};
use crate::rules::ceremony::{CeremonyEvent, CeremonyState};
use crate::seal::ceremony::SignedDraft;
use crate::seal::keys::VerifyingKey;
use crate::seal::keyset::SignedKeySet;

/// A row of `ceremonies`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = ceremonies, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct CeremonyRow {
    /// The ceremony.
    pub id: String,
    /// Version.
    pub version: i64,
    /// A state of the machine.
    pub state: String,
    /// The lot.
    pub lot_id: String,
    /// The draft's digest, which its messages name.
    pub digest: String,
    /// Its members have until then; epoch milliseconds.
    pub expires_at: i64,
    /// [`CeremonyBody`].
    pub body: String,
}

/// What else is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeremonyBody {
    /// The signed draft.
    pub draft: Value,
    /// The key with which it was signed.
    pub tenderer: PublicKey,
    /// The members' keys, in their order, as they were registered when it began.
    pub members: Vec<MemberKey>,
    /// Who is at fault, where somebody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<u8>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The key sets, signed by the platform, once it is active.
    #[serde(default)]
    pub key_sets: Vec<Value>,
}

/// A public key that signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicKey {
    /// Its id, as signatures name it.
    pub kid: String,
    /// `EdDSA` or `ES256`.
    pub alg: String,
    /// Base64url.
    pub public_key: String,
}

impl PublicKey {
    /// The key itself.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn verifying(&self) -> Result<VerifyingKey> {
        VerifyingKey::parse(&self.alg, &self.public_key)
            .map_err(|error| Error::damaged(format!("key {}: {}", self.kid, error.reason())))
    }
}

/// A member with the key that signs its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberKey {
    /// Index, from 1.
    pub i: u8,
    /// The custodian.
    pub custodian: String,
    /// Its institution.
    pub org: String,
    /// The person, who alone may speak for it.
    pub user: String,
    /// The key.
    #[serde(flatten)]
    pub key: PublicKey,
}

/// A row of `ceremony_messages`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = ceremony_messages)]
pub struct MessageRow {
    /// The ceremony.
    pub owner_id: String,
    /// Its version with this message.
    pub owner_version: i64,
    /// The step that the message belongs to.
    pub step: String,
    /// Who speaks.
    pub member: i64,
    /// The signed message.
    pub body: String,
}

/// A row of `share_backups`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = share_backups)]
pub struct BackupRow {
    /// The ceremony.
    pub owner_id: String,
    /// Its version with this backup.
    pub owner_version: i64,
    /// Whose share it is.
    pub member: i64,
    /// A list of sealed shares.
    pub body: String,
}

/// A ceremony, read.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// The row.
    pub row: CeremonyRow,
    /// The body.
    pub body: CeremonyBody,
    /// The state.
    pub state: CeremonyState,
    /// The draft.
    pub draft: SignedDraft,
}

/// The step under which the rehearsal of a ceremony's key set is kept, by the key set's position.
pub fn rehearsal_of(position: usize) -> String {
    let step = CeremonyEvent::Rehearse.name();
    if position == 0 { step.to_owned() } else { format!("{step}-{}", position + 1) }
}

impl Ceremony {
    /// The step under which a message is kept: its own, but that each key set has a rehearsal of its own.
    pub fn place_of(&self, spoken: &Spoken) -> String {
        let Spoken::Rehearsal(signed) = spoken else { return spoken.step().to_owned() };
        let is_of = |value: &Value| {
            let set = SignedKeySet::parse(value.to_string().as_bytes());
            set.is_ok_and(|set| set.key_set().kid == signed.list().kid)
        };
        rehearsal_of(self.body.key_sets.iter().position(is_of).unwrap_or_default())
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When what is stored does not have the form it was written in.
    pub fn read(row: CeremonyRow) -> Result<Self> {
        let damaged = |what: &str| Error::damaged(format!("ceremony {}: {what}", row.id));
        let body: CeremonyBody = serde_json::from_str(&row.body).map_err(|error| damaged(&error.to_string()))?;
        let state = CeremonyState::ALL.iter().copied().find(|state| state.name() == row.state);
        Ok(Self {
            draft: SignedDraft::from_value(&body.draft).map_err(|error| damaged(error.reason()))?,
            state: state.ok_or_else(|| damaged("state"))?,
            body,
            row,
        })
    }

    /// The row with this body and state written into it.
    ///
    /// # Errors
    /// Internal ones only.
    pub fn to_row(&self) -> Result<CeremonyRow> {
        let body = serde_json::to_string(&self.body).map_err(|error| Error::internal(error.to_string()))?;
        Ok(CeremonyRow { state: self.state.name().into(), body, ..self.row.clone() })
    }

    /// The member that a person is.
    pub fn member_of(&self, user: &str) -> Option<&MemberKey> {
        self.body.members.iter().find(|member| member.user == user)
    }
}

/// A ceremony to be held.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCeremony {
    /// The draft: a JWS of typ `sealbid-ceremony+jws` by a key of the initiator.
    #[schema(value_type = Object)]
    pub draft: Value,
}

/// A member's message.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// A JWS; its typ says which step it belongs to.
    #[schema(value_type = Object)]
    pub message: Value,
    /// With the acceptance: the member's shares, sealed to its own long-term key, one for each group.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub backups: Vec<Value>,
}

/// Why a ceremony is given up.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Abandonment {
    /// Why.
    pub reason: String,
}

/// A ceremony, as the API shows it. Everything of it is public but the backups.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CeremonyView {
    /// The ceremony.
    pub id: CeremonyId,
    /// Version.
    pub version: i64,
    /// The lot.
    pub lot_id: LotId,
    /// `commit`, `round1`, `round2`, `accept`, `active`, `aborted`, `expired`: what its members send next.
    pub state: String,
    /// The draft's digest, which its messages name.
    pub digest: String,
    /// Its members have until then.
    pub expires_at: Timestamp,
    /// The signed draft.
    #[schema(value_type = Object)]
    pub draft: Value,
    /// The key with which the draft was signed.
    pub tenderer: PublicKey,
    /// The members' keys.
    pub members: Vec<MemberKey>,
    /// The messages, by step, each in the order of the members.
    #[schema(value_type = Object)]
    pub messages: BTreeMap<String, Vec<Value>>,
    /// Members whose message the step still waits for; once active those who have not rehearsed.
    pub waiting_for: Vec<u8>,
    /// Who is at fault, where somebody is.
    pub culprit: Option<u8>,
    /// Why it ended.
    pub cause: Option<String>,
    /// The key sets, signed by the platform, once it is active.
    #[schema(value_type = Vec<Object>)]
    pub key_sets: Vec<Value>,
}

/// A member's own backups.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BackupsView {
    /// The member.
    pub member: u8,
    /// Its shares, one for each group, sealed to its own long-term key.
    #[schema(value_type = Vec<Object>)]
    pub backups: Vec<Value>,
}
