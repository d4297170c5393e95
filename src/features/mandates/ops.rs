//! Use cases of mandates.

use super::model::{self, ACTIVE, ENDED, MandateBody, MandateRow, MandateView, Matter, NewMandate, Reach};
use super::queries;
use crate::features::accounts::model::{ACTIVE as USER_ACTIVE, roles_of};
use crate::features::accounts::ops::check_text;
use crate::features::accounts::queries as accounts;
use crate::features::lots::queries as lots;
use crate::kernel::id::{MandateId, UserId};
use crate::kernel::role::Role;
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;
use crate::refusals;

/// Grants an inspector a mandate.
///
/// # Errors
/// 422 where its words, its time, its inspector or its lots do not fit; 409 for a mandate to oneself, or too many.
pub fn grant(tx: &mut Tx<'_>, new: &NewMandate) -> Result<MandateView> {
    let granted_by = tx.context().actor_id.as_deref().and_then(|id| UserId::parse(id).ok());
    if granted_by.as_ref() == Some(&new.user_id) {
        return Err(refusals::mandate_for_oneself().into());
    }
    let matter = Matter::read(Some(&new.matter))?;
    check_text("reason", &new.reason, limits::TEXT_LEN)?;
    let from = new.from.unwrap_or(tx.now());
    let longest = limits::MANDATE_DAYS * 24 * 60 * 60 * 1000;
    if new.until <= from || new.until <= tx.now() || new.until.millis() - from.millis() > longest {
        let bound = format!("until: after now and `from`, and at most {} days after `from`", limits::MANDATE_DAYS);
        return Err(refusals::body_invalid(&bound).into());
    }
    check_inspector(tx, &new.user_id)?;
    check_lots(tx, new)?;
    let now = tx.now();
    if queries::count(tx.conn(), new.user_id.as_str(), &matter, now)? >= limits::MANDATES_PER_MATTER {
        return Err(refusals::too_many_mandates().into());
    }
    let body = MandateBody {
        reach: new.reach,
        lots: new.lots.clone(),
        reason: new.reason.clone(),
        granted_by,
        end_reason: None,
    };
    let row = MandateRow {
        id: MandateId::ordered(tx.now()).into_string(),
        version: 0,
        state: ACTIVE.into(),
        user_id: new.user_id.to_string(),
        matter: matter.as_str().to_owned(),
        from_at: from.millis(),
        until_at: new.until.millis(),
        body: text(&body)?,
    };
    let record = said(Record::new("mandate.granted"), &row, &body).restricted("reason", &new.reason);
    model::view(&tx.insert(row, record)?.0)
}

/// What both entries of a mandate say. All of it is restricted: published, it would tell whom an inspector is after.
fn said(record: Record, row: &MandateRow, body: &MandateBody) -> Record {
    record
        .restricted("user", &row.user_id)
        .restricted("matter", &row.matter)
        .restricted("reach", body.reach)
        .restricted("lots", &body.lots)
        .restricted("from", crate::kernel::time::Timestamp::from_millis(row.from_at))
        .restricted("until", crate::kernel::time::Timestamp::from_millis(row.until_at))
}

fn check_inspector(tx: &mut Tx<'_>, user: &UserId) -> Result<()> {
    let known = accounts::user(tx.conn(), user.as_str())?
        .is_some_and(|user| user.state == USER_ACTIVE && roles_of(&user.roles).contains(&Role::Inspector));
    if known { Ok(()) } else { Err(refusals::body_invalid("user_id: an active user with the role inspector").into()) }
}

fn check_lots(tx: &mut Tx<'_>, new: &NewMandate) -> Result<()> {
    let fits = match new.reach {
        Reach::All => new.lots.is_empty(),
        Reach::Lots => (1..=limits::MANDATE_LOTS).contains(&new.lots.len()),
    };
    if !fits {
        let bound = format!("lots: 1 to {} with reach `lots`, none with reach `all`", limits::MANDATE_LOTS);
        return Err(refusals::body_invalid(&bound).into());
    }
    for lot in &new.lots {
        match lots::lot(tx.conn(), lot.as_str()) {
            Err(Error::Refused(_)) => return Err(refusals::body_invalid(&format!("lots: there is no {lot}")).into()),
            found => found.map(drop)?,
        }
    }
    Ok(())
}

/// Ends a mandate before its time.
///
/// # Errors
/// 404; 409 when it was ended already; 422 without a reason.
pub fn end(tx: &mut Tx<'_>, id: &str, reason: &str) -> Result<MandateView> {
    check_text("reason", reason, limits::TEXT_LEN)?;
    let row = queries::mandate(tx.conn(), id)?.ok_or_else(refusals::not_found)?;
    if row.state != ACTIVE {
        return Err(refusals::state_forbids("该授权已终止。", "This mandate was ended already.").into());
    }
    let body = MandateBody { end_reason: Some(reason.to_owned()), ..model::body(&row)? };
    let new = MandateRow { state: ENDED.into(), body: text(&body)?, ..row.clone() };
    let record = said(Record::new("mandate.ended"), &row, &body).restricted("reason", reason);
    model::view(&tx.update(&row, new, record)?.0)
}

fn text(body: &MandateBody) -> Result<String> {
    serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))
}
