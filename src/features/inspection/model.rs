//! Entries of the record as an inspector sees them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::digest::sha256;
use crate::kernel::encoding::hex;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::EntryRow;
use crate::ledger::{Error, Result};

/// The kind under which a look at the record is itself on record.
pub const LOOKED: &str = "inspection.looked";

/// What an inspector looks for; a field that is absent asks for nothing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EntryFilter {
    /// Of this lot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// Of this project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// About this organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// By this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Recorded at this instant or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Recorded before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Looks of inspectors too.
    pub include_looks: bool,
}

impl EntryFilter {
    /// The name of the list that the filter makes: a cursor of one search is not good for another.
    pub fn list(&self) -> String {
        let text = serde_json::to_string(self).expect("a filter is plain data with text keys");
        format!("entries {}", sha256(text.as_bytes()))
    }
}

/// An entry of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntryView {
    /// The entry.
    pub entry_id: String,
    /// What happened, `noun.verb`.
    pub kind: String,
    /// The subject whose version it explains.
    pub stream: String,
    /// The subject's version, from 1 without gaps.
    pub rev: i64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The lot it belongs to.
    pub lot_id: Option<String>,
    /// The project it belongs to.
    pub project_id: Option<String>,
    /// The organisation it is about.
    pub org_id: Option<String>,
    /// The user who acted; none where the platform did.
    pub actor_id: Option<String>,
    /// It was hidden until its lot was opened or ended.
    pub sealed: bool,
    /// Part p: what may be published.
    #[schema(value_type = Object)]
    pub public: serde_json::Value,
    /// Part c: for inspectors.
    #[schema(value_type = Object)]
    pub restricted: serde_json::Value,
    /// The commitment over the three parts, hex.
    pub commitment: String,
    /// The number of its leaf in the public log; null until the published checkpoint covers it.
    pub leaf_index: Option<u64>,
}

/// One part of an entry with what is needed to recompute its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenPart {
    /// The part exactly as it was hashed.
    pub text: String,
    /// Its salt: 32 bytes, hex.
    pub salt: String,
    /// SHA-256("sealbid/audit/part/v1/" || letter || 0x0A || salt || text), hex.
    pub digest: String,
}

/// An entry with everything by which an outsider recomputes its commitment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OpenEntry {
    /// The entry.
    pub entry: EntryView,
    /// Commitment of the stream's previous entry, hex.
    pub prev: Option<String>,
    /// Part p.
    pub p: OpenPart,
    /// Part c.
    pub c: OpenPart,
    /// The digest of part i, hex; its text is personal and not shown.
    pub i_digest: String,
    /// Whether part i was erased: its digest stays, and the commitment still follows.
    pub i_erased: bool,
    /// The proof that the published checkpoint covers it, as a file of tlog-proof that `sealbid verify receipt` reads; null until it does.
    pub proof: Option<String>,
}

/// A row, with the leaf that it is, as the API shows it.
///
/// # Errors
/// When a stored part is not JSON any more.
pub fn view(row: &EntryRow, leaf_index: Option<u64>) -> Result<EntryView> {
    let parsed = |text: &str| {
        serde_json::from_str(text).map_err(|error| Error::damaged(format!("entry {}: {error}", row.entry_id)))
    };
    Ok(EntryView {
        entry_id: row.entry_id.clone(),
        kind: row.kind.clone(),
        stream: row.stream.clone(),
        rev: row.rev,
        at: Timestamp::from_millis(row.at_ms),
        lot_id: row.lot_id.clone(),
        project_id: row.project_id.clone(),
        org_id: row.org_id.clone(),
        actor_id: row.actor_id.clone(),
        sealed: row.sealed,
        public: parsed(&row.part_p)?,
        restricted: parsed(&row.part_c)?,
        commitment: hex(&row.c),
        leaf_index,
    })
}

/// A row with what opens its commitment and, once it is covered, its leaf and the proof.
///
/// # Errors
/// When a stored part is not JSON any more.
pub fn open(row: &EntryRow, erased: bool, leaf_index: Option<u64>, proof: Option<String>) -> Result<OpenEntry> {
    let part = |text: &str, salt: &[u8], digest: &[u8]| OpenPart {
        text: text.to_owned(),
        salt: hex(salt),
        digest: hex(digest),
    };
    Ok(OpenEntry {
        entry: view(row, leaf_index)?,
        prev: row.prev.as_deref().map(hex),
        p: part(&row.part_p, &row.s_p, &row.h_p),
        c: part(&row.part_c, &row.s_c, &row.h_c),
        i_digest: hex(&row.h_i),
        i_erased: erased,
        proof,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_filter_makes_another_list() {
        let text = || Some("x".to_owned());
        let at = Some(Timestamp::from_millis(0));
        let none = EntryFilter::default;
        let filters = [
            none(),
            EntryFilter { lot: text(), ..none() },
            EntryFilter { project: text(), ..none() },
            EntryFilter { org: text(), ..none() },
            EntryFilter { actor: text(), ..none() },
            EntryFilter { kind: text(), ..none() },
            EntryFilter { from: at, ..none() },
            EntryFilter { to: at, ..none() },
            EntryFilter { include_looks: true, ..none() },
        ];
        let lists: std::collections::BTreeSet<String> = filters.iter().map(EntryFilter::list).collect();
        assert_eq!(lists.len(), filters.len());
    }
}
