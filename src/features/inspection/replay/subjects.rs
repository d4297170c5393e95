//! Rows against the last entry of their stream: every subject table, by the type with which its feature writes it.

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::{ReplayReport, Tail};
use crate::db::Conn;
use crate::db::schema::audit_entry;
use crate::features::accounts::model::{OrganisationRow, ServiceClientRow, SigningKeyRow, UserRow};
use crate::features::bids::model::{BidRow, RefusalRow};
use crate::features::break_glass::model::BreakGlassRow;
use crate::features::calendar::model::CalendarYearRow;
use crate::features::ceremonies::model::CeremonyRow;
use crate::features::custodians::model::CustodianRow;
use crate::features::documents::model::{DocumentRow, FollowerRow};
use crate::features::erasure::model::ErasureRow;
use crate::features::evaluation::model::{EvaluationRow, ReportRow};
use crate::features::key_sets::model::KeySetRow;
use crate::features::lots::model::LotRow;
use crate::features::mandates::model::MandateRow;
use crate::features::notices::model::NoticeRow;
use crate::features::opening::model::{ObjectionRow, OpeningRow, UnsealingRow};
use crate::features::partials::model::{PartialListRow, SnapshotRow};
use crate::features::projects::model::ProjectRow;
use crate::features::questions::model::QuestionRow;
use crate::kernel::id::{
    BidId, BreakGlassId, CalendarYearId, ClientId, DocumentId, ErasureId, EvaluationId, FetchId, KeyId, KeySetId,
    LotId, MandateId, NoticeId, ObjectionId, OpeningId, OrgId, ProjectId, QuestionId, RefusalId, ReportId, UnsealingId,
    UserId,
};
use crate::kernel::id::{CeremonyId, CustodianId, PartialListId, SnapshotId};
use crate::ledger::audit::row_digest;
use crate::ledger::{Result, Subject};
use crate::limits;

/// A row as far as its entry speaks of it.
struct Found {
    version: i64,
    state: Option<String>,
    digest: String,
}

fn found(row: &impl Subject) -> Result<(String, Found)> {
    let state = row.state().map(str::to_owned);
    Ok((row.id().to_owned(), Found { version: row.version(), state, digest: row_digest(row)? }))
}

macro_rules! subjects {
    ($($id:ident $table:ident $row:ty;)*) => {
        /// The tables that are compared; all of them, as a test sees to.
        #[cfg(test)]
        const TABLES: &[&str] = &[$(stringify!($table)),*];

        /// The rows of these ids in the table of their kind; `None` where ids of this kind name no subject.
        fn load(conn: &mut Conn, kind: &str, ids: Vec<String>) -> Result<Option<HashMap<String, Found>>> {
            match kind {
                $($id::PREFIX => {
                    use crate::db::schema::$table::dsl;
                    let rows: Vec<$row> = dsl::$table.filter(dsl::id.eq_any(ids)).select(<$row>::as_select()).load(conn)?;
                    rows.iter().map(found).collect::<Result<_>>().map(Some)
                })*
                _ => Ok(None),
            }
        }

        /// Names rows that no entry explains.
        pub(super) fn without_entries(conn: &mut Conn, report: &mut ReplayReport) -> Result<()> {
            $({
                use crate::db::schema::$table::dsl;
                let entries = audit_entry::table.filter(audit_entry::stream.eq(dsl::id));
                let ids: Vec<String> = dsl::$table.filter(not(exists(entries))).order(dsl::id.asc()).limit(limits::REPLAY_PAGE).select(dsl::id).load(conn)?;
                for id in ids {
                    report.add(None, &id, concat!("a row of ", stringify!($table), " without any entry"));
                }
            })*
            Ok(())
        }
    };
}

subjects! {
    OrgId organisations OrganisationRow;
    UserId users UserRow;
    KeyId signing_keys SigningKeyRow;
    ClientId service_clients ServiceClientRow;
    ProjectId projects ProjectRow;
    LotId lots LotRow;
    DocumentId documents DocumentRow;
    QuestionId questions QuestionRow;
    NoticeId notices NoticeRow;
    FetchId followers FollowerRow;
    CalendarYearId calendar_years CalendarYearRow;
    KeySetId key_sets KeySetRow;
    BidId bids BidRow;
    RefusalId refusals RefusalRow;
    OpeningId openings OpeningRow;
    UnsealingId unsealings UnsealingRow;
    ObjectionId objections ObjectionRow;
    EvaluationId evaluations EvaluationRow;
    ReportId reports ReportRow;
    MandateId mandates MandateRow;
    BreakGlassId break_glasses BreakGlassRow;
    ErasureId erasures ErasureRow;
    CustodianId custodians CustodianRow;
    CeremonyId ceremonies CeremonyRow;
    SnapshotId snapshots SnapshotRow;
    PartialListId partial_lists PartialListRow;
}

/// Compares streams that were read to their end with the rows they explain.
pub(super) fn compare(conn: &mut Conn, report: &mut ReplayReport, tails: &[Tail]) -> Result<()> {
    let mut kinds: BTreeMap<&str, Vec<&Tail>> = BTreeMap::new();
    for tail in tails {
        let kind = tail.stream.split_once('-').map_or("", |(kind, _)| kind);
        kinds.entry(kind).or_default().push(tail);
    }
    for (kind, tails) in kinds {
        let ids = tails.iter().map(|tail| tail.stream.clone()).collect();
        let rows = load(conn, kind, ids)?.unwrap_or_default();
        for tail in tails {
            let row = rows.get(&tail.stream);
            report.subjects += u64::from(row.is_some());
            for what in differences(tail, row) {
                report.add(Some(&tail.entry_id), &tail.stream, what);
            }
        }
    }
    Ok(())
}

fn differences(tail: &Tail, row: Option<&Found>) -> Vec<String> {
    let mut wrong = Vec::new();
    match (row, &tail.object) {
        // A look or an attempt: an entry that explains no row.
        (None, None) => {}
        (None, Some(_)) => wrong.push("the row is gone".to_owned()),
        (Some(_), None) => wrong.push("the entry explains no row, but there is one".to_owned()),
        (Some(row), Some(object)) => {
            if row.version != tail.rev {
                wrong.push(format!("the row is at version {}, its last entry at {}", row.version, tail.rev));
            }
            if row.state != tail.to {
                wrong.push(format!("the row is {:?}, its last entry led to {:?}", row.state, tail.to));
            }
            if row.digest != *object {
                wrong.push("the row is not what its last entry recorded".to_owned());
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subject_table_is_left_out() {
        let sorted = |tables: &[&'static str]| {
            let mut tables = tables.to_vec();
            tables.sort_unstable();
            tables
        };
        assert_eq!(sorted(TABLES), sorted(crate::db::grants::subject_tables()));
    }

    #[test]
    fn a_row_that_is_not_what_its_last_entry_says_is_found() {
        let tail = |object: Option<&str>| Tail {
            stream: "lot-1".into(),
            rev: 2,
            entry_id: "ent-1".into(),
            commitment: Vec::new(),
            to: Some("draft".into()),
            object: object.map(str::to_owned),
            edition: None,
        };
        let row = |version: i64, state: &str, digest: &str| Found {
            version,
            state: Some(state.into()),
            digest: digest.into(),
        };
        assert!(differences(&tail(Some("d")), Some(&row(2, "draft", "d"))).is_empty());
        assert!(differences(&tail(None), None).is_empty());
        for (tail, row) in [
            (tail(Some("d")), Some(row(1, "draft", "d"))),
            (tail(Some("d")), Some(row(2, "closed", "d"))),
            (tail(Some("d")), Some(row(2, "draft", "e"))),
            (tail(Some("d")), None),
            (tail(None), Some(row(2, "draft", "d"))),
        ] {
            assert_eq!(differences(&tail, row.as_ref()).len(), 1);
        }
    }
}
