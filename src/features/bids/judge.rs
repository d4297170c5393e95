//! What becomes of a submission: read only, so that a check answers what the submission itself would be answered.
//!
//! The order matters. What is on record already is answered first, whatever the time; then the rules speak, since their
//! refusals are put on record; then what concerns this bid alone: its revision, its keys, its uploads.

use super::model::{Bid, Recorded};
use super::queries::{Ground, Seen};
use super::submission::Submission;
use super::{queries, refusals};
use crate::db::Conn;
use crate::features::lots::model::Lot;
use crate::features::uploads;
use crate::features::uploads::model::{COMPLETE, Purpose, UploadRow};
use crate::features::uploads::ops::Use;
use crate::kernel::digest::Digest;
use crate::kernel::id::OrgId;
use crate::kernel::role::Actor;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};
use crate::limits;
use crate::refusals as common;
use crate::rules::bid::{BidEvent, BidFacts, BidState, step_bid};
use crate::rules::refusal::Refusal;
use crate::seal::envelope::SignedEnvelope;

/// What becomes of a submission.
pub enum Verdict {
    /// It is on record already.
    Known(Recorded),
    /// It goes into the box.
    Admitted(Box<Admitted>),
    /// A rule refuses it.
    Refused(Box<Lot>, BidEvent, Box<Refusal>),
}

/// A submission that goes into the box.
pub struct Admitted {
    /// The lot.
    pub lot: Lot,
    /// The bid as it stands.
    pub before: Option<Bid>,
    /// What the submission is to it.
    pub event: BidEvent,
    /// The state that follows.
    pub state: BidState,
    /// The uploads with the payloads, in the order of the envelopes.
    pub uploads: Vec<UploadRow>,
}

/// Judges a submission of a bid.
///
/// # Errors
/// Everything that is no rule's refusal: 404, `bid-rev-stale`, `enc-reused`, `upload-incomplete` and the like.
pub fn judge(conn: &mut Conn, actor: &Actor, org: &OrgId, received_at: Timestamp, sub: &Submission) -> Result<Verdict> {
    let seen = queries::seen(conn, &sub.envelope_ids(), &sub.encs())?;
    if let Some(recorded) = seen.recorded(conn, org, &sub.envelope_ids())? {
        return Ok(Verdict::Known(recorded));
    }
    let Ground { lot, before, confirmed } = queries::ground(conn, &sub.lot_id, org)?;
    let same_payload = before.as_ref().is_some_and(|bid| bid.has_payloads_of(&sub.envelopes));
    let event = event(before.as_ref(), same_payload, &sub.doc_rev);
    let facts =
        BidFacts { named_revision: sub.doc_rev, same_payload, ..facts(&lot, before.as_ref(), confirmed, received_at)? };
    let state = match step_bid(lot.edition, &facts, event, actor) {
        Ok(state) => state,
        Err(refusal) => return Ok(Verdict::Refused(Box::new(lot), event, Box::new(refusal))),
    };
    check_versions(&seen, before.as_ref(), sub)?;
    let uploads = find_uploads(conn, &lot.row.id, org, Purpose::Bid, before.as_ref(), &sub.envelopes)?;
    Ok(Verdict::Admitted(Box::new(Admitted { lot, before, event, state, uploads })))
}

/// What a submission is to the bid as it stands.
fn event(before: Option<&Bid>, same_payload: bool, doc_rev: &Digest) -> BidEvent {
    match before {
        None => BidEvent::Submit,
        Some(bid) if bid.state == BidState::Withdrawn => BidEvent::Submit,
        Some(bid) if same_payload && bid.body.document_revision != *doc_rev => BidEvent::Confirm,
        Some(_) => BidEvent::Replace,
    }
}

/// The facts of a bid, but for what only a header names.
///
/// # Errors
/// 404 for a lot that was never published.
pub fn facts(lot: &Lot, before: Option<&Bid>, confirmed: bool, received_at: Timestamp) -> Result<BidFacts> {
    let (Some(deadline_at), Some(current_revision)) = (lot.deadline_at(), lot.body.document_revision) else {
        return Err(common::not_found().into());
    };
    Ok(BidFacts {
        state: before.map_or(BidState::None, |bid| standing(bid.state)),
        lot_state: lot.state,
        initiator: lot.initiator.clone(),
        received_at,
        bidding_opens_at: lot.body.schedule.bidding_opens_at,
        deadline_at,
        named_revision: current_revision,
        current_revision,
        organisation_confirmed: confirmed,
        withdrawal_allowed: lot.body.terms.withdrawal_allowed,
        same_payload: false,
    })
}

/// A bid that was opened lay in the box: what stands against a later act of its bidder is the deadline, so that is what
/// the bidder is told. The lot's own state refuses such an act in any case.
fn standing(state: BidState) -> BidState {
    match state {
        BidState::Opened | BidState::Qualified | BidState::UndecryptedRevoked | BidState::UndecryptedWithdrawn => {
            BidState::Submitted
        }
        state => state,
    }
}

/// Checks that a submission is newer than what is on record, and its ephemeral keys fresh.
///
/// # Errors
/// `bid-rev-stale`, `bid-versions-exhausted`, `enc-reused`.
pub fn check_versions(seen: &Seen, before: Option<&Bid>, sub: &Submission) -> Result<()> {
    if before.is_some_and(|bid| i64::from(sub.rev) <= bid.row.rev) {
        return Err(refusals::rev_stale().into());
    }
    if before.is_some_and(|bid| bid.row.version >= limits::BID_VERSIONS) {
        return Err(refusals::too_many_versions().into());
    }
    if seen.has_enc(&sub.encs()) {
        return Err(refusals::enc_reused().into());
    }
    Ok(())
}

/// Finds, for each envelope, the organisation's own complete upload of exactly its payload, free or in use by the bid as it
/// stands.
///
/// # Errors
/// `upload-not-found`, `upload-incomplete`, `upload-mismatch`, `upload-attached-elsewhere`.
pub fn find_uploads(
    conn: &mut Conn,
    lot_id: &str,
    org: &OrgId,
    purpose: Purpose,
    before: Option<&Bid>,
    envelopes: &[SignedEnvelope],
) -> Result<Vec<UploadRow>> {
    let owner = before.map_or("", |bid| bid.row.id.as_str());
    let mut found = Vec::new();
    for ctx in envelopes.iter().map(SignedEnvelope::ctx) {
        let size = i64::try_from(ctx.ciphertext_len()).map_err(|_| Error::internal("a payload beyond its bound"))?;
        let candidates = uploads::queries::by_root(conn, org.as_str(), lot_id, size, &ctx.root.to_string())?;
        let best = candidates
            .into_iter()
            .min_by_key(|row| preference(row, owner, purpose))
            .ok_or_else(common::upload_not_found)?;
        let used = Use { lot_id, purpose, size: ctx.ciphertext_len(), root: &ctx.root, attached_to: owner };
        uploads::ops::check_use(&best, &used)?;
        found.push(best);
    }
    Ok(found)
}

/// Of several uploads of one payload: the one that this bid has already, else a complete one, else one that can still
/// become complete.
fn preference(row: &UploadRow, owner: &str, purpose: Purpose) -> u8 {
    match (row.attached_to.as_deref(), row.state.as_str()) {
        _ if row.purpose != purpose.name() => 4,
        (Some(other), _) if other == owner => 0,
        (Some(_), _) => 3,
        (None, COMPLETE) => 1,
        (None, _) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::bids::model::{BID, BidBody, BidRow};
    use crate::features::uploads::model::OPEN;
    use crate::kernel::digest::sha256;

    fn bid(state: BidState, revision: &Digest) -> Bid {
        let body = BidBody { document_revision: *revision, sealed_version: 1, parts: Vec::new(), withdrawal: None };
        let row = BidRow {
            id: "bid-1".into(),
            version: 1,
            state: state.name().into(),
            kind: BID.into(),
            lot_id: "lot-1".into(),
            org_id: OrgId::ordered(Timestamp::from_millis(0)).into_string(),
            rev: 1,
            received_at: 0,
            body: serde_json::to_string(&body).expect("JSON"),
        };
        Bid::read(row).expect("well formed")
    }

    #[test]
    fn a_header_submits_replaces_or_confirms_by_what_stands_in_the_box() {
        let (old, new) = (sha256(b"old"), sha256(b"new"));
        assert_eq!(event(None, false, &new), BidEvent::Submit);
        assert_eq!(event(Some(&bid(BidState::Withdrawn, &old)), true, &new), BidEvent::Submit);
        let standing = bid(BidState::Submitted, &old);
        assert_eq!(event(Some(&standing), true, &new), BidEvent::Confirm);
        assert_eq!(event(Some(&standing), true, &old), BidEvent::Replace, "the same payload under the same documents");
        assert_eq!(event(Some(&standing), false, &new), BidEvent::Replace, "another payload");
    }

    #[test]
    fn after_the_opening_a_bid_stands_as_it_lay_in_the_box() {
        for state in
            [BidState::Opened, BidState::UndecryptedRevoked, BidState::UndecryptedWithdrawn, BidState::Submitted]
        {
            assert_eq!(standing(state), BidState::Submitted);
        }
        assert_eq!(standing(BidState::Withdrawn), BidState::Withdrawn);
    }

    #[test]
    fn of_several_uploads_of_a_payload_the_one_in_use_is_kept() {
        let row = |state: &str, attached: Option<&str>, purpose: Purpose| UploadRow {
            id: "upl-1".into(),
            org_id: "org-1".into(),
            lot_id: Some("lot-1".into()),
            purpose: purpose.name().into(),
            size_bytes: 1,
            chunk_bytes: 1,
            root: String::new(),
            state: state.into(),
            attached_to: attached.map(str::to_owned),
            created_at: 0,
            expires_at: 0,
        };
        let order = [
            row(COMPLETE, Some("bid-1"), Purpose::Bid),
            row(COMPLETE, None, Purpose::Bid),
            row(OPEN, None, Purpose::Bid),
            row(COMPLETE, Some("bid-2"), Purpose::Bid),
            row(COMPLETE, None, Purpose::Reserve),
        ];
        let found: Vec<u8> = order.iter().map(|row| preference(row, "bid-1", Purpose::Bid)).collect();
        assert_eq!(found, [0, 1, 2, 3, 4]);
        assert_eq!(preference(&order[0], "", Purpose::Bid), 3, "a new bid takes nothing from another");
    }
}
