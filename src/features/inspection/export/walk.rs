//! Walks a search through the record, page by page, and yields the file as it goes.

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};

use super::Format;
use crate::features::inspection::asked::{After, Asked};
use crate::kernel::digest::Hasher;
use crate::kernel::text::Language;
use crate::ledger::{Error, Result};

/// What is exported, and how.
pub struct Export {
    /// The search.
    pub asked: Asked,
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
    Page(After),
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

    async fn page(&mut self, after: After) -> Result<Vec<u8>> {
        let found = self.export.asked.page(after).await?;
        let piece = self.export.format.rows(&found.views()?, &found.names)?;
        self.rows += found.rows.len() as u64;
        self.place = found.next.map_or(Place::End, |next| Place::Page(Some(next)));
        Ok(piece)
    }

    /// The last line, once the record says the same.
    async fn end(&mut self) -> Result<Vec<u8>> {
        let Export { asked, format, .. } = &self.export;
        let piece = format.end(self.rows, &asked.entry.entry_id, asked.entry.at)?;
        let mut digest = self.digest.clone();
        digest.update(&piece);
        asked.made(self.rows, digest.finish()).await?;
        Ok(piece)
    }
}
