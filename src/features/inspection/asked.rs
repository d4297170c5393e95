//! A search of which the whole is taken away, read page by page.
//!
//! Invariant: every page shows the record as of one instant, that of the look that was recorded for it, and under the scope
//! that it began with; where mandates change meanwhile it breaks off.

use actix_web::web::Data;
use serde_json::Value;

use super::leaves::Leaves;
use super::model::{self, EntryFilter, EntryView};
use super::report::facts::Names;
use super::{ops, queries, reach};
use crate::app::App;
use crate::features::mandates::model::{Matter, Scope};
use crate::kernel::digest::Digest;
use crate::kernel::id::LookId;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::{Entry, EntryRow};
use crate::ledger::{Context, Result};
use crate::limits;
use crate::refusals;

/// The place after which the next page begins.
pub type After = Option<(i64, String)>;

/// What is taken away, and for whom.
pub struct Asked {
    /// The platform.
    pub app: Data<App>,
    /// The inspector.
    pub user: String,
    /// The inspector, as the record names whoever asks.
    pub context: Context,
    /// For which matter.
    pub matter: Matter,
    /// What the look on record asked.
    pub question: Value,
    /// The stream of that look.
    pub look: LookId,
    /// The entry of that look; the file stands for the instant at which it was recorded.
    pub entry: Entry,
    /// What is looked for.
    pub filter: EntryFilter,
    /// What the mandates reached when it began.
    pub scope: Scope,
}

/// A page of what was found.
pub struct Found {
    /// The entries, newest first.
    pub rows: Vec<EntryRow>,
    /// Names of whom they speak of.
    pub names: Names,
    /// Their leaves.
    pub leaves: Leaves,
    /// Where the next page begins; none after the last.
    pub next: After,
}

impl Found {
    /// The entries as the API shows them.
    ///
    /// # Errors
    /// When a stored part is not JSON any more.
    pub fn views(&self) -> Result<Vec<EntryView>> {
        self.rows.iter().map(|row| model::view(row, self.leaves.of(&row.entry_id))).collect()
    }
}

impl Asked {
    /// A page of it.
    ///
    /// # Errors
    /// 403 where the mandates do not reach what they reached; the database's.
    pub async fn page(&self, after: After) -> Result<Found> {
        let (filter, as_of, before) = (up_to(&self.filter, self.entry.at), self.entry.at, self.scope.clone());
        reach::read(&self.app, self.user.clone(), self.matter.clone(), move |conn, scope| {
            if *scope != before {
                return Err(refusals::mandate_missing().into());
            }
            let rows = queries::entries(conn, &filter, scope, as_of, after, limits::EXPORT_PAGE)?;
            let names = Names::load(conn, &rows)?;
            let leaves = Leaves::load(conn, rows.iter().map(|row| &row.entry_id))?;
            let full = i64::try_from(rows.len()).is_ok_and(|found| found >= limits::EXPORT_PAGE);
            let next = rows.last().filter(|_| full).map(|row| (row.at_ms, row.entry_id.clone()));
            Ok(Found { rows, names, leaves, next })
        })
        .await
    }

    /// Puts on record that the file was made to its end.
    ///
    /// # Errors
    /// The database's; then the file stays without its end.
    pub async fn made(&self, rows: u64, digest: Digest) -> Result<()> {
        let (matter, question, look) = (self.matter.clone(), self.question.clone(), self.look.clone());
        let done =
            move |tx: &mut crate::ledger::Tx<'_>| ops::exported(tx, &look, &matter, &question, rows, digest).map(drop);
        self.app.ledger.commit(self.context.clone(), done).await
    }
}

/// The filter of what is read: nothing that was recorded after the look.
fn up_to(filter: &EntryFilter, as_of: Timestamp) -> EntryFilter {
    let end = as_of.plus_millis(1);
    EntryFilter { to: Some(filter.to.map_or(end, |to| to.min(end))), ..filter.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_ends_at_its_look_or_before() {
        let at = |ms| Timestamp::from_millis(ms);
        let to = |to| EntryFilter { to, ..EntryFilter::default() };
        assert_eq!(up_to(&to(None), at(5)).to, Some(at(6)));
        assert_eq!(up_to(&to(Some(at(9))), at(5)).to, Some(at(6)));
        assert_eq!(up_to(&to(Some(at(3))), at(5)).to, Some(at(3)));
    }
}
