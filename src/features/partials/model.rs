//! Snapshots and partial decryptions: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::db::schema::{partial_lists, partials, snapshots};
use crate::features::bids::signed::Signed;
use crate::features::opening::model::GivenUp;
use crate::kernel::encoding::base64url;
use crate::kernel::id::LotId;
use crate::ledger::{Error, Result};
use crate::seal::partials::Partial;
use crate::seal::unsealing::Share;

/// A row of `snapshots`: what the custodians of a key set answer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = snapshots, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct SnapshotRow {
    /// The snapshot.
    pub id: String,
    /// Version.
    pub version: i64,
    /// The lot.
    pub lot_id: String,
    /// The key set: it has one snapshot.
    pub kid: String,
    /// The Merkle root over its lines, hex.
    pub root: String,
    /// The signed snapshot.
    pub body: String,
}

/// A row of `partial_lists`: a list that a member sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partial_lists, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct PartialListRow {
    /// The list.
    pub id: String,
    /// Version.
    pub version: i64,
    /// The lot.
    pub lot_id: String,
    /// The key set.
    pub kid: String,
    /// Who sent it.
    pub member: i64,
    /// The digest of what was signed.
    pub digest: String,
    /// The signed list.
    pub body: String,
    /// The envelope with the bidder's key, where it was made with a key out of escrow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escrow: Option<String>,
}

/// A row of `partials`: a share for one slot of one envelope.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = partials)]
pub struct PartialRow {
    /// Its list.
    pub owner_id: String,
    /// The list's version.
    pub owner_version: i64,
    /// The envelope.
    pub envelope_id: String,
    /// The slot.
    pub slot: i64,
    /// Whose share it is.
    pub member: i64,
    /// D, base64url.
    pub d: String,
    /// The proof, base64url.
    pub proof: String,
}

impl PartialRow {
    /// The row of a share of a stored list.
    pub fn of(list: &PartialListRow, partial: &Partial) -> Self {
        Self {
            owner_id: list.id.clone(),
            owner_version: list.version,
            envelope_id: partial.envelope.to_string(),
            slot: i64::from(partial.slot),
            member: list.member,
            d: base64url(&partial.share.d.to_compressed()),
            proof: base64url(&partial.share.proof.to_bytes()),
        }
    }

    /// The share, with its member.
    ///
    /// # Errors
    /// When what is stored does not have the form it was written in.
    pub fn share(&self) -> Result<(u8, Share)> {
        let damaged = || Error::damaged(format!("share of {} for {}", self.member, self.envelope_id));
        let text = serde_json::json!({ "d": self.d, "proof": self.proof }).to_string();
        let share = Share::parse(text.as_bytes()).map_err(|_| damaged())?;
        Ok((u8::try_from(self.member).map_err(|_| damaged())?, share))
    }
}

/// A list of partial decryptions.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPartials {
    /// A JWS of typ `sealbid-partials+jws` by the member's key; at most 500 shares.
    #[schema(value_type = Object)]
    pub partials: Signed,
}

/// What a member has given so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartialsReceived {
    /// The lot.
    pub lot_id: LotId,
    /// The key set.
    pub kid: String,
    /// The member.
    pub member: u8,
    /// Its shares that were accepted.
    pub received: u64,
    /// How many there are to give.
    pub count: u64,
}

/// What lies in a box, as far as the holders of shares of one key set must see it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SnapshotView {
    /// The snapshot.
    pub id: String,
    /// The lot.
    pub lot_id: LotId,
    /// The key set.
    pub kid: String,
    /// A JWS of typ `sealbid-snapshot+jws` by the platform's promise key.
    #[schema(value_type = Object)]
    pub snapshot: Value,
    /// Its lines: `{envelope, slot, ctx, enc, ct, pok}`.
    #[schema(value_type = Vec<Object>)]
    pub lines: Vec<Value>,
    /// A C2SP tlog-proof of its entry with the entry's opening: without it no custodian uses a share. None until the next
    /// checkpoint.
    pub proof: Option<String>,
}

/// Who has given what.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GivenView {
    /// One line for each key set and member that has given anything.
    pub items: Vec<GivenLine>,
    /// How many members are needed, where custodians hold the key.
    pub k: Option<u8>,
    /// How many shares each custodian has to give.
    pub count: Option<u64>,
    /// Somebody stated that missing shares will not come.
    pub given_up: Option<GivenUp>,
}

/// What one member has given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenLine {
    /// The key set.
    pub kid: String,
    /// The member.
    pub member: u8,
    /// Its shares that were accepted.
    pub received: u64,
}
