//! Every read of questions. Who may see one is part of the question to the database.

use diesel::prelude::*;

use super::model::{ANSWERED, OPEN, QuestionBody, QuestionKind, QuestionRow};
use crate::db::Conn;
use crate::db::schema::questions;
use crate::ledger::{Error, Result};

/// Who looks at the questions of a lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The lot's initiator: sees all of them, without askers.
    Initiator,
    /// Another organisation: sees what is answered, and its own.
    Org(String),
    /// Anybody: sees what is answered.
    Public,
}

/// A question.
///
/// # Errors
/// The database's.
pub fn question(conn: &mut Conn, id: &str) -> Result<Option<QuestionRow>> {
    Ok(questions::table.find(id).select(QuestionRow::as_select()).first(conn).optional()?)
}

/// The questions of a lot that a viewer may see, oldest first, after `after`.
///
/// # Errors
/// The database's.
pub fn of_lot(
    conn: &mut Conn,
    lot_id: &str,
    viewer: &Viewer,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<QuestionRow>> {
    let mut query = questions::table
        .filter(questions::lot_id.eq(lot_id.to_owned()))
        .select(QuestionRow::as_select())
        .order(questions::id.asc())
        .limit(limit)
        .into_boxed();
    match viewer {
        Viewer::Initiator => {}
        Viewer::Org(org) => query = query.filter(questions::state.eq(ANSWERED).or(questions::org_id.eq(org.clone()))),
        Viewer::Public => query = query.filter(questions::state.eq(ANSWERED)),
    }
    if let Some(after) = after {
        query = query.filter(questions::id.gt(after.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// How many questions an organisation has asked on a lot.
///
/// # Errors
/// The database's.
pub fn asked(conn: &mut Conn, lot_id: &str, org_id: &str) -> Result<i64> {
    Ok(questions::table
        .filter(questions::lot_id.eq(lot_id))
        .filter(questions::org_id.eq(org_id))
        .count()
        .get_result(conn)?)
}

/// How many objections to the documents of a lot wait for their answer.
///
/// # Errors
/// The database's.
pub fn open_objections(conn: &mut Conn, lot_id: &str) -> Result<i64> {
    Ok(questions::table
        .filter(questions::lot_id.eq(lot_id))
        .filter(questions::kind.eq(QuestionKind::Objection.name()))
        .filter(questions::state.eq(OPEN))
        .count()
        .get_result(conn)?)
}

/// What else is stored of a question.
///
/// # Errors
/// When it cannot be read.
pub fn body(row: &QuestionRow) -> Result<QuestionBody> {
    serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("question {}: {error}", row.id)))
}
