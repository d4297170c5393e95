//! Custodians: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::custodians;
use crate::kernel::id::{CustodianId, OrgId, UserId};
use crate::ledger::{Error, Result};

/// May be named in a ceremony.
pub const ACTIVE: &str = "active";

/// A row of `custodians`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = custodians, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct CustodianRow {
    /// The custodian.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `active`.
    pub state: String,
    /// The person.
    pub user_id: String,
    /// The institution.
    pub org_id: String,
    /// The signing key of its messages.
    pub sign_kid: String,
    /// The key to which its shares are backed up: base64url of the compressed point.
    pub kem: String,
}

/// What a custodian registers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustodian {
    /// An active signing key that the caller registered.
    pub sign_kid: String,
    /// A public key of P-256: base64url of the 33 compressed bytes.
    pub kem: String,
    /// The proof that its private half is in the caller's hands: base64url of 64 bytes, bound to the caller's user id.
    pub pok: String,
}

/// A custodian, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustodianView {
    /// The custodian.
    pub id: CustodianId,
    /// Version.
    pub version: i64,
    /// `active`.
    pub state: String,
    /// The person.
    pub user_id: UserId,
    /// The institution.
    pub org_id: OrgId,
    /// The signing key of its messages.
    pub sign_kid: String,
    /// The key to which its shares are backed up.
    pub kem: String,
}

/// A row as the API shows it.
///
/// # Errors
/// When what is stored does not have the form it was written in.
pub fn view(row: &CustodianRow) -> Result<CustodianView> {
    let damaged = |error: crate::kernel::id::InvalidId| Error::damaged(format!("custodian {}: {error}", row.id));
    Ok(CustodianView {
        id: CustodianId::parse(&row.id).map_err(damaged)?,
        version: row.version,
        state: row.state.clone(),
        user_id: UserId::parse(&row.user_id).map_err(damaged)?,
        org_id: OrgId::parse(&row.org_id).map_err(damaged)?,
        sign_kid: row.sign_kid.clone(),
        kem: row.kem.clone(),
    })
}
