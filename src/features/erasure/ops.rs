//! Use cases of erasure.

use super::model::{self, DONE, ErasureBody, ErasureRow, ErasureView, NewErasure, STANDING};
use super::{changes, purge, queries};
use crate::app::App;
use crate::features::accounts::ops::check_text;
use crate::features::accounts::queries as accounts;
use crate::features::inspection::search::ops as search;
use crate::kernel::id::ErasureId;
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;
use crate::refusals;

/// The kind under which it is on record that personal parts went.
const ERASED: &str = "personal.erased";

/// Erases what may go now, and stands for what is evidence still.
///
/// # Errors
/// 404 without such an entry; 409 where its lot is not settled; 422 where its words or its subject do not fit.
pub fn erase(tx: &mut Tx<'_>, new: &NewErasure) -> Result<ErasureView> {
    check_text("reason", &new.reason, limits::TEXT_LEN)?;
    let now = tx.now().millis();
    let (subject_id, state) = match (&new.user_id, &new.entry_id) {
        (Some(user), None) => {
            if accounts::user(tx.conn(), user.as_str())?.is_none() {
                return Err(refusals::body_invalid("user_id: there is no such user").into());
            }
            take(tx, user.as_str(), now)?;
            (user.to_string(), STANDING)
        }
        (None, Some(entry)) => {
            let row = queries::visible_entry(tx.conn(), entry.as_str())?.ok_or_else(refusals::not_found)?;
            if let Some(lot) = &row.lot_id
                && !queries::is_settled(tx.conn(), lot)?
            {
                return Err(refusals::evidence_needed().into());
            }
            tx.beside(|conn| changes::erase(conn, &[row.entry_id]))?;
            (entry.to_string(), DONE)
        }
        _ => return Err(refusals::body_invalid("either user_id or entry_id").into()),
    };
    let body = serde_json::to_string(&ErasureBody { reason: new.reason.clone() })
        .map_err(|error| Error::internal(error.to_string()))?;
    let id = ErasureId::ordered(tx.now()).into_string();
    let record = Record::new(ERASED).restricted("subject", &subject_id).restricted("reason", &new.reason);
    let row = ErasureRow { id, version: 0, state: state.into(), subject_id, before_at: now, body };
    model::view(&tx.insert(row, record)?.0)
}

/// Takes away what may go of a user by now, up to a batch; says whether there was anything.
fn take(tx: &mut Tx<'_>, user_id: &str, before_at: i64) -> Result<bool> {
    let ids = queries::erasable(tx.conn(), user_id, before_at)?;
    if !ids.is_empty() {
        tx.beside(|conn| changes::erase(conn, &ids))?;
    }
    let Some(user) = accounts::user(tx.conn(), user_id)? else { return Ok(!ids.is_empty()) };
    let address = accounts::user_body(&user)?.email;
    let mails = queries::sent_mails(tx.conn(), &address, before_at)?;
    if !mails.is_empty() {
        tx.beside(|conn| changes::empty_mails(conn, &mails))?;
    }
    Ok(!ids.is_empty() || !mails.is_empty())
}

/// Goes on with an erasure that stands; says whether anything changed.
///
/// # Errors
/// The database's.
pub fn go_on(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let Some(row) = queries::erasure(tx.conn(), id)?.filter(|row| row.state == STANDING) else { return Ok(false) };
    // Asked first: what a lot that is settled meanwhile leaves is for the next round, which comes.
    let waits = queries::is_any_open(tx.conn(), row.before_at)?;
    if take(tx, &row.subject_id, row.before_at)? {
        tx.update(&row, row.clone(), Record::new(ERASED))?;
        return Ok(true);
    }
    if waits {
        return Ok(false);
    }
    let done = ErasureRow { state: DONE.into(), ..row.clone() };
    tx.update(&row, done, Record::new("personal.erasure_ended"))?;
    Ok(true)
}

/// Goes on with every erasure that stands, and lets what was erased leave SQLite's write-ahead log. Returns how many
/// steps it took.
///
/// # Errors
/// The database's; what is left is taken up by the next round.
pub async fn round(app: &App) -> Result<u32> {
    if !app.reader.ask(queries::is_any).await? {
        return Ok(0);
    }
    search::catch_up(app).await?;
    let (mut done, mut after) = (0, String::new());
    loop {
        let page = app.reader.read(move |conn| queries::standing(conn, &after)).await?;
        let Some(last) = page.last().cloned() else { break };
        for id in page {
            let work = move |tx: &mut Tx<'_>| go_on(tx, &id);
            done += u32::from(app.ledger.commit_beside(app.system("erasure"), work).await?);
        }
        after = last;
    }
    purge::empty_log(app).await?;
    Ok(done)
}
