//! What follows a transition: the table names it, and it happens in the same commit.

use diesel::prelude::*;
use serde_json::json;

use super::facts;
use super::model::Lot;
use super::ops::{self, Act};
use crate::db::schema::documents;
use crate::features::{bids, evaluation, key_sets, notices, opening, public_log};
use crate::kernel::digest::{Digest, sha256};
use crate::ledger::{Result, Tx};
use crate::rules::machine::{Effect, Event, Step};

/// The first revision of the documents: their digests, as they are when the notice is published.
///
/// # Errors
/// The database's.
pub fn first_revision(tx: &mut Tx<'_>, lot: &Lot) -> Result<Digest> {
    Ok(sha256(document_list(tx, lot)?.as_bytes()))
}

/// What changes the lot itself, before it is written.
///
/// # Errors
/// The database's.
pub fn prepare(tx: &mut Tx<'_>, lot: &mut Lot, step: &Step, act: &Act) -> Result<()> {
    // An addendum makes a new revision: bids must name the one in force when they are submitted.
    if matches!(step.event, Event::Clarify | Event::Amend) {
        let text =
            json!({ "before": lot.body.document_revision, "documents": document_list(tx, lot)?, "lines": act.lines });
        lot.body.document_revision = Some(sha256(text.to_string().as_bytes()));
    }
    if step.effects.contains(&Effect::FreezeBids) {
        lot.body.received_bids = Some(facts::box_count(tx.conn(), lot, "bid")?);
    }
    Ok(())
}

/// The documents with their digests, one a line.
fn document_list(tx: &mut Tx<'_>, lot: &Lot) -> Result<String> {
    let list: Vec<(String, String)> = documents::table
        .filter(documents::lot_id.eq(&lot.row.id))
        .order(documents::id.asc())
        .select((documents::id, documents::sha256))
        .load(tx.conn())?;
    Ok(list.iter().map(|(id, digest)| format!("{id} {digest}\n")).collect())
}

/// What happens beside the lot, once it is written.
///
/// # Errors
/// The database's.
pub fn carry_out(tx: &mut Tx<'_>, lot: &Lot, step: &Step, act: &Act) -> Result<()> {
    for effect in step.effects {
        match effect {
            Effect::PublishNotice => notices::ops::publish(tx, lot, "invitation", act)?,
            Effect::PublishClarification => notices::ops::publish(tx, lot, "clarification", act)?,
            Effect::PublishNewDeadline => notices::ops::publish(tx, lot, "extension", act)?,
            Effect::PublishSuspension => notices::ops::publish(tx, lot, "suspension", act)?,
            Effect::PublishResumption => notices::ops::publish(tx, lot, "resumption", act)?,
            Effect::PublishOpeningRecord => notices::ops::publish(tx, lot, "opening_record", act)?,
            Effect::PublishPassed => notices::ops::publish(tx, lot, "passed", act)?,
            Effect::PublishCandidates => notices::ops::publish(tx, lot, "candidates", act)?,
            Effect::PublishResult => notices::ops::publish(tx, lot, "result", act)?,
            Effect::PublishFailure => notices::ops::publish(tx, lot, "failure", act)?,
            Effect::PublishTermination => notices::ops::publish(tx, lot, "termination", act)?,
            Effect::TellHolders => notices::mails::tell_holders(tx, lot, step, act)?,
            Effect::TellInitiator => notices::mails::tell_initiator(tx, lot, step, act)?,
            Effect::TellCentre => notices::mails::tell_centre(tx, lot, step, act)?,
            Effect::NotifyBidders => notices::mails::notify_bidders(tx, lot, step, act)?,
            Effect::FreezeBids => bids::fixed::fix(tx, lot)?,
            Effect::ReleaseEntries => public_log::disclosure::order(tx, &lot.row.id)?,
            Effect::OpenSession => opening::ops::begin(tx, lot)?,
            Effect::QualifyPassed => evaluation::ops::qualify_passed(tx, lot)?,
            Effect::DestroyUnopened => opening::unopened::destroy(tx, lot)?,
            Effect::EraseKey => key_sets::ops::erase(tx, lot)?,
            Effect::CreateSuccessor => drop(ops::retender(tx, lot)?),
            // Entered before the lot was written.
            Effect::StartDisclosure
            | Effect::MoveDeadline
            | Effect::RecordHold
            | Effect::ClearHold
            | Effect::ReleaseEntriesToInspectors
            | Effect::StartPublicity
            | Effect::StartResultNotice => {}
        }
    }
    Ok(())
}
