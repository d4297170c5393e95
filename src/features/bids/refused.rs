//! Refusing on record: an act that is in order and correctly signed, and that a rule does not allow, is itself a use
//! case. Its sealed entry and the signed refusal let the bidder prove what it tried and when.
//!
//! Invariant: one row for one act. The same act refused again for the same reason gets the same refusal; for another
//! reason (too early first, too late then) it is the row's next version. Limited in number, so that nobody can fill the
//! record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Recorded, RefusalBody, RefusalRow};
use super::ops::{Done, by_server};
use super::{queries, refusals};
use crate::features::lots::model::Lot;
use crate::kernel::digest::Digest;
use crate::kernel::id::{OrgId, RefusalId};
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;
use crate::rules::bid::{BID_TABLE, BidEvent};
use crate::rules::catalogue::RuleId;
use crate::rules::refusal::{Obstacle, Refusal, Retry};

/// Codes that the tables' reader itself gives, besides those of the guards.
const OF_EVERY_TABLE: [&str; 2] = ["state-forbids", "not-your-act"];

/// A refusal by a rule, as stored and as its owner reads it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Turned {
    /// Stable code.
    pub code: String,
    /// The kind of obstacle.
    pub obstacle: Obstacle,
    /// The rule that refused.
    pub rule: Option<String>,
    /// What was, and what was needed.
    pub detail: Bilingual,
    /// What would have made it possible.
    pub hint: Bilingual,
    /// The earliest moment at which it could become possible, where time alone decided.
    pub possible_at: Option<Timestamp>,
    /// Whether to try again.
    pub retry: Retry,
}

impl From<&Refusal> for Turned {
    fn from(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code.to_owned(),
            obstacle: refusal.obstacle,
            rule: refusal.rule.map(|rule| rule.to_string()),
            detail: refusal.detail.clone(),
            hint: refusal.hint.clone(),
            possible_at: refusal.possible_at,
            retry: refusal.retry,
        }
    }
}

impl Turned {
    /// The refusal again, to be answered with.
    ///
    /// # Errors
    /// When the code is none that a bid's rules give.
    pub fn refusal(&self) -> Result<Refusal> {
        let guards = BID_TABLE.iter().flat_map(|row| row.when).map(|guard| guard.code);
        let code = guards.chain(OF_EVERY_TABLE).find(|code| *code == self.code);
        Ok(Refusal {
            code: code.ok_or_else(|| Error::damaged(format!("refusal code {}", self.code)))?,
            obstacle: self.obstacle,
            rule: self.rule.as_deref().and_then(RuleId::parse),
            detail: self.detail.clone(),
            hint: self.hint.clone(),
            possible_at: self.possible_at,
            retry: self.retry,
        })
    }
}

/// An act that is in order.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What is tried.
    pub event: BidEvent,
    /// Makes the act the same act: for a submission the digest over its envelopes' ids, for a withdrawal its statement's id.
    pub header: &'a Digest,
    /// The envelopes of a submission.
    pub envelope_ids: &'a [Digest],
    /// The signed objects, as they came.
    pub signed: &'a [String],
}

/// Puts on record that a rule refused an act.
///
/// # Errors
/// `rate-limited` when enough is on record already.
pub fn turn_away(tx: &mut Tx<'_>, org: &OrgId, lot: &Lot, attempt: &Attempt<'_>, refusal: &Refusal) -> Result<Done> {
    let before = queries::refusal(tx.conn(), org, attempt.header)?;
    if let Some(known) = before.as_ref().filter(|row| row.code == refusal.code) {
        let body: RefusalBody = serde_json::from_str(&known.body)
            .map_err(|error| Error::damaged(format!("refusal {}: {error}", known.id)))?;
        let recorded = queries::version_entry(tx.conn(), &known.id, known.version)?;
        return Ok(Done::Refused { recorded, refusal: body.refusal });
    }
    if before.is_none() && queries::count_refusals(tx.conn(), &lot.row.id, org)? >= limits::REFUSALS_PER_LOT {
        return Err(refusals::too_many_refusals().into());
    }
    let turned = Turned::from(refusal);
    let body = RefusalBody { refusal: turned.clone(), signed: attempt.signed.to_vec() };
    let received_at = tx.context().received_at;
    let row = RefusalRow {
        id: before.as_ref().map_or_else(|| RefusalId::random().into_string(), |row| row.id.clone()),
        version: 0,
        lot_id: lot.row.id.clone(),
        org_id: org.to_string(),
        code: refusal.code.to_owned(),
        header_sha256: attempt.header.to_string(),
        received_at: received_at.millis(),
        body: serde_json::to_string(&body).map_err(|error| Error::internal(error.to_string()))?,
    };
    let mut record = Record::new("bid.refused")
        .sealed()
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .org(org.as_str())
        .public("event", attempt.event)
        .public("code", refusal.code)
        .public("rule", refusal.rule)
        .public("received_at", received_at)
        .public("deadline_at", lot.deadline_at());
    record = if attempt.envelope_ids.is_empty() {
        record.public("statement", attempt.header)
    } else {
        record.public("envelope_ids", attempt.envelope_ids)
    };
    let record = by_server(tx, record);
    let (_, entry) = match &before {
        None => tx.insert(row, record)?,
        Some(before) => tx.update(before, row, record)?,
    };
    Ok(Done::Refused { recorded: Recorded::from(&entry), refusal: turned })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &'static str) -> Refusal {
        Refusal {
            code,
            obstacle: Obstacle::State,
            rule: RuleId::parse("ENG-14"),
            detail: Bilingual::new("迟到", "late"),
            hint: Bilingual::new("", ""),
            possible_at: Some(Timestamp::from_millis(1)),
            retry: Retry::Never,
        }
    }

    #[test]
    fn every_refusal_of_a_bid_reads_back_as_what_was_said() {
        let codes = BID_TABLE.iter().flat_map(|row| row.when).map(|guard| guard.code).chain(OF_EVERY_TABLE);
        for code in codes {
            let text = serde_json::to_string(&Turned::from(&refusal(code))).expect("JSON");
            let read: Turned = serde_json::from_str(&text).expect("reads back");
            assert_eq!(read.refusal().expect("a known code"), refusal(code), "{code}");
        }
    }

    #[test]
    fn a_stored_refusal_with_an_unknown_code_is_damage() {
        let turned = Turned { code: "made-up".into(), ..Turned::from(&refusal("bid-late")) };
        assert!(turned.refusal().is_err());
    }
}
