//! Projects: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::projects;
use crate::kernel::id::{OrgId, ProjectId};
use crate::kernel::time::Timestamp;

/// The only state of a project so far.
pub const REGISTERED: &str = "registered";

/// A row of `projects`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = projects, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ProjectRow {
    /// The project.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `registered`.
    pub state: String,
    /// The initiator.
    pub org_id: String,
    /// The initiator's own code, unique within the organisation.
    pub code: String,
    /// Name.
    pub name: String,
    /// [`ProjectBody`].
    pub body: String,
}

/// What else is stored of a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectBody {
    /// What it is about.
    pub description: String,
    /// Number of the approval.
    pub approval_number: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Where it is carried out.
    pub place: Option<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
}

/// A new project.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// Your own code, unique within your organisation: 1 to 64 characters of letters, digits, `-`, `_`, `.` and `/`.
    #[schema(example = "E3301000001-2026")]
    pub code: String,
    /// Name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Number of the approval of the project, decision or supply plan.
    #[serde(default)]
    pub approval_number: Option<String>,
    /// The authority that approved it.
    #[serde(default)]
    pub approved_by: Option<String>,
    /// Where it is carried out.
    #[serde(default)]
    pub place: Option<String>,
}

/// A project, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Project {
    /// The project.
    pub id: ProjectId,
    /// The initiator.
    pub initiator_id: OrgId,
    /// The initiator's own code.
    pub code: String,
    /// Name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Number of the approval.
    pub approval_number: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Where it is carried out.
    pub place: Option<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
}
