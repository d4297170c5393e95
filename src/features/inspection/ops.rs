//! The use cases of inspection: looking, which is itself on record, and taking what was found away as a file.

use serde::Serialize;
use serde_json::json;

use super::model::LOOKED;
use crate::features::mandates::model::Matter;
use crate::kernel::digest::Digest;
use crate::kernel::id::LookId;
use crate::ledger::audit::Entry;
use crate::ledger::{Error, Record, Result, Tx};

/// A look's stream has the look and, where a file was made, its end.
const ENTRIES_OF_A_LOOK: i64 = 2;

/// Puts a look on record; returns its stream and its entry. The question and the matter stand in the restricted part alone:
/// published, they would tell whom an inspector is after.
///
/// # Errors
/// The database's; then nothing may be shown.
pub fn look(tx: &mut Tx<'_>, matter: &Matter, question: &impl Serialize) -> Result<(LookId, Entry)> {
    let id = LookId::ordered(tx.now());
    let entry = tx.note(id.as_str(), record(matter, question))?;
    Ok((id, entry))
}

/// Puts on record that the file which a look asked for was made to its end: how many rows, and the digest of all its bytes.
///
/// # Errors
/// The database's; then the file stays without its last line.
pub fn exported(
    tx: &mut Tx<'_>,
    look: &LookId,
    matter: &Matter,
    question: &impl Serialize,
    rows: u64,
    digest: Digest,
) -> Result<Entry> {
    let record = record(matter, question).restricted("exported", json!({ "rows": rows, "sha256": digest }));
    tx.note_in(look.as_str(), ENTRIES_OF_A_LOOK, record)?
        .ok_or_else(|| Error::internal(format!("{look} has its end already")))
}

fn record(matter: &Matter, question: &impl Serialize) -> Record {
    Record::new(LOOKED).restricted("matter", matter).restricted("query", question)
}
