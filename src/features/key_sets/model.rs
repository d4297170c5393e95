//! Key sets as stored and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::key_sets;

/// May be sealed to and, once the lot opens, opened with.
pub const ACTIVE: &str = "active";
/// The private half is gone for good.
pub const ERASED: &str = "erased";

/// A row of `key_sets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = key_sets, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct KeySetRow {
    /// The key set.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `active`, `erased`.
    pub state: String,
    /// Key id, derived from the key and what it is for.
    pub kid: String,
    /// Its lot.
    pub lot_id: String,
    /// The signed key set, as a flattened JWS.
    pub body: String,
}

/// A key set, as the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeySetView {
    /// Key id.
    pub kid: String,
    /// `active`, or `erased` when the lot ended and nothing sealed to it can be opened any more.
    pub state: String,
    /// A JWS of typ `sealbid-keyset+jws` by the platform's promise key.
    #[schema(value_type = Object)]
    pub key_set: serde_json::Value,
    /// Key mode: `platform`.
    pub mode: String,
    /// What this mode protects against, and what not.
    pub protects: crate::kernel::text::Bilingual,
}
