//! Every read of projects.

use diesel::prelude::*;

use super::model::ProjectRow;
use crate::db::Conn;
use crate::db::schema::projects;
use crate::ledger::Result;

/// A project.
///
/// # Errors
/// The database's.
pub fn project(conn: &mut Conn, id: &str) -> Result<Option<ProjectRow>> {
    Ok(projects::table.find(id).select(ProjectRow::as_select()).first(conn).optional()?)
}

/// Whether an organisation has a project of that code.
///
/// # Errors
/// The database's.
pub fn has_code(conn: &mut Conn, org_id: &str, code: &str) -> Result<bool> {
    let found: i64 =
        projects::table.filter(projects::org_id.eq(org_id)).filter(projects::code.eq(code)).count().get_result(conn)?;
    Ok(found > 0)
}

/// Projects in order of registration, after `after`; of one organisation or of all.
///
/// # Errors
/// The database's.
pub fn projects(conn: &mut Conn, org_id: Option<&str>, after: Option<&str>, limit: i64) -> Result<Vec<ProjectRow>> {
    let mut query = projects::table.select(ProjectRow::as_select()).order(projects::id.asc()).limit(limit).into_boxed();
    if let Some(org) = org_id {
        query = query.filter(projects::org_id.eq(org.to_owned()));
    }
    if let Some(after) = after {
        query = query.filter(projects::id.gt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}
