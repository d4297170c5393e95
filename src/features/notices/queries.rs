//! Every read of notices, and who is to be told.

use diesel::prelude::*;

use super::model::{Notice, NoticeRow};
use crate::db::Conn;
use crate::db::schema::{bids, followers, notices, organisations, users};
use crate::kernel::id::{LotId, NoticeId};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};

/// The notices of a lot, oldest first.
///
/// # Errors
/// The database's.
pub fn of_lot(conn: &mut Conn, lot_id: &str) -> Result<Vec<Notice>> {
    let rows: Vec<NoticeRow> = notices::table
        .filter(notices::lot_id.eq(lot_id))
        .order((notices::published_at.asc(), notices::id.asc()))
        .limit(1_000)
        .select(NoticeRow::as_select())
        .load(conn)?;
    rows.iter().map(view).collect()
}

/// Notices of all lots, newest first, after (published_at, id).
///
/// # Errors
/// The database's.
pub fn newest(conn: &mut Conn, kind: Option<&str>, after: Option<(i64, String)>, limit: i64) -> Result<Vec<Notice>> {
    let mut query = notices::table
        .select(NoticeRow::as_select())
        .order((notices::published_at.desc(), notices::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(kind) = kind {
        query = query.filter(notices::kind.eq(kind.to_owned()));
    }
    if let Some(place) = after {
        query = crate::beyond!(query, notices::published_at, notices::id, place, older);
    }
    query.load(conn)?.iter().map(view).collect()
}

fn view(row: &NoticeRow) -> Result<Notice> {
    let damaged = |what: String| Error::damaged(format!("notice {}: {what}", row.id));
    Ok(Notice {
        id: NoticeId::parse(&row.id).map_err(|error| damaged(error.to_string()))?,
        lot_id: LotId::parse(&row.lot_id).map_err(|error| damaged(error.to_string()))?,
        kind: row.kind.clone(),
        published_at: Timestamp::from_millis(row.published_at),
        content_sha256: row.content_sha256.clone(),
        content: serde_json::from_str(&row.body).map_err(|error| damaged(error.to_string()))?,
    })
}

/// The organisations that fetched the documents of a lot or have a bid in its box, each once. Secret before the opening.
///
/// # Errors
/// The database's.
pub fn holders(conn: &mut Conn, lot_id: &str) -> Result<Vec<String>> {
    let mut orgs: Vec<String> =
        followers::table.filter(followers::lot_id.eq(lot_id)).select(followers::org_id).load(conn)?;
    orgs.extend(bidders(conn, lot_id)?);
    orgs.sort_unstable();
    orgs.dedup();
    Ok(orgs)
}

/// The organisations that have, or had, a bid in the box of a lot.
///
/// # Errors
/// The database's.
pub fn bidders(conn: &mut Conn, lot_id: &str) -> Result<Vec<String>> {
    Ok(bids::table
        .filter(bids::lot_id.eq(lot_id))
        .filter(bids::kind.eq("bid"))
        .order(bids::org_id.asc())
        .select(bids::org_id)
        .load(conn)?)
}

/// The contact addresses of organisations, with their ids.
///
/// # Errors
/// The database's.
pub fn contacts(conn: &mut Conn, orgs: &[String]) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for chunk in orgs.chunks(500) {
        let rows: Vec<(String, String)> = organisations::table
            .filter(organisations::id.eq_any(chunk.to_vec()))
            .select((organisations::id, organisations::body))
            .load(conn)?;
        for (id, body) in rows {
            let body: crate::features::accounts::model::OrganisationBody =
                serde_json::from_str(&body).map_err(|error| Error::damaged(format!("organisation {id}: {error}")))?;
            found.push((id, body.email));
        }
    }
    Ok(found)
}

/// The organisations of the centre's staff.
///
/// # Errors
/// The database's.
pub fn centre_orgs(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(users::table
        .filter(users::roles.like("%centre%"))
        .filter(users::state.eq("active"))
        .select(users::org_id)
        .distinct()
        .load(conn)?)
}
