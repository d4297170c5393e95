//! The officials of a drill: the initiator publishes lots, clarifies and answers; the centre reviews and holds the
//! openings. They ask until they are answered, and what they are told is written down.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::people::Person;
use super::play::{DAY, DAYS_TO_DEADLINE, Stage};
use super::{DrillError, Result};
use crate::client::{ClientError, new_key};
use crate::kernel::time::Timestamp;

/// How long a box may take to be closed and unsealed, killed servers included.
const OPENING: Duration = Duration::from_secs(120);
/// How often the centre looks.
const LOOK: Duration = Duration::from_millis(150);

fn failed(what: &str) -> impl FnOnce(ClientError) -> DrillError + '_ {
    move |error| DrillError::Wrong(format!("{what}: {error}"))
}

/// Does something with a lot, once, whatever is killed meanwhile.
fn act(stage: &Stage, person: &Person, lot: &str, action: &str, body: &Value) -> Result<()> {
    let (path, key) = (format!("/v1/lots/{lot}/actions/{action}"), new_key());
    let answer: Value = person.insist(|client| client.post_once(&path, body, &key)).map_err(failed(action))?;
    let state = answer["state"].as_str().unwrap_or_default().to_owned();
    stage.journal.told().moves.push((lot.to_owned(), state));
    Ok(())
}

/// A lot that is registered.
pub struct Registered {
    /// The lot.
    pub lot: String,
    /// Its project.
    pub project: String,
}

/// Registers a lot and publishes it; returns it with its deadline.
pub fn publish(stage: &Stage) -> Result<(String, Timestamp)> {
    let Registered { lot, .. } = register(stage, "platform")?;
    let deadline = announce(stage, &lot)?;
    Ok((lot, deadline))
}

/// Registers a lot.
pub fn register(stage: &Stage, key_mode: &str) -> Result<Registered> {
    let initiator = &stage.people.initiator;
    let (code, key) = (new_key(), new_key());
    let project = json!({ "code": code, "name": "Drill", "description": "A drill", "approval_number": "2026-1" });
    let project: Value = initiator
        .insist(|client| client.post_once("/v1/projects", &project, &key))
        .map_err(failed("registering a project"))?;
    let money = |amount: &str| json!({ "amount": amount, "currency": "CNY" });
    let terms = json!({
        "description": "A drill", "currency": "CNY", "approval_number": "2026-1", "no_dispute_declared": true,
        "estimate": money("1000000.00"), "ceiling": money("1000000.00"), "key_mode": key_mode,
    });
    let lot = json!({ "project_id": project["id"], "category": "construction", "title": "Drill", "terms": terms });
    let key = new_key();
    let lot: Value =
        initiator.insist(|client| client.post_once("/v1/lots", &lot, &key)).map_err(failed("registering a lot"))?;
    let text = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
    let registered = Registered { lot: text(&lot), project: text(&project) };
    let lot = &registered.lot;
    initiator
        .insist(|client| client.attach_document(lot, "tender.txt", "text/plain", b"What is to be built."))
        .map_err(failed("attaching a document"))?;
    act(stage, initiator, lot, "submit", &json!({}))?;
    act(stage, &stage.people.centre, lot, "accept", &json!({}))?;
    Ok(registered)
}

/// Publishes a registered lot; returns its deadline.
pub fn announce(stage: &Stage, lot: &str) -> Result<Timestamp> {
    let now = stage.fleet.now();
    let deadline = now.plus_millis(DAYS_TO_DEADLINE * DAY);
    let schedule = json!({
        "doc_issue_start_at": now, "doc_issue_end_at": now.plus_millis(7 * DAY), "deadline_at": deadline, "opens_at": deadline,
    });
    act(stage, &stage.people.initiator, lot, "publish", &schedule)?;
    Ok(deadline)
}

/// Clarifies something, and answers a question that waits.
pub fn clarify(stage: &Stage, lot: &str) -> Result<()> {
    let initiator = &stage.people.initiator;
    let holders = stage.journal.told().holders.get(lot).cloned().unwrap_or_default();
    act(stage, initiator, lot, "clarify", &json!({ "lines": ["A point is made clear."], "affects_bid": false }))?;
    stage.journal.told().clarified.push((lot.to_owned(), holders));
    let path = format!("/v1/lots/{lot}/questions?limit=100");
    let page: Value = initiator.insist(|client| client.get(&path)).map_err(failed("the questions"))?;
    let waiting = page["items"].as_array().into_iter().flatten().find(|question| question["answer"].is_null());
    if let Some(id) = waiting.and_then(|question| question["id"].as_str()) {
        let (path, key) = (format!("/v1/questions/{id}/actions/answer"), new_key());
        let said = json!({ "answer": "As the documents say." });
        initiator.insist(|client| client.post_once::<Value>(&path, &said, &key)).map_err(failed("an answer"))?;
    }
    Ok(())
}

/// Waits until a lot whose deadline has passed is unsealed, and holds the session; or until it ended without an opening.
pub fn open(stage: &Stage, lot: &str) -> Result<()> {
    let mut unsuccessful = false;
    until(&format!("the opening of {lot}"), || {
        unsuccessful = closing(stage, lot)? == "unsuccessful";
        Ok(unsuccessful || session(stage, lot)? == "reading")
    })?;
    if unsuccessful {
        stage.journal.told().unsuccessful.push(lot.to_owned());
        return Ok(());
    }
    ["read-out", "confirm", "close"].into_iter().try_for_each(|action| preside(stage, lot, action).map(drop))?;
    stage.journal.told().opened.push(lot.to_owned());
    Ok(())
}

/// Waits until something is so.
///
/// # Errors
/// When it does not come about.
pub fn until(what: &str, mut so: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !so()? {
        if began.elapsed() > OPENING {
            return Err(DrillError::Wrong(format!("{what} does not go on")));
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// An act of the session.
pub fn preside(stage: &Stage, lot: &str, action: &str) -> Result<Value> {
    let person = if action == "confirm" { &stage.people.initiator } else { &stage.people.centre };
    let (path, key) = (format!("/v1/lots/{lot}/opening/actions/{action}"), new_key());
    person.insist(|client| client.post_once::<Value>(&path, &json!({}), &key)).map_err(failed(action))
}

/// The state of a lot whose deadline has passed. Where it is on hold, somebody decides that it goes on.
pub fn closing(stage: &Stage, lot: &str) -> Result<String> {
    let path = format!("/v1/lots/{lot}");
    let view: Value =
        stage.people.centre.insist(|client| client.get(&path)).map_err(failed("a lot after its deadline"))?;
    if view["state"] == "noticed" {
        go_on(stage, lot, &view)?;
    }
    Ok(view["state"].as_str().unwrap_or_default().to_owned())
}

/// Where the session of a lot stands; empty before there is one.
pub fn session(stage: &Stage, lot: &str) -> Result<String> {
    let path = format!("/v1/lots/{lot}/opening");
    let view: Value = stage.people.centre.insist(|client| client.get(&path)).map_err(failed("the session"))?;
    Ok(view["session"]["state"].as_str().unwrap_or_default().to_owned())
}

/// Nobody served for a part of the last minutes before the deadline: the initiator decides that it goes on.
fn go_on(stage: &Stage, lot: &str, view: &Value) -> Result<()> {
    let held = view["holds"].as_array().into_iter().flatten().any(|hold| hold["kind"] == "incident");
    if !held {
        return Ok(());
    }
    let said = json!({ "kind": "incident", "reason": "The outage was short and nobody was kept from bidding." });
    act(stage, &stage.people.initiator, lot, "release", &said)
}
