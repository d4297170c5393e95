//! Documents: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::{documents, followers};
use crate::kernel::digest::Digest;
use crate::kernel::id::{DocumentId, LotId, UploadId};

/// The only state of a document so far.
pub const ATTACHED: &str = "attached";

/// A row of `documents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = documents, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct DocumentRow {
    /// The document.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `attached`.
    pub state: String,
    /// Its lot.
    pub lot_id: String,
    /// File name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size_bytes: i64,
    /// SHA-256 of the whole, hex.
    pub sha256: String,
    /// Where its bytes are.
    pub upload_id: String,
}

/// A row of `followers`: an organisation that fetched documents of a lot. Secret before the opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = followers, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct FollowerRow {
    /// The row.
    pub id: String,
    /// Version.
    pub version: i64,
    /// The lot.
    pub lot_id: String,
    /// The organisation.
    pub org_id: String,
    /// When it first fetched one, epoch milliseconds.
    pub at_ms: i64,
}

/// A new document of a lot.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDocument {
    /// A complete upload of yours to this lot, of purpose `document`.
    pub upload_id: UploadId,
    /// File name, without a path: 1 to 200 characters.
    #[schema(example = "招标文件.pdf")]
    pub name: String,
    /// Media type.
    #[schema(example = "application/pdf")]
    pub media_type: String,
}

/// A document, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Document {
    /// The document.
    pub id: DocumentId,
    /// Its lot.
    pub lot_id: LotId,
    /// File name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 of the whole, hex.
    #[schema(value_type = String)]
    pub sha256: Digest,
}
