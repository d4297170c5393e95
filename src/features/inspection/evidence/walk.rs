//! Measures what a search finds, then yields the archive as it goes.

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::json;

use super::archive::Archive;
use crate::features::inspection::asked::{After, Asked, Found};
use crate::features::inspection::export::table::{self, CONTENTS};
use crate::kernel::digest::Hasher;
use crate::kernel::text::Language;
use crate::ledger::{Error, Result};
use crate::limits;
use crate::log::{model, opened, queries as log};
use crate::refusals;
use crate::tlog::evidence::{self, Manifest};
use crate::tlog::needed::Needed;
use crate::tlog::tiles::Tile;

/// An archive that is about to be written.
pub struct Bundle {
    asked: Asked,
    /// Of the names of columns.
    language: Language,
    /// Leaves under the checkpoint.
    size: u64,
    checkpoint: String,
    keys: Vec<u8>,
    policy: Vec<u8>,
    /// The first line of the entries.
    first: Vec<u8>,
    /// Entries that the checkpoint covers.
    entries: u64,
    /// Entries that were found and are not covered yet: they are left out.
    not_yet: u64,
    entries_len: u64,
    contents_len: u64,
    tiles: Vec<Tile>,
}

struct Walk {
    bundle: Bundle,
    archive: Archive,
    place: Place,
    digest: Hasher,
}

enum Place {
    Head,
    /// Entries after this one.
    Entries(After),
    /// Tiles from this one on.
    Tiles(usize),
    /// Rows of the table of contents after this entry.
    Contents(After),
    End,
    Done,
}

/// Fixes the checkpoint, and measures what is found under it.
///
/// # Errors
/// 409 where nothing is published yet; the database's or the disk's.
pub async fn prepare(asked: Asked, language: Language) -> Result<Bundle> {
    // Whatever this checkpoint covers was committed before, and is found from here on.
    let head = asked.app.reader.read(log::head).await?;
    let public_log = asked.app.log.clone();
    let files = move || {
        let file = |name| Ok::<_, Error>(public_log.directory().read(name)?);
        Ok((file(evidence::KEYS)?, file(evidence::POLICY)?))
    };
    let (Some(checkpoint), (Some(keys), Some(policy))) = (head.published, asked.app.blocking(files).await?) else {
        return Err(refusals::state_forbids(
            "公共日志尚未发布检查点,还没有可供证明的内容;请在下一个检查点发布后再试。",
            "The public log has published no checkpoint yet, so nothing can be proven; ask again after the next one.",
        )
        .into());
    };
    let size = model::size(head.published_size);
    let (mut entries, mut not_yet, mut entries_len) = (0, 0, 0);
    let mut contents_len = table::head(CONTENTS, language)?.len();
    let (mut needed, mut after) = (Needed::of_tree(size), None);
    loop {
        let found = asked.page(after).await?;
        let covered = covered(&found, size);
        covered.iter().for_each(|(_, index)| needed.add(*index));
        entries += covered.len() as u64;
        not_yet += (found.rows.len() - covered.len()) as u64;
        entries_len += lines(&found, size).len();
        contents_len += rows(&found, size)?.len();
        match found.next {
            None => break,
            next => after = next,
        }
    }
    let origin = &asked.app.log.settings().origin;
    let first = json!({ "v": 1, "kind": evidence::KIND, "origin": origin, "entries": entries });
    let first = format!("{first}\n").into_bytes();
    let entries_len = (first.len() + entries_len) as u64;
    let (contents_len, tiles) = (contents_len as u64, needed.into_tiles());
    Ok(Bundle {
        asked,
        language,
        size,
        checkpoint,
        keys,
        policy,
        first,
        entries,
        not_yet,
        entries_len,
        contents_len,
        tiles,
    })
}

/// The archive, in pieces.
pub fn stream(bundle: Bundle) -> impl Stream<Item = std::result::Result<Bytes, Error>> {
    let walk = Walk { bundle, archive: Archive::default(), place: Place::Head, digest: Hasher::new() };
    stream::try_unfold(walk, |mut walk| async move {
        let piece = walk.step().await?;
        Ok(piece.map(|piece| (Bytes::from(piece), walk)))
    })
}

impl Walk {
    /// The next piece; none at the end.
    async fn step(&mut self) -> Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        self.place = match std::mem::replace(&mut self.place, Place::Done) {
            Place::Head => self.head(&mut out)?,
            Place::Entries(after) => self.entries(&mut out, after).await?,
            Place::Tiles(from) => self.tiles(&mut out, from).await?,
            Place::Contents(after) => self.contents(&mut out, after).await?,
            Place::End => self.end(&mut out).await?,
            Place::Done => return Ok(None),
        };
        self.digest.update(&out);
        Ok(Some(out))
    }

    fn head(&mut self, out: &mut Vec<u8>) -> Result<Place> {
        let Bundle { policy, keys, checkpoint, first, entries_len, .. } = &self.bundle;
        self.archive.whole(out, evidence::POLICY, policy)?;
        self.archive.whole(out, evidence::KEYS, keys)?;
        self.archive.whole(out, evidence::CHECKPOINT, checkpoint.as_bytes())?;
        self.archive.begin(out, evidence::ENTRIES, *entries_len)?;
        self.archive.write(out, first);
        Ok(Place::Entries(None))
    }

    async fn entries(&mut self, out: &mut Vec<u8>, after: After) -> Result<Place> {
        let found = self.bundle.asked.page(after).await?;
        self.archive.write(out, &lines(&found, self.bundle.size));
        if found.next.is_some() {
            return Ok(Place::Entries(found.next));
        }
        self.archive.end(out)?;
        Ok(Place::Tiles(0))
    }

    async fn tiles(&mut self, out: &mut Vec<u8>, from: usize) -> Result<Place> {
        let next: Vec<Tile> = self.bundle.tiles.iter().skip(from).take(limits::EVIDENCE_TILES).copied().collect();
        if next.is_empty() {
            self.archive.begin(out, evidence::CONTENTS, self.bundle.contents_len)?;
            self.archive.write(out, &table::head(CONTENTS, self.bundle.language)?);
            return Ok(Place::Contents(None));
        }
        let (public_log, count) = (self.bundle.asked.app.log.clone(), next.len());
        let read = move || {
            let tile = |tile: Tile| Ok((tile, public_log.directory().tile(&tile)?));
            next.into_iter().map(tile).collect::<Result<Vec<_>>>()
        };
        for (tile, bytes) in self.bundle.asked.app.blocking(read).await? {
            self.archive.whole(out, &tile.to_string(), &bytes)?;
        }
        Ok(Place::Tiles(from + count))
    }

    async fn contents(&mut self, out: &mut Vec<u8>, after: After) -> Result<Place> {
        let found = self.bundle.asked.page(after).await?;
        self.archive.write(out, &rows(&found, self.bundle.size)?);
        if found.next.is_some() {
            return Ok(Place::Contents(found.next));
        }
        self.archive.end(out)?;
        Ok(Place::End)
    }

    /// The manifest, once the record says that the archive was made.
    async fn end(&mut self, out: &mut Vec<u8>) -> Result<Place> {
        let manifest = self.bundle.manifest(self.archive.members())?;
        self.archive.whole(out, evidence::MANIFEST, manifest.as_bytes())?;
        Archive::finish(out);
        let mut digest = self.digest.clone();
        digest.update(out);
        self.bundle.asked.made(self.bundle.entries, digest.finish()).await?;
        Ok(Place::Done)
    }
}

impl Bundle {
    /// The name that the file is given.
    pub fn file_name(&self) -> String {
        super::file_name(self.asked.entry.at)
    }

    /// The signed manifest.
    fn manifest(&self, members: &[evidence::Member]) -> Result<String> {
        let Asked { app, matter, question, entry, .. } = &self.asked;
        let about = json!({
            "as_of": entry.at, "entries": self.entries, "look": entry.entry_id, "matter": matter, "not_yet": self.not_yet,
            "query": question, "size": self.size,
        });
        let manifest =
            Manifest { origin: app.log.settings().origin.clone(), about: about.to_string(), members: members.to_vec() };
        app.promise_note(&manifest.text())
    }
}

/// The places, in a page, of entries that a tree of `size` leaves covers, and their leaves.
fn covered(found: &Found, size: u64) -> Vec<(usize, u64)> {
    let leaf = |(at, row): (usize, &crate::ledger::audit::EntryRow)| Some((at, found.leaves.of(&row.entry_id)?));
    found.rows.iter().enumerate().filter_map(leaf).filter(|(_, index)| *index < size).collect()
}

/// Opened entries. The personal part stays closed, as everywhere in the inspection.
fn lines(found: &Found, size: u64) -> Vec<u8> {
    let line =
        |(at, index): (usize, u64)| format!("{}\n", opened::line(&found.rows[at], index, true, None)).into_bytes();
    covered(found, size).into_iter().flat_map(line).collect()
}

/// Rows of the table of contents.
fn rows(found: &Found, size: u64) -> Result<Vec<u8>> {
    let mut views = found.views()?;
    views.retain(|view| view.leaf_index.is_some_and(|index| index < size));
    table::rows(CONTENTS, &views, &found.names)
}
