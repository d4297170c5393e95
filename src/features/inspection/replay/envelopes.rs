//! Envelopes: each is what its header says, and the versions of bids on record have exactly the envelopes they name.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::ReplayReport;
use super::entry::PublicPart;
use crate::db::Conn;
use crate::db::schema::{audit_entry, bid_envelopes};
use crate::features::bids::model::EnvelopeRow;
use crate::kernel::id::BidId;
use crate::ledger::Result;
use crate::ledger::audit::EntryRow;
use crate::limits;
use crate::seal::envelope::SignedEnvelope;

/// An envelope that an entry names.
pub(super) struct Named {
    entry_id: String,
    stream: String,
    envelope_id: String,
}

/// The envelopes that the entry of a bid's version names.
pub(super) fn named(row: &EntryRow, part: &PublicPart) -> Vec<Named> {
    if BidId::parse(&row.stream).is_err() {
        return Vec::new();
    }
    ids(part)
        .into_iter()
        .map(|envelope_id| Named { entry_id: row.entry_id.clone(), stream: row.stream.clone(), envelope_id })
        .collect()
}

fn ids(part: &PublicPart) -> Vec<String> {
    let listed = part.data.get("envelope_ids").and_then(|list| list.as_array());
    listed.into_iter().flatten().filter_map(|id| id.as_str()).map(str::to_owned).collect()
}

/// Names envelopes that an entry names and that are gone.
pub(super) fn gone(conn: &mut Conn, report: &mut ReplayReport, named: &[Named]) -> Result<()> {
    let page = usize::try_from(limits::REPLAY_PAGE).unwrap_or(1);
    for chunk in named.chunks(page) {
        let wanted: Vec<String> = chunk.iter().map(|named| named.envelope_id.clone()).collect();
        let found: Vec<String> = bid_envelopes::table
            .filter(bid_envelopes::envelope_id.eq_any(wanted))
            .select(bid_envelopes::envelope_id)
            .load(conn)?;
        let found: HashSet<String> = found.into_iter().collect();
        for named in chunk.iter().filter(|named| !found.contains(&named.envelope_id)) {
            report.add(Some(&named.entry_id), &named.stream, format!("envelope {} is gone", named.envelope_id));
        }
    }
    Ok(())
}

/// Compares every envelope with its header, and with the entry of the version that it belongs to.
pub(super) fn compare(conn: &mut Conn, report: &mut ReplayReport) -> Result<()> {
    let mut after = String::new();
    loop {
        let page: Vec<EnvelopeRow> = bid_envelopes::table
            .filter(bid_envelopes::envelope_id.gt(&after))
            .order(bid_envelopes::envelope_id.asc())
            .limit(limits::REPLAY_PAGE)
            .select(EnvelopeRow::as_select())
            .load(conn)?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.envelope_id);
        let listed = listed_by_owners(conn, &page)?;
        for row in &page {
            report.envelopes += 1;
            let owner = listed.get(&(row.owner_id.clone(), row.owner_version));
            for what in differences(row, owner) {
                report.add(None, &row.owner_id, format!("envelope {}: {what}", row.envelope_id));
            }
        }
    }
}

/// What the versions that these envelopes belong to name, by bid and version.
fn listed_by_owners(conn: &mut Conn, page: &[EnvelopeRow]) -> Result<HashMap<(String, i64), Vec<String>>> {
    let owners: Vec<String> = page.iter().map(|row| row.owner_id.clone()).collect();
    let rows: Vec<(String, i64, String)> = audit_entry::table
        .filter(audit_entry::stream.eq_any(owners))
        .select((audit_entry::stream, audit_entry::rev, audit_entry::part_p))
        .load(conn)?;
    // A part that cannot be read names nothing; that it cannot be read is said where entries are checked.
    let listed = |text: &str| serde_json::from_str::<PublicPart>(text).map(|part| ids(&part)).unwrap_or_default();
    Ok(rows.into_iter().map(|(stream, rev, part)| ((stream, rev), listed(&part))).collect())
}

fn differences(row: &EnvelopeRow, owner: Option<&Vec<String>>) -> Vec<String> {
    let mut wrong = Vec::new();
    match owner {
        None => wrong.push("it belongs to no recorded version".to_owned()),
        Some(ids) if !ids.contains(&row.envelope_id) => {
            wrong.push("the entry of its version does not name it".to_owned())
        }
        Some(_) => {}
    }
    let envelope = match SignedEnvelope::parse(row.header.as_bytes()) {
        Ok(envelope) => envelope,
        Err(error) => {
            wrong.push(format!("its header cannot be read: {}", error.reason()));
            return wrong;
        }
    };
    let ctx = envelope.ctx();
    let pairs = [
        ("id", envelope.id().to_string() == row.envelope_id),
        ("lot", ctx.lot.as_str() == row.lot_id),
        ("organisation", ctx.bidder.as_str() == row.org_id),
        ("part", ctx.part.name() == row.part),
    ];
    wrong.extend(
        pairs.iter().filter(|(_, same)| !same).map(|(name, _)| format!("its {name} is not what its header says")),
    );
    wrong
}
