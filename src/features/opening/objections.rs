//! Objections: to the opening, raised and answered in its session; to the result, for which the lot may have to wait.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{ANSWERED, INADMISSIBLE, OPEN, ObjectionBody, ObjectionRow, parse, text};
use super::ops::step;
use super::queries::{self, Named};
use crate::features::accounts;
use crate::features::accounts::ops::check_text;
use crate::features::lots::model::Lot;
use crate::features::lots::ops::{Act, act};
use crate::features::{calendar, lots};
use crate::kernel::id::{LotId, ObjectionId, OrgId};
use crate::kernel::role::Actor;
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::keys::Keys;
use crate::ledger::{Error, Mail, Record, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::facts::Request;
use crate::rules::hold::HoldKind;
use crate::rules::machine::Event;
use crate::rules::objection::{ObjectionKind, ObjectionRule, admissible};
use crate::rules::opening::SessionEvent;

/// An objection, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObjectionView {
    /// The objection.
    pub id: ObjectionId,
    /// The lot.
    pub lot_id: LotId,
    /// What it is against.
    pub kind: ObjectionKind,
    /// `open`, `answered` or `inadmissible`.
    pub state: String,
    /// Who objects.
    pub objector_name: String,
    /// What is objected to.
    pub text: String,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// The last moment for the answer; null where it is due in the session itself.
    pub answer_due_at: Option<Timestamp>,
    /// Why it is inadmissible.
    pub inadmissible: Option<Bilingual>,
    /// The answer.
    pub answer: Option<String>,
    /// When it was given.
    pub answered_at: Option<Timestamp>,
}

/// An objection with its objector's name.
///
/// # Errors
/// When what is stored cannot be read.
pub fn objection_view(row: &ObjectionRow, names: &HashMap<String, Named>) -> Result<ObjectionView> {
    let damaged = |what: &str| Error::damaged(format!("objection {}: {what}", row.id));
    let body: ObjectionBody = parse(&row.id, &row.body)?;
    Ok(ObjectionView {
        id: ObjectionId::parse(&row.id).map_err(|_| damaged("id"))?,
        lot_id: LotId::parse(&row.lot_id).map_err(|_| damaged("lot"))?,
        kind: ObjectionKind::parse(&row.kind).ok_or_else(|| damaged("kind"))?,
        state: row.state.clone(),
        objector_name: names.get(&row.org_id).map(|named| named.name.clone()).unwrap_or_default(),
        text: body.text,
        raised_at: body.raised_at,
        answer_due_at: body.answer_due_at,
        inadmissible: body.inadmissible,
        answer: body.answer,
        answered_at: body.answered_at,
    })
}

fn viewed(tx: &mut Tx<'_>, row: &ObjectionRow) -> Result<ObjectionView> {
    let names = queries::names(tx.conn(), std::slice::from_ref(&row.org_id))?;
    objection_view(row, &names)
}

/// Objects to the opening, in its session.
///
/// # Errors
/// The rules' refusal, such as for somebody without a bid in the box.
pub fn raise_in_session(
    tx: &mut Tx<'_>,
    lot_id: &str,
    actor: &Actor,
    org: &OrgId,
    words: &str,
) -> Result<ObjectionView> {
    check_text("text", words, limits::TEXT_LEN)?;
    let (lot, _, _) = step(tx, lot_id, SessionEvent::Object, actor, None)?;
    let row = insert(tx, &lot, ObjectionKind::Opening, org, words, None, None)?;
    viewed(tx, &row)
}

/// Objects to the candidates or the result. Where the edition says so the lot goes on hold in the same commit. One that
/// comes too early or too late is on record as inadmissible.
///
/// # Errors
/// 409 for somebody without a bid in the box, or before there is anything to object to.
pub fn raise_to_result(tx: &mut Tx<'_>, keys: &Keys, lot_id: &str, org: &OrgId, words: &str) -> Result<ObjectionView> {
    check_text("text", words, limits::TEXT_LEN)?;
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    if !lots::queries::is_public(lot.state) {
        return Err(refusals::not_found().into());
    }
    let facts = lots::facts::load(tx.conn(), &lot, &Actor::Nobody)?;
    let (rule, inadmissible) = match admissible(lot.edition, ObjectionKind::Result, &facts, tx.now()) {
        Ok(rule) => (Some(rule), None),
        // Before the box is open nobody is told, or leaves on record, anything that depends on who bid.
        Err(refusal) if lot.row.unsealed_for.as_deref() != Some("all") => return Err(refusal.into()),
        Err(refusal) => (None, Some(refusal.detail)),
    };
    if !queries::has_bid(tx.conn(), lot_id, org.as_str())? {
        return Err(refusals::objector_without_bid().into());
    }
    let row = insert(tx, &lot, ObjectionKind::Result, org, words, rule, inadmissible)?;
    if rule.is_some_and(|rule| rule.holds) && !is_held(&lot) {
        hold(
            tx,
            keys,
            &lot,
            Event::PlaceHold,
            "收到对结果的异议,答复前暂停 / An objection to the result waits for its answer",
        )?;
    }
    viewed(tx, &row)
}

fn is_held(lot: &Lot) -> bool {
    lot.body.holds.iter().any(|hold| hold.kind == HoldKind::Objection)
}

fn hold(tx: &mut Tx<'_>, keys: &Keys, lot: &Lot, event: Event, reason: &str) -> Result<()> {
    let request = Request { hold: Some(HoldKind::Objection), reason: Some(reason.to_owned()), ..Request::of(event) };
    act(tx, keys, &lot.row.id, &Actor::System, &Act::of(request)).map(drop)
}

fn insert(
    tx: &mut Tx<'_>,
    lot: &Lot,
    kind: ObjectionKind,
    org: &OrgId,
    words: &str,
    rule: Option<&ObjectionRule>,
    inadmissible: Option<Bilingual>,
) -> Result<ObjectionRow> {
    if queries::raised_by(tx.conn(), &lot.row.id, org.as_str())? >= limits::OBJECTIONS_PER_LOT {
        return Err(refusals::too_many_objections().into());
    }
    let raised_at = tx.context().received_at;
    let answer_due_at = match rule {
        Some(rule) => {
            let due = calendar::queries::load(tx.conn())?.add_days(raised_at.local_date(), rule.answer_days);
            Some(Timestamp::end_of(due.value))
        }
        None => None,
    };
    let state = if inadmissible.is_some() { INADMISSIBLE } else { OPEN };
    let body = ObjectionBody {
        text: words.to_owned(),
        raised_at,
        answer_due_at,
        inadmissible,
        answer: None,
        answered_at: None,
    };
    let row = ObjectionRow {
        id: ObjectionId::ordered(tx.now()).into_string(),
        version: 0,
        state: state.into(),
        kind: kind.name().into(),
        lot_id: lot.row.id.clone(),
        org_id: org.to_string(),
        body: text(&body)?,
    };
    let record = Record::new("objection.raised")
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .org(org.as_str())
        .public("against", kind)
        .public("state", state)
        .restricted("text", words);
    Ok(tx.insert(row, record)?.0)
}

/// Answers an objection to the opening or to the result; the last answer to the result ends the hold, in the same commit.
///
/// # Errors
/// 404 when it is not one's own lot; 409 when it has its answer; the rules' refusal.
pub fn answer(tx: &mut Tx<'_>, keys: &Keys, id: &str, actor: &Actor, words: &str) -> Result<ObjectionView> {
    check_text("answer", words, limits::TEXT_LEN)?;
    let row = queries::objection(tx.conn(), id)?.ok_or_else(refusals::not_found)?;
    let lot = lots::queries::lot(tx.conn(), &row.lot_id)?;
    if actor.org_id() != Some(&lot.initiator) {
        return Err(refusals::not_found().into());
    }
    if row.state != OPEN {
        return Err(refusals::nothing_to_answer().into());
    }
    if row.kind == ObjectionKind::Opening.name() {
        step(tx, &row.lot_id, SessionEvent::Answer, actor, Some(words))?;
    }
    let body: ObjectionBody = parse(&row.id, &row.body)?;
    let body = ObjectionBody { answer: Some(words.to_owned()), answered_at: Some(tx.now()), ..body };
    let new = ObjectionRow { state: ANSWERED.into(), body: text(&body)?, ..row.clone() };
    let record = Record::new("objection.answered")
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .public("against", &row.kind)
        .restricted("answer", words);
    let (new, _) = tx.update(&row, new, record)?;
    tell_objector(tx, &lot, &new, words)?;
    let last = queries::unanswered(tx.conn(), &row.lot_id, ObjectionKind::Result)? == 0;
    if row.kind == ObjectionKind::Result.name() && is_held(&lot) && last {
        hold(tx, keys, &lot, Event::ReleaseHold, "对结果的异议均已答复 / Every objection to the result is answered")?;
    }
    viewed(tx, &new)
}

fn tell_objector(tx: &mut Tx<'_>, lot: &Lot, row: &ObjectionRow, words: &str) -> Result<()> {
    let Some(recipient) = accounts::queries::email_of(tx.conn(), &row.org_id)? else { return Ok(()) };
    let (title, id) = (&lot.row.title, &row.id);
    tx.send(Mail {
        dedup: format!("{id}-{}", row.version),
        recipient,
        subject: format!("异议答复 / Answer to your objection: {title}"),
        body: format!("标段:{title}\n异议:{id}\n答复:\n{words}\n\nLot: {title}\nObjection: {id}\nAnswer:\n{words}\n"),
        lot_id: Some(lot.row.id.clone()),
        // Until the session is closed, that somebody bid is told to the parties only.
        sealed: lot.row.unsealed_for.as_deref() != Some("all"),
    })
}
