//! What the rules are told about a lot.
//!
//! Sealed facts (how many bids, whether the reserve price is in the box) are looked up for the system only, as long as
//! the box is not open: what is not read cannot leak.

use diesel::prelude::*;

use super::model::Lot;
use super::queries;
use crate::db::Conn;
use crate::db::schema::{bids, documents, objections, openings, questions};
use crate::features::evaluation;
use crate::features::instances;
use crate::features::key_sets;
use crate::kernel::role::Actor;
use crate::ledger::Result;
use crate::limits;
use crate::rules::envelopes::Round;
use crate::rules::facts::{Escrow, LotFacts};
use crate::rules::hold::Hold;
use crate::rules::machine::State;

/// Everything the guards of a lot may ask about, as `actor` may know it.
///
/// # Errors
/// The database's.
pub fn load(conn: &mut Conn, lot: &Lot, actor: &Actor) -> Result<LotFacts> {
    let (terms, schedule, body) = (&lot.body.terms, &lot.body.schedule, &lot.body);
    let sealed = lot.state.is_before_closing() && *actor != Actor::System;
    let mut facts = LotFacts {
        holds: body.holds.iter().map(|hold| Hold { kind: hold.kind, placed_at: hold.placed_at }).collect(),
        approval_number: terms.approval_number.clone(),
        no_dispute_declared: terms.no_dispute_declared,
        compulsory: terms.compulsory,
        state_funded: terms.state_funded,
        equity_transfer: terms.equity_transfer,
        first_disclosure: terms.first_disclosure,
        consent_below_appraisal: terms.consent_below_appraisal,
        documents: count(documents::table.filter(documents::lot_id.eq(&lot.row.id)).count().get_result(conn)?),
        document_revision: body.document_revision,
        key_set_ready: key_set_ready(conn, lot)?,
        escrow_ready: escrow_ready(conn, lot)?,
        doc_issue_start_at: schedule.doc_issue_start_at,
        doc_issue_end_at: schedule.doc_issue_end_at,
        notice_at: body.notice_at,
        disclosure_started_at: body.disclosure_started_at,
        bidding_opens_at: schedule.bidding_opens_at,
        deadline_at: schedule.deadline_at,
        opens_at: schedule.opens_at.or(schedule.deadline_at),
        reported_at: body.reported_at,
        publicity_ends_at: body.publicity_ends_at,
        awarded_at: body.awarded_at,
        result_published_at: body.result_published_at,
        result_notice_ends_at: body.result_notice_ends_at,
        estimate: terms.estimate,
        ceiling: terms.ceiling,
        floor_price: terms.floor_price,
        asking: terms.asking,
        appraisal: terms.appraisal,
        minimum_price: terms.minimum_price,
        deposit: terms.deposit,
        reserve: terms.reserve,
        withdrawal_allowed: terms.withdrawal_allowed,
        retendered: queries::is_retendered(conn, &lot.row.id)?,
        ..LotFacts::new(lot.initiator.clone(), lot.state)
    };
    facts.open_document_objections = open_document_objections(conn, lot)?;
    facts.outage_undecided = outage_undecided(conn, lot)?;
    if !sealed {
        facts.reserve_received = box_count(conn, lot, "reserve")? > 0;
    }
    if !lot.state.is_before_closing() {
        facts.received_bids = lot.body.received_bids;
        after_closing(conn, lot, &mut facts)?;
    }
    Ok(facts)
}

fn after_closing(conn: &mut Conn, lot: &Lot, facts: &mut LotFacts) -> Result<()> {
    let id = &lot.row.id;
    facts.open_result_objections = count(
        objections::table
            .filter(objections::lot_id.eq(id))
            .filter(objections::kind.eq("result"))
            .filter(objections::state.eq("open"))
            .count()
            .get_result(conn)?,
    );
    facts.prices_sealed = lot.prices_sealed();
    facts.session_closed = count(
        openings::table
            .filter(openings::lot_id.eq(id))
            .filter(openings::round.eq(lot.body.round.number()))
            .filter(openings::state.eq("closed"))
            .count()
            .get_result(conn)?,
    ) > 0;
    if matches!(lot.state, State::Closed | State::Opening) {
        return Ok(());
    }
    let evaluation = evaluation::queries::facts(conn, lot)?;
    facts.responsive = Some(evaluation.responsive);
    facts.undecided = Some(evaluation.undecided);
    facts.report_exists = evaluation.report_exists;
    facts.reserve_reached = evaluation.reserve_reached;
    facts.award_price = lot.body.award.as_ref().map(|award| award.price);
    Ok(())
}

/// Whether no server was ready for some part of the time before the deadline that the edition looks at, and nobody has
/// decided to go on.
fn outage_undecided(conn: &mut Conn, lot: &Lot) -> Result<bool> {
    let (State::Noticed, Some(deadline)) = (lot.state, lot.deadline_at()) else { return Ok(false) };
    if lot.body.outage_decided_for == Some(deadline) {
        return Ok(false);
    }
    let from = deadline.plus_millis(-i64::from(lot.edition.outage_window_minutes) * 60_000);
    instances::queries::was_out(conn, from, deadline)
}

/// Whether bids can be sealed from the notice on: custodians have made their key set, and it may be used at the opening.
fn key_set_ready(conn: &mut Conn, lot: &Lot) -> Result<bool> {
    if !lot.body.terms.key_mode.needs_custodians() {
        // It is made in the commit of the notice, or by each bidder.
        return Ok(true);
    }
    let opens = lot.body.schedule.opens_at.or(lot.body.schedule.deadline_at);
    for round in lot.body.terms.envelopes.rounds() {
        let Some(row) = key_sets::queries::of_round(conn, &lot.row.id, *round)? else { return Ok(false) };
        let not_before = key_sets::queries::opens_not_before(&row)?;
        if opens.is_some_and(|opens| not_before > opens) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether bidders can deposit their keys from the notice on, where they do: custodians have made the key set for it, and use it
/// once the bidders' minutes are over, and not much later.
fn escrow_ready(conn: &mut Conn, lot: &Lot) -> Result<bool> {
    let terms = &lot.body.terms;
    if terms.escrow == Escrow::None {
        return Ok(true);
    }
    let Some(row) = key_sets::queries::of_round(conn, &lot.row.id, Round::Escrow)? else { return Ok(false) };
    let not_before = key_sets::queries::opens_not_before(&row)?;
    let opens = lot.body.schedule.opens_at.or(lot.body.schedule.deadline_at);
    let over = opens.map(|opens| opens.plus_millis(terms.decryption_ms()));
    Ok(over.is_none_or(|over| (over..=over.plus_millis(limits::ESCROW_DELAY_MS)).contains(&not_before)))
}

fn open_document_objections(conn: &mut Conn, lot: &Lot) -> Result<u32> {
    Ok(count(
        questions::table
            .filter(questions::lot_id.eq(&lot.row.id))
            .filter(questions::kind.eq("objection"))
            .filter(questions::state.eq("open"))
            .count()
            .get_result(conn)?,
    ))
}

/// What lies in the box: submitted bids, or the reserve price.
///
/// # Errors
/// The database's.
pub fn box_count(conn: &mut Conn, lot: &Lot, kind: &str) -> Result<u32> {
    Ok(count(
        bids::table
            .filter(bids::lot_id.eq(&lot.row.id))
            .filter(bids::kind.eq(kind))
            .filter(bids::state.eq("submitted"))
            .count()
            .get_result(conn)?,
    ))
}

fn count(found: i64) -> u32 {
    u32::try_from(found).unwrap_or(0)
}
