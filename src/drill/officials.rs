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

/// Registers a lot and publishes it; returns it with its deadline.
pub fn publish(stage: &Stage) -> Result<(String, Timestamp)> {
    let initiator = &stage.people.initiator;
    let (code, key) = (new_key(), new_key());
    let project = json!({ "code": code, "name": "Drill", "description": "A drill", "approval_number": "2026-1" });
    let project: Value = initiator
        .insist(|client| client.post_once("/v1/projects", &project, &key))
        .map_err(failed("registering a project"))?;
    let money = |amount: &str| json!({ "amount": amount, "currency": "CNY" });
    let terms = json!({
        "description": "A drill", "currency": "CNY", "approval_number": "2026-1", "no_dispute_declared": true,
        "estimate": money("1000000.00"), "ceiling": money("1000000.00"),
    });
    let lot = json!({ "project_id": project["id"], "category": "construction", "title": "Drill", "terms": terms });
    let key = new_key();
    let lot: Value =
        initiator.insist(|client| client.post_once("/v1/lots", &lot, &key)).map_err(failed("registering a lot"))?;
    let lot = lot["id"].as_str().unwrap_or_default().to_owned();
    initiator
        .insist(|client| client.attach_document(&lot, "tender.txt", "text/plain", b"What is to be built."))
        .map_err(failed("attaching a document"))?;
    act(stage, initiator, &lot, "submit", &json!({}))?;
    act(stage, &stage.people.centre, &lot, "accept", &json!({}))?;
    let now = stage.fleet.now();
    let deadline = now.plus_millis(DAYS_TO_DEADLINE * DAY);
    let schedule = json!({
        "doc_issue_start_at": now, "doc_issue_end_at": now.plus_millis(7 * DAY), "deadline_at": deadline, "opens_at": deadline,
    });
    act(stage, initiator, &lot, "publish", &schedule)?;
    Ok((lot, deadline))
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
    let began = Instant::now();
    loop {
        let view: Value = stage
            .people
            .centre
            .insist(|client| client.get(&format!("/v1/lots/{lot}")))
            .map_err(failed("a lot after its deadline"))?;
        match view["state"].as_str().unwrap_or_default() {
            "unsuccessful" => {
                stage.journal.told().unsuccessful.push(lot.to_owned());
                return Ok(());
            }
            "opening" if session(stage, lot)? == "reading" => break,
            "noticed" => go_on(stage, lot, &view)?,
            _ => {}
        }
        if began.elapsed() > OPENING {
            return Err(DrillError::Wrong(format!("the opening of {lot} does not go on: {view}")));
        }
        std::thread::sleep(LOOK);
    }
    for (person, action) in
        [(&stage.people.centre, "read-out"), (&stage.people.initiator, "confirm"), (&stage.people.centre, "close")]
    {
        let (path, key) = (format!("/v1/lots/{lot}/opening/actions/{action}"), new_key());
        person.insist(|client| client.post_once::<Value>(&path, &json!({}), &key)).map_err(failed(action))?;
    }
    stage.journal.told().opened.push(lot.to_owned());
    Ok(())
}

fn session(stage: &Stage, lot: &str) -> Result<String> {
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
