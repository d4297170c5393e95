//! What a signer remembers, as a file: readable, and every byte of it under a checksum.
//!
//! ```text
//! sealbid/log-signer/v1
//! <origin>
//! size <leaves>
//! slot <slot>
//! <complete subtrees, hex, the largest first, one a line>
//! sha256 <hex of everything above>
//! ```

use crate::kernel::digest::{Digest, sha256};
use crate::tlog::tree::Frontier;

/// The first line.
const HEADER: &str = "sealbid/log-signer/v1";

/// What was signed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The log.
    pub origin: String,
    /// The slot.
    pub slot: u64,
    /// The tree.
    pub frontier: Frontier,
}

impl Memory {
    /// Nothing signed yet.
    pub fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), slot: 0, frontier: Frontier::empty() }
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n{}\nsize {}\nslot {}\n", self.origin, self.frontier.size(), self.slot);
        for hash in self.frontier.hashes() {
            text += &format!("{hash}\n");
        }
        let sum = sha256(text.as_bytes());
        text + &format!("sha256 {sum}\n")
    }

    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let body_len = text.trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
        let (body, last) = text.split_at(body_len);
        if last != format!("sha256 {}\n", sha256(body.as_bytes())) {
            return Err("its checksum does not fit: it is damaged".into());
        }
        let mut lines = body.lines();
        let mut next = |what: &str| lines.next().ok_or_else(|| format!("{what} is missing"));
        if next("the first line")? != HEADER {
            return Err("it has a version that this program does not know".into());
        }
        let origin = next("the origin")?.to_owned();
        let number = |line: &str, name: &str| {
            line.strip_prefix(name).and_then(|digits| digits.parse().ok()).ok_or_else(|| format!("{name}is no number"))
        };
        let size = number(next("the size")?, "size ")?;
        let slot = number(next("the slot")?, "slot ")?;
        let hashes: Vec<Digest> =
            lines.map(|line| line.parse().map_err(|_| "a hash is none".to_owned())).collect::<Result<_, _>>()?;
        let frontier = Frontier::from_parts(size, hashes).ok_or("size and subtrees do not fit")?;
        Ok(Self { origin, slot, frontier })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_is_read_as_it_was_written_and_every_damaged_byte_is_noticed() {
        let mut memory = Memory::new("log.example/audit/main");
        (0..13_u8).for_each(|i| memory.frontier.append(sha256(&[i])));
        memory.slot = 77;
        let text = memory.to_text();
        assert_eq!(Memory::parse(&text), Ok(memory));
        for at in 0..text.len() {
            for bit in [0x01, 0x20] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= bit;
                if let Ok(damaged) = String::from_utf8(bytes) {
                    assert!(Memory::parse(&damaged).is_err(), "byte {at}");
                }
            }
            assert!(Memory::parse(&text[..at]).is_err(), "cut at {at}");
        }
        assert!(Memory::parse(&format!("{text}\n")).is_err());
    }
}
