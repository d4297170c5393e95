//! Every act of a lot's machine: ask the rules, then carry out what the table says follows, in one commit.

use crate::features::calendar;
use crate::features::instances;
use crate::features::key_sets;
use crate::features::lots::model::{Award, HoldInForce, Lot, LotRow, Schedule};
use crate::features::lots::{effects, facts, queries};
use crate::instance::Instance;
use crate::kernel::role::Actor;
use crate::keys::Keys;
use crate::ledger::{Record, Result, Tx};
use crate::refusals;
use crate::rules::envelopes::Round;
use crate::rules::facts::{KeyMode, Request};
use crate::rules::hold::HoldKind;
use crate::rules::machine::{self, Effect, Event, State, Step};

/// What somebody does with a lot.
#[derive(Clone, Debug)]
pub struct Act {
    /// The request, as the rules see it.
    pub request: Request,
    /// The schedule, when the notice is published.
    pub schedule: Option<Schedule>,
    /// What to publish in words: the text of a clarification, a result, a list of deficiencies.
    pub lines: Vec<String>,
    /// The award.
    pub award: Option<Award>,
    /// The version that the caller saw, where it said so.
    pub version: Option<i64>,
    /// Something may still come that was begun before the deadline: known to the scheduler alone.
    pub in_flight: bool,
}

impl Act {
    /// An act that says nothing more than its request.
    pub fn of(request: Request) -> Self {
        Self { request, schedule: None, lines: Vec::new(), award: None, version: None, in_flight: false }
    }
}

/// The kind under which an act is on record.
pub fn kind(event: Event) -> &'static str {
    match event {
        Event::Submit => "lot.submitted",
        Event::Return => "lot.returned",
        Event::Accept => "lot.accepted",
        Event::Publish => "lot.published",
        Event::Clarify => "lot.clarified",
        Event::Extend => "lot.extended",
        Event::Amend => "lot.amended",
        Event::PlaceHold => "lot.held",
        Event::ReleaseHold => "lot.released",
        Event::CloseBidding => "lot.closed",
        Event::BeginOpening => "lot.opening_begun",
        Event::DeclareUnsuccessful => "lot.unsuccessful",
        Event::FinishOpening => "lot.opened",
        Event::OpenPrices => "lot.prices_opening_begun",
        Event::CompleteEvaluation => "lot.evaluated",
        Event::PublishCandidates => "lot.candidates_published",
        Event::EndPublicity => "lot.publicity_ended",
        Event::Award => "lot.awarded",
        Event::PublishResult => "lot.result_published",
        Event::Conclude => "lot.concluded",
        Event::Terminate => "lot.terminated",
        Event::Retender => "lot.retendered",
    }
}

/// Does `act` with a lot.
///
/// # Errors
/// The rules' refusal; 404 when the lot is not the caller's to see; 412 when the caller saw another version.
pub fn act(tx: &mut Tx<'_>, keys: &Keys, lot_id: &str, actor: &Actor, act: &Act) -> Result<Lot> {
    let mut lot = queries::lot(tx.conn(), lot_id)?;
    if !is_theirs(&lot, actor) {
        return Err(refusals::not_found().into());
    }
    if act.version.is_some_and(|version| version != lot.row.version) {
        return Err(refusals::version_stale().into());
    }
    if let Some(schedule) = act.schedule {
        lot.body.schedule = Schedule { opens_at: schedule.opens_at.or(schedule.deadline_at), ..schedule };
    }
    if act.request.event == Event::Publish {
        lot.body.document_revision = Some(effects::first_revision(tx, &lot)?);
    }
    let calendar = calendar::queries::load(tx.conn())?;
    let mut facts = facts::load(tx.conn(), &lot, actor)?;
    facts.headers_in_flight = act.in_flight;
    facts.report_exists |= act.request.event == Event::CompleteEvaluation;
    if let Some(award) = &act.award {
        facts.award_price = Some(award.price);
    }
    let step = machine::step(lot.edition, &facts, &act.request, actor, tx.now(), &calendar)?;
    let before = lot.row.clone();
    enter(tx, &mut lot, &step, act)?;
    effects::prepare(tx, &mut lot, &step, act)?;
    if act.request.event == Event::Publish && lot.body.terms.key_mode == KeyMode::Platform {
        key_sets::ops::create(tx, keys, &lot)?;
    }
    let lot = write(tx, &before, lot, &step, act)?;
    effects::carry_out(tx, &lot, &step, act)?;
    Ok(lot)
}

/// Writes the lot's new version with its due time, computed from what it will be.
fn write(tx: &mut Tx<'_>, before: &LotRow, mut lot: Lot, step: &Step, act: &Act) -> Result<Lot> {
    let mut row = lot.to_row()?;
    lot = Lot::read(row.clone())?;
    let facts = facts::load(tx.conn(), &lot, &Actor::System)?;
    row.due_at = machine::due_at(lot.edition, &facts).map(|due| due.at.millis());
    if step.effects.contains(&Effect::ReleaseEntries) {
        row.unsealed_at = Some(tx.now().millis());
        row.unsealed_for = Some("all".into());
    } else if step.effects.contains(&Effect::ReleaseEntriesToInspectors) && row.unsealed_at.is_none() {
        row.unsealed_at = Some(tx.now().millis());
        row.unsealed_for = Some("inspectors".into());
    }
    let mut record = Record::new(kind(step.event))
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .org(lot.row.org_id.clone())
        .public("event", step.event.name())
        .public("deadline_at", lot.body.schedule.deadline_at)
        .public("opens_at", lot.body.schedule.opens_at)
        .restricted("reason", &act.request.reason)
        .restricted("row", shown(&row, before.version + 1)?);
    if row.state == State::Closed.name() {
        record = record.restricted("withheld", ["received_bids"]);
    }
    if !act.lines.is_empty() {
        record = record.restricted("lines", &act.lines);
    }
    if let Some(hold) = act.request.hold {
        record = record.public("hold", hold);
    }
    if let Some(cause) = act.request.cause {
        record = record.public("cause", cause);
    }
    let (row, _) = tx.update(before, row, record)?;
    Lot::read(row)
}

/// A row as an entry keeps it, from which the lot can be shown later as it stood. While the box is closed its count of bids
/// is withheld; the entry of the opening brings it.
pub fn shown(row: &LotRow, version: i64) -> Result<LotRow> {
    let mut row = LotRow { version, ..row.clone() };
    if row.state == State::Closed.name() {
        let mut lot = Lot::read(row.clone())?;
        lot.body.received_bids = None;
        row = LotRow { body: lot.to_row()?.body, ..row };
    }
    Ok(row)
}

/// What the step itself says about times, holds and states.
fn enter(tx: &mut Tx<'_>, lot: &mut Lot, step: &Step, act: &Act) -> Result<()> {
    let now = tx.now();
    let body = &mut lot.body;
    lot.state = step.to;
    body.provisional |= step.provisional;
    body.disclosure_started_at = step.disclosure_started_at.or(body.disclosure_started_at);
    body.schedule.deadline_at = step.deadline_at.or(body.schedule.deadline_at);
    body.schedule.opens_at = step.opens_at.or(body.schedule.opens_at);
    body.publicity_ends_at = step.publicity_ends_at.or(body.publicity_ends_at);
    body.result_notice_ends_at = step.result_notice_ends_at.or(body.result_notice_ends_at);
    match step.event {
        Event::Return => body.deficiencies.clone_from(&act.lines),
        Event::Submit => body.deficiencies.clear(),
        Event::Publish => body.notice_at = Some(now),
        Event::OpenPrices => body.round = Round::Second,
        Event::CompleteEvaluation => body.reported_at = Some(now),
        Event::Award => {
            body.award.clone_from(&act.award);
            body.awarded_at = Some(now);
        }
        Event::PublishResult => body.result_published_at = Some(now),
        Event::DeclareUnsuccessful => body.cause = act.request.cause,
        Event::ReleaseHold if act.request.hold == Some(HoldKind::Incident) && step.deadline_at.is_none() => {
            // Somebody went on although the platform was down before this deadline: that is decided.
            body.outage_decided_for = body.schedule.deadline_at.filter(|deadline| *deadline <= now);
        }
        _ => {}
    }
    for effect in step.effects {
        match (effect, act.request.hold) {
            (Effect::RecordHold, Some(kind)) => {
                let reason = act.request.reason.clone().unwrap_or_default();
                body.holds.push(HoldInForce { kind, placed_at: now, reason });
            }
            (Effect::ClearHold, Some(kind)) => body.holds.retain(|hold| hold.kind != kind),
            _ => {}
        }
    }
    Ok(())
}

/// Before its notice a lot is its initiator's, and the centre's once submitted.
fn is_theirs(lot: &Lot, actor: &Actor) -> bool {
    match actor {
        Actor::System => true,
        Actor::Nobody => false,
        Actor::User { org_id, .. } => {
            use crate::kernel::role::Role;
            *org_id == lot.initiator
                || queries::is_public(lot.state)
                || (lot.state != State::Draft && (actor.has(Role::Centre) || actor.has(Role::Inspector)))
        }
    }
}

/// Does what is due for a lot at this instant, as the system: the same question gives the same answer after any crash.
/// Returns false when nothing is due. At a deadline it waits, bounded, for what is in flight: here, and by what the other
/// servers last said.
///
/// # Errors
/// The rules' refusal where something else stands in the way.
pub fn advance(tx: &mut Tx<'_>, keys: &Keys, lot_id: &str, here: &Instance) -> Result<bool> {
    let lot = queries::lot(tx.conn(), lot_id)?;
    let mut facts = facts::load(tx.conn(), &lot, &Actor::System)?;
    if let (State::Noticed, Some(deadline)) = (lot.state, lot.deadline_at()) {
        facts.headers_in_flight = instances::ops::is_unsettled(tx, here, deadline)?;
    }
    let Some(due) = machine::due_at(lot.edition, &facts).filter(|due| due.at <= tx.now()) else {
        return Ok(false);
    };
    let mut request = due.request;
    if request.reason.is_none() {
        request.reason = request.hold.map(|kind| at_deadline(kind).into());
    }
    let now_due = Act { in_flight: facts.headers_in_flight, ..Act::of(request) };
    act(tx, keys, lot_id, &Actor::System, &now_due)?;
    Ok(true)
}

/// Why the system places a hold at a deadline, for those who have to decide.
fn at_deadline(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::Incident => {
            "截止时间前平台曾中断,标段不会自动开标:请项目单位或交易中心确定新的截止时间,或说明理由后继续 / \
             The platform was down before the deadline, so nothing opens by itself: the initiator or the centre sets a \
             new deadline, or goes on and says why"
        }
        _ => "截止时条件不满足,系统自动中止 / a condition was not met at the deadline",
    }
}
