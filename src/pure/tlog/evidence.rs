//! The manifest of an evidence bundle: what is in the archive, to be signed as a note (`docs/log-format.md`, "Evidence").
//!
//! Promise: a text that reads is the one text of what was read, so that a signature is over exactly this.

use crate::kernel::digest::Digest;

/// The first line.
const HEADER: &str = "sealbid/audit/evidence/v1";

/// The opened entries.
pub const ENTRIES: &str = "entries.ndjson";
/// A table of contents for people; it proves nothing.
pub const CONTENTS: &str = "toc.csv";
/// The checkpoint that covers the entries.
pub const CHECKPOINT: &str = "checkpoint";
/// The list of keys of the log.
pub const KEYS: &str = "keys";
/// The policy as the log publishes it.
pub const POLICY: &str = "policy";
/// The manifest, which stands last: an archive without it is incomplete.
pub const MANIFEST: &str = "manifest.json";
/// What the first line of the opened entries calls the file.
pub const KIND: &str = "evidence";

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path in the archive.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
    /// Of its bytes.
    pub sha256: Digest,
}

/// What is in an archive, in the order in which it stands there, the manifest itself left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Of which log.
    pub origin: String,
    /// One line of JSON: what was asked, for which matter, and how far the log covered it.
    pub about: String,
    /// The other files.
    pub members: Vec<Member>,
}

impl Manifest {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let mut text = format!("{HEADER}\n{}\n{}\n", self.origin, self.about);
        for Member { name, len, sha256 } in &self.members {
            text += &format!("{sha256} {len} {name}\n");
        }
        text
    }

    /// Reads the text; none where it is not in the form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split_terminator('\n');
        if lines.next()? != HEADER {
            return None;
        }
        let (origin, about) = (lines.next()?.to_owned(), lines.next()?.to_owned());
        let member = |line: &str| {
            let (sha256, rest) = line.split_once(' ')?;
            let (len, name) = rest.split_once(' ')?;
            Some(Member { name: name.to_owned(), len: len.parse().ok()?, sha256: sha256.parse().ok()? })
        };
        let members = lines.map(member).collect::<Option<Vec<_>>>()?;
        let manifest = Self { origin, about, members };
        (manifest.text() == text).then_some(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;

    #[test]
    fn a_manifest_is_read_as_it_was_written_and_in_no_other_spelling() {
        let member = |name: &str, len| Member { name: name.into(), len, sha256: sha256(name.as_bytes()) };
        let manifest = Manifest {
            origin: "centre.example/audit/main".into(),
            about: r#"{"size":304}"#.into(),
            members: vec![member(POLICY, 0), member("tile/entries/001.p/48", 1680)],
        };
        let text = manifest.text();
        assert_eq!(Manifest::parse(&text), Some(manifest));
        for (from, to) in [("v1", "v2"), (" 0 ", " 00 "), (" 0 ", " +0 "), ("policy\n", "policy"), (" 1680", "1680")] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text);
            assert_ne!(Manifest::parse(&other).map(|manifest| manifest.text()).as_ref(), Some(&text), "{from} {to}");
        }
        assert_eq!(Manifest::parse(&text.replace(" 0 ", " 00 ")), None);
        assert_eq!(Manifest::parse(text.trim_end()), None);
    }
}
