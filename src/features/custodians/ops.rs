//! Use cases of custodians.

use super::model::{self, ACTIVE, CustodianRow, CustodianView, NewCustodian};
use super::queries;
use crate::features::accounts::signing_keys;
use crate::kernel::id::{CustodianId, OrgId, UserId};
use crate::ledger::{Record, Result, Tx};
use crate::refusals;
use crate::seal::ceremony::prove_kem;
use crate::seal::points::Point;

/// Registers the caller as a custodian, or its new keys: ceremonies that are being held go on with the old ones.
///
/// # Errors
/// 422 where a key is not the caller's or its proof does not hold.
pub fn register(tx: &mut Tx<'_>, user: &UserId, org: &OrgId, new: &NewCustodian) -> Result<CustodianView> {
    let keys = signing_keys::active_keys(tx.conn(), org, std::slice::from_ref(&new.sign_kid))?;
    if keys.iter().all(Option::is_none) {
        return Err(refusals::key_not_active().into());
    }
    let kem = Point::from_text(&new.kem, "kem").map_err(|error| refusals::key_proof_invalid(error.reason()))?;
    prove_kem::check(&kem, user.as_str(), &new.pok).map_err(|error| refusals::key_proof_invalid(error.reason()))?;
    let before = queries::of_user(tx.conn(), user.as_str())?;
    let known = |row: &&CustodianRow| row.sign_kid == new.sign_kid && row.kem == new.kem;
    if let Some(row) = before.as_ref().filter(known) {
        return model::view(row);
    }
    let row = CustodianRow {
        id: before.as_ref().map_or_else(|| CustodianId::ordered(tx.now()).into_string(), |row| row.id.clone()),
        version: before.as_ref().map_or(0, |row| row.version),
        state: ACTIVE.into(),
        user_id: user.to_string(),
        org_id: org.to_string(),
        sign_kid: new.sign_kid.clone(),
        kem: new.kem.clone(),
    };
    let record = Record::new("custodian.registered").public("sign_kid", &row.sign_kid).public("kem", &row.kem);
    let (row, _) = match &before {
        Some(before) => tx.update(before, row, record)?,
        None => tx.insert(row, record)?,
    };
    model::view(&row)
}
