//! Evidence bundles: an archive of opened entries with the tiles that prove them.
//!
//! Promises: every byte of the archive is looked at, and what is damaged is named by its file; *proven* is said only where the
//! manifest is signed by a promise key that is believed, every file is the one that it lists, the checkpoint is believed,
//! and every entry is a leaf under its root. The table of contents and the policy in the archive are compared with the manifest
//! alone: nothing is believed because of them. Whether a stream is complete cannot follow from a part of the record.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;

use serde::Deserialize;
use serde_json::Value;

use super::disclosure::{Lines, is_leaf};
use super::opened::{Header, Opened};
use super::report::{Failure, Proven, Result};
use super::source::Source;
use super::tree::Tree;
use super::trust::Trust;
use crate::kernel::digest::{Digest, Hasher};
use crate::kernel::text::Bilingual;
use crate::limits;
use crate::seal::tar::{BLOCK_LEN, header, padding_len, parse};
use crate::tlog::evidence::{CHECKPOINT, CONTENTS, ENTRIES, KEYS, KIND, MANIFEST, Manifest, Member, POLICY};
use crate::tlog::note::{Note, NoteError, Verifier};
use crate::tlog::tiles::{Content, Tile, WIDTH, width_in};

/// The first line of the list of keys.
const KEYS_HEADER: &str = "sealbid/audit/keys/v1";
/// The files that are no tiles.
const PLAIN: [&str; 6] = [POLICY, KEYS, CHECKPOINT, ENTRIES, CONTENTS, MANIFEST];

/// An archive, read once from its beginning to its end.
struct Archive<'a> {
    file: &'a File,
    /// Where contents begin, by name.
    places: HashMap<String, (u64, u64)>,
    /// In the order in which they stand.
    members: Vec<Member>,
}

/// What the manifest says of the whole.
#[derive(Deserialize)]
struct About {
    size: u64,
    entries: u64,
    not_yet: u64,
    as_of: String,
    look: String,
    matter: String,
    query: Value,
}

/// A file of the archive.
struct Section<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Source for Archive<'_> {
    fn read(&self, path: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(section) = self.section(path) else { return Ok(None) };
        // One byte more than wanted tells that a file is too long.
        let mut bytes = Vec::new();
        section.take(most as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// Checks an archive, which is read from its beginning whatever was read of `file` before.
///
/// # Errors
/// Refuted with the file of the archive, its line or its entry; undecided where no key that is believed signed it.
pub fn check(trust: &Trust, place: &str, file: &File) -> Result<Proven> {
    let archive = Archive::scan(place, file)?;
    let note = archive.text(MANIFEST, limits::VERIFY_MANIFEST_BYTES)?;
    let known = trust.text(MANIFEST, &note);
    if let Err(refuted @ Failure::Refuted(_)) = known {
        return Err(refuted);
    }
    let text = Note::parse(&note).map_err(|error| malformed(&error.to_string()))?.text();
    let manifest = Manifest::parse(text).ok_or_else(|| malformed("lines"))?;
    let about: About = serde_json::from_str(&manifest.about).map_err(|error| malformed(&error.to_string()))?;
    archive.is_as_listed(&manifest)?;
    let signed_by = match known {
        Ok((_, key)) => key.to_string(),
        Err(unknown) => archive.listed_key(trust, &manifest.origin, &note, unknown)?,
    };
    let head = trust.head(CHECKPOINT, &archive.text(CHECKPOINT, limits::VERIFY_TEXT_BYTES)?)?;
    let (origin, size) = (&head.checkpoint().origin, head.checkpoint().size);
    if *origin != manifest.origin || size != about.size {
        return Err(Failure::refuted(
            CHECKPOINT,
            "该检查点不是清单所说的检查点。",
            format!(
                "it is of {origin} with {size} leaves, and the manifest names {} with {}",
                manifest.origin, about.size
            ),
        ));
    }
    let mut tree = Tree::open(&archive, head.checkpoint())?;
    let tiles = archive.tiles(&mut tree)?;
    let entries = archive.entries(origin, &mut tree)?;
    if entries != about.entries {
        return Err(Failure::refuted(
            ENTRIES,
            format!("清单称有 {} 条,实有 {entries} 条。", about.entries),
            format!("the manifest announces {} entries, and there are {entries}", about.entries),
        ));
    }
    let said = Proven::new(Bilingual::new(
        format!("档案完整且由平台签署,其中 {entries} 条记录均在日志中。"),
        format!("the archive is whole and signed by the platform, and each of its {entries} entries is in the log"),
    ));
    let said = said.with("entries", "条数", "entries", entries).with("tiles", "日志文件", "tiles", tiles);
    let said = said.with("not_yet", "尚未入日志、未收录", "found and not covered yet, left out", about.not_yet);
    let said = said.with("as_of", "截至", "as of", about.as_of).with("look", "查阅记录", "look on record", about.look);
    let said = said.with("matter", "案号", "matter", about.matter).with("query", "查询", "query", about.query);
    Ok(head.tell(said.with("manifest_by", "清单签名密钥", "manifest signed by the key", signed_by)))
}

fn malformed(what: &str) -> Failure {
    Failure::refuted(MANIFEST, format!("清单不合格式:{what}"), format!("the manifest is not in the form: {what}"))
}

impl<'a> Archive<'a> {
    /// Reads it once: names, digests, and that there is nothing else in it.
    fn scan(place: &str, file: &'a File) -> Result<Self> {
        let mut archive = Self { file, places: HashMap::new(), members: Vec::new() };
        let mut reader = BufReader::with_capacity(64 * 1024, Section { file, at: 0, left: u64::MAX });
        let mut at = 0;
        loop {
            let after = archive.members.last().map_or("its beginning", |member| &member.name);
            let here = format!("{place}, byte {at}, after {after}");
            let block = block(&mut reader, &here)?;
            at += BLOCK_LEN as u64;
            if block == [0; BLOCK_LEN] {
                archive.is_ended(&mut reader, &here)?;
                return Ok(archive);
            }
            let entry = parse(&block).map_err(|error| {
                Failure::refuted(here.clone(), format!("文件头损坏:{error}"), format!("the header of a file: {error}"))
            })?;
            let (name, len) = (entry.path, entry.len);
            let known = PLAIN.contains(&name.as_str()) || Tile::parse(&name).is_some();
            if !known || archive.places.contains_key(&name) || header(&name, len).ok() != Some(block) {
                return Err(Failure::refuted(
                    here,
                    format!("文件 {name} 不应在此,或文件头不合格式。"),
                    format!("the file {name} has no place here, is there twice, or its header is not in the one form"),
                ));
            }
            let sha256 = contents(&mut reader, &name, len)?;
            archive.places.insert(name.clone(), (at, len));
            archive.members.push(Member { name, len, sha256 });
            at += len + padding_len(len) as u64;
        }
    }

    /// Whether the manifest was the last file, and nothing follows the two blocks that end an archive.
    fn is_ended(&self, reader: &mut impl Read, here: &str) -> Result<()> {
        let mut rest = Vec::new();
        let most = BLOCK_LEN as u64 + 1;
        reader.take(most).read_to_end(&mut rest).map_err(|error| unreadable(here, &error))?;
        if rest != [0; BLOCK_LEN] {
            return Err(Failure::refuted(
                here,
                "档案结尾不合格式。",
                "an archive ends with two blocks of zeros and nothing after them",
            ));
        }
        if self.members.last().is_none_or(|member| member.name != MANIFEST) {
            return Err(Failure::refuted(
                here,
                "末尾没有清单:档案不完整。",
                "the manifest does not stand last: the archive is incomplete",
            ));
        }
        Ok(())
    }

    fn section(&self, name: &str) -> Option<Section<'a>> {
        self.places.get(name).map(|(at, len)| Section { file: self.file, at: *at, left: *len })
    }

    /// A small file as text. What is not UTF-8 becomes text that no signature fits.
    fn text(&self, name: &str, most: u64) -> Result<String> {
        let section = self
            .section(name)
            .ok_or_else(|| Failure::refuted(name, "档案中缺少该文件。", "the archive lacks this file"))?;
        if section.left > most {
            return Err(Failure::undecided(name, "文件过大。", "the file is larger than this program reads"));
        }
        let (mut section, mut bytes) = (section, Vec::new());
        section.read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Compares every file with what the manifest lists.
    fn is_as_listed(&self, manifest: &Manifest) -> Result<()> {
        let found = &self.members[..self.members.len() - 1];
        for (at, listed) in manifest.members.iter().enumerate() {
            if found.get(at) != Some(listed) {
                let (len, sha256) = (listed.len, listed.sha256);
                return Err(Failure::refuted(
                    listed.name.clone(),
                    format!("该文件与清单不符:应为 {len} 字节,摘要 {sha256}。"),
                    format!("it is not what the manifest lists at its place: {len} bytes with the digest {sha256}"),
                ));
            }
        }
        match found.get(manifest.members.len()) {
            Some(more) => {
                Err(Failure::refuted(more.name.clone(), "清单中没有该文件。", "the manifest does not list this file"))
            }
            None => Ok(()),
        }
    }

    /// The promise key that signed the manifest, out of the archive's list of keys where a log key that is believed signed that.
    fn listed_key(&self, trust: &Trust, origin: &str, note: &str, unknown: Failure) -> Result<String> {
        let list = self.text(KEYS, limits::VERIFY_TEXT_BYTES)?;
        let bad = |what: String| {
            Failure::refuted(
                KEYS,
                format!("密钥清单不可信:{what}"),
                format!("the list of keys is not to be believed: {what}"),
            )
        };
        let parsed = Note::parse(&list).map_err(|error| bad(error.to_string()))?;
        let mut believed = false;
        for log in trust.policy().logs() {
            match parsed.verify(&log.key) {
                Ok(_) => believed = true,
                Err(NoteError::NotSigned) => {}
                Err(error) => return Err(bad(error.to_string())),
            }
        }
        if !believed {
            return Err(unknown);
        }
        let mut lines = parsed.text().lines();
        if lines.next() != Some(KEYS_HEADER) || lines.next() != Some(origin) {
            return Err(bad("another list, or of another log".into()));
        }
        // A key with a last size signs no more.
        let in_use = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
            ["promise", key, _] => Verifier::parse(key).ok(),
            _ => None,
        };
        let promise = Trust::new(None, lines.filter_map(in_use).collect());
        promise.text(MANIFEST, note).map(|(_, key)| key.to_string())
    }

    /// Checks every tile of the archive; returns how many there are.
    fn tiles(&self, tree: &mut Tree<'_>) -> Result<u64> {
        let mut count = 0;
        for tile in self.members.iter().filter_map(|member| Tile::parse(&member.name)) {
            let level = match tile.content {
                Content::Hashes(level) => level,
                Content::Entries => 0,
            };
            if tile.width != width_in(tree.size(), level, tile.n) {
                return Err(Failure::refuted(
                    tile.to_string(),
                    "该文件不属于检查点的树。",
                    "the tree of the checkpoint has no such tile",
                ));
            }
            match tile.content {
                Content::Hashes(level) => drop(tree.tile(level, tile.n)?),
                Content::Entries => drop(tree.bundle(tile.n)?),
            }
            count += 1;
        }
        Ok(count)
    }

    /// Checks that every entry is the leaf that it is said to be, and stands there once; returns how many there are.
    fn entries(&self, origin: &str, tree: &mut Tree<'_>) -> Result<u64> {
        let section = self
            .section(ENTRIES)
            .ok_or_else(|| Failure::refuted(ENTRIES, "档案中缺少该文件。", "the archive lacks this file"))?;
        let mut lines = Lines::new(BufReader::with_capacity(64 * 1024, section), ENTRIES);
        let first = lines.read()?.map(str::to_owned);
        let header = Header::read(&lines.place(), first.as_deref().unwrap_or_default(), KIND, origin)?;
        // A bit for each leaf of a tile of which there is an entry.
        let mut seen: BTreeMap<u64, [u64; 4]> = BTreeMap::new();
        let mut count = 0;
        while let Some(line) = lines.read()?.map(str::to_owned) {
            let opened = Opened::read(&lines.place(), &line)?;
            let place = format!("{}, entry {}", lines.place(), opened.index);
            opened.public(&place)?;
            is_leaf(tree, &opened, &place)?;
            let at = opened.index % WIDTH;
            let (word, bit) = ((at / 64) as usize, 1 << (at % 64));
            let bits = &mut seen.entry(opened.index / WIDTH).or_default()[word];
            if *bits & bit != 0 {
                return Err(Failure::refuted(place, "该记录重复出现。", "the entry is there twice"));
            }
            *bits |= bit;
            count += 1;
        }
        if header.entries == Some(count) {
            return Ok(count);
        }
        Err(Failure::refuted(
            lines.place(),
            format!("首行所称条数与实有 {count} 条不符。"),
            format!("the first line announces another number of entries than the {count} that there are"),
        ))
    }
}

fn unreadable(place: &str, error: &io::Error) -> Failure {
    Failure::undecided(place, format!("无法读取:{error}"), format!("it cannot be read: {error}"))
}

fn cut(place: &str, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Failure::refuted(place, "文件到此中断:档案不完整。", "the file ends here: the archive is incomplete");
    }
    unreadable(place, error)
}

fn block(reader: &mut impl Read, place: &str) -> Result<[u8; BLOCK_LEN]> {
    let mut block = [0; BLOCK_LEN];
    reader.read_exact(&mut block).map_err(|error| cut(place, &error))?;
    Ok(block)
}

/// Reads a file's contents and the zeros after them; returns the digest.
fn contents(reader: &mut impl Read, name: &str, len: u64) -> Result<Digest> {
    let (mut hasher, mut left, mut buffer) = (Hasher::new(), len, vec![0; 64 * 1024]);
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        reader.read_exact(&mut buffer[..most]).map_err(|error| cut(name, &error))?;
        hasher.update(&buffer[..most]);
        left -= most as u64;
    }
    let padding = &mut buffer[..padding_len(len)];
    reader.read_exact(padding).map_err(|error| cut(name, &error))?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Failure::refuted(name, "填充字节应为零。", "the bytes after it are not zeros"));
    }
    Ok(hasher.finish())
}
