//! Every read of key sets.

use diesel::prelude::*;

use super::model::{KeySetRow, Seals};
use crate::db::Conn;
use crate::db::schema::{key_secrets, key_sets};
use crate::features::lots;
use crate::features::lots::model::Lot;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};
use crate::refusals;
use crate::rules::envelopes::Round;
use crate::rules::facts::KeyMode;
use crate::seal::keyset::{KeySet, SignedKeySet};

/// The key sets of a lot, by their rounds.
///
/// # Errors
/// The database's.
pub fn of_lot(conn: &mut Conn, lot_id: &str) -> Result<Vec<KeySetRow>> {
    let of_lot = key_sets::table.filter(key_sets::lot_id.eq(lot_id));
    Ok(of_lot.order(key_sets::round.asc()).select(KeySetRow::as_select()).load(conn)?)
}

/// The key set of one round of a lot.
///
/// # Errors
/// The database's.
pub fn of_round(conn: &mut Conn, lot_id: &str, round: Round) -> Result<Option<KeySetRow>> {
    Ok(of_lot(conn, lot_id)?.into_iter().find(|row| row.round == round.number()))
}

/// The round that a key set is made for.
///
/// # Errors
/// When what is stored cannot be read.
pub fn round(row: &KeySetRow) -> Result<Round> {
    Round::of_number(row.round).ok_or_else(|| Error::damaged(format!("key set {}: round {}", row.id, row.round)))
}

/// The wrapped private key, unless it was erased.
///
/// # Errors
/// The database's.
pub fn secret(conn: &mut Conn, kid: &str) -> Result<Option<Vec<u8>>> {
    Ok(key_secrets::table.find(kid).select(key_secrets::wrapped).first(conn).optional()?)
}

/// The key ids of all wrapped private keys.
///
/// # Errors
/// The database's.
pub fn secret_kids(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(key_secrets::table.select(key_secrets::kid).order(key_secrets::kid.asc()).load(conn)?)
}

/// What a row's signed key set says.
///
/// # Errors
/// When what is stored cannot be read.
pub fn parsed(row: &KeySetRow) -> Result<KeySet> {
    let damaged = |what: &str| Error::damaged(format!("key set {}: {what}", row.id));
    let signed = SignedKeySet::parse(row.body.as_bytes()).map_err(|error| damaged(error.reason()))?;
    KeySet::from_bytes(signed.jws().payload()).map_err(|error| damaged(error.reason()))
}

/// The moment before which a row's key set is not used.
///
/// # Errors
/// When what is stored cannot be read.
pub fn opens_not_before(row: &KeySetRow) -> Result<Timestamp> {
    let text = parsed(row)?.opens_not_before;
    text.as_str().parse().map_err(|_| Error::damaged(format!("key set {}: opens_not_before", row.id)))
}

/// What bids of a lot are sealed to, from its notice on.
///
/// # Errors
/// 404 before.
pub fn seals(conn: &mut Conn, lot: &Lot) -> Result<Seals> {
    let mode = lot.body.terms.key_mode;
    let mut rows = of_lot(conn, &lot.row.id)?;
    let rounds: Vec<i64> = lot.body.terms.shared_rounds().into_iter().map(Round::number).collect();
    rows.retain(|row| rounds.contains(&row.round));
    if !lots::queries::is_public(lot.state) || (rows.is_empty() && mode != KeyMode::Bidder) {
        return Err(refusals::not_found().into());
    }
    let shared = rows.iter().map(|row| Ok((round(row)?, parsed(row)?))).collect::<Result<_>>()?;
    let envelopes = lot.body.terms.envelopes;
    Ok(Seals { mode, tender: lot.row.project_id.clone(), lot: lot.row.id.clone(), envelopes, shared })
}

/// The lot of a key set.
///
/// # Errors
/// The database's.
pub fn lot_of(conn: &mut Conn, kid: &str) -> Result<String> {
    Ok(key_sets::table.filter(key_sets::kid.eq(kid)).select(key_sets::lot_id).first(conn)?)
}
