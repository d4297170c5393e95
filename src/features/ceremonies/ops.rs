//! Use cases of ceremonies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::changes;
use super::model::{
    BackupRow, BackupsView, Ceremony, CeremonyBody, CeremonyRow, CeremonyView, MemberKey, MessageRow, NewMessage,
    PublicKey, rehearsal_of,
};
use super::queries;
use super::spoken::{self, Spoken};
use crate::db::Conn;
use crate::features::accounts::signing_keys;
use crate::features::custodians;
use crate::features::key_sets;
use crate::features::lots;
use crate::features::lots::model::Lot;
use crate::kernel::id::{CeremonyId, LotId, OrgId, UserId};
use crate::kernel::role::Actor;
use crate::kernel::time::Timestamp;
use crate::keys::Keys;
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::ceremony::{CeremonyEvent, CeremonyFacts, CeremonyState, RUNNING, step};
use crate::rules::machine::State;
use crate::seal::ceremony::{Accept, Backup, SignedDraft, Transcript, Verdict, judge, rehearsal};
use crate::seal::ids::UtcMillis;
use crate::seal::keyset::{KeySet, Member, Profile};

/// Facts of a ceremony that nobody has spoken in and that is in time.
fn facts(state: CeremonyState, initiator: &OrgId) -> CeremonyFacts {
    CeremonyFacts {
        state,
        initiator: initiator.clone(),
        is_member: false,
        first_word: false,
        in_time: true,
        complete: false,
        is_wanted: false,
        is_only: false,
        reason_given: false,
    }
}

fn record(kind: &'static str, lot: &Lot) -> Record {
    Record::new(kind).lot(lot.row.id.clone()).project(lot.row.project_id.clone())
}

/// Begins a ceremony for a lot of one's own.
///
/// # Errors
/// 404; the rules' refusal; 422 where the draft is not in order, saying what.
pub fn begin(tx: &mut Tx<'_>, actor: &Actor, org: &OrgId, lot_id: &str, draft: &Value) -> Result<CeremonyView> {
    let lot = lots::queries::lot(tx.conn(), lot_id)?;
    if lot.initiator != *org {
        return Err(refusals::not_found().into());
    }
    let others = queries::of_lot(tx.conn(), lot_id)?;
    let live = |ceremony: &Ceremony| RUNNING.contains(&ceremony.state) || ceremony.state == CeremonyState::Active;
    let facts = CeremonyFacts {
        is_wanted: matches!(lot.state, State::Draft | State::Registering | State::Registered)
            && lot.body.terms.needs_custodians(),
        is_only: !others.iter().any(live),
        ..facts(CeremonyState::Drafted, &lot.initiator)
    };
    let state = step(&facts, CeremonyEvent::Begin, actor)?;
    let signed = SignedDraft::from_value(draft).map_err(|error| refusals::ceremony_draft(error.reason()))?;
    let tenderer = key_of(tx.conn(), org, &signed.jws().key_id().to_string())?;
    signed.verify(&tenderer.verifying()?).map_err(|error| refusals::ceremony_draft(error.reason()))?;
    check_draft(&lot, &signed, tx.now())?;
    let members = members(tx.conn(), &signed)?;
    let body =
        CeremonyBody { draft: draft.clone(), tenderer, members, culprit: None, cause: None, key_sets: Vec::new() };
    let row = CeremonyRow {
        id: CeremonyId::ordered(tx.now()).into_string(),
        version: 0,
        state: state.name().into(),
        lot_id: lot.row.id.clone(),
        digest: signed.id().to_string(),
        expires_at: tx.now().millis() + limits::CEREMONY_MS,
        body: serde_json::to_string(&body).map_err(|error| Error::internal(error.to_string()))?,
    };
    let record = record("ceremony.begun", &lot).public("digest", &row.digest).public("k", signed.draft().k);
    let (row, _) = tx.insert(row, record)?;
    view(tx.conn(), &Ceremony::read(row)?)
}

/// What a draft must say to fit its lot.
fn check_draft(lot: &Lot, signed: &SignedDraft, now: Timestamp) -> Result<()> {
    let draft = signed.draft();
    let wrong = |what: &str| Err(refusals::ceremony_draft(what).into());
    if draft.tender.as_str() != lot.row.project_id || draft.lot.as_str() != lot.row.id {
        return wrong("tender and lot must be the lot's project and the lot");
    }
    let expected: Vec<String> = lot.body.terms.shared_rounds().iter().map(|round| round.group(&lot.row.id)).collect();
    if !draft.groups.iter().map(|group| group.group.as_str()).eq(expected.iter().map(String::as_str)) {
        return wrong(&format!("groups must be {}, in this order", expected.join(" and ")));
    }
    if draft.profile != Profile::Strict {
        return wrong("profile must be strict");
    }
    let later = |opens: &UtcMillis| opens.as_str().parse::<Timestamp>().is_ok_and(|opens| opens > now);
    if !draft.groups.iter().all(|group| later(&group.opens_not_before)) {
        return wrong("opens_not_before must be in the future");
    }
    // No institution can open alone, and none can prevent the opening by staying away.
    let n = draft.members.len();
    let most = usize::from(draft.k - 1).min(n - usize::from(draft.k));
    let seats = |member: &Member| draft.members.iter().filter(|other| other.org == member.org).count();
    if draft.members.iter().any(|member| seats(member) > most) {
        return wrong(&format!("of {n} members with k = {} no institution may have more than {most}", draft.k));
    }
    Ok(())
}

/// The members as they are registered: the draft must say the same.
fn members(conn: &mut Conn, signed: &SignedDraft) -> Result<Vec<MemberKey>> {
    let mut members = Vec::new();
    for member in &signed.draft().members {
        let i = member.i;
        let row = custodians::queries::custodian(conn, member.custodian.as_str())?;
        let row = row.ok_or_else(|| refusals::ceremony_draft(&format!("member {i}: no such custodian")))?;
        let kem = crate::kernel::encoding::base64url(&member.kem.to_compressed());
        if row.org_id != member.org.as_str() || row.sign_kid != member.sign_kid.to_string() || row.kem != kem {
            let what = format!("member {i}: org, sign_kid and kem must be those that the custodian registered");
            return Err(refusals::ceremony_draft(&what).into());
        }
        let org = OrgId::parse(&row.org_id).map_err(|error| Error::damaged(error.to_string()))?;
        let key = key_of(conn, &org, &row.sign_kid)?;
        members.push(MemberKey { i, custodian: row.id, org: row.org_id, user: row.user_id, key });
    }
    Ok(members)
}

fn key_of(conn: &mut Conn, org: &OrgId, kid: &str) -> Result<PublicKey> {
    let found = signing_keys::active_keys(conn, org, &[kid.to_owned()])?.remove(0);
    let key = found.ok_or_else(refusals::key_not_active)?;
    Ok(PublicKey { kid: kid.to_owned(), alg: key.algorithm().name().to_owned(), public_key: key.to_base64url() })
}

/// A member speaks. The same message again is answered as the first time.
///
/// # Errors
/// 404; the rules' refusal; 422 where the message is not right, saying what.
pub fn speak(
    tx: &mut Tx<'_>,
    keys: &Keys,
    actor: &Actor,
    user: &UserId,
    id: &str,
    new: &NewMessage,
) -> Result<CeremonyView> {
    let mut ceremony = queries::ceremony(tx.conn(), id)?;
    let rows = queries::messages(tx.conn(), id)?;
    let wrong = |reason: &str| refusals::ceremony_message(reason);
    let spoken = Spoken::parse(&new.message).map_err(|error| wrong(error.reason()))?;
    let text = spoken.jws().to_json();
    if rows.iter().any(|row| row.body == text) {
        return view(tx.conn(), &ceremony);
    }
    let lot = lots::queries::lot(tx.conn(), &ceremony.row.lot_id)?;
    let member = spoken.member();
    let speaker = ceremony.member_of(user.as_str()).filter(|key| key.i == member).cloned();
    let said = |step: &str| rows.iter().any(|row| row.step == step && row.member == i64::from(member));
    let place = ceremony.place_of(&spoken);
    let facts = CeremonyFacts {
        is_member: speaker.is_some(),
        first_word: !(said(&place) || (spoken.event() == CeremonyEvent::Complain && said("accept"))),
        in_time: tx.now().millis() < ceremony.row.expires_at,
        ..facts(ceremony.state, &lot.initiator)
    };
    ceremony.state = step(&facts, spoken.event(), actor)?;
    let speaker = speaker.ok_or_else(refusals::not_found)?;
    spoken.verify(&ceremony, &speaker.key.verifying()?).map_err(|error| wrong(error.reason()))?;
    let mut transcript = spoken::transcript(&ceremony, &rows)?;
    spoken::hear(&mut transcript, &spoken).map_err(|error| wrong(error.reason()))?;
    let backups = check_backups(&ceremony, &spoken, &new.backups)?;
    let heard = rows.iter().filter(|row| row.step == spoken.step()).count() + 1;
    follow(tx, keys, &lot, &mut ceremony, &spoken, &transcript, heard)?;
    let mut record = record("ceremony.message", &lot)
        .public("step", spoken.step())
        .public("member", member)
        .public("digest", spoken.digest())
        .public("state", ceremony.state);
    if let Some(culprit) = ceremony.body.culprit {
        record = record.public("culprit", culprit).public("cause", &ceremony.body.cause);
    }
    let (row, _) = tx.update(&ceremony.row.clone(), ceremony.to_row()?, record)?;
    let (owner_id, owner_version, member) = (row.id.clone(), row.version, i64::from(member));
    let stored = MessageRow { owner_id: owner_id.clone(), owner_version, step: place, member, body: text };
    tx.beside(|conn| changes::store_message(conn, &stored))?;
    if let Some(body) = backups {
        tx.beside(|conn| changes::store_backup(conn, &BackupRow { owner_id, owner_version, member, body }))?;
    }
    view(tx.conn(), &Ceremony::read(row)?)
}

/// Backups come with the acceptance, one for each group, and with nothing else.
fn check_backups(ceremony: &Ceremony, spoken: &Spoken, backups: &[Value]) -> Result<Option<String>> {
    let expected = match spoken {
        Spoken::Accept(_) => ceremony.draft.draft().groups.len(),
        _ => 0,
    };
    let readable = backups.iter().all(|backup| Backup::parse(backup.to_string().as_bytes()).is_ok());
    if backups.len() != expected || !readable {
        return Err(refusals::ceremony_message("backups: one sealed share for each group, with the acceptance").into());
    }
    Ok((expected > 0).then(|| Value::from(backups.to_vec()).to_string()))
}

/// What follows from a message: the next step, the key sets, or the end. `heard` counts the messages of its step.
fn follow(
    tx: &mut Tx<'_>,
    keys: &Keys,
    lot: &Lot,
    ceremony: &mut Ceremony,
    spoken: &Spoken,
    transcript: &Transcript,
    heard: usize,
) -> Result<()> {
    let wrong = |reason: &str| refusals::ceremony_message(reason);
    let mut accepted = Vec::new();
    match spoken {
        Spoken::Complaint(signed) => {
            let verdict = judge(transcript, signed.message()).map_err(|error| wrong(error.reason()))?;
            ceremony.body.culprit = Some(verdict.culprit());
            ceremony.body.cause = Some(cause(verdict).into());
            return Ok(());
        }
        Spoken::Rehearsal(signed) => {
            let sets = ceremony_key_sets(transcript)?;
            if !sets.iter().any(|set| rehearsal::verify(set, signed.list())) {
                return Err(wrong("rehearsal_does_not_verify").into());
            }
            return Ok(());
        }
        Spoken::Accept(signed) => {
            let sets = ceremony_key_sets(transcript)?;
            let digest = transcript.digest().map_err(|error| wrong(error.reason()))?;
            if *signed.message() != Accept::new(signed.message().head, digest, &sets) {
                // The member has seen something else than the platform: nobody can trust this ceremony any more.
                ceremony.state = CeremonyState::Aborted;
                ceremony.body.cause = Some("transcripts_differ".into());
                return Ok(());
            }
            accepted = sets;
        }
        Spoken::Commit(_) | Spoken::Round1(_) | Spoken::Round2(_) => {}
    }
    if heard < ceremony.body.members.len() {
        return Ok(());
    }
    let complete = CeremonyFacts { complete: true, ..facts(ceremony.state, &lot.initiator) };
    ceremony.state = step(&complete, CeremonyEvent::Advance, &Actor::System)?;
    if ceremony.state == CeremonyState::Active {
        for key_set in accepted {
            ceremony.body.key_sets.push(key_sets::ops::publish(tx, keys, lot, &key_set)?);
        }
    }
    Ok(())
}

fn ceremony_key_sets(transcript: &Transcript) -> Result<Vec<KeySet>> {
    transcript.key_sets().map_err(|error| refusals::ceremony_message(error.reason()).into())
}

const fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accused(_) => "wrong_share_dealt",
        Verdict::Complainer(_) => "false_complaint",
    }
}

/// Gives a ceremony up.
///
/// # Errors
/// 404; the rules' refusal.
pub fn abandon(tx: &mut Tx<'_>, actor: &Actor, id: &str, reason: &str) -> Result<CeremonyView> {
    let mut ceremony = queries::ceremony(tx.conn(), id)?;
    let lot = lots::queries::lot(tx.conn(), &ceremony.row.lot_id)?;
    let facts = CeremonyFacts { reason_given: !reason.trim().is_empty(), ..facts(ceremony.state, &lot.initiator) };
    ceremony.state = step(&facts, CeremonyEvent::Abandon, actor)?;
    ceremony.body.cause = Some("abandoned".into());
    let record = record("ceremony.abandoned", &lot).restricted("reason", reason);
    let (row, _) = tx.update(&ceremony.row.clone(), ceremony.to_row()?, record)?;
    view(tx.conn(), &Ceremony::read(row)?)
}

/// Ends a ceremony whose time has run out. Returns whether it did.
///
/// # Errors
/// The database's.
pub fn expire(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let mut ceremony = queries::ceremony(tx.conn(), id)?;
    if !RUNNING.contains(&ceremony.state) || tx.now().millis() < ceremony.row.expires_at {
        return Ok(false);
    }
    let lot = lots::queries::lot(tx.conn(), &ceremony.row.lot_id)?;
    let late = CeremonyFacts { in_time: false, ..facts(ceremony.state, &lot.initiator) };
    let silent = waiting_for(&ceremony, &queries::messages(tx.conn(), id)?);
    ceremony.state = step(&late, CeremonyEvent::Expire, &Actor::System)?;
    ceremony.body.cause = Some("expired".into());
    let record = record("ceremony.expired", &lot).public("silent", &silent);
    tx.update(&ceremony.row.clone(), ceremony.to_row()?, record)?;
    Ok(true)
}

/// Members whose message the step still waits for.
fn waiting_for(ceremony: &Ceremony, rows: &[MessageRow]) -> Vec<u8> {
    let steps = match ceremony.state {
        CeremonyState::Active => (0..ceremony.body.key_sets.len()).map(rehearsal_of).collect(),
        state if RUNNING.contains(&state) => vec![state.name().to_owned()],
        _ => return Vec::new(),
    };
    let said = |step: &String, i: u8| rows.iter().any(|row| row.step == *step && row.member == i64::from(i));
    let waits = |i: &u8| !steps.iter().all(|step| said(step, *i));
    ceremony.body.members.iter().map(|member| member.i).filter(waits).collect()
}

/// A ceremony as the API shows it.
///
/// # Errors
/// When what is stored does not have the form it was written in.
pub fn view(conn: &mut Conn, ceremony: &Ceremony) -> Result<CeremonyView> {
    let rows = queries::messages(conn, &ceremony.row.id)?;
    let damaged = |what: &str| Error::damaged(format!("ceremony {}: {what}", ceremony.row.id));
    let mut messages: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in &rows {
        let value = serde_json::from_str(&row.body).map_err(|error| damaged(&error.to_string()))?;
        messages.entry(row.step.clone()).or_default().push(value);
    }
    Ok(CeremonyView {
        id: CeremonyId::parse(&ceremony.row.id).map_err(|error| damaged(&error.to_string()))?,
        version: ceremony.row.version,
        lot_id: LotId::parse(&ceremony.row.lot_id).map_err(|error| damaged(&error.to_string()))?,
        state: ceremony.state.name().into(),
        digest: ceremony.row.digest.clone(),
        expires_at: Timestamp::from_millis(ceremony.row.expires_at),
        draft: ceremony.body.draft.clone(),
        tenderer: ceremony.body.tenderer.clone(),
        members: ceremony.body.members.clone(),
        waiting_for: waiting_for(ceremony, &rows),
        messages,
        culprit: ceremony.body.culprit,
        cause: ceremony.body.cause.clone(),
        key_sets: ceremony.body.key_sets.clone(),
    })
}

/// The sealed shares of the member that a person is.
///
/// # Errors
/// 404 where the person is no member, or has not accepted.
pub fn backups(conn: &mut Conn, user: &UserId, id: &str) -> Result<BackupsView> {
    let ceremony = queries::ceremony(conn, id)?;
    let member = ceremony.member_of(user.as_str()).ok_or_else(refusals::not_found)?.i;
    let row = queries::backup(conn, id, member)?.ok_or_else(refusals::not_found)?;
    let backups =
        serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("backup of {id}: {error}")))?;
    Ok(BackupsView { member, backups })
}
