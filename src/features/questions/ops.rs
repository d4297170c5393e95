//! Use cases of questions and objections.

use super::model::{
    ANSWERED, INADMISSIBLE, Inadmissible, NewQuestion, OPEN, Question, QuestionBody, QuestionKind, QuestionRow,
};
use super::queries;
use crate::features::accounts::queries::email_of;
use crate::features::calendar;
use crate::features::lots::model::Lot;
use crate::features::lots::ops::{Act, act};
use crate::features::lots::queries as lots;
use crate::features::notices;
use crate::features::projects::ops::require_confirmed;
use crate::kernel::id::{self, LotId, OrgId, QuestionId};
use crate::kernel::role::Actor;
use crate::kernel::time::Timestamp;
use crate::keys::Keys;
use crate::ledger::{Error, Mail, Record, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::facts::{LotFacts, Request};
use crate::rules::hold::HoldKind;
use crate::rules::machine::{Event, State};
use crate::rules::objection::{ObjectionKind, ObjectionRule, admissible};
use crate::rules::refusal::Refusal;

/// The code with which the rules refuse a release whose lot needs a new deadline.
const NEEDS_NEW_DEADLINE: &str = "new-deadline-needed";

/// Asks a question about the documents of a lot, or objects to them.
///
/// An objection that the rules admit stops the procedure in the same commit, in words that do not say who objects. One
/// that they do not admit is on record too, with the reason.
///
/// # Errors
/// 404 for a lot that is not public; 403 for one's own lot; 409 when questions are not taken any more, when the
/// organisation is not confirmed, or when it has asked as much as it may.
pub fn ask(tx: &mut Tx<'_>, keys: &Keys, org: &OrgId, lot_id: &str, new: &NewQuestion) -> Result<Question> {
    let lot = lots::lot(tx.conn(), lot_id)?;
    if !lots::is_public(lot.state) {
        return Err(refusals::not_found().into());
    }
    if lot.initiator == *org {
        return Err(refusals::role_forbidden().into());
    }
    require_confirmed(tx.conn(), org)?;
    if queries::asked(tx.conn(), lot_id, org.as_str())? >= limits::QUESTIONS_PER_LOT {
        return Err(refusals::state_forbids(
            "贵单位对该标段的提问已达上限。",
            "Your organisation has asked as much on this lot as it may.",
        )
        .into());
    }
    let asked_at = tx.context().received_at;
    match new.kind {
        QuestionKind::Question => {
            check_in_time(&lot, asked_at)?;
            insert(tx, &lot, org, new, None, None)
        }
        QuestionKind::Objection => object(tx, keys, &lot, org, new),
    }
}

fn check_in_time(lot: &Lot, asked_at: Timestamp) -> Result<()> {
    let open = lot.state == State::Noticed && lot.deadline_at().is_some_and(|deadline| asked_at < deadline);
    if open {
        return Ok(());
    }
    Err(refusals::state_forbids("投标截止前才能提问。", "Questions are taken from the notice until the deadline.")
        .into())
}

fn object(tx: &mut Tx<'_>, keys: &Keys, lot: &Lot, org: &OrgId, new: &NewQuestion) -> Result<Question> {
    let asked_at = tx.context().received_at;
    let facts = LotFacts { deadline_at: lot.deadline_at(), ..LotFacts::new(lot.initiator.clone(), lot.state) };
    match admissible(lot.edition, ObjectionKind::Documents, &facts, asked_at) {
        Err(refusal) => insert(tx, lot, org, new, None, Some(&refusal)),
        Ok(rule) => {
            let question = insert(tx, lot, org, new, Some(rule), None)?;
            if rule.holds && !holds(lot) {
                place_hold(tx, keys, lot, rule)?;
            }
            Ok(question)
        }
    }
}

fn holds(lot: &Lot) -> bool {
    lot.body.holds.iter().any(|hold| hold.kind == HoldKind::Objection)
}

fn place_hold(tx: &mut Tx<'_>, keys: &Keys, lot: &Lot, rule: &ObjectionRule) -> Result<()> {
    let reason = format!(
        "收到对文件的异议,答复前暂停({0})/ An objection to the documents waits for its answer ({0})",
        rule.rule
    );
    let request = Request { hold: Some(HoldKind::Objection), reason: Some(reason), ..Request::of(Event::PlaceHold) };
    // The suspension is public, so its entries must not name who caused it.
    tx.as_system("objection", |tx| act(tx, keys, &lot.row.id, &Actor::System, &Act::of(request)).map(drop))
}

/// Puts a question on record, sealed, and tells the initiator that there is one.
fn insert(
    tx: &mut Tx<'_>,
    lot: &Lot,
    org: &OrgId,
    new: &NewQuestion,
    rule: Option<&ObjectionRule>,
    refusal: Option<&Refusal>,
) -> Result<Question> {
    let asked_at = tx.context().received_at;
    let answer_due_at = match rule {
        Some(rule) => {
            let due = calendar::queries::load(tx.conn())?.add_days(asked_at.local_date(), rule.answer_days);
            Some(Timestamp::end_of(due.value))
        }
        None => None,
    };
    let body = QuestionBody {
        blind: id::random("bld"),
        text: new.text.clone(),
        asked_at,
        answer_due_at,
        inadmissible: refusal.map(inadmissible),
        answer: None,
        answered_at: None,
    };
    let row = QuestionRow {
        id: QuestionId::ordered(tx.now()).into_string(),
        version: 0,
        state: if refusal.is_some() { INADMISSIBLE } else { OPEN }.into(),
        kind: new.kind.name().into(),
        lot_id: lot.row.id.clone(),
        org_id: org.to_string(),
        body: to_json(&body)?,
    };
    let kind = match new.kind {
        QuestionKind::Question => "question.asked",
        QuestionKind::Objection => "objection.raised",
    };
    let rule_id = rule.map(|rule| rule.rule).or(refusal.and_then(|refusal| refusal.rule));
    let record = Record::new(kind)
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .org(org.as_str())
        .sealed()
        .restricted("rule", rule_id)
        .restricted("code", refusal.map(|refusal| refusal.code));
    let (row, _) = tx.insert(row, record)?;
    tell_initiator(tx, lot, &row)?;
    view(&row, true)
}

fn inadmissible(refusal: &Refusal) -> Inadmissible {
    Inadmissible {
        code: refusal.code.to_owned(),
        rule: refusal.rule.map(|rule| rule.to_string()),
        detail: refusal.detail.clone(),
        hint: refusal.hint.clone(),
    }
}

/// The message says that there is a question, neither which nor whose.
fn tell_initiator(tx: &mut Tx<'_>, lot: &Lot, row: &QuestionRow) -> Result<()> {
    let Some(email) = email_of(tx.conn(), lot.initiator.as_str())? else { return Ok(()) };
    tx.send(Mail {
        dedup: format!("{}-asked", row.id),
        recipient: email,
        subject: format!("收到提问或异议 / A question or an objection: {}", lot.row.title),
        body: format!(
            "标段 {0}({1})收到一项提问或异议,请登录查看并答复。\n\nThere is a question about, or an objection to, the documents of \
             lot {0} ({1}). Please sign in to read and answer it.\n",
            lot.row.title, lot.row.id
        ),
        lot_id: Some(lot.row.id.clone()),
        sealed: false,
    })
}

/// Answers a question for everybody. The answer to the last open objection lets the procedure go on, unless its deadline
/// passed meanwhile: then the initiator releases the hold with a new deadline.
///
/// # Errors
/// 404 when the lot is not one's own; 409 when there is nothing to answer.
pub fn answer(tx: &mut Tx<'_>, keys: &Keys, org: &OrgId, question_id: &str, text: &str) -> Result<Question> {
    let row = queries::question(tx.conn(), question_id)?.ok_or_else(refusals::not_found)?;
    let lot = lots::lot(tx.conn(), &row.lot_id)?;
    if lot.initiator != *org {
        return Err(refusals::not_found().into());
    }
    if row.state != OPEN {
        return Err(refusals::state_forbids(
            "该提问已答复或不予受理。",
            "It was answered already, or is an objection that is not admitted.",
        )
        .into());
    }
    let body = QuestionBody { answer: Some(text.to_owned()), answered_at: Some(tx.now()), ..queries::body(&row)? };
    let new = QuestionRow { state: ANSWERED.into(), body: to_json(&body)?, ..row.clone() };
    // The initiator's act, on record in its own name: the asker's stays in the sealed entry of the question.
    let record = Record::new("question.answered")
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .org(org.as_str())
        .public("question_kind", &row.kind);
    let (row, _) = tx.update(&row, new, record)?;
    tell_everybody(tx, &lot, &row, &body)?;
    if row.kind == QuestionKind::Objection.name() {
        release_hold(tx, keys, &lot)?;
    }
    view(&row, false)
}

fn release_hold(tx: &mut Tx<'_>, keys: &Keys, lot: &Lot) -> Result<()> {
    let last = queries::open_objections(tx.conn(), &lot.row.id)? == 0;
    if !last || !holds(lot) || lot.state != State::Noticed {
        return Ok(());
    }
    let reason = "对文件的异议均已答复 / Every objection to the documents is answered";
    let request =
        Request { hold: Some(HoldKind::Objection), reason: Some(reason.into()), ..Request::of(Event::ReleaseHold) };
    match act(tx, keys, &lot.row.id, &Actor::System, &Act::of(request)) {
        // The rules refuse before anything is written; the hold stays for the initiator, who knows the new deadline.
        Err(Error::Refused(refusal)) if refusal.code == NEEDS_NEW_DEADLINE => Ok(()),
        released => released.map(drop),
    }
}

/// One message to each organisation that fetched the documents, bid, or asked, all alike.
fn tell_everybody(tx: &mut Tx<'_>, lot: &Lot, row: &QuestionRow, body: &QuestionBody) -> Result<()> {
    let mut orgs = notices::queries::holders(tx.conn(), &lot.row.id)?;
    if !orgs.contains(&row.org_id) {
        orgs.push(row.org_id.clone());
    }
    let answer = body.answer.as_deref().unwrap_or_default();
    for (org, email) in notices::queries::contacts(tx.conn(), &orgs)? {
        tx.send(Mail {
            dedup: format!("{}-answered-{org}", row.id),
            recipient: email,
            subject: format!("提问答复 / A question was answered: {}", lot.row.title),
            body: format!(
                "标段 / Lot: {}({})\n\n提问 / Question:\n{}\n\n答复 / Answer:\n{answer}\n",
                lot.row.title, lot.row.id, body.text
            ),
            lot_id: Some(lot.row.id.clone()),
            sealed: lot.row.unsealed_for.as_deref() != Some("all"),
        })?;
    }
    Ok(())
}

/// A question as the API shows it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn view(row: &QuestionRow, mine: bool) -> Result<Question> {
    let damaged = |what: String| Error::damaged(format!("question {}: {what}", row.id));
    let body = queries::body(row)?;
    Ok(Question {
        id: QuestionId::parse(&row.id).map_err(|error| damaged(error.to_string()))?,
        lot_id: LotId::parse(&row.lot_id).map_err(|error| damaged(error.to_string()))?,
        kind: QuestionKind::parse(&row.kind).ok_or_else(|| damaged(format!("kind {}", row.kind)))?,
        state: row.state.clone(),
        mine,
        text: body.text,
        asked_at: body.asked_at,
        answer_due_at: body.answer_due_at,
        answer_due_at_local: body.answer_due_at.map(Timestamp::local),
        inadmissible: body.inadmissible,
        answer: body.answer,
        answered_at: body.answered_at,
    })
}

fn to_json(body: &QuestionBody) -> Result<String> {
    serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(org: &OrgId, blind: &str) -> QuestionRow {
        let body = QuestionBody {
            blind: blind.into(),
            text: "第三章是否包括运输?".into(),
            asked_at: Timestamp::from_millis(1_790_000_000_000),
            answer_due_at: Some(Timestamp::from_millis(1_790_100_000_000)),
            inadmissible: None,
            answer: None,
            answered_at: None,
        };
        let at = Timestamp::from_millis(1_790_000_000_000);
        QuestionRow {
            id: QuestionId::ordered(at).into_string(),
            version: 1,
            state: OPEN.into(),
            kind: QuestionKind::Objection.name().into(),
            lot_id: LotId::ordered(at).into_string(),
            org_id: org.to_string(),
            body: to_json(&body).expect("plain data"),
        }
    }

    #[test]
    fn what_is_shown_of_a_question_never_has_its_asker_or_its_blind() {
        let org = OrgId::ordered(Timestamp::from_millis(1_790_000_000_000));
        for mine in [true, false] {
            let shown = serde_json::to_string(&view(&row(&org, "bld-7"), mine).expect("reads")).expect("plain data");
            assert!(!shown.contains(org.as_str()) && !shown.contains("bld-7"), "{shown}");
            assert!(shown.contains("2026-09-22T"), "a due time is shown as well in local time: {shown}");
        }
    }

    #[test]
    fn a_stored_question_of_an_unknown_kind_is_damage_not_a_guess() {
        let org = OrgId::ordered(Timestamp::from_millis(1_790_000_000_000));
        let strange = QuestionRow { kind: "rumour".into(), ..row(&org, "b") };
        assert!(matches!(view(&strange, false), Err(Error::Failed(_))));
    }
}
