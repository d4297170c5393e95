//! Use cases of projects.

use super::model::{NewProject, Project, ProjectBody, ProjectRow, REGISTERED};
use super::queries;
use crate::db::Conn;
use crate::features::accounts;
use crate::features::accounts::model::CONFIRMED;
use crate::features::accounts::ops::check_text;
use crate::kernel::id::{OrgId, ProjectId};
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;
use crate::refusals;

/// Checks that the centre has confirmed an organisation: only then may it start procedures or bid.
///
/// # Errors
/// 409.
pub fn require_confirmed(conn: &mut Conn, org: &OrgId) -> Result<()> {
    match accounts::queries::organisation(conn, org.as_str())? {
        Some(row) if row.state == CONFIRMED => Ok(()),
        _ => Err(refusals::organisation_not_confirmed().into()),
    }
}

/// Checks what an initiator says of a new project.
///
/// # Errors
/// 422 naming the field.
pub fn check(new: &NewProject) -> Result<()> {
    let allowed = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    if !(1..=limits::CODE_LEN).contains(&new.code.chars().count()) || !new.code.chars().all(allowed) {
        return Err(refusals::body_invalid("code: 1 to 64 characters of letters, digits, `-`, `_`, `.` and `/`").into());
    }
    check_text("name", &new.name, limits::NAME_LEN)?;
    check_text("description", &new.description, limits::TEXT_LEN)?;
    for (field, text) in
        [("approval_number", &new.approval_number), ("approved_by", &new.approved_by), ("place", &new.place)]
    {
        if let Some(text) = text {
            check_text(field, text, limits::NAME_LEN)?;
        }
    }
    Ok(())
}

/// Registers a project.
///
/// # Errors
/// 409 when the organisation is not confirmed, or has a project of that code.
pub fn register(tx: &mut Tx<'_>, org: &OrgId, new: &NewProject) -> Result<Project> {
    require_confirmed(tx.conn(), org)?;
    if queries::has_code(tx.conn(), org.as_str(), &new.code)? {
        return Err(refusals::taken("该项目编号", "This code").into());
    }
    let body = ProjectBody {
        description: new.description.clone(),
        approval_number: new.approval_number.clone(),
        approved_by: new.approved_by.clone(),
        place: new.place.clone(),
        registered_at: tx.now(),
    };
    let row = ProjectRow {
        id: ProjectId::ordered(tx.now()).into_string(),
        version: 0,
        state: REGISTERED.into(),
        org_id: org.to_string(),
        code: new.code.clone(),
        name: new.name.clone(),
        body: serde_json::to_string(&body).map_err(|error| Error::internal(error.to_string()))?,
    };
    let record = Record::new("project.registered").project(row.id.clone()).restricted("code", &row.code);
    view(&tx.insert(row, record)?.0)
}

/// A project as the API shows it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn view(row: &ProjectRow) -> Result<Project> {
    let damaged = |error: &dyn std::fmt::Display| Error::damaged(format!("project {}: {error}", row.id));
    let body: ProjectBody = serde_json::from_str(&row.body).map_err(|error| damaged(&error))?;
    Ok(Project {
        id: ProjectId::parse(&row.id).map_err(|error| damaged(&error))?,
        initiator_id: OrgId::parse(&row.org_id).map_err(|error| damaged(&error))?,
        code: row.code.clone(),
        name: row.name.clone(),
        description: body.description,
        approval_number: body.approval_number,
        approved_by: body.approved_by,
        place: body.place,
        registered_at: body.registered_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(code: &str, description: &str) -> NewProject {
        NewProject {
            code: code.into(),
            name: "城东小学".into(),
            description: description.into(),
            approval_number: None,
            approved_by: None,
            place: None,
        }
    }

    #[test]
    fn a_code_of_letters_digits_and_a_few_signs_is_accepted() {
        for code in ["E3301000001-2026", "杭发改/2026.1", "a"] {
            assert!(check(&project(code, "x")).is_ok(), "{code}");
        }
    }

    #[test]
    fn a_code_that_is_empty_too_long_or_has_spaces_is_refused() {
        let long = "x".repeat(limits::CODE_LEN + 1);
        for code in ["", " ", "a b", "a\n", long.as_str()] {
            assert!(check(&project(code, "x")).is_err(), "{code:?}");
        }
        assert!(check(&project("a", " ")).is_err(), "a description says something");
    }
}
