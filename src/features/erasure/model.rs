//! Erasures: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::erasures;
use crate::kernel::id::{EntryId, ErasureId, UserId};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};

/// Some of it may be evidence still.
pub const STANDING: &str = "standing";
/// All of it is done.
pub const DONE: &str = "done";

/// A row of `erasures`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = erasures, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ErasureRow {
    /// The erasure.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `standing`, `done`.
    pub state: String,
    /// The user whose entries are meant, or the one entry.
    pub subject_id: String,
    /// Entries recorded before this instant, epoch milliseconds.
    pub before_at: i64,
    /// [`ErasureBody`].
    pub body: String,
}

/// What else is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureBody {
    /// Why.
    pub reason: String,
}

/// An erasure to be made: of a user's entries, or of one entry.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewErasure {
    /// The user whose personal parts go; either this or `entry_id`.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// The one entry whose personal part goes.
    #[serde(default)]
    pub entry_id: Option<EntryId>,
    /// Why: the person's request, as the file has it.
    pub reason: String,
}

/// An erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureView {
    /// The erasure.
    pub id: ErasureId,
    /// `standing` until every lot that there was when it was asked for is settled, then `done`.
    pub state: String,
    /// The user, or the entry.
    pub subject_id: String,
    /// Entries recorded before this instant.
    pub before: Timestamp,
    /// Why.
    pub reason: String,
}

/// A row as the API shows it.
///
/// # Errors
/// When what is stored does not have the form it was written in.
pub fn view(row: &ErasureRow) -> Result<ErasureView> {
    let body: ErasureBody =
        serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("erasure {}: {error}", row.id)))?;
    Ok(ErasureView {
        id: ErasureId::parse(&row.id).map_err(|error| Error::damaged(format!("erasure {}: {error}", row.id)))?,
        state: row.state.clone(),
        subject_id: row.subject_id.clone(),
        before: Timestamp::from_millis(row.before_at),
        reason: body.reason,
    })
}
