//! The list of keys that sign and have signed (`docs/log-format.md`), and what the record says of it.

use super::queries::Key;
use super::signer::KEYS_HEADER;
use crate::ledger::{Error, Record, Result, Tx};
use crate::limits;

/// The stream of the entries about keys.
const STREAM: &str = "log-keys";

/// The text of the list.
pub(super) fn text(origin: &str, keys: &[Key]) -> String {
    let mut text = format!("{KEYS_HEADER}{origin}\n");
    for (vkey, role, first, last) in keys {
        text += &match last {
            Some(last) => format!("{role} {vkey} {first} {last}\n"),
            None => format!("{role} {vkey} {first}\n"),
        };
    }
    text
}

/// Puts on record that a key signs from now on, or no more.
pub(super) fn note(tx: &mut Tx<'_>, kind: &'static str, vkey: &str, role: &str, size: i64) -> Result<()> {
    let record = Record::new(kind).public("vkey", vkey).public("role", role).public("size", size);
    tx.note_in(STREAM, limits::LOG_KEYS, record)?.map(drop).ok_or_else(|| Error::internal("there are too many keys"))
}
