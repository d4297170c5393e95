//! Notices as stored and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::notices;
use crate::kernel::id::{LotId, NoticeId};
use crate::kernel::time::Timestamp;

/// A row of `notices`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = notices, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct NoticeRow {
    /// The notice.
    pub id: String,
    /// Always 1.
    pub version: i64,
    /// Its lot.
    pub lot_id: String,
    /// `invitation`, `clarification`, `extension`, …
    pub kind: String,
    /// When, epoch milliseconds.
    pub published_at: i64,
    /// SHA-256 of the body as stored.
    pub content_sha256: String,
    /// The content, canonical JSON.
    pub body: String,
}

/// A notice, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// The notice.
    pub id: NoticeId,
    /// Its lot.
    pub lot_id: LotId,
    /// What it tells of.
    pub kind: String,
    /// When it was published.
    pub published_at: Timestamp,
    /// SHA-256 of the content in its canonical form (RFC 8785).
    pub content_sha256: String,
    /// The content.
    #[schema(value_type = Object)]
    pub content: serde_json::Value,
}
