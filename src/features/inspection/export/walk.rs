//! Walks a search through the record, page by page, and yields the file as it goes.

use actix_web::web::{Bytes, Data};
use futures_util::stream::{self, Stream};
use serde_json::Value;

use super::{Format, up_to};
use crate::app::App;
use crate::features::inspection::model::{self, EntryFilter, EntryView};
use crate::features::inspection::report::facts::Names;
use crate::features::inspection::{ops, queries, reach};
use crate::features::mandates::model::{Matter, Scope};
use crate::kernel::digest::Hasher;
use crate::kernel::id::LookId;
use crate::kernel::text::Language;
use crate::ledger::audit::Entry;
use crate::ledger::{Context, Error, Result};
use crate::limits;
use crate::refusals;

/// What is exported, for whom.
pub struct Export {
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
    /// What the mandates reached when the export began.
    pub scope: Scope,
    /// NDJSON or CSV.
    pub format: Format,
    /// Of the names of columns.
    pub language: Language,
}

struct Walk {
    export: Export,
    place: Place,
    rows: u64,
    digest: Hasher,
}

enum Place {
    Head,
    /// After this entry.
    Page(Option<(i64, String)>),
    End,
    Done,
}

/// The file, in pieces.
pub fn stream(export: Export) -> impl Stream<Item = std::result::Result<Bytes, Error>> {
    let walk = Walk { export, place: Place::Head, rows: 0, digest: Hasher::new() };
    stream::try_unfold(walk, |mut walk| async move {
        let piece = walk.step().await?;
        Ok(piece.map(|piece| (Bytes::from(piece), walk)))
    })
}

impl Walk {
    /// The next piece; none at the end.
    async fn step(&mut self) -> Result<Option<Vec<u8>>> {
        let piece = match std::mem::replace(&mut self.place, Place::Done) {
            Place::Head => {
                self.place = Place::Page(None);
                self.export.format.head(self.export.language)?
            }
            Place::Page(after) => self.page(after).await?,
            Place::End => self.end().await?,
            Place::Done => return Ok(None),
        };
        self.digest.update(&piece);
        Ok(Some(piece))
    }

    async fn page(&mut self, after: Option<(i64, String)>) -> Result<Vec<u8>> {
        let export = &self.export;
        let (filter, as_of, before) = (up_to(&export.filter, export.entry.at), export.entry.at, export.scope.clone());
        let (rows, names) = reach::read(&export.app, export.user.clone(), export.matter.clone(), move |conn, scope| {
            // A file is made under one scope; where mandates change meanwhile it breaks off.
            if *scope != before {
                return Err(refusals::mandate_missing().into());
            }
            let rows = queries::entries(conn, &filter, scope, as_of, after, limits::EXPORT_PAGE)?;
            let names = Names::load(conn, &rows)?;
            Ok((rows, names))
        })
        .await?;
        let entries: Vec<EntryView> = rows.iter().map(model::view).collect::<Result<_>>()?;
        self.rows += rows.len() as u64;
        let full = i64::try_from(rows.len()).is_ok_and(|found| found >= limits::EXPORT_PAGE);
        let last = rows.last().filter(|_| full).map(|row| (row.at_ms, row.entry_id.clone()));
        self.place = last.map_or(Place::End, |last| Place::Page(Some(last)));
        self.export.format.rows(&entries, &names)
    }

    /// The last line, once the record says the same.
    async fn end(&mut self) -> Result<Vec<u8>> {
        let Export { app, context, matter, question, look, entry, format, .. } = &self.export;
        let piece = format.end(self.rows, &entry.entry_id, entry.at)?;
        let mut digest = self.digest.clone();
        digest.update(&piece);
        let (matter, question, look) = (matter.clone(), question.clone(), look.clone());
        let (rows, digest) = (self.rows, digest.finish());
        app.ledger
            .commit(context.clone(), move |tx| ops::exported(tx, &look, &matter, &question, rows, digest))
            .await?;
        Ok(piece)
    }
}
