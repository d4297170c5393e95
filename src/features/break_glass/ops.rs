//! Use cases of looks before the opening.

use super::model::{self, ASKED, BreakGlassBody, BreakGlassRow, BreakGlassView, NewBreakGlass, OPEN, WITHDRAWN};
use super::queries;
use crate::features::accounts::ops::check_text;
use crate::features::lots::queries as lots;
use crate::features::mandates::model::Matter;
use crate::kernel::id::{BreakGlassId, LookId, OrgId, UserId};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;
use crate::refusals;

/// An inspector asks to see that a lot's sealed entries exist.
///
/// # Errors
/// 404 without such a lot; 403 without a mandate for it; 409 where nothing is sealed any more; 422 without a reason.
pub fn ask(tx: &mut Tx<'_>, user: &UserId, org: &OrgId, new: &NewBreakGlass) -> Result<BreakGlassView> {
    let matter = Matter::read(Some(&new.matter))?;
    check_text("reason", &new.reason, limits::TEXT_LEN)?;
    let (lot, now) = (new.lot_id.as_str(), tx.now());
    queries::check_mandate(tx.conn(), user.as_str(), &matter, lot, now)?;
    lots::lot(tx.conn(), lot)?;
    if !queries::is_sealed(tx.conn(), lot)? {
        return Err(refusals::state_forbids(
            "该标段已开标或已办结,没有密封的记录。",
            "The lot is opened or has ended: nothing of it is sealed any more.",
        )
        .into());
    }
    let body = BreakGlassBody { reason: new.reason.clone(), agreed_by: None, withdrawal: None };
    let row = BreakGlassRow {
        id: BreakGlassId::ordered(now).into_string(),
        version: 0,
        state: ASKED.into(),
        lot_id: lot.to_owned(),
        org_id: org.to_string(),
        user_id: user.to_string(),
        matter: matter.as_str().to_owned(),
        until_at: now.millis() + limits::BREAK_GLASS_ASKED_MS,
        body: text(&body)?,
    };
    let record = said("break_glass.asked", &row).restricted("reason", &new.reason);
    model::view(&tx.insert(row, record)?.0)
}

/// A second inspector of the same body agrees; from now on the first may look.
///
/// # Errors
/// 404; 409 for one's own, and where it is not asked for any more; 403 without a mandate for the lot in the same matter; 422.
pub fn agree(tx: &mut Tx<'_>, user: &UserId, org: &OrgId, id: &str, reason: &str) -> Result<BreakGlassView> {
    check_text("reason", reason, limits::TEXT_LEN)?;
    let (row, now) = (queries::of_body(tx.conn(), id, org.as_str())?, tx.now());
    if row.user_id == user.as_str() {
        return Err(refusals::second_person_needed().into());
    }
    queries::check_mandate(tx.conn(), user.as_str(), &Matter::read(Some(&row.matter))?, &row.lot_id, now)?;
    if row.state != ASKED || now.millis() >= row.until_at || !queries::is_sealed(tx.conn(), &row.lot_id)? {
        return Err(refusals::state_forbids(
            "该申请已同意、已撤回、已过期,或标段已开标。",
            "It was agreed to or withdrawn already, nobody agreed in time, or the lot is opened.",
        )
        .into());
    }
    let body = BreakGlassBody { agreed_by: Some(user.clone()), ..model::body(&row)? };
    let until_at = now.millis() + limits::BREAK_GLASS_OPEN_MS;
    let new = BreakGlassRow { state: OPEN.into(), until_at, body: text(&body)?, ..row.clone() };
    let record = said("break_glass.agreed", &new)
        .public("until", Timestamp::from_millis(until_at))
        .restricted("asked_by", &row.user_id)
        .restricted("reason", reason);
    model::view(&tx.update(&row, new, record)?.0)
}

/// Either of them, or another inspector of their body, takes it back.
///
/// # Errors
/// 404; 409 where it was taken back already; 422 without a reason.
pub fn withdraw(tx: &mut Tx<'_>, org: &OrgId, id: &str, reason: &str) -> Result<BreakGlassView> {
    check_text("reason", reason, limits::TEXT_LEN)?;
    let row = queries::of_body(tx.conn(), id, org.as_str())?;
    if row.state == WITHDRAWN {
        return Err(refusals::state_forbids("该应急查阅已撤回。", "It was withdrawn already.").into());
    }
    let body = BreakGlassBody { withdrawal: Some(reason.to_owned()), ..model::body(&row)? };
    let new = BreakGlassRow { state: WITHDRAWN.into(), body: text(&body)?, ..row.clone() };
    let record = said("break_glass.withdrawn", &new).restricted("reason", reason);
    model::view(&tx.update(&row, new, record)?.0)
}

/// Puts a look on record, before anything is shown. It stands for all of its pages: their number would tell how many
/// entries there are.
///
/// # Errors
/// Those of [`queries::in_force`].
pub fn look(tx: &mut Tx<'_>, user: &UserId, org: &OrgId, id: &str) -> Result<()> {
    let now = tx.now();
    let row = queries::in_force(tx.conn(), id, org.as_str(), user.as_str(), now)?;
    let record = said("break_glass.looked", &row).public("break_glass", id);
    tx.note(LookId::ordered(now).as_str(), record).map(drop)
}

/// What every entry says: the lot in the open, whom an inspector is after in the restricted part.
fn said(kind: &'static str, row: &BreakGlassRow) -> Record {
    Record::new(kind).lot(&row.lot_id).restricted("matter", &row.matter)
}

fn text(body: &BreakGlassBody) -> Result<String> {
    serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))
}
