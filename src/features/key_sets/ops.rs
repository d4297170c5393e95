//! Use cases of key sets: made with the notice, unlocked for an opening, erased where nothing will open.

use super::changes;
use super::model::{ACTIVE, ERASED, KeySetRow, RETIRED};
use super::queries;
use crate::db::Conn;
use crate::features::lots::model::Lot;
use crate::kernel::digest::sha256;
use crate::kernel::id::{KeySetId, gathering};
use crate::kernel::secret::Secret;
use crate::keys::Keys;
use crate::ledger::{Error, Record, Result, Tx};
use crate::rules::envelopes::Round;
use crate::rules::opening::OpeningPermit;
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keyset::{KeySet, KeySetKind, KeySetSubject, KeyShare};

/// Makes the key set of a lot that is being published. Bids are bound to the lot, its project and the planned opening.
///
/// # Errors
/// Internal ones only.
pub fn create(tx: &mut Tx<'_>, keys: &Keys, lot: &Lot) -> Result<()> {
    let internal = |what: &str| Error::internal(format!("key set: {what}"));
    let schedule = &lot.body.schedule;
    let opens = schedule.opens_at.or(schedule.deadline_at).ok_or_else(|| internal("no opening"))?;
    let ident = |text: &str| Ident::parse(text, "id").map_err(|error| internal(error.reason()));
    for round in lot.body.terms.envelopes.rounds() {
        let key = KeyShare::generate(
            KeySetKind::Platform,
            KeySetSubject {
                tender: ident(&lot.row.project_id)?,
                group: ident(&round.group(&lot.row.id))?,
                opens_not_before: UtcMillis::parse(opens.to_string(), "opens_not_before")
                    .map_err(|error| internal(error.reason()))?,
                profile: lot.body.terms.profile.into(),
            },
        )
        .map_err(|_| internal("no random numbers"))?;
        let kid = key.key_set().kid.to_string();
        let wrapped = keys
            .wrap(key.private_bytes().expose(), &about(&kid, &lot.row.id))
            .map_err(|error| internal(&error.to_string()))?;
        publish(tx, keys, lot, key.key_set())?;
        tx.beside(|conn| changes::store_secret(conn, &kid, &wrapped))?;
    }
    Ok(())
}

/// Publishes the key set of a lot under the platform's signature, and returns what was signed.
///
/// # Errors
/// Internal ones only.
pub fn publish(tx: &mut Tx<'_>, keys: &Keys, lot: &Lot, key_set: &KeySet) -> Result<serde_json::Value> {
    let internal = |what: &str| Error::internal(format!("key set: {what}"));
    let signed = key_set.sign(&keys.promise).map_err(|_| internal("no random numbers"))?;
    let kid = key_set.kid.to_string();
    let round = round_of(lot, key_set).ok_or_else(|| internal("of no round of this lot"))?;
    let body = signed.jws().to_json();
    let value = serde_json::from_str(&body).map_err(|error| internal(&error.to_string()))?;
    let row = KeySetRow {
        id: KeySetId::ordered(tx.now()).into_string(),
        version: 0,
        state: ACTIVE.into(),
        kid: kid.clone(),
        lot_id: lot.row.id.clone(),
        round: round.number(),
        body,
    };
    let record = Record::new("key_set.created")
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .public("kid", &kid)
        .public("kind", key_set.kind)
        .public("digest", sha256(&key_set.to_bytes()));
    tx.insert(row, record)?;
    Ok(value)
}

/// The round of a lot whose group a key set is made for.
pub fn round_of(lot: &Lot, key_set: &KeySet) -> Option<Round> {
    let round = Round::of_group(&lot.row.id, key_set.group.as_str())?;
    lot.body.terms.shared_rounds().contains(&round).then_some(round)
}

/// What a wrapped private key is for: it does not open as anything else.
fn about(kid: &str, lot_id: &str) -> String {
    format!("sealbid/1 key set {kid} of {lot_id}")
}

/// Puts on record that a process is about to use the private key of a lot for a purpose: once for each process. Comes
/// before [`unlock`]: a use that cannot be recorded does not happen.
///
/// # Errors
/// The rules' refusal when the lot is not being opened; damage.
pub fn used(tx: &mut Tx<'_>, lot: &Lot, instance: &str, purpose: &str) -> Result<()> {
    OpeningPermit::grant(lot.state)?;
    let row = queries::of_round(tx.conn(), &lot.row.id, lot.body.round)?
        .ok_or_else(|| Error::damaged(format!("key set of {}: missing", lot.row.id)))?;
    let record = Record::new("key.used")
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .public("kid", &row.kid)
        .public("purpose", purpose)
        .public("instance", instance);
    tx.note_in(&gathering("kus", &[&row.kid, instance, purpose]), 1, record).map(drop)
}

/// The private key of a lot that is being opened.
///
/// # Errors
/// Damage, or a key-encryption key that does not fit.
pub fn unlock(conn: &mut Conn, _permit: &OpeningPermit, keys: &Keys, lot: &Lot) -> Result<KeyShare> {
    let lot_id = &lot.row.id;
    let damaged = |what: &str| Error::damaged(format!("key set of {lot_id}: {what}"));
    let row = queries::of_round(conn, lot_id, lot.body.round)?.ok_or_else(|| damaged("missing"))?;
    let wrapped = queries::secret(conn, &row.kid)?.ok_or_else(|| damaged("the private key was erased"))?;
    let plain = keys.unwrap(&wrapped, &about(&row.kid, lot_id)).map_err(|error| damaged(&error.to_string()))?;
    let scalar: [u8; 32] = plain.expose().as_slice().try_into().map_err(|_| damaged("not a scalar"))?;
    KeyShare::restore(queries::parsed(&row)?, 1, &Secret::new(scalar)).map_err(|error| damaged(&error.to_string()))
}

/// Erases the private keys of a lot whose bids will not be opened: those of every round.
///
/// # Errors
/// The database's.
pub fn erase(tx: &mut Tx<'_>, lot: &Lot) -> Result<()> {
    queries::of_lot(tx.conn(), &lot.row.id)?.into_iter().try_for_each(|row| erase_one(tx, lot, row))
}

/// Erases the private key of one round.
///
/// # Errors
/// The database's.
pub fn erase_round(tx: &mut Tx<'_>, lot: &Lot, round: Round) -> Result<()> {
    let row = queries::of_round(tx.conn(), &lot.row.id, round)?;
    row.into_iter().try_for_each(|row| erase_one(tx, lot, row))
}

/// What a key set becomes once nothing sealed to it will be opened.
fn erase_one(tx: &mut Tx<'_>, lot: &Lot, row: KeySetRow) -> Result<()> {
    if row.state != ACTIVE {
        return Ok(());
    }
    let (state, kind) = match queries::parsed(&row)?.kind {
        KeySetKind::Custodians => (RETIRED, "key_set.retired"),
        KeySetKind::Platform | KeySetKind::Bidder => (ERASED, "key_set.erased"),
    };
    let new = KeySetRow { state: state.into(), ..row.clone() };
    let kid = row.kid.clone();
    tx.update(
        &row,
        new,
        Record::new(kind).lot(lot.row.id.clone()).project(lot.row.project_id.clone()).public("kid", &kid),
    )?;
    tx.beside(|conn| changes::erase_secret(conn, &kid))
}

/// Wraps every private key anew: from the key-encryption key `old` to `new`. Returns how many.
///
/// # Errors
/// When one does not open with `old`; then nothing is changed.
pub fn rewrap(tx: &mut Tx<'_>, old: &Keys, new: &Keys) -> Result<u32> {
    let mut count = 0;
    for kid in queries::secret_kids(tx.conn())? {
        let lot_id = queries::lot_of(tx.conn(), &kid)?;
        let wrapped = queries::secret(tx.conn(), &kid)?.ok_or_else(|| Error::damaged(format!("key set {kid}")))?;
        let about = about(&kid, &lot_id);
        let failed = |error: crate::keys::KeyError| Error::damaged(format!("key set {kid}: {error}"));
        let plain = old.unwrap(&wrapped, &about).map_err(failed)?;
        let again = new.wrap(plain.expose(), &about).map_err(failed)?;
        tx.beside(|conn| changes::replace_secret(conn, &kid, &again))?;
        count += 1;
    }
    tx.note(&crate::kernel::id::random("key"), Record::new("key_sets.rewrapped").restricted("count", count))?;
    Ok(count)
}
