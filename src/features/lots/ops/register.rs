//! A lot before it is submitted: registered, edited, made anew out of one that ended without a result.

use super::act::shown;
use crate::features::accounts::ops::check_text;
use crate::features::lots::model::{Lot, LotBody, LotRow, LotTerms, ProfileTerm};
use crate::features::lots::queries;
use crate::features::projects;
use crate::kernel::id::{LotId, OrgId};
use crate::kernel::money::Money;
use crate::ledger::{Record, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::editions::{self, Category, Edition};
use crate::rules::envelopes::Envelopes;
use crate::rules::facts::{Escrow, KeyMode};
use crate::rules::machine::{Event, State};

/// Checks what an initiator states, as far as no rule is concerned.
///
/// # Errors
/// 422 naming the field.
pub fn check_terms(title: &str, terms: &LotTerms) -> Result<()> {
    check_text("title", title, limits::NAME_LEN)?;
    check_text("description", &terms.description, limits::TEXT_LEN)?;
    let amounts: [(&str, Option<Money>); 7] = [
        ("estimate", terms.estimate),
        ("ceiling", terms.ceiling),
        ("floor_price", terms.floor_price),
        ("asking", terms.asking),
        ("appraisal", terms.appraisal),
        ("minimum_price", terms.minimum_price),
        ("deposit", terms.deposit),
    ];
    for (field, money) in amounts {
        if money.is_some_and(|money| money.currency() != terms.currency || !money.is_positive()) {
            return Err(refusals::body_invalid(&format!("{field}: a positive amount in the lot's currency")).into());
        }
    }
    if terms.key_mode != KeyMode::Platform && terms.profile != ProfileTerm::Strict {
        return Err(refusals::body_invalid("profile: strict, unless key_mode is platform").into());
    }
    if terms.envelopes == Envelopes::Two && terms.escrow != Escrow::None {
        return Err(refusals::body_invalid(
            "escrow: none where envelopes is two; it takes one key of a bidder, and here each holds two",
        )
        .into());
    }
    if terms.escrow != Escrow::None && terms.key_mode != KeyMode::Bidder {
        // Under two keys the custodians would hold both of them.
        return Err(refusals::body_invalid("escrow: none, unless key_mode is bidder (EB-06)").into());
    }
    if !(limits::DECRYPTION_MINUTES_LEAST..=limits::DECRYPTION_MINUTES_MOST).contains(&terms.decryption_minutes) {
        let (least, most) = (limits::DECRYPTION_MINUTES_LEAST, limits::DECRYPTION_MINUTES_MOST);
        return Err(refusals::body_invalid(&format!("decryption_minutes: {least} to {most}")).into());
    }
    if terms.bid_validity_days == 0 || terms.bid_validity_days > limits::BID_VALIDITY_DAYS {
        return Err(refusals::body_invalid(&format!("bid_validity_days: 1 to {}", limits::BID_VALIDITY_DAYS)).into());
    }
    Ok(())
}

/// Registers a lot of a project of one's own, as a draft.
///
/// # Errors
/// 404 when the project is not one's own; 409 when the organisation is not confirmed.
pub fn register(
    tx: &mut Tx<'_>,
    org: &OrgId,
    project_id: &str,
    category: Category,
    title: &str,
    terms: &LotTerms,
) -> Result<Lot> {
    let project = projects::queries::project(tx.conn(), project_id)?
        .filter(|row| row.org_id == org.as_str())
        .ok_or_else(refusals::not_found)?;
    insert(tx, org, &project.id, category, title, terms, None)
}

/// Two envelopes are a thing of editions that have a second round.
fn check_envelopes(edition: &Edition, terms: &LotTerms) -> Result<()> {
    let has_rounds = edition.table.iter().any(|row| row.event == Event::OpenPrices);
    if terms.envelopes == Envelopes::Two && !has_rounds {
        return Err(refusals::body_invalid("envelopes: one; this category has no second round of openings").into());
    }
    Ok(())
}

fn insert(
    tx: &mut Tx<'_>,
    org: &OrgId,
    project_id: &str,
    category: Category,
    title: &str,
    terms: &LotTerms,
    previous: Option<&str>,
) -> Result<Lot> {
    let now = tx.now();
    let edition = editions::current(category, now.local_date())
        .ok_or_else(|| refusals::body_invalid("category: no edition of the rules is in force"))?;
    check_envelopes(edition, terms)?;
    let row = LotRow {
        id: LotId::ordered(now).into_string(),
        version: 0,
        state: State::Draft.name().to_owned(),
        hold: None,
        project_id: project_id.to_owned(),
        org_id: org.to_string(),
        edition: edition.id.to_owned(),
        category: edition.category.name().to_owned(),
        title: title.to_owned(),
        deadline_at: None,
        due_at: None,
        unsealed_at: None,
        unsealed_for: None,
        previous_lot_id: previous.map(str::to_owned),
        created_at: now.millis(),
        body: serde_json::to_string(&LotBody::new(terms.clone()))
            .map_err(|error| crate::ledger::Error::internal(error.to_string()))?,
    };
    let record = Record::new("lot.registered")
        .lot(row.id.clone())
        .project(project_id)
        .public("edition", edition.id)
        .public("previous", previous)
        .restricted("row", shown(&row, 1)?);
    let (row, _) = tx.insert(row, record)?;
    Lot::read(row)
}

/// Replaces what a draft states.
///
/// # Errors
/// 404 when it is not one's own; 412 when somebody changed it; 409 when it is no draft.
pub fn edit(tx: &mut Tx<'_>, org: &OrgId, id: &str, version: i64, title: &str, terms: &LotTerms) -> Result<Lot> {
    let mut lot = queries::lot(tx.conn(), id)?;
    if lot.initiator != *org {
        return Err(refusals::not_found().into());
    }
    if lot.row.version != version {
        return Err(refusals::version_stale().into());
    }
    if lot.state != State::Draft {
        return Err(refusals::state_forbids(
            "只有草稿可以修改。",
            "Only a draft can be edited; after the notice use clarify or amend.",
        )
        .into());
    }
    check_envelopes(lot.edition, terms)?;
    lot.body.terms = terms.clone();
    let row = LotRow { title: title.to_owned(), ..lot.to_row()? };
    let record = Record::new("lot.edited")
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .restricted("row", shown(&row, lot.row.version + 1)?);
    Lot::read(tx.update(&lot.row, row, record)?.0)
}

/// Makes a draft out of a lot that ended without a result, linked to it. Called by the act `retender` in its commit.
///
/// # Errors
/// The database's.
pub fn retender(tx: &mut Tx<'_>, lot: &Lot) -> Result<Lot> {
    insert(
        tx,
        &lot.initiator,
        &lot.row.project_id,
        lot.edition.category,
        &lot.row.title,
        &lot.body.terms,
        Some(&lot.row.id),
    )
}
