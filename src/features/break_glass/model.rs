//! Looks before the opening: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::break_glasses;
use crate::kernel::encoding::hex;
use crate::kernel::id::{BreakGlassId, LotId, OrgId, UserId};
use crate::kernel::time::Timestamp;
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Result};

/// Somebody asked; nobody has agreed.
pub const ASKED: &str = "asked";
/// A second person agreed; whether it is open still is a question of the moment.
pub const OPEN: &str = "open";
/// Somebody withdrew it.
pub const WITHDRAWN: &str = "withdrawn";

/// A row of `break_glasses`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = break_glasses, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct BreakGlassRow {
    /// The look.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `asked`, `open`, `withdrawn`.
    pub state: String,
    /// The lot.
    pub lot_id: String,
    /// The body of both inspectors.
    pub org_id: String,
    /// Who asked, and may look.
    pub user_id: String,
    /// The matter number.
    pub matter: String,
    /// Until then somebody may agree, or the one who asked may look; epoch milliseconds.
    pub until_at: i64,
    /// [`BreakGlassBody`].
    pub body: String,
}

/// What else is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlassBody {
    /// Why it was asked for.
    pub reason: String,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_by: Option<UserId>,
    /// Why it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<String>,
}

/// A look to be asked for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBreakGlass {
    /// The lot.
    pub lot_id: LotId,
    /// The matter number, under which the caller has a mandate for the lot.
    #[schema(max_length = 64, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    pub matter: String,
    /// Why it cannot wait for the opening.
    pub reason: String,
}

/// A look before the opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BreakGlassView {
    /// The look.
    pub id: BreakGlassId,
    /// `asked`, `open`, `withdrawn`; an open one ends at `until` and at the opening.
    pub state: String,
    /// The lot.
    pub lot_id: LotId,
    /// The body of both inspectors.
    pub org_id: OrgId,
    /// Who asked, and may look.
    pub user_id: UserId,
    /// The matter number.
    pub matter: String,
    /// Until then a second inspector may agree, or the one who asked may look.
    pub until: Timestamp,
    /// Why it was asked for.
    pub reason: String,
    /// Who agreed.
    pub agreed_by: Option<UserId>,
    /// Why it was withdrawn.
    pub withdrawal: Option<String>,
}

/// A sealed entry as far as it may be seen before the opening: no organisation, no actor, no part c.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SealedEntryView {
    /// The entry.
    pub entry_id: String,
    /// What happened, `noun.verb`.
    pub kind: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// Part p.
    #[schema(value_type = Object)]
    pub public: serde_json::Value,
    /// The commitment over the three parts, hex.
    pub commitment: String,
}

/// A row's body, read.
///
/// # Errors
/// When what is stored does not have the form it was written in.
pub fn body(row: &BreakGlassRow) -> Result<BreakGlassBody> {
    serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("break-glass {}: {error}", row.id)))
}

/// A row as the API shows it.
///
/// # Errors
/// When what is stored does not have the form it was written in.
pub fn view(row: &BreakGlassRow) -> Result<BreakGlassView> {
    let damaged = |error: crate::kernel::id::InvalidId| Error::damaged(format!("break-glass {}: {error}", row.id));
    let body = body(row)?;
    Ok(BreakGlassView {
        id: BreakGlassId::parse(&row.id).map_err(damaged)?,
        state: row.state.clone(),
        lot_id: LotId::parse(&row.lot_id).map_err(damaged)?,
        org_id: OrgId::parse(&row.org_id).map_err(damaged)?,
        user_id: UserId::parse(&row.user_id).map_err(damaged)?,
        matter: row.matter.clone(),
        until: Timestamp::from_millis(row.until_at),
        reason: body.reason,
        agreed_by: body.agreed_by,
        withdrawal: body.withdrawal,
    })
}

/// A sealed entry as far as it may be seen.
///
/// # Errors
/// When its part p is not JSON any more.
pub fn sealed_view(row: &EntryRow) -> Result<SealedEntryView> {
    Ok(SealedEntryView {
        entry_id: row.entry_id.clone(),
        kind: row.kind.clone(),
        at: Timestamp::from_millis(row.at_ms),
        public: serde_json::from_str(&row.part_p)
            .map_err(|error| Error::damaged(format!("entry {}: {error}", row.entry_id)))?,
        commitment: hex(&row.c),
    })
}
