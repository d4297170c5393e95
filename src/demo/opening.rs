//! The opening session, as the centre and the initiator hold it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::cast::Cast;
use super::{DemoError, During, Result};
use crate::kernel::money::Money;

/// A bid as it was read out.
#[derive(Clone, Debug, Deserialize)]
pub struct ReadOut {
    /// The bid.
    pub bid_id: String,
    /// Its outcome.
    pub outcome: String,
    /// Its price.
    pub price: Option<Money>,
}

#[derive(Deserialize)]
struct OpeningAnswer {
    session: SessionAnswer,
    #[serde(default)]
    failures: Vec<FailedAnswer>,
    #[serde(default)]
    record: Option<RecordAnswer>,
}

#[derive(Deserialize)]
struct SessionAnswer {
    state: String,
}

#[derive(Deserialize)]
struct FailedAnswer {
    bid_id: String,
}

#[derive(Deserialize)]
struct RecordAnswer {
    bids: Vec<ReadOut>,
    #[serde(default)]
    reserve: Option<ReadOut>,
}

/// What a session brought to light.
pub struct Session {
    /// Every bid of the box.
    pub bids: Vec<ReadOut>,
    /// The reserve price, where the initiator may see it.
    pub reserve: Option<ReadOut>,
}

/// Holds the session of a lot whose box is unsealed: nothing is shown before the read-out, everything after it.
pub fn hold(cast: &Cast, lot: &str) -> Result<Session> {
    let (centre, initiator) = (&cast.centre, &cast.initiator.client);
    let path = format!("/v1/lots/{lot}/opening");
    let before: OpeningAnswer = centre.get(&path).during("the session before the read-out")?;
    if before.session.state != "reading" || before.record.is_some() {
        return Err(DemoError::Differs(format!(
            "before the read-out of {lot} the session is {} and shows {}",
            before.session.state,
            before.record.map_or("nothing", |_| "the box")
        )));
    }
    for failed in &before.failures {
        let said = json!({ "bid_id": failed.bid_id, "cause": "bidder", "reason": "Its content is not a bid that can be read out." });
        let _: Value = initiator.post(&format!("{path}/actions/attribute"), &said).during("naming a cause")?;
    }
    let _: Value = centre.act(&format!("{path}/actions/read-out")).during("the read-out")?;
    let _: Value = initiator.act(&format!("{path}/actions/confirm")).during("confirming the record")?;
    let _: Value = centre.act(&format!("{path}/actions/close")).during("closing the session")?;
    let after: OpeningAnswer = initiator.get(&path).during("the session after it closed")?;
    let record = after.record.ok_or_else(|| DemoError::Differs(format!("{lot} was read out and shows nothing")))?;
    Ok(Session { bids: record.bids, reserve: record.reserve })
}
