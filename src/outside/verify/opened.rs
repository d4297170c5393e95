//! Lines of opened entries (`docs/log-format.md`, "Lines of openings").

use serde::Deserialize;

use super::report::{Failure, Result};
use crate::kernel::digest::Digest;
use crate::kernel::encoding::from_base64url;
use crate::tlog::entry::{Part, Salt, commitment, part_digest};

/// The version of part `p` and of the files' first lines that this program knows.
pub const VERSION: u64 = 1;

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    index: u64,
    s_p: Option<&'a str>,
    p: Option<&'a str>,
    h_p: Option<Digest>,
    s_c: Option<&'a str>,
    c: Option<&'a str>,
    h_c: Option<Digest>,
    s_i: Option<&'a str>,
    i: Option<&'a str>,
    h_i: Option<Digest>,
}

/// An opened entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The leaf's number, as the line says.
    pub index: u64,
    /// The commitment that follows from the line.
    pub commitment: Digest,
    /// Part `p`, where it is opened.
    pub p: Option<Vec<u8>>,
    /// Part `c`, where it is opened.
    pub c: Option<Vec<u8>>,
    /// Part `i`, where it is opened.
    pub i: Option<Vec<u8>>,
}

/// What part `p` says that the checks need.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Public {
    /// Version of the form.
    pub v: u64,
    /// `noun.verb`.
    pub kind: String,
    /// The subject.
    pub stream: String,
    /// Its revision, from 1.
    pub rev: u64,
    /// Commitment of the stream's entry before.
    pub prev: Option<Digest>,
    /// When.
    pub at: String,
    /// The lot it belongs to.
    pub lot: Option<String>,
}

impl Opened {
    /// Reads a line; `place` names it.
    ///
    /// # Errors
    /// Refuted where it is not in the form.
    pub fn read(place: &str, line: &str) -> Result<Self> {
        let malformed = |zh: &str, en: String| Failure::refuted(place, format!("该行不合格式:{zh}"), en);
        let line: Line<'_> = serde_json::from_str(line)
            .map_err(|error| malformed(&error.to_string(), format!("the line is not in the form: {error}")))?;
        let part =
            |part: Part, salt: Option<&str>, bytes: Option<&str>, digest: Option<Digest>| match (salt, bytes, digest) {
                (Some(salt), Some(bytes), None) => {
                    let salt = from_base64url(salt).ok().and_then(|salt| Salt::try_from(salt).ok());
                    let (Some(salt), Ok(bytes)) = (salt, from_base64url(bytes)) else { return None };
                    Some((part_digest(part, &salt, &bytes), Some(bytes)))
                }
                (None, None, Some(digest)) => Some((digest, None)),
                _ => None,
            };
        let each = |name: &str, read: Option<(Digest, Option<Vec<u8>>)>| {
            read.ok_or_else(|| {
                malformed(
                    &format!("{name} 部分"),
                    format!("part {name}: a salt of 32 bytes and the part, base64url, or its digest, and not both"),
                )
            })
        };
        let (h_p, p) = each("p", part(Part::Public, line.s_p, line.p, line.h_p))?;
        let (h_c, c) = each("c", part(Part::Restricted, line.s_c, line.c, line.h_c))?;
        let (h_i, i) = each("i", part(Part::Personal, line.s_i, line.i, line.h_i))?;
        Ok(Self { index: line.index, commitment: commitment(&h_p, &h_c, &h_i), p, c, i })
    }

    /// What part `p` says.
    ///
    /// # Errors
    /// Refuted where it is not opened or not in the form, undecided where its version is not known.
    pub fn public(&self, place: &str) -> Result<Public> {
        let p = self.p.as_ref().ok_or_else(|| Failure::refuted(place, "p 部分未公开。", "part p is not opened"))?;
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        match serde_json::from_slice::<Public>(p) {
            Ok(public) if public.v == VERSION => Ok(public),
            _ => match serde_json::from_slice::<Version>(p) {
                Ok(Version { v }) if v != VERSION => Err(Failure::undecided(
                    place,
                    format!("版本 {v} 未知。"),
                    format!("its version {v} is not known to this program"),
                )),
                _ => Err(Failure::refuted(place, "p 部分不合格式。", "part p is not in the form of an entry")),
            },
        }
    }
}

/// The first line of a file of lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the form.
    pub v: u64,
    /// What the file is.
    pub kind: String,
    /// Of which log.
    pub origin: String,
    /// Of which lot, in a disclosure.
    pub lot: Option<String>,
    /// Lines that follow, in a disclosure and in evidence.
    pub entries: Option<u64>,
    /// Leaves that are explained, in a dump.
    pub size: Option<u64>,
}

impl Header {
    /// Reads the first line of a file of this kind about a log.
    ///
    /// # Errors
    /// Undecided where the version is not known, refuted where it is another kind of file or of another log.
    pub fn read(place: &str, line: &str, kind: &str, origin: &str) -> Result<Self> {
        let value: Option<serde_json::Value> = serde_json::from_str(line).ok();
        let version = value.as_ref().and_then(|value| value.get("v")).and_then(serde_json::Value::as_u64);
        if version.is_some_and(|v| v != VERSION) {
            return Err(Failure::undecided(
                place,
                "文件版本未知。",
                "the version of the file is not known to this program",
            ));
        }
        let header = serde_json::from_str::<Self>(line).ok().filter(|header| header.kind == kind);
        let header = header.ok_or_else(|| {
            Failure::refuted(
                place,
                format!("首行不是 {kind} 文件的首行。"),
                format!("the first line is not that of a {kind}"),
            )
        })?;
        if header.origin != origin {
            return Err(Failure::refuted(
                place,
                format!("该文件属于另一个日志:{}。", header.origin),
                format!("the file is of another log: {}", header.origin),
            ));
        }
        Ok(header)
    }
}
